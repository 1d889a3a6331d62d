//! The commands about images.

mod examples;
mod flags;
mod open;
mod outcomes;
mod refusals;
mod saving;
mod sources;
mod words;

use std::{
    fs,
    path::{Path, PathBuf},
};

use ideogram_mock::{MockServer, RecordedRequest};
use serde_json::Value;
use tempfile::TempDir;

/// A PNG of two pixels, black and white: it is a mask for itself.
const IMAGE: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x02\0\0\0\x01\x08\0\0\0\0\xd1I V\0\0\0\x0bIDATx\x9cc\
    `\xf8\x0f\0\x01\x02\x01\0B\xbe\xbch\0\0\0\0IEND\xaeB`\x82";

/// A folder with this image under each of these names.
pub(crate) fn folder(names: &[&str]) -> TempDir {
    let folder = TempDir::new().unwrap();
    for name in names {
        fs::write(folder.path().join(name), IMAGE).unwrap();
    }
    folder
}

/// The files below a folder, sorted, responses and all.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

/// The responses that were kept below a folder.
fn responses(folder: &Path) -> Vec<PathBuf> {
    files(folder).into_iter().filter(|path| path.parent().unwrap().ends_with(".ideogram-responses")).collect()
}

/// The paid calls that a server received; polls are free.
pub(crate) fn calls(server: &MockServer) -> Vec<String> {
    paid(server).into_iter().filter_map(|request| request.operation_id).collect()
}

/// The requests of paid calls.
fn paid(server: &MockServer) -> Vec<RecordedRequest> {
    let requests = server.requests().into_iter();
    requests.filter(|request| request.method == "POST" && request.operation_id.is_some()).collect()
}

/// The parts of the last call: names, and text, JSON or the name of the file. A JSON body has its properties as parts.
fn parts(server: &MockServer) -> Vec<(String, String)> {
    let call = paid(server).pop().expect("a call was sent");
    let value = |part: &ideogram_mock::RecordedPart| part.text.clone().or(part.file_name.clone()).unwrap_or_default();
    if let Ok(Value::Object(body)) = serde_json::from_slice(&call.body) {
        let text = |value: Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        return body.into_iter().map(|(name, value)| (name, text(value))).collect();
    }
    call.parts.iter().map(|part| (part.name.clone(), value(part))).collect()
}
