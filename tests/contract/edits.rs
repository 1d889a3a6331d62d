//! An edit of the document is detected: a change for users shows in the snapshots, a broken rule is refused with its
//! location.

use std::collections::BTreeSet;

use ideogram_codegen::GeneratedClient;
use xtask::{DOCUMENT, Need, Problems, Sources, snapshots};

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
fn another_value_of_an_enum_shows_in_its_type_and_where_it_is_an_input() {
    let sources = edited("        - ARCHIVED\n", "        - ARCHIVED\n        - ON_ICE\n");

    let client = xtask::check(&sources).unwrap();

    assert_eq!(changed_surface(&client), names(["operations", "types/ModelStatus"]));
    assert!(xtask::surface(&client)["types/ModelStatus"].contains("    /// `ON_ICE`\n    OnIce,\n"));
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

/// Breakages of the document and the whole report. `[LINE]` stands for the line that was edited; `[ELSEWHERE]` for the
/// line of the text in the last column.
const BREAKAGES: &[(&str, &str, &str, &str, &str)] = &[
    (
        "a typing error in a keyword",
        "      summary: List datasets\n      description: >-",
        "      summary: List datasets\n      descripton: >-",
        "[LINE]: `#/paths/~1datasets/get/descripton` (operation `list_datasets`): unsupported keyword `descripton`; did you \
         mean `description`?",
        "",
    ),
    (
        "a typing error in the keyword that says what a schema is",
        "      description: What a new dataset is called.\n      required: [name]\n      properties:",
        "      description: What a new dataset is called.\n      required: [name]\n      propertes:",
        "[LINE]: `#/components/schemas/CreateDatasetRequest/propertes`: unsupported keyword `propertes`; did you mean \
         `properties`?",
        "",
    ),
    (
        "a description without a full stop",
        "      description: What a new dataset is called.\n",
        "      description: What a new dataset is called\n",
        "[LINE]: `#/components/schemas/CreateDatasetRequest/description`: a description without a full stop; write whole \
         sentences",
        "",
    ),
    (
        "a typing error in the keyword that holds the responses",
        "      responses:\n",
        "      respones:\n",
        "[LINE]: `#/paths/~1v1~1ideogram-v4~1generate/post/respones` (operation `post_generate_image_v4`): unsupported keyword \
         `respones`; did you mean `responses`?",
        "",
    ),
    (
        "an unsupported keyword",
        "      minLength: 5\n",
        "      minLength: 5\n      contentEncoding: base64\n",
        "[LINE]: `#/components/schemas/ModelName/contentEncoding`: unsupported keyword `contentEncoding`; remove it, or \
         express it with one of: type, format, minLength, maxLength, pattern, nullable, description, title, example, \
         default, deprecated, readOnly, writeOnly, externalDocs",
        "",
    ),
    (
        "a reference to nowhere, near a name",
        "Which dataset the files go into.\n          schema:\n            $ref: '#/components/schemas/DatasetId'",
        "Which dataset the files go into.\n          schema:\n            $ref: '#/components/schemas/DatasetID'",
        "[LINE]: `#/paths/~1datasets~1{dataset_id}~1upload_assets/post/parameters/0/schema/$ref`: the reference \
         `#/components/schemas/DatasetID` has no target; did you mean `#/components/schemas/DatasetId`?",
        "",
    ),
    (
        "a reference to nowhere, near no name",
        "$ref: '#/components/schemas/ListDatasetsResponse'",
        "$ref: '#/components/schemas/Nowhere'",
        "[LINE]: `#/paths/~1datasets/get/responses/200/content/application~1json/schema/$ref`: the reference \
         `#/components/schemas/Nowhere` has no target; write `#/components/schemas/Name` with a name that exists",
        "",
    ),
    (
        "a reference without its `#`",
        "$ref: '#/components/schemas/ListDatasetsResponse'",
        "$ref: '/components/schemas/ListDatasetsResponse'",
        "[LINE]: `#/paths/~1datasets/get/responses/200/content/application~1json/schema/$ref`: the reference \
         `/components/schemas/ListDatasetsResponse` has no target; write `#/components/schemas/ListDatasetsResponse`",
        "",
    ),
    (
        "a reference to another section",
        "        '401':\n          $ref: '#/components/responses/Error'\n",
        "        '401':\n          $ref: '#/components/response/Error'\n",
        "[LINE]: `#/paths/~1v1~1ideogram-v4~1generate/post/responses/401/$ref`: the reference `#/components/response/Error` \
         has no target; did you mean `#/components/responses/Error`?",
        "",
    ),
    (
        "two operations of one id",
        "operationId: create_dataset",
        "operationId: list_datasets",
        "[LINE]: `#/paths/~1datasets/post/operationId` (operation `list_datasets`): `list_datasets` is also the id of `GET \
         /datasets` in line [ELSEWHERE]; give each operation an id of its own",
        "operationId: list_datasets",
    ),
    (
        "a tab",
        "info:\n  title",
        "info:\n\ttitle",
        "[LINE]: not valid YAML: a tab in the indentation; indent with spaces",
        "",
    ),
    (
        "a tab below a text",
        "      required: [file_name]\n      properties:\n        file_name:\n",
        "      required: [file_name]\n      properties:\n\t\tfile_name:\n",
        "[LINE]: not valid YAML: a tab in the indentation; indent with spaces",
        "",
    ),
    (
        "a colon in a text",
        "title: Ideogram API",
        "title: Ideogram: API",
        "[LINE]: not valid YAML: mapping values are not allowed in this context (column 18); put a text that contains a \
         colon and a space into quotes, or correct the indentation",
        "",
    ),
    (
        "a repeated key",
        "      summary: List datasets\n",
        "      summary: List datasets\n      summary: List them\n",
        "[LINE]: the key `summary` is repeated; remove one of the two",
        "",
    ),
    (
        "a response without an example",
        "              example:\n                datasets:\n                  - dataset_id: 2lLrQhV9QnuHcKpWb0sXyA\n                    \
         name: Paper lanterns\n                    user_id: kX0p3rZcSLi4mB2vD7qNfw\n                    creation_time: \
         '2026-06-30T09:12:44.307115+00:00'\n                    cover_asset_identifier:\n                      \
         asset_type: UPLOAD\n                      asset_id: 7uS_VESkRI6O3-sVgHQp_A\n",
        "",
        "[ELSEWHERE]: `#/paths/~1datasets/get/responses/200/content/application~1json`: a response needs an `example`; add \
         one with typical values",
        "            application/json:\n              schema:\n                $ref: \
         '#/components/schemas/ListDatasetsResponse'",
    ),
    (
        "an example that contradicts its schema",
        "                file_count: 2\n",
        "                file_count: two\n",
        "[LINE]: `#/paths/~1datasets~1{dataset_id}/get/responses/200/content/application~1json/example/file_count`: \
         contradicts its schema: \"two\" is not of type \"integer\"; correct the value or the schema",
        "",
    ),
    (
        "an example of a property that contradicts its schema",
        "          example: 482113",
        "          example: large",
        "[LINE]: `#/components/schemas/DatasetFile/properties/file_size_bytes/example`: contradicts its schema: \"large\" \
         is not of type \"integer\"; correct the value or the schema",
        "",
    ),
    (
        "a default that contradicts its schema",
        "          default: []",
        "          default: none",
        "[LINE]: `#/components/schemas/ListDatasetsResponse/properties/datasets/default`: contradicts its schema: \"none\" \
         is not of type \"array\"; correct the value or the schema",
        "",
    ),
    (
        "a typing error in an optional property of an example",
        "307115+00:00'\n                  cover_asset_identifier:\n",
        "307115+00:00'\n                  cover_aset_identifier:\n",
        "[ELSEWHERE]: `#/paths/~1datasets~1{dataset_id}/get/responses/200/content/application~1json/example/dataset`: contradicts \
         its schema: Additional properties are not allowed ('cover_aset_identifier' was unexpected); correct the value or \
         the schema",
        "                dataset:\n                  dataset_id",
    ),
    (
        "a component that no operation refers to",
        "    ErrorBody:\n",
        "    Lanterns:\n      type: string\n      minLength: 5\n      description: Lights made of paper.\n\n    ErrorBody:\n",
        "[LINE]: `#/components/schemas/Lanterns`: no operation refers to `Lanterns`, directly or through other components; \
         refer to it, or remove it",
        "",
    ),
    (
        "a parameter in a header",
        "          in: query\n",
        "          in: header\n",
        "[LINE]: `#/paths/~1datasets/get/parameters/0/in`: a parameter in a header; use `in: query`; the key is a security scheme, and the client sets the \
         other headers",
        "",
    ),
    (
        "an extension left out",
        "operationId: list_datasets\n      x-ideogram-billing: free\n      x-ideogram-retry: safe\n",
        "operationId: list_datasets\n      x-ideogram-billing: free\n",
        "[ELSEWHERE]: `#/paths/~1datasets/get`: `list_datasets` has no `x-ideogram-retry`; add it: `safe` or `unsafe`",
        "    get:\n      operationId: list_datasets",
    ),
    (
        "an unknown value of an extension",
        "operationId: list_datasets\n      x-ideogram-billing: free\n      x-ideogram-retry: safe",
        "operationId: list_datasets\n      x-ideogram-billing: free\n      x-ideogram-retry: maybe",
        "[LINE]: `#/paths/~1datasets/get/x-ideogram-retry` (operation `list_datasets`): `maybe` is not a value of \
         `x-ideogram-retry`; write one of: safe, unsafe",
        "",
    ),
    (
        "a typing error in an extension",
        "operationId: list_datasets\n      x-ideogram-billing: free",
        "operationId: list_datasets\n      x-ideogram-biling: free",
        "[LINE]: `#/paths/~1datasets/get/x-ideogram-biling`: unknown extension `x-ideogram-biling`; did you mean \
         `x-ideogram-billing`?",
        "",
    ),
    (
        "an unknown extension",
        "operationId: list_datasets\n      x-ideogram-billing: free",
        "operationId: list_datasets\n      x-ideogram-billing: free\n      x-ideogram-cost: 3",
        "[LINE]: `#/paths/~1datasets/get/x-ideogram-cost`: unknown extension `x-ideogram-cost`; remove it, or write one of: \
         x-ideogram-billing, x-ideogram-retry, x-ideogram-images, x-ideogram-status, x-ideogram-job, x-ideogram-poll, \
         x-ideogram-quote",
        "",
    ),
    (
        "a paid operation that is safe to retry",
        "      x-ideogram-billing: paid\n      x-ideogram-retry: unsafe\n",
        "      x-ideogram-billing: paid\n      x-ideogram-retry: safe\n",
        "[LINE]: `#/paths/~1v1~1ideogram-v4~1generate/post/x-ideogram-retry` (operation `post_generate_image_v4`): a paid \
         operation that is safe to retry; write `unsafe`: a paid call is sent again only if it certainly has not run",
        "",
    ),
    (
        "a lower bound above the upper one",
        "      minLength: 5\n      maxLength: 30\n",
        "      minLength: 35\n      maxLength: 30\n",
        "[ELSEWHERE]: `#/components/schemas/ModelName/maxLength`: `maxLength` 30 is below `minLength` 35; correct one of \
         them",
        "      maxLength: 30\n",
    ),
    (
        "a value of an enum twice",
        "      - ARCHIVED\n",
        "      - ARCHIVED\n        - ARCHIVED\n",
        "[LINE]: `#/components/schemas/ModelStatus/enum/6`: the value `ARCHIVED` is listed twice; remove one of the two",
        "",
    ),
    (
        "a path without its parameter",
        "      parameters:\n        - name: dataset_id\n          in: path\n          required: true\n          description: \
         Which dataset the files go into.\n          schema:\n            $ref: '#/components/schemas/DatasetId'\n",
        "",
        "[ELSEWHERE]: `#/paths/~1datasets~1{dataset_id}~1upload_assets/post` (operation `upload_dataset_assets`): \
         `{dataset_id}` of the path has no parameter; describe it under `parameters` with `in: path`",
        "    post:\n      operationId: upload_dataset_assets",
    ),
    (
        "an unquoted ON",
        "enum: [AUTO, 'ON', 'OFF']",
        "enum: [AUTO, ON, 'OFF']",
        "[LINE]: `#/components/schemas/MagicPromptOption/enum/1`: `ON` without quotes, which YAML 1.1 reads as true; write \
         `'ON'`",
        "",
    ),
    (
        "no summary",
        "operationId: list_datasets\n      x-ideogram-billing: free\n      x-ideogram-retry: safe\n      \
         x-ideogram-images: 0\n      tags: [datasets]\n      summary: List datasets\n",
        "operationId: list_datasets\n      x-ideogram-billing: free\n      x-ideogram-retry: safe\n      \
         x-ideogram-images: 0\n      tags: [datasets]\n",
        "[ELSEWHERE]: `#/paths/~1datasets/get`: needs a `summary`; say in a few words what the call does",
        "    get:\n      operationId: list_datasets",
    ),
    (
        "an unknown tag",
        "tags: [models]",
        "tags: [images]",
        "[LINE]: `#/paths/~1v1~1ideogram-v3~1train-model/post/tags/0`: unknown tag \"images\"; describe it under `tags`",
        "",
    ),
    (
        "an error of its own shape",
        "        '401':\n          $ref: '#/components/responses/Error'\n",
        "        '401':\n          description: No key.\n",
        "[ELSEWHERE]: `#/paths/~1v1~1ideogram-v4~1generate/post/responses/401`: `401` has a response of its own; write \
         `$ref: '#/components/responses/Error'`: there is one form of error",
        "        '401':\n",
    ),
    (
        "a link in prose",
        "description: What a new dataset is called.",
        "description: See https://example.test for names.",
        "[LINE]: `#/components/schemas/CreateDatasetRequest/description`: `https://` in a description, which rustdoc reads \
         as markup; put it in backticks, or say it in words; links go to `externalDocs`",
        "",
    ),
];

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

        let (found, expected) = (problems(&edited).to_string(), format!("{DOCUMENT}:{expected}"));
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
