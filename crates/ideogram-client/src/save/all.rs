//! Saving every image of a response.

use std::{
    future::IntoFuture,
    path::{Path, PathBuf},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use futures_util::{StreamExt as _, stream};
use tokio::sync::Semaphore;

use super::{
    failure,
    image_ref::ImageRef,
    images::{Provenance, stems},
    one::{save, sync_names},
    saved::{Done, Saved},
    settings::{IfExists, SaveProgress, Settings, setters},
    target::{Target, check_stem},
};
use crate::{
    Client, Error,
    save::{Image as _, ImageOutcome},
};

/// The default number of concurrent downloads.
const PARALLEL: usize = 4;

/// Saves every image of a response when it is awaited; see [`Client::save_all`].
///
/// If the future is dropped, the saved images stay, and nothing is left of the others.
#[must_use = "nothing is saved until it is awaited"]
#[derive(Debug)]
pub struct SaveAll {
    client: Client,
    images: Vec<ImageRef>,
    origin: Provenance,
    folder: PathBuf,
    stem: Option<String>,
    parallel: usize,
    settings: Settings,
}

/// The outcome of saving one image of a response.
#[derive(Debug)]
#[non_exhaustive]
pub enum SaveOutcome {
    /// It was saved.
    Saved(Saved),
    /// It was on disk already, and was not downloaded: [`IfExists::SkipOrNumber`] or [`IfExists::Skip`].
    AlreadyThere {
        /// The path of the image.
        path: PathBuf,
    },
    /// The safety check withheld it: it was generated and billed, and there is nothing to save.
    Withheld,
    /// It passed the safety check but has no link: the response broke off before it, or is not as documented.
    LinkMissing,
    /// It could not be saved. Saving it again costs nothing while the link works; [`ErrorKind::LinkExpired`] says that it
    /// does not.
    ///
    /// [`ErrorKind::LinkExpired`]: crate::ErrorKind::LinkExpired
    Failed(Error),
}

impl SaveOutcome {
    /// The path of the image, if it is on disk, saved now or earlier.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Saved(saved) => Some(&saved.path),
            Self::AlreadyThere { path } => Some(path),
            _ => None,
        }
    }

    /// The saved image, if it was saved now.
    pub fn saved(&self) -> Option<&Saved> {
        if let Self::Saved(saved) = self { Some(saved) } else { None }
    }

    /// Whether it is not on disk, and was not withheld either: saving again may help.
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Failed(_) | Self::LinkMissing)
    }

    /// Why it could not be saved.
    pub fn error(&self) -> Option<&Error> {
        if let Self::Failed(error) = self { Some(error) } else { None }
    }
}

impl SaveAll {
    pub(super) fn new(client: Client, images: Vec<ImageRef>, origin: Provenance, folder: PathBuf) -> Self {
        let settings = Settings { if_exists: IfExists::SkipOrNumber, ..Settings::default() };
        Self { client, images, origin, folder, stem: None, parallel: PARALLEL, settings }
    }

    /// Names the files `<stem>.png`, or `<stem>-1.png`, `<stem>-2.png`, ... for several images. The number is the position
    /// in the response, or in the list if images of several responses would get the same name.
    ///
    /// The default is a name such as `20260702T090713Z-1-LavTZAE4.png`: the time of the response in UTC, the position in
    /// the response, and a part of the link. An image gets the same name each time, so that saving again finds it.
    pub fn stem(mut self, stem: impl Into<String>) -> Self {
        self.stem = Some(stem.into());
        self
    }

    /// Sets the number of concurrent downloads: 4 by default, at least 1.
    pub fn parallel(mut self, downloads: usize) -> Self {
        self.parallel = downloads.max(1);
        self
    }

    setters!();

    /// Saves the images, and returns their paths in the order of the response, without withheld images.
    ///
    /// ```no_run
    /// # async fn example(client: ideogram_client::Client) -> Result<(), ideogram_client::Error> {
    /// let response = client.generate_image_v3().prompt("A paper lantern").await?;
    /// for path in client.save_all(&response, "images").paths().await? {
    ///     println!("{}", path.display());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// The error of the first image that could not be saved; the others stay on disk. Saving again costs nothing, and
    /// downloads only what is missing. Awaiting without `paths()` returns the outcome of each image instead.
    pub async fn paths(self) -> Result<Vec<PathBuf>, Error> {
        paths_of(self.run().await?)
    }

    /// Saves the images, and returns the outcome of each, in the order of the response, even if none could be saved.
    ///
    /// # Errors
    ///
    /// If nothing could be tried, as when the folder cannot be created.
    pub async fn outcomes(self) -> Result<Vec<SaveOutcome>, Error> {
        self.run().await
    }

    async fn run(self) -> Result<Vec<SaveOutcome>, Error> {
        let Self { client, images, origin, folder, stem, parallel, settings } = self;
        if let Some(stem) = &stem
            && let Err(reason) = check_stem(stem)
        {
            return Err(Error::invalid_argument(format!("`{stem}` is not valid as the name of a file: {reason}")));
        }
        if images.is_empty() && origin.broke_off() {
            return Err(failure::broken_response());
        }
        let origin = Arc::new(origin.summarized().await);
        let stems = stems(&images, stem.as_deref());
        let count = images.len();
        let (finished, slots) = (AtomicUsize::new(0), Semaphore::new(parallel.min(Semaphore::MAX_PERMITS)));
        let saving = images.into_iter().zip(stems).enumerate().map(|(index, (image, stem))| {
            let target = Target::in_folder(folder.clone(), &stem);
            let (client, settings, finished, origin) = (&client, &settings, &finished, Arc::clone(&origin));
            let slots = &slots;
            async move {
                let report = |received_bytes, total_bytes| {
                    let (finished, images) = (finished.load(Ordering::Relaxed), count);
                    settings.report(SaveProgress { image: index, received_bytes, total_bytes, finished, images });
                };
                let outcome = match image.outcome() {
                    ImageOutcome::Withheld => SaveOutcome::Withheld,
                    ImageOutcome::LinkMissing => SaveOutcome::LinkMissing,
                    ImageOutcome::Available(_) => {
                        match save(client, image, origin, target, settings, &report, slots).await {
                            Ok(Done::Saved(saved)) => SaveOutcome::Saved(saved),
                            Ok(Done::AlreadyThere(saved)) => SaveOutcome::AlreadyThere { path: saved.path },
                            Err(error) => SaveOutcome::Failed(error),
                        }
                    }
                };
                finished.fetch_add(1, Ordering::Relaxed);
                let size_bytes = outcome.saved().map(|saved| saved.size_bytes);
                report(size_bytes.unwrap_or(0), size_bytes);
                (index, outcome)
            }
        });
        // Unordered, so that a slow download does not delay the next ones; and while images are synced, the next ones are
        // downloaded.
        let mut outcomes: Vec<_> = stream::iter(saving).buffer_unordered(parallel.saturating_mul(2)).collect().await;
        if outcomes.iter().any(|(_, outcome)| outcome.saved().is_some()) {
            sync_names(folder).await;
        }
        outcomes.sort_by_key(|(index, _)| *index);
        Ok(outcomes.into_iter().map(|(_, outcome)| outcome).collect())
    }
}

impl IntoFuture for SaveAll {
    type Output = Result<Vec<SaveOutcome>, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    /// Saves the images, and returns the outcome of each. Fails if at least one image
    /// failed and none is on disk. [`SaveAll::outcomes`] never fails for that reason; [`SaveAll::paths`] fails if any image
    /// failed.
    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async {
            let outcomes = self.run().await?;
            let is_on_disk = outcomes.iter().any(|outcome| outcome.path().is_some());
            if is_on_disk || !outcomes.iter().any(SaveOutcome::is_missing) {
                Ok(outcomes)
            } else {
                Err(first_failure(outcomes))
            }
        })
    }
}

/// The paths of the images that are on disk, unless one could not be saved.
pub(super) fn paths_of(outcomes: Vec<SaveOutcome>) -> Result<Vec<PathBuf>, Error> {
    if outcomes.iter().any(SaveOutcome::is_missing) {
        return Err(first_failure(outcomes));
    }
    Ok(outcomes.iter().filter_map(|outcome| outcome.path().map(Path::to_owned)).collect())
}

/// The error of the first image that could not be saved.
fn first_failure(outcomes: Vec<SaveOutcome>) -> Error {
    let (images, missing) = (outcomes.len(), outcomes.iter().filter(|outcome| outcome.is_missing()).count());
    let error = outcomes.into_iter().find_map(|outcome| match outcome {
        SaveOutcome::Failed(error) => Some(error.with_note(&format!("{missing} of {images} images were not saved"))),
        _ => None,
    });
    error.unwrap_or_else(|| failure::link_missing(missing, images))
}
