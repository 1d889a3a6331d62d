//! What a look at a model shows, and how a wait can end.

use std::{fmt, time::Duration};

use crate::{
    Error,
    types::{CustomModel, ModelStatus},
};

/// A model that pictures can be made with.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct TrainedModel {
    /// What the `custom_model_uri` of a request for pictures takes. Opaque.
    pub custom_model_uri: String,
    /// The model as the service shows it: completed and available.
    pub model: CustomModel,
}

/// What one look showed.
#[derive(Debug)]
#[non_exhaustive]
pub struct TrainingState {
    /// What was seen.
    pub sighting: Sighting,
    /// The time since the wait began.
    pub elapsed: Duration,
    /// When the next look is due, from now on; `None` after the last one.
    pub next_look_in: Option<Duration>,
}

/// What a look at a model can show. More may come.
#[derive(Debug)]
#[non_exhaustive]
pub enum Sighting {
    /// The training has not ended, or the model is in a state that this version does not know, which means neither
    /// success nor failure.
    Training(CustomModel),
    /// The training is completed, but pictures cannot be made with the model yet: it is not available, or has no URI.
    NotRegistered(CustomModel),
    /// The wait is over.
    Trained(TrainedModel),
    /// Nothing was seen: the service could not be reached, failed, or does not show the model yet. The wait goes on.
    Nothing(Error),
}

/// Why a wait ended without a trained model.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotTrained {
    /// The training failed, which is final. Training again costs again.
    #[error("the training of the model {} failed", .0.model_id)]
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
    /// The service cannot be asked: the key is wrong, the model is not there, the request is refused. Waiting longer
    /// does not help.
    #[error(transparent)]
    Call(#[from] Error),
}

impl TrainingState {
    /// The model that pictures can be made with: in the last state only.
    pub fn trained(&self) -> Option<&TrainedModel> {
        match &self.sighting {
            Sighting::Trained(trained) => Some(trained),
            _ => None,
        }
    }
}

impl Sighting {
    /// The model, if it was seen.
    pub fn model(&self) -> Option<&CustomModel> {
        match self {
            Self::Training(model) | Self::NotRegistered(model) => Some(model),
            Self::Trained(trained) => Some(&trained.model),
            Self::Nothing(_) => None,
        }
    }

    /// Judges a model by its state.
    pub(super) fn of(model: CustomModel) -> Result<Self, NotTrained> {
        match model.status {
            ModelStatus::Errored => Err(NotTrained::Errored(Box::new(model))),
            ModelStatus::Archived => Err(NotTrained::Archived(Box::new(model))),
            ModelStatus::Completed => Ok(match &model.custom_model_uri {
                Some(uri) if model.is_available_for_generation && !uri.is_empty() => {
                    Self::Trained(TrainedModel { custom_model_uri: uri.clone(), model })
                }
                _ => Self::NotRegistered(model),
            }),
            _ => Ok(Self::Training(model)),
        }
    }
}

impl fmt::Display for Sighting {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Training(model) => write!(formatter, "{}", model.status),
            Self::NotRegistered(model) => write!(formatter, "{}, but not registered yet", model.status),
            Self::Trained(trained) => write!(formatter, "{}", trained.model.status),
            Self::Nothing(error) => write!(formatter, "not seen: {error}"),
        }
    }
}
