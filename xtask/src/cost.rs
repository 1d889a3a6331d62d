//! `cargo xtask cost`: what builds, the start of the command and its large inputs cost, beside an alternative.
//!
//! Start at [`cost`]. Each row runs both sides in turns and prints the median ratio with the lowest and highest one, so
//! that a figure means something on a machine that is busy with other things. `cargo bench -p ideogram-tests` measures the
//! library in the same way.

use std::{
    cell::Cell,
    fs,
    io::{BufRead as _, BufReader, Write as _},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::Instant,
};

use anyhow::{Context as _, Result, ensure};
use clap::ValueEnum;

use crate::{
    Destination, cargo,
    contract_tools::run,
    create_folder,
    local_server::{KEY, Server, build},
    measure::{Usage, alone, compare, in_turns, load, measure},
    package::package,
    published::unpacked,
    recreate, say, target_folder,
};

/// A start takes milliseconds, and the kernel counts CPU time in hundredths of a second.
const STARTS: u32 = 100;

/// One figure, or several that one run yields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Row {
    /// A clean build of a project that depends on the package of the client, beside one with async-openai
    Dependent,
    /// A clean clone, up to the first dataset
    Clone,
    /// The client after a change of the document
    Rebuild,
    /// `ideogram --version`, beside Node.js with an empty script; and the size of the program
    Start,
    /// A batch of 5,000 rows against the mock server, beside one of 500
    Batch,
    /// A dry run of 200,000 rows
    DryRun,
    /// A dataset of 1,000,000 files as text, as JSON and with `--jq`, beside jq on the same response
    Dataset,
}

/// Measures rows, or all of them, `pairs` times each.
pub fn cost(root: &Path, rows: &[Row], pairs: usize) -> Result<()> {
    let rows = if rows.is_empty() { Row::value_variants() } else { rows };
    let bench = Bench { root, folder: target_folder(root).join("cost"), pairs: pairs.max(1) };
    create_folder(&bench.folder)?;
    say(&format!("{} pairs; {}", bench.pairs, load()?));
    for row in rows {
        match row {
            Row::Dependent => bench.dependent(),
            Row::Clone => bench.first_dataset(),
            Row::Rebuild => bench.rebuild(),
            Row::Start => bench.start(),
            Row::Batch => bench.batch(),
            Row::DryRun => bench.dry_run(),
            Row::Dataset => bench.dataset(),
        }?;
    }
    say(&load()?);
    Ok(())
}

struct Bench<'b> {
    root: &'b Path,
    folder: PathBuf,
    pairs: usize,
}

impl Bench<'_> {
    fn dependent(&self) -> Result<()> {
        package(self.root, Destination::Folder)?;
        let ours = target_folder(self.root).join("packages/project").join(unpacked("ideogram-client"));
        let projects = [
            self.project("ours", &format!("ideogram-client = {{ path = {:?} }}", ours.display().to_string()))?,
            self.project("theirs", "async-openai = { version = \"0.43\", features = [\"image\"] }")?,
        ];
        let build = |project: &Path| {
            recreate(&project.join("target"))?;
            let mut build = cargo();
            build.args(["build", "--quiet", "--locked", "--offline"]).current_dir(project);
            measure(build.env_remove("CARGO_TARGET_DIR"))
        };
        let pairs = in_turns(self.pairs, || build(&projects[0]), || build(&projects[1]))?;
        compare("clean build of a dependent project", "async-openai", &pairs, |usage| usage.cpu, "s of CPU");
        for (project, name) in projects.iter().zip(["ideogram-client", "async-openai"]) {
            let lock = fs::read_to_string(project.join("Cargo.lock")).context("cannot read a lock file")?;
            say(&format!("  {name}: {} packages in the lock file", lock.matches("[[package]]").count() - 1));
        }
        Ok(())
    }

    /// A project with one dependency, whose sources are downloaded.
    fn project(&self, name: &str, dependency: &str) -> Result<PathBuf> {
        let project = self.folder.join(name);
        let manifest = format!(
            "[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n[dependencies]\n\
             {dependency}\n"
        );
        create_folder(&project.join("src"))?;
        fs::write(project.join("Cargo.toml"), manifest).context("cannot write a manifest")?;
        fs::write(project.join("src/main.rs"), "fn main() {}\n").context("cannot write a program")?;
        run(cargo().args(["fetch", "--quiet"]).current_dir(&project), "cannot download dependencies")?;
        Ok(project)
    }

    fn first_dataset(&self) -> Result<()> {
        let clone = self.folder.join("clone");
        let once = || {
            recreate(&clone)?;
            let mut shell = Command::new("sh");
            let script = "git clone --quiet \"$0\" \"$1\" && cd \"$1\" && \
                          cargo run --quiet -p ideogram-cli -- --mock datasets get demo >/dev/null";
            measure(shell.args(["-c", script]).args([self.root, &clone]).env_remove("CARGO_TARGET_DIR"))
        };
        let usages = (0..self.pairs).map(|_| once()).collect::<Result<Vec<_>>>()?;
        alone("clean clone to the first dataset", &usages, |usage| usage.wall, "s");
        alone("the same", &usages, |usage| usage.cpu, "s of CPU");
        Ok(())
    }

    fn rebuild(&self) -> Result<()> {
        let document = self.root.join(crate::DOCUMENT);
        let rebuild = || {
            let mut build = cargo();
            build.args(["build", "--quiet", "--package", "ideogram-client"]).current_dir(self.root);
            measure(&mut build)
        };
        rebuild()?;
        let once = || {
            let text = fs::read(&document).context("cannot read the document")?;
            fs::write(&document, text).context("cannot write the document")?;
            rebuild()
        };
        let usages = (0..self.pairs).map(|_| once()).collect::<Result<Vec<_>>>()?;
        alone("document touched, client built again", &usages, |usage| usage.wall, "s");
        Ok(())
    }

    /// The command, as a release has it.
    fn command(&self) -> Result<PathBuf> {
        build(self.root, &["--release", "--package", "ideogram-cli", "--bin", "ideogram"], "ideogram")
    }

    fn start(&self) -> Result<()> {
        let command = self.command()?;
        let many = |program: &Path, arguments: &[&str]| {
            let start = Instant::now();
            for _ in 0..STARTS {
                run(Command::new(program).args(arguments).stdout(Stdio::null()), "cannot start a program")?;
            }
            Ok(start.elapsed().as_secs_f64() * 1000.0 / f64::from(STARTS))
        };
        let pairs =
            in_turns(self.pairs, || many(&command, &["--version"]), || many(Path::new("node"), &["--eval", ""]))?;
        compare("ideogram --version", "an empty script of Node.js", &pairs, |wall| *wall, "ms");
        let bytes = fs::metadata(&command).context("cannot read the size of the command")?.len();
        say(&format!("size of the command: {} kB", bytes / 1000));
        Ok(())
    }

    fn batch(&self) -> Result<()> {
        let (command, batches, runs) = (self.command()?, self.folder.join("batch"), Cell::new(0));
        recreate(&batches)?;
        let once = |rows: u32| {
            // Each run has its own folder: ext4 is slow for some seconds where thousands of files were just deleted.
            runs.set(runs.get() + 1);
            let folder = batches.join(runs.get().to_string());
            create_folder(&folder)?;
            let mut serve = Command::new(&command);
            serve.args(["mock", "serve", "--api-key", KEY]).stderr(Stdio::null());
            let server = Server::start(&mut serve)?;
            fs::write(folder.join("rows.csv"), table(rows)).context("cannot write the rows of a batch")?;
            let mut batch = self.against(&command, server.url(), &folder);
            let usage = measure(batch.args(["--yes", "--quiet", "batch", "rows.csv", "--out", "out"]))?;
            let saved = fs::read_dir(folder.join("out")).context("cannot read the images of a batch")?;
            let images = saved.flatten().filter(|entry| entry.path().extension().is_some_and(|it| it == "png"));
            ensure!(images.count() == rows as usize, "the batch of {rows} rows has not saved {rows} images");
            let each = 1000.0 / f64::from(rows);
            Ok(Usage { wall: usage.wall * each, cpu: usage.cpu * each, ..usage })
        };
        let pairs = in_turns(self.pairs, || once(5000), || once(500))?;
        compare("batch of 5,000 rows, for each row", "500 rows", &pairs, |usage| usage.wall, "ms");
        compare("  CPU of the command", "500 rows", &pairs, |usage| usage.cpu, "ms");
        compare("  memory", "500 rows", &pairs, |usage| usage.peak_mib, "MiB");
        fs::remove_dir_all(&batches).context("cannot remove the folders of the batches")
    }

    fn dry_run(&self) -> Result<()> {
        let (command, folder) = (self.command()?, self.folder.join("dry-run"));
        create_folder(&folder)?;
        fs::write(folder.join("rows.csv"), table(200_000)).context("cannot write the rows of a batch")?;
        let once = || {
            let mut batch = self.against(&command, "http://127.0.0.1:9", &folder);
            measure(batch.args(["--dry-run", "--quiet", "batch", "rows.csv", "--out", "out"]))
        };
        let usages = (0..self.pairs).map(|_| once()).collect::<Result<Vec<_>>>()?;
        alone("dry run of 200,000 rows", &usages, |usage| usage.wall, "s");
        alone("  memory", &usages, |usage| usage.peak_mib, "MiB");
        Ok(())
    }

    fn dataset(&self) -> Result<()> {
        let command = self.command()?;
        let body = self.folder.join("dataset.json");
        fs::write(&body, dataset(1_000_000)).context("cannot write a dataset")?;
        let url = serve_file(&body)?;
        let filter = ".files | length";
        let mut jq = Command::new("jq");
        jq.args([filter, &body.display().to_string()]);
        for (name, options) in [
            ("as text", ["--output", "text"].as_slice()),
            ("as JSON", &["--output", "json"]),
            ("with --jq", &["--jq", filter]),
        ] {
            let mut get = self.against(&command, &url, &self.folder);
            get.args(["datasets", "get", "demo"]).args(options);
            let pairs = in_turns(self.pairs, || measure(&mut get), || measure(&mut jq))?;
            let what = format!("dataset of 1,000,000 files {name}: memory");
            compare(&what, "jq", &pairs, |usage| usage.peak_mib, "MiB");
            compare("  the same: time", "jq", &pairs, |usage| usage.wall, "s");
        }
        Ok(())
    }

    /// The command against a local server, with its state in a folder.
    fn against(&self, command: &Path, url: &str, folder: &Path) -> Command {
        let mut command = Command::new(command);
        command.current_dir(folder).env("IDEOGRAM_BASE_URL", url).env("IDEOGRAM_API_KEY", KEY);
        command.env("XDG_STATE_HOME", folder.join("state")).env("XDG_CONFIG_HOME", self.folder.join("config"));
        command.env("NO_PROXY", "127.0.0.1");
        command
    }
}

fn table(rows: u32) -> String {
    let row = |number| format!("A paper lantern number {number} on a river\n");
    ["prompt\n".to_owned()].into_iter().chain((1..=rows).map(row)).collect()
}

fn dataset(files: usize) -> String {
    let file = |number: usize| {
        format!("{{\"file_name\":\"lantern-{number:07}.png\",\"file_size_bytes\":{}}}", 123_456 + number)
    };
    let listed: Vec<_> = (0..files).map(file).collect();
    format!(
        "{{\"dataset\":{{\"dataset_id\":\"demo\",\"name\":\"Lanterns\",\"user_id\":\"a\",\"creation_time\":\
         \"2026-06-30T03:14:41Z\"}},\"file_count\":{files},\"files\":[{}],\"custom_model_ids\":[]}}",
        listed.join(",")
    )
}

/// Serves a JSON file to every request, until this process ends.
fn serve_file(path: &Path) -> Result<String> {
    let body = fs::read(path).with_context(|| format!("cannot read `{}`", path.display()))?;
    let listener = TcpListener::bind("127.0.0.1:0").context("cannot open a port")?;
    let url = format!("http://{}", listener.local_addr().context("cannot open a port")?);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let head = BufReader::new(&stream).lines().map_while(Result::ok).take_while(|line| !line.is_empty());
            let _ = head.count();
            let length = body.len();
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
            );
            // A client that has gone away ends its own connection only.
            let _ = (&stream).write_all(head.as_bytes()).and_then(|()| (&stream).write_all(&body));
        }
    });
    Ok(url)
}
