//! Runs the built command as its users do, against mock servers and against servers that misbehave.
//!
//! Start at [`invocation`], which runs it and turns what came out into one snapshot.

mod answers;
mod datasets;
mod help;
mod invocation;
mod mock_serve;
mod models;
mod place;
mod plan;
mod refusals;
mod rogue;
mod sync;
mod sync_kill;
#[cfg(unix)]
mod terminal;
mod training;
mod upload;
mod verify;
#[cfg(unix)]
mod walk;
