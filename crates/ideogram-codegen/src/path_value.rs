//! Named strings that stand in paths become newtypes, in requests and in responses.
//!
//! Decoding accepts any text, so that no response is lost. Setters of path parameters check the value, so that no id
//! can change the path of a request.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use crate::{
    docs::paragraphs,
    model::{Component, Kind, Model, Shape},
};

pub(crate) fn types(model: &Model) -> TokenStream {
    let is_path_value = |name: &str, component: &Component| match &component.shape {
        Shape::Alias(schema) if model.is_path_value(name) => matches!(model.resolved(schema).kind, Kind::Text(_)),
        _ => false,
    };
    let values = model.components.iter().filter(|(name, component)| is_path_value(name, component));
    values.map(|(name, component)| path_value(name, component)).collect()
}

fn path_value(name: &str, component: &Component) -> TokenStream {
    let ident = format_ident!("{name}");
    let docs = paragraphs(&[
        &component.description,
        "Any text converts into this type. The setter of a path parameter refuses a value that is empty, `.` or `..`, or \
         contains `/`, `?`, `#`, `%`, white space or a control character: it would change the path of the request.",
    ]);
    quote! {
        #[doc = #docs]
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct #ident(::std::string::String);
        crate::runtime::path_value!(#ident);
    }
}
