//! Hosts that fail: downloads are retried, and only complete images get a name.

use std::{io::Write as _, time::Duration};

use ideogram_client::{
    Error, ErrorKind, Outcome,
    save::{Image as _, ImageOutcome, Save},
};
use ideogram_mock::Scenario;

use crate::{
    client,
    host::{Host, Reply, endless, image, response, unframed},
    mock, names, png,
};

/// Tries to save an image, checks that no file is left, and returns the error and the number of requests.
async fn failure(host: &Host, adjust: impl FnOnce(Save) -> Save) -> (Error, usize) {
    let folder = tempfile::tempdir().unwrap();
    let saving =
        adjust(client(host.url()).save(host.link("/x.png?exp=4000000000&sig=hush"), folder.path().join("lantern")));

    let error = saving.await.unwrap_err();

    assert!(names(folder.path()).is_empty(), "{:?}", names(folder.path()));
    assert_eq!(error.outcome(), Outcome::Completed, "the image was billed");
    assert!(!format!("{error} {error:?}").contains("hush"), "{error:?}");
    (error, host.requests())
}

#[tokio::test]
async fn an_image_that_breaks_off_is_downloaded_again() {
    let bytes = png(100_000, 1);
    let cut = image(&bytes)[..60_000].to_vec();
    for broken in [cut, endless(&bytes), unframed(&bytes[..60_000]), Vec::new(), b"HTTP/1.1 200".to_vec()] {
        let host = Host::in_turn(vec![Reply::Bytes(broken.clone()), Reply::Bytes(image(&bytes))]);
        let folder = tempfile::tempdir().unwrap();

        let saved = client(host.url()).save(host.link("/x"), folder.path().join("lantern")).await.unwrap();

        assert!(std::fs::read(saved.path).unwrap() == bytes);
        assert_eq!(host.requests(), 2);

        let host = Host::responding(broken);
        let (error, questions) = failure(&host, |save| save.attempts(1)).await;
        assert_eq!((error.kind(), questions, error.attempts()), (ErrorKind::Transport, 1, 1));
        let (error, questions) = failure(&host, |save| save).await;
        assert_eq!((error.kind(), questions, error.attempts()), (ErrorKind::Transport, 1 + 4, 4));
    }
}

#[tokio::test]
async fn an_image_without_a_length_is_saved_if_it_is_complete() {
    let bytes = png(1000, 1);
    let host = Host::responding(unframed(&bytes));
    let folder = tempfile::tempdir().unwrap();

    let saved = client(host.url()).save(host.link("/x"), folder.path().join("lantern")).await.unwrap();

    assert_eq!(std::fs::read(saved.path).unwrap(), bytes);
}

#[tokio::test]
async fn a_host_that_sends_nothing_fails_the_download() {
    let half = image(png(1000, 1))[..500].to_vec();
    for begun in [Vec::new(), half] {
        let host = Host::start(move |_, _| Reply::Unfinished(begun.clone()));
        let hasty = |save: Save| save.idle_timeout(Duration::from_millis(50)).attempts(2);

        let (error, _) = failure(&host, hasty).await;

        assert_eq!((error.kind(), error.attempts()), (ErrorKind::Transport, 2), "{error}");
        assert!(error.to_string().contains("sent nothing for 0.05 seconds"), "{error}");
    }
}

#[tokio::test]
async fn saving_ends_at_its_deadline() {
    let half = image(png(1000, 1))[..500].to_vec();
    let host = Host::start(move |_, _| Reply::Unfinished(half.clone()));

    let (error, _) = failure(&host, |save| save.deadline(Duration::from_millis(80))).await;

    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Transport, 1));
    assert!(error.to_string().contains("within 0.08 seconds"), "{error}");

    let host = Host::responding(response(503, "Retry-After: 30\r\n", ""));
    let (error, questions) = failure(&host, |save| save.deadline(Duration::from_secs(20))).await;
    assert_eq!((error.kind(), questions), (ErrorKind::Server, 1), "a wait beyond the deadline is not begun");
}

#[tokio::test]
async fn durations_of_any_length_are_valid() {
    let host = Host::responding(image(png(90, 1)));
    let folder = tempfile::tempdir().unwrap();
    let saving = client(host.url()).save(host.link("/x"), folder.path().join("lantern"));

    let saving =
        saving.deadline(Duration::MAX).idle_timeout(Duration::MAX).attempts(u32::MAX).size_limit_bytes(u64::MAX);

    assert!(saving.await.is_ok());
}

#[tokio::test]
async fn transient_refusals_are_retried_and_others_are_not() {
    for (status, kind, questions) in [
        (408, ErrorKind::Server, 4),
        (429, ErrorKind::RateLimited, 4),
        (500, ErrorKind::Server, 4),
        (502, ErrorKind::Server, 4),
        (503, ErrorKind::Server, 4),
        (504, ErrorKind::Server, 4),
        (204, ErrorKind::UndocumentedResponse, 1),
        (206, ErrorKind::UndocumentedResponse, 1),
        (304, ErrorKind::UndocumentedResponse, 1),
        (400, ErrorKind::InvalidRequest, 1),
        (401, ErrorKind::Forbidden, 1),
        (404, ErrorKind::NotFound, 1),
        (501, ErrorKind::Server, 1),
    ] {
        let host = Host::responding(response(status, "Content-Type: image/png\r\n", png(90, 1)));

        let (error, requests) = failure(&host, |save| save).await;

        assert_eq!((error.kind(), requests), (kind, questions), "{status}: {error}");
        assert_eq!(error.status().unwrap().as_u16(), status);
    }
}

#[tokio::test]
async fn a_refused_connection_is_retried() {
    let host = Host::responding(Vec::new());
    let link = host.link("/x");
    let client = client(host.url());
    drop(host);
    // The port is free when the task of the host has ended.
    tokio::task::yield_now().await;
    let folder = tempfile::tempdir().unwrap();

    let error = client.save(link, folder.path().join("lantern")).await.unwrap_err();

    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Transport, 4), "{error}");
}

#[tokio::test]
async fn an_error_has_the_retry_after_of_the_host() {
    for (status, kind) in [(429, ErrorKind::RateLimited), (503, ErrorKind::Server)] {
        let host = Host::responding(response(status, "Retry-After: 7\r\n", "later"));

        let (error, questions) = failure(&host, |save| save.attempts(1)).await;

        assert_eq!((error.kind(), questions), (kind, 1));
        assert_eq!(error.retry_after(), Some(Duration::from_secs(7)));
    }
}

#[tokio::test]
async fn a_page_with_status_200_is_not_an_image() {
    let page = "<!DOCTYPE html><html><body>Try again later.</body></html>";
    for (headers, body) in [
        ("Content-Type: text/html\r\n", page),
        ("Content-Type: image/png\r\n", page),
        ("", page),
        ("Content-Type: application/json\r\n", r#"{"error":"The link has expired."}"#),
        ("Content-Type: image/png\r\n", r#"{"error":"The link has expired."}"#),
        ("Content-Type: image/png\r\n", ""),
        ("Content-Type: application/octet-stream\r\n", "\u{1}\u{2}"),
    ] {
        let host = Host::responding(response(200, headers, body));

        let (error, questions) = failure(&host, |save| save).await;

        assert_eq!((error.kind(), questions), (ErrorKind::UndocumentedResponse, 1), "{headers} {body}: {error}");
        assert!(error.to_string().contains("did not send an image"), "{error}");
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
}

type Coding = fn(&[u8]) -> Vec<u8>;

#[tokio::test]
async fn an_image_is_judged_by_its_bytes_and_not_by_its_headers() {
    let bytes = png(3000, 1);
    let codings: [Coding; 6] =
        [<[u8]>::to_vec, gzip, zlib, zstd, |bytes| gzip(&gzip(bytes)), |bytes| zstd(&gzip(bytes))];
    for coding in codings {
        let sent = coding(&bytes);
        for label in [
            "",
            "Content-Encoding: \r\n",
            "Content-Encoding: identity\r\n",
            "Content-Encoding: aws-chunked\r\n",
            "Content-Encoding: utf-8\r\n",
            "Content-Encoding: gzip\r\n",
            "Content-Encoding: deflate\r\n",
            "Content-Encoding: br\r\nContent-Encoding: gzip\r\n",
        ] {
            assert_saved(label, &sent, &bytes).await;
        }
    }
    assert_saved("Content-Encoding: deflate\r\n", &deflate(&bytes), &bytes).await;
}

async fn assert_saved(label: &str, sent: &[u8], bytes: &[u8]) {
    let host = Host::responding(response(200, &format!("Content-Type: image/png\r\n{label}"), sent));
    let folder = tempfile::tempdir().unwrap();

    let saved = client(host.url()).save(host.link("/x"), folder.path().join("lantern")).await.unwrap();

    assert!(std::fs::read(saved.path).unwrap() == bytes, "{label}");
    assert_eq!(saved.size_bytes, bytes.len() as u64);
    assert_eq!(names(folder.path()), ["lantern.json", "lantern.png"]);
    assert!(host.heads()[0].contains("accept-encoding: identity"), "{}", host.heads()[0]);
}

#[tokio::test]
async fn the_decompressed_size_is_limited_too() {
    let host = Host::responding(image(gzip(&[png(90, 1), vec![0; 1_000_000]].concat())));

    let (error, questions) = failure(&host, |save| save.size_limit_bytes(100_000)).await;

    assert!(error.to_string().contains("larger than the limit of 100000 bytes"), "{error}");
    assert_eq!(questions, 1);
}

#[tokio::test]
async fn an_incomplete_image_of_the_right_length_is_downloaded_again_and_named_incomplete() {
    let bytes = png(1000, 1);
    for cut in [image(&bytes[..980]), image(gzip(&bytes[..980]))] {
        let host = Host::in_turn(vec![Reply::Bytes(cut.clone()), Reply::Bytes(image(&bytes))]);
        let folder = tempfile::tempdir().unwrap();
        let saved = client(host.url()).save(host.link("/x"), folder.path().join("lantern")).await.unwrap();
        assert!(std::fs::read(saved.path).unwrap() == bytes);
        assert_eq!(names(folder.path()), ["lantern.json", "lantern.png"]);

        let host = Host::responding(cut);
        let folder = tempfile::tempdir().unwrap();
        for _ in 0..2 {
            let saving = client(host.url()).save(host.link("/x"), folder.path().join("lantern"));
            let error = saving.await.unwrap_err();

            assert_eq!((error.kind(), error.attempts()), (ErrorKind::Transport, 4), "{error}");
            assert!(error.to_string().contains("its end is missing"), "{error}");
            assert!(error.to_string().contains("lantern.incomplete.png"), "{error}");
            // The incomplete image is saved once.
            assert_eq!(names(folder.path()), ["lantern.incomplete.png"]);
        }
        assert!(std::fs::read(folder.path().join("lantern.incomplete.png")).unwrap() == bytes[..980]);
    }
}

#[tokio::test]
async fn an_image_above_the_limit_is_not_saved() {
    let bytes = png(1001, 1);
    for (large, exact) in [(image(&bytes), image(&bytes)), (endless(&bytes), unframed(&bytes))] {
        let host = Host::responding(large);
        let (error, questions) = failure(&host, |save| save.size_limit_bytes(1000)).await;
        assert_eq!((error.kind(), questions), (ErrorKind::UndocumentedResponse, 1), "{error}");
        assert!(error.to_string().contains("larger than the limit of 1000 bytes"), "{error}");

        let host = Host::responding(exact);
        let folder = tempfile::tempdir().unwrap();
        let saving = client(host.url()).save(host.link("/x"), folder.path().join("x")).size_limit_bytes(1001);
        assert_eq!(saving.await.unwrap().size_bytes, 1001);
    }
    // The announced length alone fails the download.
    let host = Host::responding(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n".to_vec());
    assert_eq!(failure(&host, |save| save).await.1, 1);
}

#[tokio::test]
async fn a_lost_image_of_the_mock_server_is_downloaded_again() {
    let (server, client) = mock().await;
    let response = client.generate_image_v3().prompt("A paper lantern").send().await.unwrap();
    let ImageOutcome::Available(link) = response.data[0].outcome() else { panic!("{response:?}") };
    server.set_scenario(Scenario::ImageLostOnce);
    let folder = tempfile::tempdir().unwrap();

    client.save(link, folder.path().join("lantern")).await.unwrap();

    assert_eq!(names(folder.path()), ["lantern.json", "lantern.png"]);
    assert_eq!(server.requests().len(), 1 + 2);
}
