//! The settings of saving, and the setters that [`Save`](super::Save) and [`SaveAll`](super::SaveAll) share.

use std::{fmt, sync::Arc, time::Duration};

/// Far above any image that the service makes.
const SIZE_LIMIT_BYTES: u64 = 64 * 1024 * 1024;
/// A connection without a byte for this time is dead.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
/// For one image, with all attempts and backoffs.
const DEADLINE: Duration = Duration::from_secs(300);

/// What to do if the file exists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum IfExists {
    /// Fails without a download; the error names the file.
    #[default]
    Fail,
    /// Replaces the file atomically, and its sidecar. If a JSON file with the name of the sidecar is not a sidecar, the
    /// image is not saved.
    Replace,
    /// Saves the image under the next free name: `lantern-2.png`, `lantern-3.png`, ...
    Number,
    /// Skips the download, to continue after an interruption: files are complete under their names. If the file is not an
    /// image, or its sidecar describes another image, saving fails as with `Fail`.
    Skip,
    /// Skips the download if the sidecar shows that the file is this image, and saves another image under the next free
    /// name. So saving a response twice stores each image once, and no image is lost because its name is taken. Without
    /// sidecars nothing shows which image a file is, and each is saved again under another name.
    SkipOrNumber,
}

/// The progress of saving.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SaveProgress {
    /// The position of the image that made progress, from 0, in the order of the response.
    pub image: usize,
    /// The bytes of the image that have arrived; 0 again when a download is retried.
    pub received_bytes: u64,
    /// The size of the image, if the host reports it.
    pub total_bytes: Option<u64>,
    /// The number of images that are finished: saved, failed, withheld or without a link.
    pub finished: usize,
    /// The number of images.
    pub images: usize,
}

pub(super) type OnProgress = Arc<dyn Fn(SaveProgress) + Send + Sync>;

#[derive(Clone)]
pub(super) struct Settings {
    pub(super) if_exists: IfExists,
    pub(super) sidecar: bool,
    pub(super) size_limit_bytes: u64,
    pub(super) idle_timeout: Duration,
    pub(super) deadline: Duration,
    /// `None` for the setting of the client.
    pub(super) attempts: Option<u32>,
    pub(super) on_progress: Option<OnProgress>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            if_exists: IfExists::Fail,
            sidecar: true,
            size_limit_bytes: SIZE_LIMIT_BYTES,
            idle_timeout: IDLE_TIMEOUT,
            deadline: DEADLINE,
            attempts: None,
            on_progress: None,
        }
    }
}

impl Settings {
    pub(super) fn report(&self, progress: SaveProgress) {
        if let Some(on_progress) = &self.on_progress {
            on_progress(progress);
        }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Settings").field("if_exists", &self.if_exists).finish_non_exhaustive()
    }
}

/// The setters of a builder that has `settings`.
macro_rules! setters {
    () => {
        /// Sets what to do if the file exists. The default is [`IfExists::Fail`] for one file, and
        /// [`IfExists::SkipOrNumber`] for a response.
        pub fn if_exists(mut self, if_exists: IfExists) -> Self {
            self.settings.if_exists = if_exists;
            self
        }

        /// Writes no sidecar.
        pub fn without_sidecar(mut self) -> Self {
            self.settings.sidecar = false;
            self
        }

        /// Sets the maximum size of an image: 64 MiB by default. A larger image is not saved.
        pub fn size_limit_bytes(mut self, limit: u64) -> Self {
            self.settings.size_limit_bytes = limit;
            self
        }

        /// Sets how long a host may send nothing: 30 seconds by default. Then the download is retried.
        pub fn idle_timeout(mut self, timeout: ::std::time::Duration) -> Self {
            self.settings.idle_timeout = timeout;
            self
        }

        /// Sets how long saving one image may take, with all attempts and backoffs: 5 minutes by default.
        pub fn deadline(mut self, deadline: ::std::time::Duration) -> Self {
            self.settings.deadline = deadline;
            self
        }

        /// Sets the maximum number of attempts of a download, including the first. The default is that of the client's
        /// calls, and so are the backoffs ([`CallOptions`](crate::CallOptions)). A download costs nothing, so it is
        /// retried after a failed or broken connection, a timeout, and 408, 429, 500, 502, 503 and 504.
        pub fn attempts(mut self, attempts: u32) -> Self {
            self.settings.attempts = Some(attempts);
            self
        }

        /// Calls `on_progress` when bytes arrive and when an image is finished. It runs in the task that saves, so it should
        /// be quick.
        pub fn on_progress(mut self, on_progress: impl Fn($crate::save::SaveProgress) + Send + Sync + 'static) -> Self {
            self.settings.on_progress = Some(::std::sync::Arc::new(on_progress));
            self
        }

        /// Like awaiting it, for programs without `async`.
        #[cfg(feature = "blocking")]
        pub fn save_blocking(self) -> <Self as ::std::future::IntoFuture>::Output {
            let client = self.client.clone();
            client.block_on(::std::future::IntoFuture::into_future(self)).map_err($crate::save::failure::no_thread)?
        }
    };
}
pub(super) use setters;
