//! One image of a response.

use std::fmt;

use reqwest::Url;
use serde_json::Value;

use super::{
    image::{Image, sealed::Sealed},
    link,
};
use crate::{Timestamp, values::nearest_integer_or_none};

/// One image of a response, not downloaded. [`Image::outcome`] says whether it has a link.
///
/// A link gives access to the image, so the [`Debug`](fmt::Debug) form contains neither link nor prompt.
#[derive(Clone, PartialEq)]
pub struct ImageRef {
    pub(super) number: usize,
    pub(super) role: Option<&'static str>,
    pub(super) created: Option<Timestamp>,
    pub(super) link: Option<String>,
    pub(super) is_safe: bool,
    pub(super) item: Value,
}

impl ImageRef {
    /// Creates an image from its link.
    pub fn from_link(link: impl Into<String>) -> Self {
        let link = link.into();
        let item = serde_json::json!({"url": link});
        Self { number: 1, role: None, created: None, link: Some(link), is_safe: true, item }
    }

    /// The position in the response, from 1.
    pub fn number(&self) -> usize {
        self.number
    }

    /// The role in a response with single links: `base` (without its text) or `original`.
    pub fn role(&self) -> Option<&str> {
        self.role
    }

    /// The time of the response.
    pub fn created(&self) -> Option<&Timestamp> {
        self.created.as_ref()
    }

    /// The seed of the image.
    pub fn seed(&self) -> Option<i64> {
        nearest_integer_or_none(self.item.get("seed")?).ok().flatten()
    }

    /// The prompt of the image, which may differ from the one in the request.
    pub fn prompt(&self) -> Option<&str> {
        self.item.get("prompt")?.as_str()
    }

    /// When the link expires, if the link contains the time.
    pub fn expires(&self) -> Option<Timestamp> {
        let expiry = link::expiry(&Url::parse(self.link()?.trim()).ok()?)?;
        Some(Timestamp::parse(&jiff::Timestamp::from_second(expiry).ok()?.to_string()))
    }

    /// The item of the response, as JSON.
    pub fn item(&self) -> &Value {
        &self.item
    }
}

impl fmt::Debug for ImageRef {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { number, role, created, link, is_safe, .. } = self;
        let mut debug = formatter.debug_struct("ImageRef");
        debug.field("number", number).field("role", role).field("created", created).field("seed", &self.seed());
        debug.field("has_link", &link.is_some()).field("is_safe", is_safe).finish_non_exhaustive()
    }
}

impl Sealed for ImageRef {}

impl Image for ImageRef {
    fn link(&self) -> Option<&str> {
        self.link.as_deref()
    }

    fn is_safe(&self) -> bool {
        self.is_safe
    }
}
