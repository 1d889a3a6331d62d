//! Sends every operation through the client, for Prism to judge: `cargo xtask contract client` runs it.
//!
//! The calls are those of the tests, which check that they cover every operation and every property. There our own
//! reader of the document checks them, here another one does.

#[path = "../../tests/contract/requests/calls.rs"]
mod calls;

use std::{env, error::Error};

use ideogram_client::{Client, operations, reqwest::ClientBuilder};

#[expect(clippy::print_stdout, reason = "the findings of a tool")]
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let url = env::args().nth(1).ok_or("usage: prism_tour URL")?;
    // A proxy that the surroundings ask for cannot reach this machine's own server.
    let client =
        Client::builder().api_key("contract-key").base_url(url).configure_http(ClientBuilder::no_proxy).build()?;

    let mut faults = 0;
    for operation in operations::ALL {
        let calls = calls::calls(&client, operation.id);
        if calls.is_empty() {
            faults += 1;
            println!("{operation}: no call");
        }
        for call in calls {
            match call.sending.await {
                Ok(()) => println!("{operation}: ok"),
                Err(error) => {
                    faults += 1;
                    let body = error.body().map(|body| String::from_utf8_lossy(body)).unwrap_or_default();
                    println!("{operation}: {error}\n  given {}\n  {body}", call.given);
                }
            }
        }
    }
    if faults > 0 { Err(format!("{faults} calls are not as the document says").into()) } else { Ok(()) }
}
