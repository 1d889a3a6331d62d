//! Where images go, and what is beside them.

use std::{fs, process::Stdio};

use ideogram_mock::MockServer;
use serde_json::Value;

use super::{calls, files, folder, responses};
use crate::invocation::{ideogram, serve, snapshot};

fn json(path: &std::path::Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

#[test]
fn images_are_saved_with_sidecars_and_their_paths_are_printed() {
    let (server, folder) = (serve(MockServer::builder()), folder(&[]));

    let ran = ideogram(["generate", "A paper lantern", "--out", "a/b"]).against(&server).in_folder(folder.path()).run();

    snapshot!(&ran, @"
    exit code: 0
    ----- stdout -----
    a/b/20260701T090000Z-1-v4jubrrp.png
    ");
    let image = folder.path().join(ran.stdout().trim());
    assert!(fs::read(&image).unwrap().starts_with(b"\x89PNG\r\n\x1a\n"));
    let beside = json(&image.with_extension("json"));
    assert_eq!(beside["operation"], "post_generate_image_v2_ideogram45");
    assert_eq!(beside["request"]["parts"][0]["text"], "A paper lantern");
    let [response] = responses(folder.path()).try_into().unwrap();
    assert_eq!(json(&response)["response"]["data"][0]["is_image_safe"], true);
    assert_eq!(calls(&server), ["post_generate_image_v2_ideogram45"]);
    for file in files(folder.path()) {
        assert!(!String::from_utf8_lossy(&fs::read(&file).unwrap()).contains(server.api_key()), "{}", file.display());
    }
}

#[test]
fn without_a_folder_they_go_into_that_of_the_day() {
    let folder = folder(&[]);

    snapshot!(ideogram(["--mock", "generate", "cat", "--name", "cat"]).in_folder(folder.path()).run(), @"
    exit code: 0
    ----- stdout -----
    ideogram-[DAY]/cat.png
    ");
}

#[test]
fn no_file_is_ever_replaced() {
    let (server, folder) = (serve(MockServer::builder()), folder(&["cat.png"]));
    let before = fs::read(folder.path().join("cat.png")).unwrap();
    let run = || {
        let run = ideogram(["generate", "cat", "--out", ".", "--name", "cat"]);
        run.against(&server).in_folder(folder.path()).run().stdout()
    };

    assert_eq!((run(), run()), (format!("{}\n", name(2)), format!("{}\n", name(3))));
    assert_eq!(fs::read(folder.path().join("cat.png")).unwrap(), before);
}

fn name(number: u32) -> String {
    std::path::Path::new(".").join(format!("cat-{number}.png")).display().to_string()
}

#[test]
fn a_folder_that_cannot_be_written_is_found_before_anything_is_paid_for() {
    let (server, folder) = (serve(MockServer::builder()), folder(&["taken"]));

    let run = ideogram(["generate", "cat", "--out", "taken/out"]).against(&server).in_folder(folder.path());

    let ran = run.run();
    assert_eq!((ran.code(), ran.stdout().as_str()), (Some(13), ""), "{ran}");
    assert!(ran.stderr().contains("nothing was sent; choose another folder with --out"), "{ran}");
    assert!(server.requests().is_empty());
}

#[test]
fn a_name_that_no_file_can_have_is_refused_before_anything_is_paid_for() {
    let (server, folder) = (serve(MockServer::builder()), folder(&[]));
    let run = |name: &str| {
        let run = ideogram(["generate", "cat", "--out", "out", "--name", name]);
        run.against(&server).in_folder(folder.path()).run()
    };

    for name in [
        "n".repeat(300),
        // It fits, and the number of a second image does not.
        "n".repeat(250),
        "\u{706f}".repeat(90),
        "\u{20000}".repeat(60),
        "a/b".to_owned(),
        "..".to_owned(),
        ".png".to_owned(),
        "a\nb".to_owned(),
        String::new(),
    ] {
        assert_eq!(run(&name).code(), Some(2), "{name:?}");
    }
    assert!(server.requests().is_empty());
    assert_eq!(run(&"n".repeat(220)).code(), Some(0));
}

#[test]
fn a_name_with_the_extension_of_an_image_does_not_get_it_twice() {
    let (server, folder) = (serve(MockServer::builder()), folder(&[]));

    for (name, saved) in [("x.png", "x.png"), ("y.JPG", "y.png"), ("z.v2", "z.v2.png")] {
        let run = ideogram(["generate", "cat", "--out", "out", "--name", name]).against(&server);
        let ran = run.in_folder(folder.path()).run();

        let expected = std::path::Path::new("out").join(saved);
        assert_eq!(ran.stdout(), format!("{}\n", expected.display()), "{name}: {ran}");
    }
}

#[test]
fn an_unsuitable_out_is_refused_and_nothing_is_created() {
    let (server, folder) = (serve(MockServer::builder()), folder(&["there.json"]));
    let run = |arguments: &[&str]| {
        let ran = ideogram(arguments.iter().copied()).against(&server).in_folder(folder.path()).run();
        assert_eq!(ran.code(), Some(2), "{ran}");
        ran
    };

    snapshot!(run(&["generate", "cat", "--out", "-"]), @"
    exit code: 2
    ----- stderr -----
    error: invalid value '-' for '--out <DIR>': images go into a folder, not to standard output: their paths are printed there; ./- is a folder of that name

    For more information, try '--help'.
    ");
    snapshot!(run(&["generate", "cat", "-o", "lantern.png"]), @"
    exit code: 2
    ----- stderr -----
    error: invalid value 'lantern.png' for '--out <DIR>': it names a folder, not a file: a file is named by --name lantern

    For more information, try '--help'.
    ");
    run(&["generate", "cat", "-o-"]);
    run(&["batch", "there.json", "--out", "-"]);
    run(&["save", "there.json", "-o", "-"]);
    assert!(server.requests().is_empty());
    assert_eq!(files(folder.path()).len(), 1);
}

/// The signal of the limit would end the command without a word.
#[cfg(unix)]
#[test]
fn a_limit_on_the_size_of_files_is_found_before_anything_is_paid_for() {
    let (server, folder) = (serve(MockServer::builder()), folder(&[]));
    let run = ideogram(["generate", "cat", "--out", "out"]).against(&server).in_folder(folder.path());
    let limited = run.under_shell("ulimit -f 64; exec \"$0\" \"$@\"");

    snapshot!(limited.run(), @r#"
    exit code: 13
    ----- stderr -----
    error: images cannot be saved in "out"
      caused by: the file size limit is below 16.0 MiB, which an image may need (see `ulimit -f`)
    hint: nothing was sent; choose another folder with --out
    "#);
    assert!(server.requests().is_empty());
}

#[test]
fn the_folder_of_the_profile_is_used() {
    let folder = folder(&[]);
    let config = folder.path().join("ideogram");
    fs::create_dir(&config).unwrap();
    fs::write(config.join("config.toml"), "[profiles.default]\nout = \"mine\"\n").unwrap();

    let run = ideogram(["--mock", "generate", "cat", "--name", "cat"]).in_folder(folder.path());
    let path = folder.path().to_str().unwrap();
    let ran = run.env("XDG_CONFIG_HOME", path).env("APPDATA", path).run();

    let expected = std::path::Path::new("mine").join("cat.png");
    assert_eq!((ran.code(), ran.stdout()), (Some(0), format!("{}\n", expected.display())), "{ran}");
}

#[test]
fn a_closed_pipe_loses_no_image() {
    let (server, folder) = (serve(MockServer::builder()), folder(&[]));
    let run = ideogram(["generate", "cat", "--model", "v3", "-n", "3", "--out", "out"]);
    let mut command = run.against(&server).in_folder(folder.path()).into_command();

    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    drop(child.stdout.take());

    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(files(&folder.path().join("out")).len(), 3 * 2 + 1);
}

#[test]
fn missing_images_are_saved_from_a_response_and_others_stay() {
    let (server, folder) = (serve(MockServer::builder()), folder(&[]));
    let run = |arguments: &[&str]| ideogram(arguments.iter().copied()).against(&server).in_folder(folder.path()).run();
    let made = run(&["generate", "cat", "--model", "v3", "-n", "2", "--out", "out"]);
    let [response] = responses(folder.path()).try_into().unwrap();
    let lost = folder.path().join(made.stdout().lines().next().unwrap());
    fs::remove_file(&lost).unwrap();
    fs::remove_file(lost.with_extension("json")).unwrap();

    let ran = run(&["save", response.strip_prefix(folder.path()).unwrap().to_str().unwrap()]);

    assert_eq!((ran.code(), ran.stderr().as_str()), (Some(0), "image 2 is already saved\n"), "{ran}");
    assert_eq!(ran.stdout().lines().next(), made.stdout().lines().next());
    assert_eq!(json(&lost.with_extension("json"))["request"]["operation"], "post_generate_image_v2_ideogram_v3");
    assert_eq!(calls(&server).len(), 1);
}

#[test]
fn json_output_and_plain_responses_can_be_saved() {
    let (server, folder) = (serve(MockServer::builder()), folder(&[]));
    let run = || ideogram(["generate", "cat", "--out", "out", "--output", "json"]);
    let printed = run().against(&server).in_folder(folder.path()).run().stdout();
    let response = serde_json::from_str::<Value>(&printed).unwrap()["response"].to_string();

    for (text, out) in [(printed.as_str(), "again"), (response.as_str(), "plain")] {
        let ran = ideogram(["save", "-", "--out", out]).env("IDEOGRAM_BASE_URL", server.url());
        let ran = ran.in_folder(folder.path()).run_with_input(text.as_bytes());
        assert_eq!(ran.code(), Some(0), "{ran}");
        assert_eq!(files(&folder.path().join(out)).len(), 2, "an image and what made it");
    }
}

#[test]
fn responses_that_scripts_pass_on_can_be_saved() {
    let (server, folder) = (serve(MockServer::builder()), folder(&[]));
    let made = |format| {
        let run = ideogram(["generate", "cat", "--model", "v3", "-n", "2", "--out", "out", "--output", format]);
        run.against(&server).in_folder(folder.path()).run().stdout()
    };
    let (printed, response) = (made("jsonl"), serde_json::from_str::<Value>(&made("json")).unwrap()["response"].take());
    let items = response["data"].as_array().unwrap();
    let links: Vec<&str> = items.iter().map(|item| item["url"].as_str().unwrap()).collect();

    for (form, text, count) in [
        ("response", response.to_string(), 2),
        ("responses", Value::from(vec![response.clone()]).to_string(), 2),
        ("items", response["data"].to_string(), 2),
        ("item", items[0].to_string(), 1),
        ("lines of items", format!("{}\n{}\n", items[0], items[1]), 2),
        ("lines of --output jsonl", printed, 2),
        ("links", format!("{}\r\n\n {}\n", links[0], links[1]), 2),
        ("links as JSON", serde_json::json!(links).to_string(), 2),
        ("with a mark", format!("\u{feff}{response}"), 2),
    ] {
        let run = ideogram(["save", "-", "--out", form]).env("IDEOGRAM_BASE_URL", server.url());
        let ran = run.in_folder(folder.path()).run_with_input(text.as_bytes());

        assert_eq!(ran.code(), Some(0), "{form}: {ran}");
        assert_eq!(files(&folder.path().join(form)).len(), 2 * count, "{form}: images, and what made them");
    }
    let run = ideogram(["save", links[0], "--out", "one", "--name", "cat"]).env("IDEOGRAM_BASE_URL", server.url());
    let ran = run.in_folder(folder.path()).run();
    assert_eq!(ran.stdout(), format!("{}\n", std::path::Path::new("one").join("cat.png").display()), "{ran}");
}

#[test]
fn another_file_with_the_name_of_an_image_is_not_mistaken_for_it() {
    let (server, folder) = (serve(MockServer::builder()), folder(&[]));
    let run = |arguments: &[&str]| ideogram(arguments.iter().copied()).against(&server).in_folder(folder.path()).run();
    let made = run(&["generate", "cat", "--out", "out"]);
    let [response] = responses(folder.path()).try_into().unwrap();
    let image = folder.path().join(made.stdout().trim());
    fs::write(&image, "my notes").unwrap();

    let ran = run(&["save", response.to_str().unwrap()]);

    assert_eq!(ran.code(), Some(12), "{ran}");
    assert_eq!(fs::read(image).unwrap(), b"my notes");
}

#[test]
fn a_file_that_is_too_large_for_a_response_is_refused_unread() {
    let folder = folder(&[]);
    let file = fs::File::create(folder.path().join("huge.json")).unwrap();
    file.set_len(10 * 1024 * 1024 * 1024).unwrap();

    let ran = ideogram(["save", "huge.json"]).in_folder(folder.path()).run();

    assert!(ran.code().is_some_and(|code| code != 0) && !ran.stderr().is_empty(), "{ran}");
}

#[test]
fn a_file_that_is_not_a_response_is_refused() {
    let folder = folder(&["image.png"]);
    fs::write(folder.path().join("empty.json"), "{}").unwrap();

    snapshot!(ideogram(["save", "image.png"]).in_folder(folder.path()).run(), @r#"
    exit code: 2
    ----- stderr -----
    error: the response "image.png" cannot be read as text
      caused by: it is an image, not text
    hint: use a text file in UTF-8
    "#);
    snapshot!(ideogram(["save", "empty.json"]).in_folder(folder.path()).run(), @r#"
    exit code: 2
    ----- stderr -----
    error: there are no images in "empty.json"
    "#);
    assert_eq!(ideogram(["save", "nowhere.json"]).in_folder(folder.path()).run().code(), Some(13));
}

#[test]
fn a_link_into_a_private_network_is_not_saved_from() {
    let folder = folder(&[]);
    let response = br#"{"data": [{"url": "https://10.0.0.1/x.png", "is_image_safe": true}]}"#;

    let ran = ideogram(["save", "-", "--out", "out"]).in_folder(folder.path()).run_with_input(response);

    snapshot!(ran, @"
    exit code: 12
    ----- stderr -----
    error: 1 image not saved
      image 1: the link to 10.0.0.1 is not followed: it leads into this machine or a private network
    ");
}

#[test]
fn a_dry_run_of_save_lists_what_would_be_fetched() {
    let folder = folder(&[]);
    let response = br#"{"data": [{"url": "https://a.test/x.png"}, {"is_image_safe": false}]}"#;

    snapshot!(ideogram(["save", "-", "--dry-run", "--out", "o"]).in_folder(folder.path()).run_with_input(response), @r#"
    exit code: 0
    ----- stdout -----
    image 1 would be fetched

    image 2 has no link
    ----- stderr -----
    dry run: nothing was fetched into "o"
    "#);
    assert_eq!(files(folder.path()), [] as [std::path::PathBuf; 0]);
}

#[cfg(unix)]
#[test]
fn an_interrupt_during_downloads_has_a_hint_how_to_get_the_images_later() {
    let folder = folder(&[]);
    let rogue = crate::rogue::Rogue::silent();
    let response = format!(r#"{{"data": [{{"url": "{}/x.png"}}]}}"#, rogue.url());
    fs::write(folder.path().join("response.json"), response).unwrap();
    let run = ideogram(["save", "response.json", "--out", "out"]).at(rogue.url()).in_folder(folder.path());

    let (code, stderr) = crate::interrupt::interrupted(run, &rogue);

    assert_eq!(code, Some(130), "{stderr}");
    insta::assert_snapshot!(stderr, @"
    error: interrupted while images were being saved
      they are made and billed, and stay at their links for about 24 hours
    hint: this fetches the images from the stored response, at no cost, while their links live: ideogram save response.json --out out
    ");
    assert_eq!(files(&folder.path().join("out")), [] as [std::path::PathBuf; 0], "no half of an image stays");
}
