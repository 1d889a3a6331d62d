//! Shared code of the image commands.
//!
//! Start at [`generate_and_save`]: from a call to images on disk. [`source`] and [`prompt`] read inputs, [`mask`] checks
//! masks, [`ready`] checks folders and names, [`open`] shows saved images.

pub(crate) mod content;
pub(crate) mod custom_model;
pub(crate) mod generate_and_save;
pub(crate) mod job;
pub(crate) mod mask;
pub(crate) mod open;
pub(crate) mod paid_call;
pub(crate) mod preview;
pub(crate) mod price;
pub(crate) mod prompt;
pub(crate) mod ready;
pub(crate) mod report;
pub(crate) mod save_flags;
pub(crate) mod size;
pub(crate) mod source;
pub(crate) mod structured;

use ideogram_client::{
    operation::Operation,
    schema::{Property, Schema},
};

/// The object that holds most properties of the legacy operations.
pub(crate) const LEGACY_OBJECT: &str = "image_request";

/// The properties of the [`LEGACY_OBJECT`]; none if the operation does not have it.
pub(crate) fn legacy_properties(operation: &Operation) -> &'static [Property] {
    let input = operation.inputs.iter().find(|input| input.name == LEGACY_OBJECT);
    match input.map(|input| input.schema) {
        Some(Schema::Object(object)) => object.properties,
        _ => &[],
    }
}
