//! Rewrites progenitor's tokens so that they use the runtime of the including crate.
//!
//! Start at [`retarget`]. `types` adjusts the data types, `setters` generates setters that take literals, `builders`
//! replaces the end of every `send()` with a call into the runtime. progenitor's client, constructors, hooks and error
//! type are dropped: the including crate has its own.

mod builders;
mod setters;
mod types;

use std::{cmp::Reverse, collections::BTreeMap};

use proc_macro2::TokenStream;
use quote::quote;
use syn::{ImplItem, ImplItemFn, Item, ItemImpl, ItemMod, ItemStruct};

use crate::{
    docs,
    error::RetargetError,
    fields::Fields,
    model::{Billing, Model, Operation, Retry},
    multipart, names, open_enum, open_union, operations, path_value,
    rules::DocumentFacts,
    schemas,
};

/// Returns the finished source as tokens.
pub(crate) fn retarget(tokens: TokenStream, facts: &DocumentFacts) -> Result<TokenStream, RetargetError> {
    let model = &facts.model;
    let Parts { types, methods, builders } = Parts::of(syn::parse2(tokens)?)?;
    let fields = Fields::of(&types)?;
    let types = types::retarget(types, model, &fields)?;
    let methods = client_methods(&methods, model)?;
    let builders = builders::retarget(builders, model, &fields)?;
    let operations = operations::constants(facts)?;
    let enums = open_enum::types(model);
    let unions = open_union::types(model);
    let path_values = path_value::types(model);
    let encoders = multipart::encoders(model, &fields);
    let schemas = schemas::impls(model);
    Ok(quote! {
        use crate::Client;

        /// Types of requests and responses.
        pub mod types {
            #(#types)*
            #path_values
            #enums
            #unions
        }

        #(#methods)*

        /// One builder per operation: set its values, then await it, or call `send()`.
        pub mod builder {
            use super::types;
            #(#builders)*
        }

        /// Facts about each operation, from the document.
        pub mod operations {
            #operations
        }

        #encoders
        #schemas
    })
}

struct Parts {
    types: Vec<Item>,
    methods: ItemImpl,
    builders: Vec<Item>,
}

impl Parts {
    fn of(file: syn::File) -> Result<Self, RetargetError> {
        let (mut types, mut methods, mut builders) = (None, None, None);
        for item in file.items {
            match item {
                Item::Mod(module) if module.ident == "types" => types = Some(content(module)?),
                Item::Mod(module) if module.ident == "builder" => builders = Some(content(module)?),
                Item::Impl(block) if is_methods(&block) => methods = Some(block),
                // The including crate has its own imports, client and prelude.
                Item::Use(_) | Item::Struct(_) | Item::Impl(_) | Item::Mod(_) => {}
                _ => return Err(RetargetError::drift("it has a top-level item of an unknown kind")),
            }
        }
        match (types, methods, builders) {
            (Some(types), Some(methods), Some(builders)) => Ok(Self { types, methods, builders }),
            _ => Err(RetargetError::drift("one of `mod types`, `mod builder` and the client's methods is missing")),
        }
    }
}

fn content(module: ItemMod) -> Result<Vec<Item>, RetargetError> {
    let (_, items) =
        module.content.ok_or_else(|| RetargetError::drift(format!("`mod {}` has no content", module.ident)))?;
    Ok(items)
}

fn structure<'s>(structures: &'s [ItemStruct], builder: &str) -> Result<&'s ItemStruct, RetargetError> {
    let found = structures.iter().find(|structure| structure.ident == builder);
    found.ok_or_else(|| RetargetError::drift(format!("the builder `{builder}` has no fields")))
}

/// Returns whether a block is the `impl Client` with one method per operation, not the one with the constructors.
fn is_methods(block: &ItemImpl) -> bool {
    let constructs =
        block.items.iter().any(|item| matches!(item, ImplItem::Fn(function) if function.sig.ident == "new"));
    block.trait_.is_none() && !constructs
}

/// One block for each tag and version of the API: rustdoc prints the documentation of a block above its methods.
fn client_methods(block: &ItemImpl, model: &Model) -> Result<Vec<ItemImpl>, RetargetError> {
    let mut groups: BTreeMap<Group, Vec<ImplItem>> = BTreeMap::new();
    for item in &block.items {
        let ImplItem::Fn(function) = item else {
            return Err(RetargetError::drift("the client has an item that is not a method"));
        };
        let operation = operation_of(model, &function.sig.ident)?;
        let method = ImplItem::Fn(client_method(function.clone(), operation));
        groups.entry(Group::of(model, operation)).or_default().push(method);
    }
    let blocks = groups.iter().map(|(group, methods)| {
        let of_tag = groups.keys().filter(|other| other.tag == group.tag);
        let docs = group.docs(model, of_tag.count() > 1);
        ItemImpl { attrs: vec![syn::parse_quote!(#[doc = #docs])], items: methods.clone(), ..block.clone() }
    });
    Ok(blocks.collect())
}

fn client_method(mut function: ImplItemFn, operation: &Operation) -> ImplItemFn {
    let docs = method_docs(operation);
    // A builder owns a clone of the client.
    let builder = quote::format_ident!("{}", names::type_name(&operation.method_name));
    function.sig.output = syn::parse_quote!(-> builder::#builder);
    function.attrs = vec![syn::parse_quote!(#[doc = #docs])];
    if operation.deprecated {
        let note = "the service announces the removal of this operation";
        function.attrs.push(syn::parse_quote!(#[deprecated = #note]));
    }
    function
}

/// Operations of one tag and one version of the API, in the order of the documentation.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Group {
    /// The index among the declared tags; other operations come last.
    tag: usize,
    /// The newest version first, and paths without a version last.
    version: Reverse<Option<u32>>,
}

impl Group {
    fn of(model: &Model, operation: &Operation) -> Self {
        let tag = model.tags.iter().position(|tag| Some(&tag.name) == operation.tag.as_ref());
        let segment = operation.path.split('/').nth(1).unwrap_or_default();
        let version = segment.strip_prefix('v').and_then(|number| number.parse().ok());
        Self { tag: tag.unwrap_or(model.tags.len()), version: Reverse(version) }
    }

    fn docs(&self, model: &Model, has_versions: bool) -> String {
        let tag = model.tags.get(self.tag);
        let name = tag.map_or("other operations", |tag| &tag.name);
        let description = tag.map_or("", |tag| &tag.description);
        let heading = match self.version.0 {
            _ if !has_versions => format!("# {name}"),
            Some(version) => format!("# {name}: `/v{version}`"),
            None => format!("# {name}: paths without a version"),
        };
        docs::paragraphs(&[&heading, description])
    }
}

fn operation_of<'m>(model: &'m Model, method: &syn::Ident) -> Result<&'m Operation, RetargetError> {
    let found = model.operations.iter().find(|operation| *method == operation.method_name);
    found.ok_or_else(|| RetargetError::drift(format!("it has a method `{method}` that belongs to no operation")))
}

fn method_docs(operation: &Operation) -> String {
    let request = format!("`{} {}`", operation.http_method.to_uppercase(), operation.path);
    let summary = operation.summary.trim_end_matches('.');
    let first = if summary.is_empty() { format!("Sends {request}.") } else { format!("{summary}: {request}.") };
    let promise = match (operation.billing, operation.retry) {
        (Billing::Paid, _) => "Billed. If the outcome is unknown, check whether the call ran before you call again.",
        (Billing::Free, Retry::Unsafe) => {
            "Free, but not idempotent. If the outcome is unknown, check whether the call ran before you call again."
        }
        (Billing::Free, Retry::Safe) => "Free, and safe to retry.",
    };
    let link = operation.docs_url.as_ref().map(|url| format!("Reference: <{url}>")).unwrap_or_default();
    docs::paragraphs(&[&first, &operation.description, promise, &link])
}
