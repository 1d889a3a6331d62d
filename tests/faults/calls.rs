//! The calls for every fault: one for each pair of marks, and both kinds of body.

use ideogram_client::{Client, Error, File, operation::Operation, operations};

/// A call, by the marks of its operation in the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Call {
    /// Free and safe, no body.
    Get,
    /// Free, but sent twice it creates twice; a JSON body.
    Create,
    /// Free, but sent twice it adds twice; a file in a multipart body.
    Upload,
    /// Paid; a multipart body with a file.
    Generate,
}

impl Call {
    pub(crate) const ALL: [Self; 4] = [Self::Get, Self::Create, Self::Upload, Self::Generate];

    pub(crate) fn operation(self) -> &'static Operation {
        match self {
            Self::Get => &operations::GET_DATASET,
            Self::Create => &operations::CREATE_DATASET,
            Self::Upload => &operations::UPLOAD_DATASET_ASSETS,
            Self::Generate => &operations::POST_GENERATE_IMAGE_V3,
        }
    }

    pub(crate) fn is_safe(self) -> bool {
        self == Self::Get
    }

    /// Whether it sends a file of the given size.
    pub(crate) fn sends_a_file(self) -> bool {
        matches!(self, Self::Upload | Self::Generate)
    }

    /// A good response.
    pub(crate) fn sample(self) -> &'static str {
        match self {
            Self::Get => include_str!("../../openapi/examples/get_dataset/demo.json"),
            Self::Create => include_str!("../../openapi/examples/create_dataset/created.json"),
            Self::Upload => include_str!("../../openapi/examples/upload_dataset_assets/all_stored.json"),
            Self::Generate => include_str!("../../openapi/examples/post_generate_image_v3/one_image.json"),
        }
    }

    /// Calls, with a file of this size if it sends one.
    pub(crate) async fn send(self, client: &Client, file_bytes: usize) -> Result<(), Error> {
        let file = || File::from_bytes("a.png", vec![b'.'; file_bytes]);
        match self {
            Self::Get => client.get_dataset().dataset_id("demo").send().await.map(drop),
            Self::Create => client.create_dataset().name("Lanterns").send().await.map(drop),
            Self::Upload => client.upload_dataset_assets().dataset_id("demo").files([file()]).send().await.map(drop),
            Self::Generate => {
                let call = client.generate_image_v3().prompt("a lantern").style_reference_images([file()]);
                call.send().await.map(drop)
            }
        }
    }
}
