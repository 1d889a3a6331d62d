//! Links to images work without the key, until they expire.

use std::time::Duration;

use ideogram_mock::Scenario;
use reqwest::Method;
use serde_json::{Value, json};

use crate::caller::{Caller, form, send};

async fn link(caller: &Caller) -> Value {
    let response = caller.post_form("/v1/ideogram-v3/generate", form([("prompt", "a cat")])).await;
    response.body["data"][0]["url"].clone()
}

#[tokio::test]
async fn a_link_is_served_here_and_names_its_expiry() {
    let caller = Caller::new().await;

    let link = link(&caller).await;

    let folder = format!("{}/api/images/ephemeral/", caller.server.url());
    let (name, query) = link.as_str().unwrap().strip_prefix(&folder).unwrap().split_once('?').unwrap();
    assert_eq!(name.len(), "xtdZiqPwRxqY1Y7NExFmzB.png".len());
    // 24 hours after 2026-07-01, 9:00 UTC.
    let signature = query.strip_prefix("exp=1782982800&sig=").unwrap();
    assert_eq!(signature.len(), 64, "{query}");
}

#[tokio::test]
async fn a_link_expires_after_a_day() {
    let caller = Caller::new().await;
    let link = link(&caller).await;

    caller.server.advance(Duration::from_secs(24 * 3600 - 1));
    let before = caller.fetch(&link).await.unwrap();
    caller.server.advance(Duration::from_secs(1));
    let after = caller.fetch(&link).await.unwrap();

    assert_eq!(before.0, 200);
    assert_eq!(after.0, 410);
    assert_eq!(serde_json::from_slice::<Value>(&after.2).unwrap(), json!({"error": "The link has expired."}));
}

#[tokio::test]
async fn a_link_outlives_its_server() {
    let first = Caller::new().await;
    let path = link(&first).await.as_str().unwrap().replace(first.server.url(), "");
    let first_image = first.fetch(&json!(format!("{}{path}", first.server.url()))).await.unwrap();
    drop(first);

    let second = Caller::new().await;
    let second_image = second.fetch(&json!(format!("{}{path}", second.server.url()))).await.unwrap();

    assert_eq!(second_image.2, first_image.2);
}

#[tokio::test]
async fn a_changed_link_is_refused() {
    let caller = Caller::new().await;
    let link = link(&caller).await;
    let text = link.as_str().unwrap();
    let changed = |from, to| json!(text.replacen(from, to, 1));

    assert_eq!(caller.fetch(&changed("exp=1", "exp=2")).await.unwrap().0, 403);
    assert_eq!(caller.fetch(&changed("&sig=", "&sgi=")).await.unwrap().0, 403);
    assert_eq!(caller.fetch(&json!(text[..text.len() - 1])).await.unwrap().0, 403);
    assert_eq!(caller.fetch(&json!(text.split_once('?').unwrap().0)).await.unwrap().0, 403);
    assert_eq!(caller.fetch(&changed(".png", ".jpg")).await.unwrap().0, 404);
    assert_eq!(caller.get("/api/images/ephemeral/x.png").await.status, 404);
}

#[tokio::test]
async fn images_can_only_be_fetched() {
    let caller = Caller::new().await;
    let path = link(&caller).await.as_str().unwrap().replace(caller.server.url(), "");

    let head = send(caller.request(Method::HEAD, &path)).await;
    let post = send(caller.request(Method::POST, &path)).await;

    assert_eq!(head.status, 200);
    assert!(head.headers["content-length"].to_str().unwrap().parse::<u32>().unwrap() > 1000);
    assert_eq!(post.status, 405);
    assert_eq!(post.headers["allow"], "GET, HEAD");
}

#[tokio::test]
async fn the_response_with_an_image_breaks_once() {
    let caller = Caller::new().await;
    let link = link(&caller).await;
    caller.server.set_scenario(Scenario::ImageLostOnce);

    let lost = caller.fetch(&link).await;
    let complete = caller.fetch(&link).await;

    assert!(lost.is_err());
    assert_eq!(complete.unwrap().0, 200);
}

#[tokio::test]
async fn links_can_be_edited_while_they_work() {
    let caller = Caller::new().await;
    let link = link(&caller).await;
    let edit = async |url: &str| {
        caller.post_form("/v1/edit", form([("prompt", "a beach"), ("image_urls", url)])).await.status.as_u16()
    };

    assert_eq!(edit(link.as_str().unwrap()).await, 200);
    assert_eq!(edit("https://ideogram.ai/api/images/direct/8YEpFzHuS-S6xXEGmCsf7g").await, 200);
    assert_eq!(edit("https://example.org/cat.png").await, 400);
    assert_eq!(edit(&format!("{}/cat.png", caller.server.url())).await, 400);
    caller.server.advance(Duration::from_secs(24 * 3600));
    assert_eq!(edit(link.as_str().unwrap()).await, 400);
}
