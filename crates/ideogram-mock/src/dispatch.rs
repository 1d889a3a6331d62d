//! The path of every request: record, route, authenticate, validate, apply the scenario, run the handler, respond.

use std::{sync::Arc, task::Poll, time::Duration};

use axum::{
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use http::{HeaderValue, Method, StatusCode, header, request};
use tokio::{sync::OwnedSemaphorePermit, time::sleep};

use crate::{
    document::{Document, Operation, Route},
    handlers::{self, generations},
    images, inspector,
    recorder::Record,
    reply::Reply,
    request::{BodyStream, Call},
    scenario::{self, Delivery},
    service::{Service, Shared},
    webhook::Webhook,
};

/// How often a job is checked for its end, in real time, before its webhook is delivered.
const JOB_CHECK_INTERVAL: Duration = Duration::from_millis(10);

/// Responds to one request. Those of the inspector are not recorded.
pub(crate) async fn handle(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    if inspector::has(request.uri().path()) {
        return inspector::respond(&shared, request).await;
    }
    let (head, body) = request.into_parts();
    let record = shared.recorder.begin(&head);
    let stream = BodyStream::new(body, &head.headers, record.clone(), shared.service.settings.max_body_bytes);
    let performed = perform(&shared, &head, &stream, &record).await;
    let (response, delivery) = performed.unwrap_or_else(|refusal| (refusal, Delivery::Complete));
    stream.drain().await;
    let status = response.status();
    let response = if delivery == Delivery::Damaged { Reply::html_page(StatusCode::OK) } else { response };
    let is_cut_off = delivery == Delivery::CutOff;
    record.set_response(status, &response, is_cut_off);
    if is_cut_off { response.into_cut_off_response() } else { response.into_response() }
}

/// Returns the response of the operation, or the refusal of the first check that fails.
async fn perform(
    shared: &Arc<Shared>,
    head: &request::Parts,
    stream: &BodyStream,
    record: &Record,
) -> Result<(Reply, Delivery), Reply> {
    let document = Document::embedded();
    let path = head.uri.path();
    if let Some(name) = images::image_name(path) {
        let response = images::serve(name, head, shared.service.now()).await?;
        return Ok((response, shared.service.scenario.image_delivery()));
    }
    let route = document.route(path).ok_or_else(|| {
        Reply::problem(StatusCode::NOT_FOUND, &format!("the document has no path that matches '{path}'"))
    })?;
    let operation = operation(&route, head)?;
    record.set_operation(&operation.id);
    let key = head.headers.get(document.key_header());
    let is_known = key.is_some_and(|key| key.as_bytes() == shared.service.settings.api_key.as_bytes());
    if operation.needs_key && !is_known {
        return Err(Reply::access_denied());
    }
    stream.check_announced(&head.headers)?;
    let call = Call::read(operation, &route, head, stream, record).await?;
    let webhook = generations::webhook(&call)?;
    let is_quote = generations::is_quote(&call);
    let is_billed = operation.is_paid && !is_quote;
    let by_words = if is_billed { scenario::marked_effect(&handlers::subject(&call)) } else { None };
    let delivery = by_words.unwrap_or_else(|| shared.service.scenario.outcome(is_billed))?;
    if is_quote {
        return Ok((Reply::success(&generations::quote(&call)), delivery));
    }
    let permit = shared.service.limiter.acquire(operation.images.count(&call.body))?;
    let (is_job, hangs) = (generations::is_job(&call), generations::hangs(&call));
    let result = run(shared, call).await?;
    // In debug builds only, because it is slow. So every test of every user checks that the mock follows the document.
    if cfg!(debug_assertions)
        && let Some(violation) = operation.response.violation(&result)
    {
        let text = format!("the mock server's own response breaks the document: {violation}");
        return Err(Reply::error(StatusCode::INTERNAL_SERVER_ERROR, &text));
    }
    if is_job {
        let id = result["generation_id"].as_str().unwrap_or_default().to_owned();
        finish_later(shared, permit, id.clone(), hangs);
        if let Some(webhook) = webhook {
            deliver_later(shared, webhook, id);
        }
    } else {
        shared.service.limiter.hold(permit).await;
    }
    Ok((Reply::success(&result), delivery))
}

/// Holds the permits of a job until its images are made, and ends it then; one that hangs keeps them.
fn finish_later(shared: &Arc<Shared>, permit: OwnedSemaphorePermit, id: String, hangs: bool) {
    let time = shared.service.limiter.generation_time();
    if hangs {
        permit.forget();
    } else if time.is_zero() {
        generations::end(&shared.service, &id);
    } else {
        let shared = Arc::clone(shared);
        tokio::spawn(async move {
            sleep(time).await;
            drop(permit);
            generations::end(&shared.service, &id);
        });
    }
}

/// Delivers a webhook when its job has completed, which may need the clock to be advanced. A failed job has none.
fn deliver_later(shared: &Arc<Shared>, webhook: Webhook, id: String) {
    let shared = Arc::clone(shared);
    tokio::spawn(async move {
        let body = loop {
            match generations::webhook_body(&shared.service, &id) {
                Poll::Ready(body) => break body,
                Poll::Pending => sleep(JOB_CHECK_INTERVAL).await,
            }
        };
        if let Some(body) = body {
            webhook.deliver(&id, &body, &shared.deliveries).await;
        }
    });
}

/// Runs the handler. Files are stored after a delay, and also if the caller hangs up meanwhile.
async fn run(shared: &Arc<Shared>, call: Call) -> Result<serde_json::Value, Reply> {
    let time = shared.service.settings.storing_time;
    if time.is_zero() || !handlers::stores_files(&call.operation.id) {
        return checked(&shared.service, &call);
    }
    let shared = Arc::clone(shared);
    let storing = tokio::spawn(async move {
        sleep(time / 2).await;
        let result = checked(&shared.service, &call);
        sleep(time / 2).await;
        result
    });
    storing.await.unwrap_or_else(|_| {
        Err(Reply::error(StatusCode::INTERNAL_SERVER_ERROR, "the mock server failed while it stored files"))
    })
}

/// Calls the handler, or returns the example of an operation without one, which changes no state. In debug builds, so in
/// every test of every user, a handler that ignores a parameter of the query fails: it would return a result that the
/// caller did not ask for.
fn checked(service: &Service, call: &Call) -> Result<serde_json::Value, Reply> {
    let Some(handler) = handlers::find(&call.operation.id) else { return Ok(call.operation.example.clone()) };
    let result = handler(service, call)?;
    match call.query.ignored() {
        Some(name) if cfg!(debug_assertions) => {
            let id = &call.operation.id;
            let text = format!("the mock server's handler of `{id}` ignores the query parameter '{name}'");
            Err(Reply::error(StatusCode::INTERNAL_SERVER_ERROR, &text))
        }
        _ => Ok(result),
    }
}

/// Returns the operation of the path for the method; `HEAD` is treated like `GET`, and HTTP drops the body.
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
