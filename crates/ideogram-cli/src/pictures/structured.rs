//! Structured prompts of the 4.0 model: from files, and as people read them.

use std::path::Path;

use ideogram_client::types::{V4JsonPrompt, V4PromptElement};
use serde_json::Value;

use super::prompt::Stdin;
use crate::{failure::Failure, page::Page, text};

/// Far above any prompt, in bytes.
const LARGEST: u64 = 4 * 1024 * 1024;

/// Reads a structured prompt: by itself, or the answer of `magic-prompt` or `describe` around it.
pub(crate) async fn read(path: &Path, stdin: &Stdin) -> Result<V4JsonPrompt, Failure> {
    let shown = path.display();
    let text = text::read_text(path, stdin, "the structured prompt", LARGEST).await?;
    let refused = |error: &serde_json::Error| {
        Failure::usage(format!("\"{shown}\" holds no structured prompt"))
            .because(error)
            .hint("`ideogram magic-prompt PROMPT --jq .json_prompt` makes one; nothing was sent")
    };
    let mut json: Value = serde_json::from_str(&text).map_err(|error| refused(&error))?;
    if let Some(inner) = json.get_mut("json_prompt") {
        json = inner.take();
    }
    serde_json::from_value(json).map_err(|error| refused(&error))
}

/// Adds a structured prompt to what people read.
pub(crate) fn page(page: Page, prompt: &V4JsonPrompt) -> Page {
    let mut page = page.field("Picture", prompt.high_level_description.clone());
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
                page = page.field(label, text.clone());
            }
        }
        if !style.color_palette.is_empty() {
            page = page.field("Colors", style.color_palette.join(" "));
        }
    }
    let parts = &prompt.compositional_deconstruction;
    page = page.field("Background", parts.background.clone());
    if !parts.elements.is_empty() {
        page = page.list("Elements", parts.elements.iter().map(element));
    }
    if !prompt.tags.is_empty() {
        page = page.field("Tags", prompt.tags.join(", "));
    }
    page
}

fn element(element: &V4PromptElement) -> String {
    match element {
        V4PromptElement::Obj(thing) => format!("{}{}", thing.desc, place(&thing.bbox)),
        V4PromptElement::Text(text) => format!("the text \"{}\": {}{}", text.text, text.desc, place(&text.bbox)),
        V4PromptElement::Unrecognized(value) => value.to_string(),
        _ => "an element of a kind that this version does not know".to_owned(),
    }
}

/// Where it is, on a canvas of 1000 by 1000.
fn place(bbox: &[i64]) -> String {
    match bbox {
        [top, left, bottom, right] => format!(" (from {left},{top} to {right},{bottom} of 1000)"),
        _ => String::new(),
    }
}
