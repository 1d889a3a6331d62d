//! Images in a request must be readable, small enough, and match in size.

use reqwest::multipart::{Form, Part};
use serde_json::json;

use crate::caller::{Caller, form, png, with_png};

#[tokio::test]
async fn a_source_that_is_not_an_image_is_refused() {
    let caller = Caller::new().await;
    let mut cut = png();
    cut.truncate(40);

    for content in [cut, b"GIF89a".to_vec(), Vec::new()] {
        let form = Form::new().part("image", Part::bytes(content).file_name("cat.png"));
        let response = caller.post_form("/v1/remove-background", form).await;
        assert_eq!(response.status, 400);
        assert_eq!(response.body, json!({"error": "Could not read a source image."}));
    }
}

#[tokio::test]
async fn all_three_image_formats_are_accepted() {
    let caller = Caller::new().await;
    let jpeg = b"\xff\xd8\xff\xc0\0\x0b\x08\0\x01\0\x01\x01\x01\x11\0\xff\xda\0\x02data\xff\xd9".to_vec();
    let webp = b"RIFF\x12\0\0\0WEBPVP8L\x06\0\0\0\x2f\0\0\0\0\0".to_vec();

    for content in [png(), jpeg, webp] {
        let form = Form::new().part("image", Part::bytes(content).file_name("cat"));
        assert_eq!(caller.post_form("/v1/remove-background", form).await.status, 200);
    }
}

#[tokio::test]
async fn a_source_must_be_a_file() {
    let caller = Caller::new().await;

    let missing = caller.post_form("/v1/ideogram-v3/layerize-text", form([("seed", "1")])).await;
    let text = caller.post_form("/v1/remove-background", form([("image", "cat.png")])).await;

    assert_eq!(missing.body["detail"], r#""image" is a required property"#);
    assert_eq!(text.body["detail"], "the part 'image' is a file and needs a file name");
}

#[tokio::test]
async fn large_sources_and_sets_are_refused() {
    let caller = Caller::new().await;
    // Bytes after the end of a PNG file are ignored.
    let padded = |size: usize| Part::bytes([png(), vec![0; size]].concat()).file_name("cat.png");
    let prompt = || form([("prompt", "a cat")]);

    let large = caller.post_form("/v1/remove-background", Form::new().part("image", padded(25 << 20))).await;
    let styles = |size| {
        let form = prompt().part("style_reference_images", padded(size));
        form.part("style_reference_images", padded(size)).part("style_reference_images", padded(4 << 20))
    };
    let set = caller.post_form("/v1/ideogram-v3/generate", styles(24 << 20)).await;
    let small_set = caller.post_form("/v1/ideogram-v3/generate", styles(20 << 20)).await;
    let each = prompt().part("images", padded(24 << 20)).part("images", padded(20 << 20));
    let each = caller.post_form("/v1/edit", each).await;

    let statuses = [large, set, small_set, each].map(|response| response.status.as_u16());
    assert_eq!(statuses, [400, 400, 200, 200]);
}

#[tokio::test]
async fn a_mask_has_the_size_of_its_image() {
    let caller = Caller::new().await;
    let inpaint = async |mask| {
        let form = with_png(form([("prompt", "a cat")]), "image", "cat.png", (30, 20));
        caller.post_form("/v1/ideogram-v3/inpaint", with_png(form, "mask", "mask.png", mask)).await
    };

    let matching = inpaint((30, 20)).await;
    let other = inpaint((20, 30)).await;

    assert_eq!(matching.status, 200);
    assert_eq!(matching.body["data"][0]["resolution"], "1248x832");
    assert_eq!(other.status, 422);
    assert_eq!(other.body, json!({"error": "The mask must have the size of the image."}));
}

#[tokio::test]
async fn a_character_reference_needs_a_mask_of_its_size() {
    let caller = Caller::new().await;
    let generate = async |texts: &[(&str, &str)], images: &[(u8, u8)], masks: &[(u8, u8)]| {
        let mut form = form([("prompt", "a cat")].into_iter().chain(texts.iter().copied()));
        for size in images {
            form = with_png(form, "character_reference_images", "cat.png", *size);
        }
        for size in masks {
            form = with_png(form, "character_reference_images_mask", "mask.png", *size);
        }
        caller.post_form("/v1/ideogram-v3/generate", form).await.status.as_u16()
    };

    assert_eq!(generate(&[], &[(9, 9)], &[]).await, 200);
    assert_eq!(generate(&[], &[(9, 9)], &[(9, 9)]).await, 200);
    assert_eq!(generate(&[], &[(9, 9)], &[(9, 8)]).await, 422);
    assert_eq!(generate(&[], &[(9, 9)], &[(9, 9), (9, 9)]).await, 400);
    assert_eq!(generate(&[], &[], &[(9, 9)]).await, 400);
    assert_eq!(generate(&[], &[(9, 9), (9, 9)], &[]).await, 400);
    assert_eq!(generate(&[("color_palette", r#"{"name": "EMBER"}"#)], &[(9, 9)], &[]).await, 400);
}
