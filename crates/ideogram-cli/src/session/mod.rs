//! Everything that a command has before and while it talks to the service: configuration, key, client, questions.
//!
//! Start at [`context::Context`].

pub(crate) mod config;
pub(crate) mod connection;
pub(crate) mod context;
pub(crate) mod dry_run;
pub(crate) mod environment;
pub(crate) mod interrupt;
pub(crate) mod key;
pub(crate) mod keyring;
pub(crate) mod question;
pub(crate) mod redactor;
pub(crate) mod signals;
pub(crate) mod trace;
pub(crate) mod worker;
