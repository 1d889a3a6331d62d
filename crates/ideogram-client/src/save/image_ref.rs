//! One image of a response.

use std::fmt;

use reqwest::Url;
use serde_json::Value;

use super::{
    image::{Image, sealed::Sealed},
    link,
};
use crate::{Timestamp, values::nearest_integer_or_none};

/// One image of a response, still at its link. [`Image::outcome`] says whether there is one.
///
/// Whoever has a link has the image, so its [`Debug`](fmt::Debug) form shows neither link nor prompt.
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
    /// An image of which nothing is known but its link.
    pub fn from_link(link: impl Into<String>) -> Self {
        let link = link.into();
        let item = serde_json::json!({"url": link});
        Self { number: 1, role: None, created: None, link: Some(link), is_safe: true, item }
    }

    /// Its place in the response, from 1.
    pub fn number(&self) -> usize {
        self.number
    }

    /// What it is of a response with single links: `base` (without its text) or `original`.
    pub fn role(&self) -> Option<&str> {
        self.role
    }

    /// When the response says that it was made.
    pub fn created(&self) -> Option<&Timestamp> {
        self.created.as_ref()
    }

    /// The seed that made it.
    pub fn seed(&self) -> Option<i64> {
        nearest_integer_or_none(self.item.get("seed")?).ok().flatten()
    }

    /// The prompt that made it, which may differ from the one in the request.
    pub fn prompt(&self) -> Option<&str> {
        self.item.get("prompt")?.as_str()
    }

    /// When its link expires, if the link says so.
    pub fn expires(&self) -> Option<Timestamp> {
        let expiry = link::expiry(&Url::parse(self.link()?.trim()).ok()?)?;
        Some(Timestamp::parse(&jiff::Timestamp::from_second(expiry).ok()?.to_string()))
    }

    /// What the response says of it, as it came.
    pub fn item(&self) -> &Value {
        &self.item
    }
}

impl fmt::Debug for ImageRef {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { number, role, created, link, is_safe, .. } = self;
        let mut shown = formatter.debug_struct("ImageRef");
        shown.field("number", number).field("role", role).field("created", created).field("seed", &self.seed());
        shown.field("has_link", &link.is_some()).field("is_safe", is_safe).finish_non_exhaustive()
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
