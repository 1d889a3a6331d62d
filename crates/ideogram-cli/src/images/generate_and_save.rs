//! From a call to images on disk.
//!
//! Start at [`generate_and_save`]. The folder is tried before anything is paid for, the response is on disk before
//! it is decoded, and whatever becomes of the images, the command says where the response is.

use std::{
    fs,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use ideogram_client::{
    CallOptions, Client, Error, Response, StoredResponse,
    job::Wait,
    request::Request,
    save::{HasImages, IfExists, Image as _, ImageOutcome, SaveOutcome, SaveProgress},
};
use serde_json::Value;
use tokio::select;

use super::{
    job::{self, Unfinished, save_command},
    open,
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
    session::context::Context,
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
    let requested = request.images();
    let runs_as_job = request.operation().job.is_some();
    let images = units::count(requested.into(), "image");
    let sent = job::as_sent(request.clone()).map_err(|error| context.failure(action, &error))?;
    if context.is_dry_run() {
        context.show(&sent, action).await?;
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
            "the images of the generation {} are not saved; if its command has ended, this saves them, at no cost (to \
             forget them, delete \"{}\"): {}",
            job.id,
            job.stored_at.display(),
            save_command(&job.id, &folder)
        );
        context.output().warning(&text);
    }
    let options = CallOptions::new()
        .store_responses_in(folder.join(RESPONSES))
        .on_upload(upload_bar(context.output().messages().clone()));
    let client = context.client().with(options);
    let (if_exists, requested) = (IfExists::Number, Some(requested));
    let saver = ImageSaver { context, saving, folder: &folder, if_exists, requested, stored_at: None, job: None };
    let paid = PaidCall { client, saver };
    let response =
        if runs_as_job { paid.run_job(sent, action).await } else { paid.call(sent, format!("making {images}")).await };
    match response {
        Ok(response) => paid.save(&response, response.value().clone(), response.stored_at()).await,
        Err(Unfinished::Call(error)) => paid.save_what_is_whole(&error, context.failure(action, &error)).await,
        Err(Unfinished::Poll { error, runs_on }) => paid.save_what_is_whole(&error, runs_on).await,
        Err(Unfinished::Failed(failure) | Unfinished::Ended(failure)) => Err(failure),
    }
}

/// A call that was sent.
#[derive(Debug)]
struct PaidCall<'a> {
    client: Client,
    /// For its images; where its response is stored is not known yet.
    saver: ImageSaver<'a>,
}

impl PaidCall<'_> {
    /// Sends a call that does not run as a job; `doing` is the label of the progress.
    async fn call(&self, request: Request, doing: String) -> Result<Response<Value>, Unfinished> {
        let context = self.saver.context;
        let progress = context.progress(doing, Counted::Time, None);
        let in_flight = context.interrupt().call(request.operation());
        let response = context.finish(self.client.execute(request)).await.map_err(Unfinished::Failed)?;
        drop((in_flight, progress));
        response.inspect(|response| context.announce(response)).map_err(Unfinished::Call)
    }

    /// Submits a call as a job, whose id is on disk then, and waits for its images.
    async fn run_job(&self, request: Request, action: &str) -> Result<Response<Value>, Unfinished> {
        let ImageSaver { context, folder, .. } = self.saver;
        let in_flight = context.interrupt().call(request.operation());
        let submitted = {
            let _progress = context.progress("submitting", Counted::Time, None);
            context.finish(self.client.submit::<Value>(request)).await.map_err(Unfinished::Failed)?
        };
        drop(in_flight);
        let job = submitted.map_err(Unfinished::Call)?;
        let wait = context.timeout().into_iter().fold(job.wait(), Wait::deadline);
        let waited = job::wait(context, wait, job.id(), action, &save_command(job.id(), folder)).await;
        let has_ended = match &waited {
            Err(Unfinished::Failed(_)) => context.is_mock(),
            Err(Unfinished::Ended(_)) => true,
            _ => false,
        };
        if let Some(path) = job.stored_at().filter(|_| has_ended) {
            // It is not billed, and nothing can be fetched.
            let _ = fs::remove_file(path);
        }
        waited
    }

    /// Saves the images whose links are whole in a damaged response. Succeeds if these are all requested images, and
    /// otherwise returns the failure.
    async fn save_what_is_whole(&self, error: &Error, failure: Failure) -> Result<(), Failure> {
        let images = error.images();
        let folder = Some(self.saver.folder).filter(|_| !images.is_empty());
        let failure = with_stored(failure, error.stored_at(), folder);
        if !images.iter().any(|image| matches!(image.outcome(), ImageOutcome::Available(_))) {
            return Err(failure);
        }
        self.saver
            .context
            .output()
            .note(&format!("{error}; the links in the response are whole, so its images are saved"));
        let stored_at = error.stored_at();
        let stored = match stored_at {
            Some(path) => StoredResponse::read(path).await.ok(),
            None => None,
        };
        let json = error.decode_body().unwrap_or_default();
        match &stored {
            // It knows the request too.
            Some(stored) => self.save(stored, json, stored_at).await?,
            None => self.save(error, json, stored_at).await?,
        }
        let is_all = self.saver.requested.is_none_or(|requested| images.len() as u64 >= requested.into());
        if is_all { Ok(()) } else { Err(failure) }
    }

    async fn save(&self, response: &impl HasImages, json: Value, stored_at: Option<&Path>) -> Result<(), Failure> {
        ImageSaver { stored_at, ..self.saver }.save(&self.client, response, json).await
    }
}

/// Saves the images of a response that is there, whatever way it came.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ImageSaver<'a> {
    pub(crate) context: &'a Context<'a>,
    pub(crate) saving: &'a SaveFlags,
    pub(crate) folder: &'a Path,
    pub(crate) if_exists: IfExists,
    /// The number of requested images, if it is known.
    pub(crate) requested: Option<u32>,
    /// Where the response is, to fetch them later.
    pub(crate) stored_at: Option<&'a Path>,
    /// The generation that has them, if its id may be stored: it is forgotten unless an image is missing.
    pub(crate) job: Option<&'a str>,
}

impl ImageSaver<'_> {
    /// Fetches all images, prints the outcomes, shows the images, and returns the matching exit code. `json` is the
    /// response for the output.
    pub(crate) async fn save(&self, client: &Client, response: &impl HasImages, json: Value) -> Result<(), Failure> {
        let (output, images) = (self.context.output(), response.images());
        let outcomes = self.fetch(client, response, images.len()).await?;
        for (image, outcome) in images.iter().zip(&outcomes) {
            if matches!(outcome, SaveOutcome::AlreadyThere { .. }) {
                output.note(&format!("image {} is already saved", image.number()));
            }
        }
        let (requested, stored_at) = (self.requested, self.stored_at);
        let report = Report { response: json, images, outcomes, requested, stored_at };
        // Waiting again is free, and may give links that are missing.
        if let Some(id) = self.job.filter(|_| !report.outcomes.iter().any(SaveOutcome::is_missing)) {
            job::forget(self.folder, id).await;
        }
        report.print(output)?;
        if let Some(note) = report.note() {
            output.note(&note);
        }
        open::show(self.context, self.saving, report.paths()).await;
        let folder = Some(self.folder).filter(|_| report.can_be_fetched_later());
        report.failure().map_or(Ok(()), |failure| Err(with_stored(failure, stored_at, folder)))
    }

    /// Fetches the images. After Ctrl-C, the failure says where the response is.
    async fn fetch(
        &self,
        client: &Client,
        response: &impl HasImages,
        count: usize,
    ) -> Result<Vec<SaveOutcome>, Failure> {
        let progress = self.context.progress("saving", Counted::Bytes, None);
        let mut saving =
            client.save_all(response, self.folder).if_exists(self.if_exists).on_progress(save_bar(progress, count));
        if let Some(name) = &self.saving.name {
            saving = saving.stem(name);
        }
        let graceful = self.context.interrupt().gracefully();
        let failure = select! {
            outcomes = saving.outcomes() => match outcomes {
                Ok(outcomes) => return Ok(outcomes),
                Err(error) => {
                    self.context.failure("cannot save the images", &error)
                }
            },
            _ = graceful.signalled() => Failure::new(Exit::Interrupted, "interrupted while images were being saved")
                .fact("they are made and billed, and stay at their links for about 24 hours"),
        };
        Err(with_stored(failure, self.stored_at, Some(self.folder)))
    }
}

/// Adds where the response is, if it is stored; with a folder also how to fetch its images into it.
fn with_stored(failure: Failure, stored_at: Option<&Path>, folder: Option<&Path>) -> Failure {
    let Some(path) = stored_at else { return failure };
    let path_text = path.display().to_string();
    let hint = match folder {
        Some(folder) => format!(
            "this fetches the images from the stored response, at no cost, while their links live: \
             ideogram save {} --out {}",
            shell_word(&path_text),
            shell_word(&folder.display().to_string())
        ),
        None => format!("the response is stored in {path_text}"),
    };
    failure.hint(hint).detail("stored_at", path_text)
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
