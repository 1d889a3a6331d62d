//! The typed calls: for every operation enough calls to send each property of its request.
//!
//! `cargo xtask regen` derives calls with plain arguments from the document; here are those that need more: objects,
//! properties that exclude each other, jobs and quotes, texts that are hard to send. Exclusive properties are in different
//! calls. The expected values are written next to the arguments in their form on the wire, independently of the types of
//! the client.

#[rustfmt::skip]
#[path = "calls_derived.rs"]
mod derived;
#[path = "calls_v2.rs"]
mod v2;

use std::pin::Pin;

use ideogram_client::{
    Client, Error, File,
    types::{
        AspectRatioV3, AspectRatioV4, ColorPaletteMember, ColorPaletteWithMembers, ColorPaletteWithPresetName,
        ImageRequest, InitialImageRequest, ModelStatus, ResolutionV3, StylePresetV3, UpscaleInitialImageRequest,
        V4CompositionalDeconstruction, V4JsonPrompt, V4ObjPromptElement, V4PromptElement, V4StyleDescription,
        V4TextPromptElement, builder,
    },
};
use serde_json::{Value, json};

/// A typed call.
pub(super) struct Call<'c> {
    /// Parameters and properties of the body by their names on the wire; a file is its name.
    pub(super) arguments: Value,
    pub(super) future: Pin<Box<dyn Future<Output = Result<(), Error>> + 'c>>,
}

fn call<'c, T: 'c>(arguments: Value, future: impl Future<Output = Result<T, Error>> + 'c) -> Call<'c> {
    Call { arguments, future: Box::pin(async move { future.await.map(drop) }) }
}

/// The calls of an operation, by hand and derived.
pub(super) fn calls<'c>(client: &'c Client, operation: &str) -> Vec<Call<'c>> {
    let mut calls = by_hand(client, operation);
    calls.extend(derived::calls(client, operation));
    calls
}

/// The calls of an operation that are written here; none for one that needs none.
fn by_hand<'c>(client: &'c Client, operation: &str) -> Vec<Call<'c>> {
    match operation {
        "post_generate_image_v4" => generate_image_v4(client),
        "post_remix_image_v4" => remix_image_v4(client),
        "post_magic_prompt_v4" => magic_prompt_v4(client),
        "post_describe_v4" => describe_v4(client),
        "post_generate_image_v3" => generate_image_v3(client),
        "post_generate_image_v3_transparent" => generate_image_v3_transparent(client),
        "post_inpaint_image_v3" => inpaint_image_v3(client),
        "post_remix_image_v3" => remix_image_v3(client),
        "post_reframe_image_v3" => reframe_image_v3(client),
        "post_replace_background_v3" => replace_background_v3(client),
        "post_remove_background" => remove_background(client),
        "post_layerize_text_v3" => layerize_text_v3(client),
        "post_v1_edit_image" => v1_edit_image(client),
        "post_upscale_image" => upscale_image(client),
        "post_describe" => describe(client),
        "post_generate_image" => generate_image(client),
        "post_edit_image_v3" => edit_image_v3(client),
        "post_edit_image" => edit_image(client),
        "post_remix_image" => remix_image(client),
        "post_reframe_image" => reframe_image(client),
        "create_dataset" => {
            vec![call(json!({"name": "A \"name\""}), client.create_dataset().name("A \"name\"").send())]
        }
        "upload_dataset_assets" => upload_dataset_assets(client),
        "train_model_v3" => train_model_v3(client),
        "list_custom_models" => list_custom_models(client),
        _ => v2::calls(client, operation),
    }
}

/// The content of a file.
pub(super) fn content(name: &str) -> String {
    format!("the content of {name}")
}

fn file(name: &str) -> File {
    File::from_bytes(name, content(name))
}

fn files<const N: usize>(names: [&str; N]) -> [File; N] {
    names.map(file)
}

fn generate_image_v4(client: &Client) -> Vec<Call<'_>> {
    let structured = call(
        json!({
            "json_prompt": {
                "high_level_description": "A lantern, \"lit\"",
                "style_description": {
                    "aesthetics": "warm", "art_style": "ink", "lighting": "dim", "medium": "paper", "photo": "none",
                    "color_palette": ["#D65428", "#101838"],
                },
                "compositional_deconstruction": {
                    "background": "a river",
                    "elements": [
                        {"type": "obj", "desc": "a lantern", "bbox": [0, 10, 500, 1000], "color_palette": ["#D65428"]},
                        {"type": "text", "text": "Ü", "desc": "a letter", "bbox": [1, 2, 3, 4], "color_palette": ["#000000"]},
                    ],
                },
                "tags": ["night"],
            },
            "resolution": "1024x3072",
            "rendering_speed": "TURBO",
            "enable_copyright_detection": true,
        }),
        client
            .generate_image_v4()
            .json_prompt(structured_prompt())
            .resolution("1024x3072")
            .rendering_speed("TURBO")
            .enable_copyright_detection(true)
            .send(),
    );
    let plain = json!({
        "json_prompt": {
            "high_level_description": "A lantern",
            "compositional_deconstruction": {"background": "a river", "elements": []},
        },
    });
    let nothing_in_it: [V4PromptElement; 0] = [];
    let parts = V4CompositionalDeconstruction::builder().background("a river").elements(nothing_in_it);
    let prompt = V4JsonPrompt::builder().high_level_description("A lantern").compositional_deconstruction(parts);
    vec![
        structured,
        call(plain, client.generate_image_v4().json_prompt(prompt).send()),
        call(json!({"text_prompt": "a cat"}), client.generate_image_v4().text_prompt("a cat").send()),
    ]
}

fn structured_prompt() -> builder::V4JsonPrompt {
    let thing = V4ObjPromptElement::builder().desc("a lantern").bbox([0, 10, 500, 1000]).color_palette(["#D65428"]);
    let text = V4TextPromptElement::builder().text("Ü").desc("a letter").bbox([1, 2, 3, 4]).color_palette(["#000000"]);
    let elements = [V4PromptElement::try_from(thing).unwrap(), V4PromptElement::try_from(text).unwrap()];
    let style = V4StyleDescription::builder()
        .aesthetics("warm")
        .art_style("ink")
        .lighting("dim")
        .medium("paper")
        .photo("none")
        .color_palette(["#D65428", "#101838"]);
    V4JsonPrompt::builder()
        .high_level_description("A lantern, \"lit\"")
        .style_description(style)
        .compositional_deconstruction(V4CompositionalDeconstruction::builder().background("a river").elements(elements))
        .tags(["night"])
}

fn remix_image_v4(client: &Client) -> Vec<Call<'_>> {
    vec![
        call(
            json!({
                "image": "a.png", "text_prompt": "a cat", "image_weight": 100, "resolution": "2048x2048",
                "rendering_speed": "QUALITY", "enable_copyright_detection": false,
            }),
            client
                .remix_image_v4()
                .image(file("a.png"))
                .text_prompt("a cat")
                .image_weight(100)
                .resolution("2048x2048")
                .rendering_speed("QUALITY")
                .enable_copyright_detection(false)
                .send(),
        ),
        call(
            json!({"image": "a.webp", "text_prompt": "a cat"}),
            client.remix_image_v4().image(file("a.webp")).text_prompt("a cat").send(),
        ),
    ]
}

fn magic_prompt_v4(client: &Client) -> Vec<Call<'_>> {
    vec![
        call(
            json!({"text_prompt": "a cat", "aspect_ratio": "9x16"}),
            client.magic_prompt_v4().text_prompt("a cat").aspect_ratio(AspectRatioV4::W9H16).send(),
        ),
        call(json!({"text_prompt": "a cat"}), client.magic_prompt_v4().text_prompt("a cat").send()),
    ]
}

fn describe_v4(client: &Client) -> Vec<Call<'_>> {
    vec![
        call(
            json!({"image_file": "a.jpg", "include_bbox": false}),
            client.describe_v4().image_file(file("a.jpg")).include_bbox(false).send(),
        ),
        call(json!({"image_file": "a.jpg"}), client.describe_v4().image_file(file("a.jpg")).send()),
    ]
}

fn named_palette() -> builder::ColorPaletteWithPresetName {
    ColorPaletteWithPresetName::builder().name("ULTRAMARINE")
}

fn own_palette() -> builder::ColorPaletteWithMembers {
    let red = ColorPaletteMember::builder().color_hex("#f00").color_weight(0.05);
    ColorPaletteWithMembers::builder().members([red, ColorPaletteMember::builder().color_hex("#00FF00")])
}

fn own_palette_json() -> Value {
    json!({"members": [{"color_hex": "#f00", "color_weight": 0.05}, {"color_hex": "#00FF00"}]})
}

fn generate_image_v3(client: &Client) -> Vec<Call<'_>> {
    vec![
        call(
            json!({
                "prompt": "a cat & 1 dog\r\nÜ", "seed": 0, "aspect_ratio": "1x3", "rendering_speed": "BALANCED",
                "magic_prompt": "ON", "negative_prompt": "dogs", "num_images": 8,
                "color_palette": {"name": "ULTRAMARINE"}, "style_type": "REALISTIC",
                "style_preset": "80S_ILLUSTRATION", "custom_model_uri": "model/m/version/1",
                "style_reference_images": ["s1.png", "s2.jpg"], "character_reference_images": ["c.png"],
                "character_reference_images_mask": ["m.png"], "enable_copyright_detection": true,
            }),
            client
                .generate_image_v3()
                .prompt("a cat & 1 dog\r\nÜ")
                .seed(0)
                .aspect_ratio(AspectRatioV3::W1H3)
                .rendering_speed("BALANCED")
                .magic_prompt("ON")
                .negative_prompt("dogs")
                .num_images(8)
                .color_palette(named_palette())
                .style_type("REALISTIC")
                .style_preset(StylePresetV3::Style80sIllustration)
                .custom_model_uri("model/m/version/1")
                .style_reference_images(files(["s1.png", "s2.jpg"]))
                .character_reference_images(files(["c.png"]))
                .character_reference_images_mask(files(["m.png"]))
                .enable_copyright_detection(true)
                .send(),
        ),
        call(
            json!({
                "prompt": "a cat", "resolution": "736x1312", "style_codes": ["0aF1b2C3", "FFFFFFFF"],
                "color_palette": own_palette_json(),
            }),
            client
                .generate_image_v3()
                .prompt("a cat")
                .resolution(ResolutionV3::W736H1312)
                .style_codes(["0aF1b2C3", "FFFFFFFF"])
                .color_palette(own_palette())
                .send(),
        ),
        call(json!({"prompt": "a cat"}), client.generate_image_v3().prompt("a cat").send()),
    ]
}

fn generate_image_v3_transparent(client: &Client) -> Vec<Call<'_>> {
    vec![
        call(
            json!({
                "prompt": "a logo", "seed": 2_147_483_647, "upscale_factor": "X4", "aspect_ratio": "16x10",
                "rendering_speed": "DEFAULT", "magic_prompt": "OFF", "negative_prompt": "text", "num_images": 1,
            }),
            client
                .generate_image_v3_transparent()
                .prompt("a logo")
                .seed(2_147_483_647)
                .upscale_factor("X4")
                .aspect_ratio("16x10")
                .rendering_speed("DEFAULT")
                .magic_prompt("OFF")
                .negative_prompt("text")
                .num_images(1)
                .send(),
        ),
        call(json!({"prompt": "a logo"}), client.generate_image_v3_transparent().prompt("a logo").send()),
    ]
}

fn inpaint_image_v3(client: &Client) -> Vec<Call<'_>> {
    let [most, codes, least] = inpaint_given();
    let required = || client.inpaint_image_v3().image(file("a.png")).mask(file("m.png")).prompt("a hat");
    vec![
        call(
            most,
            required()
                .magic_prompt("AUTO")
                .num_images(2)
                .seed(7)
                .rendering_speed("TURBO")
                .style_type("DESIGN")
                .style_preset("90S_NOSTALGIA")
                .color_palette(named_palette())
                .style_reference_images(files(["s1.webp", "s2.webp"]))
                .character_reference_images(files(["c.png"]))
                .character_reference_images_mask(files(["cm.png"]))
                .send(),
        ),
        call(codes, required().style_codes(["12345678"]).color_palette(own_palette()).send()),
        call(least, required().send()),
    ]
}

#[expect(deprecated, reason = "what is announced to go has not gone yet")]
fn edit_image_v3(client: &Client) -> Vec<Call<'_>> {
    let [most, codes, least] = inpaint_given();
    let required = || client.edit_image_v3().image(file("a.png")).mask(file("m.png")).prompt("a hat");
    vec![
        call(
            most,
            required()
                .magic_prompt("AUTO")
                .num_images(2)
                .seed(7)
                .rendering_speed("TURBO")
                .style_type("DESIGN")
                .style_preset("90S_NOSTALGIA")
                .color_palette(named_palette())
                .style_reference_images(files(["s1.webp", "s2.webp"]))
                .character_reference_images(files(["c.png"]))
                .character_reference_images_mask(files(["cm.png"]))
                .send(),
        ),
        call(codes, required().style_codes(["12345678"]).color_palette(own_palette()).send()),
        call(least, required().send()),
    ]
}

/// Inpainting has two names, and is arguments the same under both.
fn inpaint_given() -> [Value; 3] {
    [
        json!({
            "image": "a.png", "mask": "m.png", "prompt": "a hat", "magic_prompt": "AUTO", "num_images": 2, "seed": 7,
            "rendering_speed": "TURBO", "style_type": "DESIGN", "style_preset": "90S_NOSTALGIA",
            "color_palette": {"name": "ULTRAMARINE"}, "style_reference_images": ["s1.webp", "s2.webp"],
            "character_reference_images": ["c.png"], "character_reference_images_mask": ["cm.png"],
        }),
        json!({
            "image": "a.png", "mask": "m.png", "prompt": "a hat", "style_codes": ["12345678"],
            "color_palette": own_palette_json(),
        }),
        json!({"image": "a.png", "mask": "m.png", "prompt": "a hat"}),
    ]
}

fn remix_image_v3(client: &Client) -> Vec<Call<'_>> {
    let required = || client.remix_image_v3().image(file("a.png")).prompt("a cat");
    vec![
        call(
            json!({
                "image": "a.png", "prompt": "a cat", "image_weight": 1, "seed": 3, "aspect_ratio": "4x5",
                "rendering_speed": "QUALITY", "magic_prompt": "ON", "negative_prompt": "dogs", "num_images": 3,
                "color_palette": {"name": "ULTRAMARINE"}, "style_type": "FICTION", "style_preset": "C4D_CARTOON",
                "style_reference_images": ["s1.png", "s2.png", "s3.png"], "character_reference_images": ["c.jpg"],
                "character_reference_images_mask": ["m.jpg"],
            }),
            required()
                .image_weight(1)
                .seed(3)
                .aspect_ratio("4x5")
                .rendering_speed("QUALITY")
                .magic_prompt("ON")
                .negative_prompt("dogs")
                .num_images(3)
                .color_palette(named_palette())
                .style_type("FICTION")
                .style_preset("C4D_CARTOON")
                .style_reference_images(files(["s1.png", "s2.png", "s3.png"]))
                .character_reference_images(files(["c.jpg"]))
                .character_reference_images_mask(files(["m.jpg"]))
                .send(),
        ),
        call(
            json!({
                "image": "a.png", "prompt": "a cat", "resolution": "1312x736", "style_codes": ["aaaaaaaa", "bbbbbbbb"],
                "color_palette": own_palette_json(),
            }),
            required().resolution("1312x736").style_codes(["aaaaaaaa", "bbbbbbbb"]).color_palette(own_palette()).send(),
        ),
        call(json!({"image": "a.png", "prompt": "a cat"}), required().send()),
    ]
}

fn reframe_image_v3(client: &Client) -> Vec<Call<'_>> {
    let required = || client.reframe_image_v3().image(file("a.png")).resolution("512x1536");
    vec![
        call(
            json!({
                "image": "a.png", "resolution": "512x1536", "num_images": 4, "seed": 5, "rendering_speed": "FLASH",
                "style_preset": "AURA", "color_palette": {"name": "ULTRAMARINE"},
                "style_reference_images": ["s1.png", "s2.png"],
            }),
            required()
                .num_images(4)
                .seed(5)
                .rendering_speed("FLASH")
                .style_preset("AURA")
                .color_palette(named_palette())
                .style_reference_images(files(["s1.png", "s2.png"]))
                .send(),
        ),
        call(
            json!({
                "image": "a.png", "resolution": "512x1536", "style_codes": ["01234567", "89abcdef"],
                "color_palette": own_palette_json(),
            }),
            required().style_codes(["01234567", "89abcdef"]).color_palette(own_palette()).send(),
        ),
        call(json!({"image": "a.png", "resolution": "512x1536"}), required().send()),
    ]
}

fn replace_background_v3(client: &Client) -> Vec<Call<'_>> {
    let required = || client.replace_background_v3().image(file("a.png")).prompt("a forest");
    vec![
        call(
            json!({
                "image": "a.png", "prompt": "a forest", "magic_prompt": "OFF", "num_images": 4, "seed": 5,
                "rendering_speed": "TURBO", "style_preset": "WEIRD", "color_palette": {"name": "ULTRAMARINE"},
                "style_reference_images": ["s1.png", "s2.png"],
            }),
            required()
                .magic_prompt("OFF")
                .num_images(4)
                .seed(5)
                .rendering_speed("TURBO")
                .style_preset("WEIRD")
                .color_palette(named_palette())
                .style_reference_images(files(["s1.png", "s2.png"]))
                .send(),
        ),
        call(
            json!({
                "image": "a.png", "prompt": "a forest", "style_codes": ["01234567", "89abcdef"],
                "color_palette": own_palette_json(),
            }),
            required().style_codes(["01234567", "89abcdef"]).color_palette(own_palette()).send(),
        ),
        call(json!({"image": "a.png", "prompt": "a forest"}), required().send()),
    ]
}

fn remove_background(client: &Client) -> Vec<Call<'_>> {
    vec![call(json!({"image": "a.png"}), client.remove_background().image(file("a.png")).send())]
}

fn layerize_text_v3(client: &Client) -> Vec<Call<'_>> {
    vec![
        call(
            json!({"image": "a.png", "prompt": "a sign", "seed": 9, "font_candidate_files": ["a.otf", "b.otf"]}),
            client
                .layerize_text_v3()
                .image(file("a.png"))
                .prompt("a sign")
                .seed(9)
                .font_candidate_files(files(["a.otf", "b.otf"]))
                .send(),
        ),
        call(json!({"image": "a.png"}), client.layerize_text_v3().image(file("a.png")).send()),
    ]
}

fn v1_edit_image(client: &Client) -> Vec<Call<'_>> {
    vec![
        call(
            json!({
                "prompt": "a beach", "images": ["a.png", "b.jpg", "c.webp"], "num_images": 2, "seed": 1,
                "magic_prompt": "AUTO", "aspect_ratio": "1x1", "transparent_background": true,
            }),
            client
                .v1_edit_image()
                .prompt("a beach")
                .images(files(["a.png", "b.jpg", "c.webp"]))
                .num_images(2)
                .seed(1)
                .magic_prompt("AUTO")
                .aspect_ratio("1x1")
                .transparent_background(true)
                .send(),
        ),
        call(
            json!({
                "prompt": "a beach", "image_urls": ["https://ideogram.ai/a?exp=1&sig=2", "https://ideogram.ai/b"],
                "resolution": "1024x1024", "transparent_background": false,
            }),
            client
                .v1_edit_image()
                .prompt("a beach")
                .image_urls(["https://ideogram.ai/a?exp=1&sig=2", "https://ideogram.ai/b"])
                .resolution("1024x1024")
                .transparent_background(false)
                .send(),
        ),
        call(json!({"prompt": "a beach"}), client.v1_edit_image().prompt("a beach").send()),
    ]
}

fn upscale_image(client: &Client) -> Vec<Call<'_>> {
    let most = UpscaleInitialImageRequest::builder()
        .prompt("a cat")
        .resemblance(1)
        .detail(100)
        .magic_prompt_option("ON")
        .num_images(2)
        .seed(4);
    let none = UpscaleInitialImageRequest::builder();
    vec![
        call(
            json!({
                "image_request": {
                    "prompt": "a cat", "resemblance": 1, "detail": 100, "magic_prompt_option": "ON", "num_images": 2,
                    "seed": 4,
                },
                "image_file": "a.png",
            }),
            client.upscale_image().image_request(most).image_file(file("a.png")).send(),
        ),
        call(
            json!({"image_request": {}, "image_file": "a.png"}),
            client.upscale_image().image_request(none).image_file(file("a.png")).send(),
        ),
    ]
}

fn describe(client: &Client) -> Vec<Call<'_>> {
    vec![
        call(
            json!({"image_file": "a.png", "describe_model_version": "V_4"}),
            client.describe().image_file(file("a.png")).describe_model_version("V_4").send(),
        ),
        call(json!({"image_file": "a.png"}), client.describe().image_file(file("a.png")).send()),
    ]
}

fn generate_image(client: &Client) -> Vec<Call<'_>> {
    let most = ImageRequest::builder()
        .prompt("a beach")
        .aspect_ratio("ASPECT_10_16")
        .model("V_2A_TURBO")
        .magic_prompt_option("OFF")
        .seed(6)
        .style_type("RENDER_3D")
        .negative_prompt("people")
        .num_images(2)
        .color_palette(named_palette());
    let sized =
        ImageRequest::builder().prompt("a beach").resolution("RESOLUTION_512_1536").color_palette(own_palette());
    older_requests()
        .into_iter()
        .zip([most, sized, ImageRequest::builder().prompt("a beach")])
        .map(|(arguments, request)| {
            call(json!({"image_request": arguments}), client.generate_image().image_request(request).send())
        })
        .collect()
}

fn remix_image(client: &Client) -> Vec<Call<'_>> {
    let most = InitialImageRequest::builder()
        .prompt("a beach")
        .aspect_ratio("ASPECT_10_16")
        .model("V_2A_TURBO")
        .magic_prompt_option("OFF")
        .seed(6)
        .style_type("RENDER_3D")
        .negative_prompt("people")
        .num_images(2)
        .color_palette(named_palette());
    let sized =
        InitialImageRequest::builder().prompt("a beach").resolution("RESOLUTION_512_1536").color_palette(own_palette());
    let weighted = call(
        json!({"image_request": {"prompt": "a beach", "image_weight": 99}, "image_file": "a.png"}),
        client
            .remix_image()
            .image_request(InitialImageRequest::builder().prompt("a beach").image_weight(99))
            .image_file(file("a.png"))
            .send(),
    );
    older_requests()
        .into_iter()
        .zip([most, sized, InitialImageRequest::builder().prompt("a beach")])
        .map(|(arguments, request)| {
            let arguments = json!({"image_request": arguments, "image_file": "a.png"});
            call(arguments, client.remix_image().image_request(request).image_file(file("a.png")).send())
        })
        .chain([weighted])
        .collect()
}

/// The properties that generate and remix of the legacy models share.
fn older_requests() -> [Value; 3] {
    [
        json!({
            "prompt": "a beach", "aspect_ratio": "ASPECT_10_16", "model": "V_2A_TURBO", "magic_prompt_option": "OFF",
            "seed": 6, "style_type": "RENDER_3D", "negative_prompt": "people", "num_images": 2,
            "color_palette": {"name": "ULTRAMARINE"},
        }),
        json!({"prompt": "a beach", "resolution": "RESOLUTION_512_1536", "color_palette": own_palette_json()}),
        json!({"prompt": "a beach"}),
    ]
}

fn edit_image(client: &Client) -> Vec<Call<'_>> {
    let required =
        || client.edit_image().image_file(file("a.png")).mask(file("m.png")).prompt("a beach").model("V_2_TURBO");
    vec![
        call(
            json!({
                "image_file": "a.png", "mask": "m.png", "prompt": "a beach", "model": "V_2_TURBO",
                "magic_prompt_option": "AUTO", "num_images": 2, "seed": 8, "style_type": "ANIME",
            }),
            required().magic_prompt_option("AUTO").num_images(2).seed(8).style_type("ANIME").send(),
        ),
        call(
            json!({"image_file": "a.png", "mask": "m.png", "prompt": "a beach", "model": "V_2_TURBO"}),
            required().send(),
        ),
    ]
}

fn reframe_image(client: &Client) -> Vec<Call<'_>> {
    let required = || client.reframe_image().image_file(file("a.png")).resolution("RESOLUTION_1536_640").model("V_2");
    vec![
        call(
            json!({
                "image_file": "a.png", "resolution": "RESOLUTION_1536_640", "model": "V_2", "num_images": 2,
                "seed": 8, "style_type": "DESIGN",
            }),
            required().num_images(2).seed(8).style_type("DESIGN").send(),
        ),
        call(json!({"image_file": "a.png", "resolution": "RESOLUTION_1536_640", "model": "V_2"}), required().send()),
    ]
}

fn upload_dataset_assets(client: &Client) -> Vec<Call<'_>> {
    vec![call(
        json!({"dataset_id": "abc", "files": ["a.png", "b.jpg", "a.txt"]}),
        client.upload_dataset_assets().dataset_id("abc").files(files(["a.png", "b.jpg", "a.txt"])).send(),
    )]
}

fn train_model_v3(client: &Client) -> Vec<Call<'_>> {
    vec![call(
        json!({"dataset_id": "a/b c", "model_name": "Paper lanterns-2"}),
        client.train_model_v3().dataset_id("a/b c").model_name("Paper lanterns-2").send(),
    )]
}

fn list_custom_models(client: &Client) -> Vec<Call<'_>> {
    vec![
        call(
            json!({"scope": "shared", "status": ["COMPLETED", "ERRORED"]}),
            client.list_custom_models().scope("shared").status([ModelStatus::Completed, ModelStatus::Errored]).send(),
        ),
        call(json!({}), client.list_custom_models().send()),
    ]
}
