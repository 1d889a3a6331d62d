//! Saves images before their links expire.
//!
//! Start at [`Client::save_all`] (every image of a response, into a folder) or [`Client::save`] (one link, one file).
//!
//! An image is downloaded into `.ideogram-<random>.part` in the folder of its target, synced, and renamed without
//! replacing another file, so that a name never belongs to an incomplete image. The temporary file is removed when
//! saving fails or is cancelled; one that a killed process left can be deleted. A download that broke off is not
//! resumed: saving again downloads again, which costs nothing while the link works. `IfExists::Skip` skips images that
//! are on disk.

// `images` and `find` read the images of a response, `link` decides which links are followed, `download` downloads,
// `media_type`, `unpack` and `complete` check the file, `target` names it, and `sidecar` describes it.

mod all;
mod complete;
mod download;
mod failure;
mod find;
mod foreign;
mod image;
mod image_ref;
mod images;
mod job;
mod link;
mod loose_links;
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
    job::{ResumeJobs, RunJob},
    one::Save,
    saved::Saved,
    settings::{IfExists, SaveProgress},
};
use crate::Client;

/// Items that the `ideogram` command uses, too.
pub(crate) mod internal {
    pub use super::{
        foreign::ForeignLink,
        images::images_in_text,
        media_type::is_image_extension,
        target::{MAX_SUFFIX, check_stem},
    };
}

impl Client {
    /// Saves every image of a response into a folder, which is created if necessary.
    ///
    /// The result has one [`SaveOutcome`] for every image, in the order of the response: also for withheld images, and
    /// for images that cannot be saved. Each image gets a sidecar, a JSON file that says how it was made. The sidecar
    /// contains the request if you pass the [`Response`](crate::Response) (`.response()` of every builder) instead of
    /// the decoded response.
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
    ///         SaveOutcome::Failed(error) => println!("not saved, try again while its link works: {error}"),
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

    /// Saves the image of one link to a file, whose folders are created if necessary.
    ///
    /// The content of the image decides the extension: `lantern.png` is saved as `lantern.jpg` if it is a JPEG, and
    /// `lantern` gets an extension, unless [`Save::exact_name`] is set. [`Saved::path`] is the path of the file.
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
