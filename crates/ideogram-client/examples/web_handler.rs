//! A web service that draws an image for a prompt, with axum: what fails becomes a status and a JSON body.
//!
//! `cargo run -p ideogram-client --example web_handler -- --mock`

#![allow(clippy::print_stdout, reason = "an example shows what came back")]

mod setup;

use std::{env, error::Error, path::PathBuf, time::Duration};

use axum::{
    Json, Router,
    extract::State,
    response::{IntoResponse, Response},
    routing::post,
};
use ideogram_client::{
    CallOptions, Client, ErrorKind, Outcome,
    job::JobError,
    reqwest::{self, StatusCode},
};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;

#[derive(Deserialize)]
struct Order {
    prompt: String,
    seed: Option<u32>,
    aspect_ratio: Option<String>,
}

/// An error of a call or of a job, as a response of this service.
#[derive(Serialize)]
struct Failed {
    kind: ErrorKind,
    /// Whether the image may have been billed.
    outcome: Outcome,
}

impl From<ideogram_client::Error> for Failed {
    fn from(error: ideogram_client::Error) -> Self {
        Self { kind: error.kind(), outcome: error.outcome() }
    }
}

impl From<JobError> for Failed {
    fn from(error: JobError) -> Self {
        Self { kind: error.kind(), outcome: error.outcome() }
    }
}

impl Failed {
    fn status(&self) -> StatusCode {
        match (self.kind, self.outcome) {
            // What the user of this service can change.
            (ErrorKind::InvalidArgument | ErrorKind::InvalidRequest, _) => StatusCode::BAD_REQUEST,
            (ErrorKind::Safety, _) => StatusCode::UNPROCESSABLE_ENTITY,
            // Nothing ran: the user may send it again.
            (ErrorKind::RateLimited, _) | (_, Outcome::NotSent) => StatusCode::SERVICE_UNAVAILABLE,
            // It may have run.
            (_, Outcome::Unknown) => StatusCode::GATEWAY_TIMEOUT,
            // The account of this service: its key, its balance.
            _ => StatusCode::BAD_GATEWAY,
        }
    }
}

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        (self.status(), Json(self)).into_response()
    }
}

async fn draw(State(client): State<Client>, Json(order): Json<Order>) -> Result<Json<Vec<String>>, Failed> {
    // What is `None` is left out.
    let call = client.generate_image_v3().prompt(order.prompt).seed(order.seed).aspect_ratio(order.aspect_ratio);
    let response = call.await?;
    Ok(Json(response.data.into_iter().filter_map(|image| image.url).collect()))
}

/// As a job: its id is on disk, so that `resume_jobs` can save the images if this service is restarted meanwhile.
async fn draw_and_save(State(client): State<Client>, Json(order): Json<Order>) -> Result<Json<Vec<PathBuf>>, Failed> {
    let call = client.generate_image_v2_ideogram45().prompt(order.prompt).seed(order.seed);
    let folder = env::temp_dir().join("ideogram-web-handler");
    Ok(Json(client.run_job(call, folder).deadline(Duration::from_secs(60)).paths().await?))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (client, _mock) = setup::client().await?;
    // A user waits: not longer than 10 seconds for permits, and a minute for the image.
    let options = CallOptions::new().permit_timeout(Duration::from_secs(10)).deadline(Duration::from_secs(60));
    let router =
        Router::new().route("/draw", post(draw)).route("/save", post(draw_and_save)).with_state(client.with(options));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    tokio::spawn(async move { axum::serve(listener, router).await });

    let user = reqwest::Client::builder().no_proxy().build()?;
    for (path, order) in [
        ("draw", r#"{"prompt": "A paper lantern", "seed": 7}"#),
        ("draw", r#"{"prompt": "A paper lantern", "aspect_ratio": "16:9"}"#),
        ("draw", r#"{"prompt": "Something forbidden"}"#),
        ("save", r#"{"prompt": "A paper lantern"}"#),
        ("save", r#"{"prompt": "Something forbidden"}"#),
    ] {
        let request = user.post(format!("{url}/{path}")).header("content-type", "application/json").body(order);
        let response = request.send().await?;
        let status = response.status();
        println!("/{path} {order}\n  {status}: {}", response.text().await?);
    }
    Ok(())
}
