//! Images are described, and short prompts become structured ones.

use reqwest::multipart::Form;
use serde_json::{Value, json};

use crate::caller::{Caller, form, with_png};

#[tokio::test]
async fn a_description_is_derived_from_name_and_shape() {
    let caller = Caller::new().await;

    let image = with_png(Form::new(), "image_file", "red-lantern_2.png", (16, 9));
    let response = caller.post_form("/describe", image).await;

    let text = response.body["descriptions"][0]["text"].as_str().unwrap();
    assert_eq!(text, "A wide image of a red lantern 2 in flat colors under a banded sky.");
}

#[tokio::test]
async fn a_structured_description_has_boxes_by_default() {
    let caller = Caller::new().await;
    let describe = async |texts: &[(&str, &str)]| {
        let image = with_png(form(texts.iter().copied()), "image_file", "red-lantern.png", (16, 9));
        let response = caller.post_form("/v1/ideogram-v4/describe", image).await;
        response.body["json_prompt"]["compositional_deconstruction"]["elements"][0].clone()
    };

    assert_eq!(describe(&[]).await["bbox"].as_array().unwrap().len(), 4);
    assert_eq!(describe(&[("include_bbox", "true")]).await, describe(&[]).await);
    assert_eq!(describe(&[("include_bbox", "false")]).await.get("bbox"), None);
}

#[tokio::test]
async fn a_magic_prompt_can_be_used_to_generate() {
    let caller = Caller::new().await;

    let request = json!({"text_prompt": r#"a shop sign that says "COFFEE""#, "aspect_ratio": "16x9"});
    let magic = caller.post("/v1/ideogram-v4/magic-prompt", &request).await;
    let auto = caller.post("/v1/ideogram-v4/magic-prompt", &json!({"text_prompt": "a cat"})).await;
    let prompt = magic.body["json_prompt"].to_string();
    let image = caller.post_form("/v1/ideogram-v4/generate", form([("json_prompt", prompt.as_str())])).await;

    let elements = &magic.body["json_prompt"]["compositional_deconstruction"]["elements"];
    assert_eq!((&elements[0]["type"], &elements[1]["text"]), (&json!("obj"), &json!("COFFEE")));
    assert_eq!(magic.body["aspect_ratio"], "16x9");
    assert!(auto.body["aspect_ratio"].as_str().is_some_and(|ratio| ratio != "AUTO"));
    assert_eq!(image.status, 200);
}

#[tokio::test]
async fn text_is_found_inside_the_image() {
    let caller = Caller::new().await;

    let image = with_png(form([("prompt", "open late")]), "image", "sign.png", (200, 100));
    let response = caller.post_form("/v1/ideogram-v3/layerize-text", image).await;

    let blocks = response.body["text_blocks"].as_array().unwrap();
    let edge =
        |block: &Value, start: &str, length: &str| block[start].as_u64().unwrap() + block[length].as_u64().unwrap();
    assert_eq!(blocks[0]["text"], "OPEN LATE");
    assert!(blocks.iter().all(|block| edge(block, "x", "width") <= 200 && edge(block, "y", "height") <= 100));
    for link in ["base_image_url", "original_image_url"] {
        assert_eq!(caller.fetch(&response.body[link]).await.unwrap().0, 200);
    }
}
