//! Turns an OpenAPI 3.0 document into the Rust source of a client.
//!
//! Start at [`GeneratedClient::read`]. It has four steps, one module each: `rules` reads the document and refuses, with
//! location and repair, everything that the generator does not support; `lower` rewrites the document into a form that
//! progenitor accepts; `generate` runs progenitor; `retarget` rewrites its tokens for the including crate's runtime.
//!
//! The crate does no I/O and knows no API. The document describes what is special about an operation, in standard
//! keywords or in extensions, where `<vendor>` is any word:
//!
//! | extension of an operation | values | without it |
//! | --- | --- | --- |
//! | `x-<vendor>-billing` | `paid`, `free` | `paid` |
//! | `x-<vendor>-retry` | `safe`, `unsafe` | `unsafe` |
//! | `x-<vendor>-images` | a number, or the request property that holds the number | 1 |
//! | `x-<vendor>-status` | the response property that holds the real status, if a response with status 200 can fail | none |
//! | `x-<vendor>-job` | the request properties that begin a job, and the operation that returns its state | no job |
//! | `x-<vendor>-poll` | the response property with the state of a job, and its values at the end | no state |
//! | `x-<vendor>-quote` | the query parameter that asks for the price, and the response with it | no price |
//!
//! `settings` lists the names that the including crate must define.

mod docs;
mod document;
mod error;
mod fields;
mod generate;
mod lines;
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
mod sample_call;
mod schemas;
mod settings;
mod spelling;
mod tokens;
mod yaml;

use proc_macro2::TokenStream;

use crate::rules::DocumentFacts;
pub use crate::{
    document::Document,
    error::{Error, Problem},
    rules::SCHEMA_KEYWORDS,
    sample_call::{Inputs, SampleCall},
    spelling::nearest,
    yaml::Ambiguous,
};

/// A client that was generated from a document.
#[derive(Debug)]
pub struct GeneratedClient {
    document: Document,
    facts: DocumentFacts,
    tokens: TokenStream,
}

impl GeneratedClient {
    /// Reads a document and generates its client.
    ///
    /// # Errors
    ///
    /// All problems of the document, each with location and repair.
    pub fn read(document: &str) -> Result<Self, Error> {
        Self::read_with_methods(document, &[])
    }

    /// Reads a document and generates its client, which is included next to an `impl Client` with these methods.
    ///
    /// # Errors
    ///
    /// As [`GeneratedClient::read`]; also every operation whose method has one of these names.
    pub fn read_with_methods(document: &str, client_methods: &[String]) -> Result<Self, Error> {
        let document = Document::parse(document)?;
        let facts = rules::read(&document, client_methods)?;
        let generated = generate::generate(&document, &facts.model)?;
        let tokens = retarget::retarget(generated, &facts).map_err(|error| {
            let operation = error.operation.as_deref().and_then(|id| facts.model.operation(id));
            let pointer = operation.map_or("", |operation| operation.pointer.as_str());
            document.problem(pointer, error.message).in_operation(error.operation).repair(error.repair)
        })?;
        Ok(Self { document, facts, tokens })
    }

    /// The source, with line breaks but otherwise unformatted.
    pub fn source(&self) -> String {
        lines::source(self.tokens.clone())
    }

    /// The document in the form that progenitor reads.
    pub fn lowered(&self) -> serde_json::Value {
        lower::lower(&self.facts.model, &self.facts.model.operations)
    }

    /// Returns a call of the operation `id`; `file` returns the Rust expression for a file of a name.
    ///
    /// # Errors
    ///
    /// Why there is none: no such operation, or arguments that are more than texts, numbers, enums, files and lists of
    /// these, or that exclude each other.
    pub fn sample_call(&self, id: &str, inputs: Inputs, file: impl Fn(&str) -> String) -> Result<SampleCall, String> {
        sample_call::sample_call(&self.document, &self.facts.model, id, inputs, &file)
    }

    /// A summary of each operation, in the order of the document.
    pub fn operations(&self) -> Vec<OperationSummary<'_>> {
        let summaries = self.facts.model.operations.iter().map(|operation| OperationSummary {
            id: &operation.id,
            method_name: &operation.method_name,
            http_method: operation.http_method.to_uppercase(),
            path: &operation.path,
            media_type: operation.body.as_ref().map(|body| body.media_type.as_str()),
            paid: operation.billing == model::Billing::Paid,
            safe_to_retry: operation.retry == model::Retry::Safe,
            deprecated: operation.deprecated,
            runs_as_job: operation.job.is_some(),
            has_quote: operation.quote.is_some(),
            makes_images: operation.images != model::ImageCount::Fixed(0),
            summary: &operation.summary,
            inputs: self.inputs(operation),
        });
        summaries.collect()
    }

    fn inputs<'c>(&'c self, operation: &'c model::Operation) -> Vec<Input<'c>> {
        let in_query = |parameter: &model::Parameter| parameter.location == model::Location::Query;
        let parameters = operation.parameters.iter();
        let parameters = parameters.map(|it| Input { name: &it.name, in_query: in_query(it) });
        let body = operation.body.iter();
        let properties = body.flat_map(|body| self.facts.model.properties(&body.component));
        parameters.chain(properties.map(|property| Input { name: &property.name, in_query: false })).collect()
    }
}

/// The summary of an operation.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of the document")]
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
    /// Whether a call may be retried without side effects.
    pub safe_to_retry: bool,
    /// Whether the service announces its removal.
    pub deprecated: bool,
    /// Whether a call can run as a job.
    pub runs_as_job: bool,
    /// Whether a call can be priced without running.
    pub has_quote: bool,
    /// Whether a call may create images.
    pub makes_images: bool,
    /// What the call does, in a few words.
    pub summary: &'c str,
    /// The inputs that a caller sets.
    pub inputs: Vec<Input<'c>>,
}

/// A parameter, or a property of the body.
#[derive(Clone, Debug)]
pub struct Input<'c> {
    /// The name on the wire.
    pub name: &'c str,
    /// Whether it is a parameter of the query.
    pub in_query: bool,
}

/// Returns the names of the methods that Rust source defines in `impl Client` blocks, for
/// [`GeneratedClient::read_with_methods`]. Source that does not parse has none: the compiler reports it.
pub fn client_methods(source: &str) -> Vec<String> {
    let items = syn::parse_file(source).map(|file| file.items).unwrap_or_default();
    let blocks = items.into_iter().filter_map(|item| match item {
        syn::Item::Impl(block) if block.trait_.is_none() => Some(block),
        _ => None,
    });
    let blocks =
        blocks.filter(|block| matches!(&*block.self_ty, syn::Type::Path(path) if path.path.is_ident("Client")));
    let methods = blocks.flat_map(|block| block.items).filter_map(|item| match item {
        syn::ImplItem::Fn(function) => Some(function.sig.ident.to_string()),
        _ => None,
    });
    methods.collect()
}

/// Reads a document as JSON and checks nothing but its YAML; for tools that read parts that the rules ignore.
///
/// # Errors
///
/// The text is not YAML, with the line.
pub fn read_yaml(document: &str) -> Result<serde_json::Value, Error> {
    Ok(Document::parse(document)?.root)
}

/// Returns the name that a component must have for a text of several words: `get_item_200_response` is
/// `GetItem200Response`.
pub fn component_name(words: &str) -> String {
    names::type_name(words)
}
