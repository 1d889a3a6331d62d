//! What people see at a terminal: bars, questions, Ctrl-C. The command runs in a pseudo-terminal.

use std::{
    io::{Read as _, Write},
    process::Command,
    sync::{Arc, Condvar, Mutex},
    thread,
    time::{Duration, Instant},
};

use ideogram_mock::MockServer;
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

use crate::{
    invocation::{Run, ideogram},
    sync_setup::SyncSetup,
    training::idle,
};

/// How long to wait for what must come: a failure then, not a hang.
const MAX_WAIT: Duration = Duration::from_secs(60);

/// A command at a terminal; it is killed when the test ends.
pub(crate) struct Terminal {
    child: Box<dyn Child + Send + Sync>,
    keyboard: Box<dyn Write + Send>,
    screen: Arc<Screen>,
    _master: Box<dyn MasterPty + Send>,
}

#[derive(Default)]
struct Screen {
    /// All that was ever written to it, and whether that is all.
    shown: Mutex<(String, bool)>,
    changed: Condvar,
}

impl Terminal {
    pub(crate) fn run(run: Run) -> Self {
        Self::start(&run.into_command())
    }

    /// Starts a program with what a [`Command`] says of arguments, environment and folder.
    pub(crate) fn start(command: &Command) -> Self {
        let mut builder = CommandBuilder::new(command.get_program());
        builder.args(command.get_args());
        builder.env_clear();
        builder.env("TERM", "xterm-256color");
        for (name, value) in command.get_envs() {
            if let Some(value) = value {
                builder.env(name, value);
            }
        }
        if let Some(folder) = command.get_current_dir() {
            builder.cwd(folder);
        }
        let size = PtySize { rows: 24, cols: 100, ..PtySize::default() };
        let pair = native_pty_system().openpty(size).unwrap();
        let child = pair.slave.spawn_command(builder).unwrap();
        let keyboard = pair.master.take_writer().unwrap();
        let mut reader = pair.master.try_clone_reader().unwrap();
        let screen = Arc::new(Screen::default());
        thread::spawn({
            let screen = Arc::clone(&screen);
            move || {
                let mut bytes = [0; 4096];
                // The end of a terminal is an error on some systems.
                while let Ok(length @ 1..) = reader.read(&mut bytes) {
                    screen.shown.lock().unwrap().0.push_str(&String::from_utf8_lossy(&bytes[..length]));
                    screen.changed.notify_all();
                }
                screen.shown.lock().unwrap().1 = true;
                screen.changed.notify_all();
            }
        });
        Self { child, keyboard, screen, _master: pair.master }
    }

    /// Waits until this was shown.
    pub(crate) fn expect(&self, text: &str) {
        let until = Instant::now() + MAX_WAIT;
        let mut shown = self.screen.shown.lock().unwrap();
        while !shown.0.contains(text) {
            let left = until.saturating_duration_since(Instant::now());
            assert!(!shown.1 && !left.is_zero(), "no {text:?} in {:?}", shown.0);
            shown = self.screen.changed.wait_timeout(shown, left).unwrap().0;
        }
    }

    pub(crate) fn press(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
        self.keyboard.flush().unwrap();
    }

    /// Waits for the end, and returns the exit code and all that was shown.
    pub(crate) fn end(mut self) -> (u32, String) {
        let code = self.child.wait().unwrap().exit_code();
        let until = Instant::now() + MAX_WAIT;
        let mut shown = self.screen.shown.lock().unwrap();
        while !shown.1 && Instant::now() < until {
            // Somebody else may hold the terminal open: then its end never comes.
            let (next, waited) = self.screen.changed.wait_timeout(shown, Duration::from_millis(500)).unwrap();
            shown = next;
            if waited.timed_out() {
                break;
            }
        }
        (code, plain(&shown.0))
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The text that stays on the screen: without colors, and without lines that were written over.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\x1b' => {
                if characters.next() == Some('[') {
                    for character in characters.by_ref() {
                        if character.is_ascii_alphabetic() {
                            break;
                        }
                    }
                }
            }
            '\r' if characters.peek() == Some(&'\n') => {}
            '\r' => plain.truncate(plain.rfind('\n').map_or(0, |end| end + 1)),
            _ => plain.push(character),
        }
    }
    plain
}

const CTRL_C: &str = "\x03";

#[test]
fn a_sync_shows_a_bar_with_bytes_and_files_and_takes_it_away() {
    let setup = SyncSetup::with(MockServer::builder().storing_time(Duration::from_secs(1)));
    setup.fill(4);

    let terminal = Terminal::run(setup.datasets("sync", []));
    terminal.expect("sending [");
    terminal.expect("0 of 6 files");
    terminal.expect("[===============] ");
    let (code, shown) = terminal.end();

    assert_eq!(code, 0, "{shown}");
    assert!(!shown.contains("sending ["), "{shown}");
    assert!(shown.contains("Added:      6 files, "), "{shown}");
    assert_eq!(setup.stored(), setup.each_once());
}

#[test]
fn ctrl_c_ends_a_sync_and_lists_files_in_flight() {
    let setup = SyncSetup::with(MockServer::builder().storing_time(Duration::from_secs(2)));
    setup.fill(2);

    let mut terminal = Terminal::run(setup.datasets("sync", []));
    terminal.expect("0 of 3 files");
    while setup.uploads().iter().all(|files| files.len() < 3) {
        thread::yield_now();
    }
    terminal.press(CTRL_C);
    let (code, shown) = terminal.end();
    let again = setup.datasets("sync", []).run();

    assert_eq!(code, 130, "{shown}");
    assert!(shown.contains("3 files in flight, which may still be stored: 000.png, 000.txt, 001.png"), "{shown}");
    assert_eq!((again.code(), setup.uploads().len()), (Some(0), 1), "{again}");
    assert_eq!(setup.stored(), setup.each_once());
}

fn train(server: &MockServer, more: &[&'static str]) -> Terminal {
    let train = ["models", "train", "demo", "--name", "Paper lanterns"];
    Terminal::run(ideogram(train.into_iter().chain(more.iter().copied())).against(server))
}

#[test]
fn no_as_an_answer_starts_no_training() {
    for response in ["n\r", "\r", "\x04"] {
        let server = idle(MockServer::builder());

        let mut terminal = train(&server, &[]);
        terminal.expect("and cannot be cancelled [y/N] ");
        terminal.press(response);
        let (code, shown) = terminal.end();

        assert_eq!(code, 130, "{shown}");
        assert!(shown.contains("not confirmed: nothing was changed or billed"), "{shown}");
        assert!(server.requests().iter().all(|request| request.method == "GET"));
    }
}

#[test]
fn yes_starts_a_training_and_any_other_word_repeats_the_question() {
    let server = idle(MockServer::builder());

    let mut terminal = train(&server, &[]);
    terminal.expect("[y/N] ");
    terminal.press("maybe\r");
    terminal.expect("please answer y or n");
    terminal.press("y\r");
    let (code, shown) = terminal.end();

    assert_eq!(code, 0, "{shown}");
    assert!(shown.contains("Training:  CREATING"), "{shown}");
}

#[test]
fn ctrl_c_at_a_question_is_a_no() {
    let server = idle(MockServer::builder());

    let mut terminal = train(&server, &[]);
    terminal.expect("[y/N] ");
    terminal.press(CTRL_C);
    let (code, shown) = terminal.end();

    assert_eq!(code, 130, "{shown}");
    assert!(server.requests().iter().all(|request| request.method == "GET"));
}

#[test]
fn a_wait_shows_the_state_and_the_next_poll_and_ctrl_c_ends_only_the_wait() {
    let server = idle(MockServer::builder());

    let mut terminal = train(&server, &["--yes", "--wait"]);
    terminal.expect("CREATING, next poll in ");
    terminal.press(CTRL_C);
    let (code, shown) = terminal.end();

    assert_eq!(code, 130, "{shown}");
    assert!(
        shown.contains("the training continues; to wait for it again: ideogram models wait bnieaqG5ZfQGxF0YgAlFTw")
    );
    assert!(!shown.contains("next poll") && shown.contains("Id:        bnieaqG5ZfQGxF0YgAlFTw"), "{shown}");
}
