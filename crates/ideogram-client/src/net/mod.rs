//! The network: public addresses, the HTTP client for downloads, the text of bodies.

pub(crate) mod address;
pub(crate) mod body_text;
pub(crate) mod coding;
pub(crate) mod download_client;
pub(crate) mod stack;
