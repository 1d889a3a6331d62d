//! `batch`: what is sent, billed and saved, and how a later run continues.

use std::{fs, path::Path};

use ideogram_mock::MockServer;
use tempfile::TempDir;

use crate::invocation::{Ran, Run, ideogram, serve, snapshot};

/// A folder with a file of rows in it.
pub(crate) fn folder(name: &str, rows: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(name), rows).unwrap();
    folder
}

pub(crate) fn batch(folder: &TempDir, arguments: &[&str]) -> Run {
    let run = ideogram(["batch"].into_iter().chain(arguments.iter().copied())).in_folder(folder.path());
    // A ledger of its own: another test may have had the port of its server.
    run.env("XDG_STATE_HOME", folder.path().join("state").to_str().unwrap())
}

/// The prompts that the server received, refused ones included.
pub(crate) fn prompts(server: &MockServer) -> Vec<String> {
    let requests = server.requests();
    let sent = requests.iter().filter(|request| request.method == "POST");
    let prompt = |part: &&ideogram_mock::RecordedPart| ["prompt", "text_prompt"].contains(&part.name.as_str());
    sent.map(|request| request.parts.iter().find(prompt).unwrap().text.clone().unwrap()).collect()
}

pub(crate) fn images(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> =
        names.filter(|name| Path::new(name).extension().is_some_and(|extension| extension == "png")).collect();
    names.sort_unstable();
    names
}

pub(crate) fn sheet(folder: &TempDir) -> String {
    fs::read_to_string(folder.path().join("rows-images/contact-sheet.html")).unwrap()
}

pub(crate) const TWO: &str = r#"{"prompt": "a river", "id": "river"}
{"prompt": "two cats", "id": "cats", "model": "v3", "num_images": 2}
"#;

#[test]
fn a_dry_run_shows_every_request_and_leaves_nothing_behind() {
    let folder = folder("rows.jsonl", TWO);
    let server = serve(MockServer::builder());

    let ran = batch(&folder, &["rows.jsonl", "--dry-run"]).against(&server).run();

    assert!(server.requests().is_empty());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    snapshot!(ran, @"
    exit code: 0
    ----- stdout -----
    line 1 (river): 1 image

    POST http://127.0.0.1:[PORT]/v2/image/generate/ideogram-4-5

    api-key:       [key]
    content-type:  multipart/form-data

    PART    CONTENT
    prompt  a river
    async   true

    line 2 (cats): 2 images

    POST http://127.0.0.1:[PORT]/v2/image/generate/ideogram-3

    api-key:       [key]
    content-type:  multipart/form-data

    PART        CONTENT
    prompt      two cats
    num_images  2
    async       true
    ----- stderr -----
    dry run: nothing was sent; 2 requests would generate 3 images
    3 images would be billed (prices: https://ideogram.ai/features/api-pricing); --quote prints their price
    ");
}

#[test]
fn a_batch_saves_its_images_and_running_it_again_pays_nothing() {
    let folder = folder("rows.jsonl", TWO);
    let server = serve(MockServer::builder());

    let first = batch(&folder, &["rows.jsonl", "--max-in-flight", "1"]).against(&server).run();
    let sent = server.requests().len();
    let again = batch(&folder, &["rows.jsonl"]).against(&server).run();

    assert_eq!(prompts(&server), ["a river", "two cats"]);
    assert_eq!(server.requests().len(), sent, "nothing is requested again, not even the images");
    assert_eq!(images(&folder.path().join("rows-images")), ["cats-1.png", "cats-2.png", "river.png"]);
    let mut paths: Vec<_> = first.stdout().lines().map(str::to_owned).collect();
    paths.sort_unstable();
    assert_eq!(paths, ["cats-1.png", "cats-2.png", "river.png"].map(|name| format!("rows-images/{name}")));
    assert_eq!(first.stderr(), "2 rows: 3 images saved\ncontact sheet: rows-images/contact-sheet.html\n");
    snapshot!(again, @"
    exit code: 0
    ----- stderr -----
    continuing: 2 of 2 rows are finished
    2 rows: 3 images saved
    contact sheet: rows-images/contact-sheet.html
    ");
}

#[test]
fn all_problems_of_rows_are_reported_before_anything_is_sent() {
    let rows = r#"{"prompt": "a", "num_images": 9, "model": "v3"}
{"prompt": "b", "id": "../b"}
nonsense
{"prompt": "c", "id": "same", "model": "v3", "aspect_ratio": "16:9", "resolution": "1024x1024"}
{"prompt": "d", "id": "Same", "num_images": 2}
{"promt": "e", "model": "v3"}
{"operation": "get_dataset", "prompt": "f"}
{"operation": "post_remix_image_v3", "prompt": "g", "image": "nowhere.png", "seed": "many"}
{"prompt": "h", "model": "V_2", "num_images": 0, "colour": "red"}
"#;
    let folder = folder("rows.jsonl", rows);
    let server = serve(MockServer::builder());

    let ran = batch(&folder, &["rows.jsonl", "--yes"]).against(&server).run();

    assert!(server.requests().is_empty());
    snapshot!(ran, @r#"
    exit code: 2
    ----- stderr -----
    error: 12 problems in rows.jsonl: nothing was sent
      rows.jsonl:1: `num_images`: must be at most 8, and is 9
      rows.jsonl:2: `id`: becomes the name of files: use 1 to 64 letters, digits, `-`, `_`, `.` and spaces, not beginning with `.`
      rows.jsonl:3: not JSON: expected ident at character 2
      rows.jsonl:4: `resolution` with `aspect_ratio` cannot be combined
      rows.jsonl:5: `id`: "Same" is already the id of line 4
      rows.jsonl:6: `promt`: post_generate_image_v2_ideogram_v3 does not have this property; use id, operation, model, prompt, aspect_ratio, resolution, rendering_speed, magic_prompt, negative_prompt, num_images, seed, color_palette, style_codes, style_preset, style_type, style_reference_images, enable_copyright_detection, webhook_url
      rows.jsonl:6: `prompt`: is missing: post_generate_image_v2_ideogram_v3 requires it
      rows.jsonl:7: `operation`: `get_dataset` does not generate images; use one of post_generate_image_v4, post_remix_image_v4, post_generate_image_v3, post_generate_image_v3_transparent, post_inpaint_image_v3, post_remix_image_v3, post_reframe_image_v3, post_replace_background_v3, post_remove_background, post_layerize_text_v3, post_v1_edit_image, post_upscale_image, post_generate_image, post_edit_image_v3, post_edit_image, post_remix_image, post_reframe_image, post_generate_image_v2_ideogram45, post_generate_image_v2_ideogram_v4, post_generate_image_v2_ideogram_v4_transparent, post_generate_image_v2_ideogram_v4_custom_model, post_generate_image_v2_ideogram_v3, post_generate_image_v2_ideogram_v3_custom_model, post_precise_edit_image_v2_ideogram45, post_inpaint_image_v2_ideogram_v3, post_remix_image_v2_ideogram_v4, post_reframe_image_v2_ideogram_v3, post_replace_background_ideogram_v3, post_remove_background_v2, post_upscale
      rows.jsonl:8: `seed`: must be a whole number, not `many`
      rows.jsonl:8: `image`: cannot read "nowhere.png": No such file or directory (os error [CODE])
      rows.jsonl:9: `num_images`: must be at least 1, and is 0
      rows.jsonl:9: `colour`: is not in the document; --unchecked leaves it to the service
    "#);
}

#[test]
fn a_table_is_read_with_its_columns_and_the_files_next_to_it() {
    let rows = "\u{feff}id,operation,prompt,image,num_images\r\n\
                one,post_remix_image_v3,\"a \"\"red\"\" lantern, lit\",sub/a.png,2\r\n";
    let folder = folder("rows.csv", rows);
    fs::create_dir(folder.path().join("sub")).unwrap();
    let server = serve(MockServer::builder());
    let elsewhere = tempfile::tempdir().unwrap();
    let path = folder.path().join("rows.csv").into_os_string().into_string().unwrap();

    let missing = batch(&elsewhere, &[&path, "--out", "out"]).against(&server).run();
    let mut image = std::io::Cursor::new(Vec::new());
    image::RgbImage::new(64, 64).write_to(&mut image, image::ImageFormat::Png).unwrap();
    fs::write(folder.path().join("sub/a.png"), image.into_inner()).unwrap();
    let ran = batch(&elsewhere, &[&path, "--out", "out"]).against(&server).run();

    assert_eq!(missing.code(), Some(2));
    assert!(missing.stderr().contains("rows.csv:2: column `image`: cannot read"), "{missing}");
    assert_eq!(ran.code(), Some(0), "{ran}");
    let requests = server.requests();
    assert_eq!(requests[0].path, "/v1/ideogram-v3/remix");
    let parts: Vec<_> =
        requests[0].parts.iter().map(|part| (part.name.as_str(), part.text.as_deref(), part.size)).collect();
    let size = fs::metadata(folder.path().join("sub/a.png")).unwrap().len();
    assert_eq!(
        parts,
        [("image", None, size), ("prompt", Some("a \"red\" lantern, lit"), 20), ("num_images", Some("2"), 1),]
    );
    assert_eq!(images(&elsewhere.path().join("out")), ["one-1.png", "one-2.png"]);
}

#[test]
fn rows_that_request_the_same_are_named_before_they_are_billed() {
    let rows = "{\"prompt\":\"a\"}\n{\"prompt\":\"b\"}\n{\"prompt\":\"a\"}\n{\"prompt\":\"a\",\"model\":\"v3\"}\n{\"prompt\":\"a\"}\n";
    let folder = folder("rows.jsonl", rows);
    let server = serve(MockServer::builder());
    let warning = "warning: lines 1, 3, 5 request the same, and each of them is billed\n";

    let dry = batch(&folder, &["rows.jsonl", "--dry-run"]).against(&server).run();
    assert!(dry.stderr().starts_with(warning), "{dry}");
    let ran = batch(&folder, &["rows.jsonl"]).against(&server).run();
    assert!(ran.stderr().starts_with(warning) && ran.code() == Some(0), "{ran}");
    let again = batch(&folder, &["rows.jsonl"]).against(&server).run();
    assert!(!again.stderr().contains("request the same"), "nothing is billed again: {again}");
    fs::write(folder.path().join("rows.jsonl"), format!("{rows}{{\"prompt\":\"b\"}}\n")).unwrap();
    let added = batch(&folder, &["rows.jsonl", "--dry-run"]).against(&server).run();
    assert!(added.stderr().contains("lines 2, 6 request the same"), "{added}");
}

#[test]
fn prompts_that_look_like_comments_are_named_before_they_are_sent() {
    let folder = folder("prompts.txt", "# lanterns\na river\n#2\n");

    let ran = batch(&folder, &["prompts.txt", "--dry-run"]).run();

    let warning = "warning: beginning with `#`, which is sent as it is: 2 prompts, the first in line 1\n";
    assert!(ran.stderr().starts_with(warning), "{ran}");
}

#[test]
fn more_than_twenty_images_need_confirmation() {
    let rows: String = (0..3).map(|n| format!("{{\"prompt\":\"{n}\",\"model\":\"v3\",\"num_images\":8}}\n")).collect();
    let folder = folder("rows.jsonl", &rows);
    let server = serve(MockServer::builder());

    let question = batch(&folder, &["rows.jsonl"]).against(&server).run();
    assert!(server.requests().is_empty());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no trace of it");
    let limited = batch(&folder, &["rows.jsonl", "--max-images", "20"]).against(&server).run();
    assert_eq!(prompts(&server).len(), 2);
    let confirmed = batch(&folder, &["rows.jsonl", "--yes"]).against(&server).run();
    assert_eq!(prompts(&server).len(), 3);

    assert_eq!((limited.code(), confirmed.code()), (Some(11), Some(0)));
    assert!(limited.stderr().contains("stopped: the next row would exceed --max-images 20"), "{limited}");
    snapshot!(question, @"
    exit code: 2
    ----- stderr -----
    error: this needs an answer, and there is no terminal: generate 24 images, each of them billed (prices: https://ideogram.ai/features/api-pricing), for 3 rows?
    hint: nothing was sent; --yes answers all questions with yes
    ");
}

#[test]
fn the_limit_counts_earlier_runs() {
    let rows = "{\"prompt\":\"1\"}\n{\"prompt\":\"2\"}\n{\"prompt\":\"3\"}\n";
    let folder = folder("rows.jsonl", rows);
    let server = serve(MockServer::builder());

    for _ in 0..3 {
        let ran = batch(&folder, &["rows.jsonl", "--max-images", "2"]).against(&server).run();
        assert_eq!((ran.code(), prompts(&server).len()), (Some(11), 2));
    }
}

#[test]
fn a_row_that_was_changed_is_a_new_one() {
    let folder = folder("rows.jsonl", TWO);
    let server = serve(MockServer::builder());
    batch(&folder, &["rows.jsonl"]).against(&server).run();
    fs::write(folder.path().join("rows.jsonl"), TWO.replace("a river", "a wide river")).unwrap();

    let ran = batch(&folder, &["rows.jsonl"]).against(&server).run();

    assert_eq!(prompts(&server).len(), 3);
    let out = folder.path().join("rows-images");
    assert_eq!(images(&out), ["cats-1.png", "cats-2.png", "river-2.png", "river.png"]);
    assert_eq!(ran.code(), Some(0));
    assert!(ran.stderr().contains("changed and added rows are new, and 1 row of the journal"), "{ran}");
}

#[test]
fn a_repeated_row_is_sent_twice() {
    let folder = folder("rows.jsonl", "{\"prompt\":\"a river\"}\n{\"prompt\":\"a river\"}\n");
    let server = serve(MockServer::builder());

    for _ in 0..2 {
        let ran = batch(&folder, &["rows.jsonl"]).against(&server).run();
        assert_eq!((ran.code(), prompts(&server).len()), (Some(0), 2));
    }
    assert_eq!(images(&folder.path().join("rows-images")).len(), 2);
}

#[test]
fn a_journal_in_use_is_left_alone() {
    let folder = folder("rows.jsonl", TWO);
    let server = serve(MockServer::builder());
    let out = folder.path().join("rows-images");
    fs::create_dir(&out).unwrap();
    let journal = fs::File::create(out.join("batch.jsonl")).unwrap();
    fs4::FileExt::try_lock(&journal).unwrap();

    let ran = batch(&folder, &["rows.jsonl"]).against(&server).run();

    assert!(server.requests().is_empty());
    snapshot!(ran, @r#"
    exit code: 2
    ----- stderr -----
    error: the journal "rows-images/batch.jsonl" is in use by another process; wait for it to end
    "#);
}

#[test]
fn rows_are_printed_one_by_one_as_json_lines_and_together_as_json() {
    let folder = folder("rows.jsonl", TWO);
    let server = serve(MockServer::builder());
    let run = |out: &str, format: &str| -> Ran {
        let arguments = ["rows.jsonl", "--out", out, "--output", format, "--quiet", "--max-in-flight", "1"];
        batch(&folder, &arguments.into_iter().chain(["--pay-again"]).collect::<Vec<_>>()).against(&server).run()
    };

    let lines = run("lines", "jsonl");
    let whole = run("whole", "json");

    let rows: Vec<serde_json::Value> = lines.stdout().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    // Each as it is done, so in no order.
    let mut named: Vec<_> = rows.iter().map(|row| (row["row"].as_str(), row["status"].as_str())).collect();
    named.sort_unstable();
    assert_eq!(named, [(Some("cats"), Some("saved")), (Some("river"), Some("saved"))]);
    let mut whole = whole.json();
    whole["rows"].as_array_mut().unwrap().sort_by_key(|row| row["line"].as_u64());
    insta::assert_json_snapshot!(whole, @r#"
    {
      "rows": [
        {
          "row": "river",
          "line": 1,
          "operation": "post_generate_image_v2_ideogram45",
          "prompt": "a river",
          "status": "saved",
          "images": [
            {
              "result": "saved",
              "path": "whole/river.png",
              "seed": 56766092,
              "error": null
            }
          ]
        },
        {
          "row": "cats",
          "line": 2,
          "operation": "post_generate_image_v2_ideogram_v3",
          "prompt": "two cats",
          "status": "saved",
          "images": [
            {
              "result": "saved",
              "path": "whole/cats-1.png",
              "seed": 2084953172,
              "error": null
            },
            {
              "result": "saved",
              "path": "whole/cats-2.png",
              "seed": 2084953173,
              "error": null
            }
          ]
        }
      ],
      "counts": {
        "rows": 2,
        "rows_finished": 2,
        "images_saved": 3,
        "images_withheld": 0,
        "images_lost": 0,
        "images_not_saved": 0,
        "rows_declined": 0,
        "rows_failed": 0,
        "rows_running": 0,
        "rows_unknown": 0,
        "rows_unreadable": 0,
        "rows_not_run": 0
      },
      "usd": null,
      "contact_sheet": "whole/contact-sheet.html"
    }
    "#);
}

#[test]
fn rows_from_standard_input_need_a_folder() {
    let folder = folder("rows.jsonl", "");

    snapshot!(batch(&folder, &["--mock", "-"]).run(), @"
    exit code: 2
    ----- stderr -----
    error: rows from standard input need --out: the folder whose journal a later run continues
    ");
}

#[test]
fn a_mask_without_its_image_is_refused_in_a_row_as_by_the_command() {
    for (properties, problem) in [
        (r#""mask": "m.png""#, "needs its image"),
        (r#""character_reference_images_mask": ["m.png"], "model": "v3""#, "needs its image"),
        (
            r#""character_reference_images": ["m.png", "m.png"], "character_reference_images_mask": ["m.png"],
               "model": "v3""#,
            "has 1 mask for 2 images: one for each image, in the same order",
        ),
    ] {
        let folder = folder("rows.json", &format!(r#"[{{"prompt": "a hat", {properties}}}]"#));
        image::GrayImage::from_fn(32, 32, |x, _| image::Luma([if x < 16 { 0 } else { 255 }]))
            .save(folder.path().join("m.png"))
            .unwrap();
        let server = serve(MockServer::builder());

        let ran = batch(&folder, &["rows.json", "--yes"]).against(&server).run();

        assert_eq!(ran.code(), Some(2), "{properties}: {ran}");
        assert!(ran.stderr().contains(problem), "{properties}: {ran}");
        assert!(server.requests().is_empty(), "{properties}");
    }
}

#[test]
fn a_mask_of_another_size_is_refused_in_a_row_of_every_operation_that_takes_one() {
    for (operation, image, mask) in [
        ("post_inpaint_image_v3", "image", "mask"),
        ("post_edit_image", "image_file", "mask"),
        ("post_generate_image_v2_ideogram45", "images", "mask"),
        ("post_generate_image_v3", "character_reference_images", "character_reference_images_mask"),
    ] {
        let row = serde_json::json!({
            "operation": operation, "prompt": "a hat", image: "a.png", mask: "m.png", "model": "V_2",
        });
        let mut row = row.as_object().unwrap().clone();
        if operation != "post_edit_image" {
            row.remove("model");
        }
        let folder = folder("rows.jsonl", &serde_json::Value::Object(row).to_string());
        for (name, side) in [("a.png", 32), ("m.png", 16)] {
            image::GrayImage::from_fn(side, side, |x, _| image::Luma([if x < side / 2 { 0 } else { 255 }]))
                .save(folder.path().join(name))
                .unwrap();
        }
        let server = serve(MockServer::builder());

        let ran = batch(&folder, &["rows.jsonl", "--yes"]).against(&server).run();

        assert_eq!(ran.code(), Some(2), "{operation}: {ran}");
        assert!(ran.stderr().contains("has 16x16 pixels, but its image has 32x32"), "{operation}: {ran}");
        assert!(server.requests().is_empty(), "{operation}");
    }
}
