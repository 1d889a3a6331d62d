//! What a client sees of the mock server, asked over HTTP with a plain client.

mod caller;
mod datasets;
mod lifecycle;
mod models;
mod refusals;
mod scenarios;
mod uploads;
