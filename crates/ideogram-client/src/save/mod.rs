//! Keeps images past the expiry of their links.
//!
//! Start at [`Client::save_all`] (every image of a response, into a folder) or [`Client::save`] (one link, one file).
//! `images` finds the images of a response, `link` decides what may be fetched, `download` fetches, `media_type` looks
//! at what came, `target` puts it in its place, `sidecar` says what is written beside it. `find` finds the images in
//! the text of a response, whole or not.
//!
//! An image is streamed into `.ideogram-<random>.part` in the folder of its target, synced, and renamed without
//! replacing anything, so that no name ever holds half an image. Such a file goes when saving fails or is cancelled;
//! one that a killed process left can be deleted, and disturbs nobody until then. A download that broke off is not
//! resumed: saving again downloads again, which costs nothing while the link lives. Images that are there already are
//! passed over with `IfExists::Skip`.

mod all;
mod complete;
mod download;
mod failure;
mod find;
mod foreign;
mod image;
mod image_ref;
mod images;
mod link;
mod media_type;
mod one;
mod saved;
mod settings;
mod sidecar;
mod target;
mod unpack;

use std::path::PathBuf;

pub use self::{
    all::{SaveAll, SaveOutcome},
    image::{Image, ImageOutcome},
    image_ref::ImageRef,
    images::{HasImages, Provenance, images_in},
    one::Save,
    saved::Saved,
    settings::{IfExists, SaveProgress},
};
use crate::Client;

/// What the `ideogram` command uses besides.
pub(crate) mod internal {
    pub use super::{
        foreign::ForeignLink,
        images::images_in_text,
        media_type::is_image_extension,
        target::{MAX_SUFFIX, check_stem},
    };
}

impl Client {
    /// Saves every image of a response into a folder, which is made if it is not there.
    ///
    /// The result has one [`SaveOutcome`] for every image, in the order of the response: withheld images are among
    /// them, and an image that cannot be saved does not lose the others. Beside each image lies a JSON file that
    /// says how it was made. Hand in the [`Response`](crate::Response) (`.response()` of every builder) rather than the
    /// decoded response, and it also says which request made it.
    ///
    /// ```
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = ideogram_mock::MockServer::start().await?;
    /// # let client = ideogram_client::Client::builder().api_key(server.api_key()).base_url(server.url()).build()?;
    /// # let folder = tempfile::tempdir()?;
    /// # let folder = folder.path();
    /// use ideogram_client::save::SaveOutcome;
    ///
    /// let response = client.generate_image_v3().prompt("A paper lantern").num_images(2).response().await?;
    /// for outcome in client.save_all(&response, folder).parallel(2).await? {
    ///     match outcome {
    ///         SaveOutcome::Saved(saved) => println!("{}", saved.path.display()),
    ///         SaveOutcome::Withheld => println!("withheld by the safety check, billed all the same"),
    ///         SaveOutcome::Failed(error) => println!("not saved, try again while its link lives: {error}"),
    ///         other => println!("{other:?}"),
    ///     }
    /// }
    /// # assert_eq!(std::fs::read_dir(folder)?.count(), 4);
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Runtime::new().unwrap().block_on(example()).unwrap();
    /// ```
    pub fn save_all(&self, response: &(impl HasImages + ?Sized), folder: impl Into<PathBuf>) -> SaveAll {
        SaveAll::new(self.clone(), response.images(), response.origin(), folder.into())
    }

    /// Saves the image behind one link to a file; folders on the way are made if they are not there.
    ///
    /// What the image is decides its extension: `lantern.png` is saved as `lantern.jpg` if it turns out to be a JPEG,
    /// and `lantern` gets the extension that it needs, unless [`Save::exact_name`] says otherwise. [`Saved::path`] is
    /// where it went.
    ///
    /// ```
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = ideogram_mock::MockServer::start().await?;
    /// # let client = ideogram_client::Client::builder().api_key(server.api_key()).base_url(server.url()).build()?;
    /// # let folder = tempfile::tempdir()?;
    /// # let folder = folder.path();
    /// use ideogram_client::save::{Image, ImageOutcome};
    ///
    /// let response = client.generate_image_v3().prompt("A paper lantern").send().await?;
    /// if let ImageOutcome::Available(link) = response.data[0].outcome() {
    ///     let saved = client.save(link, folder.join("lantern")).await?;
    ///     assert_eq!(saved.path, folder.join("lantern.png"));
    /// }
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Runtime::new().unwrap().block_on(example()).unwrap();
    /// ```
    pub fn save(&self, link: impl AsRef<str>, file: impl Into<PathBuf>) -> Save {
        Save::new(self.clone(), link.as_ref(), file.into())
    }
}
