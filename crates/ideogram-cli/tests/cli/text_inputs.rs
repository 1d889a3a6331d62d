//! Every file and every standard input that is read as text: marks, UTF-16, other encodings, and sizes.

use std::{fs, path::Path};

use ideogram_mock::MockServer;

use crate::invocation::{Ran, Run, ideogram, serve};

/// An argument that text is read from, and a text that works there.
struct Input {
    arguments: &'static [&'static str],
    /// A variable of the environment that names the file.
    variable: Option<&'static str>,
    /// Without a file, standard input is read.
    file: Option<&'static str>,
    text: &'static str,
    /// More than the input takes, in MiB.
    too_much: usize,
}

const STRUCTURED: &str =
    r#"{"high_level_description": "a café", "compositional_deconstruction": {"background": "x", "elements": []}}"#;
const RESPONSE: &str = r#"{"data": [{"prompt": "café", "is_image_safe": false, "seed": 1}]}"#;
const COLORS: &str = r##"{"members": [{"color_hex": "#FFAA00", "café": 1}]}"##;

const INPUTS: &[Input] = &[
    input(&["generate", "-"], None, "a café", 2),
    input(&["magic-prompt", "-"], None, "a café", 2),
    input(&["generate", "--json-prompt", "-"], None, STRUCTURED, 5),
    input(&["generate", "--json-prompt", "in"], Some("in"), STRUCTURED, 5),
    input(&["save", "-", "--dry-run"], None, RESPONSE, 129),
    input(&["save", "in", "--dry-run"], Some("in"), RESPONSE, 129),
    input(&["api", "create_dataset", "--json-body", "-"], None, r#"{"name": "café"}"#, 17),
    input(&["api", "create_dataset", "--json-body", "in"], Some("in"), r#"{"name": "café"}"#, 17),
    input(&["api", "post_generate_image_v3", "--prompt", "x", "--color-palette", "@in"], Some("in"), COLORS, 17),
    input(&["api", "post_generate_image_v3", "--prompt", "x", "--color-palette", "@-"], None, COLORS, 17),
    input(&["batch", "in.csv", "--dry-run"], Some("in.csv"), "prompt;id\r\na café, lit;1\r\n", 65),
    input(&["batch", "in.jsonl", "--dry-run"], Some("in.jsonl"), "{\"prompt\": \"a café\"}\n", 65),
    input(&["batch", "in.json", "--dry-run"], Some("in.json"), "[\"a café\"]", 65),
    input(&["batch", "in.txt", "--dry-run"], Some("in.txt"), "a café\nanother\n", 65),
    input(&["batch", "-", "--out", "out", "--dry-run"], None, "{\"prompt\": \"a café\"}\n", 65),
    Input {
        arguments: &["datasets", "list"],
        variable: Some("IDEOGRAM_CONFIG"),
        file: Some("in"),
        text: "# café\n[profiles.default]\n",
        too_much: 2,
    },
];

const fn input(
    arguments: &'static [&'static str],
    file: Option<&'static str>,
    text: &'static str,
    too_much: usize,
) -> Input {
    Input { arguments, variable: None, file, text, too_much }
}

impl Input {
    fn command(&self, server: &MockServer, folder: &Path) -> Run {
        let run = ideogram(self.arguments.iter().copied()).against(server).in_folder(folder);
        match self.variable {
            Some(variable) => run.env(variable, "in"),
            None => run,
        }
    }

    fn run(&self, server: &MockServer, bytes: &[u8]) -> Ran {
        let folder = tempfile::tempdir().unwrap();
        match self.file {
            Some(file) => {
                fs::write(folder.path().join(file), bytes).unwrap();
                self.command(server, folder.path()).run()
            }
            None => self.command(server, folder.path()).run_with_input(bytes),
        }
    }
}

fn utf16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(bytes).collect()
}

#[test]
fn marks_and_utf16_are_read_everywhere() {
    let server = serve(MockServer::builder());
    for input in INPUTS {
        let marked = format!("\u{feff}{}", input.text);
        let forms = [marked.clone().into_bytes(), utf16(&marked, u16::to_le_bytes), utf16(&marked, u16::to_be_bytes)];

        let plain = input.run(&server, input.text.as_bytes());
        let sent = server.requests();
        for form in forms {
            let before = server.requests().len();
            let ran = input.run(&server, &form);

            assert_eq!(ran.code(), plain.code(), "{:?}: {ran}\n{plain}", input.arguments);
            assert!(!input.arguments.contains(&"batch") || ran.stdout() == plain.stdout(), "{ran}\n{plain}");
            let posts = |requests: &[ideogram_mock::RecordedRequest]| {
                requests.iter().rfind(|request| request.method == "POST").map(|request| request.body.clone())
            };
            let (wanted, now) = (posts(&sent), posts(&server.requests()[before..]));
            if let (Some(wanted), Some(now)) = (wanted, now) {
                assert_eq!(without_boundary(&now), without_boundary(&wanted), "{:?}", input.arguments);
            }
        }
    }
}

/// A body without the lines that differ from request to request.
fn without_boundary(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    text.lines().filter(|line| !line.starts_with("--")).collect::<Vec<_>>().join("\n")
}

#[test]
fn other_encodings_are_refused_by_name_everywhere() {
    let server = serve(MockServer::builder());
    let latin: fn(&str) -> Vec<u8> =
        |text| text.chars().map(|letter| u8::try_from(u32::from(letter)).unwrap()).collect();
    let wide: fn(&str) -> Vec<u8> = |text| text.chars().flat_map(|letter| u32::from(letter).to_le_bytes()).collect();
    for input in INPUTS {
        let forms = [
            (latin(input.text), "Windows-1252"),
            (utf16(input.text, u16::to_le_bytes), "UTF-16 without a byte order mark"),
            (utf16(input.text, u16::to_be_bytes), "UTF-16 without a byte order mark"),
            (wide(&format!("\u{feff}{}", input.text)), "UTF-32"),
        ];
        for (bytes, name) in forms {
            let ran = input.run(&server, &bytes);

            assert_eq!(ran.code(), Some(2), "{:?}, {name}: {ran}", input.arguments);
            assert!(ran.stderr().contains(name) && ran.stderr().contains("UTF-8"), "{:?}: {ran}", input.arguments);
        }
    }
    assert!(server.requests().is_empty());
}

#[test]
fn too_large_input_is_refused_everywhere() {
    let server = serve(MockServer::builder());
    for input in INPUTS {
        let ran = input.run(&server, &vec![b' '; input.too_much << 20]);

        assert_eq!(ran.code(), Some(2), "{:?}: {ran}", input.arguments);
        assert!(ran.stderr().contains("is too large: the limit is"), "{:?}: {ran}", input.arguments);
    }
    assert!(server.requests().is_empty());
}

#[test]
fn keys_are_read_from_files_of_all_editors() {
    let server = serve(MockServer::builder());
    let key = format!("{}\r\n", server.api_key());
    let marked = format!("\u{feff}{key}");
    let forms = [marked.clone().into_bytes(), utf16(&marked, u16::to_le_bytes), utf16(&marked, u16::to_be_bytes)];
    let read = |bytes: &[u8]| {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("key"), bytes).unwrap();
        let run = ideogram(["--api-key-file", "key", "datasets", "list"]).env("IDEOGRAM_BASE_URL", server.url());
        run.in_folder(folder.path()).run()
    };
    let logged_in = |bytes: &[u8]| {
        let folder = tempfile::tempdir().unwrap();
        let run = ideogram(["auth", "login", "--insecure-storage"]).env("IDEOGRAM_BASE_URL", server.url());
        run.at_home(folder.path()).run_with_input(bytes)
    };
    for form in &forms {
        for ran in [read(form), logged_in(form)] {
            assert_eq!(ran.code(), Some(0), "{ran}");
        }
    }
    for (bytes, name) in [
        (utf16(&key, u16::to_le_bytes), "UTF-16 without a byte order mark"),
        (b"secret-1234\xe9".to_vec(), "Windows-1252"),
    ] {
        let ran = read(&bytes);
        assert_eq!(ran.code(), Some(2), "{ran}");
        assert!(ran.stderr().contains(name) && !ran.stderr().contains("secret"), "{ran}");
    }
    let marked_variable = format!("\u{feff}{}", server.api_key());
    let ran = ideogram(["datasets", "list"])
        .env("IDEOGRAM_BASE_URL", server.url())
        .env("IDEOGRAM_API_KEY", &marked_variable)
        .run();
    assert_eq!(ran.code(), Some(0), "{ran}");
}
