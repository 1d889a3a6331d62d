//! What the service's response to a chunk means: for its files, and for whether to go on.
//!
//! Pure: what was sent and what came back in, a line for the journal or a yes or no out.

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

/// What became of a chunk.
pub(super) fn end_of(chunk: u64, files: &[LocalFile], response: &Result<UploadDatasetAssetsResponse, Error>) -> End {
    let time = Some(journal::now());
    match response {
        Ok(response) => End {
            chunk,
            time,
            result: ChunkResult::Answered,
            stored: stored(files, response),
            failed: failed(files, response),
            error: None,
        },
        Err(error) => {
            let result = match error.outcome() {
                Outcome::NotSent | Outcome::Declined => ChunkResult::NotStored,
                // Unknown, Completed, and whatever may come: the dataset tells.
                _ => ChunkResult::Unknown,
            };
            let (stored, failed) = (BTreeSet::new(), BTreeMap::new());
            End { chunk, time, result, stored, failed, error: Some(error.to_string()) }
        }
    }
}

/// The files of a chunk that the service calls stored. It may call them by names of its own: where it failed nothing,
/// and stored as many images as were sent, it has stored them all.
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

/// The files of a chunk that the service refused. Failures without a name cannot be assigned to a file; whether a
/// file is stored, the dataset tells.
fn failed(files: &[LocalFile], response: &UploadDatasetAssetsResponse) -> BTreeMap<String, DatasetAssetFailureReason> {
    let sent: BTreeSet<&str> = files.iter().map(|file| file.name.as_str()).collect();
    let named = response.failed_assets.iter().filter_map(|asset| {
        let name = name::base_name(asset.file_name.as_deref()?);
        sent.contains(name.as_str()).then(|| (name, asset.failure_reason.clone()))
    });
    named.collect()
}

/// Whether the service would say the same of the same file.
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

/// Whether the service has refused a chunk for what is in it.
pub(super) fn is_refusal(error: &Error) -> bool {
    let status = error.status().map(|status| status.as_u16());
    error.outcome() == Outcome::Declined && matches!(status, Some(400 | 413 | 422))
}

/// Whether the next chunk would meet the same error.
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
