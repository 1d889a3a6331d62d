//! Reports everything in a folder that is not sent, or may be unexpected, with the reason.

use std::collections::BTreeMap;

use ideogram_client::dataset::{Folder, Note, Plan, PlannedFile, SkipReason};

use super::texts;
use crate::{exit::Exit, failure::Failure, options::Format, output::Output, output::units};

/// Reports what is skipped in the folder, by reason.
pub(super) fn print_skipped(output: &Output, folder: &Folder) {
    let mut by_reason: BTreeMap<SkipReason, Vec<String>> = BTreeMap::new();
    for skipped in &folder.skipped {
        let mut name = texts::relative(&skipped.path, &folder.path);
        if let SkipReason::OtherCaption { rename_to: Some(caption) } = &skipped.reason {
            name = format!("{name} -> {caption}");
        }
        by_reason.entry(group(&skipped.reason)).or_default().push(name);
    }
    for (reason, names) in &by_reason {
        let text = format!("left out: {} ({reason})", listed(output, names));
        if is_expected(reason) { output.note(&text) } else { output.warning(&text) }
    }
}

/// Reports the files that cannot be sent, by reason.
pub(super) fn print_rejected(output: &Output, plan: &Plan) {
    warn_of_files(output, plan, "not sent", |file| file.rejection().map(ToString::to_string).into_iter().collect());
}

/// Reports files that are sent but may be unexpected, by reason.
pub(super) fn print_notes(output: &Output, plan: &Plan) {
    warn_of_files(output, plan, "sent unchanged", |file| {
        let notes = file.notes.iter().filter(|_| file.is_missing());
        let notes = notes.filter(|note| matches!(note, Note::Large | Note::ByteOrderMark));
        notes.map(|note| texts::note(note).to_owned()).collect()
    });
}

fn warn_of_files(output: &Output, plan: &Plan, what: &str, reasons: impl Fn(&PlannedFile) -> Vec<String>) {
    let mut by_reason: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for file in &plan.files {
        for reason in reasons(file) {
            by_reason.entry(reason).or_default().push(texts::relative(&file.file.path, &plan.folder.path));
        }
    }
    for (reason, names) in &by_reason {
        output.warning(&format!("{what}: {} ({reason})", listed(output, names)));
    }
}

/// The failure if something in the folder could not be read.
pub(super) fn unread(output: &Output, folder: &Folder) -> Option<Failure> {
    let names: Vec<_> = folder.unread().map(|path| texts::relative(path, &folder.path)).collect();
    if names.is_empty() {
        return None;
    }
    let number = units::count(names.len() as u64, "path");
    let failure = Failure::new(Exit::Partial, format!("{number} of the folder could not be read"));
    Some(failure.fact(format!("not read: {}", listed(output, &names))).detail("unread", names))
}

/// One reason for those that only differ by file.
pub(super) fn group(reason: &SkipReason) -> SkipReason {
    match reason {
        SkipReason::OtherCaption { .. } => SkipReason::OtherCaption { rename_to: None },
        reason => reason.clone(),
    }
}

/// Whether it is expected that such a file is skipped.
fn is_expected(reason: &SkipReason) -> bool {
    matches!(reason, SkipReason::Hidden | SkipReason::OtherType | SkipReason::NotAFile | SkipReason::AlreadyRead)
}

/// The names as text; JSON has all.
fn listed(output: &Output, names: &[String]) -> String {
    if output.format() == Format::Text { texts::names(names) } else { names.join(", ") }
}
