//! Turns an OpenAPI 3.0 document into the Rust source of a client.
//!
//! Start at [`Client::read`]. Three visible steps make the source, one module each: `lower` rewrites the document into
//! what progenitor accepts, `generate` runs progenitor, `retarget` points its tokens at the including crate's runtime.
//! Before them `rules` reads the document and refuses, with the place and a repair, whatever the bridge cannot carry.
//!
//! Pure: text in, text out; no files, no network, and no name of any API. What is special about an operation stands in
//! the document, in standard keywords or in three extensions, where `<vendor>` is any word:
//!
//! | extension of an operation | values | without it |
//! | --- | --- | --- |
//! | `x-<vendor>-billing` | `paid`, `free` | `paid` |
//! | `x-<vendor>-retry` | `safe`, `unsafe` | `unsafe` |
//! | `x-<vendor>-images` | a number, or the request member that says how many | 1 |
//!
//! The source expects certain names around it; `settings` lists them.

mod document;
mod error;
mod generate;
mod lower;
mod model;
mod multipart;
mod names;
mod open_enum;
mod open_union;
mod operations;
mod path_value;
mod retarget;
mod rules;
mod schemas;
mod settings;
mod yaml;

use proc_macro2::TokenStream;

pub use crate::error::{Error, Problem};
use crate::{document::Document, rules::Reading};

/// A client, read from a document and generated.
#[derive(Debug)]
pub struct Client {
    reading: Reading,
    tokens: TokenStream,
}

impl Client {
    /// Reads a document and generates its client.
    ///
    /// # Errors
    ///
    /// Every place where the document breaks a rule or holds what the bridge cannot carry, each with a repair.
    pub fn read(document: &str) -> Result<Self, Error> {
        let document = Document::parse(document)?;
        let reading = rules::read(&document)?;
        let generated = generate::generate(&document, &reading.model)?;
        let tokens = retarget::retarget(generated, &reading).map_err(|unexpected| {
            let message = format!("progenitor's output is not what retarget expects: {}", unexpected.message);
            let problem = document.problem("", message).in_operation(unexpected.operation);
            problem.repair("compare the version of progenitor with the one that `retarget` was written for")
        })?;
        Ok(Self { reading, tokens })
    }

    /// The source, as the compiler wants it: one long line.
    pub fn source(&self) -> String {
        self.tokens.to_string()
    }

    /// The names of types that a body can hold. Path values are no data: they only stand in addresses.
    pub fn data_types(&self) -> Vec<&str> {
        let components = self.reading.model.components.iter();
        let data = components.filter(|(_, component)| !matches!(component.shape, model::Shape::Alias(_)));
        data.map(|(name, _)| name.as_str()).collect()
    }

    /// The document as progenitor saw it.
    pub fn lowered(&self) -> serde_json::Value {
        lower::lower(&self.reading.model)
    }

    /// What the document says of each operation, in its order.
    pub fn operations(&self) -> Vec<OperationSummary<'_>> {
        let operations = self.reading.model.operations.iter();
        operations
            .map(|operation| OperationSummary {
                id: &operation.id,
                method_name: &operation.method_name,
                http_method: operation.http_method.to_uppercase(),
                path: &operation.path,
                media_type: operation.body.as_ref().map(|body| body.media_type.as_str()),
                paid: operation.billing == model::Billing::Paid,
                safe_to_repeat: operation.retry == model::Retry::Safe,
                deprecated: operation.deprecated,
            })
            .collect()
    }
}

/// An operation as tables show it.
#[derive(Clone, Debug)]
pub struct OperationSummary<'c> {
    /// The service's own id.
    pub id: &'c str,
    /// The method of the client.
    pub method_name: &'c str,
    /// The HTTP method in upper case.
    pub http_method: String,
    /// The path template.
    pub path: &'c str,
    /// The media type that the client sends; none without a body.
    pub media_type: Option<&'static str>,
    /// Whether a call costs money.
    pub paid: bool,
    /// Whether a call may be sent twice without harm.
    pub safe_to_repeat: bool,
    /// Whether the service announces its removal.
    pub deprecated: bool,
}

/// Reads a document as JSON, with nothing checked but its YAML: for tools that look at what the rules do not.
///
/// # Errors
///
/// The line where the text stops being YAML.
pub fn read_yaml(document: &str) -> Result<serde_json::Value, Error> {
    Ok(yaml::read(document)?.root)
}

/// The line, counted from 1, of the node that a JSON pointer leads to.
pub fn line_of(document: &str, pointer: &str) -> Option<usize> {
    yaml::read(document).ok()?.lines.get(pointer).copied()
}
