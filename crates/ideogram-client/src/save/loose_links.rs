//! Finds links in text of any kind.
//!
//! Start at [`loose_links`].

use std::collections::BTreeSet;

use reqwest::Url;

use crate::values::file_type::ImageType;

/// Returns whether a text is a link.
pub(super) fn is_link(text: &str) -> bool {
    let text = text.trim();
    let is_web = text.starts_with("https://") || text.starts_with("http://");
    is_web
        && text.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"<>\\`{}".contains(&byte))
        && Url::parse(text).is_ok()
}

/// Returns the first links in a text that may lead to images and are not known, with their positions.
pub(super) fn loose_links(text: &str, mut known: BTreeSet<String>, max: usize) -> Vec<(usize, String)> {
    let mut links = Vec::new();
    let mut after = 0;
    for (start, _) in text.match_indices("http") {
        if start < after || links.len() == max {
            continue;
        }
        let Some((link, end)) = whole_link(text.as_bytes(), start) else { continue };
        after = end;
        let name = name_before(&text[..start]);
        let is_url = name.is_some_and(|name| name.to_ascii_lowercase().ends_with("url"));
        let is_wanted = is_link(&link) && name != Some("prompt") && (is_url || leads_to_image(&link));
        if is_wanted && known.insert(link.clone()) {
            links.push((start, link));
        }
    }
    links
}

/// Returns the link that begins here, if it is whole: it ends at a quotation mark, a bracket of a tag or white space, not
/// at a damaged byte or the end of the text.
fn whole_link(bytes: &[u8], start: usize) -> Option<(String, usize)> {
    let mut link = String::new();
    let mut position = start;
    loop {
        match *bytes.get(position)? {
            b'"' | b'\'' | b'<' | b'>' | b'`' => break,
            // After a quotation mark, only another one ends it.
            byte if byte.is_ascii_whitespace() => match bytes[..start].last() {
                Some(b'"' | b'\'') => return None,
                _ => break,
            },
            b'\\' => match bytes.get(position + 1)? {
                b'/' => {
                    link.push('/');
                    position += 2;
                }
                b'u' => {
                    let digits = str::from_utf8(bytes.get(position + 2..position + 6)?).ok()?;
                    let letter = char::from_u32(u32::from_str_radix(digits, 16).ok()?)?;
                    link.push(Some(letter).filter(char::is_ascii_graphic)?);
                    position += 6;
                }
                _ => break,
            },
            byte if byte.is_ascii_graphic() => {
                link.push(char::from(byte));
                position += 1;
            }
            _ => return None,
        }
    }
    let link = link.trim_end_matches(['.', ',', ';', ')', ']', '}']).replace("&amp;", "&");
    Some((link, position))
}

/// Returns the name of the property or attribute whose value begins here.
fn name_before(text: &str) -> Option<&str> {
    let text = text.trim_end_matches(['"', '\'', '\\']).trim_end();
    let text = text.strip_suffix([':', '='])?.trim_end().trim_end_matches(['"', '\'', '\\']);
    text.rsplit(|letter: char| !(letter.is_ascii_alphanumeric() || "_-".contains(letter))).next()
}

fn leads_to_image(link: &str) -> bool {
    let Ok(url) = Url::parse(link) else { return false };
    let path = url.path().to_ascii_lowercase();
    let is_signed = url.query_pairs().any(|(name, _)| matches!(name.as_ref(), "sig" | "signature" | "X-Amz-Signature"));
    let extension = path.rsplit_once('.').map(|(_, extension)| extension);
    is_signed
        || path.contains("/images/")
        || extension.is_some_and(|extension| ImageType::by_extension(extension).is_some())
}
