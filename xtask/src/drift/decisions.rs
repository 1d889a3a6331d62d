//! The decided differences: `openapi/decisions.yaml`, and the tables that `openapi/README.md` has of them.

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

use super::compare::Difference;
use crate::readme;

/// The file, from the root of the workspace.
pub(crate) const FILE: &str = "openapi/decisions.yaml";
const BEGIN: &str = "<!-- decisions:begin -->";
const END: &str = "<!-- decisions:end -->";
const TEXTS: [&str; 3] = ["point", "decision", "reason"];
const PATTERNS: [&str; 5] = ["operation", "location", "fact", "ours", "theirs"];

/// All decisions, in the order of the file.
#[derive(Debug)]
pub(crate) struct Decisions {
    groups: Vec<(String, Vec<Decision>)>,
}

/// A decision, which explains every difference that one of its patterns matches.
#[derive(Debug)]
pub(crate) struct Decision {
    pub(crate) point: String,
    chosen: String,
    pub(crate) reason: String,
    patterns: Vec<Pattern>,
}

/// Which differences are decided. What is not written matches everything.
#[derive(Debug)]
struct Pattern {
    line: Option<usize>,
    /// Alternatives for each of [`PATTERNS`]; none matches everything.
    fields: [Vec<String>; 5],
}

impl Decisions {
    /// Reads the file; refuses unknown keys.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let document = ideogram_codegen::Document::parse(text).with_context(|| format!("cannot read `{FILE}`"))?;
        let at =
            |pointer: &str| document.line(pointer).map_or_else(|| FILE.to_owned(), |line| format!("{FILE}:{line}"));
        let mut groups = Vec::new();
        for (group, entry) in list(&document.root).enumerate() {
            let mut decisions = Vec::new();
            for (index, row) in list(&entry["decisions"]).enumerate() {
                let pointer = format!("/{group}/decisions/{index}");
                only_keys(row, &[TEXTS.as_slice(), &["differences"]].concat()).with_context(|| at(&pointer))?;
                let [point, decision, reason] =
                    TEXTS.map(|key| row[key].as_str().unwrap_or_default().trim().to_owned());
                ensure!(
                    ![&point, &decision, &reason].into_iter().any(String::is_empty),
                    "{}: a decision needs `point`, `decision` and `reason`",
                    at(&pointer)
                );
                let patterns = list(&row["differences"]).enumerate().map(|(number, pattern)| {
                    let pointer = format!("{pointer}/differences/{number}");
                    only_keys(pattern, &PATTERNS).with_context(|| at(&pointer))?;
                    Ok(Pattern { line: document.line(&pointer), fields: PATTERNS.map(|key| texts(&pattern[key])) })
                });
                let patterns = patterns.collect::<Result<Vec<_>>>()?;
                ensure!(!patterns.is_empty(), "{}: a decision needs `differences`, what it explains", at(&pointer));
                decisions.push(Decision { point, chosen: decision, reason, patterns });
            }
            let title = entry["title"].as_str().unwrap_or_default().to_owned();
            ensure!(
                !title.is_empty() && !decisions.is_empty(),
                "{}: a group has `title` and `decisions`",
                at(&format!("/{group}"))
            );
            groups.push((title, decisions));
        }
        Ok(Self { groups })
    }

    /// The first decision about a difference.
    pub(crate) fn about(&self, difference: &Difference) -> Option<&Decision> {
        self.all().find(|decision| decision.patterns.iter().any(|pattern| pattern.matches(difference)))
    }

    /// The patterns that match nothing, each as a note.
    pub(crate) fn unused(&self, differences: &[Difference]) -> Vec<String> {
        let patterns = self.all().flat_map(|decision| decision.patterns.iter().map(move |pattern| (decision, pattern)));
        let unused = patterns.filter(|(_, pattern)| !differences.iter().any(|difference| pattern.matches(difference)));
        let line = |pattern: &Pattern| pattern.line.map(|line| format!(":{line}")).unwrap_or_default();
        unused
            .map(|(decision, pattern)| format!("{FILE}{}: no difference here ({})", line(pattern), decision.point))
            .collect()
    }

    fn all(&self) -> impl Iterator<Item = &Decision> {
        self.groups.iter().flat_map(|(_, decisions)| decisions)
    }

    /// Returns the README with new tables.
    pub(crate) fn render(&self, current: &str) -> Result<String> {
        let tables = self.groups.iter().map(|(title, decisions)| {
            let rows = decisions.iter().map(|row| format!("| {} | {} | {} |\n", row.point, row.chosen, row.reason));
            format!("{title}:\n\n| point | decision | reason |\n| --- | --- | --- |\n{}", rows.collect::<String>())
        });
        readme::between(current, BEGIN, END, &tables.collect::<Vec<_>>().join("\n"))
    }
}

impl Pattern {
    fn matches(&self, difference: &Difference) -> bool {
        let texts: [&[&str]; 5] = [
            &[&difference.operation, &difference.title],
            &[&difference.location],
            &[difference.fact],
            &[&difference.ours.text],
            &[&difference.theirs.text],
        ];
        self.fields.iter().zip(texts).all(|(alternatives, texts)| {
            alternatives.is_empty()
                || alternatives.iter().any(|pattern| texts.iter().any(|text| matches(pattern, text)))
        })
    }
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// One text or several.
fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Null => Vec::new(),
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::String(text) => vec![text.clone()],
        other => vec![other.to_string()],
    }
}

fn only_keys(value: &Value, known: &[&str]) -> Result<()> {
    match value.as_object().into_iter().flatten().find(|(key, _)| !known.contains(&key.as_str())) {
        Some((key, _)) => bail!("unknown key `{key}`; use: {}", known.join(", ")),
        None => Ok(()),
    }
}

/// Returns whether a text has the form of a pattern, in which `*` stands for any text.
fn matches(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((start, rest)) => text.strip_prefix(start).is_some_and(|text| {
            let mut ends = text.char_indices().map(|(index, _)| index).chain([text.len()]);
            ends.any(|index| matches(rest, &text[index..]))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, text, expected) in [
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("*", "a.b", true),
            ("a", "ab", false),
            ("a*", "ab", true),
            ("*b", "ab", true),
            ("*a", "ab", false),
            ("request *.seed", "request json a.seed", true),
            ("request *.seed", "request json a.seed[]", false),
            ("*a*b", "cabcab", true),
            ("ü*", "üx", true),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }
}
