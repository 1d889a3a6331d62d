//! The properties that rows may have, from the operations of the document.

use ideogram_client::{
    operation::{Billing, ImageCount, Input, Location, Operation},
    operations,
    schema::Property,
};

use crate::images::legacy_properties;

/// The structured prompt.
pub(super) const JSON_PROMPT: &str = "json_prompt";

/// Whether an operation can be called in a batch: it is billed and returns images.
pub(super) fn generates_images(operation: &Operation) -> bool {
    operation.billing == Billing::Paid && operation.images != ImageCount::Fixed(0)
}

/// A property of the body of an operation.
pub(super) fn input(operation: &Operation, name: &str) -> Option<&'static Input> {
    operation.inputs.iter().find(|input| input.name == name && input.location == Location::Body)
}

/// A property in the nested object of a legacy operation.
pub(super) fn nested(operation: &Operation, name: &str) -> Option<&'static Property> {
    legacy_properties(operation).iter().find(|property| property.name == name)
}

/// Whether rows of any operation may have this property.
pub(super) fn is_known(name: &str) -> bool {
    ["id", "model", "operation", "prompt"].contains(&name)
        || operations::ALL.iter().any(|operation| {
            generates_images(operation) && (input(operation, name).is_some() || nested(operation, name).is_some())
        })
}
