//! What became of one image of a response.
//!
//! The image operations answer with items of different types that share two members: a link, and whether the safety
//! check let the image through. A withheld image was made and billed all the same; its link is null, missing or
//! empty. [`Image::outcome`] reads all three alike, so that nobody mistakes a gap for an image.

use crate::types;

/// An item of a response that stands for one image.
///
/// Implemented for the items of this API's responses, and for nothing else.
pub trait Image: sealed::Sealed {
    /// The link as it came: absent, empty or an address.
    fn link(&self) -> Option<&str>;

    /// Whether the safety check let the image through.
    fn is_safe(&self) -> bool;

    /// What became of the image.
    fn outcome(&self) -> ImageOutcome<'_> {
        match (self.link().map(str::trim).filter(|link| !link.is_empty()), self.is_safe()) {
            // A link is worth more than the flag beside it: the image is paid for, and can be fetched.
            (Some(link), _) => ImageOutcome::Available(link),
            (None, false) => ImageOutcome::Withheld,
            (None, true) => ImageOutcome::LinkMissing,
        }
    }
}

/// What became of an image. It was billed in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ImageOutcome<'p> {
    /// It can be fetched from this link, without the API key. Links live for about a day; save the image before.
    Available(&'p str),
    /// The safety check withheld it. Asking again with the same prompt is billed again.
    Withheld,
    /// It passed the safety check but has no link, which the service does not document.
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

images!(ImageGenerationObjectV4, ImageGenerationObjectV3, V1EditImageObject, RemoveBackgroundImageObject, ImageObject);

pub(crate) mod sealed {
    /// Keeps the trait ours, so that it can grow.
    pub trait Sealed {}
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(json: serde_json::Value) -> types::RemoveBackgroundImageObject {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn a_withheld_image_is_one_case_however_its_link_is_left_out() {
        for json in [
            serde_json::json!({"is_image_safe": false}),
            serde_json::json!({"is_image_safe": false, "url": null}),
            serde_json::json!({"is_image_safe": false, "url": ""}),
            serde_json::json!({"is_image_safe": false, "url": " "}),
        ] {
            assert_eq!(item(json.clone()).outcome(), ImageOutcome::Withheld, "{json}");
        }
    }

    #[test]
    fn an_image_with_a_link_can_be_fetched() {
        for safe in [true, false] {
            let item = item(serde_json::json!({"is_image_safe": safe, "url": "https://example.test/a.png"}));

            assert_eq!(item.outcome(), ImageOutcome::Available("https://example.test/a.png"));
        }
    }

    #[test]
    fn a_safe_image_without_a_link_is_no_withheld_one() {
        assert_eq!(item(serde_json::json!({"is_image_safe": true})).outcome(), ImageOutcome::LinkMissing);
    }
}
