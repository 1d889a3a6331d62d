//! Setters that take literals: `.prompt("a cat")`, `.num_images(4)`, `.files(["a.png"])`.
//!
//! A setter of an optional value also takes an `Option`, of which `None` leaves the value out. progenitor's setters take
//! `TryInto<Option<T>>`, which literals do not implement, and drop the error of a conversion.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Ident, ImplItem, Type};

use crate::{error::RetargetError, fields};

/// The parts of a setter for a value of one type.
struct SetterParts {
    generics: TokenStream,
    /// The name of the argument.
    argument: TokenStream,
    kind: TokenStream,
    bounds: TokenStream,
    convert: TokenStream,
}

impl SetterParts {
    fn new(name: &str, inner: &Type, optional: bool) -> Self {
        match fields::only_argument(inner, "Vec") {
            Some(item) => Self {
                generics: quote! { I },
                argument: quote! { values },
                kind: quote! { I },
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
                argument: quote! { value },
                kind: quote! { V },
                bounds: quote! { V: crate::OptionalValue<#inner, F>, },
                convert: quote! { crate::runtime::convert_optional(#name, value) },
            },
            None => Self {
                generics: quote! { V },
                argument: quote! { value },
                kind: quote! { V },
                bounds: quote! {
                    V: ::std::convert::TryInto<#inner>,
                    <V as ::std::convert::TryInto<#inner>>::Error: ::std::fmt::Display,
                },
                convert: quote! { crate::runtime::convert(#name, value) },
            },
        }
    }

    /// Returns the setter, which runs this statement.
    fn method(&self, ident: &Ident, docs: &str, statement: &TokenStream) -> Result<ImplItem, RetargetError> {
        let Self { generics, argument, kind, bounds, convert: _ } = self;
        Ok(syn::parse2(quote! {
            #[doc = #docs]
            pub fn #ident<#generics>(mut self, #argument: #kind) -> Self
            where
                #bounds
            {
                #statement
                self
            }
        })?)
    }
}

/// Returns a setter for a field of type `Result<T, String>` or `Result<Option<T>, String>`. With `is_checked`, `T` is a
/// type from `path_value`, and the value must not change the path.
pub(super) fn setter(
    name: &str,
    ident: &Ident,
    field: &Type,
    docs: &str,
    is_checked: bool,
) -> Result<ImplItem, RetargetError> {
    let value = fields::ok_type(field)
        .ok_or_else(|| RetargetError::drift(format!("the field `{ident}` of a builder is not a `Result`")))?;
    let (optional, inner) = fields::without_option(value);
    let parts = SetterParts::new(name, &inner, optional);
    let convert = &parts.convert;
    let check = is_checked.then(|| quote! { .and_then(|value| value.checked(#name)) });
    parts.method(ident, docs, &quote! { self.#ident = #convert #check; })
}

/// Returns a setter that passes its value to the builder of the body.
pub(super) fn forwarded(
    name: &str,
    ident: &Ident,
    optional: bool,
    value: &Type,
    docs: &str,
) -> Result<ImplItem, RetargetError> {
    let parts = SetterParts::new(name, value, optional);
    let argument = &parts.argument;
    parts.method(ident, docs, &quote! { self.body = self.body.map(|body| body.#ident(#argument)); })
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
