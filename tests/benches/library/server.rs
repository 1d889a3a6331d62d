//! A server for both sides: a dataset, images, and uploads of any size.

use std::{
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    thread,
};

/// The size of an image.
pub(crate) const IMAGE_BYTES: usize = 2 * 1024 * 1024;

/// The response of `get_dataset`.
pub(crate) const DATASET: &str = include_str!("../../../openapi/examples/get_dataset/demo.json");
const UPLOADED: &str = r#"{"total_count":1,"success_count":1,"failure_count":0}"#;

/// Starts it, and returns its URL.
pub(crate) fn serve() -> io::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let url = format!("http://{}", listener.local_addr()?);
    let mut image = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
    // One chunk to the end, so that the image is complete.
    image.extend([0; 17]);
    let data = u32::try_from(IMAGE_BYTES - image.len() - 24).expect("an image is small");
    image.extend([&data.to_be_bytes(), b"IDAT".as_slice()].concat());
    image.resize(IMAGE_BYTES - 12, 7);
    image.extend(b"\0\0\0\0IEND\xaeB`\x82");
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let image = image.clone();
            // A client that goes away ends its connection, not the benchmark.
            thread::spawn(move || drop(respond(&stream, &image)));
        }
    });
    Ok(url)
}

fn respond(stream: &TcpStream, image: &[u8]) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::with_capacity(256 * 1024, stream);
    let mut writer = stream;
    loop {
        let (mut length, mut line, mut first) = (0, String::new(), String::new());
        while reader.read_line(&mut line)? > 0 && line != "\r\n" {
            let lower = line.to_ascii_lowercase();
            if let Some(value) = lower.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap_or(0);
            }
            if lower.starts_with("expect:") {
                writer.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
            }
            if first.is_empty() {
                first.clone_from(&line);
            }
            line.clear();
        }
        if first.is_empty() {
            return Ok(());
        }
        io::copy(&mut reader.by_ref().take(length), &mut io::sink())?;
        let (media_type, body) = match &first {
            post if post.starts_with("POST") => ("application/json", UPLOADED.as_bytes()),
            get if get.contains(".png ") => ("image/png", image),
            _ => ("application/json", DATASET.as_bytes()),
        };
        let head = format!("HTTP/1.1 200 OK\r\nContent-Type: {media_type}\r\nContent-Length: {}\r\n\r\n", body.len());
        // In one piece: a second one wakes the client a second time, sometimes.
        writer.write_all(&[head.as_bytes(), body].concat())?;
    }
}
