//! A drafted operation passes the house rules when its descriptions are written, and not before.

use std::{env, fs};

use serde_json::{Value, json};

use super::{
    super::tests::{OURS, THEIRS, VENDOR_DOCUMENT},
    *,
};
use crate::{check, missing_samples, sources::Sources};

/// The small document without operations, and without the components that only they have.
fn base() -> Value {
    let mut root = ideogram_codegen::read_yaml(OURS).unwrap();
    root["paths"] = json!({});
    root["components"]["schemas"] = json!({"ErrorBody": root["components"]["schemas"]["ErrorBody"]});
    root
}

/// Adds a draft to the small document, as a person would do it.
fn with_draft(draft: &str) -> String {
    let mut root = base();
    let mut draft = ideogram_codegen::read_yaml(draft).unwrap();
    root["paths"] = draft["paths"].take();
    for (name, schema) in draft["components"]["schemas"].as_object().unwrap() {
        root["components"]["schemas"][name] = schema.clone();
    }
    root["tags"].as_array_mut().unwrap().extend(draft["tags"].as_array().cloned().unwrap_or_default());
    yaml::write(&root)
}

/// The problems of a document whose samples are its examples.
fn problems(document: &str) -> Vec<String> {
    let sources = Sources::of_document(document);
    let samples = missing_samples(&sources);
    let sources = samples.into_iter().fold(sources, |sources, need| sources.with(&need.file, need.derived.unwrap()));
    let problems = check(&sources).err();
    problems.iter().flat_map(crate::Problems::iter).map(ToString::to_string).collect()
}

fn written(draft: &str) -> String {
    draft.replace("description: TODO", "description: Words.").replace("summary: TODO", "summary: Words")
}

fn drafted(text: &str, operation: &str) -> Result<String> {
    let base = yaml::write(&base());
    draft(
        &Document::parse("ours.yaml", &base).unwrap(),
        &Document::parse("/some/where/theirs.json", text).unwrap(),
        operation,
    )
}

#[test]
fn a_drafted_operation_passes_the_house_rules_when_its_descriptions_are_written() {
    for operation in ["get_lantern", "POST /lanterns"] {
        let draft = drafted(THEIRS, operation).unwrap();

        let unwritten = problems(&with_draft(&draft));
        assert!(
            !unwritten.is_empty() && unwritten.iter().all(|problem| problem.contains("not written yet")),
            "{unwritten:#?}"
        );
        assert_eq!(problems(&with_draft(&written(&draft))), [] as [String; 0], "{draft}");
    }
}

#[test]
fn a_draft_looks_like_the_document() {
    let draft = drafted(THEIRS, "post_lantern").unwrap();

    assert_eq!(draft, include_str!("drafted.yaml"));
}

#[test]
fn a_component_of_ours_is_used_again_if_it_has_the_same_facts() {
    let drafted = |theirs: &str| {
        let (ours, theirs) = (Document::parse("ours.yaml", OURS).unwrap(), Document::parse("t.json", theirs).unwrap());
        draft(&ours, &theirs, "get_lantern").unwrap()
    };
    let other = THEIRS.replace(r#""lit_at""#, r#""burns_since""#);

    let same = drafted(THEIRS);
    let other = drafted(&other);

    assert!(same.contains("$ref: '#/components/schemas/Lantern'\n") && !same.contains("    Lantern:"), "{same}");
    let differs = "    LanternNo2:
      # TODO: differs from our `Lantern` in: burns_since property, lit_at property.
      type: object
";
    assert!(other.contains(differs), "{other}");
}

#[test]
fn what_the_house_rules_do_not_allow_is_marked() {
    let theirs = json!({
        "components": {"securitySchemes": {"T": {"type": "http", "scheme": "bearer"}}},
        "paths": {"/a": {"put": {
            "security": [{"T": []}],
            "tags": ["new"],
            "parameters": [
                {"name": "X-Trace", "in": "header", "schema": {"type": "string"}},
                {"name": "since", "in": "query", "schema": {"type": "string", "format": "date-time", "nullable": true}},
                {"name": "dry_run", "in": "query", "schema": {"type": "boolean"}},
            ],
            "requestBody": {"content": {
                "application/json": {"schema": {"type": "object", "minProperties": 1, "properties": {
                    "async": {"type": "boolean"},
                    "size": {"type": "integer", "enum": [1, 2]},
                    "either": {"oneOf": [{"type": "string"}, {"type": "integer"}]},
                }}},
                "text/csv": {"schema": {"type": "string"}},
            }},
            "responses": {"204": {"description": ""}},
        }}},
    });

    let draft = drafted(&theirs.to_string(), "PUT /a").unwrap();

    let marks: Vec<&str> = draft.lines().filter_map(|line| line.trim_start().strip_prefix("# TODO: ")).collect();
    let expected = [
        "`free` if a source says so.",
        "`safe` if it is free and a second call changes nothing.",
        "how many images the call creates.",
        "`x-ideogram-job`: the call can run as a job, without `async` and the address here.",
        "`x-ideogram-quote`: the call has a price without running, with `dry_run`.",
        "the service wants `bearer` token, which this document cannot express.",
        "the parameter `X-Trace` in `header` is left out.",
        "a time, which parameters cannot be; a component with a pattern is more exact.",
        "`text/csv` of the service, with another schema, is left out.",
        "no JSON comes with success, which the house rules do not allow.",
        "`minProperties` of the service is left out.",
        "the service lists values; only texts can be an enum here.",
        "a union of the service that is not one of objects.",
    ];
    assert_eq!(marks, expected);
    assert!(draft.contains("tags:\n  - name: new\n    description: TODO\n"), "{draft}");
}

#[test]
fn an_operation_that_is_not_there_is_refused_with_the_name_that_was_meant() {
    let error = drafted(THEIRS, "get_lanten").unwrap_err().to_string();

    assert_eq!(error, "no operation `get_lanten`; did you mean `get_lantern`?");
}

#[test]
fn every_operation_of_the_service_can_be_drafted() {
    let Ok(path) = env::var(VENDOR_DOCUMENT) else { return };
    let text = fs::read_to_string(path).unwrap();
    let theirs = Document::parse("vendor.json", &text).unwrap();
    let ours = Document::parse("ours.yaml", &yaml::write(&base())).unwrap();
    let mut failed = Vec::new();
    for operation in operations(&theirs).values() {
        let draft = draft(&ours, &theirs, &operation.title).unwrap();
        let problems = problems(&with_draft(&written(&draft)));
        let is_marked = draft.contains("which the house rules do not allow");
        if problems.is_empty() == is_marked {
            failed.push(format!("{}: {}", operation.title, problems.join("\n    ")));
        }
    }
    assert_eq!(failed, [] as [String; 0], "{}", failed.join("\n"));
}
