//! The location of the journal of `sync`.
//!
//! There is one journal for each dataset, even if several folders are synced into it. It is in the state folder of the
//! user, so that it is never uploaded, and is there after a restart.

use std::{
    fs,
    path::{Path, PathBuf},
};

use ideogram_client::{
    dataset::{FileState, Plan, lacks_lines},
    reqwest::Url,
    types::DatasetId,
};
use tempfile::TempDir;

use crate::{failure::Failure, session::config, session::context::Context};

/// Whether a journal knows all earlier syncs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Completeness {
    /// As far as can be seen.
    Complete,
    /// Its last lines are missing.
    LacksLines,
}

/// The journal of a sync.
#[derive(Debug)]
pub(super) struct JournalLocation {
    pub(super) path: PathBuf,
    /// Removed at the end, with `--mock`.
    temporary: Option<TempDir>,
}

impl JournalLocation {
    /// Finds the location and creates its folder.
    pub(super) fn find(context: &Context<'_>, id: &DatasetId, chosen: Option<PathBuf>) -> Result<Self, Failure> {
        let cannot = |error: &std::io::Error| {
            Failure::local_io("nothing was sent: the folder of the sync journal cannot be created").because(error)
        };
        if let Some(path) = chosen {
            return Ok(Self { path, temporary: None });
        }
        if context.mock_server().is_some() {
            let folder = tempfile::tempdir().map_err(|error| cannot(&error))?;
            return Ok(Self { path: folder.path().join("sync.jsonl"), temporary: Some(folder) });
        }
        let Some(state) = config::state_folder() else {
            return Err(Failure::usage("this account has no home folder for the sync journal")
                .hint("nothing was sent; choose a path with --journal PATH"));
        };
        let path = state.join("sync").join(name(context.client().base_url(), id.as_str()));
        fs::create_dir_all(path.parent().unwrap_or(&state))
            .map_err(|error| cannot(&error).hint(format!("it would be \"{}\"", path.display())))?;
        Ok(Self { path, temporary: None })
    }

    /// Warns of files that may have been sent without a line in the journal.
    pub(super) fn warn(&self, context: &Context<'_>, plan: &Plan) -> Completeness {
        let journal = self.path.display();
        // A journal that cannot be read is refused by the sync itself.
        if lacks_lines(&self.path).unwrap_or_default() {
            context.output().warning(&format!(
                "the journal \"{journal}\" lacks lines: it was deleted, cut, or replaced by an older copy; files that are \
                 missing in the dataset may have been sent, and are sent only with --send-uncertain"
            ));
            return Completeness::LacksLines;
        }
        let is_empty = plan.remote_only.is_empty()
            && plan.nameless.is_empty()
            && plan.files.iter().all(|file| matches!(file.state, FileState::Missing | FileState::Rejected(_)));
        if self.temporary.is_none() && !is_empty && plan.missing().next().is_some() && !self.path.exists() {
            context.output().warning(&format!(
                "the dataset has files, and the journal \"{journal}\" is new: a file that was sent before and is not \
                 listed yet is sent again"
            ));
        }
        Completeness::Complete
    }
}

/// `api.ideogram.ai/ID.jsonl`, `127.0.0.1-4010/ID.jsonl`: datasets of two services may have one id.
fn name(service: &Url, id: &str) -> PathBuf {
    let host = service.host_str().unwrap_or_default();
    let port = service.port().map(|port| format!("-{port}")).unwrap_or_default();
    Path::new(&plain(&format!("{host}{port}"))).join(format!("{}.jsonl", plain(id)))
}

/// Encodes text in characters that every file system accepts; different texts stay different.
fn plain(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    text.bytes()
        .map(|byte| if is_plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02x}") })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_service_and_id_has_its_own_journal() {
        for (service, id, expected) in [
            ("https://api.ideogram.ai", "2lLrQhV9QnuHcKpWb0sXyA", "api.ideogram.ai/2lLrQhV9QnuHcKpWb0sXyA.jsonl"),
            ("http://127.0.0.1:4010", "a:b", "127.0.0.1-4010/a%3ab.jsonl"),
            ("http://[::1]:80", "ä", "%5b%3a%3a1%5d/%c3%a4.jsonl"),
        ] {
            assert_eq!(name(&service.parse().unwrap(), id), Path::new(expected));
        }
    }
}
