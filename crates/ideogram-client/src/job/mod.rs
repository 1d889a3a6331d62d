//! Jobs: calls whose images are made after the response.
//!
//! Start at [`Client::run_job`], or at `submit()` of the builder of an image operation of the second API version. The
//! service responds with an id as soon as it has accepted the call, and makes the images afterwards. The id is what
//! makes a job safe: whatever breaks later, [`Job::wait`] finds the images again, in this program or in another one.
//!
//! | what happens | what it means |
//! | --- | --- |
//! | `submit()` returns a [`Job`] | The service has accepted the call. It is billed when it completes. |
//! | `submit()` fails with [`Outcome::Unknown`] | A job may run whose id is not known. |
//! | [`Wait`] fails with any error but [`JobError::Failed`] | The job runs on; waiting again is free. |
//! | [`JobError::Failed`] | The job has no images and is not billed. |

mod wait;

use std::{
    fmt,
    marker::PhantomData,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::SystemTime,
};

use serde::{Deserialize, Serialize, Serializer, de::DeserializeOwned};
use serde_json::Value;

pub(crate) use self::wait::{DEADLINE, wait};
pub use self::wait::{JobError, JobProgress, JobState, Wait};
use crate::{
    CallBuilder, Client, DynamicCall, Error, ErrorKind, Outcome, StoredResponse, Timestamp,
    call::{ImagePermit, call, call_with_permit, redacted, stored_response::CallSummary},
    generated::operations,
    operation::Operation,
    request::Request,
};

/// A job that the service has accepted.
///
/// It can be kept: serialize it, and read it with [`Client::job_from_json`], or keep the id alone. It holds the permits
/// for its images in flight until [`Job::wait`] has seen its end, or until the job and its clones are dropped. A job that was
/// read again holds none.
///
/// `T` is the decoded response of the operation that returns the state of the job.
pub struct Job<T = Value> {
    client: Client,
    id: String,
    operation: &'static Operation,
    accepted: Timestamp,
    origin: Origin,
    finished: PhantomData<fn() -> T>,
}

/// Where a job comes from.
#[derive(Clone, Debug)]
struct Origin {
    started_by: Arc<CallSummary>,
    /// The stored response with the id.
    stored_at: Option<PathBuf>,
    permit: HeldPermit,
}

/// Permits that a wait releases when it has seen the end of the job.
type HeldPermit = Arc<Mutex<Option<ImagePermit>>>;

/// A job as JSON.
#[derive(Serialize, Deserialize)]
struct JobJson {
    operation: String,
    id: String,
    accepted: Timestamp,
    #[serde(default)]
    request: Value,
}

/// Sends a request as a job.
pub(crate) async fn submit<T>(client: &Client, request: Request) -> Result<Job<T>, Error> {
    let request = request.into_job()?;
    let operation = request.operation();
    let infos = request.inspect_files().await?;
    let started_by = request.call_summary(&infos);
    let (response, permit) = call_with_permit::<Value>(client, request).await?;
    let Some(id) = job_id(operation, response.value()) else {
        let message = "the response has no id of a job";
        let error = Error::new(ErrorKind::UndocumentedResponse, Outcome::Completed, message);
        let body = redacted(client, response.body().clone());
        let error = error.with_response(response.status(), body, true).in_operation(operation);
        let error = error.after(response.attempts(), response.elapsed(), Outcome::NotSent);
        return Err(error.stored_in(response.stored_at().map(Path::to_owned)));
    };
    Ok(Job {
        client: client.clone(),
        id: id.to_owned(),
        operation,
        accepted: Timestamp::from(SystemTime::now()),
        origin: Origin {
            started_by: Arc::new(started_by),
            stored_at: response.stored_at().map(Path::to_owned),
            permit: Arc::new(Mutex::new(Some(permit))),
        },
        finished: PhantomData,
    })
}

/// Like [`submit`], and waits for it.
#[cfg(feature = "blocking")]
pub(crate) fn submit_blocking<T: 'static>(client: &Client, request: Request) -> Result<Job<T>, Error> {
    let sender = client.clone();
    client.block_on(async move { submit(&sender, request).await })?
}

/// Asks for the price of a request.
pub(crate) async fn quote<T: DeserializeOwned + 'static>(client: &Client, request: Request) -> Result<T, Error> {
    Ok(call::<T>(client, request.into_quote()?).await?.into_value())
}

/// Like [`quote`], and waits for it.
#[cfg(feature = "blocking")]
pub(crate) fn quote_blocking<T>(client: &Client, request: Request) -> Result<T, Error>
where
    T: DeserializeOwned + Send + 'static,
{
    let sender = client.clone();
    client.block_on(async move { quote(&sender, request).await })?
}

/// The id of a job in the response of an operation.
pub(crate) fn job_id<'r>(operation: &Operation, response: &'r Value) -> Option<&'r str> {
    response.get(operation.job.as_ref()?.id)?.as_str().filter(|id| !id.is_empty())
}

impl Client {
    /// Reads a job that was serialized as JSON, to wait for it with this client.
    ///
    /// ```
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = ideogram_mock::MockServer::start().await?;
    /// # let client = ideogram_client::Client::builder().api_key(server.api_key()).base_url(server.url()).build()?;
    /// use ideogram_client::{Job, types::GenerationV2};
    ///
    /// let job = client.generate_image_v2_ideogram45().prompt("A paper lantern").submit().await?;
    /// let json = serde_json::to_string(&job)?;
    /// // Perhaps in another program:
    /// let job: Job<GenerationV2> = client.job_from_json(&json)?;
    /// let response = job.wait().await?;
    /// assert_eq!(response.value().data.len(), 1);
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Runtime::new().unwrap().block_on(example()).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidArgument`] if the text is not a job, or one of an operation that this version does not know.
    pub fn job_from_json<T>(&self, json: &str) -> Result<Job<T>, Error> {
        let read: JobJson = serde_json::from_str(json)
            .map_err(|error| Error::invalid_argument(format!("not the JSON of a job: {error}")))?;
        Ok(self.job(operation_of_jobs(&read.operation)?, read.id, read.accepted, read.request, None))
    }

    /// Reads the job of a stored response ([`store_responses_in`](crate::CallOptions::store_responses_in)): of a call that
    /// was submitted, and whose end was not seen.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::LocalIo`] if the file cannot be read, and [`ErrorKind::InvalidArgument`] if it is not the response of a
    /// job.
    pub async fn job_from_stored<T>(&self, path: impl AsRef<Path>) -> Result<Job<T>, Error> {
        let path = path.as_ref();
        let stored = StoredResponse::read(path).await?;
        let operation = operation_of_jobs(stored.operation_id())?;
        let id = stored.response().and_then(|response| job_id(operation, response)).ok_or_else(|| {
            Error::invalid_argument(format!("the response in \"{}\" has no id of a job", path.display()))
        })?;
        let (received, request) = (stored.received().clone(), stored.request().clone());
        Ok(self.job(operation, id.to_owned(), received, request, Some(path.to_owned())))
    }

    /// Submits a request that was prepared with this client, as `submit()` of its builder does.
    ///
    /// # Errors
    ///
    /// Those of `submit()`, and [`ErrorKind::InvalidArgument`] if the operation does not run as a job, or the request was
    /// prepared for another address than this client's: the key is not sent there.
    pub async fn submit<T>(&self, request: Request) -> Result<Job<T>, Error> {
        self.check_origin(&request)?;
        submit(self, request).await
    }

    /// Returns the price of a request that was prepared with this client, as `quote()` of its builder does.
    ///
    /// # Errors
    ///
    /// Those of `quote()`, and [`ErrorKind::InvalidArgument`] if the operation has no quotes, or the request was prepared
    /// for another address than this client's.
    pub async fn quote<T: DeserializeOwned + 'static>(&self, request: Request) -> Result<T, Error> {
        self.check_origin(&request)?;
        quote(self, request).await
    }

    /// Returns a job of an earlier run, which holds no permits.
    fn job<T>(
        &self,
        operation: &'static Operation,
        id: String,
        accepted: Timestamp,
        request: Value,
        stored_at: Option<PathBuf>,
    ) -> Job<T> {
        let started_by = Arc::new(CallSummary { operation: operation.id.to_owned(), request });
        let origin = Origin { started_by, stored_at, permit: HeldPermit::default() };
        Job { client: self.clone(), id, operation, accepted, origin, finished: PhantomData }
    }
}

/// The operation with this id, which runs as a job.
pub(crate) fn operation_of_jobs(id: &str) -> Result<&'static Operation, Error> {
    let known = operations::ALL.iter().find(|known| known.id == id && known.job.is_some());
    known.copied().ok_or_else(|| Error::invalid_argument(format!("`{id}` does not run as a job")))
}

/// A builder of a call that can run as a job: the builders with `submit()`, and [`DynamicCall`], which refuses operations
/// that do not run as jobs.
pub trait JobBuilder: CallBuilder {
    /// The decoded response with the result of the job.
    type Finished: DeserializeOwned + Send + 'static;

    /// Starts the call as a job, and returns as soon as the service has accepted it.
    fn submit(self) -> impl Future<Output = Result<Job<Self::Finished>, Error>> + Send {
        let client = self.client().clone();
        let request = self.prepare();
        async move { submit(&client, request?).await }
    }
}

impl JobBuilder for DynamicCall<'_> {
    type Finished = Value;
}

impl DynamicCall<'_> {
    /// Starts the call as a job; see [`Job`].
    ///
    /// # Errors
    ///
    /// Those of [`DynamicCall::send`], and [`ErrorKind::InvalidArgument`] if the operation does not run as a job.
    pub async fn submit(self) -> Result<Job, Error> {
        JobBuilder::submit(self).await
    }

    /// Returns the price of the call without making it. Nothing is billed.
    ///
    /// # Errors
    ///
    /// Those of [`DynamicCall::send`], and [`ErrorKind::InvalidArgument`] if the operation has no quotes.
    pub async fn quote(self) -> Result<Value, Error> {
        let client = self.client().clone();
        quote(&client, self.prepare()?).await
    }
}

impl<T> Job<T> {
    /// The id, by which the service returns the state of the job.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The operation that started the job.
    pub fn operation(&self) -> &'static Operation {
        self.operation
    }

    /// When the service accepted the job, by the clock of this machine.
    pub fn accepted(&self) -> &Timestamp {
        &self.accepted
    }

    /// The request that started the job, as a [`RequestSummary`](crate::request::RequestSummary) in JSON.
    pub fn request(&self) -> &Value {
        &self.origin.started_by.request
    }

    /// The path of the stored response with the id, if responses are stored
    /// ([`store_responses_in`](crate::CallOptions::store_responses_in)).
    pub fn stored_at(&self) -> Option<&Path> {
        self.origin.stored_at.as_deref()
    }
}

impl<T: DeserializeOwned + Send + 'static> Job<T> {
    /// Waits until the job has ended. Nothing is sent before the wait is awaited.
    pub fn wait(&self) -> Wait<T> {
        let job = self.operation.job.as_ref().expect("jobs are of operations that run as jobs");
        let request = self.client.call(job.poll.id).and_then(|call| call.field(job.id, &self.id).prepare());
        Wait::new(self.client.clone(), request, Some(self.origin.clone()))
    }
}

impl<T> Clone for Job<T> {
    fn clone(&self) -> Self {
        Self {
            client: self.client.clone(),
            id: self.id.clone(),
            operation: self.operation,
            accepted: self.accepted.clone(),
            origin: self.origin.clone(),
            finished: PhantomData,
        }
    }
}

impl<T> Serialize for Job<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (operation, id) = (self.operation.id.to_owned(), self.id.clone());
        JobJson { operation, id, accepted: self.accepted.clone(), request: self.request().clone() }
            .serialize(serializer)
    }
}

impl<T> fmt::Debug for Job<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = formatter.debug_struct("Job");
        debug.field("operation", &self.operation.id).field("id", &self.id).field("accepted", &self.accepted);
        debug.finish_non_exhaustive()
    }
}
