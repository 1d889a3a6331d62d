//! Flags and values that are refused before anything is sent, and what the refusal says.

use std::error::Error as _;

use ideogram_client::{
    Client, File,
    operation::{ImageCount, Input, InputKind, Location, Operation},
    operations,
    schema::Schema,
    validate::Violations,
};
use ideogram_mock::MockServer;
use serde_json::json;

use super::{
    files,
    flags::{FILES, words},
    folder,
};
use crate::invocation::{ideogram, serve, snapshot};

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

/// The command of an operation that makes images, with what it requires.
fn command_of(operation: &str) -> Vec<&'static str> {
    let words = match operation {
        "post_generate_image_v2_ideogram45" => "generate x",
        "post_generate_image_v2_ideogram_v4" | "post_generate_image_v4" => "generate x --model v4",
        "post_generate_image_v2_ideogram_v4_transparent" => "generate x --model v4 --transparent",
        "post_generate_image_v2_ideogram_v4_custom_model" => "generate x --model v4 --custom-model model/a/version/0",
        "post_generate_image_v2_ideogram_v3" | "post_generate_image_v3" => "generate x --model v3",
        "post_generate_image_v2_ideogram_v3_custom_model" => "generate x --custom-model model/a/version/0",
        "post_generate_image_v3_transparent" => "generate x --model v3 --transparent",
        "post_generate_image" => "generate x --model legacy",
        "post_remix_image_v2_ideogram_v4" | "post_remix_image_v4" => "remix a.png x",
        "post_remix_image_v3" => "remix a.png x --model v3",
        "post_remix_image" => "remix a.png x --model legacy",
        "post_inpaint_image_v2_ideogram_v3" | "post_inpaint_image_v3" => "inpaint a.png x --mask a.png",
        "post_edit_image_v3" => "inpaint a.png x --mask a.png --model v3-edit",
        "post_edit_image" => "inpaint a.png x --mask a.png --model legacy",
        "post_reframe_image_v2_ideogram_v3" | "post_reframe_image_v3" => "reframe a.png --resolution 512x1536",
        "post_reframe_image" => "reframe a.png --resolution 1024x1024 --model legacy",
        "post_replace_background_ideogram_v3" | "post_replace_background_v3" => "replace-background a.png x",
        "post_remove_background_v2" | "post_remove_background" => "remove-background a.png",
        "post_upscale" | "post_upscale_image" => "upscale a.png",
        "post_precise_edit_image_v2_ideogram45" => "edit a.png x",
        "post_v1_edit_image" => "edit a.png x --model v1",
        "post_layerize_text_v3" => "layerize-text a.png",
        _ => panic!("{operation} has no command here"),
    };
    words.split(' ').collect()
}

/// Values that break each bound of a schema. `None` for a file, of which there are too many.
fn beyond_bounds(schema: &Schema) -> Vec<Vec<Option<String>>> {
    let one = |value: String| vec![Some(value)];
    let long = |max: &u64| one("x".repeat(usize::try_from(*max).unwrap() + 1));
    match schema {
        Schema::Integer { minimum, maximum } => {
            let below = minimum.iter().map(|minimum| one((minimum - 1).to_string()));
            below.chain(maximum.iter().map(|maximum| one((maximum + 1).to_string()))).collect()
        }
        Schema::Text { max_length, pattern, .. } => {
            // The command has a message of its own for a blank prompt.
            let mismatch = pattern.filter(|pattern| !pattern.matches("? ?")).map(|_| one("? ?".to_owned()));
            max_length.iter().map(long).chain(mismatch).collect()
        }
        Schema::Array { items: Schema::File, max_items: Some(max), .. } => {
            vec![vec![None; usize::try_from(*max).unwrap() + 1]]
        }
        Schema::Array { items, .. } => beyond_bounds(items),
        _ => Vec::new(),
    }
}

#[test]
fn a_value_out_of_bounds_is_refused_alike_by_the_library_the_command_and_api() {
    let folder = tempfile::tempdir().unwrap();
    // Also valid as a mask.
    let half_white = |x, _| image::Luma([if x < 16 { 0_u8 } else { 255 }]);
    image::GrayImage::from_fn(32, 32, half_white).save(folder.path().join("a.png")).unwrap();
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = Client::builder().without_api_key().build().unwrap();
    let mut compared = 0;
    let makes_images = |operation: &&&Operation| operation.images != ImageCount::Fixed(0);
    for operation in operations::ALL.iter().filter(makes_images) {
        let body = operation.inputs.iter().filter(|input| input.location == Location::Body);
        let mut properties: Vec<_> = body.map(|input| (input.name, input.schema, false)).collect();
        let object = properties.iter().find_map(|(name, schema, _)| match schema {
            Schema::Object(object) if *name == "image_request" => Some(object),
            _ => None,
        });
        let nested = object.into_iter().flat_map(|object| object.properties);
        properties.extend(nested.map(|property| (property.name, property.schema, true)));
        for (name, schema, is_nested) in properties {
            // The command has flags of its own for these.
            if ["custom_model_uri", "color_palette", "image_urls"].contains(&name) {
                continue;
            }
            for values in beyond_bounds(schema) {
                let mut call = client.call(operation.id).unwrap();
                let is_other = |input: &&Input| input.name != name && !(is_nested && input.name == "image_request");
                for input in operation.inputs.iter().filter(|input| input.required).filter(is_other) {
                    call = match input.kind() {
                        InputKind::File => call.file(input.name, File::from_path(folder.path().join("a.png"))),
                        _ if input.name == "image_request" => call.field(input.name, json!({ "prompt": "x" })),
                        _ => call.field(input.name, input.values().first().copied().unwrap_or("x")),
                    };
                }
                for value in &values {
                    call = match value {
                        None => call.file(name, File::from_bytes("a.png", "a")),
                        Some(value) if is_nested => {
                            let value = value.parse::<i64>().map_or_else(|_| json!(value), |number| json!(number));
                            call.field("image_request", json!({ name: value }))
                        }
                        Some(value) => call.field(name, value.as_str()),
                    };
                }
                let refused = call.prepare().unwrap_err();
                let reason = refused.source().and_then(|source| source.downcast_ref::<Violations>());
                let violations = reason.unwrap_or_else(|| panic!("{operation} {name} {values:?}: {refused}"));
                let reason = violations.iter().find(|it| it.property().split(['.', '[']).any(|part| part == name));
                let reason = reason.unwrap_or_else(|| panic!("{operation} {name}: {refused}")).reason().to_owned();

                let flag = format!("--{}", name.replace('_', "-"));
                let mut by_command = command_of(operation.id);
                let values: Vec<&str> = values.iter().map(|value| value.as_deref().unwrap_or("a.png")).collect();
                if ["prompt", "text_prompt"].contains(&name) && by_command.contains(&"x") {
                    by_command.iter_mut().filter(|word| **word == "x").for_each(|word| *word = values[0]);
                } else if by_command[0] == "edit" && ["image", "images"].contains(&name) {
                    by_command.splice(1..2, values.iter().copied());
                } else {
                    if let Some(at) = by_command.iter().position(|word| *word == flag) {
                        by_command.drain(at..at + 2);
                    }
                    by_command.extend(values.iter().flat_map(|value| [flag.as_str(), value]));
                }
                let ran = ideogram(by_command.iter().copied().chain(["--dry-run"])).in_folder(folder.path()).run();

                assert_eq!(ran.code(), Some(2), "{operation} {name}: {ran}");
                assert!(ran.stderr().contains(&reason), "{operation} {name}: {reason}\n{ran}");
                compared += 1;
            }
        }
    }
    assert!(compared >= 100, "{compared}");
}
