//! Saving one image.

use std::{
    fmt,
    future::IntoFuture,
    path::{Path, PathBuf},
    pin::Pin,
    sync::Arc,
};

use tokio::sync::Semaphore;

use super::{
    download::{Download, Failed},
    failure,
    image_ref::ImageRef,
    images::Provenance,
    link::{self, Own, Rules},
    saved::{Done, Saved},
    settings::{IfExists, SaveProgress, Settings, setters},
    sidecar::Sidecar,
    target::{Naming, Target, on_disk},
};
use crate::{
    Client, Error,
    fs::durable,
    save::{Image as _, ImageOutcome},
};

/// Saves one image when it is awaited; see [`Client::save`].
///
/// If the future is dropped, either the complete image is saved or nothing is left.
#[must_use = "nothing is saved until it is awaited"]
pub struct Save {
    client: Client,
    image: ImageRef,
    file: PathBuf,
    naming: Naming,
    settings: Settings,
}

impl Save {
    pub(super) fn new(client: Client, link: &str, file: PathBuf) -> Self {
        let image = ImageRef::from_link(link);
        Self { client, image, file, naming: Naming::ByContent, settings: Settings::default() }
    }

    /// Uses the file name without a change, also if the image is of another type.
    pub fn exact_name(mut self) -> Self {
        self.naming = Naming::Exact;
        self
    }

    setters!();

    async fn run(self) -> Result<Saved, Error> {
        if is_folder(self.file.clone()).await? {
            let message = format!("\"{}\" is a folder: name a file in it, or use `save_all`", self.file.display());
            return Err(failure::misuse(message));
        }
        let target = Target::file(&self.file, self.naming)?;
        let folder = target.folder.clone();
        let position = Position { image: 0, images: 1, finished: &|| 0 };
        let done =
            save(&self.client, self.image, Arc::default(), target, &self.settings, position, &Semaphore::new(1)).await;
        if matches!(done, Ok(Done::Saved(_))) {
            sync_names(folder).await;
        }
        let saved = done.map(|(Done::Saved(saved) | Done::AlreadyThere(saved))| saved);
        let received_bytes = saved.as_ref().map_or(0, |saved| saved.size_bytes);
        let total_bytes = saved.is_ok().then_some(received_bytes);
        self.settings.report(SaveProgress { image: 0, received_bytes, total_bytes, finished: 1, images: 1 });
        saved
    }
}

async fn is_folder(path: PathBuf) -> Result<bool, Error> {
    on_disk(move || Ok(Path::is_dir(&path))).await
}

impl IntoFuture for Save {
    type Output = Result<Saved, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

impl fmt::Debug for Save {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, settings, .. } = self;
        formatter.debug_struct("Save").field("file", file).field("settings", settings).finish_non_exhaustive()
    }
}

/// The position of an image among others, for reports of progress.
#[derive(Clone, Copy)]
pub(super) struct Position<'p> {
    pub(super) image: usize,
    pub(super) images: usize,
    pub(super) finished: &'p (dyn Fn() -> usize + Send + Sync),
}

/// Syncs a folder, so that the names of its images last. They have their names also if it cannot be synced.
pub(super) async fn sync_names(folder: PathBuf) {
    let _ = on_disk(move || Ok(durable::sync_folder(&folder))).await;
}

/// Downloads an image when there is a free slot, and gives it its name. The slot is free again while the image is synced.
pub(super) async fn save(
    client: &Client,
    image: ImageRef,
    origin: Arc<Provenance>,
    target: Target,
    settings: &Settings,
    position: Position<'_>,
    slots: &Semaphore,
) -> Result<Done, Error> {
    let ImageOutcome::Available(link) = image.outcome() else {
        return Err(failure::misuse("there is no link to save an image from"));
    };
    let url = link::parse(link)?;
    let (if_exists, with_sidecar) = (settings.if_exists, settings.sidecar);
    let (wanted, of) = (target.clone(), image.clone());
    if let Some(saved) = on_disk(move || wanted.prepare(if_exists, &of, with_sidecar)).await? {
        return Ok(Done::AlreadyThere(saved));
    }

    let on_bytes = |received_bytes, total_bytes| {
        let Position { image, images, finished } = position;
        settings.report(SaveProgress { image, received_bytes, total_bytes, finished: finished(), images });
    };
    let rules = Rules::new(client, Own::Host);
    let download = Download { client, rules, url, target: &target, settings, on_bytes: &on_bytes };
    let slot = slots.acquire().await;
    let received = match download.run().await {
        Ok(received) => received,
        Err(Failed { error, cut: None, .. }) => return Err(error),
        Err(Failed { error, cut: Some(cut), .. }) => {
            let path = on_disk(move || target.keep_cut(cut)).await?;
            return Err(error.with_note(&format!("the incomplete image is in \"{}\"", path.display())));
        }
    };
    drop(slot);

    let api_key = client.inner().api_key.clone();
    let sidecar = with_sidecar.then(|| Sidecar { image: image.clone(), origin, api_key });
    on_disk(move || target.finish(received, &image, sidecar.as_ref(), if_exists)).await
}
