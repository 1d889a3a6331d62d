//! Draws images: scenes of a few flat shapes in 16 colors, so that even the largest image is quick to draw and to send.
//!
//! Start at [`png`]. The hash of the prompt chooses scene and colors, the seed the arrangement: images of one prompt
//! look similar, images of two prompts differ.

use std::io::Write;

use flate2::{Compression, Crc, write::ZlibEncoder};

use super::{Background, ImageSpec};
use crate::token::scramble;

/// Indexes into the palette: 6 shades of sky, 4 of land, 6 others.
const SKY: u8 = 0;
const LAND: u8 = 6;
const ACCENT: u8 = 10;
const LIGHT: u8 = 15;

/// One shape in one color, in pixels; it may reach beyond the image.
enum Shape {
    Disc {
        x: i64,
        y: i64,
        radius: i64,
    },
    Bar {
        left: i64,
        right: i64,
        top: i64,
        bottom: i64,
    },
    /// The top is a point.
    Triangle {
        x: i64,
        half: i64,
        top: i64,
        bottom: i64,
    },
}

/// Returns the image as a PNG file; the same specification yields the same bytes.
pub(super) fn png(image: ImageSpec) -> Vec<u8> {
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut header = [image.size.width.to_be_bytes(), image.size.height.to_be_bytes()].concat();
    // 4 bits for a pixel, colors from a palette.
    header.extend([4, 3, 0, 0, 0]);
    chunk(&mut file, *b"IHDR", &header);
    chunk(&mut file, *b"PLTE", palette(image.prompt_hash).as_flattened());
    if image.background == Background::Transparent {
        chunk(&mut file, *b"tRNS", &[0]);
    }
    chunk(&mut file, *b"IDAT", &pixels(image));
    chunk(&mut file, *b"IEND", &[]);
    file
}

fn chunk(file: &mut Vec<u8>, kind: [u8; 4], data: &[u8]) {
    let length = u32::try_from(data.len()).expect("16 colors compress well");
    file.extend(length.to_be_bytes());
    let checked = [&kind[..], data].concat();
    let mut sum = Crc::new();
    sum.update(&checked);
    file.extend(checked);
    file.extend(sum.sum().to_be_bytes());
}

/// Returns the compressed rows.
fn pixels(image: ImageSpec) -> Vec<u8> {
    let (width, height) = (i64::from(image.size.width), i64::from(image.size.height));
    let shapes = Scene::of(image).shapes;
    let mut row = vec![SKY; usize::try_from(width).expect("sides are short")];
    let mut compressed = ZlibEncoder::new(Vec::new(), Compression::fast());
    for y in 0..height {
        let sky = u8::try_from(y * i64::from(LAND) / height).expect("six shades");
        row.fill(if image.background == Background::Transparent { SKY } else { sky });
        for (shape, color) in &shapes {
            let (left, right) = shape.span(y);
            let [left, right] = [left, right].map(|x| usize::try_from(x.clamp(0, width)).expect("it is in the row"));
            if left < right {
                row[left..right].fill(*color);
            }
        }
        let packed = row.chunks(2).map(|pair| pair[0] << 4 | pair.get(1).unwrap_or(&0));
        // Each row starts with its filter type: none.
        let line: Vec<u8> = [0].into_iter().chain(packed).collect();
        compressed.write_all(&line).expect("writing to memory cannot fail");
    }
    compressed.finish().expect("writing to memory cannot fail")
}

impl Shape {
    /// Returns the range that the shape covers in a row; it is empty if the start is not less than the end.
    fn span(&self, y: i64) -> (i64, i64) {
        match *self {
            Self::Disc { x, y: middle, radius } if (y - middle).abs() <= radius => {
                let half = (radius * radius - (y - middle) * (y - middle)).isqrt();
                (x - half, x + half)
            }
            Self::Bar { left, right, top, bottom } if (top..bottom).contains(&y) => (left, right),
            Self::Triangle { x, half, top, bottom } if (top..bottom).contains(&y) => {
                let half = half * (y - top) / (bottom - top);
                (x - half, x + half)
            }
            _ => (0, 0),
        }
    }
}

/// A scene under construction. Positions are in thousandths of width and height, lengths in thousandths of the shorter
/// side.
struct Scene {
    width: i64,
    height: i64,
    random: u64,
    shapes: Vec<(Shape, u8)>,
}

impl Scene {
    fn of(image: ImageSpec) -> Self {
        let random = u64::from(image.prompt_hash) << 31 | u64::from(image.seed);
        let (width, height) = (image.size.width.into(), image.size.height.into());
        let mut scene = Self { width, height, random: scramble(random), shapes: Vec::new() };
        match image.prompt_hash % 6 {
            0 => scene.hills(),
            1 => scene.town(),
            2 => scene.mountains(),
            3 => scene.sea(),
            4 => scene.balloons(),
            _ => scene.forest(),
        }
        scene
    }

    fn hills(&mut self) {
        let (x, y) = (self.roll(150, 850), self.roll(180, 350));
        self.disc(x, y, 110, LIGHT);
        for (step, color) in (LAND..ACCENT).enumerate() {
            let low = i64::try_from(step).unwrap_or_default() * 110;
            for _ in 0..2 {
                let (x, radius) = (self.roll(0, 1000), self.roll(350, 600));
                self.disc(x, 1000 + low, radius - low, color);
            }
        }
        for _ in 0..5 {
            let (x, y) = (self.roll(50, 950), self.roll(760, 960));
            self.bar(x, y, 12, 60, LAND + 3);
            let color = self.accent();
            self.disc(x, y - 10, 35, color);
        }
    }

    fn town(&mut self) {
        let x = self.roll(100, 900);
        self.disc(x, 200, 70, LIGHT);
        for column in 0..9 {
            let (top, color) = (self.roll(300, 750), LAND + u8::try_from(self.roll(0, 4)).unwrap_or_default());
            self.house(column, top, color);
        }
        self.bar(500, 960, 4000, 100, LAND + 3);
    }

    /// Adds a house with windows, some of them lit.
    fn house(&mut self, column: i64, top: i64, color: u8) {
        let left = column * 115;
        self.block(left, left + 105, top, 1000, color);
        for floor in (top + 40..930).step_by(80) {
            for window in [20, 65] {
                if self.roll(0, 3) > 0 {
                    let color = self.accent();
                    self.block(left + window, left + window + 22, floor, floor + 38, color);
                }
            }
        }
    }

    fn mountains(&mut self) {
        let x = self.roll(150, 850);
        self.disc(x, 180, 80, LIGHT);
        for color in LAND..ACCENT {
            let back = i64::from(color - LAND) * 120;
            for _ in 0..2 {
                let (x, top, half) = (self.roll(50, 950), self.roll(250, 400) + back, self.roll(300, 500));
                self.triangle(x, top, 1000, half, color);
                // The summit is the same triangle cut off at a fifth of its height.
                let snow = top + (1000 - top) / 5;
                self.triangle(x, top, snow, half / 5, LIGHT);
            }
        }
    }

    fn sea(&mut self) {
        let x = self.roll(200, 800);
        self.disc(x, 560, 190, LIGHT);
        for color in LAND..ACCENT {
            let top = 560 + i64::from(color - LAND) * 110;
            self.bar(500, top, 4000, 450, color);
        }
        for _ in 0..3 {
            let (x, y) = (self.roll(120, 880), self.roll(600, 900));
            let (sail, hull) = (self.accent(), self.accent());
            self.triangle(x, y - 190, y - 20, 70, sail);
            self.bar(x, y - 15, 190, 30, hull);
        }
    }

    fn balloons(&mut self) {
        self.bar(500, 880, 4000, 120, LAND);
        for _ in 0..9 {
            let (x, y, radius) = (self.roll(80, 920), self.roll(120, 700), self.roll(50, 120));
            let (outer, inner) = (self.accent(), self.accent());
            self.bar(x, y, 6, 2 * radius, LAND + 3);
            self.disc(x, y, radius, outer);
            self.disc(x, y, radius / 2, inner);
        }
    }

    fn forest(&mut self) {
        let x = self.roll(150, 850);
        self.disc(x, 190, 90, LIGHT);
        for color in LAND..ACCENT {
            let ground = 640 + i64::from(color - LAND) * 110;
            self.bar(500, ground, 4000, 450, color);
            for _ in 0..6 {
                let (x, tall) = (self.roll(0, 1000), self.roll(200, 330));
                let leaves = if self.roll(0, 5) == 0 { self.accent() } else { color };
                self.bar(x, ground - 40, 18, 60, LAND + 3);
                self.triangle(x, ground - tall, ground - 60, tall / 3, leaves);
                self.triangle(x, ground - tall - 60, ground - tall / 2, tall / 4, leaves);
            }
        }
    }

    /// Returns a random number in `from..to`.
    fn roll(&mut self, from: i64, to: i64) -> i64 {
        self.random = scramble(self.random);
        from + i64::try_from(self.random >> 33).expect("31 bits") % (to - from)
    }

    fn accent(&mut self) -> u8 {
        ACCENT + u8::try_from(self.roll(0, 5)).expect("five of them")
    }

    fn length(&self, thousandths: i64) -> i64 {
        self.width.min(self.height) * thousandths / 1000
    }

    fn disc(&mut self, x: i64, y: i64, radius: i64, color: u8) {
        let disc = Shape::Disc { x: self.width * x / 1000, y: self.height * y / 1000, radius: self.length(radius) };
        self.shapes.push((disc, color));
    }

    /// Adds a bar centered at `x` whose top is `y`.
    fn bar(&mut self, x: i64, y: i64, width: i64, height: i64, color: u8) {
        let (x, top) = (self.width * x / 1000, self.height * y / 1000);
        let half = self.length(width) / 2;
        let bar = Shape::Bar { left: x - half, right: x + half, top, bottom: top + self.length(height) };
        self.shapes.push((bar, color));
    }

    /// Adds a bar from the positions of its four sides.
    fn block(&mut self, left: i64, right: i64, top: i64, bottom: i64, color: u8) {
        let [left, right] = [left, right].map(|x| self.width * x / 1000);
        let [top, bottom] = [top, bottom].map(|y| self.height * y / 1000);
        self.shapes.push((Shape::Bar { left, right, top, bottom }, color));
    }

    fn triangle(&mut self, x: i64, top: i64, bottom: i64, half: i64, color: u8) {
        let [top, bottom] = [top, bottom].map(|y| self.height * y / 1000);
        let triangle = Shape::Triangle { x: self.width * x / 1000, half: self.length(half), top, bottom };
        self.shapes.push((triangle, color));
    }
}

/// Returns the colors, starting with the sky from top to bottom.
fn palette(prompt_hash: u32) -> [[u8; 3]; 16] {
    let hue = i64::from(prompt_hash / 6 % HUES);
    let rotated = |by: i64| hue + by * i64::from(HUES) / 12;
    let mut colors = [[0; 3]; 16];
    for (color, step) in colors.iter_mut().zip(0..) {
        *color = match step {
            0..6 => shade(rotated(6) + step * 40, 45 + step * 10),
            6..10 => shade(rotated(1) + (step - 6) * 30, 50 - (step - 6) * 11),
            10..15 => shade(rotated(3) + (step - 10) * 290, 58),
            _ => shade(rotated(0), 93),
        };
    }
    colors
}

/// The number of hues.
const HUES: u32 = 1536;

/// Returns the color of a hue at a lightness from 0 (black) to 100 (white).
fn shade(hue: i64, lightness: i64) -> [u8; 3] {
    [0, 512, 1024].map(|shift| {
        // Full for a third of the color wheel around the hue, then decreasing over a sixth on either side.
        let distance = (hue - shift).rem_euclid(HUES.into());
        let full = 511 - distance.min(i64::from(HUES) - distance);
        let pure = full.clamp(0, 255);
        let vivid = if lightness < 50 { pure * lightness / 50 } else { pure + (255 - pure) * (lightness - 50) / 50 };
        let gray = 255 * lightness / 100;
        u8::try_from(i64::midpoint(vivid, gray)).expect("both are below 256")
    })
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::{
        images::{Background, MAX_SIDE},
        size::Size,
    };

    fn image(prompt_hash: u32, seed: u32) -> ImageSpec {
        ImageSpec { prompt_hash, seed, size: Size { width: 64, height: 48 }, background: Background::Sky }
    }

    fn decoded(bytes: &[u8]) -> (u32, u32, Vec<u8>) {
        let mut decoder = png::Decoder::new(Cursor::new(bytes));
        decoder.set_transformations(png::Transformations::EXPAND);
        let mut reader = decoder.read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        (info.width, info.height, pixels)
    }

    #[test]
    fn an_image_depends_on_prompt_hash_and_seed_alone() {
        for prompt_hash in 0..6 {
            assert_eq!(png(image(prompt_hash, 1)), png(image(prompt_hash, 1)));
            assert_ne!(png(image(prompt_hash, 1)), png(image(prompt_hash, 2)), "{prompt_hash}");
            assert_ne!(png(image(prompt_hash, 1)), png(image(prompt_hash + 6, 1)), "{prompt_hash}");
        }
    }

    #[test]
    fn an_image_of_any_size_can_be_decoded() {
        for (width, height) in [(1, 1), (2, 1), (1, 3), (31, 17), (MAX_SIDE, 1), (1, MAX_SIDE)] {
            for prompt_hash in 0..6 {
                let bytes = png(ImageSpec { size: Size { width, height }, ..image(prompt_hash, 7) });
                let (decoded_width, decoded_height, _) = decoded(&bytes);
                assert_eq!((decoded_width, decoded_height), (width, height));
            }
        }
    }

    #[test]
    fn a_transparent_background_shows_through_some_pixels() {
        let bytes = png(ImageSpec { background: Background::Transparent, ..image(4, 7) });

        let (_, _, pixels) = decoded(&bytes);
        let opaque = pixels.chunks(4).filter(|pixel| pixel[3] == 255).count();
        assert_eq!(pixels.len(), 64 * 48 * 4);
        assert!(opaque > 100 && opaque < 64 * 48 - 100, "{opaque}");
    }
}
