//! Encoders of multipart bodies, made from the true document: which part is a file, a repeated value, JSON text.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use crate::{
    model::{Body, Kind, MediaType, Member, Model, Schema, Shape},
    retarget::{Field, Fields},
};

/// How one value of a part is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PartKind {
    /// A file, with name and media type.
    File,
    /// Text: numbers in decimal, `true` and `false`, enum values as they are.
    Text,
    /// An object as JSON text.
    Json,
}

/// How a member of a multipart body is written, and whether it can be several parts of one name.
pub(crate) fn part_kind(model: &Model, member: &Schema) -> (PartKind, bool) {
    let resolved = model.resolved(member);
    match &resolved.kind {
        Kind::Array(items, _) => (single_kind(model, items), true),
        _ => (single_kind(model, resolved), false),
    }
}

fn single_kind(model: &Model, schema: &Schema) -> PartKind {
    match &model.resolved(schema).kind {
        Kind::File => PartKind::File,
        Kind::Component(name) if matches!(model.components[name].shape, Shape::Enum(_)) => PartKind::Text,
        Kind::Component(_) | Kind::Array(..) | Kind::Map(_) | Kind::FreeObject | Kind::Any => PartKind::Json,
        Kind::Text(_) | Kind::Time | Kind::Integer(..) | Kind::Number(..) | Kind::Boolean => PartKind::Text,
    }
}

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
    let members = model.object(&body.component).into_iter().flat_map(|object| &object.members);
    let parts = members.filter_map(|member| {
        let field = fields.get(&body.component, &member.name)?;
        Some(part(model, body, member, field))
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

fn part(model: &Model, body: &Body, member: &Member, field: &Field) -> TokenStream {
    let (name, ident) = (&member.name, &field.ident);
    let (kind, _) = part_kind(model, &member.schema);
    let add = match kind {
        PartKind::File => quote! { parts.file(#name, value); },
        PartKind::Text => quote! { parts.text(#name, value); },
        PartKind::Json => {
            let media_type = match body.part_media_types.get(name) {
                Some(media_type) => quote! { ::std::option::Option::Some(#media_type) },
                None => quote! { ::std::option::Option::None },
            };
            quote! { parts.json(#name, value, #media_type)?; }
        }
    };
    match (field.optional, field.items().is_some()) {
        // What is optional and empty is absent.
        (false, false) if field.is_map() && !member.required => {
            quote! { if !self.#ident.is_empty() { let value = &self.#ident; #add } }
        }
        (false, false) => quote! { { let value = &self.#ident; #add } },
        (true, false) => quote! { if let ::std::option::Option::Some(value) = &self.#ident { #add } },
        (false, true) => quote! { for value in &self.#ident { #add } },
        (true, true) => quote! { for value in self.#ident.iter().flatten() { #add } },
    }
}
