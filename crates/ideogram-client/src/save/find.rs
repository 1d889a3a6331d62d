//! Finds the images in the text of a response, also if it is damaged.
//!
//! A paid response may have broken off, be damaged anywhere, or have its links elsewhere than documented; every link that
//! is whole in it works. So the text is scanned instead of parsed, in one pass and with bounded memory: nesting of any
//! depth costs neither stack nor memory. Start at [`find_images`].

use std::{
    borrow::Cow,
    collections::{BTreeSet, VecDeque},
    ops::Range,
};

use serde_json::{Map, Value};

use super::{
    image_ref::ImageRef,
    loose_links::{is_link, loose_links},
};
use crate::{Timestamp, net::body_text::is_json};

/// Properties with a single link, and their roles in file names.
const SINGLE_LINKS: [(&str, &str); 2] = [("\"base_image_url\"", "base"), ("\"original_image_url\"", "original")];
/// The number of open brackets that are stored, from the innermost.
const MAX_OPEN: usize = 128;
/// The maximum number of properties of a damaged object.
const MAX_PROPERTIES: usize = 64;
/// The maximum number of images; no response has as many.
const MAX_IMAGES: usize = 10_000;
/// The maximum size of text that is parsed into values, which take many times its size.
const MAX_PARSED_BYTES: usize = 4 * 1024 * 1024;
/// The maximum nesting of JSON in JSON strings.
const MAX_STRINGS: usize = 3;

/// The images in a text.
#[derive(Debug)]
pub(super) struct ImagesInText {
    pub(super) images: Vec<ImageRef>,
    /// Whether the text is JSON; otherwise the response may have had more images.
    pub(super) is_whole: bool,
}

/// Finds the documented images. If none has a link, or the text is damaged, also finds other links to images.
pub(super) fn find_images(text: &str, is_exact: bool) -> ImagesInText {
    let mut text = Cow::Borrowed(text);
    for _ in 0..MAX_STRINGS {
        match serde_json::from_str::<String>(&text) {
            Ok(inner) => text = Cow::Owned(inner),
            Err(_) => break,
        }
    }
    if text.contains('\0') {
        // Damaged UTF-16 or UTF-32 that was not recognized.
        text = Cow::Owned(text.replace('\0', ""));
    }
    let is_whole = is_exact && is_json(text.as_bytes());
    let mut scan = Scan { text: &text, is_whole, ..Scan::default() };
    scan.run();
    ImagesInText { images: scan.finish(), is_whole }
}

#[derive(Default)]
struct Scan<'t> {
    text: &'t str,
    is_whole: bool,
    open: VecDeque<Open>,
    /// The number of open brackets, stored or not.
    depth: usize,
    items: Vec<Item>,
    singles: Vec<(&'static str, String)>,
    root: Range<usize>,
    created: Option<Timestamp>,
    parsed_bytes: usize,
}

/// An open bracket.
struct Open {
    start: usize,
    is_object: bool,
    /// Whether it is the list `data` of the response, or an object in it.
    is_data: bool,
    /// Whether it is in the value of a property `url`.
    is_link: bool,
    /// Names and values, without objects and lists.
    properties: Vec<(Range<usize>, Range<usize>)>,
    item: Option<usize>,
}

/// An object that represents an image.
struct Item {
    span: Range<usize>,
    is_documented: bool,
    is_safe: bool,
    links: Vec<String>,
    value: Value,
}

impl Scan<'_> {
    fn run(&mut self) {
        let bytes = self.text.as_bytes();
        let mut name: Option<Range<usize>> = None;
        let mut position = 0;
        while let Some(byte) = bytes.get(position) {
            match byte {
                b'"' => {
                    let Some(end) = end_of_string(bytes, position) else { break };
                    let next = bytes[end..].iter().find(|byte| !byte.is_ascii_whitespace());
                    if next == Some(&b':') {
                        name = Some(position..end);
                    } else {
                        self.value(name.take(), position..end);
                    }
                    position = end;
                }
                b'{' | b'[' => {
                    self.open(*byte == b'{', position, name.take().as_ref());
                    position += 1;
                }
                b'}' | b']' => {
                    name = None;
                    position += 1;
                    self.close(*byte == b'}', position);
                }
                b',' => {
                    name = None;
                    position += 1;
                }
                b':' => position += 1,
                byte if byte.is_ascii_whitespace() => position += 1,
                _ => {
                    let ends = |byte: &u8| b"{}[],:\"".contains(byte) || byte.is_ascii_whitespace();
                    // A value at the end of the text may be cut.
                    let Some(length) = bytes[position..].iter().position(ends) else { break };
                    self.value(name.take(), position..position + length);
                    position += length;
                }
            }
        }
        // The text broke off inside of these.
        while let Some(open) = self.open.pop_back() {
            self.end_item(&open, bytes.len(), false);
        }
    }

    fn open(&mut self, is_object: bool, start: usize, name: Option<&Range<usize>>) {
        let is_named = |wanted: &str| name.is_some_and(|name| &self.text[name.clone()] == wanted);
        let is_link = is_named("\"url\"");
        let parent = self.open.back();
        let is_data = match (is_object, self.depth) {
            (false, 1) => is_named("\"data\""),
            (true, 2) => parent.is_some_and(|parent| parent.is_data),
            _ => false,
        };
        let is_inside = parent.is_some_and(|parent| parent.is_link);
        if is_link {
            self.item();
        }
        if self.open.len() == MAX_OPEN {
            self.open.pop_front();
        }
        self.depth += 1;
        self.open.push_back(Open {
            start,
            is_object,
            is_data,
            is_link: is_link || is_inside,
            properties: Vec::new(),
            item: None,
        });
    }

    fn close(&mut self, is_object: bool, end: usize) {
        // Unbalanced brackets are damage.
        let Some(position) = self.open.iter().rposition(|open| open.is_object == is_object) else {
            self.depth = self.depth.saturating_sub(usize::from(self.open.is_empty()));
            return;
        };
        while self.open.len() > position {
            let open = self.open.pop_back().expect("the queue is longer than `position`");
            self.depth -= 1;
            let is_whole = self.open.len() == position;
            if self.depth == 0 {
                self.root = open.start..end;
            }
            self.end_item(&open, end, is_whole);
        }
    }

    fn value(&mut self, name: Option<Range<usize>>, span: Range<usize>) {
        let raw = &self.text[span.clone()];
        let Some(open) = self.open.back_mut() else { return };
        if open.is_link && is_link(&unescaped(raw)) {
            // A link in a list or an object belongs to the image that contains it.
            if let Some(item) = self.open.iter().rev().find_map(|open| open.item) {
                self.items[item].links.push(unescaped(raw));
            }
        }
        let Some(name) = name else { return };
        let name_text = &self.text[name.clone()];
        let open = self.open.back_mut().expect("a bracket is open");
        if !open.is_object {
            return;
        }
        if open.properties.len() < MAX_PROPERTIES {
            open.properties.push((name, span));
        }
        let is_text = raw.starts_with('"');
        match name_text {
            // A layerized item of a list has a second link.
            "\"url\"" | "\"base_image_url\"" if self.depth > 1 || name_text == "\"url\"" => {
                let Some(item) = self.item() else { return };
                let link = is_text.then(|| unescaped(raw));
                // In damaged text, a part of a link can look like a value.
                if let Some(link) = link.filter(|link| self.is_whole || is_link(link)) {
                    self.items[item].links.push(link);
                }
            }
            "\"is_image_safe\"" => {
                let Some(item) = self.item() else { return };
                // Any other value does not mean that it is withheld.
                self.items[item].is_safe = raw != "false";
            }
            "\"created\"" if self.depth == 1 && is_text => {
                self.created.get_or_insert_with(|| Timestamp::parse(&unescaped(raw)));
            }
            _ if self.depth == 1 && is_text => {
                let single = SINGLE_LINKS.iter().find(|(name, _)| *name == name_text);
                let link = unescaped(raw);
                if let Some((_, role)) = single
                    && !link.trim().is_empty()
                    && (self.is_whole || is_link(&link))
                {
                    self.singles.push((role, link));
                }
            }
            _ => {}
        }
    }

    /// Returns the image of the innermost object.
    fn item(&mut self) -> Option<usize> {
        let open = self.open.back_mut()?;
        if open.item.is_none() && open.is_object && self.items.len() < MAX_IMAGES {
            open.item = Some(self.items.len());
            self.items.push(Item {
                span: open.start..self.text.len(),
                is_documented: open.is_data,
                is_safe: true,
                links: Vec::new(),
                value: Value::Null,
            });
        }
        open.item
    }

    fn end_item(&mut self, open: &Open, end: usize, is_whole: bool) {
        let Some(index) = open.item else { return };
        let span = open.start..end;
        let value = is_whole.then(|| self.parse(span.clone())).flatten();
        let value = value.unwrap_or_else(|| {
            let properties = open.properties.iter().filter_map(|(name, value)| {
                let name = unescaped(&self.text[name.clone()]);
                Some((name, serde_json::from_str(&self.text[value.clone()]).ok()?))
            });
            Value::Object(properties.collect::<Map<_, _>>())
        });
        let item = &mut self.items[index];
        (item.span, item.value) = (span, value);
    }

    /// Parses an object, unless that takes too much memory.
    fn parse(&mut self, span: Range<usize>) -> Option<Value> {
        self.parsed_bytes += span.len();
        if self.parsed_bytes > MAX_PARSED_BYTES { None } else { serde_json::from_str(&self.text[span]).ok() }
    }

    fn finish(mut self) -> Vec<ImageRef> {
        let linked = |item: &Item| item.links.iter().any(|link| !link.trim().is_empty());
        let has_link = !self.singles.is_empty() || self.items.iter().any(|item| item.is_documented && linked(item));
        let is_withheld = self.items.iter().any(|item| item.is_documented && !item.is_safe);
        if self.is_whole && (has_link || is_withheld) {
            // Everything is as documented, so other links are not images.
            self.items.retain(|item| item.is_documented);
        }
        self.items.sort_by_key(|item| item.span.start);
        let has_none = !self.items.iter().any(|item| linked(item) || !item.is_safe) && self.singles.is_empty();
        let mut loose = Vec::new();
        if !self.is_whole || has_none || self.items.iter().any(|item| item.is_safe && !linked(item)) {
            let known: BTreeSet<&str> =
                self.items.iter().flat_map(|item| &item.links).map(|link| link.trim()).collect();
            let known = known.into_iter().chain(self.singles.iter().map(|(_, link)| link.trim()));
            loose = loose_links(self.text, known.map(str::to_owned).collect(), MAX_IMAGES);
        }
        for item in self.items.iter_mut().filter(|item| item.is_safe && !linked(item)) {
            // A link inside an image without one is its link.
            if let Some(position) = loose.iter().position(|(position, _)| item.span.contains(position)) {
                item.links = vec![loose.remove(position).1];
            }
        }

        let mut images = Vec::new();
        for item in self.items {
            let mut links = item.links.into_iter().map(Some).collect::<Vec<_>>();
            let mut seen = BTreeSet::new();
            // An empty link next to another one is ignored.
            links.retain(|link| seen.insert(link.clone()));
            if links.len() > 1 {
                links.retain(|link| link.as_ref().is_some_and(|link| !link.trim().is_empty()));
            }
            if links.is_empty() {
                links.push(None);
            }
            for link in links {
                let (created, is_safe, item) = (self.created.clone(), item.is_safe, item.value.clone());
                images.push(ImageRef { number: images.len() + 1, role: None, created, link, is_safe, item });
            }
        }
        if !self.singles.is_empty() {
            let root = Some(&self.text[self.root]).filter(|root| root.len() <= MAX_PARSED_BYTES);
            let whole: Option<Value> = root.and_then(|root| serde_json::from_str(root).ok());
            for (name, role) in SINGLE_LINKS {
                for (_, link) in self.singles.iter().filter(|(single, _)| *single == role) {
                    let alone =
                        || Value::Object(Map::from_iter([(name.trim_matches('"').to_owned(), link.as_str().into())]));
                    images.push(ImageRef {
                        number: images.len() + 1,
                        role: Some(role),
                        // Not documented for these responses: file names must not depend on it.
                        created: None,
                        link: Some(link.clone()),
                        is_safe: true,
                        item: whole.clone().unwrap_or_else(alone),
                    });
                }
            }
        }
        for (_, link) in loose {
            let image = ImageRef::from_link(link);
            images.push(ImageRef { number: images.len() + 1, created: self.created.clone(), ..image });
        }
        images
    }
}

/// Returns the end of a string that begins at a quotation mark.
fn end_of_string(bytes: &[u8], start: usize) -> Option<usize> {
    let mut position = start + 1;
    loop {
        match bytes.get(position)? {
            b'"' => return Some(position + 1),
            b'\\' => position += 2,
            _ => position += 1,
        }
    }
}

/// Returns the text of a JSON string, also if it is not valid.
fn unescaped(raw: &str) -> String {
    serde_json::from_str(raw).unwrap_or_else(|_| {
        // It has control characters or unpaired surrogates, which no link contains.
        raw.trim_matches('"').replace("\\/", "/").replace("\\u0026", "&")
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const LINKS: [&str; 3] = [
        "https://ideogram.ai/api/images/ephemeral/LavTZAE4l8zM63sVJs_7aA.png?exp=1&sig=0a",
        "https://ideogram.ai/api/images/direct/ddgrm07nEJidT1m2fY8JiA",
        "https://a.test/image?id=3",
    ];

    fn response() -> String {
        let item = |link: &str, seed: u32| json!({"prompt": "a \"cat\", {[é😀", "seed": seed, "is_image_safe": true, "url": link, "more": [[], {}, 1.5e3]});
        let items: Vec<_> = LINKS.iter().zip(1..).map(|(link, seed)| item(link, seed)).collect();
        json!({"created": "2026-07-02T09:07:13Z", "note": "{[\"\\,", "data": items}).to_string()
    }

    fn links(text: &str) -> Vec<String> {
        find_images(text, true).images.into_iter().filter_map(|image| image.link).collect()
    }

    #[test]
    fn links_are_found_in_any_form_of_response() {
        let [a, b, c] = LINKS;
        let response = response();
        let item = format!(r#"{{"url":"{a}","seed":7}}"#);
        for (text, expected) in [
            (response.clone(), vec![a, b, c]),
            (response.replace(":true", ":NaN"), vec![a, b, c]),
            (response.replace("\"seed\":", "\"seed\":,"), vec![a, b, c]),
            (response.replace("\"data\"", "\"images\""), vec![a, b, c]),
            (response.replace("\"url\"", "\"href\""), vec![a, b]),
            (response.replace("\"url\"", "\"image_url\""), vec![a, b, c]),
            (response.replace('/', "\\/").replace('&', "\\u0026"), vec![a, b, c]),
            (format!("{response}<!-- cache -->"), vec![a, b, c]),
            (format!("{response}{response}"), vec![a, b, c, a, b, c]),
            (format!(")]}}',\n{response}"), vec![a, b, c]),
            (json!(response).to_string(), vec![a, b, c]),
            (json!(json!(response).to_string()).to_string(), vec![a, b, c]),
            (json!({"data": json!([{"url": a}]).to_string()}).to_string(), vec![a]),
            (json!({"data": {"url": a}}).to_string(), vec![a]),
            (json!({"data": {"0": {"url": a}, "1": {"url": b}}}).to_string(), vec![a, b]),
            (json!({"data": [a, b]}).to_string(), vec![a, b]),
            (json!({"data": [{"url": [a, b]}, {"url": {"href": c}}]}).to_string(), vec![a, b, c]),
            (json!({"data": [{"is_image_safe": true, "image": {"src": a}}]}).to_string(), vec![a]),
            (json!({"result": {"response": {"data": [{"url": c}]}}}).to_string(), vec![c]),
            (format!(r#"{{"data":[{item}],"data":[{}]}}"#, item.replace(a, b)), vec![a, b]),
            (format!(r#"{{"data":[{{"url":null,"url":"{a}"}}]}}"#), vec![a]),
            (format!(r#"{{"data":[{{"url":"{a}","url":null}}]}}"#), vec![a]),
            (format!(r#"{{"data":[{{"url":"{a}","prompt":"\ud800"}}]}}"#), vec![a]),
            (format!("{{\"data\":[{{\"prompt\":\"\u{1}\n\",\"url\":\"{a}\"}}]}}"), vec![a]),
            (format!("{{'data': [{{'url': '{c}', 'is_image_safe': True}}]}}"), vec![c]),
            (format!("<html><img src=\"{}\"><a href=\"https://a.test/help\">", a.replace('&', "&amp;")), vec![a]),
            (format!("{}{item}", "[".repeat(200_000)), vec![a]),
            (format!("{}{item}{}", r#"{"a":"#.repeat(200_000), "}".repeat(200_000)), vec![a]),
            (response.chars().flat_map(|letter| [letter, '\0']).collect(), vec![a, b, c]),
            (a.to_owned() + "\n", vec![a]),
            (format!(r#"{{"base_image_url": "{a}", "original_image_url": "https://a.te"#), vec![a]),
        ] {
            assert_eq!(links(&text), expected, "{}", &text[..text.len().min(300)]);
        }
    }

    #[test]
    fn partial_and_other_links_are_left_out() {
        let a = LINKS[0];
        for text in [
            String::new(),
            "<html>\"https://a.test\"".to_owned(),
            a.to_owned(),
            format!(r#"{{"data": [{{"url": "{a}"#),
            format!(r#"{{"data": [{{"url": "{a} HTTP/1.1 502"}} ]"#).replace("?exp=1&sig=0a", "\u{1}"),
            format!(r#"{{"data": [{{"url": null, "is_image_safe": false, "prompt": "{a}"}}]}}"#),
            json!({"data": [{"text": "a cat"}, format!("{a}\u{fffd}")]}).to_string(),
            r#"{"docs": "https://a.test/docs", "image": "cat.png"}"#.to_owned(),
            r#"{"data": [{"url": "https://a.test/1HTTP/1.1 502 Bad Gateway"} {"url": "x"}"#.to_owned(),
            r#"{"data": ["url": "https://a.test/1"#.to_owned(),
            "{\"data\": [{\"url\": \"https://a.test/\u{fffd}1\"}, ".to_owned(),
        ] {
            assert_eq!(links(&text), Vec::<String>::new(), "{text}");
        }
        let link = format!(r#"{{"data": [{{"url": "{a}"}}], "next": {{"url": "https://a.test/b.png"}}}}"#);
        assert_eq!(links(&link), [a]);
    }

    #[test]
    fn the_properties_of_an_image_survive_damage_next_to_them() {
        let flawed =
            format!(r#"{{"created":"2026-07-02T09:07:13Z","data":[{{"url":"{}","seed":7,"score":NaN}}]}}"#, LINKS[0]);

        let [image] = find_images(&flawed, true).images.try_into().unwrap();

        assert_eq!((image.seed(), image.created().is_some()), (Some(7), true));
        assert_eq!(image.item(), &json!({"url": LINKS[0], "seed": 7}));
    }

    #[test]
    fn every_whole_link_is_found_despite_damage() {
        let response = response();
        let bytes = response.as_bytes();
        // Each link with its quotation marks, which mark its end.
        let spans = LINKS.map(|link| {
            let start = response.find(link).unwrap();
            start - 1..start + link.len() + 1
        });
        let expected = |damaged: &[u8], is_whole: &dyn Fn(&Range<usize>) -> bool| {
            let text = crate::net::body_text::text_of(damaged, 1 << 20);
            let actual = links(&text.text);
            for (span, link) in spans.iter().zip(LINKS) {
                assert!(!is_whole(span) || actual.iter().any(|one| one == link), "{link}: {}", text.text);
            }
        };
        for cut in 0..bytes.len() {
            expected(&bytes[..cut], &|span| span.end <= cut);
        }
        let mut random = fastrand::Rng::with_seed(3);
        for position in 0..bytes.len() {
            for _ in 0..16 {
                let mut damaged = bytes.to_vec();
                damaged[position] = random.u8(..);
                // The third link can only be recognized by the name of its property.
                let name = spans[2].start - 6..spans[2].start;
                if name.contains(&position) {
                    continue;
                }
                expected(&damaged, &|span| !span.contains(&position));
            }
        }
    }

    #[test]
    fn nesting_costs_neither_stack_nor_time() {
        let deep = 1 << 20;
        for text in ["[", "{\"url\":", "[{\"url\":\"https://a.test/a.png\",\"a\":", "}", "]}", "\"a\":["] {
            find_images(&text.repeat(deep / text.len()), true);
        }
    }
}
