//! Help is documentation: reviewed like it, one file for each command.

use crate::invocation::ideogram;

/// How many lines a screen has.
const SCREEN: usize = 63;

#[test]
fn help_fits_on_two_screens_and_its_summary_on_one() {
    let root = ideogram(["--help"]).run().stdout();
    let names = root.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let names: Vec<&str> =
        names.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help").collect();
    assert!(names.len() > 20, "{names:?}");
    for name in [""].into_iter().chain(names) {
        for (option, most) in [("-h", SCREEN), ("--help", 2 * SCREEN)] {
            let ran = ideogram([name, option].into_iter().filter(|word| !word.is_empty())).run();
            let lines = ran.stdout().lines().count();
            assert!(lines <= most, "{name} {option} has {lines} lines\n{ran}");
        }
    }
}

#[test]
fn help_is_what_was_reviewed() {
    for (name, arguments) in [
        ("help__ideogram_short", vec!["-h"]),
        ("help__ideogram", vec!["--help"]),
        ("help__generate", vec!["generate", "--help"]),
        ("help__remix", vec!["remix", "--help"]),
        ("help__edit", vec!["edit", "--help"]),
        ("help__inpaint", vec!["inpaint", "--help"]),
        ("help__reframe", vec!["reframe", "--help"]),
        ("help__replace_background", vec!["replace-background", "--help"]),
        ("help__remove_background", vec!["remove-background", "--help"]),
        ("help__upscale", vec!["upscale", "--help"]),
        ("help__layerize_text", vec!["layerize-text", "--help"]),
        ("help__describe", vec!["describe", "--help"]),
        ("help__magic_prompt", vec!["magic-prompt", "--help"]),
        ("help__batch", vec!["batch", "--help"]),
        ("help__save", vec!["save", "--help"]),
        ("help__generations", vec!["generations", "--help"]),
        ("help__generations_get", vec!["generations", "get", "--help"]),
        ("help__generations_wait", vec!["generations", "wait", "--help"]),
        ("help__generations_save", vec!["generations", "save", "--help"]),
        ("help__datasets", vec!["datasets", "--help"]),
        ("help__datasets_list", vec!["datasets", "list", "--help"]),
        ("help__datasets_create", vec!["datasets", "create", "--help"]),
        ("help__datasets_get", vec!["datasets", "get", "--help"]),
        ("help__datasets_upload", vec!["datasets", "upload", "--help"]),
        ("help__datasets_plan", vec!["datasets", "plan", "--help"]),
        ("help__datasets_sync", vec!["datasets", "sync", "--help"]),
        ("help__datasets_verify", vec!["datasets", "verify", "--help"]),
        ("help__models", vec!["models", "--help"]),
        ("help__models_list", vec!["models", "list", "--help"]),
        ("help__models_get", vec!["models", "get", "--help"]),
        ("help__models_train", vec!["models", "train", "--help"]),
        ("help__models_wait", vec!["models", "wait", "--help"]),
        ("help__api", vec!["api", "--help"]),
        ("help__api_list_custom_models", vec!["api", "list_custom_models", "--help"]),
        ("help__api_remove_background", vec!["api", "post_remove_background", "-h"]),
        ("help__operations", vec!["operations", "--help"]),
        ("help__usage", vec!["usage", "--help"]),
        ("help__api_generate_v2", vec!["api", "post_generate_image_v2_ideogram_v4", "-h"]),
        ("help__auth", vec!["auth", "--help"]),
        ("help__auth_login", vec!["auth", "login", "--help"]),
        ("help__auth_status", vec!["auth", "status", "--help"]),
        ("help__auth_logout", vec!["auth", "logout", "--help"]),
        ("help__mock_run", vec!["mock", "run", "--help"]),
        ("help__mock_serve", vec!["mock", "serve", "--help"]),
        ("help__completions", vec!["completions", "--help"]),
        ("help__man", vec!["man", "--help"]),
    ] {
        let ran = ideogram(arguments).at("http://127.0.0.1:1").run();

        insta::with_settings!({prepend_module_to_snapshot => false, omit_expression => true}, {
            insta::assert_snapshot!(name, ran);
        });
    }
}

#[test]
fn help_shows_no_value_of_the_environment() {
    for arguments in [vec!["--help"], vec!["-h"], vec!["datasets", "get", "--help"], vec!["mock", "serve", "--help"]] {
        let ran = ideogram(arguments).at("https://secret-5678.example.test").run();

        assert!(!ran.stdout().contains("secret"), "{}", ran.stdout());
    }
}

#[test]
fn no_arguments_are_wrong_usage_and_show_help() {
    let ran = ideogram([]).run();

    assert_eq!((ran.code(), ran.stdout().as_str()), (Some(2), ""));
    assert!(ran.stderr().contains("Usage: ideogram"), "{}", ran.stderr());
}

#[test]
fn the_version_is_that_of_the_package() {
    let ran = ideogram(["--version"]).run();

    assert_eq!(ran.stdout(), concat!("ideogram ", env!("CARGO_PKG_VERSION"), "\n"));
}
