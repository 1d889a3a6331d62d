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

/// The object that holds most properties of the legacy operations.
pub(crate) const LEGACY_OBJECT: &str = "image_request";
