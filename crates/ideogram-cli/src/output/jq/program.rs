//! Compiles an expression of jq, and runs it on JSON.

use jaq_core::{
    Compiler, Ctx, Vars,
    data::JustLut,
    load::{self, Arena, File, Loader},
};
use jaq_json::{Val, read};
use serde::de::IgnoredAny;

use super::Picked;

/// How many characters of an invalid expression are printed.
const MAX_EXPRESSION_CHARS: usize = 40;
/// Definitions of our own.
const PRELUDE: &str = include_str!("prelude.jq");

/// A compiled expression.
pub(super) struct Program(jaq_core::Filter<JustLut<Val>>);

impl Program {
    /// Compiles an expression, or returns its errors.
    pub(super) fn new(expression: &str) -> Result<Self, Vec<String>> {
        let ours = load::parse(PRELUDE, |parser| parser.defs()).expect("a test reads the prelude");
        let definitions = jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs()).chain(ours);
        // The environment may contain the API key.
        let std_functions = jaq_std::funs().filter(|(name, ..)| *name != "env");
        let functions = jaq_core::funs().chain(std_functions).chain(jaq_json::funs());
        let arena = Arena::default();
        let modules = Loader::new(definitions)
            .load(&arena, File { code: expression, path: () })
            .map_err(|errors| loading(expression, &errors))?;
        let filter = Compiler::default().with_funs(functions).compile(modules).map_err(|errors| {
            let errors = errors.into_iter().flat_map(|(_, errors)| errors);
            errors.map(|(name, kind)| format!("{} `{name}` is not defined", kind.as_str())).collect::<Vec<_>>()
        })?;
        Ok(Self(filter))
    }

    /// Runs the expression on JSON text, and hands over its results until it ends or fails.
    pub(super) fn run(&self, json: &[u8], mut each: impl FnMut(Picked)) -> Result<(), String> {
        let input = read::parse_single(json).map_err(|error| format!("it got text that is not JSON: {error}"))?;
        let context = Ctx::<JustLut<Val>>::new(&self.0.lut, Vars::new([]));
        for picked in self.0.id.run((context, input)) {
            let value = match picked.map_err(|exception| exception.get_err().map(jaq_core::Error::into_val)) {
                Ok(Val::TStr(text)) => {
                    each(Picked::Text(text.to_vec()));
                    continue;
                }
                Ok(value) => value,
                Err(Ok(Val::TStr(text))) => return Err(String::from_utf8_lossy(&text).into_owned()),
                Err(Ok(value)) => return Err(value.to_string()),
                // `halt`: no more results.
                Err(Err(_)) => return Ok(()),
            };
            let text = value.to_string();
            // Skipping values works at any depth.
            if serde_json::from_str::<IgnoredAny>(&text).is_err() {
                return Err("it gave a value that JSON does not have, such as `nan`, `infinite` or bytes".to_owned());
            }
            each(Picked::Json(text));
        }
        Ok(())
    }
}

fn loading(expression: &str, errors: &load::Errors<&str, ()>) -> Vec<String> {
    let mut texts = Vec::new();
    for (_, error) in errors {
        match error {
            load::Error::Io(errors) => texts.extend(errors.iter().map(|(path, error)| format!("`{path}`: {error}"))),
            load::Error::Lex(errors) => {
                texts.extend(errors.iter().map(|(expected, at)| expected_at(expression, expected.as_str(), at)));
            }
            load::Error::Parse(errors) => {
                texts.extend(errors.iter().map(|(expected, at)| expected_at(expression, expected.as_str(), at)));
            }
        }
    }
    texts
}

fn expected_at(expression: &str, expected: &str, at: &str) -> String {
    let rest = &expression[load::span(expression, at).start..];
    if rest.is_empty() {
        return format!("expected {expected} at its end");
    }
    let beginning: String = rest.chars().take(MAX_EXPRESSION_CHARS).collect();
    format!("expected {expected} at `{beginning}`")
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn picked(expression: &str, json: &str) -> Vec<String> {
        let mut all = Vec::new();
        let each = |picked| {
            all.push(match picked {
                Picked::Text(text) => format!("text {}", String::from_utf8(text).unwrap()),
                Picked::Json(json) => json,
            });
        };
        let program = Program::new(expression).unwrap_or_else(|causes| panic!("{expression}: {causes:?}"));
        if let Err(error) = program.run(json.as_bytes(), each) {
            all.push(format!("error {error}"));
        }
        all
    }

    #[test]
    fn texts_come_without_quotes_and_all_else_as_json() {
        assert_eq!(picked(".a[]", r#"{"a":["x\n",1,null,{"b":[]}]}"#), ["text x\n", "1", "null", r#"{"b":[]}"#]);
        assert_eq!(picked("empty", "{}"), [""; 0]);
        assert_eq!(picked(r#".[] | select(test("^a")) | @json"#, r#"["ab","b"]"#), [r#"text "ab""#]);
    }

    #[test]
    fn numbers_stay_as_they_came() {
        assert_eq!(picked(".", "12345678901234567890123"), ["12345678901234567890123"]);
        assert_eq!(picked(".", "1.10"), ["1.10"]);
    }

    #[test]
    fn what_cannot_be_read_is_refused_with_the_place() {
        for (expression, cause) in [
            (".a[", "expected closing bracket at its end"),
            (".a |", "expected term at its end"),
            ("nothing_of_the_kind", "filter `nothing_of_the_kind` is not defined"),
            ("env", "filter `env` is not defined"),
            ("$ENV", "variable `$ENV` is not defined"),
            ("include \"a\"; .", ""),
        ] {
            let Err(causes) = Program::new(expression) else { panic!("{expression}") };

            assert!(causes[0].contains(cause), "{expression}: {causes:?}");
        }
    }

    #[test]
    fn an_expression_that_does_not_fit_the_response_is_a_failure() {
        let error = Program::new(".a.b").unwrap().run(br#"{"a":1}"#, |_| ()).unwrap_err();

        assert!(error.contains("cannot index"), "{error}");
    }

    #[test]
    fn halt_ends_the_output_and_not_the_command() {
        assert_eq!(picked("1, halt, 2", "{}"), ["1"]);
        assert_eq!(picked("1, halt_error", "\"why\""), ["1", "error why"]);
    }

    #[test]
    fn what_json_does_not_have_is_an_error() {
        for expression in ["nan", "infinite", "[infinite]", "{(1): 2}"] {
            assert!(picked(expression, "{}")[0].starts_with("error "), "{expression}: {:?}", picked(expression, "{}"));
        }
    }

    /// Expressions of the manual of jq 1.7, with its inputs and results.
    #[test]
    fn expressions_do_what_they_do_in_jq() {
        let table = include_str!("manual.tsv");
        let mut wrong = Vec::new();
        for line in table.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let mut cells = line.split('\t');
            let (expression, input) = (cells.next().unwrap(), cells.next().unwrap());
            let expected: Vec<Value> = cells.map(|cell| serde_json::from_str(cell).unwrap()).collect();
            let results: Vec<Value> = match Program::new(expression) {
                Ok(_) => picked(expression, input)
                    .iter()
                    .map(|picked| match picked.strip_prefix("text ") {
                        Some(text) => text.into(),
                        None => serde_json::from_str(picked).unwrap_or_else(|_| picked.as_str().into()),
                    })
                    .collect(),
                Err(causes) => causes.into_iter().map(Into::into).collect(),
            };
            if with_floats(results.clone().into()) != with_floats(expected.clone().into()) {
                wrong.push(format!("{expression} of {input}: {results:?} instead of {expected:?}"));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    /// The value with every number as a float: 1.0 and 1 are the same number in jq.
    fn with_floats(value: Value) -> Value {
        match value {
            Value::Number(number) => number.as_f64().into(),
            Value::Array(values) => values.into_iter().map(with_floats).collect(),
            Value::Object(properties) => {
                properties.into_iter().map(|(name, value)| (name, with_floats(value))).collect()
            }
            value => value,
        }
    }
}
