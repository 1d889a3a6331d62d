//! What a client sees of the mock server, asked over HTTP with a plain client.

mod caller;
mod datasets;
mod images;
mod inflight;
mod json;
mod lifecycle;
mod links;
mod models;
mod nesting;
mod refusals;
mod scenarios;
mod sources;
mod uploads;
mod words;
