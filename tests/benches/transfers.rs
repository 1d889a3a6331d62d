//! Large uploads and many downloads compared with curl: throughput and peak memory.
//!
//! `cargo bench -p ideogram-tests --bench transfers` (needs `curl`, 2 GB of disk in the folder for temporary files, and
//! Linux). Both sides talk to one server in this process on loopback, in turns; the median of the rounds is printed.

#![expect(clippy::print_stdout, reason = "a benchmark prints")]

use std::{
    fs,
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::Path,
    process::Command,
    thread,
    time::Instant,
};

use ideogram_client::Client;

const ROUNDS: usize = 5;
const UPLOAD_BYTES: u64 = 1024 * 1024 * 1024;
const IMAGES: usize = 200;
const IMAGE_BYTES: usize = 2 * 1024 * 1024;
const PARALLEL: usize = 8;

/// Takes uploads of any size, and hands out images.
fn serve() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("a bound address"));
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // A client that goes away ends its connection, not the benchmark.
            thread::spawn(move || drop(response(&stream)));
        }
    });
    url
}

fn response(stream: &TcpStream) -> io::Result<()> {
    let mut image = b"\x89PNG\r\n\x1a\n".to_vec();
    image.resize(IMAGE_BYTES, 7);
    let mut reader = BufReader::with_capacity(256 * 1024, stream);
    let mut writer = stream;
    loop {
        let (mut length, mut line, mut first) = (0, String::new(), String::new());
        while reader.read_line(&mut line)? > 0 && line != "\r\n" {
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap_or(0);
            }
            if line.to_ascii_lowercase().starts_with("expect:") {
                writer.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
            }
            if first.is_empty() {
                first.clone_from(&line);
            }
            line.clear();
        }
        if first.is_empty() {
            return Ok(());
        }
        if first.starts_with("POST") {
            io::copy(&mut reader.by_ref().take(length), &mut io::sink())?;
            let json = r#"{"total_count":1,"success_count":1,"failure_count":0}"#;
            let head =
                format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n", json.len());
            writer.write_all((head + json).as_bytes())?;
        } else {
            let head = format!("HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nContent-Length: {IMAGE_BYTES}\r\n\r\n");
            writer.write_all(head.as_bytes())?;
            writer.write_all(&image)?;
        }
    }
}

/// The most memory that this process has had, in MiB.
fn peak_memory() -> f64 {
    let status = fs::read_to_string("/proc/self/status").expect("the kernel counts memory");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("the peak is counted");
    line.split_whitespace().next().and_then(|kib| kib.parse::<f64>().ok()).expect("in KiB") / 1024.0
}

fn seconds(run: &mut dyn FnMut()) -> f64 {
    let start = Instant::now();
    run();
    start.elapsed().as_secs_f64()
}

/// Medians of both sides, measured in turns.
fn compare(mut ours: impl FnMut(), mut theirs: impl FnMut()) -> (f64, f64) {
    let mut rounds: (Vec<f64>, Vec<f64>) = (0..ROUNDS).map(|_| (seconds(&mut ours), seconds(&mut theirs))).unzip();
    rounds.0.sort_by(f64::total_cmp);
    rounds.1.sort_by(f64::total_cmp);
    (rounds.0[ROUNDS / 2], rounds.1[ROUNDS / 2])
}

fn curl(arguments: &[&str]) {
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--show-error", "--fail", "--output", "/dev/null"]).args(arguments);
    assert!(curl.status().expect("curl is installed").success());
}

fn report(what: &str, mebibytes: f64, (ours, theirs): (f64, f64)) {
    println!(
        "{what}: {:.0} MiB/s, {:.0} MiB/s by curl, throughput {:.2} x",
        mebibytes / ours,
        mebibytes / theirs,
        theirs / ours
    );
}

#[expect(clippy::cast_precision_loss, reason = "for people")]
fn main() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let folder = tempfile::tempdir().expect("a folder");
    let url = serve();
    let client = Client::builder().api_key("benchmark").base_url(&url).build().expect("a client");

    let large = folder.path().join("large.zip");
    fs::File::create(&large).and_then(|file| file.set_len(UPLOAD_BYTES)).expect("a sparse file");
    let before = peak_memory();
    let uploads = compare(
        || {
            let call = client.upload_dataset_assets().dataset_id("demo").files([&large]);
            runtime.block_on(call.send()).expect("a response");
        },
        || curl(&["--form", &format!("files=@{}", large.display()), &format!("{url}/datasets/demo/upload_assets")]),
    );
    report("upload of 1 GiB", UPLOAD_BYTES as f64 / 1024.0 / 1024.0, uploads);
    println!("peak memory: {:.1} MiB, {:.1} MiB of it since the start", peak_memory(), peak_memory() - before);

    let items: Vec<_> = (0..IMAGES)
        .map(|number| serde_json::json!({"url": format!("{url}/{number:022}.png"), "is_image_safe": true}))
        .collect();
    let response = serde_json::json!({"data": items});
    let (ours, theirs) = (folder.path().join("ours"), folder.path().join("theirs"));
    // curl writes no sidecars, and does not sync files to disk.
    let saving = compare(
        || {
            empty(&ours);
            let saving = client.save_all(&response, &ours).parallel(PARALLEL).without_sidecar();
            let outcomes = runtime.block_on(saving.into_future());
            let saved = outcomes.expect("outcomes").iter().filter(|outcome| outcome.saved().is_some()).count();
            assert_eq!(saved, IMAGES);
        },
        || {
            empty(&theirs);
            let parallel = PARALLEL.to_string();
            let pattern = format!("{url}/[{:022}-{:022}].png", 0, IMAGES - 1);
            let status = Command::new("curl")
                .args([
                    "--silent",
                    "--show-error",
                    "--fail",
                    "--parallel",
                    "--parallel-max",
                    &parallel,
                    "--remote-name-all",
                ])
                .arg(pattern)
                .current_dir(&theirs)
                .status();
            assert!(status.expect("curl is installed").success());
        },
    );
    report("saving 200 images of 2 MiB", (IMAGES * IMAGE_BYTES) as f64 / 1024.0 / 1024.0, saving);
}

fn empty(folder: &Path) {
    let _ = fs::remove_dir_all(folder);
    fs::create_dir_all(folder).expect("a folder");
}
