//! Completions and man pages.

use std::fs;

use ideogram_mock::MockServer;
use tempfile::TempDir;

use crate::invocation::{ideogram, serve};

#[test]
fn completions_know_commands_operations_and_values() {
    for (shell, sign) in [
        ("bash", "complete -F"),
        ("zsh", "#compdef ideogram"),
        ("fish", "complete -c ideogram"),
        ("powershell", "Register-ArgumentCompleter"),
    ] {
        let ran = ideogram(["completions", shell]).run();

        assert_eq!((ran.code(), ran.stderr().as_str()), (Some(0), ""), "{shell}");
        for word in [sign, "datasets", "post_generate_image_v3", "negative-prompt", "dry-run"] {
            assert!(ran.stdout().contains(word), "{shell}: {word}");
        }
    }
    assert!(ideogram(["completions", "fish"]).run().stdout().contains("TURBO"));
}

/// Bash itself reads the script and completes with it.
#[cfg(unix)]
#[test]
fn bash_completes() {
    let folder = TempDir::new().unwrap();
    let script = folder.path().join("ideogram.bash");
    fs::write(&script, ideogram(["completions", "bash"]).run().stdout()).unwrap();
    fs::write(folder.path().join("street.png"), "").unwrap();
    for (words, completed) in [
        ("datasets up", "upload"),
        ("generate x --style-preset wa", "watercolor"),
        ("generate x --style-preset WATER", "watercolor"),
        ("generate x --rendering-speed TUR", "turbo"),
        ("generate x --aspect-r", "--aspect-ratio"),
        // Nothing of its own: then bash completes files.
        ("edit st", ""),
        ("datasets sync demo ", ""),
        ("edit street.png --mask st", "street.png"),
    ] {
        let (before, word) = words.rsplit_once(' ').unwrap();
        let previous = before.rsplit(' ').next().unwrap();
        let count = words.split(' ').count();
        let program = format!(
            "source {} && COMP_WORDS=(ideogram {before} '{word}') COMP_CWORD={count} && \
             _ideogram_words ideogram '{word}' {previous} && echo ${{COMPREPLY[*]}}",
            script.display()
        );
        let mut bash = std::process::Command::new("bash");
        let output = bash.args(["--norc", "-c", &program]).current_dir(&folder).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(String::from_utf8_lossy(&output.stdout).trim_end(), completed, "{words}: {stderr}");
    }
}

/// The script of the manual, against a mock server.
#[cfg(unix)]
#[test]
fn the_script_of_the_manual_handles_each_exit_code() {
    let folder = TempDir::new().unwrap();
    let server = serve(MockServer::builder());
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_ideogram"), folder.path().join("ideogram")).unwrap();
    fs::write(folder.path().join("script"), include_str!("../../src/commands/script.sh")).unwrap();
    let run = |url: &str, prompt: &str| {
        let mut bash = std::process::Command::new("bash");
        bash.args(["script", prompt])
            .current_dir(&folder)
            .env("PATH", format!("{}:/usr/bin:/bin", folder.path().display()));
        bash.env("HOME", folder.path()).env("WAIT_SECONDS", "0");
        bash.env("IDEOGRAM_BASE_URL", url).env("IDEOGRAM_API_KEY", server.api_key()).output().unwrap()
    };
    for (prompt, code, calls) in [
        ("a fox", 0, 1),
        ("forbidden", 6, 1),
        ("no balance", 7, 1),
        ("lost response", 10, 1),
        ("damaged response", 12, 1),
        ("withheld", 18, 1),
    ] {
        let before = server.requests().iter().filter(|request| request.method == "POST").count();
        let output = run(server.url(), prompt);
        let story = format!("{prompt}: {}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(code), "{story}");
        let after = server.requests().iter().filter(|request| request.method == "POST").count();
        assert_eq!(after - before, calls, "{story}");
        assert_eq!(String::from_utf8_lossy(&output.stdout).contains(".png"), code == 0, "{story}");
    }
    // It tries again what is not billed.
    let output = run("http://127.0.0.1:1", "a fox");
    let tries = String::from_utf8_lossy(&output.stderr).matches("error: cannot generate the image").count();
    assert_eq!((output.status.code(), tries), (Some(9), 3));
}

#[test]
fn each_word_of_the_rehearsals_provokes_its_exit_code() {
    let ran = ideogram(["mock", "serve", "--help"]).run();
    let help = ran.stdout();
    let words = help.lines().filter_map(|line| {
        let (word, rest) = line.strip_prefix("  ")?.split_at_checked(16)?;
        let code: i32 = rest.split_whitespace().next()?.parse().ok()?;
        Some((word.trim().to_owned(), code))
    });
    let words: Vec<_> =
        words.filter(|(word, _)| word.starts_with(|letter: char| letter.is_ascii_lowercase())).collect();
    assert!(words.len() >= 6, "{words:?}");
    for (word, code) in words {
        let folder = TempDir::new().unwrap();
        let arguments = ["--mock", "generate", &format!("a fox, {word}"), "-n", "2", "--attempts", "1"];
        let ran = ideogram(arguments).in_folder(folder.path()).run();
        assert_eq!(ran.code(), Some(code), "{word}: {ran}");
    }
}

#[test]
fn the_manual_has_a_page_for_every_command_and_the_exit_codes() {
    let folder = TempDir::new().unwrap();
    let pages = folder.path().join("made/man1");

    let ran = ideogram(["man", pages.to_str().unwrap()]).run();

    assert_eq!(ran.code(), Some(0), "{ran}");
    assert!(ran.stdout().lines().all(|path| std::path::Path::new(path).exists()), "{ran}");
    let read = |name: &str| fs::read_to_string(pages.join(name)).unwrap();
    assert!(read("ideogram.1").contains("EXIT STATUS") && read("ideogram.1").contains("outcome unknown"));
    assert!(read("ideogram-datasets-upload.1").contains("ZIP archives"));
    assert!(read("ideogram-api-post_generate_image_v3.1").contains("negative"));
    assert!(!pages.join("ideogram-help.1").exists());
}

#[test]
fn one_page_goes_to_standard_output() {
    let ran = ideogram(["man"]).run();

    assert!(ran.stdout().starts_with(".ie \\n(.g") || ran.stdout().contains(".TH ideogram 1"), "{ran}");
}

#[test]
fn commands_without_calls_refuse_options_for_calls() {
    for arguments in [
        vec!["completions", "bash", "--dry-run"],
        vec!["man", "--mock"],
        vec!["operations", "--timeout", "5"],
        vec!["api", "--attempts", "2"],
        vec!["mock", "serve", "--base-url", "http://127.0.0.1:1"],
        vec!["mock", "serve", "--debug"],
        vec!["mock", "serve", "--profile", "default"],
        vec!["mock", "serve", "--mock"],
        vec!["auth", "logout", "--dry-run"],
        vec!["auth", "status", "--mock"],
    ] {
        let ran = ideogram(arguments.clone()).run();

        assert_eq!((ran.code(), ran.stdout().as_str()), (Some(2), ""), "{arguments:?}: {ran}");
        assert!(ran.stderr().contains("cannot be used "), "{arguments:?}: {ran}");
    }
}
