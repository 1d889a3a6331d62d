//! From the text of a flag to the value that the operation takes.

use ideogram_client::schema::Schema;
use serde_json::{Value, json};

use super::{
    flags::{Flag, Kind, Target},
    table::{ImageCommand, Model},
};
use crate::{
    commands::values::{self, closest},
    failure::Failure,
    images::size,
};

/// Lists of up to this many values are shown in whole.
const MAX_SHOWN_VALUES: usize = 20;
/// How many of a longer list are suggested.
const MAX_SUGGESTIONS: usize = 5;

/// The value of a flag as the operation takes it.
pub(super) fn value(
    command: &ImageCommand,
    model: &Model,
    flag: &Flag,
    target: Target,
    text: &str,
) -> Result<Value, Failure> {
    let sizes = || size::property(model.operation).map_or(&[][..], |(_, sizes)| sizes);
    match flag.kind(target) {
        Kind::AspectRatio | Kind::Text if text == values::LIST && size::SIZES.contains(&target.property) => {
            return Err(unsupported(command, model, flag, sizes(), text));
        }
        Kind::Palette => {
            let name = values::find(palette_names(target.schema), text).copied().unwrap_or(text);
            return Ok(json!({ "name": name }));
        }
        Kind::Enum(values) => {
            if let Some(value) = values::find(values, text) {
                return Ok((*value).into());
            }
            return Err(unsupported(command, model, flag, values, text));
        }
        Kind::AspectRatio => return sized(command, model, flag, text),
        _ => {}
    }
    target.single().check_text(text).map_err(|reason| {
        let failure = Failure::usage(format!("{} {reason}: nothing was sent", flag.label(command)));
        match size::sides(text).filter(|_| size::SIZES.contains(&target.property)) {
            Some(_) => failure.hint(format!("for an aspect ratio, use --aspect-ratio {text}")),
            None => failure,
        }
    })?;
    if flag.kind(target) == Kind::Number {
        let number = text.trim().parse::<i64>();
        return number.map(Value::from).map_err(|_| {
            Failure::usage(format!("{} must be a whole number, not {text}: nothing was sent", flag.label(command)))
        });
    }
    Ok(text.into())
}

/// The names of palettes: each API version spells them in its own way.
fn palette_names(schema: &Schema) -> &'static [&'static str] {
    let Schema::Union(union) = schema else { return &[] };
    let name = union.kinds.iter().find_map(|kind| kind.object.property("name"));
    match name.map(|property| property.schema) {
        Some(Schema::Enum(names)) => names,
        _ => &[],
    }
}

/// The refusal of a value that is not in an enum, with the models that take it and with values that are similar.
fn unsupported(command: &ImageCommand, model: &Model, flag: &Flag, values: &[&str], text: &str) -> Failure {
    let takes = |other: &Model| match flag.target(other.operation).map(|target| flag.kind(target)) {
        Some(Kind::Enum(values)) => values::find(values, text).is_some(),
        _ => false,
    };
    let others = command.flags_of(takes);
    let by = command.label(model);
    let mut short = closest(values, text);
    if text == values::LIST {
        let failure = Failure::usage(format!("{} takes one value: nothing was sent", flag.label(command)));
        let all: Vec<String> = values.iter().map(|value| size::short_name(value)).collect();
        return failure.hint(format!("with {by}, one of: {}", all.join(", ")));
    }
    let is_long = short.len() > MAX_SHOWN_VALUES;
    if is_long {
        short.truncate(MAX_SUGGESTIONS);
    } else {
        short = values.iter().map(|value| size::short_name(value)).collect();
    }
    let closest = if is_long { "one of the closest, such as" } else { "one of" };
    let failure = Failure::usage(format!("{} {text} is not supported by {by}: nothing was sent", flag.label(command)));
    let values = format!("use {closest}: {}", short.join(", "));
    if others.is_empty() {
        return failure.hint(values);
    }
    failure.hint(format!("use {}, which supports it", others.join(" or "))).hint(format!("with {by}, {values}"))
}

/// The largest size of a model that has an aspect ratio.
fn sized(command: &ImageCommand, model: &Model, flag: &Flag, text: &str) -> Result<Value, Failure> {
    if size::sides(text).is_none() {
        let what =
            format!("{} must be an aspect ratio such as 16:9, not {text}: nothing was sent", flag.label(command));
        return Err(Failure::usage(what));
    }
    let (_, sizes) = size::property(model.operation).unwrap_or_default();
    let size = size::largest(sizes, text);
    size.map(Value::from).ok_or_else(|| unsupported(command, model, flag, sizes, text))
}

/// `#FFD700`, or `#FFD700=0.5` with a weight.
pub(super) fn weighted<'a>(flag: &str, text: &'a str) -> Result<(&'a str, Option<f64>), Failure> {
    let Some((value, weight)) = text.split_once('=') else { return Ok((text, None)) };
    match weight.parse() {
        Ok(weight) => Ok((value, Some(weight))),
        Err(_) => Err(Failure::usage(format!("the weight of {flag} {text} is not a number: nothing was sent"))),
    }
}

pub(super) fn with_weight(mut value: Value, name: &str, weight: Option<f64>) -> Value {
    if let Some(weight) = weight {
        value[name] = json!(weight);
    }
    value
}
