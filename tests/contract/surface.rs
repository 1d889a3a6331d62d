//! The public surface: the snapshots show the effect of an edit of the document.

use xtask::snapshots::{self, SnapshotKind};

use crate::{document::checked, snapshots::compare};

#[test]
fn the_public_surface_is_the_reviewed_one() {
    let (_, client) = checked();

    let surface = xtask::surface(&client).into_iter().map(|(name, text)| (snapshots::surface_name(&name), text));

    compare(SnapshotKind::Surface, &surface.collect());
}

/// The client of another document: the printer must not depend on one document.
#[test]
fn the_surface_of_a_foreign_document_is_what_its_reader_expects() {
    let petshop = include_str!("../../crates/ideogram-codegen/tests/bridge/petshop.yaml");
    let surface = xtask::surface(&ideogram_codegen::GeneratedClient::read(petshop).unwrap());
    let text: String = surface.iter().map(|(name, text)| format!("--- {name}\n{text}\n")).collect();

    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../petshop/snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.bind(|| insta::assert_snapshot!("petshop__surface", text));
}
