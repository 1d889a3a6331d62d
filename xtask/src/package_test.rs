//! Builds a project from the packages, outside of the workspace, and runs it.
//!
//! Start at [`test`]. The dependencies that the workspace has compiled are used again: the same lock file, profile and
//! target folder.

use std::{fs, path::Path, process::Command};

use anyhow::{Context as _, Result, ensure};

use crate::{
    cargo,
    contract_tools::run,
    create_folder,
    published::{PACKAGES, unpacked},
    target_folder,
};

/// A program that calls the mock server with the client.
const CALLER: &str = include_str!("../package/caller.rs");
/// Its manifest; the versions are those of the workspace. With the features of the command, so that the client is compiled
/// once; other steps of CI build the default ones.
const CALLER_MANIFEST: &str = "\
[package]
name = \"caller\"
version = \"0.0.0\"
edition = \"2024\"

[dependencies]
ideogram-client = { version = \"VERSION\", default-features = false, features = [\"rustls-no-provider\"] }
ideogram-mock = \"VERSION\"
rustls = { version = \"0.23\", default-features = false, features = [\"ring\"] }
tokio = { version = \"1\", features = [\"macros\", \"rt\"] }
";
/// The package of the command, and the name of its program.
const COMMAND: (&str, &str) = ("ideogram-cli", "ideogram");

/// Builds and runs a program that uses the library, then installs the command and runs it. `project` contains the
/// unpacked packages.
pub(crate) fn test(root: &Path, project: &Path) -> Result<()> {
    write_project(root, project)?;
    let (package, program) = COMMAND;
    // Together, for one set of features. This also removes what is not needed from the lock file.
    let mut build = in_project(root, project, "build");
    run(build.args(["--package", "caller", "--package", package]), "cannot build a project from the packages")?;
    let mut caller = Command::new(target_folder(root).join("debug/caller"));
    run(&mut caller, "a program that calls the mock server with the client, both from their packages, fails")?;

    let mut install = in_project(root, project, "install");
    install.args(["--locked", "--debug", "--path", &unpacked(package), "--root", "installed"]);
    run(&mut install, "cannot install the command from its package")?;
    let mut command = Command::new(project.join("installed/bin").join(program));
    let output = command.args(["--mock", "datasets", "get", "demo"]).output().context("cannot run the command")?;
    ensure!(output.status.success(), "the command fails: {}", String::from_utf8_lossy(&output.stderr));
    ensure!(String::from_utf8_lossy(&output.stdout).contains("demo"), "the command prints no dataset");
    Ok(())
}

fn in_project(root: &Path, project: &Path, subcommand: &str) -> Command {
    let mut command = cargo();
    command
        .args([subcommand, "--offline", "--quiet"])
        .current_dir(project)
        .env("CARGO_TARGET_DIR", target_folder(root));
    command
}

/// Writes the manifests, the lock file and the program.
fn write_project(root: &Path, project: &Path) -> Result<()> {
    let read = |name: &str| fs::read_to_string(root.join(name)).with_context(|| format!("cannot read `{name}`"));
    let files = [
        ("Cargo.toml", manifest(&read("Cargo.toml")?)?),
        ("Cargo.lock", read("Cargo.lock")?),
        ("caller/Cargo.toml", CALLER_MANIFEST.replace("VERSION", env!("CARGO_PKG_VERSION"))),
        ("caller/src/main.rs", CALLER.to_owned()),
    ];
    create_folder(&project.join("caller/src"))?;
    for (name, text) in files {
        fs::write(project.join(name), text).with_context(|| format!("cannot write `{name}`"))?;
    }
    Ok(())
}

/// The manifest of the project: our packages come from their folders, everything else from the registry.
fn manifest(workspace: &str) -> Result<String> {
    let profiles = workspace.find("[profile.dev]").context("`Cargo.toml` has no `[profile.dev]`")?;
    let patches: String =
        PACKAGES.iter().map(|name| format!("{name} = {{ path = \"{}\" }}\n", unpacked(name))).collect();
    Ok(format!(
        "[workspace]\nresolver = \"3\"\nmembers = [\"caller\", \"{}\"]\n\n[patch.crates-io]\n{patches}\n{}",
        unpacked(COMMAND.0),
        &workspace[profiles..]
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_project_takes_our_packages_from_their_folders_and_the_profile_from_the_workspace() {
        let text = manifest("[workspace]\n\n[profile.dev]\ndebug = 1\n").unwrap();

        for name in PACKAGES {
            assert!(text.contains(&format!("\n{name} = {{ path = \"{name}-")), "{text}");
        }
        assert!(text.ends_with("\n[profile.dev]\ndebug = 1\n"), "{text}");
    }
}
