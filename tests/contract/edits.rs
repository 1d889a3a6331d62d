//! An edit of the document is detected: a change for users shows in the snapshots, a broken rule is refused with its
//! location.

mod breakages;

use std::collections::BTreeSet;

use ideogram_codegen::GeneratedClient;
use xtask::{DOCUMENT, Need, Problems, Sources, snapshots};

use self::breakages::BREAKAGES;
use crate::document::{checked, sources};

/// The document with one of its texts replaced.
fn edited(from: &str, to: &str) -> Sources {
    let sources = sources();
    let document = sources.document();
    assert!(document.contains(from), "the document has changed, and so must this test: {from}");
    let document = document.replacen(from, to, 1);
    sources.with(DOCUMENT, document)
}

/// The problems of an edited document, one a line.
fn problems(sources: &Sources) -> Problems {
    xtask::check(sources).expect_err("this must be refused")
}

/// The parts of the surface that an edit changes, adds or removes.
fn changed_surface(client: &GeneratedClient) -> BTreeSet<String> {
    let (_, before) = checked();
    let (before, after) = (xtask::surface(&before), xtask::surface(client));
    let names = before.keys().chain(after.keys());
    names.filter(|name| before.get(*name) != after.get(*name)).cloned().collect()
}

/// The diff of the coverage table after an edit.
fn coverage_diff(sources: &Sources, client: &GeneratedClient) -> String {
    xtask::outdated(sources, client).unwrap().into_iter().map(|file| file.diff).collect()
}

fn names<const N: usize>(names: [&str; N]) -> BTreeSet<String> {
    names.map(str::to_owned).into()
}

#[test]
fn another_property_shows_in_its_type_and_nowhere_else() {
    let sources = edited(
        "        user_id:\n          type: string\n",
        "        colour:\n          type: string\n          description: Red, most of the time.\n        user_id:\n          type: string\n",
    );

    let client = xtask::check(&sources).unwrap();

    assert_eq!(changed_surface(&client), names(["types/Dataset"]));
    assert!(xtask::surface(&client)["types/Dataset"].contains("    /// Red, most of the time.\n"));
    assert!(xtask::surface(&client)["types/Dataset"].contains("    pub colour: Option<String>,\n"));
}

#[test]
fn another_description_of_an_input_shows_in_its_type_and_nowhere_else() {
    let sources = edited("The display name of the dataset. No", "The name of the dataset that is displayed. No");

    let client = xtask::check(&sources).unwrap();

    assert_eq!(changed_surface(&client), names(["types/CreateDatasetRequest"]));
}

#[test]
fn another_value_of_an_enum_shows_in_its_type_and_where_it_is_an_input() {
    let sources = edited("        - ARCHIVED\n", "        - ARCHIVED\n        - ON_ICE\n");

    let client = xtask::check(&sources).unwrap();

    assert_eq!(changed_surface(&client), names(["enums", "operations"]));
    assert!(xtask::surface(&client)["enums"].contains("    /// `ON_ICE`\n    OnIce,\n"));
}

#[test]
fn another_bound_shows_in_its_type() {
    let sources = edited("      maxLength: 30\n", "      maxLength: 40\n");

    let client = xtask::check(&sources).unwrap();

    assert_eq!(changed_surface(&client), names(["types/TrainModelRequest"]));
}

#[test]
fn another_price_shows_in_the_coverage_table() {
    let sources = edited(
        "operationId: train_model_v3\n      x-ideogram-billing: paid",
        "operationId: train_model_v3\n      x-ideogram-billing: free",
    );

    let client = xtask::check(&sources).unwrap();

    assert_eq!(changed_surface(&client), names(["operations"]));
    let diff = coverage_diff(&sources, &client);
    assert!(diff.contains("\n-| `train_model_v3`") && diff.contains("\n+| `train_model_v3`"), "{diff}");
}

#[test]
fn another_operation_needs_an_example_and_changes_everything_derived() {
    let (original, before) = checked();
    let list = original.document().split_once("  /datasets:\n").unwrap().1.split_once("\n    post:\n").unwrap().0;
    let another = list.replace("list_datasets", "list_albums");
    let sources = edited("  /datasets:\n", &format!("  /albums:\n{another}\n\n  /datasets:\n"));

    let refused = problems(&sources).to_string();
    assert!(refused.contains("`list_albums` has no example; add `openapi/examples/list_albums/"), "{refused}");

    let example = original.get("openapi/examples/list_datasets/demo.json").unwrap().to_owned();
    let sources = sources.with("openapi/examples/list_albums/demo.json", example);
    let client = xtask::check(&sources).unwrap();
    let new = names(["builder/ListAlbums", "client", "document", "operations"]);
    assert_eq!(changed_surface(&client), new);
    let diff = coverage_diff(&sources, &client);
    assert!(diff.contains("\n+| `list_albums` | `list_albums()` |  | GET | `/albums` |"), "{diff}");
    let (before, after) = (snapshots::expected(&before, &original), snapshots::expected(&client, &sources));
    let added: Vec<_> = after.difference(&before).map(String::as_str).collect();
    assert_eq!(added, ["samples/list_albums.snap", "surface/builder__ListAlbums.snap",]);
}

/// What is left to do after an edit: file and reason, in brackets what `regen` writes itself.
fn needs(sources: &Sources) -> Vec<String> {
    let samples = xtask::missing_samples(sources);
    let mut sources = sources.clone();
    for sample in &samples {
        sources = sources.with(&sample.file, sample.derived.clone().unwrap());
    }
    let client = xtask::check(&sources).unwrap();
    let missing = xtask::missing(&sources, &client);
    let outdated = xtask::outdated(&sources, &client).unwrap();
    let outdated = outdated.iter().map(|file| format!("[{}: outdated]", file.path));
    let described = |need: &Need| match need.derived {
        Some(_) => format!("[{}: {}]", need.file, need.reason),
        None => format!("{}: {}", need.file, need.reason),
    };
    samples.iter().chain(&missing).map(described).chain(outdated).collect()
}

/// An operation that creates images, or one that does not, with a path of its own.
fn another_operation(images: u32, billing: &str) -> Sources {
    let delete = format!(
        "  /datasets/{{dataset_id}}/cover:\n    delete:\n      operationId: delete_cover\n      x-ideogram-billing: {billing}\n      \
         x-ideogram-retry: unsafe\n      x-ideogram-images: {images}\n      tags: [datasets]\n      summary: Delete a cover\n      \
         description: Deletes the cover of a dataset.\n      parameters:\n        - name: dataset_id\n          in: path\n          \
         required: true\n          description: Which dataset.\n          schema:\n            $ref: \
         '#/components/schemas/DatasetId'\n      responses:\n        '200':\n          description: The dataset.\n          \
         content:\n            application/json:\n              schema:\n                $ref: \
         '#/components/schemas/ListDatasetsResponse'\n              example:\n                datasets: []\n"
    );
    let errors = ["'401'", "'403'", "4XX", "5XX"]
        .map(|status| format!("        {status}:\n          $ref: '#/components/responses/Error'\n"));
    edited("  /datasets/{dataset_id}:\n", &format!("{delete}{}\n  /datasets/{{dataset_id}}:\n", errors.concat()))
}

#[test]
fn what_a_change_needs_is_named_with_file_and_reason() {
    let speeds = "enum: [FLASH, ";
    let search = "            $ref: '#/components/schemas/DatasetSearch'\n";
    let generate = "    GenerateImageV3Request:\n";
    let document = sources().document().to_owned();
    let (_, generate_request) = document.split_once(generate).unwrap();
    let (head, _) = generate_request.split_once("      properties:\n").unwrap();
    let generate = format!("{generate}{head}      properties:\n");
    let property = "        name:\n          type: string\n          description: A text.\n";

    for (what, sources, expected) in [
        ("a value", edited(speeds, &format!("{speeds}PREVIEW, ")), vec![]),
        (
            "a property of a response",
            edited("        file_size_bytes:\n", &format!("{property}        file_size_bytes:\n")),
            vec![],
        ),
        (
            "a query parameter",
            edited(
                search,
                &format!(
                    "{search}        - name: tag\n          in: query\n          required: false\n          description: Only \
                     datasets with this tag.\n          schema:\n{search}"
                ),
            ),
            vec![
                "crates/ideogram-mock/src/handlers/datasets.rs: the handler of `list_datasets` ignores the query parameter \
                 `tag`",
                "[tests/contract/requests/calls_derived.rs: outdated]",
            ],
        ),
        (
            "a property of a request that has exclusions and makes images",
            edited(&generate, &format!("{generate}{}", property.replace("name:", "mood:"))),
            vec![
                "tests/contract/requests/calls.rs: no typed call of `post_generate_image_v3` sends `mood`",
                "crates/ideogram-cli/src/commands/image/flags.rs: no flag sets `mood` of `post_generate_image_v3`",
            ],
        ),
        (
            "an operation",
            another_operation(0, "free"),
            vec![
                "[openapi/examples/delete_cover/typical.json: `delete_cover` has no sample response; this is the example \
                 of the document]",
                "[crates/ideogram-client/examples/delete_cover.rs: no example calls `delete_cover`]",
                "[openapi/README.md: outdated]",
                "[tests/contract/requests/calls_derived.rs: outdated]",
            ],
        ),
        (
            "an operation that creates images",
            another_operation(1, "paid"),
            vec![
                "[openapi/examples/delete_cover/typical.json: `delete_cover` has no sample response; this is the example \
                 of the document]",
                "[crates/ideogram-client/examples/delete_cover.rs: no example calls `delete_cover`]",
                "crates/ideogram-cli/src/commands/image/table.rs: `delete_cover` creates images, and no image command has a \
                 row for it",
                "[openapi/README.md: outdated]",
                "[tests/contract/requests/calls_derived.rs: outdated]",
            ],
        ),
    ] {
        assert_eq!(needs(&sources), expected, "{what}");
    }
}

#[test]
fn a_derived_example_calls_the_operation_with_what_it_requires() {
    let sources = another_operation(0, "free");
    let sources = sources.with("openapi/examples/delete_cover/typical.json", "{\n  \"datasets\": []\n}\n");
    let client = xtask::check(&sources).unwrap();

    let derived = xtask::missing(&sources, &client).remove(0).derived.unwrap();

    let call = "client.delete_cover().dataset_id(\"demo\").send().await?;\n";
    assert!(derived.starts_with("//! Delete a cover.\n") && derived.contains(call), "{derived}");
}

#[test]
fn an_edit_that_breaks_the_document_is_refused_with_location_cause_and_repair() {
    let original = sources();
    let mut different = Vec::new();
    for (what, from, to, expected, elsewhere) in BREAKAGES {
        let edited = edited(from, to);
        let line_of = |document: &str, text: &str| document[..document.find(text).unwrap()].matches('\n').count() + 1;
        // The edited line is the first that differs.
        let lines = original.document().lines().zip(edited.document().lines());
        let line = lines.take_while(|(before, after)| before == after).count() + 1;
        let expected = expected.replace("[LINE]", &line.to_string());
        let expected = expected.replace("[ELSEWHERE]", &line_of(original.document(), elsewhere).to_string());

        let expected = if expected.starts_with("openapi/") { expected } else { format!("{DOCUMENT}:{expected}") };

        let found = problems(&edited).to_string();
        if found != expected {
            different.push(format!("{what}:\n{found}\ninstead of\n{expected}"));
        }
    }
    assert!(different.is_empty(), "{}", different.join("\n\n"));
}

#[test]
fn the_line_of_a_problem_is_the_edited_one() {
    let sources = edited("                file_count: 2\n", "                file_count: two\n");
    let line = sources.document().lines().position(|line| line.ends_with("file_count: two")).unwrap() + 1;

    let problems = problems(&sources);

    assert_eq!(problems.iter().map(xtask::Problem::line).collect::<Vec<_>>(), [Some(line)], "{problems}");
}

#[test]
fn a_sample_in_the_wrong_place_is_refused_with_the_right_one() {
    let valid = "openapi/examples/get_dataset/demo.json";
    let surprising = "openapi/news/get_dataset/vendor_sample.json";
    let sources = sources();
    let text = |path: &str| sources.get(path).unwrap().to_owned();
    for (path, text, expected) in [
        (
            "openapi/examples/get_dataset/odd.json",
            text(surprising),
            "openapi/examples/get_dataset/odd.json: `#/dataset/creation_time`: contradicts the document: \
             \"2000-01-23 04:56:07+00:00\" is not a \"date-time\"; correct it or the document; a response \
             that breaks the document belongs to `openapi/news/get_dataset/odd.json`",
        ),
        (
            "openapi/news/get_dataset/plain.json",
            text(valid),
            "openapi/news/get_dataset/plain.json: `#`: valid against the document, so it is an example; move it to \
             `openapi/examples/get_dataset/plain.json`, or make it break the document as its name says",
        ),
        (
            "openapi/news/get_images/plain.json",
            text(valid),
            "openapi/news/get_images: `get_images` is not an operation of the document; name the folder after an operation \
             id, or remove it",
        ),
        (
            "openapi/examples/stray.json",
            text(valid),
            "openapi/examples/stray.json: the file is not a sample; name it `<operation>/<case>.json`, \
             the case in lower case with digits and `_`, or remove it",
        ),
        (
            valid,
            "{\n  \"dataset\": {\n".to_owned(),
            "openapi/examples/get_dataset/demo.json:3: not JSON: EOF while parsing an object at line 3 column 0; \
             correct the JSON",
        ),
        (
            valid,
            text(valid).replacen("  ", "\t", 1),
            "openapi/examples/get_dataset/demo.json:2: not in the layout of samples: two spaces, one property per \
             line, a final newline; write `\"dataset\": {`",
        ),
    ] {
        let found = problems(&sources.clone().with(path, text));

        assert_eq!(found.to_string(), expected);
    }
}

#[test]
fn a_readme_without_markers_is_refused_with_the_repair() {
    let (sources, client) = checked();
    let readme = sources.get("openapi/README.md").unwrap().replace("<!-- coverage:end -->", "");

    let error = xtask::outdated(&sources.with("openapi/README.md", readme), &client).unwrap_err();

    assert!(format!("{error:#}").contains("must have the lines"), "{error:#}");
}
