//! Images in the making: how many there may be at a time, and how long they take.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::sleep,
};

use crate::reply::Reply;

/// How many images may be in the making at the same time.
pub(crate) const MOST_IN_MAKING: u32 = 10;

/// Where images are made.
#[derive(Debug)]
pub(crate) struct Studio {
    places: Arc<Semaphore>,
    /// How long a call that makes images takes, in real time.
    generation_time: Duration,
}

impl Studio {
    pub(crate) fn new(generation_time: Duration) -> Self {
        Self { places: Arc::new(Semaphore::new(MOST_IN_MAKING as usize)), generation_time }
    }

    /// Takes one place for each of `images`, or none at all.
    pub(crate) fn take_places(&self, images: u32) -> Result<OwnedSemaphorePermit, Reply> {
        let places = Arc::clone(&self.places).try_acquire_many_owned(images);
        places.map_err(|_| Reply::inflight_limit(MOST_IN_MAKING))
    }

    /// Waits until the images that the places were taken for are made.
    ///
    /// They are made to the end, and keep their places so long, even if the caller hangs up.
    pub(crate) async fn make(&self, places: OwnedSemaphorePermit) {
        if places.num_permits() == 0 || self.generation_time.is_zero() {
            return;
        }
        let time = self.generation_time;
        let making = tokio::spawn(async move {
            sleep(time).await;
            drop(places);
        });
        let _ = making.await;
    }
}
