//! The typed calls of the second API version.

use ideogram_client::{
    Client,
    types::{ColorPaletteWithPresetNameV2, StackedCustomModel},
};
use serde_json::{Map, Value, json};

use super::{Call, call, file, files, own_palette, own_palette_json};

/// A call with these properties; `=>` has the form on the wire of a value that is not plain.
macro_rules! typed {
    ($call:expr, { $($name:ident: $value:expr $(=> $wire:expr)?),* $(,)? }) => {{
        let mut input = Map::new();
        $(input.insert(stringify!($name).to_owned(), typed!(@wire $value $(=> $wire)?));)*
        call(Value::Object(input), $call$(.$name($value))*.send())
    }};
    (@wire $value:expr => $wire:expr) => { json!($wire) };
    (@wire $value:expr) => { json!($value) };
}

/// The same as a job and as a question for its price, with what the client adds.
macro_rules! job_and_quote {
    ($call:expr, { $($name:ident: $value:expr $(=> $wire:expr)?),* $(,)? }) => {
        job_and_quote!($call, { $($name: $value $(=> $wire)?),* }, added: {"async": true})
    };
    ($call:expr, { $($name:ident: $value:expr $(=> $wire:expr)?),* $(,)? }, added: $added:tt) => {{
        let mut input = Map::new();
        $(input.insert(stringify!($name).to_owned(), typed!(@wire $value $(=> $wire)?));)*
        let with = |added: Value| {
            let mut input = input.clone();
            input.extend(added.as_object().cloned().unwrap());
            Value::Object(input)
        };
        [
            call(with(json!($added)), $call$(.$name($value))*.submit()),
            call(with(json!({"dry_run": true})), $call$(.$name($value))*.quote()),
        ]
    }};
}

/// Where webhooks would go.
const WEBHOOK: &str = "http://127.0.0.1:9/webhook";
const URI: &str = "model/paper-lanterns/version/1";

/// The calls of an operation; none for one of the first version.
#[expect(clippy::too_many_lines, reason = "a list")]
pub(super) fn calls<'c>(client: &'c Client, operation: &str) -> Vec<Call<'c>> {
    let palette = || ColorPaletteWithPresetNameV2::builder().name("ember");
    let stacked = || [StackedCustomModel::builder().custom_model_uri(URI).weight(0.5)];
    match operation {
        "post_generate_image_v2_ideogram45" => [
            typed!(client.generate_image_v2_ideogram45(), {
                prompt: "a cat", magic_prompt: "off", images: files(["a.png", "b.webp"]) => ["a.png", "b.webp"],
                mask: file("m.png") => "m.png", quality: "very_low", seed: 7, num_images: 8,
                enable_copyright_detection: true,
            }),
            typed!(client.generate_image_v2_ideogram45(), { prompt: "a \u{fc}", size: "2048x2048" }),
            typed!(client.generate_image_v2_ideogram45(), { prompt: "a" }),
        ].into_iter().chain(job_and_quote!(client.generate_image_v2_ideogram45(), { prompt: "a", webhook_url: WEBHOOK })).collect(),
        "post_generate_image_v2_ideogram_v4" => [
            typed!(client.generate_image_v2_ideogram_v4(), {
                prompt: "a cat", magic_prompt: "on", resolution: "512x1536", rendering_speed: "turbo", seed: 0,
                num_images: 1, enable_copyright_detection: false,
            }),
            typed!(client.generate_image_v2_ideogram_v4(), { prompt: "a" }),
        ].into_iter().chain(job_and_quote!(client.generate_image_v2_ideogram_v4(), { prompt: "a", webhook_url: WEBHOOK })).collect(),
        "post_generate_image_v2_ideogram_v4_transparent" => [
            typed!(client.generate_image_v2_ideogram_v4_transparent(), {
                prompt: "a cat", magic_prompt: "auto", aspect_ratio: "1x4", output_resolution: "8k",
                rendering_speed: "quality", seed: 1, num_images: 2, enable_copyright_detection: true,
            }),
            typed!(client.generate_image_v2_ideogram_v4_transparent(), { prompt: "a" }),
        ].into_iter().chain(job_and_quote!(client.generate_image_v2_ideogram_v4_transparent(), { prompt: "a", webhook_url: WEBHOOK })).collect(),
        "post_generate_image_v2_ideogram_v4_custom_model" => [
            typed!(client.generate_image_v2_ideogram_v4_custom_model(), {
                prompt: "a cat", custom_model_uri: URI,
                stacked_custom_models: stacked() => json!([{"custom_model_uri": URI, "weight": 0.5}]),
                magic_prompt: "on", resolution: "1024x1024", rendering_speed: "default", seed: 1, num_images: 2,
                enable_copyright_detection: true,
            }),
            typed!(client.generate_image_v2_ideogram_v4_custom_model(), { prompt: "a", custom_model_uri: URI }),
        ].into_iter().chain(job_and_quote!(client.generate_image_v2_ideogram_v4_custom_model(), { prompt: "a", custom_model_uri: URI, webhook_url: WEBHOOK })).collect(),
        "post_generate_image_v2_ideogram_v3" => [
            typed!(client.generate_image_v2_ideogram_v3(), {
                prompt: "a cat", aspect_ratio: "auto", rendering_speed: "turbo", magic_prompt: "off",
                negative_prompt: "dogs", num_images: 3, seed: 5, color_palette: palette() => json!({"name": "ember"}),
                style_codes: ["0aF1b2C3"], style_type: "stylized",
                style_reference_images: files(["s.png"]) => ["s.png"], enable_copyright_detection: true,
            }),
            typed!(client.generate_image_v2_ideogram_v3(), {
                prompt: "a", resolution: "512x1536", style_preset: "80s_illustration",
                color_palette: own_palette() => own_palette_json(),
            }),
            typed!(client.generate_image_v2_ideogram_v3(), { prompt: "a" }),
        ].into_iter().chain(job_and_quote!(client.generate_image_v2_ideogram_v3(), { prompt: "a", webhook_url: WEBHOOK })).collect(),
        "post_generate_image_v2_ideogram_v3_custom_model" => [
            typed!(client.generate_image_v2_ideogram_v3_custom_model(), {
                prompt: "a cat", custom_model_uri: URI, aspect_ratio: "16x9", rendering_speed: "turbo",
                magic_prompt: "off", negative_prompt: "dogs", num_images: 3, seed: 5,
                color_palette: palette() => json!({"name": "ember"}), style_codes: ["0aF1b2C3"],
                style_reference_images: files(["s.png"]) => ["s.png"], enable_copyright_detection: true,
            }),
            typed!(client.generate_image_v2_ideogram_v3_custom_model(), {
                prompt: "a", custom_model_uri: URI, resolution: "512x1536", style_preset: "weird",
                color_palette: own_palette() => own_palette_json(),
            }),
            typed!(client.generate_image_v2_ideogram_v3_custom_model(), { prompt: "a", custom_model_uri: URI }),
        ].into_iter().chain(job_and_quote!(client.generate_image_v2_ideogram_v3_custom_model(), { prompt: "a", custom_model_uri: URI, webhook_url: WEBHOOK })).collect(),
        "post_precise_edit_image_v2_ideogram45" => [
            typed!(client.precise_edit_image_v2_ideogram45(), {
                prompt: "a hat", image: file("a.png") => "a.png",
                reference_images: files(["r.jpg", "s.png"]) => ["r.jpg", "s.png"], mask: file("m.png") => "m.png",
                quality: "high", seed: 5, num_images: 2, enable_copyright_detection: true,
            }),
            typed!(client.precise_edit_image_v2_ideogram45(), { prompt: "a hat", image: file("a.png") => "a.png" }),
        ].into_iter().chain(job_and_quote!(client.precise_edit_image_v2_ideogram45(), { prompt: "a hat", image: file("a.png") => "a.png", webhook_url: WEBHOOK })).collect(),
        "post_inpaint_image_v2_ideogram_v3" => [
            typed!(client.inpaint_image_v2_ideogram_v3(), {
                prompt: "a hat", image: file("a.png") => "a.png", mask: file("m.png") => "m.png",
                rendering_speed: "quality", magic_prompt: "auto", num_images: 2, seed: 5, style_codes: ["0aF1b2C3"],
                style_type: "general", style_reference_images: files(["s.png"]) => ["s.png"],
                enable_copyright_detection: true,
            }),
            typed!(client.inpaint_image_v2_ideogram_v3(), {
                prompt: "a hat", image: file("a.png") => "a.png", mask: file("m.png") => "m.png",
                style_preset: "watercolor",
            }),
            typed!(client.inpaint_image_v2_ideogram_v3(), {
                prompt: "a hat", image: file("a.png") => "a.png", mask: file("m.png") => "m.png",
            }),
        ].into_iter().chain(job_and_quote!(client.inpaint_image_v2_ideogram_v3(), {
                prompt: "a hat", image: file("a.png") => "a.png", mask: file("m.png") => "m.png", webhook_url: WEBHOOK })).collect(),
        "post_remix_image_v2_ideogram_v4" => [
            typed!(client.remix_image_v2_ideogram_v4(), {
                prompt: "a hat", image: file("a.png") => "a.png", image_weight: 30, resolution: "2048x2048",
                rendering_speed: "quality", num_images: 2, enable_copyright_detection: true,
            }),
            typed!(client.remix_image_v2_ideogram_v4(), { prompt: "a hat", image: file("a.png") => "a.png" }),
        ].into_iter().chain(job_and_quote!(client.remix_image_v2_ideogram_v4(), { prompt: "a hat", image: file("a.png") => "a.png", webhook_url: WEBHOOK })).collect(),
        "post_reframe_image_v2_ideogram_v3" => [
            typed!(client.reframe_image_v2_ideogram_v3(), {
                image: file("a.png") => "a.png", resolution: "512x1536", num_images: 2, seed: 5,
                rendering_speed: "quality", color_palette: palette() => json!({"name": "ember"}), style_codes: ["0aF1b2C3"],
            }),
            typed!(client.reframe_image_v2_ideogram_v3(), {
                image: file("a.png") => "a.png", resolution: "512x1536", style_preset: "watercolor",
                color_palette: own_palette() => own_palette_json(),
            }),
            typed!(client.reframe_image_v2_ideogram_v3(), {
                image: file("a.png") => "a.png", resolution: "512x1536",
                style_reference_images: files(["s.png"]) => ["s.png"],
            }),
            typed!(client.reframe_image_v2_ideogram_v3(), {
                image: file("a.png") => "a.png", resolution: "512x1536",
            }),
        ].into_iter().chain(job_and_quote!(client.reframe_image_v2_ideogram_v3(), {
                image: file("a.png") => "a.png", resolution: "512x1536" })).collect(),
        "post_replace_background_ideogram_v3" => [
            typed!(client.replace_background_ideogram_v3(), {
                prompt: "a forest", image: file("a.png") => "a.png", num_images: 2, rendering_speed: "turbo",
                private: true,
            }),
            typed!(client.replace_background_ideogram_v3(), { prompt: "a forest", image: file("a.png") => "a.png" }),
        ].into_iter().chain(job_and_quote!(client.replace_background_ideogram_v3(), { prompt: "a forest", image: file("a.png") => "a.png", webhook_url: WEBHOOK }, added: {})).collect(),
        "post_remove_background_v2" => [
            typed!(client.remove_background_v2(), { image: file("a.png") => "a.png", private: true }),
            typed!(client.remove_background_v2(), { image: file("a.png") => "a.png" }),
        ].into_iter().chain(job_and_quote!(client.remove_background_v2(), { image: file("a.png") => "a.png" })).collect(),
        "post_upscale" => [
            typed!(client.upscale(), { image: file("a.png") => "a.png", upscale_factor: "x8", seed: 3 }),
            typed!(client.upscale(), { image: file("a.png") => "a.png" }),
        ].into_iter().chain(job_and_quote!(client.upscale(), { image: file("a.png") => "a.png", webhook_url: WEBHOOK })).collect(),
        "post_describe_image_ideogram_v4" => vec![
            typed!(client.describe_image_ideogram_v4(), {
                image: file("a.png") => "a.png", include_bbox: false, include_style_descriptions: true,
                include_tags: true,
            }),
            typed!(client.describe_image_ideogram_v4(), { image: file("a.png") => "a.png" }),
        ],
        "get_account_usage_v2" => vec![
            typed!(client.get_account_usage_v2(), {
                start_time: "2026-10-07T00:00:00Z", end_time: "2026-10-08T00:00:00+02:00", bucket_width: "1h",
                sources: ["api", "app"],
            }),
            typed!(client.get_account_usage_v2(), { start_time: "2026-10-07T00:00:00Z" }),
        ],
        _ => Vec::new(),
    }
}
