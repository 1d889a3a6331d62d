//! One constant per operation, so that runtime, command and tests need no list of operations.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use crate::{
    docs,
    error::RetargetError,
    model::{Billing, ImageCount, Location, Model, Operation, Poll, Retry, Schema},
    names,
    rules::{DocumentFacts, id_parameter},
    schemas,
    tokens::option,
};

pub(crate) fn constants(facts: &DocumentFacts) -> Result<TokenStream, RetargetError> {
    let model = &facts.model;
    let header = option(facts.api_key_header.as_ref());
    let text = quote! { &str };
    let (title, version, server_url) = (&model.title, &model.version, &facts.server_url);
    let of_document = [
        ("TITLE", "The title of the document.", text.clone(), quote! { #title }),
        ("VERSION", "The version of the document.", text.clone(), quote! { #version }),
        ("SERVER_URL", "The URL of the service.", text, quote! { #server_url }),
        ("API_KEY_HEADER", "The header that carries the API key.", quote! { ::std::option::Option<&str> }, header),
    ];
    let mut idents = Vec::new();
    for operation in &model.operations {
        let name = names::constant_name(&operation.id);
        if name == "ALL" || of_document.iter().any(|(other, ..)| *other == name) {
            let message = format!("the constant of `{}` would be `{name}`, which describes the document", operation.id);
            return Err(RetargetError::collision(message, "choose another `operationId`").in_operation(&operation.id));
        }
        idents.push(format_ident!("{name}"));
    }
    let of_document = of_document.into_iter().map(|(name, docs, kind, value)| {
        let ident = format_ident!("{name}");
        quote! { #[doc = #docs] pub const #ident: #kind = #value; }
    });
    let constants = model.operations.iter().map(|operation| constant(model, operation));
    let schemas = schemas::constants(model);
    Ok(quote! {
        #[allow(unused_imports)]
        use crate::{
            operation::{Billing, ImageCount, Input, Job, Location, Operation, Poll, Quote, Retry},
            schema::{Bound, Schema},
        };

        #(#of_document)*
        /// All operations, in the order of the document.
        pub static ALL: &[&Operation] = &[#(&#idents),*];
        #(#constants)*
        #schemas
    })
}

fn constant(model: &Model, operation: &Operation) -> TokenStream {
    let ident = format_ident!("{}", names::constant_name(&operation.id));
    let Operation { id, method_name, path, summary, description, deprecated, needs_key, statuses, .. } = operation;
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
        ImageCount::Property(property) => quote! { ImageCount::Property(#property) },
    };
    let status_property = option(operation.status_property.as_ref());
    let job = option(operation.job.as_ref().map(|job| {
        let (property, webhook) = (option(job.property.as_ref()), option(job.webhook.as_ref()));
        let poll = model.operation(&job.poll).expect("the rules check that it exists");
        let (id, poll) = (id_parameter(poll), format_ident!("{}", names::constant_name(&poll.id)));
        quote! { Job { property: #property, webhook: #webhook, id: #id, poll: &#poll } }
    }));
    let quote = option(operation.quote.as_ref().map(|quote| {
        let parameter = &quote.parameter;
        quote! { Quote { parameter: #parameter } }
    }));
    let poll = option(operation.poll.as_ref().map(|poll| {
        let (Poll { status, completed, failed, reason: _ }, reason) = (poll, option(poll.reason.as_ref()));
        quote! { Poll { status: #status, completed: #completed, failed: #failed, reason: #reason } }
    }));
    let media_type = operation.body.as_ref().map(|body| body.media_type.as_str()).unwrap_or_default();
    let inputs = inputs(model, operation);
    let object = operation.body.as_ref().filter(|body| model.object(&body.component).is_some());
    let body = option(object.map(|body| {
        let ident = format_ident!("{}", body.component);
        quote! { &schemas::#ident }
    }));
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
            needs_key: #needs_key,
            billing: #billing,
            retry: #retry,
            images: #images,
            status_property: #status_property,
            job: #job,
            quote: #quote,
            poll: #poll,
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
    let properties = operation.body.iter().flat_map(|body| model.properties(&body.component)).map(|property| {
        let description = docs::description_of(model, &property.schema);
        input(model, &property.name, &quote! { Location::Body }, property.required, &property.schema, &description)
    });
    parameters.chain(properties).collect()
}

fn input(
    model: &Model,
    name: &str,
    location: &TokenStream,
    required: bool,
    schema: &Schema,
    description: &str,
) -> TokenStream {
    let (reference, default) = (schemas::reference(model, schema), option(model.default_of(schema)));
    quote! {
        Input {
            name: #name,
            location: #location,
            required: #required,
            default: #default,
            schema: #reference,
            description: #description,
        }
    }
}
