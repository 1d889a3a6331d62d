//! The configuration file and its profiles.

use std::{fs, path::Path};

use ideogram_mock::MockServer;
use tempfile::TempDir;

use crate::invocation::{Run, ideogram, serve, snapshot};

/// A home whose configuration file holds this.
fn home(config: &str) -> TempDir {
    let home = TempDir::new().unwrap();
    write_private(&home.path().join("config.toml"), config);
    home
}

fn write_private(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    #[cfg(unix)]
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
}

fn configured<'a>(home: &TempDir, arguments: impl IntoIterator<Item = &'a str>) -> Run {
    let config = home.path().join("config.toml");
    ideogram(arguments).at_home(home.path()).env("IDEOGRAM_CONFIG", config.to_str().unwrap())
}

#[test]
fn a_profile_gives_address_key_and_format() {
    let server = serve(MockServer::builder());
    let home = home(&format!(
        "[profiles.default]\nbase_url = \"{}\"\napi_key_file = \"the.key\"\noutput = \"json\"\n",
        server.url()
    ));
    write_private(&home.path().join("the.key"), &format!("{}\n", server.api_key()));

    let ran = configured(&home, ["datasets", "list"]).run();

    assert_eq!((ran.code(), ran.stderr().as_str()), (Some(0), ""), "{ran}");
    assert_eq!(ran.json()["datasets"][0]["dataset_id"], "demo");
    assert!(configured(&home, ["datasets", "list", "--output", "text"]).run().stdout().starts_with("ID "));
}

#[test]
fn a_profile_is_chosen_by_option_then_environment_then_file() {
    let home = home("profile = \"a\"\n[profiles.a]\n[profiles.b]\n[profiles.c]\n");
    let name = |run: Run| run.env("IDEOGRAM_API_KEY", "k").run().stdout().trim().to_owned();
    let status = ["auth", "status", "--jq", ".profile"];

    assert_eq!(name(configured(&home, status)), "a");
    assert_eq!(name(configured(&home, status).env("IDEOGRAM_PROFILE", "b")), "b");
    assert_eq!(name(configured(&home, status.into_iter().chain(["--profile", "c"])).env("IDEOGRAM_PROFILE", "b")), "c");
}

#[test]
fn a_profile_that_does_not_exist_is_refused_with_those_that_do() {
    let home = home("[profiles.work]\n");

    let ran = configured(&home, ["datasets", "list", "--profile", "wrok"]).env("IDEOGRAM_API_KEY", "k").run();

    assert_eq!(ran.code(), Some(2));
    assert!(ran.stderr().contains("there is no profile \"wrok\"") && ran.stderr().contains("work, default"), "{ran}");
}

#[test]
fn a_file_that_cannot_be_understood_is_refused_by_line_and_without_its_secrets() {
    for (line, config) in [
        (1, "profile = 1"),
        (2, "[profiles.x]\nbase_ur = \"x\""),
        (2, "[profiles.x]\napi_key = secret-1234"),
        (2, "[profiles.x]\noutput = \"xml\""),
    ] {
        let home = home(config);

        let ran = configured(&home, ["datasets", "list"]).run();

        assert_eq!((ran.code(), ran.stdout().as_str()), (Some(2), ""), "{config}: {ran}");
        assert!(ran.stderr().contains(&format!("config.toml\", line {line}\n")), "{config}: {ran}");
        assert!(!ran.stderr().contains("secret-1234"), "{config}: {ran}");
    }
}

#[test]
fn a_named_file_must_exist() {
    let ran = ideogram(["datasets", "list"]).env("IDEOGRAM_CONFIG", "nope.toml").run();

    snapshot!(ran, @r#"
    exit code: 13
    ----- stderr -----
    error: cannot read the configuration file "nope.toml"
      caused by: No such file or directory (os error [CODE])
    hint: IDEOGRAM_CONFIG names it
    "#);
}

#[test]
fn the_file_is_found_in_its_default_location() {
    let home = TempDir::new().unwrap();
    let folder = home.path().join("xdg/ideogram");
    fs::create_dir_all(&folder).unwrap();
    write_private(&folder.join("config.toml"), "[profiles.default]\nbase_url = \"https://gateway.example.test\"\n");

    let run = ideogram(["datasets", "list", "--dry-run"]).at_home(home.path());
    let ran = run.env("XDG_CONFIG_HOME", home.path().join("xdg").to_str().unwrap()).run();

    if cfg!(unix) {
        assert!(ran.stdout().contains("https://gateway.example.test/datasets"), "{ran}");
    }
}

#[test]
fn an_address_is_taken_from_option_then_environment_then_profile() {
    let home = home("[profiles.default]\nbase_url = \"https://c.example.test\"\n");
    let run =
        |more: &[&str]| configured(&home, ["datasets", "list", "--dry-run"].into_iter().chain(more.iter().copied()));

    assert!(run(&[]).run().stdout().contains("https://c.example.test"));
    assert!(run(&[]).env("IDEOGRAM_BASE_URL", "https://b.example.test").run().stdout().contains("https://b.example"));
    let option = run(&["--base-url", "https://a.example.test"]).env("IDEOGRAM_BASE_URL", "https://b.example.test");
    assert!(option.run().stdout().contains("https://a.example"));
}

#[test]
fn a_key_is_taken_from_option_then_environment_then_profile() {
    let home = home("[profiles.default]\napi_key = \"in-config\"\n");
    write_private(&home.path().join("the.key"), "in-file");
    let path = home.path().join("the.key");
    let source = |run: Run| run.run().stdout().trim().to_owned();
    let status = ["auth", "status", "--jq", ".source"];

    assert_eq!(source(configured(&home, status)), "profile");
    assert_eq!(source(configured(&home, status).env("IDEOGRAM_API_KEY", "in-environment")), "environment");
    let option = configured(&home, status.into_iter().chain(["--api-key-file", path.to_str().unwrap()]));
    assert_eq!(source(option.env("IDEOGRAM_API_KEY", "in-environment")), "flag");
}

#[test]
fn a_profile_whose_key_is_not_used_gives_a_warning() {
    let home = home("[profiles.work]\napi_key = \"in-config\"\n");
    let run = |words: &[&str]| configured(&home, words.iter().copied()).env("IDEOGRAM_API_KEY", "k").run();
    let warning = "warning: IDEOGRAM_API_KEY takes precedence over the key of the profile \"work\"";

    assert!(run(&["auth", "status", "--profile", "work"]).stderr().starts_with(warning));
    assert_eq!(run(&["auth", "status"]).stderr(), "");
}

#[cfg(unix)]
#[test]
fn a_key_that_others_can_read_is_used_with_a_warning() {
    let server = serve(MockServer::builder());
    let home = home("");
    let path = home.path().join("the.key");
    fs::write(&path, server.api_key()).unwrap();
    fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();

    let ran = configured(&home, ["--quiet", "datasets", "list", "--api-key-file", path.to_str().unwrap()])
        .env("IDEOGRAM_BASE_URL", server.url())
        .run();

    assert_eq!(ran.code(), Some(0));
    assert!(ran.stderr().starts_with("warning: other users of this machine may read the API key"), "{ran}");
    assert!(ran.stderr().contains("chmod 600"), "{ran}");
}

#[test]
fn a_key_file_without_a_key_is_refused_and_its_content_is_not_printed() {
    for (text, code) in [("", 3), ("secret 1234", 3)] {
        let home = home("");
        write_private(&home.path().join("the.key"), text);

        let path = home.path().join("the.key");
        let ran = configured(&home, ["datasets", "list", "--api-key-file", path.to_str().unwrap()]).run();

        assert_eq!(ran.code(), Some(code), "{ran}");
        assert!(!ran.stderr().contains("secret"), "{ran}");
    }
    let ran = ideogram(["datasets", "list", "--api-key-file", "nope.key"]).run();
    assert_eq!(ran.code(), Some(13), "{ran}");
}
