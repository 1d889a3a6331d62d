//! Runs progenitor over the lowered document, and turns its panics into errors that name an operation.

use std::panic::{AssertUnwindSafe, catch_unwind};

use proc_macro2::TokenStream;
use serde_json::Value;

use crate::{Error, Problem, document::Document, lower, model::Model, settings};

/// progenitor's tokens for the whole document.
pub(crate) fn generate(document: &Document, model: &Model) -> Result<TokenStream, Error> {
    run(model, lower::lower(model)).map_err(|failure| {
        // One operation at a time: the first that fails alone is the one to look at.
        let culprit =
            model.operations.iter().find(|operation| run(model, lower::lower_only(model, operation)).is_err());
        let (pointer, operation) = match culprit {
            Some(operation) => (operation.pointer.as_str(), Some(operation.id.clone())),
            None => ("/components/schemas", None),
        };
        let problem: Problem = document
            .problem(pointer, format!("the generator cannot take this: {failure}"))
            .in_operation(operation)
            .repair("describe it more simply, or teach `lower.rs` a rule for it");
        problem.into()
    })
}

fn run(model: &Model, lowered: Value) -> Result<TokenStream, String> {
    let lowered: openapiv3::OpenAPI = serde_json::from_value(lowered).map_err(|error| error.to_string())?;
    // The generator keeps no state that a panic could leave half-changed: it is dropped here.
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        progenitor::Generator::new(&settings::settings(model)).generate_tokens(&lowered)
    }));
    match outcome {
        Ok(Ok(tokens)) => Ok(tokens),
        Ok(Err(error)) => Err(error.to_string()),
        Err(panic) => Err(panic_text(panic.as_ref())),
    }
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("it panicked: {}", text.unwrap_or("without a message"))
}
