//! Sizes of images in pixels, and the notations of the document for them.

use std::fmt;

/// Width and height in pixels; of an aspect ratio, its two terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size {
    pub(crate) width: u32,
    pub(crate) height: u32,
}

impl Size {
    pub(crate) const SQUARE: Self = Self { width: 1024, height: 1024 };

    /// Reads `1024x768`, `RESOLUTION_1024_768`, `16x9` or `ASPECT_16_9`.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let digits = text.trim_start_matches(|char: char| !char.is_ascii_digit());
        let (width, height) = digits.split_once(['x', '_'])?;
        let (width, height) = (width.parse().ok()?, height.parse().ok()?);
        (width > 0 && height > 0).then_some(Self { width, height })
    }

    pub(crate) fn times(self, factor: u32) -> Self {
        Self { width: self.width.saturating_mul(factor), height: self.height.saturating_mul(factor) }
    }

    /// Returns this shape with its longer side about as long as those of a square image.
    pub(crate) fn enlarged(self) -> Self {
        self.times(Self::SQUARE.width.div_ceil(self.width.max(self.height)))
    }

    /// Returns this size with no side shorter than `min_side`.
    pub(crate) fn at_least(self, min_side: u32) -> Self {
        Self { width: self.width.max(min_side), height: self.height.max(min_side) }
    }

    /// Scales this size down so that no side is longer than `max_side`; keeps the aspect ratio.
    pub(crate) fn within(self, max_side: u32) -> Self {
        let longer = u64::from(self.width.max(self.height));
        let fit = |side: u32| {
            let side = u64::from(side) * u64::from(max_side) / longer;
            u32::try_from(side).unwrap_or(max_side).max(1)
        };
        if longer <= max_side.into() { self } else { Self { width: fit(self.width), height: fit(self.height) } }
    }

    /// Returns the size in `sizes` whose aspect ratio is nearest to this one; of several, the largest.
    pub(crate) fn nearest_in(self, sizes: &[Self]) -> Option<Self> {
        let distance = |size: &Self| {
            // The quotient of the two ratios, in thousandths.
            let (one, other) = (size.cross(self), self.cross(*size));
            one.max(other) * 1000 / one.min(other)
        };
        let area = |size: &Self| size.cross(Self { width: size.height, height: size.width });
        sizes.iter().copied().min_by_key(|size| (distance(size), u64::MAX - area(size)))
    }

    /// Returns this width times the height of `other`.
    fn cross(self, other: Self) -> u64 {
        u64::from(self.width) * u64::from(other.height)
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.width, self.height)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size(text: &str) -> Size {
        Size::read(text).unwrap()
    }

    #[test]
    fn every_notation_is_read() {
        assert_eq!(size("RESOLUTION_1312_736"), size("1312x736"));
        assert_eq!(size("ASPECT_16_9"), Size { width: 16, height: 9 });
        for text in ["AUTO", "", "1024", "0x1", "1x0", "1x1x1", "99999999999x1"] {
            assert_eq!(Size::read(text), None, "{text}");
        }
    }

    #[test]
    fn the_nearest_aspect_ratio_is_found_in_its_largest_size() {
        let sizes = ["1024x1024", "2048x2048", "736x1312", "1312x736", "1536x512"].map(size);

        assert_eq!(size("1x1").nearest_in(&sizes), Some(size("2048x2048")));
        assert_eq!(size("16x9").nearest_in(&sizes), Some(size("1312x736")));
        assert_eq!(size("9x16").nearest_in(&sizes), Some(size("736x1312")));
        assert_eq!(size("1x1").nearest_in(&[]), None);
    }

    #[test]
    fn an_aspect_ratio_is_enlarged_to_the_size_of_an_image() {
        assert_eq!(size("16x9").enlarged(), size("1024x576"));
        assert_eq!(size("1x3").enlarged(), size("342x1026"));
        assert_eq!(size("2048x1024").enlarged(), size("2048x1024"));
    }

    #[test]
    fn a_size_that_is_scaled_down_keeps_its_aspect_ratio() {
        assert_eq!(size("8000x2000").within(4000), size("4000x1000"));
        assert_eq!(size("8000x1").within(4000), size("4000x1"));
        assert_eq!(size("80x20").within(4000), size("80x20"));
    }
}
