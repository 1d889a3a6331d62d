//! Calls against the mock server as programs write them, and tasks of several calls.

#[cfg(feature = "blocking")]
mod blocking;
mod calls;
mod jobs;
mod kill;
mod odd;
mod setup;
mod sync;
mod training;
