//! The images of a response in any form.
//!
//! Most responses have a list, `data`; those of layering text have single links. Both are read from the JSON, so that a
//! decoded, a raw and a stored response have the same images, with properties that this version does not know.

use std::{collections::BTreeSet, fmt};

use serde::Serialize;
use serde_json::Value;

use super::{
    find::{ImagesInText, find_images},
    image_ref::ImageRef,
};
use crate::{
    Error, Response, StoredResponse, Timestamp,
    fs::journal::fnv_1a,
    net::body_text::{MAX_TEXT_BYTES, text_of},
    request::{PartContent, Request},
    save::Image as _,
    types::{
        GenerateImageResponse, GenerationResponseV2, GenerationV2, ImageGenerationResponseV3,
        ImageGenerationResponseV4, LayerizeTextResponse, PreciseEditResponseV2, RemoveBackgroundResponse,
        RemoveBackgroundResponseV2, SizedGenerationResponseV2, V1EditImagesResponse,
    },
};

/// A response, or another value from which images can be saved.
///
/// Implemented for every image response of the service, for [`Response`] with one of them, for [`StoredResponse`], for
/// JSON of a response, and for lists of images:
///
/// ```
/// # fn example(client: ideogram_client::Client, response: ideogram_client::types::ImageGenerationResponseV3) {
/// use ideogram_client::save::{HasImages, ImageRef};
///
/// let large: Vec<ImageRef> = response.images().into_iter().filter(|image| image.seed() > Some(1000)).collect();
/// let saving = client.save_all(&large, "out");
/// # }
/// ```
pub trait HasImages {
    /// The images, in the order of the response, including withheld ones.
    fn images(&self) -> Vec<ImageRef>;

    /// The call that made the images, as far as it is known. Nothing by default.
    fn origin(&self) -> Provenance {
        Provenance::default()
    }
}

/// The call that made the images of a response, for their sidecars. Its [`Debug`](fmt::Debug) form does not contain the
/// request.
#[derive(Clone, Default)]
pub struct Provenance {
    pub(super) operation: Option<String>,
    /// A [`RequestSummary`](crate::request::RequestSummary) as JSON.
    pub(super) request: Option<Value>,
    /// A request that is not summarized yet.
    sent: Option<Box<Request>>,
    broke_off: bool,
}

impl Provenance {
    /// Creates the provenance of a call, from the service's id of the operation.
    pub fn new(operation: impl Into<String>) -> Self {
        Self { operation: Some(operation.into()), ..Self::default() }
    }

    /// Sets the request, such as a [`RequestSummary`](crate::request::RequestSummary) as JSON. It must not contain the key
    /// or the content of files.
    pub fn request(mut self, request: Value) -> Self {
        (self.request, self.sent) = (Some(request), None);
        self
    }

    /// Whether the response broke off, and may have had more images.
    pub(super) fn broke_off(&self) -> bool {
        self.broke_off
    }

    /// Summarizes the request for sidecars.
    pub(super) async fn summarized(mut self) -> Self {
        if let Some(request) = self.sent.take() {
            let mut infos = Vec::with_capacity(request.parts().len());
            for part in request.parts() {
                infos.push(match &part.content {
                    // If it no longer exists, its name is still known.
                    PartContent::File(file) => file.inspect().await.ok(),
                    _ => None,
                });
            }
            self.request = serde_json::to_value(request.summarize(&infos)).ok();
        }
        self
    }
}

impl fmt::Debug for Provenance {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Provenance").field("operation", &self.operation).finish_non_exhaustive()
    }
}

/// Returns the images in the JSON of a response.
pub fn images_in(response: &Value) -> Vec<ImageRef> {
    images_of(response)
}

fn images_of(response: &impl Serialize) -> Vec<ImageRef> {
    serde_json::to_string(response).map(|response| find_images(&response, true).images).unwrap_or_default()
}

macro_rules! responses {
    ($($response:ident),* $(,)?) => {$(
        impl HasImages for $response {
            fn images(&self) -> Vec<ImageRef> {
                images_of(self)
            }
        }
    )*};
}

responses!(
    ImageGenerationResponseV4,
    ImageGenerationResponseV3,
    V1EditImagesResponse,
    RemoveBackgroundResponse,
    GenerateImageResponse,
    LayerizeTextResponse,
    GenerationResponseV2,
    PreciseEditResponseV2,
    SizedGenerationResponseV2,
    RemoveBackgroundResponseV2,
    GenerationV2,
);

impl HasImages for Value {
    fn images(&self) -> Vec<ImageRef> {
        images_in(self)
    }
}

impl<T: HasImages> HasImages for Response<T> {
    fn images(&self) -> Vec<ImageRef> {
        // The raw body has the properties that this version does not know.
        find_in(self.body()).images
    }

    fn origin(&self) -> Provenance {
        if let Some(started_by) = self.started_by() {
            return Provenance::new(&*started_by.operation).request(started_by.request.clone());
        }
        let request = self.request();
        Provenance { sent: Some(Box::new(request.clone())), ..Provenance::new(request.operation().id) }
    }
}

/// If a stored response broke off or is damaged, these are the images whose links are whole; the last one may have none.
impl HasImages for StoredResponse {
    fn images(&self) -> Vec<ImageRef> {
        find_in(self.body()).images
    }

    fn origin(&self) -> Provenance {
        let origin = Provenance::new(self.operation_id()).request(self.request().clone());
        Provenance { broke_off: !find_in(self.body()).is_whole, ..origin }
    }
}

/// An error contains the response if the client could not decode or store it ([`Error::body`]). The error of a call that
/// the service refused has no images.
impl HasImages for Error {
    fn images(&self) -> Vec<ImageRef> {
        let is_success = self.status().is_some_and(|status| status.is_success());
        self.body().filter(|_| is_success).map(|body| find_in(body).images).unwrap_or_default()
    }

    fn origin(&self) -> Provenance {
        let operation = self.operation().map(|operation| operation.id.to_owned());
        Provenance { operation, broke_off: true, ..Provenance::default() }
    }
}

/// Returns the images in a text: a response, single items, lists, or lines of these.
pub fn images_in_text(text: &[u8]) -> Vec<ImageRef> {
    find_in(text).images
}

/// Returns the images in a body of any form.
fn find_in(body: &[u8]) -> ImagesInText {
    let text = text_of(body, MAX_TEXT_BYTES);
    let result = find_images(&text.text, text.is_exact);
    if !result.is_whole && result.images.iter().all(|image| image.link.is_none()) {
        // Bytes that cannot be decoded may still contain links.
        let undecoded = find_images(&String::from_utf8_lossy(body), false);
        if !undecoded.images.is_empty() {
            return undecoded;
        }
    }
    result
}

impl HasImages for ImageRef {
    fn images(&self) -> Vec<ImageRef> {
        vec![self.clone()]
    }
}

impl HasImages for [ImageRef] {
    fn images(&self) -> Vec<ImageRef> {
        self.to_vec()
    }
}

impl HasImages for Vec<ImageRef> {
    fn images(&self) -> Vec<ImageRef> {
        self.clone()
    }
}

/// Returns unique names for the files of images, by their positions in the responses or, if two would be equal, in the
/// list.
pub(super) fn stems(images: &[ImageRef], prefix: Option<&str>) -> Vec<String> {
    let stems: Vec<_> = images.iter().map(|image| stem(image, prefix, images.len())).collect();
    let mut seen = BTreeSet::new();
    // Some file systems ignore case.
    if stems.iter().all(|stem| seen.insert(stem.to_lowercase())) {
        return stems;
    }
    // Images of several responses, or the same image twice.
    let numbered = images.iter().enumerate().map(|(index, image)| {
        let image = ImageRef { number: index + 1, role: None, ..image.clone() };
        stem(&image, prefix, images.len())
    });
    numbered.collect()
}

/// Returns the name for the file of an image: its time, its position in the response, and a part of its link. So names
/// sort by time, are the same each time, and differ between responses of the same second.
fn stem(image: &ImageRef, prefix: Option<&str>, images: usize) -> String {
    let digits = images.max(image.number).to_string().len();
    let position = image.role.map_or_else(|| format!("{:0digits$}", image.number), str::to_owned);
    if let Some(prefix) = prefix {
        return if images == 1 { prefix.to_owned() } else { format!("{prefix}-{position}") };
    }
    let time = image.created.as_ref().filter(|created| created.unix_seconds().is_some());
    let time = time.map_or_else(|| "image".to_owned(), Timestamp::compact);
    match image.link() {
        Some(link) => format!("{time}-{position}-{}", short_id(link)),
        None => format!("{time}-{position}"),
    }
}

/// Returns a short id of a link for a file name: letters and digits of the link, or a hash.
fn short_id(link: &str) -> String {
    const LENGTH: usize = 8;
    let path = link.split(['?', '#']).next().unwrap_or_default();
    let name = path.rsplit('/').next().unwrap_or_default().split('.').next().unwrap_or_default();
    let id: String = name.chars().filter(char::is_ascii_alphanumeric).take(LENGTH).collect();
    if id.len() == LENGTH && name.len() >= 16 {
        return id;
    }
    // A file name must not depend on the version of the standard library.
    let hash = fnv_1a(0, link.as_bytes());
    format!("{:08x}", (hash >> 32) ^ (hash & 0xffff_ffff))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        CallBuilder, Client, JobBuilder,
        operation::ImageCount,
        operations,
        save::{Image, ImageOutcome},
    };

    /// Compiles if the response of a call has images, and its items are images.
    fn call<B: CallBuilder<Output: HasImages>>(builder: &B, _: impl Fn(&B::Output)) -> &'static str {
        builder.operation().id
    }

    /// Compiles if the result of a job has images, and its items are images.
    fn job<B: JobBuilder<Finished: HasImages>>(builder: &B, _: impl Fn(&B::Finished)) -> &'static str {
        builder.operation().id
    }

    fn is_image(_: &impl Image) {}

    macro_rules! operations_with_images {
        ($client:ident, $function:ident: $($method:ident),* $(,)?) => {
            [$($function(&$client.$method(), |response| response.data.iter().for_each(is_image))),*]
        };
    }

    #[test]
    #[expect(deprecated, reason = "deprecated operations make images, too")]
    fn the_response_of_every_operation_that_makes_images_has_images() {
        let client = Client::builder().api_key("key").build().unwrap();
        let mut checked = BTreeSet::from(operations_with_images!(
            client, call:
            generate_image_v4,
            remix_image_v4,
            generate_image_v3,
            generate_image_v3_transparent,
            inpaint_image_v3,
            remix_image_v3,
            reframe_image_v3,
            replace_background_v3,
            edit_image_v3,
            remove_background,
            v1_edit_image,
            upscale_image,
            generate_image,
            edit_image,
            remix_image,
            reframe_image,
            get_generation_v2,
            generate_image_v2_ideogram45,
            generate_image_v2_ideogram_v4,
            generate_image_v2_ideogram_v4_transparent,
            generate_image_v2_ideogram_v4_custom_model,
            generate_image_v2_ideogram_v3,
            generate_image_v2_ideogram_v3_custom_model,
            precise_edit_image_v2_ideogram45,
            inpaint_image_v2_ideogram_v3,
            remix_image_v2_ideogram_v4,
            reframe_image_v2_ideogram_v3,
            remove_background_v2,
            upscale,
        ));
        // Its calls are jobs without exception.
        checked.extend(operations_with_images!(client, job: replace_background_ideogram_v3));
        // Its response has links, and no items.
        checked.insert(call(&client.layerize_text_v3(), |_| {}));

        for operation in operations::ALL.iter().filter(|operation| operation.images != ImageCount::Fixed(0)) {
            assert!(
                checked.contains(operation.id),
                "`{operation}` makes images: add it to this list. If that does not compile, add its response to \
                 `responses!` in this file, and the items of its response to `images!` in `image.rs`"
            );
        }
    }

    #[test]
    fn names_sort_by_time_and_are_unique() {
        let response = json!({
            "created": "2026-07-02 09:07:13.9+00:00",
            "data": [
                {"url": "https://ideogram.ai/api/images/ephemeral/LavTZAE4l8zM63sVJs_7aA.png?exp=1&sig=2"},
                {"url": "https://ideogram.ai/api/images/direct/ddgrm07nEJidT1m2fY8JiA"},
                {"url": "https://host.test/../../etc/passwd"},
                {"url": "https://host.test/image?id=1"},
                {"url": "https://host.test/image?id=2"},
                {"is_image_safe": false},
            ],
        });

        let names: Vec<_> = images_in(&response).iter().map(|image| stem(image, None, 6)).collect();

        insta::assert_debug_snapshot!(names, @r#"
        [
            "20260702T090713Z-1-LavTZAE4",
            "20260702T090713Z-2-ddgrm07n",
            "20260702T090713Z-3-e78a3f2a",
            "20260702T090713Z-4-36a5e708",
            "20260702T090713Z-5-36a5e5dd",
            "20260702T090713Z-6",
        ]
        "#);
    }

    #[test]
    fn a_name_of_the_caller_is_numbered_only_if_necessary() {
        let response = json!({"data": (0..11).map(|seed| json!({"url": "", "seed": seed})).collect::<Vec<_>>()});
        let images = images_in(&response);
        let layers = images_in(&json!({"base_image_url": "https://a.test/", "original_image_url": "https://b.test/"}));

        assert_eq!(stem(&images[0], Some("cat"), 1), "cat");
        assert_eq!(stem(&images[0], Some("cat"), 2), "cat-1");
        assert_eq!(stem(&images[1], Some("cat"), 11), "cat-02");
        assert_eq!(stem(&images[1], None, 11), "image-02-4fd0bfc1");
        assert_eq!(stem(&layers[0], Some("cat"), 2), "cat-base");
        assert!(stem(&layers[1], None, 2).starts_with("image-original-"));
    }

    #[test]
    fn names_that_would_be_equal_are_numbered_by_their_position_in_the_list() {
        let layers = |host: &str| json!({"base_image_url": format!("https://{host}.test/b"), "data": [{"url": "x"}]});
        let both = [images_in(&layers("a")), images_in(&layers("b"))].concat();

        assert_eq!(stems(&both[..2], Some("sign")), ["sign-1", "sign-base"]);
        assert_eq!(stems(&both, Some("sign")), ["sign-1", "sign-2", "sign-3", "sign-4"]);
        assert_eq!(stems(&both[1..2], Some("sign")), ["sign"]);
        assert_eq!(stems(&both[..2], None), [stem(&both[0], None, 2), stem(&both[1], None, 2)]);
    }

    #[test]
    fn items_that_are_not_images_and_empty_links_are_left_out() {
        for response in [
            json!({"data": null}),
            json!({"data": [{"text": "a cat"}, 7, null]}),
            json!({"base_image_url": null, "original_image_url": ""}),
            json!([]),
            json!(null),
        ] {
            assert_eq!(images_in(&response), [], "{response}");
        }
    }

    #[test]
    fn an_image_has_the_values_of_its_response() {
        let link = "https://a.test/x?exp=1783069633&sig=1";
        let response = json!({"created": "2026-07-02T09:07:13Z", "data": [
            {"url": link, "is_image_safe": true, "seed": 7, "prompt": "a cat", "new": [1]},
            {"url": null, "is_image_safe": false, "seed": 8},
        ]});

        let [image, withheld] = images_in(&response).try_into().unwrap();

        assert_eq!(image.outcome(), ImageOutcome::Available(link));
        assert_eq!((image.number(), image.seed(), image.prompt()), (1, Some(7), Some("a cat")));
        assert_eq!(image.expires().unwrap().to_string(), "2026-07-03T09:07:13Z");
        assert_eq!(image.item()["new"], json!([1]));
        assert_eq!((withheld.number(), withheld.outcome()), (2, ImageOutcome::Withheld));
    }
}
