//! Every form of response, and the outcome of each image.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};

use ideogram_client::{
    ErrorKind, operations,
    save::{HasImages, IfExists, Image as _, ImageOutcome, ImageRef, SaveOutcome, SaveProgress, images_in},
    types,
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::{
    client,
    cut_responses::stored,
    host::{Host, Reply, image, response},
    names, png,
};

type Decode = fn(&str) -> Option<Vec<ImageRef>>;

fn decode<T: DeserializeOwned + HasImages>(response: &str) -> Option<Vec<ImageRef>> {
    serde_json::from_str::<T>(response).ok().map(|response| response.images())
}

/// The operations whose responses have images.
fn decoder(operation: &str) -> Option<Decode> {
    Some(match operation {
        "post_generate_image_v4" | "post_remix_image_v4" => decode::<types::ImageGenerationResponseV4>,
        "post_generate_image_v3"
        | "post_generate_image_v3_transparent"
        | "post_inpaint_image_v3"
        | "post_remix_image_v3"
        | "post_reframe_image_v3"
        | "post_replace_background_v3"
        | "post_edit_image_v3" => decode::<types::ImageGenerationResponseV3>,
        "post_remove_background" => decode::<types::RemoveBackgroundResponse>,
        "post_layerize_text_v3" => decode::<types::LayerizeTextResponse>,
        "post_v1_edit_image" => decode::<types::V1EditImagesResponse>,
        "post_upscale_image"
        | "post_generate_image"
        | "post_edit_image"
        | "post_remix_image"
        | "post_reframe_image" => decode::<types::GenerateImageResponse>,
        "get_generation_v2" => decode::<types::GenerationV2>,
        "post_precise_edit_image_v2_ideogram45" => decode::<types::PreciseEditResponseV2>,
        "post_inpaint_image_v2_ideogram_v3" | "post_upscale" => decode::<types::SizedGenerationResponseV2>,
        "post_remove_background_v2" => decode::<types::RemoveBackgroundResponseV2>,
        id if id.contains("_v2_ideogram") => decode::<types::GenerationResponseV2>,
        _ => return None,
    })
}

/// Every sample response: operation, path, text.
fn samples(folder: &str) -> Vec<(String, PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../openapi").join(folder);
    let entries = |path: &Path| fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>();
    let operations = entries(&root);
    let files =
        operations.iter().flat_map(|operation| entries(operation).into_iter().map(move |file| (operation, file)));
    files
        .map(|(operation, file)| {
            let text = fs::read_to_string(&file).unwrap();
            (operation.file_name().unwrap().to_str().unwrap().to_owned(), file, text)
        })
        .collect()
}

/// Every link anywhere in a response.
fn links(json: &Value) -> Vec<&str> {
    match json {
        Value::String(text) if text.contains("://") => vec![text],
        Value::Array(items) => items.iter().flat_map(links).collect(),
        Value::Object(properties) => properties.values().flat_map(links).collect(),
        _ => Vec::new(),
    }
}

/// What a decoded and a raw response must agree on.
fn described(image: &ImageRef) -> Value {
    json!({
        "number": image.number(), "role": image.role(), "outcome": format!("{:?}", image.outcome()),
        "created": image.created(), "expires": image.expires(),
    })
}

#[test]
fn every_link_of_every_sample_is_found_in_raw_and_decoded_responses() {
    let mut with_images = BTreeSet::new();
    for folder in ["examples", "news"] {
        for (operation, path, text) in samples(folder) {
            let raw: Value = serde_json::from_str(&text).unwrap();
            let actual = images_in(&raw);

            let mut linked: Vec<_> = actual
                .iter()
                .filter_map(|image| match image.outcome() {
                    ImageOutcome::Available(link) => Some(link),
                    _ => None,
                })
                .collect();
            let mut expected = links(&raw);
            linked.sort_unstable();
            expected.sort_unstable();
            if let Some(decode) = decoder(&operation) {
                assert_eq!(linked, expected, "{}", path.display());
                if let Some(decoded) = decode(&text) {
                    let all = |images: &[ImageRef]| images.iter().map(described).collect::<Vec<_>>();
                    assert_eq!(all(&decoded), all(&actual), "{}", path.display());
                    for (decoded, raw) in decoded.iter().zip(&actual) {
                        // Raw responses have more properties than documented.
                        assert!(decoded.seed().is_none() || decoded.seed() == raw.seed(), "{}", path.display());
                        assert!(decoded.prompt().is_none() || decoded.prompt() == raw.prompt(), "{}", path.display());
                    }
                } else {
                    assert_eq!(folder, "news", "{}", path.display());
                }
                if !linked.is_empty() {
                    with_images.insert(operation);
                }
            } else {
                let repair =
                    "add the type of the response to `decoder` in crates/ideogram-client/tests/save/responses.rs";
                assert!(actual.is_empty(), "{} has images; {repair}", path.display());
                assert!(expected.iter().all(|link| !link.contains("/api/images/")), "{}", path.display());
            }
        }
    }
    let all: BTreeSet<_> = operations::ALL.iter().map(|operation| operation.id.to_owned()).collect();
    let expected: BTreeSet<_> = all.into_iter().filter(|operation| decoder(operation).is_some()).collect();
    assert_eq!(with_images, expected);
}

#[tokio::test]
async fn each_image_has_a_result_in_the_order_of_the_response() {
    let host = Host::start(|_, path| {
        Reply::Delayed(
            Duration::from_millis(30),
            if path == "/gone" { response(410, "", "") } else { image(png(90, path.as_bytes()[1])) },
        )
    });
    let response = json!({"created": "2026-07-02T09:07:13Z", "data": [
        {"url": host.link("/a"), "is_image_safe": true},
        {"url": null, "is_image_safe": false},
        {"url": host.link("/gone"), "is_image_safe": true},
        {"is_image_safe": true},
        {"url": host.link("/b"), "is_image_safe": true},
        {"url": "", "is_image_safe": false},
    ]});
    let folder = tempfile::tempdir().unwrap();

    let outcomes = client(host.url()).save_all(&response, folder.path()).stem("cat").without_sidecar().await.unwrap();

    let [SaveOutcome::Saved(a), SaveOutcome::Withheld, SaveOutcome::Failed(gone), SaveOutcome::LinkMissing, b, last] =
        outcomes.as_slice()
    else {
        panic!("{outcomes:?}")
    };
    assert_eq!(gone.kind(), ErrorKind::LinkExpired);
    assert_eq!(fs::read(&a.path).unwrap(), png(90, b'a'));
    assert_eq!(a.sidecar, None);
    assert_eq!(fs::read(&b.saved().unwrap().path).unwrap(), png(90, b'b'));
    assert!(matches!(last, SaveOutcome::Withheld));
    assert_eq!(names(folder.path()), ["cat-1.png", "cat-5.png"]);
}

#[tokio::test]
async fn layers_are_named_by_their_roles() {
    let host = Host::start(|_, path| Reply::Bytes(image(png(90, path.as_bytes()[1]))));
    let response: types::LayerizeTextResponse = serde_json::from_value(json!({
        "base_image_url": host.link("/b"), "original_image_url": host.link("/o"), "seed": 5, "text_blocks": [],
    }))
    .unwrap();
    let folder = tempfile::tempdir().unwrap();

    client(host.url()).save_all(&response, folder.path()).stem("sign").await.unwrap();

    assert_eq!(names(folder.path()), ["sign-base.json", "sign-base.png", "sign-original.json", "sign-original.png"]);
    assert_eq!(fs::read(folder.path().join("sign-original.png")).unwrap(), png(90, b'o'));
}

#[tokio::test]
async fn paths_are_of_all_images_or_there_is_an_error() {
    let host = Host::start(|_, path| match path {
        "/gone" => Reply::Bytes(response(410, "", "")),
        _ => Reply::Bytes(image(png(90, 1))),
    });
    let withheld = json!({"url": null, "is_image_safe": false});
    let item = |link| json!({"url": host.link(link), "is_image_safe": true});
    let client = client(host.url());
    let folder = tempfile::tempdir().unwrap();

    let complete = client.save_all(&json!({"data": [withheld, item("/a")]}), folder.path()).paths().await.unwrap();
    let failed = client.save_all(&json!({"data": [item("/b"), item("/gone")]}), folder.path()).paths().await;
    let without_link = json!({"data": [{"url": null, "is_image_safe": true}]});
    let missing = client.save_all(&without_link, folder.path()).paths().await.unwrap_err();

    let error = failed.unwrap_err();
    assert_eq!(complete.len(), 1);
    assert_eq!(error.kind(), ErrorKind::LinkExpired);
    assert!(error.to_string().contains("1 of 2 images were not saved"), "{error}");
    assert_eq!(names(folder.path()).len(), 2 * 2);
    assert!(missing.to_string().contains("no link"), "{missing}");
}

#[tokio::test]
async fn saving_fails_if_every_image_failed_and_else_returns_each_outcome() {
    let host = Host::start(|_, path| match path {
        "/gone" => Reply::Bytes(response(410, "", "")),
        _ => Reply::Bytes(image(png(90, 1))),
    });
    let (gone, there, withheld) = (
        json!({"url": host.link("/gone"), "is_image_safe": true}),
        json!({"url": host.link("/a"), "is_image_safe": true}),
        json!({"url": null, "is_image_safe": false}),
    );
    let (client, folder) = (client(host.url()), tempfile::tempdir().unwrap());
    for (items, fails) in [
        (vec![&gone], true),
        (vec![&gone, &gone], true),
        (vec![&gone, &withheld], true),
        (vec![&gone, &there], false),
        (vec![&withheld], false),
        (vec![], false),
    ] {
        let response = json!({ "data": items });
        let saved = client.save_all(&response, folder.path()).await;
        let outcomes = client.save_all(&response, folder.path()).outcomes().await.unwrap();

        assert_eq!((saved.is_err(), outcomes.len()), (fails, items.len()), "{items:?}: {saved:?}");
        assert_eq!(saved.err().map(|error| error.kind()), fails.then_some(ErrorKind::LinkExpired));
    }
}

#[tokio::test]
async fn concurrent_downloads_are_limited() {
    for (parallel, most) in [(Some(1), 1), (Some(2), 2), (None, 4), (Some(0), 1)] {
        let host = Host::start(|_, _| Reply::Delayed(Duration::from_millis(30), image(png(90, 1))));
        let items: Vec<_> = (0..8).map(|index| json!({"url": host.link(&format!("/{index}"))})).collect();
        let folder = tempfile::tempdir().unwrap();
        let response = json!({"data": items});
        let mut saving = client(host.url()).save_all(&response, folder.path()).without_sidecar();
        if let Some(parallel) = parallel {
            saving = saving.parallel(parallel);
        }

        let outcomes = saving.await.unwrap();

        assert!(outcomes.iter().all(|outcome| outcome.saved().is_some()), "{outcomes:?}");
        assert_eq!(host.max_in_flight(), most);
    }
}

#[tokio::test]
async fn progress_reports_bytes_and_images() {
    let host = Host::start(|_, path| {
        Reply::Bytes(if path == "/gone" { response(404, "", "") } else { image(png(100_000, 1)) })
    });
    let items = [json!({"url": host.link("/a")}), json!({"url": host.link("/gone")}), json!({"is_image_safe": false})];
    let folder = tempfile::tempdir().unwrap();
    let events = Arc::new(Mutex::new(Vec::<SaveProgress>::new()));
    let stored_response = Arc::clone(&events);

    let saving = client(host.url()).save_all(&json!({"data": items}), folder.path());
    saving.on_progress(move |progress| stored_response.lock().unwrap().push(progress)).await.unwrap();

    let events = events.lock().unwrap().clone();
    let bytes: Vec<_> = events.iter().filter(|event| event.image == 0).map(|event| event.received_bytes).collect();
    assert!(bytes.is_sorted() && bytes[0] == 0 && bytes.ends_with(&[100_000]), "{bytes:?}");
    assert!(events.iter().any(|event| event.total_bytes == Some(100_000) && event.received_bytes > 0));
    assert!(events.iter().all(|event| event.images == 3));
    assert!(events.iter().map(|event| event.finished).is_sorted());
    assert_eq!(events.last().unwrap().finished, 3);
    assert_eq!(events.iter().filter(|event| event.image == 2).count(), 1);
}

#[tokio::test]
async fn images_can_be_chosen_and_a_response_may_have_none() {
    let host = Host::responding(image(png(90, 1)));
    let response = json!({"data": [{"url": host.link("/a"), "seed": 1}, {"url": host.link("/b"), "seed": 2}]});
    let folder = tempfile::tempdir().unwrap();
    let client = client(host.url());
    let chosen: Vec<_> = response.images().into_iter().filter(|image| image.seed() == Some(2)).collect();

    let one = client.save_all(&chosen[0], folder.path()).stem("one").await.unwrap();
    let list = client.save_all(&chosen, folder.path()).stem("list").await.unwrap();
    let slice = client.save_all(&chosen[..], folder.path()).stem("slice").if_exists(IfExists::Replace).await.unwrap();
    let none = client.save_all(&json!({"data": []}), folder.path()).await.unwrap();

    assert_eq!((one.len(), list.len(), slice.len(), none.len()), (1, 1, 1, 0));
    assert!(host.heads().iter().all(|head| head.starts_with("GET /b ")));
    assert_eq!(names(folder.path()).len(), 6);
}

#[tokio::test]
async fn images_of_two_responses_never_get_the_same_name() {
    let host = Host::start(|_, path| Reply::Delayed(Duration::from_millis(30), image(png(90, path.as_bytes()[1]))));
    let responses = [["/a", "/b"], ["/c", "/d"]]
        .map(|links| json!({"data": links.map(|link| json!({"url": host.link(link), "is_image_safe": true}))}));
    let links = ["/e", "/f"].map(|link| ImageRef::from_link(host.link(link)));
    let both: Vec<_> = responses.iter().flat_map(HasImages::images).chain(links).collect();
    for if_exists in [IfExists::Fail, IfExists::Replace, IfExists::Number] {
        let folder = tempfile::tempdir().unwrap();

        let outcomes =
            client(host.url()).save_all(&both, folder.path()).stem("cat").if_exists(if_exists).await.unwrap();

        let saved: Vec<_> =
            outcomes.iter().map(|outcome| fs::read(&outcome.saved().expect("saved").path).unwrap()).collect();
        assert_eq!(saved, b"abcdef".map(|motif| png(90, motif)), "{if_exists:?}");
        assert_eq!(names(folder.path()).len(), 2 * 6);
        assert!(folder.path().join("cat-6.png").exists());
    }
}

#[tokio::test]
async fn a_choice_of_one_responses_images_keeps_their_numbers() {
    let host = Host::responding(image(png(90, 1)));
    let response =
        json!({"data": (0..4).map(|index| json!({"url": host.link(&format!("/{index}"))})).collect::<Vec<_>>()});
    let folder = tempfile::tempdir().unwrap();
    let chosen = [response.images()[1].clone(), response.images()[3].clone()];

    client(host.url()).save_all(&chosen[..], folder.path()).stem("cat").without_sidecar().await.unwrap();

    assert_eq!(names(folder.path()), ["cat-2.png", "cat-4.png"]);
}

#[tokio::test]
async fn debug_output_has_neither_links_nor_prompts() {
    let folder = tempfile::tempdir().unwrap();
    let item = r#"{"data": [{"url": "https://a.test/x?sig=hush", "prompt": "a hushed cat", "seed": 7}]}"#;
    let cut = &item[..item.len() - 1];
    for stored_response in [stored(folder.path(), item).await, stored(folder.path(), cut).await] {
        let debug = format!("{stored_response:?} {:?} {:?}", stored_response.images(), stored_response.origin());

        assert!(!debug.contains("hush"), "{debug}");
        assert!(debug.contains("post_generate_image_v3") && debug.contains("number: 1"), "{debug}");
    }
}

#[test]
fn saving_can_move_to_another_thread() {
    fn sent<T: Send>(value: T) -> T {
        value
    }
    let client = client("https://api.ideogram.ai");

    drop(sent(IntoFuture::into_future(client.save("https://a.test/x", "x"))));
    drop(sent(IntoFuture::into_future(client.save_all(&json!({}), "x"))));
}
