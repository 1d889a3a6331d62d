//! A sync that is killed or interrupted at any moment, again and again, stores every file once; also if its journal is
//! edited, cut, deleted or replaced between the runs.

use std::{
    fs,
    path::Path,
    process::{Child, Stdio},
    thread,
    time::Duration,
};

use ideogram_mock::MockServer;

use crate::sync_setup::{IMAGE, SyncSetup};

/// All at the same time: they mostly wait.
const ROUNDS: u64 = 6;
/// How many syncs of one round are ended, unless they reach their end before.
const ENDS: u64 = 6;
/// How often the journal of one round is edited.
const EDITS: usize = 7;
/// How long the server takes to store a chunk: so long that the sync after the edit finds some of them on their way.
const STORING: Duration = Duration::from_millis(500);

#[test]
fn a_sync_ended_at_any_moment_goes_on_and_stores_every_file_once() {
    let ends = sum_of_rounds(end_until_done);

    assert!(ends >= ROUNDS * ENDS / 2, "only {ends} were ended");
}

#[test]
fn whatever_happens_to_the_journal_between_two_syncs_no_file_is_stored_twice() {
    let ends = sum_of_rounds(edit_after_each_end);

    assert!(ends >= ROUNDS * EDITS as u64 / 2, "only {ends} were ended");
}

fn sum_of_rounds(run: fn(u64) -> u64) -> u64 {
    thread::scope(|scope| {
        let rounds: Vec<_> = (0..ROUNDS).map(|round| scope.spawn(move || run(round))).collect();
        rounds.into_iter().map(|round| round.join().unwrap()).sum()
    })
}

/// Ends syncs, each after some time, and runs one to its end; returns how many were ended.
fn end_until_done(round: u64) -> u64 {
    let mut random = fastrand::Rng::with_seed(round);
    let setup = SyncSetup::with(MockServer::builder().storing_time(Duration::from_millis(40)));
    setup.fill(24);
    // Far longer than the server takes to store a chunk, on a busy machine as well.
    let options = ["--chunk-files", "2", "--processing-timeout", "2"];
    let mut ends = 0;
    for _ in 0..ENDS {
        let mut child = start(&setup, options);
        thread::sleep(Duration::from_millis(random.u64(5..150)));
        ends += u64::from(child.try_wait().unwrap().is_none() && end(&mut child, &mut random));
        child.wait().unwrap();
    }

    let ran = setup.datasets("sync", options).run();

    assert_eq!(ran.code(), Some(0), "round {round}: {ran}");
    assert_eq!(setup.stored(), setup.each_once(), "round {round}");
    ends
}

/// Ends syncs and edits their journal, and has each set stored whole before the next; returns how many were ended.
fn edit_after_each_end(round: u64) -> u64 {
    let mut random = fastrand::Rng::with_seed(100 + round);
    let setup = SyncSetup::with(MockServer::builder().storing_time(STORING));
    let journal = setup.path().join("sync.jsonl");
    let options = ["--journal", "sync.jsonl", "--chunk-files", "2", "--processing-timeout", "2"];
    let mut ends = 0;
    for step in 0..EDITS {
        for number in 0..6 {
            setup.write(&format!("{step}-{number}.png"), IMAGE);
        }
        let older = fs::read(&journal).unwrap_or_default();

        let mut child = start(&setup, options);
        thread::sleep(Duration::from_millis(random.u64(20..250)));
        ends += u64::from(child.try_wait().unwrap().is_none() && end(&mut child, &mut random));
        child.wait().unwrap();
        let edit = edit(&journal, &older, &mut random);
        let after_edit = setup.datasets("sync", options).run();
        // What the server was storing is there now, so what does not show was not stored.
        thread::sleep(2 * STORING);
        if after_edit.code() == Some(2) {
            assert!(after_edit.stderr().contains("the journal \""), "round {round}, {edit}: {after_edit}");
            fs::remove_file(&journal).unwrap();
        }
        let ran = setup.datasets("sync", options.into_iter().chain(["--send-uncertain", "--yes"])).run();

        let context = format!("round {round}, step {step}, {edit}:\n{after_edit}\n{ran}");
        assert!(matches!(after_edit.code(), Some(0 | 2 | 11)), "{context}");
        assert_eq!(ran.code(), Some(0), "{context}");
        assert_eq!(setup.stored(), setup.each_once(), "{context}");
    }
    ends
}

fn start<const N: usize>(setup: &SyncSetup, options: [&str; N]) -> Child {
    setup.datasets("sync", options).into_command().stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Ends a process by some signal; returns whether it ended by it, and not on its own before.
#[cfg(unix)]
fn end(child: &mut Child, random: &mut fastrand::Rng) -> bool {
    use rustix::process::{Pid, Signal, kill_process};

    let (signal, code) = random
        .choice([(Signal::KILL, None), (Signal::TERM, Some(143)), (Signal::HUP, Some(129)), (Signal::INT, Some(130))])
        .unwrap();
    // It may be gone by now.
    let _ = kill_process(Pid::from_child(child), signal);
    let ended = child.wait().unwrap();
    // Before it hears signals, it ends by them as every process does.
    ended.code() == code || ended.code().is_none()
}

#[cfg(not(unix))]
fn end(child: &mut Child, _: &mut fastrand::Rng) -> bool {
    child.kill().unwrap();
    !child.wait().unwrap().success()
}

/// Does something to a journal; returns what it was.
fn edit(journal: &Path, older: &[u8], random: &mut fastrand::Rng) -> &'static str {
    let Ok(text) = fs::read(journal) else { return "not begun" };
    let at = random.usize(..text.len().max(1));
    let lines: Vec<_> = text.split_inclusive(|byte| *byte == b'\n').collect();
    let (what, edited) = match random.u8(..10) {
        0 => ("left alone", text),
        1 => {
            fs::remove_file(journal).unwrap();
            return "deleted";
        }
        2 => ("cut anywhere", text[..at].to_vec()),
        3 => ("cut by a line", lines[..lines.len().saturating_sub(1)].concat()),
        4 => ("replaced by an older copy", older.to_vec()),
        5 => ("emptied", Vec::new()),
        6 => ("added to", [&text, &b"garbage\n"[..]].concat()),
        7 => ("reordered", lines.into_iter().rev().collect::<Vec<_>>().concat()),
        8 => ("saved by an editor of Windows", String::from_utf8_lossy(&text).replace('\n', "\r\n").into_bytes()),
        _ => {
            let mut text = text;
            if let Some(byte) = text.get_mut(at) {
                *byte ^= 1;
            }
            ("changed in one bit", text)
        }
    };
    fs::write(journal, edited).unwrap();
    what
}
