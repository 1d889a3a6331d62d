//! Expressions that several modules generate.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};

/// Returns the expression of an optional value.
pub(crate) fn option(value: Option<impl ToTokens>) -> TokenStream {
    match value {
        Some(value) => quote! { ::std::option::Option::Some(#value) },
        None => quote! { ::std::option::Option::None },
    }
}
