//! What a response with a status other than 2xx means.

use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;

use super::refusal::Refusal;
use crate::{ApiKey, Error, ErrorKind, Outcome};

/// Returns the error of a response with a status other than 2xx. The service may repeat the key in the body, as it is or
/// escaped, so the key is taken out of the body and of the message.
pub(crate) fn error_of(
    status: StatusCode,
    retry_after: Option<Duration>,
    body: Bytes,
    complete: bool,
    api_key: &ApiKey,
) -> Error {
    let body = api_key.redact_body(body);
    let body = if complete { body } else { api_key.redact_cut(body) };
    let refusal = Refusal::read(&body);
    let reason = refusal.reason();
    let kind = match status.as_u16() {
        // The document describes 422 as the safety check only. The service also sends it for invalid requests.
        422 if reason.is_some() && !refusal.names_safety() => ErrorKind::InvalidRequest,
        _ => kind_of(status),
    };
    let text = api_key.redact(Bytes::from(reason.unwrap_or_else(|| "no reason given".to_owned())));
    let error = Error::new(kind, outcome_of(status), String::from_utf8_lossy(&text));
    error.with_response(status, body, complete).with_retry_after(retry_after)
}

fn kind_of(status: StatusCode) -> ErrorKind {
    match status.as_u16() {
        401 => ErrorKind::Authentication,
        402 => ErrorKind::Payment,
        403 => ErrorKind::Forbidden,
        404 => ErrorKind::NotFound,
        408 | 500..=599 => ErrorKind::Server,
        422 => ErrorKind::Safety,
        429 => ErrorKind::RateLimited,
        400..=499 => ErrorKind::InvalidRequest,
        // Redirects are not followed: the key must not be sent elsewhere, nor a paid request twice.
        _ => ErrorKind::UndocumentedResponse,
    }
}

/// Statuses that the service documents as not billed, and refusals of the framework in front of it.
fn outcome_of(status: StatusCode) -> Outcome {
    match status.as_u16() {
        400..=406 | 411 | 413..=415 | 422 | 429 | 431 => Outcome::Declined,
        _ => Outcome::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(status: u16, body: &str) -> Error {
        let body = Bytes::copy_from_slice(body.as_bytes());
        error_of(StatusCode::from_u16(status).unwrap(), None, body, true, &ApiKey::new("secret-12345").unwrap())
    }

    #[test]
    fn predicates_follow_the_status() {
        for status in (400..600).filter(|status| StatusCode::from_u16(*status).is_ok()) {
            let error = error(status, "{}");
            assert_eq!(error.is_authentication(), status == 401, "{status}");
            assert_eq!(error.is_not_found(), status == 404, "{status}");
            assert_eq!(error.is_rate_limited(), status == 429, "{status}");
            assert_eq!(error.is_timeout(), matches!(status, 408 | 504), "{status}");
            assert_eq!(error.is_transient(), matches!(status, 408 | 429) || status >= 500, "{status}: {error:?}");
        }
    }

    #[test]
    fn the_message_has_the_status_and_the_reason() {
        for (body, expected) in [
            (r#"{"error":"Could not read a source image."}"#, "Could not read a source image."),
            ("{}", "no reason given"),
            (r#"{"error": "cut"#, r#"{"error": "cut"#),
            ("<html><head><title>502 Bad Gateway</title></head></html>", "502 Bad Gateway"),
            ("two\nlines\x1b[31m", "two lines [31m"),
        ] {
            assert_eq!(error(400, body).to_string(), format!("400 Bad Request: {expected}"), "{body}");
        }
        let page = "<html><head><title>502 Bad Gateway</title></head></html>";
        assert_eq!(error(502, page).to_string(), "502 Bad Gateway");
    }

    #[test]
    fn every_status_has_a_kind_and_an_outcome() {
        use ErrorKind as K;
        use Outcome as O;
        for (status, kind, outcome) in [
            (302, K::UndocumentedResponse, O::Unknown),
            (400, K::InvalidRequest, O::Declined),
            (401, K::Authentication, O::Declined),
            (402, K::Payment, O::Declined),
            (403, K::Forbidden, O::Declined),
            (404, K::NotFound, O::Declined),
            (405, K::InvalidRequest, O::Declined),
            (408, K::Server, O::Unknown),
            (409, K::InvalidRequest, O::Unknown),
            (413, K::InvalidRequest, O::Declined),
            (415, K::InvalidRequest, O::Declined),
            (422, K::Safety, O::Declined),
            (429, K::RateLimited, O::Declined),
            (500, K::Server, O::Unknown),
            (503, K::Server, O::Unknown),
            (599, K::Server, O::Unknown),
        ] {
            let error = error(status, "{}");

            assert_eq!((error.kind(), error.outcome()), (kind, outcome), "{status}");
        }
    }

    #[test]
    fn a_422_is_the_safety_check_unless_its_body_gives_another_reason() {
        for (body, kind) in [
            (r#"{"error":"Image provided failed safety check."}"#, ErrorKind::Safety),
            ("{}", ErrorKind::Safety),
            ("", ErrorKind::Safety),
            (r#"{"error":"The mask must have the size of the image"}"#, ErrorKind::InvalidRequest),
            (r#"{"detail":[{"loc":["body","prompt"],"msg":"field required"}]}"#, ErrorKind::InvalidRequest),
            ("Unprocessable", ErrorKind::InvalidRequest),
        ] {
            assert_eq!((error(422, body).kind(), error(422, body).outcome()), (kind, Outcome::Declined), "{body}");
        }
        assert_eq!(error(400, r#"{"error":"unsafe"}"#).kind(), ErrorKind::InvalidRequest);
    }

    #[test]
    fn a_long_text_is_cut_and_stays_one_line() {
        let message = error(500, &"word ".repeat(10_000)).to_string();

        assert!(message.chars().count() < 450 && message.ends_with('…'), "{message}");
    }

    #[test]
    fn a_key_that_the_service_echoes_is_in_no_error() {
        for body in
            [r#"{"error":"bad key secret-12345"}"#, r#"{"error":"bad key \u0073ecret-12345"}"#, "bad key secret-12345"]
        {
            let error = error(401, body);

            assert_eq!(error.to_string(), "401 Unauthorized: bad key [key]", "{body}");
            assert!(!String::from_utf8_lossy(error.body().unwrap()).contains("secret"), "{body}");
        }
    }

    #[test]
    fn the_reason_code_is_read_from_the_body() {
        let error = error(402, r#"{"error":"no money","reject_reason":"insufficient_funds"}"#);

        assert_eq!(error.reject_reason().as_deref(), Some("insufficient_funds"));
    }
}
