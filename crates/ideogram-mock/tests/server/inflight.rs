//! At most ten images are in flight.

use std::{pin::pin, time::Duration};

use futures_util::future::{Either, select};
use ideogram_mock::MockServer;
use serde_json::json;

use crate::caller::{Caller, Response, with_png};

async fn generate(caller: &Caller, count: u32) -> Response {
    caller.post("/generate", &json!({"image_request": {"prompt": "a cat", "num_images": count}})).await
}

#[tokio::test]
async fn images_are_counted_not_calls() {
    let caller = Caller::with(MockServer::builder().generation_time(Duration::from_secs(3600))).await;

    // The call that arrives first takes an hour; the other is refused, so its response is the first.
    let refused = match select(pin!(generate(&caller, 8)), pin!(generate(&caller, 3))).await {
        Either::Left((response, _)) | Either::Right((response, _)) => response,
    };
    // The first caller has hung up by now, which does not release its permits.
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
async fn ten_images_fit_and_their_permits_are_released() {
    let caller = Caller::with(MockServer::builder().generation_time(Duration::from_millis(30))).await;

    let together = tokio::join!(generate(&caller, 8), generate(&caller, 2));
    let after = generate(&caller, 8).await;

    for response in [together.0, together.1, after] {
        assert_eq!(response.status, 200);
    }
}

#[tokio::test]
async fn a_refused_call_takes_no_permit() {
    let caller = Caller::with(MockServer::builder().generation_time(Duration::from_secs(3600))).await;

    for _ in 0..2 {
        let request = json!({"image_request": {"prompt": "a forbidden cat", "num_images": 8}});
        assert_eq!(caller.post("/generate", &request).await.status, 422);
    }
}
