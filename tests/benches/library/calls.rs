//! The cost of a call and of decoding, beside code by hand.
//!
//! CPU time of the calling thread is read from the kernel. Between two calls the connection gets its turn to go back to
//! the pool: otherwise the next call opens another one, which costs more than the call.

use std::{env, fs, hint::black_box, process::Command};

use anyhow::{Context as _, Result, bail};
use ideogram_client::{Client, types::GetDatasetResponse};
use serde::Deserialize;
use tokio::{runtime::Runtime, task::yield_now};
use xtask::{
    measure::{compare, in_turns},
    say,
};

use crate::{
    PAIRS,
    server::{DATASET, serve},
};

/// The first argument of a process whose instructions are counted.
pub(crate) const COUNTED: &str = "counted";
const CALLS: u32 = 2000;
const FILES: usize = 100_000;
/// In one measurement: some kernels count CPU time in steps of several milliseconds.
const DECODINGS: u32 = 10;

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

/// `get_dataset` on loopback.
pub(crate) fn get_dataset() -> Result<()> {
    let url = serve()?;
    let (runtime, client, http) = (runtime()?, client(&url)?, http()?);
    let pairs = in_turns(
        PAIRS,
        || cpu_time(|| runtime.block_on(by_client(&client, CALLS))),
        || cpu_time(|| runtime.block_on(by_hand(&http, &url, CALLS))),
    )?;
    let each = |nanoseconds: &f64| nanoseconds / f64::from(CALLS) / 1000.0;
    compare("get_dataset on loopback, CPU of a call", "reqwest and serde by hand", &pairs, each, "µs");
    print_counts("  instructions", &["client-calls", "calls-by-hand"], &url, 100)
}

/// A dataset of 100,000 files.
pub(crate) fn decoding() -> Result<()> {
    let large = large_dataset()?;
    let pairs = in_turns(
        PAIRS,
        || cpu_time(|| decode::<GetDatasetResponse>(&large, DECODINGS)),
        || cpu_time(|| decode::<ByHand>(&large, DECODINGS)),
    )?;
    let what = format!("decoding a dataset of {FILES} files, CPU");
    compare(
        &what,
        "serde_json into a bare struct",
        &pairs,
        |nanoseconds| nanoseconds / f64::from(DECODINGS) / 1e6,
        "ms",
    );
    print_counts("  instructions", &["client-decodes", "decoded-by-hand"], "", 1)
}

/// What a process does whose instructions are counted: a side, the URL of the server, and how often.
pub(crate) fn run_counted(arguments: &[String]) -> Result<()> {
    let [side, url, times] = arguments else { bail!("a side, a URL and a number are missing") };
    let times = times.parse().context("not a number")?;
    match side.as_str() {
        "client-calls" => runtime()?.block_on(by_client(&client(url)?, times)),
        "calls-by-hand" => runtime()?.block_on(by_hand(&http()?, url, times)),
        "client-decodes" => decode::<GetDatasetResponse>(&large_dataset()?, times),
        "decoded-by-hand" => decode::<ByHand>(&large_dataset()?, times),
        _ => bail!("there is no side `{side}`"),
    }
}

/// Prints the instructions of one call or decoding, where `valgrind` can count them: those of a process that does it more
/// often, without those of another that does it less often.
fn print_counts(what: &str, sides: &[&str; 2], url: &str, times: u32) -> Result<()> {
    if Command::new("valgrind").arg("--version").output().is_err() {
        say(&format!("{what}: not counted, since valgrind is not installed"));
        return Ok(());
    }
    let once = |side: &str| -> Result<f64> {
        let [few, many] = [times, 3 * times].map(|times| instructions(&[side, url, &times.to_string()]));
        Ok((many? - few?) / f64::from(2 * times))
    };
    let pair = (once(sides[0])?, once(sides[1])?);
    compare(what, "by hand", &[pair], |instructions| instructions / 1000.0, "thousand");
    Ok(())
}

fn instructions(arguments: &[&str]) -> Result<f64> {
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]).arg(env::current_exe()?);
    let output = valgrind.arg(COUNTED).args(arguments).output().context("cannot run valgrind")?;
    let stderr = String::from_utf8_lossy(&output.stderr);
    let count = stderr.lines().find_map(|line| line.split_once("Collected : ")?.1.trim().parse().ok());
    count.with_context(|| format!("valgrind counts nothing: {stderr}"))
}

fn runtime() -> Result<Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().context("cannot build a runtime")
}

fn client(url: &str) -> Result<Client> {
    Ok(Client::builder().api_key("benchmark").base_url(url).build()?)
}

fn http() -> Result<reqwest::Client> {
    Ok(reqwest::Client::builder().no_proxy().http1_only().build()?)
}

async fn by_client(client: &Client, times: u32) -> Result<()> {
    for _ in 0..times {
        black_box(client.get_dataset().dataset_id("demo").send().await?);
        yield_now().await;
    }
    Ok(())
}

async fn by_hand(http: &reqwest::Client, url: &str, times: u32) -> Result<()> {
    let url = format!("{url}/datasets/demo");
    for _ in 0..times {
        let response = http.get(&url).header("Api-Key", "benchmark").send().await?.error_for_status()?;
        black_box(serde_json::from_slice::<ByHand>(&response.bytes().await?)?);
        yield_now().await;
    }
    Ok(())
}

fn decode<'de, T: Deserialize<'de>>(body: &'de str, times: u32) -> Result<()> {
    for _ in 0..times {
        black_box(serde_json::from_str::<T>(body)?);
    }
    Ok(())
}

fn large_dataset() -> Result<String> {
    let file = |number: usize| {
        let name = format!("lantern-{number:06}.png");
        serde_json::json!({"file_name": name, "file_size_bytes": 123_456 + number})
    };
    let mut large: serde_json::Value = serde_json::from_str(DATASET).context("the example is JSON")?;
    large["files"] = (0..FILES).map(file).collect();
    Ok(large.to_string())
}

/// Nanoseconds that this thread has run meanwhile.
fn cpu_time(run: impl FnOnce() -> Result<()>) -> Result<f64> {
    let now = || -> Result<f64> {
        let schedstat = fs::read_to_string("/proc/thread-self/schedstat").context("the kernel counts no CPU time")?;
        schedstat.split_whitespace().next().and_then(|text| text.parse().ok()).context("nanoseconds come first")
    };
    let start = now()?;
    run()?;
    Ok(now()? - start)
}
