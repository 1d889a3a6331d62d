//! Waiting for the models of the mock server.

use std::{pin::pin, time::Duration};

use futures_util::TryStreamExt as _;
use ideogram_client::{ErrorKind, training::TrainingError};
use ideogram_mock::{MockServer, Scenario};

use crate::setup::start;

const QUICKLY: Duration = Duration::from_millis(2);

#[tokio::test]
async fn a_training_ends_with_the_uri() {
    let (server, client) = start(MockServer::builder()).await;
    let ordered = client.train_model_v3().dataset_id("demo").model_name("lanterns at night").send().await.unwrap();

    let mut states = pin!(client.wait_until_trained(&ordered.model_id).poll_every(QUICKLY).states());
    let mut seen = Vec::new();
    while let Some(progress) = states.try_next().await.unwrap() {
        let state = progress.state.to_string();
        match state.as_str() {
            "CREATING" => server.advance(Duration::from_secs(30 * 60)),
            "TRAINING" => server.advance(Duration::from_secs(60 * 60)),
            _ => assert!(progress.trained().is_some() && progress.next_poll_in.is_none()),
        }
        seen.push(state);
    }
    let trained = client.wait_until_trained(&ordered.model_id).await.unwrap();

    assert_eq!(seen, ["CREATING", "TRAINING", "COMPLETED"]);
    assert_eq!(trained.custom_model_uri, "model/lanterns-at-night/version/1");
    let image = client.generate_image_v3().prompt("a lantern").custom_model_uri(&trained.custom_model_uri);
    assert!(image.send().await.is_ok());
}

#[tokio::test]
async fn a_failure_of_the_service_does_not_end_the_wait_and_a_failed_training_does() {
    let (server, client) = start(MockServer::builder()).await;
    let ordered = client.train_model_v3().dataset_id("demo").model_name("errored lanterns").send().await.unwrap();
    server.advance(Duration::from_secs(24 * 3600));
    server.set_scenario(Scenario::ResponseLostOnce);

    let end = client.wait_until_trained(&ordered.model_id).poll_every(QUICKLY).await;

    assert!(matches!(end, Err(TrainingError::Errored(ref model)) if model.name == "errored lanterns"), "{end:?}");
}

#[tokio::test]
async fn a_wrong_id_ends_the_wait_and_an_invalid_one_is_never_sent() {
    let (server, client) = start(MockServer::builder()).await;

    let unknown = client.wait_until_trained("unknown").poll_every(QUICKLY).await.unwrap_err();
    let before = server.requests().len();
    let useless = client.wait_until_trained("a/b").await.unwrap_err();

    assert!(matches!(unknown, TrainingError::Call(ref error) if error.kind() == ErrorKind::NotFound));
    assert!(matches!(useless, TrainingError::Call(ref error) if error.kind() == ErrorKind::InvalidArgument));
    assert_eq!(server.requests().len(), before);
}
