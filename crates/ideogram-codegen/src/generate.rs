//! Runs progenitor on the lowered document, and turns its panics into errors that name an operation.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    slice,
};

use proc_macro2::TokenStream;

use crate::{
    Error, Problem,
    document::Document,
    lower,
    model::{Model, Operation},
    settings,
};

/// Returns progenitor's tokens for the document.
pub(crate) fn generate(document: &Document, model: &Model) -> Result<TokenStream, Error> {
    run(model, &model.operations).map_err(|failure| {
        // Finds the operation that fails alone, unless the components fail alone.
        let components_fail = run(model, &[]).is_err();
        let mut operations = model.operations.iter().filter(|_| !components_fail);
        let failing = operations.find(|operation| run(model, slice::from_ref(operation)).is_err());
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

fn run(model: &Model, operations: &[Operation]) -> Result<TokenStream, String> {
    let lowered = lower::lower(model, operations);
    let lowered: openapiv3::OpenAPI = serde_json::from_value(lowered).map_err(|error| error.to_string())?;
    // The generator is dropped here, so a panic leaves no inconsistent state.
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        progenitor::Generator::new(&settings::settings(model)).generate_tokens(&lowered)
    }));
    match outcome {
        Ok(Ok(tokens)) => Ok(tokens),
        Ok(Err(error)) => Err(error.to_string()),
        Err(panic) => {
            let text = panic.downcast_ref::<&str>().copied();
            let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
            Err(format!("it panicked: {}", text.unwrap_or("without a message")))
        }
    }
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
    fn a_panic_or_an_error_of_the_generator_names_the_operation() {
        for panics in [true, false] {
            let document = Document::parse(DOCUMENT).unwrap();
            let mut model = rules::read(&document, &[]).unwrap().model;
            let operation = &mut model.operations[1];
            // The rules refuse both; this simulates a missing rule.
            if panics {
                operation.parameters[0].required = false;
            } else {
                "/b/{id".clone_into(&mut operation.path);
            }

            let error = generate(&document, &model).unwrap_err();

            let problem = &error.problems()[0];
            assert_eq!((problem.operation(), problem.line()), (Some("poor"), Some(8)));
            assert_eq!(problem.message().contains("it panicked"), panics, "{problem}");
        }
    }
}
