//! What a row asks for: the request that it stands for, checked before anything is sent, and who it is.
//!
//! A row is known by what is sent for it, files by their content: running the same rows again finds it, wherever they
//! have moved to and however they are spelled, and a row that sends something else is a new one.

use std::{
    collections::{BTreeMap, HashMap},
    error::Error as _,
    fs,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use ideogram_client::{
    Client, Error, File, Validation,
    operation::{Billing, ImageCount, Input, InputKind, Location, Operation},
    operations,
    request::{PartContent, Request},
    schema::{Property, Schema},
    validate::Violations,
};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::{
    canonical,
    raw::{Problem, Raw},
    spelling::{self, Cell},
};
use crate::{
    images::{
        content::Content,
        mask,
        source::{self, MAX_BYTES},
        structured,
    },
    output::units,
    text_input::{self, without_mark},
};

/// Where a structured prompt is.
const JSON_PROMPT: &str = "json_prompt";
/// The member that legacy operations have all others in.
const NESTED: &str = "image_request";
/// How much is read of a file at a time.
const PIECE_BYTES: usize = 256 * 1024;
/// How long a name made of a prompt is, without what makes it unique.
const MAX_SLUG_CHARS: usize = 40;
/// How long an `id` may be: it becomes the name of files.
const MAX_ID_BYTES: usize = 64;

/// What to generate with where a row says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Model {
    /// Ideogram 4.0: one image a row
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
    /// How many images it makes.
    pub(super) images: u32,
    /// The digests that the key was made from, by the paths of the files.
    files: BTreeMap<PathBuf, String>,
}

/// How rows are understood.
#[derive(Clone, Debug)]
pub(super) struct Reading {
    pub(super) client: Client,
    pub(super) model: Model,
    /// What paths of files begin at.
    pub(super) folder: PathBuf,
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

/// Understands all rows, or tells all that is wrong with them. Files are read: the thread waits.
pub(super) fn understand(rows: &[Raw], reading: &Reading) -> Result<Vec<Row>, Vec<Problem>> {
    let (mut understood, mut problems) = (Vec::new(), Vec::new());
    let mut ids: HashMap<String, u64> = HashMap::new();
    let mut same: HashMap<String, u32> = HashMap::new();
    let mut digests = Digests::default();
    for raw in rows {
        let mut draft = Draft { raw, reading, digests: &mut digests, problems: Vec::new() };
        if let Some(mut row) = draft.row(&mut ids) {
            // The same twice is wanted twice, and distinguished by its place among its equals.
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
            understood.push(row);
        }
        problems.append(&mut draft.problems);
    }
    if problems.is_empty() { Ok(understood) } else { Err(problems) }
}

impl Row {
    /// What a file of the request holds.
    pub(super) fn digest_of(&self, path: &Path) -> Option<&str> {
        self.files.get(path).map(String::as_str)
    }

    /// The request with the files that the key was made from, held in memory.
    ///
    /// # Errors
    ///
    /// Says which file has changed since the rows were read, or cannot be read any more.
    pub(super) async fn sealed_request(&self) -> Result<Request, String> {
        if self.files.is_empty() {
            return Ok(self.request.clone());
        }
        let (request, files) = (self.request.clone(), self.files.clone());
        // Elsewhere than on the runtime's thread: files may be large, and drives slow.
        let sealed = tokio::task::spawn_blocking(move || {
            request.try_map_files(|file| {
                let Some(path) = file.path() else { return Ok(file.clone()) };
                let shown = path.display();
                let bytes = text_input::read_file(path, MAX_BYTES)
                    .map_err(|_| format!("\"{shown}\" cannot be read any more"))?;
                if files.get(path).is_none_or(|digest| *digest != hex(&Sha256::digest(&bytes))) {
                    return Err(format!("\"{shown}\" has changed since the rows were read"));
                }
                Ok(File::from_bytes(file.name(), bytes))
            })
        });
        sealed.await.unwrap_or_else(|error| Err(error.to_string()))
    }
}

/// What files hold, each of them read once.
#[derive(Debug, Default)]
struct Digests(HashMap<PathBuf, Result<String, String>>);

impl Digests {
    fn of(&mut self, path: &Path) -> Result<String, String> {
        self.0.entry(path.to_owned()).or_insert_with(|| digest(path)).clone()
    }
}

fn digest(path: &Path) -> Result<String, String> {
    let unreadable = |error: io::Error| format!("cannot read \"{}\": {error}", path.display());
    // Before it is opened: a pipe would wait for somebody to write.
    let metadata = fs::metadata(path).map_err(unreadable)?;
    match metadata.len() {
        _ if !metadata.is_file() => return Err(format!("\"{}\" is not a file", path.display())),
        0 => return Err(format!("\"{}\" is empty", path.display())),
        size if size > MAX_BYTES => {
            return Err(format!(
                "\"{}\" is too large: {}; the service takes no image above {}",
                path.display(),
                units::size(size),
                units::size(MAX_BYTES)
            ));
        }
        _ => {}
    }
    let mut file = fs::File::open(path).map_err(unreadable)?;
    let mut hash = Sha256::new();
    let mut piece = vec![0; PIECE_BYTES];
    let mut is_first = true;
    loop {
        match file.read(&mut piece) {
            Ok(0) => break,
            Ok(length) => {
                if std::mem::take(&mut is_first) {
                    source::check_head(&piece[..length])
                        .map_err(|looks| format!("\"{}\" is not a supported image: {looks}", path.display()))?;
                }
                hash.update(&piece[..length]);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(unreadable(error)),
        }
    }
    Ok(hex(&hash.finalize()))
}

/// A row that is being understood.
struct Draft<'a> {
    raw: &'a Raw,
    reading: &'a Reading,
    digests: &'a mut Digests,
    problems: Vec<Problem>,
}

impl Draft<'_> {
    fn problem(&mut self, member: &str, reason: impl Into<String>) {
        self.problems.push(self.raw.problem(member, reason));
    }

    fn row(&mut self, ids: &mut HashMap<String, u64>) -> Option<Row> {
        let mut members = self.raw.members.clone();
        if self.raw.header.is_some() {
            for name in ["id", "model", "operation"] {
                if members.get(name).and_then(Value::as_str).is_some_and(spelling::is_missing) {
                    members.shift_remove(name);
                }
            }
        }
        let id = members.shift_remove("id").and_then(|id| self.id(&id, ids));
        let operation = self.operation(&mut members)?;
        self.read_cells(operation, &mut members);
        self.rename_prompt(operation, &mut members);
        self.nest(operation, &mut members);

        let mut call = self.reading.client.call(operation.id).ok()?;
        if self.reading.unchecked {
            call = call.validation(Validation::Off);
        }
        let mut files = BTreeMap::new();
        let mut paths: HashMap<&str, Vec<PathBuf>> = HashMap::new();
        for (name, value) in &members {
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
                    call = call.field(input.name, &value);
                }
            }
        }
        if self.problems.is_empty() {
            self.check_masks(&paths);
        }
        for input in operation.inputs.iter().filter(|input| input.required) {
            if !members.contains_key(input.name) {
                let shown = if input.name == "text_prompt" { "prompt" } else { input.name };
                self.problem(shown, format!("is missing: {operation} needs it"));
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

        let prompt = prompt_of(&members);
        let key = key(&request, &files);
        let images = request.images().max(1);
        Some(Row { line: self.raw.line, key, name: id.unwrap_or_default(), prompt, request, images, files })
    }

    /// Masks that do not fit their images: a call with one is paid for, and does not give what was wanted.
    fn check_masks(&mut self, paths: &HashMap<&str, Vec<PathBuf>>) {
        for (image, mask, kind) in [
            ("image", "mask", mask::Kind::Repaint),
            ("image_file", "mask", mask::Kind::Repaint),
            ("character_reference_images", "character_reference_images_mask", mask::Kind::Reference),
        ] {
            let (Some(images), Some(masks)) = (paths.get(image), paths.get(mask)) else { continue };
            for (image_path, mask_path) in images.iter().zip(masks) {
                let (image, content) = (Content::of_path(image_path), Content::of_path(mask_path));
                if let Err(problem) = mask::check(kind, &image, &content) {
                    self.problem(mask, format!("\"{}\" {problem}", mask_path.display()));
                }
            }
        }
    }

    /// Says what the document forbids in a row, each under the name that the row has for it.
    fn refused(&mut self, error: &Error) {
        let violations = error.source().and_then(|source| source.downcast_ref::<Violations>());
        for violation in violations.into_iter().flat_map(Violations::iter) {
            let member = violation.property();
            let member = member.strip_prefix(NESTED).and_then(|inner| inner.strip_prefix('.')).unwrap_or(member);
            let (member, place) = member.split_once('.').unwrap_or((member, ""));
            let member = if member == "text_prompt" { "prompt" } else { member };
            let place = if place.is_empty() { String::new() } else { format!("`{place}` ") };
            let reason = violation.reason().replace("`text_prompt`", "`prompt`");
            // Of what the service may have added since.
            let is_news = reason.starts_with("must be one of") || reason == "is not in the document";
            let hint = if is_news { "; --unchecked leaves it to the service" } else { "" };
            self.problem(member, format!("{place}{reason}{hint}"));
        }
        // Without violations, it is the form of something that is named already.
        if self.problems.is_empty() {
            self.problem("", error.to_string());
        }
    }

    /// Understands the cells of a table: programs write what is missing in words, numbers and `true` in many ways.
    fn read_cells(&mut self, operation: &Operation, members: &mut Map<String, Value>) {
        let (is_cell, is_nested) = (self.raw.header.is_some(), input(operation, NESTED).is_some());
        let mut kept = Map::new();
        for (name, value) in std::mem::take(members) {
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
                // Inside an object, numbers are no text.
                Ok(Some(Value::String(text))) if is_cell && input.is_none() && kind == Cell::Integer => {
                    kept.insert(name, serde_json::from_str(&text).unwrap_or(Value::String(text)));
                }
                Ok(Some(value)) => drop(kept.insert(name, value)),
                Ok(None) => {}
                Err(reason) => self.problem(&name, reason),
            }
        }
        *members = kept;
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
        if id.is_empty() || id.starts_with('.') || !id.chars().all(is_plain) || id.chars().count() > MAX_ID_BYTES {
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
            members.shift_remove("model");
        }
        let Some(operation) = members.shift_remove("operation") else {
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
        match found.filter(|operation| makes_images(operation)) {
            Some(operation) => Some(operation),
            None => {
                let known: Vec<&str> = operations::ALL.iter().filter(|it| makes_images(it)).map(|it| it.id).collect();
                let shown = operation.as_str().map_or_else(|| operation.to_string(), str::to_owned);
                let problem = format!("`{shown}` makes no images; those that do: {}", known.join(", "));
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
        if let Some(prompt) = members.shift_remove("prompt") {
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
        let mut nested = match members.shift_remove(NESTED) {
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
            let Some(value) = members.shift_remove(&name) else { continue };
            if nested.insert(name.clone(), value).is_some() {
                self.problem(&name, format!("stands in `{NESTED}` too"));
            }
        }
        for (_, value) in &mut nested {
            if let Value::Number(number) = value
                && let Some(whole) = canonical::whole(number)
            {
                *number = whole;
            }
        }
        members.insert(NESTED.to_owned(), Value::Object(nested));
    }

    /// The values that a member stands for, as the text that is sent.
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
                Value::String(text) if input.name == JSON_PROMPT => {
                    match structured::parse(&text, self.reading.unchecked) {
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
                value if input.name == JSON_PROMPT => {
                    match structured::parse(&value.to_string(), self.reading.unchecked) {
                        Ok(text) => texts.push(text),
                        Err(refusal) => self.problem(input.name, refusal.to_string()),
                    }
                }
                value if input.kind() == InputKind::Json => texts.push(value.to_string()),
                value => self.problem(input.name, format!("takes {}, not {value}", wanted(input))),
            }
        }
        texts
    }

    /// Checks the form of one value; what it may be is the document's to say, when the call is prepared.
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
            self.problem(input.name, "is empty");
        }
    }
}

/// Whether an operation can be called in a batch: it makes images, for money.
fn makes_images(operation: &Operation) -> bool {
    operation.billing == Billing::Paid && operation.images != ImageCount::Fixed(0)
}

fn input(operation: &Operation, name: &str) -> Option<&'static Input> {
    operation.inputs.iter().find(|input| input.name == name && input.location == Location::Body)
}

/// A property of the object that legacy operations have all others in.
fn nested(operation: &Operation, name: &str) -> Option<&'static Property> {
    match input(operation, NESTED)?.schema {
        Schema::Object(object) => object.property(name),
        _ => None,
    }
}

/// A property that the operation does not have: once for the whole table if no operation has it.
fn unknown(raw: &Raw, operation: &Operation, name: &str) -> Problem {
    let generators = [("v4", Model::V4), ("v3", Model::V3)];
    let other = generators.iter().find(|(_, model)| input(model.operation(), name).is_some());
    if let Some((word, _)) = other
        && generators.iter().any(|(_, model)| model.operation().id == operation.id)
    {
        return raw.problem(name, format!("{operation} has none; with `model` {word} there is one"));
    }
    let names: Vec<&str> = operation.inputs.iter().map(|input| input.name).collect();
    let reason = format!("{operation} has none; there are id, operation, model, {}", names.join(", "));
    if is_known(name) { raw.problem(name, reason) } else { raw.problem_with_name(name, reason) }
}

/// Whether rows of any operation may have such a property.
pub(super) fn is_known(name: &str) -> bool {
    ["id", "model", "operation", "prompt"].contains(&name)
        || operations::ALL.iter().any(|operation| {
            makes_images(operation) && (input(operation, name).is_some() || nested(operation, name).is_some())
        })
}

/// Tells a request apart from all others: the operation and its body, whatever way they were spelled.
fn key(request: &Request, files: &BTreeMap<PathBuf, String>) -> String {
    let mut identity = Sha256::new();
    // Lengths keep the end of one piece from being taken for the beginning of the next.
    let mut add = |piece: &str| {
        identity.update((piece.len() as u64).to_le_bytes());
        identity.update(piece);
    };
    add(request.operation().id);
    if let Some(json) = request.json_body() {
        add(&canonical::json(&String::from_utf8_lossy(json), canonical::Order::Sorted));
    }
    for part in request.parts() {
        add(&part.name);
        match &part.content {
            PartContent::Text(text) => add(text),
            PartContent::Json { text, .. } => {
                // The model reads the properties of a structured prompt in their order.
                let is_prompt = part.name == JSON_PROMPT;
                let order = if is_prompt { canonical::Order::AsWritten } else { canonical::Order::Sorted };
                add(&canonical::json(text, order));
            }
            PartContent::File(file) => add(file.path().and_then(|path| files.get(path)).map_or("", String::as_str)),
            _ => {}
        }
    }
    hex(&identity.finalize())[..32].to_owned()
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
        if slug.len() + word.len() > MAX_SLUG_CHARS {
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

#[cfg(test)]
mod tests {
    use std::{collections::HashSet, sync::LazyLock};

    use serde_json::json;

    use super::*;
    use crate::commands::batch::input::Form;

    fn reading(folder: &Path) -> Reading {
        static CLIENT: LazyLock<Client> = LazyLock::new(|| Client::new("secret-1234").unwrap());
        Reading { client: CLIENT.clone(), model: Model::V3, folder: folder.to_owned(), unchecked: false }
    }

    fn rows_in(folder: &Path, form: Form, text: &str) -> Vec<Row> {
        let (raw, problems) = form.read(text);
        assert!(problems.is_empty(), "{text}: {problems:?}");
        understand(&raw, &reading(folder)).unwrap_or_else(|problems| panic!("{text}: {problems:?}"))
    }

    fn keys(form: Form, text: &str) -> Vec<String> {
        rows_in(Path::new(""), form, text).into_iter().map(|row| row.key).collect()
    }

    #[test]
    fn the_same_request_is_the_same_row() {
        let wanted = keys(Form::Jsonl, r#"{"prompt": "a lantern", "num_images": 2, "model": "v3"}"#);
        for (form, text) in [
            (Form::Jsonl, r#"{"num_images":2.0,"prompt":"a lantern"}"#),
            (Form::Jsonl, r#"{"num_images":" 2","prompt":"a l\u0061ntern","id":"x"}"#),
            (
                Form::Jsonl,
                "{\"prompt\": \"\u{feff}a lantern\", \"num_images\": 2, \"operation\": \"post_generate_image_v3\"}",
            ),
            (Form::Csv, "prompt,num_images\na lantern, 2\n"),
            (Form::Csv, "Num Images;prompt;;\n2,0;\"a lantern\";;\n"),
            (Form::Tsv, "id\tprompt\tnum_images\tmodel\nx\ta lantern\t2.0\tv3\n"),
        ] {
            assert_eq!(keys(form, text), wanted, "{text}");
        }
        for text in [
            r#"{"prompt": "a lantern", "num_images": 3}"#,
            r#"{"prompt": "a lantern"}"#,
            r#"{"prompt": "a lantern ", "num_images": 2}"#,
            r#"{"text_prompt": "a lantern", "model": "v4"}"#,
        ] {
            assert_ne!(keys(Form::Jsonl, text), wanted, "{text}");
        }
        assert_eq!(
            keys(Form::Jsonl, r#"{"prompt": "a", "model": "v4"}"#),
            keys(Form::Jsonl, r#"{"text_prompt": "a", "model": "v4"}"#)
        );
    }

    #[test]
    fn legacy_rows_are_the_same_whatever_the_order_and_the_nesting() {
        let wanted = keys(Form::Jsonl, r#"{"prompt": "a", "model": "V_2", "num_images": 2, "seed": 7}"#);
        for (form, text) in [
            (
                Form::Jsonl,
                r#"{"operation": "post_generate_image", "image_request": {"seed": 7.0, "model": "V_2", "num_images": 2, "prompt": "a"}}"#,
            ),
            (Form::Csv, "seed,num_images,model,prompt\n7.0,2,V_2,a\n"),
            (
                Form::Csv,
                "operation;image_request\npost_generate_image;\"{\"\"seed\"\":7,\"\"prompt\"\":\"\"a\"\",\"\"num_images\"\":2,\"\"model\"\":\"\"V_2\"\"}\"\n",
            ),
        ] {
            assert_eq!(keys(form, text), wanted, "{text}");
        }
    }

    #[test]
    fn the_order_within_a_structured_prompt_counts_because_it_is_sent() {
        let row = |prompt: &str| format!("{{\"model\": \"v4\", \"json_prompt\": {prompt}}}");
        let one =
            r#"{"high_level_description": "a", "compositional_deconstruction": {"background": "b", "elements": []}}"#;
        let other =
            r#"{"compositional_deconstruction": {"elements": [], "background": "b"}, "high_level_description": "a"}"#;
        let rows = rows_in(Path::new(""), Form::Jsonl, &format!("{}\n{}", row(one), row(other)));

        assert_ne!(rows[0].key, rows[1].key);
        for (row, text) in rows.iter().zip([one, other]) {
            let PartContent::Json { text: sent, .. } = &row.request.parts()[0].content else { panic!("no JSON") };
            assert_eq!(*sent, text.replace(": ", ":").replace(", ", ","));
        }
        let spelled = row(&serde_json::to_string(&one.replace(' ', "\t ")).unwrap());
        assert_eq!(keys(Form::Jsonl, &spelled)[0], rows[0].key);
    }

    #[test]
    fn the_same_twice_is_two_rows_and_each_id_names_its_own() {
        let rows = rows_in(
            Path::new(""),
            Form::Jsonl,
            "{\"prompt\": \"a\", \"id\": \"x\"}\n\"a\"\n{\"prompt\": \"a\", \"id\": \"y\"}",
        );

        let keys: HashSet<&str> = rows.iter().map(|row| row.key.as_str()).collect();
        assert_eq!(keys.len(), 3);
        assert_eq!((rows[0].name.as_str(), rows[2].name.as_str()), ("x", "y"));
        assert_eq!(rows[1].name, format!("a-{}-2", &rows[0].key[..8]));
    }

    const ONE: &[u8] = b"\x89PNG\r\n\x1a\none";
    const TWO: &[u8] = b"\x89PNG\r\n\x1a\ntwo";

    #[test]
    fn files_are_known_by_their_content_and_read_once() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("sub")).unwrap();
        for (name, content) in [("a.png", ONE), ("sub/b.png", ONE), ("c.png", TWO)] {
            fs::write(folder.path().join(name), content).unwrap();
        }
        let row = |path: &str| json!({"operation": "post_remix_image_v3", "prompt": "x", "image": path}).to_string();
        let absolute = folder.path().join("a.png").display().to_string();
        let texts = [row("a.png"), row("./sub/../a.png"), row("sub/b.png"), row(&absolute), row("c.png")];
        let key = |text: &str| rows_in(folder.path(), Form::Jsonl, text)[0].key.clone();
        let keys: Vec<String> = texts.iter().map(|text| key(text)).collect();

        assert_eq!(keys[..4].iter().collect::<HashSet<_>>().len(), 1);
        assert_ne!(keys[4], keys[0]);
    }

    #[tokio::test]
    async fn a_file_that_has_changed_is_not_sent() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.png");
        fs::write(&path, ONE).unwrap();
        let row = json!({"operation": "post_remix_image_v3", "prompt": "x", "image": "a.png"}).to_string();
        let row = rows_in(folder.path(), Form::Jsonl, &row).remove(0);

        let sealed = row.sealed_request().await.unwrap();
        let PartContent::File(file) = &sealed.parts()[0].content else { panic!("no file") };
        assert_eq!((file.name().as_ref(), file.path()), ("a.png", None));
        // As long as before, and of the same time.
        let time = fs::metadata(&path).unwrap().modified().unwrap();
        fs::write(&path, TWO).unwrap();
        fs::File::options().write(true).open(&path).unwrap().set_modified(time).unwrap();
        assert!(row.sealed_request().await.unwrap_err().contains("has changed"));
        fs::remove_file(&path).unwrap();
        assert!(row.sealed_request().await.unwrap_err().contains("cannot be read any more"));
    }

    /// One table in all the ways that programs have to save it.
    #[test]
    fn a_table_respelled_at_random_holds_the_same_rows() {
        const PROMPTS: [&str; 9] = [
            "a lantern",
            "a lantern, lit",
            "red; night",
            "the \"red\" one",
            "\"quoted\"",
            "紙灯籠",
            "two\nlines",
            "a|b\tc",
            "-5",
        ];
        let mut random = fastrand::Rng::with_seed(2026);
        for case in 0..1500 {
            let rows: Vec<Map<String, Value>> = (0..random.usize(1..5))
                .map(|_| {
                    let mut row = Map::new();
                    row.insert("prompt".to_owned(), Value::from(PROMPTS[random.usize(..PROMPTS.len())]));
                    if random.bool() {
                        row.insert("num_images".to_owned(), Value::from(random.u32(1..=8)));
                    }
                    if random.bool() {
                        row.insert("seed".to_owned(), Value::from(random.u32(..=2_147_483_647)));
                    }
                    if random.bool() {
                        row.insert("enable_copyright_detection".to_owned(), Value::from(random.bool()));
                    }
                    if random.bool() {
                        row.insert("aspect_ratio".to_owned(), Value::from(["1x1", "16x9"][random.usize(..2)]));
                    }
                    row
                })
                .collect();
            let plain: String = rows.iter().map(|row| format!("{}\n", Value::Object(row.clone()))).collect();
            let wanted = keys(Form::Jsonl, &plain);

            let (form, text) =
                if random.bool() { respelled_json(&rows, &mut random) } else { respelled_table(&rows, &mut random) };
            let bytes = encoded(&text, &mut random);
            let decoded = crate::text_input::decode(&bytes).unwrap();

            assert_eq!(keys(form, &decoded), wanted, "case {case}: {form:?}\n{text}");
        }
    }

    fn shuffled<T>(mut values: Vec<T>, random: &mut fastrand::Rng) -> Vec<T> {
        random.shuffle(&mut values);
        values
    }

    fn pick(words: &[&str], random: &mut fastrand::Rng) -> String {
        words[random.usize(..words.len())].to_owned()
    }

    fn encoded(text: &str, random: &mut fastrand::Rng) -> Vec<u8> {
        let marked = format!("\u{feff}{text}");
        match random.u8(..4) {
            0 => text.as_bytes().to_vec(),
            1 => marked.into_bytes(),
            2 => marked.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            _ => marked.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        }
    }

    fn respelled_json(rows: &[Map<String, Value>], random: &mut fastrand::Rng) -> (Form, String) {
        let space = |random: &mut fastrand::Rng| pick(&["", " ", "\t"], random);
        let mut objects = Vec::new();
        for row in rows {
            let mut members: Vec<(String, String)> = Vec::new();
            for (name, value) in row {
                let text = value.to_string();
                let text = match value {
                    Value::Number(_) => {
                        pick(&[&text, &format!("{text}.0"), &format!("\"{text}\""), &format!("\" {text}\"")], random)
                    }
                    Value::Bool(_) => pick(&[&text, &format!("\"{text}\"")], random),
                    Value::String(text) if random.bool() => {
                        let letters = text.encode_utf16().map(|unit| format!("\\u{unit:04x}"));
                        format!("\"{}\"", letters.collect::<String>())
                    }
                    _ => text,
                };
                members.push((format!("\"{name}\""), text));
            }
            if random.bool() {
                members.push(("\"model\"".to_owned(), "\"v3\"".to_owned()));
            }
            if random.bool() {
                members.push(("\"style_codes\"".to_owned(), "null".to_owned()));
            }
            let members = shuffled(members, random).into_iter();
            let members: Vec<String> = members
                .map(|(name, value)| format!("{}{name}{}:{}{value}", space(random), space(random), space(random)))
                .collect();
            objects.push(format!("{{{}}}", members.join(",")));
        }
        let end = pick(&["\n", "\r\n", "\r", "\n\n"], random);
        match random.u8(..3) {
            0 => (Form::Jsonl, objects.join(&end)),
            1 => (Form::Json, format!("[{end}{}{end}]{end}", objects.join(&format!(",{end}")))),
            _ => (Form::Json, objects.join(&end)),
        }
    }

    fn respelled_table(rows: &[Map<String, Value>], random: &mut fastrand::Rng) -> (Form, String) {
        let separator = pick(&[",", ";", "\t", "|"], random);
        let end = pick(&["\n", "\r\n", "\r"], random);
        let mut columns: Vec<&str> = vec!["prompt", "num_images", "seed", "enable_copyright_detection", "aspect_ratio"];
        columns.push(["model", ""][random.usize(..2)]);
        let mut columns = shuffled(columns, random);
        let has_index = random.bool();
        if has_index {
            columns.insert(0, "");
        }
        let padding = random.usize(..3);
        let quotes_all = random.bool();
        let cell = |text: &str, random: &mut fastrand::Rng| {
            let must = text.contains(['"', ',', ';', '\t', '|', '\n', '\r']);
            let text = if must || quotes_all { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() };
            if separator == "\t" {
                text
            } else {
                format!("{}{text}{}", pick(&["", " "], random), pick(&["", " "], random))
            }
        };
        let mut lines = Vec::new();
        match random.u8(0..4) {
            0 | 1 => lines.push(format!("sep={separator}")),
            2 => lines.push(cell("Table 1", random)),
            _ => {}
        }
        let header: Vec<String> = columns
            .iter()
            .map(|name| {
                let spelled = pick(&[name, &name.to_uppercase(), &name.replace('_', " ")], random);
                cell(&spelled, random)
            })
            .collect();
        lines.push(header.join(&separator) + &separator.repeat(padding));
        for (index, row) in rows.iter().enumerate() {
            let mut cells = Vec::new();
            for (column, name) in columns.iter().enumerate() {
                let text = match row.get(*name) {
                    _ if column == 0 && has_index => index.to_string(),
                    None if *name == "model" => pick(&["v3", ""], random),
                    None if name.is_empty() => String::new(),
                    None => pick(&["", "", "nan", "NaN", "None", "<NA>"], random),
                    Some(Value::Number(number)) => {
                        let number = number.to_string();
                        let mut spellings =
                            vec![number.clone(), format!("{number}.0"), format!(" {number}"), format!("0{number}")];
                        spellings.push(format!("{number},0"));
                        if number.len() == 10 {
                            spellings.push(format!(
                                "{}.{}.{}.{}",
                                &number[..1],
                                &number[1..4],
                                &number[4..7],
                                &number[7..]
                            ));
                        }
                        spellings[random.usize(..spellings.len())].clone()
                    }
                    Some(Value::Bool(true)) => pick(&["TRUE", "True", "true", "WAHR", "VRAI", "1"], random),
                    Some(Value::Bool(false)) => pick(&["FALSE", "False", "false", "FALSCH", "FAUX", "0.0"], random),
                    Some(value) => value.as_str().unwrap().replace('\n', if random.bool() { "\r\n" } else { "\n" }),
                };
                cells.push(cell(&text, random));
            }
            lines.push(cells.join(&separator) + &separator.repeat(padding));
            if random.u8(..4) == 0 {
                lines.push(separator.repeat(columns.len()));
            }
        }
        let form = if separator == "\t" { [Form::Csv, Form::Tsv][random.usize(..2)] } else { Form::Csv };
        (form, lines.join(&end) + if random.bool() { &end } else { "" })
    }
}
