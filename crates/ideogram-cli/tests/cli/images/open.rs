//! Previews in the terminal, and opening what was saved.

use super::folder;
use crate::invocation::ideogram;

#[test]
fn a_preview_goes_to_standard_error_and_only_where_it_is_wanted() {
    let run = |more: &[&str]| {
        let folder = folder(&[]);
        let arguments = [&["--mock", "generate", "cat", "--name", "cat"], more].concat();
        // A terminal by its name, but standard error is none.
        ideogram(arguments).in_folder(folder.path()).env("TERM_PROGRAM", "WezTerm").run()
    };

    assert_eq!(run(&[]).stderr(), "");
    assert_eq!(run(&["--preview", "never"]).stderr(), "");
    let shown = run(&["--preview", "always"]);
    assert!(shown.stderr().starts_with("\x1b]1337;File=inline=1;size="), "{:.80}", shown.stderr());
    assert!(shown.stdout().ends_with("cat.png\n") && !shown.stdout().contains('\x1b'));
}

/// The program of the platform, replaced by one that notes what it is given; the note is a pipe, so that the test can
/// wait for it.
#[cfg(target_os = "linux")]
#[test]
fn saved_images_are_opened_with_the_program_of_the_platform() {
    use std::{fs, os::unix::fs::PermissionsExt as _, process::Command};

    for (flag, expected) in [("--open", 1), ("--open=all", 2)] {
        let folder = folder(&[]);
        let (program, note) = (folder.path().join("xdg-open"), folder.path().join("note"));
        assert!(Command::new("mkfifo").arg(&note).status().unwrap().success());
        fs::write(&program, format!("#!/bin/sh\necho \"$1\" > '{}'\n", note.display())).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        let run = ideogram(["--mock", "generate", "cat", "--model", "v3", "-n", "2", "--out", "out", flag]);

        let ran = run.in_folder(folder.path()).env("PATH", folder.path().to_str().unwrap()).run();

        assert_eq!((ran.code(), ran.stderr().as_str()), (Some(0), ""), "{ran}");
        let mut opened = String::new();
        while opened.lines().count() < expected {
            opened.push_str(&fs::read_to_string(&note).unwrap());
        }
        let mut opened: Vec<&str> = opened.lines().collect();
        opened.sort_unstable();
        let stdout = ran.stdout();
        let mut saved: Vec<&str> = stdout.lines().take(expected).collect();
        saved.sort_unstable();
        assert_eq!(opened, saved);
    }
}

#[test]
fn an_image_is_saved_even_if_it_cannot_be_opened() {
    let folder = folder(&[]);

    let run = ideogram(["--mock", "generate", "cat", "--out", "out", "--name", "cat", "--open"]);
    let ran = run.in_folder(folder.path()).env("PATH", "").run();

    assert_eq!(ran.code(), Some(0), "{ran}");
    assert!(folder.path().join("out/cat.png").exists());
}
