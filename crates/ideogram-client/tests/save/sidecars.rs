//! Sidecars of images.

use std::fs;

use ideogram_client::{
    CallOptions, StoredResponse,
    save::{HasImages, ImageRef, Provenance, SaveOutcome},
};
use serde_json::{Value, json};

use crate::{
    KEY, client,
    host::{Host, image},
    mock, names, png,
};

struct Described(Value);

impl HasImages for Described {
    fn images(&self) -> Vec<ImageRef> {
        self.0.images()
    }

    fn origin(&self) -> Provenance {
        Provenance::new("post_generate_image_v4").request(json!({"json": {"text_prompt": "cat"}}))
    }
}

#[tokio::test]
async fn a_sidecar_says_how_the_image_was_made() {
    let host = Host::responding(image(png(90, 1)));
    let response = Described(json!({
        "created": "2026-07-02 09:07:13.904471+00:00",
        "data": [{
            "prompt": "A ginger cat", "resolution": "2048x2048", "is_image_safe": true, "seed": 1_943_218,
            "url": host.link("/LavTZAE4l8zM63sVJs_7aA.png?exp=1783069633&sig=3ad7"), "unheard_of": [1]
        }],
    }));
    let folder = tempfile::tempdir().unwrap();

    let outcomes = client(host.url()).save_all(&response, folder.path()).await.unwrap();

    let saved = outcomes[0].saved().unwrap();
    assert_eq!(names(folder.path()), ["20260702T090713Z-1-LavTZAE4.json", "20260702T090713Z-1-LavTZAE4.png"]);
    let sidecar = fs::read_to_string(saved.sidecar.as_ref().unwrap()).unwrap();
    insta::assert_snapshot!(sidecar.replace(host.url(), "[HOST]"), @r#"
    {
      "file": "20260702T090713Z-1-LavTZAE4.png",
      "operation": "post_generate_image_v4",
      "image": 1,
      "created": "2026-07-02T09:07:13.904471Z",
      "seed": 1943218,
      "prompt": "A ginger cat",
      "media_type": "image/png",
      "size_bytes": 90,
      "link_expires": "2026-07-03T09:07:13Z",
      "item": {
        "prompt": "A ginger cat",
        "resolution": "2048x2048",
        "is_image_safe": true,
        "seed": 1943218,
        "url": "[HOST]/LavTZAE4l8zM63sVJs_7aA.png?exp=1783069633&sig=3ad7",
        "unheard_of": [
          1
        ]
      },
      "request": {
        "json": {
          "text_prompt": "cat"
        }
      }
    }
    "#);
}

#[tokio::test]
async fn the_sidecar_of_a_link_has_what_is_known() {
    let host = Host::responding(image(png(90, 1)));
    let folder = tempfile::tempdir().unwrap();

    let saved = client(host.url()).save(host.link("/x.png"), folder.path().join("lantern")).await.unwrap();

    let sidecar = fs::read_to_string(saved.sidecar.unwrap()).unwrap();
    insta::assert_snapshot!(sidecar.replace(host.url(), "[HOST]"), @r#"
    {
      "file": "lantern.png",
      "image": 1,
      "media_type": "image/png",
      "size_bytes": 90,
      "item": {
        "url": "[HOST]/x.png"
      }
    }
    "#);
}

#[tokio::test]
async fn a_key_that_the_service_echoes_is_in_no_sidecar() {
    let host = Host::responding(image(png(90, 1)));
    for prompt in [format!("a cat {KEY}"), format!("a \"cat\"\n{KEY}")] {
        let response = json!({"data": [{"url": host.link("/x"), "prompt": prompt, "is_image_safe": true}]});
        let folder = tempfile::tempdir().unwrap();

        let outcomes = client(host.url()).save_all(&response, folder.path()).stem("cat").await.unwrap();

        let sidecar = fs::read_to_string(outcomes[0].saved().unwrap().sidecar.as_ref().unwrap()).unwrap();
        assert!(!sidecar.contains(KEY) && sidecar.contains("[key]"), "{sidecar}");
        assert!(serde_json::from_str::<Value>(&sidecar).is_ok(), "{sidecar}");
    }
}

fn sidecars(outcomes: &[SaveOutcome]) -> Vec<Value> {
    let paths = outcomes.iter().map(|outcome| outcome.saved().unwrap().sidecar.as_ref().unwrap());
    paths.map(|path| serde_json::from_slice(&fs::read(path).unwrap()).unwrap()).collect()
}

#[tokio::test]
async fn the_sidecars_of_a_response_contain_its_request() {
    let (server, client) = mock().await;
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("source.png");
    fs::write(&source, include_bytes!("../../examples/setup/lantern.png")).unwrap();
    let request = client.remix_image_v3().image(source.clone()).prompt("A paper lantern").num_images(2).seed(7);
    let response = request.response().await.unwrap();
    // The request is known even if its file no longer exists.
    fs::remove_file(source).unwrap();

    let outcomes = client.save_all(&response, folder.path()).stem("lantern").await.unwrap();

    let [first, second] = sidecars(&outcomes).try_into().unwrap();
    assert_eq!(first["operation"], "post_remix_image_v3");
    assert_eq!((&first["image"], &second["image"]), (&json!(1), &json!(2)));
    assert_eq!(first["file"], "lantern-1.png");
    assert_eq!(first["request"], second["request"]);
    let parts = first["request"]["parts"].as_array().unwrap();
    let part = |name: &str| parts.iter().find(|part| part["name"] == name).unwrap();
    assert_eq!(part("prompt")["text"], "A paper lantern");
    let expected = json!({"name": "source.png", "media_type": "image/png", "size_bytes": null});
    assert_eq!(part("image")["file"], expected);
    assert_eq!(first["item"]["resolution"], response.value().data[0].resolution.as_str());
    assert!(!first.to_string().contains(server.api_key()));
}

#[tokio::test]
async fn a_stored_response_is_saved_like_the_response_itself() {
    let (_server, client) = mock().await;
    let folder = tempfile::tempdir().unwrap();
    let keeping = client.with(CallOptions::new().store_responses_in(folder.path().join("responses")));
    let response = keeping.generate_image_v4().text_prompt("A paper lantern").response().await.unwrap();
    let stored = StoredResponse::read(response.stored_at().unwrap()).await.unwrap();

    let now = client.save_all(&response, folder.path().join("now")).await.unwrap();
    let later = client.save_all(&stored, folder.path().join("later")).await.unwrap();

    assert_eq!(names(&folder.path().join("now")), names(&folder.path().join("later")));
    assert_eq!(sidecars(&now), sidecars(&later));
    let request = &sidecars(&now)[0]["request"];
    assert_eq!(request["operation"], "post_generate_image_v4");
    assert!(request.to_string().contains("A paper lantern"), "{request}");
}
