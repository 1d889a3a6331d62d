//! A sync that is killed repeatedly stores every file once.
//!
//! The test runs itself as a child process, which syncs with the server of this process and is killed at some time.

use std::{
    env,
    process::{Child, Command, Stdio},
    time::Duration,
};

use ideogram_client::dataset::Folder;
use ideogram_mock::MockServer;

use crate::setup::{Setup, client_of};

/// Contains the arguments of the child; without it, the child does nothing.
const ORDERS: &str = "IDEOGRAM_TEST_SYNC";

/// Far longer than the server takes to store a chunk, also on a busy machine.
const PROCESSING_TIMEOUT: Duration = Duration::from_millis(250);
const WAITS: [Duration; 3] = [Duration::from_millis(20), Duration::from_millis(80), Duration::from_millis(200)];

/// The test that the child runs; it passes at once in the parent.
#[test]
fn child() {
    let Ok(orders) = env::var(ORDERS) else { return };
    let [url, key, dataset_id, set, journal] = orders.split('\n').collect::<Vec<_>>().try_into().unwrap();
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let client = client_of(url, key);
        let plan = client.plan_dataset(dataset_id, Folder::read(set).await.unwrap()).await.unwrap();
        let sync = client
            .sync_dataset(plan, journal)
            .chunk_files(2)
            .poll_intervals(WAITS)
            .processing_timeout(PROCESSING_TIMEOUT);
        let report = sync.await.unwrap();
        assert!(report.is_complete(), "{report:?}");
    });
}

fn start_child(setup: &Setup) -> Child {
    let (set, journal) = (setup.set(), setup.journal());
    let paths = [set.to_str().unwrap(), journal.to_str().unwrap()];
    let orders = [&[setup.server.url(), setup.server.api_key(), &setup.dataset_id], &paths[..]].concat();
    Command::new(env::current_exe().unwrap())
        .args(["kill::child", "--exact", "--nocapture"])
        .env(ORDERS, orders.join("\n"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Whether a chunk was in flight, according to the journal.
fn was_sending(setup: &Setup) -> bool {
    let journal = std::fs::read_to_string(setup.journal()).unwrap_or_default();
    journal.matches("{\"begin\"").count() > journal.matches("{\"end\"").count()
}

#[tokio::test]
async fn a_sync_killed_at_any_time_continues_and_stores_every_file_once() {
    let mut kills_in_flight = 0;
    let mut random = fastrand::Rng::with_seed(4);
    for round in 0..10 {
        let setup = Setup::with(MockServer::builder().storing_time(Duration::from_millis(60))).await;
        setup.fill(14);
        for _ in 0..4 {
            let mut child = start_child(&setup);
            tokio::time::sleep(Duration::from_millis(random.u64(15..150))).await;
            // It may have ended already.
            child.kill().unwrap();
            child.wait().unwrap();
            kills_in_flight += u32::from(was_sending(&setup));
        }

        let last = start_child(&setup).wait_with_output().unwrap();

        assert!(last.status.success(), "round {round}: {}", String::from_utf8_lossy(&last.stderr));
        assert_eq!(setup.stored().await, setup.each_once(), "round {round}");
    }
    assert!(kills_in_flight >= 10, "only {kills_in_flight} kills came while something was under way");
}
