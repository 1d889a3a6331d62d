#![doc = include_str!("../README.md")]
//!
//! # Where the service's behavior is unknown
//!
//! The mock server decides as follows:
//!
//! - It starts with the dataset `demo` (15 images and 3 captions), the two models trained on it, and a shared model.
//! - **Uploading a file a second time stores it a second time**, as an append-only store would, so that a test notices
//!   a double upload.
//! - **The name of a file decides its type**: `.txt` is a caption, `.zip` an archive, everything else an image, whose
//!   content must be JPEG, PNG or WebP. Captions must be UTF-8 and not blank.
//! - **Limits for datasets**: 25 MiB for an image, 1 MiB for a caption, 1 GiB for an archive; a larger file fails with
//!   `FILE_TOO_LARGE`. An archive may hold 1000 entries and unpack to 2 GiB; hidden files and `__MACOSX` in it are
//!   skipped. If one entry cannot be unpacked, the whole archive fails.
//! - **Bodies are read strictly**: parts and properties that the document does not know are refused, although the
//!   service may ignore them. Texts must not have a file name, files must have one. Unknown query parameters are
//!   ignored.
//! - **JSON and forms**: an operation that takes both has one schema for both; a JSON body with a file is 400.
//! - **Nesting**: JSON deeper than 128 levels is 400, in bodies and in parts.
//! - **Images in a request** are refused with 400 if one cannot be read or is larger than 25 MiB, or if all files of
//!   the request together are larger than 50 MiB. A mask whose size differs from that of its image is 422.
//! - **Also 400**: a second character reference; a character reference together with `color_palette`; the speed `FLASH`
//!   on 4.0 and on transparent generation; a `custom_model_uri` that names no `COMPLETED` model; a model other than
//!   `V_2` and `V_2_TURBO` on the legacy edit; an entry of `image_urls` that is neither a working link of this server
//!   nor a link of the service. The other limits of the legacy models are not checked, nor is the length of a prompt.
//! - **Upscaling** doubles width and height, or multiplies them by `upscale_factor`. No side of an image is longer
//!   than 8192 pixels.
//! - **Descriptions and structured prompts** are derived from file name, prompt and shape; text in quotation marks
//!   becomes text in the image.
//! - **Images in flight** are finished and hold their permits until then, even if the caller hangs up.
//! - **Webhooks** are delivered for completed jobs only, and are signed with the real time. The body has `generation_id`.
//! - **An operation without a handler** returns the example of the document: it has neither state nor effects.
//!
//! # What it leaves out
//!
//! Permissions (403). Uploaded bytes are inspected and dropped: of an image only name, size and shape count, so an
//! edited image does not resemble its source. Style, palette and speed do not change the drawing. It listens on the
//! loopback only.

mod builder;
mod clock;
mod concurrency;
mod content;
mod dispatch;
mod document;
mod handlers;
mod images;
mod inspector;
mod recorder;
mod reply;
mod request;
mod scenario;
mod server;
mod service;
mod size;
mod state;
mod store;
mod token;
mod webhook;

pub use builder::{MOCK_API_KEY, MockServerBuilder};
pub use recorder::{RecordedPart, RecordedRequest};
pub use scenario::Scenario;
pub use server::MockServer;

#[cfg(test)]
mod tests {
    #[test]
    fn the_readme_has_the_examples_that_are_run() {
        let readme = include_str!("../README.md");

        for (language, example) in [
            ("python", include_str!("../examples/python/test_ideogram.py")),
            ("javascript", include_str!("../examples/javascript/ideogram.test.mjs")),
        ] {
            assert!(
                readme.contains(&format!("```{language}\n{example}```\n")),
                "copy the example in {language} to README.md"
            );
        }
    }
}
