//! From a call to images on disk.
//!
//! Start at [`generate_and_save`]. The folder is tried before anything is paid for, the response is on disk before
//! it is decoded, and whatever becomes of the images, the command says where the response is.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use ideogram_client::{
    CallOptions, Client, Error, Response, StoredResponse,
    request::Request,
    save::{HasImages, IfExists, Image as _, ImageOutcome, SaveOutcome, SaveProgress},
};
use serde_json::Value;
use tokio::select;

use super::{
    job::{self, Unfinished, save_command},
    open,
    paid_call::send,
    price::PriceFlags,
    report::Report,
    save_flags::{RESPONSES, SaveFlags, make_ready},
};
use crate::{
    exit::Exit,
    failure::Failure,
    output::messages::Messages,
    output::printable::shell_word,
    output::progress::{Counted, Progress},
    output::units,
    session::context::{Context, Wording},
};

/// Uploads below this size are over before a bar is read.
const SMALL_UPLOAD: u64 = 256 * 1024;

/// Sends the call, saves its images and reports them; with `--dry-run` shows the call instead. `action` is what could
/// not be done if it fails.
pub(crate) async fn generate_and_save(
    context: &Context<'_>,
    saving: &SaveFlags,
    price: PriceFlags,
    request: Request,
    action: &str,
) -> Result<(), Failure> {
    let wording = Wording { action, inspect: "" };
    let requested = request.images();
    let runs_as_job = request.operation().job.is_some();
    let images = units::count(requested.into(), "image");
    let sent = if runs_as_job { request.clone().into_job() } else { Ok(request.clone()) };
    let sent = sent.map_err(|error| context.failure(wording, &error))?;
    if context.is_dry_run() {
        context.show(&sent, wording).await?;
        if sent.operation().quote.is_some() {
            context.output().note("--quote prints the price, and generates nothing");
        }
        return Ok(());
    }
    if !price.check(context, &request).await? {
        return Ok(());
    }
    context.output().mark_paid();
    let folder = saving.folder(context.profile());
    make_ready(&folder, saving).await?;
    for job in job::unsaved(&folder).await {
        let text = format!(
            "the images of the generation {} are not saved; if its command has ended, this saves them, at no cost: {}",
            job.id,
            save_command(&job.id, &folder)
        );
        context.output().warning(&text);
    }
    let options = CallOptions::new()
        .store_responses_in(folder.join(RESPONSES))
        .on_upload(upload_bar(context.output().messages().clone()));
    let client = context.client().with(options);
    let paid = PaidCall { context, saving, folder, client, requested };
    let response = if runs_as_job {
        paid.run_job(sent, action).await
    } else {
        send(context, &paid.client, sent, format!("making {images}")).await.map_err(Unfinished::Call)
    };
    match response {
        Ok(response) => paid.save(&response).await,
        Err(Unfinished::Call(error)) => paid.save_what_is_whole(wording, &error).await,
        Err(Unfinished::Failed(failure) | Unfinished::Ended(failure)) => Err(failure),
    }
}

/// A call that was sent.
#[derive(Debug)]
struct PaidCall<'a> {
    context: &'a Context<'a>,
    saving: &'a SaveFlags,
    folder: PathBuf,
    client: Client,
    /// How many images were requested.
    requested: u32,
}

impl PaidCall<'_> {
    /// Submits a call as a job, whose id is on disk then, and waits for its images.
    async fn run_job(&self, request: Request, action: &str) -> Result<Response<Value>, Unfinished> {
        let in_flight = self.context.interrupt().call(request.operation(), "");
        let submitted = {
            let _progress = self.context.progress("submitting", Counted::Time, None);
            self.client.submit::<Value>(request).await
        };
        drop(in_flight);
        let job = submitted.map_err(Unfinished::Call)?;
        let waited = job::wait(self.context, job.wait(), job.id(), action, &save_command(job.id(), &self.folder)).await;
        if let (Err(Unfinished::Ended(_)), Some(path)) = (&waited, job.stored_at()) {
            // It is not billed, and nothing can be fetched.
            let _ = fs::remove_file(path);
        }
        waited
    }

    /// Saves what can be saved of a paid response that broke off, is damaged or not as the document says. All is well
    /// if that is as much as was requested.
    async fn save_what_is_whole(&self, wording: Wording<'_>, error: &Error) -> Result<(), Failure> {
        let failure = self.not_answered(wording, error);
        let images = error.images();
        if !images.iter().any(|image| matches!(image.outcome(), ImageOutcome::Available(_))) {
            return Err(failure);
        }
        self.context.output().note(&format!("{error}; the links in the response are whole, so its images are saved"));
        let job = SaveJob {
            context: self.context,
            saving: self.saving,
            folder: &self.folder,
            if_exists: IfExists::Number,
            stored_at: error.stored_at(),
        };
        let kept = match error.stored_at() {
            Some(path) => StoredResponse::read(path).await.ok(),
            None => None,
        };
        let outcomes = match &kept {
            // It knows the request too.
            Some(kept) => job.run(&self.client, kept).await?,
            None => job.run(&self.client, error).await?,
        };
        let is_all = images.len() >= usize::try_from(self.requested).unwrap_or(usize::MAX);
        let response = error.decode_body().unwrap_or_default();
        job.finish(Report {
            response,
            images,
            outcomes,
            requested: Some(self.requested),
            stored_at: error.stored_at(),
        })
        .await?;
        if is_all { Ok(()) } else { Err(failure) }
    }

    async fn save(&self, response: &Response<Value>) -> Result<(), Failure> {
        let job = SaveJob {
            context: self.context,
            saving: self.saving,
            folder: &self.folder,
            if_exists: IfExists::Number,
            stored_at: response.stored_at(),
        };
        let outcomes = job.run(&self.client, response).await?;
        let images = response.images();
        let report = Report {
            response: response.value().clone(),
            images,
            outcomes,
            requested: Some(self.requested),
            stored_at: response.stored_at(),
        };
        job.finish(report).await
    }

    /// A failed call, and where its response is if there is one.
    fn not_answered(&self, wording: Wording<'_>, error: &Error) -> Failure {
        let failure = self.context.failure(wording, error);
        match error.stored_at() {
            Some(path) => {
                let shown = path.display().to_string();
                let hint = if error.images().is_empty() {
                    format!("the response is stored in {shown}")
                } else {
                    fetch_hint(path, &self.folder)
                };
                failure.hint(hint).detail("stored_at", shown)
            }
            None => failure,
        }
    }
}

/// Saves the images of a response that is there, whatever way it came.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SaveJob<'a> {
    pub(crate) context: &'a Context<'a>,
    pub(crate) saving: &'a SaveFlags,
    pub(crate) folder: &'a Path,
    pub(crate) if_exists: IfExists,
    /// Where the response is, to fetch them later.
    pub(crate) stored_at: Option<&'a Path>,
}

impl SaveJob<'_> {
    /// Fetches them all. Ctrl-C ends it with a word on where the response is.
    pub(crate) async fn run(&self, client: &Client, response: &impl HasImages) -> Result<Vec<SaveOutcome>, Failure> {
        let count = response.images().len();
        let progress = self.context.progress("saving", Counted::Bytes, None);
        let mut saving =
            client.save_all(response, self.folder).if_exists(self.if_exists).on_progress(save_bar(progress, count));
        if let Some(name) = &self.saving.name {
            saving = saving.stem(name);
        }
        let graceful = self.context.interrupt().gracefully();
        let outcomes = select! {
            outcomes = saving.outcomes() => outcomes,
            _ = graceful.signalled() => {
                let failure = Failure::new(Exit::Interrupted, "interrupted while images were being saved")
                    .fact("they are made and billed, and stay at their links for some hours");
                return Err(self.with_hint(failure));
            }
        };
        let wording = Wording { action: "cannot save the images", inspect: "" };
        outcomes.map_err(|error| self.with_hint(self.context.failure(wording, &error)))
    }

    /// Prints what became of them, shows them, and ends with the exit code that they deserve.
    pub(crate) async fn finish(&self, report: Report<'_>) -> Result<(), Failure> {
        for (image, outcome) in report.images.iter().zip(&report.outcomes) {
            if matches!(outcome, SaveOutcome::AlreadyThere { .. }) {
                self.context.output().note(&format!("image {} is already saved", image.number()));
            }
        }
        report.print(self.context.output())?;
        if let Some(remark) = report.note() {
            self.context.output().note(&remark);
        }
        open::show(self.context, self.saving, report.paths()).await;
        match report.failure() {
            None => Ok(()),
            Some(failure) if report.can_be_fetched_later() => Err(self.with_hint(failure)),
            Some(failure) => Err(match self.stored_at {
                Some(path) => {
                    let path = path.display().to_string();
                    failure.hint(format!("the response is stored in {path}")).detail("stored_at", path)
                }
                None => failure,
            }),
        }
    }

    fn with_hint(&self, failure: Failure) -> Failure {
        match self.stored_at {
            Some(path) => failure.hint(fetch_hint(path, self.folder)).detail("stored_at", path.display().to_string()),
            None => failure,
        }
    }
}

fn fetch_hint(stored_at: &Path, folder: &Path) -> String {
    format!(
        "this fetches the images from the stored response, at no cost, while their links live: \
         ideogram save {} --out {}",
        shell_word(&stored_at.display().to_string()),
        shell_word(&folder.display().to_string())
    )
}

fn upload_bar(messages: Messages) -> impl Fn(u64, Option<u64>) + Send + Sync + 'static {
    let bar: Mutex<Option<Progress>> = Mutex::default();
    move |sent, total| {
        let mut bar = bar.lock().unwrap_or_else(PoisonError::into_inner);
        if total.is_some_and(|total| sent >= total || total < SMALL_UPLOAD) {
            *bar = None;
            return;
        }
        bar.get_or_insert_with(|| Progress::new(&messages, "uploading", Counted::Bytes, total)).set(sent);
    }
}

fn save_bar(progress: Progress, count: usize) -> impl Fn(SaveProgress) + Send + Sync + 'static {
    let received = Arc::new(Mutex::new(vec![0_u64; count]));
    move |now| {
        let mut received = received.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bytes) = received.get_mut(now.image) {
            *bytes = now.received_bytes;
        }
        progress.set(received.iter().sum());
        progress.message(format!("{} of {}", now.finished, units::count(now.images as u64, "image")));
    }
}
