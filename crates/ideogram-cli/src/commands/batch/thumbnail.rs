//! Thumbnails for the contact sheet, generated once and stored in a folder of their own.

use std::{
    fs,
    io::{self, Cursor, Write as _},
    path::{Path, PathBuf},
};

use ideogram_client::internal;
use image::{
    DynamicImage, GenericImageView as _, ImageFormat, ImageReader, Limits, RgbaImage, codecs::jpeg::JpegEncoder,
    imageops,
};

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
    let small = shrunk(&reader.decode().map_err(io::Error::other)?);
    let mut bytes = Cursor::new(Vec::new());
    let written = if small.pixels().any(|pixel| pixel.0[3] < u8::MAX) {
        small.write_to(&mut bytes, ImageFormat::Png)
    } else {
        let rgb = DynamicImage::from(small).into_rgb8();
        rgb.write_with_encoder(JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY))
    };
    written.map_err(io::Error::other)?;
    Ok(bytes.into_inner())
}

/// The image, no side longer than `MAX_SIDE`. Four pixels of the image make one: the mean of all takes ten times as long.
fn shrunk(image: &DynamicImage) -> RgbaImage {
    let (width, height) = image.dimensions();
    let longer = width.max(height);
    let scaled =
        |side: u32, by: u32, of: u32| u32::try_from(u64::from(side) * u64::from(by) / u64::from(of)).unwrap_or(0);
    let wide = |times: u32| {
        let side = |side| scaled(side, MAX_SIDE * times, longer.max(MAX_SIDE * times)).max(1);
        (side(width), side(height))
    };
    let (sampled_width, sampled_height) = wide(2);
    let sampled = RgbaImage::from_fn(sampled_width, sampled_height, |x, y| {
        image.get_pixel(scaled(x, width, sampled_width), scaled(y, height, sampled_height))
    });
    let (width, height) = wide(1);
    if (width, height) == sampled.dimensions() { sampled } else { imageops::thumbnail(&sampled, width, height) }
}

/// The media type of a thumbnail.
pub(super) fn media_type(bytes: &[u8]) -> &'static str {
    internal::image_type(bytes).unwrap_or("image/jpeg")
}

#[cfg(test)]
mod tests {
    use image::Rgba;

    use super::*;

    #[test]
    fn an_image_is_shrunk_with_its_shape_and_colors() {
        let (left, right) = (Rgba([200, 20, 20, 255]), Rgba([20, 20, 200, 0]));
        for (size, expected) in [
            ((2048, 1024), (400, 200)),
            ((1000, 3000), (133, 400)),
            ((600, 500), (400, 333)),
            ((400, 400), (400, 400)),
            ((3, 2), (3, 2)),
            ((8000, 2), (400, 1)),
        ] {
            let image = RgbaImage::from_fn(size.0, size.1, |x, _| if x < size.0 / 2 { left } else { right });

            let small = shrunk(&image.into());

            assert_eq!(small.dimensions(), expected, "{size:?}");
            assert_eq!((small.get_pixel(0, 0), small.get_pixel(expected.0 - 1, 0)), (&left, &right), "{size:?}");
        }
    }
}
