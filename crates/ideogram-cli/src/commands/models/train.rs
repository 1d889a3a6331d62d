//! `ideogram models train`.

use clap::Args;
use ideogram_client::{
    Error,
    dataset::{Trainability, TrainabilityStatus},
    training,
    types::{CustomModel, DatasetId, ModelId, ModelStatus, TrainDatasetModelResponse},
};
use serde_json::{Value, json};

use super::{wait, watch::WaitFlags};
use crate::{
    commands::{ids, trainable},
    failure::{Failure, PRICES_PAGE},
    options::Format,
    output::layout::{Layout, ToLayout},
    output::units,
    session::context::Context,
};

/// Train a custom model from a dataset. Every run is billed
///
/// The dataset must have 15 to 100 images, which is checked before the training is started. Asks first at a terminal;
/// elsewhere it needs --yes. A training cannot be cancelled, and neither it nor the model can be deleted. It takes from
/// an hour to most of a day. If a model of the same dataset is in training, or has the same name, another is trained only
/// with --again.
///
/// The id of the model is printed at once. With --wait, the model is printed when it is ready, with its URI for
/// requests; if the wait is interrupted, `ideogram models wait ID` continues it. With --wait and `--output json`, one
/// JSON value is printed at the end, and the id goes to standard error at once.
#[derive(Debug, Args)]
#[command(after_help = format!("\
Examples:
  ideogram models train DATASET_ID --name \"Paper lanterns\" --wait
  id=$(ideogram models train DATASET_ID --name \"Paper lanterns\" --yes --jq .model_id)

Prices: {PRICES_PAGE}"))]
pub(crate) struct Train {
    /// The dataset to train from; `ideogram datasets list` shows the ids
    #[arg(value_name = "DATASET_ID", allow_hyphen_values = true, value_parser = ids::dataset_id)]
    dataset: DatasetId,

    /// The name of the model: 5 to 30 letters, digits, spaces and hyphens
    #[arg(long)]
    name: String,

    /// Train although a model of the same dataset is still in training, or has this name
    ///
    /// That is usually the same training, started before; --yes alone does not start it a second time.
    #[arg(long)]
    again: bool,

    /// Wait until the model is ready
    #[arg(long)]
    wait: bool,

    #[command(flatten)]
    wait_flags: WaitFlags,
}

impl Train {
    pub(super) async fn run(&self, context: &Context<'_>) -> Result<(), Failure> {
        if !self.wait {
            self.wait_flags.refuse_without_wait()?;
        }
        let action = &format!("cannot train a model from the dataset {}", self.dataset);
        let call = context.client().train_model_v3().dataset_id(self.dataset.as_str()).model_name(&self.name);
        // The name is checked before anything is sent.
        call.clone().prepare().map_err(|error| context.failure(action, &error))?;
        if !context.is_dry_run() {
            self.check_and_ask(context, action).await?;
        }
        let Some(response) = context.call(call, action).await? else { return Ok(()) };

        let output = context.output();
        let training = response.value();
        let id = &training.model_id;
        let is_printed_at_the_end = self.wait && output.format() == Format::Json;
        if is_printed_at_the_end {
            output.note(&format!("the training of the model {id} has begun"));
        } else {
            output.response(&response)?;
        }
        match (context.changes_note(), self.wait) {
            (Some(note), _) => output.note(note),
            (None, false) => output.note(&format!("next, wait for it: ideogram models wait {id}")),
            (None, true) => {
                output.note(&format!("if this wait is interrupted, continue it: ideogram models wait {id}"));
            }
        }
        if !self.wait {
            return Ok(());
        }
        let watched = match id.as_str().parse::<ModelId>() {
            Ok(id) => self.wait_flags.watch(context, &id).await,
            Err(error) => Err(Failure::internal(format!("the service gave the model an id that {error}"))),
        };
        let model = watched.as_ref().ok().map(|trained| &trained.model);
        if is_printed_at_the_end {
            let training: Value = serde_json::from_slice(response.body()).unwrap_or_else(|_| json!(training));
            output.result(&json!({"training": training, "model": model}), &Layout::new())?;
        } else if let Some(model) = model {
            let uri = model.custom_model_uri.as_deref().unwrap_or_default();
            let layout = Layout::new().field("Status", model.status.as_str()).field("URI", uri);
            output.result(&json!({"model": model}), &layout)?;
        }
        wait::next_step(output, &watched?);
        Ok(())
    }

    /// Checks that the dataset can be trained, and asks whether to pay for it.
    async fn check_and_ask(&self, context: &Context<'_>, action: &str) -> Result<(), Failure> {
        let call = context.client().get_dataset().dataset_id(&self.dataset);
        let Some(response) = context.call(call, action).await? else { return Ok(()) };
        let dataset = response.value();
        let trainable = Trainability::of(dataset);
        match trainable.status {
            TrainabilityStatus::Yes => {}
            TrainabilityStatus::TooFew { .. } => {
                return Err(Failure::usage(action)
                    .cause(format!("it cannot be trained: {}", trainable::why(trainable)))
                    .hint(format!("nothing was started; to add images: ideogram datasets sync {} DIR", self.dataset)));
            }
            TrainabilityStatus::TooMany { .. } => {
                return Err(Failure::usage(action)
                    .cause(format!("it cannot be trained: {}", trainable::why(trainable)))
                    .hint("nothing was started; the service cannot remove images: create another dataset"));
            }
            _ => {
                let why = trainable::why(trainable);
                context.output().warning(&format!("it is unknown whether the dataset can be trained: {why}"));
            }
        }
        self.check_earlier(context, action, &dataset.custom_model_ids).await?;
        let question = format!(
            "train the model \"{}\" from \"{}\" ({} images)? It is billed (prices: {PRICES_PAGE}) and cannot be cancelled",
            self.name, dataset.dataset.name, trainable.images
        );
        context.confirm(&question).await
    }

    /// Refuses a second training of a dataset while one is running, or with the name of a model of it: it is billed again,
    /// and usually a mistake.
    async fn check_earlier(&self, context: &Context<'_>, action: &str, of_dataset: &[ModelId]) -> Result<(), Failure> {
        let mut models = Vec::new();
        match context.client().list_custom_models().send().await {
            Ok(response) => models.extend(response.models.into_iter().filter(|model| {
                model.dataset_id.as_deref() == Some(self.dataset.as_str()) || of_dataset.contains(&model.model_id)
            })),
            Err(error) => self.unchecked(context, action, "the models cannot be listed", &error)?,
        }
        let is_missing = |id: &&ModelId| models.iter().all(|model| model.model_id != **id);
        let missing: Vec<&ModelId> = of_dataset.iter().filter(is_missing).collect();
        for id in missing {
            match context.client().get_custom_model().model_id(id.as_str()).send().await {
                Ok(response) => models.push(response.model),
                Err(error) => {
                    let problem = format!("the state of the model {id} of this dataset is unknown");
                    self.unchecked(context, action, &problem, &error)?;
                }
            }
        }
        let is_earlier = |model: &&CustomModel| {
            let has_name = model.status == ModelStatus::Completed && model.name == self.name;
            has_name || !training::has_ended(&model.status)
        };
        let earlier: Vec<_> = models.iter().filter(is_earlier).collect();
        let lines = earlier.iter().map(|model| {
            let since = units::time(&model.creation_time);
            let (id, name, status) = (&model.model_id, &model.name, &model.status);
            format!("the model {id} (\"{name}\") of this dataset, begun at {since}, is {status}")
        });
        let Some(first) = earlier.first() else { return Ok(()) };
        if self.again {
            lines.for_each(|line: String| context.output().warning(&line));
            return Ok(());
        }
        Err(lines
            .fold(Failure::usage(action), Failure::cause)
            .hint(format!(
                "nothing was started; to wait for that one, or see it: ideogram models wait {}",
                first.model_id
            ))
            .hint("--again starts another training from this dataset, which is billed again"))
    }
    /// Refuses a training of which is unknown whether it would be a second one; `--again` starts it all the same.
    fn unchecked(&self, context: &Context<'_>, action: &str, problem: &str, error: &Error) -> Result<(), Failure> {
        if self.again {
            context.output().warning(&format!("{problem}: {error}"));
            return Ok(());
        }
        let failure = context.failure(action, error).fact(format!("{problem}: it may be in training"));
        Err(failure.hint("nothing was started; --again starts a training without this check, which is billed"))
    }
}

impl ToLayout for TrainDatasetModelResponse {
    fn layout(&self) -> Layout {
        Layout::new()
            .field("Name", &self.model_name)
            .field("Id", &self.model_id)
            .field("Dataset", &self.dataset_id)
            .field("Training", &self.training_status)
    }
}
