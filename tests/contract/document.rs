//! The document, its samples and everything derived from them are in order.

use ideogram_codegen::GeneratedClient;
use xtask::{Sources, Validity};

/// The files of `openapi/`, unchecked.
pub(crate) fn sources() -> Sources {
    Sources::read(&xtask::workspace_root()).unwrap()
}

/// The files of `openapi/` and the client made from them.
pub(crate) fn checked() -> (Sources, GeneratedClient) {
    let sources = sources();
    match xtask::check(&sources) {
        Ok(client) => (sources, client),
        Err(problems) => panic!("the files of `openapi/` are not in order:\n{problems}"),
    }
}

#[test]
fn the_document_and_its_samples_are_in_order() {
    let (sources, client) = checked();

    assert!(!client.operations().is_empty());
    assert!(sources.samples().any(|sample| sample.validity == Validity::News));
}

#[test]
fn derived_files_are_up_to_date() {
    let (sources, client) = checked();

    let outdated = xtask::outdated(&sources, &client).unwrap();

    let diffs: String = outdated.iter().map(|file| file.diff.as_str()).collect();
    assert!(outdated.is_empty(), "run `cargo xtask regen`:\n{diffs}");
}

#[test]
fn no_file_lacks_anything_for_an_operation() {
    let (sources, client) = checked();

    assert_eq!(xtask::missing(&sources, &client), []);
}

#[test]
fn the_sample_of_the_seed_page_is_among_the_news() {
    let (sources, _) = checked();

    let sample = sources.get("openapi/news/get_dataset/vendor_sample.json").unwrap();

    // As the vendor prints it: with a space in the time.
    assert!(sample.contains("2000-01-23 04:56:07+00:00"), "{sample}");
}
