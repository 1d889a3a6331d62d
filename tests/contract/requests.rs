//! Compares the requests of every operation with the document, part by part.
//!
//! The document is read here as plain JSON, independently of the generator. [`calls`] has the typed calls; that they leave no operation, no property and no
//! smallest request out, is a test of its own.

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
use crate::raw_server::{RawRequest, RawServer, response};

/// What each of the typed calls was given, and what came of it on the wire.
async fn sent(operation: &Operation<'_>) -> Vec<(Value, RawRequest)> {
    // Refused, so that no call needs a response of its own type.
    let server = RawServer::responding(response(404, "", "{}"));
    let client = server.client();
    let mut all_given = Vec::new();
    for call in calls(&client, operation.id) {
        let error = call.sending.await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound, "{}: {error}", call.given);
        all_given.push(call.given);
    }
    let requests = server.requests();
    assert_eq!(requests.len(), all_given.len(), "{}: one request for each call", operation.id);
    all_given.into_iter().zip(requests).collect()
}

/// The same by the operation's id, with each property as text or file, or with all that is no file as one JSON body.
async fn sent_by_id(operation: &Operation<'_>, given: &Value, as_json: bool) -> RawRequest {
    let server = RawServer::responding(response(404, "", "{}"));
    let client = server.client();
    let constant = operations::ALL.iter().find(|constant| constant.id == operation.id).unwrap();
    let mut call = client.call(operation.id).unwrap();
    let mut body = serde_json::Map::new();
    let (job, quote) =
        (constant.job.as_ref().and_then(|job| job.property), constant.quote.as_ref().map(|it| it.parameter));
    let has = |switch: Option<&str>| switch.is_some_and(|switch| given.get(switch).is_some());
    for (name, value) in given.as_object().unwrap() {
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
    assert_eq!(error.kind(), ErrorKind::NotFound, "{given}: {error}");
    server.requests().remove(0)
}

/// The names of what is given, and of what is within.
fn names(given: &Value, prefix: &str, found: &mut BTreeSet<String>) {
    for item in given.as_array().into_iter().flatten() {
        names(item, prefix, found);
    }
    for (name, value) in given.as_object().into_iter().flatten() {
        found.insert(format!("{prefix}{name}"));
        names(value, &format!("{prefix}{name}/"), found);
    }
}

#[tokio::test]
async fn every_operation_sends_the_documented_request() {
    let document = Document::read();

    for operation in document.operations() {
        for (given, request) in sent(&operation).await {
            let compared = compare(&document, &operation, &given, &request);
            assert_eq!(compared, Ok(()), "{} with {given}\n{}", operation.id, request.head);
        }
    }
}

#[tokio::test]
async fn a_call_by_its_id_sends_the_documented_request() {
    let document = Document::read();

    for operation in document.operations() {
        for (given, _) in sent(&operation).await {
            for as_json in [false, true] {
                let request = sent_by_id(&operation, &given, as_json).await;
                let compared = compare(&document, &operation, &given, &request);
                assert_eq!(compared, Ok(()), "{} with {given}\n{}", operation.id, request.head);
            }
        }
    }
}

#[tokio::test]
async fn every_property_of_every_request_has_been_sent() {
    let document = Document::read();

    for operation in document.operations() {
        let mut given = BTreeSet::new();
        let calls = sent(&operation).await;
        for (call, _) in &calls {
            names(call, "", &mut given);
        }

        assert!(!calls.is_empty(), "`{}` has no typed call in `calls.rs`", operation.id);
        assert_eq!(given, operation.inputs(&document), "{}", operation.id);
    }
}

#[tokio::test]
async fn every_request_can_be_sent_with_only_required_properties() {
    let document = Document::read();

    for operation in document.operations() {
        let given = sent(&operation).await;
        let given: BTreeSet<BTreeSet<String>> =
            given.iter().map(|(given, _)| given.as_object().unwrap().keys().cloned().collect()).collect();

        let smallest = operation.smallest(&document);
        assert!(smallest.is_subset(&given), "`{}` lacks a call with only {smallest:?}", operation.id);
    }
}

#[tokio::test]
async fn a_request_that_the_document_describes_differently_is_noticed() {
    let document = Document::read();
    let watched = ["post_generate_image_v3", "list_custom_models", "get_dataset"];
    let mut all_sent = BTreeMap::new();
    for operation in document.operations().iter().filter(|operation| watched.contains(&operation.id)) {
        let sent = sent(operation).await;
        for (given, request) in &sent {
            assert_eq!(compare(&document, operation, given, request), Ok(()), "{given}");
        }
        all_sent.insert(operation.id, sent);
    }
    let request = "/components/schemas/GenerateImageV3Request";
    let body = "/paths/~1v1~1ideogram-v3~1generate/post/requestBody/content/multipart~1form-data";
    let models = "/paths/~1models/get/parameters";

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
        (format!("{models}/1/name"), "state"),
        (format!("{models}/1/schema/type"), "string"),
        ("/paths/~1datasets~1{dataset_id}/get/parameters/0/name".to_owned(), "id"),
    ] {
        let mut edited = Document(document.0.clone());
        put(&mut edited.0, &pointer, ideogram_codegen::read_yaml(value).unwrap());

        let noticed = edited.operations().iter().any(|operation| {
            let mut sent = all_sent.get(operation.id).into_iter().flatten();
            sent.any(|(given, request)| compare(&edited, operation, given, request).is_err())
        });
        assert!(noticed, "`{pointer}` as `{value}` goes unnoticed");
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
