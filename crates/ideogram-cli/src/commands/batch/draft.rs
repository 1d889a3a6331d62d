//! Turns rows of a file into requests, and checks them before anything is sent.

use std::{
    collections::{BTreeMap, HashMap},
    error::Error as _,
    path::PathBuf,
};

use ideogram_client::{
    Client, Error, File, Validation,
    operation::{Input, InputKind, Operation},
    operations,
    schema::Schema,
    validate::Violations,
};
use serde_json::{Map, Value};

use super::{
    canonical,
    digest::Digests,
    model::Model,
    properties::{JSON_PROMPT, generates_images, input, is_known, nested},
    raw::{Problem, Raw},
    row::{Row, key, slug},
    spelling::{self, Cell},
};
use crate::{
    commands::values,
    images::{
        LEGACY_OBJECT,
        content::Content,
        mask::{self, Pair},
        size, structured,
    },
    text_input::without_mark,
};

/// The maximum length of an `id`: it becomes the name of files.
const MAX_ID_CHARS: usize = 64;

/// The settings for turning rows into requests.
#[derive(Clone, Debug)]
pub(super) struct Reading {
    pub(super) client: Client,
    pub(super) model: Model,
    /// Paths of files are relative to it.
    pub(super) folder: PathBuf,
    /// Leaves values that the document does not know to the service.
    pub(super) unchecked: bool,
}

/// Turns all rows into requests, or returns all their problems. Reads the files of the rows. Blocks.
pub(super) fn rows(rows: Vec<Raw>, reading: &Reading) -> Result<Vec<Row>, Vec<Problem>> {
    let (mut done, mut problems) = (Vec::with_capacity(rows.len()), Vec::new());
    let mut ids: HashMap<String, u64> = HashMap::new();
    let mut same: HashMap<String, u32> = HashMap::new();
    let mut digests = Digests::default();
    for raw in rows {
        let mut draft = Draft { raw: &raw, reading, digests: &mut digests, problems: Vec::new() };
        if let Some(mut row) = draft.row(&mut ids) {
            // Equal rows are all wanted, and numbered.
            let occurrence = same.entry(row.key.clone()).or_default();
            *occurrence += 1;
            if *occurrence > 1 {
                row.key = format!("{}-{occurrence}", row.key);
            }
            if row.name.is_empty() {
                row.name = format!("{}{}", slug(&row.prompt), &row.key[..8]);
                if *occurrence > 1 {
                    row.name = format!("{}-{occurrence}", row.name);
                }
            }
            done.push(row);
        }
        problems.append(&mut draft.problems);
    }
    if problems.is_empty() { Ok(done) } else { Err(problems) }
}

/// A row that is being turned into a request.
struct Draft<'a> {
    raw: &'a Raw,
    reading: &'a Reading,
    digests: &'a mut Digests,
    problems: Vec<Problem>,
}

impl Draft<'_> {
    fn problem(&mut self, property: &str, reason: impl Into<String>) {
        self.problems.push(self.raw.problem(property, reason));
    }

    fn row(&mut self, ids: &mut HashMap<String, u64>) -> Option<Row> {
        let mut properties = self.raw.properties.clone();
        if self.raw.header.is_some() {
            for name in ["id", "model", "operation"] {
                if properties.get(name).and_then(Value::as_str).is_some_and(spelling::is_missing) {
                    properties.shift_remove(name);
                }
            }
        }
        let id = properties.shift_remove("id").and_then(|id| self.id(&id, ids));
        let operation = self.operation(&mut properties)?;
        self.read_cells(operation, &mut properties);
        self.rename_prompt(operation, &mut properties);
        self.aspect_ratio(operation, &mut properties);
        let prompt = prompt_of(&properties);
        self.structured_prompt(operation, &mut properties);
        self.nest(operation, &mut properties);

        let mut call = self.reading.client.call(operation.id).ok()?;
        if self.reading.unchecked {
            call = call.validation(Validation::Off);
        }
        let mut files = BTreeMap::new();
        let mut paths: HashMap<&str, Vec<PathBuf>> = HashMap::new();
        for (name, value) in &properties {
            let Some(input) = input(operation, name) else {
                if self.reading.unchecked {
                    call = call.unchecked_field(name.as_str(), value);
                } else {
                    self.problems.push(unknown(self.raw, operation, name));
                }
                continue;
            };
            for value in self.values(input, value) {
                if input.kind() == InputKind::File {
                    let path = self.reading.folder.join(&value);
                    match self.digests.of(&path) {
                        Ok(digest) => drop(files.insert(path.clone(), digest)),
                        Err(reason) => self.problem(name, reason),
                    }
                    call = call.file(input.name, File::from_path(&path));
                    paths.entry(input.name).or_default().push(path);
                } else {
                    self.check(input, &value);
                    let value = values::find(input.values(), &value).map_or(value.as_str(), |known| *known);
                    call = call.field(input.name, value);
                }
            }
        }
        if self.problems.is_empty() {
            self.check_masks(&paths);
        }
        for input in operation.inputs.iter().filter(|input| input.required) {
            if !properties.contains_key(input.name) {
                let name = if input.name == "text_prompt" { "prompt" } else { input.name };
                self.problem(name, format!("is missing: {operation} requires it"));
            }
        }
        let request = match call.prepare() {
            Ok(request) if self.problems.is_empty() => request,
            Ok(_) => return None,
            Err(error) => {
                self.refused(&error);
                return None;
            }
        };

        let key = key(&request, &files);
        let images = request.images().max(1);
        Some(Row { line: self.raw.line, key, name: id.unwrap_or_default(), prompt, request, images, files })
    }

    /// Reports masks that do not fit their images: the service would bill the call without using them.
    fn check_masks(&mut self, paths: &HashMap<&str, Vec<PathBuf>>) {
        let pairs = match mask::pairs(|property| paths.get(property).map(Vec::as_slice)) {
            Ok(pairs) => pairs,
            Err((property, problem)) => return self.problem(property, problem),
        };
        for Pair { property, kind, image, mask } in pairs {
            if let Err(problem) = mask::check(kind, &Content::of_path(image), &Content::of_path(mask)) {
                self.problem(property, format!("\"{}\" {problem}", mask.display()));
            }
        }
    }

    /// Reports violations of the document under the names that the row uses.
    fn refused(&mut self, error: &Error) {
        let violations = error.source().and_then(|source| source.downcast_ref::<Violations>());
        for violation in violations.into_iter().flat_map(Violations::iter) {
            let property = violation.property();
            let property =
                property.strip_prefix(LEGACY_OBJECT).and_then(|inner| inner.strip_prefix('.')).unwrap_or(property);
            let (property, path) = property.split_once('.').unwrap_or((property, ""));
            let property = if property == "text_prompt" { "prompt" } else { property };
            let path = if path.is_empty() { String::new() } else { format!("`{path}` ") };
            let reason = violation.reason().replace("`text_prompt`", "`prompt`");
            // The service may have added these since.
            let is_addition = reason.starts_with("must be one of") || reason == "is not in the document";
            let hint = if is_addition { "; --unchecked leaves it to the service" } else { "" };
            self.problem(property, format!("{path}{reason}{hint}"));
        }
        // Without violations, the problem was reported before the call was prepared.
        if self.problems.is_empty() {
            self.problem("", error.to_string());
        }
    }

    /// Reads the cells of a table, in which programs write numbers, `true` and missing values in many ways.
    fn read_cells(&mut self, operation: &Operation, properties: &mut Map<String, Value>) {
        let (is_cell, is_nested) = (self.raw.header.is_some(), input(operation, LEGACY_OBJECT).is_some());
        let mut read = Map::new();
        for (name, value) in std::mem::take(properties) {
            let input = input(operation, &name);
            let whole = nested(operation, &name).is_some_and(|it| matches!(it.schema, Schema::Integer { .. }));
            let is_free_text = ["prompt", "text_prompt", "negative_prompt"].contains(&name.as_str())
                || input.is_some_and(|input| input.kind() == InputKind::Text && input.values().is_empty());
            let kind = match input {
                _ if is_free_text => Cell::Text,
                Some(input) => Cell::of(input),
                None if is_nested && whole => Cell::Integer,
                None => Cell::Any,
            };
            match spelling::read(&value, kind, is_cell) {
                // In a JSON object, numbers are not text.
                Ok(Some(Value::String(text))) if is_cell && input.is_none() && kind == Cell::Integer => {
                    read.insert(name, serde_json::from_str(&text).unwrap_or(Value::String(text)));
                }
                Ok(Some(value)) => drop(read.insert(name, value)),
                Ok(None) => {}
                Err(reason) => self.problem(&name, reason),
            }
        }
        *properties = read;
    }

    /// The `id` of a row, which becomes the name of its files.
    fn id(&mut self, id: &Value, ids: &mut HashMap<String, u64>) -> Option<String> {
        let id = match id {
            Value::String(text) => text.trim().to_owned(),
            Value::Number(number) => number.to_string(),
            _ => {
                self.problem("id", "must be text");
                return None;
            }
        };
        let is_plain = |character: char| character.is_alphanumeric() || matches!(character, '-' | '_' | '.' | ' ');
        if id.is_empty() || id.starts_with('.') || !id.chars().all(is_plain) || id.chars().count() > MAX_ID_CHARS {
            let reason = format!(
                "becomes the name of files: use 1 to {MAX_ID_CHARS} letters, digits, `-`, `_`, `.` and spaces, not beginning \
                 with `.`"
            );
            self.problem("id", reason);
            return None;
        }
        // Many file systems ignore case.
        if let Some(line) = ids.insert(id.to_lowercase(), self.raw.line) {
            self.problem("id", format!("\"{id}\" is already the id of line {line}"));
        }
        Some(id)
    }

    /// The operation of a row: by its id, by its model, or the default.
    fn operation(&mut self, properties: &mut Map<String, Value>) -> Option<&'static Operation> {
        let model = properties.get("model").map(|model| values::text(model).trim().to_owned());
        let chosen = model.as_deref().and_then(Model::find);
        if chosen.is_some() {
            properties.shift_remove("model");
        }
        let Some(operation) = properties.shift_remove("operation") else {
            let legacy = model.as_deref().and_then(Model::with_version);
            let trained = || Model::of_trained().filter(|_| properties.contains_key("custom_model_uri"));
            let operation = chosen.or(legacy).or_else(trained).unwrap_or(self.reading.model).operation(properties);
            let is_property = || input(operation, "model").is_some() || nested(operation, "model").is_some();
            if let Some(model) = model.filter(|_| chosen.is_none() && !is_property()) {
                properties.shift_remove("model");
                let names: Vec<&str> = Model::all().map(Model::name).collect();
                let names = values::closest(&names, &model).join(", ");
                self.problem("model", format!("`{model}` is not a model; use one of {names}"));
            }
            return Some(operation);
        };
        if chosen.is_some() {
            let names = Model::names(|_| true);
            self.problem("operation", format!("cannot be combined with `model`: {names} select the operation"));
            return None;
        }
        let name = operation.as_str().map(str::trim).unwrap_or_default();
        let found = operations::ALL.iter().find(|operation| operation.id == name || operation.method_name == name);
        let found = found.copied().filter(|operation| generates_images(operation));
        if found.is_none() {
            let known: Vec<&str> = operations::ALL.iter().filter(|it| generates_images(it)).map(|it| it.id).collect();
            let name = values::text(&operation);
            self.problem("operation", format!("`{name}` does not generate images; use one of {}", known.join(", ")));
        }
        found
    }

    /// Accepts `prompt` for operations that call it `text_prompt`, and the other way round.
    fn rename_prompt(&mut self, operation: &Operation, properties: &mut Map<String, Value>) {
        let (from, to) = match (input(operation, "prompt"), input(operation, "text_prompt")) {
            (None, Some(_)) => ("prompt", "text_prompt"),
            (Some(_), None) => ("text_prompt", "prompt"),
            _ => return,
        };
        if let Some(prompt) = properties.shift_remove(from) {
            if properties.contains_key(to) {
                self.problem(from, format!("cannot be combined with `{to}`, which means the same"));
            }
            properties.insert(to.to_owned(), prompt);
        }
    }

    /// Turns an aspect ratio into the largest size of it, where operations take only sizes.
    fn aspect_ratio(&mut self, operation: &Operation, properties: &mut Map<String, Value>) {
        let Some((property, sizes)) = size::property(operation) else { return };
        let Some(ratio) = properties.shift_remove(size::ASPECT_RATIO) else { return };
        if properties.contains_key(property) {
            return self
                .problem(size::ASPECT_RATIO, format!("cannot be combined with `{property}`: both set the size"));
        }
        match size::largest(sizes, ratio.as_str().unwrap_or_default()) {
            Some(size) => drop(properties.insert(property.to_owned(), size.into())),
            None => {
                self.problem(
                    size::ASPECT_RATIO,
                    format!("{operation} has no size with the aspect ratio {ratio}; set its `{property}`"),
                );
            }
        }
    }

    /// Sends a structured prompt as the text of `prompt`, where operations take it there.
    fn structured_prompt(&mut self, operation: &Operation, properties: &mut Map<String, Value>) {
        if !structured::is_in_prompt(operation) {
            return;
        }
        let Some(prompt) = properties.shift_remove(JSON_PROMPT) else { return };
        if properties.contains_key("prompt") {
            self.problem(JSON_PROMPT, "cannot be combined with `prompt`");
        }
        match structured::parse(&values::text(&prompt), self.reading.unchecked) {
            // The same prompt is the same row, however it is spaced.
            Ok(text) => {
                let compact = canonical::json(&text, canonical::Order::AsWritten);
                properties.insert("prompt".to_owned(), Value::String(compact));
            }
            Err(refusal) => self.problem(JSON_PROMPT, refusal.to_string()),
        }
    }

    /// Moves properties into the nested object of a legacy operation.
    fn nest(&mut self, operation: &Operation, properties: &mut Map<String, Value>) {
        if input(operation, LEGACY_OBJECT).is_none() {
            return;
        }
        let nested = match properties.shift_remove(LEGACY_OBJECT) {
            None => Value::Object(Map::new()),
            Some(Value::String(text)) => serde_json::from_str(&text).unwrap_or_default(),
            Some(nested) => nested,
        };
        let Value::Object(mut nested) = nested else { return self.problem(LEGACY_OBJECT, "must be a JSON object") };
        let names: Vec<String> = properties.keys().filter(|name| input(operation, name).is_none()).cloned().collect();
        for name in names {
            let Some(value) = properties.shift_remove(&name) else { continue };
            if nested.insert(name.clone(), value).is_some() {
                self.problem(&name, format!("is also in `{LEGACY_OBJECT}`"));
            }
        }
        for (_, value) in &mut nested {
            if let Value::Number(number) = value
                && let Some(whole) = canonical::whole(number)
            {
                *number = whole;
            }
        }
        properties.insert(LEGACY_OBJECT.to_owned(), Value::Object(nested));
    }

    /// The values of a property, as the text that is sent.
    fn values(&mut self, input: &Input, value: &Value) -> Vec<String> {
        let parsed = match value {
            // A cell holds one value, or a list as JSON.
            Value::String(text) if self.raw.header.is_some() && input.is_repeated() && text.starts_with('[') => {
                serde_json::from_str(text).unwrap_or_else(|_| value.clone())
            }
            _ => value.clone(),
        };
        let values = match parsed {
            Value::Array(values) if input.is_repeated() => values,
            value => vec![value],
        };
        let mut texts = Vec::new();
        for value in values {
            match value {
                value if input.name == JSON_PROMPT => {
                    match structured::parse(&values::text(&value), self.reading.unchecked) {
                        Ok(text) => texts.push(text),
                        Err(refusal) => self.problem(input.name, refusal.to_string()),
                    }
                }
                Value::String(text) => texts.push(without_mark(&text).to_owned()),
                value @ (Value::Number(_) | Value::Bool(_))
                    if !matches!(input.kind(), InputKind::File | InputKind::Json) =>
                {
                    texts.push(value.to_string());
                }
                value if input.kind() == InputKind::Json => texts.push(value.to_string()),
                value => self.problem(input.name, format!("must be {}, not {value}", wanted(input))),
            }
        }
        texts
    }

    /// Checks the syntax of one value; the call is checked against the document when it is prepared.
    fn check(&mut self, input: &Input, value: &str) {
        let number = || serde_json::from_str::<Value>(value.trim()).ok();
        let fits = match input.kind() {
            InputKind::Integer => number().is_some_and(|number| number.is_i64() || number.is_u64()),
            InputKind::Number => number().is_some_and(|number| number.is_number()),
            InputKind::Boolean => matches!(value.trim(), "true" | "false"),
            InputKind::Json => number().is_some(),
            _ => true,
        };
        if !fits {
            return self.problem(input.name, format!("must be {}, not `{value}`", wanted(input)));
        }
        if input.kind() == InputKind::Text && value.trim().is_empty() {
            self.problem(input.name, "is empty");
        }
    }
}

/// Reports an unknown property. If no operation has it, the problem is at the header, so that it is listed once.
fn unknown(raw: &Raw, operation: &Operation, name: &str) -> Problem {
    let takes = |model: &Model| model.operations().iter().any(|operation| input(operation, name).is_some());
    let is_model = |model: &Model| model.operations().iter().any(|it| it.id == operation.id);
    if let Some(other) = Model::all().find(|model| takes(model) && !is_model(model))
        && Model::all().any(|model| is_model(&model))
    {
        return raw.problem(
            name,
            format!("{operation} does not have this property; with `model` {} it can be used", other.name()),
        );
    }
    let names: Vec<&str> = operation.inputs.iter().map(|input| input.name).collect();
    let reason = format!("{operation} does not have this property; use id, operation, model, {}", names.join(", "));
    if is_known(name) { raw.problem(name, reason) } else { raw.problem_with_name(name, reason) }
}

fn wanted(input: &Input) -> &'static str {
    match input.kind() {
        InputKind::Integer => "a whole number",
        InputKind::Number => "a number",
        InputKind::Boolean => "true or false",
        InputKind::File => "the path of a file",
        InputKind::Json => "JSON",
        _ => "text",
    }
}

fn prompt_of(properties: &Map<String, Value>) -> String {
    let nested = properties.get(LEGACY_OBJECT).and_then(|nested| nested.get("prompt"));
    let prompt = properties.get("prompt").or_else(|| properties.get("text_prompt")).or(nested);
    prompt.or_else(|| properties.get(JSON_PROMPT)).map(values::text).unwrap_or_default()
}

#[cfg(test)]
pub(super) mod tests;
