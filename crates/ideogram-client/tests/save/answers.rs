//! Every form of answer, and what becomes of each of its pictures.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use ideogram_client::{
    ErrorKind, HasPictures, IfExists, Picture as _, PictureOutcome, PictureRef, SaveOutcome, SaveProgress, operations,
    pictures_in, types,
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::{
    client,
    host::{Host, Reply, answer, picture},
    names, png,
};

type Decode = fn(&str) -> Option<Vec<PictureRef>>;

fn decode<T: DeserializeOwned + HasPictures>(answer: &str) -> Option<Vec<PictureRef>> {
    serde_json::from_str::<T>(answer).ok().map(|answer| answer.pictures())
}

/// The operations that answer with pictures.
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
        _ => return None,
    })
}

/// Every sample answer: operation, path, text.
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

/// Every link anywhere in an answer.
fn links(json: &Value) -> Vec<&str> {
    match json {
        Value::String(text) if text.contains("://") => vec![text],
        Value::Array(items) => items.iter().flat_map(links).collect(),
        Value::Object(members) => members.values().flat_map(links).collect(),
        _ => Vec::new(),
    }
}

/// What a decoded and a raw answer must agree on.
fn told(picture: &PictureRef) -> Value {
    json!({
        "number": picture.number(), "role": picture.role(), "outcome": format!("{:?}", picture.outcome()),
        "created": picture.created(), "expires": picture.expires(),
    })
}

#[test]
fn every_link_of_every_sample_is_found_in_raw_and_in_decoded_answers_alike() {
    let mut with_pictures = BTreeSet::new();
    for folder in ["examples", "news"] {
        for (operation, path, text) in samples(folder) {
            let raw: Value = serde_json::from_str(&text).unwrap();
            let found = pictures_in(&raw);

            let mut linked: Vec<_> = found
                .iter()
                .filter_map(|picture| match picture.outcome() {
                    PictureOutcome::Available(link) => Some(link),
                    _ => None,
                })
                .collect();
            let mut expected = links(&raw);
            linked.sort_unstable();
            expected.sort_unstable();
            if let Some(decode) = decoder(&operation) {
                assert_eq!(linked, expected, "{}", path.display());
                if let Some(decoded) = decode(&text) {
                    let all = |pictures: &[PictureRef]| pictures.iter().map(told).collect::<Vec<_>>();
                    assert_eq!(all(&decoded), all(&found), "{}", path.display());
                    for (decoded, raw) in decoded.iter().zip(&found) {
                        // Raw answers know more where the service answers what the document does not describe.
                        assert!(decoded.seed().is_none() || decoded.seed() == raw.seed(), "{}", path.display());
                        assert!(decoded.prompt().is_none() || decoded.prompt() == raw.prompt(), "{}", path.display());
                    }
                } else {
                    assert_eq!(folder, "news", "{}", path.display());
                }
                if !linked.is_empty() {
                    with_pictures.insert(operation);
                }
            } else {
                assert!(found.is_empty(), "{}: {found:?}", path.display());
                assert!(expected.iter().all(|link| !link.contains("/api/images/")), "{}", path.display());
            }
        }
    }
    let all: BTreeSet<_> = operations::ALL.iter().map(|operation| operation.id.to_owned()).collect();
    let expected: BTreeSet<_> = all.into_iter().filter(|operation| decoder(operation).is_some()).collect();
    assert_eq!(with_pictures, expected);
    assert_eq!(expected.len(), 17);
}

#[tokio::test]
async fn each_picture_has_a_result_in_the_order_of_the_answer() {
    let host = Host::start(|_, path| {
        Reply::Late(if path == "/gone" { answer(410, "", "") } else { picture(png(90, path.as_bytes()[1])) })
    })
    .await;
    let answer = json!({"created": "2026-07-02T09:07:13Z", "data": [
        {"url": host.link("/a"), "is_image_safe": true},
        {"url": null, "is_image_safe": false},
        {"url": host.link("/gone"), "is_image_safe": true},
        {"is_image_safe": true},
        {"url": host.link("/b"), "is_image_safe": true},
        {"url": "", "is_image_safe": false},
    ]});
    let folder = tempfile::tempdir().unwrap();

    let outcomes = client(host.url()).save_all(&answer, folder.path()).stem("cat").without_sidecar().await.unwrap();

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
async fn layers_are_saved_under_what_they_are() {
    let host = Host::start(|_, path| Reply::Bytes(picture(png(90, path.as_bytes()[1])))).await;
    let answer: types::LayerizeTextResponse = serde_json::from_value(json!({
        "base_image_url": host.link("/b"), "original_image_url": host.link("/o"), "seed": 5, "text_blocks": [],
    }))
    .unwrap();
    let folder = tempfile::tempdir().unwrap();

    client(host.url()).save_all(&answer, folder.path()).stem("sign").await.unwrap();

    assert_eq!(names(folder.path()), ["sign-base.json", "sign-base.png", "sign-original.json", "sign-original.png"]);
    assert_eq!(fs::read(folder.path().join("sign-original.png")).unwrap(), png(90, b'o'));
}

#[tokio::test]
async fn saving_again_fetches_only_what_is_missing() {
    let host = Host::start(|before, _| match before {
        0 => Reply::Bytes(answer(404, "", "")),
        _ => Reply::Bytes(picture(png(90, 1))),
    })
    .await;
    let links = ["/AAAAAAAAAAAAAAAAAAAAAA.png", "/BBBBBBBBBBBBBBBBBBBBBB.png"];
    let answer = json!({"data": links.map(|link| json!({"url": host.link(link), "is_image_safe": true}))});
    let folder = tempfile::tempdir().unwrap();
    let client = client(host.url());

    let first = client.save_all(&answer, folder.path()).parallel(1).await.unwrap();
    let second = client.save_all(&answer, folder.path()).parallel(1).await.unwrap();

    assert!(first[0].error().is_some() && first[1].saved().is_some(), "{first:?}");
    assert!(second[0].saved().is_some(), "{second:?}");
    assert!(second[1].error().unwrap().to_string().contains("picture-2-BBBBBBBB.png"), "{second:?}");
    assert_eq!(host.questions(), 3);
}

#[tokio::test]
async fn no_more_downloads_run_at_a_time_than_are_allowed() {
    for (parallel, most) in [(Some(1), 1), (Some(2), 2), (None, 4), (Some(0), 1)] {
        let host = Host::start(|_, _| Reply::Late(picture(png(90, 1)))).await;
        let items: Vec<_> = (0..8).map(|place| json!({"url": host.link(&format!("/{place}"))})).collect();
        let folder = tempfile::tempdir().unwrap();
        let answer = json!({"data": items});
        let mut saving = client(host.url()).save_all(&answer, folder.path()).without_sidecar();
        if let Some(parallel) = parallel {
            saving = saving.parallel(parallel);
        }

        let outcomes = saving.await.unwrap();

        assert!(outcomes.iter().all(|outcome| outcome.saved().is_some()), "{outcomes:?}");
        assert_eq!(host.most_at_once(), most);
    }
}

#[tokio::test]
async fn progress_tells_of_bytes_and_of_pictures() {
    let host = Host::start(|_, path| {
        Reply::Bytes(if path == "/gone" { answer(404, "", "") } else { picture(png(100_000, 1)) })
    })
    .await;
    let items = [json!({"url": host.link("/a")}), json!({"url": host.link("/gone")}), json!({"is_image_safe": false})];
    let folder = tempfile::tempdir().unwrap();
    let events = Arc::new(Mutex::new(Vec::<SaveProgress>::new()));
    let kept = Arc::clone(&events);

    let saving = client(host.url()).save_all(&json!({"data": items}), folder.path());
    saving.on_progress(move |progress| kept.lock().unwrap().push(progress)).await.unwrap();

    let events = events.lock().unwrap().clone();
    let bytes: Vec<_> = events.iter().filter(|event| event.picture == 0).map(|event| event.received_bytes).collect();
    assert!(bytes.is_sorted() && bytes[0] == 0 && bytes.ends_with(&[100_000]), "{bytes:?}");
    assert!(events.iter().any(|event| event.total_bytes == Some(100_000) && event.received_bytes > 0));
    assert!(events.iter().all(|event| event.pictures == 3));
    assert!(events.iter().map(|event| event.finished).is_sorted());
    assert_eq!(events.last().unwrap().finished, 3);
    assert_eq!(events.iter().filter(|event| event.picture == 2).count(), 1);
}

#[tokio::test]
async fn pictures_can_be_chosen_and_an_answer_may_have_none() {
    let host = Host::answering(picture(png(90, 1))).await;
    let answer = json!({"data": [{"url": host.link("/a"), "seed": 1}, {"url": host.link("/b"), "seed": 2}]});
    let folder = tempfile::tempdir().unwrap();
    let client = client(host.url());
    let chosen: Vec<_> = answer.pictures().into_iter().filter(|picture| picture.seed() == Some(2)).collect();

    let one = client.save_all(&chosen[0], folder.path()).stem("one").await.unwrap();
    let list = client.save_all(&chosen, folder.path()).stem("list").await.unwrap();
    let slice = client.save_all(&chosen[..], folder.path()).stem("slice").if_exists(IfExists::Replace).await.unwrap();
    let none = client.save_all(&json!({"data": []}), folder.path()).await.unwrap();

    assert_eq!((one.len(), list.len(), slice.len(), none.len()), (1, 1, 1, 0));
    assert!(host.heads().iter().all(|head| head.starts_with("GET /b ")));
    assert_eq!(names(folder.path()).len(), 6);
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
