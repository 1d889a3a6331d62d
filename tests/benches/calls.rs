//! The cost of the client compared with code by hand: CPU time of a call, and of decoding a large response.
//!
//! `cargo bench -p ideogram-tests --bench calls`. Both sides run in turns in one process against one server on
//! loopback, so that a ratio means something on a machine that is busy with other things; the median of the rounds is
//! printed. CPU time of the calling thread is read from the kernel, so this runs on Linux only. Between two calls the
//! connection gets its turn to go back to the pool: otherwise whoever calls at once opens another one, which costs more
//! than the call.

#![expect(clippy::print_stdout, reason = "a benchmark prints")]

use std::{
    fs,
    hint::black_box,
    io::{Read as _, Write as _},
    net::TcpListener,
    thread,
};

use ideogram_client::{Client, types::GetDatasetResponse};
use serde::Deserialize;
use tokio::task::yield_now;

const ROUNDS: usize = 15;
const CALLS: u32 = 400;
const FILES: usize = 100_000;

/// Code by hand for this one call.
#[derive(Deserialize)]
#[expect(dead_code, reason = "decoded, not read")]
struct ByHand {
    dataset: Dataset,
    file_count: i64,
    files: Vec<File>,
    custom_model_ids: Vec<String>,
}

#[derive(Deserialize)]
#[expect(dead_code, clippy::struct_field_names, reason = "decoded, not read; the service's names")]
struct Dataset {
    dataset_id: String,
    name: String,
    user_id: String,
    creation_time: String,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "decoded, not read")]
struct File {
    file_name: Option<String>,
    file_size_bytes: Option<i64>,
}

/// Answers every request with the same bytes, and keeps connections open.
fn serve(body: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("a bound address"));
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            thread::spawn(move || {
                let mut buffer = [0; 4096];
                let mut filled = 0;
                let response = format!(
                    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
                    body.len()
                );
                while let Ok(read @ 1..) = stream.read(&mut buffer[filled..]) {
                    filled += read;
                    if buffer[..filled].ends_with(b"\r\n\r\n") {
                        filled = 0;
                        if stream.write_all(response.as_bytes()).is_err() {
                            return;
                        }
                    }
                }
            });
        }
    });
    url
}

/// Nanoseconds that this thread has run.
fn cpu_time() -> f64 {
    let schedstat = fs::read_to_string("/proc/thread-self/schedstat").expect("the kernel counts CPU time");
    schedstat.split_whitespace().next().and_then(|text| text.parse().ok()).expect("nanoseconds come first")
}

/// Medians of both sides, measured in turns.
fn compare(mut ours: impl FnMut(), mut theirs: impl FnMut()) -> (f64, f64) {
    let timed = |run: &mut dyn FnMut()| {
        let start = cpu_time();
        run();
        cpu_time() - start
    };
    ours();
    theirs();
    let mut rounds: (Vec<f64>, Vec<f64>) = (0..ROUNDS).map(|_| (timed(&mut ours), timed(&mut theirs))).unzip();
    (median(&mut rounds.0), median(&mut rounds.1))
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn report(what: &str, unit: &str, scale: f64, (ours, theirs): (f64, f64)) {
    println!("{what}: {:.1} {unit}, {:.1} {unit} by hand, ratio {:.3}", ours / scale, theirs / scale, ours / theirs);
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let response = include_str!("../../openapi/examples/get_dataset/demo.json");
    let url = serve(response);

    let client = Client::builder().api_key("benchmark").base_url(&url).build().expect("a client");
    let http = reqwest::Client::builder().no_proxy().http1_only().build().expect("a client");
    let by_hand = format!("{url}/datasets/demo");
    let per_call = compare(
        || {
            runtime.block_on(async {
                for _ in 0..CALLS {
                    black_box(client.get_dataset().dataset_id("demo").send().await.expect("a response"));
                    yield_now().await;
                }
            });
        },
        || {
            runtime.block_on(async {
                for _ in 0..CALLS {
                    let request = http.get(&by_hand).header("Api-Key", "benchmark");
                    let response =
                        request.send().await.and_then(reqwest::Response::error_for_status).expect("a response");
                    let body = response.bytes().await.expect("a body");
                    black_box(serde_json::from_slice::<ByHand>(&body).expect("a dataset"));
                    yield_now().await;
                }
            });
        },
    );
    report("get_dataset on loopback, CPU per call", "µs", f64::from(CALLS) * 1000.0, per_call);

    let files: Vec<_> = (0..FILES)
        .map(|number| serde_json::json!({"file_name": format!("lantern-{number:06}.png"), "file_size_bytes": 123_456 + number}))
        .collect();
    let mut large: serde_json::Value = serde_json::from_str(response).expect("the example is JSON");
    large["files"] = files.into();
    let large = large.to_string();
    let decoding = compare(
        || {
            black_box(serde_json::from_str::<GetDatasetResponse>(&large).expect("a dataset"));
        },
        || {
            black_box(serde_json::from_str::<ByHand>(&large).expect("a dataset"));
        },
    );
    report(&format!("decoding a dataset of {FILES} files"), "ms", 1e6, decoding);
}
