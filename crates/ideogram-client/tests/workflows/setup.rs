//! A server, a client and a folder of images.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::Duration};

use ideogram_client::{
    CallOptions, Client,
    dataset::{FileOutcome, Folder, Plan, SyncDataset, SyncReport},
    hook::Hook,
};
use ideogram_mock::{MockServer, MockServerBuilder};
use tempfile::TempDir;

/// Short intervals, since the mock server is fast.
pub(crate) const WAITS: [Duration; 3] =
    [Duration::from_millis(10), Duration::from_millis(40), Duration::from_millis(80)];

/// Longer than the servers of these tests take to store a chunk.
pub(crate) const PROCESSING_TIMEOUT: Duration = Duration::from_millis(100);

pub(crate) struct Setup {
    pub(crate) server: Arc<MockServer>,
    pub(crate) client: Client,
    pub(crate) dataset_id: String,
    folder: TempDir,
}

pub(crate) fn client_of(url: &str, key: &str) -> Client {
    let client = Client::builder().api_key(key).base_url(url).build().unwrap();
    client.with(CallOptions::new().initial_backoff(Duration::from_millis(5)).max_backoff(Duration::from_millis(50)))
}

pub(crate) async fn start(builder: MockServerBuilder) -> (MockServer, Client) {
    let server = builder.start().await.unwrap();
    let client = client_of(server.url(), server.api_key());
    (server, client)
}

impl Setup {
    pub(crate) async fn new() -> Self {
        Self::with(MockServer::builder()).await
    }

    /// Creates an empty dataset, and an empty folder `set` next to the journal.
    pub(crate) async fn with(server: MockServerBuilder) -> Self {
        let (server, client) = start(server).await;
        let dataset_id = client.create_dataset().name("lanterns").send().await.unwrap().dataset_id;
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("set")).unwrap();
        server.clear_requests();
        Self { server: Arc::new(server), client, dataset_id: dataset_id.into(), folder }
    }

    /// Writes images of different sizes, and a caption for every third.
    pub(crate) fn fill(&self, images: usize) -> &Self {
        for number in 0..images {
            self.write(&format!("{number:03}.png"), &image(number));
            if number % 3 == 0 {
                self.write(&format!("{number:03}.txt"), format!("lantern number {number}").as_bytes());
            }
        }
        self
    }

    pub(crate) fn write(&self, name: &str, content: &[u8]) {
        std::fs::write(self.set().join(name), content).unwrap();
    }

    pub(crate) fn set(&self) -> PathBuf {
        self.folder.path().join("set")
    }

    pub(crate) fn journal(&self) -> PathBuf {
        self.folder.path().join("sync.jsonl")
    }

    pub(crate) async fn plan(&self) -> Plan {
        let folder = Folder::read(self.set()).await.unwrap();
        self.client.plan_dataset(&self.dataset_id, folder).await.unwrap()
    }

    pub(crate) async fn sync(&self) -> SyncDataset {
        self.sync_by(&self.client).await
    }

    /// Like `sync`, with a hook.
    pub(crate) async fn sync_with(&self, hook: impl Hook + 'static) -> SyncDataset {
        self.sync_by(&self.client.with(CallOptions::new().hook(hook))).await
    }

    async fn sync_by(&self, client: &Client) -> SyncDataset {
        let sync = client.sync_dataset(self.plan().await, self.journal());
        sync.poll_intervals(WAITS).processing_timeout(PROCESSING_TIMEOUT)
    }

    /// How often each name is in the dataset.
    pub(crate) async fn stored(&self) -> BTreeMap<String, usize> {
        let dataset = self.client.get_dataset().dataset_id(&self.dataset_id).send().await.unwrap();
        let mut stored = BTreeMap::new();
        for file in dataset.files {
            *stored.entry(file.file_name.unwrap_or_default()).or_default() += 1;
        }
        stored
    }

    /// The names of the folder, each stored once.
    pub(crate) fn each_once(&self) -> BTreeMap<String, usize> {
        let entries = std::fs::read_dir(self.set()).unwrap();
        entries.map(|entry| (entry.unwrap().file_name().into_string().unwrap(), 1)).collect()
    }

    /// The names of the files in each upload.
    pub(crate) fn sent(&self) -> Vec<Vec<String>> {
        let requests = self.server.requests();
        let uploads =
            requests.iter().filter(|request| request.operation_id.as_deref() == Some("upload_dataset_assets"));
        uploads.map(|upload| upload.parts.iter().filter_map(|part| part.file_name.clone()).collect()).collect()
    }

    pub(crate) fn uploads(&self) -> usize {
        self.sent().len()
    }
}

/// An image of its own size.
fn image(number: usize) -> Vec<u8> {
    let mut image = include_bytes!("../../examples/setup/lantern.png").to_vec();
    image.resize(image.len() + number, 0);
    image
}

pub(crate) fn outcome<'r>(report: &'r SyncReport, name: &str) -> &'r FileOutcome {
    &report.files.iter().find(|file| file.file.name == name).unwrap().outcome
}
