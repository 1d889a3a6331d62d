//! Pages of the service for messages.

/// The vendor's prices.
pub(crate) const PRICES_PAGE: &str = "https://ideogram.ai/features/api-pricing";
/// How to get a key, and the balance.
pub(crate) const KEY_PAGE: &str = "https://developer.ideogram.ai/ideogram-api/api-setup";
