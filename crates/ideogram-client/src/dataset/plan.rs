//! Compares a folder with a dataset: what is there, what is missing, what is uncertain.
//!
//! Pure: a folder that was read and a response that came. The rules stand at [`Plan`].

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    path::PathBuf,
};

use serde::Serialize;

use super::{
    FileKind, Folder, LocalFile,
    listing::Listing,
    local_file::Fault,
    name, size_of,
    trainable::{Images, Trainability},
};
use crate::types::GetDatasetResponse;

/// The documented limit for an image elsewhere in the API; for datasets none is published.
const LARGE_IMAGE_BYTES: u64 = 25_000_000;

/// A local folder compared with a dataset.
///
/// It is data: show it, keep it as JSON, or hand it to [`Client::sync_dataset`](crate::Client::sync_dataset).
///
/// # Rules
///
/// Nothing can be removed from a dataset or replaced in it, so a file is planned to be sent only if it is certainly not
/// there.
///
/// - Files are sent by base name, so they are compared by it: in one Unicode form (NFC), since some file systems change
///   the form on their own, and otherwise exactly. Folders, here or in the dataset, count for nothing.
/// - The same name with the same size is there. With another size it is different, and not sent: it would stand beside
///   the old one. With a size that the service does not tell, it counts as there.
/// - Whether the service tells `Cat.png` from `cat.png` is not known, so a file whose name differs in case only from
///   one in the dataset is uncertain. So is every file that may be one of those that the dataset gives no name: those
///   of the same size, or of none. What is uncertain is not sent unless requested.
/// - Two local files with one name, or with names that differ in case only, are both refused: which of them would end
///   up in the dataset, and whose caption would be whose, would be chance.
/// - A caption belongs to the images with its stem, in the folder or in the dataset, and shares their doubt; one
///   without an image is refused.
/// - Images are recognized by their content, captions by the extension `.txt`. Archives, hidden files, images of other
///   formats and all else are listed with the reason, and not sent. Empty files, files that are not what their names
///   promise and captions that are not UTF-8 are refused. No limit for the size of an image in a dataset is published,
///   so large ones are remarked, and sent. Files are sent as they are: a byte order mark in a caption is remarked, and
///   sent.
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
    /// The sizes of those files of the dataset that the service gives no name; `None` where it tells no size either.
    pub nameless: Vec<Option<u64>>,
    /// Whether the dataset can be trained as it is.
    pub trainable_now: Trainability,
    /// Whether it can be trained once what is missing is there.
    pub trainable_after: Trainability,
    /// The folder.
    #[serde(flatten, serialize_with = "folder_without_files")]
    pub folder: Folder,
}

/// A local file, and what is to become of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PlannedFile {
    /// The file.
    #[serde(flatten)]
    pub file: LocalFile,
    /// How it stands to the dataset.
    pub state: FileState,
    /// Of a caption: its images, by name. Of an image: its caption, if it has one in the folder.
    pub belongs_to: Vec<String>,
    /// What is worth a look, without being in the way.
    pub notes: Vec<Note>,
}

/// How a local file stands to the dataset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FileState {
    /// Not there: to be sent.
    Missing,
    /// There, with the same size.
    Present,
    /// There by name; the service tells no size.
    PresentUnverified,
    /// There by name, with other sizes, in bytes. Not sent: it would not replace what is there.
    Different {
        /// The sizes in the dataset.
        remote_sizes_bytes: Vec<u64>,
    },
    /// Perhaps there. Not sent unless requested.
    Uncertain(Uncertainty),
    /// Cannot or must not be sent.
    Rejected(Rejection),
}

/// Why it is uncertain whether a file is in the dataset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Uncertainty {
    /// The dataset has a name that differs in case only.
    OtherCase {
        /// The name in the dataset.
        remote_name: String,
    },
    /// The dataset has a file without a name that could be this one: of the same size, or of none.
    Nameless,
    /// It is the caption of an uncertain image.
    Image,
    /// Lines of the journal are missing: it was deleted, cut, or replaced by an older copy. So it is uncertain
    /// whether the file was sent.
    Journal,
}

/// Why a file is not sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Rejection {
    /// It cannot be sent as it is.
    Fault(Fault),
    /// Other files of the folder have the same name, as it is sent.
    SameName {
        /// Where they are.
        others: Vec<String>,
    },
    /// Other files of the folder have the same name in another Unicode form; it is sent in one form (NFC).
    SameNameInUnicode {
        /// Where they are.
        others: Vec<String>,
    },
    /// Other files of the folder have a name that differs in case only.
    SameNameButCase {
        /// Where they are.
        others: Vec<String>,
    },
    /// A caption without an image that is in the dataset or can be sent.
    NoImage,
}

/// What is worth a look.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Note {
    /// An image of more than 25 MB: the limit that is documented elsewhere. For datasets none is published.
    Large,
    /// The name promises another format than the content has. The content counts.
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
    /// Compares a folder with what [`get_dataset`](crate::Client::get_dataset) answers.
    pub fn new(folder: Folder, dataset: &GetDatasetResponse) -> Self {
        let listing = Listing::of(dataset);
        let files = plan_files(&folder, &listing);
        let local: BTreeSet<&str> = folder.files.iter().map(|file| file.name.as_str()).collect();
        let remote =
            |(name, sizes): (&str, &[Option<u64>])| RemoteFile { name: name.to_owned(), sizes_bytes: sizes.into() };
        let now = Images::of(&listing);
        let new = files.iter().filter(|file| file.is_missing() && file.file.kind.is_image()).count() as u64;
        Self {
            dataset_id: dataset.dataset.dataset_id.to_string(),
            dataset_name: dataset.dataset.name.clone(),
            files,
            remote_only: listing.names().filter(|(name, _)| !local.contains(name)).map(remote).collect(),
            remote_duplicates: listing.names().filter(|(_, sizes)| sizes.len() > 1).map(remote).collect(),
            nameless: listing.nameless,
            trainable_now: now.trainable(),
            trainable_after: now.and(new).trainable(),
            folder,
        }
    }

    /// The files to be sent.
    pub fn missing(&self) -> impl Iterator<Item = &PlannedFile> {
        self.files.iter().filter(|file| file.is_missing())
    }

    /// The size of the files to be sent, in bytes.
    pub fn missing_bytes(&self) -> u64 {
        size_of(self.missing().map(|file| &file.file))
    }

    /// The files that cannot or must not be sent.
    pub fn rejected(&self) -> impl Iterator<Item = &PlannedFile> {
        self.files.iter().filter(|file| matches!(file.state, FileState::Rejected(_)))
    }

    /// Whether the folder could be read whole, and every image and caption of it is in the dataset, under its name and
    /// with its size as far as the service tells it: what a verification asks.
    pub fn is_complete(&self) -> bool {
        let is_stored = |file: &PlannedFile| matches!(file.state, FileState::Present | FileState::PresentUnverified);
        self.folder.unread().next().is_none() && self.files.iter().all(is_stored)
    }

    /// The same folder, compared with a newer response.
    pub fn again(&self, dataset: &GetDatasetResponse) -> Self {
        Self::new(self.folder.clone(), dataset)
    }
}

impl PlannedFile {
    /// Whether it is to be sent.
    pub fn is_missing(&self) -> bool {
        self.state == FileState::Missing
    }

    /// Why it cannot or must not be sent, if so.
    pub fn rejection(&self) -> Option<&Rejection> {
        match &self.state {
            FileState::Rejected(rejection) => Some(rejection),
            _ => None,
        }
    }
}

/// The files are in the plan already, each with its state.
fn folder_without_files<S: serde::Serializer>(folder: &Folder, serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Rest<'f> {
        folder: String,
        skipped: &'f [super::Skipped],
    }
    Rest { folder: folder.path.display().to_string(), skipped: &folder.skipped }.serialize(serializer)
}

fn plan_files(folder: &Folder, listing: &Listing) -> Vec<PlannedFile> {
    let refusals = refusals(folder);
    let cases: BTreeMap<_, _> = listing.names().map(|(name, _)| (name::case_folded(name), name)).collect();
    let state = |file: &LocalFile, rejection: Option<&Rejection>| match rejection {
        Some(rejection) => FileState::Rejected(rejection.clone()),
        None => compare(file, listing, &cases),
    };
    let mut planned: Vec<_> = folder
        .files
        .iter()
        .zip(&refusals)
        .map(|(file, rejection)| PlannedFile {
            file: file.clone(),
            state: state(file, rejection.as_ref()),
            belongs_to: Vec::new(),
            notes: notes(file),
        })
        .collect();
    pair(&mut planned, listing);
    planned
}

/// Why files must not be sent, in the order of the files.
fn refusals(folder: &Folder) -> Vec<Option<Rejection>> {
    let mut by_name: BTreeMap<&str, Vec<&PathBuf>> = BTreeMap::new();
    let mut by_case: BTreeMap<String, Vec<&PathBuf>> = BTreeMap::new();
    for file in &folder.files {
        by_name.entry(&file.name).or_default().push(&file.path);
        by_case.entry(name::case_folded(&file.name)).or_default().push(&file.path);
    }
    let others = |paths: &[&PathBuf], file: &LocalFile| -> Vec<String> {
        paths.iter().filter(|path| ***path != file.path).map(|path| path.display().to_string()).collect()
    };
    let rejection = |file: &LocalFile| {
        let same = others(&by_name[file.name.as_str()], file);
        let same_but_case = others(&by_case[&name::case_folded(&file.name)], file);
        if let Some(fault) = &file.fault {
            Some(Rejection::Fault(fault.clone()))
        } else if !same.is_empty() {
            let is_in_one_form =
                by_name[file.name.as_str()].iter().all(|path| path.file_name() == file.path.file_name());
            Some(if is_in_one_form {
                Rejection::SameName { others: same }
            } else {
                Rejection::SameNameInUnicode { others: same }
            })
        } else if !same_but_case.is_empty() {
            Some(Rejection::SameNameButCase { others: same_but_case })
        } else {
            None
        }
    };
    folder.files.iter().map(rejection).collect()
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
    let promised = match name::extension(&file.name).as_str() {
        "jpg" | "jpeg" => Some(FileKind::Jpeg),
        "png" => Some(FileKind::Png),
        "webp" => Some(FileKind::WebP),
        _ => None,
    };
    if file.kind.is_image() && promised != Some(file.kind) {
        notes.push(Note::OtherFormat);
    }
    notes
}

/// Gives captions to their images; a caption without one is refused, one of an uncertain image is uncertain.
fn pair(planned: &mut [PlannedFile], listing: &Listing) {
    let mut remote: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (name, _) in listing.names().filter(|(name, _)| !name::is_caption(name)) {
        remote.entry(name::stem(name)).or_default().insert(name);
    }
    let mut local: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (index, file) in planned.iter().enumerate() {
        if file.file.kind.is_image() && !matches!(file.state, FileState::Rejected(_)) {
            local.entry(name::stem(&file.file.name).to_owned()).or_default().push(index);
        }
    }
    for index in 0..planned.len() {
        if planned[index].file.kind != FileKind::Caption || matches!(planned[index].state, FileState::Rejected(_)) {
            continue;
        }
        let name = planned[index].file.name.clone();
        let here = local.get(name::stem(&name)).map_or(&[][..], Vec::as_slice);
        let there = remote.get(name::stem(&name));
        let mut images: BTreeSet<String> = here.iter().map(|index| planned[*index].file.name.clone()).collect();
        images.extend(there.into_iter().flatten().map(|name| (*name).to_owned()));
        let are_in_doubt =
            there.is_none() && here.iter().all(|index| matches!(planned[*index].state, FileState::Uncertain(_)));
        for image in here {
            planned[*image].belongs_to.push(name.clone());
        }
        let caption = &mut planned[index];
        if images.is_empty() {
            // What is in the dataset already stays there, image or not.
            if caption.is_missing() || matches!(caption.state, FileState::Uncertain(_)) {
                caption.state = FileState::Rejected(Rejection::NoImage);
            }
        } else if are_in_doubt && caption.is_missing() {
            caption.state = FileState::Uncertain(Uncertainty::Image);
        }
        if images.len() > 1 {
            caption.notes.push(Note::SharedCaption);
        }
        caption.belongs_to = images.into_iter().collect();
    }
}

impl fmt::Display for Uncertainty {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherCase { remote_name } => write!(formatter, "the dataset has \"{remote_name}\""),
            Self::Nameless => formatter.write_str("the dataset has files without names"),
            Self::Image => formatter.write_str("its image is uncertain"),
            Self::Journal => formatter.write_str("the journal lacks lines, and it may have been sent"),
        }
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fault(fault) => fault.fmt(formatter),
            Self::SameName { others } => write!(formatter, "has the same name as {}", others.join(", ")),
            Self::SameNameInUnicode { others } => {
                write!(formatter, "has the same name, in another Unicode form, as {}", others.join(", "))
            }
            Self::SameNameButCase { others } => {
                write!(formatter, "has, but for upper and lower case, the same name as {}", others.join(", "))
            }
            Self::NoImage => {
                formatter.write_str("a caption without an image: a.txt is the caption of a.png, a.jpg or a.webp")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::dataset::TrainabilityStatus;

    fn folder(files: &[(&str, u64)]) -> Folder {
        let file = |(path, size_bytes): &(&str, u64)| {
            let name = name::base_name(path);
            let kind = if name::is_caption(&name) { FileKind::Caption } else { FileKind::Png };
            LocalFile {
                path: (*path).into(),
                name,
                size_bytes: *size_bytes,
                kind,
                fault: None,
                has_byte_order_mark: false,
            }
        };
        Folder { path: "set".into(), files: files.iter().map(file).collect(), skipped: Vec::new() }
    }

    fn dataset(files: &[(Option<&str>, Option<u64>)]) -> GetDatasetResponse {
        let file = |(name, size): &(Option<&str>, Option<u64>)| json!({"file_name": name, "file_size_bytes": size});
        let response = json!({
            "dataset": {"dataset_id": "d", "name": "n", "user_id": "u", "creation_time": "2026-07-01T09:00:00Z"},
            "file_count": files.len(),
            "files": files.iter().map(file).collect::<Vec<_>>(),
        });
        serde_json::from_value(response).unwrap()
    }

    fn states(local: &[(&str, u64)], remote: &[(Option<&str>, Option<u64>)]) -> Vec<FileState> {
        Plan::new(folder(local), &dataset(remote)).files.into_iter().map(|file| file.state).collect()
    }

    #[test]
    fn a_file_is_there_missing_or_different_by_name_and_size() {
        let remote = [
            (Some("a.png"), Some(1)),
            (Some("b.png"), Some(9)),
            (Some("c.png"), None),
            (Some("e.png"), Some(8)),
            (Some("e.png"), Some(1)),
            (Some("z.png"), Some(1)),
        ];

        let plan = Plan::new(
            folder(&[("a.png", 1), ("b.png", 1), ("c.png", 1), ("d.png", 1), ("e.png", 1)]),
            &dataset(&remote),
        );

        let states: Vec<_> = plan.files.iter().map(|file| file.state.clone()).collect();
        assert_eq!(
            states,
            [
                FileState::Present,
                FileState::Different { remote_sizes_bytes: vec![9] },
                FileState::PresentUnverified,
                FileState::Missing,
                FileState::Present,
            ]
        );
        assert_eq!(plan.remote_only, [RemoteFile { name: "z.png".to_owned(), sizes_bytes: vec![Some(1)] }]);
        assert_eq!(plan.remote_duplicates.len(), 1);
        assert_eq!(plan.missing().count(), 1);
        assert!(!plan.is_complete());
        assert!(Plan::new(folder(&[("a.png", 1), ("c.png", 7)]), &dataset(&remote)).is_complete());
    }

    #[test]
    fn the_same_name_in_two_folders_is_refused_for_both_with_both_paths() {
        let refused = states(&[("one/a.png", 1), ("two/a.png", 2), ("b.png", 1)], &[]);

        let same = |other: &str| FileState::Rejected(Rejection::SameName { others: vec![other.to_owned()] });
        assert_eq!(refused, [same("two/a.png"), same("one/a.png"), FileState::Missing]);
    }

    #[test]
    fn unicode_forms_of_a_name_are_the_same_name() {
        let (composed, decomposed) = ("\u{f6}.png", "o\u{308}.png");

        assert_eq!(states(&[(decomposed, 1)], &[(Some(composed), Some(1))]), [FileState::Present]);
        assert_eq!(states(&[(composed, 1)], &[(Some(decomposed), Some(1))]), [FileState::Present]);
        let both = states(&[(composed, 1), (decomposed, 1)], &[]);
        assert!(
            both.iter().all(|state| matches!(state, FileState::Rejected(Rejection::SameNameInUnicode { .. }))),
            "{both:?}"
        );
        assert_eq!(Plan::new(folder(&[(decomposed, 1)]), &dataset(&[])).files[0].file.name, composed);
    }

    #[test]
    fn names_that_differ_in_case_only_are_neither_the_same_nor_different() {
        let local = states(&[("a.png", 1), ("x/A.png", 1)], &[]);
        let remote = states(&[("a.png", 1)], &[(Some("A.png"), Some(1))]);

        assert!(local.iter().all(|state| matches!(state, FileState::Rejected(Rejection::SameNameButCase { .. }))));
        assert_eq!(remote, [FileState::Uncertain(Uncertainty::OtherCase { remote_name: "A.png".to_owned() })]);
    }

    #[test]
    fn a_file_without_a_name_leaves_those_in_doubt_that_it_could_be() {
        let nameless = FileState::Uncertain(Uncertainty::Nameless);

        assert_eq!(states(&[("a.png", 1), ("b.png", 2)], &[(None, Some(1))]), [nameless.clone(), FileState::Missing]);
        assert_eq!(states(&[("a.png", 1)], &[(None, None)]), [nameless]);
        assert_eq!(states(&[("a.png", 1)], &[(None, None), (Some("a.png"), Some(1))]), [FileState::Present]);
        assert_eq!(Plan::new(folder(&[]), &dataset(&[(None, None), (None, Some(7))])).nameless, [None, Some(7)]);
    }

    #[test]
    fn captions_belong_to_images_of_their_stem_here_or_there() {
        let local = [("a.png", 1), ("a.txt", 1), ("b.txt", 1), ("c.txt", 1), ("d.jpg", 1), ("d.png", 1), ("d.txt", 1)];

        let plan = Plan::new(folder(&local), &dataset(&[(Some("b.webp"), Some(1))]));

        let caption = |name: &str| plan.files.iter().find(|file| file.file.name == name).unwrap();
        assert_eq!(caption("a.txt").belongs_to, ["a.png"]);
        assert_eq!(caption("a.png").belongs_to, ["a.txt"]);
        assert_eq!(
            (&caption("b.txt").state, &caption("b.txt").belongs_to[..]),
            (&FileState::Missing, &["b.webp".to_owned()][..])
        );
        assert_eq!(caption("c.txt").state, FileState::Rejected(Rejection::NoImage));
        assert_eq!(caption("d.txt").belongs_to, ["d.jpg", "d.png"]);
        assert_eq!(caption("d.txt").notes, [Note::SharedCaption]);
        assert_eq!(plan.rejected().count(), 1);
    }

    #[test]
    fn a_caption_shares_the_fate_of_its_image() {
        let mut broken = folder(&[("a.png", 1), ("a.txt", 1)]);
        broken.files[0].fault = Some(Fault::NotAImage);

        let refused = Plan::new(broken, &dataset(&[]));
        let in_doubt = states(&[("a.png", 1), ("a.txt", 1)], &[(Some("A.png"), Some(1))]);
        let stored = states(&[("a.txt", 1)], &[(Some("a.txt"), Some(1))]);

        assert_eq!(refused.files[1].state, FileState::Rejected(Rejection::NoImage));
        assert_eq!(in_doubt[1], FileState::Uncertain(Uncertainty::Image));
        assert_eq!(stored, [FileState::Present]);
    }

    #[test]
    fn large_images_and_wrong_extensions_are_remarked_and_sent() {
        let mut odd = folder(&[("a.png", LARGE_IMAGE_BYTES + 1), ("b.jpg", LARGE_IMAGE_BYTES), ("c", 1), ("d.PNG", 1)]);
        odd.files[1].kind = FileKind::Png;

        let plan = Plan::new(odd, &dataset(&[]));

        let notes: Vec<_> = plan.files.iter().map(|file| file.notes.clone()).collect();
        assert_eq!(notes, [vec![Note::Large], vec![Note::OtherFormat], vec![Note::OtherFormat], vec![]]);
        assert_eq!(plan.missing().count(), 4);
    }

    #[test]
    fn what_can_be_trained_counts_images_and_not_captions() {
        let names: Vec<String> = (0..14).map(|number| format!("{number}.png")).collect();
        let mut remote: Vec<_> = names.iter().map(|name| (Some(name.as_str()), Some(1))).collect();
        remote.push((Some("0.txt"), Some(1)));

        let plan = Plan::new(folder(&[("new.png", 1), ("new.txt", 1), ("1.png", 1)]), &dataset(&remote));

        assert_eq!(plan.trainable_now.status, TrainabilityStatus::TooFew { missing: 1 });
        assert_eq!((plan.trainable_after.images, plan.trainable_after.is_certain()), (15, true));
        remote.push((None, None));
        let plan = Plan::new(folder(&[]), &dataset(&remote));
        assert_eq!(plan.trainable_now.status, TrainabilityStatus::Unknown);
    }

    #[test]
    fn a_plan_is_data() {
        let mut set = folder(&[("a.png", 1)]);
        set.skipped.push(super::super::Skipped { path: ".x".into(), reason: super::super::SkipReason::Hidden });

        let json = serde_json::to_value(Plan::new(set, &dataset(&[(Some("b.png"), None)]))).unwrap();

        assert_eq!(
            json,
            json!({
                "dataset_id": "d", "dataset_name": "n",
                "files": [{
                    "path": "a.png", "name": "a.png", "size_bytes": 1, "kind": "png", "fault": null,
                    "state": "missing", "belongs_to": [], "notes": [],
                }],
                "remote_only": [{"name": "b.png", "sizes_bytes": [null]}],
                "remote_duplicates": [], "nameless": [],
                "trainable_now": {"images": 1, "uncertain": 0, "status": {"too_few": {"missing": 14}}},
                "trainable_after": {"images": 2, "uncertain": 0, "status": {"too_few": {"missing": 13}}},
                "folder": "set", "skipped": [{"path": ".x", "reason": "hidden"}],
            })
        );
    }
}
