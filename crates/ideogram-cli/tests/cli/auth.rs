//! `ideogram auth`.
#![cfg(unix)]

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use ideogram_mock::MockServer;
use tempfile::TempDir;

use crate::invocation::{Ran, Run, ideogram, serve, snapshot};

/// Does what `secret-tool` does, with files instead of a keyring. It refuses a key among its arguments.
const SECRET_TOOL: &str = r#"#!/bin/sh
case "$*" in *secret-1234*) echo "a key among the arguments" >&2; exit 2;; esac
verb=$1; shift
case "$1" in --label=*) shift;; esac
entry="$KEYRING/$2-$4"
case $verb in
    store) /bin/cat > "$entry" ;;
    lookup) test -f "$entry" && /bin/cat "$entry" ;;
    clear) /bin/rm -f "$entry" ;;
esac
"#;

/// An account with a home, and a keyring if it has one.
struct Account {
    home: TempDir,
    has_keyring: bool,
}

impl Account {
    fn new(has_keyring: bool) -> Self {
        let home = TempDir::new().unwrap();
        let tool = home.path().join("bin/secret-tool");
        fs::create_dir_all(home.path().join("bin")).unwrap();
        fs::create_dir_all(home.path().join("keyring")).unwrap();
        if has_keyring {
            fs::write(&tool, SECRET_TOOL).unwrap();
            fs::set_permissions(&tool, fs::Permissions::from_mode(0o700)).unwrap();
        }
        Self { home, has_keyring }
    }

    fn run<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Run {
        let path = |name: &str| self.home.path().join(name).to_str().unwrap().to_owned();
        ideogram(arguments).at_home(self.home.path()).env("PATH", &path("bin")).env("KEYRING", &path("keyring"))
    }

    fn key_file(&self) -> std::path::PathBuf {
        self.home.path().join(".config/ideogram/keys/default")
    }

    fn shown(&self, ran: &Ran) -> String {
        assert!(!ran.to_string().contains("secret-1234"), "{ran} {}", self.has_keyring);
        ran.to_string().replace(self.home.path().to_str().unwrap(), "[HOME]")
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_key_is_stored_in_the_keyring_and_used_for_a_call() {
    let (server, account) = (serve(MockServer::builder().api_key("secret-1234")), Account::new(true));

    let login = account.run(["auth", "login", "--base-url", server.url()]).run_with_input("secret-1234\n");
    let call = account.run(["datasets", "list", "--base-url", server.url()]).run();
    let status = account.run(["auth", "status", "--check", "--base-url", server.url()]).run();

    insta::assert_snapshot!(account.shown(&login), @r#"
    exit code: 0
    ----- stdout -----
    the key of the profile "default" is in the keyring
    "#);
    assert_eq!(call.code(), Some(0), "{call}");
    assert!(account.shown(&status).contains("Key:            in the keyring\nValid:          yes\n"), "{status}");
    assert!(!account.key_file().exists());
}

#[test]
fn a_machine_without_a_keyring_says_what_to_do_instead() {
    let account = Account::new(false);

    let ran = account.run(["auth", "login", "--no-check"]).run_with_input("secret-1234\n");

    insta::assert_snapshot!(account.shown(&ran), @"
    exit code: 13
    ----- stderr -----
    error: the key was not stored: the keyring cannot be used
      caused by: secret-tool is not installed (package libsecret-tools or libsecret)
    hint: to store it in a file that only this account can read, use --insecure-storage
    hint: to use it without storing it: export IDEOGRAM_API_KEY=..., or --api-key-file PATH
    ");
}

#[test]
fn on_request_a_key_goes_into_a_file_that_only_its_owner_can_read() {
    let (server, account) = (serve(MockServer::builder().api_key("secret-1234")), Account::new(false));
    let base = ["--base-url", server.url()];

    let login = account.run(["auth", "login", "--insecure-storage"].into_iter().chain(base));
    let login = login.run_with_input("secret-1234\n");
    let call = account.run(["datasets", "list"].into_iter().chain(base)).run();

    insta::assert_snapshot!(account.shown(&login), @r#"
    exit code: 0
    ----- stdout -----
    the key of the profile "default" is in the file "[HOME]/.config/ideogram/keys/default"
    "#);
    assert_eq!((call.code(), call.stderr().as_str()), (Some(0), ""), "{call}");
    assert_eq!(mode(&account.key_file()), 0o600);
    assert_eq!(mode(account.key_file().parent().unwrap()), 0o700);
    assert_eq!(fs::read_to_string(account.key_file()).unwrap(), "secret-1234\n");
}

#[test]
fn a_key_that_the_service_refuses_is_not_stored() {
    let (server, account) = (serve(MockServer::builder()), Account::new(true));

    let ran = account.run(["auth", "login", "--base-url", server.url()]).run_with_input("secret-1234\n");

    assert_eq!((ran.code(), ran.stdout().as_str()), (Some(3), ""), "{ran}");
    assert!(account.shown(&ran).contains("the key was not stored"), "{ran}");
    assert_eq!(fs::read_dir(account.home.path().join("keyring")).unwrap().count(), 0);
}

#[test]
fn a_key_that_cannot_be_checked_is_not_called_refused() {
    let account = Account::new(true);

    let login = account.run(["auth", "login", "--base-url", "http://127.0.0.1:1"]).run_with_input("secret-1234\n");

    assert_eq!(login.code(), Some(9), "{login}");
    assert!(login.stderr().contains("could not be checked") && !login.stderr().contains("service refused"), "{login}");
}

#[test]
fn what_cannot_be_a_key_is_not_stored_either() {
    for text in ["", "\n", "two words\n"] {
        let account = Account::new(true);

        let ran = account.run(["auth", "login", "--no-check"]).run_with_input(text);

        assert_eq!(ran.code(), Some(3), "{text:?}: {ran}");
        assert_eq!(fs::read_dir(account.home.path().join("keyring")).unwrap().count(), 0, "{text:?}");
    }
}

#[test]
fn a_key_in_the_keyring_replaces_one_in_a_file() {
    let account = Account::new(true);
    account.run(["auth", "login", "--no-check", "--insecure-storage"]).run_with_input("older\n");

    account.run(["auth", "login", "--no-check"]).run_with_input("newer\n");

    assert!(!account.key_file().exists());
    assert_eq!(account.run(["auth", "status", "--jq", ".source"]).run().stdout(), "keyring\n");
}

#[test]
fn a_key_of_the_environment_takes_precedence_with_a_warning() {
    let account = Account::new(true);

    let run = account.run(["auth", "login", "--no-check"]).env("IDEOGRAM_API_KEY", "other");
    let ran = run.run_with_input("secret-1234\n");

    assert!(ran.stderr().contains("IDEOGRAM_API_KEY is set, and takes precedence over the stored key"), "{ran}");
}

#[test]
fn logout_removes_the_key_from_every_location() {
    let account = Account::new(true);
    account.run(["auth", "login", "--no-check"]).run_with_input("secret-1234\n");

    let ran = account.run(["auth", "logout"]).run();
    let again = account.run(["auth", "logout"]).run();
    let call = account.run(["datasets", "list"]).run();

    insta::assert_snapshot!(account.shown(&ran), @r#"
    exit code: 0
    ----- stdout -----
    the key of the profile "default" was removed from the keyring
    "#);
    insta::assert_snapshot!(account.shown(&again), @r#"
    exit code: 0
    ----- stdout -----
    no key was stored for the profile "default"
    "#);
    assert_eq!(call.code(), Some(3));
}

#[test]
fn status_says_where_the_key_comes_from_and_sends_nothing() {
    let account = Account::new(false);

    let ran = account.run(["auth", "status"]).at("http://127.0.0.1:1").run();

    insta::assert_snapshot!(account.shown(&ran).replace("127.0.0.1:1", "127.0.0.1:[PORT]"), @"
    exit code: 0
    ----- stdout -----
    Key:            in the environment variable IDEOGRAM_API_KEY
    Valid:          unknown: use --check
    Profile:        default
    Address:        http://127.0.0.1:[PORT] (IDEOGRAM_BASE_URL)
    Configuration:  -
    ");
}

#[test]
fn status_without_a_key_is_not_authenticated() {
    snapshot!(ideogram(["auth", "status", "--output", "json"]).run(), @r#"
    exit code: 3
    ----- stdout -----
    {
      "source": null,
      "profile": "default",
      "base_url": "https://api.ideogram.ai",
      "base_url_from": "default",
      "config": null,
      "out": null,
      "taken": null
    }
    ----- stderr -----
    {"error":{"kind":"authentication","message":"no API key","causes":[],"hints":["to store one: ideogram auth login"],"exit_code":3}}
    "#);
}
