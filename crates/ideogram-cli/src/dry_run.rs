//! `--dry-run`: the request as it would be sent, without the key.

use std::io;

use ideogram_client::{PartContent, Request};
use serde_json::{Map, Value, json};

use crate::{
    failure::Failure,
    page::{Column, Page, Table},
    units,
};

/// A request, described without sending it.
#[derive(Debug)]
pub(crate) struct Described {
    /// For programs.
    pub(crate) json: Value,
    /// For people.
    pub(crate) page: Page,
}

/// Looks at all that would be sent. Files are opened to see whether they can be read, and how large they are.
pub(crate) async fn describe(request: &Request) -> Result<Described, Failure> {
    let mut headers = Map::from_iter([("api-key".to_owned(), json!("[key]"))]);
    for (name, value) in request.headers() {
        headers.insert(name.to_string(), json!(value.to_str().unwrap_or("[not text]")));
    }
    if !request.parts().is_empty() {
        headers.insert("content-type".to_owned(), json!("multipart/form-data"));
    }
    let mut page = Page::new().line(format!("{} {}", request.method(), request.url()));
    for (name, value) in &headers {
        page = page.field(name.clone(), value.as_str().unwrap_or_default());
    }
    let mut described = json!({
        "operation": request.operation().id,
        "method": request.method().as_str(),
        "url": request.url().as_str(),
        "headers": headers,
    });
    if let Some(body) = request.json_body() {
        let body: Value = serde_json::from_slice(body)
            .map_err(|error| Failure::internal("the body of the request is not JSON").because(&error))?;
        page = page.line(body.to_string());
        described["json"] = body;
    }
    if !request.parts().is_empty() {
        let mut table = Table::new(["PART", "CONTENT"].map(Column::Left));
        let mut parts = Vec::new();
        for part in request.parts() {
            let (mut described, shown) = content(&part.content)
                .await
                .map_err(|error| Failure::local_io("nothing was sent: a file cannot be sent").because(&error))?;
            table.row([part.name.to_owned(), shown]);
            described.insert("name".to_owned(), json!(part.name));
            parts.push(described);
        }
        page = page.table(table);
        described["parts"] = json!(parts);
    }
    Ok(Described { json: described, page })
}

async fn content(content: &PartContent) -> io::Result<(Map<String, Value>, String)> {
    let (name, value, shown) = match content {
        PartContent::Text(text) => ("value", json!(text), text.clone()),
        PartContent::Json { text, .. } => {
            ("json", serde_json::from_str(text).unwrap_or_else(|_| json!(text)), text.clone())
        }
        PartContent::File(file) => {
            let info = file.inspect().await?;
            let size = info.size_bytes.map_or_else(|| "size unknown".to_owned(), units::size);
            let shown = format!("file {}, {size}, {}", info.name, info.media_type);
            let value = json!({"name": info.name, "size_bytes": info.size_bytes, "media_type": info.media_type});
            ("file", value, shown)
        }
        _ => return Err(io::Error::other("this version of the command cannot show the part")),
    };
    Ok((Map::from_iter([(name.to_owned(), value)]), shown))
}
