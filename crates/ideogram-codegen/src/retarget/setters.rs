//! Setters that take what a caller has at hand: `.prompt("a cat")`, `.num_images(4)`, `.files(["a.png"])`.
//!
//! progenitor's own want `TryInto<Option<T>>`, which no literal is, and forget why a conversion failed.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Ident, Type};

use super::{Unexpected, fields};

/// The signature's parts for a value of one type.
struct Taking {
    generics: TokenStream,
    argument: TokenStream,
    bounds: TokenStream,
    convert: TokenStream,
}

impl Taking {
    fn new(name: &str, inner: &Type) -> Self {
        match fields::only_argument(inner, "Vec") {
            Some(item) => Self {
                generics: quote! { I },
                argument: quote! { values: I },
                bounds: quote! {
                    I: ::std::iter::IntoIterator,
                    I::Item: ::std::convert::TryInto<#item>,
                    <I::Item as ::std::convert::TryInto<#item>>::Error: ::std::fmt::Display,
                },
                convert: quote! { crate::runtime::convert_all(#name, values) },
            },
            None => Self {
                generics: quote! { V },
                argument: quote! { value: V },
                bounds: quote! {
                    V: ::std::convert::TryInto<#inner>,
                    <V as ::std::convert::TryInto<#inner>>::Error: ::std::fmt::Display,
                },
                convert: quote! { crate::runtime::convert(#name, value) },
            },
        }
    }
}

/// A setter for a field of type `Result<T, String>` or `Result<Option<T>, String>`.
pub(super) fn setter(name: &str, ident: &Ident, field: &Type, docs: &str) -> Result<TokenStream, Unexpected> {
    let (optional, inner) = held(ident, field)?;
    let Taking { generics, argument, bounds, convert } = Taking::new(name, &inner);
    let some = optional.then(|| quote! { .map(::std::option::Option::Some) });
    Ok(quote! {
        #[doc = #docs]
        pub fn #ident<#generics>(mut self, #argument) -> Self
        where
            #bounds
        {
            self.#ident = #convert #some;
            self
        }
    })
}

/// A setter that hands its value to the builder of the body.
pub(super) fn forwarded(name: &str, ident: &Ident, field: &Type, docs: &str) -> Result<TokenStream, Unexpected> {
    let (_, inner) = held(ident, field)?;
    let Taking { generics, argument, bounds, .. } = Taking::new(name, &inner);
    let value = if fields::only_argument(&inner, "Vec").is_some() {
        quote! { values }
    } else {
        quote! { value }
    };
    Ok(quote! {
        #[doc = #docs]
        pub fn #ident<#generics>(mut self, #argument) -> Self
        where
            #bounds
        {
            self.body = self.body.map(|body| body.#ident(#value));
            self
        }
    })
}

fn held(ident: &Ident, field: &Type) -> Result<(bool, Type), Unexpected> {
    let held = fields::ok_type(field)
        .ok_or_else(|| Unexpected::new(format!("the field `{ident}` of a builder is not a `Result`")))?;
    Ok(fields::without_option(held))
}

/// Says which value was not given, in the words that the setters use.
pub(super) struct MissingValues;

impl syn::visit_mut::VisitMut for MissingValues {
    fn visit_lit_str_mut(&mut self, literal: &mut syn::LitStr) {
        let text = literal.value();
        let name = text.strip_suffix(" was not initialized").or_else(|| text.strip_prefix("no value supplied for "));
        if let Some(name) = name {
            let name = name.trim_end_matches('_');
            *literal = syn::LitStr::new(&format!("`{name}` is required, but was not given"), literal.span());
        }
    }
}
