//! Counts the images in the making.
//!
//! The service allows so many at a time for a whole organization, and answers 429 beyond that. Where such a response
//! says how many it allows, the limiter gets smaller, and recovers slowly. Start at [`ImageLimiter::enter`]: a call
//! takes as many places as it makes images, in the order of asking, and gives them back when its permit is dropped. A
//! call heavier than the limiter takes all of it; nobody waits forever.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{sync::oneshot, time::Instant};

/// The service says what it allows at the moment; the limiter tries one place more for each of these without a refusal.
const RECOVERY: Duration = Duration::from_secs(60);

/// A limiter that clones of a client share.
#[derive(Clone, Debug)]
pub(crate) struct ImageLimiter {
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    places: u32,
    /// How many places there are when the service refuses nothing.
    all_places: u32,
    /// Since when the places are as many as they are, if they are fewer than all.
    lowered: Option<Instant>,
    taken: u32,
    queue: VecDeque<Waiting>,
}

/// Somebody who has not been let in yet.
#[derive(Debug)]
struct Waiting {
    weight: u32,
    entrance: oneshot::Sender<Permit>,
}

/// Places in the limiter, given back on drop.
#[derive(Debug)]
#[must_use = "places are given back as soon as the permit is dropped"]
pub(crate) struct Permit {
    limiter: ImageLimiter,
    places: u32,
}

impl ImageLimiter {
    /// A limiter of so many places, at least one.
    pub(crate) fn new(places: u32) -> Self {
        let places = places.max(1);
        let state = State { places, all_places: places, lowered: None, taken: 0, queue: VecDeque::new() };
        Self { state: Arc::new(Mutex::new(state)) }
    }

    /// Waits for `weight` places, behind all who asked before. A weight of nothing needs no place.
    ///
    /// Dropped while it waits, it leaves the queue.
    pub(crate) async fn enter(&self, weight: u32) -> Option<Permit> {
        if weight == 0 {
            return None;
        }
        // Who stops waiting may have been the heavy one whom the others wait behind. Declared before the queue is
        // joined, so that it is dropped after the channel is closed.
        let _leaving = Leaving(self);
        let admitted = self.join(weight);
        Some(admitted.await.expect("a limiter keeps the entrance of everybody who waits"))
    }

    fn join(&self, weight: u32) -> oneshot::Receiver<Permit> {
        let (entrance, admitted) = oneshot::channel();
        self.change(|state| state.queue.push_back(Waiting { weight, entrance }));
        admitted
    }

    /// Takes over what the service says it allows, as far as that is fewer places than there are. They come back one by
    /// one: the limit may have been a passing one.
    pub(crate) fn learn(&self, allowed: u32) {
        let mut state = self.lock();
        state.recover();
        let places = state.places.min(allowed.max(1));
        if places < state.all_places {
            (state.places, state.lowered) = (places, Some(Instant::now()));
        }
    }

    /// How many places are taken.
    pub(crate) fn taken(&self) -> u32 {
        self.lock().taken
    }

    /// Changes the state, and lets in who can now come in.
    fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.lock();
        state.recover();
        change(&mut state);
        let unwanted = self.admit(&mut state);
        drop(state);
        // Gives its places back, which needs the lock.
        drop(unwanted);
    }

    /// Lets in who is first in the queue, as long as there is room. Ends early with the permit of somebody who was gone
    /// in this moment; dropping it lets the next ones in.
    fn admit(&self, state: &mut State) -> Option<Permit> {
        loop {
            let first = state.queue.front()?;
            if first.entrance.is_closed() {
                state.queue.pop_front();
                continue;
            }
            let places = first.weight.min(state.places);
            if state.taken.saturating_add(places) > state.places {
                return None;
            }
            let first = state.queue.pop_front().expect("there is a first");
            state.taken += places;
            if let Err(unwanted) = first.entrance.send(Permit { limiter: self.clone(), places }) {
                return Some(unwanted);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing in here panics between two states; a poisoned lock is as good as a clean one.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Gives back places that were taken away long enough ago.
    fn recover(&mut self) {
        let Some(lowered) = self.lowered else { return };
        let steps = lowered.elapsed().as_secs() / RECOVERY.as_secs();
        let places = u32::try_from(steps).unwrap_or(u32::MAX).saturating_add(self.places);
        self.places = places.min(self.all_places);
        let is_lower = self.places < self.all_places;
        self.lowered = is_lower.then(|| lowered + RECOVERY * u32::try_from(steps).unwrap_or(u32::MAX));
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.limiter.change(|state| state.taken -= self.places);
    }
}

/// Lets the others on when somebody leaves the queue.
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

    type Entering<'g> = Pin<Box<dyn Future<Output = Option<Permit>> + 'g>>;

    fn asks(limiter: &ImageLimiter, weight: u32) -> Entering<'_> {
        let mut entering: Entering = Box::pin(limiter.enter(weight));
        assert!(poll(&mut entering).is_none(), "no room was expected for {weight}");
        entering
    }

    fn poll(entering: &mut Entering) -> Option<Permit> {
        match entering.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(permit) => Some(permit.unwrap()),
            Poll::Pending => None,
        }
    }

    fn enters(limiter: &ImageLimiter, weight: u32) -> Permit {
        poll(&mut (Box::pin(limiter.enter(weight)) as Entering)).expect("there is room")
    }

    #[test]
    fn a_call_takes_as_many_places_as_it_makes_images_and_gives_them_back() {
        let limiter = ImageLimiter::new(10);

        let four = enters(&limiter, 4);
        let six = enters(&limiter, 6);
        assert_eq!(limiter.taken(), 10);
        let mut next = asks(&limiter, 1);
        drop(four);
        let one = poll(&mut next).unwrap();
        assert_eq!(limiter.taken(), 7);

        drop((six, one));
        assert_eq!(limiter.taken(), 0);
    }

    #[test]
    fn a_call_that_makes_no_image_never_waits() {
        let limiter = ImageLimiter::new(1);
        let _all = enters(&limiter, 1);

        let entering = pin!(limiter.enter(0));

        assert!(matches!(entering.poll(&mut Context::from_waker(Waker::noop())), Poll::Ready(None)));
    }

    #[test]
    fn a_call_heavier_than_the_gate_takes_all_of_it() {
        let limiter = ImageLimiter::new(3);
        let one = enters(&limiter, 1);

        let mut heavy = asks(&limiter, 8);
        drop(one);
        let heavy = poll(&mut heavy).unwrap();

        assert_eq!(limiter.taken(), 3);
        let mut light = asks(&limiter, 1);
        drop(heavy);
        assert!(poll(&mut light).is_some());
    }

    #[test]
    fn nobody_overtakes_a_heavy_call() {
        let limiter = ImageLimiter::new(4);
        let three = enters(&limiter, 3);

        let mut heavy = asks(&limiter, 4);
        let mut light = asks(&limiter, 1);
        drop(three);

        assert!(poll(&mut light).is_none(), "the heavy call asked first");
        let heavy = poll(&mut heavy).unwrap();
        assert!(poll(&mut light).is_none());
        drop(heavy);
        assert!(poll(&mut light).is_some());
    }

    #[test]
    fn who_stops_waiting_lets_the_others_on() {
        let limiter = ImageLimiter::new(2);
        let one = enters(&limiter, 1);

        let heavy = asks(&limiter, 2);
        let mut light = asks(&limiter, 1);
        drop(heavy);

        let light = poll(&mut light).expect("one place was free all along");
        drop((one, light));
        assert_eq!(limiter.taken(), 0);
    }

    #[test]
    fn places_that_were_granted_but_never_received_are_given_back() {
        let limiter = ImageLimiter::new(1);
        let first = enters(&limiter, 1);
        let second = asks(&limiter, 1);
        let mut third = asks(&limiter, 1);

        drop(first);
        assert_eq!(limiter.taken(), 1, "granted to the second, who has not looked yet");
        drop(second);

        assert!(poll(&mut third).is_some());
        assert_eq!(limiter.taken(), 0);
    }

    #[test]
    fn the_service_can_make_the_gate_smaller_but_not_larger() {
        let limiter = ImageLimiter::new(4);
        let three = enters(&limiter, 3);

        limiter.learn(2);
        limiter.learn(9);
        let mut next = asks(&limiter, 2);
        drop(three);
        let next = poll(&mut next).unwrap();

        assert_eq!(limiter.taken(), 2);
        drop(next);
        limiter.learn(0);
        assert_eq!(enters(&limiter, 5).places, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn places_that_the_service_took_away_come_back_one_by_one() {
        let limiter = ImageLimiter::new(4);
        let places = || {
            let permit = enters(&limiter, 9);
            permit.places
        };
        limiter.learn(0);
        assert_eq!(places(), 1);

        tokio::time::advance(RECOVERY.saturating_sub(Duration::from_secs(1))).await;
        assert_eq!(places(), 1);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(places(), 2);
        // What is more than half of the way to the next place is not lost.
        tokio::time::advance(RECOVERY / 2).await;
        assert_eq!(places(), 2);
        tokio::time::advance(RECOVERY / 2).await;
        assert_eq!(places(), 3);

        limiter.learn(2);
        assert_eq!(places(), 2);
        tokio::time::advance(RECOVERY * 1000).await;
        assert_eq!(places(), 4, "and never more than were allowed in the beginning");
        limiter.learn(9);
        assert_eq!(places(), 4);
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_gets_in_when_places_have_come_back_and_somebody_goes() {
        let limiter = ImageLimiter::new(2);
        limiter.learn(1);
        let one = enters(&limiter, 1);
        let (mut second, mut third) = (asks(&limiter, 1), asks(&limiter, 1));

        tokio::time::advance(RECOVERY).await;
        drop(one);

        assert!(poll(&mut second).is_some() && poll(&mut third).is_some());
    }

    #[test]
    fn a_waiting_call_heavier_than_a_gate_that_became_smaller_still_gets_in() {
        let limiter = ImageLimiter::new(4);
        let all = enters(&limiter, 4);
        let mut heavy = asks(&limiter, 4);

        limiter.learn(2);
        drop(all);

        assert_eq!(poll(&mut heavy).unwrap().places, 2);
    }

    #[test]
    fn no_place_is_lost_when_many_come_and_go_at_the_same_time() {
        let limiter = ImageLimiter::new(2);

        std::thread::scope(|scope| {
            for weight in [1, 1, 2, 3] {
                let limiter = &limiter;
                scope.spawn(move || {
                    for _ in 0..5_000 {
                        // In and out, or away from the queue while somebody else lets it in.
                        let mut entering: Entering = Box::pin(limiter.enter(weight));
                        drop(poll(&mut entering));
                    }
                });
            }
        });

        assert_eq!(limiter.taken(), 0);
        assert_eq!(enters(&limiter, 2).places, 2);
    }

    #[test]
    fn a_gate_of_no_places_has_one() {
        assert_eq!(enters(&ImageLimiter::new(0), 3).places, 1);
    }
}
