//! Observed states of a model, and the ends of a wait.

use std::{fmt, time::Duration};

use crate::{
    Error, ErrorKind,
    types::{CustomModel, ModelStatus},
};

/// A trained model, which can make images.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct TrainedModel {
    /// The value for `custom_model_uri` in requests for images. Opaque.
    pub custom_model_uri: String,
    /// The model: completed and available.
    pub model: CustomModel,
}

/// The result of one poll.
#[derive(Debug)]
#[non_exhaustive]
pub struct TrainingProgress {
    /// The observed state.
    pub state: TrainingState,
    /// The time since the wait began.
    pub elapsed: Duration,
    /// The time until the next poll; `None` after the last one.
    pub next_poll_in: Option<Duration>,
}

/// The observed state of a model.
#[derive(Debug)]
#[non_exhaustive]
pub enum TrainingState {
    /// The training has not ended, or the model is in an unknown state whose name means neither success nor failure.
    Training(CustomModel),
    /// The training is completed, but the model cannot make images yet: it is not available, or has no URI.
    NotRegistered(CustomModel),
    /// The model can make images.
    Trained(TrainedModel),
    /// The poll failed: the service could not be reached, failed, or does not list the model yet. The wait continues.
    PollFailed(Error),
}

/// Why a wait ended without a trained model.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainingError {
    /// The training failed or was ended without a model. This is final, and training again costs again.
    #[error("the training of the model {} failed{}", .0.model_id, unless_documented(&.0.status))]
    Errored(Box<CustomModel>),
    /// The model is archived, and cannot be used any more.
    #[error("the model {} is archived", .0.model_id)]
    Archived(Box<CustomModel>),
    /// The deadline has passed. The training continues; waiting again is free.
    #[error("the model was not ready after {:.1} seconds; its training continues, and waiting again is free", .elapsed.as_secs_f64())]
    #[non_exhaustive]
    DeadlinePassed {
        /// The duration of the wait.
        elapsed: Duration,
        /// The model of the last successful poll, if there was one.
        model: Option<Box<CustomModel>>,
        /// Why the last poll failed, if it did.
        #[source]
        last_error: Option<Error>,
    },
    /// For a day, the model was in a state that this version does not know. The training may have ended.
    #[error("the model {} has been {} for {} hours, a state that this version does not know", .model.model_id, .model.status, .elapsed.as_secs() / 3600)]
    UnknownState {
        /// How long the model has been in unknown states.
        elapsed: Duration,
        /// The model of the last poll.
        model: Box<CustomModel>,
    },
    /// The service refused the poll: the key is wrong, or the model does not exist. Waiting longer does not help.
    #[error(transparent)]
    Call(#[from] Error),
}

impl TrainingError {
    /// What to do next. A failed training is [`ErrorKind::Server`], an archived model [`ErrorKind::NotFound`], and a deadline
    /// that has passed [`ErrorKind::Transport`]. The training itself was paid when it was started.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Errored(_) => ErrorKind::Server,
            Self::Archived(_) => ErrorKind::NotFound,
            Self::DeadlinePassed { .. } => ErrorKind::Transport,
            Self::UnknownState { .. } => ErrorKind::UndocumentedResponse,
            Self::Call(error) => error.kind(),
        }
    }
}

impl TrainingProgress {
    /// The trained model, in the last state only.
    pub fn trained(&self) -> Option<&TrainedModel> {
        if let TrainingState::Trained(trained) = &self.state { Some(trained) } else { None }
    }
}

impl TrainingState {
    /// The model, unless the poll failed.
    pub fn model(&self) -> Option<&CustomModel> {
        match self {
            Self::Training(model) | Self::NotRegistered(model) => Some(model),
            Self::Trained(trained) => Some(&trained.model),
            Self::PollFailed(_) => None,
        }
    }

    /// Judges a model by its state.
    pub(super) fn of(model: CustomModel) -> Result<Self, TrainingError> {
        match Meaning::of(&model.status) {
            Meaning::Failed => Err(TrainingError::Errored(Box::new(model))),
            Meaning::Archived => Err(TrainingError::Archived(Box::new(model))),
            Meaning::Completed => Ok(match &model.custom_model_uri {
                Some(uri) if model.is_available_for_generation && !uri.is_empty() => {
                    Self::Trained(TrainedModel { custom_model_uri: uri.clone(), model })
                }
                _ => Self::NotRegistered(model),
            }),
            Meaning::InProgress | Meaning::Unknown => Ok(Self::Training(model)),
        }
    }
}

/// Returns whether the training of a model in this state has ended, with success or failure. An unknown state has ended
/// only if its name says so.
pub fn has_ended(status: &ModelStatus) -> bool {
    !matches!(Meaning::of(status), Meaning::InProgress | Meaning::Unknown)
}

/// The meaning of a state for a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    InProgress,
    Completed,
    Failed,
    Archived,
    Unknown,
}

/// Prefixes of words that mean a failure. Other interfaces of the service have such states, and a wait for a state that
/// never changes would never end.
const FAILURES: [&str; 17] = [
    "FAIL", "ERR", "CANCEL", "ABORT", "EXPIR", "REJECT", "REFUS", "DECLIN", "DENIED", "DELET", "REMOV", "TERMINAT",
    "STOPPED", "TIMEOUT", "TIMED", "KILL", "INVALID",
];
/// Prefixes of words that mean success.
const SUCCESSES: [&str; 7] = ["COMPLETE", "SUCCE", "FINISHED", "READY", "TRAINED", "DONE", "AVAILABLE"];

impl Meaning {
    pub(super) fn of(status: &ModelStatus) -> Self {
        let name = status.as_str().trim().to_ascii_uppercase();
        match ModelStatus::custom(&name) {
            ModelStatus::Creating | ModelStatus::Draft | ModelStatus::Training => return Self::InProgress,
            ModelStatus::Completed => return Self::Completed,
            ModelStatus::Errored => return Self::Failed,
            ModelStatus::Archived => return Self::Archived,
            ModelStatus::Unrecognized(_) => {}
        }
        let words: Vec<&str> = name.split(|letter: char| !letter.is_ascii_alphabetic()).collect();
        let begins_like = |beginnings: &[&str]| {
            words.iter().any(|word| beginnings.iter().any(|beginning| word.starts_with(beginning)))
        };
        // CANCELLING has not ended, NOT_READY has not succeeded, and TRAINING_FAILED has failed.
        let goes_on = |word: &&str| word.ends_with("ING") && !["TRAINING", "PROCESSING"].contains(word);
        if words.last().is_some_and(|word| word.ends_with("ING"))
            || words.iter().any(|word| goes_on(word) || *word == "NOT")
        {
            Self::Unknown
        } else if begins_like(&FAILURES) {
            Self::Failed
        } else if begins_like(&["ARCHIV"]) {
            Self::Archived
        } else if begins_like(&SUCCESSES) {
            Self::Completed
        } else {
            Self::Unknown
        }
    }
}

/// Returns the name of the state for the message, unless it is `ERRORED`.
fn unless_documented(status: &ModelStatus) -> String {
    if *status == ModelStatus::Errored { String::new() } else { format!(": its state is {status}") }
}

impl fmt::Display for TrainingState {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Training(model) => write!(formatter, "{}", model.status),
            Self::NotRegistered(model) => write!(formatter, "{}, but not registered yet", model.status),
            Self::Trained(trained) => write!(formatter, "{}", trained.model.status),
            Self::PollFailed(error) => write!(formatter, "unknown: {error}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_state_is_judged_by_its_name() {
        for (meaning, names) in [
            (Meaning::InProgress, "CREATING DRAFT TRAINING training Creating"),
            (
                Meaning::Completed,
                "COMPLETED completed COMPLETE SUCCEEDED SUCCESS READY TRAINED FINISHED TRAINING_COMPLETED",
            ),
            (Meaning::Failed, "ERRORED errored FAILED failed Failure ERROR TRAINING_FAILED CANCELLED CANCELED EXPIRED"),
            (Meaning::Failed, "REJECTED ABORTED TIMED_OUT TIMEOUT TERMINATED DELETED DECLINED INVALID_DATA STOPPED"),
            (Meaning::Archived, "ARCHIVED archived ARCHIVED_BY_USER"),
            (Meaning::Unknown, "QUEUED PENDING VALIDATING CANCELLING NOT_READY PAUSED NEW RETRYING_FAILED_STEP"),
        ] {
            for name in names.split(' ') {
                assert_eq!(Meaning::of(&ModelStatus::custom(name)), meaning, "{name}");
            }
        }
    }
}
