//! Every operation and every task has an example, and every example runs.
//!
//! The examples run as users run them: as programs. Cargo builds them for the tests of this package.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use ideogram_client::operations;

/// Every example.
fn expected() -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let programs = paths.filter(|path| path.is_file() || path.join("main.rs").exists());
    programs.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect()
}

/// Returns the path of an example: `<profile>/examples`; this test is in `<profile>/deps`.
fn built_example(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let profile = test.parent().and_then(Path::parent).unwrap();
    profile.join("examples").join(name).with_extension(std::env::consts::EXE_EXTENSION)
}

#[test]
fn every_operation_is_called_in_an_example() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let texts = expected().into_iter().map(|name| fs::read_to_string(folder.join(name).with_extension("rs")).unwrap());
    let texts: Vec<_> = texts.collect();

    for operation in operations::ALL {
        let call = format!(".{}()", operation.method_name);
        let file = format!("crates/ideogram-client/examples/{}.rs", operation.method_name);
        assert!(
            texts.iter().any(|text| text.contains(&call)),
            "no example calls `{}`; `cargo xtask regen` writes `{file}`",
            operation.id
        );
    }
}

#[test]
fn every_example_runs_against_the_mock_server_and_prints_something() {
    let folder = tempfile::tempdir().unwrap();
    let running: Vec<_> = expected()
        .into_iter()
        .map(|name| {
            let path = built_example(&name);
            assert!(
                path.exists(),
                "`{}` is not built; run all tests of the package: `cargo test -p ideogram-client`",
                path.display()
            );
            let mut command = Command::new(path);
            if name == "save_images" {
                command.arg(folder.path());
            }
            // A key in the environment must not make a test cost money.
            command.arg("--mock").env_remove("IDEOGRAM_API_KEY").env_remove("IDEOGRAM_BASE_URL");
            (name, command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
        })
        .collect();

    for (name, example) in running {
        let output = example.wait_with_output().unwrap();
        let (stdout, stderr) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "`{name}` fails with {}: {stderr}", output.status);
        assert!(!stdout.trim().is_empty(), "`{name}` prints nothing");
        assert_eq!(stderr, "", "`{name}` writes to stderr");
    }
}
