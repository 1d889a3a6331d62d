//! Thumbnails for the contact sheet, generated once and stored in a folder of their own.

use std::{
    fs,
    io::{self, Cursor, Write as _},
    path::{Path, PathBuf},
};

use ideogram_client::internal;
use image::{DynamicImage, ImageFormat, ImageReader, Limits, codecs::jpeg::JpegEncoder};

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
    let image = reader.decode().map_err(io::Error::other)?;
    let is_small = image.width() <= MAX_SIDE && image.height() <= MAX_SIDE;
    let small = if is_small { image } else { image.thumbnail(MAX_SIDE, MAX_SIDE) };
    let mut bytes = Cursor::new(Vec::new());
    let written = if is_transparent(&small) {
        small.to_rgba8().write_to(&mut bytes, ImageFormat::Png)
    } else {
        small.to_rgb8().write_with_encoder(JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY))
    };
    written.map_err(io::Error::other)?;
    Ok(bytes.into_inner())
}

fn is_transparent(image: &DynamicImage) -> bool {
    image.color().has_alpha() && image.to_rgba8().pixels().any(|pixel| pixel.0[3] < u8::MAX)
}

/// The media type of a thumbnail.
pub(super) fn media_type(bytes: &[u8]) -> &'static str {
    internal::image_type(bytes).unwrap_or("image/jpeg")
}
