//! `ideogram describe`.

use std::{
    ffi::{OsStr, OsString},
    path::Path,
};

use clap::{Args, ValueEnum};
use ideogram_client::{Client, File, operations, types::DescribeModelVersion};
use serde::Serialize;
use serde_json::{Map, value::RawValue};

use super::values::{self, Known};
use crate::{
    exit::Exit,
    failure::Failure,
    images::{
        paid_call::{ask, storing_client},
        prompt::Stdin,
        source::SourceImages,
        structured,
    },
    output::ResultStream,
    output::layout::Layout,
    output::units,
    session::context::Context,
};

/// Describe images
///
/// Makes one call for each image, each of them billed, and stops at the first that fails. `v3` returns plain text, `v4`
/// a structured prompt for `ideogram generate --json-prompt`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Examples:
  ideogram describe lantern.png
  ideogram describe lanterns/*.jpg --output jsonl
  ideogram describe lantern.png --model v4 --no-boxes")]
pub(crate) struct Describe {
    /// The images: paths, `-` for standard input, or https links; JPEG, PNG or WebP
    #[arg(value_name = "IMAGE", required = true)]
    images: Vec<OsString>,

    /// The model that describes the images
    #[arg(long, value_enum, default_value = "v3")]
    model: Model,

    #[arg(long = "describe-model-version", value_name = "VERSION")]
    #[arg(help = values::help("The version of the v3 model", &operations::POST_DESCRIBE, "describe_model_version"))]
    #[arg(value_parser = Known::new(DescribeModelVersion::ALL.iter().map(ToString::to_string)))]
    version: Option<String>,

    /// Leave out the positions of objects in the image (v4 only)
    #[arg(long)]
    no_boxes: bool,
}

/// The model that describes the images.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Model {
    /// A structured prompt of Ideogram 4.0
    V4,
    /// Plain text
    V3,
}

impl Describe {
    pub(super) async fn run(&self, context: &Context<'_>) -> Result<(), Failure> {
        match self.model {
            Model::V4 if self.version.is_some() => {
                return Err(Failure::usage("--describe-model-version is for --model v3"));
            }
            Model::V3 if self.no_boxes => return Err(Failure::usage("--no-boxes is for --model v4")),
            _ => {}
        }
        let stdin = Stdin::default();
        // All images are checked before the first is billed.
        let files = SourceImages::new(context, &stdin).all(&self.images).await?;
        let client = storing_client(context).await?;
        let mut stream = context.output().stream("descriptions");
        let mut done = 0;
        let all = async {
            for (source, file) in self.images.iter().zip(files) {
                let what = format!("cannot describe \"{}\"", Path::new(source).display());
                self.one(context, &client, source, file, &what, &mut stream).await?;
                done += 1;
            }
            Ok(())
        };
        let result = all.await;
        // Finished descriptions are billed, so they are printed even if others failed.
        if !context.is_dry_run() && (done > 0 || result.is_ok()) {
            let printed = stream.finish(Map::new());
            if result.is_ok() {
                return printed;
            }
        }
        result.map_err(|failure| stopped(failure, done, self.images.len()))
    }

    async fn one(
        &self,
        context: &Context<'_>,
        client: &Client,
        source: &OsStr,
        file: File,
        what: &str,
        stream: &mut ResultStream<'_>,
    ) -> Result<(), Failure> {
        let name = Path::new(source).display().to_string();
        let start = if self.images.len() > 1 { Layout::new().line(format!("{name}:")) } else { Layout::new() };
        let (body, layout) = match self.model {
            Model::V4 => {
                let mut call = client.describe_v4().image_file(file);
                if self.no_boxes {
                    call = call.include_bbox(false);
                }
                let Some(response) = ask(context, call, what, "describing").await? else { return Ok(()) };
                (response.body().to_vec(), structured::layout(start, &response.value().json_prompt))
            }
            Model::V3 => {
                let mut call = client.describe().image_file(file);
                if let Some(version) = &self.version {
                    call = call.describe_model_version(version.as_str());
                }
                let Some(response) = ask(context, call, what, "describing").await? else { return Ok(()) };
                let texts = response.value().descriptions.iter().filter_map(|description| description.text.clone());
                (response.body().to_vec(), texts.fold(start, Layout::line))
            }
        };
        let response = serde_json::from_slice(&body).unwrap_or(RawValue::NULL);
        stream.push_laid_out(&Described { image: &name, response }, &layout)
    }
}

/// An element of the result.
#[derive(Serialize)]
struct Described<'a> {
    image: &'a str,
    response: &'a RawValue,
}

/// The failure after some images were described.
fn stopped(failure: Failure, done: usize, all: usize) -> Failure {
    if done == 0 || matches!(failure.exit(), Exit::Unknown | Exit::NotStored | Exit::Interrupted) {
        return failure;
    }
    let what = format!("{} of {} described", done, units::count(all as u64, "image"));
    let exit = if failure.exit() == Exit::ReaderGone { Exit::ReaderGone } else { Exit::Partial };
    failure
        .within(exit, what)
        .hint(format!("to continue, run it with the last {}", units::count((all - done) as u64, "image")))
}
