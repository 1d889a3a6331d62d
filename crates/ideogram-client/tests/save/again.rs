//! What a second run saves: only what is missing, and nothing under the name of another image.

use std::{
    fs,
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
};

use ideogram_client::{
    ErrorKind,
    save::{IfExists, ImageRef, SaveOutcome},
};
use serde_json::json;

use crate::{
    client,
    host::{Host, Reply, image, response},
    names, png,
};

#[tokio::test]
async fn saving_again_downloads_only_missing_images() {
    let has_failed = AtomicBool::new(false);
    // By the path, because the order of the downloads is not fixed.
    let host = Host::start(move |_, path| {
        let fails = path.starts_with("/A") && !has_failed.swap(true, Ordering::Relaxed);
        Reply::Bytes(if fails { response(404, "", "") } else { image(png(90, 1)) })
    });
    let links = ["/AAAAAAAAAAAAAAAAAAAAAA.png", "/BBBBBBBBBBBBBBBBBBBBBB.png"];
    let response = json!({"data": links.map(|link| json!({"url": host.link(link), "is_image_safe": true}))});
    let folder = tempfile::tempdir().unwrap();
    let client = client(host.url());

    let first = client.save_all(&response, folder.path()).parallel(1).await.unwrap();
    let second = client.save_all(&response, folder.path()).parallel(1).await.unwrap();

    assert!(first[0].error().is_some() && first[1].saved().is_some(), "{first:?}");
    assert!(second[0].saved().is_some(), "{second:?}");
    let SaveOutcome::AlreadyThere { path } = &second[1] else { panic!("{second:?}") };
    assert!(path.ends_with("image-2-BBBBBBBB.png"), "{second:?}");
    assert_eq!(host.requests(), 3);
}

#[tokio::test]
async fn an_image_is_saved_once_and_another_of_its_name_gets_a_number() {
    let host = Host::start(|_, path| Reply::Bytes(image(png(90, path.as_bytes()[1]))));
    let response = |link| json!({"data": [{"url": host.link(link), "is_image_safe": true}]});
    let folder = tempfile::tempdir().unwrap();
    let client = client(host.url());

    let mut paths = Vec::new();
    for link in ["/a", "/b", "/a", "/b"] {
        paths.extend(client.save_all(&response(link), folder.path()).stem("cat").paths().await.unwrap());
    }

    let (first, second) = (folder.path().join("cat.png"), folder.path().join("cat-2.png"));
    assert_eq!(paths, [first.clone(), second.clone(), first.clone(), second.clone()]);
    assert_eq!((fs::read(first).unwrap(), fs::read(second).unwrap()), (png(90, b'a'), png(90, b'b')));
    assert_eq!(host.requests(), 2);
}

#[tokio::test]
async fn an_image_without_a_sidecar_is_not_taken_for_another() {
    let host = Host::start(|_, path| Reply::Bytes(image(png(90, path.as_bytes()[1]))));
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("cat.png"), png(90, b'z')).unwrap();
    let response = json!({"data": [{"url": host.link("/a"), "is_image_safe": true}]});

    let saving = client(host.url()).save_all(&response, folder.path()).stem("cat").without_sidecar();
    let paths = saving.paths().await.unwrap();

    assert_eq!(paths, [folder.path().join("cat-2.png")]);
}

#[tokio::test]
async fn saving_continues_after_a_killed_process() {
    let host = Host::start(|_, path| Reply::Bytes(image(png(90, path.as_bytes()[1]))));
    let links = ["/a", "/b", "/c", "/d"].map(|link| host.link(link));
    let response = json!({"data": links.map(|link| json!({"url": link, "is_image_safe": true}))});
    for stem in [None, Some("cat")] {
        let folder = tempfile::tempdir().unwrap();
        let client = client(host.url());
        let all = || {
            let saving = client.save_all(&response, folder.path()).if_exists(IfExists::Skip);
            match stem {
                Some(stem) => saving.stem(stem),
                None => saving,
            }
        };
        let first = all().await.unwrap();
        let saved: Vec<_> = first.iter().map(|outcome| outcome.saved().unwrap().clone()).collect();
        // It had saved two of them, and the sidecar of the third.
        fs::remove_file(&saved[2].path).unwrap();
        fs::remove_file(&saved[3].path).unwrap();
        fs::remove_file(saved[3].sidecar.as_ref().unwrap()).unwrap();
        let before = host.requests();

        let second = all().await.unwrap();

        let [SaveOutcome::AlreadyThere { path: a }, SaveOutcome::AlreadyThere { path: b }, c, d] = second.as_slice()
        else {
            panic!("{second:?}")
        };
        assert_eq!((a, b), (&saved[0].path, &saved[1].path));
        assert_eq!((c.saved(), d.saved()), (Some(&saved[2]), Some(&saved[3])));
        assert!(second.iter().zip(&saved).all(|(outcome, saved)| outcome.path() == Some(&saved.path)));
        assert_eq!(host.requests() - before, 2);
        assert_eq!(names(folder.path()).len(), 2 * 4);
    }
}

#[tokio::test]
async fn an_existing_file_counts_as_saved_only_if_it_may_be_the_image() {
    let host = Host::start(|_, path| Reply::Bytes(image(png(90, path.as_bytes()[1]))));
    let client = client(host.url());
    let save = |link, path: &Path| client.save(host.link(link), path).if_exists(IfExists::Skip);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lantern.png");

    let saved = save("/a", &path).await.unwrap();
    assert_eq!(save("/a", &path).await.unwrap(), saved);
    assert_eq!(host.requests(), 1);
    // The sidecar describes another image.
    let other = save("/b", &path).await.unwrap_err();
    assert_eq!(other.kind(), ErrorKind::LocalIo);
    fs::remove_file(saved.sidecar.unwrap()).unwrap();
    // Without a sidecar.
    let bare = save("/b", &path).await.unwrap();
    assert_eq!((&bare.path, &bare.sidecar, bare.size_bytes), (&path, &None, 90));
    for no_image in ["", "mine"] {
        fs::write(&path, no_image).unwrap();
        assert_eq!(save("/a", &path).await.unwrap_err().kind(), ErrorKind::LocalIo);
        assert_eq!(fs::read(&path).unwrap(), no_image.as_bytes());
    }
    assert_eq!(host.requests(), 1);
}

#[tokio::test]
async fn the_same_image_twice_is_saved_twice() {
    let host = Host::responding(image(png(90, 1)));
    let twice = vec![ImageRef::from_link(host.link("/x")); 2];
    let folder = tempfile::tempdir().unwrap();

    let outcomes = client(host.url()).save_all(&twice, folder.path()).await.unwrap();

    assert!(outcomes.iter().all(|outcome| outcome.saved().is_some()), "{outcomes:?}");
    assert_eq!(names(folder.path()).len(), 2 * 2);
}
