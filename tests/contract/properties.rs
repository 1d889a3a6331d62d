//! Generated responses: everything that conforms to the document decodes, and so do changes of a later service.
//!
//! Start at the tests. [`responses`] generates responses from the schemas of the document, [`news`] changes them within
//! the limits of `openapi/README.md`, which the client must accept. Every case has its own seed, so a
//! failure is the same on every machine; it prints operation, seed and response, which can become a file of
//! `openapi/news`. `IDEOGRAM_PROPERTY_CASES` sets the number of cases per operation.
//!
//! No crate for property tests: the strategies come from the document, and cases are small enough without shrinking.

mod news;
mod responses;

use std::{
    env,
    panic::{AssertUnwindSafe, catch_unwind},
};

use fastrand::Rng;
use serde_json::Value;
use xtask::{Sources, Validity};

use self::responses::Responses;
use crate::{
    listed,
    samples::{Decoded, Decoder},
};

fn cases(usual: u64) -> u64 {
    env::var("IDEOGRAM_PROPERTY_CASES").map_or(usual, |cases| cases.parse().expect("a number of cases"))
}

/// Everything that the tests read, once each.
fn read() -> (Sources, Responses) {
    let sources = Sources::read(&xtask::workspace_root()).unwrap();
    let responses = Responses::of(ideogram_codegen::read_yaml(sources.document()).unwrap());
    (sources, responses)
}

fn decoder(operation: &str) -> Decoder {
    listed::decoder(operation).unwrap_or_else(|| panic!("`{operation}` has no decoder"))
}

/// Decodes, and prints the input if the decoder panics.
fn decoded(operation: &str, seed: u64, json: &str) -> serde_json::Result<Decoded> {
    catch_unwind(AssertUnwindSafe(|| decoder(operation)(json)))
        .unwrap_or_else(|_| panic!("the decoder of `{operation}` panics, seed {seed}:\n{json}"))
}

fn decodes(operation: &str, seed: u64, response: &Value) {
    let json = serde_json::to_string_pretty(response).unwrap();
    if let Err(error) = decoded(operation, seed, &json) {
        panic!("`{operation}` does not decode, seed {seed}: {error}\n{json}");
    }
}

#[test]
fn generated_responses_conform_to_the_document() {
    let (mut sources, responses) = read();
    for (operation, schema) in responses.operations() {
        for seed in 0..10 {
            let response = responses.conforming(schema, &mut Rng::with_seed(seed));
            let path = format!("{}{operation}/made_{seed}.json", Validity::Example.folder());
            sources = sources.with(&path, serde_json::to_string_pretty(&response).unwrap() + "\n");
        }
    }

    let checked = xtask::check(&sources);

    assert!(checked.is_ok(), "{}", checked.unwrap_err());
}

#[test]
fn conforming_responses_decode() {
    let (_, responses) = read();

    for (operation, schema) in responses.operations() {
        for seed in 0..cases(40) {
            decodes(operation, seed, &responses.conforming(schema, &mut Rng::with_seed(seed)));
        }
    }
}

#[test]
fn responses_with_news_decode() {
    let (_, responses) = read();

    for (operation, schema) in responses.operations() {
        let mut changed = 0;
        for seed in 0..cases(80) {
            let mut random = Rng::with_seed(seed);
            let mut response = responses.conforming(schema, &mut random);
            let before = response.clone();
            responses.make_news(schema, &mut response, &mut random);
            changed += usize::from(response != before);
            decodes(operation, seed, &response);
        }
        assert!(changed > 0, "`{operation}`: nothing was changed");
    }
}

#[test]
fn each_kind_of_news_is_generated() {
    let (_, responses) = read();
    let mut generated = String::new();

    for (_, schema) in responses.operations() {
        for seed in 0..80 {
            let mut random = Rng::with_seed(seed);
            let mut response = responses.conforming(schema, &mut random);
            responses.make_news(schema, &mut response, &mut random);
            generated += &response.to_string();
        }
    }

    for sign in news::SIGNS {
        assert!(generated.contains(sign), "no response holds {sign}");
    }
}

#[test]
fn broken_responses_are_an_error_or_a_value_but_never_a_panic() {
    let (sources, responses) = read();
    let samples: Vec<_> = sources.samples().map(|sample| sample.text).collect();
    let (mut values, mut errors) = (0, 0);

    for (operation, _) in responses.operations() {
        for seed in 0..cases(60) {
            let mut random = Rng::with_seed(seed);
            let json = broken(samples[random.usize(..samples.len())], &mut random);
            match decoded(operation, seed, &json) {
                Ok(_) => values += 1,
                Err(error) => {
                    assert!(!error.to_string().is_empty());
                    errors += 1;
                }
            }
        }
    }

    assert!(values > 0 && errors > 0, "{values} values, {errors} errors");
}

/// A sample with an accident, or no sample at all. The library decodes bytes; those outside of UTF-8 are for
/// `tests/fuzz`.
fn broken(sample: &str, random: &mut Rng) -> String {
    let mut bytes = sample.as_bytes().to_vec();
    match random.u8(..4) {
        0 => bytes = (0..random.usize(..200)).map(|_| random.u8(..)).collect(),
        1 => bytes.truncate(random.usize(..bytes.len())),
        2 => {
            for _ in 0..random.usize(1..6) {
                let at = random.usize(..bytes.len());
                bytes[at] ^= 1 << random.u8(..7);
            }
        }
        _ => {
            let at = random.usize(..bytes.len());
            let odd: [&[u8]; 6] =
                [b"null", b"[[[[[[[[", b"-1e400", b"\"\\ud800\"", b"{\"type\":", b"18446744073709551616"];
            let piece = odd[random.usize(..odd.len())];
            bytes.splice(at..at, piece.iter().copied());
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
