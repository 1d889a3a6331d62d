//! The schemas of requests as constants, generated from the original document, because the lowered one has no bounds.
//!
//! The runtime validates requests with them before it sends anything. Users can switch that off in case the service
//! extends a limit.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use crate::{
    model::{Choice, Kind, Model, NumberBounds, Object, Schema, Shape, TextBounds, Union},
    tokens::option,
};

/// Returns one constant for each object and union that a request can contain.
pub(crate) fn constants(model: &Model) -> TokenStream {
    let constants = model.in_requests().into_iter().filter_map(|name| {
        let ident = format_ident!("{name}");
        Some(match &model.components[name].shape {
            Shape::Object(object) => {
                let object = object_schema(model, object);
                quote! { pub(in super::super) static #ident: Object = #object; }
            }
            Shape::Union(union) => {
                let union = union_schema(union);
                quote! { pub(in super::super) static #ident: Union = #union; }
            }
            Shape::Enum(_) | Shape::Alias(_) => return None,
        })
    });
    quote! {
        #[allow(non_upper_case_globals)]
        pub(super) mod schemas {
            use crate::schema::{Bound, Object, Property, Rule, Schema, Union, UnionKind};

            #(#constants)*
        }
    }
}

/// Implements `Validate` for each request type, so that users can validate a value before they send it.
pub(crate) fn impls(model: &Model) -> TokenStream {
    let impls = model.in_requests().into_iter().filter_map(|name| {
        let ident = format_ident!("{name}");
        let kind = match &model.components[name].shape {
            Shape::Object(_) => quote! { Object },
            Shape::Union(_) => quote! { Union },
            Shape::Enum(_) | Shape::Alias(_) => return None,
        };
        Some(quote! {
            impl crate::validate::Validate for types::#ident {}

            impl crate::runtime::HasSchema for types::#ident {
                fn schema() -> &'static crate::schema::Schema {
                    static SCHEMA: crate::schema::Schema = crate::schema::Schema::#kind(&crate::operations::schemas::#ident);
                    &SCHEMA
                }
            }
        })
    });
    impls.collect()
}

/// Returns a reference to the schema of a value. Each is a separate static, because a schema may contain a pattern.
pub(crate) fn reference(model: &Model, schema: &Schema) -> TokenStream {
    let schema = value_schema(model, schema);
    quote! { { static SCHEMA: Schema = #schema; &SCHEMA } }
}

fn value_schema(model: &Model, schema: &Schema) -> TokenStream {
    match &model.resolved(schema).kind {
        Kind::Component(name) => component_schema(model, name),
        Kind::Text(bounds) => text_schema(model, bounds),
        Kind::Time => quote! { Schema::Time },
        Kind::File => quote! { Schema::File },
        Kind::Integer(bounds, _) => {
            let (minimum, maximum) = (option(bounds.minimum), option(bounds.maximum));
            quote! { Schema::Integer { minimum: #minimum, maximum: #maximum } }
        }
        Kind::Number(bounds, _) => number_schema(bounds),
        Kind::Boolean => quote! { Schema::Boolean },
        Kind::Array(items, bounds) => {
            let (items, min_items, max_items) =
                (reference(model, items), option(bounds.min_items), option(bounds.max_items));
            quote! { Schema::Array { items: #items, min_items: #min_items, max_items: #max_items } }
        }
        Kind::Map(values) => {
            let values = reference(model, values);
            quote! { Schema::Map(#values) }
        }
        Kind::FreeObject | Kind::Any => quote! { Schema::Any },
    }
}

fn component_schema(model: &Model, name: &str) -> TokenStream {
    let ident = format_ident!("{name}");
    match &model.components[name].shape {
        Shape::Enum(values) => quote! { Schema::Enum(&[#(#values),*]) },
        Shape::Object(_) => quote! { Schema::Object(&crate::operations::schemas::#ident) },
        Shape::Union(_) => quote! { Schema::Union(&crate::operations::schemas::#ident) },
        Shape::Alias(_) => quote! { Schema::Any },
    }
}

fn text_schema(model: &Model, bounds: &TextBounds) -> TokenStream {
    let (min_length, max_length) = (option(bounds.min_length), option(bounds.max_length));
    let pattern = match &bounds.pattern {
        None => quote! { ::std::option::Option::None },
        Some(pattern) => {
            let example = bounds.example.as_ref().map(|example| quote! { .with_example(#example) });
            quote! {
                {
                    static PATTERN: crate::runtime::Pattern = crate::runtime::Pattern::new(#pattern) #example;
                    ::std::option::Option::Some(&PATTERN)
                }
            }
        }
    };
    let json = option(bounds.json.as_ref().map(|name| {
        let schema = component_schema(model, name);
        quote! { &#schema }
    }));
    quote! { Schema::Text { min_length: #min_length, max_length: #max_length, pattern: #pattern, json: #json } }
}

fn number_schema(bounds: &NumberBounds) -> TokenStream {
    let bound = |value: Option<f64>, is_exclusive: bool| {
        option(value.map(|value| quote! { Bound { value: #value, is_exclusive: #is_exclusive } }))
    };
    let minimum = bound(bounds.minimum, bounds.exclusive_minimum);
    let maximum = bound(bounds.maximum, bounds.exclusive_maximum);
    quote! { Schema::Number { minimum: #minimum, maximum: #maximum } }
}

fn object_schema(model: &Model, object: &Object) -> TokenStream {
    let properties = object.properties.iter().map(|property| {
        let (name, required) = (&property.name, property.required);
        let nullable = model.is_nullable(&property.schema);
        let schema = reference(model, &property.schema);
        let default = option(model.default_of(&property.schema));
        quote! {
            Property { name: #name, required: #required, nullable: #nullable, default: #default, schema: #schema }
        }
    });
    let rules = object.choices.iter().map(|choice| match choice {
        Choice::NotTogether(names) => quote! { Rule::NotTogether(&[#(#names),*]) },
        Choice::ExactlyOne(sets) => quote! { Rule::ExactlyOne(&[#(&[#(#sets),*]),*]) },
        Choice::AtLeastOne(sets) => quote! { Rule::AtLeastOne(&[#(&[#(#sets),*]),*]) },
    });
    let additional = option(object.rest.as_ref().map(|rest| reference(model, rest)));
    quote! { Object { properties: &[#(#properties),*], rules: &[#(#rules),*], additional: #additional } }
}

fn union_schema(union: &Union) -> TokenStream {
    let discriminator = option(union.discriminator.as_ref());
    let kinds = union.kinds.iter().map(|kind| {
        let ident = format_ident!("{}", kind.component);
        // With a discriminator, the value of a kind defaults to its name.
        let value = match &union.discriminator {
            Some(_) => kind.value.as_deref().unwrap_or(&kind.component),
            None => "",
        };
        quote! { UnionKind { value: #value, object: &#ident } }
    });
    quote! { Union { discriminator: #discriminator, kinds: &[#(#kinds),*] } }
}
