//! Servers that behave as the mock server does not, and as the service may.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use ideogram_client::{
    ErrorKind,
    dataset::{FileOutcome, Folder, SyncDataset, Unknown},
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use crate::place::{WAITS, client_of, outcome};

/// A server with one dataset, `d`.
#[derive(Default)]
struct Odd {
    /// Names in the dataset, in the order of their uploads.
    stored: Vec<String>,
    uploads: u16,
    looks: usize,
    /// Captions are stored, and not listed.
    hides_captions: bool,
    /// For so many looks after an upload nothing of it is listed.
    lag: usize,
    /// The status of this upload, counted from 1, and of those after it; nothing is stored then.
    refuses_from: Option<(u16, &'static str)>,
    /// Looks at the dataset fail after the first upload.
    is_lost_after_upload: bool,
    /// Uploads answer with a failure that names no file, and do not store the file of this name.
    fails_silently: Option<&'static str>,
}

impl Odd {
    fn look(&mut self) -> (&'static str, Value) {
        self.looks += 1;
        if self.is_lost_after_upload && self.uploads > 0 {
            return ("403 Forbidden", json!({"message": "no more"}));
        }
        let is_listed = |name: &&String| !(self.hides_captions && is_caption(name));
        let names: Vec<_> =
            if self.looks <= self.lag { vec![] } else { self.stored.iter().filter(is_listed).collect() };
        let files: Vec<_> = names.iter().map(|name| json!({"file_name": name, "file_size_bytes": null})).collect();
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
        self.looks = 0;
        if let Some((from, status)) = self.refuses_from
            && self.uploads >= from
        {
            return (status, json!({"message": "no more"}));
        }
        let (failed, stored): (Vec<_>, Vec<_>) =
            names.into_iter().partition(|name| Some(name.as_str()) == self.fails_silently);
        let shown: Vec<_> = stored.iter().filter(|name| !is_caption(name)).map(|name| {
            json!({"asset_identifier": {"asset_type": "UPLOAD", "asset_id": "7uS_VESkRI6O3-sVgHQp_A"}, "file_name": name})
        }).collect();
        let failed: Vec<_> =
            failed.iter().map(|_| json!({"file_name": null, "failure_reason": "INTERNAL_ERROR"})).collect();
        self.stored.extend(stored);
        (
            "200 OK",
            json!({
                "total_count": 0, "success_count": shown.len(), "failure_count": failed.len(),
                "successful_assets": shown, "failed_assets": failed,
            }),
        )
    }
}

fn is_caption(name: &str) -> bool {
    name.strip_suffix(".txt").is_some()
}

async fn serve(mut stream: TcpStream, odd: Arc<Mutex<Odd>>) -> std::io::Result<()> {
    let mut request = Vec::new();
    let (head, length) = loop {
        if stream.read_buf(&mut request).await? == 0 {
            return Ok(());
        }
        let text = String::from_utf8_lossy(&request);
        if let Some((head, _)) = text.split_once("\r\n\r\n") {
            let length = head
                .to_lowercase()
                .split_once("content-length: ")
                .map_or(0, |(_, rest)| rest.split("\r\n").next().unwrap().parse::<usize>().unwrap());
            break (head.to_owned(), length);
        }
    };
    while request.len() < head.len() + 4 + length {
        stream.read_buf(&mut request).await?;
    }
    let (status, body) = if head.starts_with("GET ") {
        odd.lock().unwrap().look()
    } else {
        let text = String::from_utf8_lossy(&request).into_owned();
        let names = text.split("filename=\"").skip(1).map(|rest| rest.split('"').next().unwrap().to_owned());
        odd.lock().unwrap().upload(names.collect())
    };
    let body = body.to_string();
    let head = format!("HTTP/1.1 {status}\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: ");
    stream.write_all(format!("{head}{}\r\n\r\n{body}", body.len()).as_bytes()).await
}

/// Two pictures with captions, and where they go.
struct OddPlace {
    odd: Arc<Mutex<Odd>>,
    url: String,
    folder: TempDir,
}

impl OddPlace {
    async fn new(odd: Odd) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let odd = Arc::new(Mutex::new(odd));
        let served = Arc::clone(&odd);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&served)));
            }
        });
        let folder = tempfile::tempdir().unwrap();
        for name in ["a", "b"] {
            std::fs::write(folder.path().join(format!("{name}.png")), b"\x89PNG\r\n\x1a\n0000").unwrap();
            std::fs::write(folder.path().join(format!("{name}.txt")), b"a lantern").unwrap();
        }
        Self { odd, url, folder }
    }

    async fn sync(&self) -> SyncDataset {
        let client = client_of(&self.url, "key");
        let plan = client.plan_dataset("d", Folder::read(self.folder.path()).await.unwrap()).await.unwrap();
        let journal = self.folder.path().join(".journal");
        client.sync_dataset(plan, journal).settle_waits(WAITS).batch_files(2).concurrency(1)
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

fn each_once() -> BTreeMap<String, usize> {
    ["a.png", "a.txt", "b.png", "b.txt"].map(|name| (name.to_owned(), 1)).into()
}

#[tokio::test]
async fn captions_that_are_never_listed_are_never_sent_twice() {
    let place = OddPlace::new(Odd { hides_captions: true, ..Odd::default() }).await;

    let first = place.sync().await.await.unwrap();
    let second = place.sync().await.await.unwrap();

    for report in [first, second] {
        assert_eq!(outcome(&report, "a.png"), &FileOutcome::Stored);
        assert_eq!(outcome(&report, "a.txt"), &FileOutcome::Unknown(Unknown::NotShown));
    }
    assert_eq!(place.stored(), each_once());
}

#[tokio::test]
async fn a_dataset_that_shows_files_late_gets_them_once() {
    let place = OddPlace::new(Odd { lag: 3, ..Odd::default() }).await;

    let report = place.sync().await.await.unwrap();

    assert!(report.is_complete(), "{report:?}");
    assert_eq!(place.stored(), each_once());
}

#[tokio::test]
async fn a_file_that_was_taken_and_does_not_show_is_not_sent_again() {
    let place = OddPlace::new(Odd { lag: 99, ..Odd::default() }).await;

    let report = place.sync().await.await.unwrap();

    assert!(report.files.iter().all(|file| file.outcome == FileOutcome::Unknown(Unknown::NotShown)), "{report:?}");
    assert_eq!((report.uploads, place.stored()), (2, each_once()));
}

#[tokio::test]
async fn a_service_that_asks_for_an_hour_ends_the_sync_with_a_report() {
    let status = "429 Too Many Requests\r\nretry-after: 3600";
    let place = OddPlace::new(Odd { refuses_from: Some((2, status)), ..Odd::default() }).await;

    let report = place.sync().await.await.unwrap();

    assert_eq!(outcome(&report, "a.png"), &FileOutcome::Stored);
    assert!(matches!(outcome(&report, "b.png"), FileOutcome::NotStored { .. }));
    assert!(report.stopped.is_some_and(|error| error.kind() == ErrorKind::RateLimited));
}

#[tokio::test]
async fn a_key_that_stops_working_ends_the_sync_with_a_report() {
    for status in ["401 Unauthorized", "402 Payment Required", "403 Forbidden", "404 Not Found"] {
        let place = OddPlace::new(Odd { refuses_from: Some((2, status)), ..Odd::default() }).await;

        let report = place.sync().await.await.unwrap();

        assert_eq!(outcome(&report, "a.png"), &FileOutcome::Stored);
        assert!(
            matches!(outcome(&report, "b.png"), FileOutcome::NotStored { why } if why.contains("no more")),
            "{report:?}"
        );
        assert!(report.stopped.as_ref().is_some_and(|error| error.status().is_some()));
        assert_eq!((report.uploads, place.odd.lock().unwrap().uploads), (2, 2), "{status}");
        place.odd.lock().unwrap().refuses_from = None;
        assert!(place.sync().await.await.unwrap().is_complete());
        assert_eq!(place.stored(), each_once());
    }
}

#[tokio::test]
async fn a_dataset_that_cannot_be_asked_any_more_leaves_what_the_answers_say() {
    let place = OddPlace::new(Odd { is_lost_after_upload: true, ..Odd::default() }).await;

    let report = place.sync().await.await.unwrap();

    assert_eq!(outcome(&report, "a.png"), &FileOutcome::Stored);
    assert_eq!(outcome(&report, "a.txt"), &FileOutcome::Unknown(Unknown::NotShown));
    assert!(report.stopped.is_some_and(|error| error.kind() == ErrorKind::Forbidden));
}

#[tokio::test]
async fn a_failure_without_a_name_is_found_by_the_dataset() {
    let place = OddPlace::new(Odd { fails_silently: Some("b.png"), ..Odd::default() }).await;

    let report = place.sync().await.await.unwrap();
    place.odd.lock().unwrap().fails_silently = None;
    let later = place.sync().await.await.unwrap();

    assert_eq!(outcome(&report, "b.png"), &FileOutcome::Unknown(Unknown::NotShown));
    assert!(later.is_complete(), "{later:?}");
    assert_eq!(place.stored(), each_once());
}
