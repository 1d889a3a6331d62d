//! The tools that `cargo xtask contract` runs: Python's by pip, Node's by npm, both as the lock files say.
//!
//! Start at [`Tools::install`]. All goes to `contract` below the target folder, the lock files and settings stay in
//! `xtask/contract`. A copy of a lock file is left when all that it names is there; while it is equal, nothing is done.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, ensure};

/// Programs that must be installed already.
const PROGRAMS: [(&str, &str); 3] =
    [("python3", "Python 3.11 or later"), ("node", "Node.js 20 or later"), ("npm", "npm, which comes with Node.js")];

/// The tools, installed.
pub(crate) struct Tools {
    root: PathBuf,
    folder: PathBuf,
}

impl Tools {
    /// Installs what is missing.
    pub(crate) fn install(root: &Path) -> Result<Self> {
        let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |target| root.join(target));
        let tools = Self { root: root.to_owned(), folder: target.join("contract") };
        for (program, wanted) in PROGRAMS {
            let found = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
            ensure!(
                found.is_ok_and(|status| status.success()),
                "`{program}` is missing: `cargo xtask contract` needs {wanted}; install it, or run \
                 `cargo test --workspace`, which needs Rust alone"
            );
        }
        fs::create_dir_all(&tools.folder)
            .with_context(|| format!("cannot create the folder `{}`", tools.folder.display()))?;
        tools.install_locked("requirements.txt", || tools.install_python())?;
        tools.install_locked("package-lock.json", || tools.install_node())?;
        Ok(tools)
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Where the tools are installed, run, and write to.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// A file of `xtask/contract`.
    pub(crate) fn settings(&self, name: &str) -> PathBuf {
        self.root.join("xtask/contract").join(name)
    }

    /// Python with its tools.
    pub(crate) fn python(&self) -> Command {
        let mut command = self.command(self.python_program());
        // The hooks lie among the sources, where nothing is to be written.
        command.env("PYTHONDONTWRITEBYTECODE", "1").env("PYTHONUTF8", "1");
        command
    }

    /// Node, which finds its packages.
    pub(crate) fn node(&self) -> Command {
        self.command("node")
    }

    /// A tool of a package, by its script.
    pub(crate) fn node_tool(&self, script: &str) -> Command {
        let mut command = self.node();
        command.arg(self.folder.join("node_modules").join(script));
        command
    }

    /// A browser that runs without a screen.
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
        // A proxy that the surroundings ask for cannot reach this machine's own servers.
        command.current_dir(&self.folder).env("NO_PROXY", "127.0.0.1").env("no_proxy", "127.0.0.1");
        command
    }

    fn install_locked(&self, lock: &str, install: impl Fn() -> Result<()>) -> Result<()> {
        let wanted = fs::read_to_string(self.settings(lock)).with_context(|| format!("cannot read `{lock}`"))?;
        let done = self.folder.join(format!("installed-{lock}"));
        if fs::read_to_string(&done).is_ok_and(|installed| installed == wanted) {
            return Ok(());
        }
        install().with_context(|| format!("cannot install what `xtask/contract/{lock}` names"))?;
        fs::write(&done, wanted).with_context(|| format!("cannot write `{}`", done.display()))
    }

    fn install_python(&self) -> Result<()> {
        let mut make = Command::new("python3");
        make.args(["-m", "venv", "--clear"]).arg(self.folder.join("python"));
        run(&mut make, "the virtual environment cannot be created")?;
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
        let mut npm = Command::new("npm");
        npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]);
        run(npm.current_dir(&self.folder), "npm fails")
    }
}

/// Runs a tool, whose output goes where ours does.
pub(crate) fn run(command: &mut Command, otherwise: &str) -> Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    let status = command.stdin(Stdio::null()).status().with_context(|| format!("cannot run `{program}`"))?;
    ensure!(status.success(), "{otherwise} (`{program}`: {status})");
    Ok(())
}
