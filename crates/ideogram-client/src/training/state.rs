//! What a look at a model shows, and how a wait can end.

use std::{fmt, time::Duration};

use crate::{
    Error,
    types::{CustomModel, ModelStatus},
};

/// A model that images can be made with.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct TrainedModel {
    /// What the `custom_model_uri` of a request for images takes. Opaque.
    pub custom_model_uri: String,
    /// The model as the service shows it: completed and available.
    pub model: CustomModel,
}

/// What one look showed.
#[derive(Debug)]
#[non_exhaustive]
pub struct TrainingProgress {
    /// What was seen.
    pub observation: Observation,
    /// The time since the wait began.
    pub elapsed: Duration,
    /// When the next look is due, from now on; `None` after the last one.
    pub next_look_in: Option<Duration>,
}

/// What a look at a model can show. More may come.
#[derive(Debug)]
#[non_exhaustive]
pub enum Observation {
    /// The training has not ended, or the model is in a state that this version does not know and whose name reads like
    /// neither success nor failure.
    Training(CustomModel),
    /// The training is completed, but images cannot be made with the model yet: it is not available, or has no URI.
    NotRegistered(CustomModel),
    /// The wait is over.
    Trained(TrainedModel),
    /// Nothing was seen: the service could not be reached, failed, or does not show the model yet. The wait goes on.
    Nothing(Error),
}

/// Why a wait ended without a trained model.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainingError {
    /// The training failed, or ended in another way without a model, which is final. Training again costs again.
    #[error("the training of the model {} failed{}", .0.model_id, unless_documented(&.0.status))]
    Errored(Box<CustomModel>),
    /// The model is archived: it cannot be used, and will not be.
    #[error("the model {} is archived", .0.model_id)]
    Archived(Box<CustomModel>),
    /// The caller's time is over. The training goes on; waiting again is free.
    #[error("the model was not ready after {} seconds; its training goes on, and waiting again is free", .elapsed.as_secs())]
    #[non_exhaustive]
    DeadlinePassed {
        /// How long the wait took.
        elapsed: Duration,
        /// The model as it was seen last, if it was.
        model: Option<Box<CustomModel>>,
        /// Why the last look showed nothing, if so.
        #[source]
        trouble: Option<Error>,
    },
    /// For a day, the model was in a state that this version does not know. It may end well or badly, or have ended.
    #[error("the model {} has been {} for {} hours, a state that this version does not know", .model.model_id, .model.status, .elapsed.as_secs() / 3600)]
    UnknownState {
        /// How long it has been in states that are not known.
        elapsed: Duration,
        /// The model as it was seen last.
        model: Box<CustomModel>,
    },
    /// The service refuses the call: the key is wrong, the model is not there, the request is refused. Waiting longer
    /// does not help.
    #[error(transparent)]
    Call(#[from] Error),
}

impl TrainingProgress {
    /// The model that images can be made with: in the last state only.
    pub fn trained(&self) -> Option<&TrainedModel> {
        match &self.observation {
            Observation::Trained(trained) => Some(trained),
            _ => None,
        }
    }
}

impl Observation {
    /// The model, if it was seen.
    pub fn model(&self) -> Option<&CustomModel> {
        match self {
            Self::Training(model) | Self::NotRegistered(model) => Some(model),
            Self::Trained(trained) => Some(&trained.model),
            Self::Nothing(_) => None,
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

/// Whether the training of a model in this state is over, well or badly. A state that this version does not know counts
/// as over only if its name reads like an end.
pub fn has_ended(status: &ModelStatus) -> bool {
    !matches!(Meaning::of(status), Meaning::InProgress | Meaning::Unknown)
}

/// What a state means for a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    InProgress,
    Completed,
    Failed,
    Archived,
    /// It reads like none of them.
    Unknown,
}

/// Beginnings of words that say that something has ended without success. Other interfaces of the service have such
/// states, and a wait for a state that never changes would never end.
const FAILURES: [&str; 17] = [
    "FAIL", "ERR", "CANCEL", "ABORT", "EXPIR", "REJECT", "REFUS", "DECLIN", "DENIED", "DELET", "REMOV", "TERMINAT",
    "STOPPED", "TIMEOUT", "TIMED", "KILL", "INVALID",
];
/// Beginnings of words that say that something has ended well.
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
        // What is still CANCELLING has not ended, and what is NOT_READY is not done; TRAINING_FAILED has failed.
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

/// The name of a state, where the sentence does not say it already.
fn unless_documented(status: &ModelStatus) -> String {
    if *status == ModelStatus::Errored { String::new() } else { format!(": its state is {status}") }
}

impl fmt::Display for Observation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Training(model) => write!(formatter, "{}", model.status),
            Self::NotRegistered(model) => write!(formatter, "{}, but not registered yet", model.status),
            Self::Trained(trained) => write!(formatter, "{}", trained.model.status),
            Self::Nothing(error) => write!(formatter, "not seen: {error}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_judged_by_what_it_reads_like() {
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
