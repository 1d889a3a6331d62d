//! Adjusts the data types: tolerant reading, faithful writing, setters.

use quote::ToTokens as _;
use syn::{Attribute, Item, ItemImpl, ItemStruct, Meta, Token, punctuated::Punctuated, visit_mut::VisitMut};

use super::{Field, Fields, Unexpected, setters};
use crate::{
    lower,
    model::{Member, Model},
};

pub(super) fn retarget(items: Vec<Item>, model: &Model, fields: &Fields) -> Result<Vec<Item>, Unexpected> {
    let with_files = model.holding_files();
    let answered = model.in_responses();
    let mut adjusted = Vec::with_capacity(items.len());
    for item in items {
        adjusted.push(match item {
            Item::Struct(mut structure) => {
                let name = structure.ident.to_string();
                if with_files.contains(name.as_str()) {
                    // Foreign JSON must not name local files.
                    forget_deserialize(&mut structure)?;
                }
                adjust_members(&mut structure, model, fields, answered.contains(name.as_str()))?;
                structure.attrs.push(syn::parse_quote!(#[non_exhaustive]));
                Item::Struct(structure)
            }
            Item::Impl(mut block) => {
                document_builder(&mut block);
                Item::Impl(block)
            }
            Item::Mod(mut module) if module.ident == "builder" => {
                if let Some((_, items)) = &mut module.content {
                    retarget_builders(items, model, fields)?;
                }
                Item::Mod(module)
            }
            other => other,
        });
    }
    Ok(adjusted)
}

fn document_builder(block: &mut ItemImpl) {
    for item in &mut block.items {
        if let syn::ImplItem::Fn(function) = item
            && function.sig.ident == "builder"
        {
            function
                .attrs
                .push(syn::parse_quote!(#[doc = "Starts a value: set its members, then hand the builder over."]));
        }
    }
}

fn forget_deserialize(structure: &mut ItemStruct) -> Result<(), Unexpected> {
    for attribute in structure.attrs.iter_mut().filter(|attribute| attribute.path().is_ident("derive")) {
        let derives = attribute.parse_args_with(Punctuated::<syn::Path, Token![,]>::parse_terminated)?;
        let kept =
            derives.into_iter().filter(|path| path.segments.last().is_none_or(|last| last.ident != "Deserialize"));
        let kept: Punctuated<syn::Path, Token![,]> = kept.collect();
        *attribute = syn::parse_quote!(#[derive(#kept)]);
    }
    Ok(())
}

fn adjust_members(
    structure: &mut ItemStruct,
    model: &Model,
    fields: &Fields,
    answered: bool,
) -> Result<(), Unexpected> {
    let component = structure.ident.to_string();
    let Some(object) = model.object(&component) else {
        return Err(Unexpected::new(format!("it has a type `{component}` that is no component")));
    };
    for field in &mut structure.fields {
        let Some(ident) = field.ident.clone() else { continue };
        let name = fields.member(&component, &ident).unwrap_or_default();
        let member = object.members.iter().find(|member| member.name == name);
        let (Some(member), Some(shape)) = (member, fields.get(&component, name)) else { continue };
        adjust_serde(&mut field.attrs, member, shape, answered)?;
    }
    Ok(())
}

/// A member that the document requires is always written; in responses, `null` reads as an empty list.
fn adjust_serde(
    attributes: &mut Vec<Attribute>,
    member: &Member,
    field: &Field,
    answered: bool,
) -> Result<(), Unexpected> {
    let mut metas: Vec<Meta> = Vec::new();
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("serde")) {
        metas.extend(attribute.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated)?);
    }
    attributes.retain(|attribute| !attribute.path().is_ident("serde"));
    metas.retain(|meta| {
        let dropped = member.required && meta.path().is_ident("skip_serializing_if");
        // typify makes a required nullable member fail when it is absent.
        !dropped && !meta.path().is_ident("deserialize_with")
    });
    if answered && !field.optional && (field.items().is_some() || field.is_map()) {
        if !metas.iter().any(|meta| meta.path().is_ident("default")) {
            metas.push(syn::parse_quote!(default));
        }
        metas.push(syn::parse_quote!(deserialize_with = "crate::runtime::null_as_default"));
    }
    if answered && field.is_integer() {
        if field.optional {
            metas.push(syn::parse_quote!(default));
            metas.push(syn::parse_quote!(deserialize_with = "crate::runtime::nearest_integer_or_none"));
        } else {
            metas.push(syn::parse_quote!(deserialize_with = "crate::runtime::nearest_integer"));
        }
    }
    if !metas.is_empty() {
        attributes.push(syn::parse_quote!(#[serde(#(#metas),*)]));
    }
    Ok(())
}

fn retarget_builders(items: &mut [Item], model: &Model, fields: &Fields) -> Result<(), Unexpected> {
    let structures: Vec<ItemStruct> = items
        .iter()
        .filter_map(|item| match item {
            Item::Struct(structure) => Some(structure.clone()),
            _ => None,
        })
        .collect();
    let asked_for = model.in_requests();
    for item in items {
        match item {
            Item::Impl(block) if block.trait_.is_none() => {
                let name = block.self_ty.to_token_stream().to_string();
                let structure = structures.iter().find(|structure| structure.ident == name);
                let structure =
                    structure.ok_or_else(|| Unexpected::new(format!("the builder `{name}` has no fields")))?;
                block.items.clear();
                for field in &structure.fields {
                    let Some(ident) = &field.ident else { continue };
                    let member = fields.member(&name, ident).unwrap_or_default().to_owned();
                    let docs = member_docs(model, &name, &member);
                    block.items.push(syn::parse2(setters::setter(&member, ident, &field.ty, &docs)?)?);
                }
            }
            Item::Impl(block) => {
                let name = block.self_ty.to_token_stream().to_string();
                if block
                    .trait_
                    .as_ref()
                    .is_some_and(|(path, _)| path.segments.last().is_some_and(|last| last.ident == "Default"))
                {
                    Requirements { model, fields, component: &name, asked_for: asked_for.contains(name.as_str()) }
                        .visit_item_impl_mut(block);
                }
                setters::MissingValues.visit_item_impl_mut(block);
            }
            Item::Struct(structure) => {
                let docs = format!("Collects the members of [`{0}`](super::{0}).", structure.ident);
                structure.attrs.insert(0, syn::parse_quote!(#[doc = #docs]));
            }
            _ => {}
        }
    }
    Ok(())
}

/// What a builder starts from. A list that the document requires of a request is asked for, although responses may come
/// without it; members that the document does not name are nobody's duty.
struct Requirements<'m> {
    model: &'m Model,
    fields: &'m Fields,
    component: &'m str,
    asked_for: bool,
}

impl VisitMut for Requirements<'_> {
    fn visit_field_value_mut(&mut self, value: &mut syn::FieldValue) {
        let syn::Member::Named(ident) = &value.member else { return };
        let name = self.fields.member(self.component, ident).unwrap_or_default();
        let members = self.model.object(self.component).into_iter().flat_map(|object| &object.members);
        match members.into_iter().find(|member| member.name == name) {
            None => value.expr = syn::parse_quote!(Ok(Default::default())),
            Some(member) if self.asked_for && member.required => {
                let nullable = member.schema.nullable || self.model.resolved(&member.schema).nullable;
                let missing = format!("no value supplied for {ident}");
                if !nullable {
                    value.expr = syn::parse_quote!(Err(#missing.to_string()));
                }
            }
            Some(_) => {}
        }
    }
}

/// What the document says of a member, for the documentation of its setter.
pub(super) fn member_docs(model: &Model, component: &str, member: &str) -> String {
    let members = model.object(component).into_iter().flat_map(|object| &object.members);
    let found = members.into_iter().find(|other| other.name == member);
    let description = found.map(|found| lower::explained(model, &found.schema)).unwrap_or_default();
    if description.is_empty() { format!("Sets `{member}`.") } else { description }
}
