//! Saving one picture.

use std::{
    fmt,
    future::IntoFuture,
    path::{Path, PathBuf},
    pin::Pin,
    sync::Arc,
};

use super::{
    download::{Download, DownloadFailed},
    failure,
    link::{self, Own, Rules},
    pictures::{Noted, PictureRef},
    settings::{IfExists, SaveProgress, Settings, setters},
    sidecar::Sidecar,
    target::{Naming, Target, on_disk},
};
use crate::{Client, Error, Picture as _, PictureOutcome};

/// Saves one picture when it is awaited; see [`Client::save`].
///
/// A future that is dropped leaves nothing behind, or the whole picture.
#[must_use = "nothing is saved until it is awaited"]
pub struct Save {
    client: Client,
    picture: PictureRef,
    file: PathBuf,
    naming: Naming,
    settings: Settings,
}

/// A picture on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Saved {
    /// Where the picture is.
    pub path: PathBuf,
    /// Where the JSON file is that says how it was made, unless there is to be none.
    pub sidecar: Option<PathBuf>,
    /// What the picture really is, such as `image/png`.
    pub media_type: String,
    /// Its size in bytes.
    pub size_bytes: u64,
}

/// How saving a picture ends well.
pub(super) enum Done {
    Saved(Saved),
    /// It was there before.
    There(Saved),
}

impl Save {
    pub(super) fn new(client: Client, link: &str, file: PathBuf) -> Self {
        let picture = PictureRef::from_link(link);
        Self { client, picture, file, naming: Naming::ByContent, settings: Settings::default() }
    }

    /// Keeps the file name as it is, whatever the picture turns out to be.
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
        let at = Place { picture: 0, pictures: 1, finished: &|| 0 };
        let done = save(&self.client, self.picture, Arc::default(), target, &self.settings, at).await;
        let saved = done.map(|(Done::Saved(saved) | Done::There(saved))| saved);
        let received_bytes = saved.as_ref().map_or(0, |saved| saved.size_bytes);
        let total_bytes = saved.is_ok().then_some(received_bytes);
        self.settings.report(SaveProgress { picture: 0, received_bytes, total_bytes, finished: 1, pictures: 1 });
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

/// Which of how many pictures is being saved, for reports of progress.
#[derive(Clone, Copy)]
pub(super) struct Place<'p> {
    pub(super) picture: usize,
    pub(super) pictures: usize,
    pub(super) finished: &'p (dyn Fn() -> usize + Send + Sync),
}

/// Downloads a picture and puts it into its place.
pub(super) async fn save(
    client: &Client,
    picture: PictureRef,
    origin: Arc<Noted>,
    target: Target,
    settings: &Settings,
    at: Place<'_>,
) -> Result<Done, Error> {
    let PictureOutcome::Available(link) = picture.outcome() else {
        return Err(failure::misuse("there is no link to save a picture from"));
    };
    let url = link::parse(link)?;
    let (if_exists, with_sidecar) = (settings.if_exists, settings.sidecar);
    let (wanted, of) = (target.clone(), picture.clone());
    if let Some(found) = on_disk(move || wanted.prepare(if_exists, &of, with_sidecar)).await? {
        return Ok(Done::There(found));
    }

    let on_bytes = |received_bytes, total_bytes| {
        let Place { picture, pictures, finished } = at;
        settings.report(SaveProgress { picture, received_bytes, total_bytes, finished: finished(), pictures });
    };
    let rules = Rules::new(client, Own::Host);
    let download = Download { client, rules, url, target: &target, settings, on_bytes: &on_bytes };
    let received = match download.run().await {
        Ok(received) => received,
        Err(DownloadFailed { error, cut: None }) => return Err(error),
        Err(DownloadFailed { error, cut: Some(cut) }) => {
            let kept = on_disk(move || target.keep_cut(cut)).await?;
            return Err(error.noting(&format!("what there is of it is in \"{}\"", kept.display())));
        }
    };

    let api_key = client.inner().api_key.clone();
    let sidecar = with_sidecar.then(|| Sidecar { picture: picture.clone(), origin, api_key });
    on_disk(move || target.place(received, &picture, sidecar.as_ref(), if_exists)).await
}
