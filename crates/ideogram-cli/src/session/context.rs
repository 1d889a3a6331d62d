//! What a command works with: the service, the output, and the global options.
//!
//! Start at [`Context::call`]. How to write a command: [`commands`](crate::commands).

use std::{cell::Cell, time::Duration};

use ideogram_client::{CallBuilder, CallOptions, Client, Error, Response, operation::Billing, request::Request};
use ideogram_mock::MockServer;
use serde::de::DeserializeOwned;

use crate::{
    failure::Failure,
    output::Output,
    output::layout::Layout,
    output::progress::{Counted, Progress},
    session::config::Profile,
    session::connection::{self, Globals},
    session::dry_run,
    session::interrupt::Interrupt,
    session::question,
};

/// What a command works with.
#[derive(Debug)]
pub(crate) struct Context<'a> {
    globals: Globals<'a>,
    client: Client,
    /// The server of `--mock`.
    embedded: Option<MockServer>,
    /// Whether an announcement of the service was passed on.
    has_announced: Cell<bool>,
}

/// How much of an announcement is shown, in characters.
const MAX_ANNOUNCEMENT_CHARS: usize = 500;

impl<'a> Context<'a> {
    /// Connects; sends nothing yet.
    pub(crate) async fn open(globals: Globals<'a>) -> Result<Self, Failure> {
        let (client, embedded) = connection::open(globals).await?;
        Ok(Self { embedded, ..Self::with_client(globals, client) })
    }

    /// A context with this client.
    pub(crate) fn with_client(globals: Globals<'a>, client: Client) -> Self {
        Self { globals, client, embedded: None, has_announced: Cell::new(false) }
    }

    /// Begins a call; hand it to [`Context::call`].
    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    pub(crate) fn output(&self) -> &Output {
        self.globals.output
    }

    /// For commands that finish something after Ctrl-C.
    pub(crate) fn interrupt(&self) -> &Interrupt {
        self.globals.interrupt
    }

    /// Whether the service is the mock server of `--mock`, whose state ends with the command.
    pub(crate) fn is_mock(&self) -> bool {
        self.globals.options.mock
    }

    /// The settings of the profile.
    pub(crate) fn profile(&self) -> &Profile {
        &self.globals.config.profile
    }

    /// Whether nothing may be sent. [`Context::call`] and [`Context::confirm`] check it; other code that writes files,
    /// waits or sends must check it here.
    pub(crate) fn is_dry_run(&self) -> bool {
        self.globals.options.dry_run
    }

    /// Sends a call and returns the response; with `--dry-run` shows it instead and returns `None`.
    pub(crate) async fn call<B: CallBuilder>(
        &self,
        call: B,
        action: &str,
    ) -> Result<Option<Response<B::Output>>, Failure> {
        let client = call.client().clone();
        let request = call.prepare().map_err(|error| self.failure(action, &error))?;
        self.execute(&client, request, action).await
    }

    /// The same for a prepared request of this client.
    pub(crate) async fn execute<T: DeserializeOwned + 'static>(
        &self,
        client: &Client,
        request: Request,
        action: &str,
    ) -> Result<Option<Response<T>>, Failure> {
        if self.globals.options.dry_run {
            self.show(&request, action).await?;
            return Ok(None);
        }
        let is_billed = request.billing() != Billing::Free;
        if is_billed {
            self.output().expect_reader()?;
        }
        let operation = request.operation();
        // A quote of a paid operation changes nothing.
        let is_quote = request.billing() != operation.billing;
        let in_flight = (!is_quote).then(|| self.interrupt().call(operation));
        let response = client.execute(request);
        let response = if is_billed { self.finish(response).await? } else { response.await };
        drop(in_flight);
        if let Ok(response) = &response {
            self.announce(response);
        }
        response.map(Some).map_err(|error| self.failure(action, &error))
    }

    /// Awaits a billed call, also after a first signal. No billed call begins after a signal.
    pub(crate) async fn finish<T>(&self, call: impl Future<Output = T>) -> Result<T, Failure> {
        let note = |signal| {
            let text = format!("waiting for the call in flight, which may be billed ({signal} again abandons it)");
            self.output().note(&text);
        };
        self.interrupt().finish(call, note).await
    }

    /// How long a call may take, if the user sets it.
    pub(crate) fn timeout(&self) -> Option<Duration> {
        self.globals.options.timeout
    }

    /// Prints an announcement of the service in a response, once in a command.
    pub(crate) fn announce<T>(&self, response: &Response<T>) {
        let successor = response.successor().map(|page| format!("it is replaced by {page}"));
        let announcement = [response.notice(), successor].into_iter().flatten().collect::<Vec<_>>().join("; ");
        let announcement: String = announcement.chars().take(MAX_ANNOUNCEMENT_CHARS).collect();
        if !announcement.is_empty() && !self.has_announced.replace(true) {
            let operation = response.request().operation();
            self.output().note(&format!("the service says about {operation}: {announcement}"));
        }
    }

    /// Checks the key with a free call; returns `false` with `--dry-run`.
    pub(crate) async fn check_key(&self, action: &str) -> Result<bool, Failure> {
        Ok(self.call(self.client().list_custom_models(), action).await?.is_some())
    }

    /// Shows a request as `--dry-run` does.
    pub(crate) async fn show(&self, request: &Request, action: &str) -> Result<(), Failure> {
        let described = dry_run::describe(request).await.map_err(|error| self.failure(action, &error))?;
        self.output().result(&described.json, &described.layout)?;
        self.output().note("dry run: nothing was sent");
        if request.billing() != Billing::Free {
            let what = match request.images() {
                0 if request.operation().tag == "models" => "1 training".to_owned(),
                0 => "1 call".to_owned(),
                images => crate::output::units::count(images.into(), "image"),
            };
            self.output().note(&dry_run::bill(&what));
        }
        Ok(())
    }

    /// Shows requests as `--dry-run` does, for a command that sends several.
    pub(crate) async fn show_all(&self, requests: &[Request], action: &str) -> Result<(), Failure> {
        let mut layout = Layout::new();
        let mut values = Vec::new();
        for request in requests {
            let described = dry_run::describe(request).await.map_err(|error| self.failure(action, &error))?;
            layout = layout.and(described.layout);
            values.push(described.json);
        }
        self.output().list("requests", &values, &layout)?;
        self.output().note("dry run: nothing was sent");
        Ok(())
    }

    /// Asks before something that costs or cannot be undone, and continues only after a yes. `--yes` answers yes, and with
    /// `--dry-run` there is no question.
    ///
    /// # Errors
    ///
    /// [`Exit::Interrupted`](crate::exit::Exit::Interrupted) after a no, [`Exit::Usage`](crate::exit::Exit::Usage) if
    /// there is no terminal.
    pub(crate) async fn confirm(&self, question: &str) -> Result<(), Failure> {
        if self.globals.options.dry_run || self.globals.options.yes {
            return Ok(());
        }
        question::confirm(self.output().messages(), question).await
    }

    /// Whether `--yes` is set, for questions that need a flag of their own.
    pub(crate) fn says_yes(&self) -> bool {
        self.globals.options.yes
    }

    /// Shows progress until it is dropped.
    pub(crate) fn progress(&self, label: impl Into<String>, counted: Counted, total: Option<u64>) -> Progress {
        Progress::new(self.output().messages(), label, counted, total)
    }

    /// A client that shows the progress of uploads; drop it when the call has ended.
    pub(crate) fn uploading(&self, label: &str, total_bytes: u64) -> Client {
        if self.is_dry_run() {
            return self.client().clone();
        }
        let progress = self.progress(label, Counted::Bytes, Some(total_bytes));
        self.client().with(CallOptions::new().on_upload(move |sent, total| {
            // The body is a little longer than the files in it.
            if let Some(total) = total {
                progress.set_total(total);
            }
            progress.set(sent);
        }))
    }

    /// The server of `--mock`, whose clock advances only on request.
    pub(crate) fn mock_server(&self) -> Option<&MockServer> {
        self.embedded.as_ref()
    }

    /// A note that changes will not last, with `--mock`.
    pub(crate) fn changes_note(&self) -> Option<&'static str> {
        let note =
            "this was done in a mock server that ends with the command; `ideogram mock serve` runs one that stays";
        self.embedded.is_some().then_some(note)
    }

    /// The failure of a call that was not sent by [`Context::call`].
    pub(crate) fn failure(&self, action: &str, error: &Error) -> Failure {
        Failure::of_call(action, self.client.base_url().as_str(), error)
    }
}
