//! An HTTP server for tests that sends any bytes, valid or not, and records requests.
//!
//! Start at [`Server::start`]. The mock server sends valid HTTP; this one sends what a broken service, a proxy or an
//! attacker may send. It has its own thread and runtime, so tests with and without `async` can use it.

mod request;
mod server;

pub use self::{
    request::RawRequest,
    server::{Reply, Server},
};

/// Returns a response with the right length.
pub fn response(status: u16, headers: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let length = body.len();
    let mut response = format!("HTTP/1.1 {status} X\r\nContent-Length: {length}\r\n{headers}\r\n").into_bytes();
    response.extend_from_slice(body);
    response
}
