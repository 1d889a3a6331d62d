//! The columns of a table, or the properties of rows, under the names that the user gives them.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{
    model::Model,
    properties::{JSON_PROMPT, is_known},
    raw::{Problem, Raw},
    table::plain,
};
use crate::{
    executable,
    images::{LEGACY_OBJECT, size},
};

/// Properties, and how people call their columns.
const OTHER_NAMES: [(&str, &[&str]); 4] = [
    ("num_images", &["n", "count", "number"]),
    ("id", &["name", "filename", "file_name", "file"]),
    ("aspect_ratio", &["ratio", "ar"]),
    ("negative_prompt", &["negative"]),
];

/// How many typing mistakes a suggestion corrects.
const MAX_MISTAKES: usize = 2;

/// `--prompt-column` and `--ignore-column`.
#[derive(Clone, Debug, Default)]
pub(super) struct Columns {
    pub(super) prompt: Option<String>,
    pub(super) ignored: Vec<String>,
}

impl Columns {
    /// Renames and removes columns, and reports those of a table that rows cannot have: once, at the header.
    pub(super) fn apply(&self, rows: &mut [Raw], model: Model, unchecked: bool) -> Vec<Problem> {
        let mut problems = Vec::new();
        let names: BTreeSet<String> = rows.iter().flat_map(|row| row.properties.keys().cloned()).collect();
        let first_line = rows.first().map_or(1, |row| row.header.unwrap_or(row.line));
        let mut find = |wanted: &String, flag: &str| {
            let found = names.get(wanted).or_else(|| names.iter().find(|name| plain(name) == plain(wanted))).cloned();
            // Without columns, no row could be read, which is reported.
            if found.is_none() && !names.is_empty() {
                let reason = format!("{flag} {wanted}: there is no such column; there are {}", list(&names));
                problems.push(Problem::new(first_line, "", reason));
            }
            found
        };
        let ignored: Vec<String> = self.ignored.iter().filter_map(|name| find(name, "--ignore-column")).collect();
        let prompt = self.prompt.as_ref().and_then(|name| find(name, "--prompt-column"));
        for row in rows.iter_mut() {
            for name in &ignored {
                row.properties.shift_remove(name);
            }
            let Some(name) = &prompt else { continue };
            let value = row.properties.shift_remove(name);
            // A row whose cell is empty must not be sent with the prompt of another column.
            row.properties.shift_remove("prompt");
            if let Some(value) = value {
                row.properties.insert("prompt".to_owned(), value);
            }
        }
        if problems.is_empty() && !unchecked {
            problems = header_problems(rows, model);
        }
        problems
    }
}

/// What is wrong with the header of a table.
fn header_problems(rows: &mut [Raw], model: Model) -> Vec<Problem> {
    let Some(header) = rows.first().and_then(|row| row.header) else { return Vec::new() };
    let names: BTreeSet<String> = rows.iter().flat_map(|row| row.properties.keys().cloned()).collect();
    let unknown: BTreeSet<String> = names.iter().filter(|name| !is_known(name)).cloned().collect();
    let has_prompt = ["prompt", "text_prompt", JSON_PROMPT, LEGACY_OBJECT].iter().any(|name| names.contains(*name));
    let prompt = longest(rows, &unknown).filter(|_| !has_prompt);
    let options = prompt.iter().flat_map(|name| ["--prompt-column", *name]);
    let ignored = unknown.iter().filter(|name| Some(name.as_str()) != prompt);
    let options: Vec<&str> = options.chain(ignored.flat_map(|name| ["--ignore-column", name])).collect();
    let command = executable::command_line_adding(&options);
    let mut problems = Vec::new();
    if prompt.is_some() {
        let there_are = list(&names);
        let reason = if names.len() == 1 {
            format!(
                "the only column is called {there_are}, not `prompt`: if that is a prompt itself, write the line `prompt` \
                 above it; if it is a name: {command}"
            )
        } else {
            format!("no column is called `prompt`; there are {there_are}: name one so, or say which it is: {command}")
        };
        problems.push(Problem::new(header, "", reason));
    } else if !unknown.is_empty() {
        let (columns, are, them) = if unknown.len() == 1 { ("column", "is", "it") } else { ("columns", "are", "them") };
        let model_of = |row: &Raw| {
            let own = row.properties.get("model").and_then(Value::as_str);
            own.and_then(|name| Model::find(name.trim())).unwrap_or(model)
        };
        let models = Model::all().filter(|model| rows.iter().any(|row| model_of(row) == *model));
        let operations: Vec<_> = models.flat_map(Model::operations).collect();
        let ratio =
            operations.iter().any(|operation| size::property(operation).is_some()).then_some(size::ASPECT_RATIO);
        let inputs = operations.iter().flat_map(|operation| operation.inputs).map(|input| input.name);
        let fitting: BTreeSet<&str> = inputs.chain(ratio).collect();
        let fitting: Vec<&str> = ["id", "model", "operation"].into_iter().chain(fitting).collect();
        let meant: String = unknown
            .iter()
            .filter_map(|name| Some((name, meant(&plain(name), &fitting)?)))
            .filter(|(_, meant)| !names.contains(*meant))
            .map(|(name, meant)| format!("rename `{name}` to `{meant}` if it is that; "))
            .collect();
        let reason = format!(
            "{columns} {} {are} unknown; {meant}use one of {}, or leave {them} out: {command}",
            list(&unknown),
            fitting.join(", "),
        );
        problems.push(Problem::new(header, "", reason));
    }
    if !problems.is_empty() {
        // Each of their rows would be reported again.
        for row in rows {
            row.properties.retain(|name, _| !unknown.contains(name));
            if !has_prompt {
                row.properties.insert("prompt".to_owned(), Value::from("-"));
            }
        }
    }
    problems
}

/// The property that a column is meant to be: people call it so, or it is misspelled.
fn meant<'a>(name: &str, fitting: &[&'a str]) -> Option<&'a str> {
    let other = OTHER_NAMES.iter().find(|(_, other)| other.contains(&name)).map(|(property, _)| *property);
    let nearest = || {
        let distances = fitting.iter().map(|property| (strsim::damerau_levenshtein(name, &plain(property)), *property));
        distances.filter(|(distance, _)| *distance <= MAX_MISTAKES).min().map(|(_, property)| property)
    };
    other.or_else(nearest)
}

/// The column with the longest texts: it is most probably that of the prompts.
fn longest<'a>(rows: &[Raw], names: &'a BTreeSet<String>) -> Option<&'a str> {
    let length = |name: &&String| -> usize {
        rows.iter().filter_map(|row| row.properties.get(*name)).map(|value| value.to_string().len()).sum()
    };
    names.iter().max_by_key(length).map(String::as_str)
}

fn list(names: &BTreeSet<String>) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
