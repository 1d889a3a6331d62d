//! Every file is stored once, whatever the server does.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use ideogram_client::{
    ErrorKind,
    dataset::{FileOutcome, FileState, Uncertainty, UnknownReason},
    hook::{Attempt, Hook},
    request::PartContent,
    reqwest::header::HeaderMap,
    types::DatasetAssetFailureReason,
};
use ideogram_mock::{MockServer, Scenario};

use crate::setup::{Setup, outcome};

/// Enables a scenario before the upload with this number, from 1, or before all of them.
struct BeforeUpload {
    server: Arc<MockServer>,
    number: Option<usize>,
    scenario: Scenario,
    uploads: AtomicUsize,
}

impl Hook for BeforeUpload {
    fn before(&self, attempt: &Attempt<'_>, _: &mut HeaderMap) {
        if attempt.request.operation().id != "upload_dataset_assets" {
            return;
        }
        let number = self.uploads.fetch_add(1, Ordering::SeqCst) + 1;
        if self.number.is_none_or(|wanted| wanted == number) {
            self.server.set_scenario(self.scenario.clone());
        }
    }
}

fn before_upload(setup: &Setup, number: impl Into<Option<usize>>, scenario: Scenario) -> BeforeUpload {
    BeforeUpload { server: Arc::clone(&setup.server), number: number.into(), scenario, uploads: AtomicUsize::new(0) }
}

#[tokio::test]
async fn a_folder_is_stored_once_and_a_second_sync_sends_nothing() {
    let setup = Setup::new().await;
    setup.fill(16);

    let first = setup.sync().await.chunk_files(5).await.unwrap();
    let uploads = setup.uploads();
    let second = setup.sync().await.await.unwrap();

    assert!(first.is_complete() && first.after.is_complete(), "{first:?}");
    assert!(first.files.iter().all(|file| file.outcome == FileOutcome::Stored));
    assert_eq!(first.uploads, uploads as u64);
    assert!(first.after.trainable_now.is_certain());
    assert!(second.is_complete());
    assert_eq!((second.uploads, setup.uploads()), (0, uploads));
    assert_eq!(setup.stored().await, setup.each_once());
}

#[tokio::test]
async fn the_requests_of_a_plan_are_those_that_are_sent() {
    let setup = Setup::new().await;
    setup.fill(7);

    let sync = setup.sync().await.chunk_files(3).concurrency(1);
    let requests = sync.requests().unwrap();
    assert_eq!(setup.uploads(), 0);
    sync.await.unwrap();

    let planned: Vec<Vec<String>> = requests
        .iter()
        .map(|request| {
            let names = request.parts().iter().map(|part| match &part.content {
                PartContent::File(file) => file.name().into_owned(),
                other => panic!("{other:?}"),
            });
            names.collect()
        })
        .collect();
    assert_eq!(planned, setup.sent());
    assert!(setup.sync().await.requests().unwrap().is_empty());
}

#[tokio::test]
async fn whatever_happens_to_one_upload_every_file_is_stored_once() {
    for scenario in [
        Scenario::ResponseLostOnce,
        Scenario::ServerErrorOnce { status: 500 },
        Scenario::ServerErrorOnce { status: 502 },
        Scenario::RateLimitedOnce { retry_after: None },
        Scenario::RateLimitedOnce { retry_after: Some(std::time::Duration::ZERO) },
    ] {
        for number in [1, 2, 4] {
            let setup = Setup::new().await;
            setup.fill(10);

            let hook = before_upload(&setup, number, scenario.clone());
            let report = setup.sync_with(hook).await.chunk_files(4).concurrency(1).await.unwrap();

            assert!(report.is_complete(), "{scenario:?} at {number}: {report:?}");
            assert!(report.stopped.is_none());
            assert_eq!(setup.stored().await, setup.each_once(), "{scenario:?} at {number}");
        }
    }
}

#[tokio::test]
async fn an_upload_whose_response_was_lost_is_not_sent_again() {
    let setup = Setup::new().await;
    setup.fill(4);

    let report = setup.sync_with(before_upload(&setup, 1, Scenario::ResponseLostOnce)).await.await.unwrap();

    assert!(report.is_complete());
    assert_eq!(setup.uploads(), 1);
}

#[tokio::test]
async fn without_names_the_outcome_is_unknown_and_nothing_is_sent_twice() {
    let setup = Setup::with(MockServer::builder().withhold_file_names()).await;
    setup.fill(3);

    let report = setup.sync_with(before_upload(&setup, 1, Scenario::ResponseLostOnce)).await.await.unwrap();
    let again = setup.sync().await.await.unwrap();
    let forced = setup.sync().await.send_uncertain().await.unwrap();

    for report in [&report, &again, &forced] {
        assert!(
            report.files.iter().all(|file| file.outcome == FileOutcome::Unknown(UnknownReason::NoResponse)),
            "{report:?}"
        );
    }
    assert_eq!(setup.uploads(), 1);
    assert_eq!(setup.stored().await.values().sum::<usize>(), 4);
}

#[tokio::test]
async fn without_names_the_response_decides() {
    let setup = Setup::with(MockServer::builder().withhold_file_names()).await;
    setup.fill(2);
    std::fs::remove_file(setup.set().join("000.txt")).unwrap();

    let report = setup.sync().await.await.unwrap();
    setup.write("other.png", &std::fs::read(setup.set().join("001.png")).unwrap());
    let later = setup.sync().await.await.unwrap();

    assert!(report.is_complete(), "{report:?}");
    assert_eq!(outcome(&later, "other.png"), &FileOutcome::Uncertain(Uncertainty::Nameless));
    assert_eq!(setup.uploads(), 1);
}

#[tokio::test]
async fn only_files_with_an_internal_error_are_sent_once_more() {
    let setup = Setup::new().await;
    setup.fill(2);
    setup.write("unsafe.png", &std::fs::read(setup.set().join("001.png")).unwrap());
    setup.server.set_scenario(Scenario::UploadFails { names: vec!["001.png".to_owned()] });

    let report = setup.sync().await.await.unwrap();

    let failed = |reason| FileOutcome::Failed { reason };
    assert_eq!(outcome(&report, "001.png"), &failed(DatasetAssetFailureReason::InternalError));
    assert_eq!(outcome(&report, "unsafe.png"), &failed(DatasetAssetFailureReason::FailedSafetyCheck));
    assert_eq!(outcome(&report, "000.png"), &FileOutcome::Stored);
    assert_eq!(setup.sent(), [vec!["000.png", "000.txt", "001.png", "unsafe.png"], vec!["001.png"]]);
}

#[tokio::test]
async fn a_later_sync_sends_only_files_that_may_succeed() {
    let setup = Setup::new().await;
    setup.fill(2);
    setup.write("unsafe.png", &std::fs::read(setup.set().join("001.png")).unwrap());
    setup.server.set_scenario(Scenario::UploadFails { names: vec!["001.png".to_owned()] });
    setup.sync().await.await.unwrap();
    setup.server.set_scenario(Scenario::Normal);
    let before = setup.uploads();

    let later = setup.sync().await.await.unwrap();
    let after = setup.uploads();
    let again = setup.sync().await.send_failed().await.unwrap();

    assert_eq!(outcome(&later, "001.png"), &FileOutcome::Stored);
    assert_eq!(
        outcome(&later, "unsafe.png"),
        &FileOutcome::Failed { reason: DatasetAssetFailureReason::FailedSafetyCheck }
    );
    assert_eq!(after, before + 1);
    assert_eq!(again.uploads, 1);
    assert_eq!(setup.stored().await.get("001.png"), Some(&1));
}

#[tokio::test]
async fn a_file_that_has_changed_since_is_not_sent_and_the_next_sync_sends_it() {
    let setup = Setup::new().await;
    setup.fill(3);
    let sync = setup.sync().await;
    setup.write("001.png", b"\x89PNG\r\n\x1a\nhalf-written");
    std::fs::remove_file(setup.set().join("002.png")).unwrap();

    let report = sync.await.unwrap();

    for (name, why) in [("001.png", "has changed"), ("002.png", "cannot be read")] {
        assert!(
            matches!(outcome(&report, name), FileOutcome::NotStored { why: text } if text.contains(why)),
            "{report:?}"
        );
    }
    assert_eq!(outcome(&report, "000.png"), &FileOutcome::Stored);
}

#[tokio::test]
async fn a_file_of_another_size_is_reported_and_not_sent() {
    let setup = Setup::new().await;
    setup.fill(2);
    setup.sync().await.await.unwrap();
    let mut image = std::fs::read(setup.set().join("001.png")).unwrap();
    image.push(0);
    setup.write("001.png", &image);

    let report = setup.sync().await.await.unwrap();

    assert!(matches!(outcome(&report, "001.png"), FileOutcome::Different { .. }), "{report:?}");
    assert_eq!(setup.uploads(), 1);
    assert_eq!(setup.stored().await, setup.each_once());
}

#[tokio::test]
async fn too_many_images_are_refused_before_anything_is_sent() {
    let setup = Setup::new().await;
    setup.fill(101);

    let error = setup.sync().await.await.unwrap_err();

    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    assert!(error.to_string().contains("1 too many"), "{error}");
    assert_eq!(setup.uploads(), 0);
}

#[tokio::test]
async fn repeated_failures_end_the_sync_and_lose_nothing() {
    let setup = Setup::new().await;
    setup.fill(6);

    let hook = before_upload(&setup, None, Scenario::ServerErrorOnce { status: 503 });
    let report = setup.sync_with(hook).await.chunk_files(2).concurrency(1).await.unwrap();
    setup.server.set_scenario(Scenario::Normal);
    let stored = setup.stored().await;
    let later = setup.sync().await.await.unwrap();

    // Four chunks, three times each.
    assert_eq!(report.uploads, 12);
    assert!(report.files.iter().all(|file| matches!(file.outcome, FileOutcome::NotStored { .. })), "{report:?}");
    assert!(stored.is_empty());
    assert!(later.is_complete(), "{later:?}");
    assert_eq!(setup.stored().await, setup.each_once());
}

#[tokio::test]
async fn a_dropped_sync_can_be_continued() {
    let setup = Setup::with(MockServer::builder().storing_time(std::time::Duration::from_millis(20))).await;
    setup.fill(12);
    for limit in [1, 3, 7, 12, 25, 40, 60] {
        let sync = setup.sync().await.chunk_files(2);
        let _ = tokio::time::timeout(std::time::Duration::from_millis(limit), sync).await;
    }

    let report = setup.sync().await.await.unwrap();

    assert!(report.is_complete(), "{report:?}");
    assert_eq!(setup.stored().await, setup.each_once());
}

#[tokio::test]
async fn progress_adds_up() {
    let setup = Setup::new().await;
    setup.fill(9);
    let seen = Arc::new(Mutex::new(Vec::new()));

    let progress = Arc::clone(&seen);
    let sync = setup.sync().await.chunk_files(4).on_progress(move |now| progress.lock().unwrap().push(*now));
    let bytes = setup.plan().await.missing_bytes();
    sync.await.unwrap();

    let seen = seen.lock().unwrap();
    let (first, last) = (seen.first().unwrap(), seen.last().unwrap());
    assert_eq!((first.files_total, first.files_done, first.bytes_sent), (12, 0, 0));
    assert_eq!((last.files_done, last.files_failed, last.bytes_sent), (12, 0, bytes));
    assert!(seen.iter().all(|now| now.bytes_sent <= now.bytes_total && now.bytes_total == bytes));
}

#[tokio::test]
async fn the_journal_contains_no_key_and_the_report_serializes() {
    let setup = Setup::new().await;
    setup.fill(2);

    let report = setup.sync().await.await.unwrap();

    let journal = std::fs::read_to_string(setup.journal()).unwrap();
    assert!(!journal.contains(setup.server.api_key()), "{journal}");
    assert_eq!(journal.lines().count(), 3);
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["files"][0]["outcome"], "stored");
    assert_eq!(json["stopped"], serde_json::Value::Null);
}

#[tokio::test]
async fn all_files_of_a_new_folder_are_missing() {
    let setup = Setup::new().await;
    setup.fill(2);
    setup.write("orphan.txt", b"of no image");

    let plan = setup.plan().await;
    let report = setup.sync().await.await.unwrap();

    assert_eq!(plan.files.iter().filter(|file| file.state == FileState::Missing).count(), 3);
    assert!(matches!(outcome(&report, "orphan.txt"), FileOutcome::Rejected(_)));
    assert!(!setup.stored().await.contains_key("orphan.txt"));
}
