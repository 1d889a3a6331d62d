//! Bytes as a document: a client, or an error that names a line and a repair.

use fastrand::Rng;
use ideogram_codegen::GeneratedClient;

use crate::seeds::Seed;

/// Reads a document and asks the client for everything it can tell; says whether there is a client.
pub(crate) fn run(document: &[u8]) -> bool {
    let Ok(document) = str::from_utf8(document) else { return false };
    let client = GeneratedClient::read(document);
    match &client {
        Ok(client) => {
            // The surface parses the source, so it is Rust as far as its grammar goes.
            let surface = xtask::surface(client);
            assert!(!surface.is_empty() && !client.source().is_empty(), "a client without a surface");
            assert!(client.lowered().is_object(), "a lowered document that is none");
            assert_eq!(client.operations().iter().filter(|operation| operation.method_name.is_empty()).count(), 0);
        }
        Err(error) => {
            assert!(!error.problems().is_empty(), "an error without a problem");
            let lines = document.lines().count() + 1;
            for problem in error.problems() {
                assert!(problem.line().is_some_and(|line| (1..=lines).contains(&line)), "no line: {problem}");
                assert!(!problem.message().is_empty() && !problem.repair_hint().is_empty(), "no repair: {problem}");
                // The generator's panics become errors; a rule should have refused the document before.
                assert!(!problem.message().contains("it panicked"), "no rule refuses this: {problem}");
            }
        }
    }
    client.is_ok()
}

/// Values that stand where others are expected.
const VALUES: [&str; 32] = [
    "null",
    "true",
    "~",
    "-1",
    "0",
    "1e300",
    "99999999999999999999",
    "9223372036854775807",
    "0x10",
    ".nan",
    "-.inf",
    "''",
    "\" \"",
    "ä",
    "self",
    "Self",
    "r#type",
    "[]",
    "{}",
    "[null]",
    "{a: {b: [c]}}",
    "|",
    ">-",
    "&a",
    "*a",
    "!!str 1",
    "? a",
    "'#/components/schemas'",
    "'(?<=a)('",
    "binary",
    "date-time",
    "'#/paths/~1a'",
];

/// Lines that change what a schema, parameter or operation means.
const LINES: [&str; 30] = [
    "nullable: true",
    "deprecated: true",
    "required: [type, type]",
    "required: [nobody]",
    "allOf: []",
    "oneOf: [{required: [a]}, {required: [b]}]",
    "not: {required: [a, b]}",
    "not: {}",
    "anyOf: [{type: string}, {type: integer}]",
    "additionalProperties: false",
    "additionalProperties: {type: integer}",
    "minimum: -1",
    "minimum: 9223372036854775807",
    "maximum: 1e400",
    "exclusiveMinimum: true",
    "minLength: -1",
    "maxLength: 0",
    "minItems: 18446744073709551615",
    "pattern: '('",
    "pattern: '^\\p{Lu}+$'",
    "enum: []",
    "enum: [a, A, 'a-', 'a_', 1a]",
    "default: null",
    "default: [1, two]",
    "discriminator: {propertyName: type}",
    "format: byte",
    "type: object",
    "items: {type: array, items: {type: string}}",
    "x-ideogram-images: -3",
    "x-ideogram-images: no.such.property",
];

/// Makes one to four accidents of an editor: in lines, blocks of lines and words, since random bytes are no YAML.
pub(crate) fn mutate(input: &[u8], seeds: &[Seed], random: &mut Rng) -> Vec<u8> {
    let text = String::from_utf8_lossy(input);
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    for _ in 0..random.choice([1, 1, 2, 4]).unwrap_or(1) {
        mutate_lines(&mut lines, seeds, random);
    }
    (lines.join("\n") + "\n").into_bytes()
}

fn mutate_lines(lines: &mut Vec<String>, seeds: &[Seed], random: &mut Rng) {
    if lines.is_empty() {
        lines.push("openapi: 3.0.3".to_owned());
    }
    let at = random.usize(..lines.len());
    let block = at..block_end(lines, at);
    match random.u8(..15) {
        0 => drop(lines.remove(at)),
        1 => drop(lines.drain(block)),
        2 => lines.insert(at, lines[at].clone()),
        3 => {
            let other = random.usize(..lines.len());
            lines.swap(at, other);
        }
        // A block elsewhere, with its own indentation or that of its new place.
        4 | 5 => {
            let copy = lines[block].to_vec();
            paste(lines, copy, random);
        }
        6 => {
            let foreign = random.choice(seeds).map(|seed| String::from_utf8_lossy(&seed.bytes)).unwrap_or_default();
            let foreign: Vec<String> = foreign.lines().map(str::to_owned).collect();
            let from = random.usize(..foreign.len().max(1));
            let copy = foreign.get(from..block_end(&foreign, from)).unwrap_or_default().to_vec();
            paste(lines, copy, random);
        }
        7 => {
            let deeper = random.bool();
            for line in &mut lines[block] {
                *line = if deeper { format!("  {line}") } else { line.replacen("  ", "", 1) };
            }
        }
        8 => {
            let line = random.choice(LINES).unwrap_or_default();
            lines.insert(at, " ".repeat(indentation(&lines[at])) + line);
        }
        9 => replace_value(lines, at, random.choice(VALUES).unwrap_or_default()),
        10 => {
            let from = random.usize(..lines.len());
            let value = lines[from].split_once(": ").map(|(_, value)| value.to_owned()).unwrap_or_default();
            replace_value(lines, at, &value);
        }
        11 => replace_key(lines, at, random),
        12 | 13 => replace_word(lines, at, random),
        _ => {
            let odd = ['{', '[', ']', '"', '\'', ':', '#', '-', '\t', '\u{0}', '\u{feff}', '\u{202e}', 'ä', '%', '/'];
            let line = &mut lines[at];
            let place = random.usize(..=line.chars().count());
            let odd = random.choice(odd).unwrap_or_default();
            *line = line.chars().take(place).chain([odd]).chain(line.chars().skip(place)).collect();
        }
    }
}

fn indentation(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

/// The end of a line and those below it that are indented deeper.
fn block_end(lines: &[String], at: usize) -> usize {
    let Some(first) = lines.get(at) else { return lines.len() };
    let inner = |line: &&String| line.trim().is_empty() || indentation(line) > indentation(first);
    at + 1 + lines[at + 1..].iter().take_while(inner).count()
}

fn paste(lines: &mut Vec<String>, mut copy: Vec<String>, random: &mut Rng) {
    let at = random.usize(..=lines.len());
    if let (Some(target), Some(first), true) = (lines.get(at), copy.first(), random.bool()) {
        let (from, to) = (indentation(first), indentation(target));
        for line in &mut copy {
            *line = " ".repeat((indentation(line) + to).saturating_sub(from)) + line.trim_start_matches(' ');
        }
    }
    drop(lines.splice(at..at, copy));
}

fn replace_value(lines: &mut [String], at: usize, value: &str) {
    let line = &mut lines[at];
    *line = match (line.split_once(": "), line.split_once("- ")) {
        (Some((key, _)), _) => format!("{key}: {value}"),
        (None, Some((dash, _))) => format!("{dash}- {value}"),
        (None, None) => format!("{} {value}", line.trim_end()),
    };
}

fn replace_key(lines: &mut [String], at: usize, random: &mut Rng) {
    let keys =
        ["", "ä", "type", "self", "Self", "x", "items", "$ref", "allOf", "nullable", "get", "'2XX'", "a b", "<<"];
    let from = random.usize(..lines.len());
    let other = lines[from].split_once(':').map(|(key, _)| key.trim().to_owned());
    let key = other.filter(|_| random.bool()).unwrap_or_else(|| random.choice(keys).unwrap_or_default().to_owned());
    let line = &mut lines[at];
    if let Some((_, value)) = line.split_once(':') {
        *line = format!("{}{key}:{value}", " ".repeat(indentation(line)));
    }
}

/// One word by another of the same document: another type, format, property, or the name of another schema, so that
/// references go in circles.
fn replace_word(lines: &mut [String], at: usize, random: &mut Rng) {
    fn words(line: &str) -> Vec<&str> {
        line.split(|character: char| !character.is_alphanumeric() && character != '_')
            .filter(|w| !w.is_empty())
            .collect()
    }
    // Two references, if there are some: they are few among many words of prose.
    let references: Vec<_> = (0..lines.len()).filter(|at| lines[*at].contains("$ref")).collect();
    let (at, from) = match (random.bool(), random.choice(&references), random.choice(&references)) {
        (true, Some(one), Some(other)) => (*one, *other),
        _ => (at, random.usize(..lines.len())),
    };
    let reference = at != from && lines[at].contains("$ref") && lines[from].contains("$ref");
    let pick = |words: Vec<&str>, random: &mut Rng| {
        let chosen = if reference { words.last().copied() } else { random.choice(words) };
        chosen.map(str::to_owned)
    };
    let old = pick(words(&lines[at]), random);
    let new = pick(words(&lines[from]), random);
    if let (Some(old), Some(new)) = (old, new) {
        lines[at] = lines[at].replacen(&old, &new, 1);
    }
}
