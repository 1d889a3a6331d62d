//! Named strings that stand in paths become newtypes, in requests and in responses.
//!
//! Decoding accepts any text, so that no response is lost. Setters of path parameters check the value, so that no id
//! can change the path of a request.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use crate::{
    docs::paragraphs,
    model::{Component, Kind, Model, Shape, TextBounds},
};

pub(crate) fn types(model: &Model) -> TokenStream {
    let values = model.components.iter().filter_map(|(name, component)| match &component.shape {
        Shape::Alias(schema) if model.is_path_value(name) => match &model.resolved(schema).kind {
            Kind::Text(bounds) => Some(path_value(name, component, bounds)),
            _ => None,
        },
        _ => None,
    });
    values.collect()
}

fn path_value(name: &str, component: &Component, bounds: &TextBounds) -> TokenStream {
    let ident = format_ident!("{name}");
    let docs = paragraphs(&[
        &component.description,
        "Any text converts into this type. The setter of a path parameter refuses a value that is empty, `.` or `..`, or \
         contains `/`, `?`, `#`, `%`, white space or a control character: it would change the path of the request.",
    ]);
    let pattern = match &bounds.pattern {
        Some(pattern) => quote! { ::std::option::Option::Some(#pattern) },
        None => quote! { ::std::option::Option::None },
    };
    quote! {
        #[doc = #docs]
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct #ident(::std::string::String);
        crate::runtime::path_value!(#ident, #pattern);
    }
}
