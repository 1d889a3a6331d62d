//! The mock server over HTTP, called with a plain HTTP client.

#[cfg(unix)]
mod browser;
mod caller;
mod datasets;
mod every_operation;
mod images;
mod inflight;
mod inspector;
#[cfg(unix)]
mod inspector_page;
mod jobs;
mod json;
mod lifecycle;
mod links;
mod models;
mod nesting;
mod refusals;
mod scenarios;
mod sources;
mod uploads;
mod webhooks;
mod words;
