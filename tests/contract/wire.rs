//! The bytes that the client sends.

use ideogram_client::{Client, File, types};
use serde_json::Value;

use crate::raw_server::{KEY, RawRequest, RawServer, response};

const UPLOADED: &str = r#"{"total_count":2,"success_count":2,"failure_count":0}"#;
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n--not-a-boundary\r\n\0\xff";
const JPEG: &[u8] = b"\xff\xd8\xff\xe0 rest";

/// Uploads, and returns the one request that was sent for it.
async fn upload(files: impl IntoIterator<Item = File>) -> RawRequest {
    let server = RawServer::responding(response(200, "", UPLOADED));

    server.client().upload_dataset_assets().dataset_id("abc").files(files).send().await.unwrap();

    only_request(&server)
}

pub(crate) fn only_request(server: &RawServer) -> RawRequest {
    let requests = server.requests();
    let [request] = requests.as_slice() else { panic!("expected one request: {requests:#?}") };
    request.clone()
}

/// A multipart body, its boundary taken from the header.
pub(crate) fn expected_body(request: &RawRequest, parts: &[(&str, &[u8])]) -> Vec<u8> {
    let content_type = request.header("content-type")[0].to_owned();
    let boundary = content_type.strip_prefix("multipart/form-data; boundary=").expect(&content_type);
    let mut body = Vec::new();
    for (headers, content) in parts {
        body.extend_from_slice(format!("--{boundary}\r\n{headers}\r\n\r\n").as_bytes());
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    body
}

/// Bytes as text, so that a difference can be read.
pub(crate) fn readable(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string().replace(r"\r\n", "\n")
}

#[tokio::test]
async fn files_from_disk_are_parts_with_name_and_media_type() {
    let folder = tempfile::tempdir().unwrap();
    let (png, jpeg) = (folder.path().join("a.png"), folder.path().join("b.jpg"));
    std::fs::write(&png, PNG).unwrap();
    std::fs::write(&jpeg, JPEG).unwrap();

    let request = upload([File::from_path(png), File::from_path(jpeg)]).await;

    assert_eq!(request.line(), "POST /datasets/abc/upload_assets");
    let parts = [
        ("Content-Disposition: form-data; name=\"files\"; filename=\"a.png\"\r\nContent-Type: image/png", PNG),
        ("Content-Disposition: form-data; name=\"files\"; filename=\"b.jpg\"\r\nContent-Type: image/jpeg", JPEG),
    ];
    assert_eq!(readable(&request.body), readable(&expected_body(&request, &parts)));
    assert_eq!(request.header("content-length"), [request.body.len().to_string()]);
    assert_eq!(request.header("api-key"), [KEY]);
}

#[tokio::test]
async fn bytes_and_readers_are_sent_intact() {
    let content: Vec<u8> = (0..200_000_u32).flat_map(u32::to_le_bytes).collect();
    let reader = std::io::Cursor::new(content.clone());
    let size = Some(content.len() as u64);

    let request = upload([
        File::from_bytes("a.webp", content.clone()),
        File::from_reader("b.webp", reader, size),
        File::from_bytes("notes.txt", "a caption"),
    ])
    .await;

    let parts: [(&str, &[u8]); 3] = [
        ("Content-Disposition: form-data; name=\"files\"; filename=\"a.webp\"\r\nContent-Type: image/webp", &content),
        ("Content-Disposition: form-data; name=\"files\"; filename=\"b.webp\"\r\nContent-Type: image/webp", &content),
        (
            "Content-Disposition: form-data; name=\"files\"; filename=\"notes.txt\"\r\nContent-Type: text/plain",
            b"a caption",
        ),
    ];
    assert!(request.body == expected_body(&request, &parts), "{} bytes", request.body.len());
}

#[tokio::test]
async fn a_reader_of_unknown_size_is_sent_in_chunks() {
    let request = upload([File::from_reader("a.png", PNG, None)]).await;

    let part = ("Content-Disposition: form-data; name=\"files\"; filename=\"a.png\"\r\nContent-Type: image/png", PNG);
    assert_eq!(readable(&request.body), readable(&expected_body(&request, &[part])));
    assert_eq!(request.header("transfer-encoding"), ["chunked"]);
}

#[tokio::test]
async fn the_caller_can_choose_name_and_media_type() {
    let file = File::from_bytes("a.png", PNG).with_name("archive.bin").with_media_type("application/zip");

    let request = upload([file]).await;

    let headers =
        "Content-Disposition: form-data; name=\"files\"; filename=\"archive.bin\"\r\nContent-Type: application/zip";
    assert_eq!(readable(&request.body), readable(&expected_body(&request, &[(headers, PNG)])));
}

#[tokio::test]
async fn a_file_name_cannot_break_out_of_its_quotes() {
    let name = "a\"; name=\"other\\.png";

    let request = upload([File::from_bytes(name, PNG)]).await;

    let headers = "Content-Disposition: form-data; name=\"files\"; filename=\"a\\\"; name=\\\"other\\\\.png\"\r\n\
                   Content-Type: image/png";
    assert_eq!(readable(&request.body), readable(&expected_body(&request, &[(headers, PNG)])));
}

#[tokio::test]
async fn a_file_name_beyond_ascii_is_sent_in_utf_8() {
    let request = upload([File::from_bytes("fuß.png", PNG)]).await;

    let body = String::from_utf8_lossy(&request.body).into_owned();
    assert!(body.contains("filename=\"fuß.png\""), "{body}");
}

#[tokio::test]
async fn a_list_in_a_query_is_repeated() {
    let server = RawServer::responding(response(200, "", r#"{"models":[]}"#));
    let client = server.client();

    let call = client
        .list_custom_models()
        .scope("owned")
        .status(["TRAINING", "COMPLETED", "A STATE & MORE"].map(types::ModelStatus::custom));
    call.send().await.unwrap();

    let line = "GET /models?scope=owned&status=TRAINING&status=COMPLETED&status=A+STATE+%26+MORE";
    assert_eq!(only_request(&server).line(), line);
}

#[tokio::test]
async fn a_query_without_values_is_left_out() {
    let server = RawServer::responding(response(200, "", r#"{"models":[]}"#));

    server.client().list_custom_models().send().await.unwrap();

    assert_eq!(only_request(&server).line(), "GET /models");
}

#[tokio::test]
async fn a_json_body_has_only_the_set_properties() {
    let created = include_str!("../../openapi/examples/create_dataset/created.json");
    let server = RawServer::responding(response(200, "", created));

    server.client().create_dataset().name("Lanterns \"red\" – ü").send().await.unwrap();

    let request = only_request(&server);
    assert_eq!(request.line(), "POST /datasets");
    assert_eq!(String::from_utf8(request.body.clone()).unwrap(), r#"{"name":"Lanterns \"red\" – ü"}"#);
    assert_eq!(request.header("content-type"), ["application/json"]);
}

#[tokio::test]
async fn an_id_is_one_segment_of_the_path() {
    let server = RawServer::responding(response(404, "", "{}"));

    let _ = server.client().get_custom_model().model_id("ä@:;=+&...").send().await;

    assert_eq!(only_request(&server).line(), "GET /models/%C3%A4%40%3A%3B%3D%2B%26...");
}

#[tokio::test]
async fn a_path_in_the_base_url_stays_in_front() {
    let server = RawServer::responding(response(200, "", r#"{"datasets":[]}"#));
    for suffix in ["/gateway/v9", "/gateway/v9/"] {
        let client = crate::raw_server::client_builder(&format!("{}{suffix}", server.url())).build().unwrap();
        client.list_datasets().send().await.unwrap();
    }

    let lines: Vec<_> = server.requests().iter().map(|request| request.line().to_owned()).collect();
    assert_eq!(lines, ["GET /gateway/v9/datasets"; 2]);
}

#[tokio::test]
async fn a_prepared_request_is_sent_unchanged() {
    let created = include_str!("../../openapi/examples/create_dataset/created.json");
    let server = RawServer::responding(response(200, "", created));
    let client: Client = server.client();

    let prepared = client.create_dataset().name("Lanterns").prepare().unwrap();
    assert!(server.requests().is_empty(), "preparing sends nothing");
    let dataset: types::Dataset = client.create_dataset().name("Lanterns").send().await.unwrap();

    let sent = only_request(&server);
    let json: Value = serde_json::from_slice(&sent.body).unwrap();
    assert_eq!(serde_json::from_slice::<Value>(prepared.json_body().unwrap()).unwrap(), json);
    assert_eq!(sent.line(), format!("{} {}", prepared.method(), prepared.url().path()));
    assert!(!dataset.dataset_id.as_str().is_empty());
}
