//! Tables of text (CSV, TSV), as spreadsheets and data frames save them.
//!
//! Quotation marks are read strictly: otherwise a missing one could turn several rows into one prompt, which is billed.

use serde_json::{Map, Value};

use super::{
    properties::is_known,
    raw::{Problem, Raw, line_ends},
};
use crate::text_input::without_mark;

/// The separators of cells. The first is used if no other fits better.
const SEPARATORS: [char; 4] = [',', ';', '\t', '|'];
/// The prefix that data frames give to columns without a name.
const UNNAMED: &str = "Unnamed: ";

struct Record {
    /// Its first line, from 1.
    line: u64,
    /// Trimmed.
    cells: Vec<String>,
}

impl Record {
    fn known_names(&self) -> usize {
        self.cells.iter().filter(|cell| is_known(&column_name(cell))).count()
    }

    fn is_empty(&self) -> bool {
        self.cells.iter().all(String::is_empty)
    }
}

/// Reads a table. Without a separator, detects it.
pub(super) fn read(text: &str, separator: Option<char>) -> (Vec<Raw>, Vec<Problem>) {
    let (text, first_line, declared) = after_separator_line(text);
    let separator = match declared.or(separator) {
        Some(separator) => Some(separator),
        None => separator_of(text),
    };
    let mut problems = Vec::new();
    let mut rows = Vec::new();
    for record in (Records { text, at: 0, line: first_line, separator }) {
        match record {
            Ok(record) if record.is_empty() => {}
            Ok(record) => rows.push(record),
            Err(problem) => problems.push(problem),
        }
    }
    // Some programs write the title of a table above its header.
    let has_title = matches!(&rows[..], [title, header, ..]
        if title.known_names() == 0 && header.known_names() > 0
            && title.cells.iter().filter(|cell| !cell.is_empty()).count() == 1);
    let mut rows = rows.into_iter().skip(usize::from(has_title));
    let Some(header) = rows.next() else { return (Vec::new(), problems) };
    let rows: Vec<Record> = rows.collect();
    let names = names(&header, &rows, &mut problems);

    let mut raw = Vec::new();
    for record in rows {
        let width = record.cells.iter().rposition(|cell| !cell.is_empty()).map_or(0, |last| last + 1);
        if width > names.len() {
            let reason = format!(
                "has {width} cells, but the header has {}; write a cell that contains {} in quotation marks",
                names.len(),
                separator.map_or_else(
                    || "a separator".to_owned(),
                    |separator| format!("`{separator}`").replace('\t', "a tab")
                ),
            );
            problems.push(Problem::new(record.line, "", reason));
            continue;
        }
        // Spreadsheets leave out empty cells at the end of a row.
        let cells = names.iter().zip(record.cells).filter(|(_, cell)| !cell.is_empty());
        let properties: Map<String, Value> =
            cells.filter_map(|(name, cell)| Some((name.clone()?, Value::String(cell)))).collect();
        if !properties.is_empty() {
            raw.push(Raw { line: record.line, header: Some(header.line), properties });
        }
    }
    (raw, problems)
}

/// Whether a text is a table with tabs and not a list of prompts.
pub(super) fn begins_with_header(text: &str) -> bool {
    let mut records = Records { text, at: 0, line: 1, separator: Some('\t') };
    matches!(records.next(), Some(Ok(header))
        if header.known_names() > 0 && header.known_names() == header.cells.iter().filter(|cell| !cell.is_empty()).count())
}

/// The names of the columns; `None` for a column to ignore.
fn names(header: &Record, rows: &[Record], problems: &mut Vec<Problem>) -> Vec<Option<String>> {
    let mut names: Vec<Option<String>> = Vec::new();
    for (index, cell) in header.cells.iter().enumerate() {
        let cells = || rows.iter().map(move |record| record.cells.get(index).map_or("", String::as_str));
        let column = || format!("column {}", index + 1);
        if cell.is_empty() || cell.starts_with(UNNAMED) {
            // Data frames number their rows in a first column without a name.
            let is_index =
                index == 0 && cells().all(|cell| !cell.is_empty() && cell.bytes().all(|byte| byte.is_ascii_digit()));
            if !is_index && let Some((record, _)) = rows.iter().zip(cells()).find(|(_, cell)| !cell.is_empty()) {
                let reason = format!("has no name, but a value in line {}", record.line);
                problems.push(Problem::new(header.line, column(), reason));
            }
            names.push(None);
            continue;
        }
        let name = column_name(cell);
        if names.contains(&Some(name.clone())) {
            problems.push(Problem::new(
                header.line,
                column(),
                format!("has the same name as another column: `{name}`"),
            ));
            names.push(None);
        } else {
            names.push(Some(name));
        }
    }
    names
}

/// The property of a column; also accepts a spelling like `Num Images`.
fn column_name(cell: &str) -> String {
    let plain = plain(cell);
    if is_known(&plain) { plain } else { cell.to_owned() }
}

/// A name in the spelling of properties.
pub(super) fn plain(name: &str) -> String {
    name.trim().to_lowercase().replace([' ', '-'], "_")
}

/// Returns the text after a line `sep=;`, the number of its first line, and the separator.
fn after_separator_line(text: &str) -> (&str, u64, Option<char>) {
    let end = text.find(['\n', '\r']).unwrap_or(text.len());
    let (first, rest) = text.split_at(end);
    let first = first.trim_matches(['"', ' ']);
    let declared = first.get(..4).filter(|word| word.eq_ignore_ascii_case("sep=")).map(|_| &first[4..]);
    let mut letters = declared.unwrap_or_default().chars();
    match (letters.next(), letters.next()) {
        (Some(separator), None) => {
            let rest = rest.strip_prefix("\r\n").or(rest.strip_prefix(['\n', '\r'])).unwrap_or(rest);
            (rest, 2, Some(separator))
        }
        _ => (text, 1, None),
    }
}

/// The separator with which the header has the most known names; `None` for a single column.
fn separator_of(text: &str) -> Option<char> {
    let score = |separator: char| {
        let records = Records { text, at: 0, line: 1, separator: Some(separator) };
        // The first record may be a title.
        let first = records.flatten().filter(|record| !record.is_empty()).take(2);
        let scores = first.map(|record| (record.known_names(), record.cells.len()));
        scores.reduce(|header, next| if next.0 > header.0 { next } else { header }).unwrap_or_default()
    };
    let mut best = (SEPARATORS[0], score(SEPARATORS[0]));
    for separator in SEPARATORS.into_iter().skip(1) {
        let score = score(separator);
        if score > best.1 {
            best = (separator, score);
        }
    }
    // A program that writes one column does not quote separators.
    if best.1.1 <= 1 { None } else { Some(best.0) }
}

/// An iterator over the records of a text.
struct Records<'t> {
    text: &'t str,
    at: usize,
    line: u64,
    /// If `None`, each record is one cell.
    separator: Option<char>,
}

impl Iterator for Records<'_> {
    type Item = Result<Record, Problem>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.at >= self.text.len() {
            return None;
        }
        let line = self.line;
        let mut cells = Vec::new();
        loop {
            match self.cell(line) {
                Ok(cell) => cells.push(cell),
                Err(problem) => return Some(Err(problem)),
            }
            match self.remaining().chars().next() {
                Some(letter) if Some(letter) == self.separator => self.at += letter.len_utf8(),
                _ => break,
            }
        }
        self.end_line();
        Some(Ok(Record { line, cells }))
    }
}

impl Records<'_> {
    fn remaining(&self) -> &str {
        &self.text[self.at..]
    }

    /// Skips a line end.
    fn end_line(&mut self) {
        let length = match self.remaining().as_bytes() {
            [b'\r', b'\n', ..] => 2,
            [b'\r' | b'\n', ..] => 1,
            _ => 0,
        };
        self.at += length;
        self.line += u64::from(length > 0);
    }

    fn ends_cell(&self, text: &str) -> bool {
        text.chars().next().is_none_or(|letter| matches!(letter, '\n' | '\r') || Some(letter) == self.separator)
    }

    /// Reads one cell, up to the separator or line end.
    fn cell(&mut self, line: u64) -> Result<String, Problem> {
        let separator = self.separator;
        let is_blank = |letter: char| letter == ' ' || (letter == '\t' && separator != Some('\t'));
        let rest = without_mark(self.remaining()).trim_start_matches(is_blank);
        if let Some(quoted) = rest.strip_prefix('"') {
            match self.quoted(quoted) {
                Ok((cell, length)) => {
                    let begin = self.text.len() - quoted.len();
                    let passed = &self.text[self.at..begin + length];
                    self.line += line_ends(passed);
                    self.at = begin + length;
                    let rest = self.remaining();
                    self.at += rest.len() - rest.trim_start_matches(is_blank).len();
                    return Ok(cell);
                }
                // Programs that separate cells by tabs may not use quotation marks.
                Err(_) if separator == Some('\t') => {}
                Err(reason) => {
                    let is_open = matches!(reason, Quoting::Open);
                    let rest = self.remaining();
                    let end = if is_open { rest.len() } else { rest.find(['\n', '\r']).unwrap_or(rest.len()) };
                    self.at += end;
                    self.end_line();
                    return Err(Problem::new(line, "", reason.reason()));
                }
            }
        }
        let rest = self.remaining();
        let end = rest.find(|letter| matches!(letter, '\n' | '\r') || Some(letter) == separator).unwrap_or(rest.len());
        let cell = without_mark(rest[..end].trim()).to_owned();
        self.at += end;
        Ok(cell)
    }

    /// Reads a cell after its opening quotation mark; also returns its length including the closing one.
    fn quoted(&self, text: &str) -> Result<(String, usize), Quoting> {
        let mut cell = String::new();
        let mut at = 0;
        loop {
            let end = at + text[at..].find('"').ok_or(Quoting::Open)?;
            cell.push_str(&text[at..end]);
            at = end + 1;
            if text[at..].starts_with('"') {
                cell.push('"');
                at += 1;
            } else if self.ends_cell(text[at..].trim_start_matches(' ')) {
                // The same on every system.
                let cell = cell.replace("\r\n", "\n").replace('\r', "\n");
                return Ok((without_mark(cell.trim()).to_owned(), at));
            } else {
                return Err(Quoting::Loose);
            }
        }
    }
}

/// A problem with quotation marks.
enum Quoting {
    Open,
    Loose,
}

impl Quoting {
    fn reason(&self) -> &'static str {
        match self {
            Self::Open => "has a quotation mark that is never closed; write a quotation mark inside a cell twice",
            Self::Loose => "has a quotation mark in the middle of a cell; write it twice: \"a \"\"red\"\" lantern\"",
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn texts(text: &str) -> Vec<String> {
        let (_, problems) = read(text, None);
        super::super::input::refused("t", &problems).causes().map(str::to_owned).collect()
    }

    fn rows(text: &str) -> Vec<(u64, Value)> {
        let (rows, problems) = read(text, None);
        assert!(problems.is_empty(), "{text}: {problems:?}");
        rows.into_iter().map(|row| (row.line, Value::Object(row.properties))).collect()
    }

    #[test]
    fn tables_of_all_programs_hold_the_same_rows() {
        let lit = json!({"prompt": "a lantern, lit", "num_images": "2"});
        let river = json!({"prompt": "river; night"});
        for (program, text, lines) in [
            ("Excel, English", "prompt,num_images\r\n\"a lantern, lit\",2\r\nriver; night,\r\n", [2, 3]),
            ("Excel, German", "prompt;num_images\r\na lantern, lit;2\r\n\"river; night\";\r\n", [2, 3]),
            ("Excel, sep=", "sep=;\r\nprompt;num_images\r\na lantern, lit;2\r\n\"river; night\";\r\n", [3, 4]),
            ("Excel, sep= in quotes", "\"sep=|\"\nprompt|num_images\na lantern, lit|2\nriver; night|\n", [3, 4]),
            ("Excel, Unicode text", "prompt\tnum_images\r\n\"a lantern, lit\"\t2\r\nriver; night\t\r\n", [2, 3]),
            ("Excel, Macintosh", "prompt,num_images\r\"a lantern, lit\",2\rriver; night,\r", [2, 3]),
            (
                "Excel, empty columns",
                "prompt,num_images,,\r\n\"a lantern, lit\",2,,\r\nriver; night,,,\r\n,,,\r\n",
                [2, 3],
            ),
            ("Excel, cells left out", "prompt,num_images\r\n\"a lantern, lit\",2\r\nriver; night\r\n", [2, 3]),
            (
                "LibreOffice, all quoted",
                "\"prompt\",\"num_images\"\n\"a lantern, lit\",\"2\"\n\"river; night\",\n",
                [2, 3],
            ),
            ("Google Sheets, TSV", "prompt\tnum_images\r\na lantern, lit\t2\r\nriver; night\t", [2, 3]),
            ("Numbers, title", "Table 1\nprompt;num_images\na lantern, lit;2\n\"river; night\";\n", [3, 4]),
            ("Numbers, title and cells", "Table 1,\nprompt,num_images\n\"a lantern, lit\",2\nriver; night,\n", [3, 4]),
            ("pandas, index", ",prompt,num_images\n0,\"a lantern, lit\",2\n1,river; night,\n", [2, 3]),
            (
                "pandas, index read again",
                "Unnamed: 0,prompt,num_images\n4,\"a lantern, lit\",2\n9,river; night,\n",
                [2, 3],
            ),
            ("by hand, spaces", "Prompt , Num Images\n\"a lantern, lit\" , 2 \n  river; night ,\n", [2, 3]),
            ("by hand, bars", "prompt | num_images\n a lantern, lit | 2\nriver; night |", [2, 3]),
        ] {
            let wanted: Vec<_> = lines.into_iter().zip([lit.clone(), river.clone()]).collect();
            assert_eq!(rows(text), wanted, "{program}");
        }
    }

    #[test]
    fn a_single_column_has_no_separator() {
        let text = "prompt\r\na lantern, lit; red\r\n\"a \"\"red\"\" one, too\"\r\n";

        assert_eq!(
            rows(text),
            [(2, json!({"prompt": "a lantern, lit; red"})), (3, json!({"prompt": "a \"red\" one, too"}))]
        );
    }

    #[test]
    fn cells_keep_their_line_breaks_and_rows_their_lines() {
        let text = "prompt,id\r\n\"two\r\nlines\",1\r\n\"two\nlines\",2\r\nnext,3";

        assert_eq!(
            rows(text),
            [
                (2, json!({"prompt": "two\nlines", "id": "1"})),
                (4, json!({"prompt": "two\nlines", "id": "2"})),
                (6, json!({"prompt": "next", "id": "3"})),
            ]
        );
    }

    #[test]
    fn a_table_with_tabs_needs_no_quotation_marks() {
        let text = "prompt\tid\n\"red\" lantern\t1\n\"open\t2\nnext\t3\n";

        let prompts: Vec<_> = rows(text).into_iter().map(|(_, row)| row["prompt"].clone()).collect();
        assert_eq!(prompts, ["\"red\" lantern", "\"open", "next"]);
    }

    #[test]
    fn each_problem_is_reported_once_with_its_lines() {
        assert_eq!(
            texts("prompt,,prompt,extra\na,x,,\nb,1,2,3,4\nc,1,2,3,4\n"),
            [
                "t:1: column 2: has no name, but a value in line 2",
                "t:1: column 3: has the same name as another column: `prompt`",
                "t: lines 3 and 4: has 5 cells, but the header has 4; write a cell that contains `,` in quotation marks",
            ]
        );
        assert_eq!(
            texts("prompt,id\n\"a\" lantern,1\n\"b,2\nc,3\n"),
            [
                "t:2: has a quotation mark in the middle of a cell; write it twice: \"a \"\"red\"\" lantern\"",
                "t:3: has a quotation mark that is never closed; write a quotation mark inside a cell twice",
            ]
        );
    }

    /// Random text: reading always ends, and lines are in order.
    #[test]
    fn any_text_is_read_to_its_end() {
        let mut random = fastrand::Rng::with_seed(7);
        for _ in 0..20_000 {
            let letters =
                ["\"", "\"", ",", ";", "\t", "|", "\n", "\r", "\r\n", "prompt", "a", " ", "é", "\u{feff}", "sep=;"];
            let text: String = (0..random.usize(..24)).map(|_| letters[random.usize(..letters.len())]).collect();
            for separator in [None, Some('\t')] {
                let (rows, _) = read(&text, separator);
                let lines: Vec<u64> = rows.iter().map(|row| row.line).collect();
                assert!(lines.is_sorted() && lines.last().is_none_or(|last| *last <= 1 + line_ends(&text)), "{text:?}");
            }
        }
    }
}
