//! One text for all JSON of equal value.

use serde_json::{Map, Number, Value};

/// Whether the order of properties matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    AsWritten,
    Sorted,
}

/// JSON without white space, with each number and character in one form. Other text is returned unchanged.
pub(super) fn json(text: &str, order: Order) -> String {
    // The parser refuses deep nesting, so the recursion is bounded.
    serde_json::from_str(text).map_or_else(|_| text.to_owned(), |value| canonical(value, order).to_string())
}

fn canonical(value: Value, order: Order) -> Value {
    match value {
        Value::Number(number) => Value::Number(whole(&number).unwrap_or(number)),
        Value::Array(values) => values.into_iter().map(|value| canonical(value, order)).collect(),
        Value::Object(properties) => {
            let mut properties: Map<String, Value> =
                properties.into_iter().map(|(name, value)| (name, canonical(value, order))).collect();
            if order == Order::Sorted {
                properties.sort_keys();
            }
            Value::Object(properties)
        }
        value => value,
    }
}

/// `2` for `2.0`, if that is exact.
#[expect(clippy::cast_possible_truncation, reason = "the number is whole, and small enough for each bit of it")]
pub(super) fn whole(number: &Number) -> Option<Number> {
    let float = number.as_f64().filter(|_| number.is_f64())?;
    (float.fract() == 0.0 && float.abs() < 9_007_199_254_740_992.0).then(|| Number::from(float as i64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_have_the_same_text() {
        let one = r#"{"b": 2.0, "a": [1, "é", 0.50]}"#;
        let other = r#"{ "b":2,"a":[1e0,"\u00e9",5e-1] }"#;

        assert_eq!(json(one, Order::AsWritten), json(other, Order::AsWritten));
        assert_eq!(json(one, Order::AsWritten), r#"{"b":2,"a":[1,"é",0.5]}"#);
        assert_eq!(json(other, Order::Sorted), r#"{"a":[1,"é",0.5],"b":2}"#);
    }

    #[test]
    fn different_values_have_different_texts() {
        for (one, other) in [
            (r#"{"a": 1, "b": 2}"#, r#"{"b": 2, "a": 1}"#),
            ("[1, 2]", "[2, 1]"),
            ("2", "\"2\""),
            ("9007199254740993", "9007199254740992"),
            ("2.5", "2"),
        ] {
            assert_ne!(json(one, Order::AsWritten), json(other, Order::AsWritten), "{one} {other}");
        }
    }
}
