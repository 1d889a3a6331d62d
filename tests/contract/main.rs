//! Promises that span crates, one module each.
//!
//! `document`: the document, its samples and everything derived from them are in order. `edits`: an edit of the
//! document is detected. `surface` and `samples`: what users and their responses get, as snapshots for review;
//! `snapshots`: each of those is reviewed and of use. `client`: how the client behaves, also towards a server that
//! misbehaves. `wire`: what it sends, byte by byte. `foreign`: the same bridge and runtime carry another API.
//! `raw_server` is that server, `raw_request` what it reads. `requests`: what every operation sends, compared with the
//! document. `lowered`: the document that the generator sees describes the same wire; `json_schemas`: so do the JSON
//! Schemas of the types; `true_document` is what both compare with. `properties`: generated responses decode, too.
//! `runtime`: options, hooks and transport of a call; `tls_server` is for it.

mod client;
mod document;
mod edits;
mod foreign;
mod foreign_values;
mod json_schemas;
mod lowered;
mod pages;
mod properties;
mod raw_request;
mod raw_server;
mod requests;
mod runtime;
mod samples;
mod snapshots;
mod surface;
mod tls_server;
mod true_document;
mod wire;

/// What `build.rs` lists from the document.
#[allow(clippy::match_same_arms, reason = "one line per operation")]
mod listed {
    use ideogram_client::types;

    use crate::samples::{Decoder, decode};

    include!(concat!(env!("OUT_DIR"), "/listed.rs"));
}
