//! The handlers: what each operation does. Only this module knows the names of the operations.
//!
//! A handler gets a call that is already valid against the document, and returns the result or a refusal.

mod datasets;
pub(crate) mod generations;
mod images;
pub(crate) mod models;
mod sources;
mod uploads;
mod words;

pub(crate) use sources::subject;

use serde_json::Value;

use crate::{reply::Reply, request::Call, service::Service};

/// The function of one operation.
pub(crate) type Handler = fn(&Service, &Call) -> Result<Value, Reply>;

/// Returns whether the operation `id` stores files.
pub(crate) fn stores_files(id: &str) -> bool {
    id == "upload_dataset_assets"
}

/// Returns the handler of the operation `id`. The response of an operation without one is the example of the document.
pub(crate) fn find(id: &str) -> Option<Handler> {
    Some(match id {
        "post_generate_image_v4" | "post_remix_image_v4" => images::v4,
        "post_magic_prompt_v4" => words::magic_prompt,
        "post_describe_v4" => words::describe_v4,
        "post_generate_image_v3"
        | "post_inpaint_image_v3"
        | "post_remix_image_v3"
        | "post_reframe_image_v3"
        | "post_replace_background_v3"
        | "post_edit_image_v3" => images::v3,
        "post_generate_image_v3_transparent" => images::transparent,
        "post_remove_background" => images::remove_background,
        "post_layerize_text_v3" => images::layerize_text,
        "post_v1_edit_image" => images::edit,
        "post_upscale_image" => images::upscale,
        "post_describe" => words::describe,
        "post_generate_image" | "post_remix_image" | "post_reframe_image" => images::legacy,
        "post_edit_image" => images::legacy_edit,
        "list_datasets" => datasets::list,
        "create_dataset" => datasets::create,
        "get_dataset" => datasets::get,
        "upload_dataset_assets" => uploads::upload,
        "train_model_v3" => models::train,
        "list_custom_models" => models::list,
        "get_custom_model" => models::get,
        "get_generation_v2" => generations::get,
        "post_generate_image_v2_ideogram45"
        | "post_generate_image_v2_ideogram_v4"
        | "post_generate_image_v2_ideogram_v4_transparent"
        | "post_generate_image_v2_ideogram_v4_custom_model"
        | "post_generate_image_v2_ideogram_v3"
        | "post_generate_image_v2_ideogram_v3_custom_model"
        | "post_precise_edit_image_v2_ideogram45"
        | "post_remix_image_v2_ideogram_v4"
        | "post_reframe_image_v2_ideogram_v3" => generations::generate,
        "post_inpaint_image_v2_ideogram_v3" => generations::inpaint,
        "post_replace_background_ideogram_v3" => generations::replace_background,
        "post_remove_background_v2" => generations::remove_background,
        "post_upscale" => generations::upscale,
        "post_describe_image_ideogram_v4" => generations::describe,
        "get_account_usage_v2" => generations::usage,
        "get_webhook_signing_jwks" => generations::signing_keys,
        _ => return None,
    })
}
