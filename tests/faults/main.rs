//! The client towards a server that misbehaves on purpose: how often it sends, and what it says became of the call.
//!
//! Start at `rows`, the table of faults, and at `snapshots/table.snap`, what was measured for each. `table` runs it;
//! `server` is the server, `calls` are the calls. `marks`: the marks in the document decide for every operation.
//! `limiter`: images in the making are counted, whatever happens. `secret`: the key is in nothing that the client shows
//! or keeps. `typed_calls`: a call of every operation.

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
