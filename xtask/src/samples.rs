//! Checks that examples are valid against the document and that news are not.

use std::collections::{BTreeMap, BTreeSet};

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
    let mut failures = Vec::new();
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
        failures.extend(samples.iter().flat_map(|sample| sample_failures(sample, &check)));
    }
    problems.extend(one_for_each_cause(failures));
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

/// What is wrong with a sample.
struct Failure<'s> {
    path: &'s str,
    /// The location in the sample.
    pointer: String,
    line: Option<usize>,
    message: String,
    repair: String,
    /// What is equal in all samples that fail for the same reason; `None` if the reason is in this sample alone.
    cause: Option<String>,
}

/// Returns a problem for each cause, with the first of the samples. After an edit of the document, many samples may fail
/// for the same cause.
fn one_for_each_cause(failures: Vec<Failure<'_>>) -> Vec<Problem> {
    let mut paths: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for failure in &failures {
        if let Some(cause) = &failure.cause {
            paths.entry(cause.clone()).or_default().insert(failure.path);
        }
    }
    let problems = failures.into_iter().filter_map(|failure| {
        let Failure { path, pointer, line, mut message, repair, cause } = failure;
        if let Some(cause) = cause {
            // Only the first failure of a cause finds its samples.
            match paths.remove(&cause)?.len() - 1 {
                0 => {}
                1 => message += " (the same in another sample)",
                others => message += &format!(" (the same in {others} other samples)"),
            }
        }
        let problem = Problem::of_file(path, message, repair);
        Some(if line.is_some() { problem.at_line(line) } else { problem.at_pointer(&pointer) })
    });
    problems.collect()
}

fn sample_failures<'s>(sample: &Sample<'s>, check: &Check) -> Vec<Failure<'s>> {
    let failure = |message: String, repair: String| Failure {
        path: sample.path,
        pointer: String::new(),
        line: None,
        message,
        repair,
        cause: None,
    };
    let value: Value = match serde_json::from_str(sample.text) {
        Ok(value) => value,
        Err(error) => {
            let not_json = failure(format!("not JSON: {error}"), "correct the JSON".to_owned());
            return vec![Failure { line: Some(error.line()), ..not_json }];
        }
    };
    if let Some((line, repair)) = layout_difference(sample, &value) {
        let message = "not in the layout of samples: two spaces, one property per line, a final newline";
        return vec![Failure { line: Some(line), ..failure(message.to_owned(), repair) }];
    }
    let counterpart = |validity: Validity| format!("{}{}/{}.json", validity.folder(), sample.operation, sample.case);
    match sample.validity {
        Validity::Example => {
            let repair = format!(
                "correct it or the document; a response that breaks the document belongs to `{}`",
                counterpart(Validity::News)
            );
            let violations = check.violations(&value).into_iter().take(MAX_VIOLATIONS);
            let failures = violations.map(|violation| Failure {
                pointer: violation.pointer,
                cause: Some(violation.cause),
                ..failure(format!("contradicts the document: {}", violation.message), repair.clone())
            });
            failures.collect()
        }
        Validity::News if check.is_valid(&value) => {
            let repair = format!(
                "move it to `{}`, or make it break the document as its name says",
                counterpart(Validity::Example)
            );
            // Samples of one name have the same news.
            let cause = Some(sample.case.to_owned());
            vec![Failure { cause, ..failure("valid against the document, so it is an example".to_owned(), repair) }]
        }
        Validity::News => Vec::new(),
    }
}

/// Compares the layout, so that two samples differ only in content: the first line that differs, and the repair.
fn layout_difference(sample: &Sample<'_>, value: &Value) -> Option<(usize, String)> {
    let wanted = serde_json::to_string_pretty(value).ok()? + "\n";
    if wanted == sample.text {
        return None;
    }
    let common = wanted.lines().zip(sample.text.lines()).take_while(|(wanted, found)| wanted == found).count();
    let repair = match wanted.lines().nth(common) {
        Some(line) => format!("write `{}`", line.trim()),
        None => "end the file with one newline".to_owned(),
    };
    Some((common + 1, repair))
}
