//! Saving every image of a response.

use std::{
    fmt,
    future::IntoFuture,
    path::{Path, PathBuf},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use futures_util::{StreamExt as _, stream};

use super::{
    failure,
    image_ref::ImageRef,
    images::{Provenance, stems},
    one::{Place, save},
    saved::{Done, Saved},
    settings::{IfExists, SaveProgress, Settings, setters},
    target::{Target, check_stem},
};
use crate::{
    Client, Error,
    save::{Image as _, ImageOutcome},
};

/// So many downloads run at a time.
const PARALLEL: usize = 4;

/// Saves every image of a response when it is awaited; see [`Client::save_all`].
///
/// A future that is dropped keeps the images that are done and leaves nothing behind of the others.
#[must_use = "nothing is saved until it is awaited"]
pub struct SaveAll {
    client: Client,
    images: Vec<ImageRef>,
    origin: Provenance,
    folder: PathBuf,
    stem: Option<String>,
    parallel: usize,
    settings: Settings,
}

/// What became of one image of a response.
#[derive(Debug)]
#[non_exhaustive]
pub enum SaveOutcome {
    /// It is on disk.
    Saved(Saved),
    /// It was on disk already, whole, and nothing was requested: [`IfExists::Skip`].
    AlreadyThere {
        /// Where the image is.
        path: PathBuf,
    },
    /// The safety check withheld it: it was made and billed, and there is nothing to save.
    Withheld,
    /// It passed the safety check but has no link: its response broke off before it, or holds what the service does not
    /// document.
    LinkMissing,
    /// It could not be saved. It is still at its link, unless the error says that the link has expired; saving it again
    /// costs nothing.
    Failed(Error),
}

impl SaveOutcome {
    /// Where the image is, if it is on disk, saved now or before.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Saved(saved) => Some(&saved.path),
            Self::AlreadyThere { path } => Some(path),
            _ => None,
        }
    }

    /// The image, if it was saved now.
    pub fn saved(&self) -> Option<&Saved> {
        match self {
            Self::Saved(saved) => Some(saved),
            _ => None,
        }
    }

    /// Why it could not be saved, if there was something to save.
    pub fn error(&self) -> Option<&Error> {
        match self {
            Self::Failed(error) => Some(error),
            _ => None,
        }
    }
}

impl SaveAll {
    pub(super) fn new(client: Client, images: Vec<ImageRef>, origin: Provenance, folder: PathBuf) -> Self {
        Self { client, images, origin, folder, stem: None, parallel: PARALLEL, settings: Settings::default() }
    }

    /// Names the files `<stem>.png`, or `<stem>-1.png`, `<stem>-2.png`, ... where the response has several images. The
    /// number is the place in the response; in the list, if images of several responses have the same.
    ///
    /// Without it they are named `20260702T090713Z-1-LavTZAE4.png`: when they were made, in UTC, their place in the
    /// response, and a piece of their link. That is the same name each time, so images that are there already are not
    /// downloaded again: [`IfExists::Skip`] takes them for saved.
    pub fn stem(mut self, stem: impl Into<String>) -> Self {
        self.stem = Some(stem.into());
        self
    }

    /// How many downloads run at a time: 4 by default, 1 at least.
    pub fn parallel(mut self, downloads: usize) -> Self {
        self.parallel = downloads.max(1);
        self
    }

    setters!();

    async fn run(self) -> Result<Vec<SaveOutcome>, Error> {
        let Self { client, images, origin, folder, stem: given, parallel, settings } = self;
        if let Some(given) = &given
            && let Err(reason) = check_stem(given)
        {
            return Err(failure::misuse(format!("`{given}` cannot begin the name of a file: {reason}")));
        }
        if images.is_empty() && origin.broke_off() {
            return Err(failure::broken_response());
        }
        let origin = Arc::new(origin.note().await);
        let stems = stems(&images, given.as_deref());
        let count = images.len();
        let finished = AtomicUsize::new(0);
        let saving = images.into_iter().zip(stems).enumerate().map(|(index, (image, stem))| {
            let target = Target::in_folder(folder.clone(), &stem);
            let (client, settings, finished, origin) = (&client, &settings, &finished, Arc::clone(&origin));
            async move {
                let done = || finished.load(Ordering::Relaxed);
                let at = Place { image: index, images: count, finished: &done };
                let outcome = match image.outcome() {
                    ImageOutcome::Withheld => SaveOutcome::Withheld,
                    ImageOutcome::LinkMissing => SaveOutcome::LinkMissing,
                    ImageOutcome::Available(_) => match save(client, image, origin, target, settings, at).await {
                        Ok(Done::Saved(saved)) => SaveOutcome::Saved(saved),
                        Ok(Done::There(found)) => SaveOutcome::AlreadyThere { path: found.path },
                        Err(error) => SaveOutcome::Failed(error),
                    },
                };
                let finished = finished.fetch_add(1, Ordering::Relaxed) + 1;
                let received_bytes = outcome.saved().map_or(0, |saved| saved.size_bytes);
                let total_bytes = outcome.saved().map(|saved| saved.size_bytes);
                let images = count;
                settings.report(SaveProgress { image: index, received_bytes, total_bytes, finished, images });
                (index, outcome)
            }
        });
        // The order in which they end does not matter; waiting for the first would let the others wait.
        let mut outcomes: Vec<_> = stream::iter(saving).buffer_unordered(parallel).collect().await;
        outcomes.sort_by_key(|(index, _)| *index);
        Ok(outcomes.into_iter().map(|(_, outcome)| outcome).collect())
    }
}

impl IntoFuture for SaveAll {
    type Output = Result<Vec<SaveOutcome>, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

impl fmt::Debug for SaveAll {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { images, folder, settings, .. } = self;
        let mut shown = formatter.debug_struct("SaveAll");
        shown.field("images", &images.len()).field("folder", folder).field("settings", settings);
        shown.finish_non_exhaustive()
    }
}
