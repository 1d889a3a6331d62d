//! Newtypes for path parameters, so that no id can change the path of a request.
//!
//! In responses the same ids are plain strings: values from the service are not refused.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use crate::{
    docs::paragraphs,
    model::{Component, Kind, Location, Model, Shape, TextBounds},
};

pub(crate) fn types(model: &Model) -> TokenStream {
    let values = model.components.iter().filter_map(|(name, component)| match &component.shape {
        Shape::Alias(schema) if is_path_value(model, name) => match &model.resolved(schema).kind {
            Kind::Text(bounds) => Some(path_value(name, component, bounds)),
            _ => None,
        },
        _ => None,
    });
    values.collect()
}

fn is_path_value(model: &Model, component: &str) -> bool {
    model.operations.iter().flat_map(|operation| &operation.parameters).any(|parameter| {
        parameter.location == Location::Path
            && matches!(&parameter.schema.kind, Kind::Component(name) if name == component)
    })
}

fn path_value(name: &str, component: &Component, bounds: &TextBounds) -> TokenStream {
    let ident = format_ident!("{name}");
    let docs = paragraphs(&[
        &component.description,
        "Checked when it is created: it is not empty, `.` or `..`, and holds no `/`, `?`, `#`, `%`, white space or control \
         character, so it cannot change the path of a request.",
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
