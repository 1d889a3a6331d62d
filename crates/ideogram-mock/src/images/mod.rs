//! The images of the server, encoded in their links: nothing is stored, and an image is drawn when it is fetched.
//!
//! Start at [`ImageSpec`]. It fits into the 22 characters of a link, so a link works on any mock server until it
//! expires.

mod drawing;
mod link;

use http::{HeaderValue, Method, StatusCode, header, request};
use jiff::Timestamp;

pub(crate) use self::link::{Links, image_name};
use crate::{reply::Reply, size::Size};

/// The maximum side of an image in pixels: more than the service creates, and still quick to draw.
pub(crate) const MAX_SIDE: u32 = 8192;

/// What to draw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ImageSpec {
    /// Chooses the scene and its colors.
    pub(crate) prompt_hash: u32,
    /// Chooses the arrangement of the scene; 31 bits.
    pub(crate) seed: u32,
    pub(crate) size: Size,
    pub(crate) background: Background,
}

/// The background of the scene.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Background {
    Sky,
    Transparent,
}

/// Responds to a request for an image; `name` is the part of the path after the folder of all images.
pub(crate) async fn serve(name: &str, head: &request::Parts, now: Timestamp) -> Result<Reply, Reply> {
    if ![Method::GET, Method::HEAD].contains(&head.method) {
        let refusal = Reply::problem(StatusCode::METHOD_NOT_ALLOWED, "images can only be fetched");
        return Err(refusal.with_header(header::ALLOW, HeaderValue::from_static("GET, HEAD")));
    }
    let image = link::open(name, head.uri.query().unwrap_or_default(), now)?;
    let drawn = tokio::task::spawn_blocking(move || drawing::png(image)).await;
    let bytes = drawn.map_err(|_| Reply::error(StatusCode::INTERNAL_SERVER_ERROR, "could not draw the image"))?;
    Ok(Reply::image(bytes))
}
