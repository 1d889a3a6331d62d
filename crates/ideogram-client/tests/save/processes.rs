//! Full disks and killed processes, which need a process of their own.
//!
//! The test starts itself again as the child.
#![cfg(unix)]

use std::{
    env, fs,
    io::{self, BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Command, Stdio},
};

use ideogram_client::{ErrorKind, Outcome, save::SaveOutcome};
use serde_json::json;

use crate::{
    client,
    host::{Host, Reply, image},
    is_part, names, png,
};

const HOST: &str = "SAVE_TEST_HOST";
const FOLDER: &str = "SAVE_TEST_FOLDER";

/// Runs one test of this program in a shell, after commands of the shell.
fn again(test: &str, first: &str, host: &Host, folder: &Path) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", &format!("{first} exec \"$0\" \"$@\"")]).arg(env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture"]).env(HOST, host.url()).env(FOLDER, folder);
    // No proxy listens there: a download from this machine must not use one.
    command.env("http_proxy", "http://127.0.0.1:1").env("all_proxy", "http://127.0.0.1:1").env_remove("no_proxy");
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    command
}

/// The arguments of the child.
fn arguments() -> Option<(String, String)> {
    Some((env::var(HOST).ok()?, env::var(FOLDER).ok()?))
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_full_disk_images_that_fit_are_saved() {
    if let Some((host, folder)) = arguments() {
        let items = ["/small", "/large", "/other"].map(|path| json!({"url": format!("{host}{path}")}));
        let outcomes = client(&host).save_all(&json!({"data": items}), folder).stem("lantern").await.unwrap();

        let [SaveOutcome::Saved(_), SaveOutcome::Failed(error), SaveOutcome::Saved(_)] = outcomes.as_slice() else {
            panic!("{outcomes:?}")
        };
        assert_eq!((error.kind(), error.outcome()), (ErrorKind::LocalIo, Outcome::Completed));
        assert!(error.to_string().contains("does not allow such a large file"), "{error}");
        assert!(error.to_string().contains("still at its link"), "{error}");
        return;
    }
    let host = Host::start(|_, path| Reply::Bytes(image(png(if path == "/large" { 2_000_000 } else { 9000 }, 1))));
    let folder = tempfile::tempdir().unwrap();

    // The block size of the shell is 512 or 1024 bytes.
    let limit = "ulimit -f 200; trap '' XFSZ;";
    let mut child = again("processes::on_a_full_disk_images_that_fit_are_saved", limit, &host, folder.path());
    let output = tokio::task::spawn_blocking(move || child.output().unwrap()).await.unwrap();

    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert_eq!(host.requests(), 3, "a full disk is no reason to ask again");
    assert_eq!(names(folder.path()), ["lantern-1.json", "lantern-1.png", "lantern-3.json", "lantern-3.png"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_process_leaves_no_incomplete_image_under_its_name() {
    if let Some((host, folder)) = arguments() {
        let saving = client(&host).save(format!("{host}/x"), Path::new(&folder).join("lantern.png"));
        let result = saving.on_progress(|progress| {
            if progress.received_bytes > 600_000 {
                // More than one buffer has been written by now.
                io::stderr().write_all(b"half\n").unwrap();
            }
        });
        panic!("{:?}", result.await);
    }
    let bytes = png(2_000_000, 1);
    let half = image(&bytes)[..1_400_000].to_vec();
    let whole = image(&bytes);
    let host = Host::start(move |before, _| match before {
        0 => Reply::Unfinished(half.clone()),
        _ => Reply::Bytes(whole.clone()),
    });
    let folder = tempfile::tempdir().unwrap();
    let test = "processes::a_killed_process_leaves_no_incomplete_image_under_its_name";

    let mut child = again(test, "", &host, folder.path()).stderr(Stdio::piped()).spawn().unwrap();
    let complaints = BufReader::new(child.stderr.take().unwrap());
    tokio::task::spawn_blocking(move || {
        let half = complaints.lines().map(Result::unwrap).find(|line| line == "half");
        assert!(half.is_some(), "the child ended before it was killed");
        child.kill().unwrap();
        child.wait().unwrap();
    })
    .await
    .unwrap();

    let left = names(folder.path());
    assert!(matches!(left.as_slice(), [name] if is_part(name)), "{left:?}");
    // Temporary files that are left do not disturb.
    let saved = client(host.url()).save(host.link("/x"), folder.path().join("lantern.png")).await.unwrap();
    assert!(fs::read(saved.path).unwrap() == bytes);
    assert_eq!(names(folder.path()), [left[0].as_str(), "lantern.json", "lantern.png"]);
}
