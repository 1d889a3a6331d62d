//! The outcome of one image of a response.
//!
//! Responses with images have items of different types that share two properties: a link, and whether the image passed
//! the safety check. A withheld image was generated and billed; its link is null, missing or empty. [`Image::outcome`]
//! treats these alike.

use crate::types;

/// An item of a response that represents one image.
///
/// Implemented for the items of responses, and sealed: no other type can implement it.
pub trait Image: sealed::Sealed {
    /// The link of the response: absent, empty or an address.
    fn link(&self) -> Option<&str>;

    /// Whether the image passed the safety check.
    fn is_safe(&self) -> bool;

    /// The outcome of the image.
    fn outcome(&self) -> ImageOutcome<'_> {
        match (self.link().map(str::trim).filter(|link| !link.is_empty()), self.is_safe()) {
            // A link counts more than the flag: the image was billed, and can be downloaded.
            (Some(link), _) => ImageOutcome::Available(link),
            (None, false) => ImageOutcome::Withheld,
            (None, true) => ImageOutcome::LinkMissing,
        }
    }
}

/// The outcome of an image. It was billed in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ImageOutcome<'p> {
    /// It can be downloaded from this link, without the API key. Links expire after about 24 hours.
    Available(&'p str),
    /// The safety check withheld it. Another call with the same prompt is billed again.
    Withheld,
    /// It passed the safety check but has no link, which is not documented.
    LinkMissing,
}

macro_rules! images {
    ($($item:ident),* $(,)?) => {$(
        impl sealed::Sealed for types::$item {}

        impl Image for types::$item {
            fn link(&self) -> Option<&str> {
                self.url.as_deref()
            }

            fn is_safe(&self) -> bool {
                self.is_image_safe
            }
        }
    )*};
}

images!(
    ImageGenerationObjectV4,
    ImageGenerationObjectV3,
    V1EditImageObject,
    RemoveBackgroundImageObject,
    ImageObject,
    GeneratedImageV2,
);

impl sealed::Sealed for types::GenerationItem {}

impl Image for types::GenerationItem {
    fn link(&self) -> Option<&str> {
        self.url.as_deref()
    }

    /// Not every item of a generation has the property. As for an [`ImageRef`](super::ImageRef), it counts as true then.
    fn is_safe(&self) -> bool {
        self.is_image_safe.unwrap_or(true)
    }
}

pub(crate) mod sealed {
    /// Seals the trait, so that it can get more methods.
    pub trait Sealed {}
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_link_counts_more_than_the_flag_and_an_empty_link_is_none() {
        let link = "https://example.test/a.png";
        for (json, expected) in [
            (json!({"is_image_safe": false}), ImageOutcome::Withheld),
            (json!({"is_image_safe": false, "url": null}), ImageOutcome::Withheld),
            (json!({"is_image_safe": false, "url": ""}), ImageOutcome::Withheld),
            (json!({"is_image_safe": false, "url": " "}), ImageOutcome::Withheld),
            (json!({"is_image_safe": false, "url": link}), ImageOutcome::Available(link)),
            (json!({"is_image_safe": true, "url": link}), ImageOutcome::Available(link)),
            (json!({"is_image_safe": true}), ImageOutcome::LinkMissing),
        ] {
            let item: types::RemoveBackgroundImageObject = serde_json::from_value(json.clone()).unwrap();
            let generated: types::GenerationItem = serde_json::from_value(json.clone()).unwrap();

            assert_eq!((item.outcome(), generated.outcome()), (expected, expected), "{json}");
        }
    }
}
