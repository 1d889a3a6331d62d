//! Checks that examples are valid against the document and that news are not.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::{
    problem::Problem,
    schema::{Check, Schemas},
    schema_walk::{self, Operation},
    sources::{Sample, Sources, Validity},
};

/// Most violations to report for one value.
const MAX_VIOLATIONS: usize = 5;

/// Checks the samples, and the examples and defaults inside of the document.
pub(crate) fn check(sources: &Sources, root: &Value, problems: &mut Vec<Problem>) {
    let document = sources.document();
    let schemas = match Schemas::of(root) {
        Ok(schemas) => schemas,
        Err(error) => {
            let message = format!("the schemas are not valid JSON Schema: {error}");
            problems.push(Problem::of_document(document, "/components/schemas", message, "correct the schema"));
            return;
        }
    };
    inline_values(document, root, problems);

    for path in sources.misplaced() {
        let message = "the file is not a sample";
        let repair = "name it `<operation>/<case>.json`, the case in lower case with digits and `_`, or remove it";
        problems.push(Problem::of_file(path, message, repair));
    }
    let operations = schema_walk::operations(root);
    for operation in &operations {
        let samples: Vec<_> = sources.samples().filter(|sample| sample.operation == operation.id).collect();
        if !samples.iter().any(|sample| sample.validity == Validity::Example) {
            let message = format!("`{}` has no example", operation.id);
            let repair = format!(
                "add `{}{}/<case>.json`; `cargo xtask regen` takes one from the document",
                Validity::Example.folder(),
                operation.id
            );
            problems.push(Problem::of_document(document, &operation.node.pointer, message, repair));
        }
        let Some(check) = response_check(operation, &schemas) else { continue };
        for sample in samples {
            problems.extend(sample_problems(&sample, &check));
        }
    }
    let is_known = |id: &str| operations.iter().any(|operation| operation.id == id);
    let unknown: BTreeSet<_> = sources.samples().filter(|sample| !is_known(sample.operation)).map(folder).collect();
    for (folder, id) in unknown {
        let has_samples = |id: &str| sources.samples().any(|sample| sample.operation == id);
        let without: Vec<&str> = operations.iter().map(|it| it.id).filter(|id| !has_samples(id)).collect();
        // After an operation was renamed, it is the one without samples.
        let meant = match without.as_slice() {
            [only] => Some(*only),
            _ => ideogram_codegen::nearest(id, operations.iter().map(|operation| operation.id)),
        };
        let repair = match meant {
            Some(meant) => format!("rename the folder to `{meant}`, or remove it"),
            None => "name the folder after an operation id, or remove it".to_owned(),
        };
        let message = format!("`{id}` is not an operation of the document");
        problems.push(Problem::of_file(folder, message, repair));
    }
}

/// The folder of a sample, and the operation that it is named after.
fn folder(sample: Sample<'_>) -> (&str, &str) {
    let folder = sample.path.rsplit_once('/').map_or(sample.path, |(folder, _)| folder);
    (folder, sample.operation)
}

/// Checks examples and defaults. Unlike a response, an example has no property that the document does not know: it would
/// be a typing error.
fn inline_values(document: &str, root: &Value, problems: &mut Vec<Problem>) {
    let mut closed = root.clone();
    for schema in schema_walk::walk(root).schemas {
        if schema.value.get("properties").is_some()
            && schema.value.get("additionalProperties").is_none()
            && let Some(schema) = closed.pointer_mut(&schema.pointer)
        {
            schema["additionalProperties"] = false.into();
        }
    }
    // The schemas have been read without this keyword.
    let Ok(schemas) = Schemas::of(&closed) else { return };
    for (value, schema) in schema_walk::walk(&closed).values {
        let check = match schemas.check(schema) {
            Ok(check) => check,
            Err(error) => {
                let message = format!("its schema is not a JSON Schema: {error}");
                problems.push(Problem::of_document(document, &value.pointer, message, "correct the schema"));
                continue;
            }
        };
        for violation in check.violations(value.value).into_iter().take(MAX_VIOLATIONS) {
            let pointer = format!("{}{}", value.pointer, violation.pointer);
            let message = format!("contradicts its schema: {}", violation.message);
            problems.push(Problem::of_document(document, &pointer, message, "correct the value or the schema"));
        }
    }
}

/// The check of a response. A schema that is not valid is reported with the example of the response.
fn response_check(operation: &Operation<'_>, schemas: &Schemas) -> Option<Check> {
    let response = operation.node.get("responses")?.get("200")?.get("content")?.get("application/json")?;
    schemas.check(response.get("schema")?.value).ok()
}

fn sample_problems(sample: &Sample<'_>, check: &Check) -> Vec<Problem> {
    let value: Value = match serde_json::from_str(sample.text) {
        Ok(value) => value,
        Err(error) => {
            let message = format!("not JSON: {error}");
            return vec![Problem::of_file(sample.path, message, "correct the JSON").at_line(Some(error.line()))];
        }
    };
    if let Some(problem) = layout_problem(sample, &value) {
        return vec![problem];
    }
    let counterpart = |validity: Validity| format!("{}{}/{}.json", validity.folder(), sample.operation, sample.case);
    match sample.validity {
        Validity::Example => {
            let violations = check.violations(&value).into_iter().take(MAX_VIOLATIONS);
            let repair = format!(
                "correct it or the document; a response that breaks the document belongs to `{}`",
                counterpart(Validity::News)
            );
            violations
                .map(|violation| {
                    let message = format!("contradicts the document: {}", violation.message);
                    Problem::of_file(sample.path, message, repair.clone()).at_pointer(&violation.pointer)
                })
                .collect()
        }
        Validity::News if check.is_valid(&value) => {
            let repair = format!(
                "move it to `{}`, or make it break the document as its name says",
                counterpart(Validity::Example)
            );
            vec![
                Problem::of_file(sample.path, "valid against the document, so it is an example", repair).at_pointer(""),
            ]
        }
        Validity::News => Vec::new(),
    }
}

/// Checks the layout, so that two samples differ only in content.
fn layout_problem(sample: &Sample<'_>, value: &Value) -> Option<Problem> {
    let wanted = serde_json::to_string_pretty(value).ok()? + "\n";
    if wanted == sample.text {
        return None;
    }
    let common = wanted.lines().zip(sample.text.lines()).take_while(|(wanted, found)| wanted == found).count();
    let message = "not in the layout of samples: two spaces, one property per line, a final newline";
    let repair = match wanted.lines().nth(common) {
        Some(line) => format!("write `{}`", line.trim()),
        None => "end the file with one newline".to_owned(),
    };
    Some(Problem::of_file(sample.path, message, repair).at_line(Some(common + 1)))
}
