//! Ctrl-C: ends the command cleanly, and knows what was under way.
//!
//! [`Interrupt::guard`] runs the command. On Ctrl-C it drops it, and with it whatever it was waiting for; half-written
//! files are removed by their owners. A command that has something to bring to an end asks for
//! [`Interrupt::gracefully`] first: then the first Ctrl-C is only told to it, and the second one ends it.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use ideogram_client::operation::{Billing, Operation, Repeat};
use tokio::{select, signal, sync::Notify};

use crate::{exit::Exit, failure::Failure};

/// What Ctrl-C needs to know. Clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Interrupt(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    is_graceful: AtomicBool,
    asked: Notify,
    under_way: Mutex<UnderWay>,
}

#[derive(Debug, Default)]
struct UnderWay {
    next: u64,
    calls: BTreeMap<u64, (&'static Operation, String)>,
}

/// A call that is under way until this is dropped.
#[derive(Debug)]
pub(crate) struct CallUnderWay(Interrupt, u64);

/// Tells a command that it is to end. Kept by the command for as long as it can end gracefully.
#[derive(Debug)]
pub(crate) struct Graceful(Interrupt);

impl Interrupt {
    /// Runs a command to its end or to Ctrl-C.
    pub(crate) async fn guard<T>(&self, command: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
        let interrupted = async {
            loop {
                if let Err(error) = signal::ctrl_c().await {
                    return Failure::internal("cannot wait for Ctrl-C").because(&error);
                }
                if !self.0.is_graceful.swap(false, Ordering::Relaxed) {
                    return self.failure();
                }
                self.0.asked.notify_one();
            }
        };
        // Heard before the command begins: whoever starts it may stop it at once.
        select! {
            biased;
            failure = interrupted => Err(failure),
            result = command => result,
        }
    }

    /// Notes a call that is about to be sent; `look` is the command that shows whether it has changed anything.
    pub(crate) fn call(&self, operation: &'static Operation, look: &str) -> CallUnderWay {
        let mut under_way = self.under_way();
        let number = under_way.next;
        under_way.next += 1;
        under_way.calls.insert(number, (operation, look.to_owned()));
        CallUnderWay(self.clone(), number)
    }

    /// Takes over the first Ctrl-C: it ends [`Graceful::asked`] instead of the command.
    pub(crate) fn gracefully(&self) -> Graceful {
        self.0.is_graceful.store(true, Ordering::Relaxed);
        Graceful(self.clone())
    }

    /// How an interrupted command ends: with what may still happen.
    pub(crate) fn failure(&self) -> Failure {
        let under_way = self.under_way();
        let mut failure = Failure::new(Exit::Interrupted, "interrupted");
        let mut hints = Vec::new();
        for (operation, look) in under_way.calls.values() {
            if operation.billing != Billing::Free {
                failure = failure.cause(format!("{operation} was under way: it may have run, and then it is billed"));
            } else if operation.repeat != Repeat::Safe {
                failure = failure.cause(format!("{operation} was under way: it may have been done all the same"));
            } else {
                continue;
            }
            let hint = format!("see `{look}` before running the command again");
            if !look.is_empty() && !hints.contains(&hint) {
                hints.push(hint);
            }
        }
        hints.into_iter().fold(failure, Failure::hint)
    }

    fn under_way(&self) -> MutexGuard<'_, UnderWay> {
        // A list of calls stays one, whatever became of another thread.
        self.0.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Graceful {
    /// Waits for the first Ctrl-C.
    pub(crate) async fn asked(&self) {
        self.0.0.asked.notified().await;
    }
}

impl Drop for Graceful {
    fn drop(&mut self) {
        self.0.0.is_graceful.store(false, Ordering::Relaxed);
    }
}

impl Drop for CallUnderWay {
    fn drop(&mut self) {
        self.0.under_way().calls.remove(&self.1);
    }
}

#[cfg(test)]
mod tests {
    use ideogram_client::operations;

    use super::*;

    #[test]
    fn what_is_under_way_and_may_cost_is_told() {
        let interrupt = Interrupt::default();
        let done = interrupt.call(&operations::POST_GENERATE_IMAGE_V3, "");
        let _training = interrupt.call(&operations::TRAIN_MODEL_V3, "ideogram models list");
        let _creation = interrupt.call(&operations::CREATE_DATASET, "ideogram datasets list");
        let _look = interrupt.call(&operations::GET_DATASET, "ideogram datasets list");
        drop(done);

        let failure = interrupt.failure();

        assert_eq!(
            failure.causes(),
            [
                "train_model_v3 was under way: it may have run, and then it is billed",
                "create_dataset was under way: it may have been done all the same",
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
