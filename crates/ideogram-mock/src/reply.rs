//! Responses: JSON, the error bodies that `openapi/README.md` describes, and the HTML page of a gateway.

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures_util::stream;
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde_json::{Value, json};

/// A response before it is sent.
#[derive(Debug)]
pub(crate) struct Reply {
    status: StatusCode,
    media_type: &'static str,
    body: Bytes,
    /// Boxed to keep `Result<_, Reply>` small; few responses have one.
    header: Option<Box<(HeaderName, HeaderValue)>>,
}

impl Reply {
    /// 200 with the result of an operation.
    pub(crate) fn success(result: &Value) -> Self {
        Self::json(StatusCode::OK, result)
    }

    /// The request does not fit the document. The body is a problem document.
    pub(crate) fn problem(status: StatusCode, detail: &str) -> Self {
        let title = status.canonical_reason().unwrap_or("Error");
        let body = json!({"type": "about:blank", "title": title, "detail": detail, "status": status.as_u16()});
        Self { media_type: "application/problem+json", ..Self::json(status, &body) }
    }

    /// [`Reply::problem`] with 400.
    pub(crate) fn bad_request(detail: &str) -> Self {
        Self::problem(StatusCode::BAD_REQUEST, detail)
    }

    /// The request breaks a rule of the service.
    pub(crate) fn error(status: StatusCode, text: &str) -> Self {
        Self::json(status, &json!({"error": text}))
    }

    /// An id is unknown.
    pub(crate) fn not_found(text: &str) -> Self {
        Self::error(StatusCode::NOT_FOUND, text)
    }

    /// The request breaks a rule of the service that has a code.
    pub(crate) fn rejected(status: StatusCode, text: &str, reason: &str) -> Self {
        Self::json(status, &json!({"error": text, "reject_reason": reason}))
    }

    /// Too many images are in flight.
    pub(crate) fn inflight_limit(limit: u32) -> Self {
        let text = "Too many requests in flight.";
        let body = json!({"error": text, "reject_reason": "inflight_limit", "max_inflight_requests": limit});
        Self::json(StatusCode::TOO_MANY_REQUESTS, &body)
    }

    /// A PNG image.
    pub(crate) fn image(png: Vec<u8>) -> Self {
        Self { status: StatusCode::OK, media_type: "image/png", body: png.into(), header: None }
    }

    /// The key is missing or wrong.
    pub(crate) fn access_denied() -> Self {
        let body = json!({"message": "Access denied. Please verify your API Token is valid."});
        Self::json(StatusCode::UNAUTHORIZED, &body)
    }

    /// The HTML page of a gateway that cannot reach the service.
    pub(crate) fn html_page(status: StatusCode) -> Self {
        let body = format!("<html><head><title>{status}</title></head><body><h1>{status}</h1></body></html>\n");
        Self { status, media_type: "text/html", body: body.into(), header: None }
    }

    /// A page of the mock server itself.
    pub(crate) fn page(text: &'static str) -> Self {
        Self { status: StatusCode::OK, media_type: "text/html; charset=utf-8", body: text.into(), header: None }
    }

    pub(crate) fn with_header(self, name: HeaderName, value: HeaderValue) -> Self {
        Self { header: Some(Box::new((name, value))), ..self }
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    /// The media type and the body.
    pub(crate) fn content(&self) -> (&'static str, &[u8]) {
        (self.media_type, &self.body)
    }

    /// Returns a response whose connection breaks in the middle of the body.
    pub(crate) fn into_cut_off_response(self) -> Response {
        let half = self.body.slice(..self.body.len() / 2);
        let parts = [Ok(half), Err("the scenario cuts the response off")];
        let mut response = self.into_response();
        *response.body_mut() = Body::from_stream(stream::iter(parts));
        response
    }

    fn json(status: StatusCode, body: &Value) -> Self {
        Self { status, media_type: "application/json", body: body.to_string().into(), header: None }
    }
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        let media_type = [(header::CONTENT_TYPE, self.media_type)];
        let mut response = (self.status, media_type, self.body).into_response();
        if let Some(header) = self.header {
            let (name, value) = *header;
            response.headers_mut().insert(name, value);
        }
        response
    }
}
