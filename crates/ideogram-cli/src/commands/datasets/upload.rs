//! `ideogram datasets upload`.

use std::{
    collections::{BTreeMap, HashSet},
    io,
    path::{Path, PathBuf},
};

use clap::Args;
use ideogram_client::{
    File,
    dataset::{self, LocalFile, Note, SkipReason},
    types::{DatasetId, UploadDatasetAssetsResponse},
};

use super::texts;
use crate::{
    commands::ids,
    exit::Exit,
    failure::Failure,
    output::Output,
    output::layout::{ABSENT, Column, Layout, Table, ToLayout},
    output::printable::shell_word,
    output::units,
    session::context::Context,
};

/// Add images, captions and ZIP archives of both to a dataset
///
/// All files are sent in one call. If one of them cannot be read, is empty or of another type, nothing is sent. The
/// service accepts JPEG, PNG and WebP images, UTF-8 text files as captions (sunset.txt belongs to sunset.jpg) and ZIP
/// archives; a dataset has at most 100 images. The service may reject single files: they are listed with the reason, and
/// the exit code is 11, or 4 if none was stored.
///
/// The service cannot remove files, and it is unknown whether it detects duplicates. So the dataset is read first: if it
/// has a file of the same name, the command asks before anything is sent. Files in archives are not compared. To send only
/// what the dataset does not have of a folder, use `datasets sync`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ideogram datasets upload ID new-lantern.jpg new-lantern.txt
  ideogram datasets upload ID lanterns/*
  ideogram datasets upload ID lanterns.zip")]
pub(crate) struct Upload {
    /// The dataset; `ideogram datasets list` shows the ids
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
        let Checked { size, names } = self.check(&files, output).await?;
        let inspect = format!("ideogram datasets get {}", self.id);
        let what = format!("cannot upload to the dataset {}", self.id);
        if !context.is_dry_run() {
            self.confirm_duplicates(context, &names, &what).await?;
        }
        let count = units::count(files.len() as u64, "file");
        if !context.is_dry_run() {
            output.note(&format!("sending {count}, {}, to the dataset {}", units::size(size), self.id));
        }

        let response = {
            let client = context.uploading("sending", size);
            let call = client.upload_dataset_assets().dataset_id(&self.id).files(files.iter().cloned());
            context.call(call, &what).await?
        };
        let Some(response) = response else { return Ok(()) };

        output.response(&response)?;
        let response = response.value();
        if let Some(note) = context.changes_note() {
            output.note(note);
        }
        match not_listed(&files, response) {
            0 => {}
            number => output.note(&format!(
                "the response does not list {number} of the files, since it never lists stored captions and archives; \
                 `{inspect}` lists the files"
            )),
        }
        let what = match failed(response) {
            0 => return Ok(()),
            1 => "1 file was not stored".to_owned(),
            number => format!("{number} files were not stored"),
        };
        let exit = if response.success_count > 0 { Exit::Partial } else { Exit::Invalid };
        Err(Failure::new(exit, what).hint("upload only the failed files again: the service may store the others twice"))
    }

    /// Asks before a name is sent that the dataset has already.
    ///
    /// # Errors
    ///
    /// That of the question, or of the call that reads the dataset.
    async fn confirm_duplicates(&self, context: &Context<'_>, names: &[String], action: &str) -> Result<(), Failure> {
        let call = context.client().get_dataset().dataset_id(&self.id);
        let Some(response) = context.call(call, action).await? else { return Ok(()) };
        let there = dataset::file_names(response.value());
        let doubled: Vec<&str> = names.iter().map(String::as_str).filter(|name| there.contains(*name)).collect();
        if doubled.is_empty() {
            return Ok(());
        }
        let listed = texts::names(&doubled);
        let count = units::count(doubled.len() as u64, "file");
        let question =
            format!("send {count} whose name is in the dataset already ({listed})? Nothing can be removed from it");
        let others = format!("`ideogram datasets sync {} DIR` sends only what the dataset does not have", self.id);
        context.confirm(&question).await.map_err(|failure| failure.hint(others))
    }

    /// Checks that the service accepts every file.
    async fn check(&self, files: &[File], output: &Output) -> Result<Checked, Failure> {
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
            return Ok(Checked { size, names: by_name.into_keys().collect() });
        }
        let mut failure = Failure::local_io(format!(
            "nothing was sent: {} of {} cannot be sent",
            refused.len(),
            units::count(files.len() as u64, "file")
        ));
        for (path, error) in &refused {
            failure = failure.fact(format!("\"{}\": {error}", path.display()));
        }
        if let Some(path) = is_any_directory {
            let folder = shell_word(&path.display().to_string()).into_owned();
            let hint = format!(
                "to send what the dataset does not have of a folder: ideogram datasets sync {} {folder}",
                self.id
            );
            failure = failure.hint(hint);
        }
        Err(failure)
    }
}

/// Files that the service accepts.
struct Checked {
    /// Their total size in bytes.
    size: u64,
    /// The names of all but the archives.
    names: Vec<String>,
}

/// How many files were not stored, by the count or the list of the response, which may differ.
fn failed(response: &UploadDatasetAssetsResponse) -> u64 {
    let counted = u64::try_from(response.failure_count).unwrap_or_default();
    counted.max(response.failed_assets.len() as u64)
}

/// How many of the files the response does not list.
fn not_listed(files: &[File], response: &UploadDatasetAssetsResponse) -> u64 {
    let stored = response.successful_assets.iter().filter_map(|asset| asset.file_name.as_deref());
    let failed = response.failed_assets.iter().filter_map(|asset| asset.file_name.as_deref());
    let listed: HashSet<&str> = stored.chain(failed).collect();
    files.iter().filter(|file| !listed.contains(file.name().as_ref())).count() as u64
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
