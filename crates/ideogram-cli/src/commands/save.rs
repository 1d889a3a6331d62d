//! `ideogram save`.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
};

use clap::Args;
use ideogram_client::{
    StoredResponse,
    internal::images_in_text,
    save::{HasImages, Image as _, ImageOutcome, ImageRef, Provenance},
};
use serde_json::{Value, json};

use crate::{
    failure::Failure,
    images::{
        generate_and_save::ImageSaver,
        job::save_command,
        prompt::Stdin,
        save_flags::{RESPONSES, SaveFlags, make_ready},
        source::is_link,
    },
    output::layout::Layout,
    session::connection,
    session::{connection::Globals, context::Context},
    text_input::{self, Unreadable},
};

/// The maximum size of the file, far above that of any stored response, in bytes.
const MAX_BYTES: u64 = 128 * 1024 * 1024;

/// Save the images of a response that is stored in a file
///
/// Every command that generates images stores its response in `.ideogram-responses`, in the folder of the images. This
/// command fetches the images of one, without a key and free of charge, until their links expire, after about 24 hours.
/// Images that exist already are left unchanged. It also accepts any other response of the service, items of one, the
/// output of `--output json` or `jsonl`, and a list of links, one on each line.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Examples:
  ideogram save foxes/.ideogram-responses/20260702T090713Z-post_generate_image_v4-1a2b3c4d.json
  ideogram save response.json --out foxes")]
pub(crate) struct Save {
    /// The response: a JSON file, `-` for standard input, or the https link of one image
    #[arg(value_name = "RESPONSE")]
    response: PathBuf,

    #[command(flatten)]
    saving: SaveFlags,
}

/// The input: a response, its images, and the call that it comes from.
struct Input {
    /// `null` if it is not JSON.
    response: Value,
    images: Vec<ImageRef>,
    origin: Provenance,
}

impl Input {
    fn of(response: Value, images: Vec<ImageRef>) -> Self {
        Self { response, images, origin: Provenance::default() }
    }
}

impl HasImages for Input {
    fn images(&self) -> Vec<ImageRef> {
        self.images.clone()
    }

    fn origin(&self) -> Provenance {
        self.origin.clone()
    }
}

impl Save {
    pub(super) async fn run(&self, globals: Globals<'_>) -> Result<(), Failure> {
        let context = &if globals.options.mock {
            Context::open(globals).await?
        } else {
            Context::with_client(globals, connection::client(globals, None)?)
        };
        let mut input = self.read().await?;
        if input.images.is_empty() {
            if let Ok(job) = context.client().job_from_stored::<Value>(&self.response).await {
                let what = format!("\"{}\" has no images yet: it is the id of a generation", self.response.display());
                let save = save_command(job.id(), &self.folder(context));
                return Err(Failure::usage(what).hint(format!("this fetches them, at no cost: {save}")));
            }
            return Err(Failure::usage(format!("there are no images in \"{}\"", self.response.display())));
        }
        let folder = self.folder(context);
        if context.is_dry_run() {
            return list(context, &input.images, &folder);
        }
        make_ready(&folder, &self.saving).await?;
        let if_exists = self.saving.if_exists();
        let is_file = self.response.as_os_str() != OsStr::new("-") && self.link().is_none();
        let stored_at = is_file.then_some(self.response.as_path());
        let response = input.response.take();
        let (saving, folder) = (&self.saving, folder.as_path());
        let saver = ImageSaver { context, saving, folder, if_exists, requested: None, stored_at, job: None };
        saver.save(context.client(), &input, response).await
    }

    /// The folder of `--out`, that of the stored response, or the default one.
    fn folder(&self, context: &Context<'_>) -> PathBuf {
        let responses = self.response.parent().filter(|folder| folder.file_name() == Some(OsStr::new(RESPONSES)));
        let own = responses
            .and_then(Path::parent)
            .map(|folder| if folder.as_os_str().is_empty() { PathBuf::from(".") } else { folder.to_owned() });
        self.saving.out.clone().or(own).unwrap_or_else(|| self.saving.folder(context.profile()))
    }

    /// The link of one image, if the argument is a link.
    fn link(&self) -> Option<&str> {
        self.response.to_str().filter(|text| is_link(text))
    }

    async fn read(&self) -> Result<Input, Failure> {
        if let Some(link) = self.link() {
            return Ok(Input::of(Value::Null, vec![ImageRef::from_link(link)]));
        }
        let name = self.response.display();
        let bytes = text_input::read(&self.response, &Stdin::default(), "the response", MAX_BYTES).await?;
        let encoding = text_input::decode(&bytes);
        let bytes = encoding.as_ref().map_or(bytes, |text| text.clone().into_bytes());
        if let Ok(stored) = serde_json::from_slice::<StoredResponse>(&bytes) {
            let images = stored.images();
            if stored.response().is_none() && images.is_empty() {
                return Err(Failure::usage(format!(
                    "the response in \"{name}\" is incomplete: it has no complete link"
                ))
                .hint("the file has the received part, in `response_text` or `response_base64`"));
            }
            return Ok(Input {
                response: stored.response().cloned().unwrap_or_default(),
                images,
                origin: stored.origin(),
            });
        }
        if let Some(images) = links_in(&bytes) {
            return Ok(Input::of(Value::Null, images));
        }
        let mut parsed = serde_json::from_slice::<Value>(&bytes);
        // The output of `--output json` contains the response.
        if let Ok(response) = &mut parsed
            && let Some(inner) = response.get_mut("response").filter(|inner| inner.is_object())
        {
            *response = inner.take();
        }
        let mut images = parsed.as_ref().map(Value::images).unwrap_or_default();
        if images.is_empty() {
            // JSON lines, or items of a response.
            images = images_in_text(&bytes);
            images.retain(|image| image.link().is_some());
        }
        match parsed {
            Ok(response) => Ok(Input::of(response, images)),
            Err(_) if !images.is_empty() => Ok(Input::of(Value::Null, images)),
            Err(error) => Err(match encoding {
                Err(encoding) => Unreadable::Encoding(encoding).failure(&format!("the response \"{name}\"")),
                Ok(_) => Failure::usage(format!("\"{name}\" is not a response: it is not JSON")).because(&error),
            }),
        }
    }
}

/// The images of a text with only links, one on each line.
fn links_in(text: &[u8]) -> Option<Vec<ImageRef>> {
    let lines = std::str::from_utf8(text).ok()?.lines().map(str::trim).filter(|line| !line.is_empty());
    let images: Option<Vec<_>> = lines.map(|line| is_link(line).then(|| ImageRef::from_link(line))).collect();
    images.filter(|images| !images.is_empty())
}

fn list(context: &Context<'_>, images: &[ImageRef], folder: &Path) -> Result<(), Failure> {
    let has_link = |image: &ImageRef| matches!(image.outcome(), ImageOutcome::Available(_));
    let listed: Vec<Value> = images
        .iter()
        .map(|image| json!({"image": image.number(), "has_link": has_link(image), "seed": image.seed()}))
        .collect();
    let lines = images.iter().map(|image| {
        let what = if has_link(image) { "would be fetched" } else { "has no link" };
        format!("image {} {what}", image.number())
    });
    let layout = lines.fold(Layout::new(), Layout::line);
    context.output().list("images", &listed, &layout)?;
    context.output().note(&format!("dry run: nothing was fetched into \"{}\"", folder.display()));
    Ok(())
}
