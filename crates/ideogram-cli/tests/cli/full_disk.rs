//! A disk that fills up while a batch runs: a file system of its own, in a namespace of its own.

use std::{fs, path::Path, process::Command, time::Duration};

use ideogram_mock::MockServer;

use crate::{
    batch::prompts,
    invocation::{Ran, ideogram, serve},
};

/// Runs a command on a small disk that is full from the moment on at which the journal has the first row, then copies
/// what is on that disk to `copy`.
const SCRIPT: &str = "
    mount -t tmpfs -o size=20m tmpfs out || exit 99
    \"$0\" \"$@\" & command=$!
    while [ ! -s out/batch.jsonl ]; do sleep 0.02; done
    sleep 0.3
    dd if=/dev/zero of=out/filler bs=1k 2>/dev/null
    wait $command; code=$?
    rm out/filler
    cp -a out/. copy
    exit $code";

/// Whether this user may have namespaces; without them there is no disk to fill.
fn has_namespaces() -> bool {
    Command::new("unshare").args(["-rm", "true"]).status().is_ok_and(|status| status.success())
}

fn on_small_disk(run: &Command, folder: &Path) -> Ran {
    let mut command = Command::new("unshare");
    command.args(["-rm", "/bin/sh", "-c", SCRIPT]).arg(run.get_program()).args(run.get_args()).env_clear();
    command.envs(run.get_envs().filter_map(|(name, value)| value.map(|value| (name, value))));
    Ran::of(command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").current_dir(folder).output().unwrap())
}

#[test]
#[expect(clippy::print_stderr, reason = "whoever runs the tests should know")]
fn rows_in_flight_when_the_disk_fills_up_are_named_and_never_paid_again() {
    if !has_namespaces() {
        eprintln!("skipped: `unshare -rm`, which makes the disk that this test fills, is not allowed here");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let rows: String = (0..12).map(|n| format!("{{\"prompt\":\"number {n}\",\"id\":\"row{n}\"}}\n")).collect();
    fs::write(folder.path().join("rows.jsonl"), rows).unwrap();
    for name in ["out", "copy"] {
        fs::create_dir(folder.path().join(name)).unwrap();
    }
    let server = serve(MockServer::builder().generation_time(Duration::from_millis(800)));
    let batch = |out: &str| {
        let arguments = ["batch", "rows.jsonl", "--out", out, "--yes", "-q", "--max-in-flight", "2"];
        ideogram(arguments).against(&server).in_folder(folder.path())
    };

    let full = on_small_disk(&batch("out").into_command(), folder.path());
    let paid = prompts(&server).len();
    let again = batch("copy").run();

    assert_eq!(full.code(), Some(13), "{full}");
    assert!((1..=2).contains(&paid), "no row is paid after the disk is full: {paid}\n{full}");
    for row in 0..paid {
        assert!(full.stderr().contains(&format!("row{row}")), "{full}");
    }
    // What stands in the journal is saved from there; what had no room even there is listed as unknown.
    assert!(matches!(again.code(), Some(0 | 10)), "{again}");
    let mut all = prompts(&server);
    all.sort();
    all.dedup();
    assert_eq!(all.len(), prompts(&server).len(), "paid twice: {full}\n{again}");
}
