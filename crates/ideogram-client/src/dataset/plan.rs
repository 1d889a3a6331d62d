//! Compares a folder with a dataset.
//!
//! Pure functions of a folder and a response. [`Plan`] documents the rules.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use serde::Serialize;

use super::{
    FileKind, Folder, LocalFile, content, listing::Listing, local_file::Fault, name, size_of, trainable::Trainability,
};
use crate::types::GetDatasetResponse;

/// The limit for images that other operations document; none is published for datasets.
const LARGE_IMAGE_BYTES: u64 = 25_000_000;

/// A local folder compared with a dataset.
///
/// It is data: print it, store it as JSON, or pass it to [`Client::sync_dataset`](crate::Client::sync_dataset).
///
/// # Rules
///
/// Files of a dataset cannot be removed or replaced, so a file is sent only if it is certain that the dataset does not
/// have it.
///
/// - Files are sent by base name, so they are compared by base name: in one Unicode form (NFC), since some file systems
///   change the form, and otherwise exactly. Folders, here or in the dataset, are ignored.
/// - A file with the same name and size is present. With another size it is different, and not sent: the dataset would
///   have both. If the service does not report the size, the file counts as present.
/// - Whether the service distinguishes `Cat.png` from `cat.png` is not known, so a file is uncertain if its name differs
///   from one in the dataset in case only. A file is also uncertain if the dataset has a file without a name, and of the
///   same or an unknown size. Uncertain files are not sent unless requested.
/// - Two local files with the same name, or with names that differ in case only, are both rejected: only one of them
///   would be stored, and captions could be mixed up.
/// - A caption belongs to the images with its stem, in the folder or in the dataset. It is uncertain if they all are,
///   and rejected without an image.
/// - Images are recognized by their content, captions by the extension `.txt`. Archives, hidden files, images of other
///   formats and all other files are listed with the reason, and not sent. Empty files, files with the name of an image
///   and another content, and captions that are not UTF-8 are rejected. Large images have a note and are sent, since no
///   limit is published for datasets. A caption with a byte order mark has a note, and is sent with the mark.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Plan {
    /// The id of the dataset.
    pub dataset_id: String,
    /// Its display name.
    pub dataset_name: String,
    /// The local images and captions, in the order of their paths.
    pub files: Vec<PlannedFile>,
    /// The files of the dataset that the folder does not have, by name.
    pub remote_only: Vec<RemoteFile>,
    /// The names that the dataset has more than once.
    pub remote_duplicates: Vec<RemoteFile>,
    /// The sizes of the files of the dataset without a name; `None` for an unknown size.
    pub nameless: Vec<Option<u64>>,
    /// Whether the dataset can be trained as it is.
    pub trainable_now: Trainability,
    /// Whether it can be trained after the missing files are uploaded.
    pub trainable_after: Trainability,
    /// The folder.
    #[serde(flatten, serialize_with = "folder_without_files")]
    pub folder: Folder,
}

/// A local file compared with the dataset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PlannedFile {
    /// The file.
    #[serde(flatten)]
    pub file: LocalFile,
    /// Its state in the dataset.
    pub state: FileState,
    /// The names of the images of a caption, or of the caption of an image, if there is one.
    pub belongs_to: Vec<String>,
    /// Notes that do not prevent the upload.
    pub notes: Vec<Note>,
}

/// The state of a local file in the dataset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FileState {
    /// The dataset does not have it, and it will be sent.
    Missing,
    /// The dataset has it, with the same size.
    Present,
    /// The dataset has its name; the service does not report the size.
    PresentUnverified,
    /// The dataset has its name with another size. It is not sent, since it would not replace the other file.
    Different {
        /// The sizes in the dataset, in bytes.
        remote_sizes_bytes: Vec<u64>,
    },
    /// The dataset may have it. It is not sent unless requested.
    Uncertain(Uncertainty),
    /// It cannot or must not be sent.
    Rejected(Rejection),
}

/// Why it is uncertain whether a file is in the dataset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Uncertainty {
    /// The dataset has a name that differs in case only.
    #[error("the dataset has \"{remote_name}\"")]
    OtherCase {
        /// The name in the dataset.
        remote_name: String,
    },
    /// The dataset has a file without a name, and of the same or an unknown size.
    #[error("the dataset has files without names")]
    Nameless,
    /// It is the caption of an uncertain image.
    #[error("its image is uncertain")]
    Image,
    /// Lines of the journal are missing, because it was deleted, cut, or replaced by an earlier copy. So the file may
    /// have been sent.
    #[error("the journal lacks lines, and the file may have been sent")]
    Journal,
}

/// Why a file is not sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Rejection {
    /// The file itself cannot be sent.
    #[error(transparent)]
    Fault(Fault),
    /// Other files of the folder have the same base name.
    #[error("has the same name as {}", .others.join(", "))]
    SameName {
        /// The paths of these files.
        others: Vec<String>,
    },
    /// Other files of the folder have the same name in another Unicode form; names are sent in one form (NFC).
    #[error("has the same name, in another Unicode form, as {}", .others.join(", "))]
    SameNameInUnicode {
        /// The paths of these files.
        others: Vec<String>,
    },
    /// Other files of the folder have a name that differs in case only.
    #[error("has a name that differs in upper and lower case only from {}", .others.join(", "))]
    SameNameButCase {
        /// The paths of these files.
        others: Vec<String>,
    },
    /// A caption without an image that is in the dataset or can be sent.
    #[error("a caption without an image: a.txt is the caption of a.png, a.jpg or a.webp")]
    NoImage,
}

/// A note about a local file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Note {
    /// An image of more than 25 MB, the limit of other operations. None is published for datasets.
    Large,
    /// The extension is of another format than the content. The content counts.
    OtherFormat,
    /// The caption belongs to more than one image: they share its stem.
    SharedCaption,
    /// The caption begins with a byte order mark, which is sent with it.
    ByteOrderMark,
}

/// A name in the dataset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RemoteFile {
    /// The base name, in NFC.
    pub name: String,
    /// The size of each file of this name, as far as the service reports it.
    pub sizes_bytes: Vec<Option<u64>>,
}

impl Plan {
    /// Compares a folder with a response of [`get_dataset`](crate::Client::get_dataset).
    pub fn new(folder: Folder, dataset: &GetDatasetResponse) -> Self {
        let listing = Listing::of(dataset);
        let files = plan_files(&folder, &listing);
        let local: BTreeSet<&str> = folder.files.iter().map(|file| file.name.as_str()).collect();
        let remote =
            |(name, sizes): (&str, &[Option<u64>])| RemoteFile { name: name.to_owned(), sizes_bytes: sizes.into() };
        let now = Trainability::of_listing(&listing);
        let new = files.iter().filter(|file| file.is_missing() && file.file.kind.is_image()).count() as u64;
        Self {
            dataset_id: dataset.dataset.dataset_id.to_string(),
            dataset_name: dataset.dataset.name.clone(),
            files,
            remote_only: listing.names().filter(|(name, _)| !local.contains(name)).map(remote).collect(),
            remote_duplicates: listing.names().filter(|(_, sizes)| sizes.len() > 1).map(remote).collect(),
            nameless: listing.nameless,
            trainable_now: now,
            trainable_after: Trainability::new(now.images + new, now.uncertain),
            folder,
        }
    }

    /// The files to send.
    pub fn missing(&self) -> impl Iterator<Item = &PlannedFile> {
        self.files.iter().filter(|file| file.is_missing())
    }

    /// The size of the files to send, in bytes.
    pub fn missing_bytes(&self) -> u64 {
        size_of(self.missing().map(|file| &file.file))
    }

    /// The files that cannot or must not be sent.
    pub fn rejected(&self) -> impl Iterator<Item = &PlannedFile> {
        self.files.iter().filter(|file| file.rejection().is_some())
    }

    /// Whether the whole folder could be read, and the dataset has every image and caption in it, with the same name and,
    /// if the service reports it, the same size.
    pub fn is_complete(&self) -> bool {
        let is_stored = |file: &PlannedFile| matches!(file.state, FileState::Present | FileState::PresentUnverified);
        self.folder.unread().next().is_none() && self.files.iter().all(is_stored)
    }

    /// Compares the same folder with a newer response.
    pub fn again(&self, dataset: &GetDatasetResponse) -> Self {
        Self::new(self.folder.clone(), dataset)
    }
}

impl PlannedFile {
    /// Whether the file will be sent.
    pub fn is_missing(&self) -> bool {
        self.state == FileState::Missing
    }

    /// Why it cannot or must not be sent, if so.
    pub fn rejection(&self) -> Option<&Rejection> {
        if let FileState::Rejected(rejection) = &self.state { Some(rejection) } else { None }
    }
}

/// Serializes the folder without its files, which the plan contains.
fn folder_without_files<S: serde::Serializer>(folder: &Folder, serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Rest<'f> {
        folder: String,
        skipped: &'f [super::Skipped],
    }
    Rest { folder: folder.path.display().to_string(), skipped: &folder.skipped }.serialize(serializer)
}

fn plan_files(folder: &Folder, listing: &Listing) -> Vec<PlannedFile> {
    let (mut by_name, mut by_case) = (Paths::new(), Paths::new());
    for file in &folder.files {
        by_name.entry(file.name.clone()).or_default().push(&file.path);
        by_case.entry(name::case_folded(&file.name)).or_default().push(&file.path);
    }
    let cases: BTreeMap<_, _> = listing.names().map(|(name, _)| (name::case_folded(name), name)).collect();
    let plan = |file: &LocalFile| PlannedFile {
        file: file.clone(),
        state: match rejection(file, &by_name, &by_case) {
            Some(rejection) => FileState::Rejected(rejection),
            None => compare(file, listing, &cases),
        },
        belongs_to: Vec::new(),
        notes: notes(file),
    };
    let mut planned: Vec<_> = folder.files.iter().map(plan).collect();
    pair(&mut planned, listing);
    planned
}

/// The paths of local files with the same name.
type Paths<'f> = BTreeMap<String, Vec<&'f PathBuf>>;

/// Returns why a file must not be sent, if so.
fn rejection(file: &LocalFile, by_name: &Paths<'_>, by_case: &Paths<'_>) -> Option<Rejection> {
    if let Some(fault) = &file.fault {
        return Some(Rejection::Fault(fault.clone()));
    }
    let others = |paths: &[&PathBuf]| -> Vec<String> {
        paths.iter().filter(|path| ***path != file.path).map(|path| path.display().to_string()).collect()
    };
    let paths = &by_name[&file.name];
    let same = others(paths);
    if !same.is_empty() {
        let is_in_one_form = paths.iter().all(|path| path.file_name() == file.path.file_name());
        return Some(if is_in_one_form {
            Rejection::SameName { others: same }
        } else {
            Rejection::SameNameInUnicode { others: same }
        });
    }
    let others = others(&by_case[&name::case_folded(&file.name)]);
    (!others.is_empty()).then_some(Rejection::SameNameButCase { others })
}

fn compare(file: &LocalFile, listing: &Listing, cases: &BTreeMap<String, &str>) -> FileState {
    let sizes = listing.sizes(&file.name);
    if sizes.contains(&Some(file.size_bytes)) {
        return FileState::Present;
    }
    if sizes.contains(&None) {
        return FileState::PresentUnverified;
    }
    if !sizes.is_empty() {
        return FileState::Different { remote_sizes_bytes: sizes.iter().copied().flatten().collect() };
    }
    if let Some(remote_name) = cases.get(&name::case_folded(&file.name)) {
        return FileState::Uncertain(Uncertainty::OtherCase { remote_name: (*remote_name).to_owned() });
    }
    if listing.nameless.iter().any(|size| size.is_none_or(|size| size == file.size_bytes)) {
        return FileState::Uncertain(Uncertainty::Nameless);
    }
    FileState::Missing
}

fn notes(file: &LocalFile) -> Vec<Note> {
    let mut notes = Vec::new();
    if file.kind.is_image() && file.size_bytes > LARGE_IMAGE_BYTES {
        notes.push(Note::Large);
    }
    if file.has_byte_order_mark {
        notes.push(Note::ByteOrderMark);
    }
    if file.kind.is_image() && content::kind_by_name(&file.name) != Some(file.kind) {
        notes.push(Note::OtherFormat);
    }
    notes
}

/// Pairs captions with images. A caption without an image is rejected, and one of uncertain images is uncertain.
fn pair(planned: &mut [PlannedFile], listing: &Listing) {
    let mut remote: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (name, _) in listing.names().filter(|(name, _)| !name::is_caption(name)) {
        remote.entry(name::stem(name)).or_default().insert(name);
    }
    let mut local: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (index, file) in planned.iter().enumerate() {
        if file.file.kind.is_image() && file.rejection().is_none() {
            local.entry(name::stem(&file.file.name).to_owned()).or_default().push(index);
        }
    }
    for index in 0..planned.len() {
        if planned[index].file.kind != FileKind::Caption || planned[index].rejection().is_some() {
            continue;
        }
        let name = planned[index].file.name.clone();
        let here = local.get(name::stem(&name)).map_or(&[][..], Vec::as_slice);
        let there = remote.get(name::stem(&name));
        let mut images: BTreeSet<String> = here.iter().map(|index| planned[*index].file.name.clone()).collect();
        images.extend(there.into_iter().flatten().map(|name| (*name).to_owned()));
        let are_uncertain =
            there.is_none() && here.iter().all(|index| matches!(planned[*index].state, FileState::Uncertain(_)));
        for image in here {
            planned[*image].belongs_to.push(name.clone());
        }
        let caption = &mut planned[index];
        if images.is_empty() {
            // A caption in the dataset stays there, with or without an image.
            if caption.is_missing() || matches!(caption.state, FileState::Uncertain(_)) {
                caption.state = FileState::Rejected(Rejection::NoImage);
            }
        } else if are_uncertain && caption.is_missing() {
            caption.state = FileState::Uncertain(Uncertainty::Image);
        }
        if images.len() > 1 {
            caption.notes.push(Note::SharedCaption);
        }
        caption.belongs_to = images.into_iter().collect();
    }
}

#[cfg(test)]
mod tests;
