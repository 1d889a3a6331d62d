//! Runs the built command as its users do, against mock servers and against servers that misbehave.
//!
//! Start at [`invocation`], which runs it and turns what came out into one snapshot.

mod answers;
mod batch;
mod batch_killed;
mod contact_sheet;
mod datasets;
mod help;
mod invocation;
mod mock_serve;
mod models;
mod refusals;
mod rogue;
mod upload;
