//! A sync that is killed at any moment, again and again, stores every file once.

use std::{process::Stdio, thread, time::Duration};

use ideogram_mock::MockServer;

use crate::{invocation::Ran, place::Place};

const ROUNDS: u64 = 5;

#[test]
fn a_sync_killed_at_any_moment_goes_on_and_stores_every_file_once() {
    let mut kills = 0;
    let mut random = fastrand::Rng::with_seed(7);
    for round in 0..ROUNDS {
        let place = Place::with(MockServer::builder().storing_time(Duration::from_millis(40)));
        place.fill(12);
        let mut lifetime = Duration::from_millis(random.u64(5..60));
        loop {
            // The patience is far longer than the server takes to store a batch, on a busy machine as well.
            let run = place.datasets("sync", ["--batch-files", "2", "--settle", "4"]);
            let mut child = run.into_command().stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
            thread::sleep(lifetime);
            let was_running = child.try_wait().unwrap().is_none();
            if was_running {
                child.kill().unwrap();
            }
            let ran = Ran::of(child.wait_with_output().unwrap());
            if !was_running {
                assert_eq!(ran.code(), Some(0), "round {round}: {ran}");
                break;
            }
            kills += 1;
            // Each one lives longer, so that the last reaches the end.
            lifetime += Duration::from_millis(random.u64(10..80));
        }

        assert_eq!(place.stored(), place.each_once(), "round {round}");
    }
    assert!(kills > 3 * ROUNDS, "only {kills} were killed");
}
