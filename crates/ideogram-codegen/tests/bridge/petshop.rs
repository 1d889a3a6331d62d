//! A foreign document goes through the same bridge: nothing in it knows this API.
//!
//! The workspace's contract tests build the source against the runtime, and run it.

use ideogram_codegen::GeneratedClient;

pub(crate) const PETSHOP: &str = include_str!("petshop.yaml");

fn petshop() -> GeneratedClient {
    GeneratedClient::read(PETSHOP).unwrap()
}

#[test]
fn the_lowered_document_holds_only_what_the_generator_accepts() {
    insta::assert_json_snapshot!("petshop__lowered", petshop().lowered());
}

#[test]
fn the_same_document_gives_the_same_bytes() {
    assert_eq!(petshop().source(), petshop().source());
}

#[test]
fn no_name_of_this_api_is_in_the_source() {
    let source = petshop().source().to_lowercase();

    for name in ["ideogram", "dataset", "api-version", "api-key"] {
        assert!(!source.contains(name), "{name}");
    }
}

#[test]
fn nothing_of_the_generators_own_runtime_is_left() {
    let source = petshop().source();

    for name in ["progenitor", "ResponseValue", "OperationInfo", "ClientHooks", "reqwest", "chrono", "form_urlencoded"]
    {
        assert!(!source.contains(name), "{name}");
    }
}

#[test]
fn multipart_wins_where_a_body_may_be_either() {
    let client = petshop();
    let operation = client.operations().into_iter().find(|operation| operation.id == "post_pet").unwrap();

    assert_eq!(operation.media_type, Some("multipart/form-data"));
}

#[test]
fn operations_without_marks_count_as_paid_and_unsafe() {
    let client = petshop();
    let marks = |id: &str| {
        let operation = client.operations().into_iter().find(|operation| operation.id == id).unwrap();
        (operation.paid, operation.safe_to_retry)
    };

    assert_eq!(marks("post_pet"), (true, false));
    assert_eq!(marks("delete_photo"), (false, false));
    assert_eq!(marks("listPets"), (false, true));
}
