//! Files that survive a crash.

pub(crate) mod durable;
pub(crate) mod journal;
