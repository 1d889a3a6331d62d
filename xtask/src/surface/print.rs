//! Formats tokens for readers: no absolute paths, usual spacing, one item per line.

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};
use quote::ToTokens;

/// Fields of schemas that are omitted if they are `None`.
const OMITTED_IF_NONE: [&str; 10] = [
    "min_length",
    "max_length",
    "pattern",
    "minimum",
    "maximum",
    "min_items",
    "max_items",
    "json",
    "additional",
    "default",
];
/// The widest line of prose.
const WIDTH: usize = 100;

/// Documentation and attributes.
pub(super) fn documented(attributes: &[syn::Attribute]) -> String {
    with_attributes(&documentation(attributes), attributes)
}

/// The first paragraph of the documentation, and the attributes; for methods, whose full documentation is in the
/// document.
pub(super) fn summarized(attributes: &[syn::Attribute]) -> String {
    with_attributes(summary(&documentation(attributes)), attributes)
}

/// The first paragraph.
pub(super) fn summary(documentation: &str) -> &str {
    documentation.split("\n\n").next().unwrap_or_default()
}

fn with_attributes(documentation: &str, all: &[syn::Attribute]) -> String {
    let lines = prose(documentation);
    let lines: String = lines.iter().map(|line| format!("/// {line}").trim_end().to_owned() + "\n").collect();
    lines + &attributes(all)
}

/// The attributes without the documentation.
pub(super) fn attributes(all: &[syn::Attribute]) -> String {
    let others = all.iter().filter(|attribute| !attribute.path().is_ident("doc"));
    others.map(|attribute| line(attribute) + "\n").collect()
}

pub(super) fn documentation(attributes: &[syn::Attribute]) -> String {
    let mut text = Vec::new();
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("doc")) {
        if let syn::Meta::NameValue(meta) = &attribute.meta
            && let syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(doc), .. }) = &meta.value
        {
            text.push(doc.value());
        }
    }
    text.iter().flat_map(|doc| doc.split('\n')).map(str::trim).collect::<Vec<_>>().join("\n").trim().to_owned()
}

/// Text in lines of bounded width; its own line breaks stay.
fn prose(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        let mut wrapped = String::new();
        for word in paragraph.split_whitespace() {
            if !wrapped.is_empty() && wrapped.chars().count() + 1 + word.chars().count() > WIDTH {
                lines.push(std::mem::take(&mut wrapped));
            }
            if !wrapped.is_empty() {
                wrapped.push(' ');
            }
            wrapped.push_str(word);
        }
        lines.push(wrapped);
    }
    lines
}

/// The head of a function.
pub(super) fn signature(signature: &syn::Signature) -> String {
    let arguments = signature.inputs.iter().map(|argument| match argument {
        // `mut self` is an implementation detail.
        syn::FnArg::Receiver(receiver) if matches!(receiver.kind, syn::ReceiverKind::Value) => "self".to_owned(),
        _ => line(argument),
    });
    let arguments = arguments.collect::<Vec<_>>().join(", ");
    let asynchronous = if signature.asyncness.is_some() { "async " } else { "" };
    let generics = line(&signature.generics);
    let output = line(&signature.output);
    let output = if output.is_empty() { output } else { format!(" {output}") };
    let mut text = format!("pub {asynchronous}fn {}{generics}({arguments}){output}", signature.ident);
    if let Some(clause) = &signature.generics.where_clause {
        let bounds: Vec<_> = clause.predicates.iter().map(line).collect();
        let on_one_line = format!("{text} where {}", bounds.join(", "));
        if on_one_line.len() <= WIDTH {
            text = on_one_line;
        } else {
            text.push_str(&format!("\nwhere\n{}", indented(&bounds.join(",\n")).trim_end()));
        }
    }
    text.push_str(";\n");
    text
}

/// The value of a constant: each field, and each structure in a list, on a line of its own, unless it is short.
pub(super) fn constant_value(value: &syn::Expr) -> String {
    match value {
        // A schema is a static inside of a block expression.
        syn::Expr::Block(block) => {
            let mut items = block.block.stmts.iter().filter_map(|statement| match statement {
                syn::Stmt::Item(syn::Item::Static(item)) => Some(constant_value(&item.expr)),
                _ => None,
            });
            items.next().unwrap_or_default()
        }
        syn::Expr::Struct(value) => {
            // Schema and default of a property of the body are in a comment below its type.
            let in_body = value.fields.iter().any(|field| line(&field.expr) == "Location::Body");
            let is_omitted = |field: &&syn::FieldValue| {
                let (name, value) = (line(&field.member), line(&field.expr));
                in_body && ["schema", "default"].contains(&name.as_str())
                    || value == "None" && OMITTED_IF_NONE.contains(&name.as_str())
            };
            let properties = value.fields.iter().filter(|field| !is_omitted(field)).map(|field| {
                let name = field.member.to_token_stream();
                format!("{name}: {}", constant_value(&field.expr))
            });
            let (path, properties) = (line(&value.path), properties.collect::<Vec<_>>());
            let on_one_line = match properties.join(", ") {
                inner if inner.is_empty() => format!("{path} {{ }}"),
                inner => format!("{path} {{ {inner} }}"),
            };
            if on_one_line.len() <= WIDTH && !on_one_line.contains('\n') {
                return on_one_line;
            }
            format!("{path} {{\n{}}}", indented(&properties.iter().map(|it| format!("{it},\n")).collect::<String>()))
        }
        syn::Expr::Reference(reference) => match &*reference.expr {
            syn::Expr::Array(array) => {
                let items: Vec<_> = array.elems.iter().map(constant_value).collect();
                let on_one_line = items.join(", ");
                if on_one_line.len() <= WIDTH && !on_one_line.contains('\n') {
                    return format!("&[{on_one_line}]");
                }
                format!("&[\n{}]", items.iter().map(|item| indented(&format!("{item},\n"))).collect::<String>())
            }
            inner => format!("&{}", constant_value(inner)),
        },
        syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) if text.value().len() > WIDTH => {
            let lines = prose(&text.value()).join("\n");
            format!("\"\n{}\"", indented(&lines))
        }
        _ => line(value),
    }
}

/// Lines of a comment below a title; nothing without lines.
pub(super) fn commented(title: &str, lines: &[String]) -> String {
    if lines.is_empty() {
        return String::new();
    }
    let lines: String = lines.iter().map(|line| format!("//     {line}\n")).collect();
    format!("// {title}:\n{lines}")
}

/// Four spaces in front of every line that is not empty.
pub(super) fn indented(text: &str) -> String {
    text.lines().map(|line| if line.is_empty() { "\n".to_owned() } else { format!("    {line}\n") }).collect()
}

/// Tokens on one line, spaced as usual, with shortened paths.
pub(super) fn line(item: &impl ToTokens) -> String {
    let mut atoms = Vec::new();
    flatten(item.to_token_stream(), &mut atoms);
    let atoms = without_prefixes(atoms);
    let mut text = String::new();
    for (index, atom) in atoms.iter().enumerate() {
        if index > 0 && wants_space(&atoms[index - 1], atom) {
            text.push(' ');
        }
        text.push_str(atom);
    }
    text
}

/// Splits tokens into atoms: words, literals, lifetimes, and punctuation of one or more characters.
fn flatten(tokens: TokenStream, atoms: &mut Vec<String>) {
    let mut punctuation = String::new();
    for token in tokens {
        match token {
            TokenTree::Punct(punct) => {
                // A lifetime starts a new atom, and each closing angle bracket is an atom of its own.
                if punct.as_char() == '\'' && !punctuation.is_empty() {
                    atoms.push(std::mem::take(&mut punctuation));
                }
                punctuation.push(punct.as_char());
                if punct.spacing() == Spacing::Alone || punctuation == "<" || punctuation == ">" {
                    atoms.push(std::mem::take(&mut punctuation));
                }
            }
            // The apostrophe of a lifetime is joined to its name.
            TokenTree::Ident(name) => atoms.push(std::mem::take(&mut punctuation) + &name.to_string()),
            TokenTree::Literal(literal) => {
                atoms.push(literal.to_string().replace("::std::option::", "").replace("::std::vec::", ""));
            }
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Brace => ("{", "}"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::None => ("", ""),
                };
                atoms.push(open.to_owned());
                flatten(group.stream(), atoms);
                atoms.push(close.to_owned());
            }
        }
    }
    atoms.retain(|atom| !atom.is_empty());
}

/// Removes the modules of well-known names.
fn without_prefixes(atoms: Vec<String>) -> Vec<String> {
    const KNOWN: [&str; 8] = ["std", "serde", "serde_json", "schemars", "crate", "super", "runtime", "types"];
    let mut output: Vec<String> = Vec::new();
    let mut rest = atoms.into_iter().peekable();
    while let Some(atom) = rest.next() {
        let follows_name = output.last().is_some_and(|last| last != "as" && is_word(last) || last == ">");
        if atom == "::" && !follows_name {
            continue;
        }
        let is_root = output.last().is_none_or(|last| last != "::");
        if is_word(&atom) && is_root && rest.peek().is_some_and(|next| next == "::") && KNOWN.contains(&atom.as_str()) {
            rest.next();
            // Modules of the standard library have names in lower case; the types behind them do not.
            while atom == "std" && rest.peek().is_some_and(|next| next.starts_with(char::is_lowercase)) {
                rest.next();
                rest.next();
            }
            continue;
        }
        if (atom == "Some" || atom == "None") && output.ends_with(&["Option".to_owned(), "::".to_owned()]) {
            output.truncate(output.len() - 2);
        }
        output.push(atom);
    }
    output
}

fn is_word(atom: &str) -> bool {
    atom.starts_with(|character: char| character.is_alphanumeric() || character == '_')
}

fn wants_space(before: &str, after: &str) -> bool {
    let word = |atom: &str| is_word(atom) || atom.starts_with(['"', '\'']);
    let operator = |atom: &str| matches!(atom, "->" | "=>" | "=" | "+" | "==" | "&&" | "||");
    match (before, after) {
        (_, "," | ";" | ":" | "::" | ")" | "]" | ">" | "?" | "." | "!") => false,
        (_, "{" | "}") | ("," | ";" | ":" | "{" | "as" | "for" | "where" | "dyn" | "mut", _) => true,
        _ if operator(before) || operator(after) => true,
        (">" | ")", after) => word(after),
        (before, after) => word(before) && word(after),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn formatted(source: &str) -> String {
        line(&source.parse::<TokenStream>().unwrap())
    }

    #[test]
    fn paths_are_shortened_and_tokens_are_spaced_as_usual() {
        for (source, expected) in [
            ("::std::option::Option<::std::vec::Vec<crate::types::Dataset>>", "Option<Vec<Dataset>>"),
            ("types::builder::Dataset", "builder::Dataset"),
            ("<V as ::std::convert::TryInto<types::A>>::Error: std::fmt::Display", "<V as TryInto<A>>::Error: Display"),
            ("::std::option::Option::Some(1u64)", "Some(1u64)"),
            ("&'a  super::Client", "&'a Client"),
            ("-> builder::GetDataset<'_>", "-> builder::GetDataset<'_>"),
            ("HashMap<String, Vec<u8>>", "HashMap<String, Vec<u8>>"),
            (r#"#[serde(rename = "type", default)]"#, r#"#[serde(rename = "type", default)]"#),
            (r#"#[serde(x = "::std::option::Option::is_none")]"#, r#"#[serde(x = "Option::is_none")]"#),
            (r#"f("a (b), c")"#, r#"f("a (b), c")"#),
            ("self.a.is_some()&&self.b.is_some()", "self.a.is_some() && self.b.is_some()"),
        ] {
            assert_eq!(formatted(source), expected);
        }
    }

    #[test]
    fn prose_keeps_its_paragraphs() {
        assert_eq!(prose("one\n\ntwo"), ["one", "", "two"]);
        assert!(prose(&"word ".repeat(100)).iter().all(|line| line.len() <= WIDTH));
    }
}
