//! From options and environment to a client. The only place that reads the environment.

use std::env::{self, VarError};

use ideogram_client::{ApiKey, CallOptions, Client, ClientBuilder};
use ideogram_mock::MockServer;

use crate::{arguments::Options, exit::Exit, failure::Failure};

const KEY_VARIABLE: &str = "IDEOGRAM_API_KEY";
const URL_VARIABLE: &str = "IDEOGRAM_BASE_URL";

/// Where a key comes from.
pub(crate) const KEY_PAGE: &str = "https://developer.ideogram.ai/ideogram-api/api-setup";

/// A client, and with `--mock` the server that it talks to.
#[derive(Debug)]
pub(crate) struct Connection {
    client: Client,
    embedded: Option<MockServer>,
}

impl Connection {
    /// Makes the client, with so many places for pictures in the making if that is said; nothing is sent yet.
    pub(crate) async fn open(options: &Options, places: Option<u32>) -> Result<Self, Failure> {
        if !options.mock {
            return Ok(Self { client: client(options, places)?, embedded: None });
        }
        if options.base_url.is_some() {
            return Err(Failure::usage(
                "--mock and --base-url exclude each other: the mock server has its own address",
            ));
        }
        let server = MockServer::start()
            .await
            .map_err(|error| Failure::internal("cannot start the mock server").because(&error))?;
        let client = builder(options, places)
            .api_key(server.api_key())
            .base_url(server.url())
            .build()
            .map_err(|error| Failure::internal("cannot reach the mock server").because(&error))?;
        Ok(Self { client, embedded: Some(server) })
    }

    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// A remark on changes that will not last, if they will not.
    pub(crate) fn remark_on_changes(&self) -> Option<&'static str> {
        let remark =
            "this was done in a mock server that ends with the command; `ideogram mock serve` runs one that stays";
        self.embedded.is_some().then_some(remark)
    }
}

fn call_options(options: &Options) -> CallOptions {
    CallOptions::new().deadline(options.timeout())
}

fn builder(options: &Options, places: Option<u32>) -> ClientBuilder {
    let builder = Client::builder().options(call_options(options));
    match places {
        Some(places) => builder.pictures_in_making(places),
        None => builder,
    }
}

fn client(options: &Options, places: Option<u32>) -> Result<Client, Failure> {
    // What is only shown needs no key.
    let key = if options.dry_run { "dry-run".to_owned() } else { api_key()? };
    let mut builder = builder(options, places).api_key(key);
    let from_environment = variable(URL_VARIABLE)?;
    let origin = if options.base_url.is_some() { "--base-url" } else { URL_VARIABLE };
    if let Some(url) = options.base_url.clone().or(from_environment) {
        builder = builder.base_url(url);
    }
    builder.build().map_err(|error| {
        Failure::usage(format!("the address in {origin} is refused")).because(&error).hint(
            "an address looks like https://api.ideogram.ai, or http://127.0.0.1:8080 for a server on this machine",
        )
    })
}

fn api_key() -> Result<String, Failure> {
    let how_to_get_one = format!("how to get a key: {KEY_PAGE}");
    let Some(key) = variable(KEY_VARIABLE)? else {
        return Err(Failure::new(
            Exit::Authentication,
            format!("no API key: the environment variable {KEY_VARIABLE} is not set"),
        )
        .hint(how_to_get_one)
        .hint(format!("then set it: export {KEY_VARIABLE}=..."))
        .hint("to try the command without a key, add --mock: ideogram --mock datasets get demo"));
    };
    // Asked here and not when the client is built, to say where the key came from.
    ApiKey::new(&key).map_err(|error| {
        Failure::new(Exit::Authentication, format!("the key in {KEY_VARIABLE} cannot be one"))
            .because(&error)
            .hint(how_to_get_one)
    })?;
    Ok(key)
}

/// A variable of the environment. An empty one counts as not set: that is how people unset it for one command.
fn variable(name: &str) -> Result<Option<String>, Failure> {
    match env::var(name) {
        Ok(value) if value.trim().is_empty() => Ok(None),
        Ok(value) => Ok(Some(value)),
        Err(VarError::NotPresent) => Ok(None),
        // The value is not shown: it may be a key.
        Err(VarError::NotUnicode(_)) => Err(Failure::usage(format!("the environment variable {name} is not Unicode"))),
    }
}
