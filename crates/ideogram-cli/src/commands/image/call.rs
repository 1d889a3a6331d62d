//! From the arguments of a command to its request.

use std::{error::Error as _, ffi::OsString, path::Path};

use clap::ArgMatches;
use ideogram_client::{DynamicCall, Error, File, Validation, request::Request, schema::Schema, validate::Violations};
use serde_json::{Map, Value, json};

use super::{
    choice::{check_flags, choose},
    flags::{FLAGS, Flag, Kind, Target, UNCHECKED},
    table::{ImageCommand, Model},
    value::{value, weighted, with_weight},
};
use crate::{
    commands::values::{is_set, many, text},
    executable,
    failure::Failure,
    images::{
        LEGACY_OBJECT,
        content::Content,
        custom_model, mask,
        prompt::Stdin,
        source::{SourceImages, check_mask, is_link},
        structured,
    },
    output::printable::shell_word,
    session::context::Context,
};

const PROMPT: &str = "prompt";
const IMAGES: &str = "images";
/// The property for images that are not edited.
const REFERENCES: &str = "reference_images";

/// Reads the arguments, and what they name; nothing is sent.
pub(super) async fn prepare(
    command: &'static ImageCommand,
    matches: &ArgMatches,
    context: &Context<'_>,
) -> Result<Request, Failure> {
    let last = prompt_after_images(command, matches)?;
    let is_given = |flag: &&Flag| flag.is_given(matches) || flag.name == PROMPT && last.is_some();
    let flags: Vec<&'static Flag> = FLAGS.iter().filter(is_given).collect();
    let model = choose(command, matches, &flags)?;
    check_flags(command, model, matches, &flags)?;
    let unchecked = is_set(matches, UNCHECKED);

    let call = context.client().call(model.operation.id).expect("the table names operations by their constants");
    let mut draft = CallInProgress { call, object: Map::new() };
    if unchecked {
        draft.call = draft.call.validation(Validation::Off);
    }
    if let Some((property, value)) = model.default {
        let is_given = |flag: &&Flag| flag.properties().contains(&property);
        if !flags.iter().any(is_given) {
            draft.call = draft.call.field(property, value);
        }
    }
    // Values come first: what is refused is refused before anything is read.
    for (flag, target) in targets(&flags, model) {
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
    for (flag, target) in targets(&flags, model).filter(|(flag, target)| flag.kind(*target) == Kind::CustomModel) {
        for text in many::<String>(matches, flag.name) {
            let value = if matches!(target.schema, Schema::Array { .. }) {
                let (name, weight) = weighted(&flag.label(command), text)?;
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
    for (flag, target) in targets(&flags, model) {
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
    for (flag, target) in targets(&flags, model).filter(|(flag, target)| flag.kind(*target) == Kind::Image) {
        let mut contents = Vec::new();
        let count = many::<OsString>(matches, flag.name).count() - usize::from(flag.name == IMAGES && last.is_some());
        for source in many::<OsString>(matches, flag.name).take(count) {
            contents.push((source.clone(), sources.read(source).await?));
        }
        if flag.properties().contains(&target.property) {
            images.push((target.property, contents));
        } else {
            let others = contents.split_off(contents.len().min(1));
            images.push((target.property, contents));
            images.push((REFERENCES, others));
        }
    }
    check_masks(command, &flags, &images).await?;
    for (flag, target) in targets(&flags, model).filter(|(flag, target)| flag.kind(*target) == Kind::File) {
        for path in many::<OsString>(matches, flag.name) {
            let file = File::from_path(path);
            file.inspect().await.map_err(|error| {
                let name = Path::new(path).display();
                Failure::local_io(format!("nothing was sent: \"{name}\" cannot be sent")).because(&error)
            })?;
            draft.call = draft.call.file(target.property, file);
        }
    }
    for (property, contents) in images {
        for (_, content) in contents {
            draft.call = draft.call.file(property, content.into_file());
        }
    }
    draft.finish(model).prepare().map_err(|error| refused(command, &flags, context, &error))
}

/// A call that is being filled.
struct CallInProgress<'a> {
    call: DynamicCall<'a>,
    /// The properties of [`LEGACY_OBJECT`].
    object: Map<String, Value>,
}

impl<'a> CallInProgress<'a> {
    fn set(&mut self, target: Target, value: Value) {
        if target.in_object {
            self.object.insert(target.property.to_owned(), value);
            return;
        }
        self.call = self.call.clone().field(target.property, text(&value));
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
    let words = images.iter().skip_while(|text| is_image(text)).map(|text| text.to_string_lossy());
    let words: Vec<_> = words.collect();
    let last = images.pop().ok_or_else(missing)?;
    if let [one, .., other] = words.as_slice() {
        // `PROMPT IMAGE`, or `IMAGE A PROMPT WITHOUT QUOTES`.
        let (images, prompt): (Vec<_>, Vec<_>) = many(matches, IMAGES).partition(|text: &&OsString| is_image(text));
        let prompt = prompt.iter().map(|text| text.to_string_lossy()).collect::<Vec<_>>().join(" ");
        let arguments: Vec<&OsString> = many(matches, IMAGES).collect();
        let images = images.into_iter().cloned();
        let line = executable::command_line_instead_of(&arguments, images.chain([prompt.into()]));
        let what = format!("`{one}` and `{other}` stand where one prompt belongs, after the images: nothing was sent");
        let line = line.map_or_else(String::new, |line| format!(": {line}"));
        return Err(Failure::usage(what).hint(format!("put the prompt in quotes, and last{line}")));
    }
    if is_image(last) && Path::new(last).is_dir() {
        let name = last.to_string_lossy();
        return Err(Failure::usage(format!("`{name}` is a folder, not a prompt or an image: nothing was sent"))
            .hint(format!("if it is the prompt: --prompt {}", shell_word(&name))));
    }
    if is_image(last) || images.is_empty() && !matches.contains_id("image_urls") {
        return Err(missing());
    }
    let prompt = last.to_str().ok_or_else(|| Failure::usage("the prompt is not UTF-8: nothing was sent"))?;
    Ok(Some(prompt.to_owned()))
}

/// Whether an argument is an image and not a prompt.
fn is_image(text: &OsString) -> bool {
    let (path, text) = (Path::new(text), text.to_string_lossy());
    // A name of one word with an extension is a file that is missing.
    let is_name = path.extension().is_some_and(|it| !it.is_empty()) && !text.contains(char::is_whitespace);
    path.exists() || is_name || text == "-" || is_link(&text)
}

/// The flags that a model takes, and what they set.
fn targets<'a>(flags: &'a [&'static Flag], model: &'a Model) -> impl Iterator<Item = (&'static Flag, Target)> + 'a {
    flags.iter().filter_map(|flag| Some((*flag, flag.target(model.operation)?)))
}

/// Checks that masks fit their images: a call with one that does not is paid for, and gives another result.
async fn check_masks(
    command: &ImageCommand,
    flags: &[&Flag],
    images: &[(&'static str, Vec<(OsString, Content)>)],
) -> Result<(), Failure> {
    let files = |property: &str| Some(images.iter().find(|(name, _)| *name == property)?.1.as_slice());
    let pairs = mask::pairs(files).map_err(|(property, problem)| {
        Failure::usage(format!("{} {problem}: nothing was sent", label(command, flags, property)))
    })?;
    for mask::Pair { kind, image: (_, image), mask: (source, mask), .. } in pairs {
        check_mask(kind, image.clone(), mask.clone(), source).await?;
    }
    Ok(())
}

/// The flag that sets a property, or the property.
fn label(command: &ImageCommand, flags: &[&Flag], property: &str) -> String {
    let mut setting = flags.iter().copied().chain(FLAGS).filter(|flag| flag.properties().contains(&property));
    setting.next().map_or_else(|| format!("`{property}`"), |flag| flag.label(command))
}

/// The refusal of a request, with the flags in place of the properties.
fn refused(command: &ImageCommand, flags: &[&Flag], context: &Context<'_>, error: &Error) -> Failure {
    let violations = error.source().and_then(|source| source.downcast_ref::<Violations>());
    let Some(violations) = violations else {
        return context.failure(command.action, error);
    };
    let label = |property: &str| label(command, flags, property);
    let reasons = violations.iter().map(|violation| {
        let property = violation.property();
        let property = property.strip_prefix(LEGACY_OBJECT).map_or(property, |inner| inner.trim_start_matches('.'));
        let property = property.split('.').next().unwrap_or_default();
        let quoted = |text: &str| {
            FLAGS
                .iter()
                .flat_map(Flag::properties)
                .fold(text.to_owned(), |text, name| text.replace(&format!("`{name}`"), &label(name)))
        };
        match property {
            "" => quoted(violation.reason()),
            _ => format!("{} {}", label(property), quoted(violation.reason())),
        }
    });
    Failure::usage(format!("{}: nothing was sent", reasons.collect::<Vec<_>>().join("; ")))
}
