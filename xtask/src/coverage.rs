//! The tables of `openapi/README.md`: the operations, with their methods and commands, and the decided differences.

use anyhow::{Context as _, Result};
use ideogram_codegen::{GeneratedClient, OperationSummary};

use crate::{
    drift::decisions::{self, Decisions},
    readme::{self, between},
    sources::{Sources, Validity},
};

const BEGIN: &str = "<!-- coverage:begin -->";
const END: &str = "<!-- coverage:end -->";
const HEADER: [&str; 9] =
    ["operation", "method of the client", "command", "HTTP", "path", "body", "billing", "retry", "samples"];

/// Returns the file with a new table.
pub(crate) fn render(sources: &Sources, client: &GeneratedClient) -> Result<String> {
    let current = sources.get(readme::FILE).with_context(|| format!("`{}` is missing", readme::FILE))?;
    let decisions = sources.get(decisions::FILE).with_context(|| format!("`{}` is missing", decisions::FILE))?;
    let with_decisions = Decisions::parse(decisions)?.render(current)?;
    between(&with_decisions, BEGIN, END, &table(sources, client))
}

fn table(sources: &Sources, client: &GeneratedClient) -> String {
    let mut lines = vec![row(&HEADER.map(str::to_owned)), row(&HEADER.map(|_| "---".to_owned()))];
    lines.extend(client.operations().iter().map(|operation| row(&cells(sources, operation))));
    lines.iter().map(|line| format!("{line}\n")).collect()
}

fn row(cells: &[String]) -> String {
    format!("| {} |", cells.join(" | "))
}

fn cells(sources: &Sources, operation: &OperationSummary<'_>) -> [String; 9] {
    let name = format!("`{}`", operation.id);
    [
        if operation.deprecated { format!("{name} (deprecated)") } else { name },
        format!("`{}()`", operation.method_name),
        sources
            .command_for(operation.id, operation.method_name)
            .map(|command| format!("`{command}`"))
            .unwrap_or_default(),
        operation.http_method.clone(),
        format!("`{}`", operation.path),
        operation.media_type.map(|media_type| format!("`{media_type}`")).unwrap_or_default(),
        if operation.paid { "paid" } else { "free" }.to_owned(),
        if operation.safe_to_retry { "safe" } else { "unsafe" }.to_owned(),
        samples(sources, operation.id),
    ]
}

/// Links to the folders, without counts, so that a new sample does not change the table.
fn samples(sources: &Sources, operation: &str) -> String {
    let folders = [(Validity::Example, "examples"), (Validity::News, "news")];
    let links = folders.into_iter().filter(|(validity, _)| {
        sources.samples().any(|sample| sample.operation == operation && sample.validity == *validity)
    });
    links.map(|(_, name)| format!("[{name}]({name}/{operation}/)")).collect::<Vec<_>>().join(", ")
}
