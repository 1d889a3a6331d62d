//! Replaces progenitor's code that sends a request with a call into the runtime.

use std::collections::BTreeSet;

use proc_macro2::TokenStream;
use quote::{ToTokens as _, format_ident, quote};
use syn::{ImplItem, Item, ItemImpl, ItemStruct, Stmt, Type, visit_mut::VisitMut};

use super::{setters, types};
use crate::{
    docs,
    error::RetargetError,
    fields::{self, Fields},
    model::{Kind, Location, MediaType, Model, Operation},
    names,
};

pub(super) fn retarget(items: Vec<Item>, model: &Model, fields: &Fields) -> Result<Vec<Item>, RetargetError> {
    let mut structures: Vec<ItemStruct> = Vec::new();
    let mut adjusted = Vec::with_capacity(items.len());
    for item in items {
        match item {
            Item::Struct(mut structure) => {
                let operation = operation_of(model, &structure.ident.to_string())?;
                structures.push(structure.clone());
                let docs = format!("Builds a call of [`Client::{0}`](super::Client::{0}).", operation.method_name);
                structure.attrs.retain(|attribute| !attribute.path().is_ident("doc"));
                structure.attrs.push(syn::parse_quote!(#[doc = #docs]));
                let unsent = "a builder sends nothing until it is awaited, or `send()` is called";
                structure.attrs.push(syn::parse_quote!(#[must_use = #unsent]));
                own_client(&mut structure);
                adjusted.push(Item::Struct(structure));
            }
            Item::Impl(block) => {
                let name = self_name(&block);
                let operation = operation_of(model, &name)?;
                let structure = super::structure(&structures, &name)?;
                let items = builder(block, structure, operation, model, fields);
                adjusted.extend(items.map_err(|error| error.in_operation(&operation.id))?);
            }
            // Imports of progenitor's own runtime.
            Item::Use(_) => {}
            _ => return Err(RetargetError::drift("`mod builder` has an item of an unknown kind")),
        }
    }
    Ok(adjusted)
}

fn self_name(block: &ItemImpl) -> String {
    match block.self_ty.as_ref() {
        Type::Path(path) => path.path.segments.last().map(|segment| segment.ident.to_string()).unwrap_or_default(),
        _ => String::new(),
    }
}

fn operation_of<'m>(model: &'m Model, builder: &str) -> Result<&'m Operation, RetargetError> {
    let found = model.operations.iter().find(|operation| names::type_name(&operation.method_name) == builder);
    found.ok_or_else(|| RetargetError::drift(format!("the builder `{builder}` belongs to no operation")))
}

fn builder(
    mut block: ItemImpl,
    structure: &ItemStruct,
    operation: &Operation,
    model: &Model,
    fields: &Fields,
) -> Result<Vec<Item>, RetargetError> {
    refuse_collisions(structure, &block.items)?;
    let mut items: Vec<ImplItem> = Vec::new();
    let mut traits = Vec::new();
    let mut after_body = None;
    for item in block.items {
        let ImplItem::Fn(mut function) = item else {
            return Err(RetargetError::drift("a builder has an item that is not a method"));
        };
        let name = function.sig.ident.to_string();
        if let Some(parameter) = operation.parameters.iter().find(|other| names::field_name(&other.name) == name) {
            let field = structure.fields.iter().find(|field| field.ident.as_ref().is_some_and(|ident| *ident == name));
            let field = field.ok_or_else(|| RetargetError::drift(format!("the setter `{name}` has no field")))?;
            let docs = docs::or_name(parameter.description.clone(), &parameter.name);
            // A path parameter of a type from `path_value`.
            let is_checked = parameter.location == Location::Path && parameter.schema.kind.component().is_some();
            items.push(setters::setter(&parameter.name, &function.sig.ident, &field.ty, &docs, is_checked)?);
            continue;
        }
        match name.as_str() {
            "new" => {
                setters::MissingValues.visit_impl_item_fn_mut(&mut function);
                function.vis = syn::parse_quote!(pub(super));
                OwnedClient.visit_impl_item_fn_mut(&mut function);
                items.push(ImplItem::Fn(function));
            }
            "body" => {
                let docs = "Sets the whole request body at once.";
                function.attrs.push(syn::parse_quote!(#[doc = #docs]));
                items.push(ImplItem::Fn(function));
                after_body = Some(items.len());
            }
            "body_map" => {
                let docs = "Changes the request body through its own builder.";
                function.attrs.push(syn::parse_quote!(#[doc = #docs]));
                items.push(ImplItem::Fn(function));
            }
            "send" => {
                items.extend(sending(&function, operation, model)?);
                items.extend(job_methods(&function, operation, model)?);
                traits.extend(trait_impls(&structure.ident, &function, operation, model)?);
            }
            _ => return Err(RetargetError::drift(format!("the setter `{name}` belongs to no parameter"))),
        }
    }
    refuse_collisions(structure, &items)?;
    if let Some(position) = after_body {
        let setters = body_setters(operation, model, fields, structure, &items)?;
        items.splice(position..position, setters);
    }
    block.items = items;
    block.generics = syn::Generics::default();
    block.self_ty = Box::new(syn::Type::Path(syn::parse2(structure.ident.to_token_stream())?));
    if traits.is_empty() {
        return Err(RetargetError::drift("a builder has no `send`"));
    }
    Ok([Item::Impl(block)].into_iter().chain(traits).collect())
}

/// Refuses a parameter with the name of a method or field that every builder has.
fn refuse_collisions(structure: &ItemStruct, items: &[ImplItem]) -> Result<(), RetargetError> {
    let collision = |name: &str| {
        let message = format!("a parameter has the name `{name}`, which every builder needs for itself");
        RetargetError::collision(message, "teach `retarget/builders.rs` another name for it")
    };
    // progenitor renames its own field if a parameter has the same name.
    let client = structure.fields.iter().find(|field| matches!(field.ty, Type::Reference(_)));
    if client.and_then(|field| field.ident.as_ref()).is_none_or(|ident| ident != "client") {
        return Err(collision("client"));
    }
    let mut names = BTreeSet::new();
    match items.iter().filter_map(method_name).find(|name| !names.insert(name.to_string())) {
        Some(name) => Err(collision(&name.to_string())),
        None => Ok(()),
    }
}

fn method_name(item: &ImplItem) -> Option<&syn::Ident> {
    match item {
        ImplItem::Fn(function) => Some(&function.sig.ident),
        _ => None,
    }
}

/// Makes a builder the owner of its client, which is cheap to clone: its future can be spawned and returned.
fn own_client(structure: &mut ItemStruct) {
    structure.generics = syn::Generics::default();
    for field in &mut structure.fields {
        if matches!(field.ty, Type::Reference(_)) {
            field.ty = syn::parse_quote!(super::Client);
        }
    }
}

/// Clones the client in the constructor of a builder.
struct OwnedClient;

impl VisitMut for OwnedClient {
    fn visit_signature_mut(&mut self, signature: &mut syn::Signature) {
        for argument in &mut signature.inputs {
            if let syn::FnArg::Typed(argument) = argument
                && let Type::Reference(reference) = argument.ty.as_mut()
            {
                reference.lifetime = None;
            }
        }
    }

    fn visit_field_value_mut(&mut self, value: &mut syn::FieldValue) {
        if matches!(&value.member, syn::Member::Named(ident) if ident == "client") {
            *value = syn::parse_quote!(client: client.clone());
        }
    }
}

/// Implements the trait of all builders, so that one function can send any of them, the conversion into a future, so that
/// a builder can be awaited, and the trait of builders whose call can run as a job.
fn trait_impls(
    ident: &syn::Ident,
    send: &syn::ImplItemFn,
    operation: &Operation,
    model: &Model,
) -> Result<Vec<Item>, RetargetError> {
    let output = response_type(&send.sig.output)?;
    let constant = format_ident!("{}", names::constant_name(&operation.id));
    let job_builder = finished_type(operation, model).map(|finished| {
        quote! {
            impl crate::JobBuilder for #ident {
                type Finished = #finished;
            }
        }
    });
    let file: syn::File = syn::parse2(quote! {
        impl crate::CallBuilder for #ident {
            type Output = #output;

            fn operation(&self) -> &'static crate::operation::Operation {
                &super::operations::#constant
            }

            fn client(&self) -> &super::Client {
                &self.client
            }

            fn prepare(self) -> ::std::result::Result<crate::request::Request, crate::Error> {
                self.prepare()
            }
        }

        impl ::std::future::IntoFuture for #ident {
            type Output = ::std::result::Result<#output, crate::Error>;
            type IntoFuture = ::std::pin::Pin<
                ::std::boxed::Box<dyn ::std::future::Future<Output = Self::Output> + ::std::marker::Send>,
            >;

            fn into_future(self) -> Self::IntoFuture {
                ::std::boxed::Box::pin(self.send())
            }
        }

        #job_builder
    })?;
    Ok(file.items)
}

/// The type of the response that has the result of a job.
fn finished_type(operation: &Operation, model: &Model) -> Option<TokenStream> {
    let poll = model.operation(&operation.job.as_ref()?.poll)?;
    let ident = format_ident!("{}", poll.response.as_ref()?.kind.component()?);
    Some(quote! { types::#ident })
}

/// `submit`, `quote` and `wait`, for operations with the extensions `-job`, `-quote` and `-poll`.
fn job_methods(
    function: &syn::ImplItemFn,
    operation: &Operation,
    model: &Model,
) -> Result<Vec<ImplItem>, RetargetError> {
    let submit = finished_type(operation, model).map(|finished| {
        quote! {
            /// Starts the call as a job, and returns as soon as the service has accepted it. The job has an id, so the
            /// images can be fetched later, also by another program.
            ///
            /// # Errors
            ///
            /// Those of `send()`. With `Outcome::Unknown`, a job may run whose id is not known.
            pub async fn submit(self) -> ::std::result::Result<crate::Job<#finished>, crate::Error> {
                let client = self.client.clone();
                crate::runtime::submit(&client, self.prepare()?).await
            }

            /// Like `submit()`, but blocks the thread; for programs without `async`.
            #[cfg(feature = "blocking")]
            pub fn submit_blocking(self) -> ::std::result::Result<crate::Job<#finished>, crate::Error> {
                let client = self.client.clone();
                crate::runtime::submit_blocking(&client, self.prepare()?)
            }
        }
    });
    let quote = operation.quote.as_ref().map(|quote| {
        let ident = format_ident!("{}", quote.response);
        quote! {
            /// Returns the price of the call without making it. Nothing is billed.
            ///
            /// # Errors
            ///
            /// Those of `send()`. A quote is free, so it is retried like any free call.
            pub async fn quote(self) -> ::std::result::Result<types::#ident, crate::Error> {
                let client = self.client.clone();
                crate::runtime::quote(&client, self.prepare()?).await
            }

            /// Like `quote()`, but blocks the thread; for programs without `async`.
            #[cfg(feature = "blocking")]
            pub fn quote_blocking(self) -> ::std::result::Result<types::#ident, crate::Error> {
                let client = self.client.clone();
                crate::runtime::quote_blocking(&client, self.prepare()?)
            }
        }
    });
    let response = response_type(&function.sig.output)?;
    let wait = operation.poll.as_ref().map(|_| {
        quote! {
            /// Waits until the job with this id has ended, and returns the response with its result.
            ///
            /// # Errors
            ///
            /// `ErrorKind::InvalidArgument` if the id is missing or not valid. Awaiting has errors of its own.
            pub fn wait(self) -> ::std::result::Result<crate::job::Wait<#response>, crate::Error> {
                let client = self.client.clone();
                ::std::result::Result::Ok(crate::runtime::wait(&client, self.prepare()?))
            }
        }
    });
    methods(&quote! { #submit #quote #wait })
}

fn methods(tokens: &TokenStream) -> Result<Vec<ImplItem>, RetargetError> {
    let block: ItemImpl = syn::parse2(quote! { impl Builder { #tokens } })?;
    Ok(block.items)
}

/// One setter per property of the body, so that a call reads as one chain. A property with the name of another method
/// is set through `body_map`.
fn body_setters(
    operation: &Operation,
    model: &Model,
    fields: &Fields,
    structure: &ItemStruct,
    methods: &[ImplItem],
) -> Result<Vec<ImplItem>, RetargetError> {
    let Some(body) = &operation.body else { return Err(RetargetError::drift("a body where the document has none")) };
    let taken = |name: &str| {
        let by_parameter = structure.fields.iter().any(|field| field.ident.as_ref().is_some_and(|ident| ident == name));
        by_parameter || methods.iter().filter_map(method_name).any(|method| method == name)
    };
    let mut items = Vec::new();
    for property in model.properties(&body.component) {
        let Some(field) = fields.get(&body.component, &property.name) else { continue };
        if taken(&field.ident.to_string()) {
            continue;
        }
        // The type is named relative to `types`.
        let mut value = field.inner.clone();
        FromTypes.visit_type_mut(&mut value);
        let docs = types::property_docs(model, &body.component, &property.name);
        items.push(setters::forwarded(&property.name, &field.ident, field.optional, &value, &docs)?);
    }
    Ok(items)
}

/// Qualifies names of `types` for use in `builder`.
struct FromTypes;

impl VisitMut for FromTypes {
    fn visit_type_path_mut(&mut self, path: &mut syn::TypePath) {
        let local = path.path.leading_colon.is_none() && path.path.get_ident().is_some();
        let primitive = ["i32", "i64", "u32", "u64", "f32", "f64", "bool"];
        if local && path.path.get_ident().is_some_and(|ident| !primitive.contains(&ident.to_string().as_str())) {
            path.path.segments.insert(0, syn::parse_quote!(types));
        }
        syn::visit_mut::visit_type_path_mut(self, path);
    }
}

/// `prepare`, `response` and `send` in place of progenitor's `send`.
fn sending(function: &syn::ImplItemFn, operation: &Operation, model: &Model) -> Result<Vec<ImplItem>, RetargetError> {
    let response = response_type(&function.sig.output)?;
    let mut statements: Vec<Stmt> = function.block.stmts.clone();
    let tail = statements.iter().position(starts_the_tail);
    let tail = tail.ok_or_else(|| RetargetError::drift("`send` does not build a URL"))?;
    statements.truncate(tail);
    for statement in &mut statements {
        InvalidArgument.visit_stmt_mut(statement);
    }
    let constant = format_ident!("{}", names::constant_name(&operation.id));
    let parameters = operation.parameters.iter().map(|parameter| {
        let (name, value) = (&parameter.name, format_ident!("{}", names::field_name(&parameter.name)));
        let many = matches!(model.resolved(&parameter.schema).kind, Kind::Array(..));
        match (parameter.location, parameter.required, many) {
            (Location::Path, ..) => quote! { __request.path(#name, &#value); },
            (Location::Query, true, false) => quote! { __request.query(#name, &#value); },
            (Location::Query, false, false) => {
                quote! { if let ::std::option::Option::Some(value) = &#value { __request.query(#name, value); } }
            }
            (Location::Query, true, true) => quote! { for value in &#value { __request.query(#name, value); } },
            (Location::Query, false, true) => {
                quote! { for value in #value.iter().flatten() { __request.query(#name, value); } }
            }
            (Location::Header, true, _) => quote! { __request.header(#name, &#value)?; },
            (Location::Header, false, _) => {
                quote! { if let ::std::option::Option::Some(value) = &#value { __request.header(#name, value)?; } }
            }
        }
    });
    let parameters: TokenStream = parameters.collect();
    let body = operation.body.as_ref().map(|body| match body.media_type {
        MediaType::Json => quote! { __request.json(&body)?; },
        MediaType::Multipart => quote! { __request.multipart(&body)?; },
    });
    let method = operation.http_method.to_uppercase();
    let sends = format!("Sends `{method} {}` and returns the decoded response.", operation.path);
    methods(&quote! {
        /// Builds the request without sending it.
        ///
        /// # Errors
        ///
        /// `ErrorKind::InvalidArgument` if a required value is missing, or a value is out of its bounds.
        pub fn prepare(self) -> ::std::result::Result<crate::request::Request, crate::Error> {
            self.fill().map_err(|error| error.in_operation(&super::operations::#constant))
        }

        fn fill(self) -> ::std::result::Result<crate::request::Request, crate::Error> {
            #(#statements)*
            let mut __request = client.new_request(&super::operations::#constant);
            #parameters
            #body
            __request.checked(crate::runtime::Source::Types, &[])
        }

        /// Like `send()`, but also returns status, headers and the raw body.
        pub async fn response(self) -> ::std::result::Result<crate::Response<#response>, crate::Error> {
            let client = self.client.clone();
            crate::runtime::call(&client, self.prepare()?).await
        }

        #[doc = #sends]
        ///
        /// # Errors
        ///
        /// `kind()` of the error says what to do next, `outcome()` whether the call may have run. A call whose
        /// future is dropped may have run as well; use the timeouts of `CallOptions`, which report the outcome.
        pub async fn send(self) -> ::std::result::Result<#response, crate::Error> {
            ::std::result::Result::Ok(self.response().await?.into_value())
        }

        /// Like `response()`, but blocks the thread; for programs without `async`.
        #[cfg(feature = "blocking")]
        pub fn response_blocking(self) -> ::std::result::Result<crate::Response<#response>, crate::Error> {
            let client = self.client.clone();
            crate::runtime::call_blocking(&client, self.prepare()?)
        }

        /// Like `send()`, but blocks the thread; for programs without `async`.
        #[cfg(feature = "blocking")]
        pub fn send_blocking(self) -> ::std::result::Result<#response, crate::Error> {
            ::std::result::Result::Ok(self.response_blocking()?.into_value())
        }
    })
}

/// `T` of `Result<ResponseValue<T>, Error<E>>`.
fn response_type(output: &syn::ReturnType) -> Result<Type, RetargetError> {
    let response = match output {
        syn::ReturnType::Type(_, output) => {
            fields::ok_type(output).and_then(|value| fields::only_argument(value, "ResponseValue"))
        }
        syn::ReturnType::Default => None,
    };
    response.cloned().ok_or_else(|| RetargetError::drift("`send` does not return a `ResponseValue`"))
}

/// Returns whether a statement formats the URL, which begins the code that sends the request.
fn starts_the_tail(statement: &Stmt) -> bool {
    let Stmt::Local(local) = statement else { return false };
    local.init.as_ref().is_some_and(|init| init.expr.to_token_stream().to_string().starts_with("format !"))
}

/// Replaces progenitor's error for an invalid value with the error of the crate.
struct InvalidArgument;

impl VisitMut for InvalidArgument {
    fn visit_path_mut(&mut self, path: &mut syn::Path) {
        let names: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        if names == ["Error", "InvalidRequest"] {
            *path = syn::parse_quote!(crate::Error::invalid_argument);
        }
        syn::visit_mut::visit_path_mut(self, path);
    }
}
