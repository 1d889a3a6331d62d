//! Receives the result of a job as a webhook, with axum.
//!
//! `cargo run -p ideogram-client --example webhook -- --mock`
//!
//! The service delivers to public addresses with https only: pass the one of a proxy in front of this program, which
//! listens on port 8080.

#![allow(clippy::print_stdout, reason = "an example shows what came back")]

mod setup;

use std::{collections::HashSet, error::Error};

use axum::{Router, body::Bytes, extract::State, routing::post};
use ideogram_client::{
    reqwest::{StatusCode, header::HeaderMap},
    webhook::{Delivery, Receiver},
};
use tokio::{net::TcpListener, sync::mpsc};

#[derive(Clone)]
struct App {
    receiver: Receiver,
    deliveries: mpsc::Sender<Delivery>,
}

/// Verifies a webhook, acknowledges it at once, and leaves the work to `main`.
async fn receive(State(app): State<App>, headers: HeaderMap, body: Bytes) -> StatusCode {
    match app.receiver.receive(&headers, body).await {
        Ok(delivery) => match app.deliveries.try_send(delivery) {
            Ok(()) => StatusCode::NO_CONTENT,
            // Too much to do: the service delivers it again.
            Err(_) => StatusCode::SERVICE_UNAVAILABLE,
        },
        Err(error) => {
            println!("refused: {error}");
            error.status()
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (client, mock) = setup::client().await?;
    let listener = TcpListener::bind(if mock.is_some() { "127.0.0.1:0" } else { "127.0.0.1:8080" }).await?;
    let address = setup::argument().unwrap_or(format!("http://{}/webhook", listener.local_addr()?));
    let (sender, mut deliveries) = mpsc::channel(100);
    let app = App { receiver: Receiver::new(&client), deliveries: sender };
    let router = Router::new().route("/webhook", post(receive)).with_state(app);
    tokio::spawn(async move { axum::serve(listener, router).await });

    let call = client.generate_image_v2_ideogram45().prompt("A paper lantern, repeated webhook").webhook_url(address);
    let job = call.submit().await?;
    println!("submitted: {}", job.id());
    // The mock server delivers this one twice, and so may the service.
    let mut seen = HashSet::new();
    for _ in 0..2 {
        let delivery = deliveries.recv().await.ok_or("the receiver has stopped")?;
        if seen.insert(delivery.generation_id().to_owned()) {
            // `client.save_all(&delivery, "images")` saves them.
            println!("{}: {} images", delivery.generation_id(), delivery.items().len());
        } else {
            println!("{}: delivered again, ignored", delivery.generation_id());
        }
    }
    Ok(())
}
