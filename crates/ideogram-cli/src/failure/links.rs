//! Pages of the service for messages.

/// How to get a key, and the balance.
pub(crate) const KEY_PAGE: &str = "https://developer.ideogram.ai/ideogram-api/api-setup";
