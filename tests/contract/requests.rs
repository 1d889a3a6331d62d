//! Compares the requests of every operation with the document, part by part.
//!
//! The document is read here as plain JSON, independently of the generator. [`calls`] has the typed calls; separate tests
//! check that they cover every operation, every property, and the smallest request of each operation.

mod calls;
mod comparison;
mod description;

use std::collections::{BTreeMap, BTreeSet};

use ideogram_client::{
    ErrorKind, File,
    operation::{InputKind, Location},
    operations,
};
use serde_json::Value;

use self::{
    calls::{calls, content},
    comparison::compare,
    description::{Document, Operation},
};
use crate::{
    raw_server::{RawRequest, RawServer, response},
    true_document::parameter_pointer,
};

/// Returns the arguments of each typed call of an operation, and the request that it sends.
async fn sent(operation: &Operation<'_>) -> Vec<(Value, RawRequest)> {
    // With status 404, so that no call needs a response of its own type.
    let server = RawServer::responding(response(404, "", "{}"));
    let client = server.client();
    let mut all_arguments = Vec::new();
    for call in calls(&client, operation.id) {
        let error = call.future.await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound, "{}: {error}", call.arguments);
        all_arguments.push(call.arguments);
    }
    let requests = server.requests();
    assert_eq!(requests.len(), all_arguments.len(), "{}: one request for each call", operation.id);
    all_arguments.into_iter().zip(requests).collect()
}

/// Sends the same request by the id of the operation: each property as text or file, or all but the files as one JSON
/// body.
async fn sent_by_id(operation: &Operation<'_>, arguments: &Value, as_json: bool) -> RawRequest {
    let server = RawServer::responding(response(404, "", "{}"));
    let client = server.client();
    let constant = operations::ALL.iter().find(|constant| constant.id == operation.id).unwrap();
    let mut call = client.call(operation.id).unwrap();
    let mut body = serde_json::Map::new();
    let (job, quote) =
        (constant.job.as_ref().and_then(|job| job.property), constant.quote.as_ref().map(|quote| quote.parameter));
    let has = |switch: Option<&str>| switch.is_some_and(|switch| arguments.get(switch).is_some());
    for (name, value) in arguments.as_object().unwrap() {
        if Some(name.as_str()) == job || Some(name.as_str()) == quote {
            continue;
        }
        let input = constant.inputs.iter().find(|input| input.name == name).unwrap();
        if as_json && input.location == Location::Body && input.kind() != InputKind::File {
            body.insert(name.clone(), value.clone());
            continue;
        }
        let values = if input.is_repeated() { value.as_array().unwrap().clone() } else { vec![value.clone()] };
        for value in values {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            call = match input.kind() {
                InputKind::File => call.file(name, File::from_bytes(&text, content(&text))),
                _ => call.field(name, text),
            };
        }
    }
    if as_json && !constant.media_type.is_empty() {
        call = call.json(Value::Object(body));
    }
    let error = if has(quote) {
        call.quote().await.unwrap_err()
    } else if has(job) {
        call.submit().await.unwrap_err()
    } else {
        call.send().await.unwrap_err()
    };
    assert_eq!(error.kind(), ErrorKind::NotFound, "{arguments}: {error}");
    server.requests().remove(0)
}

/// Collects the names of the arguments and of their inner properties.
fn names(arguments: &Value, prefix: &str, collected: &mut BTreeSet<String>) {
    for item in arguments.as_array().into_iter().flatten() {
        names(item, prefix, collected);
    }
    for (name, value) in arguments.as_object().into_iter().flatten() {
        collected.insert(format!("{prefix}{name}"));
        names(value, &format!("{prefix}{name}/"), collected);
    }
}

#[tokio::test]
async fn every_operation_sends_the_documented_request() {
    let document = Document::read();

    for operation in document.operations() {
        for (arguments, request) in sent(&operation).await {
            let comparison = compare(&document, &operation, &arguments, &request);
            assert_eq!(comparison, Ok(()), "{} with {arguments}\n{}", operation.id, request.head);
        }
    }
}

#[tokio::test]
async fn a_call_by_its_id_sends_the_documented_request() {
    let document = Document::read();

    for operation in document.operations() {
        for (arguments, _) in sent(&operation).await {
            for as_json in [false, true] {
                let request = sent_by_id(&operation, &arguments, as_json).await;
                let comparison = compare(&document, &operation, &arguments, &request);
                assert_eq!(comparison, Ok(()), "{} with {arguments}\n{}", operation.id, request.head);
            }
        }
    }
}

#[tokio::test]
async fn every_property_of_every_request_has_been_sent() {
    let document = Document::read();

    for operation in document.operations() {
        let mut arguments = BTreeSet::new();
        let calls = sent(&operation).await;
        for (call, _) in &calls {
            names(call, "", &mut arguments);
        }

        let inputs = operation.inputs(&document);
        let file = "tests/contract/requests/calls.rs";
        let missing: Vec<_> = inputs.difference(&arguments).collect();
        assert!(!calls.is_empty(), "`{}` has no typed call in `{file}`", operation.id);
        assert!(missing.is_empty(), "no typed call of `{}` in `{file}` sends {missing:?}", operation.id);
        let unknown: Vec<_> = arguments.difference(&inputs).collect();
        assert!(
            unknown.is_empty(),
            "`{}` in `{file}` sends what the document does not have: {unknown:?}",
            operation.id
        );
    }
}

#[tokio::test]
async fn every_request_can_be_sent_with_only_required_properties() {
    let document = Document::read();

    for operation in document.operations() {
        let arguments = sent(&operation).await;
        let arguments: BTreeSet<BTreeSet<String>> =
            arguments.iter().map(|(arguments, _)| arguments.as_object().unwrap().keys().cloned().collect()).collect();

        let smallest = operation.smallest(&document);
        let missing: Vec<_> = smallest.difference(&arguments).collect();
        let file = "tests/contract/requests/calls.rs";
        assert!(missing.is_empty(), "no typed call of `{}` in `{file}` sends only {missing:?}", operation.id);
    }
}

#[tokio::test]
async fn a_request_that_differs_from_the_document_is_detected() {
    let document = Document::read();
    let tested = ["post_generate_image_v3", "list_custom_models", "get_dataset"];
    let mut all_sent = BTreeMap::new();
    for operation in document.operations().iter().filter(|operation| tested.contains(&operation.id)) {
        let sent = sent(operation).await;
        for (arguments, request) in &sent {
            assert_eq!(compare(&document, operation, arguments, request), Ok(()), "{arguments}");
        }
        all_sent.insert(operation.id, sent);
    }
    let request = "/components/schemas/GenerateImageV3Request";
    let body = "/paths/~1v1~1ideogram-v3~1generate/post/requestBody/content/multipart~1form-data";
    let status = parameter_pointer(&document.0, "/paths/~1models/get", "status");
    let id = parameter_pointer(&document.0, "/paths/~1datasets~1{dataset_id}/get", "dataset_id");

    for (pointer, value) in [
        (format!("{request}/properties/style_reference_images/items/format"), "byte"),
        (format!("{request}/properties/style_codes/items"), "{type: string, format: binary}"),
        (format!("{request}/properties/style_codes/type"), "string"),
        (format!("{request}/properties/prompt/type"), "array"),
        (format!("{request}/properties/prompt/format"), "binary"),
        (format!("{request}/properties/prompt/type"), "integer"),
        (format!("{request}/properties/color_palette/allOf/0/$ref"), "'#/components/schemas/Seed'"),
        ("/components/schemas/MagicPromptOption/enum".to_owned(), "[AUTO]"),
        (format!("{body}/encoding/color_palette/contentType"), "text/plain"),
        ("/components/securitySchemes/ApiKey/name".to_owned(), "X-Api-Key"),
        (format!("{status}/name"), "state"),
        (format!("{status}/schema/type"), "string"),
        (format!("{id}/name"), "id"),
    ] {
        let mut edited = Document(document.0.clone());
        put(&mut edited.0, &pointer, ideogram_codegen::read_yaml(value).unwrap());

        let detected = edited.operations().iter().any(|operation| {
            let mut sent = all_sent.get(operation.id).into_iter().flatten();
            sent.any(|(arguments, request)| compare(&edited, operation, arguments, request).is_err())
        });
        assert!(detected, "`{pointer}` as `{value}` is not detected");
    }
}

/// Sets a property of a document.
fn put(document: &mut Value, pointer: &str, value: Value) {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let parent = document.pointer_mut(parent).unwrap_or_else(|| panic!("the document has no `{parent}`"));
    match name.parse::<usize>() {
        Ok(index) => parent[index] = value,
        Err(_) => parent[name] = value,
    }
}
