//! `--jq`: filters JSON before it is printed, in the language of jq.
//!
//! The interpreter is [jaq](https://github.com/01mf02/jaq), which preserves numbers; `prelude.jq` defines what it lacks.
//! Expressions have no access to files, programs and the environment.
//!
//! The interpreter is recursive, so deep values or an endless recursion overflow the stack, which ends the process.
//! Therefore it runs in a process of its own, [`worker`]: if that ends, the command reports an error and still has the
//! response of a paid call.

mod program;
mod worker;

use std::{
    io::{self, BufReader, Read, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::{Mutex, PoisonError},
};

pub(crate) use worker::{ARGUMENT as WORKER_ARGUMENT, work};

use crate::{executable, exit::Exit, failure::Failure};

/// An expression, ready to run.
#[derive(Debug)]
pub(crate) struct Filter {
    expression: String,
    /// `None` after it has failed.
    worker: Mutex<Option<Worker>>,
}

/// A result of an expression.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Picked {
    /// A string, printed without quotes.
    Text(Vec<u8>),
    /// Anything else as JSON.
    Json(String),
}

/// A message between the processes: a tag, the length, the content.
struct Message(Tag, Vec<u8>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum Tag {
    /// To the worker: the expression first, then inputs.
    Input = b'I',
    /// The expression is valid.
    Ready = b'R',
    /// An error, before `Done`.
    Refused = b'X',
    Text = b'T',
    Json = b'J',
    Failed = b'F',
    /// The end of the results for this input.
    Done = b'D',
}

impl Tag {
    const ALL: [Self; 7] = [Self::Input, Self::Ready, Self::Refused, Self::Text, Self::Json, Self::Failed, Self::Done];
}

impl Message {
    fn write(&self, writer: &mut impl Write) -> io::Result<()> {
        writer.write_all(&[self.0 as u8])?;
        writer.write_all(&(self.1.len() as u64).to_le_bytes())?;
        writer.write_all(&self.1)?;
        writer.flush()
    }

    fn read(reader: &mut impl Read) -> io::Result<Self> {
        let (mut tag, mut length) = ([0], [0; 8]);
        reader.read_exact(&mut tag)?;
        reader.read_exact(&mut length)?;
        let length = u64::from_le_bytes(length);
        let tag = Tag::ALL.into_iter().find(|known| *known as u8 == tag[0]).ok_or(io::ErrorKind::InvalidData)?;
        let mut content = Vec::new();
        reader.take(length).read_to_end(&mut content)?;
        if content.len() as u64 == length { Ok(Self(tag, content)) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }

    fn text(self) -> String {
        String::from_utf8_lossy(&self.1).into_owned()
    }
}

impl Filter {
    /// Compiles an expression.
    pub(crate) fn new(expression: &str) -> Result<Self, Failure> {
        let worker = Worker::start(expression)?;
        Ok(Self { expression: expression.to_owned(), worker: Mutex::new(Some(worker)) })
    }

    /// Runs the expression on JSON text, and hands over its results one by one.
    pub(crate) fn run(&self, json: &[u8], each: impl FnMut(Picked) -> Result<(), Failure>) -> Result<(), Failure> {
        let mut slot = self.worker.lock().unwrap_or_else(PoisonError::into_inner);
        // Ctrl-C at a terminal also ends the worker, while a batch still finishes its last rows.
        let running = slot.take().and_then(|mut worker| worker.is_running().then_some(worker));
        let mut worker = match running {
            Some(worker) => worker,
            None => Worker::start(&self.expression)?,
        };
        worker.run(json, each)?;
        *slot = Some(worker);
        Ok(())
    }
}

/// The process that runs an expression; dropping this ends it.
#[derive(Debug)]
struct Worker {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

impl Worker {
    fn start(expression: &str) -> Result<Self, Failure> {
        let cannot = |error: io::Error| Failure::internal("the expression of --jq cannot be run").because(&error);
        let mut command = Command::new(executable::path().map_err(cannot)?);
        command.arg(WORKER_ARGUMENT).env_clear();
        // The time zone, and variables that Windows needs to start a process.
        for name in ["TZ", "SystemRoot"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let mut child = child.map_err(cannot)?;
        let stdin = child.stdin.take().expect("it is piped");
        let stdout = BufReader::new(child.stdout.take().expect("it is piped"));
        let mut worker = Self { child, stdin, stdout };
        let mut refused = Failure::usage("the expression of --jq cannot be read");
        // A failed write also makes the read fail.
        let _ = Message(Tag::Input, expression.as_bytes().to_vec()).write(&mut worker.stdin);
        loop {
            match Message::read(&mut worker.stdout) {
                Ok(Message(Tag::Ready, _)) => return Ok(worker),
                Ok(message @ Message(Tag::Refused, _)) => refused = refused.cause(message.text()),
                Ok(_) => return Err(refused),
                Err(_) => return Err(refused.cause("it nests too deeply")),
            }
        }
    }

    fn run(&mut self, json: &[u8], mut each: impl FnMut(Picked) -> Result<(), Failure>) -> Result<(), Failure> {
        let failed =
            |cause: String| Failure::new(Exit::Partial, "the expression of --jq failed on the result").cause(cause);
        let died = |_| {
            failed(
                "it ran out of stack or memory, or was ended: the response or a result nests too deeply, or a recursion \
                 has no end"
                    .to_owned(),
            )
        };
        Message(Tag::Input, json.to_vec()).write(&mut self.stdin).map_err(died)?;
        loop {
            let message = Message::read(&mut self.stdout).map_err(died)?;
            match message.0 {
                Tag::Text => each(Picked::Text(message.1))?,
                Tag::Json => each(Picked::Json(message.text()))?,
                Tag::Failed => return Err(failed(message.text())),
                _ => return Ok(()),
            }
        }
    }

    fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // It has nothing to finish, and may be in an endless loop.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
