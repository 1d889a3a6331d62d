//! The way of every request: recorded, routed, authenticated, checked, interfered with, and at last answered.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use http::{HeaderValue, Method, StatusCode, header, request};
use tokio::time::sleep;

use crate::{
    behaviour::{self, Behaviour, Service},
    document::{Document, Operation, Route},
    gallery,
    recorder::{Record, Recorder},
    reply::Reply,
    request::{Call, Intake},
    scenario::Interference,
};

/// What all requests to one server share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) service: Service,
    pub(crate) recorder: Recorder,
    pub(crate) api_key: String,
    /// The largest body that is read, in bytes.
    pub(crate) max_body_bytes: u64,
}

/// How a response leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Delivery {
    Whole,
    Broken,
}

/// Answers one request.
pub(crate) async fn response(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let record = shared.recorder.begin(&head);
    let intake = Intake::new(body, &head.headers, record.clone(), shared.max_body_bytes);
    let (response, delivery) = match perform(&shared, &head, &intake, &record).await {
        Ok((response, delivery)) => (response, delivery),
        Err(refusal) => (refusal, Delivery::Whole),
    };
    intake.drain().await;
    record.set_status(response.status());
    match delivery {
        Delivery::Whole => response.into_response(),
        Delivery::Broken => response.into_broken_response(),
    }
}

/// The response of the operation, or the refusal of the first check that fails.
async fn perform(
    shared: &Arc<Shared>,
    head: &request::Parts,
    intake: &Intake,
    record: &Record,
) -> Result<(Reply, Delivery), Reply> {
    let document = Document::embedded();
    let path = head.uri.path();
    if let Some(name) = gallery::image_name(path) {
        let response = gallery::show(name, head, shared.service.world.clock.now()).await?;
        let delivery = if shared.service.stage.loses_image() { Delivery::Broken } else { Delivery::Whole };
        return Ok((response, delivery));
    }
    let route = document.route(path).ok_or_else(|| {
        Reply::problem(StatusCode::NOT_FOUND, &format!("the document has no path that fits '{path}'"))
    })?;
    let operation = operation(&route, head)?;
    record.set_operation(&operation.id);
    let key = head.headers.get(document.key_header());
    if key.is_none_or(|key| key.as_bytes() != shared.api_key.as_bytes()) {
        return Err(Reply::access_denied());
    }
    intake.check_announced(&head.headers)?;
    let call = Call::read(operation, &route, head, intake, record).await?;
    let delivery = match shared.service.stage.interfere(operation) {
        Interference::None => Delivery::Whole,
        Interference::Instead(response) => return Ok((response, Delivery::Whole)),
        Interference::ResponseLost => Delivery::Broken,
    };
    let behaviour = behaviour::of(&operation.id).ok_or_else(|| {
        let text = format!("the mock server has no behaviour for `{}` yet", operation.id);
        Reply::error(StatusCode::NOT_IMPLEMENTED, &text)
    })?;
    let places = shared.service.studio.take_places(operation.images.count(&call.body))?;
    let result = run(shared, operation, behaviour, call).await?;
    // Every test of every user checks in passing that the mock keeps to the document. It costs too much to do always.
    if cfg!(debug_assertions)
        && let Some(complaint) = operation.response.complaint(&result)
    {
        let text = format!("the mock server's own response breaks the document: {complaint}");
        return Err(Reply::error(StatusCode::INTERNAL_SERVER_ERROR, &text));
    }
    shared.service.studio.make(places).await;
    Ok((Reply::success(&result), delivery))
}

/// What the operation does. Files take their time to be stored, and are stored even if the caller hangs up meanwhile.
async fn run(
    shared: &Arc<Shared>,
    operation: &Operation,
    behaviour: Behaviour,
    call: Call,
) -> Result<serde_json::Value, Reply> {
    let time = shared.service.storing_time;
    if time.is_zero() || !behaviour::stores_files(&operation.id) {
        return behaviour(&shared.service, &call);
    }
    let shared = Arc::clone(shared);
    let storing = tokio::spawn(async move {
        sleep(time / 2).await;
        let result = behaviour(&shared.service, &call);
        sleep(time / 2).await;
        result
    });
    storing.await.unwrap_or_else(|_| {
        Err(Reply::error(StatusCode::INTERNAL_SERVER_ERROR, "the mock server failed while it stored files"))
    })
}

/// The operation that the path has for the method; `HEAD` is `GET` without the body, which HTTP leaves out.
fn operation(route: &Route, head: &request::Parts) -> Result<&'static Operation, Reply> {
    let method = if head.method == Method::HEAD { &Method::GET } else { &head.method };
    let operation = route.operations.iter().copied().find(|operation| operation.method == method);
    operation.ok_or_else(|| {
        let methods = route.operations.iter().map(|operation| &operation.method);
        let allowed: Vec<_> =
            methods.map(|method| if method == Method::GET { "GET, HEAD" } else { method.as_str() }).collect();
        let allowed = HeaderValue::from_str(&allowed.join(", ")).expect("methods are tokens");
        let detail = format!("'{}' has no method {}", head.uri.path(), head.method);
        Reply::problem(StatusCode::METHOD_NOT_ALLOWED, &detail).with_header(header::ALLOW, allowed)
    })
}
