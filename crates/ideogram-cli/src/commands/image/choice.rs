//! Which model is called, and what is refused because it does not take it.

use clap::ArgMatches;

use super::{
    flags::{FLAGS, Flag, Kind, MODEL, TRANSPARENT},
    table::{ImageCommand, Model},
};
use crate::{
    commands::values::{self, many},
    executable,
    failure::Failure,
    images::size,
};

/// Flags that do the same for other models.
const EQUIVALENT: [(&str, &str); 4] =
    [("resolution", "size"), ("size", "resolution"), ("rendering_speed", "quality"), ("quality", "rendering_speed")];

/// The model that was requested, or the default.
pub(super) fn choose(
    command: &'static ImageCommand,
    matches: &ArgMatches,
    flags: &[&Flag],
) -> Result<&'static Model, Failure> {
    let is_transparent = values::is_set(matches, TRANSPARENT);
    let requested = matches.try_get_one::<String>(MODEL).ok().flatten();
    let models = || command.models.iter().filter(|model| model.is_transparent == is_transparent);
    let is_named = |model: &&Model, name: &String| {
        model.name == name.as_str() || values::version_names(model.name).any(|other| other == *name)
    };
    let requested = requested.and_then(|name| command.models.iter().find(|model| is_named(model, name)));
    let name = requested.map(|model| model.name).or_else(|| {
        let is_implied = |model: &&Model| model.implied_by.is_some_and(|name| flags.iter().any(|it| it.name == name));
        models().find(is_implied).or_else(|| models().next()).map(|model| model.name)
    });
    let named = || models().filter(|model| Some(model.name) == name);
    let takes_all = |model: &&Model| flags.iter().all(|flag| flag.target(model.operation).is_some());
    let best = named().find(|model| takes_values(model, matches, flags)).or_else(|| named().find(takes_all));
    best.or_else(|| named().next()).ok_or_else(|| {
        let mut others: Vec<String> = models().map(|model| format!("--model {}", model.name)).collect();
        others.dedup();
        let name = name.unwrap_or_default();
        Failure::usage(format!("--transparent is not supported by --model {name}: nothing was sent"))
            .hint(format!("use {}", others.join(" or ")))
    })
}

/// Whether a model takes all flags with their values.
fn takes_values(model: &Model, matches: &ArgMatches, flags: &[&Flag]) -> bool {
    flags.iter().all(|flag| match flag.target(model.operation).map(|target| flag.kind(target)) {
        Some(Kind::Enum(values)) => {
            many::<String>(matches, flag.name).all(|text| text == values::LIST || values::find(values, text).is_some())
        }
        kind => kind.is_some(),
    })
}

/// Refuses flags that the model does not take, and names the models that do.
pub(super) fn check_flags(
    command: &ImageCommand,
    model: &Model,
    matches: &ArgMatches,
    flags: &[&Flag],
) -> Result<(), Failure> {
    let sets = |flag: &&Flag| flag.target(model.operation).map(|target| (target.property, flag.kind(target)));
    for flag in flags.iter().filter(|flag| sets(flag).is_some_and(|(_, kind)| kind == Kind::AspectRatio)) {
        let is_same =
            |other: &&&Flag| other.name != flag.name && sets(other).map(|it| it.0) == sets(flag).map(|it| it.0);
        if let Some(other) = flags.iter().find(is_same) {
            let (one, other) = (flag.label(command), other.label(command));
            return Err(Failure::usage(format!(
                "{one} and {other} both set the size: use one of them; nothing was sent"
            )));
        }
    }
    let takes = |model: &Model, flag: &Flag| flag.target(model.operation).is_some();
    if flags.iter().all(|flag| takes(model, flag)) {
        return Ok(());
    }
    let same = || command.models.iter().filter(|it| it.flags() == model.flags());
    let is_refused = |flag: &&Flag| !same().any(|model| takes(model, flag));
    let mut refused: Vec<&Flag> = flags.iter().copied().filter(is_refused).collect();
    let together = if refused.is_empty() { " together" } else { "" };
    if refused.is_empty() {
        // Each is taken by an operation of the model, and no operation takes all.
        refused = flags.iter().copied().filter(|flag| same().any(|model| !takes(model, flag))).collect();
    }
    let names: Vec<String> = refused.iter().map(|flag| flag.label(command)).collect();
    let (is, it) = if names.len() == 1 { ("is", "it") } else { ("are", "them") };
    let by = command.label(model);
    let default =
        if !command.has_models() || matches.contains_id(MODEL) || model.is_transparent { "" } else { ", the default" };
    let what = format!("{} {is} not supported{together} by {by}{default}: nothing was sent", names.join(", "));
    let failure = refused.iter().fold(Failure::usage(what), |failure, flag| match equivalent(model, matches, flag) {
        Some(other) => failure.hint(format!("with {by}, use {other}")),
        None => failure,
    });
    let that_take = |flags: &[&Flag]| command.flags_of(|model| flags.iter().all(|flag| takes(model, flag)));
    let also_transparent = |it: &Model| it.is_transparent == model.is_transparent || it.is_transparent;
    let verb = if command.has_models() && matches.contains_id(MODEL) { "use" } else { "add" };
    let with_values = command.flags_of(|it| also_transparent(it) && takes_values(it, matches, flags));
    if let Some(first) = with_values.first() {
        let command = executable::command_line_with(first);
        return Err(failure.hint(format!("{verb} {}, which takes {it}: {command}", with_values.join(" or "))));
    }
    let all = command.flags_of(|it| also_transparent(it) && flags.iter().all(|flag| takes(it, flag)));
    if !all.is_empty() {
        return Err(failure.hint(format!("{verb} {}, which takes {it}, with other values", all.join(" or "))));
    }
    let plain = that_take(flags);
    if !plain.is_empty() {
        return Err(failure.hint(format!(
            "leave out --transparent, and use {}, which takes {it}; `ideogram remove-background` cuts out the foreground",
            plain.join(" or ")
        )));
    }
    let hint = |failure: Failure, flag: &Flag| {
        let models = that_take(&[flag]);
        failure.hint(format!("{} is for {}", flag.label(command), models.join(" and ")))
    };
    Err(refused.into_iter().fold(failure, hint))
}

/// The flag of a model that does the same as one that it does not take, with its value if the model takes that.
fn equivalent(model: &Model, matches: &ArgMatches, refused: &Flag) -> Option<String> {
    let other = |name: &str| EQUIVALENT.iter().find_map(|(one, other)| (*one == name).then_some(*other));
    let flag = FLAGS.iter().find(|flag| Some(flag.name) == other(refused.name))?;
    let target = flag.target(model.operation)?;
    let wanted = many::<String>(matches, refused.name).next()?;
    let sizes = match flag.kind(target) {
        Kind::Enum(values) => values,
        _ => size::property(model.operation).map_or(&[][..], |(_, sizes)| sizes),
    };
    let value = match size::sides(wanted) {
        // The closest, which is the same if the model has it.
        Some(_) if !sizes.is_empty() => format!(" {}", values::closest(sizes, wanted).swap_remove(0)),
        _ if target.single().check_text(wanted).is_ok() => format!(" {wanted}"),
        _ => String::new(),
    };
    Some(format!("--{}{value}", flag.name.replace('_', "-")))
}
