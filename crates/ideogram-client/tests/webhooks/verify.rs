//! The verifier that does no I/O.

use std::time::{Duration, SystemTime};

use ideogram_client::{
    reqwest::header::{HeaderMap, HeaderName, HeaderValue},
    save::{HasImages as _, Image as _, ImageOutcome},
    types::{GenerationItemType, WebhookSigningKeys},
    webhook::{
        DEFAULT_TOLERANCE, GENERATION_ID_HEADER, KEY_ID_HEADER, KeySet, SIGNATURE_HEADER, TIMESTAMP_HEADER,
        USER_ID_HEADER, Verifier, VerifyError,
    },
};
use serde_json::{Value, json};

use crate::{BODY, GENERATION_ID, SENT, Signer, USER_ID, at, key_set};

const HEADERS: [&str; 5] = [GENERATION_ID_HEADER, USER_ID_HEADER, TIMESTAMP_HEADER, KEY_ID_HEADER, SIGNATURE_HEADER];

fn verifier(key_set: &Value) -> Verifier {
    Verifier::new(KeySet::from_json(key_set))
}

/// Verifies a body with these headers, at the time when it was sent.
fn error_of(key_set: &Value, headers: &HeaderMap, body: &str) -> VerifyError {
    verifier(key_set).verify(headers, body.to_owned(), at(SENT)).unwrap_err()
}

#[test]
fn another_implementation_signs_the_same() {
    // The key of RFC 8037, appendix A; OpenSSL 3 has signed, with `openssl pkeyutl -sign -rawin`.
    let key = json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"});
    let signature = "56f0769c64ad2ee7231cd2fde1533ef832ebdaac34301434a9b118d8b6e14a49\
                     9ff284adb26fceaaef9b5fc6f31a786cec74aca254062fab0577540c6cd8fc01";
    let mut headers = HeaderMap::new();
    for (name, value) in HEADERS.into_iter().zip([GENERATION_ID, USER_ID, "1760000000", "any", signature]) {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
    }

    let delivery = verifier(&json!({"keys": [key]})).verify(&headers, BODY, at(SENT)).unwrap();

    assert_eq!((delivery.generation_id(), delivery.user_id()), (GENERATION_ID, USER_ID));
    assert_eq!(delivery.sent().unix_seconds(), Some(1_760_000_000));
    assert_eq!(delivery.body(), BODY.as_bytes());
    assert_eq!(delivery.created().unwrap().to_string(), "2025-01-23T04:56:07Z");
}

#[test]
fn each_header_is_needed_once_and_as_text() {
    let genuine = Signer::new("k1", 1);
    let (keys, headers) = (key_set(&[&genuine]), genuine.headers(BODY.as_bytes(), SENT));
    for header in HEADERS {
        let mut missing = headers.clone();
        missing.remove(header);
        let error = error_of(&keys, &missing, BODY);
        assert_eq!(error, VerifyError::MissingHeader { header });
        assert_eq!(error.to_string(), format!("the webhook has no header `{header}`"));

        let mut repeated = headers.clone();
        repeated.append(header, headers[header].clone());
        assert_eq!(error_of(&keys, &repeated, BODY), VerifyError::RepeatedHeader { header });

        let mut no_text = headers.clone();
        no_text.insert(header, HeaderValue::from_bytes(b"a\xff").unwrap());
        assert_eq!(error_of(&keys, &no_text, BODY), VerifyError::HeaderNotText { header });
    }
}

#[test]
fn malformed_values_are_refused_by_name() {
    let genuine = Signer::new("k1", 1);
    let (keys, headers) = (key_set(&[&genuine]), genuine.headers(BODY.as_bytes(), SENT));
    let signature = headers[SIGNATURE_HEADER].to_str().unwrap();
    let long = format!("{signature}00");
    let not_hex = format!("{}xy", &signature[2..]);
    let too_large = format!("{}0", u64::MAX);
    let seconds = SENT.to_string();
    let (plus, minus, fraction, spaced) =
        (format!("+{seconds}"), format!("-{seconds}"), format!("{seconds}.0"), format!("{seconds} "));
    for (header, value, expected) in [
        (TIMESTAMP_HEADER, "", VerifyError::TimestampNotANumber),
        (TIMESTAMP_HEADER, "2025-01-23T04:56:07Z", VerifyError::TimestampNotANumber),
        (TIMESTAMP_HEADER, &plus, VerifyError::TimestampNotANumber),
        (TIMESTAMP_HEADER, &minus, VerifyError::TimestampNotANumber),
        (TIMESTAMP_HEADER, &fraction, VerifyError::TimestampNotANumber),
        (TIMESTAMP_HEADER, &spaced, VerifyError::TimestampNotANumber),
        (TIMESTAMP_HEADER, &too_large, VerifyError::TimestampNotANumber),
        (SIGNATURE_HEADER, &not_hex, VerifyError::SignatureNotHex),
        (SIGNATURE_HEADER, "", VerifyError::SignatureLength { digits: 0 }),
        (SIGNATURE_HEADER, &signature[..126], VerifyError::SignatureLength { digits: 126 }),
        (SIGNATURE_HEADER, &signature[..127], VerifyError::SignatureLength { digits: 127 }),
        (SIGNATURE_HEADER, &long, VerifyError::SignatureLength { digits: 130 }),
    ] {
        let mut headers = headers.clone();
        headers.insert(header, HeaderValue::from_str(value).unwrap());

        assert_eq!(error_of(&keys, &headers, BODY), expected, "{header}: {value}");
    }
}

#[test]
fn a_delivery_is_accepted_up_to_the_tolerance_in_both_directions() {
    let genuine = Signer::new("k1", 1);
    let headers = genuine.headers(BODY.as_bytes(), SENT);
    for tolerance in [DEFAULT_TOLERANCE, Duration::ZERO, Duration::from_secs(3600)] {
        let verifier = verifier(&key_set(&[&genuine])).tolerance(tolerance);
        let verify = |now| verifier.verify(&headers, BODY, now).map(drop);
        let beyond = tolerance + Duration::from_millis(1);

        assert_eq!(verify(at(SENT) + tolerance), Ok(()));
        assert_eq!(verify(at(SENT) - tolerance), Ok(()));
        assert_eq!(verify(at(SENT) + beyond), Err(VerifyError::Stale { age: beyond, tolerance }));
        assert_eq!(verify(at(SENT) - beyond), Err(VerifyError::Future { ahead: beyond, tolerance }));
    }
    let verifier = verifier(&key_set(&[&genuine]));
    for now in [SystemTime::UNIX_EPOCH, SystemTime::UNIX_EPOCH - Duration::from_secs(1)] {
        let error = verifier.verify(&headers, BODY, now).unwrap_err();
        assert!(matches!(error, VerifyError::Future { .. }), "{error}");
    }
    let far = genuine.headers(BODY.as_bytes(), u64::MAX);
    let error = verifier.verify(&far, BODY, at(SENT)).unwrap_err();
    assert!(matches!(error, VerifyError::Future { .. }), "{error}");
}

#[test]
fn the_tolerance_of_the_caller_may_be_without_end() {
    let genuine = Signer::new("k1", 1);
    let verifier = verifier(&key_set(&[&genuine])).tolerance(Duration::MAX);
    for sent in [0, u64::MAX] {
        let delivery = verifier.verify(&genuine.headers(BODY.as_bytes(), sent), BODY, at(SENT)).unwrap();

        assert_eq!(delivery.generation_id(), GENERATION_ID);
    }
}

#[test]
fn any_listed_key_may_have_signed_and_the_named_key_is_a_hint() {
    let (old, new, other) = (Signer::new("old", 1), Signer::new("new", 2), Signer::new("old", 3));
    let headers = new.headers(BODY.as_bytes(), SENT);

    assert!(verifier(&key_set(&[&old, &new])).verify(&headers, BODY, at(SENT)).is_ok());
    // The id of the key that signed names another one.
    assert!(verifier(&key_set(&[&other])).verify(&other.headers(BODY.as_bytes(), SENT), BODY, at(SENT)).is_ok());
    assert_eq!(error_of(&key_set(&[&old]), &headers, BODY), VerifyError::UnknownKey);
    assert_eq!(error_of(&key_set(&[&old]), &other.headers(BODY.as_bytes(), SENT), BODY), VerifyError::WrongSignature);
    for nothing in [json!({"keys": []}), json!({"keys": null}), json!({}), json!(null), json!([1])] {
        assert_eq!(error_of(&nothing, &headers, BODY), VerifyError::NoKeys, "{nothing}");
    }
}

#[test]
fn a_key_of_another_kind_is_skipped() {
    let genuine = Signer::new("k1", 1);
    let headers = genuine.headers(BODY.as_bytes(), SENT);
    let good = genuine.jwk();
    let with = |name: &str, value: Value| {
        let mut key = good.clone();
        key[name] = value;
        key
    };
    let x = good["x"].as_str().unwrap();
    for skipped in [
        with("kty", json!("EC")),
        with("crv", json!("X25519")),
        with("alg", json!("ES256")),
        with("use", json!("enc")),
        with("x", json!(&x[1..])),
        with("x", json!(format!("{x}AAAA"))),
        with("x", json!("not base64!")),
        with("x", json!(7)),
        with("x", json!(null)),
        json!("a key"),
        json!(null),
    ] {
        let set = KeySet::from_json(&json!({"keys": [&skipped]}));
        assert!(set.is_empty(), "{skipped}");
        assert_eq!(error_of(&json!({"keys": [&skipped]}), &headers, BODY), VerifyError::UnknownKey, "{skipped}");

        let beside = KeySet::from_json(&json!({"keys": [&skipped, &good]}));
        assert_eq!(beside.len(), 1);
        assert!(Verifier::new(beside).verify(&headers, BODY, at(SENT)).is_ok(), "{skipped}");
    }
    let mut bare = good.clone();
    for optional in ["alg", "use", "kid"] {
        bare.as_object_mut().unwrap().remove(optional);
    }
    assert!(verifier(&json!({"keys": [bare]})).verify(&headers, BODY, at(SENT)).is_ok());
    let typed: WebhookSigningKeys = serde_json::from_value(key_set(&[&genuine])).unwrap();
    assert_eq!(KeySet::from(&typed).len(), 1);
}

#[test]
fn a_body_altered_by_one_byte_is_refused() {
    let genuine = Signer::new("k1", 1);
    let body = r#"{"request_id":"a","created":"2025-01-23 04:56:07+00:00","data":[{"is_image_safe":true}]}"#.as_bytes();
    let (verifier, headers) = (verifier(&key_set(&[&genuine])), genuine.headers(body, SENT));
    let accepts = |body: Vec<u8>| verifier.verify(&headers, body, at(SENT)).is_ok();

    assert!(accepts(body.to_vec()));
    for position in 0..body.len() {
        for flipped in [1_u8, 2, 4, 8, 16, 32, 64, 128, 255] {
            let mut altered = body.to_vec();
            altered[position] ^= flipped;
            assert!(!accepts(altered), "byte {position} by {flipped}");
        }
        let mut shorter = body.to_vec();
        shorter.remove(position);
        assert!(!accepts(shorter), "without byte {position}");
    }
    for position in 0..=body.len() {
        let mut longer = body.to_vec();
        longer.insert(position, b' ');
        assert!(!accepts(longer), "one byte more at {position}");
    }
    assert!(!accepts(Vec::new()));
}

#[test]
fn a_header_altered_by_one_character_is_refused_unless_it_is_the_hint() {
    let genuine = Signer::new("k1", 1);
    let (verifier, headers) = (verifier(&key_set(&[&genuine])), genuine.headers(BODY.as_bytes(), SENT));
    for header in HEADERS {
        let value = headers[header].as_bytes();
        for position in 0..value.len() {
            let mut altered = value.to_vec();
            altered[position] = if altered[position] == b'1' { b'2' } else { b'1' };
            let mut headers = headers.clone();
            headers.insert(header, HeaderValue::from_bytes(&altered).unwrap());

            let result = verifier.verify(&headers, BODY, at(SENT));
            assert_eq!(result.is_ok(), header == KEY_ID_HEADER, "{header}, character {position}");
        }
    }
}

#[test]
fn a_line_moved_to_another_header_is_refused() {
    let genuine = Signer::new("k1", 1);
    let mut headers = genuine.headers(BODY.as_bytes(), SENT);
    headers.insert(GENERATION_ID_HEADER, HeaderValue::from_str(&GENERATION_ID[..21]).unwrap());
    headers.insert(USER_ID_HEADER, HeaderValue::from_str(&format!("B{USER_ID}")).unwrap());

    assert_eq!(error_of(&key_set(&[&genuine]), &headers, BODY), VerifyError::WrongSignature);
}

#[test]
fn a_signed_body_that_is_not_json_names_the_job() {
    let genuine = Signer::new("k1", 1);
    for body in ["", "<html>", "{\"data\":"] {
        let error = error_of(&key_set(&[&genuine]), &genuine.headers(body.as_bytes(), SENT), body);

        assert_eq!(error, VerifyError::NotJson { generation_id: GENERATION_ID.to_owned() }, "{body}");
    }
    // The signature comes first.
    let error = error_of(&key_set(&[&genuine]), &genuine.headers(BODY.as_bytes(), SENT), "<html>");
    assert_eq!(error, VerifyError::WrongSignature);
}

#[test]
fn no_error_contains_anything_of_the_request() {
    let (genuine, stranger) = (Signer::new("k1", 1), Signer::new("k2", 2));
    let mut headers = stranger.headers(BODY.as_bytes(), SENT);
    for (header, value) in HEADERS.into_iter().zip(["secret", "secret", "secret", "secret", "secret"]) {
        let error = error_of(&key_set(&[&genuine]), &headers, BODY);
        assert!(!format!("{error} {error:?}").contains("secret"), "{error:?}");
        headers.insert(header, HeaderValue::from_static(value));
    }
}

#[test]
fn both_forms_of_the_body_have_their_images() {
    let genuine = Signer::new("k1", 1);
    for (name, created) in [("generation_id", "2025-01-23T04:56:07Z"), ("request_id", "2025-01-23 04:56:07.25+00:00")] {
        let body = json!({
            name: GENERATION_ID,
            "created": created,
            "data": [
                {"url": "https://ideogram.ai/api/images/ephemeral/a.png", "prompt": "A lantern", "resolution": "1024x1024",
                 "is_image_safe": true, "seed": 7},
                {"object_type": "image.without-prompt-or-seed", "url": null, "is_image_safe": false, "resolution": "1x1"},
                {"object_type": "new.kind", "url": "https://ideogram.ai/x", "more": {"a": [1]}},
            ],
            "new": true,
        })
        .to_string();
        let headers = genuine.headers(body.as_bytes(), SENT);
        let delivery = verifier(&key_set(&[&genuine])).verify(&headers, body, at(SENT)).unwrap();

        assert_eq!(delivery.id_in_body(), Some(GENERATION_ID));
        assert_eq!(delivery.created().unwrap().unix_seconds(), Some(1_737_608_167));
        let items = delivery.items();
        assert_eq!(items.len(), 3);
        assert_eq!((items[0].seed, items[0].prompt.as_deref()), (Some(7), Some("A lantern")));
        assert_eq!(items[1].object_type, Some(GenerationItemType::ImageWithoutPromptOrSeed));
        assert_eq!(delivery.json()["data"][2]["more"], json!({"a": [1]}));
        let images = delivery.images();
        assert_eq!(images[0].link(), Some("https://ideogram.ai/api/images/ephemeral/a.png"));
        assert!(matches!(images[1].outcome(), ImageOutcome::Withheld));
        assert_eq!(delivery.failure_reason(), None);
    }
}

#[test]
fn a_body_without_the_documented_properties_is_delivered_all_the_same() {
    let genuine = Signer::new("k1", 1);
    for body in [
        "null",
        "[]",
        "7",
        "{}",
        r#"{"data": null, "created": 7, "generation_id": 7}"#,
        r#"{"status": "failed", "failure_reason": "content_policy_violation"}"#,
    ] {
        let headers = genuine.headers(body.as_bytes(), SENT);
        let delivery = verifier(&key_set(&[&genuine])).verify(&headers, body, at(SENT)).unwrap();

        assert_eq!(delivery.generation_id(), GENERATION_ID);
        assert_eq!((delivery.id_in_body(), delivery.items().len()), (None, 0), "{body}");
        assert_eq!(delivery.failure_reason().is_some(), body.contains("failed"));
    }
}
