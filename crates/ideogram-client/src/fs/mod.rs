//! Files that survive a crash: durable writes, and a journal.

pub(crate) mod durable;
pub(crate) mod journal;
