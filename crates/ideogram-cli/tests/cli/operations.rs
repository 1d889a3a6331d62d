//! `ideogram operations`.

use std::{fs, path::Path};

use crate::invocation::{ideogram, snapshot};

#[test]
fn an_operation_is_listed_with_billing_and_inputs() {
    snapshot!(ideogram(["operations", "--jq", ".operations[] | select(.id == \"get_dataset\")"]).run(), @r#"
    exit code: 0
    ----- stdout -----
    {
      "id": "get_dataset",
      "method": "GET",
      "path": "/datasets/{dataset_id}",
      "summary": "Get a dataset",
      "billing": "free",
      "retry": "safe",
      "images": 0,
      "job": false,
      "quote": false,
      "deprecated": false,
      "media_type": null,
      "docs_url": "https://developer.ideogram.ai/api-reference/custom-model-training/get-dataset",
      "command": "datasets get"
    }
    "#);
}

#[test]
fn the_list_agrees_with_the_table_of_the_document() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let table = fs::read_to_string(root.join("openapi/README.md")).unwrap();
    let list = ideogram(["operations", "--output", "json"]).run().json();

    let operations = list["operations"].as_array().unwrap();
    assert_eq!(operations.len(), ideogram_client::operations::ALL.len());
    for operation in operations {
        let id = operation["id"].as_str().unwrap();
        let row = table.lines().find(|line| line.starts_with(&format!("| `{id}`"))).unwrap();
        for property in ["path", "billing"] {
            assert!(row.contains(operation[property].as_str().unwrap()), "{id}: {row}");
        }
        match operation["command"].as_str() {
            Some(command) => assert!(row.contains(&format!("`ideogram {command}`")), "{id}: {row}"),
            None => assert!(!row.contains("`ideogram "), "{id}: {row}"),
        }
    }
}

#[test]
fn without_a_terminal_nothing_is_cut() {
    let ran = ideogram(["operations"]).run();

    // The first line has the headings.
    assert_eq!(ran.stdout().lines().count(), 1 + ideogram_client::operations::ALL.len());
    assert!(ran.stdout().contains("/v1/ideogram-v3/generate-transparent"));
}
