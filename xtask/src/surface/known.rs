//! The documentation of types, so that a text is reviewed once: in the snapshot of the type.

use std::collections::BTreeMap;

use syn::{Expr, ImplItem, Item, Lit, visit_mut::VisitMut};

use super::print::{documentation, line, summary};

/// The documentation of the types and of their fields.
#[derive(Default)]
pub(super) struct Known {
    types: BTreeMap<String, String>,
    /// By type and field.
    fields: BTreeMap<(String, String), Field>,
}

struct Field {
    documentation: String,
    /// The type, without `Option` and `Vec`.
    kind: String,
}

impl Known {
    pub(super) fn of<'i>(types: impl Iterator<Item = &'i Item>) -> Self {
        let mut known = Self::default();
        for item in types {
            match item {
                Item::Enum(item) => {
                    known.types.insert(item.ident.to_string(), documentation(&item.attrs));
                }
                Item::Struct(item) => {
                    known.types.insert(item.ident.to_string(), documentation(&item.attrs));
                    for field in &item.fields {
                        let Some(name) = &field.ident else { continue };
                        let name = name.to_string().trim_start_matches("r#").to_owned();
                        let kind = line(&field.ty);
                        let kind = kind.rsplit('<').next().unwrap_or_default().trim_end_matches('>').to_owned();
                        let field = Field { documentation: documentation(&field.attrs), kind };
                        known.fields.insert((item.ident.to_string(), name), field);
                    }
                }
                _ => {}
            }
        }
        known
    }

    /// The documentation that the snapshots of types have of a field: its own, or else that of its type.
    fn field(&self, of: &str, name: &str) -> Option<&str> {
        let field = self.fields.get(&(of.to_owned(), name.to_owned()))?;
        match field.documentation.as_str() {
            "" => self.types.get(&field.kind).map(String::as_str),
            own => Some(own),
        }
    }

    /// Returns whether the summary of a setter is that of the field in the type of the request.
    pub(super) fn has_summary(&self, request: Option<&str>, setter: &syn::ImplItemFn) -> bool {
        let name = setter.sig.ident.to_string();
        let field = request.and_then(|request| self.field(request, name.trim_start_matches("r#")));
        field.is_some_and(|known| summary(known) == summary(&documentation(&setter.attrs)))
    }

    /// Removes from the value of an operation the descriptions of inputs that the type of its request has, too.
    pub(super) fn without_known_descriptions(&self, operation: &Expr) -> Expr {
        let mut operation = operation.clone();
        if let Some(request) = body_of(&operation) {
            Descriptions { known: self, request }.visit_expr_mut(&mut operation);
        }
        operation
    }
}

struct Descriptions<'k> {
    known: &'k Known,
    request: String,
}

impl VisitMut for Descriptions<'_> {
    fn visit_expr_struct_mut(&mut self, value: &mut syn::ExprStruct) {
        let field = |name: &str| value.fields.iter().find(|field| line(&field.member) == name).map(|field| &field.expr);
        let is_input = field("location").is_some_and(|location| line(location) == "Location::Body");
        if let (true, Some(name), Some(description)) = (is_input, field("name"), field("description")) {
            let description = text(description);
            // The type of an open enum says more below.
            let is_known = self.known.field(&self.request, &text(name)).is_some_and(|known| {
                known.strip_prefix(&description).is_some_and(|more| more.is_empty() || more.starts_with("\n\n"))
            });
            if is_known && !description.is_empty() {
                let others = value.fields.iter().filter(|field| line(&field.member) != "description");
                value.fields = others.cloned().collect();
            }
        }
        syn::visit_mut::visit_expr_struct_mut(self, value);
    }
}

fn text(value: &Expr) -> String {
    match value {
        Expr::Lit(syn::ExprLit { lit: Lit::Str(text), .. }) => text.value().trim().to_owned(),
        _ => String::new(),
    }
}

/// The type of the request in the value of an operation: `body: Some(&schemas::Name)`.
fn body_of(operation: &Expr) -> Option<String> {
    let Expr::Struct(operation) = operation else { return None };
    let body = operation.fields.iter().find(|field| line(&field.member) == "body")?;
    let name = line(&body.expr);
    Some(name.strip_prefix("Some(&schemas::")?.trim_end_matches(')').to_owned())
}

/// The type of the request that a builder sends: what its setter `body` takes.
pub(super) fn request_of(block: &syn::ItemImpl) -> Option<String> {
    let body = block.items.iter().find_map(|item| match item {
        ImplItem::Fn(function) if function.sig.ident == "body" => Some(function),
        _ => None,
    })?;
    let bounds = body.sig.generics.where_clause.as_ref()?;
    let mut names = bounds
        .predicates
        .iter()
        .filter_map(|bound| line(bound).strip_prefix("V: TryInto<").map(|name| name.trim_end_matches('>').to_owned()));
    names.next()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> Known {
        let file: syn::File = syn::parse_quote! {
            /// A request.
            pub struct Request {
                /// A number. Of what.
                pub number: Option<i64>,
                pub speed: Option<Speed>,
            }
            /// How fast.
            ///
            /// Values that are not known are kept.
            pub enum Speed { Fast }
        };
        Known::of(file.items.iter())
    }

    #[test]
    fn a_setter_is_known_if_it_says_what_the_field_or_its_type_says() {
        let known = known();
        let setter: syn::ImplItemFn = syn::parse_quote! {
            /// A number. Of what.
            ///
            /// More.
            pub fn number(self) -> Self {}
        };
        let of_the_type: syn::ImplItemFn = syn::parse_quote!(
            #[doc = "How fast."]
            pub fn speed(self) -> Self {}
        );
        let other: syn::ImplItemFn = syn::parse_quote!(
            #[doc = "A number."]
            pub fn number(self) -> Self {}
        );

        assert!(known.has_summary(Some("Request"), &setter) && known.has_summary(Some("Request"), &of_the_type));
        assert!(!known.has_summary(Some("Request"), &other), "another text is printed");
        assert!(!known.has_summary(Some("Another"), &setter) && !known.has_summary(None, &setter));
    }

    #[test]
    fn only_descriptions_that_the_type_has_are_removed_from_an_operation() {
        let operation: Expr = syn::parse_quote! {
            Operation {
                inputs: &[
                    Input { name: "number", location: Location::Body, description: "A number. Of what." },
                    Input { name: "speed", location: Location::Body, description: "How fast." },
                    Input { name: "speed", location: Location::Body, description: "How" },
                    Input { name: "number", location: Location::Query, description: "A number. Of what." },
                ],
                body: ::std::option::Option::Some(&schemas::Request),
            }
        };

        let Expr::Struct(operation) = known().without_known_descriptions(&operation) else { unreachable!() };

        let inputs = line(&operation.fields[0].expr);
        assert_eq!(inputs.matches("description").count(), 2, "{inputs}");
        assert!(inputs.contains("description: \"How\"") && inputs.contains("Location::Query, description"), "{inputs}");
    }
}
