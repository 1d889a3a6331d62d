//! Checks masks before a call is billed.
//!
//! The service expects a mask of the size of its image, black where to repaint and white elsewhere. Other services use
//! transparency or gray: a call with such a mask is billed without the expected result.

use image::{DynamicImage, ImageDecoder, ImageError, ImageReader, Limits, metadata::Orientation};

use super::content::{Content, Input};
use crate::output::units;

/// The maximum memory for decoding a mask, far above any image that the service accepts.
const MAX_MEMORY: u64 = 128 * 1024 * 1024;

/// The tolerance of black and white in a channel: JPEG is not exact.
const TOLERANCE: u8 = 48;

/// The maximum percentage of other pixels, for smooth edges.
const MAX_OTHER_PERCENT: usize = 10;

/// The kind of a mask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MaskUse {
    /// Shows where to repaint: black and white.
    Repaint,
    /// Shows which part of a reference counts: any gray.
    Reference,
}

/// The properties of images, the properties of their masks, and the kinds of the masks.
const PAIRS: &[(&[&str], &str, MaskUse)] = &[
    (&["image", "image_file", "images"], "mask", MaskUse::Repaint),
    (&["character_reference_images"], "character_reference_images_mask", MaskUse::Reference),
];

/// A mask and its image.
pub(crate) struct Pair<'f, T> {
    /// The property of the mask.
    pub(crate) property: &'static str,
    pub(crate) kind: MaskUse,
    pub(crate) image: &'f T,
    pub(crate) mask: &'f T,
}

/// Pairs the masks of a call with their images, by the files of each property.
///
/// # Errors
///
/// The property of masks that lack images, or of images that lack masks, and the problem, as the end of a sentence whose
/// subject is the property.
pub(crate) fn pairs<'f, T>(
    files: impl Fn(&str) -> Option<&'f [T]>,
) -> Result<Vec<Pair<'f, T>>, (&'static str, String)> {
    let mut pairs = Vec::new();
    for (properties, property, kind) in PAIRS {
        let Some(masks) = files(property) else { continue };
        let Some(images) = properties.iter().find_map(|property| files(property)) else {
            return Err((property, "needs its image".to_owned()));
        };
        // Of several images that are edited together, the mask is that of the first.
        if images.len() != masks.len() && *kind == MaskUse::Reference {
            let (masks, images) = (units::count(masks.len() as u64, "mask"), images.len());
            let problem = format!(
                "has {masks} for {}: one for each image, in the same order",
                units::count(images as u64, "image")
            );
            return Err((property, problem));
        }
        pairs.extend(images.iter().zip(masks).map(|(image, mask)| Pair { property, kind: *kind, image, mask }));
    }
    Ok(pairs)
}

/// Checks that a mask fits its image. Blocks.
///
/// # Errors
///
/// The problem, as the end of a sentence whose subject is the mask.
pub(crate) fn check(kind: MaskUse, image: &Content, mask: &Content) -> Result<(), String> {
    let Some((width, height, orientation)) = size(image)? else { return Ok(()) };
    let Some((mask_width, mask_height, _)) = size(mask)? else { return Ok(()) };
    // A photo may be stored rotated, and its mask drawn for either orientation.
    let turned = !matches!(
        orientation,
        Orientation::NoTransforms | Orientation::FlipHorizontal | Orientation::FlipVertical | Orientation::Rotate180
    );
    let fits = (mask_width, mask_height) == (width, height) || turned && (mask_width, mask_height) == (height, width);
    if !fits {
        return Err(format!(
            "has {mask_width}x{mask_height} pixels, but its image has {width}x{height}: resize it to the image"
        ));
    }
    match kind {
        MaskUse::Repaint => check_colors(mask),
        MaskUse::Reference => Ok(()),
    }
}

fn check_colors(mask: &Content) -> Result<(), String> {
    let Some(pixels) = decoded(mask)? else { return Ok(()) };
    let pixels = pixels.into_rgba8();
    let (mut black, mut white, mut other) = (0_usize, 0_usize, 0_usize);
    for [red, green, blue, alpha] in pixels.pixels().map(|pixel| pixel.0) {
        if alpha < u8::MAX - TOLERANCE {
            return Err("has transparent pixels: use black where to repaint, white elsewhere, and save it without \
                        transparency"
                .to_owned());
        }
        let (low, high) = (red.min(green).min(blue), red.max(green).max(blue));
        match (high <= TOLERANCE, low >= u8::MAX - TOLERANCE) {
            (true, _) => black += 1,
            (_, true) => white += 1,
            _ => other += 1,
        }
    }
    let percent = other.saturating_mul(100) / pixels.pixels().len().max(1);
    if percent > MAX_OTHER_PERCENT {
        return Err(format!(
            "is not black and white: {percent} of 100 pixels are neither; use black where to repaint, white elsewhere"
        ));
    }
    match (black, white) {
        (0, _) => Err("has no black: nothing would be repainted; black is repainted, white stays".to_owned()),
        (_, 0) => Err("has no white: everything would be repainted; black is repainted, white stays".to_owned()),
        _ => Ok(()),
    }
}

/// Width, height, and orientation; `None` for a link.
fn size(content: &Content) -> Result<Option<(u32, u32, Orientation)>, String> {
    let Some(reader) = reader(content)? else { return Ok(None) };
    let mut decoder = reader.into_decoder().map_err(|error| unreadable(&error))?;
    let (width, height) = decoder.dimensions();
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    Ok(Some((width, height, orientation)))
}

/// The pixels; `None` for a link, or if it is too large to decode.
fn decoded(content: &Content) -> Result<Option<DynamicImage>, String> {
    let Some(mut reader) = reader(content)? else { return Ok(None) };
    let mut limits = Limits::default();
    limits.max_alloc = Some(MAX_MEMORY);
    reader.limits(limits);
    match reader.decode() {
        Ok(pixels) => Ok(Some(pixels)),
        Err(ImageError::Limits(_)) => Ok(None),
        Err(error) => Err(unreadable(&error)),
    }
}

fn reader(content: &Content) -> Result<Option<ImageReader<Box<dyn Input + '_>>>, String> {
    let input = content.open().map_err(|error| unreadable(&error))?;
    let guessed = input.map(|input| ImageReader::new(input).with_guessed_format()).transpose();
    guessed.map_err(|error| unreadable(&error))
}

fn unreadable(error: &dyn std::error::Error) -> String {
    format!("cannot be compared with its image: {error}")
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use image::{GrayImage, ImageFormat, Luma, Rgb, RgbImage, Rgba, RgbaImage};

    use super::*;

    const BLACK: Rgb<u8> = Rgb([0; 3]);
    const WHITE: Rgb<u8> = Rgb([255; 3]);

    fn content(image: &DynamicImage, format: ImageFormat) -> Content {
        let mut bytes = Cursor::new(Vec::new());
        image.write_to(&mut bytes, format).unwrap();
        Content::Bytes { name: "mask".to_owned(), bytes: bytes.into_inner().into() }
    }

    /// A mask with a left and a right half of different colors.
    fn halves(width: u32, height: u32, left: Rgb<u8>, right: Rgb<u8>) -> DynamicImage {
        RgbImage::from_fn(width, height, |x, _| if x < width / 2 { left } else { right }).into()
    }

    fn checked(kind: MaskUse, mask: &DynamicImage, format: ImageFormat) -> Result<(), String> {
        check(kind, &content(&halves(64, 48, WHITE, BLACK), ImageFormat::Png), &content(mask, format))
    }

    #[test]
    fn a_mask_is_black_and_white_and_as_large_as_its_image() {
        for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::WebP] {
            assert_eq!(checked(MaskUse::Repaint, &halves(64, 48, BLACK, WHITE), format), Ok(()), "{format:?}");
        }
        let smooth = |x: u32| u8::try_from((x.clamp(30, 34) - 30) * 63).unwrap();
        let feathered = GrayImage::from_fn(64, 48, |x, _| Luma([smooth(x)])).into();
        assert_eq!(checked(MaskUse::Repaint, &feathered, ImageFormat::Png), Ok(()));
        let opaque = RgbaImage::from_fn(64, 48, |x, _| if x < 9 { Rgba([0, 0, 0, 255]) } else { Rgba([255; 4]) });
        assert_eq!(checked(MaskUse::Repaint, &opaque.into(), ImageFormat::Png), Ok(()));
    }

    #[test]
    fn other_masks_are_refused_with_what_to_do() {
        let transparent = |x: u32, _| if x < 9 { Rgba([255, 255, 255, 0]) } else { Rgba([255; 4]) };
        let gray = Rgb([128; 3]);
        for (mask, problem) in [
            (halves(65, 48, BLACK, WHITE), "has 65x48 pixels, but its image has 64x48"),
            (halves(48, 64, BLACK, WHITE), "has 48x64 pixels, but its image has 64x48"),
            (halves(64, 48, WHITE, WHITE), "has no black"),
            (halves(64, 48, BLACK, BLACK), "has no white"),
            (halves(64, 48, gray, WHITE), "is not black and white: 50 of 100"),
            (halves(64, 48, Rgb([255, 0, 0]), WHITE), "is not black and white"),
            (RgbaImage::from_fn(64, 48, transparent).into(), "has transparent pixels"),
        ] {
            let problem_found = checked(MaskUse::Repaint, &mask, ImageFormat::Png).unwrap_err();
            assert!(problem_found.starts_with(problem), "{problem_found}");
        }
        let broken = Content::Bytes { name: "mask".to_owned(), bytes: b"\x89PNG\r\n\x1a\n...".to_vec().into() };
        let image = content(&halves(64, 48, WHITE, BLACK), ImageFormat::Png);
        assert!(check(MaskUse::Repaint, &image, &broken).unwrap_err().starts_with("cannot be compared"));
    }

    #[test]
    fn the_mask_of_a_reference_may_be_any_gray_and_has_its_size() {
        assert_eq!(checked(MaskUse::Reference, &halves(64, 48, Rgb([128; 3]), WHITE), ImageFormat::Png), Ok(()));
        assert!(checked(MaskUse::Reference, &halves(32, 24, BLACK, WHITE), ImageFormat::Png).is_err());
    }
}
