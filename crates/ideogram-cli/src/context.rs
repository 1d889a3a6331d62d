//! What a command works with: the service, the output, and what was asked of all commands.
//!
//! Start at [`Context::call`]. How to write a command: [`commands`](crate::commands).

use ideogram_client::{Client, Error, Request, Response};

use crate::{
    arguments::Options,
    calls::Call,
    connection::Connection,
    dry_run,
    failure::{self, Failure},
    interrupt::Interrupt,
    output::Output,
    progress::{Counted, Progress},
    question,
};

/// What a command works with.
#[derive(Debug)]
pub(crate) struct Context<'a> {
    connection: Connection,
    output: &'a Output,
    interrupt: &'a Interrupt,
    dry_run: bool,
    yes: bool,
}

/// How a call is told of when it fails.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Told<'a> {
    /// What could not be done: "cannot get the dataset abc".
    pub(crate) what: &'a str,
    /// The command that shows whether the call has changed anything: "ideogram datasets list".
    pub(crate) look: &'a str,
}

impl<'a> Context<'a> {
    /// Gets all ready; nothing is sent yet.
    pub(crate) async fn open(options: &Options, output: &'a Output, interrupt: &'a Interrupt) -> Result<Self, Failure> {
        let connection = Connection::open(options, None).await?;
        Ok(Self { connection, output, interrupt, dry_run: options.dry_run, yes: options.yes })
    }

    /// The same with so many places for pictures in the making.
    pub(crate) async fn open_with_places(
        options: &Options,
        output: &'a Output,
        interrupt: &'a Interrupt,
        places: u32,
    ) -> Result<Self, Failure> {
        let connection = Connection::open(options, Some(places)).await?;
        Ok(Self { connection, output, interrupt, dry_run: options.dry_run, yes: options.yes })
    }

    /// Begins a call; hand it to [`Context::call`].
    pub(crate) fn client(&self) -> &Client {
        self.connection.client()
    }

    pub(crate) fn output(&self) -> &Output {
        self.output
    }

    pub(crate) fn interrupt(&self) -> &Interrupt {
        self.interrupt
    }

    /// Whether nothing may be sent. [`Context::call`] and [`Context::confirm`] know it by themselves; ask here before
    /// writing files, waiting, or sending by any other way.
    pub(crate) fn is_dry_run(&self) -> bool {
        self.dry_run
    }

    /// Sends a call and returns the answer; with `--dry-run` shows it instead and returns `None`.
    pub(crate) async fn call<C: Call>(&self, call: C, told: Told<'_>) -> Result<Option<Response<C::Answer>>, Failure>
    where
        C: Clone,
    {
        let request = call.clone().prepare().map_err(|error| self.failure(told, &error))?;
        if self.dry_run {
            self.show(&request).await?;
            return Ok(None);
        }
        let under_way = self.interrupt.call(request.operation(), told.look);
        let response = call.response().await;
        drop(under_way);
        response.map(Some).map_err(|error| self.failure(told, &error))
    }

    /// Shows a request as `--dry-run` does.
    pub(crate) async fn show(&self, request: &Request) -> Result<(), Failure> {
        let described = dry_run::describe(request).await?;
        self.output.result(&described.json, &described.page)?;
        self.output.note("dry run: nothing was sent");
        Ok(())
    }

    /// Asks before something that costs or cannot be taken back, and goes on only after a yes. `--yes` is one, and with
    /// `--dry-run` there is nothing to ask.
    ///
    /// # Errors
    ///
    /// [`Exit::Interrupted`](crate::exit::Exit::Interrupted) after a no, [`Exit::Usage`](crate::exit::Exit::Usage) if
    /// there is nobody to ask.
    pub(crate) async fn confirm(&self, question: &str, default: question::Default) -> Result<(), Failure> {
        if self.dry_run || self.yes {
            return Ok(());
        }
        question::confirm(self.output.talk(), question, default).await
    }

    /// Shows how far something has come, until it is dropped.
    pub(crate) fn progress(&self, label: impl Into<String>, counted: Counted, total: Option<u64>) -> Progress {
        Progress::new(self.output.talk(), label, counted, total)
    }

    /// Says that changes will not last, if they were made in the mock server of `--mock`.
    pub(crate) fn remark_on_changes(&self) -> Option<&'static str> {
        self.connection.remark_on_changes()
    }

    /// Tells of a call that failed, for those that were not sent by [`Context::call`].
    pub(crate) fn failure(&self, told: Told<'_>, error: &Error) -> Failure {
        let address = self.client().base_url().as_str();
        Failure::of_call(&failure::Call { what: told.what, look: told.look, address }, error)
    }
}
