//! Calls every operation with the client, so that Prism can validate the requests; `cargo xtask contract client` runs it.
//!
//! The calls are those of the contract tests, which check that they cover every operation and every property. The tests
//! validate the requests with a reader of our own; Prism is an independent one.

#[path = "../../tests/contract/requests/calls.rs"]
mod calls;

use std::{env, error::Error};

use ideogram_client::{Client, ErrorKind, operations, reqwest::ClientBuilder};
use serde_json::Value;

#[expect(clippy::print_stdout, reason = "the findings of a tool")]
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let url = env::args().nth(1).ok_or("usage: prism_tour URL")?;
    // A proxy from the environment cannot reach a server on the loopback.
    let client =
        Client::builder().api_key("contract-key").base_url(url).configure_http(ClientBuilder::no_proxy).build()?;

    let mut failures = 0;
    for operation in operations::ALL {
        let calls = calls::calls(&client, operation.id);
        if calls.is_empty() {
            failures += 1;
            println!("{operation}: no call");
        }
        for call in calls {
            match call.future.await {
                Ok(()) => println!("{operation}: ok"),
                // Prism responds with the example of the operation, which has no price.
                Err(error) if is_quote(&call.arguments) && error.kind() == ErrorKind::UndocumentedResponse => {
                    println!("{operation}: ok");
                }
                Err(error) => {
                    failures += 1;
                    let body = error.body().map(|body| String::from_utf8_lossy(body)).unwrap_or_default();
                    println!("{operation}: {error}\n  request: {}\n  {body}", call.arguments);
                }
            }
        }
    }
    if failures > 0 { Err(format!("{failures} calls do not match the document").into()) } else { Ok(()) }
}

fn is_quote(arguments: &Value) -> bool {
    arguments["dry_run"] == true
}
