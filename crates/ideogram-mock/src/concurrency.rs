//! The limit of images in flight, and how long images take.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::sleep,
};

use crate::reply::Reply;

/// The maximum number of images in flight.
pub(crate) const MAX_IMAGES_IN_FLIGHT: u32 = 10;

/// Limits how many images are in flight.
#[derive(Debug)]
pub(crate) struct ImageLimiter {
    permits: Arc<Semaphore>,
    /// How long a call that creates images takes, in real time.
    generation_time: Duration,
}

impl ImageLimiter {
    pub(crate) fn new(generation_time: Duration) -> Self {
        Self { permits: Arc::new(Semaphore::new(MAX_IMAGES_IN_FLIGHT as usize)), generation_time }
    }

    /// Takes one permit for each of `images`, or refuses the call if there are too few.
    pub(crate) fn acquire(&self, images: u32) -> Result<OwnedSemaphorePermit, Reply> {
        let permit = Arc::clone(&self.permits).try_acquire_many_owned(images);
        permit.map_err(|_| Reply::inflight_limit(MAX_IMAGES_IN_FLIGHT))
    }

    /// How many images are in flight.
    pub(crate) fn in_flight(&self) -> usize {
        (MAX_IMAGES_IN_FLIGHT as usize).saturating_sub(self.permits.available_permits())
    }

    /// How long a call that creates images takes.
    pub(crate) fn generation_time(&self) -> Duration {
        self.generation_time
    }

    /// Holds the permit for the generation time, even if the caller hangs up.
    pub(crate) async fn hold(&self, permit: OwnedSemaphorePermit) {
        if permit.num_permits() == 0 || self.generation_time.is_zero() {
            return;
        }
        let time = self.generation_time;
        let held = tokio::spawn(async move {
            sleep(time).await;
            drop(permit);
        });
        let _ = held.await;
    }
}
