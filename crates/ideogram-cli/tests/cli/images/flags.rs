//! What flags become on the wire, and what is refused before anything is sent.

use ideogram_client::{operation::InputKind, operations, schema::Schema};
use ideogram_mock::MockServer;
use serde_json::{Value, json};

use super::{calls, files, folder, parts};
use crate::invocation::{ideogram, serve, snapshot};

/// The files that the tests name.
const FILES: [&str; 6] = ["a.png", "mask.png", "s1.png", "s2.png", "c.png", "m.png"];

fn words(text: &str) -> Vec<&str> {
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
fn flags_that_contradict_each_other_or_the_model_are_refused_before_anything_is_sent() {
    for arguments in [
        "generate cat --model legacy --transparent",
        "generate cat --model v4 --style-preset weird",
        "generate cat --model v4.5 --size large",
        "generate cat --model v4.5 --mask m.png --images a.png --size 1024x1024",
        "generate --json-prompt a.png --seed 7",
        "upscale a.png --upscale-factor x2 --detail 10",
        "generate cat --model v4 --custom-model model/a/version/0 --stacked-custom-models x=y",
        "generate cat --transparent --custom-model model/a/version/0",
        "generate cat --transparent --resolution 512x1536",
        "generate cat --upscale-factor x2",
        "generate cat --resolution 576x1408",
        "generate cat --model v3 --resolution 2048x2048",
        "generate cat --model v3 --resolution 512x1536 --aspect-ratio 1x1",
        "generate cat --model v3 --aspect-ratio 1x7",
        "generate cat --model v3 --style-type anime",
        "generate cat --model v3 --style-preset weird --style-codes AAFF5733",
        "reframe a.png --resolution 1536x512 --style-codes AAFF5733 --style-reference-images s1.png",
        "generate cat --model v3 --style-codes nonsense",
        "generate cat --model v3 --color-palette ember --color-hex fd0",
        "generate cat --model v3 --character-reference-images-mask m.png",
        "generate cat --model v3 -n 9",
        "generate cat --model v3 --seed 2147483648",
        "generate cat --model v3 --legacy-model V_2",
        "generate cat --model v3 --json-prompt a.png",
        "generate --json-prompt a.png",
        "generate cat --model legacy --rendering-speed turbo",
        "generate cat --name ../up",
        "generate",
        "remix a.png cat --image-weight 101",
        "remix a.png cat --negative-prompt dogs",
        "inpaint a.png cat",
        "inpaint a.png cat --mask mask.png --model legacy --style-preset weird",
        "reframe a.png",
        "reframe a.png --resolution 1536x512 --style-type auto",
        "reframe a.png --resolution 1536x512 --model legacy --color-hex fd0",
        "edit --prompt cat",
        "generate cat --aspect-ratio 16:9 --size 2048x2048",
        "generate cat --aspect-ratio wide",
        "generate cat --aspect-ratio 9:1",
        "edit a.png",
        "edit cat",
        "describe a.png --no-boxes",
        "describe a.png --model v4 --describe-model-version V_3",
    ] {
        let (server, folder) = (serve(MockServer::builder()), folder(&FILES));

        let ran = ideogram(words(arguments)).against(&server).in_folder(folder.path()).run();

        assert_eq!((ran.code(), ran.stdout().as_str()), (Some(2), ""), "{arguments}\n{ran}");
        assert!(server.requests().is_empty(), "{arguments}");
        assert_eq!(files(folder.path()).len(), FILES.len(), "{arguments}: nothing is written either");
    }
}

#[test]
fn list_shows_the_values_of_every_flag_that_has_some() {
    for (line, part) in [
        ("generate cat --size list", "with --model v4.5, one of: 2048x2048, "),
        ("generate cat --aspect-ratio list", "with --model v4.5, one of: 2048x2048, "),
        ("generate cat --model v3 --aspect-ratio list", "with --model v3, one of: auto, 1:3, "),
        ("generate cat --model v3 --resolution list", "with --model v3, one of: 512x1536, "),
        ("generate cat --model v3 --style-preset list", "with --model v3, one of: "),
        ("generate cat --model v3 --resolution 1000x1000", "such as: 1024x1024, "),
        ("generate cat --model v3 --size 1000x1000", "with --model v3, use --resolution 1024x1024"),
    ] {
        let refused = ideogram(["--mock"].into_iter().chain(line.split(' '))).run();
        assert_eq!(refused.code(), Some(2), "{line}\n{refused}");
        assert!(refused.stderr().contains(part), "{line}\n{refused}");
    }
}

#[test]
fn a_refusal_says_what_will_do() {
    snapshot!(ideogram(["--mock", "generate", "cat", "--style-preset", "weird"]).run(), @"
    exit code: 2
    ----- stderr -----
    error: --style-preset is not supported by --model v4.5, the default: nothing was sent
    hint: add --model v3, which takes it: ideogram --mock generate cat --style-preset weird --model v3
    ");
    snapshot!(ideogram(["--mock", "generate", "cat", "--transparent", "--model", "legacy"]).run(), @"
    exit code: 2
    ----- stderr -----
    error: --transparent is not supported by --model legacy: nothing was sent
    hint: use --model v4 or --model v3
    ");
    let ran = ideogram(["--mock", "generate", "cat", "--model", "legacy", "--aspect-ratio", "1:2"]).run();
    snapshot!(ran, @"
    exit code: 2
    ----- stderr -----
    error: --aspect-ratio 1:2 is not supported by --model legacy: nothing was sent
    hint: use --model v3 or --model v4 --transparent, which supports it
    hint: with --model legacy, use one of: 10:16, 16:10, 9:16, 16:9, 3:2, 2:3, 4:3, 3:4, 1:1, 1:3, 3:1
    ");
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

/// The friendly command of an operation, with what it requires.
fn friendly(operation: &str) -> Option<Vec<&'static str>> {
    let words = match operation {
        "post_generate_image_v3" => "generate x --model v3",
        "post_generate_image_v3_transparent" => "generate x --transparent",
        "post_remix_image_v4" => "remix a.png x",
        "post_remix_image_v3" => "remix a.png x --model v3",
        "post_inpaint_image_v3" => "inpaint a.png x --mask a.png",
        "post_reframe_image_v3" => "reframe a.png --resolution 512x1536",
        "post_replace_background_v3" => "replace-background a.png x",
        "post_v1_edit_image" => "edit --prompt x a.png",
        "post_layerize_text_v3" => "layerize-text a.png",
        "post_edit_image" => "inpaint a.png x --mask a.png --model legacy",
        _ => return None,
    };
    Some(words.split(' ').collect())
}

#[test]
fn a_number_out_of_bounds_is_refused_alike_by_the_command_and_by_api() {
    let folder = tempfile::tempdir().unwrap();
    image::RgbImage::new(32, 32).save(folder.path().join("a.png")).unwrap();
    let mut compared = 0;
    for operation in operations::ALL {
        let Some(command) = friendly(operation.id) else { continue };
        let required = operation.inputs.iter().filter(|input| input.required).map(|input| {
            let value = match input.kind() {
                InputKind::File => "a.png",
                _ => input.values().first().copied().unwrap_or("x"),
            };
            format!("--{}={value}", input.name.replace('_', "-"))
        });
        let required: Vec<String> = required.collect();
        for input in operation.inputs {
            let Schema::Integer { minimum: Some(minimum), maximum: Some(maximum) } = input.schema else { continue };
            let flag = format!("--{}", input.name.replace('_', "-"));
            for value in [minimum - 1, maximum + 1] {
                let argument = format!("{flag}={value}");
                let reason = input.schema.check_text(&value.to_string()).unwrap_err().to_string();

                let command = command.iter().copied().chain([argument.as_str(), "--dry-run"]);
                let by_command = ideogram(command).in_folder(folder.path()).run();
                let by_api = ["api", operation.id, &argument, "--dry-run"]
                    .into_iter()
                    .chain(required.iter().map(String::as_str));
                let by_api = ideogram(by_api).in_folder(folder.path()).run();

                for ran in [by_command, by_api] {
                    assert_eq!(ran.code(), Some(2), "{} {argument}: {ran}", operation.id);
                    assert!(ran.stderr().contains(&reason), "{} {argument}: {reason}\n{ran}", operation.id);
                }
                compared += 1;
            }
        }
    }
    assert!(compared >= 24, "{compared}");
}
