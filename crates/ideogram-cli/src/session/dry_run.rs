//! `--dry-run`: the request as it would be sent, without the key.

use ideogram_client::{
    Error,
    request::{BodySummary, ContentSummary, Request},
};
use serde_json::{Value, json};

use crate::{
    failure::PRICES_PAGE,
    output::layout::{Column, Layout, Table},
    output::units,
};

/// Stands for the API key.
const KEY: &str = "[key]";
/// The header of the key.
const KEY_HEADER: &str = match ideogram_client::operations::API_KEY_HEADER {
    Some(name) => name,
    None => "Api-Key",
};

/// What a call, or several, would cost.
pub(crate) fn bill(what: &str) -> String {
    format!("{what} would be billed (prices: {PRICES_PAGE})")
}

/// A request, described without sending it.
#[derive(Debug)]
pub(crate) struct Described {
    /// For programs.
    pub(crate) json: Value,
    /// For people.
    pub(crate) layout: Layout,
}

/// Describes a request. Opens its files to check that they can be read, and to get their size.
pub(crate) async fn describe(request: &Request) -> Result<Described, Error> {
    let mut summary = request.summary().await?;
    if request.operation().needs_key {
        summary.headers.insert(KEY_HEADER.to_lowercase(), KEY.to_owned());
    }
    if let Some(BodySummary::Parts(_)) = summary.body {
        summary.headers.insert("content-type".to_owned(), "multipart/form-data".to_owned());
    }

    let mut layout = Layout::new().line(format!("{} {}", summary.method, summary.url));
    for (name, value) in &summary.headers {
        layout = layout.field(name.clone(), value);
    }
    layout = match &summary.body {
        Some(BodySummary::Json(body)) => layout.line(body.to_string()),
        Some(BodySummary::Parts(parts)) => {
            let mut table = Table::new(["PART", "CONTENT"].map(Column::Left));
            for part in parts {
                table.row([part.name.clone(), content(&part.content)]);
            }
            layout.table(table)
        }
        _ => layout,
    };
    Ok(Described { json: json!(summary), layout })
}

fn content(content: &ContentSummary) -> String {
    match content {
        ContentSummary::Text(text) => text.clone(),
        ContentSummary::Json(json) => json.to_string(),
        ContentSummary::File(info) => {
            let size = info.size_bytes.map_or_else(|| "size unknown".to_owned(), units::size);
            format!("file {}, {size}, {}", info.name, info.media_type)
        }
        // Kinds to come.
        other => json!(other).to_string(),
    }
}
