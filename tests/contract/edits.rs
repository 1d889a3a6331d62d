//! An edit of the document is detected: a change for users shows in the snapshots, a broken rule is refused with its
//! location.

use std::collections::BTreeSet;

use ideogram_codegen::GeneratedClient;
use xtask::{DOCUMENT, Problems, Sources, snapshots};

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

#[test]
fn an_edit_that_breaks_the_document_is_refused_with_location_and_repair() {
    for (what, from, to, location, message) in [
        ("broken YAML", "  title: Ideogram API", "  title: [Ideogram API", ":", "not valid YAML"),
        ("a tab", "info:\n  title", "info:\n\ttitle", ":", "not valid YAML"),
        (
            "a reference to nowhere",
            "$ref: '#/components/schemas/ListDatasetsResponse'",
            "$ref: '#/components/schemas/Nowhere'",
            "`#/paths/~1datasets/get/responses/200/content/application~1json/schema",
            "the reference `#/components/schemas/Nowhere` has no target",
        ),
        (
            "two operations of one id",
            "operationId: create_dataset",
            "operationId: list_datasets",
            "`#/paths/~1datasets/post`",
            "list_datasets",
        ),
        (
            "an unsupported keyword",
            "      minLength: 5\n",
            "      minLength: 5\n      contentEncoding: base64\n",
            "`#/components/schemas/ModelName/contentEncoding`",
            "unsupported keyword `contentEncoding`",
        ),
        (
            "an example that contradicts its schema",
            "                file_count: 2\n",
            "                file_count: two\n",
            "`#/paths/~1datasets~1{dataset_id}/get/responses/200/content/application~1json/example/file_count`",
            "contradicts its schema: \"two\" is not of type \"integer\"",
        ),
        (
            "an example of a property that contradicts its schema",
            "          example: 482113",
            "          example: large",
            "`#/components/schemas/DatasetFile/properties/file_size_bytes/example`",
            "contradicts its schema",
        ),
        (
            "a default that contradicts its schema",
            "          default: []",
            "          default: none",
            "`#/components/schemas/ListDatasetsResponse/properties/datasets/default`",
            "contradicts its schema",
        ),
        ("a mark left out", "      x-ideogram-retry: safe\n", "", "`#/paths/~1datasets/get`", "no `x-ideogram-retry`"),
        (
            "a mark of another value",
            "x-ideogram-billing: free",
            "x-ideogram-billing: gratis",
            "`#/paths/~1datasets/get/x-ideogram-billing`",
            "unknown value of an extension",
        ),
        ("no summary", "      summary: List datasets\n", "", "`#/paths/~1datasets/get`", "needs a `summary`"),
        ("an unknown tag", "tags: [models]", "tags: [images]", "/tags/0`", "unknown tag"),
        (
            "an error of its own shape",
            "        '401':\n          $ref: '#/components/responses/Error'\n",
            "        '401':\n          description: No key.\n",
            "/responses/401`",
            "a response of its own",
        ),
        (
            "a link in prose",
            "description: What a new dataset is called.",
            "description: See https://example.test for names.",
            "`#/components/schemas/CreateDatasetRequest/description`",
            "which rustdoc reads as markup",
        ),
    ] {
        let found = problems(&edited(from, to));

        let fits = |problem: &xtask::Problem| {
            problem.to_string().contains(location)
                && problem.message().contains(message)
                && !problem.repair().is_empty()
        };
        let problem = found.iter().find(|problem| fits(problem));
        let problem = problem.unwrap_or_else(|| panic!("{what}, expected at {location}: {message}\n{found}"));
        assert_eq!(problem.file(), DOCUMENT, "{what}");
        let line = problem.line().unwrap_or_else(|| panic!("{what}: no line in {problem}"));
        assert!(problem.to_string().starts_with(&format!("{DOCUMENT}:{line}: ")), "{problem}");
    }
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
            "openapi/news/get_images/plain.json: `get_images` is not an operation of the document; name the \
             folder after an operation id, or remove the file",
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
