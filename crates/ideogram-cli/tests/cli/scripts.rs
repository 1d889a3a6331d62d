//! Completions and man pages.

use std::fs;

use tempfile::TempDir;

use crate::invocation::ideogram;

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
    let program = format!(
        "source {} && COMP_WORDS=(ideogram datasets up) COMP_CWORD=2 && _ideogram ideogram up datasets && echo ${{COMPREPLY[*]}}",
        script.display()
    );

    let output = std::process::Command::new("bash").args(["--norc", "-c", &program]).output().unwrap();

    assert_eq!(String::from_utf8_lossy(&output.stdout), "upload\n", "{}", String::from_utf8_lossy(&output.stderr));
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
