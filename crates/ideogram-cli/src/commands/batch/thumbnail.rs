//! Thumbnails for the contact sheet, generated once and stored in a folder of their own.

use std::{
    fs,
    io::{self, Cursor, Write as _},
    path::{Path, PathBuf},
};

use ideogram_client::internal;
use image::{DynamicImage, ImageBuffer, ImageFormat, ImageReader, Limits, Pixel, codecs::jpeg::JpegEncoder};

use super::{THUMBNAILS, disk::blocking};

/// In pixels: twice the size on the sheet, for screens of high resolution.
const MAX_SIDE: u32 = 400;
/// Far above the size of any image of the service; a file that claims more is not decoded.
const MAX_MEMORY_BYTES: u64 = 512 * 1024 * 1024;
const JPEG_QUALITY: u8 = 78;

/// Generates missing thumbnails of images in a folder. An image whose thumbnail fails is shown without one.
pub(super) async fn make_all(folder: &Path, files: Vec<String>) {
    let folder = folder.to_owned();
    let done = blocking(move || {
        for file in files {
            let _ = make(&folder.join(&file), &path_of(&folder, &file));
        }
        Ok(())
    });
    let _ = done.await;
}

/// The thumbnail of an image file in the folder of a batch.
pub(super) fn path_of(folder: &Path, file: &str) -> PathBuf {
    folder.join(THUMBNAILS).join(format!("{file}.thumbnail"))
}

fn make(image: &Path, thumbnail: &Path) -> io::Result<()> {
    if thumbnail.is_file() {
        return Ok(());
    }
    let bytes = small(image)?;
    let folder = thumbnail.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut part = tempfile::Builder::new().prefix(".ideogram-").suffix(".part").tempfile_in(folder)?;
    part.write_all(&bytes)?;
    part.persist(thumbnail)?;
    Ok(())
}

fn small(image: &Path) -> io::Result<Vec<u8>> {
    let mut reader = ImageReader::open(image)?.with_guessed_format()?;
    let mut limits = Limits::default();
    limits.max_alloc = Some(MAX_MEMORY_BYTES);
    reader.limits(limits);
    let small = shrunk(reader.decode().map_err(io::Error::other)?);
    let mut bytes = Cursor::new(Vec::new());
    let is_transparent = small.as_rgba8().is_some_and(|small| small.pixels().any(|pixel| pixel.0[3] < u8::MAX));
    let written = if is_transparent {
        small.write_to(&mut bytes, ImageFormat::Png)
    } else {
        small.into_rgb8().write_with_encoder(JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY))
    };
    written.map_err(io::Error::other)?;
    Ok(bytes.into_inner())
}

/// The image, no side longer than `MAX_SIDE`.
fn shrunk(image: DynamicImage) -> DynamicImage {
    match image {
        DynamicImage::ImageRgb8(image) => sampled(image).into(),
        DynamicImage::ImageRgba8(image) => sampled(image).into(),
        other if other.color().has_alpha() => sampled(other.into_rgba8()).into(),
        other => sampled(other.into_rgb8()).into(),
    }
}

/// A pixel is the mean of four pixels of the image: the mean of all takes ten times as long.
fn sampled<P: Pixel<Subpixel = u8>>(image: ImageBuffer<P, Vec<u8>>) -> ImageBuffer<P, Vec<u8>> {
    let (width, height) = image.dimensions();
    let longer = u64::from(width.max(height));
    if longer <= MAX_SIDE.into() {
        return image;
    }
    let scaled = |side: u32| u32::try_from(u64::from(side) * u64::from(MAX_SIDE) / longer).unwrap_or(1).max(1);
    // At a quarter and at three quarters of what becomes one pixel.
    let samples = |side: u32| -> Vec<[u32; 2]> {
        let part = |index: u32, quarters: u64| {
            let at = (u64::from(index) * 4 + quarters) * u64::from(side) / (u64::from(scaled(side)) * 4);
            u32::try_from(at).unwrap_or(0)
        };
        (0..scaled(side)).map(|index| [part(index, 1), part(index, 3)]).collect()
    };
    let (columns, rows) = (samples(width), samples(height));
    let mut pixels = Vec::with_capacity(columns.len() * rows.len() * usize::from(P::CHANNEL_COUNT));
    for [above, below] in &rows {
        for [left, right] in &columns {
            let four = [(left, above), (right, above), (left, below), (right, below)];
            let four = four.map(|(x, y)| image.get_pixel(*x, *y).channels());
            for channel in 0..usize::from(P::CHANNEL_COUNT) {
                let sum: u16 = four.iter().map(|pixel| u16::from(pixel[channel])).sum();
                pixels.push(u8::try_from(sum / 4).unwrap_or(u8::MAX));
            }
        }
    }
    ImageBuffer::from_raw(scaled(width), scaled(height), pixels).expect("there is a pixel for each row and column")
}

/// The media type of a thumbnail.
pub(super) fn media_type(bytes: &[u8]) -> &'static str {
    internal::image_type(bytes).unwrap_or("image/jpeg")
}

#[cfg(test)]
mod tests {
    use image::{Rgba, RgbaImage};

    use super::*;

    #[test]
    fn an_image_is_shrunk_with_its_shape_and_colors() {
        let (left, right) = (Rgba([200, 20, 20, 255]), Rgba([20, 20, 200, 0]));
        for (size, expected) in [
            ((2048, 1024), (400, 200)),
            ((1000, 3000), (133, 400)),
            ((600, 500), (400, 333)),
            ((401, 401), (400, 400)),
            ((400, 400), (400, 400)),
            ((3, 2), (3, 2)),
            ((8000, 2), (400, 1)),
        ] {
            let image = RgbaImage::from_fn(size.0, size.1, |x, _| if x < size.0 / 2 { left } else { right });

            let rgb = shrunk(DynamicImage::from(image.clone()).into_rgb8().into()).into_rgb8();
            let small = shrunk(image.into()).into_rgba8();

            assert_eq!((small.dimensions(), rgb.dimensions()), (expected, expected), "{size:?}");
            assert_eq!((small.get_pixel(0, 0), small.get_pixel(expected.0 - 1, 0)), (&left, &right), "{size:?}");
            assert_eq!(rgb.get_pixel(0, 0).0, [200, 20, 20], "{size:?}");
        }
    }
}
