//! Verifies webhooks, without I/O and without a clock.
//!
//! The service signs four lines: the id of the job, the id of the user, the time, and the SHA-256 of the raw body in
//! lowercase hex. A header cannot contain a line break, so the lines cannot be shifted against each other.

use std::{
    fmt::Write as _,
    time::{Duration, SystemTime},
};

use aws_lc_rs::digest::{SHA256, digest};
use bytes::Bytes;
use http::HeaderMap;

use super::{delivery::Delivery, keys::KeySet};
use crate::Timestamp;

/// The header with the id of the job.
pub const GENERATION_ID_HEADER: &str = "x-ideogram-webhook-generation-id";
/// The header with the id of the user.
pub const USER_ID_HEADER: &str = "x-ideogram-webhook-user-id";
/// The header with the time of the signature, in seconds since 1970.
pub const TIMESTAMP_HEADER: &str = "x-ideogram-webhook-timestamp";
/// The header with the id of the key that signed.
pub const KEY_ID_HEADER: &str = "x-ideogram-webhook-key-id";
/// The header with the signature, in hex.
pub const SIGNATURE_HEADER: &str = "x-ideogram-webhook-signature";

/// How far the time of a delivery may differ from the clock of this machine, unless [`Verifier::tolerance`] is set.
pub const DEFAULT_TOLERANCE: Duration = Duration::from_secs(5 * 60);

/// The size of a signature in hex.
const SIGNATURE_DIGITS: usize = 128;

/// Verifies webhooks with a key set.
///
/// ```
/// use std::time::SystemTime;
///
/// use ideogram_client::{
///     reqwest::header::HeaderMap,
///     types::WebhookSigningKeys,
///     webhook::{KeySet, Verifier, VerifyError},
/// };
///
/// # fn example(keys: &WebhookSigningKeys) {
/// let verifier = Verifier::new(KeySet::from(keys));
/// let refused = verifier.verify(&HeaderMap::new(), "{}", SystemTime::now());
/// assert!(matches!(refused, Err(VerifyError::MissingHeader { .. })));
/// # }
/// # example(&serde_json::from_str(r#"{"keys": []}"#).unwrap());
/// ```
#[derive(Clone, Debug)]
pub struct Verifier {
    keys: KeySet,
    tolerance: Duration,
}

/// Why a webhook was refused. The text of an error contains nothing of the request.
///
/// Everything before the signature is checked may come from anybody, so no variant but [`VerifyError::NotJson`] says
/// anything about the service.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// A header is missing: the request is not a webhook of the service, or a proxy has removed the header.
    #[error("the webhook has no header `{header}`")]
    MissingHeader {
        /// The name of the header.
        header: &'static str,
    },
    /// A header is there several times, and only one of them can be the signed one: a proxy, or an attacker, added one.
    #[error("the webhook has the header `{header}` several times; it must be there once")]
    RepeatedHeader {
        /// The name of the header.
        header: &'static str,
    },
    /// A header contains bytes that are not visible ASCII characters. The service sends none.
    #[error("the header `{header}` of the webhook is not text")]
    HeaderNotText {
        /// The name of the header.
        header: &'static str,
    },
    /// The time is not a number of seconds in decimal digits.
    #[error("the header `{TIMESTAMP_HEADER}` of the webhook is not a number of seconds")]
    TimestampNotANumber,
    /// The signature contains characters that are not hex digits.
    #[error("the header `{SIGNATURE_HEADER}` of the webhook is not hex")]
    SignatureNotHex,
    /// The signature is hex, and too short or too long: it was cut, or is one of another kind.
    #[error("the signature of the webhook has {digits} hex digits instead of {SIGNATURE_DIGITS}")]
    SignatureLength {
        /// The number of digits.
        digits: usize,
    },
    /// The time is too long ago: somebody sends an old delivery again, it was held up, or the clock of this machine is
    /// fast. The service delivers again with a new time; otherwise ask for the state of the job.
    #[error("the webhook is {} s old, and {} s are allowed; check the clock of this machine", .age.as_secs(), .tolerance.as_secs())]
    Stale {
        /// How old the delivery is.
        age: Duration,
        /// How old it may be.
        tolerance: Duration,
    },
    /// The time is too far in the future: the clock of this machine is slow, or the delivery is forged.
    #[error("the webhook is {} s ahead of the clock, and {} s are allowed; check the clock of this machine", .ahead.as_secs(), .tolerance.as_secs())]
    Future {
        /// How far the time is ahead.
        ahead: Duration,
        /// How far it may be ahead.
        tolerance: Duration,
    },
    /// The key set lists no key, so nothing can be verified: fetch the keys.
    #[error("the key set has no keys; fetch the keys of the service")]
    NoKeys,
    /// No key of the set has signed the delivery, and the set has no usable key of the id that it names: the service has
    /// a new key, or the delivery is forged. Fetch the keys, and verify it again.
    #[error("the webhook is signed with a key that is not in the key set; fetch the keys of the service again")]
    UnknownKey,
    /// No key of the set has signed the delivery, not even the one that it names: it is forged, or it was altered on the
    /// way. Verify the raw body: JSON that was decoded and written again has other bytes.
    #[error("the signature of the webhook does not match its headers and its raw body")]
    WrongSignature,
    /// The service has signed the delivery, and its body is not JSON. The job has ended: ask for its state.
    #[error("the body of the webhook is signed and is not JSON; ask for the state of the job")]
    NotJson {
        /// The id of the job.
        generation_id: String,
    },
}

impl VerifyError {
    /// Whether other keys may verify the same delivery.
    pub(super) fn is_about_keys(&self) -> bool {
        matches!(self, Self::NoKeys | Self::UnknownKey | Self::WrongSignature)
    }
}

impl Verifier {
    /// Creates a verifier with these keys.
    pub fn new(keys: KeySet) -> Self {
        Self { keys, tolerance: DEFAULT_TOLERANCE }
    }

    /// Sets how far the time of a delivery may differ from the clock, in both directions: [`DEFAULT_TOLERANCE`] unless
    /// set. Within it, somebody who has recorded a delivery can send it again.
    pub fn tolerance(mut self, tolerance: Duration) -> Self {
        self.tolerance = tolerance;
        self
    }

    /// Verifies a webhook: its headers, its raw body, and its time against `now`.
    ///
    /// The id of the key in the headers is a hint only: every key of the set may have signed.
    ///
    /// # Errors
    ///
    /// The first [`VerifyError`] that applies: of the headers in their order, then of the time, then of the signature.
    pub fn verify(
        &self,
        headers: &HeaderMap,
        body: impl Into<Bytes>,
        now: SystemTime,
    ) -> Result<Delivery, VerifyError> {
        let signed = Signed::read(headers, body.into(), now, self.tolerance)?;
        signed.check(&self.keys)?;
        signed.into_delivery()
    }
}

/// A webhook of the right form, whose signature was not checked.
pub(super) struct Signed {
    generation_id: String,
    user_id: String,
    seconds: u64,
    key_id: String,
    message: String,
    signature: [u8; SIGNATURE_DIGITS / 2],
    body: Bytes,
}

impl Signed {
    pub(super) fn read(
        headers: &HeaderMap,
        body: Bytes,
        now: SystemTime,
        tolerance: Duration,
    ) -> Result<Self, VerifyError> {
        let generation_id = text_of(headers, GENERATION_ID_HEADER)?.to_owned();
        let user_id = text_of(headers, USER_ID_HEADER)?.to_owned();
        let timestamp = text_of(headers, TIMESTAMP_HEADER)?;
        let key_id = text_of(headers, KEY_ID_HEADER)?.to_owned();
        let signature = text_of(headers, SIGNATURE_HEADER)?;

        // `parse` accepts a sign.
        let is_number = timestamp.bytes().all(|byte| byte.is_ascii_digit());
        let seconds = timestamp.parse().ok().filter(|_| is_number).ok_or(VerifyError::TimestampNotANumber)?;
        let signature = signature_of(signature)?;
        check_time(Duration::from_secs(seconds), now, tolerance)?;

        let mut message = format!("{generation_id}\n{user_id}\n{timestamp}\n");
        for byte in digest(&SHA256, &body).as_ref() {
            write!(message, "{byte:02x}").expect("text grows");
        }
        Ok(Self { generation_id, user_id, seconds, key_id, message, signature, body })
    }

    pub(super) fn check(&self, keys: &KeySet) -> Result<(), VerifyError> {
        if keys.lists_nothing() {
            return Err(VerifyError::NoKeys);
        }
        if keys.have_signed(self.message.as_bytes(), &self.signature) {
            return Ok(());
        }
        Err(if keys.has(&self.key_id) { VerifyError::WrongSignature } else { VerifyError::UnknownKey })
    }

    /// Decodes the body, once the signature is checked.
    pub(super) fn into_delivery(self) -> Result<Delivery, VerifyError> {
        let Self { generation_id, user_id, seconds, body, .. } = self;
        let Ok(json) = serde_json::from_slice(&body) else { return Err(VerifyError::NotJson { generation_id }) };
        let sent = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds));
        let sent = sent.map_or_else(|| Timestamp::parse(&seconds.to_string()), Timestamp::from);
        Ok(Delivery { generation_id, user_id, sent, body, json })
    }
}

/// The only value of a header.
fn text_of<'h>(headers: &'h HeaderMap, header: &'static str) -> Result<&'h str, VerifyError> {
    let mut values = headers.get_all(header).iter();
    let value = values.next().ok_or(VerifyError::MissingHeader { header })?;
    if values.next().is_some() {
        return Err(VerifyError::RepeatedHeader { header });
    }
    value.to_str().map_err(|_| VerifyError::HeaderNotText { header })
}

fn signature_of(hex: &str) -> Result<[u8; SIGNATURE_DIGITS / 2], VerifyError> {
    let digits: Option<Vec<u8>> =
        hex.chars().map(|digit| digit.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
    let digits = digits.ok_or(VerifyError::SignatureNotHex)?;
    if digits.len() != SIGNATURE_DIGITS {
        return Err(VerifyError::SignatureLength { digits: digits.len() });
    }
    let mut signature = [0; SIGNATURE_DIGITS / 2];
    for (byte, pair) in signature.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = pair[0] << 4 | pair[1];
    }
    Ok(signature)
}

/// Compares the time of a delivery, since 1970, with the clock.
fn check_time(sent: Duration, now: SystemTime, tolerance: Duration) -> Result<(), VerifyError> {
    let now = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let (age, ahead) = (now.saturating_sub(sent), sent.saturating_sub(now));
    if age > tolerance {
        return Err(VerifyError::Stale { age, tolerance });
    }
    if ahead > tolerance {
        return Err(VerifyError::Future { ahead, tolerance });
    }
    Ok(())
}
