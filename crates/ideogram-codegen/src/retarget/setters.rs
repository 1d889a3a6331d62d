//! Setters that take literals: `.prompt("a cat")`, `.num_images(4)`, `.files(["a.png"])`.
//!
//! A setter of an optional value also takes an `Option`, of which `None` leaves the value out. progenitor's setters take
//! `TryInto<Option<T>>`, which literals do not implement, and drop the error of a conversion.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Ident, Type};

use crate::{error::RetargetError, fields};

/// The parts of a setter for a value of one type.
struct SetterParts {
    generics: TokenStream,
    argument: TokenStream,
    bounds: TokenStream,
    convert: TokenStream,
}

impl SetterParts {
    fn new(name: &str, inner: &Type, optional: bool) -> Self {
        match fields::only_argument(inner, "Vec") {
            Some(item) => Self {
                generics: quote! { I },
                argument: quote! { values: I },
                bounds: quote! {
                    I: ::std::iter::IntoIterator,
                    I::Item: ::std::convert::TryInto<#item>,
                    <I::Item as ::std::convert::TryInto<#item>>::Error: ::std::fmt::Display,
                },
                convert: if optional {
                    quote! { crate::runtime::convert_all(#name, values).map(::std::option::Option::Some) }
                } else {
                    quote! { crate::runtime::convert_all(#name, values) }
                },
            },
            None if optional => Self {
                generics: quote! { V, F },
                argument: quote! { value: V },
                bounds: quote! { V: crate::OptionalValue<#inner, F>, },
                convert: quote! { crate::runtime::convert_optional(#name, value) },
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

/// Returns a setter for a field of type `Result<T, String>` or `Result<Option<T>, String>`.
pub(super) fn setter(name: &str, ident: &Ident, field: &Type, docs: &str) -> Result<TokenStream, RetargetError> {
    checked_setter(name, ident, field, docs, &TokenStream::new())
}

/// Returns a setter for a path parameter of a type from `path_value`.
pub(super) fn path_setter(name: &str, ident: &Ident, field: &Type, docs: &str) -> Result<TokenStream, RetargetError> {
    checked_setter(name, ident, field, docs, &quote! { .and_then(|value| value.checked(#name)) })
}

fn checked_setter(
    name: &str,
    ident: &Ident,
    field: &Type,
    docs: &str,
    check: &TokenStream,
) -> Result<TokenStream, RetargetError> {
    let (optional, inner) = value_type(ident, field)?;
    let SetterParts { generics, argument, bounds, convert } = SetterParts::new(name, &inner, optional);
    Ok(quote! {
        #[doc = #docs]
        pub fn #ident<#generics>(mut self, #argument) -> Self
        where
            #bounds
        {
            self.#ident = #convert #check;
            self
        }
    })
}

/// Returns a setter that passes its value to the builder of the body.
pub(super) fn forwarded(
    name: &str,
    ident: &Ident,
    optional: bool,
    field: &Type,
    docs: &str,
) -> Result<TokenStream, RetargetError> {
    let (_, inner) = value_type(ident, field)?;
    let SetterParts { generics, argument, bounds, .. } = SetterParts::new(name, &inner, optional);
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

fn value_type(ident: &Ident, field: &Type) -> Result<(bool, Type), RetargetError> {
    let value = fields::ok_type(field)
        .ok_or_else(|| RetargetError::drift(format!("the field `{ident}` of a builder is not a `Result`")))?;
    Ok(fields::without_option(value))
}

/// Rewrites progenitor's messages about missing values.
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
