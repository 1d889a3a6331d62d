//! Responses that broke off: every whole link is found, and no other.

use std::{fs, path::Path};

use ideogram_client::{
    ErrorKind, Outcome, StoredResponse,
    save::{HasImages, Image as _, ImageOutcome, SaveOutcome},
};
use serde_json::{Value, json};

use crate::{
    client,
    host::{Host, image},
    png,
};

/// A stored response with this body.
pub(crate) async fn stored(folder: &Path, body: &str) -> StoredResponse {
    let path = folder.join("stored.json");
    let mut file = json!({
        "operation": "post_generate_image_v3", "request": {"json": {"prompt": "a hushed cat"}}, "status": 200,
        "received": "2026-07-02T09:07:13Z",
    });
    match serde_json::from_str::<Value>(body) {
        Ok(response) => file["response"] = response,
        Err(_) => file["response_text"] = json!(body),
    }
    fs::write(&path, file.to_string()).unwrap();
    StoredResponse::read(path).await.unwrap()
}

/// The images with a link.
fn linked(response: &impl HasImages) -> Vec<(usize, Option<i64>, String)> {
    let images = response.images().into_iter();
    let linked = images.filter_map(|image| {
        let link = image.link().filter(|_| matches!(image.outcome(), ImageOutcome::Available(_)));
        Some((image.number(), image.seed(), link?.to_owned()))
    });
    linked.collect()
}

#[tokio::test]
async fn every_whole_link_of_a_cut_response_is_found_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let text = r#"{"created": "2026-07-02T09:07:13Z", "note": "{[\"\\,", "data": [
        {"seed": 12, "prompt": "a \"cat\", \ud83d\ude00 {é😀]", "url": "https://a.test/1?exp=1&sig=abc", "more": [[], {}, 1.5e3]},
        {"url": null, "is_image_safe": false, "seed": 345},
        {"is_image_safe": true, "url": "https:\/\/a.test\/3?exp=1\u0026sig=def", "seed": 678},
        {"url":"https://a.test/4?exp=1&sig=ghi","is_image_safe":true,"seed":901}]}"#;
    let whole = linked(&stored(folder.path(), text).await);
    // The positions where each link is complete.
    let ends = ["sig=abc\"", "sig=def\"", "sig=ghi\""].map(|end| text.find(end).unwrap() + end.len());
    assert_eq!(whole.len(), 3);
    assert_eq!(whole[1], (3, Some(678), "https://a.test/3?exp=1&sig=def".to_owned()));

    for cut in 0..text.len() {
        let stored_response = stored(folder.path(), &String::from_utf8_lossy(&text.as_bytes()[..cut])).await;

        let actual = linked(&stored_response);

        let expected = ends.iter().filter(|end| **end <= cut).count();
        assert_eq!(actual.len(), expected, "cut at {cut}: {actual:?}");
        for (actual, whole) in actual.iter().zip(&whole) {
            assert_eq!((actual.0, &actual.2), (whole.0, &whole.2), "cut at {cut}");
            // A number at the cut may be incomplete.
            assert!(actual.1.is_none() || actual.1 == whole.1, "cut at {cut}: {actual:?}");
        }
        let withheld = stored_response.images().into_iter().filter(|image| image.outcome() == ImageOutcome::Withheld);
        assert!(withheld.count() <= 1, "cut at {cut}");
    }
}

#[tokio::test]
async fn saving_a_cut_response_saves_whole_links_and_reports_the_rest() {
    let host = Host::responding(image(png(90, 1)));
    let folder = tempfile::tempdir().unwrap();
    let whole = format!(r#"{{"data": [{{"is_image_safe": true, "url": "{}"}}, "#, host.link("/a"));
    let cut = format!(r#"{whole}{{"is_image_safe": true, "url": "{}"#, host.link("/b"));
    let client = client(host.url());

    let outcomes = client.save_all(&stored(folder.path(), &cut).await, folder.path().join("out")).await.unwrap();
    let none =
        client.save_all(&stored(folder.path(), r#"{"data": [{"prompt": "a"#).await, folder.path().join("none")).await;

    assert!(matches!(outcomes.as_slice(), [SaveOutcome::Saved(_), SaveOutcome::LinkMissing]), "{outcomes:?}");
    let error = none.unwrap_err();
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::UndocumentedResponse, Outcome::Completed));
    assert!(error.to_string().contains("broke off"), "{error}");
    assert!(host.heads().iter().all(|head| head.starts_with("GET /a ")));
}
