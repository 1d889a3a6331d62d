//! Saving one image.

use std::{future::IntoFuture, path::PathBuf, pin::Pin, sync::Arc};

use tokio::sync::Semaphore;

use super::{
    download::{Download, Failed},
    image_ref::ImageRef,
    images::Provenance,
    link::{self, Own, Rules},
    saved::{Done, Saved},
    settings::{IfExists, SaveProgress, Settings, setters},
    sidecar::Sidecar,
    target::{Placement, Target, on_disk},
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
#[derive(Debug)]
pub struct Save {
    client: Client,
    image: ImageRef,
    file: PathBuf,
    exact_name: bool,
    settings: Settings,
}

impl Save {
    pub(super) fn new(client: Client, link: &str, file: PathBuf) -> Self {
        let image = ImageRef::from_link(link);
        Self { client, image, file, exact_name: false, settings: Settings::default() }
    }

    /// Uses the file name without a change, also if the image is of another type.
    pub fn exact_name(mut self) -> Self {
        self.exact_name = true;
        self
    }

    setters!();

    async fn run(self) -> Result<Saved, Error> {
        let Self { client, image, file, exact_name, settings } = self;
        let path = file.clone();
        if on_disk(move || Ok(path.is_dir())).await? {
            let message = format!("\"{}\" is a folder: name a file in it, or use `save_all`", file.display());
            return Err(Error::invalid_argument(message));
        }
        let target = Target::file(&file, exact_name)?;
        let folder = target.folder.clone();
        let report = |received_bytes, total_bytes, finished| {
            settings.report(SaveProgress { image: 0, received_bytes, total_bytes, finished, images: 1 });
        };
        let on_bytes = |received_bytes, total_bytes| report(received_bytes, total_bytes, 0);
        let done = save(&client, image, Arc::default(), target, &settings, &on_bytes, &Semaphore::new(1)).await;
        if matches!(done, Ok(Done::Saved(_))) {
            sync_names(folder).await;
        }
        let saved = done.map(|(Done::Saved(saved) | Done::AlreadyThere(saved))| saved);
        let size_bytes = saved.as_ref().ok().map(|saved| saved.size_bytes);
        report(size_bytes.unwrap_or(0), size_bytes, 1);
        saved
    }
}

impl IntoFuture for Save {
    type Output = Result<Saved, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

/// Syncs a folder, so that the names of its images last. They have their names also if it cannot be synced.
pub(super) async fn sync_names(folder: PathBuf) {
    let _ = on_disk(move || Ok(durable::sync_folder(&folder))).await;
}

/// Downloads an image when there is a free slot, and gives it its name. The slot is free again while the image is synced.
/// Calls `on_bytes` with the bytes that have arrived, and the size if it is known.
pub(super) async fn save(
    client: &Client,
    image: ImageRef,
    origin: Arc<Provenance>,
    target: Target,
    settings: &Settings,
    on_bytes: &(dyn Fn(u64, Option<u64>) + Send + Sync),
    slots: &Semaphore,
) -> Result<Done, Error> {
    let ImageOutcome::Available(link) = image.outcome() else {
        return Err(Error::invalid_argument("there is no link to save an image from".to_owned()));
    };
    let url = link::parse(link)?;
    let sidecar = settings.sidecar.then(|| Sidecar { origin, api_key: client.inner().api_key.clone() });
    let placement = Arc::new(Placement { target, image, if_exists: settings.if_exists, sidecar });
    let early = Arc::clone(&placement);
    if let Some(saved) = on_disk(move || early.prepare()).await? {
        return Ok(Done::AlreadyThere(saved));
    }

    let rules = Rules::new(client, Own::Host);
    let download = Download { client, rules, url, target: &placement.target, settings, on_bytes };
    let slot = slots.acquire().await;
    let received = match download.run().await {
        Ok(received) => received,
        Err(Failed { error, cut: None, .. }) => return Err(error),
        Err(Failed { error, cut: Some(cut), .. }) => {
            return Err(match on_disk(move || placement.target.keep_cut(cut)).await {
                Ok(path) => error.with_note(&format!("the incomplete image is in \"{}\"", path.display())),
                Err(lost) => error.with_note(&format!("the incomplete image cannot be kept: {lost}")),
            });
        }
    };
    drop(slot);
    on_disk(move || placement.finish(received)).await
}
