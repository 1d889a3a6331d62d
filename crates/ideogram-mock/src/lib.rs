#![doc = include_str!("../README.md")]
//!
//! # What it decides where the service's behavior is unknown
//!
//! - It starts with the dataset `demo`, 15 images and 3 captions, the two models trained from it, and a shared model.
//! - **Uploading a file again adds it again**, as an append-only store would, so that a test notices a double upload.
//! - **Files are taken for what their names say**: `.txt` is a caption, `.zip` an archive, all else an image, whose
//!   content must be JPEG, PNG or WebP. Captions must be UTF-8 and not blank.
//! - **Limits for datasets**: 10 MiB for an image, 1 MiB for a caption, 1 GiB for an archive; what is larger is
//!   answered with `FILE_TOO_LARGE`. An archive may hold 1000 entries and unpack to 2 GiB; hidden files and `__MACOSX`
//!   in it are skipped. One entry that cannot be unpacked spoils the archive.
//! - **Bodies are read strictly**: parts and properties that the document does not know are refused, although the
//!   service may ignore them. Texts must not come with a file name, files must. Unknown query parameters are ignored.
//! - **JSON and forms**: an operation that takes both has one schema for both; a JSON body with a file is 400.
//! - **Nesting**: JSON deeper than 128 levels is 400, in bodies and in parts.
//! - **Images that come with a request** are refused with 400 when they cannot be read or are larger than 10 MiB, the
//!   style references and the character references each taken together. A mask of another size than its image is 422.
//! - **A second character reference**, or one beside `color_palette`, is 400; so is the speed `FLASH` on 4.0 and on
//!   transparent generation, a `custom_model_uri` that names no `COMPLETED` model, a model other than `V_2` and
//!   `V_2_TURBO` on the legacy edit, and an `image_urls` that is neither a working link of this server nor one of the
//!   service. The other limits of the older models are not checked, nor is there any on the length of a prompt.
//! - **Upscaling doubles**, up to 8192 pixels. Nothing is larger than that.
//! - **Descriptions and structured prompts** are made up from file name, prompt and shape; what stands in quotation
//!   marks becomes text in the image.
//! - **Images in the making** are made to the end, and keep their places so long, even if the caller hangs up.
//! - **An operation without behavior**, should the document get one first, is answered with 501.
//!
//! # What it leaves out
//!
//! Permissions (403). Uploaded bytes are looked at and dropped: of an image only name, size and shape count, so an
//! edited image does not resemble its source. Style, palette and speed do not change what is drawn. It listens on the
//! loopback only.

mod behaviour;
mod builder;
mod call;
mod clock;
mod content;
mod document;
mod gallery;
mod recorder;
mod reply;
mod request;
mod scenario;
mod server;
mod size;
mod store;
mod studio;
mod token;
#[cfg(test)]
mod walk;
mod world;

pub use builder::MockServerBuilder;
pub use recorder::{RecordedPart, RecordedRequest};
pub use scenario::Scenario;
pub use server::{MOCK_API_KEY, MockServer};
