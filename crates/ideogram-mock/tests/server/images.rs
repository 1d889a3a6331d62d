//! Images are created from prompt, seed and size.

use std::{io::Cursor, time::Duration};

use reqwest::multipart::Form;
use serde_json::{Value, json};

use crate::caller::{Caller, form, with_png};

const GENERATE: &str = "/v1/ideogram-v3/generate";

/// Decodes a whole PNG and returns its width and height.
fn size(bytes: &[u8]) -> (u32, u32) {
    let mut reader = png::Decoder::new(Cursor::new(bytes)).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut pixels).unwrap();
    (info.width, info.height)
}

/// The images of a response to a form.
async fn images(caller: &Caller, path: &str, form: Form) -> Vec<Value> {
    let response = caller.post_form(path, form).await;
    assert_eq!(response.status, 200, "{path}: {}", response.body);
    response.body["data"].as_array().unwrap().clone()
}

async fn bytes(caller: &Caller, image: &Value) -> Vec<u8> {
    let (status, headers, bytes) = caller.fetch(&image["url"]).await.unwrap();
    assert_eq!((status.as_u16(), headers["content-type"].to_str().unwrap()), (200, "image/png"));
    bytes
}

#[tokio::test]
async fn an_image_has_the_requested_size() {
    let caller = Caller::new().await;
    let square = (128, 128);
    let wide = (160, 90);

    for (path, form, resolution) in [
        ("/v1/ideogram-v4/generate", form([("text_prompt", "a cat")]), "2048x2048"),
        ("/v1/ideogram-v4/generate", form([("text_prompt", "a cat"), ("resolution", "720x1280")]), "720x1280"),
        ("/v1/ideogram-v4/remix", with_png(form([("text_prompt", "a cat")]), "image", "cat.png", wide), "2560x1440"),
        (GENERATE, form([("prompt", "a cat")]), "1024x1024"),
        (GENERATE, form([("prompt", "a cat"), ("aspect_ratio", "16x9")]), "1312x736"),
        (GENERATE, form([("prompt", "a cat"), ("aspect_ratio", "1x3")]), "512x1536"),
        (GENERATE, form([("prompt", "a cat"), ("resolution", "704x1152")]), "704x1152"),
        (
            "/v1/ideogram-v3/replace-background",
            with_png(form([("prompt", "a cat")]), "image", "cat.png", wide),
            "1312x736",
        ),
        ("/v1/ideogram-v3/remix", with_png(form([("prompt", "a cat")]), "image", "cat.png", wide), "1024x1024"),
        ("/v1/edit", form([("prompt", "a cat"), ("aspect_ratio", "4x5")]), "896x1120"),
        (
            "/reframe",
            with_png(form([("resolution", "RESOLUTION_640_1024"), ("model", "V_2")]), "image_file", "a.png", square),
            "640x1024",
        ),
    ] {
        let images = images(&caller, path, form).await;
        assert_eq!(images[0]["resolution"], resolution, "{path}");
        let (width, height) = size(&bytes(&caller, &images[0]).await);
        assert_eq!(format!("{width}x{height}"), resolution, "{path}");
    }
}

#[tokio::test]
async fn an_upscaled_image_has_both_sizes() {
    let caller = Caller::new().await;

    let logo = form([("prompt", "a logo"), ("aspect_ratio", "2x1"), ("upscale_factor", "X2")]);
    let logo = images(&caller, "/v1/ideogram-v3/generate-transparent", logo).await;
    let photo = with_png(form([("image_request", "{}")]), "image_file", "photo.png", (30, 20));
    let photo = images(&caller, "/upscale", photo).await;

    assert_eq!((&logo[0]["resolution"], &logo[0]["upscaled_resolution"]), (&json!("1408x704"), &json!("2816x1408")));
    assert_eq!(size(&bytes(&caller, &logo[0]).await), (2816, 1408));
    assert_eq!((&photo[0]["resolution"], &photo[0]["upscaled_resolution"]), (&json!("30x20"), &json!("60x40")));
    assert_eq!(size(&bytes(&caller, &photo[0]).await), (60, 40));
}

#[tokio::test]
async fn prompt_and_seed_define_the_image() {
    let caller = Caller::new().await;
    let draw = async |prompt, seed| {
        let images = images(&caller, GENERATE, form([("prompt", prompt), ("seed", seed)])).await;
        bytes(&caller, &images[0]).await
    };

    let first = draw("a cat", "7").await;

    assert_eq!(draw("a cat", "7").await, first);
    assert_ne!(draw("a cat", "8").await, first);
    assert_ne!(draw("a dog", "7").await, first);
}

#[tokio::test]
async fn several_images_have_seeds_in_a_row() {
    let caller = Caller::new().await;
    let seeds = async |form| -> Vec<u64> {
        images(&caller, GENERATE, form).await.iter().map(|image| image["seed"].as_u64().unwrap()).collect()
    };

    let requested = seeds(form([("prompt", "a cat"), ("num_images", "3"), ("seed", "2147483646")])).await;
    let picked = seeds(form([("prompt", "a cat"), ("num_images", "2")])).await;
    let again = seeds(form([("prompt", "a cat")])).await;

    assert_eq!(requested, [2_147_483_646, 2_147_483_647, 0]);
    assert_eq!(picked[1], picked[0] + 1);
    assert_ne!(again[0], picked[0]);
}

#[tokio::test]
async fn wrapped_options_work_like_plain_ones() {
    let caller = Caller::new().await;
    let request = json!({"prompt": "a cat", "num_images": 2, "seed": 5, "aspect_ratio": "ASPECT_16_9"});

    let generated = caller.post("/generate", &json!({"image_request": request})).await;
    let remix = with_png(form([("image_request", request.to_string().as_str())]), "image_file", "a.png", (9, 9));
    let remixed = images(&caller, "/remix", remix).await;

    for images in [generated.body["data"].as_array().unwrap(), &remixed] {
        assert_eq!(images.len(), 2);
        assert_eq!((&images[1]["seed"], &images[1]["resolution"]), (&json!(6), &json!("1280x720")));
    }
}

#[tokio::test]
async fn magic_prompt_rewrites_the_prompt_when_it_is_on() {
    let caller = Caller::new().await;
    let prompt = async |path, form| images(&caller, path, form).await[0]["prompt"].as_str().unwrap().to_owned();
    let structured = json!({
        "high_level_description": "a cat",
        "compositional_deconstruction": {"background": "grass", "elements": []},
    });

    let on = prompt(GENERATE, form([("prompt", "a cat."), ("magic_prompt", "ON")])).await;
    let again = prompt(GENERATE, form([("prompt", "a cat."), ("magic_prompt", "ON")])).await;
    let auto = prompt(GENERATE, form([("prompt", "a cat."), ("magic_prompt", "AUTO")])).await;
    let text = prompt("/v1/ideogram-v4/generate", form([("text_prompt", "a cat")])).await;
    let json = structured.to_string();
    let json = prompt("/v1/ideogram-v4/generate", form([("json_prompt", json.as_str())])).await;

    assert!(on.starts_with("a cat, ") && on.ends_with('.'), "{on}");
    assert_eq!(again, on);
    assert_eq!(auto, "a cat.");
    assert!(text.starts_with("a cat, "), "{text}");
    assert_eq!(serde_json::from_str::<Value>(&json).unwrap(), structured);
}

#[tokio::test]
async fn the_response_names_the_style_in_use() {
    let caller = Caller::new().await;
    let style = async |path, form| images(&caller, path, form).await[0].get("style_type").cloned();

    let chosen = style(GENERATE, form([("prompt", "a cat"), ("style_type", "DESIGN")])).await;
    let default = style(GENERATE, form([("prompt", "a cat")])).await;
    let code = style(GENERATE, form([("prompt", "a cat"), ("style_codes", "AAFF5733")])).await;
    let legacy = caller.post("/generate", &json!({"image_request": {"prompt": "a cat", "style_type": "ANIME"}})).await;

    assert_eq!(chosen, Some(json!("DESIGN")));
    assert_eq!(default, Some(json!("GENERAL")));
    assert_eq!(code, None);
    assert_eq!(legacy.body["data"][0]["style_type"], "ANIME");
}

#[tokio::test]
async fn a_custom_model_must_exist_and_be_ready() {
    let caller = Caller::new().await;
    let generate = async |uri: &str| {
        let response = caller.post_form(GENERATE, form([("prompt", "a cat"), ("custom_model_uri", uri)])).await;
        (response.status.as_u16(), response.body["data"][0]["style_type"].clone())
    };
    let listed = caller.get("/models").await;
    let ready = listed.body["models"][0]["custom_model_uri"].as_str().unwrap();
    let training = "model/paper-lanterns-2/version/1";

    assert_eq!(generate(ready).await, (200, json!("CUSTOM")));
    assert_eq!(generate("model/nothing/version/1").await.0, 400);
    assert_eq!(generate(training).await.0, 400);
    caller.server.advance(Duration::from_secs(90 * 60));
    assert_eq!(generate(training).await.0, 200);
}

#[tokio::test]
async fn the_fastest_speed_is_refused_where_the_service_refuses_it() {
    let caller = Caller::new().await;

    for (path, prompt, status) in [
        ("/v1/ideogram-v4/generate", "text_prompt", 400),
        ("/v1/ideogram-v3/generate-transparent", "prompt", 400),
        (GENERATE, "prompt", 200),
    ] {
        let response = caller.post_form(path, form([(prompt, "a cat"), ("rendering_speed", "FLASH")])).await;
        assert_eq!(response.status, status, "{path}");
    }
}

#[tokio::test]
async fn a_marked_prompt_withholds_images() {
    let caller = Caller::new().await;
    let safe = async |prompt| -> Vec<bool> {
        let images = images(&caller, GENERATE, form([("prompt", prompt), ("num_images", "3")])).await;
        let is_safe = |image: &Value| image["is_image_safe"].as_bool().unwrap();
        assert!(images.iter().all(|image| is_safe(image) != image["url"].is_null()));
        images.iter().map(is_safe).collect()
    };

    assert_eq!(safe("a withheld cat").await, [false, false, false]);
    assert_eq!(safe("Some withheld cats").await, [true, false, true]);
    let cut_out = with_png(Form::new(), "image", "withheld.png", (9, 9));
    let cut_out = images(&caller, "/v1/remove-background", cut_out).await;
    assert_eq!(cut_out, [json!({"url": null, "is_image_safe": false})]);
}

#[tokio::test]
async fn a_forbidden_prompt_is_declined() {
    let caller = Caller::new().await;

    let prompt = caller.post_form(GENERATE, form([("prompt", "a FORBIDDEN cat")])).await;
    let image = with_png(Form::new(), "image", "forbidden.png", (9, 9));
    let image = caller.post_form("/v1/remove-background", image).await;

    assert_eq!((prompt.status.as_u16(), image.status.as_u16()), (422, 422));
    assert!(prompt.body["error"].as_str().unwrap().starts_with("Prompt provided failed safety check"));
    assert!(image.body["error"].as_str().unwrap().starts_with("Image provided failed safety check"));
}

#[tokio::test]
async fn invalid_requests_are_refused_with_the_reason() {
    let caller = Caller::new().await;

    for (path, form, detail) in [
        (GENERATE, form([("seed", "1")]), r#""prompt" is a required property"#),
        (GENERATE, form([("prompt", "a"), ("style_preset", "NEW")]), "is not one of"),
        (GENERATE, form([("prompt", "a"), ("num_images", "9")]), "9 is greater than the maximum of 8 - 'num_images'"),
        (GENERATE, form([("prompt", "a"), ("num_images", "0")]), "0 is less than the minimum of 1 - 'num_images'"),
        (GENERATE, form([("prompt", "a"), ("seed", "2147483648")]), "is greater than the maximum of 2147483647"),
        (GENERATE, form([("prompt", "a"), ("seed", "1.5")]), r#"is not of type "integer" - 'seed'"#),
        (GENERATE, form([("prompt", "a"), ("style_codes", "AAFF573")]), "does not match"),
        (
            GENERATE,
            form([("prompt", "a"), ("resolution", "1024x1024"), ("aspect_ratio", "1x1")]),
            "'resolution' and 'aspect_ratio' cannot be combined",
        ),
        (
            GENERATE,
            form([("prompt", "a"), ("style_codes", "AAFF5733"), ("style_type", "AUTO")]),
            "'style_codes' and 'style_type' cannot be combined",
        ),
        (GENERATE, form([("prompt", "a"), ("color_palette", r#"{"name": "NEW"}"#)]), "'color_palette'"),
        (GENERATE, form([("prompt", "a"), ("color_palette", r#"{"members": []}"#)]), "'color_palette'"),
        (GENERATE, form([("prompt", "a"), ("promt", "b")]), "the operation has no part 'promt'"),
        (
            "/v1/ideogram-v4/generate",
            form([("resolution", "2048x2048")]),
            "exactly one of 'text_prompt', 'json_prompt' is required",
        ),
        ("/v1/ideogram-v4/generate", form([("json_prompt", "{}")]), "is a required property - 'json_prompt'"),
        ("/remix", form([("image_request", "{}")]), "is a required property"),
    ] {
        let response = caller.post_form(path, form).await;
        let actual = response.body["detail"].as_str().unwrap_or_default();
        assert_eq!(response.status, 400, "{path} {detail}");
        assert!(actual.contains(detail), "{actual}");
    }
    assert_eq!(caller.post_form("/generate", form([("prompt", "a")])).await.status, 415);
}

#[tokio::test]
async fn the_legacy_edit_takes_two_models_only() {
    let caller = Caller::new().await;

    for (model, status) in [("V_2", 200), ("V_2_TURBO", 200), ("V_1", 400), ("V_9", 400)] {
        let form = form([("prompt", "a cat"), ("model", model)]);
        let form = with_png(with_png(form, "image_file", "a.png", (9, 9)), "mask", "mask.png", (9, 9));
        assert_eq!(caller.post_form("/edit", form).await.status, status, "{model}");
    }
}
