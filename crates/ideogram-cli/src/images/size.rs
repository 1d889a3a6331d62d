//! Sizes and aspect ratios: which size has an aspect ratio, for operations that take only sizes.

use ideogram_client::{
    operation::{Input, Location, Operation},
    operations,
    schema::Schema,
};

use crate::images::legacy_properties;

/// The properties that take a size.
pub(crate) const SIZES: [&str; 2] = ["resolution", "size"];
/// The property that takes an aspect ratio.
pub(crate) const ASPECT_RATIO: &str = "aspect_ratio";
/// Aspect ratios that differ less than this are the same: sizes are rounded to multiples of 16 and more.
const SAME_RATIO: f64 = 0.04;

/// The property of an operation that takes a size, and the sizes; `None` if it takes aspect
/// ratios, or neither.
pub(crate) fn property(operation: &Operation) -> Option<(&'static str, &'static [&'static str])> {
    let inputs = operation.inputs.iter().filter(|input| input.location == Location::Body);
    let nested = legacy_properties(operation).iter().map(|property| (property.name, property.schema));
    let mut properties = inputs.map(|input| (input.name, input.schema)).chain(nested);
    if properties.clone().any(|(name, _)| name == ASPECT_RATIO) {
        return None;
    }
    let (name, schema) = properties.find(|(name, _)| SIZES.contains(name))?;
    // Where the document has a pattern and no list, the service takes the sizes of the 4.0 model.
    let listed = operations::POST_GENERATE_IMAGE_V2_IDEOGRAM_V4.inputs.iter().find(|input| input.name == SIZES[0]);
    Some((
        name,
        match schema {
            Schema::Enum(sizes) => sizes,
            _ => listed.map(Input::values).unwrap_or_default(),
        },
    ))
}

/// The largest size of an aspect ratio; `None` if there is none, or the text is not one.
pub(crate) fn largest(sizes: &'static [&'static str], text: &str) -> Option<&'static str> {
    let wanted = sides(text)?;
    let sizes = sizes.iter().filter_map(|size| Some((*size, sides(&short_name(size))?)));
    let fitting = sizes.filter(|(_, size)| ratio_difference(*size, wanted) < SAME_RATIO);
    let area = |(width, height): (f64, f64)| width * height;
    fitting.max_by(|(_, one), (_, other)| area(*one).total_cmp(&area(*other))).map(|(size, _)| size)
}

/// `RESOLUTION_1024_1024` as `1024x1024`, `ASPECT_16_9` and `16x9` as `16:9`; all else as it is.
pub(crate) fn short_name(value: &str) -> String {
    let legacy = value.strip_prefix("RESOLUTION_").or_else(|| value.strip_prefix("ASPECT_"));
    let name = legacy.map_or_else(|| value.to_owned(), |legacy| legacy.replace('_', "x"));
    let is_side = |text: &str| matches!(text.len(), 1 | 2) && text.bytes().all(|byte| byte.is_ascii_digit());
    match name.split_once('x') {
        Some((width, height)) if is_side(width) && is_side(height) => format!("{width}:{height}"),
        _ => name,
    }
}

/// Width and height of `1024x640` or `16:9`.
pub(crate) fn sides(text: &str) -> Option<(f64, f64)> {
    let (width, height) = text.split_once(['x', 'X', ':', '/'])?;
    let side = |text: &str| text.trim().parse::<u32>().ok().filter(|side| *side > 0).map(f64::from);
    Some((side(width)?, side(height)?))
}

/// How different the aspect ratios of two sizes are: 0 if they are the same.
pub(crate) fn ratio_difference((width, height): (f64, f64), (other_width, other_height): (f64, f64)) -> f64 {
    ((width / height) / (other_width / other_height)).ln().abs()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_aspect_ratio_has_a_size_where_the_model_has_one() {
        for (operation, ratio, size) in [
            (&operations::POST_GENERATE_IMAGE_V2_IDEOGRAM45, "16:9", Some("2560x1440")),
            (&operations::POST_GENERATE_IMAGE_V2_IDEOGRAM45, "1x1", Some("2048x2048")),
            (&operations::POST_GENERATE_IMAGE_V2_IDEOGRAM_V4, "16/9", Some("2560x1440")),
            (&operations::POST_REFRAME_IMAGE_V2_IDEOGRAM_V3, "3:1", Some("1536x512")),
            (&operations::POST_REFRAME_IMAGE_V3, "3:1", Some("1536x512")),
            (&operations::POST_REFRAME_IMAGE, "1:1", Some("RESOLUTION_1024_1024")),
            (&operations::POST_REFRAME_IMAGE_V3, "9:1", None),
            (&operations::POST_REFRAME_IMAGE_V3, "wide", None),
            (&operations::POST_REFRAME_IMAGE_V3, "0:1", None),
        ] {
            let (_, sizes) = property(operation).unwrap();
            assert_eq!(largest(sizes, ratio), size, "{operation} {ratio}");
        }
        assert_eq!(property(&operations::POST_GENERATE_IMAGE_V3), None, "it takes aspect ratios");
        assert_eq!(property(&operations::POST_UPSCALE), None, "it takes neither");
    }
}
