//! The `ideogram` command: images, datasets and models of the Ideogram API, and a mock server to try it on.
//!
//! Start at [`Arguments`] for the command line, at [`commands`] for the commands and how to write one. A command calls
//! the service through its [`Context`](session::context::Context) and hands the response to [`Output`], which alone
//! prints; an error is a [`Failure`], which has the exit code.

mod cli;
mod commands;
mod executable;
mod exit;
mod failure;
mod images;
mod options;
mod output;
mod session;
mod suggestions;
mod text_input;

use std::{env, ffi::OsString, process::ExitCode};

use crate::{
    cli::Arguments, failure::Failure, options::Options, output::Output, output::jq::Filter, output::messages::Messages,
    session::config::Config, session::connection::Globals, session::interrupt::Interrupt, session::worker,
};

fn main() -> ExitCode {
    // No files and no runtime before the arguments are parsed: completions and scripts run the command often.
    let mut words: Vec<OsString> = env::args_os().collect();
    if words.get(1).is_some_and(|word| word == output::jq::WORKER_ARGUMENT) {
        return output::jq::work();
    }
    let supervisor = executable::take_supervisor(&mut words);
    let early = || {
        let (format, color) = (options::early_format(&words), options::early_color(&words));
        Output::new(format, None, color, Messages::new(format, false, false, color))
    };
    let arguments = match cli::read(&words) {
        Ok(arguments) => arguments,
        Err(error) => return output::help_or_usage(&error, &early()).into(),
    };
    if supervisor.is_none()
        && arguments.command.has_worker(arguments.options.dry_run)
        && let Some(ended) = worker::run(&words)
    {
        return ended.unwrap_or_else(|failure| end(&early(), &failure));
    }
    // It fails only if there is one already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    match prepare(&arguments.options) {
        Ok((config, output)) => match run(&arguments, &config, &output, &Interrupt::new(supervisor)) {
            Ok(code) => code,
            Err(failure) => end(&output, &failure),
        },
        Err(failure) => end(&early(), &failure),
    }
}

fn end(output: &Output, failure: &Failure) -> ExitCode {
    output.failure(failure);
    failure.exit().into()
}

fn prepare(options: &Options) -> Result<(Config, Output), Failure> {
    let config = Config::read(options.profile.as_deref())?;
    let (preferred, color) = (config.profile.output, options.color);
    let messages = Messages::new(options.message_format(preferred), options.quiet, options.debug, color);
    let format = options.format(preferred)?;
    let filter = options.jq.as_deref().map(Filter::new).transpose()?;
    Ok((config, Output::new(format, filter, color, messages)))
}

fn run(arguments: &Arguments, config: &Config, output: &Output, interrupt: &Interrupt) -> Result<ExitCode, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::internal("cannot start").because(&error))?;
    #[cfg(unix)]
    report_file_size_limit(&runtime);
    let globals = Globals { options: &arguments.options, config, output, interrupt, max_images_in_flight: None };
    let result = runtime.block_on(interrupt.guard(commands::run(&arguments.command, globals, cli::command)));
    // A slow name server or network drive must not delay the end of the command.
    runtime.shutdown_background();
    result
}

/// Makes a write beyond `ulimit -f` an error, which is reported, instead of a signal that ends the process.
#[cfg(unix)]
fn report_file_size_limit(runtime: &tokio::runtime::Runtime) {
    use tokio::signal::unix::{SignalKind, signal};
    /// The number of SIGXFSZ on Linux, macOS and the BSDs.
    const FILE_SIZE_EXCEEDED: i32 = 25;
    let _context = runtime.enter();
    // The handler stays installed after the stream is dropped.
    let _ = signal(SignalKind::from_raw(FILE_SIZE_EXCEEDED));
}
