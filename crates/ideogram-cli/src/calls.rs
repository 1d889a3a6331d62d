//! What all generated builders have in common, so that one function can send any of them.

use ideogram_client::{Error, Request, Response, builder, types};

/// A call of the service that is ready to be sent.
pub(crate) trait Call: Clone {
    /// What the service answers.
    type Answer;

    /// The request, checked and not sent.
    fn prepare(self) -> Result<Request, Error>;

    /// Sends it.
    fn response(self) -> impl Future<Output = Result<Response<Self::Answer>, Error>>;
}

/// Of any operation.
impl Call for ideogram_client::Call<'_> {
    type Answer = serde_json::Value;

    fn prepare(self) -> Result<Request, Error> {
        self.prepare()
    }

    async fn response(self) -> Result<Response<Self::Answer>, Error> {
        self.response().await
    }
}

macro_rules! calls {
    ($($builder:ident => $answer:ident,)*) => {
        $(impl Call for builder::$builder<'_> {
            type Answer = types::$answer;

            fn prepare(self) -> Result<Request, Error> {
                self.prepare()
            }

            async fn response(self) -> Result<Response<Self::Answer>, Error> {
                self.response().await
            }
        })*

        #[cfg(test)]
        const NAMES: &[&str] = &[$(stringify!($builder)),*];
    };
}

calls! {
    CreateDataset => Dataset,
    Describe => DescribeResponse,
    DescribeV4 => DescribeResponseV4,
    EditImage => GenerateImageResponse,
    EditImageV3 => ImageGenerationResponseV3,
    GenerateImage => GenerateImageResponse,
    GenerateImageV3 => ImageGenerationResponseV3,
    GenerateImageV3Transparent => ImageGenerationResponseV3,
    GenerateImageV4 => ImageGenerationResponseV4,
    GetCustomModel => GetModelResponse,
    GetDataset => GetDatasetResponse,
    InpaintImageV3 => ImageGenerationResponseV3,
    LayerizeTextV3 => LayerizeTextResponse,
    ListCustomModels => ListModelsResponse,
    ListDatasets => ListDatasetsResponse,
    MagicPromptV4 => MagicPromptV4Response,
    ReframeImage => GenerateImageResponse,
    ReframeImageV3 => ImageGenerationResponseV3,
    RemixImage => GenerateImageResponse,
    RemixImageV3 => ImageGenerationResponseV3,
    RemixImageV4 => ImageGenerationResponseV4,
    RemoveBackground => RemoveBackgroundResponse,
    ReplaceBackgroundV3 => ImageGenerationResponseV3,
    TrainModelV3 => TrainDatasetModelResponse,
    UploadDatasetAssets => UploadDatasetAssetsResponse,
    UpscaleImage => GenerateImageResponse,
    V1EditImage => V1EditImagesResponse,
}

#[cfg(test)]
mod tests {
    use ideogram_client::operations;

    use super::*;

    #[test]
    fn every_operation_can_be_called() {
        let mut wanted: Vec<String> =
            operations::ALL.iter().map(|operation| operation.method_name.replace('_', "")).collect();
        let mut names: Vec<String> = NAMES.iter().map(|name| name.to_ascii_lowercase()).collect();
        wanted.sort_unstable();
        names.sort_unstable();

        assert_eq!(names, wanted);
    }
}
