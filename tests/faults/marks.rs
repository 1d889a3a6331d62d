//! The marks in the document decide how often an operation is sent, for every operation.
//!
//! The marks are read here directly from the document, independently of the generated client.

use std::{collections::BTreeMap, time::Duration};

use ideogram_client::{CallOptions, operations};
use serde_json::Value;

use crate::{
    server::{End, Fault, Reading, Server},
    typed_calls::calls,
};
use ideogram_testkit::response;

const ATTEMPTS: u32 = 3;

/// Every operation of the document, and whether its marks allow a retry.
fn marked() -> BTreeMap<String, bool> {
    let document = ideogram_codegen::read_yaml(include_str!("../../openapi/ideogram.yaml")).unwrap();
    let paths = document["paths"].as_object().unwrap().values();
    let operations = paths.flat_map(|item| item.as_object().unwrap().values());
    let operations = operations.filter(|operation| operation["operationId"].is_string());
    let is_safe =
        |operation: &Value| operation["x-ideogram-billing"] == "free" && operation["x-ideogram-retry"] == "safe";
    operations.map(|operation| (operation["operationId"].as_str().unwrap().to_owned(), is_safe(operation))).collect()
}

/// Returns for each call of an operation whether it only asks for the price, and how many requests reach a server that
/// always fails in the same way.
async fn sent(operation: &str, fault: Fault) -> Vec<(bool, u32)> {
    let server = Server::start(vec![fault]);
    let options = CallOptions::new()
        .attempts(ATTEMPTS)
        .initial_backoff(Duration::from_millis(2))
        .max_backoff(Duration::from_secs(1));
    let client = server.builder().options(options).build().unwrap();
    let mut counts = Vec::new();
    for call in calls(&client, operation) {
        let before = server.log().requests.len();
        let error = call.future.await.unwrap_err();
        let count = u32::try_from(server.log().requests.len() - before).unwrap();
        assert_eq!(error.attempts(), count, "{operation} with {}: {error}", call.arguments);
        counts.push((call.arguments["dry_run"] == true, count));
    }
    counts
}

#[tokio::test]
async fn what_is_paid_or_unsafe_is_sent_once_unless_it_never_ran() {
    let marked = marked();
    let known: Vec<_> = operations::ALL.iter().map(|operation| operation.id).collect();
    assert!(marked.len() == known.len() && known.iter().all(|id| marked.contains_key(*id)), "{known:?}");

    for (operation, safe) in &marked {
        // A quote makes nothing, whatever the operation does.
        let expected = |is_quote: bool| if *safe || is_quote { ATTEMPTS } else { 1 };
        let limited = response(429, "Retry-After: 0\r\n", "{}");
        let [busy, hung_up, limited] = [
            sent(operation, Fault::response(response(503, "", "{}"))).await,
            sent(operation, Fault::new(Reading::All, [], End::Close)).await,
            sent(operation, Fault::response(limited)).await,
        ];

        assert!(!busy.is_empty(), "`{operation}` has no typed call in `tests/contract/requests/calls.rs`");
        assert!(busy.iter().all(|(is_quote, count)| *count == expected(*is_quote)), "503, {operation}: {busy:?}");
        assert!(
            hung_up.iter().all(|(is_quote, count)| *count == expected(*is_quote)),
            "no response, {operation}: {hung_up:?}"
        );
        assert!(limited.iter().all(|(_, count)| *count == ATTEMPTS), "429, {operation}: {limited:?}");
    }
    // The snapshot of the operations shows which is which.
    assert!(marked.values().any(|safe| *safe) && marked.values().any(|safe| !safe), "{marked:?}");
}
