//! Points progenitor's output at the runtime, on tokens, never on text.
//!
//! Start at [`retarget`]. `types` adjusts the data types, `setters` makes setters that take what a caller has at
//! hand, `builders` replaces the tail of every `send()` by a call into the runtime. progenitor's client, its
//! constructors, its hooks and its error type are left out: the crate that includes the code brings its own.

mod builders;
mod fields;
mod setters;
mod types;

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Item, ItemImpl, ItemMod};

pub(crate) use self::fields::{Field, Fields};
use crate::{
    model::{Billing, Model, Operation, Retry},
    multipart, open_enum, open_union, operations, path_value,
    rules::Reading,
    schemas,
};

/// progenitor's output was not of the form that retarget was written for.
#[derive(Debug)]
pub(crate) struct Unexpected {
    pub(crate) operation: Option<String>,
    pub(crate) message: String,
}

impl Unexpected {
    fn new(message: impl Into<String>) -> Self {
        Self { operation: None, message: message.into() }
    }

    fn in_operation(mut self, operation: &Operation) -> Self {
        self.operation = Some(operation.id.clone());
        self
    }
}

impl From<syn::Error> for Unexpected {
    fn from(error: syn::Error) -> Self {
        Self::new(format!("its tokens do not parse: {error}"))
    }
}

/// The finished source, as tokens.
pub(crate) fn retarget(tokens: TokenStream, reading: &Reading) -> Result<TokenStream, Unexpected> {
    let model = &reading.model;
    let Parts { types, methods, builders } = Parts::of(syn::parse2(tokens)?)?;
    let fields = Fields::of(&types)?;
    let types = types::retarget(types, model, &fields)?;
    let methods = client_methods(methods, model)?;
    let builders = builders::retarget(builders, model, &fields)?;
    let operations = operations::constants(reading);
    let enums = open_enum::types(model);
    let unions = open_union::types(model);
    let path_values = path_value::types(model);
    let encoders = multipart::encoders(model, &fields);
    let schemas = schemas::impls(model);
    Ok(quote! {
        use crate::Client;

        /// The values that requests and answers are made of.
        pub mod types {
            #(#types)*
            #path_values
            #enums
            #unions
        }

        #methods

        /// One builder per operation: set what is needed, then `send()`.
        pub mod builder {
            use super::types;
            #(#builders)*
        }

        /// What the document says of each operation beside its types.
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
    fn of(file: syn::File) -> Result<Self, Unexpected> {
        let (mut types, mut methods, mut builders) = (None, None, None);
        for item in file.items {
            match item {
                Item::Mod(module) if module.ident == "types" => types = Some(content(module)?),
                Item::Mod(module) if module.ident == "builder" => builders = Some(content(module)?),
                Item::Impl(block) if is_methods(&block) => methods = Some(block),
                // Imports, the client with its constructors and hooks, the prelude: replaced by the including crate.
                Item::Use(_) | Item::Struct(_) | Item::Impl(_) | Item::Mod(_) => {}
                _ => return Err(Unexpected::new("it has a top-level item of an unknown kind")),
            }
        }
        match (types, methods, builders) {
            (Some(types), Some(methods), Some(builders)) => Ok(Self { types, methods, builders }),
            _ => Err(Unexpected::new("one of `mod types`, `mod builder` and the client's methods is missing")),
        }
    }
}

fn content(module: ItemMod) -> Result<Vec<Item>, Unexpected> {
    let (_, items) = module.content.ok_or_else(|| Unexpected::new(format!("`mod {}` has no content", module.ident)))?;
    Ok(items)
}

/// `impl Client` with one method per operation, as opposed to the one with the constructors.
fn is_methods(block: &ItemImpl) -> bool {
    let constructs =
        block.items.iter().any(|item| matches!(item, syn::ImplItem::Fn(function) if function.sig.ident == "new"));
    block.trait_.is_none() && !constructs
}

fn client_methods(mut block: ItemImpl, model: &Model) -> Result<ItemImpl, Unexpected> {
    for item in &mut block.items {
        let syn::ImplItem::Fn(function) = item else {
            return Err(Unexpected::new("the client has an item that is not a method"));
        };
        let operation = operation_of(model, &function.sig.ident)?;
        let docs = method_docs(operation);
        function.attrs = vec![syn::parse_quote!(#[doc = #docs])];
        if operation.deprecated {
            function
                .attrs
                .push(syn::parse_quote!(#[deprecated = "the service announces the removal of this operation"]));
        }
    }
    Ok(block)
}

fn operation_of<'m>(model: &'m Model, method: &syn::Ident) -> Result<&'m Operation, Unexpected> {
    let found = model.operations.iter().find(|operation| *method == operation.method_name);
    found.ok_or_else(|| Unexpected::new(format!("it has a method `{method}` that belongs to no operation")))
}

fn method_docs(operation: &Operation) -> String {
    let request = format!("`{} {}`", operation.http_method.to_uppercase(), operation.path);
    let summary = operation.summary.trim_end_matches('.');
    let first = if summary.is_empty() { format!("Sends {request}.") } else { format!("{summary}: {request}.") };
    let promise = match (operation.billing, operation.retry) {
        (Billing::Paid, _) => "Costs money. After an unknown outcome, look before calling again.",
        (Billing::Free, Retry::Unsafe) => {
            "Free, but it changes something. After an unknown outcome, look before calling again."
        }
        (Billing::Free, Retry::Safe) => "Free, and safe to repeat.",
    };
    let link = operation.docs_url.as_ref().map(|url| format!("Reference: <{url}>")).unwrap_or_default();
    open_enum::paragraphs(&[&first, &operation.description, promise, &link])
}
