//! Ctrl-C, SIGTERM and SIGHUP: end the command cleanly, and report calls in flight.
//!
//! [`Interrupt::guard`] runs the command. On a signal it drops the command with everything that it waits for;
//! incomplete files are removed by their owners. A command that must finish something calls [`Interrupt::gracefully`]
//! first: then it is notified of the first signal, and only the second one ends it. A billed call is finished in this way
//! ([`Interrupt::finish`]): to drop it would lose its response.

use std::{
    collections::BTreeMap,
    pin::pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use ideogram_client::operation::{Billing, Operation, Retry};
use tokio::{
    select,
    sync::{Notify, watch},
};

use crate::{
    exit::Exit,
    failure::{Failure, advice},
    session::{
        signals::{Signal, Signals},
        worker,
    },
};

/// Signals within this time count as one: `timeout` signals its child and then the whole group, and when a terminal
/// closes, the kernel and the shell both send SIGHUP.
const SAME_REQUEST: Duration = Duration::from_millis(500);

/// The state of signals and calls. Clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Interrupt(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    /// The process that started this one as its worker.
    supervisor: Option<u32>,
    /// Whether it was killed.
    is_killed: watch::Sender<bool>,
    is_graceful: AtomicBool,
    first: Notify,
    in_flight: Mutex<InFlight>,
}

#[derive(Debug, Default)]
struct InFlight {
    /// The last signal.
    signal: Option<Signal>,
    /// Whether a call was finished after a signal.
    was_finished: bool,
    next: u64,
    calls: BTreeMap<u64, &'static Operation>,
}

/// Marks a call as in flight until it is dropped.
#[derive(Debug)]
pub(crate) struct CallInFlight(Interrupt, u64);

/// Notifies a command of the first signal, until it is dropped.
#[derive(Debug)]
pub(crate) struct Graceful(Interrupt);

impl Interrupt {
    /// `supervisor` is the id of the process that started this one as its worker, if one did.
    pub(crate) fn new(supervisor: Option<u32>) -> Self {
        Self(Arc::new(Inner { supervisor, ..Inner::default() }))
    }

    /// The process that started this one as its worker; none if the user started it.
    pub(crate) fn supervisor(&self) -> Option<u32> {
        self.0.supervisor
    }

    /// Returns when the command was killed and only its worker, this process, is left. A command that is notified of
    /// signals then finishes what it has sent, without waiting for the images.
    pub(crate) async fn killed(&self) {
        // The sender lives as long as `self`.
        let _ = self.0.is_killed.subscribe().wait_for(|is_killed| *is_killed).await;
    }

    /// Runs a command to its end or to a signal.
    pub(crate) async fn guard<T>(&self, command: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
        // Before the command begins: a signal may arrive at once.
        let mut signals =
            Signals::new().map_err(|error| Failure::internal("cannot wait for signals").because(&error))?;
        let interrupted = async {
            let mut first: Option<Instant> = None;
            loop {
                let signal = signals.next().await;
                if first.is_some_and(|first| first.elapsed() < SAME_REQUEST) {
                    continue;
                }
                self.in_flight().signal = Some(signal);
                if !self.0.is_graceful.swap(false, Ordering::Relaxed) {
                    return self.failure();
                }
                first = Some(Instant::now());
                self.0.first.notify_one();
            }
        };
        let killed = async {
            worker::supervisor_ended(self.0.supervisor).await;
            self.0.is_killed.send_replace(true);
            if self.0.is_graceful.load(Ordering::Relaxed) {
                std::future::pending::<()>().await;
            }
            self.failure()
        };
        let result = select! {
            biased;
            failure = interrupted => Err(failure),
            // Polled before `killed`: a command that has just finished returns its own result.
            result = command => result,
            failure = killed => Err(failure),
        };
        let result = match result {
            // A script that runs commands in a loop must see that this one was interrupted.
            Ok(_) if self.in_flight().was_finished => Err(Failure::new(Exit::Interrupted, "interrupted")
                .fact("the call in flight was finished first; its result is complete")),
            result => result,
        };
        result.map_err(|failure| self.naming_the_signal(failure))
    }

    /// Sets the exit code of the signal, and names it unless it was Ctrl-C.
    fn naming_the_signal(&self, failure: Failure) -> Failure {
        match self.in_flight().signal {
            Some(signal @ (Signal::Terminate | Signal::HangUp)) if failure.exit() == Exit::Interrupted => {
                failure.cause(format!("{signal} ended the command")).exiting(signal.exit())
            }
            _ => failure,
        }
    }

    /// Records a call that is about to be sent.
    pub(crate) fn call(&self, operation: &'static Operation) -> CallInFlight {
        let mut in_flight = self.in_flight();
        let number = in_flight.next;
        in_flight.next += 1;
        in_flight.calls.insert(number, operation);
        CallInFlight(self.clone(), number)
    }

    /// Awaits a billed call. The first signal does not end it: `note` shows it, and the next one ends the command.
    ///
    /// # Errors
    ///
    /// [`Exit::Interrupted`] if there was a signal before: then no other call begins.
    pub(crate) async fn finish<T>(
        &self,
        call: impl Future<Output = T>,
        note: impl FnOnce(Signal),
    ) -> Result<T, Failure> {
        if self.is_signalled() {
            return Err(Failure::new(Exit::Interrupted, "interrupted"));
        }
        let mut call = pin!(call);
        let graceful = self.gracefully();
        let signal = select! {
            result = &mut call => return Ok(result),
            signal = graceful.signalled() => signal,
        };
        drop(graceful);
        self.in_flight().was_finished = true;
        note(signal);
        Ok(call.await)
    }

    /// Whether there was a signal.
    pub(crate) fn is_signalled(&self) -> bool {
        self.in_flight().signal.is_some()
    }

    /// Makes the first signal end [`Graceful::signalled`] instead of the command.
    pub(crate) fn gracefully(&self) -> Graceful {
        self.0.is_graceful.store(true, Ordering::Relaxed);
        Graceful(self.clone())
    }

    /// The failure of an interrupted command, with the calls in flight.
    pub(crate) fn failure(&self) -> Failure {
        let in_flight = self.in_flight();
        let mut failure = Failure::new(Exit::Interrupted, "interrupted");
        let mut hints = Vec::new();
        for operation in in_flight.calls.values() {
            if operation.billing != Billing::Free {
                failure = failure.fact(format!("{operation} was in flight: it may have run, and then it is billed"));
            } else if operation.retry != Retry::Safe {
                failure = failure.fact(format!("{operation} was in flight: it may still be done"));
            } else {
                continue;
            }
            let inspect = advice::inspect(operation);
            let hint = format!("see `{inspect}` before running the command again");
            if !inspect.is_empty() && !hints.contains(&hint) {
                hints.push(hint);
            }
        }
        hints.into_iter().fold(failure, Failure::hint)
    }

    fn in_flight(&self) -> MutexGuard<'_, InFlight> {
        // The list stays valid after a panic of another thread.
        self.0.in_flight.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Graceful {
    /// Waits for the first signal.
    pub(crate) async fn signalled(&self) -> Signal {
        self.0.0.first.notified().await;
        self.0.in_flight().signal.unwrap_or(Signal::Interrupt)
    }
}

impl Drop for Graceful {
    fn drop(&mut self) {
        self.0.0.is_graceful.store(false, Ordering::Relaxed);
    }
}

impl Drop for CallInFlight {
    fn drop(&mut self) {
        self.0.in_flight().calls.remove(&self.1);
    }
}

#[cfg(test)]
mod tests {
    use ideogram_client::operations;

    use super::*;

    #[test]
    fn calls_in_flight_that_change_something_are_reported() {
        let interrupt = Interrupt::default();
        let done = interrupt.call(&operations::POST_GENERATE_IMAGE_V3);
        let _training = interrupt.call(&operations::TRAIN_MODEL_V3);
        let _creation = interrupt.call(&operations::CREATE_DATASET);
        let _look = interrupt.call(&operations::GET_DATASET);
        drop(done);

        let failure = interrupt.failure();

        assert_eq!(
            failure.causes().collect::<Vec<_>>(),
            [
                "train_model_v3 was in flight: it may have run, and then it is billed",
                "create_dataset was in flight: it may still be done",
            ]
        );
        assert_eq!(
            failure.hints(),
            [
                "see `ideogram models list` before running the command again",
                "see `ideogram datasets list` before running the command again",
            ]
        );
    }
}
