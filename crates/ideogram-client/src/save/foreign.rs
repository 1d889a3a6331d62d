//! Downloads of links that a user received from others, for programs that upload the image.

use std::io::Read as _;

use reqwest::Url;

use super::{
    download::Download,
    failure,
    link::{self, Own, Rules},
    saved::Received,
    settings::Settings,
    target::{Target, on_disk},
};
use crate::{Client, Error};

/// A checked link.
#[derive(Clone, Debug)]
pub struct ForeignLink {
    client: Client,
    url: Url,
}

impl ForeignLink {
    /// Checks a link without following it.
    pub fn new(client: &Client, link: &str) -> Result<Self, Error> {
        let url = link::parse(link)?;
        Rules::new(client, Own::Origin).check(&url)?;
        Ok(Self { client: client.clone(), url })
    }

    /// The address.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Downloads the image, of at most `limit` bytes, with the checks of [`Client::save`]: redirects are checked, and the
    /// image must be complete.
    pub async fn fetch(&self, limit: u64, on_bytes: impl Fn(u64, Option<u64>) + Send + Sync) -> Result<Vec<u8>, Error> {
        let settings = Settings { size_limit_bytes: limit, ..Settings::default() };
        let target = Target::in_folder(std::env::temp_dir(), "image");
        let rules = Rules::new(&self.client, Own::Origin);
        let url = self.url.clone();
        let download =
            Download { client: &self.client, rules, url, target: &target, settings: &settings, on_bytes: &on_bytes };
        let Received { part, .. } = download.run().await.map_err(|failed| failed.error)?;
        on_disk(move || {
            let mut bytes = Vec::new();
            let read = part.reopen().and_then(|mut file| file.read_to_end(&mut bytes));
            read.map(|_| bytes).map_err(|error| failure::local("read", part.path(), &error))
        })
        .await
    }
}
