//! JSON bodies where the service's own document lists them beside forms, and `HEAD` where there is `GET`.

use reqwest::Method;
use serde_json::{Value, json};

use crate::caller::{Caller, form, send};

#[tokio::test]
async fn json_and_a_form_with_the_same_values_create_the_same_images() {
    let caller = Caller::new().await;
    let palette = json!({"members": [{"color_hex": "#FFAA00", "color_weight": 0.5}]});
    for (path, request) in [
        ("/v1/ideogram-v4/generate", json!({"text_prompt": "a cat", "resolution": "2048x2048"})),
        ("/v1/ideogram-v3/generate", json!({"prompt": "a cat", "seed": 7, "num_images": 3, "color_palette": palette})),
        (
            "/v1/ideogram-v3/generate-transparent",
            json!({"prompt": "a cat", "seed": 7, "num_images": 2, "upscale_factor": "X2", "aspect_ratio": "3x1"}),
        ),
    ] {
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let parts: Vec<_> =
            request.as_object().unwrap().iter().map(|(name, value)| (name.clone(), text(value))).collect();
        let parts = parts.iter().map(|(name, text)| (name.as_str(), text.as_str()));

        let mut by_json = caller.post(path, &request).await;
        let mut by_form = caller.post_form(path, form(parts)).await;

        assert_eq!((by_json.status.as_u16(), by_form.status.as_u16()), (200, 200), "{path}: {by_json:?} {by_form:?}");
        for body in [&mut by_json.body, &mut by_form.body] {
            for image in body["data"].as_array_mut().unwrap() {
                assert!(image["url"].take().is_string());
                // Without a seed in the request the server picks one.
                if request.get("seed").is_none() {
                    image["seed"].take();
                }
            }
        }
        assert_eq!(by_json.body, by_form.body, "{path}");
    }
}

#[tokio::test]
async fn json_is_checked_like_a_form_and_cannot_carry_files() {
    let caller = Caller::new().await;
    for (request, detail) in [
        (json!({"prompt": "a cat", "seed": "7"}), r#""7" is not of type "integer" - 'seed'"#),
        (json!({"prompt": "a cat", "num_images": 9}), "9 is greater than the maximum of 8 - 'num_images'"),
        (
            json!({"prompt": "a cat", "style_reference_images": ["cat.png"]}),
            "JSON cannot carry a file, send multipart/form-data - 'style_reference_images'",
        ),
    ] {
        let response = caller.post("/v1/ideogram-v3/generate", &request).await;
        assert_eq!((response.status.as_u16(), response.body["detail"].as_str()), (400, Some(detail)), "{request}");
    }
    // The other operations of forms take forms only.
    let response = caller.post("/v1/ideogram-v3/remix", &json!({"prompt": "a cat"})).await;
    assert_eq!(response.status, 415);
}

#[tokio::test]
async fn head_is_get_without_a_body() {
    let caller = Caller::new().await;
    for path in ["/datasets", "/datasets/demo", "/datasets/nothing", "/models?scope=owned", "/nothing"] {
        let get = caller.request(Method::GET, path).send().await.unwrap();
        let head = caller.request(Method::HEAD, path).send().await.unwrap();

        assert_eq!(head.status(), get.status(), "{path}");
        for name in ["content-type", "content-length"] {
            assert_eq!(head.headers()[name], get.headers()[name], "{path}");
        }
        assert!(head.bytes().await.unwrap().is_empty(), "{path}");
    }
    assert_eq!(send(caller.request(Method::HEAD, "/v1/edit")).await.status, 405);
}
