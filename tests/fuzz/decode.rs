//! Bytes as the response of every operation: an error or a value, and a value survives the way to JSON and back.

use std::fmt::Debug;

use fastrand::Rng;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::seeds::Seed;

/// What `build.rs` lists from the document.
#[allow(dead_code, clippy::match_same_arms, reason = "it also lists the schemas, and has one line for each operation")]
mod listed {
    use ideogram_client::types;

    use super::{Decoder, decode};

    include!(concat!(env!("OUT_DIR"), "/listed.rs"));
}

type Decoder = fn(&[u8]) -> bool;

fn decode<T: DeserializeOwned + Serialize + Debug + PartialEq>(json: &[u8]) -> bool {
    // As the client does it.
    let Ok(value) = serde_json::from_slice::<T>(json) else { return false };
    let encoded = serde_json::to_vec(&value).expect("what was read can be written");
    let again: T = serde_json::from_slice(&encoded).unwrap_or_else(|error| {
        panic!("cannot be read again: {error}\n{value:#?}\n{}", String::from_utf8_lossy(&encoded));
    });
    assert!(again == value, "changed on the way back, from {value:#?} to {again:#?}");
    true
}

/// Decodes a response as that of every operation; says whether it can be that of one.
pub(crate) fn run(json: &[u8]) -> bool {
    let mut taken = false;
    for operation in ideogram_client::operations::ALL {
        let decode = listed::decoder(operation.id).unwrap_or_else(|| panic!("`{}` has no decoder", operation.id));
        taken |= decode(json);
    }
    taken
}

/// Changes the JSON if it is some, otherwise the bytes.
pub(crate) fn mutate(input: &[u8], seeds: &[Seed], random: &mut Rng) -> Vec<u8> {
    match serde_json::from_slice::<Value>(input) {
        Ok(mut value) if random.u8(..4) > 0 => {
            for _ in 0..random.usize(1..4) {
                mutate_value(&mut value, seeds, random);
            }
            serde_json::to_vec(&value).expect("JSON can be written")
        }
        _ => mutate_bytes(input, random),
    }
}

/// Replaces, removes or adds one node.
fn mutate_value(value: &mut Value, seeds: &[Seed], random: &mut Rng) {
    let Some(target) = random.choice(pointers(value)) else { return };
    let new = new_value(value, seeds, random);
    let Some(target) = value.pointer_mut(&target) else { return };
    match target {
        Value::Object(properties) if random.bool() => {
            let names: Vec<_> = properties.keys().cloned().collect();
            match random.choice(names) {
                Some(name) if random.bool() => drop(properties.remove(&name)),
                _ => {
                    drop(properties.insert(random.choice(["news", "", "type", "url"]).unwrap_or_default().into(), new));
                }
            }
        }
        Value::Array(items) if random.bool() => items.insert(random.usize(..=items.len()), new),
        Value::String(text) if random.bool() => {
            let at = random.usize(..=text.chars().count());
            let odd = random.choice(["", "\u{0}", "ä", "9", "-", "+", "T", " ", "Z"]).unwrap_or_default();
            *text = text.chars().take(at).chain(odd.chars()).chain(text.chars().skip(at + 1)).collect();
        }
        _ => *target = new,
    }
}

/// An odd value, one that stands elsewhere in the same response, or another sample.
fn new_value(value: &Value, seeds: &[Seed], random: &mut Rng) -> Value {
    let odd = [
        Value::Null,
        json!(true),
        json!(-1),
        json!(i64::MIN),
        json!(u64::MAX),
        json!(1e308),
        json!(random.f64()),
        json!(f64::from_bits(random.u64(..))),
        json!(""),
        json!("text"),
        json!("-009999-01-01T00:00:00Z"),
        json!("9999-12-31T23:59:59.999999999-25:00"),
        json!("2024-06-30T23:59:60Z"),
        json!("2024-02-30 24:00"),
        json!([]),
        json!({}),
        json!({"type": "obj", "desc": "x"}),
        json!({"type": "text", "desc": "x", "text": "y"}),
    ];
    match random.u8(..4) {
        0 => random.choice(pointers(value)).and_then(|other| value.pointer(&other).cloned()).unwrap_or_default(),
        1 => random.choice(seeds).and_then(|seed| serde_json::from_slice(&seed.bytes).ok()).unwrap_or_default(),
        _ => random.choice(odd).unwrap_or_default(),
    }
}

fn pointers(value: &Value) -> Vec<String> {
    fn collect(value: &Value, pointer: &str, found: &mut Vec<String>) {
        found.push(pointer.to_owned());
        match value {
            Value::Object(properties) => {
                for (name, value) in properties {
                    collect(value, &format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1")), found);
                }
            }
            Value::Array(items) => {
                for (at, value) in items.iter().enumerate() {
                    collect(value, &format!("{pointer}/{at}"), found);
                }
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    collect(value, "", &mut found);
    found
}

/// Cuts, repeats, flips or inserts.
fn mutate_bytes(input: &[u8], random: &mut Rng) -> Vec<u8> {
    let mut bytes = input.to_vec();
    let at = random.usize(..=bytes.len());
    let end = random.usize(at..=bytes.len().min(at + 64));
    match random.u8(..5) {
        0 => bytes.truncate(at),
        1 => drop(bytes.drain(at..end)),
        2 => bytes.extend_from_within(at..end),
        3 => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << random.u8(..8);
            }
        }
        _ => {
            let odd: [&[u8]; 10] = [
                b"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
                b"{\"\":",
                b"1e400",
                b"-0",
                b"0.1000000000000000055511151231257827021181583404541015625",
                b"123456789012345678901234567890",
                b"\"\\ud800\"",
                b"\xff\xfe",
                b"\xef\xbb\xbf",
                b"\0",
            ];
            let piece = random.choice(odd).unwrap_or_default();
            drop(bytes.splice(at..at, piece.iter().copied()));
        }
    }
    bytes
}
