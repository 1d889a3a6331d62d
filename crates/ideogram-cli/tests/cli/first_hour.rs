//! What users type first: it succeeds, or is refused with a hint that succeeds when it is pasted.

use std::{fs, path::Path};

use ideogram_mock::MockServer;
use tempfile::TempDir;

use crate::invocation::{Ran, ideogram, serve};

/// An image, and tables as spreadsheets save them.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let image =
        ideogram(["--mock", "generate", "a square", "--name", "a", "--out", "."]).in_folder(folder.path()).run();
    assert_eq!(image.code(), Some(0), "{image}");
    fs::create_dir(folder.path().join("lanterns")).unwrap();
    fs::copy(folder.path().join("a.png"), folder.path().join("lanterns/a.png")).unwrap();
    for (name, table) in [
        ("upper.csv", "Prompt,Aspect Ratio\na lantern,16:9\na fox,3x2\n"),
        ("other.csv", "Name;Text\nA;a lantern over a canal\nB;a fox\n"),
        ("notes.csv", "prompt,notes,My Column\na lantern,for Ann,1\na fox,,\n"),
        ("list.txt", "a lantern\na fox\n"),
    ] {
        fs::write(folder.path().join(name), table).unwrap();
    }
    folder
}

/// Runs a line as a shell does.
fn shell(line: &str, server: &MockServer, folder: &Path) -> Ran {
    let state = folder.join("state");
    let script = format!("command=\"$0\"; ideogram() {{ \"$command\" \"$@\"; }}; {line}");
    let run = ideogram([]).against(server).in_folder(folder).env("XDG_STATE_HOME", state.to_str().unwrap());
    run.under_shell(&script).run()
}

#[test]
fn natural_commands_succeed_at_once() {
    for line in [
        "ideogram generate 'the words OPEN LATE' -n 3 --aspect-ratio 16:9",
        "ideogram generate 'OPEN LATE' --aspect-ratio 16/9 --model 4.0",
        "ideogram generate 'OPEN LATE' --aspect-ratio 16x9 --model 3 --style-preset watercolor",
        "ideogram generate 'OPEN LATE' --transparent --aspect-ratio 16:9",
        "ideogram generate 'OPEN LATE' --custom-model paper-lanterns",
        "ideogram generate 'OPEN LATE' --custom-model Zm9v4kQ1T0eYb8uJr2xLhg",
        "ideogram reframe a.png --aspect-ratio 3:1",
        "ideogram edit a.png 'Make it night'",
        "ideogram edit a.png --quality low 'Make it night'",
        "ideogram edit a.png a.png 'Both in one'",
        "ideogram remix a.png 'In blue glass' --aspect-ratio 3:2",
        "ideogram upscale a.png",
        "ideogram upscale a.png --upscale-factor 4",
        "ideogram batch upper.csv -o cards",
        "ideogram batch list.txt",
    ] {
        let (server, folder) = (serve(MockServer::builder()), folder());

        let ran = shell(line, &server, folder.path());

        assert_eq!(ran.code(), Some(0), "{line}\n{ran}");
    }
}

#[test]
fn the_hint_of_a_refusal_succeeds_when_it_is_pasted() {
    for line in [
        "ideogram generate a paper lantern --aspect-ratio 16:9",
        "ideogram remix a.png blue glass --aspect-ratio 3:2",
        "ideogram generate 'a lantern' --n 3",
        "ideogram generate 'a lantern' --count=3",
        "ideogram generate 'a lantern' --model v3 --speed turbo",
        "ideogram generate 'a lantern' --json",
        "ideogram generate 'a lantern' --style-preset watercolor",
        "ideogram generate 'a lantern' --style-preset watercolor --model v4",
        "ideogram generate 'a lantern' --negative-prompt dogs",
        "ideogram upscale a.png --factor x4",
        "ideogram upscale a.png --factor 2",
        "ideogram upscale a.png 2x",
        "ideogram reframe a.png 3:1",
        "ideogram reframe a.png 1536x512",
        "ideogram edit 'Make it night' a.png",
        "ideogram edit a.png make it night",
        "ideogram generate 'a lantern' --output-dir signs",
        "ideogram generate 'a lantern' --output lanterns",
        "ideogram generate --prompt 'a lantern' -n 2",
        "ideogram generate -p 'a lantern'",
        "ideogram remix --image=a.png 'blue glass'",
        "ideogram batch other.csv --ignore-column Name",
        "ideogram batch notes.csv",
    ] {
        let (server, folder) = (serve(MockServer::builder()), folder());

        let refused = shell(line, &server, folder.path());

        assert_eq!(refused.code(), Some(2), "{line}\n{refused}");
        assert!(server.requests().is_empty(), "{line}: nothing was sent");
        let stderr = refused.stderr();
        let hint = stderr.lines().find_map(|line| line.split_once(": ideogram ")).map(|(_, rest)| rest);
        let hint = hint.unwrap_or_else(|| panic!("no hint is a command: {refused}"));
        let pasted = shell(&format!("ideogram {hint}"), &server, folder.path());
        assert_eq!(pasted.code(), Some(0), "{line}\n{refused}\nideogram {hint}\n{pasted}");
    }
}

#[test]
fn no_hint_has_an_option_that_does_not_take_the_value() {
    for (line, option) in [
        ("ideogram generate 'a lantern' --format webp", "--output"),
        ("ideogram edit --image a.png 'Make it night'", "--image-urls"),
    ] {
        let (server, folder) = (serve(MockServer::builder()), folder());

        let ran = shell(line, &server, folder.path());

        assert_eq!(ran.code(), Some(2), "{line}\n{ran}");
        assert!(!ran.stderr().contains("tip:") && !ran.stderr().contains(&format!("use {option}")), "{line}\n{ran}");
    }
}

#[test]
fn a_refusal_says_what_to_do_instead() {
    for (line, hint) in [
        ("ideogram version", "`ideogram --version` prints the version"),
        ("ideogram completion bash", "`ideogram completions SHELL`"),
        ("ideogram man generate", "to read about the command: ideogram help generate"),
        ("ideogram edit a.png lanterns", "if it is the prompt: --prompt lanterns"),
        ("ideogram datasets get 'my set'", "`ideogram datasets list` shows the ids"),
        ("ideogram upscale -dash.png", "if it is a file: ideogram upscale ./-dash.png"),
        ("ideogram inpaint a.png lanterns/a.png beach", "inpaint a.png --mask lanterns/a.png beach"),
        ("ideogram generate lantern --budget 5", "use --max-usd: ideogram generate lantern --max-usd 5"),
        ("ideogram download x", "`ideogram save` saves the images of a stored response"),
        ("ideogram batch counts.csv --quality low", "add a column `quality` to the file"),
        ("ideogram batch counts.csv --negative low", "add a column `negative_prompt` to the file"),
        (
            "ideogram generate x --style-preset list",
            "which takes it: ideogram generate x --style-preset list --model v3",
        ),
        ("ideogram batch counts.csv", "rename `n` to `num_images` if it is that"),
        ("ideogram batch qualty.csv", "rename `qualty` to `quality` if it is that"),
    ] {
        let (server, folder) = (serve(MockServer::builder()), folder());
        fs::write(folder.path().join("counts.csv"), "prompt,n\na lantern,2\n").unwrap();
        fs::write(folder.path().join("-dash.png"), "").unwrap();
        fs::write(folder.path().join("qualty.csv"), "prompt,qualty\na lantern,low\n").unwrap();

        let ran = shell(line, &server, folder.path());

        assert_eq!(ran.code(), Some(2), "{line}\n{ran}");
        assert!(ran.stderr().contains(hint), "{line}\n{ran}");
        assert!(!folder.path().join("generate").exists());
        assert!(server.requests().is_empty(), "{line}: nothing was sent");
    }
}
