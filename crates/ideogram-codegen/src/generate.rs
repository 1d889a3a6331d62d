//! Runs progenitor on the lowered document, and turns its panics into errors that name an operation.

use std::panic::{AssertUnwindSafe, catch_unwind};

use proc_macro2::TokenStream;
use serde_json::Value;

use crate::{Error, Problem, document::Document, lower, model::Model, settings};

/// Returns progenitor's tokens for the document.
pub(crate) fn generate(document: &Document, model: &Model) -> Result<TokenStream, Error> {
    run(model, lower::lower(model)).map_err(|failure| {
        // Finds the operation that fails alone, unless the components fail alone.
        let components_fail = run(model, lower::lower_components(model)).is_err();
        let mut operations = model.operations.iter().filter(|_| !components_fail);
        let failing = operations.find(|operation| run(model, lower::lower_only(model, operation)).is_err());
        let (pointer, operation) = match failing {
            Some(operation) => (operation.pointer.as_str(), Some(operation.id.clone())),
            None => ("/components/schemas", None),
        };
        let problem: Problem = document
            .problem(pointer, format!("the generator does not support this: {failure}"))
            .in_operation(operation)
            .repair("describe it in a simpler form, or add a rule to `lower.rs`");
        problem.into()
    })
}

fn run(model: &Model, lowered: Value) -> Result<TokenStream, String> {
    let lowered: openapiv3::OpenAPI = serde_json::from_value(lowered).map_err(|error| error.to_string())?;
    // The generator is dropped here, so a panic leaves no inconsistent state.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules;

    const DOCUMENT: &str = "
openapi: 3.0.3
info: {title: T, version: '1'}
servers: [{url: https://example.test}]
paths:
  /a: {get: {operationId: fine, responses: {'200': {description: ok}}}}
  /b/{id}:
    get:
      operationId: poor
      parameters: [{name: id, in: path, required: true, schema: {type: integer}}]
      responses: {'200': {description: ok}}
";

    #[test]
    fn a_panic_of_the_generator_is_an_error_that_names_the_operation() {
        let document = Document::parse(DOCUMENT).unwrap();
        let mut model = rules::read(&document, &[]).unwrap().model;
        // The rules refuse such a document; this simulates a missing rule.
        model.operations[1].parameters[0].required = false;

        let error = generate(&document, &model).unwrap_err();

        let problem = &error.problems()[0];
        assert_eq!(problem.operation(), Some("poor"));
        assert_eq!(problem.line(), Some(8));
        assert!(problem.message().contains("it panicked"), "{problem}");
    }

    #[test]
    fn an_error_of_the_generator_names_the_operation_too() {
        let document = Document::parse(DOCUMENT).unwrap();
        let mut model = rules::read(&document, &[]).unwrap().model;
        model.operations[1].path = "/b/{id".to_owned();

        let error = generate(&document, &model).unwrap_err();

        assert_eq!(error.problems()[0].operation(), Some("poor"));
    }
}
