//! From options, environment and configuration to a client.

use std::time::SystemTime;

use ideogram_client::{CallOptions, Client, ClientBuilder, ErrorKind, Timestamp};
use ideogram_mock::MockServer;

use crate::{
    exit::Exit,
    failure::Failure,
    options::Options,
    output::Output,
    session::{config::Config, environment, interrupt::Interrupt, key, trace::Trace},
};

/// The time at which the mock server of `--mock` starts, for runs that can be repeated.
const TIME_VARIABLE: &str = "IDEOGRAM_MOCK_TIME";
const URL_VARIABLE: &str = "IDEOGRAM_BASE_URL";

/// What a command has before it connects.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Globals<'a> {
    pub(crate) options: &'a Options,
    pub(crate) config: &'a Config,
    pub(crate) output: &'a Output,
    pub(crate) interrupt: &'a Interrupt,
    /// How many images may be in flight, if the command decides it.
    pub(crate) max_images_in_flight: Option<u32>,
}

/// Builds a client, and with `--mock` starts its server; sends nothing yet.
pub(crate) async fn open(globals: Globals<'_>) -> Result<(Client, Option<MockServer>), Failure> {
    let options = globals.options;
    if !options.mock {
        // A dry run needs no key.
        let key = if options.dry_run {
            None
        } else {
            let key_file = options.api_key_file.as_deref();
            Some(key::require(key_file, globals.config, globals.output.messages()).await?.key.0)
        };
        return Ok((client(globals, key.as_deref())?, None));
    }
    if options.base_url.is_some() {
        return Err(Failure::usage("--mock cannot be combined with --base-url: the mock server has its own address"));
    }
    // The names of files have the time of the server.
    let server = MockServer::builder()
        .start_time(mock_time()?)
        .start()
        .await
        .map_err(|error| Failure::internal("cannot start the mock server").because(&error))?;
    let client = builder(globals)
        .api_key(server.api_key())
        .base_url(server.url())
        .build()
        .map_err(|error| Failure::internal("cannot reach the mock server").because(&error))?;
    Ok((client, Some(server)))
}

/// The time of the mock server of `--mock`: now, or a fixed one, with which a run can be repeated.
fn mock_time() -> Result<SystemTime, Failure> {
    let Some(text) = environment::variable(TIME_VARIABLE)? else { return Ok(SystemTime::now()) };
    let time = Timestamp::parse(&text).time();
    time.ok_or_else(|| Failure::usage(format!("{TIME_VARIABLE} is not a time such as 2026-07-01T09:00:00Z")))
}

fn builder(globals: Globals<'_>) -> ClientBuilder {
    let Globals { options, output, .. } = globals;
    let mut call_options = CallOptions::new().hook(Trace::new(output.messages().clone(), options.debug));
    if let Some(timeout) = options.timeout {
        call_options = call_options.deadline(timeout);
    }
    if let Some(attempts) = options.attempts {
        call_options = call_options.attempts(attempts);
    }
    let builder = Client::builder().options(call_options);
    match globals.max_images_in_flight {
        Some(max) => builder.max_images_in_flight(max),
        None => builder,
    }
}

/// A client for the address of the options, with this key, or without one for calls that need none.
pub(crate) fn client(globals: Globals<'_>, key: Option<&str>) -> Result<Client, Failure> {
    let builder = builder(globals);
    let mut builder = match key {
        Some(key) => builder.api_key(key),
        None => builder.without_api_key(),
    };
    let mut origin = "use";
    if let Some((url, from)) = base_url(globals)? {
        origin = from;
        builder = builder.base_url(url);
    }
    builder.build().map_err(|error| {
        if error.kind() == ErrorKind::Transport {
            return Failure::new(Exit::Unavailable, "cannot connect to the service").because(&error);
        }
        Failure::usage(format!("the address in {origin} is refused")).because(&error).hint(
            "use an address such as https://api.ideogram.ai, or http://127.0.0.1:8080 for a server on this machine",
        )
    })
}

/// The address and its source: option, environment, or profile.
pub(crate) fn base_url(globals: Globals<'_>) -> Result<Option<(String, &'static str)>, Failure> {
    if let Some(url) = &globals.options.base_url {
        return Ok(Some((url.clone(), "--base-url")));
    }
    if let Some(url) = environment::variable(URL_VARIABLE)? {
        return Ok(Some((url, URL_VARIABLE)));
    }
    Ok(globals.config.profile.base_url.clone().map(|url| (url, "the profile")))
}
