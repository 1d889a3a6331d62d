//! The table of faults, as data: what the server does, how often each call is sent, and the reported outcome.
//!
//! A call that must not be retried is sent once in every row, except if no connection was established, and after 429.

use std::{
    io::Write as _,
    ops::Range,
    sync::LazyLock,
    time::{Duration, SystemTime},
};

use flate2::{Compression, write::GzEncoder};
use ideogram_client::{CallOptions, ErrorKind as K, Outcome as O};

use crate::{
    calls::Call,
    server::{Action, End, Fault, Reading},
};
use ideogram_testkit::response;

/// The maximum number of attempts.
pub(crate) const ATTEMPTS: u32 = 3;
/// The maximum wait that a service may request.
pub(crate) const MAX_WAIT: Duration = Duration::from_secs(10);
/// More than the kernel buffers for a server that does not read.
const LARGE_FILE_BYTES: usize = 8 * 1024 * 1024;
const GIBIBYTE: u64 = 1024 * 1024 * 1024;
/// For rows with a timeout.
const SHORT: Duration = Duration::from_millis(400);
/// Far longer than [`SHORT`], also on a busy machine.
const LONG: Duration = Duration::from_secs(2);

/// A fault and its expected results.
pub(crate) struct Row {
    pub(crate) fault: String,
    pub(crate) script: Box<Script>,
    pub(crate) file_bytes: usize,
    pub(crate) limits: fn(CallOptions) -> CallOptions,
    /// A good call before it, with the first fault of the script.
    pub(crate) earlier: Earlier,
    /// Whether the server reads requests, and so can count them.
    pub(crate) hears: bool,
    /// The result of a call that is safe to retry.
    pub(crate) safe: Ending,
    /// The result of all other calls.
    pub(crate) others: Ending,
    /// How long a call that is sent more than once takes.
    pub(crate) lasting: Range<Duration>,
}

/// The connection of an earlier call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Earlier {
    /// There was no such call.
    None,
    /// Both sides keep it open.
    Kept,
    /// The server has closed it.
    Closed,
}

type Script = dyn Fn(&Setting<'_>) -> Vec<Fault> + Send + Sync;

/// Values for a script.
pub(crate) struct Setting<'s> {
    pub(crate) call: Call,
    /// The address of a server of another origin.
    pub(crate) elsewhere: &'s str,
}

/// The result of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ending {
    pub(crate) attempts: u32,
    pub(crate) result: Result<(), (K, O)>,
}

fn ok(attempts: u32) -> Ending {
    Ending { attempts, result: Ok(()) }
}

fn failed(attempts: u32, kind: K, outcome: O) -> Ending {
    Ending { attempts, result: Err((kind, outcome)) }
}

/// The rules of retrying.
impl Row {
    fn new<F>(fault: impl Into<String>, script: F, safe: Ending, others: Ending) -> Self
    where
        F: Fn(&Setting<'_>) -> Vec<Fault> + Send + Sync + 'static,
    {
        Self {
            fault: fault.into(),
            script: Box::new(script),
            file_bytes: 4096,
            limits: |options| options,
            earlier: Earlier::None,
            hears: true,
            safe,
            others,
            lasting: Duration::ZERO..Duration::MAX,
        }
    }

    /// Only a safe call is retried.
    fn once<F>(fault: impl Into<String>, kind: K, outcome: O, script: F) -> Self
    where
        F: Fn(&Setting<'_>) -> Vec<Fault> + Send + Sync + 'static,
    {
        Self::new(fault, script, failed(ATTEMPTS, kind, outcome), failed(1, kind, outcome))
    }

    /// Every call is retried: it certainly did not run.
    fn again<F>(fault: impl Into<String>, kind: K, outcome: O, script: F) -> Self
    where
        F: Fn(&Setting<'_>) -> Vec<Fault> + Send + Sync + 'static,
    {
        let ending = failed(ATTEMPTS, kind, outcome);
        Self::new(fault, script, ending, ending)
    }

    /// No call is retried: it would not help.
    fn never<F>(fault: impl Into<String>, ending: Ending, script: F) -> Self
    where
        F: Fn(&Setting<'_>) -> Vec<Fault> + Send + Sync + 'static,
    {
        Self::new(fault, script, ending, ending)
    }

    fn limits(mut self, limits: fn(CallOptions) -> CallOptions) -> Self {
        self.limits = limits;
        self
    }

    fn large_file(mut self) -> Self {
        self.file_bytes = LARGE_FILE_BYTES;
        self
    }

    /// A server that does not know how many requests were meant for it.
    fn deaf(mut self) -> Self {
        self.hears = false;
        self
    }

    fn after(mut self, earlier: Earlier) -> Self {
        self.earlier = earlier;
        self
    }

    fn lasting(mut self, lasting: Range<Duration>) -> Self {
        self.lasting = lasting;
        self
    }
}

/// A good response to the call.
pub(crate) fn good(call: Call) -> Fault {
    Fault::response(response(200, "", call.sample()))
}

/// A good response, after which the connection stays open.
pub(crate) fn good_and_kept(call: Call) -> Fault {
    Fault { end: End::Keep, ..good(call) }
}

/// The first half of a good response.
fn half(call: Call) -> Vec<u8> {
    let response = response(200, "", call.sample());
    response[..response.len() - call.sample().len() / 2].to_vec()
}

/// Every row, in groups that do not disturb each other's timeouts.
pub(crate) fn rows() -> Vec<Vec<Row>> {
    vec![connection(), request(), response_lost(), slow(), statuses(), rate_limits(), redirects(), strange()]
}

fn connection() -> Vec<Row> {
    let unread = |end| move |_: &Setting<'_>| vec![Fault::new(Reading::Arrival, [], end)];
    let at_once = |end| move |_: &Setting<'_>| vec![good_and_kept(Call::Get), Fault::new(Reading::Part(0), [], end)];
    vec![
        Row::again("connection refused", K::Transport, O::NotSent, |_| Vec::new()).deaf(),
        Row::once("connection reset, request unread", K::Transport, O::Unknown, unread(End::Reset)).deaf(),
        Row::once("connection closed, request unread", K::Transport, O::Unknown, unread(End::Close)).deaf(),
        Row::once("kept connection reset as the request arrives", K::Transport, O::Unknown, at_once(End::Reset))
            .after(Earlier::Kept),
        Row::never("kept connection closed while idle", ok(1), |setting| vec![good(Call::Get), good(setting.call)])
            .after(Earlier::Closed),
    ]
}

fn request() -> Vec<Row> {
    let part = |end| move |_: &Setting<'_>| vec![Fault::new(Reading::Part(64 * 1024), [], end)];
    let all = |end| move |_: &Setting<'_>| vec![Fault::new(Reading::All, [], end)];
    let early = |status, headers: &'static str| {
        move |_: &Setting<'_>| {
            let response = response(status, headers, r#"{"error": "no"}"#);
            vec![Fault::new(Reading::Part(64 * 1024), [Action::Bytes(response)], End::Close)]
        }
    };
    vec![
        Row::once("reset during the request", K::Transport, O::Unknown, part(End::Reset)).large_file(),
        Row::once("reset after the request", K::Transport, O::Unknown, all(End::Reset)),
        Row::once("closed after the request, no response", K::Transport, O::Unknown, all(End::Close)),
        Row::never(
            "413 during the request",
            failed(1, K::InvalidRequest, O::Declined),
            early(413, "Connection: close\r\n"),
        )
        .large_file(),
        Row::again("429 during the request", K::RateLimited, O::Declined, early(429, "Retry-After: 0\r\n"))
            .large_file(),
    ]
}

fn response_lost() -> Vec<Row> {
    let head =
        |end| move |_: &Setting<'_>| vec![Fault::new(Reading::All, [Action::Bytes(b"HTTP/1.1 20".to_vec())], end)];
    let cut =
        |end| move |setting: &Setting<'_>| vec![Fault::new(Reading::All, [Action::Bytes(half(setting.call))], end)];
    let chunk = |_: &Setting<'_>| {
        vec![Fault::response("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\n{\"created\": \"2026\r\n")]
    };
    let error = |status| {
        move |_: &Setting<'_>| {
            let response = format!("HTTP/1.1 {status} X\r\nContent-Length: 100\r\n\r\n{{\"error\": \"no\"}}");
            vec![Fault::new(Reading::All, [Action::Bytes(response.into_bytes())], End::Reset)]
        }
    };
    vec![
        Row::once("reset within the status line", K::Transport, O::Unknown, head(End::Reset)),
        Row::once("closed within the status line", K::Transport, O::Unknown, head(End::Close)),
        Row::once("200, reset in the middle of the body", K::Transport, O::Completed, cut(End::Reset)),
        Row::once("200, body shorter than its Content-Length", K::Transport, O::Completed, cut(End::Close)),
        Row::once("200, chunked body without its end", K::Transport, O::Completed, chunk),
        Row::once("500, reset in the middle of the body", K::Server, O::Unknown, error(500)),
        Row::again("429, reset in the middle of the body", K::RateLimited, O::Declined, error(429)),
        Row::never("402, reset in the middle of the body", failed(1, K::Payment, O::Declined), error(402)),
    ]
}

fn slow() -> Vec<Row> {
    let silent = |reading| move |_: &Setting<'_>| vec![Fault::new(reading, [], End::Hang)];
    let dripping = |pause: Duration, count: usize| {
        move |setting: &Setting<'_>| {
            let mut start = response(200, "", setting.call.sample());
            let end = start.split_off(start.len() - count);
            vec![Fault::new(Reading::All, [Action::Bytes(start), Action::Drip(end, pause)], End::Close)]
        }
    };
    let head = |_: &Setting<'_>| {
        let head = format!("HTTP/1.1 200 OK\r\nX: {}", "x".repeat(10_000));
        vec![Fault::new(Reading::All, [Action::Drip(head.into_bytes(), Duration::from_millis(10))], End::Hang)]
    };
    vec![
        Row::once("a connection that takes nothing", K::Transport, O::Unknown, silent(Reading::Nothing))
            .limits(|options| options.idle_timeout(SHORT).response_timeout(SHORT))
            .large_file()
            .deaf(),
        Row::once(
            "the request is taken in part, then nothing",
            K::Transport,
            O::Unknown,
            silent(Reading::Part(100_000)),
        )
        .limits(|options| options.idle_timeout(SHORT).response_timeout(SHORT))
        .large_file(),
        Row::once("never a response", K::Transport, O::Unknown, silent(Reading::All))
            .limits(|options| options.response_timeout(SHORT)),
        Row::never("never a response, and a deadline", failed(1, K::Transport, O::Unknown), silent(Reading::All))
            .limits(|options| options.deadline(SHORT)),
        Row::once("head of the response byte by byte, without end", K::Transport, O::Unknown, head)
            .limits(|options| options.response_timeout(SHORT)),
        Row::never("response byte by byte, each in time", ok(1), dripping(Duration::from_millis(25), 100))
            .limits(|options| options.idle_timeout(LONG).response_timeout(LONG)),
        Row::once(
            "response byte by byte, slower than the idle timeout",
            K::Transport,
            O::Completed,
            dripping(LONG, 100),
        )
        .limits(|options| options.idle_timeout(SHORT)),
        Row::never(
            "response byte by byte, beyond the deadline",
            failed(1, K::Transport, O::Completed),
            dripping(LONG / 20, 100),
        )
        .limits(|options| options.deadline(LONG)),
    ]
}

fn status(status: u16, headers: &str, body: &str) -> impl Fn(&Setting<'_>) -> Vec<Fault> + use<> {
    let response = response(status, headers, body);
    move |_| vec![Fault::response(response.clone())]
}

fn statuses() -> Vec<Row> {
    const JSON: &str = "Content-Type: application/json\r\n";
    let mut rows = Vec::new();
    for code in [400, 401, 402, 403, 404, 422] {
        let (kind, outcome) = match code {
            401 => (K::Authentication, O::Declined),
            402 => (K::Payment, O::Declined),
            403 => (K::Forbidden, O::Declined),
            404 => (K::NotFound, O::Declined),
            _ => (K::InvalidRequest, O::Declined),
        };
        let body = r#"{"error": "no"}"#;
        rows.push(Row::never(format!("{code}"), failed(1, kind, outcome), status(code, JSON, body)));
    }
    let safety = r#"{"error": "Prompt provided failed safety check"}"#;
    for (form, body) in [("safety", safety), ("no reason", "{}")] {
        let ending = failed(1, K::Safety, O::Declined);
        rows.push(Row::never(format!("422, {form}"), ending, status(422, JSON, body)));
    }
    rows.push(Row::once("408", K::Server, O::Unknown, status(408, "", "")));
    for code in [500, 502, 503, 504] {
        let page = format!("<html><head><title>{code} Bad</title></head></html>");
        for (form, headers, body) in
            [("JSON", JSON, r#"{"error": "no"}"#), ("HTML", "Content-Type: text/html\r\n", &page), ("empty", "", "")]
        {
            rows.push(Row::once(format!("{code}, {form}"), K::Server, O::Unknown, status(code, headers, body)));
        }
    }
    rows.push(Row::never("501", failed(1, K::Server, O::Unknown), status(501, "", "")));
    rows.push(Row::new(
        "503, then a good response",
        |setting| vec![status(503, "", "")(setting).remove(0), good(setting.call)],
        ok(2),
        failed(1, K::Server, O::Unknown),
    ));
    rows.push(Row::new(
        "reset, then a good response",
        |setting| vec![Fault::new(Reading::All, [], End::Reset), good(setting.call)],
        ok(2),
        failed(1, K::Transport, O::Unknown),
    ));
    rows
}

fn rate_limits() -> Vec<Row> {
    let limited = |retry_after: &str| {
        let headers = if retry_after.is_empty() { String::new() } else { format!("Retry-After: {retry_after}\r\n") };
        status(429, &headers, r#"{"error": "too many images in flight", "reject_reason": "inflight_limit"}"#)
    };
    let second = Duration::from_secs(1);
    let again = |fault: &str, retry_after: &str| Row::again(fault, K::RateLimited, O::Declined, limited(retry_after));
    let never = |fault: &str, seconds: &str| {
        Row::never(fault, failed(1, K::RateLimited, O::Declined), limited(seconds)).lasting(Duration::ZERO..2 * second)
    };
    let then = |next: fn(&Setting<'_>) -> Fault| {
        let first = limited("0");
        move |setting: &Setting<'_>| vec![first(setting).remove(0), next(setting)]
    };
    vec![
        again("429, Retry-After in seconds", "1").lasting(2 * second..Duration::MAX),
        // Dates have whole seconds, and the second attempt finds this one in the past.
        Row::again("429, Retry-After as a date", K::RateLimited, O::Declined, |_| {
            let date = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(3));
            vec![Fault::response(response(429, &format!("Retry-After: {date}\r\n"), "{}"))]
        })
        .lasting(second..Duration::MAX),
        again("429, Retry-After as a past date", "Wed, 21 Oct 2015 07:28:00 GMT").lasting(Duration::ZERO..MAX_WAIT),
        again("429, Retry-After that says nothing", "soon").lasting(Duration::ZERO..MAX_WAIT),
        again("429, Retry-After below zero", "-5").lasting(Duration::ZERO..MAX_WAIT),
        again("429, no Retry-After", "").lasting(Duration::ZERO..MAX_WAIT),
        never("429, Retry-After beyond the longest wait", "11"),
        never("429, Retry-After beyond all counting", "18446744073709551615"),
        never("429, Retry-After beyond the deadline", "3").limits(|options| options.deadline(Duration::from_secs(2))),
        Row::never("429, then a good response", ok(2), then(|setting| good(setting.call))),
        Row::new(
            "429, then 503",
            then(|setting| status(503, "", "")(setting).remove(0)),
            failed(ATTEMPTS, K::Server, O::Unknown),
            failed(2, K::Server, O::Unknown),
        ),
        Row::new(
            "429, then a reset",
            then(|_| Fault::new(Reading::All, [], End::Reset)),
            failed(ATTEMPTS, K::Transport, O::Unknown),
            failed(2, K::Transport, O::Unknown),
        ),
        Row::new(
            "200 cut short, then 429",
            |setting| {
                let cut = Fault::response(half(setting.call));
                let limited = response(429, "Retry-After: 0\r\n", "{}");
                vec![cut, Fault::response(limited)]
            },
            failed(ATTEMPTS, K::RateLimited, O::Unknown),
            failed(1, K::Transport, O::Completed),
        ),
        Row::new(
            "reset, then 429",
            |_| {
                let limited = response(429, "Retry-After: 0\r\n", "{}");
                vec![Fault::new(Reading::All, [], End::Reset), Fault::response(limited)]
            },
            failed(ATTEMPTS, K::RateLimited, O::Unknown),
            failed(1, K::Transport, O::Unknown),
        ),
    ]
}

fn redirects() -> Vec<Row> {
    let mut rows = Vec::new();
    for code in [301, 302, 303, 307, 308] {
        let ending = failed(1, K::UndocumentedResponse, O::Unknown);
        rows.push(Row::never(
            format!("{code} to the same origin"),
            ending,
            status(code, "Location: /elsewhere\r\n", ""),
        ));
        rows.push(Row::never(format!("{code} to another origin"), ending, move |setting| {
            status(code, &format!("Location: {}/datasets/demo\r\n", setting.elsewhere), "")(setting)
        }));
    }
    rows
}

fn strange() -> Vec<Row> {
    let unreadable = failed(1, K::UndocumentedResponse, O::Completed);
    let flood = |head: &'static str| {
        move |_: &Setting<'_>| {
            let head = Action::Bytes(head.as_bytes().to_vec());
            vec![Fault::new(Reading::All, [head, Action::Flood(GIBIBYTE)], End::Close)]
        }
    };
    let raw = |bytes: &'static str| move |_: &Setting<'_>| vec![Fault::response(bytes)];
    vec![
        Row::never("200, wrong media type", unreadable, status(200, "Content-Type: text/html\r\n", "<html></html>")),
        Row::never("200, JSON of another form", unreadable, status(200, "", r#"{"data": 7, "dataset": 7}"#)),
        Row::never("200, no body", unreadable, status(200, "", "")),
        Row::never("204", unreadable, raw("HTTP/1.1 204 No Content\r\n\r\n")),
        Row::never("200, 100 MiB packed by gzip", unreadable, |_| {
            vec![Fault::response(response(200, "Content-Encoding: gzip\r\n", bomb()))]
        }),
        Row::once("500, 100 MiB packed by gzip", K::Server, O::Unknown, |_| {
            vec![Fault::response(response(500, "Content-Encoding: gzip\r\n", bomb()))]
        }),
        Row::never("200, body of 1 GiB", unreadable, flood("HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n"))
            .limits(|options| options.max_response_bytes(1024 * 1024)),
        Row::once(
            "500, body of 1 GiB",
            K::Server,
            O::Unknown,
            flood("HTTP/1.1 500 X\r\nContent-Length: 1073741824\r\n\r\n"),
        ),
        Row::once("500, body without an end", K::Server, O::Unknown, flood("HTTP/1.1 500 X\r\n\r\n")),
        Row::once("head of 1 GiB", K::Transport, O::Unknown, flood("HTTP/1.1 200 OK\r\nX: ")),
        Row::once("no HTTP", K::Transport, O::Unknown, raw("SSH-2.0-OpenSSH_9.9\r\n")),
        Row::once(
            "two lengths",
            K::Transport,
            O::Unknown,
            raw("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}"),
        ),
        Row::never("a good response, compressed by gzip", ok(1), |setting| {
            vec![Fault::response(response(200, "Content-Encoding: gzip\r\n", gzip(setting.call.sample().as_bytes())))]
        }),
        Row::never("a good response, called gzip and not compressed", ok(1), |setting| {
            vec![Fault::response(response(200, "Content-Encoding: gzip\r\n", setting.call.sample()))]
        }),
        Row::never("a good response, with a byte order mark", ok(1), |setting| {
            vec![Fault::response(response(200, "", format!("\u{feff}{}", setting.call.sample())))]
        }),
        Row::never("a good response, in UTF-16", ok(1), |setting| {
            let body: Vec<u8> = setting.call.sample().encode_utf16().flat_map(u16::to_le_bytes).collect();
            vec![Fault::response(response(200, "", body))]
        }),
        Row::never("a good response, and bytes after it", unreadable, |setting| {
            vec![Fault::response(response(200, "", format!("{}<!-- cache -->", setting.call.sample())))]
        }),
        Row::never("a good response, its header lines folded, spaced, or none", ok(1), |setting| {
            let odd = "X: a\r\n folded\r\nY : b\r\nno header\r\nSet-Cookie: a=\u{1}b\r\n";
            vec![Fault::response(response(200, odd, setting.call.sample()))]
        }),
        Row::never("a good response, with a thousand header lines", ok(1), |setting| {
            vec![Fault::response(response(200, &"X-Hop: 1\r\n".repeat(1000), setting.call.sample()))]
        }),
        Row::never("100, then a good response", ok(1), |setting| {
            let mut bytes = b"HTTP/1.1 100 Continue\r\n\r\n".to_vec();
            bytes.extend_from_slice(&response(200, "", setting.call.sample()));
            vec![Fault::response(bytes)]
        }),
        Row::never("a good response, and a second, unexpected one", ok(1), |setting| {
            let mut bytes = response(200, "", setting.call.sample());
            bytes.extend_from_slice(&response(500, "", "not yours"));
            vec![Fault { end: End::Keep, ..Fault::response(bytes) }]
        }),
    ]
}

/// 100 MiB of zeros, compressed: a hundred properties, as gzip allows.
fn bomb() -> Vec<u8> {
    static MEMBER: LazyLock<Vec<u8>> = LazyLock::new(|| gzip(&vec![0; 1024 * 1024]));
    MEMBER.repeat(100)
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}
