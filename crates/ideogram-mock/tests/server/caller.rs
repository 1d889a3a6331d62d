//! A server and a plain HTTP client, and the files to send.

use std::io::{Cursor, Write};

use ideogram_mock::{MockServer, MockServerBuilder};
use reqwest::{
    Client, Method, RequestBuilder, StatusCode,
    header::HeaderMap,
    multipart::{Form, Part},
};
use serde_json::Value;
use zip::{ZipWriter, write::SimpleFileOptions};

/// A server with a client that has its key.
pub(crate) struct Caller {
    pub(crate) server: MockServer,
    client: Client,
}

/// A response, decoded if it is JSON.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Caller {
    pub(crate) async fn new() -> Self {
        Self::with(MockServer::builder()).await
    }

    pub(crate) async fn with(builder: MockServerBuilder) -> Self {
        Self { server: builder.start().await.unwrap(), client: Client::builder().no_proxy().build().unwrap() }
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.server.url())).header("Api-Key", self.server.api_key())
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        send(self.request(Method::GET, path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Response {
        send(self.request(Method::POST, path).json(body)).await
    }

    pub(crate) async fn post_form(&self, path: &str, form: Form) -> Response {
        send(self.request(Method::POST, path).multipart(form)).await
    }

    /// Fetches an image, without the key.
    pub(crate) async fn fetch(&self, url: &Value) -> reqwest::Result<(StatusCode, HeaderMap, Vec<u8>)> {
        let response = self.client.get(url.as_str().unwrap()).send().await?;
        let (status, headers) = (response.status(), response.headers().clone());
        Ok((status, headers, response.bytes().await?.to_vec()))
    }

    /// Uploads files (name, content) to the dataset `demo`.
    pub(crate) async fn upload(&self, files: impl IntoIterator<Item = (&str, Vec<u8>)>) -> Response {
        self.upload_to("demo", files).await
    }

    pub(crate) async fn upload_to(
        &self,
        dataset_id: &str,
        files: impl IntoIterator<Item = (&str, Vec<u8>)>,
    ) -> Response {
        let part = |(name, content): (&str, Vec<u8>)| Part::bytes(content).file_name(name.to_owned());
        let form = files.into_iter().map(part).fold(Form::new(), |form, part| form.part("files", part));
        self.post_form(&format!("/datasets/{dataset_id}/upload_assets"), form).await
    }

    /// The id of a new dataset with `count` images.
    pub(crate) async fn dataset_of(&self, count: usize) -> String {
        let created = self.post("/datasets", &serde_json::json!({"name": "new"})).await;
        let id = created.body["dataset_id"].as_str().unwrap().to_owned();
        let names: Vec<_> = (0..count).map(|number| format!("{number}.png")).collect();
        if count > 0 {
            self.upload_to(&id, names.iter().map(|name| (name.as_str(), png()))).await;
        }
        id
    }
}

pub(crate) async fn send(request: RequestBuilder) -> Response {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    let body = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap_or_default();
    Response { status, headers, body }
}

/// A form with a file in the part `name`, of this file name and size in pixels.
pub(crate) fn with_png(form: Form, name: &'static str, file_name: &'static str, size: (u8, u8)) -> Form {
    let mut bytes = png();
    (bytes[19], bytes[23]) = size;
    form.part(name, Part::bytes(bytes).file_name(file_name))
}

/// A form without files.
pub(crate) fn form<'a>(texts: impl IntoIterator<Item = (&'a str, &'a str)>) -> Form {
    texts.into_iter().fold(Form::new(), |form, (name, text)| form.text(name.to_owned(), text.to_owned()))
}

/// The smallest valid PNG.
pub(crate) fn png() -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
    bytes.extend(b"\0\0\0\x0dIHDR\0\0\0\x01\0\0\0\x01\x08\x02\0\0\0\x90\x77\x53\xde");
    bytes.extend(b"\0\0\0\0IEND\xae\x42\x60\x82");
    bytes
}

/// An archive of files (name, content).
pub(crate) fn zip(files: impl IntoIterator<Item = (&'static str, Vec<u8>)>) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in files {
        archive.start_file(name, SimpleFileOptions::default()).unwrap();
        archive.write_all(&content).unwrap();
    }
    archive.finish().unwrap().into_inner()
}
