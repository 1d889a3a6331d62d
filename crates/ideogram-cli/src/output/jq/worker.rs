//! The process in which an expression runs: reads the expression and then inputs from standard input, and writes what
//! is picked to standard output.

use std::{
    io::{self, BufWriter},
    process::{self, ExitCode},
    sync::mpsc,
    thread,
};

use super::{Message, Picked, Tag, program::Program};

/// The only argument of such a process.
pub(crate) const ARGUMENT: &str = "--run-jq-expression";
/// Enough for JSON nested ten thousand levels deep, the limit of jq.
const STACK_BYTES: usize = 256 * 1024 * 1024;
/// How much is said of an expression that cannot be read: each open bracket is a mistake of its own.
const MAX_CAUSES: usize = 4;

/// Works until standard input ends.
pub(crate) fn work() -> ExitCode {
    let (sender, inputs) = mpsc::channel();
    let interpreter = thread::Builder::new().stack_size(STACK_BYTES).spawn(move || interpret(&inputs));
    if interpreter.is_err() {
        return ExitCode::FAILURE;
    }
    let mut stdin = io::stdin().lock();
    while let Ok(message) = Message::read(&mut stdin) {
        if sender.send(message.1).is_err() {
            break;
        }
    }
    // Whoever started it is gone, or wants no more of it: an expression that is still running would run for ever.
    process::exit(0)
}

fn interpret(inputs: &mpsc::Receiver<Vec<u8>>) -> io::Result<()> {
    let mut stdout = BufWriter::new(io::stdout());
    let Ok(expression) = inputs.recv() else { return Ok(()) };
    let program = match Program::new(&String::from_utf8_lossy(&expression)) {
        Ok(program) => program,
        Err(causes) => {
            for cause in causes.into_iter().take(MAX_CAUSES) {
                Message(Tag::Refused, cause.into_bytes()).write(&mut stdout)?;
            }
            return Message(Tag::Done, Vec::new()).write(&mut stdout);
        }
    };
    Message(Tag::Ready, Vec::new()).write(&mut stdout)?;
    for input in inputs {
        let run = program.run(&input, |picked| {
            let message = match picked {
                Picked::Text(text) => Message(Tag::Text, text),
                Picked::Json(json) => Message(Tag::Json, json.into_bytes()),
            };
            if message.write(&mut stdout).is_err() {
                // Nobody reads the results.
                process::exit(0);
            }
        });
        match run {
            Ok(()) => Message(Tag::Done, Vec::new()).write(&mut stdout)?,
            Err(error) => Message(Tag::Failed, error.into_bytes()).write(&mut stdout)?,
        }
    }
    Ok(())
}
