//! Networks of companies and slim machines: proxies, and no certificate authorities.

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use ideogram_mock::MockServer;

use crate::invocation::{Ran, ideogram, serve};

/// Reads exactly this many bytes.
fn read(stream: &mut TcpStream, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    stream.read_exact(&mut bytes).unwrap();
    bytes
}

/// A SOCKS5 proxy (RFC 1928). For each connection: the host and the port that were requested, if it came so far.
struct Socks {
    port: u16,
    is_over: Arc<AtomicBool>,
    requests: thread::JoinHandle<Vec<Option<(String, u16)>>>,
}

impl Socks {
    /// Chooses `method`, and answers a request with `status`.
    fn start(method: u8, status: u8) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let is_over = Arc::new(AtomicBool::new(false));
        let ends = is_over.clone();
        let requests = thread::spawn(move || {
            let mut requests = Vec::new();
            loop {
                let (mut stream, _) = listener.accept().unwrap();
                if ends.load(Ordering::Relaxed) {
                    return requests;
                }
                let methods = read(&mut stream, 2)[1];
                read(&mut stream, methods.into());
                stream.write_all(&[5, method]).unwrap();
                requests.push((method == 0).then(|| {
                    let head = read(&mut stream, 5);
                    assert_eq!(head[..4], [5, 1, 0, 3], "CONNECT to a name that the proxy resolves");
                    let host = String::from_utf8(read(&mut stream, head[4].into())).unwrap();
                    let port = u16::from_be_bytes(read(&mut stream, 2).try_into().unwrap());
                    stream.write_all(&[5, status, 0, 1, 0, 0, 0, 0, 0, 0]).unwrap();
                    (host, port)
                }));
            }
        });
        Self { port, is_over, requests }
    }

    fn requests(self) -> Vec<Option<(String, u16)>> {
        self.is_over.store(true, Ordering::Relaxed);
        TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        self.requests.join().unwrap()
    }
}

fn through(proxy: &str, arguments: &[&str]) -> Ran {
    ideogram(arguments.iter().copied()).at("https://api.example.test").env("ALL_PROXY", proxy).run()
}

#[test]
fn a_socks_proxy_resolves_the_name_of_the_service_and_is_named_when_it_fails() {
    const UNREACHABLE: u8 = 4;
    let proxy = Socks::start(0, UNREACHABLE);

    let ran = through(&format!("socks5h://127.0.0.1:{}", proxy.port), &["--attempts", "2", "datasets", "get", "demo"]);

    assert_eq!(ran.code(), Some(9), "{ran}");
    assert!(ran.stderr().contains("through the proxy; check HTTPS_PROXY, HTTP_PROXY and ALL_PROXY"), "{ran}");
    let expected = Some(("api.example.test".to_owned(), 443));
    assert_eq!(proxy.requests(), [expected.clone(), expected]);
}

#[test]
fn a_proxy_that_refuses_for_good_is_tried_once() {
    const NOT_ALLOWED: u8 = 2;
    for (method, status, reason) in [(0xff, 0, "user/pass authentication"), (0, NOT_ALLOWED, "connection not allowed")]
    {
        let proxy = Socks::start(method, status);

        let ran = through(&format!("socks5h://127.0.0.1:{}", proxy.port), &["datasets", "get", "demo"]);

        assert_eq!(ran.code(), Some(9), "{ran}");
        let message = ran.stderr();
        assert!(message.contains("the proxy cannot be used") && message.contains(reason), "{ran}");
        assert!(!message.contains("next attempt"), "{ran}");
        assert_eq!(proxy.requests().len(), 1, "{reason}");
    }
}

#[test]
fn a_key_in_the_address_of_a_proxy_is_in_no_message() {
    let proxy = Socks::start(0, 1);

    let ran = through(&format!("socks5h://secret-1234:x@127.0.0.1:{}", proxy.port), &["-q", "datasets", "get", "demo"]);

    assert!(!ran.stderr().contains("secret-1234"), "{ran}");
}

#[test]
fn a_machine_without_certificate_authorities_needs_none_for_plain_http() {
    let server = serve(MockServer::builder());
    let without = |arguments: &[&str]| {
        ideogram(arguments.iter().copied())
            .env("SSL_CERT_FILE", "/nonexistent/file")
            .env("SSL_CERT_DIR", "/nonexistent/folder")
    };
    let folder = tempfile::tempdir().unwrap();

    let mock = without(&["--mock", "datasets", "get", "demo"]).run();
    let saved = without(&["generate", "A paper lantern", "-q"]).against(&server).in_folder(folder.path()).run();
    let https = without(&["datasets", "get", "demo"]).at("https://localhost:9").run();

    assert_eq!((mock.code(), saved.code()), (Some(0), Some(0)), "{mock}{saved}");
    assert_eq!(https.code(), Some(9), "{https}");
    assert!(
        https.stderr().contains("ca-certificates, or set the environment variable SSL_CERT_FILE to a file"),
        "{https}"
    );
}
