//! The commands that make images: one row each.

use ideogram_client::{operation::Operation, operations};

/// A command that makes images.
#[derive(Debug)]
pub(super) struct ImageCommand {
    pub(super) name: &'static str,
    /// The first line of its help.
    pub(super) about: &'static str,
    /// The rest of its help.
    pub(super) details: &'static str,
    pub(super) examples: &'static str,
    /// Its usage, if the arguments do not say it.
    pub(super) usage: Option<&'static str>,
    /// What could not be done if it fails: "cannot remix the image".
    pub(super) action: &'static str,
    /// What its prompt is for.
    pub(super) prompt: &'static str,
    /// The flags that are arguments without a name.
    pub(super) arguments: &'static [&'static str],
    /// Arguments that are required, unless the flag beside them is there.
    pub(super) required_unless: &'static [(&'static str, &'static str)],
    /// What it calls; the first is the default.
    pub(super) models: &'static [Model],
}

/// An operation of a command. Several may have the same model: the first that takes all flags is called.
#[derive(Debug)]
pub(super) struct Model {
    /// The value of `--model`.
    pub(super) name: &'static str,
    pub(super) help: &'static str,
    /// Whether `--transparent` stands for it.
    pub(super) is_transparent: bool,
    pub(super) operation: &'static Operation,
    /// The flag that stands for it without `--model`.
    pub(super) implied_by: Option<&'static str>,
    /// A property that the operation requires, and its value if no flag gives one.
    pub(super) default: Option<(&'static str, &'static str)>,
}

impl ImageCommand {
    /// A model as messages name it: by its flags if the user chooses one.
    pub(super) fn label(&self, model: &Model) -> String {
        if self.has_models() { model.flags() } else { "this command".to_owned() }
    }

    /// The `--model` flags of the models that meet a condition, with `--transparent` only where it is needed.
    pub(super) fn flags_of(&self, can: impl Fn(&Model) -> bool) -> Vec<String> {
        let is_plain = |name: &str| self.models.iter().any(|it| it.name == name && !it.is_transparent && can(it));
        let models = self.models.iter().filter(|it| can(it) && !(it.is_transparent && is_plain(it.name)));
        let mut flags: Vec<String> = Vec::new();
        for model in models.map(Model::flags) {
            if !flags.contains(&model) {
                flags.push(model);
            }
        }
        flags
    }

    /// The models by name; what has no help is another operation of one.
    pub(super) fn plain_models(&self) -> impl Iterator<Item = &'static Model> {
        self.models.iter().filter(|model| !model.is_transparent && !model.help.is_empty())
    }

    /// Whether the user chooses a model.
    pub(super) fn has_models(&self) -> bool {
        self.models.iter().any(|model| model.name != self.models[0].name)
    }
}

impl Model {
    const fn new(name: &'static str, help: &'static str, operation: &'static Operation) -> Self {
        Self { name, help, is_transparent: false, operation, implied_by: None, default: None }
    }

    const fn legacy(operation: &'static Operation) -> Self {
        Self::new("legacy", "Ideogram 1.0 to 2a; --legacy-model names one", operation)
    }

    /// The flags that choose it.
    pub(super) fn flags(&self) -> String {
        format!("--model {}{}", self.name, if self.is_transparent { " --transparent" } else { "" })
    }
}

/// For the operations that require a legacy model.
const LEGACY_DEFAULT: Option<(&str, &str)> = Some(("model", "V_2"));

pub(super) const COMMANDS: &[ImageCommand] = &[
    ImageCommand {
        name: "generate",
        about: "Make images from a prompt",
        details:
            "\
Saves the images at once, and prints their paths. The 4.5 model is the default; --transparent uses the 4.0 model and \
--custom-model the 3.0 model unless --model says \
otherwise.

The call runs as a job where the service allows it: if the command is interrupted, `ideogram generations save` fetches \
the images.

Each image is billed, also one that the safety check withholds: the exit code is 6 if all are withheld, 11 if some are.",
        examples: "\
ideogram --mock generate \"A paper lantern over a canal at dusk\"
  ideogram generate \"A fox in the snow\" -n 4 --aspect-ratio 16:9 --out foxes
  ideogram generate \"A fox in the snow\" --quality low --size 1024x1024 --max-usd 0.05
  ideogram generate \"A coffee logo\" --transparent --open
  ideogram generate \"A lantern\" --custom-model paper-lanterns
  ideogram magic-prompt \"a cat\" --jq .json_prompt | ideogram generate --json-prompt -",
        usage: None,
        action: "cannot generate the image",
        prompt: "What the image shows",
        arguments: &["prompt"],
        required_unless: &[("prompt", "json_prompt")],
        models: &[
            Model::new("v4.5", "Ideogram 4.5, which also edits images", &operations::POST_GENERATE_IMAGE_V2_IDEOGRAM45),
            Model::new("v4", "Ideogram 4.0", &operations::POST_GENERATE_IMAGE_V2_IDEOGRAM_V4),
            Model::new("v4", "", &operations::POST_GENERATE_IMAGE_V2_IDEOGRAM_V4_CUSTOM_MODEL),
            Model::new("v4", "", &operations::POST_GENERATE_IMAGE_V4),
            Model {
                implied_by: Some("custom_model"),
                ..Model::new("v3", "Ideogram 3.0", &operations::POST_GENERATE_IMAGE_V2_IDEOGRAM_V3)
            },
            Model::new("v3", "", &operations::POST_GENERATE_IMAGE_V2_IDEOGRAM_V3_CUSTOM_MODEL),
            Model::new("v3", "", &operations::POST_GENERATE_IMAGE_V3),
            Model {
                is_transparent: true,
                ..Model::new("v4", "Ideogram 4.0", &operations::POST_GENERATE_IMAGE_V2_IDEOGRAM_V4_TRANSPARENT)
            },
            Model {
                is_transparent: true,
                ..Model::new("v3", "Ideogram 3.0", &operations::POST_GENERATE_IMAGE_V3_TRANSPARENT)
            },
            Model::legacy(&operations::POST_GENERATE_IMAGE),
        ],
    },
    ImageCommand {
        name: "remix",
        about: "Make images from an image and a prompt",
        details: "\
The 4.0 model is the default. The 3.0 model and the legacy models first crop the image to the requested shape.",
        examples: "\
ideogram remix lantern.png \"The same lantern in blue glass\"
  ideogram remix lantern.png \"A watercolor\" --image-weight 30 --resolution 1440x2560
  ideogram remix lantern.png \"A watercolor\" --model v3 -n 2 --style-preset watercolor --out remixes",
        usage: None,
        action: "cannot remix the image",
        prompt: "What the result shows",
        arguments: &["image", "prompt"],
        required_unless: &[],
        models: &[
            Model::new("v4", "Ideogram 4.0", &operations::POST_REMIX_IMAGE_V2_IDEOGRAM_V4),
            Model::new("v4", "", &operations::POST_REMIX_IMAGE_V4),
            Model::new("v3", "Ideogram 3.0", &operations::POST_REMIX_IMAGE_V3),
            Model::legacy(&operations::POST_REMIX_IMAGE),
        ],
    },
    ImageCommand {
        name: "edit",
        about: "Change an image as a prompt says",
        details: "\
The first image is changed, and keeps its size; the others, up to four, are references. With --mask, only the black part \
of the mask changes. The 4.5 model is the default; --model v1 is the edit of the first API version, which makes new images \
of several ones. To repaint a part with the 3.0 model or the legacy models: `ideogram inpaint`.",
        examples: "\
ideogram edit street.png \"Make it night\"
  ideogram edit fox.png hat.png \"The fox wears the hat\" -n 2 --out foxes
  ideogram edit street.png \"A sky full of lanterns\" --mask sky.png --quality high
  ideogram edit logo.png \"Only the letters\" --model v1 --transparent-background",
        usage: Some("ideogram edit [OPTIONS] <IMAGES>... <PROMPT>"),
        action: "cannot edit the image",
        prompt: "What to change",
        arguments: &["images"],
        required_unless: &[("images", "image_urls")],
        models: &[
            Model::new(
                "v4.5",
                "Ideogram 4.5, which changes one image",
                &operations::POST_PRECISE_EDIT_IMAGE_V2_IDEOGRAM45,
            ),
            Model {
                implied_by: Some("image_urls"),
                ..Model::new(
                    "v1",
                    "The edit of the first API version, of several images",
                    &operations::POST_V1_EDIT_IMAGE,
                )
            },
        ],
    },
    ImageCommand {
        name: "inpaint",
        about: "Repaint a part of an image, which a mask shows",
        details: "\
The mask is an image of the same size, black where to repaint and white where to keep. The 3.0 model is the default. \
To change an image without a mask: `ideogram edit`.",
        examples: "\
ideogram inpaint street.png \"A red paper lantern\" --mask mask.png
  ideogram inpaint street.png \"A lantern\" --mask mask.png -n 2 --style-type realistic --out lanterns
  ideogram inpaint street.png \"A lantern\" --mask mask.png --model legacy --legacy-model V_2_TURBO",
        usage: None,
        action: "cannot repaint the image",
        prompt: "What the result shows",
        arguments: &["image", "prompt"],
        required_unless: &[],
        models: &[
            Model::new("v3", "Ideogram 3.0", &operations::POST_INPAINT_IMAGE_V2_IDEOGRAM_V3),
            Model::new("v3", "", &operations::POST_INPAINT_IMAGE_V3),
            Model::new(
                "v3-edit",
                "Ideogram 3.0 at its old address, which the service is going to close",
                &operations::POST_EDIT_IMAGE_V3,
            ),
            Model {
                default: LEGACY_DEFAULT,
                ..Model::new("legacy", "Ideogram 2.0; --legacy-model V_2_TURBO is faster", &operations::POST_EDIT_IMAGE)
            },
        ],
    },
    ImageCommand {
        name: "reframe",
        about: "Extend a square image to another size or aspect ratio",
        details: "\
The service documents this for square images only. The 3.0 model is the default.",
        examples: "\
ideogram reframe lantern.png --aspect-ratio 3:1
  ideogram reframe lantern.png --resolution 512x1536 -n 2 --style-preset watercolor --out banners
  ideogram reframe lantern.png --resolution 1024x640 --model legacy",
        usage: None,
        action: "cannot reframe the image",
        prompt: "",
        arguments: &["image"],
        required_unless: &[],
        models: &[
            Model::new("v3", "Ideogram 3.0", &operations::POST_REFRAME_IMAGE_V2_IDEOGRAM_V3),
            Model::new("v3", "", &operations::POST_REFRAME_IMAGE_V3),
            Model { default: LEGACY_DEFAULT, ..Model::legacy(&operations::POST_REFRAME_IMAGE) },
        ],
    },
    ImageCommand {
        name: "replace-background",
        about: "Keep the foreground, and paint a new background",
        details: "Uses the 3.0 model.",
        examples: "\
ideogram replace-background fox.png \"A city at night\"
  ideogram replace-background fox.png \"A forest\" --style-reference-images forest.jpg --out foxes",
        usage: None,
        action: "cannot replace the background",
        prompt: "What the new background shows",
        arguments: &["image", "prompt"],
        required_unless: &[],
        models: &[
            Model::new("", "", &operations::POST_REPLACE_BACKGROUND_IDEOGRAM_V3),
            Model::new("", "", &operations::POST_REPLACE_BACKGROUND_V3),
        ],
    },
    ImageCommand {
        name: "remove-background",
        about: "Cut out the foreground, with a transparent background",
        details: "",
        examples: "\
ideogram remove-background fox.png
  ideogram remove-background fox.png --out cutouts --name fox",
        usage: None,
        action: "cannot remove the background",
        prompt: "",
        arguments: &["image"],
        required_unless: &[],
        models: &[
            Model::new("", "", &operations::POST_REMOVE_BACKGROUND_V2),
            Model::new("", "", &operations::POST_REMOVE_BACKGROUND),
        ],
    },
    ImageCommand {
        name: "upscale",
        about: "Enlarge an image",
        details: "`--output json` shows the new size.",
        examples: "\
ideogram upscale lantern.png
  ideogram upscale lantern.png --upscale-factor x4
  ideogram upscale lantern.png --prompt \"A paper lantern\" --resemblance 80 --detail 30 --out large",
        usage: None,
        action: "cannot enlarge the image",
        prompt: "What guides the enlargement",
        arguments: &["image"],
        required_unless: &[],
        models: &[Model::new("", "", &operations::POST_UPSCALE), Model::new("", "", &operations::POST_UPSCALE_IMAGE)],
    },
    ImageCommand {
        name: "layerize-text",
        about: "Separate the text of an image: the image without it, and the text in blocks",
        details: "\
Saves the image without its text, and the original. The blocks of text, with their positions, sizes, colors and fonts, \
are in `--output json` and in the sidecar of each image.",
        examples: "\
ideogram layerize-text poster.png
  ideogram layerize-text poster.png --out layers --jq '.response.text_blocks[].text'",
        usage: None,
        action: "cannot separate the text of the image",
        prompt: "What the image shows [default: the service describes it]",
        arguments: &["image"],
        required_unless: &[],
        models: &[Model::new("", "", &operations::POST_LAYERIZE_TEXT_V3)],
    },
];
