//! The client against a server that misbehaves on purpose: how often it sends a request, and which outcome it reports.
//!
//! Start at `rows`, the table of faults, and at `snapshots/table.snap`, the measured results. `table` runs it;
//! `server` is the server, `calls` are the calls: also a job that is submitted and polled, and a price. `marks`: the marks in the document decide for every operation.
//! `limiter`: images in flight are counted in every case. `secret`: the key is in nothing that the client prints or
//! stores. `typed_calls`: a call of every operation.

mod calls;
mod limiter;
mod marks;
#[path = "../contract/raw_request.rs"]
mod raw_request;
mod rows;
mod secret;
mod server;
mod table;
#[path = "../contract/requests/calls.rs"]
mod typed_calls;
