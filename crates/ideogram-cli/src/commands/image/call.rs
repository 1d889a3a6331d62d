//! From the arguments of a command to its request.

use std::{error::Error as _, ffi::OsString, mem, path::Path};

use clap::ArgMatches;
use ideogram_client::{DynamicCall, Error, File, Validation, request::Request, schema::Schema, validate::Violations};
use serde_json::{Map, Value, json};

use super::{
    flags::{FLAGS, Flag, Kind, MODEL, TRANSPARENT, Target, UNCHECKED},
    table::{ImageCommand, Model},
};
use crate::{
    commands::values,
    executable,
    failure::Failure,
    images::{
        LEGACY_OBJECT,
        content::Content,
        custom_model, mask,
        prompt::Stdin,
        size,
        source::{SourceImages, check_mask},
        structured,
    },
    output::units,
    session::context::{Context, Wording},
};

const PROMPT: &str = "prompt";
const IMAGES: &str = "images";
/// The property for images that are not edited.
const REFERENCES: &str = "reference_images";
/// Lists of up to this many values are shown in whole.
const MAX_SHOWN_VALUES: usize = 20;
/// The value that shows all values.
const LIST: &str = "list";
/// Flags that do the same for other models.
const EQUIVALENT: [(&str, &str); 4] =
    [("resolution", "size"), ("size", "resolution"), ("rendering_speed", "quality"), ("quality", "rendering_speed")];
/// How many of a longer list are suggested.
const MAX_SUGGESTIONS: usize = 5;

/// Reads the arguments, and what they name; nothing is sent.
pub(super) async fn prepare(
    command: &'static ImageCommand,
    matches: &ArgMatches,
    context: &Context<'_>,
) -> Result<Request, Failure> {
    let last = prompt_after_images(command, matches)?;
    let is_given = |flag: &&Flag| flag.is_given(matches) || flag.name == PROMPT && last.is_some();
    let given: Vec<&'static Flag> = FLAGS.iter().filter(is_given).collect();
    let model = choose(command, matches, &given)?;
    check_flags(command, model, matches, &given)?;
    let unchecked = matches.try_get_one::<bool>(UNCHECKED).ok().flatten().is_some_and(|unchecked| *unchecked);

    let call = context.client().call(model.operation.id).expect("the table names operations by their constants");
    let mut draft = Draft { call, object: Map::new() };
    if unchecked {
        draft.call = draft.call.validation(Validation::Off);
    }
    if let Some((property, value)) = model.default {
        let is_given = |flag: &&Flag| flag.properties.contains(&property);
        if !given.iter().any(is_given) {
            draft.call = draft.call.field(property, value);
        }
    }
    // Values come first: what is refused is refused before anything is read.
    for (flag, target) in targets(&given, model) {
        let texts = || many::<String>(matches, flag.name);
        match flag.kind(target) {
            Kind::Number | Kind::Enum(_) | Kind::AspectRatio | Kind::Palette | Kind::Text => {
                for text in texts() {
                    draft.set(target, value(command, model, flag, target, text)?);
                }
            }
            Kind::Switch => draft.set(target, Value::Bool(true)),
            Kind::Color => {
                let members = texts().map(|text| weighted("--color-hex", text)).collect::<Result<Vec<_>, _>>()?;
                let member = |(hex, weight): (&str, Option<f64>)| {
                    let hex = format!("#{}", hex.strip_prefix('#').unwrap_or(hex));
                    with_weight(json!({ "color_hex": hex }), "color_weight", weight)
                };
                draft.set(target, json!({ "members": members.into_iter().map(member).collect::<Vec<_>>() }));
            }
            Kind::CustomModel | Kind::Prompt | Kind::StructuredPrompt | Kind::Image | Kind::File => {}
        }
    }
    for (flag, target) in targets(&given, model).filter(|(flag, target)| flag.kind(*target) == Kind::CustomModel) {
        for text in many::<String>(matches, flag.name) {
            let value = if matches!(target.schema, Schema::Array { .. }) {
                let (name, weight) = weighted(&flag.shown(command), text)?;
                with_weight(json!({ "custom_model_uri": custom_model::uri(context, name).await? }), "weight", weight)
            } else {
                value(command, model, flag, target, &custom_model::uri(context, text).await?)?
            };
            draft.set(target, value);
        }
    }
    let stdin = Stdin::default();
    let sources = SourceImages::new(context, &stdin);
    let mut images: Vec<(&'static str, Vec<(OsString, Content)>)> = Vec::new();
    for (flag, target) in targets(&given, model) {
        match flag.kind(target) {
            Kind::Prompt => {
                for text in many::<String>(matches, flag.name).chain(&last) {
                    draft.set(target, stdin.prompt(text).await?.into());
                }
            }
            Kind::StructuredPrompt => {
                for path in many::<OsString>(matches, flag.name) {
                    // As it was written: a model reads the properties of a structured prompt in their order.
                    let text = structured::read(Path::new(path), &stdin, unchecked).await?;
                    draft.call = draft.call.field(target.property, text);
                }
            }
            _ => {}
        }
    }
    for (flag, target) in targets(&given, model).filter(|(flag, target)| flag.kind(*target) == Kind::Image) {
        let mut contents = Vec::new();
        let count = many::<OsString>(matches, flag.name).count() - usize::from(flag.name == IMAGES && last.is_some());
        for source in many::<OsString>(matches, flag.name).take(count) {
            contents.push((source.clone(), sources.read(source).await?));
        }
        if flag.properties.contains(&target.property) {
            images.push((target.property, contents));
        } else {
            let others = contents.split_off(contents.len().min(1));
            images.push((target.property, contents));
            images.push((REFERENCES, others));
        }
    }
    check_masks(&mut images).await?;
    for (flag, target) in targets(&given, model).filter(|(flag, target)| flag.kind(*target) == Kind::File) {
        for path in many::<OsString>(matches, flag.name) {
            let file = File::from_path(path);
            file.inspect().await.map_err(|error| {
                let shown = Path::new(path).display();
                Failure::local_io(format!("nothing was sent: \"{shown}\" cannot be sent")).because(&error)
            })?;
            draft.call = draft.call.file(target.property, file);
        }
    }
    for (property, contents) in images {
        for (_, content) in contents {
            draft.call = draft.call.file(property, content.into_file());
        }
    }
    draft.finish(model).prepare().map_err(|error| refused(command, &given, context, &error))
}

/// A call that is being filled.
struct Draft<'a> {
    call: DynamicCall<'a>,
    /// The properties of [`LEGACY_OBJECT`].
    object: Map<String, Value>,
}

impl<'a> Draft<'a> {
    fn set(&mut self, target: Target, value: Value) {
        if target.in_object {
            self.object.insert(target.property.to_owned(), value);
            return;
        }
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        self.call = self.call.clone().field(target.property, text);
    }

    fn finish(self, model: &Model) -> DynamicCall<'a> {
        if model.operation.inputs.iter().any(|input| input.name == LEGACY_OBJECT) {
            self.call.field(LEGACY_OBJECT, Value::Object(self.object))
        } else {
            self.call
        }
    }
}

/// The prompt, where it stands as an argument after several images.
fn prompt_after_images(command: &ImageCommand, matches: &ArgMatches) -> Result<Option<String>, Failure> {
    if !command.arguments.contains(&IMAGES) || matches.contains_id(PROMPT) {
        return Ok(None);
    }
    let missing = || {
        Failure::usage("the prompt is missing: nothing was sent")
            .hint(format!("put it in quotes after the images: ideogram {} IMAGE \"WHAT TO CHANGE\"", command.name))
    };
    let mut images: Vec<&OsString> = many(matches, IMAGES).collect();
    let last = images.pop().ok_or_else(missing)?;
    let is_image = |text: &OsString| {
        let (path, text) = (Path::new(text), text.to_string_lossy());
        // A name of one word with an extension is a file that is missing.
        let is_name = path.extension().is_some_and(|it| !it.is_empty()) && !text.contains(char::is_whitespace);
        path.exists() || is_name || text == "-" || text.starts_with("https://")
    };
    if is_image(last) || images.is_empty() && !matches.contains_id("image_urls") {
        return Err(missing());
    }
    let prompt = last.to_str().ok_or_else(|| Failure::usage("the prompt is not UTF-8: nothing was sent"))?;
    Ok(Some(prompt.to_owned()))
}

/// The flags that a model takes, and what they set.
fn targets<'a>(given: &'a [&'static Flag], model: &'a Model) -> impl Iterator<Item = (&'static Flag, Target)> + 'a {
    given.iter().filter_map(|flag| Some((*flag, flag.target(model.operation)?)))
}

fn many<'a, T: Clone + Send + Sync + 'static>(matches: &'a ArgMatches, id: &str) -> impl Iterator<Item = &'a T> {
    matches.get_many::<T>(id).into_iter().flatten()
}

/// The model that was requested, or the default.
fn choose(command: &'static ImageCommand, matches: &ArgMatches, given: &[&Flag]) -> Result<&'static Model, Failure> {
    let is_transparent = matches.try_get_one::<bool>(TRANSPARENT).ok().flatten().is_some_and(|it| *it);
    let requested = matches.try_get_one::<String>(MODEL).ok().flatten();
    let models = || command.models.iter().filter(|model| model.is_transparent == is_transparent);
    let is_named = |model: &&Model, name: &String| {
        model.name == name.as_str() || values::version_names(model.name).any(|other| other == *name)
    };
    let requested = requested.and_then(|name| command.models.iter().find(|model| is_named(model, name)));
    let name = requested.map(|model| model.name).or_else(|| {
        let is_implied = |model: &&Model| model.implied_by.is_some_and(|name| given.iter().any(|it| it.name == name));
        models().find(is_implied).or_else(|| models().next()).map(|model| model.name)
    });
    let named = || models().filter(|model| Some(model.name) == name);
    let takes_all = |model: &&Model| given.iter().all(|flag| flag.target(model.operation).is_some());
    let best = named().find(|model| takes_values(model, matches, given)).or_else(|| named().find(takes_all));
    best.or_else(|| named().next()).ok_or_else(|| {
        let mut others: Vec<String> = models().map(|model| format!("--model {}", model.name)).collect();
        others.dedup();
        let name = name.unwrap_or_default();
        Failure::usage(format!("--transparent is not supported by --model {name}: nothing was sent"))
            .hint(format!("use {}", others.join(" or ")))
    })
}

/// Whether a model takes all flags with their values.
fn takes_values(model: &Model, matches: &ArgMatches, given: &[&Flag]) -> bool {
    given.iter().all(|flag| match flag.target(model.operation).map(|target| flag.kind(target)) {
        Some(Kind::Enum(values)) => many::<String>(matches, flag.name).all(|text| values::find(values, text).is_some()),
        kind => kind.is_some(),
    })
}

/// The flags that choose a model that can do something. Where a model can do it anyway, `--transparent` is left out.
fn flags_of(command: &ImageCommand, can: impl Fn(&Model) -> bool) -> Vec<String> {
    let is_plain = |name: &str| command.models.iter().any(|it| it.name == name && !it.is_transparent && can(it));
    let models = command.models.iter().filter(|it| can(it) && !(it.is_transparent && is_plain(it.name)));
    let mut flags: Vec<String> = Vec::new();
    for model in models.map(Model::flags) {
        if !flags.contains(&model) {
            flags.push(model);
        }
    }
    flags
}

/// Refuses flags that the model does not take, and names the models that do.
fn check_flags(command: &ImageCommand, model: &Model, matches: &ArgMatches, given: &[&Flag]) -> Result<(), Failure> {
    let sets = |flag: &&Flag| flag.target(model.operation).map(|target| (target.property, flag.kind(target)));
    for flag in given.iter().filter(|flag| sets(flag).is_some_and(|(_, kind)| kind == Kind::AspectRatio)) {
        let is_same =
            |other: &&&Flag| other.name != flag.name && sets(other).map(|it| it.0) == sets(flag).map(|it| it.0);
        if let Some(other) = given.iter().find(is_same) {
            let (one, other) = (flag.shown(command), other.shown(command));
            return Err(Failure::usage(format!(
                "{one} and {other} both set the size: use one of them; nothing was sent"
            )));
        }
    }
    let takes = |model: &Model, flag: &Flag| flag.target(model.operation).is_some();
    if given.iter().all(|flag| takes(model, flag)) {
        return Ok(());
    }
    let same = || command.models.iter().filter(|it| it.flags() == model.flags());
    let is_refused = |flag: &&Flag| !same().any(|model| takes(model, flag));
    let mut refused: Vec<&Flag> = given.iter().copied().filter(is_refused).collect();
    let together = if refused.is_empty() { " together" } else { "" };
    if refused.is_empty() {
        // Each is taken by an operation of the model, and no operation takes all.
        refused = given.iter().copied().filter(|flag| same().any(|model| !takes(model, flag))).collect();
    }
    let names: Vec<String> = refused.iter().map(|flag| flag.shown(command)).collect();
    let (is, it) = if names.len() == 1 { ("is", "it") } else { ("are", "them") };
    let by = command.shown(model);
    let default =
        if !command.has_models() || matches.contains_id(MODEL) || model.is_transparent { "" } else { ", the default" };
    let what = format!("{} {is} not supported{together} by {by}{default}: nothing was sent", names.join(", "));
    let failure = refused.iter().fold(Failure::usage(what), |failure, flag| match equivalent(model, matches, flag) {
        Some(other) => failure.hint(format!("with {by}, use {other}")),
        None => failure,
    });
    let that_take = |flags: &[&Flag]| flags_of(command, |model| flags.iter().all(|flag| takes(model, flag)));
    let also_transparent = |it: &Model| it.is_transparent == model.is_transparent || it.is_transparent;
    let verb = if command.has_models() && matches.contains_id(MODEL) { "use" } else { "add" };
    let with_values = flags_of(command, |it| also_transparent(it) && takes_values(it, matches, given));
    if let Some(first) = with_values.first() {
        let command = executable::command_line_with(first);
        return Err(failure.hint(format!("{verb} {}, which takes {it}: {command}", with_values.join(" or "))));
    }
    let all = flags_of(command, |it| also_transparent(it) && given.iter().all(|flag| takes(it, flag)));
    if !all.is_empty() {
        return Err(failure.hint(format!("{verb} {}, which takes {it}, with other values", all.join(" or "))));
    }
    let plain = that_take(given);
    if !plain.is_empty() {
        return Err(failure.hint(format!(
            "leave out --transparent, and use {}, which takes {it}; `ideogram remove-background` cuts out the foreground",
            plain.join(" or ")
        )));
    }
    let hint = |failure: Failure, flag: &Flag| {
        let models = that_take(&[flag]);
        failure.hint(format!("{} is for {}", flag.shown(command), models.join(" and ")))
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
        Some(_) if !sizes.is_empty() => format!(" {}", closest(sizes, wanted).swap_remove(0)),
        _ if target.single().check_text(wanted).is_ok() => format!(" {wanted}"),
        _ => String::new(),
    };
    Some(format!("--{}{value}", flag.name.replace('_', "-")))
}

/// The value of a flag as the operation takes it.
fn value(command: &ImageCommand, model: &Model, flag: &Flag, target: Target, text: &str) -> Result<Value, Failure> {
    let sizes = || size::property(model.operation).map_or(&[][..], |(_, sizes)| sizes);
    match flag.kind(target) {
        Kind::AspectRatio | Kind::Text if text == LIST && size::SIZES.contains(&target.property) => {
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
        let failure = Failure::usage(format!("{} {reason}: nothing was sent", flag.shown(command)));
        match size::sides(text).filter(|_| size::SIZES.contains(&target.property)) {
            Some(_) => failure.hint(format!("for an aspect ratio, use --aspect-ratio {text}")),
            None => failure,
        }
    })?;
    if flag.kind(target) == Kind::Number {
        let number = text.trim().parse::<i64>();
        return number.map(Value::from).map_err(|_| {
            Failure::usage(format!("{} must be a whole number, not {text}: nothing was sent", flag.shown(command)))
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
    let others = flags_of(command, takes);
    let by = command.shown(model);
    let mut short = closest(values, text);
    if text == LIST {
        let failure = Failure::usage(format!("{} takes one value: nothing was sent", flag.shown(command)));
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
    let failure = Failure::usage(format!("{} {text} is not supported by {by}: nothing was sent", flag.shown(command)));
    let values = format!("use {closest}: {}", short.join(", "));
    if others.is_empty() {
        return failure.hint(values);
    }
    failure.hint(format!("use {}, which supports it", others.join(" or "))).hint(format!("with {by}, {values}"))
}

/// The names of values, beginning with the closest: by aspect ratio and area, or by spelling.
fn closest(values: &[&str], text: &str) -> Vec<String> {
    let mut names: Vec<String> = values.iter().map(|value| size::short_name(value)).collect();
    if let Some(wanted) = size::sides(text) {
        let distance = |name: &String| size::sides(name).map_or(f64::MAX, |size| distance(size, wanted));
        names.sort_by(|one, other| distance(one).total_cmp(&distance(other)));
    } else {
        let similarity = |name: &String| strsim::jaro_winkler(&name.to_lowercase(), &text.to_lowercase());
        names.sort_by(|one, other| similarity(other).total_cmp(&similarity(one)));
    }
    names
}

/// The largest size of a model that has an aspect ratio.
fn sized(command: &ImageCommand, model: &Model, flag: &Flag, text: &str) -> Result<Value, Failure> {
    if size::sides(text).is_none() {
        let what =
            format!("{} must be an aspect ratio such as 16:9, not {text}: nothing was sent", flag.shown(command));
        return Err(Failure::usage(what));
    }
    let (_, sizes) = size::property(model.operation).unwrap_or_default();
    let size = size::largest(sizes, text);
    size.map(Value::from).ok_or_else(|| unsupported(command, model, flag, sizes, text))
}

/// How different two sizes are: their aspect ratios first.
fn distance(one: (f64, f64), other: (f64, f64)) -> f64 {
    let area = ((one.0 * one.1) / (other.0 * other.1)).ln().abs();
    4.0 * size::ratio_difference(one, other) + if other.0 < 100.0 { 0.0 } else { area }
}

/// `#FFD700`, or `#FFD700=0.5` with a weight.
fn weighted<'a>(flag: &str, text: &'a str) -> Result<(&'a str, Option<f64>), Failure> {
    let Some((value, weight)) = text.split_once('=') else { return Ok((text, None)) };
    match weight.parse() {
        Ok(weight) => Ok((value, Some(weight))),
        Err(_) => Err(Failure::usage(format!("the weight of {flag} {text} is not a number: nothing was sent"))),
    }
}

fn with_weight(mut value: Value, name: &str, weight: Option<f64>) -> Value {
    if let Some(weight) = weight {
        value[name] = json!(weight);
    }
    value
}

/// Checks that masks fit their images: a call with one that does not is paid for, and gives another result.
async fn check_masks(images: &mut [(&'static str, Vec<(OsString, Content)>)]) -> Result<(), Failure> {
    for (of, mask, kind) in mask::PAIRS {
        let Some(masks) = images.iter().position(|(property, _)| property == mask) else { continue };
        let Some(masked) = images.iter().position(|(property, _)| of.contains(property)) else {
            return Err(Failure::usage("a mask is given without its image: nothing was sent"));
        };
        let (image_count, mask_count) = (images[masked].1.len() as u64, images[masks].1.len() as u64);
        // Of several images that are edited together, the mask is that of the first.
        if image_count != mask_count && *kind == mask::Kind::Reference {
            let counts = format!("{} for {}", units::count(mask_count, "mask"), units::count(image_count, "image"));
            return Err(Failure::usage(format!("{counts}: nothing was sent"))
                .hint("give one mask for each image, in the same order"));
        }
        let given_masks = mem::take(&mut images[masks].1);
        let mut first = mem::take(&mut images[masked].1);
        let mut rest = first.split_off(given_masks.len().min(first.len()));
        let mut checked = Vec::new();
        for ((image_source, image), (mask_source, mask)) in first.into_iter().zip(given_masks) {
            let (image, mask) = check_mask(*kind, image, mask, &mask_source).await?;
            checked.push((image_source, image));
            images[masks].1.push((mask_source, mask));
        }
        checked.append(&mut rest);
        images[masked].1 = checked;
    }
    Ok(())
}

/// The refusal of a request, with the flags in place of the properties.
fn refused(command: &ImageCommand, given: &[&Flag], context: &Context<'_>, error: &Error) -> Failure {
    let violations = error.source().and_then(|source| source.downcast_ref::<Violations>());
    let Some(violations) = violations else {
        return context.failure(Wording { action: command.action, inspect: "" }, error);
    };
    let shown = |property: &str| {
        let flags = || given.iter().copied().chain(FLAGS).filter(|flag| flag.properties.contains(&property));
        flags().next().map_or_else(|| format!("`{property}`"), |flag| flag.shown(command))
    };
    let reasons = violations.iter().map(|violation| {
        let property = violation.property();
        let property = property.strip_prefix(LEGACY_OBJECT).map_or(property, |inner| inner.trim_start_matches('.'));
        let property = property.split('.').next().unwrap_or_default();
        let quoted = |text: &str| {
            FLAGS
                .iter()
                .flat_map(|flag| flag.properties)
                .fold(text.to_owned(), |text, name| text.replace(&format!("`{name}`"), &shown(name)))
        };
        match property {
            "" => quoted(violation.reason()),
            _ => format!("{} {}", shown(property), quoted(violation.reason())),
        }
    });
    Failure::usage(format!("{}: nothing was sent", reasons.collect::<Vec<_>>().join("; ")))
}
