//! What takes more than one call, against the mock server: syncing datasets and waiting for models.

#[cfg(feature = "blocking")]
mod blocking;
mod kill;
mod odd;
mod place;
mod sync;
mod training;
