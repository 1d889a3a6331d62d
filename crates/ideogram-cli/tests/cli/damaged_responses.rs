//! Responses of paid calls that are not as the document describes them: their images are saved all the same, at once,
//! by `generate`, `batch` and `save` alike.

use std::{fs, io::Write as _, path::Path};

use ideogram_mock::MockServer;

use crate::{
    invocation::{ideogram, serve},
    rogue::Rogue,
};

/// A whole response, and the link in it.
fn response(server: &MockServer, folder: &Path) -> (String, String) {
    let ran = ideogram(["generate", "A paper lantern", "--model", "legacy", "-q", "--out", "first"])
        .against(server)
        .in_folder(folder)
        .run();
    assert_eq!(ran.code(), Some(0), "{ran}");
    let stored = fs::read_dir(folder.join("first/.ideogram-responses")).unwrap().next().unwrap().unwrap();
    let stored: serde_json::Value = serde_json::from_slice(&fs::read(stored.path()).unwrap()).unwrap();
    let link = stored["response"]["data"][0]["url"].as_str().unwrap().to_owned();
    (stored["response"].to_string(), link)
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Header lines and a body for each kind of damage.
fn damaged(whole: &str, link: &str) -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let after_link = whole.find(link).unwrap() + link.len() + 1;
    let utf_16: Vec<u8> = [0xff, 0xfe].into_iter().chain(whole.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    vec![
        ("a property of another type", "", whole.replace("\"is_image_safe\":true", "\"is_image_safe\":[7]").into()),
        ("a property is missing", "", whole.replace("\"is_image_safe\":true,", "").into()),
        ("cut behind the link", "", whole[..after_link].into()),
        ("a comma too many", "", whole.replace(']', ",]").into()),
        ("a byte order mark", "", [b"\xef\xbb\xbf", whole.as_bytes()].concat()),
        ("UTF-16", "", utf_16),
        ("a coding that was not requested", "content-encoding: gzip\r\n", gzip(whole.as_bytes())),
        ("packed without a label", "", gzip(whole.as_bytes())),
        ("a label without the coding", "content-encoding: br\r\n", whole.into()),
        ("a control character", "", whole.replace("\"data\"", "\"x\":\"\u{1}\",\"data\"").into()),
        ("a byte that is no text", "", [b"{\"x\":\"\xe9\",", &whole.as_bytes()[1..]].concat()),
        ("a page before it", "", format!("<html>{whole}").into()),
    ]
}

fn answer(headers: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n{headers}\r\n");
    [head.as_bytes(), body].concat()
}

fn images(folder: &Path) -> usize {
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files.filter(|path| image::open(path).is_ok()).count()
}

#[test]
fn every_whole_link_of_a_damaged_response_is_saved_by_every_command() {
    let server = serve(MockServer::builder());
    let folder = tempfile::tempdir().unwrap();
    let (whole, link) = response(&server, folder.path());
    fs::write(folder.path().join("rows.jsonl"), "{\"prompt\":\"A paper lantern\"}\n").unwrap();

    for (number, (damage, headers, body)) in damaged(&whole, &link).into_iter().enumerate() {
        let folder = folder.path();
        let run = |arguments: &[&str]| {
            let rogue = Rogue::sending(answer(headers, &body));
            ideogram(arguments.iter().copied()).at(rogue.url()).in_folder(folder).run()
        };
        let [one, rows, again] = ["generate", "batch", "save"].map(|name| format!("{number}-{name}"));

        let generated = run(&["generate", "A paper lantern", "--model", "legacy", "-q", "--out", &one]);
        let batch = run(&["batch", "rows.jsonl", "--model", "legacy", "-q", "--yes", "--pay-again", "--out", &rows]);
        let stored = fs::read_dir(folder.join(&one).join(".ideogram-responses")).unwrap().next().unwrap().unwrap();
        let saved = run(&["save", stored.path().to_str().unwrap(), "-q", "--out", &again]);

        let count = [&one, &rows, &again].map(|name| images(&folder.join(name)));
        assert_eq!(count, [1, 1, 1], "{damage}\n{generated}\n{batch}\n{saved}");
        assert!([&generated, &batch, &saved].iter().all(|ran| ran.code() != Some(1)), "{damage}\n{generated}\n{batch}");
    }
}

#[test]
fn a_folder_for_responses_that_cannot_be_used_is_refused_before_paying() {
    let server = serve(MockServer::builder());
    let folder = tempfile::tempdir().unwrap();
    image::RgbImage::new(32, 32).save(folder.path().join("a.png")).unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    let commands: [&[&str]; 4] = [
        &["api", "post_magic_prompt_v4", "--text-prompt", "a lantern"],
        &["api", "post_generate_image_v4", "--text-prompt", "a lantern"],
        &["magic-prompt", "a lantern"],
        &["describe", "a.png"],
    ];
    let run = |command: &[&str], state: &str| {
        let run = ideogram(command.iter().copied()).against(&server).in_folder(folder.path());
        run.env("XDG_STATE_HOME", folder.path().join(state).to_str().unwrap()).run()
    };

    for command in commands {
        let refused = run(command, "file");
        let hint = "nothing was sent; choose another state folder with the environment variable XDG_STATE_HOME";
        assert_eq!(refused.code(), Some(13), "{command:?}: {refused}");
        assert!(refused.stderr().contains(hint), "{refused}");
    }
    assert_eq!(server.requests().len(), 0);
    for command in commands {
        let ran = run(command, "state");
        assert_eq!(ran.code(), Some(0), "{command:?}: {ran}");
    }
    assert_eq!(run(&["api", "list_datasets"], "file").code(), Some(0), "what is free stores nothing");
}
