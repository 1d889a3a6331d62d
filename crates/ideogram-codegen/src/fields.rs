//! The fields that progenitor generated for the properties of components.
//!
//! Encoders and checks need to know which fields are optional or lists. The generated structs are inspected, because
//! that depends on the version of the generator.

use std::collections::BTreeMap;

use syn::{GenericArgument, Item, PathArguments, Type};

use crate::error::RetargetError;

/// Components → properties → fields.
#[derive(Default)]
pub(crate) struct Fields {
    components: BTreeMap<String, BTreeMap<String, Field>>,
}

#[derive(Clone)]
pub(crate) struct Field {
    pub(crate) ident: syn::Ident,
    pub(crate) optional: bool,
    /// The type inside of `Option`, if there is one.
    pub(crate) inner: Type,
}

impl Field {
    /// The type of the elements, if the field is a list.
    pub(crate) fn items(&self) -> Option<&Type> {
        only_argument(&self.inner, "Vec")
    }

    pub(crate) fn is_integer(&self) -> bool {
        matches!(&self.inner, Type::Path(path) if path.path.is_ident("i64"))
    }

    pub(crate) fn is_map(&self) -> bool {
        last_segment(&self.inner).is_some_and(|segment| segment.ident == "BTreeMap" || segment.ident == "Map")
    }
}

impl Fields {
    pub(crate) fn of(items: &[Item]) -> Result<Self, RetargetError> {
        let mut components = BTreeMap::new();
        for item in items {
            let Item::Struct(structure) = item else { continue };
            let mut properties = BTreeMap::new();
            for field in &structure.fields {
                let Some(ident) = field.ident.clone() else { continue };
                let name = renamed(field)?.unwrap_or_else(|| ident.to_string());
                let (optional, inner) = without_option(&field.ty);
                properties.insert(name, Field { ident, optional, inner });
            }
            components.insert(structure.ident.to_string(), properties);
        }
        Ok(Self { components })
    }

    pub(crate) fn get(&self, component: &str, property: &str) -> Option<&Field> {
        self.components.get(component)?.get(property)
    }

    /// Returns the property of a field.
    pub(crate) fn property(&self, component: &str, ident: &syn::Ident) -> Option<&str> {
        let properties = self.components.get(component)?;
        properties.iter().find(|(_, field)| field.ident == *ident).map(|(name, _)| name.as_str())
    }
}

/// Removes `Option` from a type; also returns whether there was one.
pub(crate) fn without_option(kind: &Type) -> (bool, Type) {
    match only_argument(kind, "Option") {
        Some(inner) => (true, inner.clone()),
        None => (false, kind.clone()),
    }
}

/// `T` of `Wrapper<T>`, by the last segment's name.
pub(crate) fn only_argument<'t>(kind: &'t Type, wrapper: &str) -> Option<&'t Type> {
    first_argument(kind, wrapper, 1)
}

/// `T` of `Result<T, E>`.
pub(crate) fn ok_type(kind: &Type) -> Option<&Type> {
    first_argument(kind, "Result", 2)
}

fn first_argument<'t>(kind: &'t Type, wrapper: &str, count: usize) -> Option<&'t Type> {
    let segment = last_segment(kind).filter(|segment| segment.ident == wrapper)?;
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else { return None };
    match arguments.args.first() {
        Some(GenericArgument::Type(inner)) if arguments.args.len() == count => Some(inner),
        _ => None,
    }
}

fn last_segment(kind: &Type) -> Option<&syn::PathSegment> {
    match kind {
        Type::Path(path) => path.path.segments.last(),
        _ => None,
    }
}

/// The name in `#[serde(rename = "...")]`.
fn renamed(field: &syn::Field) -> Result<Option<String>, RetargetError> {
    let mut name = None;
    for attribute in field.attrs.iter().filter(|attribute| attribute.path().is_ident("serde")) {
        attribute.parse_nested_meta(|meta| {
            if meta.input.peek(syn::Token![=]) {
                let value: syn::LitStr = meta.value()?.parse()?;
                if meta.path.is_ident("rename") {
                    name = Some(value.value());
                }
            }
            Ok(())
        })?;
    }
    Ok(name)
}
