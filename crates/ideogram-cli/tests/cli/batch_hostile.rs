//! `batch` among random kills and random edits of its journal and folder, counted where it costs: on the server.
//!
//! Nothing is paid twice without a question, nothing paid is lost by a signal, and no file
//! has half a content. A failure names its seed. `IDEOGRAM_HOSTILE_RUNS=300` makes 300 kills and 300 edits instead of a
//! few, `IDEOGRAM_HOSTILE_SEED` chooses others.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use fastrand::Rng;
use ideogram_mock::MockServer;
use tempfile::TempDir;

use crate::{
    batch_killed::number,
    interrupt::{Signal, signal},
    invocation::{ideogram, serve},
};

const ROWS: usize = 6;

/// A table of rows, a folder for its batch, and a server that counts.
struct Scene {
    folder: TempDir,
    server: MockServer,
    /// What was done, for the message of a failure.
    story: Vec<String>,
}

impl Scene {
    fn new(seed: u64, generation_time: Duration) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let rows: String = (0..ROWS).map(|n| format!("{{\"prompt\":\"prompt {n}\",\"id\":\"row{n}\"}}\n")).collect();
        fs::write(folder.path().join("rows.jsonl"), rows).unwrap();
        let server = serve(MockServer::builder().generation_time(generation_time));
        Self { folder, server, story: vec![format!("seed {seed}")] }
    }

    fn out(&self) -> PathBuf {
        self.folder.path().join("out")
    }

    fn command(&self, out: &str, more: &[&str]) -> Command {
        let arguments = ["batch", "rows.jsonl", "--out", out, "--yes", "--max-in-flight", "2"];
        let run = ideogram(arguments.into_iter().chain(more.iter().copied()));
        let state = self.folder.path().join("state");
        run.env("XDG_STATE_HOME", state.to_str().unwrap())
            .against(&self.server)
            .in_folder(self.folder.path())
            .into_command()
    }

    fn start(&self, more: &[&str]) -> Child {
        self.command("out", more).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    fn run(&mut self, out: &str, more: &[&str]) -> Option<i32> {
        let output = self.command(out, more).output().unwrap();
        let code = output.status.code();
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!stderr.contains("panicked"), "{}\n{stderr}", self.story());
        self.story.push(format!("--out {out} {more:?}: exit {code:?}\n{stderr}"));
        code
    }

    fn story(&self) -> String {
        self.story.join("\n")
    }

    /// How often the server ran each prompt. What it answers with 429 it does not run.
    fn paid(&self) -> BTreeMap<String, usize> {
        let mut paid = BTreeMap::new();
        for request in self.server.requests().iter().filter(|request| request.status != Some(429)) {
            let is_prompt = |name: &str| name == "text_prompt" || name == "prompt";
            if let Some(prompt) = request.parts.iter().find(|part| is_prompt(&part.name)) {
                *paid.entry(prompt.text.clone().unwrap()).or_default() += 1;
            }
        }
        paid
    }

    fn check_nothing_is_paid_twice(&self) {
        assert!(self.paid().values().all(|times| *times == 1), "{:?}\n{}", self.paid(), self.story());
    }

    /// Images that have their name are whole, and so are stored responses.
    fn check_nothing_is_half(&self) {
        for path in files(self.folder.path()) {
            // The worker of a killed batch may have renamed or removed a temporary file meanwhile.
            let Ok(bytes) = fs::read(&path) else { continue };
            match path.extension().and_then(|extension| extension.to_str()) {
                Some("png") => assert!(image::load_from_memory(&bytes).is_ok(), "{}\n{}", path.display(), self.story()),
                Some("json") => {
                    assert!(
                        serde_json::from_slice::<serde_json::Value>(&bytes).is_ok(),
                        "{}\n{}",
                        path.display(),
                        self.story()
                    );
                }
                _ => {}
            }
        }
    }

    /// Rows that the server ran and of which there is no response on disk.
    fn lost(&self) -> usize {
        let responses = files(&self.out().join("responses"));
        let stored = responses.iter().filter(|path| path.extension().is_some_and(|extension| extension == "json"));
        // The id of a job and its response may both be there.
        let rows: BTreeSet<_> = stored.filter_map(|path| path.parent()).collect();
        self.paid().len() - rows.len()
    }
}

/// All regular files below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            found.extend(files(&entry.path()));
        } else if kind.is_file() {
            found.push(entry.path());
        }
    }
    found
}

#[test]
fn kills_of_every_kind_pay_for_nothing_twice_and_lose_nothing() {
    let kills = number("IDEOGRAM_HOSTILE_RUNS", 24);
    let seed = number("IDEOGRAM_HOSTILE_SEED", 20_261_125);
    let mut done = 0;
    for round in 0.. {
        if done >= kills {
            break;
        }
        let mut random = Rng::with_seed(seed + round);
        let mut scene = Scene::new(seed + round, Duration::from_millis(60));
        for _ in 0..4 {
            let mut child = scene.start(&[]);
            let after = random.u64(5..400);
            thread::sleep(Duration::from_millis(after));
            let by = [Signal::KILL, Signal::TERM, Signal::HUP, Signal::INT][random.usize(..4)];
            signal(&child, by);
            let status = child.wait().unwrap();
            scene.story.push(format!("{by:?} after {after} ms: {status}"));
            done += 1;

            // After a SIGKILL its worker still finishes what it has sent.
            if by != Signal::KILL {
                assert_eq!(scene.lost(), 0, "{}", scene.story());
            }
            scene.check_nothing_is_half();
            scene.check_nothing_is_paid_twice();
        }
        let code = scene.run("out", &[]);
        scene.check_nothing_is_paid_twice();
        scene.check_nothing_is_half();
        let saved = files(&scene.out()).iter().filter(|path| path.extension().is_some_and(|it| it == "png")).count();
        assert_eq!((code, saved, scene.lost()), (Some(0), ROWS, 0), "{}", scene.story());
    }
}

/// Something that a person, an editor or a program does to a batch.
type Edit = fn(&Scene, &mut Rng);

const EDITS: [(&str, Edit); 24] = [
    ("journal deleted", |scene, _| drop(fs::remove_file(journal(scene)))),
    ("journal renamed", |scene, _| drop(fs::rename(journal(scene), scene.out().join("batch.old")))),
    ("journal emptied", |scene, _| edit(scene, |text, _| text.clear(), &mut Rng::new())),
    ("journal cut", |scene, random| edit(scene, |text, random| text.truncate(random.usize(..=text.len())), random)),
    ("journal without its last line break", |scene, random| {
        edit(scene, |text, _| text.truncate(text.len().saturating_sub(1)), random);
    }),
    ("journal cut after a line", |scene, random| {
        edit_lines(scene, |lines, random| lines.truncate(random.usize(..=lines.len())), random);
    }),
    ("line removed", |scene, random| {
        edit_lines(scene, |lines, random| drop(lines.remove(random.usize(..lines.len()))), random);
    }),
    ("line repeated", |scene, random| {
        edit_lines(scene, |lines, random| lines.insert(random.usize(..lines.len()), lines[0].clone()), random);
    }),
    ("lines swapped", |scene, random| {
        let swap = |lines: &mut Vec<Vec<u8>>, random: &mut Rng| {
            let other = random.usize(..lines.len());
            lines.swap(0, other);
        };
        edit_lines(scene, swap, random);
    }),
    ("byte changed", |scene, random| {
        edit(
            scene,
            |text, random| {
                if let Some(byte) = random.choice(text.iter_mut()) {
                    *byte ^= 1;
                }
            },
            random,
        );
    }),
    ("something appended", |scene, random| edit(scene, |text, _| text.extend(b"{\"begun\":"), random)),
    ("journal replaced by its copy", |scene, _| {
        let copy = scene.out().join("copy");
        if fs::copy(journal(scene), &copy).is_ok() {
            fs::rename(copy, journal(scene)).unwrap();
        }
    }),
    ("journal of old", |scene, _| drop(fs::copy(scene.folder.path().join("old/batch.jsonl"), journal(scene)))),
    ("journal is a pipe", |scene, _| {
        let _ = fs::remove_file(journal(scene));
        let _ = Command::new("mkfifo").arg(journal(scene)).stderr(Stdio::null()).status();
    }),
    ("journal is a device", |scene, _| {
        let _ = fs::remove_file(journal(scene));
        let _ = std::os::unix::fs::symlink("/dev/null", journal(scene));
    }),
    ("folder deleted", |scene, _| drop(fs::remove_dir_all(scene.out()))),
    ("folder renamed", |scene, _| drop(fs::rename(scene.out(), scene.folder.path().join("moved")))),
    ("folder of old", |scene, _| {
        let _ = fs::remove_dir_all(scene.out());
        copy(&scene.folder.path().join("old"), &scene.out());
    }),
    ("folder is a file", |scene, _| {
        let _ = fs::rename(scene.out(), scene.folder.path().join("aside"));
        let _ = fs::write(scene.out(), "");
    }),
    ("responses deleted", |scene, _| drop(fs::remove_dir_all(scene.out().join("responses")))),
    ("a response deleted", |scene, random| {
        let responses = fs::read_dir(scene.out().join("responses")).into_iter().flatten().flatten();
        if let Some(response) = random.choice(responses.collect::<Vec<_>>()) {
            let _ = fs::remove_dir_all(response.path());
        }
    }),
    ("images deleted", |scene, _| remove(scene, "png")),
    ("files beside images deleted", |scene, _| remove(scene, "json")),
    ("journal and responses deleted", |scene, _| {
        let _ = fs::remove_file(journal(scene));
        let _ = fs::remove_dir_all(scene.out().join("responses"));
    }),
];

fn journal(scene: &Scene) -> PathBuf {
    scene.out().join("batch.jsonl")
}

fn edit(scene: &Scene, change: impl FnOnce(&mut Vec<u8>, &mut Rng), random: &mut Rng) {
    // In place, as a program does that keeps the file.
    if let Ok(mut text) = fs::read(journal(scene)) {
        change(&mut text, random);
        let _ = fs::write(journal(scene), text);
    }
}

fn edit_lines(scene: &Scene, change: impl FnOnce(&mut Vec<Vec<u8>>, &mut Rng), random: &mut Rng) {
    let changed = |text: &mut Vec<u8>, random: &mut Rng| {
        let mut lines: Vec<Vec<u8>> = text.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
        if !lines.is_empty() {
            change(&mut lines, random);
        }
        *text = lines.concat();
    };
    edit(scene, changed, random);
}

fn remove(scene: &Scene, extension: &str) {
    for entry in fs::read_dir(scene.out()).into_iter().flatten().flatten() {
        if entry.path().extension().is_some_and(|it| it == extension) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

fn copy(from: &Path, to: &Path) {
    let _ = fs::create_dir_all(to);
    for entry in fs::read_dir(from).into_iter().flatten().flatten() {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            let _ = fs::copy(entry.path(), target);
        }
    }
}

#[test]
fn no_edit_of_a_table_makes_a_batch_pay_twice() {
    let edits = number("IDEOGRAM_HOSTILE_RUNS", 24);
    let seed = number("IDEOGRAM_HOSTILE_SEED", 20_261_125);
    for round in 0..edits {
        let mut random = Rng::with_seed(seed + round);
        let mut scene = Scene::new(seed + round, Duration::from_millis(10));
        // Every kind has its turn, in a state by chance: before all rows are done, with an older copy at hand.
        let (name, act) = EDITS[usize::try_from(round).unwrap() % EDITS.len()];
        let some = random.usize(1..ROWS).to_string();
        scene.run("out", &["--max-images", &some]);
        copy(&scene.out(), &scene.folder.path().join("old"));
        if random.bool() {
            let more = random.usize(1..=ROWS).to_string();
            scene.run("out", &["--max-images", &more]);
        }
        let during = random.bool();
        if during {
            let mut child = scene.start(&[]);
            thread::sleep(Duration::from_millis(random.u64(20..200)));
            act(&scene, &mut random);
            let status = child.wait().unwrap();
            scene.story.push(format!("{name} while it ran: {status}"));
        } else {
            act(&scene, &mut random);
            scene.story.push(name.to_owned());
        }
        scene.check_nothing_is_paid_twice();
        scene.run("out", &[]);
        scene.check_nothing_is_paid_twice();
        let (out, more): (_, &[&str]) = match random.u8(..4) {
            0 => ("elsewhere", &[]),
            1 => ("out", &["--model", "v3"]),
            2 => ("moved", &[]),
            _ => ("out", &["--retry-declined"]),
        };
        scene.run(out, more);
        scene.check_nothing_is_paid_twice();
        scene.check_nothing_is_half();
    }
}
