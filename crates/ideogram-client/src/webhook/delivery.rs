//! A webhook that the service has signed.

use std::fmt;

use bytes::Bytes;
use serde_json::Value;

use crate::{
    Timestamp,
    save::{HasImages, ImageRef, internal::images_in_text},
    types::GenerationItem,
};

/// A webhook whose signature was verified.
///
/// [`Client::save_all`](crate::Client::save_all) saves its images. The service may deliver the same job several times:
/// store [`Delivery::generation_id`] with the result, and ignore an id that is stored already.
#[derive(Clone)]
pub struct Delivery {
    pub(super) generation_id: String,
    pub(super) user_id: String,
    pub(super) sent: Timestamp,
    pub(super) body: Bytes,
    pub(super) json: Value,
}

impl Delivery {
    /// The id of the job, from the signed header. All deliveries of a job have the same.
    pub fn generation_id(&self) -> &str {
        &self.generation_id
    }

    /// The id of the user whose key started the job.
    pub fn user_id(&self) -> &str {
        &self.user_id
    }

    /// When the service signed the delivery, to the second.
    pub fn sent(&self) -> &Timestamp {
        &self.sent
    }

    /// The body as it was signed.
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// The body as JSON, with the properties that this version does not know.
    pub fn json(&self) -> &Value {
        &self.json
    }

    /// The id in the body: its property `generation_id`, or `request_id`. The vendor documents both, for the same id. It
    /// should equal [`Delivery::generation_id`], which is the one to use.
    pub fn id_in_body(&self) -> Option<&str> {
        ["generation_id", "request_id"].iter().find_map(|name| self.json.get(name)?.as_str())
    }

    /// When the job started, if the body says it.
    pub fn created(&self) -> Option<Timestamp> {
        self.json.get("created")?.as_str().map(Timestamp::parse)
    }

    /// The results, withheld ones included. Empty if the job has none. An item of an undocumented form is only in
    /// [`Delivery::json`].
    pub fn items(&self) -> Vec<GenerationItem> {
        let items = self.json.get("data").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        items.iter().filter_map(|item| serde_json::from_value(item.clone()).ok()).collect()
    }

    /// Why the job failed, if the body says it. The service does not document whether it delivers failed jobs.
    pub fn failure_reason(&self) -> Option<&str> {
        self.json.get("failure_reason")?.as_str()
    }
}

impl HasImages for Delivery {
    fn images(&self) -> Vec<ImageRef> {
        images_in_text(&self.body)
    }
}

impl fmt::Debug for Delivery {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { generation_id, user_id, sent, body, .. } = self;
        let mut debug = formatter.debug_struct("Delivery");
        debug.field("generation_id", generation_id).field("user_id", user_id).field("sent", sent);
        debug.field("body_bytes", &body.len()).finish_non_exhaustive()
    }
}
