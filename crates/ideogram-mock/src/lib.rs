//! A mock server that behaves like the Ideogram HTTP API: tests need no key, no network and no bill.
//!
//! Start at [`MockServer`]. It keeps datasets and models, refuses what the OpenAPI document does not describe and says
//! why, and records what it was sent:
//!
//! ```
//! # async fn example() -> std::io::Result<()> {
//! use ideogram_mock::{MockServer, Scenario};
//!
//! let server = MockServer::start().await?;
//! server.set_scenario(Scenario::PaymentRequired);
//! // Point a client at `server.url()` with the key `server.api_key()`, start a training, see it declined.
//! assert!(server.requests().is_empty());
//! # Ok(())
//! # }
//! ```
//!
//! # What it decides where the service's behaviour is unknown
//!
//! - It starts with the dataset `demo`, 15 pictures and 3 captions, the two models trained from it, and a shared model.
//! - **Uploading a file again adds it again**, as an append-only store would, so that a test notices a double upload.
//! - **Files are taken for what their names say**: `.txt` is a caption, `.zip` an archive, all else a picture, whose
//!   content must be JPEG, PNG or WebP. Captions must be UTF-8 and not blank.
//! - **Limits**: 10 MiB for a picture, 1 MiB for a caption, 1 GiB for an archive; what is larger is answered with
//!   `FILE_TOO_LARGE`. An archive may hold 1000 entries and unpack to 2 GiB; hidden files and `__MACOSX` in it are
//!   skipped. One entry that cannot be unpacked spoils the archive.
//! - **Marked names**: a file whose name contains `unsafe` fails the safety check; a model whose name contains
//!   `errored` ends as `ERRORED`.
//! - **Requests are read strictly**: query parameters, parts and body members that the document does not know are
//!   refused, although the service may ignore them. Texts must not come with a file name, files must.
//! - **An operation without behaviour** checks the key and the request like any other, then answers 501.
//!
//! # What it leaves out
//!
//! Pictures, so far; the limit on pictures in the making; permissions (403). Uploaded bytes are looked at and dropped:
//! only names and sizes are kept. It listens on the loopback only.

mod answers;
mod behaviour;
mod builder;
mod call;
mod clock;
mod content;
mod document;
mod recorder;
mod request;
mod scenario;
mod server;
mod store;
#[cfg(test)]
mod walk;
mod world;

pub use builder::MockServerBuilder;
pub use recorder::{RecordedPart, RecordedRequest};
pub use scenario::Scenario;
pub use server::{MOCK_API_KEY, MockServer};
