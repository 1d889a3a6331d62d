//! The inputs of a request for images: its prompt, and its source images, which must be readable and match in size.
//!
//! The keywords of the document cannot express these rules.

use http::StatusCode;
use serde_json::Value;

use crate::{
    content::Content,
    document::WRAPPER,
    reply::Reply,
    request::{Call, ReceivedFile},
    size::Size,
};

/// A prompt or a file name with this word is refused.
const FORBIDDEN: &str = "forbidden";

/// Returns the options of a call: the body, or the object that it wraps.
pub(super) fn options(call: &Call) -> &Value {
    call.body.get(WRAPPER).unwrap_or(&call.body)
}

/// Returns the subject of the images: the prompt, or the name of the first file if there is no prompt.
pub(crate) fn subject(call: &Call) -> String {
    let options = options(call);
    let prompt = ["prompt", "text_prompt"].iter().find_map(|name| options[name].as_str());
    match (prompt, &options["json_prompt"], call.files.first()) {
        (Some(prompt), _, _) => prompt.to_owned(),
        (None, Value::Null, Some(file)) => title(&file.file_name),
        (None, structured, _) => structured.to_string(),
    }
}

/// Returns the size of the source image.
pub(super) fn source_size(call: &Call) -> Option<Size> {
    let is_source = |file: &&ReceivedFile| matches!(&*file.part, "image" | "image_file" | "images");
    call.files.iter().find(is_source).and_then(size)
}

/// The part with fonts, whose content is not inspected.
const FONTS: &str = "font_candidate_files";

/// The maximum size of all files of a request together, in bytes.
const MAX_REQUEST_BYTES: u64 = 50 * 1024 * 1024;

/// Checks the files and the prompt of a call.
pub(super) fn check(call: &Call) -> Result<(), Reply> {
    for file in call.files.iter().filter(|file| file.part != FONTS) {
        match &file.content {
            Content::Image(_) => {}
            Content::TooLarge => return Err(too_large()),
            _ => return Err(unreadable()),
        }
    }
    check_mask(call)?;
    check_characters(call)?;
    if call.files.iter().map(|file| file.size).sum::<u64>() > MAX_REQUEST_BYTES {
        return Err(too_large());
    }
    if call.files.iter().any(|file| is_marked(&file.file_name, FORBIDDEN)) {
        return Err(unsafe_input("Image"));
    }
    if is_marked(&subject(call), FORBIDDEN) {
        return Err(unsafe_input("Prompt"));
    }
    Ok(())
}

/// Returns the refusal of an image that cannot be read.
pub(super) fn unreadable() -> Reply {
    Reply::error(StatusCode::BAD_REQUEST, "Could not read a source image.")
}

/// Returns whether a prompt or a file name contains a marker.
pub(super) fn is_marked(text: &str, word: &str) -> bool {
    text.to_ascii_lowercase().contains(word)
}

/// Refuses a mask of another size with 422, as users of the service report.
fn check_mask(call: &Call) -> Result<(), Reply> {
    match named(call, "mask").next() {
        Some(mask) if size(mask) != source_size(call) => {
            Err(size_mismatch("The mask must have the size of the image."))
        }
        _ => Ok(()),
    }
}

fn check_characters(call: &Call) -> Result<(), Reply> {
    let refusal = |text| Err(Reply::error(StatusCode::BAD_REQUEST, text));
    let images: Vec<_> = named(call, "character_reference_images").map(size).collect();
    let masks: Vec<_> = named(call, "character_reference_images_mask").map(size).collect();
    if images.len() > 1 {
        return refusal("At present only one character reference image is supported.");
    }
    // Observed in June 2026, not documented.
    if !images.is_empty() && options(call).get("color_palette").is_some() {
        return refusal("A color palette cannot be combined with character reference images.");
    }
    if !masks.is_empty() && masks.len() != images.len() {
        return refusal("There must be as many character reference masks as images.");
    }
    if !masks.is_empty() && masks != images {
        return Err(size_mismatch("A character reference mask must have the size of its image."));
    }
    Ok(())
}

fn named<'a>(call: &'a Call, part: &'static str) -> impl Iterator<Item = &'a ReceivedFile> {
    call.files.iter().filter(move |file| file.part == part)
}

fn size(file: &ReceivedFile) -> Option<Size> {
    match file.content {
        Content::Image(size) => Some(size),
        _ => None,
    }
}

/// Derives a subject from a file name: `red-lantern_2.jpg` becomes `red lantern 2`.
fn title(file_name: &str) -> String {
    let stem = file_name.rsplit_once('.').map_or(file_name, |(stem, _)| stem);
    let words: Vec<_> = stem.split(|char: char| !char.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    if words.is_empty() { "image".to_owned() } else { words.join(" ") }
}

fn unsafe_input(what: &str) -> Reply {
    let text = format!("{what} provided failed safety check due to the inclusion of prohibited content.");
    Reply::error(StatusCode::UNPROCESSABLE_ENTITY, &text)
}

fn size_mismatch(text: &str) -> Reply {
    Reply::error(StatusCode::UNPROCESSABLE_ENTITY, text)
}

fn too_large() -> Reply {
    Reply::error(StatusCode::BAD_REQUEST, "A source image is larger than 25 MB, or all of them are larger than 50 MB.")
}
