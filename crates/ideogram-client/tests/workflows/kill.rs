//! A sync that is killed, again and again, stores every file once.
//!
//! The test runs itself as another process, which syncs against the server of this one and is killed at some moment.

use std::{
    env,
    process::{Command, Stdio},
    time::Duration,
};

use ideogram_client::dataset::Folder;
use ideogram_mock::MockServer;

use crate::place::{Place, client_of};

/// Tells the child what to do; without it, the child does nothing.
const ORDERS: &str = "IDEOGRAM_TEST_SYNC";

/// Far longer than the server takes to store a batch, on a busy machine as well.
const WAITS: [Duration; 3] = [Duration::from_millis(20), Duration::from_millis(80), Duration::from_millis(400)];

/// What the child runs: a test that passes at once unless it is the child.
#[test]
fn child() {
    let Ok(orders) = env::var(ORDERS) else { return };
    let [url, key, dataset_id, set, journal] = orders.split('\n').collect::<Vec<_>>().try_into().unwrap();
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let client = client_of(url, key);
        let plan = client.plan_dataset(dataset_id, Folder::read(set).await.unwrap()).await.unwrap();
        let report = client.sync_dataset(plan, journal).batch_files(2).settle_waits(WAITS).await.unwrap();
        assert!(report.is_complete(), "{report:?}");
    });
}

#[tokio::test]
async fn a_sync_killed_at_any_moment_goes_on_and_stores_every_file_once() {
    let mut kills = 0;
    let mut random = fastrand::Rng::with_seed(4);
    for round in 0..10 {
        let place = Place::with(MockServer::builder().storing_time(Duration::from_millis(60))).await;
        place.fill(14);
        let mut lifetime = Duration::from_millis(random.u64(10..60));
        loop {
            let (set, journal) = (place.set(), place.journal());
            let paths = [set.to_str().unwrap(), journal.to_str().unwrap()];
            let orders = [&[place.server.url(), place.server.api_key(), &place.dataset_id], &paths[..]].concat();
            let mut child = Command::new(env::current_exe().unwrap())
                .args(["kill::child", "--exact", "--nocapture"])
                .env(ORDERS, orders.join("\n"))
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap();
            tokio::time::sleep(lifetime).await;
            let was_running = child.try_wait().unwrap().is_none();
            if was_running {
                child.kill().unwrap();
            }
            let output = child.wait_with_output().unwrap();
            if !was_running {
                assert!(output.status.success(), "round {round}: {}", String::from_utf8_lossy(&output.stderr));
                break;
            }
            kills += 1;
            // Each child lives longer, so that the last one reaches the end.
            lifetime += Duration::from_millis(random.u64(5..40));
        }

        assert_eq!(place.stored().await, place.each_once(), "round {round}");
    }
    assert!(kills > 20, "only {kills} children were killed");
}
