//! Servers that behave unlike the mock server, as the service may.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use ideogram_client::{
    ErrorKind,
    dataset::{FileOutcome, FileState, Folder, SyncDataset, SyncReport, UnknownReason},
    internal::{Journal, JournalKind},
};
use ideogram_testkit::{RawRequest, Reply, Server, response};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::setup::{PROCESSING_TIMEOUT, WAITS, client_of, outcome};

const HOUR: Duration = Duration::from_secs(3600);

/// A server with one dataset, `d`.
#[derive(Default)]
struct Odd {
    /// Names in the dataset, in the order of their uploads.
    stored: Vec<String>,
    uploads: u16,
    reads: usize,
    /// Captions are stored but not listed.
    hides_captions: bool,
    /// The number of requests after an upload in which its files are not listed.
    lag: usize,
    /// The number of an upload, from 1, and the status of it and all later ones; nothing of these is stored.
    refuses_from: Option<(u16, &'static str)>,
    /// Requests for the dataset fail after the first upload.
    is_lost_after_upload: bool,
    /// Uploads with the file of this name are refused with this status.
    refuses: Option<(&'static str, &'static str)>,
    /// The names of each upload that was refused.
    refused: Vec<Vec<String>>,
    /// The number of uploads that are stored without a response.
    drops: u16,
    /// How many more names are listed with each request.
    drip: Option<usize>,
    /// Files are listed with other names.
    renames: bool,
    /// Files are listed with this size.
    size_bytes: Option<u64>,
    /// Uploads report a failure without a name, and do not store the file of this name.
    fails_silently: Option<&'static str>,
}

impl Odd {
    fn read(&mut self) -> (&'static str, Value) {
        self.reads += 1;
        if self.is_lost_after_upload && self.uploads > 0 {
            return ("403 Forbidden", json!({"message": "no more"}));
        }
        let is_listed = |name: &&String| !(self.hides_captions && is_caption(name));
        let names: Vec<_> =
            if self.reads <= self.lag { vec![] } else { self.stored.iter().filter(is_listed).collect() };
        let listed = names.iter().take(self.drip.map_or(usize::MAX, |drip| drip * self.reads));
        let prefix = if self.renames { "stored-" } else { "" };
        let file = |name: &&String| json!({"file_name": format!("{prefix}{name}"), "file_size_bytes": self.size_bytes});
        let files: Vec<_> = listed.map(file).collect();
        (
            "200 OK",
            json!({
                "dataset": {"dataset_id": "d", "name": "n", "user_id": "u", "creation_time": "2026-07-01T09:00:00Z"},
                "file_count": files.len(), "files": files,
            }),
        )
    }

    fn upload(&mut self, names: Vec<String>) -> (&'static str, Value) {
        self.uploads += 1;
        self.reads = 0;
        if let Some((from, status)) = self.refuses_from
            && self.uploads >= from
        {
            return (status, json!({"message": "no more"}));
        }
        if let Some((refused, status)) = self.refuses
            && names.iter().any(|name| name == refused)
        {
            self.refused.push(names);
            return (status, json!({"message": "that one is bad"}));
        }
        let (failed, stored): (Vec<_>, Vec<_>) =
            names.into_iter().partition(|name| Some(name.as_str()) == self.fails_silently);
        let listed: Vec<_> = stored.iter().filter(|name| !is_caption(name)).map(|name| {
            json!({"asset_identifier": {"asset_type": "UPLOAD", "asset_id": "7uS_VESkRI6O3-sVgHQp_A"}, "file_name": name})
        }).collect();
        let failed: Vec<_> =
            failed.iter().map(|_| json!({"file_name": null, "failure_reason": "INTERNAL_ERROR"})).collect();
        self.stored.extend(stored);
        (
            "200 OK",
            json!({
                "total_count": 0, "success_count": listed.len(), "failure_count": failed.len(),
                "successful_assets": listed, "failed_assets": failed,
            }),
        )
    }
}

fn is_caption(name: &str) -> bool {
    name.strip_suffix(".txt").is_some()
}

fn reply(odd: &Mutex<Odd>, request: &RawRequest) -> Reply {
    let mut odd = odd.lock().unwrap();
    let (status, body) = if request.head.starts_with("GET ") {
        odd.read()
    } else {
        let text = String::from_utf8_lossy(&request.body);
        let names = text.split("filename=\"").skip(1).map(|rest| rest.split('"').next().unwrap().to_owned());
        let response = odd.upload(names.collect());
        if odd.uploads <= odd.drops {
            return Reply::Bytes(Vec::new());
        }
        response
    };
    // A status may be followed by headers.
    let (status, headers) = status.split_once("\r\n").unwrap_or((status, "connection: close"));
    let headers = format!("{headers}\r\ncontent-type: application/json\r\n");
    Reply::Bytes(response(status[..3].parse().unwrap(), &headers, body.to_string()))
}

/// Two images with captions, and an odd server.
struct OddSetup {
    odd: Arc<Mutex<Odd>>,
    server: Server,
    folder: TempDir,
}

impl OddSetup {
    fn new(odd: Odd) -> Self {
        let odd = Arc::new(Mutex::new(odd));
        let shared = Arc::clone(&odd);
        let server = Server::start(move |_, request| reply(&shared, request));
        let folder = tempfile::tempdir().unwrap();
        for name in ["a", "b"] {
            std::fs::write(folder.path().join(format!("{name}.png")), b"\x89PNG\r\n\x1a\n0000").unwrap();
            std::fs::write(folder.path().join(format!("{name}.txt")), b"a lantern").unwrap();
        }
        Self { odd, server, folder }
    }

    /// A sync with three polls.
    async fn sync(&self) -> SyncDataset {
        self.patient_sync().await.poll_intervals(WAITS)
    }

    /// A sync that polls until the processing timeout.
    async fn patient_sync(&self) -> SyncDataset {
        let client = client_of(self.server.url(), "key");
        let plan = client.plan_dataset("d", Folder::read(self.folder.path()).await.unwrap()).await.unwrap();
        let journal = self.folder.path().join(".journal");
        client.sync_dataset(plan, journal).processing_timeout(PROCESSING_TIMEOUT).chunk_files(2).concurrency(1)
    }

    /// Replaces the time of all lines of the journal.
    fn set_time(&self, seconds: u64) {
        let (path, new) = (self.folder.path().join(".journal"), self.folder.path().join(".new"));
        let kind = JournalKind { title: "ideogram dataset sync", format: 3 };
        let mut lines = Vec::new();
        let contents = Journal::read::<Value, Value>(&path, kind, |line| lines.push(line)).unwrap();
        let (journal, _) = Journal::open::<_, Value>(&new, kind, &contents.header.unwrap(), |_| ()).unwrap();
        for mut line in lines {
            for entry in line.as_object_mut().unwrap().values_mut() {
                entry["time"] = json!(seconds);
            }
            journal.append(&line).unwrap();
        }
        std::fs::rename(new, path).unwrap();
    }

    fn uploads(&self) -> u16 {
        self.odd.lock().unwrap().uploads
    }

    /// How often each name was stored.
    fn stored(&self) -> BTreeMap<String, usize> {
        let mut stored = BTreeMap::new();
        for name in &self.odd.lock().unwrap().stored {
            *stored.entry(name.clone()).or_default() += 1;
        }
        stored
    }
}

fn assert_all_unknown(report: &SyncReport, reason: UnknownReason) {
    assert!(report.files.iter().all(|file| file.outcome == FileOutcome::Unknown(reason)), "{report:?}");
}

fn each_once() -> BTreeMap<String, usize> {
    ["a.png", "a.txt", "b.png", "b.txt"].map(|name| (name.to_owned(), 1)).into()
}

#[tokio::test]
async fn captions_that_are_never_listed_are_never_sent_twice() {
    let setup = OddSetup::new(Odd { hides_captions: true, ..Odd::default() });

    let first = setup.sync().await.await.unwrap();
    let second = setup.sync().await.await.unwrap();

    for report in [first, second] {
        assert_eq!(outcome(&report, "a.png"), &FileOutcome::Stored);
        assert_eq!(outcome(&report, "a.txt"), &FileOutcome::Unknown(UnknownReason::NotListed));
    }
    assert_eq!(setup.stored(), each_once());
}

#[tokio::test]
async fn files_that_are_listed_late_are_sent_once() {
    let setup = OddSetup::new(Odd { lag: 3, ..Odd::default() });

    let report = setup.sync().await.await.unwrap();

    assert!(report.is_complete(), "{report:?}");
    assert_eq!(setup.stored(), each_once());
}

#[tokio::test]
async fn a_file_reported_as_stored_is_not_sent_by_a_later_sync() {
    for odd in [Odd { lag: 99, ..Odd::default() }, Odd { renames: true, ..Odd::default() }] {
        let setup = OddSetup::new(odd);

        let first = setup.sync().await.await.unwrap();
        let later = setup.sync().await.await.unwrap();

        assert_all_unknown(&first, UnknownReason::NotListed);
        assert_all_unknown(&later, UnknownReason::NotListed);
        assert_eq!((first.uploads, later.uploads, setup.stored()), (2, 0, each_once()));
    }
}

#[tokio::test]
async fn a_chunk_that_is_still_being_stored_is_not_sent_again() {
    let setup = OddSetup::new(Odd { drops: 9, lag: 99, ..Odd::default() });

    let first = setup.sync().await.processing_timeout(HOUR).await.unwrap();
    let again = setup.sync().await.processing_timeout(HOUR).await.unwrap();
    setup.odd.lock().unwrap().lag = 0;
    let later = setup.sync().await.await.unwrap();

    assert_all_unknown(&first, UnknownReason::NoResponse);
    assert_all_unknown(&again, UnknownReason::NoResponse);
    assert!(later.is_complete(), "{later:?}");
    assert_eq!((setup.uploads(), setup.stored()), (2, each_once()));
}

#[tokio::test]
async fn a_sync_waits_for_the_processing_timeout_and_reports_it() {
    let setup = OddSetup::new(Odd { drops: 2, lag: 7, ..Odd::default() });
    let awaited = Arc::new(Mutex::new(Vec::new()));

    let seen = Arc::clone(&awaited);
    let sync = setup.patient_sync().await.processing_timeout(Duration::from_secs(2));
    let report = sync.on_progress(move |now| seen.lock().unwrap().push(now.files_awaited)).await.unwrap();

    assert!(report.is_complete(), "{report:?}");
    assert_eq!((setup.uploads(), setup.stored()), (2, each_once()));
    let awaited = awaited.lock().unwrap();
    assert!(awaited.contains(&4) && awaited.last() == Some(&0), "{awaited:?}");
}

#[tokio::test]
async fn a_file_that_is_not_listed_after_the_timeout_is_sent_again() {
    let setup = OddSetup::new(Odd { refuses_from: Some((1, "500 Internal Server Error")), ..Odd::default() });

    let first = setup.sync().await.processing_timeout(HOUR).await.unwrap();
    setup.odd.lock().unwrap().refuses_from = None;
    let early = setup.sync().await.processing_timeout(HOUR).await.unwrap();
    setup.set_time(1_790_000_000);
    let later = setup.sync().await.processing_timeout(HOUR).await.unwrap();

    assert_all_unknown(&first, UnknownReason::NoResponse);
    assert_all_unknown(&early, UnknownReason::NoResponse);
    assert_eq!(early.uploads, 0);
    assert!(later.is_complete(), "{later:?}");
    assert_eq!(setup.stored(), each_once());
}

#[tokio::test]
async fn a_clock_that_was_set_back_does_not_block_files() {
    let setup = OddSetup::new(Odd { refuses_from: Some((1, "500 Internal Server Error")), ..Odd::default() });
    setup.sync().await.processing_timeout(HOUR).await.unwrap();
    setup.odd.lock().unwrap().refuses_from = None;
    setup.set_time(9_000_000_000);

    let later = setup.sync().await.processing_timeout(HOUR).await.unwrap();

    assert!(later.is_complete(), "{later:?}");
    assert_eq!(setup.stored(), each_once());
}

#[tokio::test]
async fn a_sync_waits_for_a_growing_dataset() {
    let setup = OddSetup::new(Odd { drops: 1, drip: Some(1), ..Odd::default() });
    for number in 0..8 {
        std::fs::write(setup.folder.path().join(format!("{number}.png")), b"\x89PNG\r\n\x1a\n0000").unwrap();
    }

    let sync = setup.sync().await.chunk_files(20).processing_timeout(Duration::ZERO);
    let report = sync.await.unwrap();

    assert!(report.is_complete(), "{report:?}");
    assert_eq!((setup.uploads(), setup.stored().values().max()), (1, Some(&1)));
}

#[tokio::test]
async fn without_response_and_list_the_outcome_is_unknown() {
    let setup = OddSetup::new(Odd { drops: 1, is_lost_after_upload: true, ..Odd::default() });

    let report = setup.sync().await.chunk_files(20).processing_timeout(Duration::ZERO).await.unwrap();

    assert!(report.stopped.is_some());
    assert_all_unknown(&report, UnknownReason::NoResponse);
    assert_eq!(setup.stored(), each_once());
}

#[tokio::test]
async fn an_image_stored_with_another_size_is_stored() {
    let setup = OddSetup::new(Odd { size_bytes: Some(5), ..Odd::default() });

    let first = setup.sync().await.await.unwrap();
    let later = setup.sync().await.await.unwrap();
    std::fs::write(setup.folder.path().join("a.png"), b"\x89PNG\r\n\x1a\nanother").unwrap();
    let changed = setup.sync().await.await.unwrap();

    for report in [&first, &later] {
        assert!(report.is_complete(), "{report:?}");
        assert!(matches!(report.after.files[0].state, FileState::Different { .. }));
    }
    assert_eq!(outcome(&changed, "a.png"), &FileOutcome::Different { remote_sizes_bytes: vec![5] });
    assert_eq!(setup.stored(), each_once());
}

#[tokio::test]
async fn a_refused_chunk_is_halved_and_all_good_files_are_stored() {
    for status in ["400 Bad Request", "413 Content Too Large", "422 Unprocessable Entity"] {
        let setup = OddSetup::new(Odd { refuses: Some(("b.png", status)), ..Odd::default() });
        for name in ["c.png", "d.png", "e.png"] {
            std::fs::write(setup.folder.path().join(name), b"\x89PNG\r\n\x1a\n0000").unwrap();
        }

        let report = setup.sync().await.chunk_files(20).poll_intervals([HOUR]).await.unwrap();

        for file in &report.files {
            match file.file.name.as_str() {
                "b.png" | "b.txt" => assert!(
                    matches!(&file.outcome, FileOutcome::NotStored { why } if why.contains("that one is bad")),
                    "{report:?}"
                ),
                _ => assert_eq!(file.outcome, FileOutcome::Stored, "{report:?}"),
            }
        }
        assert!(report.stopped.is_none());
        assert!(setup.stored().values().all(|times| *times == 1));
        let sizes: Vec<_> = setup.odd.lock().unwrap().refused.iter().map(Vec::len).collect();
        assert_eq!(sizes, [7, 5, 4, 2], "{status}");
        assert_eq!((report.uploads, setup.uploads()), (7, 7));
    }
}

#[tokio::test]
async fn a_retry_after_of_an_hour_ends_the_sync_with_a_report() {
    let status = "429 Too Many Requests\r\nretry-after: 3600";
    let setup = OddSetup::new(Odd { refuses_from: Some((2, status)), ..Odd::default() });

    let report = setup.sync().await.await.unwrap();

    assert_eq!(outcome(&report, "a.png"), &FileOutcome::Stored);
    assert!(matches!(outcome(&report, "b.png"), FileOutcome::NotStored { .. }));
    assert!(report.stopped.is_some_and(|error| error.kind() == ErrorKind::RateLimited));
}

#[tokio::test]
async fn a_key_that_stops_working_ends_the_sync_with_a_report() {
    for status in ["401 Unauthorized", "402 Payment Required", "403 Forbidden", "404 Not Found"] {
        let setup = OddSetup::new(Odd { refuses_from: Some((2, status)), ..Odd::default() });

        let report = setup.sync().await.await.unwrap();

        assert_eq!(outcome(&report, "a.png"), &FileOutcome::Stored);
        assert!(
            matches!(outcome(&report, "b.png"), FileOutcome::NotStored { why } if why.contains("no more")),
            "{report:?}"
        );
        assert!(report.stopped.as_ref().is_some_and(|error| error.status().is_some()));
        assert_eq!((report.uploads, setup.odd.lock().unwrap().uploads), (2, 2), "{status}");
        setup.odd.lock().unwrap().refuses_from = None;
        assert!(setup.sync().await.await.unwrap().is_complete());
        assert_eq!(setup.stored(), each_once());
    }
}

#[tokio::test]
async fn without_the_list_the_responses_decide() {
    let setup = OddSetup::new(Odd { is_lost_after_upload: true, ..Odd::default() });

    let report = setup.sync().await.await.unwrap();

    assert_eq!(outcome(&report, "a.png"), &FileOutcome::Stored);
    assert_eq!(outcome(&report, "a.txt"), &FileOutcome::Unknown(UnknownReason::NotListed));
    assert!(report.stopped.is_some_and(|error| error.kind() == ErrorKind::Forbidden));
}

#[tokio::test]
async fn a_failure_without_a_name_is_found_in_the_list() {
    let setup = OddSetup::new(Odd { fails_silently: Some("b.png"), ..Odd::default() });

    let report = setup.sync().await.await.unwrap();
    setup.odd.lock().unwrap().fails_silently = None;
    let later = setup.sync().await.await.unwrap();

    assert_eq!(outcome(&report, "b.png"), &FileOutcome::Unknown(UnknownReason::NotListed));
    assert!(later.is_complete(), "{later:?}");
    assert_eq!(setup.stored(), each_once());
}
