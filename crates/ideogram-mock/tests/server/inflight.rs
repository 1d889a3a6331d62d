//! At most ten images are in the making.

use std::{pin::pin, time::Duration};

use futures_util::future::{Either, select};
use ideogram_mock::MockServer;
use serde_json::json;

use crate::caller::{Answered, Caller, with_png};

async fn generate(caller: &Caller, count: u32) -> Answered {
    caller.post("/generate", &json!({"image_request": {"prompt": "a cat", "num_images": count}})).await
}

#[tokio::test]
async fn images_are_counted_not_calls() {
    let caller = Caller::with(MockServer::builder().generation_time(Duration::from_secs(3600))).await;

    // One of them is in the making for an hour, whichever came first; the other is refused and so the first to answer.
    let refused = match select(pin!(generate(&caller, 8)), pin!(generate(&caller, 3))).await {
        Either::Left((response, _)) | Either::Right((response, _)) => response,
    };
    // The caller of the one in the making has hung up by now, which frees no place.
    let late = generate(&caller, 8).await;
    let image = with_png(reqwest::multipart::Form::new(), "image_file", "a.png", (9, 9));
    let described = caller.post_form("/describe", image).await;

    for response in [refused, late] {
        assert_eq!(response.status, 429);
        assert_eq!(response.body["reject_reason"], "inflight_limit");
        assert_eq!(response.body["max_inflight_requests"], 10);
    }
    assert_eq!(described.status, 200);
}

#[tokio::test]
async fn ten_images_fit_and_places_are_free_again() {
    let caller = Caller::with(MockServer::builder().generation_time(Duration::from_millis(30))).await;

    let together = tokio::join!(generate(&caller, 8), generate(&caller, 2));
    let after = generate(&caller, 8).await;

    for response in [together.0, together.1, after] {
        assert_eq!(response.status, 200);
    }
}

#[tokio::test]
async fn a_refused_call_takes_no_place() {
    let caller = Caller::with(MockServer::builder().generation_time(Duration::from_secs(3600))).await;

    for _ in 0..2 {
        let request = json!({"image_request": {"prompt": "a forbidden cat", "num_images": 8}});
        assert_eq!(caller.post("/generate", &request).await.status, 422);
    }
}
