//! The flags of the commands that make images: one row each.
//!
//! A flag has the name of the property that it sets, with hyphens for underscores. A command offers it if one of its
//! models takes the property; types, values and bounds are those of the document.

use std::{ffi::OsString, slice};

use clap::{Arg, ArgAction, ArgMatches, builder::PossibleValue};
use ideogram_client::{
    operation::{Location, Operation},
    schema::Schema,
    types::ColorPalettePresetName,
};

use super::table::{ImageCommand, Model};
use crate::{
    commands::values::{Known, version_names},
    images::{legacy_properties, size, structured},
};

/// The flag that `--model` stands before.
const FIRST_OPTION: &str = "json_prompt";
pub(super) const MODEL: &str = "model";
pub(super) const TRANSPARENT: &str = "transparent";
pub(super) const UNCHECKED: &str = "unchecked";
/// What `-h` shows; `--help` shows all.
const ESSENTIAL: &str =
    "prompt images mask custom_model quality num_images seed size resolution aspect_ratio rendering_speed style_preset";
/// The help shows at most this many values of a flag.
const MAX_LISTED: usize = 16;

/// A flag that sets a property.
#[derive(Debug)]
pub(super) struct Flag {
    /// Its id; its name has hyphens for underscores.
    pub(super) name: &'static str,
    /// The names that operations have for the property, if its name is not the only one.
    other_properties: &'static [&'static str],
    value_name: &'static str,
    /// Bounds, values, defaults and models are added to it.
    help: &'static str,
    /// The default in words, if the document has none.
    by_service: &'static str,
}

/// What the value of a flag is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A prompt, or `-`.
    Prompt,
    /// The file of a structured prompt, or `-`.
    StructuredPrompt,
    /// A path, `-` or a link.
    Image,
    /// The path of a file that is not an image.
    File,
    /// `true` if the flag is there.
    Switch,
    Number,
    /// A value of an enum.
    Enum(&'static [&'static str]),
    /// An aspect ratio, for which a size is chosen.
    AspectRatio,
    /// The name of a palette.
    Palette,
    /// A color, with or without a weight.
    Color,
    /// A custom model by URI, name or id; one of several with or without a weight.
    CustomModel,
    Text,
}

/// The property that a flag sets in an operation.
#[derive(Clone, Copy, Debug)]
pub(super) struct Target {
    pub(super) property: &'static str,
    /// Whether it is in the object of legacy operations.
    pub(super) in_object: bool,
    pub(super) schema: &'static Schema,
    required: bool,
    default: Option<&'static str>,
}

impl Target {
    /// The schema of a single value.
    pub(super) fn single(self) -> &'static Schema {
        match self.schema {
            Schema::Array { items, .. } => items,
            schema => schema,
        }
    }
}

const fn flag(name: &'static str, value_name: &'static str, help: &'static str) -> Flag {
    Flag { name, other_properties: &[], value_name, help, by_service: "" }
}

/// In the order of the help.
pub(super) const FLAGS: &[Flag] = &[
    flag("image", "IMAGE", "The image: a path, `-` for standard input, or an https link; JPEG, PNG or WebP")
        .setting(&["image", "image_file"]),
    flag("images", "IMAGES", "The images: paths, `-` for standard input, or https links; JPEG, PNG or WebP"),
    flag("prompt", "PROMPT", "").setting(&["prompt", "text_prompt"]),
    flag("reference_images", "IMAGE", "An image to refer to, as images after the first are; can be repeated"),
    flag("mask", "IMAGE", "The mask: black is repainted, white is kept; it has the size of the image"),
    flag("json_prompt", "FILE", "A structured prompt in place of PROMPT: a JSON file, or `-` for standard input"),
    flag("upscale_factor", "FACTOR", "Enlarges the result; more costs more"),
    flag("custom_model", "MODEL", "A trained model: its URI, name or id, as `ideogram models list` shows them")
        .setting(&["custom_model_uri"]),
    flag("image_weight", "NUMBER", "How much of the image is kept")
        .without_default("the service decides by the prompt"),
    flag(
        "size",
        "SIZE",
        "Size in pixels, such as 2048x2048; `auto`; `source`, as the first of --images; `list` shows them",
    ),
    flag("quality", "QUALITY", "How carefully to draw, which sets the price")
        .without_default("high, or medium if images are edited"),
    flag("output_resolution", "SIZE", "How large the image is; more costs more"),
    flag(
        "stacked_custom_models",
        "MODEL[=WEIGHT]",
        "Another custom model for the same image, with a weight; can be repeated",
    ),
    flag("resemblance", "NUMBER", "How close to stay to the image"),
    flag("detail", "NUMBER", "How much detail to add"),
    flag(
        "image_urls",
        "LINK",
        "A link of Ideogram's own to an image that the service has; can be repeated. Other links are given as \
         IMAGES: this machine fetches them and sends the images",
    ),
    flag("negative_prompt", "TEXT", "What to leave out of the image; the prompt takes precedence"),
    flag("private", "", "Show the result to nobody else").without_default("as the plan of the account says"),
    flag("transparent_background", "", "Make the background transparent"),
    flag(
        "enable_copyright_detection",
        "",
        "Detect likenesses and logos, which takes longer and may withhold the image",
    ),
    flag("num_images", "NUMBER", "How many images to make; each one is billed"),
    flag("font_candidate_files", "FONT", "A font that the text may be set in; can be repeated"),
    flag("seed", "NUMBER", "Seed of the random numbers; the same seed creates the same image again"),
    flag("resolution", "SIZE", "Size in pixels, such as 1024x1024; `list` shows those of the model"),
    flag(
        "aspect_ratio",
        "RATIO",
        "Aspect ratio, such as 16:9; where the model takes only sizes, the largest one with it",
    ),
    flag("rendering_speed", "SPEED", "Trades quality for time, and sets the price"),
    flag("magic_prompt", "OPTION", "Whether the service may rewrite the prompt")
        .setting(&["magic_prompt", "magic_prompt_option"]),
    flag("style_type", "TYPE", "Broad family of styles"),
    flag("style_preset", "NAME", "A named style; `list` shows all"),
    flag("style_codes", "CODE", "A style by its code; can be repeated"),
    flag("style_reference_images", "IMAGE", "An image with the style to use; can be repeated"),
    flag("color_palette", "NAME", "Colors to prefer, by the name of a palette"),
    flag("color_hex", "#RRGGBB[=WEIGHT]", "A color to prefer: #FFD700, or #FFD700=0.5 with a weight; can be repeated")
        .setting(&["color_palette"]),
    flag("character_reference_images", "IMAGE", "An image of the character to keep; billed at a rate of its own"),
    flag(
        "character_reference_images_mask",
        "IMAGE",
        "Which part of the character's image counts: a grayscale image of the same size",
    ),
    flag("webhook_url", "URL", "An https address that the service calls when the images are made"),
    flag("legacy_model", "NAME", "The legacy model, with `--model legacy`").setting(&["model"]),
];

impl Flag {
    const fn setting(self, other_properties: &'static [&'static str]) -> Self {
        Self { other_properties, ..self }
    }

    const fn without_default(self, by_service: &'static str) -> Self {
        Self { by_service, ..self }
    }

    /// The property, under each name that operations have for it.
    pub(super) fn properties(&self) -> &[&'static str] {
        if self.other_properties.is_empty() { slice::from_ref(&self.name) } else { self.other_properties }
    }

    /// As the user writes it: `--num-images`, or `PROMPT` for an argument without a name.
    pub(super) fn label(&self, command: &ImageCommand) -> String {
        if command.arguments.contains(&self.name) { self.name.to_uppercase() } else { format!("--{}", long(self.name)) }
    }

    /// What it sets in an operation; `None` if the operation does not take it.
    pub(super) fn target(&self, operation: &'static Operation) -> Option<Target> {
        let body = || operation.inputs.iter().filter(|input| input.location == Location::Body);
        // Some operations take a structured prompt as text, tell the first of several images from the others, or take
        // sizes and no aspect ratios.
        let is_other = |name: &str| match self.name {
            "json_prompt" => name == "prompt" && structured::is_in_prompt(operation),
            "images" => name == "image" && body().any(|input| input.name == "reference_images"),
            "aspect_ratio" => size::SIZES.contains(&name) && size::property(operation).is_some(),
            _ => false,
        };
        let is_named = |name: &str| self.properties().contains(&name) || is_other(name);
        if let Some(input) = body().find(|input| is_named(input.name)) {
            let (schema, required, default) = (input.schema, input.required, input.default);
            return Some(Target { property: input.name, in_object: false, schema, required, default });
        }
        let property = legacy_properties(operation).iter().find(|property| is_named(property.name))?;
        let (schema, required, default) = (property.schema, property.required, property.default);
        Some(Target { property: property.name, in_object: true, schema, required, default })
    }

    pub(super) fn kind(&self, target: Target) -> Kind {
        match (self.name, target.single()) {
            ("prompt", _) => Kind::Prompt,
            ("json_prompt", _) => Kind::StructuredPrompt,
            ("color_palette", _) => Kind::Palette,
            ("aspect_ratio", _) if target.property != self.name => Kind::AspectRatio,
            ("color_hex", _) => Kind::Color,
            ("custom_model" | "stacked_custom_models", _) => Kind::CustomModel,
            ("font_candidate_files", _) => Kind::File,
            (_, Schema::File) => Kind::Image,
            (_, Schema::Boolean) => Kind::Switch,
            (_, Schema::Integer { .. }) => Kind::Number,
            (_, Schema::Enum(values)) => Kind::Enum(values),
            _ => Kind::Text,
        }
    }

    pub(super) fn is_given(&self, matches: &ArgMatches) -> bool {
        matches.try_contains_id(self.name).is_ok()
            && matches.value_source(self.name) == Some(clap::parser::ValueSource::CommandLine)
    }

    /// The argument of a command; `None` if none of its models takes it.
    fn argument(&'static self, command: &'static ImageCommand) -> Option<Arg> {
        // `images` replaces `image` in commands that take several.
        if self.name == "image" && command.arguments.contains(&"images") {
            return None;
        }
        let targets: Vec<(&Model, Target)> =
            command.models.iter().filter_map(|model| Some((model, self.target(model.operation)?))).collect();
        let first = targets.first()?.1;
        let is_required = |(model, target): &(&Model, Target)| {
            target.required
                && self.kind(*target) != Kind::AspectRatio
                && model.default.is_none_or(|it| it.0 != target.property)
        };
        let is_repeated =
            targets.iter().any(|(_, target)| matches!(target.schema, Schema::Array { .. })) || self.name == "color_hex";
        let mut argument = Arg::new(self.name).help(self.help(command, &targets)).value_name(self.value_name);
        argument = argument.hide_short_help(
            ESSENTIAL.split(' ').all(|name| name != self.name) && !command.arguments.contains(&self.name),
        );
        if !command.arguments.contains(&self.name) {
            argument = argument.long(long(self.name));
            argument = match self.name {
                "num_images" => argument.short('n'),
                "prompt" => argument.short('p'),
                _ => argument,
            };
        }
        argument = match command.required_unless.iter().find(|(name, _)| *name == self.name) {
            Some((_, other)) => argument.required_unless_present(*other),
            // It may stand after the images.
            None if self.name == "prompt" && command.arguments.contains(&"images") => argument,
            None if targets.len() < command.models.len() || !targets.iter().all(is_required) => argument,
            None if size::SIZES.contains(&self.name) => argument.required_unless_present(size::ASPECT_RATIO),
            None => argument.required(true),
        };
        let is_path = matches!(self.kind(first), Kind::Image | Kind::File | Kind::StructuredPrompt);
        argument = match self.kind(first) {
            Kind::Switch => return Some(argument.action(ArgAction::SetTrue)),
            Kind::Number => argument.allow_negative_numbers(true),
            Kind::Enum(_) | Kind::AspectRatio => {
                argument.value_parser(self.values(&targets)).hide_possible_values(true)
            }
            Kind::Palette => {
                argument.value_parser(self.values(&targets)).hide_possible_values(true).conflicts_with("color_hex")
            }
            _ if is_path => argument.value_parser(clap::value_parser!(OsString)),
            _ => argument,
        };
        Some(match (is_repeated, command.arguments.contains(&self.name)) {
            (false, _) => argument,
            (true, false) => argument.action(ArgAction::Append),
            (true, true) => argument.num_args(1..),
        })
    }

    /// Its values in the help, of all models.
    fn values(&self, targets: &[(&Model, Target)]) -> Known {
        let values = targets.iter().flat_map(|(_, target)| match self.kind(*target) {
            Kind::Enum(values) => values.iter().map(|value| size::short_name(value).to_lowercase()).collect(),
            Kind::Palette => ColorPalettePresetName::ALL.iter().map(|name| name.as_str().to_lowercase()).collect(),
            _ => Vec::new(),
        });
        Known::new(values)
    }

    /// What is taken without it, with the models if that differs.
    fn default(&self, command: &ImageCommand, targets: &[(&Model, Target)]) -> Option<String> {
        let default = |model: &Model, target: Target| {
            let of_command = model.default.filter(|(property, _)| *property == target.property).map(|(_, value)| value);
            let value = of_command.or(target.default).map(|value| size::short_name(value).to_lowercase());
            // A switch is off, and the default of an aspect ratio is that of the size.
            let is_silent =
                |value: &str| value == "auto" || matches!(self.kind(target), Kind::Switch | Kind::AspectRatio);
            match value {
                Some(value) if is_silent(&value) => String::new(),
                Some(value) => value,
                None => self.by_service.to_owned(),
            }
        };
        // The first operation of a model is called if the flag is not there.
        let (mut models, mut defaults) = (Vec::new(), Vec::new());
        for (model, target) in targets {
            if !models.contains(&model.flags()) {
                models.push(model.flags());
                defaults.push(default(model, *target));
            }
        }
        let mut distinct: Vec<&String> = defaults.iter().collect();
        distinct.sort();
        distinct.dedup();
        if let [only] = distinct[..] {
            return Some(only.clone()).filter(|only| !only.is_empty());
        }
        let groups = distinct.into_iter().filter(|value| !value.is_empty()).map(|value| {
            let has =
                |model: &Model| models.iter().zip(&defaults).any(|(it, other)| *it == model.flags() && other == value);
            format!("{value} with {}", command.flags_of(has).join(", ").replace("--model ", ""))
        });
        Some(groups.collect::<Vec<_>>().join("; "))
    }

    /// What it does, its bounds or values, its default, and the models that take it unless all do.
    fn help(&self, command: &ImageCommand, targets: &[(&Model, Target)]) -> String {
        let mut help = match self.name {
            "prompt" => format!("{}; `-` reads it from standard input", command.prompt),
            _ => self.help.to_owned(),
        };
        let values = self.values(targets);
        let values = values.names();
        let allowed = match targets.first() {
            Some((_, Target { schema: Schema::Integer { minimum: Some(minimum), maximum: Some(maximum) }, .. })) => {
                format!(", {minimum} to {maximum}")
            }
            _ if !values.is_empty() && values.len() <= MAX_LISTED => format!(": {}", values.join(", ")),
            _ => String::new(),
        };
        help.insert_str(help.find([';']).unwrap_or(help.len()), &allowed);
        if let Some(default) = self.default(command, targets) {
            help.push_str(&format!(" [default: {default}]"));
        }
        let takes = |model: &Model| targets.iter().any(|(it, _)| it.flags() == model.flags());
        if command.models.iter().any(|model| !takes(model)) {
            let models = command.flags_of(takes).join(", ").replace("--model ", "");
            help.push_str(&format!(" [{models}]"));
        }
        help
    }
}

fn long(name: &str) -> String {
    name.replace('_', "-")
}

/// All arguments of a command, in the order of its help.
pub(super) fn arguments(command: &'static ImageCommand) -> Vec<Arg> {
    let mut arguments = Vec::new();
    for flag in FLAGS {
        if flag.name == FIRST_OPTION && command.has_models() {
            arguments.extend(model_arguments(command));
        }
        let Some(argument) = flag.argument(command) else { continue };
        arguments.push(argument);
        if flag.name == "json_prompt" {
            arguments.push(
                Arg::new(UNCHECKED)
                    .long(UNCHECKED)
                    .action(ArgAction::SetTrue)
                    .requires("json_prompt")
                    .hide_short_help(true)
                    .help("Send a structured prompt with properties that the API's document does not know"),
            );
        }
    }
    arguments
}

/// `--model` and `--transparent`.
fn model_arguments(command: &'static ImageCommand) -> Vec<Arg> {
    let plain = || command.plain_models();
    let implied = plain().filter_map(|model| Some(format!(", or {} with --{}", model.name, long(model.implied_by?))));
    let values: Vec<_> =
        plain().map(|model| PossibleValue::new(model.name).aliases(version_names(model.name))).collect();
    let names: Vec<String> = plain().map(|model| model.name.to_owned()).collect();
    let (names, first) = (names.join(", "), command.models[0].name);
    let help = format!("The model: {names} [default: {first}{}]", implied.collect::<String>());
    let mut arguments = vec![
        Arg::new(MODEL).long(MODEL).value_name("MODEL").help(help).value_parser(values).hide_possible_values(true),
    ];
    let transparent = command.models.iter().filter(|model| model.is_transparent);
    let transparent: Vec<&str> = transparent.map(|model| model.name).collect();
    if !transparent.is_empty() {
        let help = format!("Make the background transparent [{}]", transparent.join(", "));
        arguments.push(Arg::new(TRANSPARENT).long(TRANSPARENT).action(ArgAction::SetTrue).help(help));
    }
    arguments
}

#[cfg(test)]
mod tests {
    use ideogram_client::{
        operation::{Billing, ImageCount},
        operations,
    };

    use super::{super::table::COMMANDS, *};
    use crate::images::LEGACY_OBJECT;

    #[test]
    fn every_property_of_every_operation_that_makes_images_has_a_flag() {
        for operation in operations::ALL {
            if operation.billing == Billing::Free || operation.images == ImageCount::Fixed(0) {
                continue;
            }
            let command = super::super::command_for(operation);
            let command = COMMANDS.iter().find(|row| Some(row.name) == command).expect(operation.id);
            let inputs = operation.inputs.iter().map(|input| input.name).filter(|name| *name != LEGACY_OBJECT);
            for name in inputs.chain(legacy_properties(operation).iter().map(|property| property.name)) {
                let is_set = FLAGS.iter().any(|flag| {
                    let target = flag.target(operation).is_some_and(|target| target.property == name);
                    target && flag.argument(command).is_some()
                });
                assert!(is_set, "{operation}: no flag sets `{name}`");
            }
        }
    }
}
