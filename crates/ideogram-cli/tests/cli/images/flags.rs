//! What flags become on the wire.

use ideogram_mock::MockServer;
use serde_json::{Value, json};

use super::{calls, files, folder, parts};
use crate::invocation::{ideogram, serve, snapshot};

/// The files that the tests name.
pub(super) const FILES: [&str; 6] = ["a.png", "mask.png", "s1.png", "s2.png", "c.png", "m.png"];

pub(super) fn words(text: &str) -> Vec<&str> {
    text.split(' ').collect()
}

/// Runs a command and returns its one call, with its parts as `name=value`.
fn sent(arguments: &str) -> (String, Vec<String>) {
    let (server, folder) = (serve(MockServer::builder()), folder(&FILES));

    let ran = ideogram(words(arguments)).against(&server).in_folder(folder.path()).run();

    assert_eq!(ran.code(), Some(0), "{arguments}\n{ran}");
    let parts = parts(&server).into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    let [call] = calls(&server).try_into().unwrap();
    (call, parts)
}

/// The JSON that a command sends.
fn sent_json(arguments: &str) -> Value {
    let server = serve(MockServer::builder());
    let folder = folder(&FILES);

    let ran = ideogram(words(arguments)).against(&server).in_folder(folder.path()).run();

    assert_eq!(ran.code(), Some(0), "{arguments}\n{ran}");
    let requests = server.requests();
    let call = requests.iter().find(|request| request.method == "POST").unwrap();
    match call.parts.iter().find(|part| part.name == "image_request") {
        Some(part) => serde_json::from_str(part.text.as_deref().unwrap()).unwrap(),
        None => serde_json::from_slice(&call.body).unwrap(),
    }
}

#[test]
fn the_newest_model_is_the_default() {
    let (call, parts) =
        sent("generate cat --size 2048x2048 --quality medium -n 2 --seed 1 --enable-copyright-detection");

    assert_eq!(call, "post_generate_image_v2_ideogram45");
    insta::assert_debug_snapshot!(parts, @r#"
    [
        "prompt=cat",
        "size=2048x2048",
        "quality=medium",
        "seed=1",
        "num_images=2",
        "enable_copyright_detection=true",
        "async=true",
    ]
    "#);
}

#[test]
fn every_flag_of_3_0_is_sent() {
    let (call, parts) = sent(
        "generate cat --model v3 --seed 7 --aspect-ratio 16:9 --rendering-speed quality --magic-prompt off \
         --negative-prompt dogs -n 2 --style-preset oil-painting --style-reference-images s1.png --style-reference-images s2.png \
         --character-reference-images c.png --character-reference-images-mask m.png --enable-copyright-detection",
    );

    assert_eq!(call, "post_generate_image_v3");
    insta::assert_debug_snapshot!(parts, @r#"
    [
        "prompt=cat",
        "seed=7",
        "aspect_ratio=16x9",
        "rendering_speed=QUALITY",
        "magic_prompt=OFF",
        "negative_prompt=dogs",
        "num_images=2",
        "style_preset=OIL_PAINTING",
        "style_reference_images=s1.png",
        "style_reference_images=s2.png",
        "character_reference_images=c.png",
        "character_reference_images_mask=m.png",
        "enable_copyright_detection=true",
    ]
    "#);
}

#[test]
fn colors_style_codes_and_sizes_of_3_0_are_sent() {
    let (_, parts) = sent(
        "generate cat --model v3 --resolution 512x1536 --color-hex #FFD700=0.5 --color-hex 000 --style-codes AAFF5733 \
         --style-codes 0133FF57",
    );

    insta::assert_debug_snapshot!(parts, @r##"
    [
        "prompt=cat",
        "resolution=512x1536",
        "color_palette={\"members\":[{\"color_hex\":\"#FFD700\",\"color_weight\":0.5},{\"color_hex\":\"#000\"}]}",
        "style_codes=AAFF5733",
        "style_codes=0133FF57",
        "async=true",
    ]
    "##);
    let (_, parts) = sent("generate cat --model v3 --style-type realistic --color-palette ember");
    insta::assert_debug_snapshot!(parts, @r#"
    [
        "prompt=cat",
        "color_palette={\"name\":\"ember\"}",
        "style_type=realistic",
        "async=true",
    ]
    "#);
}

#[test]
fn a_custom_model_and_a_transparent_background_need_no_model_flag() {
    let (call, parts) = sent("generate cat --custom-model model/paper-lanterns/version/1");
    assert_eq!(call, "post_generate_image_v2_ideogram_v3_custom_model");
    assert!(parts.contains(&"custom_model_uri=model/paper-lanterns/version/1".to_owned()), "{parts:?}");

    let (call, parts) = sent(
        "generate cat --transparent --model v3 --upscale-factor x2 --aspect-ratio 1x3 --seed 1 -n 2 --magic-prompt on \
         --rendering-speed turbo --negative-prompt dogs",
    );
    assert_eq!(call, "post_generate_image_v3_transparent");
    insta::assert_debug_snapshot!(parts, @r#"
    [
        "prompt=cat",
        "seed=1",
        "upscale_factor=X2",
        "aspect_ratio=1x3",
        "rendering_speed=TURBO",
        "magic_prompt=ON",
        "negative_prompt=dogs",
        "num_images=2",
    ]
    "#);
}

#[test]
fn the_legacy_models_have_names_of_their_own_for_sizes() {
    let request = sent_json(
        "generate cat --model legacy --legacy-model v_2_turbo --aspect-ratio 16:9 --seed 3 -n 2 --magic-prompt auto \
         --style-type render-3d --negative-prompt dogs --color-palette ember",
    );
    assert_eq!(
        request,
        json!({"image_request": {
            "aspect_ratio": "ASPECT_16_9", "color_palette": {"name": "EMBER"}, "magic_prompt_option": "AUTO",
            "model": "V_2_TURBO", "negative_prompt": "dogs", "num_images": 2, "prompt": "cat", "seed": 3,
            "style_type": "RENDER_3D",
        }})
    );
    let request = sent_json("generate cat --model legacy --resolution 640x1024");
    assert_eq!(request, json!({"image_request": {"prompt": "cat", "resolution": "RESOLUTION_640_1024"}}));
}

#[test]
fn the_first_operation_of_a_model_that_takes_all_flags_is_called() {
    for (arguments, expected) in [
        ("generate cat --model v4", "post_generate_image_v2_ideogram_v4"),
        ("generate cat --model v4 -n 2 --seed 7", "post_generate_image_v2_ideogram_v4"),
        ("generate cat --transparent", "post_generate_image_v2_ideogram_v4_transparent"),
        ("generate cat --transparent --model v3", "post_generate_image_v3_transparent"),
        ("generate cat --model v3 --character-reference-images c.png", "post_generate_image_v3"),
        ("replace-background a.png cat", "post_replace_background_ideogram_v3"),
        ("generate cat --model v4 --transparent -n 2", "post_generate_image_v2_ideogram_v4_transparent"),
        ("generate cat --model v4.5 --quality low --size 1024x1024 --seed 1", "post_generate_image_v2_ideogram45"),
        (
            "generate cat --model v4.5 --images a.png --images s1.png --mask mask.png",
            "post_generate_image_v2_ideogram45",
        ),
        ("generate cat --model v3 --aspect-ratio auto --color-palette ember", "post_generate_image_v2_ideogram_v3"),
        ("remix a.png cat -n 2", "post_remix_image_v2_ideogram_v4"),
        ("upscale a.png --upscale-factor x4", "post_upscale"),
        ("upscale a.png --upscale-factor x8 --seed 3", "post_upscale"),
        ("remove-background a.png --private", "post_remove_background_v2"),
    ] {
        assert_eq!(sent(arguments).0, expected, "{arguments}");
    }
    let model = "--custom-model model/paper-lanterns/version/1 --stacked-custom-models model/b/version/1=0.5";
    let body = sent_json(&format!("generate cat --model v4 {model}"));
    assert_eq!(body["stacked_custom_models"], json!([{"custom_model_uri": "model/b/version/1", "weight": 0.5}]));
}

#[test]
fn images_are_remixed_by_each_model() {
    let (call, parts) = sent("remix a.png cat --image-weight 30 --resolution 2048x2048 --rendering-speed quality");
    assert_eq!(call, "post_remix_image_v2_ideogram_v4");
    insta::assert_debug_snapshot!(parts, @r#"
    [
        "prompt=cat",
        "image=a.png",
        "image_weight=30",
        "resolution=2048x2048",
        "rendering_speed=quality",
        "async=true",
    ]
    "#);

    let (call, parts) = sent(
        "remix a.png cat --model v3 --image-weight 30 -n 2 --seed 1 --aspect-ratio 2x1 --style-preset weird \
         --style-reference-images s1.png --character-reference-images c.png --character-reference-images-mask m.png",
    );
    assert_eq!(call, "post_remix_image_v3");
    insta::assert_debug_snapshot!(parts, @r#"
    [
        "image=a.png",
        "prompt=cat",
        "image_weight=30",
        "seed=1",
        "aspect_ratio=2x1",
        "num_images=2",
        "style_preset=WEIRD",
        "style_reference_images=s1.png",
        "character_reference_images=c.png",
        "character_reference_images_mask=m.png",
    ]
    "#);

    let request = sent_json("remix a.png cat --model legacy --image-weight 30 --aspect-ratio 3:1");
    assert_eq!(request, json!({"aspect_ratio": "ASPECT_3_1", "image_weight": 30, "prompt": "cat"}));
}

#[test]
fn a_mask_decides_between_inpaint_and_edit() {
    let (call, parts) = sent("inpaint a.png cat --mask mask.png -n 2 --seed 1 --style-codes AAFF5733");
    assert_eq!(call, "post_inpaint_image_v2_ideogram_v3");
    insta::assert_debug_snapshot!(parts, @r#"
    [
        "prompt=cat",
        "image=a.png",
        "mask=mask.png",
        "num_images=2",
        "seed=1",
        "style_codes=AAFF5733",
        "async=true",
    ]
    "#);

    let (call, _) = sent("inpaint a.png cat --mask mask.png --model v3-edit");
    assert_eq!(call, "post_edit_image_v3");

    let (call, parts) = sent("inpaint a.png cat --mask mask.png --model legacy --magic-prompt off");
    assert_eq!(call, "post_edit_image");
    insta::assert_debug_snapshot!(parts, @r#"
    [
        "image_file=a.png",
        "mask=mask.png",
        "prompt=cat",
        "model=V_2",
        "magic_prompt_option=OFF",
    ]
    "#);

    let (call, parts) = sent("edit a.png s1.png s2.png --mask mask.png --prompt cat -n 2 --quality low");
    assert_eq!(call, "post_precise_edit_image_v2_ideogram45");
    insta::assert_debug_snapshot!(parts, @r#"
    [
        "prompt=cat",
        "image=a.png",
        "reference_images=s1.png",
        "reference_images=s2.png",
        "mask=mask.png",
        "quality=low",
        "num_images=2",
        "async=true",
    ]
    "#);
    let (call, parts) =
        sent("edit a.png s1.png --prompt cat --model v1 -n 2 --aspect-ratio 1:1 --transparent-background");
    assert_eq!(call, "post_v1_edit_image");
    insta::assert_debug_snapshot!(parts, @r#"
    [
        "prompt=cat",
        "images=a.png",
        "images=s1.png",
        "num_images=2",
        "aspect_ratio=1x1",
        "transparent_background=true",
    ]
    "#);
}

#[test]
fn the_other_tools_take_an_image() {
    for (arguments, expected) in [
        ("reframe a.png --resolution 1536x512 --seed 1 --color-hex fd0", "post_reframe_image_v2_ideogram_v3"),
        ("reframe a.png --resolution 640x1024 --model legacy --style-type anime", "post_reframe_image"),
        ("replace-background a.png cat -n 2 --style-reference-images s1.png", "post_replace_background_v3"),
        ("remove-background a.png", "post_remove_background_v2"),
        ("upscale a.png --prompt cat --resemblance 80 --detail 20 -n 2", "post_upscale_image"),
        ("layerize-text a.png --prompt cat --seed 5", "post_layerize_text_v3"),
    ] {
        let (call, parts) = sent(arguments);

        assert_eq!(call, expected);
        assert!(parts.iter().any(|part| part.ends_with("=a.png")), "{arguments}: {parts:?}");
    }
    let request = sent_json("upscale a.png --prompt cat --resemblance 80 --detail 20 -n 2");
    assert_eq!(request, json!({"detail": 20, "num_images": 2, "prompt": "cat", "resemblance": 80}));
}

#[test]
fn a_dry_run_of_each_command_needs_no_key_and_does_nothing() {
    for arguments in [
        "generate cat",
        "generate cat --transparent",
        "remix a.png cat",
        "edit a.png --prompt cat",
        "inpaint a.png cat --mask mask.png",
        "reframe a.png --resolution 1536x512",
        "replace-background a.png cat",
        "remove-background a.png",
        "upscale a.png",
        "layerize-text a.png",
        "describe a.png",
        "magic-prompt cat",
        "remix https://images.example.test/fox.jpg cat",
    ] {
        let folder = folder(&FILES);

        let ran = ideogram([words(arguments), vec!["--dry-run"]].concat()).in_folder(folder.path()).run();

        assert_eq!(ran.code(), Some(0), "{arguments}: {ran}");
        assert!(ran.stdout().starts_with("POST https://api.ideogram.ai/"), "{arguments}: {ran}");
        assert!(ran.stderr().contains("dry run: nothing was sent"), "{arguments}: {ran}");
        assert_eq!(files(folder.path()).len(), FILES.len(), "{arguments}: nothing is written");
    }
}

#[test]
fn a_dry_run_says_how_many_images_would_be_billed() {
    let ran = ideogram(["--dry-run", "generate", "cat", "--model", "v3", "-n", "4", "--seed", "7"]).run();

    snapshot!(ran, @"
    exit code: 0
    ----- stdout -----
    POST https://api.ideogram.ai/v2/image/generate/ideogram-3

    api-key:       [key]
    content-type:  multipart/form-data

    PART        CONTENT
    prompt      cat
    num_images  4
    seed        7
    async       true
    ----- stderr -----
    dry run: nothing was sent
    4 images would be billed (prices: https://ideogram.ai/features/api-pricing)
    --quote prints the price, and generates nothing
    ");
}
