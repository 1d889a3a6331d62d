//! Checks of request values, made from the true document, because the lowered one has lost the bounds.
//!
//! They run before anything is sent, and users can switch them off for the day the service widens a limit. Enum values
//! are not checked: enums are open.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use crate::{
    model::{
        ArrayBounds, Choice, FloatWidth, Kind, Member, Model, NumberBounds, Object, Schema, Shape, TextBounds, Union,
    },
    retarget::{Field, Fields},
};

pub(crate) fn checks(model: &Model, fields: &Fields) -> TokenStream {
    let checks = model.in_requests().into_iter().filter_map(|name| match &model.components[name].shape {
        Shape::Object(object) => Some(object_check(model, fields, name, object)),
        Shape::Union(union) => Some(union_check(name, union)),
        Shape::Enum(_) | Shape::Alias(_) => None,
    });
    checks.collect()
}

fn union_check(name: &str, union: &Union) -> TokenStream {
    let ident = format_ident!("{name}");
    let kinds = union.kinds.iter().map(|kind| format_ident!("{}", kind.component));
    // Each kind is tried by type, so that the variants' names stay the union's own business.
    quote! {
        impl crate::Validate for types::#ident {
            fn check(&self, checker: &mut crate::runtime::Checker) {
                #(if let ::std::option::Option::Some(value) = self.kind::<types::#kinds>() {
                    crate::Validate::check(value, checker);
                })*
            }
        }
    }
}

fn object_check(model: &Model, fields: &Fields, name: &str, object: &Object) -> TokenStream {
    let ident = format_ident!("{name}");
    let rest = object.rest.as_ref().and_then(|rest| {
        let inner = value_check(model, rest, false)?;
        Some(quote! { for (name, value) in &self.extra { checker.enter(name, |checker| { #inner }); } })
    });
    let members: TokenStream = object
        .members
        .iter()
        .filter_map(|member| member_check(model, member, fields.get(name, &member.name)?))
        .collect();
    let choices: TokenStream = object.choices.iter().map(|choice| choice_check(fields, name, choice)).collect();
    quote! {
        impl crate::Validate for types::#ident {
            #[allow(unused_variables)]
            fn check(&self, checker: &mut crate::runtime::Checker) {
                #members
                #rest
                #choices
            }
        }
    }
}

fn member_check(model: &Model, member: &Member, field: &Field) -> Option<TokenStream> {
    let (name, ident) = (&member.name, &field.ident);
    let check = value_check(model, &member.schema, !member.required)?;
    let check = quote! { checker.enter(#name, |checker| { #check }); };
    Some(if field.optional {
        quote! { if let ::std::option::Option::Some(value) = &self.#ident { #check } }
    } else {
        quote! { { let value = &self.#ident; #check } }
    })
}

/// The check of `value`, or nothing if any value will do.
pub(crate) fn value_check(model: &Model, schema: &Schema, empty_is_absent: bool) -> Option<TokenStream> {
    match &model.resolved(schema).kind {
        Kind::Component(name) => match model.components[name].shape {
            Shape::Enum(_) => None,
            _ => Some(quote! { crate::Validate::check(value, checker); }),
        },
        Kind::Text(bounds) => text_check(bounds),
        Kind::Integer(bounds, _) => integer_check(bounds),
        Kind::Number(bounds, width) => Some(float_check(bounds, *width)),
        Kind::Array(items, bounds) => array_check(model, items, bounds, empty_is_absent),
        Kind::Map(values) => {
            let inner = value_check(model, values, false)?;
            Some(quote! { for (key, value) in value { checker.enter(key, |checker| { #inner }); } })
        }
        Kind::Time | Kind::File | Kind::Boolean | Kind::FreeObject | Kind::Any => None,
    }
}

fn text_check(bounds: &TextBounds) -> Option<TokenStream> {
    let length = (bounds.min_length.is_some() || bounds.max_length.is_some()).then(|| {
        let (minimum, maximum) = (option(bounds.min_length), option(bounds.max_length));
        quote! { checker.length(value, #minimum, #maximum); }
    });
    let pattern = bounds.pattern.as_ref().map(|pattern| {
        quote! {
            {
                static PATTERN: crate::runtime::Pattern = crate::runtime::Pattern::new(#pattern);
                checker.pattern(value, &PATTERN);
            }
        }
    });
    (length.is_some() || pattern.is_some()).then(|| quote! { #length #pattern })
}

fn integer_check(bounds: &NumberBounds) -> Option<TokenStream> {
    let value = quote! { *value as f64 };
    let lower = bounds.minimum.map(|minimum| {
        let exclusive = bounds.exclusive_minimum;
        quote! { checker.at_least(#value, #minimum, #exclusive); }
    });
    let upper = bounds.maximum.map(|maximum| {
        let exclusive = bounds.exclusive_maximum;
        quote! { checker.at_most(#value, #maximum, #exclusive); }
    });
    (lower.is_some() || upper.is_some()).then(|| quote! { #lower #upper })
}

/// A bound is compared in the width of the number: as `f64`, `0.7_f32` is less than `0.7`.
fn float_check(bounds: &NumberBounds, width: FloatWidth) -> TokenStream {
    let in_width = |bound: f64| match width {
        FloatWidth::F64 => quote! { #bound },
        FloatWidth::F32 => quote! { f64::from(#bound as f32) },
    };
    let value = quote! { f64::from(*value) };
    let lower = bounds.minimum.map(|minimum| {
        let (minimum, exclusive) = (in_width(minimum), bounds.exclusive_minimum);
        quote! { checker.at_least(#value, #minimum, #exclusive); }
    });
    let upper = bounds.maximum.map(|maximum| {
        let (maximum, exclusive) = (in_width(maximum), bounds.exclusive_maximum);
        quote! { checker.at_most(#value, #maximum, #exclusive); }
    });
    quote! { checker.finite(#value); #lower #upper }
}

fn array_check(model: &Model, items: &Schema, bounds: &ArrayBounds, empty_is_absent: bool) -> Option<TokenStream> {
    let count = (bounds.min_items.is_some() || bounds.max_items.is_some()).then(|| {
        let (minimum, maximum) = (option(bounds.min_items), option(bounds.max_items));
        let check = quote! { checker.count(value.len(), #minimum, #maximum); };
        // An optional list that is empty is not sent at all.
        if empty_is_absent {
            quote! { if !value.is_empty() { #check } }
        } else {
            check
        }
    });
    let inner = value_check(model, items, false).map(|inner| {
        quote! { for (index, value) in value.iter().enumerate() { checker.enter(index, |checker| { #inner }); } }
    });
    (count.is_some() || inner.is_some()).then(|| quote! { #count #inner })
}

fn choice_check(fields: &Fields, component: &str, choice: &Choice) -> TokenStream {
    let present = |member: &String| {
        let Some(field) = fields.get(component, member) else { return quote! { false } };
        let ident = &field.ident;
        if field.optional {
            quote! { self.#ident.is_some() }
        } else if field.items().is_some() || field.is_map() {
            quote! { !self.#ident.is_empty() }
        } else {
            quote! { true }
        }
    };
    let set = |members: &Vec<String>| {
        let shown = members.iter().map(|member| format!("`{member}`")).collect::<Vec<_>>().join(" with ");
        let all = members.iter().map(present);
        quote! { (#shown, #(#all)&&*) }
    };
    match choice {
        Choice::NotTogether(members) => {
            let set = set(members);
            quote! { checker.not_together(#set); }
        }
        Choice::ExactlyOne(sets) => {
            let sets = sets.iter().map(set);
            quote! { checker.exactly_one(&[#(#sets),*]); }
        }
        Choice::AtLeastOne(sets) => {
            let sets = sets.iter().map(set);
            quote! { checker.at_least_one(&[#(#sets),*]); }
        }
    }
}

fn option(number: Option<u64>) -> TokenStream {
    number.map_or_else(
        || quote! { ::std::option::Option::None },
        |number| quote! { ::std::option::Option::Some(#number) },
    )
}
