//! A sync that is killed at any moment, again and again, stores every file once.

use std::{process::Stdio, thread, time::Duration};

use ideogram_mock::MockServer;

use crate::{invocation::Ran, place::Place};

/// All at the same time: they mostly wait.
const ROUNDS: u64 = 6;

#[test]
fn a_sync_killed_at_any_moment_goes_on_and_stores_every_file_once() {
    let kills: u64 = thread::scope(|scope| {
        let rounds: Vec<_> = (0..ROUNDS).map(|round| scope.spawn(move || kill_until_done(round))).collect();
        rounds.into_iter().map(|round| round.join().unwrap()).sum()
    });

    assert!(kills >= 4 * ROUNDS, "only {kills} were killed");
}

/// Kills one sync after the other, each somewhat later, until one reaches its end; returns how many were killed.
fn kill_until_done(round: u64) -> u64 {
    let mut random = fastrand::Rng::with_seed(round);
    let place = Place::with(MockServer::builder().storing_time(Duration::from_millis(40)));
    place.fill(12);
    let mut lifetime = Duration::from_millis(random.u64(5..60));
    for kills in 0.. {
        // The patience is far longer than the server takes to store a batch, on a busy machine as well.
        let run = place.datasets("sync", ["--batch-files", "2", "--settle", "2"]);
        let mut child = run.into_command().stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        thread::sleep(lifetime);
        if child.try_wait().unwrap().is_none() {
            child.kill().unwrap();
            child.wait().unwrap();
            lifetime = lifetime.mul_f64(1.2 + random.f64() * 0.5);
            continue;
        }
        let ran = Ran::of(child.wait_with_output().unwrap());

        assert_eq!(ran.code(), Some(0), "round {round}: {ran}");
        assert_eq!(place.stored(), place.each_once(), "round {round}");
        return kills;
    }
    unreachable!("the loop has no end but the one above")
}
