//! Pictures from the web, fetched without becoming a way into private networks.
//!
//! A link may come from anywhere, so this machine must not be made to ask what only it can reach: only https is
//! followed, every address that a name has must be a public one, and so must those of every redirect. The connection
//! goes to the addresses that were looked at, not to what the name means a moment later. The service's own address is
//! exempt, so that a server on this machine can be tried with its own pictures.

use std::{
    error::Error as StdError,
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use ideogram_client::{
    File,
    reqwest::{
        self, Client, Response, Url,
        dns::{Addrs, Name, Resolve, Resolving},
        redirect::Policy,
    },
};

use super::image::extension_of;
use crate::{context::Context, exit::Exit, failure::Failure, progress::Counted, units};

const MOST_REDIRECTS: usize = 5;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);
/// Half a minute without a byte is a dead connection.
const READ_TIMEOUT: Duration = Duration::from_secs(30);
/// For all of it.
const TIMEOUT: Duration = Duration::from_secs(120);

/// Fetches a picture of at most so many bytes. With `--dry-run` nothing is asked, and its size stays unknown.
pub(crate) async fn fetch(context: &Context<'_>, link: &str, limit: u64) -> Result<File, Failure> {
    let url = Url::parse(link.trim()).map_err(|error| refused(link, "it is no address").because(&error))?;
    let service = context.client().base_url();
    check(&url, service).map_err(|reason| refused(link, reason))?;
    if context.is_dry_run() {
        return Ok(File::from_reader(name_of(&url, "png"), tokio::io::empty(), None));
    }
    let mut response = follow(url, service).await?;
    let url = response.url().clone();
    let host = url.host_str().unwrap_or_default().to_owned();
    if !response.status().is_success() {
        let what = format!("{host} did not hand out the picture: {}", response.status());
        return Err(Failure::new(Exit::Unavailable, what).hint("nothing was sent to the service"));
    }
    let total = response.content_length();
    if total.is_some_and(|total| total > limit) {
        return Err(too_large(&host, limit));
    }
    let progress = context.progress(format!("fetching from {host}"), Counted::Bytes, total);
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| broken(&host, error))? {
        bytes.extend_from_slice(&chunk);
        progress.set(bytes.len() as u64);
        if bytes.len() as u64 > limit {
            return Err(too_large(&host, limit));
        }
    }
    let Some(extension) = extension_of(&bytes) else {
        return Err(Failure::usage(format!("what {host} sent is no picture: JPEG, PNG and WebP are taken"))
            .hint("nothing was sent to the service"));
    };
    Ok(File::from_bytes(name_of(&url, extension), bytes))
}

async fn follow(mut url: Url, service: &Url) -> Result<Response, Failure> {
    for _ in 0..=MOST_REDIRECTS {
        let host = url.host_str().unwrap_or_default().to_owned();
        let client = client(url.origin() == service.origin())?;
        let response = client.get(url.clone()).send().await.map_err(|error| broken(&host, error))?;
        let location = response.headers().get(reqwest::header::LOCATION).filter(|_| response.status().is_redirection());
        let Some(location) = location else { return Ok(response) };
        let to = location.to_str().ok().and_then(|location| url.join(location).ok());
        let to = to.ok_or_else(|| Failure::usage(format!("{host} redirects nowhere")))?;
        check(&to, service).map_err(|reason| refused(to.as_str(), reason).cause(format!("{host} redirects there")))?;
        url = to;
    }
    Err(Failure::usage(format!("the link redirects more than {MOST_REDIRECTS} times")))
}

fn client(is_service: bool) -> Result<Client, Failure> {
    // A proxy would look names up where they cannot be checked.
    let builder = Client::builder()
        .redirect(Policy::none())
        .no_proxy()
        .referer(false)
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(READ_TIMEOUT)
        .timeout(TIMEOUT);
    let builder = if is_service { builder } else { builder.dns_resolver(Arc::new(PublicOnly)) };
    builder.build().map_err(|error| Failure::internal("cannot get ready to fetch a link").because(&error))
}

/// Why a link is not followed, before any name is looked up.
fn check(url: &Url, service: &Url) -> Result<(), &'static str> {
    if url.origin() == service.origin() && ["http", "https"].contains(&url.scheme()) {
        return Ok(());
    }
    if url.scheme() != "https" {
        return Err("it is not https");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("it holds a user name or password");
    }
    // An address in the link is asked as it is, without the resolver.
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    match host.parse::<IpAddr>() {
        Ok(address) if !is_public(address) => Err(PRIVATE),
        _ => Ok(()),
    }
}

const PRIVATE: &str = "it leads into this machine or a private network";

/// Looks names up, and refuses one if any of its addresses is not public.
#[derive(Debug)]
struct PublicOnly;

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            public_ones(found).map_err(|error| Box::new(error) as Box<dyn StdError + Send + Sync>)
        })
    }
}

fn public_ones(found: Vec<SocketAddr>) -> io::Result<Addrs> {
    if found.iter().all(|address| is_public(address.ip())) {
        Ok(Box::new(found.into_iter()))
    } else {
        Err(io::Error::new(io::ErrorKind::PermissionDenied, format!("the link is not followed: {PRIVATE}")))
    }
}

/// Whether an address belongs to the open internet.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => {
            let segments = address.segments();
            let v4 = |high: u16, low: u16| is_public_v4(Ipv4Addr::from(u32::from(high) << 16 | u32::from(low)));
            match segments {
                // Addresses that hold one of the other kind: mapped, translated, and 6to4.
                [0, 0, 0, 0, 0, 0xffff, high, low]
                | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
                | [0x2002, high, low, ..] => v4(high, low),
                // Teredo hides its target, and documentation is for examples.
                [0x2001, 0 | 0xdb8, ..] => false,
                // All that is given out for the open internet begins so.
                [first, ..] => first & 0xe000 == 0x2000,
            }
        }
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [first, second, third, _] = address.octets();
    let shared = first == 100 && (64..128).contains(&second);
    let protocols = [first, second, third] == [192, 0, 0];
    let benchmarks = first == 198 && (second == 18 || second == 19);
    let special = address.is_loopback()
        || address.is_private()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_documentation();
    !(special || shared || protocols || benchmarks || first == 0 || first >= 240)
}

/// A name for the file, from the path of the link.
fn name_of(url: &Url, extension: &str) -> String {
    let last = url.path_segments().and_then(|mut segments| segments.next_back()).unwrap_or_default();
    let stem = last.rsplit_once('.').map_or(last, |(stem, _)| stem);
    let harmless = |letter: &char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.');
    let stem: String = stem.chars().filter(harmless).take(80).collect();
    if stem.is_empty() { format!("picture.{extension}") } else { format!("{stem}.{extension}") }
}

fn refused(link: &str, reason: &str) -> Failure {
    // What follows the path may be a signature that lets others in.
    let shown = link.split(['?', '#']).next().unwrap_or_default();
    Failure::usage(format!("the link {shown} is not followed: {reason}"))
        .hint("to send such a picture, save it and give its path; nothing was sent")
}

fn too_large(host: &str, limit: u64) -> Failure {
    Failure::usage(format!("the picture at {host} is larger than {}", units::size(limit)))
        .hint("nothing was sent to the service")
}

fn broken(host: &str, error: reqwest::Error) -> Failure {
    let error = error.without_url();
    let mut cause: Option<&(dyn StdError + 'static)> = Some(&error);
    let mut is_refused = false;
    while let Some(error) = cause {
        is_refused |= error.downcast_ref::<io::Error>().is_some_and(|error| {
            error.kind() == io::ErrorKind::PermissionDenied && error.to_string().contains(PRIVATE)
        });
        cause = error.source();
    }
    let exit = if is_refused { Exit::Usage } else { Exit::Unavailable };
    Failure::new(exit, format!("cannot fetch the picture from {host}"))
        .because(&error)
        .hint("nothing was sent to the service")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVICE: &str = "https://api.ideogram.ai";

    fn checked(link: &str, service: &str) -> Result<(), &'static str> {
        check(&Url::parse(link).unwrap(), &Url::parse(service).unwrap())
    }

    #[test]
    fn only_the_open_internet_is_public() {
        for address in [
            "127.0.0.1",
            "0.0.0.0",
            "10.1.2.3",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.0.1",
            "169.254.169.254",
            "100.64.0.1",
            "192.0.0.8",
            "192.0.2.1",
            "198.18.0.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::a00:1",
            "64:ff9b:1::1",
            "2002:a00:1::",
            "2001::1",
            "2001:db8::1",
            "fe80::1",
            "fec0::1",
            "fc00::1",
            "fd12::1",
            "ff02::1",
        ] {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
        for address in ["8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1", "::ffff:8.8.8.8", "64:ff9b::808:808"] {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn one_private_address_spoils_a_name() {
        let public: SocketAddr = "8.8.8.8:0".parse().unwrap();
        let private: SocketAddr = "10.0.0.1:0".parse().unwrap();

        assert!(public_ones(vec![public]).is_ok());
        assert!(public_ones(vec![public, private]).is_err());
    }

    #[tokio::test]
    async fn a_name_of_this_machine_is_refused_when_it_is_looked_up() {
        let Err(error) = PublicOnly.resolve("localhost".parse().unwrap()).await else { panic!("it was resolved") };

        assert!(error.to_string().contains(PRIVATE), "{error}");
    }

    #[test]
    fn links_are_https_or_of_the_service_itself() {
        assert_eq!(checked("https://images.test/a.png", SERVICE), Ok(()));
        assert_eq!(checked("http://127.0.0.1:8080/a.png", "http://127.0.0.1:8080"), Ok(()));
        for link in [
            "http://images.test/a.png",
            "http://127.0.0.1:8081/a.png",
            "https://user:word@images.test/",
            "https://[::1]/",
            "https://0x7f000001/",
            "https://10.0.0.1/",
            "ftp://images.test/",
        ] {
            assert!(checked(link, SERVICE).is_err(), "{link}");
            assert!(checked(link, "http://127.0.0.1:8080").is_err(), "{link}");
        }
    }

    #[test]
    fn files_are_named_after_the_link_and_their_content() {
        let name = |link| name_of(&Url::parse(link).unwrap(), "png");

        assert_eq!(name("https://a.test/x/lantern.jpg?sig=1"), "lantern.png");
        assert_eq!(name("https://a.test/%0d%0ax.png"), "0d0ax.png");
        assert_eq!(name("https://a.test"), "picture.png");
    }
}
