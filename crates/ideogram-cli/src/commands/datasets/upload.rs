//! `ideogram datasets upload`.

use std::{
    collections::{BTreeMap, HashSet},
    io,
    path::{Path, PathBuf},
};

use clap::Args;
use ideogram_client::{
    File,
    dataset::{LocalFile, Note, SkipReason},
    types::{DatasetId, UploadDatasetAssetsResponse},
};

use super::texts;
use crate::{
    commands::ids,
    exit::Exit,
    failure::Failure,
    output::Output,
    output::layout::{ABSENT, Column, Layout, Table, ToLayout},
    output::units,
    session::context::{Context, Wording},
};

/// Add images, captions and ZIP archives of both to a dataset
///
/// All files go in one call. If one of them cannot be read, is empty or of another kind, nothing is sent. The service
/// takes JPEG, PNG and WebP images, UTF-8 text files as captions (sunset.txt belongs to sunset.jpg) and ZIP archives; a
/// dataset holds at most 100 images. It may fail single files: they are listed with the reason, and the exit code is
/// 11, or 4 if none was stored.
///
/// Nothing in the service removes a file again. Whether it recognizes a file that it has already is not known.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ideogram datasets upload ID red-lantern.jpg red-lantern.txt
  ideogram datasets upload ID lanterns/*
  ideogram datasets upload ID lanterns.zip")]
pub(crate) struct Upload {
    /// Which dataset; `ideogram datasets list` shows the ids
    #[arg(allow_hyphen_values = true, value_parser = ids::dataset_id)]
    id: DatasetId,

    /// The files to add; each is sent under its own name, without its folder
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
}

impl Upload {
    pub(super) async fn run(&self, context: &Context<'_>) -> Result<(), Failure> {
        let output = context.output();
        let files: Vec<File> = self.paths.iter().map(File::from_path).collect();
        let size = self.look_at(&files, output).await?;
        let count = units::count(files.len() as u64, "file");
        if !context.is_dry_run() {
            output.note(&format!("sending {count}, {}, to the dataset {}", units::size(size), self.id));
        }

        let look = format!("ideogram datasets get {}", self.id);
        let what = format!("cannot upload to the dataset {}", self.id);
        let response = {
            let client = context.uploading("sending", size);
            let call = client.upload_dataset_assets().dataset_id(&self.id).files(files.iter().cloned());
            context.call(call, Wording { action: &what, inspect: &look }).await?
        };
        let Some(response) = response else { return Ok(()) };

        output.response(&response)?;
        let response = response.value();
        if let Some(note) = context.changes_note() {
            output.note(note);
        }
        match not_mentioned(&files, response) {
            0 => {}
            number => output.note(&format!(
                "the response does not name {number} of the files sent, as it never names captions and archives that are \
                 stored; `{look}` shows what is there"
            )),
        }
        let what = match failed(response) {
            0 => return Ok(()),
            1 => "1 file was not stored".to_owned(),
            number => format!("{number} files were not stored"),
        };
        let exit = if response.success_count > 0 { Exit::Partial } else { Exit::Invalid };
        Err(Failure::new(exit, what).hint("upload only what failed again: the service may keep the others twice"))
    }

    /// Makes sure that every file can be sent and is one that the service takes; returns their total size in bytes.
    async fn look_at(&self, files: &[File], output: &Output) -> Result<u64, Failure> {
        let mut size = 0_u64;
        let mut refused = Vec::new();
        let mut by_name: BTreeMap<String, &Path> = BTreeMap::new();
        let mut is_any_directory = None;
        for (path, file) in self.paths.iter().zip(files) {
            match file.inspect().await {
                Ok(info) => size = size.saturating_add(info.size_bytes.unwrap_or_default()),
                Err(error) => {
                    if error.kind() == io::ErrorKind::IsADirectory {
                        is_any_directory.get_or_insert(path);
                    }
                    refused.push((path, error.to_string()));
                    continue;
                }
            }
            // Reads the beginning of the file once more, which the system still has at hand.
            match LocalFile::read(path) {
                Ok(LocalFile { fault: Some(fault), .. }) => refused.push((path, fault.to_string())),
                Ok(file) => {
                    if let Some(other) = by_name.insert(file.name, path) {
                        let other = other.display();
                        refused.push((path, format!("it would be sent under the same name as \"{other}\"")));
                    }
                    if file.has_byte_order_mark {
                        let (path, note) = (path.display(), texts::note(&Note::ByteOrderMark));
                        output.warning(&format!("sent unchanged: {path} ({note})"));
                    }
                }
                Err(SkipReason::Archive) => {}
                Err(reason) => refused.push((path, reason.to_string())),
            }
        }
        if refused.is_empty() {
            return Ok(size);
        }
        let mut failure = Failure::local_io(format!(
            "nothing was sent: {} of {} cannot be sent",
            refused.len(),
            units::count(files.len() as u64, "file")
        ));
        for (path, error) in &refused {
            failure = failure.cause(format!("\"{}\": {error}", path.display()));
        }
        if let Some(path) = is_any_directory {
            let pattern = path.join("*");
            let hint =
                format!("to send the files of a folder: ideogram datasets upload {} {}", self.id, pattern.display());
            failure = failure.hint(hint);
        }
        Err(failure)
    }
}

/// How many files the service has not stored, by its count or its list: it has been seen to disagree with itself.
fn failed(response: &UploadDatasetAssetsResponse) -> u64 {
    let counted = u64::try_from(response.failure_count).unwrap_or_default();
    counted.max(response.failed_assets.len() as u64)
}

/// How many of the files that were sent the response does not name.
fn not_mentioned(files: &[File], response: &UploadDatasetAssetsResponse) -> u64 {
    let stored = response.successful_assets.iter().filter_map(|asset| asset.file_name.as_deref());
    let failed = response.failed_assets.iter().filter_map(|asset| asset.file_name.as_deref());
    let mentioned: HashSet<&str> = stored.chain(failed).collect();
    files.iter().filter(|file| !mentioned.contains(file.name().as_ref())).count() as u64
}

impl ToLayout for UploadDatasetAssetsResponse {
    fn layout(&self) -> Layout {
        let name = |name: &Option<String>| name.clone().unwrap_or_else(|| ABSENT.to_owned());
        let mut table = Table::new([Column::Left("RESULT"), Column::Left("FILE"), Column::Left("REASON")]);
        for asset in &self.successful_assets {
            table.row(["stored".to_owned(), name(&asset.file_name), String::new()]);
        }
        for asset in &self.failed_assets {
            table.row(["failed".to_owned(), name(&asset.file_name), asset.failure_reason.to_string()]);
        }
        Layout::new()
            .field("Stored", self.success_count.to_string())
            .field("Failed", self.failure_count.to_string())
            .table(table)
    }
}
