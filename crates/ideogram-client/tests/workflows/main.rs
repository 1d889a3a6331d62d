//! Tasks of several calls against the mock server: syncing datasets and waiting for models.

#[cfg(feature = "blocking")]
mod blocking;
mod jobs;
mod kill;
mod odd;
mod setup;
mod sync;
mod training;
