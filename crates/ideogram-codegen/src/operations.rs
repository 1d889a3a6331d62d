//! One constant per operation: what the runtime, the command and the tests read instead of knowing operations by name.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use crate::{
    lower,
    model::{Billing, ImageCount, Location, Model, Operation, Retry, Schema},
    names,
    rules::Reading,
    schemas,
};

pub(crate) fn constants(reading: &Reading) -> TokenStream {
    let model = &reading.model;
    let idents: Vec<_> =
        model.operations.iter().map(|operation| format_ident!("{}", names::constant_name(&operation.id))).collect();
    let constants = model.operations.iter().map(|operation| constant(model, operation));
    let schemas = schemas::constants(model);
    let server_url = &reading.server_url;
    let header = match &reading.api_key_header {
        Some(header) => quote! { ::std::option::Option::Some(#header) },
        None => quote! { ::std::option::Option::None },
    };
    let (title, version) = (&model.title, &model.version);
    quote! {
        #[allow(unused_imports)]
        use crate::{
            operation::{Billing, Input, Location, Operation, ImageCount, Retry},
            schema::{Bound, Schema},
        };

        /// The title of the document.
        pub const TITLE: &str = #title;
        /// The version of the document.
        pub const VERSION: &str = #version;
        /// Where the service is.
        pub const SERVER_URL: &str = #server_url;
        /// The header that carries the API key.
        pub const API_KEY_HEADER: ::std::option::Option<&str> = #header;
        /// All operations, in the order of the document.
        pub static ALL: &[&Operation] = &[#(&#idents),*];
        #(#constants)*
        #schemas
    }
}

fn constant(model: &Model, operation: &Operation) -> TokenStream {
    let ident = format_ident!("{}", names::constant_name(&operation.id));
    let Operation { id, method_name, path, summary, description, deprecated, statuses, .. } = operation;
    let method = operation.http_method.to_uppercase();
    let tag = operation.tag.as_deref().unwrap_or_default();
    let docs_url = operation.docs_url.as_deref().unwrap_or_default();
    let billing = match operation.billing {
        Billing::Paid => quote! { Billing::Paid },
        Billing::Free => quote! { Billing::Free },
    };
    let retry = match operation.retry {
        Retry::Safe => quote! { Retry::Safe },
        Retry::Unsafe => quote! { Retry::Unsafe },
    };
    let images = match &operation.images {
        ImageCount::Fixed(number) => quote! { ImageCount::Fixed(#number) },
        ImageCount::Property(member) => quote! { ImageCount::Property(#member) },
    };
    let media_type = operation.body.as_ref().map(|body| body.media_type.as_str()).unwrap_or_default();
    let inputs = inputs(model, operation);
    let object = operation.body.as_ref().filter(|body| model.object(&body.component).is_some());
    let body = match object {
        None => quote! { ::std::option::Option::None },
        Some(body) => {
            let ident = format_ident!("{}", body.component);
            quote! { ::std::option::Option::Some(&schemas::#ident) }
        }
    };
    let docs = format!("`{method} {path}`");
    quote! {
        #[doc = #docs]
        pub static #ident: Operation = Operation {
            id: #id,
            method_name: #method_name,
            method: #method,
            path: #path,
            tag: #tag,
            summary: #summary,
            description: #description,
            docs_url: #docs_url,
            deprecated: #deprecated,
            billing: #billing,
            retry: #retry,
            images: #images,
            media_type: #media_type,
            inputs: &[#(#inputs),*],
            body: #body,
            statuses: &[#(#statuses),*],
        };
    }
}

fn inputs(model: &Model, operation: &Operation) -> Vec<TokenStream> {
    let parameters = operation.parameters.iter().map(|parameter| {
        let location = match parameter.location {
            Location::Path => quote! { Location::Path },
            Location::Query => quote! { Location::Query },
            Location::Header => quote! { Location::Header },
        };
        input(model, &parameter.name, &location, parameter.required, &parameter.schema, &parameter.description)
    });
    let members =
        operation.body.iter().filter_map(|body| model.object(&body.component)).flat_map(|object| &object.members);
    let members = members.map(|member| {
        let description = lower::explained(model, &member.schema);
        input(model, &member.name, &quote! { Location::Body }, member.required, &member.schema, &description)
    });
    parameters.chain(members).collect()
}

fn input(
    model: &Model,
    name: &str,
    location: &TokenStream,
    required: bool,
    schema: &Schema,
    description: &str,
) -> TokenStream {
    let reference = schemas::reference(model, schema);
    quote! {
        Input {
            name: #name,
            location: #location,
            required: #required,
            schema: #reference,
            description: #description,
        }
    }
}
