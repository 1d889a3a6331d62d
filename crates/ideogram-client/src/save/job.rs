//! A job from its submission to its saved images, as one call.

use std::{
    fmt,
    future::{IntoFuture, ready},
    io,
    path::{Path, PathBuf},
    pin::Pin,
    time::Duration,
};

use futures_util::{StreamExt as _, stream};

use super::{HasImages, SaveOutcome, all::paths_of};
use crate::{
    CallOptions, Client, Error, ErrorKind, Job, JobBuilder, Outcome, StoredResponse,
    job::{DEADLINE, JobError, job_id, operation_of_jobs, submit},
    request::Request,
};

/// How many jobs of earlier runs are waited for at a time.
const PARALLEL: usize = 8;

/// The folder for the ids of jobs, inside the folder for images.
const JOBS: &str = ".ideogram-jobs";

/// A job from its submission to its saved images; see [`Client::run_job`].
#[must_use = "nothing is sent until it is awaited"]
pub struct RunJob {
    client: Client,
    request: Result<Request, Error>,
    folder: PathBuf,
    deadline: Duration,
}

impl Client {
    /// Submits a call as a job, writes its id to disk, waits for the images, and saves them into a folder.
    ///
    /// The id is in a file in the subfolder `.ideogram-jobs` before the wait begins, and the file is removed when every
    /// image is saved. So nothing that was paid is lost if the program ends early: [`Client::resume_jobs`] with the same
    /// folder goes on.
    ///
    /// ```
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = ideogram_mock::MockServer::start().await?;
    /// # let client = ideogram_client::Client::builder().api_key(server.api_key()).base_url(server.url()).build()?;
    /// # let folder = tempfile::tempdir()?;
    /// # let folder = folder.path();
    /// let call = client.generate_image_v2_ideogram45().prompt("A paper lantern");
    /// for outcome in client.run_job(call, folder).await? {
    ///     println!("{:?}", outcome.path());
    /// }
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Runtime::new().unwrap().block_on(example()).unwrap();
    /// ```
    pub fn run_job(&self, call: impl JobBuilder, folder: impl Into<PathBuf>) -> RunJob {
        RunJob { client: self.clone(), request: call.prepare(), folder: folder.into(), deadline: DEADLINE }
    }

    /// Waits for the jobs that earlier runs of [`Client::run_job`] left in a folder, several at a time, and saves their
    /// images. Without such jobs, it sends nothing. Images that are on disk already are not downloaded again.
    ///
    /// A job that failed is removed; its error is in the result. All other jobs that cannot be finished stay in the subfolder
    /// `.ideogram-jobs`, for the next time. A file there that cannot be read can be deleted by hand, if the images of its
    /// generation are not needed.
    pub fn resume_jobs(&self, folder: impl Into<PathBuf>) -> ResumeJobs {
        ResumeJobs { client: self.clone(), folder: folder.into(), deadline: DEADLINE }
    }

    async fn resume(&self, path: &Path, folder: &Path, deadline: Duration) -> Result<Vec<SaveOutcome>, JobError> {
        // A response with images is one whose images were not all saved.
        let stored = StoredResponse::read(path).await?;
        if !stored.images().is_empty() {
            let outcomes = save(self, &stored, path, folder).await?;
            let lacks_link = |outcome: &SaveOutcome| match outcome {
                SaveOutcome::Failed(error) => error.kind() == ErrorKind::LinkExpired,
                outcome => outcome.is_missing(),
            };
            if !outcomes.iter().any(lacks_link) {
                return Ok(outcomes);
            }
            // A poll is free, and its response may have new links.
        }
        finish(self, &self.job_from_stored(path).await?, folder, deadline).await
    }
}

impl RunJob {
    /// Sets how long to wait for the images: 15 minutes by default. The job itself runs on.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Runs the job, and returns the paths of its images in the order of the response, without withheld images.
    ///
    /// # Errors
    ///
    /// Those of awaiting it, and the error of the first image that could not be saved: [`Client::resume_jobs`] tries again,
    /// which costs nothing.
    pub async fn paths(self) -> Result<Vec<PathBuf>, JobError> {
        Ok(paths_of(self.run().await?)?)
    }

    /// Like awaiting it, for programs without `async`.
    ///
    /// # Errors
    ///
    /// Those of awaiting it.
    #[cfg(feature = "blocking")]
    pub fn run_blocking(self) -> Result<Vec<SaveOutcome>, JobError> {
        let client = self.client.clone();
        client.block_on(self.run())?
    }

    async fn run(self) -> Result<Vec<SaveOutcome>, JobError> {
        let Self { client, request, folder, deadline } = self;
        let jobs = folder.join(JOBS);
        let storing = client.with(CallOptions::new().store_responses_in(&jobs));
        let submitted: Result<Job, Error> = submit(&storing, request?).await;
        // An attempt of unknown outcome may still store its response.
        let ran_nothing = |error: &Error| matches!(error.outcome(), Outcome::NotSent | Outcome::Declined);
        if submitted.as_ref().is_err_and(ran_nothing) {
            // Only if it is empty.
            let _ = std::fs::remove_dir(&jobs);
        }
        let job = submitted?;
        finish(&client, &job, &folder, deadline).await
    }
}

impl IntoFuture for RunJob {
    type Output = Result<Vec<SaveOutcome>, JobError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

impl fmt::Debug for RunJob {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = formatter.debug_struct("RunJob");
        debug.field("folder", &self.folder).field("deadline", &self.deadline).finish_non_exhaustive()
    }
}

impl StoredResponse {
    /// The id of the job that this response accepted. `None` if it has images or says how the job ended.
    pub fn job_id(&self) -> Option<&str> {
        let operation = operation_of_jobs(self.operation_id()).ok()?;
        let response = self.response()?;
        let status = operation.job.as_ref()?.poll.poll.as_ref().map_or("", |poll| poll.status);
        let is_accepted = self.status() < 300 && response[status].is_null() && self.images().is_empty();
        job_id(operation, response).filter(|_| is_accepted)
    }
}

/// Finishes the jobs of earlier runs; see [`Client::resume_jobs`].
#[must_use = "nothing is sent until it is awaited"]
#[derive(Clone, Debug)]
pub struct ResumeJobs {
    client: Client,
    folder: PathBuf,
    deadline: Duration,
}

impl ResumeJobs {
    /// Sets how long to wait for each job: 15 minutes by default. The jobs themselves run on.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Like awaiting it, for programs without `async`.
    ///
    /// # Errors
    ///
    /// Those of awaiting it.
    #[cfg(feature = "blocking")]
    pub fn resume_blocking(self) -> Result<Vec<Result<Vec<SaveOutcome>, JobError>>, Error> {
        let client = self.client.clone();
        client.block_on(self.run())?
    }

    async fn run(self) -> Result<Vec<Result<Vec<SaveOutcome>, JobError>>, Error> {
        let Self { client, folder, deadline } = self;
        let jobs = stored_jobs(&folder.join(JOBS)).map_err(|error| {
            let message = format!("cannot read \"{}\": {error}", folder.join(JOBS).display());
            Error::new(ErrorKind::LocalIo, Outcome::NotSent, message).with_source(error)
        })?;
        let (client, folder) = (&client, folder.as_path());
        let resumed = jobs.into_iter().map(|path| async move {
            let result = client.resume(&path, folder, deadline).await;
            // Another process may have finished it meanwhile, and removed the file.
            let is_gone = |error: &JobError| error.kind() == ErrorKind::LocalIo && !path.exists();
            (!result.as_ref().is_err_and(is_gone)).then_some(result)
        });
        Ok(stream::iter(resumed).buffered(PARALLEL).filter_map(ready).collect().await)
    }
}

impl IntoFuture for ResumeJobs {
    type Output = Result<Vec<Result<Vec<SaveOutcome>, JobError>>, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    /// Returns the result of each job, the oldest first. It is an error ([`ErrorKind::LocalIo`]) if the folder cannot be read.
    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

/// Waits for a job, and saves its images.
async fn finish(client: &Client, job: &Job, folder: &Path, deadline: Duration) -> Result<Vec<SaveOutcome>, JobError> {
    match job.wait().deadline(deadline).await {
        Ok(response) => Ok(save(client, &response, response.stored_at().unwrap_or(Path::new("")), folder).await?),
        Err(error) => {
            if let (JobError::Failed { .. }, Some(path)) = (&error, job.stored_at()) {
                remove(path);
            }
            Err(error)
        }
    }
}

/// Saves the images of a stored response, and removes it unless an image is missing.
async fn save(
    client: &Client,
    response: &impl HasImages,
    stored_at: &Path,
    folder: &Path,
) -> Result<Vec<SaveOutcome>, Error> {
    let outcomes = client.save_all(response, folder).outcomes().await?;
    if !outcomes.iter().any(SaveOutcome::is_missing) {
        remove(stored_at);
    }
    Ok(outcomes)
}

/// Removes the file of a job. If it stays, the next run finds the images on disk, and tries again.
fn remove(stored_at: &Path) {
    let _ = std::fs::remove_file(stored_at);
    if let Some(folder) = stored_at.parent() {
        // Only if it is empty.
        let _ = std::fs::remove_dir(folder);
    }
}

/// The stored jobs of a folder, the oldest first: their names begin with the time.
fn stored_jobs(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "json") {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}
