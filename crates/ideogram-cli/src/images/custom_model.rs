//! The custom model of a call, by its URI, its name or its id.

use ideogram_client::types::CustomModel;

use crate::{failure::Failure, session::context::Context};

/// What all URIs of custom models begin with.
const URI_START: &str = "model/";

/// Returns the URI of a model. A name or an id is looked up, which is free.
pub(crate) async fn uri(context: &Context<'_>, text: &str) -> Result<String, Failure> {
    if text.starts_with(URI_START) {
        return Ok(text.to_owned());
    }
    let show = "`ideogram models list` shows the models with their URIs";
    if context.is_dry_run() {
        let what = format!("the model \"{text}\" is not looked up in a dry run, which sends nothing");
        return Err(Failure::usage(what).hint(format!("give its URI, model/NAME/version/VERSION; {show}")));
    }
    let action = "cannot look up the custom model";
    let Some(response) = context.call(context.client().list_custom_models(), action).await? else {
        return Ok(text.to_owned());
    };
    let models = &response.value().models;
    let found: Vec<&CustomModel> = models
        .iter()
        .filter(|model| model.model_id.as_str() == text || model.name.eq_ignore_ascii_case(text))
        .collect();
    let uris: Vec<&str> = found.iter().filter_map(|model| model.custom_model_uri.as_deref()).collect();
    match (uris.as_slice(), found.first()) {
        ([uri], _) => {
            context.output().note(&format!("using the custom model {uri}"));
            Ok((*uri).to_owned())
        }
        ([], Some(model)) => {
            let what = format!("the custom model \"{text}\" is not ready, but {}: nothing was sent", model.status);
            Err(Failure::usage(what).hint(format!("`ideogram models wait {}` waits for its training", model.model_id)))
        }
        ([], None) => {
            Err(Failure::usage(format!("no custom model has the name or id \"{text}\": nothing was sent")).hint(show))
        }
        _ => {
            let failure = Failure::usage(format!("several custom models have the name \"{text}\": nothing was sent"));
            let ready = found.iter().filter_map(|model| Some((model.custom_model_uri.as_deref()?, &model.model_id)));
            let failure = ready.fold(failure, |failure, (uri, id)| failure.fact(format!("{uri}, id {id}")));
            Err(failure.hint("give the URI or the id of one of them"))
        }
    }
}
