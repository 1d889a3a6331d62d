//! Flags and values that are refused before anything is sent, and what the refusal says.

use ideogram_client::{operation::InputKind, operations, schema::Schema};
use ideogram_mock::MockServer;

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
