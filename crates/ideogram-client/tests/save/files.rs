//! The files in the folder afterwards.

use std::{
    fs,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

use futures_util::future::join_all;
use ideogram_client::{ErrorKind, Outcome, save::IfExists};
use serde_json::json;
use tokio::sync::Notify;

use crate::{
    client,
    host::{Host, Reply, image, response},
    is_part, names, png,
};

const JPEG: &[u8] = b"\xff\xd8\xff\xe0\0\x07JFIF\0\xff\xda\0\x08\x01\x01\0\0?\0data\xff\xd9";

#[tokio::test]
async fn an_image_is_saved_byte_by_byte() {
    // Larger than the buffer.
    for size_bytes in [32, 512 * 1024, 3 * 1024 * 1024 + 7] {
        let bytes = png(size_bytes, 1);
        let host = Host::responding(image(&bytes));
        let folder = tempfile::tempdir().unwrap();

        let saved = client(host.url()).save(host.link("/x"), folder.path().join("a/b/lantern")).await.unwrap();

        assert_eq!(saved.path, folder.path().join("a/b/lantern.png"));
        assert!(fs::read(&saved.path).unwrap() == bytes);
        assert_eq!((saved.media_type.as_str(), saved.size_bytes), ("image/png", size_bytes as u64));
        assert_eq!(names(&folder.path().join("a/b")), ["lantern.json", "lantern.png"]);
        assert_eq!(host.requests(), 1);
    }
}

#[cfg(unix)]
#[tokio::test]
async fn an_image_is_as_readable_as_any_new_file() {
    use std::os::unix::fs::PermissionsExt as _;
    let host = Host::responding(image(png(90, 1)));
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("other"), "").unwrap();

    let saved = client(host.url()).save(host.link("/x"), folder.path().join("lantern")).await.unwrap();

    let mode = |path| fs::metadata(path).unwrap().permissions().mode();
    assert_eq!(mode(saved.path), mode(folder.path().join("other")));
    assert_eq!(mode(saved.sidecar.unwrap()), mode(folder.path().join("other")));
}

#[tokio::test]
async fn the_type_of_the_image_decides_its_extension() {
    let host = Host::responding(response(200, "Content-Type: image/png\r\n", JPEG));
    for (name, got) in [
        ("lantern.png", "lantern.jpg"),
        ("lantern.PNG", "lantern.jpg"),
        ("lantern.jpeg", "lantern.jpeg"),
        ("lantern.JPG", "lantern.JPG"),
        ("lantern", "lantern.jpg"),
        ("lantern.v2", "lantern.v2.jpg"),
        (".lantern", ".lantern.jpg"),
    ] {
        let folder = tempfile::tempdir().unwrap();

        let saved = client(host.url()).save(host.link("/x.webp"), folder.path().join(name)).await.unwrap();

        assert_eq!(saved.path, folder.path().join(got));
        assert_eq!(saved.media_type, "image/jpeg");
    }
    for exact in ["lantern.png", "lantern", "lantern.v2"] {
        let folder = tempfile::tempdir().unwrap();

        let saving = client(host.url()).save(host.link("/x"), folder.path().join(exact)).exact_name().without_sidecar();

        assert_eq!(saving.await.unwrap().path, folder.path().join(exact));
        assert_eq!(names(folder.path()), [exact]);
    }
}

#[tokio::test]
async fn invalid_names_are_refused_before_a_request() {
    let host = Host::responding(image(png(90, 1)));
    let folder = tempfile::tempdir().unwrap();
    let client = client(host.url());

    for file in [folder.path().to_owned(), folder.path().join(".."), "/".into()] {
        assert_eq!(client.save(host.link("/x"), file).await.unwrap_err().kind(), ErrorKind::InvalidArgument);
    }
    let json = client.save(host.link("/x"), folder.path().join("x.json")).exact_name().await.unwrap_err();
    assert_eq!(json.kind(), ErrorKind::InvalidArgument);
    for stem in ["", ".", "..", ".hidden", "a/b", "..\\b", "c:b"] {
        let error = client.save_all(&json!({}), folder.path()).stem(stem).await.unwrap_err();
        assert_eq!((error.kind(), error.outcome()), (ErrorKind::InvalidArgument, Outcome::NotSent), "{stem}");
    }
    assert_eq!(host.requests(), 0);
    assert!(names(folder.path()).is_empty());
}

#[tokio::test]
async fn an_existing_file_stays_and_nothing_is_requested() {
    let host = Host::responding(image(png(90, 1)));
    for there in ["lantern.png", "lantern.jpg", "lantern.webp", "lantern.json"] {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(there), "mine").unwrap();

        let error = client(host.url()).save(host.link("/x"), folder.path().join("lantern")).await.unwrap_err();

        assert_eq!((error.kind(), error.outcome()), (ErrorKind::LocalIo, Outcome::Completed));
        assert!(error.to_string().contains(there), "{error}");
        assert_eq!(names(folder.path()), [there]);
        assert_eq!(fs::read(folder.path().join(there)).unwrap(), b"mine");
    }
    assert_eq!(host.requests(), 0);
}

#[tokio::test]
async fn a_file_that_is_created_during_the_download_stays() {
    for (late, if_exists) in
        [("lantern.png", IfExists::Fail), ("lantern.json", IfExists::Fail), ("lantern.json", IfExists::Replace)]
    {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(late);
        let host = Host::start(move |_, _| {
            fs::write(&path, "mine").unwrap();
            Reply::Bytes(image(png(90, 1)))
        });

        let saving = client(host.url()).save(host.link("/x"), folder.path().join("lantern")).if_exists(if_exists);
        let error = saving.await.unwrap_err();

        assert_eq!(error.kind(), ErrorKind::LocalIo);
        assert!(error.to_string().contains(late), "{error}");
        assert_eq!(names(folder.path()), [late]);
        assert_eq!(fs::read(folder.path().join(late)).unwrap(), b"mine");
    }
}

#[tokio::test]
async fn an_image_whose_name_is_taken_leaves_no_sidecar() {
    // The type is known after the download only.
    let host = Host::responding(response(200, "Content-Type: image/svg+xml\r\n", "<svg></svg>"));
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("lantern.svg"), "mine").unwrap();

    let error = client(host.url()).save(host.link("/x"), folder.path().join("lantern")).await.unwrap_err();
    let numbered = client(host.url()).save(host.link("/x"), folder.path().join("lantern")).if_exists(IfExists::Number);
    let numbered = numbered.await.unwrap();

    assert!(error.to_string().contains("lantern.svg"), "{error}");
    assert_eq!(numbered.path, folder.path().join("lantern-2.svg"));
    assert_eq!(names(folder.path()), ["lantern-2.json", "lantern-2.svg", "lantern.svg"]);
    assert_eq!(fs::read(folder.path().join("lantern.svg")).unwrap(), b"mine");
}

#[tokio::test]
async fn a_left_over_sidecar_does_not_block_its_image() {
    let host = Host::responding(image(png(90, 1)));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lantern.png");
    client(host.url()).save(host.link("/x"), &path).await.unwrap();
    // As if the process had been killed between the two renames.
    fs::remove_file(&path).unwrap();
    let young = client(host.url()).save(host.link("/x"), &path).await;
    let sidecar = fs::File::options().write(true).open(folder.path().join("lantern.json")).unwrap();
    sidecar.set_modified(SystemTime::now() - Duration::from_secs(6)).unwrap();

    let of_another = client(host.url()).save(host.link("/y"), &path).await;
    let of_the_same = client(host.url()).save(host.link("/x"), &path).await.unwrap();

    assert_eq!(young.unwrap_err().kind(), ErrorKind::LocalIo);
    assert_eq!(of_another.unwrap_err().kind(), ErrorKind::LocalIo);
    assert_eq!(of_the_same.path, path);
    assert_eq!(names(folder.path()), ["lantern.json", "lantern.png"]);
}

#[cfg(unix)]
#[tokio::test]
async fn a_broken_link_is_an_existing_file() {
    let host = Host::responding(image(png(90, 1)));
    let folder = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink("elsewhere", folder.path().join("lantern.png")).unwrap();

    let saving = client(host.url()).save(host.link("/x"), folder.path().join("lantern"));

    assert_eq!(saving.await.unwrap_err().kind(), ErrorKind::LocalIo);
    assert_eq!(names(folder.path()), ["lantern.png"]);
}

#[tokio::test]
async fn a_file_is_replaced_or_numbered_on_request() {
    let bytes = png(90, 1);
    let host = Host::responding(image(&bytes));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lantern.png");
    fs::write(&path, "old").unwrap();

    let numbered = client(host.url()).save(host.link("/x"), &path).if_exists(IfExists::Number).await.unwrap();
    let next = client(host.url()).save(host.link("/x"), &path).if_exists(IfExists::Number).await.unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"old");
    let replaced = client(host.url()).save(host.link("/x"), &path).if_exists(IfExists::Replace).await.unwrap();

    assert_eq!(replaced.path, path);
    assert_eq!(numbered.path, folder.path().join("lantern-2.png"));
    assert_eq!(next.sidecar.unwrap(), folder.path().join("lantern-3.json"));
    for name in ["lantern.png", "lantern-2.png", "lantern-3.png"] {
        assert_eq!(fs::read(folder.path().join(name)).unwrap(), bytes);
    }
    assert_eq!(names(folder.path()).len(), 6);
}

#[tokio::test]
async fn replacing_an_image_replaces_only_its_own_sidecar() {
    let host = Host::responding(image(png(90, 1)));
    for unrelated in [r#"{"name": "package", "file": "x"}"#, "[]", "no JSON", ""] {
        let folder = tempfile::tempdir().unwrap();
        let (path, sidecar) = (folder.path().join("package.png"), folder.path().join("package.json"));
        fs::write(&path, "old").unwrap();
        fs::write(&sidecar, unrelated).unwrap();

        let error = client(host.url()).save(host.link("/x"), &path).if_exists(IfExists::Replace).await.unwrap_err();

        assert_eq!(error.kind(), ErrorKind::LocalIo);
        assert!(error.to_string().contains("package.json"), "{error}");
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(fs::read(&sidecar).unwrap(), unrelated.as_bytes());
        assert_eq!(names(folder.path()).len(), 2);
    }
    assert_eq!(host.requests(), 0);
}

#[tokio::test]
async fn an_image_that_cannot_be_replaced_keeps_its_sidecar() {
    let host = Host::responding(image(png(90, 1)));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lantern.png");
    let saved = client(host.url()).save(host.link("/old"), &path).await.unwrap();
    let sidecar = fs::read(saved.sidecar.as_ref().unwrap()).unwrap();
    // A file cannot replace a folder.
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();

    let saving = client(host.url()).save(host.link("/new"), folder.path().join("lantern")).if_exists(IfExists::Replace);

    assert_eq!(saving.await.unwrap_err().kind(), ErrorKind::LocalIo);
    assert_eq!(names(folder.path()), ["lantern.json", "lantern.png"]);
    assert!(fs::read(saved.sidecar.unwrap()).unwrap() == sidecar, "it describes another image");
}

#[tokio::test]
async fn an_image_that_replaces_another_has_no_sidecar_of_the_other() {
    let host = Host::responding(image(png(90, 1)));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lantern.png");
    let replace = |link| client(host.url()).save(host.link(link), &path).if_exists(IfExists::Replace);
    client(host.url()).save(host.link("/first"), &path).await.unwrap();

    let second = replace("/second").await.unwrap();
    let sidecar = fs::read_to_string(second.sidecar.unwrap()).unwrap();
    let third = replace("/third").without_sidecar().await.unwrap();

    assert!(sidecar.contains("/second") && !sidecar.contains("/first"), "{sidecar}");
    assert_eq!(third.sidecar, None);
    assert_eq!(names(folder.path()), ["lantern.png"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_concurrent_savers_of_one_name_one_wins_with_complete_files() {
    // Each gets its own image, half of them of another type.
    let host = Host::start(|before, _| {
        let motif = u8::try_from(before).unwrap();
        Reply::Delayed(
            Duration::from_millis(30),
            if before % 2 == 0 {
                image(png(100_000 + before, motif))
            } else {
                response(200, "", [JPEG, &vec![motif; 100_000]].concat())
            },
        )
    });
    for round in 0..8 {
        let folder = tempfile::tempdir().unwrap();
        let client = client(host.url());
        let savers = (0..8).map(|_| {
            let saving = client.save(host.link("/x"), folder.path().join("lantern"));
            tokio::spawn(async move { saving.await })
        });

        let results: Vec<_> = join_all(savers).await.into_iter().map(Result::unwrap).collect();

        let winners: Vec<_> = results.iter().flatten().collect();
        assert_eq!(winners.len(), 1, "round {round}: {results:?}");
        let path = &winners[0].path;
        let mut expected = vec!["lantern.json".to_owned(), path.file_name().unwrap().to_str().unwrap().to_owned()];
        expected.sort();
        assert_eq!(names(folder.path()), expected);
        assert_eq!(fs::metadata(path).unwrap().len(), winners[0].size_bytes);
        let sidecar: serde_json::Value =
            serde_json::from_slice(&fs::read(folder.path().join("lantern.json")).unwrap()).unwrap();
        assert_eq!(sidecar["size_bytes"], winners[0].size_bytes);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_savers_with_numbers_all_get_a_name() {
    let host = Host::start(|before, _| Reply::Delayed(Duration::from_millis(30), image(png(1000 + before, 1))));
    let folder = tempfile::tempdir().unwrap();
    let client = client(host.url());
    let savers = (0..10).map(|_| {
        let saving = client.save(host.link("/x"), folder.path().join("lantern")).if_exists(IfExists::Number);
        tokio::spawn(async move { saving.await })
    });

    let mut sizes: Vec<_> =
        join_all(savers).await.into_iter().map(|saver| saver.unwrap().unwrap().size_bytes).collect();

    sizes.sort_unstable();
    assert_eq!(sizes, (1000..1010).collect::<Vec<_>>());
    assert_eq!(names(folder.path()).len(), 20);
    assert!(folder.path().join("lantern-10.png").exists());
}

#[tokio::test]
async fn a_saver_that_is_dropped_leaves_nothing() {
    let half = image(png(100_000, 1))[..50_000].to_vec();
    let host = Host::start(move |_, _| Reply::Unfinished(half.clone()));
    let folder = tempfile::tempdir().unwrap();
    let begun = Arc::new(Notify::new());
    let notify = Arc::clone(&begun);
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (shared, path) = (Arc::clone(&seen), folder.path().to_owned());
    let saving = client(host.url()).save(host.link("/x"), folder.path().join("lantern")).on_progress(move |progress| {
        if progress.received_bytes > 0 {
            *shared.lock().unwrap() = names(&path);
            notify.notify_one();
        }
    });

    tokio::select! {
        result = async { saving.await } => panic!("{result:?}"),
        () = begun.notified() => {}
    }

    let seen = seen.lock().unwrap().clone();
    assert!(matches!(seen.as_slice(), [name] if is_part(name)), "{seen:?}");
    assert!(names(folder.path()).is_empty());
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_fails_before_a_request() {
    let host = Host::responding(image(png(90, 1)));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "mine").unwrap();
    let response = json!({"data": [{"url": host.link("/x"), "is_image_safe": true}]});

    let error = client(host.url()).save_all(&response, file.join("out")).await.unwrap_err();

    assert_eq!((error.kind(), error.outcome()), (ErrorKind::LocalIo, Outcome::Completed));
    assert_eq!(host.requests(), 0);
}
