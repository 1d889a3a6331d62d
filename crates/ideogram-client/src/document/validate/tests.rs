use serde_json::json;

use super::*;
use crate::document::schema::UnionKind;

fn violations(source: Source, value: &Value, schema: &Schema) -> String {
    let mut checker = Checker::new(source);
    checker.value(value, schema);
    checker.finish().map_or_else(|violations| violations.to_string(), |()| String::new())
}

static TEXT: Schema = Schema::Text { min_length: Some(2), max_length: Some(3), pattern: None, json: None };
static FLAG: Schema = Schema::Boolean;
static SHAPE: Schema = Schema::Enum(&["1x1", "4x5"]);
static COUNT: Schema = Schema::Integer { minimum: Some(1), maximum: Some((1 << 53) + 1) };
static WEIGHT: Schema = Schema::Number {
    minimum: Some(Bound { value: 0.0, is_exclusive: true }),
    maximum: Some(Bound { value: 0.7, is_exclusive: false }),
};
static LIST: Schema = Schema::Array { items: &TEXT, min_items: Some(1), max_items: Some(2) };

const fn property(name: &'static str, required: bool, schema: &'static Schema) -> Property {
    Property { name, required, nullable: false, default: None, schema }
}

static A: Object = Object { properties: &[property("a", true, &COUNT)], rules: &[], additional: None };
static B: Object = Object {
    properties: &[
        property("type", true, &Schema::Any),
        property("b", false, &TEXT),
        property("list", false, &LIST),
        property("flag", false, &FLAG),
    ],
    rules: &[
        Rule::NotTogether(&["list", "flag"]),
        Rule::ExactlyOne(&[&["b"], &["flag", "list"]]),
        Rule::AtLeastOne(&[&["b"], &["list"]]),
    ],
    additional: Some(&COUNT),
};
static KINDS: Schema = Schema::Union(&Union {
    discriminator: None,
    kinds: &[UnionKind { value: "", object: &A }, UnionKind { value: "", object: &B }],
});
static TAGGED: Schema =
    Schema::Union(&Union { discriminator: Some("type"), kinds: &[UnionKind { value: "x", object: &B }] });
static MAP: Schema = Schema::Map(&WEIGHT);

#[test]
fn types_and_data_pass_the_same_checks() {
    for (schema, value, reason) in [
        (&TEXT, json!("äöü"), ""),
        (&TEXT, json!("a"), "must have 2 to 3 characters, and has 1"),
        (&COUNT, json!(0), "must be at least 1, and is 0"),
        (&COUNT, json!((1_i64 << 53) + 1), ""),
        (&COUNT, json!((1_i64 << 53) + 2), "must be at most 9007199254740993, and is 9007199254740994"),
        (&COUNT, json!(u64::MAX), "must be at most 9007199254740993, and is 18446744073709551615"),
        (&COUNT, Value::Null, "must be a finite number"),
        (&WEIGHT, json!(0.7), ""),
        (&WEIGHT, json!(0.0), "must be more than 0, and is 0"),
        (&WEIGHT, json!(0.8), "must be at most 0.7, and is 0.8"),
        (&LIST, json!([]), "must have 1 to 2 elements, and has 0"),
        (&LIST, json!(["ab", "a"]), "`1` must have 2 to 3 characters, and has 1"),
        (&MAP, json!({"x": 2}), "`x` must be at most 0.7, and is 2"),
        (&KINDS, json!({"a": 0}), "`a` must be at least 1, and is 0"),
        (&KINDS, json!({"type": "x", "b": "ab", "more": 0}), "`more` must be at least 1, and is 0"),
        (&KINDS, json!({"type": "x", "b": "ab", "list": []}), ""),
        (&KINDS, json!({"type": "x", "b": "ab", "list": ["abcd"]}), "`list.0` must have 2 to 3 characters, and has 4"),
        (
            &TAGGED,
            json!({"type": "x", "b": "ab", "list": ["ab"], "flag": true}),
            "`list` with `flag` cannot be combined; takes only one of `b`, `flag` with `list`, not `b` and `flag` with `list`",
        ),
        (
            &TAGGED,
            json!({"type": "x", "flag": true}),
            "needs one of `b`, `flag` with `list`; needs at least one of `b`, `list`",
        ),
    ] {
        let from_types = violations(Source::Types, &value, schema);
        let from_data = violations(Source::Data, &value, schema);

        assert_eq!(from_types, reason, "{value}");
        assert_eq!(from_data, reason, "{value}");
    }
}

#[test]
fn data_is_checked_for_names_and_types_too() {
    for (schema, value, reason) in [
        (&TEXT, json!(12), "must be text, not 12"),
        (&FLAG, json!("yes"), "must be true or false, not \"yes\""),
        (&SHAPE, json!("16:9"), "must be one of 1x1, 4x5, and is `16:9`"),
        (&COUNT, json!(1.5), "must be a whole number, not 1.5"),
        (&LIST, json!({}), "must be a list"),
        (&KINDS, json!({}), "must have `a` or `type`"),
        (&KINDS, json!({"a": 1, "c": 1}), "`c` is not in the document"),
        (&TAGGED, json!({"type": "y"}), "`type` must be one of x"),
    ] {
        assert_eq!(violations(Source::Data, &value, schema), reason, "{value}");
    }
    // Typed values may use values that the document does not know.
    assert_eq!(violations(Source::Types, &json!("16:9"), &SHAPE), "");
    assert_eq!(violations(Source::Types, &json!({"other": 1}), &KINDS), "");
    assert_eq!(violations(Source::Data, &json!({"type": "x", "b": "ab", "flag": null}), &KINDS), "");
}

#[test]
fn scalars_as_text_are_checked_like_values() {
    let text = |text: &str, schema| {
        let mut checker = Checker::new(Source::Data);
        checker.text(text, schema);
        checker.finish().map_or_else(|violations| violations.to_string(), |()| String::new())
    };

    assert_eq!(text("9", &COUNT), "");
    assert_eq!(text("0", &COUNT), "must be at least 1, and is 0");
    assert_eq!(text("NaN", &WEIGHT), "must be a number, and is NaN");
    assert_eq!(text("yes", &FLAG), "must be true or false, not yes");
}

#[test]
fn long_lists_of_values_are_not_printed() {
    static MANY: Schema = Schema::Enum(&["a"; 17]);

    assert_eq!(violations(Source::Data, &json!("x"), &MANY), "must be one of 17 values such as a, a, a, a, and is `x`");
}

#[test]
fn single_properties_can_be_left_to_the_service() {
    fn refused(check: impl FnOnce(&mut Checker)) -> Violations {
        let mut checker = Checker::new(Source::Types);
        check(&mut checker);
        checker.finish().unwrap_err()
    }
    let except = |violations: &Violations, properties: &[&str]| {
        let properties: Vec<String> = properties.iter().map(|name| (*name).to_owned()).collect();
        violations.clone().except(&properties)
    };
    let short = |checker: &mut Checker| checker.report("is too short");
    let one = refused(|checker| {
        checker.enter("num_images", short);
        checker.enter("codes", |checker| checker.enter("3", short));
        checker.enter("codes_too", short);
    });

    assert_eq!(except(&one, &["num_images", "codes", "codes_too"]), Ok(()));
    assert_eq!(except(&one, &["codes"]).unwrap_err().iter().count(), 2);
    assert_eq!(except(&one, &["other"]).unwrap_err().iter().count(), 3);

    let weight = refused(|checker| {
        checker.enter("members", |checker| checker.enter("0", |checker| checker.enter("weight", short)));
        checker.object(json!({"type": "x", "b": "ab", "list": ["ab"], "flag": true}).as_object().unwrap(), &B);
    });
    assert_eq!(except(&weight, &["members.weight"]).unwrap_err().iter().count(), 2);
    assert_eq!(except(&weight, &["flag"]).unwrap_err().iter().count(), 1);
    assert_eq!(except(&weight, &["weight"]).unwrap_err().iter().count(), 3);
}

#[test]
fn a_value_that_differs_in_case_or_separators_only_is_suggested() {
    for (value, suggestion) in [("16:9", "16x9"), ("16X9", "16x9"), ("very_high", "VERY-HIGH")] {
        let message = unknown_value(value, &["1x1", "16x9", "VERY-HIGH"]);

        assert_eq!(
            message,
            format!("must be one of 1x1, 16x9, VERY-HIGH, and is `{value}` (did you mean `{suggestion}`?)")
        );
    }
}
