//! Generates responses from the schemas of the document.
//!
//! Start at [`Responses::conforming`]. It knows the keywords that the house rules allow, and stops at a pattern or format
//! that it has no samples of: otherwise such responses would silently go untested.

use fastrand::Rng;
use serde_json::{Map, Value, json};

/// Texts that a decoder might mistake for something else.
const TEXTS: [&str; 10] =
    ["demo", "", " ", "null", "0", "ä漢🖼", "a \"b\" \\ c", "\u{0}\n\t", "</html>", "Unrecognized"];

const LINKS: [&str; 3] = [
    "https://ideogram.ai/api/images/ephemeral/xtdZiqPwRxqY1Y7NExFmzB.png?exp=1743867804&sig=e13e",
    "https://ideogram.ai/api/images/direct/8YEpFzHuS-S6xXEGmCsf7g",
    "https://cdn.example.test/a%20b.webp#c",
];

/// Times as RFC 3339 wants them.
const TIMES: [&str; 6] = [
    "2000-01-23T04:56:07+00:00",
    "2024-11-22T20:21:27.062171+00:00",
    "2026-07-30T02:34:48Z",
    "2026-02-28T23:59:59.123456789-11:30",
    "1969-12-31T23:59:59Z",
    "2024-02-29T00:00:00.0+14:00",
];

/// Generates responses of every operation.
pub(super) struct Responses {
    root: Value,
}

/// A schema behind its references.
pub(super) struct Resolved<'d> {
    pub(super) schema: &'d Value,
    pub(super) nullable: bool,
}

impl Responses {
    pub(super) fn of(root: Value) -> Self {
        Self { root }
    }

    /// The operations with the schemas of their responses.
    pub(super) fn operations(&self) -> impl Iterator<Item = (&str, &Value)> {
        let operations = self.root["paths"].as_object().unwrap().values().flat_map(|item| item.as_object().unwrap());
        operations.map(|(_, operation)| {
            let schema = &operation["responses"]["200"]["content"]["application/json"]["schema"];
            (operation["operationId"].as_str().unwrap(), schema)
        })
    }

    /// What references and the one entry of an `allOf` lead to.
    pub(super) fn resolve<'d>(&'d self, mut schema: &'d Value) -> Resolved<'d> {
        let mut nullable = false;
        loop {
            nullable |= schema["nullable"] == true;
            schema = if let Some(reference) = schema["$ref"].as_str() {
                self.root.pointer(&reference[1..]).unwrap()
            } else if let Some([only]) = schema["allOf"].as_array().map(Vec::as_slice) {
                only
            } else {
                return Resolved { schema, nullable };
            };
        }
    }

    /// A response that the document allows.
    pub(super) fn conforming(&self, schema: &Value, random: &mut Rng) -> Value {
        let Resolved { schema, nullable } = self.resolve(schema);
        if nullable && random.u8(..4) == 0 {
            return Value::Null;
        }
        if let Some(kinds) = schema["oneOf"].as_array() {
            return self.conforming(random.choice(kinds).unwrap(), random);
        }
        if let Some(values) = schema["enum"].as_array() {
            return random.choice(values).unwrap().clone();
        }
        match schema["type"].as_str() {
            Some("object") => self.object(schema, random),
            Some("array") => {
                let minimum = schema["minItems"].as_u64().unwrap_or(0);
                let maximum = schema["maxItems"].as_u64().unwrap_or(u64::MAX).min(minimum + 3);
                (0..random.u64(minimum..=maximum)).map(|_| self.conforming(&schema["items"], random)).collect()
            }
            Some("string") => text(schema, random),
            Some("integer") => {
                let minimum = schema["minimum"].as_i64().unwrap_or(i64::MIN);
                let maximum = schema["maximum"].as_i64().unwrap_or(i64::MAX);
                let edges = [
                    minimum,
                    maximum,
                    random.i64(minimum..=maximum),
                    0.clamp(minimum, maximum),
                    7.clamp(minimum, maximum),
                ];
                random.choice(edges).unwrap().into()
            }
            Some("number") => {
                let numbers = [json!(0), json!(-12.5), json!(90), json!(1e300), json!(0.1), json!(random.f64())];
                random.choice(numbers).unwrap()
            }
            Some("boolean") => random.bool().into(),
            other => panic!("responses of type {other:?} cannot be generated yet: {schema}"),
        }
    }

    fn object(&self, schema: &Value, random: &mut Rng) -> Value {
        let properties = schema["properties"].as_object().into_iter().flatten();
        let mut value = Map::new();
        for (name, property) in properties {
            if is_required(schema, name) || random.bool() {
                value.insert(name.clone(), self.conforming(property, random));
            }
        }
        value.into()
    }
}

pub(super) fn is_required(schema: &Value, name: &str) -> bool {
    schema["required"].as_array().into_iter().flatten().any(|required| required == name)
}

fn text(schema: &Value, random: &mut Rng) -> Value {
    let mut digits = |alphabet: &[u8], length: usize| -> String {
        (0..length).map(|_| char::from(*random.choice(alphabet).unwrap())).collect()
    };
    let value = match (schema["pattern"].as_str(), schema["format"].as_str()) {
        (Some("^#[0-9a-fA-F]{6}$"), _) => format!("#{}", digits(b"0123456789abcdefABCDEF", 6)),
        (Some(r"^\d{2,5}x\d{2,5}$"), _) => format!("{}x{}", digits(b"123456789", 2), digits(b"0123456789", 5)),
        (Some(r"^(?:[^/?#%\s.]|\.[^/?#%\s.]|\.\.[^/?#%\s])[^/?#%\s]*$"), _) => digits(b"0123456789abcdefABCDEF-_.", 22),
        (Some("^[A-Za-z0-9_-]{22}$"), _) => digits(b"0123456789abcdefXYZ-_", 22),
        (Some(pattern), _) => panic!("no sample of the pattern `{pattern}` is known: add one here"),
        (None, Some("date-time")) => (*random.choice(&TIMES).unwrap()).to_owned(),
        (None, Some("uri")) => (*random.choice(&LINKS).unwrap()).to_owned(),
        (None, Some(format)) => panic!("no sample of the format `{format}` is known: add one here"),
        (None, None) => {
            let minimum = schema["minLength"].as_u64().unwrap_or(0);
            assert!(minimum < 2 && schema.get("maxLength").is_none(), "bounds without a sample: {schema}");
            let text = *random.choice(&TEXTS).unwrap();
            if minimum > 0 && text.is_empty() { "x".to_owned() } else { text.to_owned() }
        }
    };
    value.into()
}
