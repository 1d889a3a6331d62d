//! What a row asks for: the request that it stands for, checked before anything is sent, and who it is.
//!
//! A row is known by its content, files included, and its `id`: running the same file again finds it, wherever it has
//! moved to, and a row that was changed is a new one.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fs,
    path::Path,
};

use ideogram_client::{
    Client, File, Request, Validate,
    operation::{Billing, Input, InputKind, Location, Operation, Pictures},
    operations, types,
};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::input::{Form, Problem, Raw};

/// The member that legacy operations have all others in.
const NESTED: &str = "image_request";
/// Bounds of the document that all operations share, by member.
const BOUNDS: [(&str, i64, i64); 3] = [("num_images", 1, 8), ("seed", 0, 2_147_483_647), ("image_weight", 1, 100)];
/// How long a name made of a prompt is, without what makes it unique.
const LONGEST_SLUG: usize = 40;
/// How long an `id` may be: it becomes the name of files.
const LONGEST_ID: usize = 64;

/// What to generate with where a row says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Model {
    /// Ideogram 4.0: one picture a row
    V4,
    /// Ideogram 3.0, and models trained from it
    V3,
    /// The older models, `V_1` to `V_2A`
    Legacy,
}

/// A row that can be sent.
#[derive(Clone, Debug)]
pub(super) struct Row {
    /// The line of the file on which it begins.
    pub(super) line: u64,
    /// Tells it apart from all others by what it holds.
    pub(super) key: String,
    /// What its files are called.
    pub(super) name: String,
    pub(super) prompt: String,
    pub(super) request: Request,
    /// How many pictures it makes.
    pub(super) pictures: u32,
}

/// How rows are understood.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading<'a> {
    pub(super) client: &'a Client,
    pub(super) model: Model,
    /// What paths of files begin at.
    pub(super) folder: &'a Path,
    /// Leaves values that the document does not know to the service.
    pub(super) unchecked: bool,
}

impl Model {
    fn operation(self) -> &'static Operation {
        match self {
            Self::V4 => &operations::POST_GENERATE_IMAGE_V4,
            Self::V3 => &operations::POST_GENERATE_IMAGE_V3,
            Self::Legacy => &operations::POST_GENERATE_IMAGE,
        }
    }
}

/// Understands all rows, or tells all that is wrong with them.
pub(super) fn understand(rows: &[Raw], reading: Reading<'_>) -> Result<Vec<Row>, Vec<Problem>> {
    let (mut understood, mut problems) = (Vec::new(), Vec::new());
    let mut ids: HashMap<String, u64> = HashMap::new();
    let mut same: HashMap<String, u32> = HashMap::new();
    for raw in rows {
        let mut draft = Draft { raw, reading, problems: Vec::new() };
        if let Some(mut row) = draft.row(&mut ids) {
            // The same twice is wanted twice, and told apart by its place among its equals.
            let occurrence = same.entry(row.key.clone()).or_default();
            *occurrence += 1;
            if *occurrence > 1 {
                row.key = format!("{}-{occurrence}", row.key);
                row.name = format!("{}-{occurrence}", row.name);
            }
            understood.push(row);
        }
        problems.append(&mut draft.problems);
    }
    if problems.is_empty() { Ok(understood) } else { Err(problems) }
}

/// A row that is being understood.
struct Draft<'a> {
    raw: &'a Raw,
    reading: Reading<'a>,
    problems: Vec<Problem>,
}

impl Draft<'_> {
    fn problem(&mut self, member: &str, reason: impl Into<String>) {
        self.problems.push(self.raw.problem(member, reason));
    }

    fn row(&mut self, ids: &mut HashMap<String, u64>) -> Option<Row> {
        let mut members = self.raw.members.clone();
        let id = members.remove("id").and_then(|id| self.id(&id, ids));
        let operation = self.operation(&mut members)?;
        self.rename_prompt(operation, &mut members);
        self.nest(operation, &mut members);

        let mut call = self.reading.client.call(operation.id).ok()?;
        let mut content: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for (name, value) in &members {
            let Some(input) = input(operation, name) else {
                self.problem(name, unknown(operation, name));
                continue;
            };
            for value in self.values(input, value) {
                if input.kind() == InputKind::File {
                    let path = self.reading.folder.join(&value);
                    match fs::read(&path) {
                        Ok(bytes) if bytes.is_empty() => self.problem(name, format!("\"{value}\" is empty")),
                        Ok(bytes) => content.entry(input.name).or_default().push(hex(&Sha256::digest(bytes))),
                        Err(error) => self.problem(name, format!("cannot read \"{}\": {error}", path.display())),
                    }
                    call = call.file(input.name, File::from_path(&path));
                } else {
                    self.check(input, &value);
                    call = call.field(input.name, &value);
                    content.entry(input.name).or_default().push(value);
                }
            }
        }
        for input in operation.inputs.iter().filter(|input| input.required) {
            if !members.contains_key(input.name) {
                let shown = if input.name == "text_prompt" { "prompt" } else { input.name };
                self.problem(shown, format!("is missing: {operation} needs it"));
            }
        }
        self.check_whole(operation, &members);
        if !self.problems.is_empty() {
            return None;
        }
        let request = match call.prepare() {
            Ok(request) => request,
            Err(error) => {
                self.problem("", error.to_string());
                return None;
            }
        };

        let prompt = prompt_of(&members);
        let identity = json!({"id": id, "operation": operation.id, "content": content});
        let key = hex(&Sha256::digest(identity.to_string()))[..32].to_owned();
        let name = id.unwrap_or_else(|| format!("{}{}", slug(&prompt), &key[..8]));
        let pictures = request.pictures().max(1);
        Some(Row { line: self.raw.line, key, name, prompt, request, pictures })
    }

    /// The name that a row has itself. It becomes the name of files.
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
        if id.is_empty() || id.starts_with('.') || !id.chars().all(is_plain) || id.chars().count() > LONGEST_ID {
            let reason = "becomes the name of files: 1 to 64 letters, digits, `-`, `_`, `.` and spaces, no `.` first";
            self.problem("id", reason);
            return None;
        }
        // Many file systems do not tell upper case from lower.
        if let Some(line) = ids.insert(id.to_lowercase(), self.raw.line) {
            self.problem("id", format!("\"{id}\" is the id of line {line} already"));
        }
        Some(id)
    }

    /// Which operation a row calls: by its id, by the model, or the default.
    fn operation(&mut self, members: &mut Map<String, Value>) -> Option<&'static Operation> {
        let model = members.get("model").and_then(Value::as_str).map(str::trim).map(str::to_owned);
        let chosen = match model.as_deref() {
            Some("v4") => Some(Model::V4),
            Some("v3") => Some(Model::V3),
            Some("legacy") => Some(Model::Legacy),
            _ => None,
        };
        if chosen.is_some() {
            members.remove("model");
        }
        let Some(operation) = members.remove("operation") else {
            // A model of the older ones speaks for itself.
            let legacy = model.is_some_and(|model| model.starts_with("V_")).then_some(Model::Legacy);
            let trained = members.contains_key("custom_model_uri").then_some(Model::V3);
            return Some(chosen.or(legacy).or(trained).unwrap_or(self.reading.model).operation());
        };
        if chosen.is_some() {
            self.problem("operation", "stands beside `model`: v4, v3 and legacy choose the operation themselves");
            return None;
        }
        let name = operation.as_str().map(str::trim).unwrap_or_default();
        let found = operations::ALL.iter().find(|operation| operation.id == name || operation.method_name == name);
        match found.filter(|operation| makes_pictures(operation)) {
            Some(operation) => Some(operation),
            None => {
                let known: Vec<&str> = operations::ALL.iter().filter(|it| makes_pictures(it)).map(|it| it.id).collect();
                let shown = operation.as_str().map_or_else(|| operation.to_string(), str::to_owned);
                let problem = format!("`{shown}` makes no pictures; those that do: {}", known.join(", "));
                self.problem("operation", problem);
                None
            }
        }
    }

    /// `prompt` is called so everywhere, also where the wire has another word for it.
    fn rename_prompt(&mut self, operation: &Operation, members: &mut Map<String, Value>) {
        if input(operation, "prompt").is_some() || input(operation, "text_prompt").is_none() {
            return;
        }
        if let Some(prompt) = members.remove("prompt") {
            if members.contains_key("text_prompt") {
                self.problem("prompt", "stands beside `text_prompt`, which is the same");
            }
            members.insert("text_prompt".to_owned(), prompt);
        }
    }

    /// Puts members into the object where legacy operations have them, so that rows need not.
    fn nest(&mut self, operation: &Operation, members: &mut Map<String, Value>) {
        if input(operation, NESTED).is_none() {
            return;
        }
        let mut nested = match members.remove(NESTED) {
            None => Map::new(),
            Some(Value::Object(nested)) => nested,
            Some(Value::String(text)) => match serde_json::from_str(&text) {
                Ok(Value::Object(nested)) => nested,
                _ => return self.problem(NESTED, "takes a JSON object"),
            },
            Some(_) => return self.problem(NESTED, "takes a JSON object"),
        };
        let names: Vec<String> = members.keys().filter(|name| input(operation, name).is_none()).cloned().collect();
        for name in names {
            let Some(value) = members.remove(&name) else { continue };
            let is_text = ["prompt", "negative_prompt"].contains(&name.as_str());
            let value = match (&value, self.raw.form) {
                // All cells are text; a number is meant where one stands, except in a prompt.
                (Value::String(text), Form::Csv) if !is_text => serde_json::from_str(text.trim()).unwrap_or(value),
                _ => value,
            };
            if nested.insert(name.clone(), value).is_some() {
                self.problem(&name, format!("stands in `{NESTED}` too"));
            }
        }
        for (name, least, most) in BOUNDS {
            if let Some(number) = nested.get(name)
                && !number.as_i64().is_some_and(|number| (least..=most).contains(&number))
            {
                self.problem(name, format!("must be a whole number from {least} to {most}, and is {number}"));
            }
        }
        members.insert(NESTED.to_owned(), Value::Object(nested));
    }

    /// The values that a member stands for, as the text that is sent.
    fn values(&mut self, input: &Input, value: &Value) -> Vec<String> {
        let parsed = match (value, self.raw.form) {
            // A cell holds one value, or a list as JSON.
            (Value::String(text), Form::Csv) if input.is_repeated() && text.trim_start().starts_with('[') => {
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
                Value::String(text) => texts.push(text),
                value @ (Value::Number(_) | Value::Bool(_))
                    if !matches!(input.kind(), InputKind::File | InputKind::Json) =>
                {
                    texts.push(value.to_string());
                }
                value if input.kind() == InputKind::Json => texts.push(value.to_string()),
                value => self.problem(input.name, format!("takes {}, not {value}", wanted(input))),
            }
        }
        texts
    }

    /// Checks one value against what the document says of it.
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
            return self.problem(input.name, format!("takes {}, not `{value}`", wanted(input)));
        }
        if input.kind() == InputKind::Text && value.trim().is_empty() {
            return self.problem(input.name, "is empty");
        }
        if let Some((_, least, most)) = BOUNDS.iter().find(|(name, ..)| *name == input.name)
            && !value.trim().parse::<i64>().is_ok_and(|number| (*least..=*most).contains(&number))
        {
            self.problem(input.name, format!("must be from {least} to {most}, and is {value}"));
        }
        if !self.reading.unchecked && !input.values().is_empty() && !input.values().contains(&value) {
            let reason = format!("`{value}` is none of {}", input.values().join(", "));
            self.problem(input.name, format!("{reason}; --unchecked leaves it to the service"));
        }
    }

    /// Checks what takes more than one member to see.
    fn check_whole(&mut self, operation: &Operation, members: &Map<String, Value>) {
        let has = |name: &str| members.contains_key(name);
        if has("resolution") && has("aspect_ratio") {
            self.problem("resolution", "stands beside `aspect_ratio`: the service takes one of them");
        }
        if has("style_codes") && (has("style_type") || has("style_reference_images")) {
            self.problem("style_codes", "stand alone: without `style_type` and `style_reference_images`");
        }
        if operation.id == operations::POST_GENERATE_IMAGE_V4.id {
            match (has("text_prompt"), has("json_prompt")) {
                (false, false) => self.problem("prompt", "is missing"),
                (true, true) => self.problem("json_prompt", "stands beside `prompt`: the service takes one of them"),
                (false, true) => self.check_type::<types::V4JsonPrompt>("json_prompt", &members["json_prompt"]),
                (true, false) => {}
            }
        }
        let Some(nested) = members.get(NESTED) else { return };
        match operation.id {
            "post_generate_image" => self.check_type::<types::ImageRequest>("", nested),
            "post_remix_image" => self.check_type::<types::InitialImageRequest>("", nested),
            "post_upscale_image" => self.check_type::<types::UpscaleInitialImageRequest>("", nested),
            _ => {}
        }
    }

    /// Checks an object against its generated type: what it needs, its bounds, and members that it does not have.
    fn check_type<T: DeserializeOwned + serde::Serialize + Validate>(&mut self, member: &str, value: &Value) {
        let value = match value {
            Value::String(text) => serde_json::from_str(text).unwrap_or_default(),
            value => value.clone(),
        };
        let typed: T = match serde_json::from_value(value.clone()) {
            Ok(typed) => typed,
            Err(error) => return self.problem(member, error.to_string()),
        };
        if let Err(violations) = typed.validate() {
            for violation in violations.iter().filter(|it| !BOUNDS.iter().any(|(name, ..)| *name == it.member())) {
                self.problem(member, violation.to_string());
            }
        }
        let known: HashSet<String> = match serde_json::to_value(typed) {
            Ok(Value::Object(members)) => members.keys().cloned().collect(),
            _ => return,
        };
        let given = value.as_object().map(|members| members.keys().cloned().collect::<Vec<_>>()).unwrap_or_default();
        let unchecked = self.reading.unchecked;
        for name in given.iter().filter(|name| !known.contains(*name) && !unchecked) {
            self.problem(name, "is no member of this request; --unchecked leaves it to the service");
        }
    }
}

/// Whether an operation can be called in a batch: it makes pictures, for money.
fn makes_pictures(operation: &Operation) -> bool {
    operation.billing == Billing::Paid && operation.pictures != Pictures::Fixed(0)
}

fn input(operation: &Operation, name: &str) -> Option<&'static Input> {
    operation.inputs.iter().find(|input| input.name == name && input.location == Location::Body)
}

fn unknown(operation: &Operation, name: &str) -> String {
    let generators = [("v4", Model::V4), ("v3", Model::V3)];
    let other = generators.iter().find(|(_, model)| input(model.operation(), name).is_some());
    if let Some((word, _)) = other
        && generators.iter().any(|(_, model)| model.operation().id == operation.id)
    {
        return format!("{operation} has none; with `model` {word} there is one");
    }
    let names: Vec<&str> = operation.inputs.iter().map(|input| input.name).collect();
    format!("{operation} has none; there are id, operation, model, {}", names.join(", "))
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

fn prompt_of(members: &Map<String, Value>) -> String {
    let nested = members.get(NESTED).and_then(|nested| nested.get("prompt"));
    let prompt = members.get("prompt").or_else(|| members.get("text_prompt")).or(nested);
    let prompt = prompt.or_else(|| members.get("json_prompt"));
    prompt.map_or_else(String::new, |prompt| prompt.as_str().map_or_else(|| prompt.to_string(), str::to_owned))
}

/// The beginning of a prompt as the beginning of a file name; empty if nothing of it can stand there.
fn slug(prompt: &str) -> String {
    let mut slug = String::new();
    for word in prompt.split(|character: char| !character.is_ascii_alphanumeric()).filter(|word| !word.is_empty()) {
        if slug.len() + word.len() > LONGEST_SLUG {
            break;
        }
        slug.push_str(&word.to_ascii_lowercase());
        slug.push('-');
    }
    if slug.is_empty() { "row-".to_owned() } else { slug }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A fingerprint of all rows together.
pub(super) fn hash(rows: &[Row]) -> String {
    let keys: Vec<&str> = rows.iter().map(|row| row.key.as_str()).collect();
    hex(&Sha256::digest(keys.join("\n")))
}
