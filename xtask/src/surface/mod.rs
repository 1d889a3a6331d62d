//! The public surface of generated source, for review: public items without bodies and trait impls.
//!
//! Start at [`surface`]. There is one text per object or union and per operation builder, one for all enums, one for the
//! ids of paths, and one for the constants of all operations, so that a change of the document changes few snapshots.
//! Schemas, parts of multipart bodies and patterns of path ids are comments below their type. `print` formats one item per
//! line, without absolute paths. `known` finds the texts that a type has already: setters and inputs with the same text
//! have none.

mod known;
mod print;

use std::collections::BTreeMap;

use ideogram_codegen::GeneratedClient;
use quote::ToTokens as _;
use syn::{Fields, ImplItem, Item, Visibility, visit_mut::VisitMut};

use self::{
    known::{Known, request_of},
    print::{attributes, commented, constant_value, documented, indented, line, signature, summarized},
};

/// The texts by name: `client`, `document`, `operations`, `enums`, `ids`, `types/<Type>`, `builder/<Operation>`.
///
/// # Panics
///
/// Never, because codegen generates valid source.
pub fn surface(client: &GeneratedClient) -> BTreeMap<String, String> {
    let file: syn::File = syn::parse_str(&client.source()).expect("codegen builds its source from parsed items");
    let types = file.items.iter().filter_map(|item| match item {
        Item::Mod(module) if module.ident == "types" => module.content.as_ref(),
        _ => None,
    });
    let mut surface = Surface { known: Known::of(types.flat_map(|(_, items)| items)), ..Surface::default() };
    for item in &file.items {
        match item {
            Item::Impl(block) if block.trait_.is_none() => surface.push("client", &methods(block, |_| false)),
            Item::Impl(block) => surface.push(&format!("types/{}", name_of(&block.self_ty)), &parts(block)),
            Item::Mod(module) => {
                let items = module.content.iter().flat_map(|(_, items)| items);
                add_module(&module.ident.to_string(), items, &mut surface);
            }
            _ => {}
        }
    }
    surface.texts
}

#[derive(Default)]
struct Surface {
    known: Known,
    texts: BTreeMap<String, String>,
}

impl Surface {
    /// Adds a section to the text of this name.
    fn push(&mut self, name: &str, section: &str) {
        if section.is_empty() {
            return;
        }
        let text = self.texts.entry(name.to_owned()).or_default();
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(section);
    }
}

fn add_module<'i>(module: &str, items: impl Iterator<Item = &'i Item>, surface: &mut Surface) {
    for item in items {
        match item {
            // Without named fields it is the id of a path.
            Item::Struct(item) if matches!(item.fields, Fields::Unnamed(_)) => surface.push("ids", &struct_text(item)),
            Item::Struct(item) => surface.push(&format!("{module}/{}", item.ident), &struct_text(item)),
            Item::Enum(item) if is_plain(item) => surface.push("enums", &enum_text(item)),
            Item::Enum(item) => surface.push(&format!("{module}/{}", item.ident), &enum_text(item)),
            Item::Impl(block) if block.trait_.is_none() => {
                let request = request_of(block);
                let text = methods(block, |method| surface.known.has_summary(request.as_deref(), method));
                surface.push(&format!("{module}/{}", name_of(&block.self_ty)), &text);
            }
            // The schema of a request follows its type: it has the rules that the type does not express.
            Item::Mod(schemas) if schemas.ident == "schemas" => {
                for item in schemas.content.iter().flat_map(|(_, items)| items) {
                    if let Item::Static(item) = item {
                        let lines = schema_lines(&item.expr);
                        surface.push(&format!("types/{}", item.ident), &commented("Checked before it is sent", &lines));
                    }
                }
            }
            Item::Static(item) => {
                let name = if item.ident == "ALL" { "document" } else { module };
                let value = surface.known.without_known_descriptions(&item.expr);
                surface.push(name, &declaration("static", &item.ident, &item.ty, &value));
            }
            Item::Const(item) => {
                surface.push("document", &declaration("const", &item.ident, &item.ty, &item.expr));
            }
            // The builders of types repeat the properties of the types, which are reviewed themselves.
            _ => {}
        }
    }
}

/// Returns whether an enum is a list of names. A union has values.
fn is_plain(item: &syn::ItemEnum) -> bool {
    item.variants.iter().all(|variant| variant.fields.is_empty() || variant.ident == "Unrecognized")
}

fn name_of(this: &syn::Type) -> String {
    match this {
        syn::Type::Path(path) => path.path.segments.last().map(|name| name.ident.to_string()).unwrap_or_default(),
        _ => this.to_token_stream().to_string(),
    }
}

fn struct_text(item: &syn::ItemStruct) -> String {
    let mut text = format!("{}pub struct {}{}", documented(&item.attrs), item.ident, line(&item.generics));
    match &item.fields {
        Fields::Named(fields) if fields.named.iter().any(|field| is_public(&field.vis)) => {
            text.push_str(" {\n");
            for field in fields.named.iter().filter(|field| is_public(&field.vis)) {
                let name = field.ident.as_ref().map(ToString::to_string).unwrap_or_default();
                let line = format!("{}pub {name}: {},\n", documented(&field.attrs), line(&field.ty));
                text.push_str(&indented(&line));
            }
            text.push_str("}\n");
        }
        Fields::Named(_) => text.push_str(" { .. }\n"),
        _ => text.push_str("(..);\n"),
    }
    text
}

fn enum_text(item: &syn::ItemEnum) -> String {
    let mut text = format!("{}pub enum {} {{\n", documented(&item.attrs), item.ident);
    for variant in &item.variants {
        let payload: Vec<_> = variant.fields.iter().map(|field| line(&field.ty)).collect();
        let payload = if payload.is_empty() { String::new() } else { format!("({})", payload.join(", ")) };
        text.push_str(&indented(&format!("{}{}{payload},\n", documented(&variant.attrs), variant.ident)));
    }
    text.push_str("}\n");
    text
}

/// The public methods of a type, without the summaries that are known already.
fn methods(block: &syn::ItemImpl, is_known: impl Fn(&syn::ImplItemFn) -> bool) -> String {
    let mut text = String::new();
    for item in &block.items {
        if let ImplItem::Fn(function) = item
            && is_public(&function.vis)
        {
            text.push_str(&if is_known(function) { attributes(&function.attrs) } else { summarized(&function.attrs) });
            text.push_str(&signature(&function.sig));
        }
    }
    if text.is_empty() {
        return text;
    }
    format!("impl{} {} {{\n{}}}\n", line(&block.generics), line(&block.self_ty), indented(&text))
}

/// A `static` or a `const`.
fn declaration(keyword: &str, name: &syn::Ident, kind: &syn::Type, value: &syn::Expr) -> String {
    format!("pub {keyword} {name}: {} = {};\n", line(kind), constant_value(value))
}

/// The properties, rules and kinds of a schema, each on a line.
fn schema_lines(schema: &syn::Expr) -> Vec<String> {
    let syn::Expr::Struct(schema) = schema else { return Vec::new() };
    let mut lines = Vec::new();
    for field in &schema.fields {
        let mut value = &field.expr;
        while let syn::Expr::Reference(reference) = value {
            value = &reference.expr;
        }
        match value {
            syn::Expr::Array(array) => lines.extend(array.elems.iter().map(flat)),
            syn::Expr::Path(_) => {}
            value => lines.push(format!("{}: {}", field.member.to_token_stream(), flat(value))),
        }
    }
    lines
}

/// A value on one line.
fn flat(value: &syn::Expr) -> String {
    constant_value(value).lines().map(str::trim).collect::<Vec<_>>().join(" ").replace(", }", " }")
}

/// The parts that a generated encoder writes, in their order.
fn parts(block: &syn::ItemImpl) -> String {
    let is_encoder = block.trait_.as_ref().and_then(|(path, _)| path.segments.last());
    if is_encoder.is_none_or(|name| name.ident != "Multipart") {
        return String::new();
    }
    let mut parts = Parts::default();
    parts.visit_item_impl_mut(&mut block.clone());
    commented("Parts", &parts.0)
}

#[derive(Default)]
struct Parts(Vec<String>);

impl VisitMut for Parts {
    fn visit_expr_method_call_mut(&mut self, call: &mut syn::ExprMethodCall) {
        if !matches!(&*call.receiver, syn::Expr::Path(path) if path.path.is_ident("parts")) {
            return syn::visit_mut::visit_expr_method_call_mut(self, call);
        }
        // The name of the part is enough; its value is always called `value`.
        let arguments = call.args.iter().map(line);
        let arguments: Vec<_> = arguments.filter(|argument| argument != "value").collect();
        self.0.push(format!("{}({})", call.method, arguments.join(", ")));
    }
}

fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}
