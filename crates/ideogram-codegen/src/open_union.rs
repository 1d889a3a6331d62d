//! Unions (`oneOf`) that accept new kinds.
//!
//! A union becomes an enum with one variant per kind, and `Unrecognized` with the JSON of any other kind. The value of
//! the discriminator selects the variant; without a discriminator, the first kind whose required properties are
//! present.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use crate::{
    docs::paragraphs,
    model::{Model, Shape, Union, UnionKind},
    names,
};

pub(crate) fn types(model: &Model) -> TokenStream {
    let unions = model.components.iter().filter_map(|(name, component)| match &component.shape {
        Shape::Union(union) => Some(open_union(model, name, &component.description, union)),
        _ => None,
    });
    unions.collect()
}

fn open_union(model: &Model, name: &str, description: &str, union: &Union) -> TokenStream {
    let ident = format_ident!("{name}");
    let kinds: Vec<_> = union.kinds.iter().map(|kind| format_ident!("{}", kind.component)).collect();
    let variants: Vec<_> = variant_names(name, union).iter().map(|variant| format_ident!("{variant}")).collect();
    let kind_docs = union.kinds.iter().map(|kind| match (&union.discriminator, &kind.value) {
        (Some(discriminator), Some(value)) => format!("`{discriminator}` is `{value}`."),
        _ => format!("Has {}.", code_list(&required(model, kind))),
    });
    let docs = paragraphs(&[description, "A kind that this version does not know is kept as JSON in `Unrecognized`."]);
    let selection = match &union.discriminator {
        Some(discriminator) => {
            let values = union.kinds.iter().map(|kind| kind.value.as_deref().unwrap_or(&kind.component));
            quote! { tag #discriminator { #(#variants(#kinds) = #values,)* } }
        }
        None => {
            let required = union.kinds.iter().map(|kind| {
                let names = required(model, kind);
                quote! { [#(#names),*] }
            });
            quote! { properties { #(#variants(#kinds) = #required,)* } }
        }
    };
    quote! {
        #[doc = #docs]
        #[derive(Clone, Debug, PartialEq)]
        #[non_exhaustive]
        pub enum #ident {
            #(#[doc = #kind_docs] #variants(#kinds),)*
            /// A kind that the document did not list when this version was released.
            Unrecognized(::serde_json::Value),
        }
        crate::runtime::open_union!(#ident #selection);
    }
}

/// The discriminator's value where there is one, else the kind's own name without the words that all kinds share.
fn variant_names(union_name: &str, union: &Union) -> Vec<String> {
    let from_values: Option<Vec<_>> = union
        .kinds
        .iter()
        .map(|kind| kind.value.as_deref().map(|value| names::variant_name(union_name, value)))
        .collect();
    let names: Vec<String> = union.kinds.iter().map(|kind| kind.component.clone()).collect();
    let shortened = from_values.unwrap_or_else(|| without_shared_prefix(&names));
    let usable = shortened.iter().enumerate().all(|(index, name)| {
        names::is_identifier(name) && name != "Unrecognized" && !shortened[..index].contains(name)
    });
    if usable { shortened } else { names }
}

fn without_shared_prefix(names: &[String]) -> Vec<String> {
    let Some(first) = names.first() else { return Vec::new() };
    let shared = first
        .char_indices()
        .map(|(index, _)| index)
        .filter(|&index| first[index..].starts_with(|c: char| c.is_ascii_uppercase()))
        .filter(|&index| names.iter().all(|name| name.starts_with(&first[..index]) && name.len() > index))
        .max()
        .unwrap_or(0);
    let starts_word = |name: &String| name[shared..].starts_with(|c: char| c.is_ascii_uppercase());
    if names.iter().all(starts_word) {
        names.iter().map(|name| name[shared..].to_owned()).collect()
    } else {
        names.to_vec()
    }
}

fn required(model: &Model, kind: &UnionKind) -> Vec<String> {
    let required = model.properties(&kind.component).iter().filter(|property| property.required);
    required.map(|property| property.name.clone()).collect()
}

fn code_list(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" and ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_lose_the_words_that_all_share() {
        let names = ["ColorPaletteWithPresetName", "ColorPaletteWithMembers"].map(str::to_owned);

        assert_eq!(without_shared_prefix(&names), ["PresetName", "Members"]);
    }

    #[test]
    fn a_kind_that_is_a_prefix_of_another_keeps_its_name() {
        let names = ["Pet", "PetShop"].map(str::to_owned);

        assert_eq!(without_shared_prefix(&names), ["Pet", "PetShop"]);
    }
}
