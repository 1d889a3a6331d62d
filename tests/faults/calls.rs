//! The calls for every fault: one for each pair of marks, and both kinds of body.

use ideogram_client::{
    Client, Error, File,
    operation::{Billing, Operation, Retry},
    operations,
};

/// The response to a job, as long as other responses.
const ACCEPTED: &str = r#"{
  "generation_id": "xtdZiqPwRxqY1Y7NExFmzB",
  "generation_kind": "sampling",
  "seed": 12345,
  "notice": "This text makes the response as long as the others, since some rows of the table send its end byte by byte, or cut it after some hundred bytes. It says nothing else."
}"#;
/// The response to a question for a price.
const QUOTED: &str = r#"{
  "object": "price_quote",
  "billing_identifier": "ideogram_4_5_precise_edit",
  "quantity": 1,
  "usd_micros": 60000,
  "credit_millis": 6000,
  "qualifier": "exact",
  "notice": "This text makes the response as long as the others."
}"#;

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
    /// Paid; the same as a job.
    Submit,
    /// Free and safe: the state of a job.
    Poll,
    /// Free and safe, since nothing is made: a multipart body with a file.
    Quote,
}

impl Call {
    pub(crate) const ALL: [Self; 7] =
        [Self::Get, Self::Create, Self::Upload, Self::Generate, Self::Submit, Self::Poll, Self::Quote];

    pub(crate) fn operation(self) -> &'static Operation {
        match self {
            Self::Get => &operations::GET_DATASET,
            Self::Create => &operations::CREATE_DATASET,
            Self::Upload => &operations::UPLOAD_DATASET_ASSETS,
            Self::Generate => &operations::POST_GENERATE_IMAGE_V3,
            Self::Submit | Self::Quote => &operations::POST_PRECISE_EDIT_IMAGE_V2_IDEOGRAM45,
            Self::Poll => &operations::GET_GENERATION_V2,
        }
    }

    pub(crate) fn is_safe(self) -> bool {
        matches!(self, Self::Get | Self::Poll | Self::Quote)
    }

    /// Whether a response is worth money.
    pub(crate) fn is_paid(self) -> bool {
        matches!(self, Self::Generate | Self::Submit)
    }

    /// As the table has it.
    pub(crate) fn title(self) -> String {
        let operation = self.operation();
        let name = match self {
            Self::Submit => "submit",
            Self::Poll => "poll",
            Self::Quote => "quote",
            _ => operation.id,
        };
        let billing = if self == Self::Quote { Billing::Free } else { operation.billing };
        let retry = if self == Self::Quote { Retry::Safe } else { operation.retry };
        format!("{name} ({billing:?}, {retry:?})").to_lowercase()
    }

    /// The path and the query of its requests.
    pub(crate) fn target(self) -> String {
        let path = self.operation().path.replace("{dataset_id}", "demo").replace("{generation_id}", "demo");
        if self == Self::Quote { format!("{path}?dry_run=true") } else { path }
    }

    /// Whether it sends a file of this size.
    pub(crate) fn sends_a_file(self) -> bool {
        matches!(self, Self::Upload | Self::Generate | Self::Submit | Self::Quote)
    }

    /// A good response.
    pub(crate) fn sample(self) -> &'static str {
        match self {
            Self::Get => include_str!("../../openapi/examples/get_dataset/demo.json"),
            Self::Create => include_str!("../../openapi/examples/create_dataset/created.json"),
            Self::Upload => include_str!("../../openapi/examples/upload_dataset_assets/all_stored.json"),
            Self::Generate => include_str!("../../openapi/examples/post_generate_image_v3/one_image.json"),
            Self::Submit => ACCEPTED,
            Self::Poll => include_str!("../../openapi/examples/get_generation_v2/completed.json"),
            Self::Quote => QUOTED,
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
            Self::Submit => {
                let call = client.precise_edit_image_v2_ideogram45().prompt("a hat").image(file());
                call.submit().await.map(drop)
            }
            Self::Poll => client.get_generation_v2().generation_id("demo").send().await.map(drop),
            Self::Quote => {
                let call = client.precise_edit_image_v2_ideogram45().prompt("a hat").image(file());
                call.quote().await.map(drop)
            }
        }
    }
}
