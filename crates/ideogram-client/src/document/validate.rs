//! Checks of request values against the document, before anything is sent.
//!
//! Start at [`Validate::validate`], or set the [`Validation`](crate::Validation) of a client or call. Typed values, and
//! text and JSON of [`Client::call`](crate::Client::call), pass the same checks against a [`Schema`].

mod violations;

use serde_json::{Map, Value};

use self::sealed::HasSchema;
pub use self::violations::{Violation, Violations};
use super::schema::{Bound, Object, Property, Rule, Schema, Union};

/// The maximum number of allowed values that a message lists.
const MAX_VALUES_SHOWN: usize = 16;
/// Of longer lists, messages contain this many values as examples.
const EXAMPLE_VALUES: usize = 4;

/// A request value that can be checked against the bounds, patterns and exclusions of the document.
///
/// Implemented for the request types that are generated from the document, and sealed: no other type can implement it.
pub trait Validate: HasSchema {
    /// Checks the value and everything in it. Values of open enums are not checked: the service may have added any
    /// value since.
    ///
    /// # Errors
    ///
    /// Everything that the document forbids, not only the first violation. The service would decline the request.
    fn validate(&self) -> Result<(), Violations> {
        // Text and not `to_value`, which would widen 32-bit numbers: 0.7 must stay 0.7.
        let json = serde_json::to_vec(self).and_then(|json| serde_json::from_slice::<Value>(&json));
        let mut checker = Checker::new(Source::Types);
        match json {
            Ok(value) => checker.value(&value, Self::schema()),
            Err(error) => checker.report(format!("cannot be written as JSON: {error}")),
        }
        checker.finish()
    }
}

impl<T: Validate> Validate for Box<T> {}

pub(crate) mod sealed {
    use serde::Serialize;

    use crate::schema::Schema;

    /// A type with a schema in the document.
    pub trait HasSchema: Serialize {
        fn schema() -> &'static Schema;
    }

    impl<T: HasSchema> HasSchema for Box<T> {
        fn schema() -> &'static Schema {
            T::schema()
        }
    }
}

/// The source of values, which decides what must be checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// Generated types: names and types are right, and an unknown value of an enum is intended.
    Types,
    /// Text or JSON of a caller: anything can be wrong. A property that is `null` counts as absent.
    Data,
}

/// Whether requests are checked against the document before they are sent.
///
/// Path parameters are always checked: an id must not change the path of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Validation {
    /// A request that the document forbids is refused before it is sent.
    #[default]
    On,
    /// All properties except these are checked, for the case that the service widens a limit. Dots lead into objects and
    /// the elements of lists: `color_palette.members.color_weight`. Everything inside a named property is exempt, and so
    /// is every rule about several properties that names it.
    Except(Vec<String>),
    /// The service decides.
    Off,
}

impl Validation {
    /// Removes the violations that are exempt from a result.
    pub(crate) fn filter(&self, checked: Result<(), Violations>) -> Result<(), Violations> {
        match self {
            Self::Off => Ok(()),
            Self::On => checked,
            Self::Except(properties) => checked.or_else(|violations| violations.except(properties)),
        }
    }
}

impl Schema {
    /// Checks the text of a single value, such as an argument of a command line.
    ///
    /// # Errors
    ///
    /// The violations: a number out of bounds, a value that an enum does not list, a wrong length, ...
    pub fn check_text(&self, text: &str) -> Result<(), Violations> {
        let mut checker = Checker::new(Source::Data);
        checker.text(text, self);
        checker.finish()
    }
}

/// Returns the reason why a text is not a value of an enum. Suggests a value that differs in case and separators only.
pub(crate) fn unknown_value(value: &str, known: &[&str]) -> String {
    // Sizes and ratios are written with `x`, `:` and `/` elsewhere.
    let normalized = |text: &str| -> String {
        let separator = |character: char| if ":/-_ *".contains(character) { 'x' } else { character };
        text.to_lowercase().chars().map(separator).collect()
    };
    let suggestion = known.iter().find(|candidate| normalized(candidate) == normalized(value));
    let hint = suggestion.map(|candidate| format!(" (did you mean `{candidate}`?)")).unwrap_or_default();
    format!("must be {}, and is `{value}`{hint}", one_of(known))
}

/// Returns the allowed values as text, or examples of a long list.
fn one_of(values: &[&str]) -> String {
    if values.len() <= MAX_VALUES_SHOWN {
        format!("one of {}", values.join(", "))
    } else {
        format!("one of {} values such as {}", values.len(), values[..EXAMPLE_VALUES].join(", "))
    }
}

/// Walks over a value and its schema, and collects violations.
#[derive(Debug)]
pub(crate) struct Checker {
    source: Source,
    path: Vec<String>,
    violations: Vec<Violation>,
}

impl Checker {
    pub(crate) fn new(source: Source) -> Self {
        Self { source, path: Vec::new(), violations: Vec::new() }
    }

    pub(crate) fn finish(self) -> Result<(), Violations> {
        if self.violations.is_empty() { Ok(()) } else { Err(Violations { violations: self.violations }) }
    }

    /// Checks a property or an element.
    pub(crate) fn enter(&mut self, name: &str, check: impl FnOnce(&mut Self)) {
        self.path.push(name.to_owned());
        check(self);
        self.path.pop();
    }

    /// Checks a value and everything in it.
    pub(crate) fn value(&mut self, value: &Value, schema: &Schema) {
        match (schema, value) {
            (Schema::Any | Schema::File, _) | (Schema::Boolean, Value::Bool(_)) | (Schema::Time, Value::String(_)) => {}
            (Schema::Text { .. } | Schema::Enum(_), Value::String(text)) => self.text(text, schema),
            (Schema::Integer { .. } | Schema::Number { .. }, Value::Number(number)) => {
                self.text(&number.to_string(), schema);
            }
            // Serde writes NaN and infinity as `null`.
            (Schema::Integer { .. } | Schema::Number { .. }, Value::Null) => self.report("must be a finite number"),
            (Schema::Array { items, min_items, max_items }, Value::Array(values)) => {
                self.size(values.len() as u64, *min_items, *max_items, "element");
                for (index, value) in values.iter().enumerate() {
                    self.enter(&index.to_string(), |checker| checker.value(value, items));
                }
            }
            (Schema::Map(schema), Value::Object(properties)) => {
                for (name, value) in properties {
                    self.enter(name, |checker| checker.value(value, schema));
                }
            }
            (Schema::Object(object), Value::Object(properties)) => self.object(properties, object),
            (Schema::Union(union), Value::Object(properties)) => self.union(properties, union),
            _ if self.source == Source::Data => {
                let actual =
                    if value.is_array() || value.is_object() { String::new() } else { format!(", not {value}") };
                self.report(format!("must be {}{actual}", expected(schema)));
            }
            // A union of generated types may hold JSON of a kind that the document does not know.
            _ => {}
        }
    }

    /// Checks a scalar that is text, as in a parameter or a part of a form.
    pub(crate) fn text(&mut self, text: &str, schema: &Schema) {
        let is_data = self.source == Source::Data;
        match schema {
            Schema::Text { min_length, max_length, pattern, json: _ } => {
                self.size(text.chars().count() as u64, *min_length, *max_length, "character");
                if let Some(pattern) = pattern.filter(|pattern| !pattern.matches(text)) {
                    self.report(pattern.mismatch());
                }
            }
            Schema::Enum(values) if is_data && !values.contains(&text) => {
                self.report(unknown_value(text, values));
            }
            Schema::Integer { minimum, maximum } => match text.parse::<i128>() {
                Ok(number) => {
                    if let Some(minimum) = minimum.filter(|minimum| number < i128::from(*minimum)) {
                        self.report(format!("must be at least {minimum}, and is {number}"));
                    }
                    if let Some(maximum) = maximum.filter(|maximum| number > i128::from(*maximum)) {
                        self.report(format!("must be at most {maximum}, and is {number}"));
                    }
                }
                Err(_) => self.report(format!("must be a whole number, not {text}")),
            },
            Schema::Number { minimum, maximum } => match text.parse::<f64>() {
                Ok(number) if number.is_finite() => self.number(number, *minimum, *maximum),
                _ => self.report(format!("must be a number, and is {text}")),
            },
            Schema::Boolean if is_data && !["true", "false"].contains(&text) => {
                self.report(format!("must be true or false, not {text}"));
            }
            _ => {}
        }
    }

    fn number(&mut self, number: f64, minimum: Option<Bound>, maximum: Option<Bound>) {
        if let Some(Bound { value, is_exclusive }) = minimum
            && (number < value || is_exclusive && number <= value)
        {
            let wanted = if is_exclusive { "more than" } else { "at least" };
            self.report(format!("must be {wanted} {value}, and is {number}"));
        }
        if let Some(Bound { value, is_exclusive }) = maximum
            && (number > value || is_exclusive && number >= value)
        {
            let wanted = if is_exclusive { "less than" } else { "at most" };
            self.report(format!("must be {wanted} {value}, and is {number}"));
        }
    }

    fn object(&mut self, properties: &Map<String, Value>, object: &Object) {
        let is_data = self.source == Source::Data;
        for (name, value) in properties {
            match object.property(name) {
                Some(property) if value.is_null() && (property.nullable || is_data) => {}
                // An empty optional list counts as absent.
                Some(property) if !property.required && is_empty(value) => {}
                Some(property) => self.enter(name, |checker| checker.value(value, property.schema)),
                None => match object.additional {
                    Some(schema) => self.enter(name, |checker| checker.value(value, schema)),
                    None if is_data => self.enter(name, |checker| checker.report("is not in the document")),
                    None => {}
                },
            }
        }
        if is_data {
            let is_present = |property: &Property| properties.get(property.name).is_some_and(|it| !it.is_null());
            for property in object.properties.iter().filter(|it| it.required && !it.nullable && !is_present(it)) {
                self.enter(property.name, |checker| checker.report("is missing"));
            }
        }
        self.rules(object, |name| properties.get(name).is_some_and(|value| !value.is_null() && !is_empty(value)));
    }

    /// Checks the rules about the properties of an object.
    pub(crate) fn rules(&mut self, object: &Object, is_present: impl Fn(&str) -> bool) {
        let all_present = |set: &[&str]| set.iter().all(|property| is_present(property));
        for rule in object.rules {
            match rule {
                Rule::NotTogether(set) if all_present(set) => {
                    let about = set.iter().map(|property| (*property).to_owned()).collect();
                    self.report_about(format!("{} cannot be combined", in_code(set)), about);
                }
                Rule::NotTogether(_) => {}
                Rule::ExactlyOne(sets) => {
                    let present: Vec<_> = sets.iter().filter(|set| all_present(set)).map(|set| in_code(set)).collect();
                    match present.as_slice() {
                        [] => self.report_sets(format!("needs one of {}", listed(sets)), sets),
                        [_] => {}
                        several => {
                            let reason = format!("takes only one of {}, not {}", listed(sets), several.join(" and "));
                            self.report_sets(reason, sets);
                        }
                    }
                }
                Rule::AtLeastOne(sets) => {
                    if !sets.iter().any(|set| all_present(set)) {
                        self.report_sets(format!("needs at least one of {}", listed(sets)), sets);
                    }
                }
            }
        }
    }

    fn union(&mut self, properties: &Map<String, Value>, union: &Union) {
        let kind = match union.discriminator {
            Some(discriminator) => {
                let value = properties.get(discriminator).and_then(Value::as_str);
                union.kinds.iter().find(|kind| Some(kind.value) == value)
            }
            None => union.kinds.iter().find(|kind| {
                let mut required = kind.object.properties.iter().filter(|property| property.required);
                required.all(|property| properties.contains_key(property.name))
            }),
        };
        match (kind, union.discriminator) {
            (Some(kind), _) => self.object(properties, kind.object),
            (None, _) if self.source == Source::Types => {}
            (None, Some(discriminator)) => {
                let values: Vec<&str> = union.kinds.iter().map(|kind| kind.value).collect();
                self.enter(discriminator, |checker| checker.report(format!("must be one of {}", values.join(", "))));
            }
            (None, None) => {
                let kinds: Vec<String> = union.kinds.iter().map(|kind| required(kind.object)).collect();
                self.report(format!("must have {}", kinds.join(" or ")));
            }
        }
    }

    /// Checks a number of characters or elements.
    pub(crate) fn size(&mut self, size: u64, minimum: Option<u64>, maximum: Option<u64>, unit: &str) {
        let below = minimum.is_some_and(|minimum| size < minimum);
        let above = maximum.is_some_and(|maximum| size > maximum);
        if below || above {
            let (wanted, bound) = match (minimum, maximum) {
                (Some(minimum), Some(maximum)) if minimum == maximum => (format!("exactly {minimum}"), minimum),
                (Some(minimum), Some(maximum)) => (format!("{minimum} to {maximum}"), maximum),
                (Some(minimum), None) => (format!("at least {minimum}"), minimum),
                (None, Some(maximum)) => (format!("at most {maximum}"), maximum),
                (None, None) => return,
            };
            let plural = if bound == 1 { "" } else { "s" };
            self.report(format!("must have {wanted} {unit}{plural}, and has {size}"));
        }
    }

    pub(crate) fn report(&mut self, reason: impl Into<String>) {
        self.report_about(reason.into(), Vec::new());
    }

    fn report_sets(&mut self, reason: String, sets: &[&[&str]]) {
        self.report_about(reason, sets.concat().into_iter().map(str::to_owned).collect());
    }

    fn report_about(&mut self, reason: String, about: Vec<String>) {
        self.violations.push(Violation { property: self.path.join("."), reason, about });
    }
}

fn is_empty(value: &Value) -> bool {
    value.as_array().is_some_and(Vec::is_empty)
}

fn expected(schema: &Schema) -> &'static str {
    match schema {
        Schema::Any => "JSON",
        Schema::Boolean => "true or false",
        Schema::File => "a file",
        Schema::Time | Schema::Text { .. } | Schema::Enum(_) => "text",
        Schema::Integer { .. } => "a whole number",
        Schema::Number { .. } => "a number",
        Schema::Array { .. } => "a list",
        Schema::Map(_) | Schema::Object(_) | Schema::Union(_) => "a JSON object",
    }
}

fn required(object: &Object) -> String {
    let required = object.properties.iter().filter(|property| property.required);
    in_code(&required.map(|property| property.name).collect::<Vec<_>>())
}

fn in_code(properties: &[&str]) -> String {
    properties.iter().map(|property| format!("`{property}`")).collect::<Vec<_>>().join(" with ")
}

fn listed(sets: &[&[&str]]) -> String {
    sets.iter().map(|set| in_code(set)).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;
