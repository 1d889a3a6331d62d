//! A job from its submission to its saved images, as one call.

use std::{
    fmt,
    future::IntoFuture,
    io,
    path::{Path, PathBuf},
    pin::Pin,
    time::Duration,
};

use super::{HasImages, IfExists, SaveOutcome};
use crate::{
    CallOptions, Client, Error, ErrorKind, Job, JobBuilder, Outcome, StoredResponse,
    job::{JobError, submit},
    request::Request,
};

/// The folder for the ids of jobs, inside the folder for images.
const JOBS: &str = ".ideogram-jobs";

/// A job from its submission to its saved images; see [`Client::run_job`].
#[must_use = "nothing is sent until it is awaited"]
pub struct RunJob {
    client: Client,
    request: Result<Request, Error>,
    folder: PathBuf,
    deadline: Option<Duration>,
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
        RunJob { client: self.clone(), request: call.prepare(), folder: folder.into(), deadline: None }
    }

    /// Waits for the jobs that earlier runs of [`Client::run_job`] left in a folder, and saves their images. Without such
    /// jobs, it sends nothing. Images that are on disk already are not downloaded again.
    ///
    /// A job that failed is removed; its error is in the result. All other jobs that cannot be finished stay, for the
    /// next time.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::LocalIo`] if the folder cannot be read.
    pub async fn resume_jobs(
        &self,
        folder: impl AsRef<Path>,
    ) -> Result<Vec<Result<Vec<SaveOutcome>, JobError>>, Error> {
        let folder = folder.as_ref();
        let jobs = stored_jobs(&folder.join(JOBS)).map_err(|error| {
            let message = format!("cannot read \"{}\": {error}", folder.join(JOBS).display());
            Error::new(ErrorKind::LocalIo, Outcome::NotSent, message).with_source(error)
        })?;
        let mut results = Vec::new();
        for path in jobs {
            results.push(self.resume(&path, folder).await);
        }
        Ok(results)
    }

    async fn resume(&self, path: &Path, folder: &Path) -> Result<Vec<SaveOutcome>, JobError> {
        // A response with images is one whose images were not all saved.
        let stored = StoredResponse::read(path).await?;
        if stored.images().is_empty() {
            return finish(self, &self.job_from_stored(path).await?, folder, None).await;
        }
        Ok(save(self, &stored, path, folder).await?)
    }
}

impl RunJob {
    /// Sets how long to wait for the images: 15 minutes by default. The job itself runs on.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = Some(deadline);
        self
    }

    async fn run(self) -> Result<Vec<SaveOutcome>, JobError> {
        let Self { client, request, folder, deadline } = self;
        let storing = client.with(CallOptions::new().store_responses_in(folder.join(JOBS)));
        let job: Job = submit(&storing, request?).await?;
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

/// Waits for a job, and saves its images.
async fn finish(
    client: &Client,
    job: &Job,
    folder: &Path,
    deadline: Option<Duration>,
) -> Result<Vec<SaveOutcome>, JobError> {
    let wait = job.wait();
    let waited = match deadline {
        Some(deadline) => wait.deadline(deadline).await,
        None => wait.await,
    };
    match waited {
        Ok(response) => Ok(save(client, &response, response.stored_at().unwrap_or(Path::new("")), folder).await?),
        Err(error) => {
            if let (JobError::Failed { .. }, Some(path)) = (&error, job.stored_at()) {
                remove(path);
            }
            Err(error)
        }
    }
}

/// Saves the images of a stored response, and removes it if nothing is left to fetch.
async fn save(
    client: &Client,
    response: &impl HasImages,
    stored_at: &Path,
    folder: &Path,
) -> Result<Vec<SaveOutcome>, Error> {
    let outcomes = client.save_all(response, folder).if_exists(IfExists::Skip).outcomes().await?;
    if outcomes.iter().all(|outcome| !matches!(outcome, SaveOutcome::Failed(_))) {
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
