//! Webhooks: what the service sends to an address of yours when a job has ended.
//!
//! Start at [`Receiver`], which fetches the keys of the service, or at [`Verifier`], which does no I/O. Both take the
//! headers and the raw body of a request, and return a [`Delivery`] only if the service has signed them: decoding the body
//! first and verifying afterwards, or verifying JSON that was written again, does not work.
//!
//! - Respond with any 2xx status to acknowledge a delivery; [`ReceiveError::status`] is the status for everything else.
//! - The service may deliver the same job several times, also after an acknowledgement. [`Delivery::generation_id`]
//!   recognizes it: do nothing the second time.
//! - The service gives up after a number of attempts that it does not document, and it does not document whether it
//!   delivers failed jobs. So keep the id of the job, and ask for its state if no delivery arrives.
//!
//! ```
//! use std::time::SystemTime;
//!
//! use ideogram_client::{
//!     Client,
//!     reqwest::{StatusCode, header::HeaderMap},
//!     webhook::{Receiver, Delivery},
//! };
//!
//! async fn receive(receiver: &Receiver, headers: &HeaderMap, body: Vec<u8>) -> StatusCode {
//!     match receiver.receive(headers, body).await {
//!         Ok(delivery) => {
//!             println!("{} has ended", delivery.generation_id());
//!             StatusCode::NO_CONTENT
//!         }
//!         Err(error) => error.status(),
//!     }
//! }
//! ```
//!
//! Source: the vendor's page on webhooks, which has no test vectors; section "Webhooks" of the reference of the first API
//! version.

mod delivery;
mod keys;
mod receiver;
mod verify;

pub use self::{
    delivery::Delivery,
    keys::KeySet,
    receiver::{ReceiveError, Receiver},
    verify::{
        DEFAULT_TOLERANCE, GENERATION_ID_HEADER, KEY_ID_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER, USER_ID_HEADER,
        Verifier, VerifyError,
    },
};
