//! A server with an empty dataset, and a folder `set` of images to sync with it.

use std::{collections::BTreeMap, fs, path::Path};

use ideogram_mock::{MockServer, MockServerBuilder};
use tempfile::TempDir;

use crate::invocation::{Run, ideogram, serve};

/// A PNG of one pixel.
pub(crate) const IMAGE: &[u8] =
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89\0\0\0\rIDATx\x9cc\
    \xf8\xcf\xc0\xf0\x1f\0\x05\0\x01\xff\xa6\x1a\x1b\xc2\0\0\0\0IEND\xaeB`\x82";

pub(crate) struct SyncSetup {
    pub(crate) server: MockServer,
    /// The id of the dataset.
    pub(crate) id: String,
    folder: TempDir,
}

impl SyncSetup {
    pub(crate) fn new() -> Self {
        Self::with(MockServer::builder())
    }

    pub(crate) fn with(server: MockServerBuilder) -> Self {
        let server = serve(server);
        let created =
            ideogram(["datasets", "create", "Night market", "--quiet", "--jq", ".dataset_id"]).against(&server).run();
        let id = created.stdout().trim().to_owned();
        server.clear_requests();
        let folder = TempDir::new().unwrap();
        fs::create_dir(folder.path().join("set")).unwrap();
        Self { server, id, folder }
    }

    /// Images of different sizes, and a caption for every third.
    pub(crate) fn fill(&self, images: usize) -> &Self {
        for number in 0..images {
            let mut image = IMAGE.to_vec();
            image.resize(image.len() + number, 0);
            self.write(&format!("{number:03}.png"), &image);
            if number % 3 == 0 {
                self.write(&format!("{number:03}.txt"), format!("lantern number {number}").as_bytes());
            }
        }
        self
    }

    pub(crate) fn write(&self, name: &str, content: &[u8]) -> &Self {
        let path = self.path().join("set").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
        self
    }

    /// Where commands run.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The command beside the folder, against the server.
    pub(crate) fn ideogram<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Run {
        let home = self.path().join("home");
        let home = home.to_str().unwrap();
        ideogram(arguments).against(&self.server).in_folder(self.path()).env("HOME", home).env("APPDATA", home)
    }

    /// `datasets VERB ID set`, and more.
    pub(crate) fn datasets<'a>(&'a self, verb: &'a str, more: impl IntoIterator<Item = &'a str>) -> Run {
        self.ideogram(["datasets", verb, &self.id, "set"].into_iter().chain(more))
    }

    /// How often each name is in the dataset.
    pub(crate) fn stored(&self) -> BTreeMap<String, usize> {
        let got = self.ideogram(["datasets", "get", &self.id, "--output", "json"]).run().json();
        let mut stored = BTreeMap::new();
        for file in got["files"].as_array().unwrap() {
            *stored.entry(file["file_name"].as_str().unwrap().to_owned()).or_default() += 1;
        }
        stored
    }

    /// What the dataset looks like when every file of the folder is there once.
    pub(crate) fn each_once(&self) -> BTreeMap<String, usize> {
        let entries = fs::read_dir(self.path().join("set")).unwrap();
        entries.map(|entry| (entry.unwrap().file_name().into_string().unwrap(), 1)).collect()
    }

    /// The names of the files of each upload.
    pub(crate) fn uploads(&self) -> Vec<Vec<String>> {
        let requests = self.server.requests();
        let uploads = requests.iter().filter(|request| request.path.ends_with("/upload_assets"));
        uploads.map(|upload| upload.parts.iter().filter_map(|part| part.file_name.clone()).collect()).collect()
    }
}
