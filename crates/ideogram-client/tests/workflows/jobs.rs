//! Jobs against the mock server: submitted, kept as JSON or on disk, waited for, and priced before.

use std::{
    fs,
    path::Path,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_util::TryStreamExt as _;
use ideogram_client::{
    CallOptions, ErrorKind, File, Job, Outcome,
    job::{JobError, JobState},
    save::{HasImages as _, SaveOutcome},
    types::GenerationV2,
};
use ideogram_mock::{MockServer, Scenario};
use ideogram_testkit::{Reply, response};
use serde_json::{Value, json};

use crate::setup::{client_of, start};

/// An image of one pixel.
const TINY_WEBP: &[u8] = b"RIFF\x12\0\0\0WEBPVP8L\x06\0\0\0\x2f\0\0\0\0\0";

/// How many calls were submitted.
fn submitted(server: &MockServer) -> usize {
    let requests = server.requests();
    requests.iter().filter(|request| request.method == "POST" && request.query.is_none()).count()
}

/// The names of files, those of the jobs included.
fn files(folder: &Path) -> Vec<String> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if entry.file_type().unwrap().is_dir() {
            names.extend(files(&entry.path()).into_iter().map(|inner| format!("{name}/{inner}")));
        } else {
            names.push(name);
        }
    }
    names
}

fn jobs(folder: &Path) -> usize {
    files(folder).iter().filter(|name| name.starts_with(".ideogram-jobs/")).count()
}

fn images(folder: &Path) -> usize {
    files(folder).iter().filter(|name| Path::new(name).extension().is_some_and(|it| it == "png")).count()
}

#[tokio::test]
async fn a_job_is_submitted_and_waited_for_and_holds_its_permits_until_it_has_ended() {
    let (server, client) = start(MockServer::builder().job_time(Duration::from_secs(10))).await;

    let call = client.generate_image_v2_ideogram45().prompt("a lantern").num_images(3);
    let job = call.submit().await.unwrap();
    let mut seen = Vec::new();
    let mut states = pin!(job.wait().states());
    while let Some(progress) = states.try_next().await.unwrap() {
        match progress.state {
            JobState::Running(named) => {
                assert_eq!(client.images_in_flight(), 3);
                assert!(progress.next_poll_in.is_some());
                seen.push(named);
                server.advance(Duration::from_secs(5));
            }
            JobState::Completed(response) => {
                assert_eq!((response.images().len(), progress.next_poll_in), (3, None));
                seen.push("completed".to_owned());
            }
            other => panic!("{other:?}"),
        }
    }

    assert_eq!(seen, ["pending", "pending", "completed"]);
    assert_eq!(client.images_in_flight(), 0, "released, though the job still exists");
    assert_eq!(job.operation().id, "post_generate_image_v2_ideogram45");
    assert_eq!(submitted(&server), 1);
    let again = job.wait().await.unwrap();
    assert_eq!(again.images().len(), 3, "waiting is free and can be repeated");
}

#[tokio::test]
async fn permits_are_released_if_nobody_waits() {
    let (_server, client) = start(MockServer::builder()).await;

    let job = client.generate_image_v2_ideogram45().prompt("a lantern").submit().await.unwrap();
    let clone = job.clone();
    drop(job);
    assert_eq!(client.images_in_flight(), 1);
    drop(clone);

    assert_eq!(client.images_in_flight(), 0);
}

#[tokio::test]
async fn a_job_survives_as_json_and_as_its_bare_id() {
    let (server, client) = start(MockServer::builder()).await;
    let job = client.generate_image_v2_ideogram45().prompt("a lantern").submit().await.unwrap();

    let json = serde_json::to_string(&job).unwrap();
    let elsewhere = client_of(server.url(), server.api_key());
    let read: Job<GenerationV2> = elsewhere.job_from_json(&json).unwrap();
    let by_job = read.wait().await.unwrap();
    let by_id = elsewhere.get_generation_v2().generation_id(job.id()).wait().unwrap().await.unwrap();

    assert_eq!((read.id(), read.accepted()), (job.id(), job.accepted()));
    assert_eq!(by_job.value(), by_id.value());
    assert!(!json.contains(server.api_key()), "{json}");
    assert!(json.contains("a lantern"), "the request, for sidecars: {json}");
    for wrong in [
        "",
        "{}",
        "[]",
        r#"{"operation": "get_dataset", "id": "a", "accepted": "2026-10-07T09:14:33Z"}"#,
        r#"{"operation": "nothing", "id": "a", "accepted": "2026-10-07T09:14:33Z"}"#,
    ] {
        let error = client.job_from_json::<Value>(wrong).unwrap_err();
        assert_eq!((error.kind(), error.outcome()), (ErrorKind::InvalidArgument, Outcome::NotSent), "{wrong}");
    }
    let changed: Job = client.job_from_json(&json.replace(job.id(), "../datasets")).unwrap();
    let before = server.requests().len();
    let refused = changed.wait().await.unwrap_err();
    assert!(matches!(refused, JobError::Call(ref error) if error.kind() == ErrorKind::InvalidArgument), "{refused}");
    assert_eq!(server.requests().len(), before, "an id that changes the path is never sent");
}

#[tokio::test]
async fn a_wait_survives_what_passes_and_ends_with_what_does_not() {
    let (server, client) = start(MockServer::builder()).await;
    let client = client.with(CallOptions::new().attempts(1));
    let submit = |prompt: &'static str| client.generate_image_v2_ideogram45().prompt(prompt).submit();

    for scenario in [
        Scenario::ServerErrorOnce { status: 500 },
        Scenario::ServerErrorOnce { status: 503 },
        Scenario::RateLimitedOnce { retry_after: None },
        Scenario::ResponseLostOnce,
    ] {
        let job = submit("a lantern").await.unwrap();
        server.set_scenario(scenario.clone());
        let response = job.wait().await;
        assert!(response.is_ok(), "{scenario:?}: {response:?}");
    }

    let failed = submit("an errored lantern").await.unwrap();
    let error = failed.wait().await.unwrap_err();
    assert!(matches!(&error, JobError::Failed { reason: Some(reason), .. } if reason == "content_policy_violation"));
    assert!(error.is_safety() && error.to_string().ends_with("failed (content_policy_violation); it is not billed"));
    assert_eq!(client.images_in_flight(), 0);

    let hanging = submit("a hanging lantern").await.unwrap();
    let error = hanging.wait().deadline(Duration::from_millis(100)).await.unwrap_err();
    assert!(matches!(&error, JobError::DeadlinePassed { id, .. } if id == hanging.id()), "{error}");
    assert!(error.to_string().contains("it runs on, and waiting again is free"), "{error}");
    assert_eq!(client.images_in_flight(), 1, "it is still in flight");

    let unknown = client.get_generation_v2().generation_id("nothing").wait().unwrap().await.unwrap_err();
    assert!(matches!(&unknown, JobError::Poll { error, .. } if error.kind() == ErrorKind::NotFound), "{unknown}");
    assert_eq!((unknown.kind(), unknown.outcome()), (ErrorKind::NotFound, Outcome::Unknown));
    let stranger = client_of(server.url(), "another-key");
    let refused = stranger.get_generation_v2().generation_id(hanging.id()).wait().unwrap().await.unwrap_err();
    assert!(matches!(&refused, JobError::Poll { error, .. } if error.kind() == ErrorKind::Authentication), "{refused}");
}

#[tokio::test]
async fn a_price_is_free_and_never_paid() {
    let (server, client) = start(MockServer::builder()).await;
    let folder = tempfile::tempdir().unwrap();
    let storing = client.with(CallOptions::new().store_responses_in(folder.path()));

    let quote = storing.generate_image_v2_ideogram45().prompt("a lantern").quality("low").num_images(4).quote();
    let quote = quote.await.unwrap();
    let image = include_bytes!("../../examples/setup/lantern.png");
    let dynamic = client.call("post_upscale").unwrap().file("image", File::from_bytes("a.png", image.as_slice()));
    let estimate = dynamic.quote().await.unwrap();
    let none = client.call("post_generate_image_v3").unwrap().field("prompt", "a").quote().await.unwrap_err();

    assert_eq!((quote.usd_micros, quote.quantity), (120_000, 4));
    assert_eq!(estimate["qualifier"], "estimate");
    assert_eq!((none.kind(), none.outcome()), (ErrorKind::InvalidArgument, Outcome::NotSent));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "no response of a paid call");
    assert_eq!(submitted(&server), 0);
    server.set_scenario(Scenario::ServerErrorOnce { status: 500 });
    assert!(client.generate_image_v2_ideogram45().prompt("a").quote().await.is_ok(), "retried like any free call");
    server.set_scenario(Scenario::ResponseLostOnce);
    let once = client.with(CallOptions::new().attempts(1));
    let lost = once.generate_image_v2_ideogram45().prompt("a").quote().await.unwrap_err();
    assert!(lost.is_safe_to_retry() && !lost.to_string().contains("may have run"), "{lost}");
}

#[tokio::test]
async fn what_the_client_sets_itself_is_refused_and_a_webhook_needs_a_job() {
    let (server, client) = start(MockServer::builder()).await;
    let call = || client.call("post_generate_image_v2_ideogram45").unwrap().field("prompt", "a lantern");

    for (call, method) in [
        (call().field("async", true), "submit()"),
        (call().unchecked_field("async", &true), "submit()"),
        (call().json(json!({"async": true})), "submit()"),
        (call().field("dry_run", true), "quote()"),
    ] {
        let error = call.prepare().unwrap_err();
        assert!(error.to_string().contains(method), "{error}");
    }
    let webhook = "http://127.0.0.1:9/webhook";
    let refused = client.generate_image_v2_ideogram45().prompt("a").webhook_url(webhook).send().await.unwrap_err();
    assert!(refused.to_string().contains("use `submit()`"), "{refused}");
    assert!(server.requests().is_empty());
    let job = client.generate_image_v2_ideogram45().prompt("a").webhook_url(webhook).submit().await.unwrap();
    assert!(job.wait().await.is_ok());
    let none = client.call("post_generate_image_v3").unwrap().field("prompt", "a").submit().await.unwrap_err();
    assert_eq!((none.kind(), none.outcome()), (ErrorKind::InvalidArgument, Outcome::NotSent));
}

#[tokio::test]
async fn a_job_runs_from_its_submission_to_saved_images() {
    let (server, client) = start(MockServer::builder()).await;
    let folder = tempfile::tempdir().unwrap();

    let call = client.generate_image_v2_ideogram45().prompt("a lantern").num_images(2);
    let outcomes = client.run_job(call, folder.path()).await.unwrap();

    assert!(outcomes.iter().all(|outcome| matches!(outcome, SaveOutcome::Saved(_))), "{outcomes:?}");
    assert_eq!((images(folder.path()), jobs(folder.path()), submitted(&server)), (2, 0, 1));
    let sidecar = outcomes[0].saved().unwrap().sidecar.clone().unwrap();
    let sidecar: Value = serde_json::from_slice(&fs::read(sidecar).unwrap()).unwrap();
    assert_eq!(sidecar["operation"], "post_generate_image_v2_ideogram45", "{sidecar}");
    assert!(sidecar["request"].to_string().contains("a lantern"), "{sidecar}");
    let declined = client.generate_image_v2_ideogram45().prompt("a forbidden lantern");
    let declined = client.run_job(declined, folder.path()).await.unwrap_err();
    assert!(matches!(declined, JobError::Call(ref error) if error.kind() == ErrorKind::Safety), "{declined}");
    assert!(!folder.path().join(".ideogram-jobs").exists());
}

#[tokio::test]
async fn a_program_that_runs_again_in_the_same_folder_saves_its_images_beside_the_others() {
    let folder = tempfile::tempdir().unwrap();
    for run in 1..=3 {
        // A new server each time: its ids are the same, and its links are not.
        let (_server, client) = start(MockServer::builder()).await;

        let paths =
            client.run_job(client.generate_image_v2_ideogram45().prompt("a"), folder.path()).paths().await.unwrap();

        assert_eq!((paths.len(), images(folder.path()), jobs(folder.path())), (1, run, 0));
    }
}

#[tokio::test]
async fn a_job_whose_wait_ended_early_is_resumed_without_paying_again() {
    let (server, client) = start(MockServer::builder().job_time(Duration::from_secs(10))).await;
    let folder = tempfile::tempdir().unwrap();
    let call = |prompt: &'static str| client.generate_image_v2_ideogram45().prompt(prompt);

    let late = client.run_job(call("a lantern"), folder.path()).deadline(Duration::from_millis(30)).await;
    assert!(matches!(late, Err(JobError::DeadlinePassed { .. })), "{late:?}");
    // As if the program had been killed while it waited.
    let dropped = tokio::time::timeout(
        Duration::from_millis(300),
        client.run_job(call("an errored lantern"), folder.path()).into_future(),
    );
    assert!(dropped.await.is_err());
    assert_eq!((jobs(folder.path()), images(folder.path())), (2, 0));
    let early = client.resume_jobs(folder.path()).deadline(Duration::from_millis(30)).await.unwrap();
    for result in &early {
        let error = result.as_ref().unwrap_err();
        assert_eq!((error.kind(), error.outcome()), (ErrorKind::Transport, Outcome::Unknown), "{error}");
        assert!(error.id().is_some(), "{error}");
    }
    assert_eq!((early.len(), jobs(folder.path())), (2, 2));

    server.advance(Duration::from_secs(10));
    server.set_scenario(Scenario::ImageLostOnce);
    let first = client.resume_jobs(folder.path()).await.unwrap();
    let second = client.resume_jobs(folder.path()).await.unwrap();

    assert_eq!(first.len(), 2);
    let failed = |result: &Result<Vec<SaveOutcome>, JobError>| matches!(result, Err(JobError::Failed { .. }));
    assert_eq!(first.iter().filter(|result| failed(result)).count(), 1, "{first:?}");
    // The connection broke while the image was saved; its response was still there.
    assert!(first.iter().chain(&second).flatten().flatten().any(|it| it.saved().is_some()), "{first:?} {second:?}");
    assert_eq!((jobs(folder.path()), images(folder.path()), submitted(&server)), (0, 1, 2));
    assert!(client.resume_jobs(folder.path()).await.unwrap().is_empty());
    assert!(client.resume_jobs(folder.path().join("nowhere")).await.unwrap().is_empty());
}

#[tokio::test]
async fn generic_code_takes_any_builder_that_can_run_as_a_job() {
    async fn count<B: ideogram_client::JobBuilder>(builder: B, folder: &Path) -> usize {
        let client = builder.client().clone();
        client.run_job(builder, folder).await.unwrap().len()
    }

    async fn submitted<B: ideogram_client::JobBuilder>(builder: B) -> B::Finished {
        builder.submit().await.unwrap().wait().await.unwrap().into_value()
    }

    let (_server, client) = start(MockServer::builder()).await;
    let folder = tempfile::tempdir().unwrap();
    let dynamic = client.call("post_generate_image_v2_ideogram_v4").unwrap().field("prompt", "a");

    assert_eq!(count(client.generate_image_v2_ideogram_v3().prompt("a").num_images(2), folder.path()).await, 2);
    assert_eq!(count(dynamic, folder.path()).await, 1);

    let generation: GenerationV2 = submitted(client.generate_image_v2_ideogram_v3().prompt("a")).await;
    assert_eq!(generation.data.len(), 1);
}

#[tokio::test]
async fn the_jobs_of_a_folder_are_waited_for_at_the_same_time() {
    let (_server, client) = start(MockServer::builder()).await;
    let folder = tempfile::tempdir().unwrap();
    let stored = folder.path().join(".ideogram-jobs");
    let storing = client.with(CallOptions::new().store_responses_in(&stored));
    let submit = |prompt: &'static str| storing.generate_image_v2_ideogram45().prompt(prompt).submit();
    let (hanging, _other) = (submit("a hanging lantern").await.unwrap(), submit("a lantern").await.unwrap());
    // The first in the order of names.
    fs::rename(hanging.stored_at().unwrap(), stored.join("0.json")).unwrap();

    let other_is_saved = async {
        while images(folder.path()) == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };

    tokio::select! {
        resumed = client.resume_jobs(folder.path()).into_future() => panic!("one of them hangs: {resumed:?}"),
        saved = tokio::time::timeout(Duration::from_secs(30), other_is_saved) => saved.expect("the other is saved"),
    }
}

#[tokio::test]
async fn a_finished_job_whose_response_cannot_be_stored_is_in_the_error() {
    let (_server, client) = start(MockServer::builder()).await;
    let folder = tempfile::tempdir().unwrap();
    let stored = folder.path().join("responses");
    let storing = client.with(CallOptions::new().store_responses_in(&stored));
    let job = storing.generate_image_v2_ideogram45().prompt("a lantern").submit().await.unwrap();
    fs::remove_dir_all(&stored).unwrap();
    fs::write(&stored, "in the way").unwrap();

    let error = job.wait().await.unwrap_err();

    assert_eq!((error.kind(), error.outcome()), (ErrorKind::LocalIo, Outcome::Completed), "{error}");
    let JobError::Call(error) = error else { panic!("{error}") };
    assert!(error.body().is_some(), "{error}");
}

#[tokio::test]
async fn a_job_whose_image_has_no_link_is_polled_again_and_not_forgotten() {
    // The first response of the completed job lacks the link.
    let polls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&polls);
    let server = ideogram_testkit::Server::start(move |_, request| {
        let host = request.header("host")[0].to_owned();
        let image = |url: Value| json!({"url": url, "prompt": "a", "resolution": "1024x1024", "seed": 7, "is_image_safe": true});
        let body = match request.line() {
            line if line.starts_with("POST ") => json!({"generation_id": "g1"}),
            line if line.contains("/v2/generations/") => {
                let poll = counted.fetch_add(1, Ordering::Relaxed);
                let url = if poll == 0 { Value::Null } else { json!(format!("http://{host}/a.webp")) };
                json!({"object": "image.generation", "generation_id": "g1", "status": "completed",
                    "created": "2026-07-01T09:00:00Z", "data": [image(url)]})
            }
            _ => return Reply::Bytes(response(200, "Content-Type: image/webp\r\n", TINY_WEBP)),
        };
        Reply::Bytes(response(200, "", body.to_string()))
    });
    let client = client_of(server.url(), "mock-api-key");
    let folder = tempfile::tempdir().unwrap();

    let first = client.run_job(client.generate_image_v2_ideogram45().prompt("a"), folder.path()).await.unwrap();
    assert!(matches!(first[..], [SaveOutcome::LinkMissing]), "{first:?}");
    assert_eq!(jobs(folder.path()), 1, "it is paid");

    let second = client.resume_jobs(folder.path()).await.unwrap();
    assert!(second[0].as_ref().unwrap()[0].saved().is_some(), "{second:?}");
    assert_eq!((jobs(folder.path()), polls.load(Ordering::Relaxed)), (0, 2));
}

#[tokio::test]
async fn a_request_is_a_job_or_a_quote_and_not_both() {
    let (server, client) = start(MockServer::builder()).await;
    let request = client.generate_image_v2_ideogram45().prompt("a").prepare().unwrap();

    let quote = request.clone().into_quote().unwrap();
    assert_eq!(quote.into_job().unwrap_err().kind(), ErrorKind::InvalidArgument);
    let job = request.into_job().unwrap();
    assert_eq!(job.into_quote().unwrap_err().kind(), ErrorKind::InvalidArgument);
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn any_interval_of_a_wait_is_accepted() {
    let (server, client) = start(MockServer::builder().job_time(Duration::from_secs(10))).await;
    let job = client.generate_image_v2_ideogram45().prompt("a").submit().await.unwrap();

    let mut states = pin!(job.wait().poll_every(Duration::MAX).states());
    while let Some(progress) = states.try_next().await.unwrap() {
        assert!(!matches!(progress.state, JobState::PollFailed(_)));
        server.advance(Duration::from_secs(10));
    }
}
