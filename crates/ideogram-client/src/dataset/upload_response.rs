//! The meaning of the response to an upload, for its files and for the rest of the sync.
//!
//! Pure functions of a chunk and its response.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    LocalFile,
    journal::{self, ChunkResult, End},
    name,
};
use crate::{
    Error, ErrorKind, Outcome,
    types::{DatasetAssetFailureReason, UploadDatasetAssetsResponse},
};

/// Returns the line of the journal for the end of a chunk.
pub(super) fn end_of(chunk: u64, files: &[LocalFile], response: &Result<UploadDatasetAssetsResponse, Error>) -> End {
    let time = Some(journal::now());
    match response {
        Ok(response) => End {
            chunk,
            time,
            result: ChunkResult::Reported,
            stored: stored(files, response),
            failed: failed(files, response),
            error: None,
        },
        Err(error) => {
            let result = match error.outcome() {
                Outcome::NotSent | Outcome::Declined => ChunkResult::NotStored,
                // Unknown, Completed, and future variants: the list of files in the dataset decides.
                _ => ChunkResult::Unknown,
            };
            let (stored, failed) = (BTreeSet::new(), BTreeMap::new());
            End { chunk, time, result, stored, failed, error: Some(error.to_string()) }
        }
    }
}

/// Returns the files of a chunk that the service reports as stored. It may report other names: if nothing failed, and as
/// many images were stored as were sent, then all of them were stored.
fn stored(files: &[LocalFile], response: &UploadDatasetAssetsResponse) -> BTreeSet<String> {
    let named: Vec<_> =
        response.successful_assets.iter().map(|asset| asset.file_name.as_deref().map(name::base_name)).collect();
    let images = files.iter().filter(|file| file.kind.is_image()).count();
    let count = named.iter().filter(|name| !name.as_deref().is_some_and(name::is_caption)).count();
    let is_whole = response.failed_assets.is_empty() && response.failure_count == 0 && count >= images;
    let named: BTreeSet<&str> = named.iter().filter_map(Option::as_deref).collect();
    let is_stored = |file: &&LocalFile| named.contains(file.name.as_str()) || (is_whole && file.kind.is_image());
    files.iter().filter(is_stored).map(|file| file.name.clone()).collect()
}

/// Returns the files of a chunk that the service refused. A failure without a name cannot be assigned to a file; the list
/// of files in the dataset decides about these.
fn failed(files: &[LocalFile], response: &UploadDatasetAssetsResponse) -> BTreeMap<String, DatasetAssetFailureReason> {
    let sent: BTreeSet<&str> = files.iter().map(|file| file.name.as_str()).collect();
    let named = response.failed_assets.iter().filter_map(|asset| {
        let name = name::base_name(asset.file_name.as_deref()?);
        sent.contains(name.as_str()).then(|| (name, asset.failure_reason.clone()))
    });
    named.collect()
}

/// Returns whether the same file would fail again.
pub(super) fn is_final(reason: &DatasetAssetFailureReason) -> bool {
    use DatasetAssetFailureReason as Reason;
    matches!(
        reason,
        Reason::FailedSafetyCheck
            | Reason::FileTooLarge
            | Reason::InvalidCaption
            | Reason::InvalidCaptionJson
            | Reason::InvalidImage
            | Reason::InvalidZip
    )
}

/// Returns whether the service has refused a chunk because of its files.
pub(super) fn is_refusal(error: &Error) -> bool {
    let status = error.status().map(|status| status.as_u16());
    error.outcome() == Outcome::Declined && matches!(status, Some(400 | 413 | 422))
}

/// Returns whether the next chunk would fail in the same way.
pub(super) fn is_hopeless(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Authentication
            | ErrorKind::Payment
            | ErrorKind::Forbidden
            | ErrorKind::NotFound
            | ErrorKind::InvalidArgument
    )
}
