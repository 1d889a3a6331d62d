//! Syncing and waiting without `async`.

use std::time::Duration;

use ideogram_client::{dataset::Folder, training::TrainingError};
use ideogram_mock::MockServer;

use crate::setup::client_of;

#[test]
fn a_folder_is_compared_and_synced_without_async() {
    // The server has a thread of its own.
    let server = MockServer::start_blocking().unwrap();
    let client = client_of(server.url(), server.api_key());
    let dataset = client.create_dataset().name("lanterns").send_blocking().unwrap();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.png"), include_bytes!("../../examples/setup/lantern.png")).unwrap();

    let read = Folder::read_blocking(folder.path()).unwrap();
    let plan = client.plan_dataset_blocking(&dataset.dataset_id, read).unwrap();
    let missing = plan.missing().count();
    let report = client.sync_dataset(plan, folder.path().join(".journal")).sync_blocking().unwrap();

    assert_eq!((missing, report.uploads, report.is_complete()), (1, 1, true));
    assert!(Folder::read_blocking(folder.path().join("nowhere")).is_err());
}

#[test]
fn a_training_is_awaited_without_async() {
    let server = MockServer::start_blocking().unwrap();
    let client = client_of(server.url(), server.api_key());
    let ordered = client.train_model_v3().dataset_id("demo").model_name("lanterns at night").send_blocking().unwrap();

    let early = client.wait_until_trained(&ordered.model_id).deadline(Duration::ZERO).wait_blocking();
    server.advance(Duration::from_secs(24 * 3600));
    let trained = client.wait_until_trained(&ordered.model_id).wait_blocking().unwrap();

    assert!(matches!(early, Err(TrainingError::DeadlinePassed { .. })), "{early:?}");
    assert_eq!(trained.custom_model_uri, "model/lanterns-at-night/version/1");
}

#[test]
fn a_job_is_priced_submitted_and_awaited_without_async() {
    let server = MockServer::start_blocking().unwrap();
    let client = client_of(server.url(), server.api_key());
    let call = client.generate_image_v2_ideogram45().prompt("a lantern");

    let quote = call.clone().quote_blocking().unwrap();
    let job = call.submit_blocking().unwrap();
    let response = job.wait().wait_blocking().unwrap();

    assert_eq!((quote.usd_micros, response.value().data.len()), (100_000, 1));
}
