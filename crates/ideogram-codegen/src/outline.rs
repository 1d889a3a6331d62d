//! The public surface of generated source, for review: what users can name, without bodies and trait impls.
//!
//! One text per type, per operation builder, and one for the client's methods, so that a change of the document shows
//! up where it matters and nowhere else.

use std::collections::BTreeMap;

use proc_macro2::TokenStream;
use quote::ToTokens as _;
use syn::{Fields, ImplItem, Item, Visibility};

/// Outlines by name: `client`, `types/<Type>`, `builder/<Operation>`, `operations/<id>`.
pub(crate) fn outline(tokens: TokenStream) -> syn::Result<BTreeMap<String, String>> {
    let file: syn::File = syn::parse2(tokens)?;
    let mut outlines = BTreeMap::new();
    for item in &file.items {
        match item {
            Item::Impl(block) if block.trait_.is_none() => push(&mut outlines, "client", &block_outline(block)),
            Item::Mod(module) => {
                let items = module.content.iter().flat_map(|(_, items)| items);
                module_outline(&module.ident.to_string(), items, &mut outlines);
            }
            _ => {}
        }
    }
    Ok(outlines)
}

fn module_outline<'i>(module: &str, items: impl Iterator<Item = &'i Item>, outlines: &mut BTreeMap<String, String>) {
    for item in items {
        match item {
            Item::Struct(item) => push(outlines, &format!("{module}/{}", item.ident), &struct_outline(item)),
            Item::Enum(item) => push(outlines, &format!("{module}/{}", item.ident), &enum_outline(item)),
            Item::Impl(block) if block.trait_.is_none() => {
                let name = block.self_ty.to_token_stream().to_string();
                let name = name.split([' ', '<']).next().unwrap_or_default();
                push(outlines, &format!("{module}/{name}"), &block_outline(block));
            }
            Item::Static(item) if item.ident != "ALL" => {
                push(outlines, &format!("{module}/{}", item.ident.to_string().to_lowercase()), &constant_outline(item));
            }
            // The builders of types repeat their members; the types themselves are the review's subject.
            _ => {}
        }
    }
}

fn push(outlines: &mut BTreeMap<String, String>, name: &str, text: &str) {
    if !text.is_empty() {
        let outline = outlines.entry(name.to_owned()).or_default();
        outline.push_str(text);
    }
}

fn struct_outline(item: &syn::ItemStruct) -> String {
    let mut text = format!("{}pub struct {}", attributes(&item.attrs), item.ident);
    match &item.fields {
        Fields::Named(fields) => {
            text.push_str(" {\n");
            for field in fields.named.iter().filter(|field| matches!(field.vis, Visibility::Public(_))) {
                let name = field.ident.as_ref().map(ToString::to_string).unwrap_or_default();
                text.push_str(&indented(&attributes(&field.attrs)));
                text.push_str(&format!("    {name}: {},\n", short(&field.ty.to_token_stream())));
            }
            text.push_str("}\n");
        }
        _ => text.push_str("(..);\n"),
    }
    text
}

fn enum_outline(item: &syn::ItemEnum) -> String {
    let mut text = format!("{}pub enum {} {{\n", attributes(&item.attrs), item.ident);
    for variant in &item.variants {
        let held = variant.fields.iter().map(|field| short(&field.ty.to_token_stream())).collect::<Vec<_>>().join(", ");
        let held = if held.is_empty() { String::new() } else { format!("({held})") };
        let value = documentation(&variant.attrs).into_iter().find(|line| line.starts_with('`'));
        let value = value.map(|value| format!(" // {value}")).unwrap_or_default();
        text.push_str(&format!("    {}{held},{value}\n", variant.ident));
    }
    text.push_str("}\n");
    text
}

fn block_outline(block: &syn::ItemImpl) -> String {
    let mut text = String::new();
    for item in &block.items {
        let ImplItem::Fn(function) = item else { continue };
        if !matches!(function.vis, Visibility::Public(_)) {
            continue;
        }
        let first = documentation(&function.attrs).into_iter().next().unwrap_or_default();
        let deprecated = function.attrs.iter().any(|attribute| attribute.path().is_ident("deprecated"));
        text.push_str(&format!("/// {first}\n"));
        if deprecated {
            text.push_str("#[deprecated]\n");
        }
        text.push_str(&format!("pub {}\n", short(&function.sig.to_token_stream())));
    }
    text
}

fn constant_outline(item: &syn::ItemStatic) -> String {
    let file: syn::File = syn::parse_quote!(#item);
    let mut text = String::new();
    // The formatter that people see is not ours to depend on: a field per line is enough here.
    let tokens = short(&file.to_token_stream());
    for part in tokens.split(", ") {
        text.push_str(part.trim());
        text.push_str(",\n");
    }
    text
}

fn attributes(attributes: &[syn::Attribute]) -> String {
    let mut text = String::new();
    for line in documentation(attributes) {
        text.push_str(format!("/// {line}").trim_end());
        text.push('\n');
    }
    for attribute in attributes.iter().filter(|attribute| !attribute.path().is_ident("doc")) {
        text.push_str(&short(&attribute.to_token_stream()));
        text.push('\n');
    }
    text
}

fn documentation(attributes: &[syn::Attribute]) -> Vec<String> {
    let mut lines = Vec::new();
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("doc")) {
        if let syn::Meta::NameValue(meta) = &attribute.meta
            && let syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) = &meta.value
        {
            lines.extend(text.value().lines().map(|line| line.trim().to_owned()));
        }
    }
    lines
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("    {line}\n")).collect()
}

/// Tokens as a person would write them: without the absolute paths that generated code needs.
fn short(tokens: &TokenStream) -> String {
    let mut text = tokens.to_string();
    for path in [
        ":: std :: option :: ",
        ":: std :: string :: ",
        ":: std :: vec :: ",
        ":: std :: result :: ",
        ":: std :: convert :: ",
        ":: std :: iter :: ",
        ":: std :: fmt :: ",
        ":: std :: collections :: ",
        ":: serde_json :: ",
        ":: serde :: ",
        ":: schemars :: ",
        "crate :: types :: ",
        "types :: ",
        "crate :: ",
    ] {
        text = text.replace(path, "");
    }
    let replacements = [
        (" :: ", "::"),
        (" < ", "<"),
        ("< ", "<"),
        (" >", ">"),
        (" ,", ","),
        (" ;", ";"),
        ("( ", "("),
        (" )", ")"),
        (" (", "("),
        ("# [", "#["),
        ("[ ", "["),
        (" ]", "]"),
        ("& ", "&"),
        (" :", ":"),
        ("' ", "'"),
        (" <", "<"),
    ];
    for (from, to) in replacements {
        text = text.replace(from, to);
    }
    text
}
