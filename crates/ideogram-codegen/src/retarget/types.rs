//! Adjusts the data types: tolerant decoding, complete encoding, setters.

use quote::ToTokens as _;
use syn::{Attribute, Item, ItemImpl, ItemStruct, Meta, Token, punctuated::Punctuated, visit_mut::VisitMut};

use super::setters;
use crate::{
    docs,
    error::RetargetError,
    fields::{Field, Fields},
    model::{Model, Property},
};

pub(super) fn retarget(items: Vec<Item>, model: &Model, fields: &Fields) -> Result<Vec<Item>, RetargetError> {
    let components_with_files = model.components_with_files();
    let in_responses = model.in_responses();
    let mut adjusted = Vec::with_capacity(items.len());
    for item in items {
        adjusted.push(match item {
            Item::Struct(mut structure) => {
                let name = structure.ident.to_string();
                if components_with_files.contains(name.as_str()) {
                    // JSON from outside must not name local files.
                    remove_deserialize(&mut structure)?;
                }
                adjust_properties(&mut structure, model, fields, in_responses.contains(name.as_str()))?;
                structure.attrs.push(syn::parse_quote!(#[non_exhaustive]));
                // schemars 1.x, whatever version progenitor uses inside.
                let derive = syn::parse_quote!(#[cfg_attr(feature = "schemars", derive(::schemars::JsonSchema))]);
                structure.attrs.push(derive);
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
            function.attrs.push(syn::parse_quote!(#[doc = "Returns a builder for a value of this type."]));
        }
    }
}

fn remove_deserialize(structure: &mut ItemStruct) -> Result<(), RetargetError> {
    for attribute in structure.attrs.iter_mut().filter(|attribute| attribute.path().is_ident("derive")) {
        let derives = attribute.parse_args_with(Punctuated::<syn::Path, Token![,]>::parse_terminated)?;
        let derives =
            derives.into_iter().filter(|path| path.segments.last().is_none_or(|last| last.ident != "Deserialize"));
        let derives: Punctuated<syn::Path, Token![,]> = derives.collect();
        *attribute = syn::parse_quote!(#[derive(#derives)]);
    }
    Ok(())
}

fn adjust_properties(
    structure: &mut ItemStruct,
    model: &Model,
    fields: &Fields,
    in_responses: bool,
) -> Result<(), RetargetError> {
    let component = structure.ident.to_string();
    let Some(object) = model.object(&component) else {
        return Err(RetargetError::drift(format!("it has a type `{component}` that is not a component")));
    };
    for field in &mut structure.fields {
        let Some(ident) = field.ident.clone() else { continue };
        let name = fields.property(&component, &ident).unwrap_or_default();
        let (Some(property), Some(shape)) = (object.property(name), fields.get(&component, name)) else { continue };
        adjust_serde(&mut field.attrs, property, shape, in_responses)?;
    }
    Ok(())
}

/// Adjusts `serde` attributes: a required property is always encoded; in responses, `null` decodes as an empty list.
fn adjust_serde(
    attributes: &mut Vec<Attribute>,
    property: &Property,
    field: &Field,
    in_responses: bool,
) -> Result<(), RetargetError> {
    let mut metas: Vec<Meta> = Vec::new();
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("serde")) {
        metas.extend(attribute.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated)?);
    }
    attributes.retain(|attribute| !attribute.path().is_ident("serde"));
    metas.retain(|meta| {
        let dropped = property.required && meta.path().is_ident("skip_serializing_if");
        // typify makes a required nullable property fail when it is absent.
        !dropped && !meta.path().is_ident("deserialize_with")
    });
    if in_responses && !field.optional && (field.items().is_some() || field.is_map()) {
        if !metas.iter().any(|meta| meta.path().is_ident("default")) {
            metas.push(syn::parse_quote!(default));
        }
        metas.push(syn::parse_quote!(deserialize_with = "crate::runtime::null_as_default"));
    }
    if in_responses && field.is_integer() {
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

fn retarget_builders(items: &mut [Item], model: &Model, fields: &Fields) -> Result<(), RetargetError> {
    let structures = items.iter().filter_map(|item| match item {
        Item::Struct(structure) => Some(structure.clone()),
        _ => None,
    });
    let structures: Vec<ItemStruct> = structures.collect();
    let in_requests = model.in_requests();
    for item in items {
        match item {
            Item::Impl(block) if block.trait_.is_none() => {
                let name = block.self_ty.to_token_stream().to_string();
                let structure = super::structure(&structures, &name)?;
                block.items.clear();
                for field in &structure.fields {
                    let Some(ident) = &field.ident else { continue };
                    let property = fields.property(&name, ident).unwrap_or_default().to_owned();
                    let docs = property_docs(model, &name, &property);
                    block.items.push(setters::setter(&property, ident, &field.ty, &docs, false)?);
                }
            }
            Item::Impl(block) => {
                let name = block.self_ty.to_token_stream().to_string();
                let of_trait = block.trait_.as_ref().and_then(|(path, _)| path.segments.last());
                if of_trait.is_some_and(|last| last.ident == "Default") {
                    Requirements { model, fields, component: &name, in_requests: in_requests.contains(name.as_str()) }
                        .visit_item_impl_mut(block);
                }
                setters::MissingValues.visit_item_impl_mut(block);
            }
            Item::Struct(structure) => {
                let docs = format!("Builds a [`{0}`](super::{0}).", structure.ident);
                structure.attrs.insert(0, syn::parse_quote!(#[doc = #docs]));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Sets the initial values of a builder. A required list of a request has to be set, although responses may omit it;
/// additional properties are always optional.
struct Requirements<'m> {
    model: &'m Model,
    fields: &'m Fields,
    component: &'m str,
    in_requests: bool,
}

impl VisitMut for Requirements<'_> {
    fn visit_field_value_mut(&mut self, value: &mut syn::FieldValue) {
        let syn::Member::Named(ident) = &value.member else { return };
        let name = self.fields.property(self.component, ident).unwrap_or_default();
        match self.model.object(self.component).and_then(|object| object.property(name)) {
            None => value.expr = syn::parse_quote!(Ok(Default::default())),
            Some(property) if self.in_requests && property.required && !self.model.is_nullable(&property.schema) => {
                let missing = format!("no value supplied for {ident}");
                value.expr = syn::parse_quote!(Err(#missing.to_string()));
            }
            Some(_) => {}
        }
    }
}

/// Returns the documentation of the setter of a property.
pub(super) fn property_docs(model: &Model, component: &str, property: &str) -> String {
    let found = model.object(component).and_then(|object| object.property(property));
    let description = found.map(|found| docs::description_of(model, &found.schema)).unwrap_or_default();
    docs::or_name(description, property)
}
