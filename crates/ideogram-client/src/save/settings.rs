//! The settings of saving, and the setters that one image and all images share.

use std::{fmt, sync::Arc, time::Duration};

/// Far above any image that the service makes.
const SIZE_LIMIT_BYTES: u64 = 64 * 1024 * 1024;
/// Half a minute without a byte is a dead connection.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
/// For one image, attempts and waits included.
const DEADLINE: Duration = Duration::from_secs(300);

/// What happens when there is a file of that name already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum IfExists {
    /// The image is not saved, and nothing is downloaded; the error names the file.
    #[default]
    Fail,
    /// The file is replaced, in one step: it holds the old image or the new one, never half of one. With it goes the
    /// JSON file that described the old image; any other JSON file of that name stays, and the image is not saved.
    Replace,
    /// The image is saved under the next free name: `lantern-2.png`, `lantern-3.png`, ...
    Number,
    /// The image is taken for saved, and nothing is downloaded: the way to go on after an interruption. No name ever
    /// holds half an image. A file that is no image, or of which the JSON file beside it says that it is another one,
    /// fails as with `Fail`.
    Skip,
}

/// How far saving has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SaveProgress {
    /// The place of the image that moved, counted from 0 in the order of the response.
    pub image: usize,
    /// How many of its bytes have arrived; from 0 again when a download has to start anew.
    pub received_bytes: u64,
    /// How many there will be, if the host says so.
    pub total_bytes: Option<u64>,
    /// How many images are done with: saved, failed, or not there to be saved.
    pub finished: usize,
    /// How many images there are.
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
    /// The client's own setting if there is none.
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
        /// What happens when there is a file of that name already: [`IfExists::Fail`] by default.
        pub fn if_exists(mut self, if_exists: IfExists) -> Self {
            self.settings.if_exists = if_exists;
            self
        }

        /// Writes no JSON file beside the image.
        pub fn without_sidecar(mut self) -> Self {
            self.settings.sidecar = false;
            self
        }

        /// How large an image may be: 64 MiB by default. Nothing is kept of a larger one.
        pub fn size_limit_bytes(mut self, limit: u64) -> Self {
            self.settings.size_limit_bytes = limit;
            self
        }

        /// How long a host may send nothing: 30 seconds by default. Then the download starts anew.
        pub fn idle_timeout(mut self, timeout: ::std::time::Duration) -> Self {
            self.settings.idle_timeout = timeout;
            self
        }

        /// How long saving one image may take, repeated downloads and the waits between them included: 5 minutes by
        /// default.
        pub fn deadline(mut self, deadline: ::std::time::Duration) -> Self {
            self.settings.deadline = deadline;
            self
        }

        /// Most attempts of a download, the first included: as many as the client makes of a call unless set
        /// otherwise, with the same waits ([`CallOptions`](crate::CallOptions)). A download costs nothing, so it is
        /// repeated when the connection fails, breaks or falls silent, and after 408, 429, 500, 502, 503 and 504.
        pub fn attempts(mut self, attempts: u32) -> Self {
            self.settings.attempts = Some(attempts);
            self
        }

        /// Calls this whenever bytes arrive or an image is done with. It is called from the task that saves, so it
        /// must be quick.
        pub fn on_progress(mut self, on_progress: impl Fn($crate::save::SaveProgress) + Send + Sync + 'static) -> Self {
            self.settings.on_progress = Some(::std::sync::Arc::new(on_progress));
            self
        }

        /// The same as awaiting it, for programs without `async`.
        #[cfg(feature = "blocking")]
        pub fn save_blocking(self) -> <Self as ::std::future::IntoFuture>::Output {
            let client = self.client.clone();
            // What is saved was made and billed before.
            client.block_on(::std::future::IntoFuture::into_future(self)).map_err($crate::save::failure::no_thread)?
        }
    };
}
pub(super) use setters;
