//! `--jq`: picks from JSON before it is printed, in the language of jq.
//!
//! The interpreter is [jaq](https://github.com/01mf02/jaq), which keeps numbers as they came. Expressions read no files
//! and run no programs.

use std::fmt;

use jaq_core::{
    Compiler, Ctx, Vars,
    data::JustLut,
    load::{self, Arena, File, Loader},
    unwrap_valr,
};
use jaq_json::{Val, read};

use crate::failure::Failure;

/// How much of an expression is shown where it cannot be read, in characters.
const SHOWN_OF_EXPRESSION: usize = 40;

/// An expression, ready to run.
pub(crate) struct Filter(jaq_core::Filter<JustLut<Val>>);

/// What an expression has picked.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Picked {
    /// A text, to be printed without its quotes.
    Text(Vec<u8>),
    /// Anything else as JSON.
    Json(String),
}

impl fmt::Debug for Filter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Filter(..)")
    }
}

impl Filter {
    /// Reads an expression.
    pub(crate) fn new(expression: &str) -> Result<Self, Failure> {
        let definitions = jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs());
        let functions = jaq_core::funs().chain(jaq_std::funs()).chain(jaq_json::funs());
        let arena = Arena::default();
        let modules = Loader::new(definitions)
            .load(&arena, File { code: expression, path: () })
            .map_err(|errors| refused(loading(expression, &errors)))?;
        let filter = Compiler::default().with_funs(functions).compile(modules).map_err(|errors| {
            let errors = errors.into_iter().flat_map(|(_, errors)| errors);
            refused(errors.map(|(name, kind)| format!("{} `{name}` is not defined", kind.as_str())).collect())
        })?;
        Ok(Self(filter))
    }

    /// Runs the expression over JSON text and gives what it picks, piece by piece.
    pub(crate) fn run(&self, json: &[u8], mut each: impl FnMut(Picked) -> Result<(), Failure>) -> Result<(), Failure> {
        let input = read::parse_single(json)
            .map_err(|error| Failure::internal("the expression of --jq got what is no JSON").because(&error))?;
        let context = Ctx::<JustLut<Val>>::new(&self.0.lut, Vars::new([]));
        for picked in self.0.id.run((context, input)).map(unwrap_valr) {
            match picked {
                Ok(Val::TStr(text)) => each(Picked::Text(text.to_vec()))?,
                Ok(value) => each(Picked::Json(value.to_string()))?,
                Err(error) => {
                    return Err(Failure::internal("the expression of --jq failed on the answer")
                        .cause(error.to_string())
                        .hint(
                            "the call was made all the same; running it again for another expression may cost again",
                        ));
                }
            }
        }
        Ok(())
    }
}

fn refused(causes: Vec<String>) -> Failure {
    causes.into_iter().fold(Failure::usage("the expression of --jq cannot be read"), Failure::cause)
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
    let shown: String = rest.chars().take(SHOWN_OF_EXPRESSION).collect();
    format!("expected {expected} at `{shown}`")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picked(expression: &str, json: &str) -> Vec<String> {
        let mut all = Vec::new();
        let each = |picked| {
            all.push(match picked {
                Picked::Text(text) => format!("text {}", String::from_utf8(text).unwrap()),
                Picked::Json(json) => json,
            });
            Ok(())
        };
        Filter::new(expression).unwrap().run(json.as_bytes(), each).unwrap();
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
            ("include \"a\"; .", ""),
        ] {
            let failure = Filter::new(expression).unwrap_err();

            assert_eq!(failure.exit(), crate::exit::Exit::Usage, "{expression}");
            assert!(failure.causes()[0].contains(cause), "{expression}: {:?}", failure.causes());
        }
    }

    #[test]
    fn an_expression_that_does_not_fit_the_answer_is_a_failure() {
        let failure = Filter::new(".a.b").unwrap().run(br#"{"a":1}"#, |_| Ok(())).unwrap_err();

        assert!(failure.causes()[0].contains("cannot index"), "{:?}", failure.causes());
    }
}
