//! Structured prompts of Ideogram 4.0: reads, checks and prints them.

use std::{fmt, path::Path};

use ideogram_client::{
    operation::Operation,
    schema::Schema,
    types::{V4JsonPrompt, V4PromptElement},
    validate::{Validate as _, Violations},
};
use serde::Deserialize;
use serde_json::{Value, value::RawValue};

use super::prompt::Stdin;
use crate::{failure::Failure, output::layout::Layout, text_input, text_input::without_mark};

/// The maximum size, far above any prompt.
const MAX_BYTES: u64 = 4 * 1024 * 1024;

/// Whether an operation takes a structured prompt as the text of `prompt`.
pub(crate) fn is_in_prompt(operation: &Operation) -> bool {
    operation.inputs.iter().any(|it| it.name == "prompt" && matches!(it.schema, Schema::Text { json: Some(_), .. }))
}

/// Why a structured prompt is not sent.
#[derive(Debug)]
pub(crate) enum Refusal {
    Json(serde_json::Error),
    Values(Violations),
    /// Paths of properties that are not in the document.
    Unknown(Vec<String>),
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Json(error) => error.fmt(formatter),
            Self::Values(violations) => violations.fmt(formatter),
            Self::Unknown(names) => {
                let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
                write!(
                    formatter,
                    "a structured prompt has no property {} in the API's document; --unchecked sends it",
                    names.join(" and ")
                )
            }
        }
    }
}

/// Reads a structured prompt from a file, or from a response of `magic-prompt` or `describe`.
pub(crate) async fn read(path: &Path, stdin: &Stdin, unchecked: bool) -> Result<String, Failure> {
    let text = text_input::read_text(path, stdin, "the structured prompt", MAX_BYTES).await?;
    parse(&text, unchecked).map_err(|refusal| {
        let name = path.display();
        match refusal {
            Refusal::Unknown(_) => {
                Failure::usage(format!("nothing was sent: \"{name}\" is not a structured prompt of the API's document"))
                    .cause(refusal.to_string())
            }
            _ => Failure::usage(format!("\"{name}\" contains no structured prompt"))
                .cause(refusal.to_string())
                .hint("nothing was sent; `ideogram magic-prompt PROMPT --jq .json_prompt` prints one"),
        }
    })
}

/// Checks a structured prompt, and returns its text unchanged.
pub(crate) fn parse(text: &str, unchecked: bool) -> Result<String, Refusal> {
    #[derive(Deserialize)]
    struct MagicPrompt<'a> {
        #[serde(borrow)]
        json_prompt: &'a RawValue,
    }

    let text = without_mark(text).trim();
    let text = serde_json::from_str::<MagicPrompt<'_>>(text).map_or(text, |response| response.json_prompt.get());
    let typed: V4JsonPrompt = serde_json::from_str(text).map_err(Refusal::Json)?;
    typed.validate().map_err(Refusal::Values)?;
    if !unchecked {
        let written: Value = serde_json::from_str(text).map_err(Refusal::Json)?;
        let known = serde_json::to_value(typed).map_err(Refusal::Json)?;
        let mut names = Vec::new();
        unknown(&written, &known, "", &mut names);
        if !names.is_empty() {
            return Err(Refusal::Unknown(names));
        }
    }
    Ok(text.to_owned())
}

/// Collects the paths of unknown properties; decoding may drop empty ones.
fn unknown(written: &Value, known: &Value, path: &str, names: &mut Vec<String>) {
    match (written, known) {
        (Value::Object(written), Value::Object(known)) => {
            for (name, value) in written {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                match known.get(name) {
                    Some(known) => unknown(value, known, &path, names),
                    None if value.is_null() || value.as_array().is_some_and(Vec::is_empty) => {}
                    None => names.push(path),
                }
            }
        }
        (Value::Array(written), Value::Array(known)) => {
            for (index, (written, known)) in written.iter().zip(known).enumerate() {
                unknown(written, known, &format!("{path}[{index}]"), names);
            }
        }
        _ => {}
    }
}

/// Adds a structured prompt to a layout.
pub(crate) fn layout(layout: Layout, prompt: &V4JsonPrompt) -> Layout {
    let mut layout = layout.field("Image", prompt.high_level_description.clone());
    if let Some(style) = &prompt.style_description {
        let parts = [
            ("Aesthetics", &style.aesthetics),
            ("Art style", &style.art_style),
            ("Medium", &style.medium),
            ("Photo", &style.photo),
            ("Lighting", &style.lighting),
        ];
        for (label, text) in parts {
            if let Some(text) = text {
                layout = layout.field(label, text.clone());
            }
        }
        if !style.color_palette.is_empty() {
            layout = layout.field("Colors", style.color_palette.join(" "));
        }
    }
    let parts = &prompt.compositional_deconstruction;
    layout = layout.field("Background", parts.background.clone());
    if !parts.elements.is_empty() {
        layout = layout.list("Elements", parts.elements.iter().map(element));
    }
    if !prompt.tags.is_empty() {
        layout = layout.field("Tags", prompt.tags.join(", "));
    }
    layout
}

fn element(element: &V4PromptElement) -> String {
    match element {
        V4PromptElement::Obj(thing) => format!("{}{}", thing.desc, position(&thing.bbox)),
        V4PromptElement::Text(text) => format!("the text \"{}\": {}{}", text.text, text.desc, position(&text.bbox)),
        V4PromptElement::Unrecognized(value) => value.to_string(),
        _ => "an element of a kind that this version does not know".to_owned(),
    }
}

/// The position, on a canvas of 1000 by 1000.
fn position(bbox: &[i64]) -> String {
    match bbox {
        [top, left, bottom, right] => format!(" (from {left},{top} to {right},{bottom} of 1000)"),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROMPT: &str = r#"{ "style_description": {"photo": "85mm", "aesthetics": "warm"},
        "compositional_deconstruction": {"elements": [{"desc": "a fox", "type": "obj"}], "background": "wood"},
        "high_level_description": "a fox", "tags": []}"#;

    #[test]
    fn the_text_is_sent_unchanged() {
        for text in
            [PROMPT.to_owned(), format!("\u{feff} {PROMPT}\n"), format!("{{\"json_prompt\": {PROMPT}, \"x\": 1}}")]
        {
            assert_eq!(parse(&text, false).unwrap(), PROMPT);
        }
    }

    #[test]
    fn unknown_properties_are_refused_at_any_depth() {
        for (from, to, name) in [
            ("\"tags\"", "\"mood\": \"calm\", \"tags\"", "`mood`"),
            ("\"photo\"", "\"mood\": \"calm\", \"photo\"", "`style_description.mood`"),
            ("\"desc\"", "\"mood\": 1, \"desc\"", "`compositional_deconstruction.elements[0].mood`"),
        ] {
            let text = PROMPT.replace(from, to);
            let refusal = parse(&text, false).unwrap_err().to_string();

            assert!(refusal.contains(name), "{refusal}");
            assert_eq!(parse(&text, true).unwrap(), text);
        }
    }

    #[test]
    fn deep_nesting_is_refused() {
        for deep in
            ["[".repeat(300_000), "{\"json_prompt\":".repeat(100_000), format!("{{\"a\": {}", "[".repeat(300_000))]
        {
            assert!(parse(&deep, true).is_err());
        }
        let closed = PROMPT.replace("[]", &format!("{}{}", "[".repeat(100_000), "]".repeat(100_000)));
        assert!(parse(&closed, true).is_err());
    }
}
