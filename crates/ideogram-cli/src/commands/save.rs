//! `ideogram save`.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
};

use clap::Args;
use ideogram_client::{
    StoredResponse,
    internal::images_in_text,
    save::{HasImages, IfExists, Image as _, ImageOutcome, ImageRef, Provenance, SaveOutcome},
};
use serde_json::{Value, json};

use crate::{
    failure::Failure,
    images::{
        generate_and_save::SaveJob,
        prompt::Stdin,
        report::Report,
        save_flags::{RESPONSES, SaveFlags, make_ready},
        source::is_link,
    },
    output::layout::Layout,
    session::connection,
    session::{context::Context, globals::Globals},
    text_input::{self, Unreadable},
};

/// Far above any response, in bytes.
const MAX_BYTES: u64 = 64 * 1024 * 1024;

/// Save the images of a response that was kept
///
/// Every command that makes images keeps its response in `.ideogram-responses`, in the folder of the images. This
/// fetches the images of one, which takes no key and costs nothing while their links live, some hours. Images that are
/// there already are left as they are. A response of the service from elsewhere, items of one, what `--output json` or
/// `jsonl` has printed, and links, one a line, will do as well.
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

/// A response, and what is known of its call.
struct Found {
    /// Nothing, if it is no JSON; the images in it may be whole all the same.
    response: Value,
    images: Vec<ImageRef>,
    origin: Provenance,
}

impl HasImages for Found {
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
        let found = self.read().await?;
        let images = found.images();
        if images.is_empty() {
            return Err(Failure::usage(format!("there are no images in \"{}\"", self.response.display())));
        }
        let folder = self.folder(context);
        if context.is_dry_run() {
            return list(context, &images, &folder);
        }
        make_ready(&folder, &self.saving).await?;
        // Names tell images apart, unless they were chosen.
        let if_exists = if self.saving.name.is_some() { IfExists::Number } else { IfExists::Skip };
        let is_file = self.response.as_os_str() != OsStr::new("-") && self.link().is_none();
        let stored_at = is_file.then_some(self.response.as_path());
        let job = SaveJob { context, saving: &self.saving, folder: &folder, if_exists, stored_at };
        let outcomes = job.run(context.client(), &found).await?;
        for (image, outcome) in images.iter().zip(&outcomes) {
            if matches!(outcome, SaveOutcome::AlreadyThere { .. }) {
                context.output().note(&format!("image {} is there already", image.number()));
            }
        }
        job.finish(Report { response: found.response, images, outcomes, requested: None, stored_at }).await
    }

    /// The folder of `--out`, else where the response's own images are, else in the folder of today.
    fn folder(&self, context: &Context<'_>) -> PathBuf {
        let responses = self.response.parent().filter(|folder| folder.file_name() == Some(OsStr::new(RESPONSES)));
        let beside = responses
            .and_then(Path::parent)
            .map(|folder| if folder.as_os_str().is_empty() { PathBuf::from(".") } else { folder.to_owned() });
        self.saving.out.clone().or(beside).unwrap_or_else(|| self.saving.folder(context.profile()))
    }

    /// The link of one image, if that was given in place of a response.
    fn link(&self) -> Option<&str> {
        self.response.to_str().filter(|text| is_link(text))
    }

    async fn read(&self) -> Result<Found, Failure> {
        if let Some(link) = self.link() {
            let images = vec![ImageRef::from_link(link)];
            return Ok(Found { response: Value::Null, images, origin: Provenance::default() });
        }
        let shown = self.response.display();
        let bytes = text_input::read(&self.response, &Stdin::default(), "the response", MAX_BYTES).await?;
        let encoding = text_input::decode(&bytes);
        let bytes = encoding.as_ref().map_or(bytes, |text| text.clone().into_bytes());
        if let Ok(kept) = serde_json::from_slice::<StoredResponse>(&bytes) {
            let images = kept.images();
            if kept.response().is_none() && images.is_empty() {
                return Err(Failure::usage(format!("the response in \"{shown}\" broke off: no link in it is whole"))
                    .hint("what arrived of it is in the file, under `response_text` or `response_base64`"));
            }
            return Ok(Found { response: kept.response().cloned().unwrap_or_default(), images, origin: kept.origin() });
        }
        if let Some(images) = links_in(&bytes) {
            return Ok(Found { response: Value::Null, images, origin: Provenance::default() });
        }
        let mut parsed = serde_json::from_slice::<Value>(&bytes);
        // What `--output json` prints has the response inside.
        if let Ok(response) = &mut parsed
            && let Some(inner) = response.get_mut("response").filter(|inner| inner.is_object())
        {
            *response = inner.take();
        }
        let mut images = parsed.as_ref().map(Value::images).unwrap_or_default();
        if images.is_empty() {
            // Lines, or items that somebody took out.
            images = images_in_text(&bytes);
            images.retain(|image| image.link().is_some());
        }
        match parsed {
            Ok(response) => Ok(Found { response, images, origin: Provenance::default() }),
            Err(_) if !images.is_empty() => Ok(Found { response: Value::Null, images, origin: Provenance::default() }),
            Err(error) => Err(match encoding {
                Err(encoding) => Unreadable::Encoding(encoding).failure(&format!("the response \"{shown}\"")),
                Ok(_) => Failure::usage(format!("\"{shown}\" is not a response: it is not JSON")).because(&error),
            }),
        }
    }
}

/// The images of a text that is links and nothing else, one a line.
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
