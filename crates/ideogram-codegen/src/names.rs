//! Rules that turn names of the document into names of Rust.
//!
//! The rules are stable: a new value or operation never renames an existing one. Names that collide in Rust are
//! refused; no number is appended.

use heck::{ToSnakeCase as _, ToUpperCamelCase as _};

/// Returns the type of a component. Components with other names are refused, so that the document and the client use
/// the same names.
pub(crate) fn type_name(component: &str) -> String {
    component.to_upper_camel_case()
}

/// Returns the method of an operation: its id, without a leading `post_`, `put_` or `patch_` that only repeats
/// the HTTP method (`post_generate_image` → `generate_image`). `get_`, `list_`, `delete_` stay: they are verbs.
pub(crate) fn method_name(operation_id: &str, http_method: &str) -> String {
    let name = operation_id.to_snake_case();
    let shortened = match http_method {
        "post" | "put" | "patch" => name.strip_prefix(&format!("{http_method}_")).unwrap_or(&name),
        _ => &name,
    };
    identifier(shortened)
}

/// Returns the field or setter of a property or parameter.
pub(crate) fn field_name(property: &str) -> String {
    identifier(&property.to_snake_case())
}

/// Returns the constant of an operation.
pub(crate) fn constant_name(operation_id: &str) -> String {
    operation_id.to_snake_case().to_uppercase()
}

/// Returns whether a word is an identifier in Rust.
pub(crate) fn is_identifier(name: &str) -> bool {
    syn::parse_str::<syn::Ident>(name).is_ok()
}

/// A keyword gets a trailing underscore, as progenitor does it.
fn identifier(name: &str) -> String {
    if is_identifier(name) { name.to_owned() } else { format!("{name}_") }
}

/// Returns the variant of an enum value.
///
/// - Words are joined in camel case: `FAILED_SAFETY_CHECK` → `FailedSafetyCheck`.
/// - Two digits that would touch keep an underscore: `ASPECT_10_16` → `Aspect10_16`.
/// - A size or ratio names its sides: `1312x736` → `W1312H736`.
/// - Any other value that starts with a digit is prefixed with the first word of its enum: `80S_ILLUSTRATION` of
///   `StylePresetV3` → `Style80sIllustration`.
pub(crate) fn variant_name(enum_name: &str, value: &str) -> String {
    if let Some((width, height)) = value.split_once('x')
        && is_digits(width)
        && is_digits(height)
    {
        return format!("W{width}H{height}");
    }
    let mut name = String::new();
    for word in value.split(|character: char| !character.is_ascii_alphanumeric()).filter(|word| !word.is_empty()) {
        let touches =
            name.ends_with(|last: char| last.is_ascii_digit()) && word.starts_with(|c: char| c.is_ascii_digit());
        if touches {
            name.push('_');
        }
        let shouted = !word.contains(|character: char| character.is_ascii_lowercase());
        let (first, rest) = word.split_at(1);
        name.push_str(&first.to_ascii_uppercase());
        name.push_str(&if shouted { rest.to_ascii_lowercase() } else { rest.to_owned() });
    }
    if name.is_empty() || name.starts_with(|first: char| first.is_ascii_digit()) {
        name.insert_str(0, first_word(enum_name));
    }
    name
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn first_word(camel_case: &str) -> &str {
    let end = camel_case.char_indices().skip(1).find(|(_, character)| character.is_ascii_uppercase());
    end.map_or(camel_case, |(index, _)| &camel_case[..index])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variants_are_readable_and_never_ambiguous() {
        for (enum_name, value, expected) in [
            ("ModelStatus", "CREATING", "Creating"),
            ("AssetType", "CANVAS_ASSET", "CanvasAsset"),
            ("AspectRatioV3", "1x3", "W1H3"),
            ("ResolutionV3", "1312x736", "W1312H736"),
            ("ResolutionV3", "736x1312", "W736H1312"),
            ("AspectRatio", "ASPECT_10_16", "Aspect10_16"),
            ("AspectRatio", "ASPECT_1_016", "Aspect1_016"),
            ("StylePresetV3", "80S_ILLUSTRATION", "Style80sIllustration"),
            ("StylePresetV3", "C4D_CARTOON", "C4dCartoon"),
            ("StylePresetV3", "SPOTLIGHT_80S", "Spotlight80s"),
            ("MagicPromptOption", "ON", "On"),
            ("ModelEnum", "V_2A_TURBO", "V2aTurbo"),
            ("UpscaleFactor", "X2", "X2"),
            ("Kind", "inStock", "InStock"),
            ("Kind", "", "Kind"),
        ] {
            assert_eq!(variant_name(enum_name, value), expected, "{enum_name} {value}");
        }
    }

    #[test]
    fn methods_lose_only_a_prefix_that_repeats_the_http_method() {
        assert_eq!(method_name("post_generate_image_v3", "post"), "generate_image_v3");
        assert_eq!(method_name("get_dataset", "get"), "get_dataset");
        assert_eq!(method_name("postpone_order", "post"), "postpone_order");
        assert_eq!(method_name("addPet", "post"), "add_pet");
        assert_eq!(method_name("post_move", "post"), "move_");
    }
}
