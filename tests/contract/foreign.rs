//! Codegen and runtime support another API: nothing in them depends on one document.
//!
//! `petshop` is the source of the client around the document that the generator is tested with.

use std::{sync::Arc, time::Duration};

use ideogram_testkit::{Reply, Server};
use petshop::{
    CallOptions, Client, Error, ErrorKind, File, Outcome,
    job::{Job, JobError},
    types,
};
use serde_json::json;

use crate::{
    raw_server::{KEY, RawServer, response},
    wire::{expected_body, only_request, readable},
};

const PET: &str = r#"{"id": "1", "kind": "CAT", "nick": null, "mother": null}"#;

fn client(server: &RawServer) -> Client {
    Client::builder().api_key(KEY).base_url(server.url()).options(CallOptions::new().attempts(1)).build().unwrap()
}

#[tokio::test]
async fn parameters_go_into_path_query_and_header() {
    let server = RawServer::responding(response(200, "", r#"{"pets": []}"#));

    let client = client(&server);
    client
        .list_pets()
        .kind(["CAT", "10x20", "FISH"].map(types::Kind::custom))
        .page(2)
        .x_trace("abc")
        .send()
        .await
        .unwrap();

    let request = only_request(&server);
    assert_eq!(request.line(), "GET /pets?kind=CAT&kind=10x20&kind=FISH&page=2");
    assert_eq!(request.header("x-trace"), ["abc"]);
    assert_eq!(request.header("x-token"), [KEY], "the header that the document names");
}

#[tokio::test]
async fn a_multipart_body_has_files_texts_and_json() {
    let server = RawServer::responding(response(201, "", PET));
    let ball = types::Ball::builder().diameter(3);
    let food = types::FoodByName::builder().name("hay");

    let client = client(&server);
    let call = client.pet().kind("CAT").nicknames(["Tom", "T"]).photos([File::from_bytes("a.png", "pixels")]);
    call.weight(4.5_f32).toy(ball).food(food).send().await.unwrap();

    let request = only_request(&server);
    let parts: [(&str, &[u8]); 7] = [
        ("Content-Disposition: form-data; name=\"kind\"", b"CAT"),
        ("Content-Disposition: form-data; name=\"nicknames\"", b"Tom"),
        ("Content-Disposition: form-data; name=\"nicknames\"", b"T"),
        ("Content-Disposition: form-data; name=\"photos\"; filename=\"a.png\"\r\nContent-Type: image/png", b"pixels"),
        ("Content-Disposition: form-data; name=\"weight\"", b"4.5"),
        (
            "Content-Disposition: form-data; name=\"toy\"\r\nContent-Type: application/json",
            br#"{"type":"ball","diameter":3}"#,
        ),
        ("Content-Disposition: form-data; name=\"food\"", br#"{"name":"hay"}"#),
    ];
    assert_eq!(readable(&request.body), readable(&expected_body(&request, &parts)));
}

#[tokio::test]
async fn exclusive_properties_are_not_sent_together() {
    let server = RawServer::responding(response(201, "", PET));
    let client = client(&server);
    let ball = types::Ball::builder().diameter(3);
    let pet = || client.pet().kind("CAT").photos([File::from_bytes("a.png", "pixels")]);

    for (prepared, reason) in [
        (pet().tame(true).toy(ball.clone()).prepare(), "`tame` with `toy` cannot be combined"),
        (pet().nicknames(["a", "b", "c"]).prepare(), "`nicknames` must have at most 2 elements"),
        (pet().nicknames(["too long"]).prepare(), "`nicknames.0` must have 1 to 5 characters"),
        (pet().weight(0_f32).prepare(), "`weight` must be more than 0"),
        (client.toy().count(1).prepare(), "needs one of `toy`, `drawing`"),
        (client.toy().toy(ball).drawing("a ball").prepare(), "takes only one of `toy`, `drawing`"),
    ] {
        let error: Error = prepared.unwrap_err();
        assert_eq!((error.kind(), error.outcome()), (ErrorKind::InvalidArgument, Outcome::NotSent));
        assert!(error.to_string().contains(reason), "{error}");
    }
    assert_eq!(server.requests().len(), 0);
}

#[tokio::test]
async fn an_unknown_kind_of_a_union_is_preserved() {
    for (body, expected) in [
        (json!({"type": "ball", "diameter": 3}), "Ball(Ball { diameter: 3 })"),
        (json!({"type": "rope"}), "Rope(Rope { knots: [] })"),
        (json!({"type": "kite", "tail": 2}), r#"Unrecognized(Object {"type": String("kite"), "tail": Number(2)})"#),
        (json!({"type": "ball", "diameter": "?"}), "Unrecognized("),
    ] {
        let server = RawServer::responding(response(200, "", body.to_string()));

        let toy = client(&server).toy().drawing("a toy").send().await.unwrap();

        assert!(format!("{toy:?}").starts_with(expected), "{toy:?}");
        let encoded = serde_json::to_value(&toy).unwrap();
        assert!(body.as_object().unwrap().iter().all(|(name, value)| encoded[name] == *value), "{encoded}");
    }
}

#[tokio::test]
async fn an_operation_without_a_response_body_returns_nothing() {
    let server = RawServer::responding("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");

    let client = client(&server);
    #[expect(deprecated, reason = "the document says so, and callers should hear of it")]
    let (call, refused) = (client.delete_photo(), client.delete_photo());
    let refused = refused.pet_id("Tom").number(1).send().await.unwrap_err();
    call.pet_id("tom").number(1).send().await.unwrap();

    assert!(refused.to_string().contains("does not match `^[a-z]+$`"), "{refused}");
    assert_eq!(only_request(&server).line(), "DELETE /pets/tom/photos/1");
}

#[tokio::test]
async fn errors_of_several_shapes_are_one_error() {
    for (status, body, text) in [(400, r#"{"error": "no"}"#, "no"), (500, r#"{"title": "oh", "status": 500}"#, "oh")] {
        let server = RawServer::responding(response(status, "", body));

        let error = client(&server).list_pets().page(1).send().await.unwrap_err();

        assert_eq!(error.to_string().rsplit(": ").next(), Some(text));
        assert!(error.decode_body::<types::Refusal>().is_some());
    }
}

fn cat() -> File {
    File::from_bytes("a.png", "pixels")
}

/// A shop whose order is on its way at first, and then has this end.
fn shop(end: &'static str) -> Arc<Server> {
    Arc::new(Server::start(move |number, request| {
        let body = match request.line().split(' ').next() {
            Some("POST") if request.line().ends_with("price_only=true") => r#"{"cents": 7}"#,
            Some("POST") => r#"{"id": "order-1"}"#,
            _ if number < 3 => r#"{"state": "ON_ITS_WAY"}"#,
            _ => end,
        };
        Reply::Bytes(response(200, "", body))
    }))
}

#[tokio::test]
async fn an_operation_runs_as_a_job_under_the_names_of_its_document() {
    let shop = shop(r#"{"state": "DELIVERED", "days": 3}"#);
    let client = Client::builder().api_key(KEY).base_url(shop.url()).build().unwrap();

    let price = client.pet().kind("CAT").photos([cat()]).quote().await.unwrap();
    let job: Job<types::Order> = client.pet().kind("CAT").photos([cat()]).submit().await.unwrap();
    let order = job.wait().poll_every(Duration::from_millis(10)).await.unwrap();

    assert_eq!((price.cents, job.id(), order.value().days), (7, "order-1", Some(3)));
    let requests = shop.requests();
    assert_eq!(requests[0].line(), "POST /pets?price_only=true");
    assert!(String::from_utf8_lossy(&requests[1].body).contains("later"), "{requests:?}");
    assert!(requests[2..].iter().all(|request| request.line() == "GET /orders/order-1"), "{requests:?}");
}

#[tokio::test]
async fn a_job_that_fails_has_the_reason_of_its_document() {
    let shop = shop(r#"{"state": "LOST", "excuse": "the parrot flew away"}"#);
    let client = Client::builder().api_key(KEY).base_url(shop.url()).build().unwrap();

    let job = client.pet().kind("CAT").photos([cat()]).submit().await.unwrap();
    let failed = job.wait().poll_every(Duration::from_millis(10)).await.unwrap_err();

    assert!(
        matches!(&failed, JobError::Failed { reason: Some(reason), .. } if reason == "the parrot flew away"),
        "{failed:?}"
    );
}
