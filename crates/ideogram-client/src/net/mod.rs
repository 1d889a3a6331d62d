//! Addresses, links and bodies: what the network brings.

pub(crate) mod address;
pub(crate) mod body_text;
pub(crate) mod download_client;
