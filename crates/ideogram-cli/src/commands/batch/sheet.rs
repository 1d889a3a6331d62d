//! The contact sheet: one HTML page with all rows of a batch.
//!
//! The page is self-contained: styles and thumbnails are in it, and it has no script. All text is escaped, and a content
//! security policy forbids everything else that a prompt could inject.

use std::{fs, io, path::Path};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use ideogram_client::Timestamp;

use super::{journal::Image, report::Counts, row::Row, state::ImageResult, status::Status, thumbnail};
use crate::output::units;

const STYLE: &str = include_str!("sheet.css");

/// Writes the sheet, and replaces an earlier one at once. Blocks.
pub(super) fn write(
    folder: &Path,
    title: &str,
    time: &str,
    rows: &[(&Row, &Status)],
    counts: &Counts,
) -> io::Result<()> {
    let mut part = tempfile::Builder::new();
    part.prefix(".ideogram-").suffix(".part");
    #[cfg(unix)]
    part.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let part = part.tempfile_in(folder)?;
    let mut page = io::BufWriter::new(part);
    render(&mut page, folder, title, time, rows, counts)?;
    let part = page.into_inner().map_err(io::IntoInnerError::into_error)?;
    part.persist(folder.join(super::SHEET))?;
    Ok(())
}

fn render(
    page: &mut impl io::Write,
    folder: &Path,
    title: &str,
    time: &str,
    rows: &[(&Row, &Status)],
    counts: &Counts,
) -> io::Result<()> {
    let title = escaped(title);
    write!(
        page,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; style-src \
         'unsafe-inline'\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"generator\" content=\"ideogram batch\">\n\
         <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<header>\n<h1>{title}</h1>\n\
         <p class=\"figures\">"
    )?;
    for (number, words, class) in counts.figures() {
        write!(page, "<span class=\"{class}\"><b>{number}</b> {words}</span> ")?;
    }
    writeln!(page, "</p>\n<p class=\"quiet\">{}</p>\n</header>\n<main>", escaped(time))?;
    for (row, status) in rows {
        article(page, folder, row, status)?;
    }
    writeln!(page, "</main>\n</body>\n</html>")
}

fn article(page: &mut impl io::Write, folder: &Path, row: &Row, status: &Status) -> io::Result<()> {
    let info = status.state().info();
    writeln!(page, "<article class=\"{}\">", info.class)?;
    if let Status::Finished(images) = status {
        writeln!(page, "<div class=\"images\">")?;
        for image in images {
            figure(page, folder, row, image)?;
        }
        writeln!(page, "</div>")?;
    }
    let prompt = if row.prompt.is_empty() { "(no prompt)" } else { &row.prompt };
    writeln!(page, "<div class=\"words\">")?;
    // Only a prompt that scrolls takes the keyboard focus.
    let stop = if may_scroll(prompt) {
        format!(" tabindex=\"0\" role=\"group\" aria-label=\"Prompt of line {}\"", row.line)
    } else {
        String::new()
    };
    writeln!(page, "<div class=\"prompt\" dir=\"auto\"{stop}>{}</div>", escaped(prompt))?;
    if !info.title.is_empty() {
        let colon = if info.billing.is_empty() { "" } else { ": " };
        let why = escaped(status.why());
        writeln!(page, "<p class=\"state\"><b>{}</b> {}{colon}{why}</p>", info.title, info.billing)?;
    }
    if let Some(prompt) = status.images().iter().find_map(|image| image.prompt.as_deref()) {
        let prompt = escaped(prompt);
        writeln!(page, "<details><summary>Prompt as used</summary><p dir=\"auto\">{prompt}</p></details>")?;
    }
    let (operation, model) = (row.request.operation().id, model(row));
    writeln!(
        page,
        "<p class=\"quiet\"><span class=\"line\">line {}</span><span class=\"cut\" title=\"{}\">{}</span>\
         <span class=\"cut\" title=\"{}\">{}</span></p>\n</div>\n</article>",
        row.line,
        escaped(&format!("{model} ({operation})")),
        in_two(&model),
        escaped(&row.name),
        in_two(&row.name),
    )
}

fn figure(page: &mut impl io::Write, folder: &Path, row: &Row, image: &Image) -> io::Result<()> {
    let seed = image.seed.map_or_else(String::new, |seed| format!("seed {seed}"));
    let explanation = match (image.result, &image.file) {
        (ImageResult::Saved, Some(file)) => {
            let (link, name) = (url(file), escaped(file));
            write!(page, "<figure><a href=\"{link}\">")?;
            match fs::read(thumbnail::path_of(folder, file)) {
                Ok(bytes) => {
                    let media_type = thumbnail::media_type(&bytes);
                    let data = BASE64_STANDARD.encode(&bytes);
                    let alt = escaped(&row.prompt);
                    let class = if media_type == "image/png" { "clear" } else { "solid" };
                    write!(page, "<img class=\"{class}\" alt=\"{alt}\" src=\"data:{media_type};base64,{data}\">")?;
                }
                Err(_) => write!(page, "<span class=\"blank\">no preview</span>")?,
            }
            let parts = in_two(file);
            return writeln!(
                page,
                "</a><figcaption><a class=\"cut\" href=\"{link}\" title=\"{name}\">{parts}</a> \
                 <span>{seed}</span></figcaption></figure>"
            );
        }
        (ImageResult::Withheld, _) => "generated and billed, but withheld by the safety check".to_owned(),
        _ => image.error.clone().unwrap_or_default(),
    };
    let (mark, explanation) = (image.result.info().title, escaped(&explanation));
    writeln!(
        page,
        "<figure><span class=\"blank\"><b>{mark}</b>{explanation}</span><figcaption><span>{seed}</span></figcaption></figure>"
    )
}

/// The model that the request names, or else the path of the operation.
fn model(row: &Row) -> String {
    let properties = row.properties();
    let property = |wanted: &str| properties.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.clone());
    let path = row.request.operation().path;
    let short = ["/v1/", "/v2/image/", "/"].iter().find_map(|prefix| path.strip_prefix(prefix)).unwrap_or(path);
    let called = || short.replace("ideogram-", "").replace('/', " ");
    property("custom_model_uri").or_else(|| property("model")).unwrap_or_else(called)
}

/// How many characters at the end of a name stay visible when its beginning is cut.
const TAIL_CHARACTERS: usize = 10;

/// A name as two elements, the first of which is cut if there is no room: the names of a batch mostly differ at one of
/// the two ends.
fn in_two(name: &str) -> String {
    let length = name.chars().count();
    let head = if length > TAIL_CHARACTERS + 4 { length - TAIL_CHARACTERS } else { length };
    let at = name.char_indices().nth(head).map_or(name.len(), |(at, _)| at);
    let (head, tail) = name.split_at(at);
    let tail = if tail.is_empty() { String::new() } else { format!("<span>{}</span>", escaped(tail)) };
    format!("<span>{}</span>{tail}", escaped(head))
}

/// Whether a prompt may be longer than its box in the narrowest column.
fn may_scroll(prompt: &str) -> bool {
    const LINES: usize = 16;
    const MIN_CHARACTERS_PER_LINE: usize = 15;
    prompt.lines().map(|line| 1 + line.chars().count() / MIN_CHARACTERS_PER_LINE).sum::<usize>() > LINES
}

/// Escapes text for elements and attributes. Characters that change the direction of text stay: `dir` isolates them.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            // HTML does not allow most control characters.
            _ if character.is_control() && !matches!(character, '\n' | '\t') => escaped.push('\u{fffd}'),
            _ => escaped.push(character),
        }
    }
    escaped
}

/// A link to a file in the folder of the sheet.
fn url(file: &str) -> String {
    let mut url = String::from("./");
    for byte in file.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => url.push(char::from(byte)),
            _ => url.push_str(&format!("%{byte:02X}")),
        }
    }
    url
}

/// The number of rows, and when the sheet was written.
pub(super) fn subtitle(time: &str, rows: usize) -> String {
    format!("{}, {}", units::count(rows as u64, "row"), units::time(&Timestamp::parse(time)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped_for_elements_attributes_and_links() {
        assert_eq!(escaped("<script>\"'&\0\n"), "&lt;script&gt;&quot;&#39;&amp;\u{fffd}\n");
        assert_eq!(url("a lantern\"ü.png"), "./a%20lantern%22%C3%BC.png");
        assert_eq!(url("javascript:alert(1)"), "./javascript%3Aalert%281%29");
    }

    #[test]
    fn a_long_name_keeps_its_end() {
        assert_eq!(in_two("lantern-1.png"), "<span>lantern-1.png</span>");
        assert_eq!(
            in_two("a-very-long-näme-of-row-0017-1.png"),
            "<span>a-very-long-näme-of-row-</span><span>0017-1.png</span>"
        );
        assert_eq!(in_two("<b>".repeat(10).as_str()).matches("<b>").count(), 0);
    }

    #[test]
    fn only_a_prompt_that_may_scroll_takes_the_keyboard_focus() {
        assert!(!may_scroll(&"a".repeat(200)));
        assert!(may_scroll(&"a".repeat(300)));
        assert!(may_scroll(&"a\n".repeat(20)));
    }
}
