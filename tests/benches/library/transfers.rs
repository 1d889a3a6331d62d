//! Large uploads and many downloads, beside curl.

use std::{fs, future::IntoFuture as _, path::Path, process::Command, time::Instant};

use anyhow::{Context as _, Result, ensure};
use ideogram_client::Client;
use tokio::runtime::Runtime;
use xtask::{
    measure::{compare, in_turns},
    say,
};

use crate::{
    PAIRS,
    server::{IMAGE_BYTES, serve},
};

const UPLOAD_BYTES: u64 = 1024 * 1024 * 1024;
const IMAGES: usize = 200;
const PARALLEL: usize = 8;
const MIB: f64 = 1024.0 * 1024.0;

/// One file in one request.
#[expect(clippy::cast_precision_loss, reason = "for people")]
pub(crate) fn upload() -> Result<()> {
    let (url, runtime, folder) = (serve()?, runtime()?, tempfile::tempdir()?);
    let client = client(&url)?;
    let large = folder.path().join("large.zip");
    fs::File::create(&large).and_then(|file| file.set_len(UPLOAD_BYTES)).context("cannot write a sparse file")?;
    let before = peak_memory()?;
    let pairs = in_turns(
        PAIRS,
        || {
            seconds(|| {
                runtime.block_on(client.upload_dataset_assets().dataset_id("demo").files([&large]).send())?;
                Ok(())
            })
        },
        || {
            let form = format!("files=@{}", large.display());
            seconds(|| run(curl().args(["--form", &form, &format!("{url}/datasets/demo/upload_assets")])))
        },
    )?;
    compare("upload of 1 GiB", "curl --form", &pairs, |seconds| UPLOAD_BYTES as f64 / MIB / seconds, "MiB/s");
    say(&format!("  memory: {:.1} MiB more than before", peak_memory()? - before));
    Ok(())
}

/// The images of one response. The client syncs each file before it has its name, and the folder at the end.
#[expect(clippy::cast_precision_loss, reason = "for people")]
pub(crate) fn saving() -> Result<()> {
    let (url, runtime, folder) = (serve()?, runtime()?, tempfile::tempdir()?);
    let client = client(&url)?;
    let images: Vec<_> = (0..IMAGES)
        .map(|number| serde_json::json!({"url": format!("{url}/{number:022}.png"), "is_image_safe": true}))
        .collect();
    let response = serde_json::json!({"data": images});
    let (ours, theirs) = (folder.path().join("ours"), folder.path().join("theirs"));
    let save = || {
        recreate(&ours)?;
        seconds(|| {
            let saving = client.save_all(&response, &ours).parallel(PARALLEL).without_sidecar();
            let saved = runtime.block_on(saving.into_future())?;
            ensure!(saved.iter().filter(|outcome| outcome.saved().is_some()).count() == IMAGES, "not all were saved");
            Ok(())
        })
    };
    let download = |then_sync: bool| {
        recreate(&theirs)?;
        seconds(|| {
            let (links, parallel) = (format!("{url}/[{:022}-{:022}].png", 0, IMAGES - 1), PARALLEL.to_string());
            let mut curl = curl();
            curl.args(["--parallel", "--parallel-max", &parallel, "--remote-name-all", &links]);
            run(curl.current_dir(&theirs))?;
            if then_sync {
                for entry in fs::read_dir(&theirs)? {
                    fs::File::open(entry?.path())?.sync_all()?;
                }
            }
            Ok(())
        })
    };
    let throughput = |seconds: &f64| (IMAGES * IMAGE_BYTES) as f64 / MIB / seconds;
    for (with, then_sync) in [("curl --parallel, then each file synced", true), ("curl --parallel, unsynced", false)] {
        let pairs = in_turns(PAIRS, save, || download(then_sync))?;
        compare("saving 200 images of 2 MiB", with, &pairs, throughput, "MiB/s");
    }
    Ok(())
}

fn runtime() -> Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().context("cannot build a runtime")
}

fn client(url: &str) -> Result<Client> {
    Ok(Client::builder().api_key("benchmark").base_url(url).build()?)
}

fn curl() -> Command {
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--show-error", "--fail"]);
    curl
}

/// Runs a command that succeeds, and drops what it prints.
fn run(command: &mut Command) -> Result<()> {
    let output = command.output().context("cannot run curl")?;
    ensure!(output.status.success(), "curl fails: {}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

fn seconds(run: impl FnOnce() -> Result<()>) -> Result<f64> {
    let start = Instant::now();
    run()?;
    Ok(start.elapsed().as_secs_f64())
}

/// The most memory that this process has had, in MiB.
fn peak_memory() -> Result<f64> {
    let status = fs::read_to_string("/proc/self/status").context("the kernel counts no memory")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("the peak is not counted")?;
    let kib: f64 = line.trim_end_matches("kB").trim().parse().context("the peak is in KiB")?;
    Ok(kib / 1024.0)
}

fn recreate(folder: &Path) -> Result<()> {
    let _ = fs::remove_dir_all(folder);
    fs::create_dir_all(folder).with_context(|| format!("cannot create `{}`", folder.display()))
}
