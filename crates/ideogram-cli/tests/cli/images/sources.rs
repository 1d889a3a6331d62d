//! Images that are sent: from paths, standard input and links.

use std::fs;

use ideogram_mock::MockServer;

use super::{IMAGE, calls, folder, parts};
use crate::{
    invocation::{ideogram, serve, snapshot},
    rogue::Rogue,
};

#[test]
fn an_image_and_a_prompt_may_come_from_standard_input() {
    let (server, folder) = (serve(MockServer::builder()), folder(&["a.png"]));
    let run = |arguments: &[&str]| ideogram(arguments.iter().copied()).against(&server).in_folder(folder.path());

    assert_eq!(run(&["remix", "-", "cat", "--out", "out"]).run_with_input(IMAGE).code(), Some(0));
    assert!(parts(&server).contains(&("image".to_owned(), "stdin.png".to_owned())));
    assert_eq!(run(&["remix", "a.png", "-", "--out", "out"]).run_with_input("紙灯籠\n".as_bytes()).code(), Some(0));
    assert!(parts(&server).contains(&("prompt".to_owned(), "紙灯籠".to_owned())));
    snapshot!(run(&["remix", "-", "-", "--out", "out"]).run_with_input(b"cat"), @"
    exit code: 2
    ----- stderr -----
    error: standard input is used twice: it cannot also be an image
    ");
    assert_eq!(calls(&server).len(), 2);
}

#[test]
fn standard_input_that_is_not_an_image_or_a_prompt_is_refused() {
    let folder = folder(&[]);
    let run =
        |arguments: &[&str]| ideogram(arguments.iter().copied()).at("http://127.0.0.1:1").in_folder(folder.path());

    snapshot!(run(&["upscale", "-"]).run_with_input(b"<html>"), @"
    exit code: 2
    ----- stderr -----
    error: standard input holds no image: JPEG, PNG and WebP are taken
      caused by: it looks like a web page or SVG
    ");
    snapshot!(run(&["generate", "-"]).run_with_input(b"\n"), @"
    exit code: 2
    ----- stderr -----
    error: the prompt is empty: nothing was sent
    ");
    snapshot!(run(&["generate", "-"]).run_with_input(b"a caf\xe9"), @r#"
    exit code: 2
    ----- stderr -----
    error: the prompt from standard input cannot be read as text
      caused by: it is not UTF-8: line 1 has the byte 0xe9; its encoding is probably Windows-1252 ("ANSI") or another code page
    hint: save it as UTF-8: in Notepad choose the encoding UTF-8, in Excel "CSV UTF-8", in PowerShell add -Encoding utf8
    "#);
}

#[test]
fn odd_names_can_be_sent() {
    let names: &[&str] = if cfg!(windows) {
        &["紙 灯籠 ‘x’.png", "-a.png"]
    } else {
        &["紙 灯籠 ‘x’.png", "-a.png", "two\nlines\".png"]
    };
    let (server, folder) = (serve(MockServer::builder()), folder(names));

    for name in names {
        let path = format!("./{name}");
        let ran = ideogram(["upscale", &path, "--out", "out"]).against(&server).in_folder(folder.path()).run();

        assert_eq!(ran.code(), Some(0), "{ran}");
        let expected = name.replace('\n', "_");
        assert!(parts(&server).iter().any(|(_, value)| *value == expected), "{:?}", parts(&server));
    }
}

#[test]
fn a_file_that_is_not_an_image_is_refused_before_anything_is_sent() {
    let (server, folder) = (serve(MockServer::builder()), folder(&["a.png"]));
    fs::write(folder.path().join("note.txt"), "hello").unwrap();
    let run = |name| ideogram(["upscale", name]).against(&server).in_folder(folder.path()).run();

    snapshot!(run("note.txt"), @r#"
    exit code: 2
    ----- stderr -----
    error: nothing was sent: "note.txt" is not an image that the service takes
      caused by: it looks like text
    hint: JPEG, PNG and WebP are taken
    "#);
    assert_eq!((run("nowhere.png").code(), run(".").code()), (Some(13), Some(13)));
    let reference = ["generate", "cat", "--model", "v3", "--style-reference-images", "nowhere.png", "--out", "out"];
    assert_eq!(ideogram(reference).against(&server).in_folder(folder.path()).run().code(), Some(13));
    assert!(server.requests().is_empty() && !folder.path().join("out").exists());
}

#[test]
fn a_mask_that_does_not_fit_is_refused_before_anything_is_sent() {
    let (server, folder) = (serve(MockServer::builder()), folder(&["a.png"]));
    let write = |name: &str, image: image::DynamicImage| image.save(folder.path().join(name)).unwrap();
    write("white.png", image::GrayImage::from_pixel(2, 1, image::Luma([255])).into());
    write("large.png", image::GrayImage::from_pixel(3, 1, image::Luma([0])).into());
    write("clear.png", image::RgbaImage::from_pixel(2, 1, image::Rgba([0; 4])).into());
    let run = |arguments: &str| {
        let ran = ideogram(arguments.split(' ')).against(&server).in_folder(folder.path()).run();
        assert_eq!(ran.code(), Some(2), "{ran}");
        ran
    };

    snapshot!(run("inpaint a.png cat --mask large.png"), @r#"
    exit code: 2
    ----- stderr -----
    error: nothing was sent: the mask "large.png" has 3x1 pixels, but its image has 2x1: resize it to the image
    "#);
    for (mask, problem) in [("white.png", "has no black"), ("clear.png", "has transparent pixels")] {
        for model in ["v3", "v3-edit", "legacy"] {
            let ran = run(&format!("inpaint a.png cat --mask {mask} --model {model}"));
            assert!(ran.stderr().contains(problem), "{ran}");
        }
    }
    let character = "generate cat --model v3 --character-reference-images a.png";
    let ran = run(&format!("{character} --character-reference-images-mask large.png"));
    assert!(ran.stderr().contains("has 3x1 pixels"), "{ran}");
    run(&format!("{character} --character-reference-images-mask a.png --character-reference-images-mask a.png"));
    assert!(server.requests().is_empty());
}

#[test]
fn images_and_masks_are_checked_before_a_batch_pays() {
    let (server, folder) = (serve(MockServer::builder()), folder(&["a.png"]));
    fs::write(folder.path().join("page.png"), "<!DOCTYPE html>").unwrap();
    let white = image::GrayImage::from_pixel(2, 1, image::Luma([255]));
    white.save(folder.path().join("white.png")).unwrap();
    image::GrayImage::from_pixel(3, 1, image::Luma([0])).save(folder.path().join("large.png")).unwrap();
    let inpaint = |image: &str, mask: &str| {
        format!(r#"{{"operation":"post_inpaint_image_v3","prompt":"x","image":"{image}","mask":"{mask}"}}"#)
    };
    let run = |row: &str| {
        fs::write(folder.path().join("rows.jsonl"), row).unwrap();
        ideogram(["batch", "rows.jsonl", "--yes"]).against(&server).in_folder(folder.path()).run()
    };

    for (row, problem) in [
        (r#"{"operation":"post_remix_image_v3","prompt":"x","image":"page.png"}"#.to_owned(), "a web page"),
        (inpaint("a.png", "white.png"), "has no black"),
        (inpaint("a.png", "large.png"), "has 3x1 pixels"),
        (
            r#"{"prompt":"x","model":"v3","character_reference_images":["a.png"],
                "character_reference_images_mask":["large.png"]}"#
                .replace('\n', " "),
            "has 3x1 pixels",
        ),
    ] {
        let ran = run(&row);
        assert!(ran.code() == Some(2) && ran.stderr().contains(problem), "{row}: {ran}");
    }
    assert!(server.requests().is_empty());
    assert_eq!(run(&inpaint("a.png", "a.png")).code(), Some(0));
}

#[test]
fn a_link_of_the_service_is_fetched_and_sent() {
    let (server, folder) = (serve(MockServer::builder()), folder(&[]));
    let run = |arguments: &[&str]| ideogram(arguments.iter().copied()).against(&server).in_folder(folder.path()).run();
    let link = run(&["generate", "cat", "--out", "out", "--jq", ".response.data[0].url"]).stdout();

    assert_eq!(run(&["remove-background", link.trim(), "--out", "out"]).code(), Some(0));

    let requests = server.requests();
    let part = &requests.iter().rev().find(|request| request.method == "POST").unwrap().parts[0];
    assert_eq!((part.name.as_str(), part.media_type.as_deref()), ("image", Some("image/png")));
    assert!(part.size > 1000 && part.file_name.as_deref().unwrap().contains(".png"), "{part:?}");
    let fetched = requests.iter().filter(|request| request.path.starts_with("/api/images/"));
    assert!(fetched.clone().count() >= 3 && fetched.clone().all(|request| !request.headers.contains_key("api-key")));
    // By its link, nothing is fetched: the service has it.
    assert_eq!(run(&["edit", "--image-urls", link.trim(), "--prompt", "night", "--out", "out"]).code(), Some(0));
    assert_eq!(parts(&server)[1], ("image_urls".to_owned(), link.trim().to_owned()));
}

#[test]
fn private_addresses_are_refused_without_a_request() {
    // It would count a request as one of its own.
    let (server, bystander) = (serve(MockServer::builder()), serve(MockServer::builder()));
    let folder = folder(&[]);
    let local = format!("{}/x.png", bystander.url());
    let local_tls = local.replace("http:", "https:");
    for link in [
        local.as_str(),
        local_tls.as_str(),
        "https://localhost/x.png",
        "https://10.0.0.1/x.png",
        "https://169.254.169.254/latest",
        "https://[::1]/x.png",
        "https://[::ffff:127.0.0.1]/x.png",
        "https://2130706433/x.png",
        "https://user:word@example.test/x.png",
        "http://example.test/x.png",
        "https://",
    ] {
        let ran = ideogram(["upscale", link]).against(&server).in_folder(folder.path()).run();

        assert_eq!((ran.code(), ran.stdout().as_str()), (Some(2), ""), "{link}: {ran}");
        assert!(server.requests().is_empty() && bystander.requests().is_empty(), "{link}");
    }
    snapshot!(ideogram(["upscale", "https://10.0.0.1/x.png?sig=secret"]).against(&server).run(), @"
    exit code: 2
    ----- stderr -----
    error: cannot fetch the image
      caused by: the link to 10.0.0.1 is not followed: it leads into this machine or a private network
    hint: nothing was sent to the service; to send such an image, save it and give its path
    ");
    snapshot!(ideogram(["upscale", "https://localhost/x.png"]).against(&server).run(), @"
    exit code: 2
    ----- stderr -----
    error: cannot fetch the image
      caused by: the link to localhost is not followed: it leads into this machine or a private network
    hint: nothing was sent to the service; to send such an image, save it and give its path
    ");
}

#[test]
fn a_redirect_into_a_private_network_is_not_followed() {
    let folder = folder(&[]);
    let rogue = Rogue::responding_with("302 Found", "location: https://192.168.0.1/x.png\r\n", "");
    let link = format!("{}/x.png", rogue.url());

    let ran = ideogram(["upscale", &link]).at(rogue.url()).in_folder(folder.path()).run();

    snapshot!(ran, @"
    exit code: 2
    ----- stderr -----
    error: cannot fetch the image
      caused by: the link to 192.168.0.1 is not followed: it leads into this machine or a private network
    hint: nothing was sent to the service; to send such an image, save it and give its path
    ");
}

#[test]
fn a_link_is_not_a_prompt_however_it_is_written() {
    let folder = folder(&["a.png"]);
    for link in ["https://a.test/x?id=1", "http://a.test/x?id=1", "HTTPS://a.test/x?id=1"] {
        let ran =
            ideogram(["edit", "a.png", link, "--dry-run"]).at("http://127.0.0.1:1").in_folder(folder.path()).run();

        assert_eq!(ran.code(), Some(2), "{ran}");
        assert!(ran.stderr().contains("the prompt is missing"), "{ran}");
    }
}

#[test]
fn a_link_to_a_file_that_is_not_an_image_or_too_large_is_refused() {
    for rogue in [
        Rogue::responding_with("200 OK", "content-type: image/png\r\n", "<html>a page</html>"),
        Rogue::sending("HTTP/1.1 200 OK\r\ncontent-length: 99999999\r\n\r\n\u{89}PNG"),
    ] {
        let folder = folder(&[]);
        let link = format!("{}/x.png", rogue.url());

        let ran = ideogram(["upscale", &link]).at(rogue.url()).in_folder(folder.path()).run();

        assert_eq!(ran.code(), Some(2), "{ran}");
        assert!(ran.stderr().contains("nothing was sent to the service"), "{ran}");
    }
}
