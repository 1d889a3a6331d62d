//! The images that the server has made, as links: nothing is kept, and nothing is drawn before somebody looks.
//!
//! Start at [`Image`]. What an image shows fits into the 22 characters of its link, so a link outlives the server
//! that gave it, as long as it has not expired.

mod drawing;
mod link;

use http::{HeaderValue, Method, StatusCode, header, request};
use jiff::Timestamp;

pub(crate) use self::link::{Links, image_name};
use crate::{reply::Reply, size::Size};

/// Longest side of an image in pixels: more than the service makes, and still drawn in moments.
pub(crate) const LONGEST_SIDE: u32 = 8192;

/// What an image shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Image {
    /// Stands for the prompt: it chooses the scene and its colors.
    pub(crate) motif: u32,
    /// Chooses how the scene is arranged; 31 bits.
    pub(crate) seed: u32,
    pub(crate) size: Size,
    pub(crate) ground: Ground,
}

/// What is behind the scene.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ground {
    Sky,
    Transparent,
}

/// Answers a request for an image; `name` is what follows the folder of all images.
pub(crate) async fn show(name: &str, head: &request::Parts, now: Timestamp) -> Result<Reply, Reply> {
    if ![Method::GET, Method::HEAD].contains(&head.method) {
        let refusal = Reply::problem(StatusCode::METHOD_NOT_ALLOWED, "images are there to be looked at");
        return Err(refusal.with_header(header::ALLOW, HeaderValue::from_static("GET, HEAD")));
    }
    let image = link::open(name, head.uri.query().unwrap_or_default(), now)?;
    let drawn = tokio::task::spawn_blocking(move || drawing::png(image)).await;
    let bytes = drawn.map_err(|_| Reply::error(StatusCode::INTERNAL_SERVER_ERROR, "could not draw the image"))?;
    Ok(Reply::image(bytes))
}
