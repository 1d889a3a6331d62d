//! Installs the tools that `cargo xtask contract` runs: Python packages with pip and Node packages with npm, in the
//! versions of the lock files.
//!
//! Start at [`Tools::install`]. The tools are installed into `contract` below the target folder; lock files and settings
//! are in `xtask/contract`. A copy of the lock file marks a complete installation: as long as the two are equal, nothing
//! is installed.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, ensure};

use crate::{create_folder, is_installed, target_folder};

/// On Windows, npm is a script, which is only found by its full name.
const NPM: &str = if cfg!(windows) { "npm.cmd" } else { "npm" };
/// Programs that must be installed already.
const PROGRAMS: [(&str, &str); 3] =
    [("python3", "Python 3.11 or later"), ("node", "Node.js 20 or later"), (NPM, "npm, which comes with Node.js")];

/// The tools, installed.
pub(crate) struct Tools {
    root: PathBuf,
    folder: PathBuf,
}

impl Tools {
    /// Installs what is missing.
    pub(crate) fn install(root: &Path) -> Result<Self> {
        let tools = Self { root: root.to_owned(), folder: target_folder(root).join("contract") };
        for (program, wanted) in PROGRAMS {
            ensure!(
                is_installed(&mut Command::new(program)),
                "`{program}` is missing: `cargo xtask contract` needs {wanted}; install it, or run \
                 `cargo test --workspace`, which needs Rust only"
            );
        }
        create_folder(&tools.folder)?;
        tools.install_locked("requirements.txt", || tools.install_python())?;
        tools.install_locked("package-lock.json", || tools.install_node())?;
        Ok(tools)
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The folder in which the tools are installed and run, and to which they write.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// A file of `xtask/contract`.
    pub(crate) fn settings(&self, name: &str) -> PathBuf {
        self.root.join("xtask/contract").join(name)
    }

    /// Python, with the installed packages.
    pub(crate) fn python(&self) -> Command {
        let mut command = self.command(self.python_program());
        // The hooks are in a source folder, so Python must not write its cache there.
        command.env("PYTHONDONTWRITEBYTECODE", "1").env("PYTHONUTF8", "1");
        command
    }

    /// Node, with the installed packages.
    pub(crate) fn node(&self) -> Command {
        self.command("node")
    }

    /// A script of an installed Node package.
    pub(crate) fn node_tool(&self, script: &str) -> Command {
        let mut command = self.node();
        command.arg(self.folder.join("node_modules").join(script));
        command
    }

    /// The path of an installed browser that can run headless.
    pub(crate) fn browser() -> Option<PathBuf> {
        let folders: Vec<_> = env::var_os("PATH").iter().flat_map(env::split_paths).collect();
        let names = ["chromium", "chromium-browser", "google-chrome"];
        let mut programs = names.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
        programs.find(|path| path.is_file())
    }

    fn python_program(&self) -> PathBuf {
        self.folder.join("python").join(if cfg!(windows) { "Scripts" } else { "bin" }).join("python")
    }

    fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        // A proxy from the environment cannot reach servers on the loopback.
        command.current_dir(&self.folder).env("NO_PROXY", "127.0.0.1").env("no_proxy", "127.0.0.1");
        command
    }

    fn install_locked(&self, lock: &str, install: impl Fn() -> Result<()>) -> Result<()> {
        let wanted = fs::read_to_string(self.settings(lock)).with_context(|| format!("cannot read `{lock}`"))?;
        let marker = self.folder.join(format!("installed-{lock}"));
        if fs::read_to_string(&marker).is_ok_and(|installed| installed == wanted) {
            return Ok(());
        }
        install().with_context(|| format!("cannot install the packages of `xtask/contract/{lock}`"))?;
        fs::write(&marker, wanted).with_context(|| format!("cannot write `{}`", marker.display()))
    }

    fn install_python(&self) -> Result<()> {
        let mut venv = Command::new("python3");
        venv.args(["-m", "venv", "--clear"]).arg(self.folder.join("python"));
        run(&mut venv, "the virtual environment cannot be created")?;
        let mut pip = Command::new(self.python_program());
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
        pip.args(["--require-hashes", "--requirement"]);
        run(pip.arg(self.settings("requirements.txt")), "pip fails")
    }

    fn install_node(&self) -> Result<()> {
        for name in ["package.json", "package-lock.json"] {
            let copied = fs::copy(self.settings(name), self.folder.join(name));
            copied.with_context(|| format!("cannot copy `{name}`"))?;
        }
        let mut npm = Command::new(NPM);
        npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]);
        run(npm.current_dir(&self.folder), "npm fails")
    }
}

/// Runs a tool with inherited output; `failure` is the message if it fails.
pub(crate) fn run(command: &mut Command, failure: &str) -> Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    let status = command.stdin(Stdio::null()).status().with_context(|| format!("cannot run `{program}`"))?;
    ensure!(status.success(), "{failure} (`{program}`: {status})");
    Ok(())
}
