//! Encoders of multipart bodies, generated from the original document.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use crate::{
    fields::{Field, Fields},
    model::{Body, MediaType, Model, PartKind, Property},
    tokens::option,
};

pub(crate) fn encoders(model: &Model, fields: &Fields) -> TokenStream {
    let mut written = Vec::new();
    let bodies = model.operations.iter().filter_map(|operation| operation.body.as_ref());
    let encoders = bodies.filter(|body| body.media_type == MediaType::Multipart).filter_map(|body| {
        // Two operations may share a body.
        if written.contains(&body.component.as_str()) {
            return None;
        }
        written.push(&body.component);
        Some(encoder(model, fields, body))
    });
    encoders.collect()
}

fn encoder(model: &Model, fields: &Fields, body: &Body) -> TokenStream {
    let ident = format_ident!("{}", body.component);
    let parts = model.properties(&body.component).iter().filter_map(|property| {
        let field = fields.get(&body.component, &property.name)?;
        Some(part(model, body, property, field))
    });
    let parts: TokenStream = parts.collect();
    quote! {
        impl crate::runtime::Multipart for types::#ident {
            fn encode(&self, parts: &mut crate::runtime::Parts) -> ::std::result::Result<(), crate::Error> {
                #parts
                ::std::result::Result::Ok(())
            }
        }
    }
}

fn part(model: &Model, body: &Body, property: &Property, field: &Field) -> TokenStream {
    let (name, ident) = (&property.name, &field.ident);
    let kind = model.part_kind(&property.schema);
    let add = match kind {
        PartKind::File => quote! { parts.file(#name, value); },
        PartKind::Text => quote! { parts.text(#name, value); },
        PartKind::Json => {
            let media_type = option(body.part_media_types.get(name));
            quote! { parts.json(#name, value, #media_type)?; }
        }
    };
    match (field.optional, field.items().is_some()) {
        // Optional empty values are omitted.
        (false, false) if field.is_map() && !property.required => {
            quote! { if !self.#ident.is_empty() { let value = &self.#ident; #add } }
        }
        (false, false) => quote! { { let value = &self.#ident; #add } },
        (true, false) => quote! { if let ::std::option::Option::Some(value) = &self.#ident { #add } },
        (false, true) => quote! { for value in &self.#ident { #add } },
        (true, true) => quote! { for value in self.#ident.iter().flatten() { #add } },
    }
}
