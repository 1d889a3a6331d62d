//! Enums that accept new values.
//!
//! Every enum of the document becomes a type with one variant per known value, and `Unrecognized` with the text of any
//! other value. The runtime's macro `open_enum` implements the traits, so that generated code stays short.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use crate::{
    docs::paragraphs,
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
            /// A value that the document did not list when this version was released.
            Unrecognized(::std::string::String),
        }
        crate::runtime::open_enum!(#ident { #(#variants = #values,)* });
    }
}
