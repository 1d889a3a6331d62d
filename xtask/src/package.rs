//! `cargo xtask package`: the packages as they are published, each with its own copy of the document.
//!
//! Start at [`package`]. Cargo packs only files below the folder of a package, and the document is outside of all: so the
//! packages are copied to `target/packages/workspace`, each with the files of `openapi/` that its `include` names, and
//! packed there. The package of the client has its generated source, too: who depends on it does not compile the
//! generator. The module `package_test` builds a project from the archives.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, bail, ensure};

use crate::{
    cargo,
    contract_tools::run,
    expand::expanded,
    package_test,
    published::{PACKAGES, unpacked},
    recreate, say, target_folder,
};

/// The packages that contain a copy of the document.
const READERS: [&str; 1] = ["ideogram-mock"];
/// The package with generated source; the file and the build script that replace the generator.
const GENERATED: &str = "ideogram-client";
const GENERATED_SOURCE: &str = "generated.rs";
const BUILD_SCRIPT: &str = include_str!("../package/build.rs");
/// Needed by tests, which are not packed: cargo removes the dependency from the packed manifest.
const TESTKIT: &str = "tests/testkit";
/// What each package must contain, besides sources.
const FILES: [&str; 5] = ["Cargo.toml", "CHANGELOG.md", "LICENSE-APACHE", "LICENSE-MIT", "README.md"];

/// What to do with the packages after packing them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Destination {
    /// Leave the archives in `target/packages`.
    Folder,
    /// Also build a project and the command from them, and run both.
    Test,
    /// Also publish them.
    Registry,
}

/// Packs the packages and checks which files they contain.
pub fn package(root: &Path, destination: Destination) -> Result<()> {
    let folder = target_folder(root).join("packages");
    let staging = folder.join("workspace");
    recreate(&folder)?;
    // Offline afterwards: cargo would look for our packages in the registry.
    run(cargo().args(["fetch", "--locked", "--quiet"]).current_dir(root), "cannot download the dependencies")?;
    stage(root, &staging)?;
    let mut pack = in_staging("package", &staging);
    run(pack.args(["--no-verify", "--offline", "--quiet"]), "cannot pack")?;

    let project = folder.join("project");
    fs::create_dir(&project).with_context(|| format!("cannot create the folder `{}`", project.display()))?;
    for name in PACKAGES {
        let archive = format!("{}.crate", unpacked(name));
        let packed = staging.join("target/package").join(&archive);
        fs::rename(&packed, folder.join(&archive)).with_context(|| format!("cannot move `{}`", packed.display()))?;
        // Without the times of the archive, which never change: cargo would take changed files for those it has built.
        // A relative name: some versions of tar take the colon of a Windows path for a host.
        let mut tar = Command::new("tar");
        tar.args(["-xmzf", &format!("../{archive}")]).current_dir(&project);
        run(&mut tar, "cannot unpack a package")?;
        let files = files_below(&project.join(unpacked(name)))?;
        check_files(name, &files).with_context(|| format!("the package `{name}` is not complete"))?;
        say(&format!("{}: {} files", folder.join(archive).display(), files.len()));
    }
    match destination {
        Destination::Folder => Ok(()),
        Destination::Test => package_test::test(root, &project),
        Destination::Registry => run(&mut in_staging("publish", &staging), "cannot publish"),
    }
}

/// A cargo command for the packages of the staging folder.
fn in_staging(subcommand: &str, staging: &Path) -> Command {
    let mut command = cargo();
    command.args([subcommand, "--workspace", "--exclude", "ideogram-testkit", "--target-dir", "target"]);
    // The folder is below `target`, which git ignores.
    command.arg("--allow-dirty").current_dir(staging);
    command
}

/// Copies what the packages consist of.
fn stage(root: &Path, staging: &Path) -> Result<()> {
    for name in PACKAGES {
        copy(&root.join("crates").join(name), &staging.join("crates").join(name))?;
    }
    for name in READERS {
        copy(&root.join("openapi"), &staging.join("crates").join(name).join("openapi"))?;
    }
    stage_generated(root, &staging.join("crates").join(GENERATED))?;
    copy(&root.join(TESTKIT), &staging.join(TESTKIT))?;
    copy(&root.join("Cargo.lock"), &staging.join("Cargo.lock"))?;
    let manifest = fs::read_to_string(root.join("Cargo.toml")).context("cannot read `Cargo.toml`")?;
    let staged = with_members(&manifest, &["crates/*", TESTKIT])?;
    fs::write(staging.join("Cargo.toml"), staged).context("cannot write the manifest")
}

/// Replaces the generator, in a package that is copied already, by what it generates.
fn stage_generated(root: &Path, package: &Path) -> Result<()> {
    let path = package.join("Cargo.toml");
    let manifest = fs::read_to_string(&path).with_context(|| format!("cannot read `{}`", path.display()))?;
    let files = [
        ("Cargo.toml", without_section(&manifest, "[build-dependencies]")?),
        ("build.rs", BUILD_SCRIPT.to_owned()),
        (GENERATED_SOURCE, expanded(root)?),
    ];
    for (name, text) in files {
        fs::write(package.join(name), text).with_context(|| format!("cannot write `{name}` of a package"))?;
    }
    Ok(())
}

/// A manifest without one of its sections.
fn without_section(manifest: &str, header: &str) -> Result<String> {
    let (before, section) = manifest.split_once(&format!("{header}\n")).with_context(|| format!("no `{header}`"))?;
    let after = section.find("\n[").map_or("", |end| &section[end + 1..]);
    Ok(format!("{before}{after}"))
}

/// The manifest of the workspace with other members.
fn with_members(manifest: &str, members: &[&str]) -> Result<String> {
    let line = manifest.lines().find(|line| line.starts_with("members = "));
    let line = line.context("`Cargo.toml` has no line `members = [...]`")?;
    Ok(manifest.replacen(line, &format!("members = {members:?}"), 1))
}

/// Refuses a package without one of its files, with a symbolic link, or with files that only tests read.
fn check_files(name: &str, files: &[(String, bool)]) -> Result<()> {
    let has = |path: &str| files.iter().any(|(file, _)| file == path);
    for path in FILES {
        ensure!(has(path), "it lacks `{path}`");
    }
    let reads_document = READERS.contains(&name);
    ensure!(has("openapi/ideogram.yaml") == reads_document, "only packages that read the document must contain it");
    ensure!(has(GENERATED_SOURCE) == (name == GENERATED), "only the client has generated source");
    for (path, is_link) in files {
        ensure!(!is_link, "`{path}` is a symbolic link");
        ensure!(!path.starts_with("tests/") && !path.starts_with("openapi/news/"), "`{path}` must not be in it");
    }
    Ok(())
}

/// The files below a folder, with `/` between names, and whether each is a symbolic link.
fn files_below(folder: &Path) -> Result<Vec<(String, bool)>> {
    let mut files = Vec::new();
    for entry in entries(folder)? {
        let name = entry.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        if entry.is_symlink() || !entry.is_dir() {
            files.push((name, entry.is_symlink()));
        } else {
            files.extend(files_below(&entry)?.into_iter().map(|(path, is_link)| (format!("{name}/{path}"), is_link)));
        }
    }
    Ok(files)
}

/// Copies a file or a folder, creating the folders above.
fn copy(from: &Path, to: &Path) -> Result<()> {
    if from.is_symlink() {
        bail!("`{}` is a symbolic link, which a checkout on Windows may not keep", from.display());
    }
    if from.is_dir() {
        return entries(from)?.iter().try_for_each(|path| copy(path, &to.join(path.file_name().unwrap_or_default())));
    }
    fs::create_dir_all(to.parent().unwrap_or(to))
        .and_then(|()| fs::copy(from, to))
        .with_context(|| format!("cannot copy `{}` to `{}`", from.display(), to.display()))?;
    Ok(())
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let read = || fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>();
    read().with_context(|| format!("cannot read the folder `{}`", folder.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(paths: &[&str]) -> Vec<(String, bool)> {
        paths.iter().map(|path| ((*path).to_owned(), false)).collect()
    }

    /// Why a package with all of its files, without one of them and with another, is refused.
    fn refusal(name: &str, without: &str, with: &[&str]) -> Option<String> {
        let files: Vec<_> = FILES.iter().filter(|file| **file != without).chain(with).copied().collect();
        check_files(name, &listed(&files)).err().map(|error| error.to_string())
    }

    #[test]
    fn a_package_has_its_files_and_no_others() {
        for missing in FILES {
            assert_eq!(refusal("ideogram-cli", missing, &[]).unwrap(), format!("it lacks `{missing}`"));
        }
        let document = "openapi/ideogram.yaml";
        for name in PACKAGES {
            let generated = if name == GENERATED { GENERATED_SOURCE } else { "src/lib.rs" };
            let reads = READERS.contains(&name);
            assert_eq!(refusal(name, "", &[generated, document]).is_none(), reads, "{name}");
            assert_eq!(refusal(name, "", &[generated]).is_none(), !reads, "{name}");
        }
        assert!(refusal("ideogram-client", "", &[document]).is_some());
        assert!(refusal("ideogram-mock", "", &[document, GENERATED_SOURCE]).is_some());
        assert_eq!(refusal("ideogram-cli", "", &["tests/a.rs"]).unwrap(), "`tests/a.rs` must not be in it");
        let with_link = [listed(&FILES), vec![("src/a.rs".to_owned(), true)]].concat();
        let refused = check_files("ideogram-cli", &with_link).unwrap_err();
        assert_eq!(refused.to_string(), "`src/a.rs` is a symbolic link");
    }

    #[test]
    fn a_section_of_a_manifest_is_removed() {
        let manifest = "[a]\nx = 1\n\n[b]\ny = 1\n\n[c]\nz = 1\n";

        assert_eq!(without_section(manifest, "[b]").unwrap(), "[a]\nx = 1\n\n[c]\nz = 1\n");
        assert_eq!(without_section(manifest, "[c]").unwrap(), "[a]\nx = 1\n\n[b]\ny = 1\n\n");
        assert!(without_section(manifest, "[d]").is_err());
    }

    #[test]
    fn the_packages_are_those_of_the_folder() {
        let root = crate::workspace_root();
        let mut names: Vec<_> = fs::read_dir(root.join("crates"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        let mut packages = PACKAGES.to_vec();
        names.sort_unstable();
        packages.sort_unstable();

        assert_eq!(names, packages);
    }

    #[test]
    fn the_members_of_the_workspace_are_replaced() {
        let manifest = "[workspace]\nmembers = [\"crates/*\", \"xtask\"]\n\n[profile.dev]\n";

        assert_eq!(with_members(manifest, &["a"]).unwrap(), "[workspace]\nmembers = [\"a\"]\n\n[profile.dev]\n");
        assert!(with_members("[workspace]\n", &["a"]).is_err());
    }
}
