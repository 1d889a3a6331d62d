//! Enums that survive new values.
//!
//! Every enum of the document becomes a type with one variant per known value and `Unrecognized` for the rest, which
//! keeps the text as it came. The traits come from the runtime's macro `open_enum`, so that generated code stays
//! short; what a reader wants to see, the variants, is written out.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use crate::{
    model::{Model, Shape},
    names,
};

pub(crate) fn types(model: &Model) -> TokenStream {
    let enums = model.components.iter().filter_map(|(name, component)| match &component.shape {
        Shape::Enum(values) => Some(open_enum(name, &component.description, values)),
        _ => None,
    });
    enums.collect()
}

fn open_enum(name: &str, description: &str, values: &[String]) -> TokenStream {
    let ident = format_ident!("{name}");
    let variants: Vec<_> = values.iter().map(|value| format_ident!("{}", names::variant_name(name, value))).collect();
    let value_docs = values.iter().map(|value| format!("`{value}`"));
    let docs =
        paragraphs(&[description, "A value that this version does not know is kept verbatim in `Unrecognized`."]);
    quote! {
        #[doc = #docs]
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum #ident {
            #(#[doc = #value_docs] #variants,)*
            /// A value that the document did not list when this version was made.
            Unrecognized(::std::string::String),
        }
        crate::runtime::open_enum!(#ident { #(#variants = #values,)* });
    }
}

/// Joins what is not empty into paragraphs of documentation.
pub(crate) fn paragraphs(texts: &[&str]) -> String {
    texts.iter().map(|text| text.trim()).filter(|text| !text.is_empty()).collect::<Vec<_>>().join("\n\n")
}
