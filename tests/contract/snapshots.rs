//! Every snapshot is compared, reviewed, and used.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
};

use xtask::snapshots::{self, SnapshotKind, Survey};

use crate::document::checked;

/// Compares every text with its snapshot, and prints all differences.
pub(crate) fn compare(kind: SnapshotKind, texts: &BTreeMap<String, String>) {
    let (sources, client) = checked();
    let folder = format!("{}/", kind.folder());
    let expected = snapshots::expected(&client, &sources);
    let expected: BTreeSet<&str> =
        expected.iter().filter_map(|path| path.strip_prefix(&folder)?.strip_suffix(".snap")).collect();
    assert_eq!(texts.keys().map(String::as_str).collect::<BTreeSet<_>>(), expected, "what the document holds");

    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(format!("snapshots/{}", kind.folder()));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let differs = |name: &String, text: &String| {
        let assertion = || settings.bind(|| insta::assert_snapshot!(name.as_str(), text));
        catch_unwind(AssertUnwindSafe(assertion)).is_err()
    };
    let different: Vec<_> = texts.iter().filter(|(name, text)| differs(name, text)).map(|(name, _)| name).collect();

    assert!(different.is_empty(), "run `cargo xtask regen`, then review: {different:#?}");
}

#[test]
fn regen_compares_every_snapshot_that_is_a_file() {
    let (root, mut sources) = (xtask::workspace_root(), BTreeSet::new());
    for path in snapshots::accepted(&root).unwrap() {
        let text = fs::read_to_string(root.join(&path)).unwrap();
        let source = text.lines().find_map(|line| line.strip_prefix("source: ")).unwrap();
        sources.insert(source.to_owned());
    }

    assert!(sources.len() >= 4, "{sources:?}");
    for source in sources {
        // The function `compare` of this file is called by the modules `surface` and `samples`.
        let module =
            if source == file!() { "surface" } else { Path::new(&source).file_stem().unwrap().to_str().unwrap() };
        let filter = format!(" {module}::");
        assert!(
            snapshots::COMPARE.contains(&filter),
            "`COMPARE` in xtask/src/snapshots.rs lacks `{filter}` of {source}"
        );
    }
}

#[test]
fn every_snapshot_is_reviewed_and_of_use() {
    let (sources, client) = checked();

    let survey = snapshots::survey(&xtask::workspace_root(), &snapshots::expected(&client, &sources)).unwrap();

    assert_eq!(survey, Survey::default(), "remove what is orphaned; run `cargo xtask regen`, then review the rest");
}
