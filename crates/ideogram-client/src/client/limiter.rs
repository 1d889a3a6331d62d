//! Limits the images in flight.
//!
//! The service allows an organization a number of images in flight, and responds with 429 beyond it. If such a response
//! names a lower limit, the limiter adopts it and recovers slowly. Start at [`ImageLimiter::acquire`]: a call acquires
//! one permit for each image, in the order of the calls, and releases them on drop. A call that needs more permits than
//! there are takes all of them, so no call waits forever.
//!
//! `tokio::sync::Semaphore` is not enough: a call in its queue keeps its weight after the limit was lowered.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{sync::oneshot, time::Instant};

/// After a lower limit was adopted, one permit comes back for each of these intervals without another 429.
const RECOVERY: Duration = Duration::from_secs(60);

/// A limiter; the clones of a client share it.
#[derive(Clone, Debug)]
pub(crate) struct ImageLimiter {
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    permits: u32,
    /// The number of permits without a limit from the service.
    max_permits: u32,
    /// When the number of permits last changed, if it is below the maximum.
    lowered: Option<Instant>,
    acquired: u32,
    queue: VecDeque<Waiting>,
}

/// A call waiting for permits.
#[derive(Debug)]
struct Waiting {
    weight: u32,
    sender: oneshot::Sender<Permit>,
}

/// Permits of the limiter, released on drop.
#[derive(Debug)]
#[must_use = "the permits are released when this is dropped"]
pub(crate) struct Permit {
    limiter: ImageLimiter,
    permits: u32,
}

impl ImageLimiter {
    /// Creates a limiter with this number of permits, at least one.
    pub(crate) fn new(permits: u32) -> Self {
        let permits = permits.max(1);
        let state = State { permits, max_permits: permits, lowered: None, acquired: 0, queue: VecDeque::new() };
        Self { state: Arc::new(Mutex::new(state)) }
    }

    /// Waits for `weight` permits, after all earlier calls. A weight of 0 needs no permit.
    ///
    /// If the future is dropped, the call leaves the queue.
    pub(crate) async fn acquire(&self, weight: u32) -> Option<Permit> {
        if weight == 0 {
            return None;
        }
        // Other calls may be waiting behind this one. Declared before the call joins the queue, so that it is dropped
        // after the channel is closed.
        let _leaving = Leaving(self);
        let (sender, granted) = oneshot::channel();
        self.change(|state| state.queue.push_back(Waiting { weight, sender }));
        Some(granted.await.expect("the limiter keeps the sender of each waiting call"))
    }

    /// Lowers the number of permits to what the service allows. They come back one by one: the lower limit may be
    /// temporary.
    pub(crate) fn lower_to(&self, allowed: u32) {
        let mut state = self.lock();
        state.recover();
        let permits = state.permits.min(allowed.max(1));
        if permits < state.max_permits {
            (state.permits, state.lowered) = (permits, Some(Instant::now()));
        }
    }

    /// Returns the number of acquired permits.
    pub(crate) fn acquired(&self) -> u32 {
        self.lock().acquired
    }

    /// Changes the state, then grants permits to waiting calls.
    fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.lock();
        state.recover();
        change(&mut state);
        let unused = self.grant(&mut state);
        drop(state);
        // Releases its permits, which needs the lock.
        drop(unused);
    }

    /// Grants permits in the order of the queue while there are enough. Returns early with the permits of a call that
    /// was dropped at this moment; dropping them grants them to the next calls.
    fn grant(&self, state: &mut State) -> Option<Permit> {
        loop {
            let first = state.queue.front()?;
            if first.sender.is_closed() {
                state.queue.pop_front();
                continue;
            }
            let permits = first.weight.min(state.permits);
            if state.acquired.saturating_add(permits) > state.permits {
                return None;
            }
            let first = state.queue.pop_front().expect("the queue is not empty");
            state.acquired += permits;
            if let Err(unused) = first.sender.send(Permit { limiter: self.clone(), permits }) {
                return Some(unused);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code panics while it changes the state, so a poisoned lock is valid.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Raises the number of permits for the time since it was lowered.
    fn recover(&mut self) {
        let Some(lowered) = self.lowered else { return };
        let steps = lowered.elapsed().as_secs() / RECOVERY.as_secs();
        let permits = u32::try_from(steps).unwrap_or(u32::MAX).saturating_add(self.permits);
        self.permits = permits.min(self.max_permits);
        let is_lower = self.permits < self.max_permits;
        self.lowered = is_lower.then(|| lowered + RECOVERY * u32::try_from(steps).unwrap_or(u32::MAX));
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.limiter.change(|state| state.acquired -= self.permits);
    }
}

/// Grants permits to other calls when a call leaves the queue.
struct Leaving<'g>(&'g ImageLimiter);

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        self.0.change(|_| ());
    }
}

#[cfg(test)]
mod tests {
    use std::{
        pin::{Pin, pin},
        task::{Context, Poll, Waker},
    };

    use super::*;

    type Acquiring<'g> = Pin<Box<dyn Future<Output = Option<Permit>> + 'g>>;

    fn waits(limiter: &ImageLimiter, weight: u32) -> Acquiring<'_> {
        let mut acquiring: Acquiring = Box::pin(limiter.acquire(weight));
        assert!(poll(&mut acquiring).is_none(), "permits were not expected for {weight}");
        acquiring
    }

    fn poll(acquiring: &mut Acquiring) -> Option<Permit> {
        match acquiring.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(permit) => Some(permit.unwrap()),
            Poll::Pending => None,
        }
    }

    fn acquires(limiter: &ImageLimiter, weight: u32) -> Permit {
        poll(&mut (Box::pin(limiter.acquire(weight)) as Acquiring)).expect("enough permits")
    }

    #[test]
    fn a_call_takes_one_permit_for_each_image_and_releases_them() {
        let limiter = ImageLimiter::new(10);

        let four = acquires(&limiter, 4);
        let six = acquires(&limiter, 6);
        assert_eq!(limiter.acquired(), 10);
        let mut next = waits(&limiter, 1);
        drop(four);
        let one = poll(&mut next).unwrap();
        assert_eq!(limiter.acquired(), 7);

        drop((six, one));
        assert_eq!(limiter.acquired(), 0);
    }

    #[test]
    fn a_call_that_makes_no_image_never_waits() {
        let limiter = ImageLimiter::new(1);
        let _all = acquires(&limiter, 1);

        let acquiring = pin!(limiter.acquire(0));

        assert!(matches!(acquiring.poll(&mut Context::from_waker(Waker::noop())), Poll::Ready(None)));
    }

    #[test]
    fn a_call_heavier_than_the_limit_takes_all_permits() {
        let limiter = ImageLimiter::new(3);
        let one = acquires(&limiter, 1);

        let mut heavy = waits(&limiter, 8);
        drop(one);
        let heavy = poll(&mut heavy).unwrap();

        assert_eq!(limiter.acquired(), 3);
        let mut light = waits(&limiter, 1);
        drop(heavy);
        assert!(poll(&mut light).is_some());
    }

    #[test]
    fn no_call_overtakes_a_heavy_one() {
        let limiter = ImageLimiter::new(4);
        let three = acquires(&limiter, 3);

        let mut heavy = waits(&limiter, 4);
        let mut light = waits(&limiter, 1);
        drop(three);

        assert!(poll(&mut light).is_none(), "the heavy call came first");
        let heavy = poll(&mut heavy).unwrap();
        assert!(poll(&mut light).is_none());
        drop(heavy);
        assert!(poll(&mut light).is_some());
    }

    #[test]
    fn a_call_that_leaves_the_queue_does_not_block_it() {
        let limiter = ImageLimiter::new(2);
        let one = acquires(&limiter, 1);

        let heavy = waits(&limiter, 2);
        let mut light = waits(&limiter, 1);
        drop(heavy);

        let light = poll(&mut light).expect("one permit was free");
        drop((one, light));
        assert_eq!(limiter.acquired(), 0);
    }

    #[test]
    fn permits_that_were_granted_but_never_received_are_released() {
        let limiter = ImageLimiter::new(1);
        let first = acquires(&limiter, 1);
        let second = waits(&limiter, 1);
        let mut third = waits(&limiter, 1);

        drop(first);
        assert_eq!(limiter.acquired(), 1, "granted to the second, who has not looked yet");
        drop(second);

        assert!(poll(&mut third).is_some());
        assert_eq!(limiter.acquired(), 0);
    }

    #[test]
    fn the_service_can_lower_the_limit_but_not_raise_it() {
        let limiter = ImageLimiter::new(4);
        let three = acquires(&limiter, 3);

        limiter.lower_to(2);
        limiter.lower_to(9);
        let mut next = waits(&limiter, 2);
        drop(three);
        let next = poll(&mut next).unwrap();

        assert_eq!(limiter.acquired(), 2);
        drop(next);
        limiter.lower_to(0);
        assert_eq!(acquires(&limiter, 5).permits, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_lowered_limit_recovers_one_by_one() {
        let limiter = ImageLimiter::new(4);
        let permits = || {
            let permit = acquires(&limiter, 9);
            permit.permits
        };
        limiter.lower_to(0);
        assert_eq!(permits(), 1);

        tokio::time::advance(RECOVERY.saturating_sub(Duration::from_secs(1))).await;
        assert_eq!(permits(), 1);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(permits(), 2);
        // The time since the last permit came back is not lost.
        tokio::time::advance(RECOVERY / 2).await;
        assert_eq!(permits(), 2);
        tokio::time::advance(RECOVERY / 2).await;
        assert_eq!(permits(), 3);

        limiter.lower_to(2);
        assert_eq!(permits(), 2);
        tokio::time::advance(RECOVERY * 1000).await;
        assert_eq!(permits(), 4, "never more than at the beginning");
        limiter.lower_to(9);
        assert_eq!(permits(), 4);
    }

    #[tokio::test(start_paused = true)]
    async fn recovered_permits_are_granted_when_another_call_ends() {
        let limiter = ImageLimiter::new(2);
        limiter.lower_to(1);
        let one = acquires(&limiter, 1);
        let (mut second, mut third) = (waits(&limiter, 1), waits(&limiter, 1));

        tokio::time::advance(RECOVERY).await;
        drop(one);

        assert!(poll(&mut second).is_some() && poll(&mut third).is_some());
    }

    #[test]
    fn a_waiting_call_heavier_than_a_lowered_limit_gets_all_permits() {
        let limiter = ImageLimiter::new(4);
        let all = acquires(&limiter, 4);
        let mut heavy = waits(&limiter, 4);

        limiter.lower_to(2);
        drop(all);

        assert_eq!(poll(&mut heavy).unwrap().permits, 2);
    }

    #[test]
    fn no_permit_is_lost_when_many_calls_come_and_go() {
        let limiter = ImageLimiter::new(2);

        std::thread::scope(|scope| {
            for weight in [1, 1, 2, 3] {
                let limiter = &limiter;
                scope.spawn(move || {
                    for _ in 0..5_000 {
                        // Acquires and releases, or leaves the queue while another thread grants its permits.
                        let mut acquiring: Acquiring = Box::pin(limiter.acquire(weight));
                        drop(poll(&mut acquiring));
                    }
                });
            }
        });

        assert_eq!(limiter.acquired(), 0);
        assert_eq!(acquires(&limiter, 2).permits, 2);
    }

    #[test]
    fn a_limit_of_zero_counts_as_one() {
        assert_eq!(acquires(&ImageLimiter::new(0), 3).permits, 1);
    }
}
