//! `--dry-run`: every request that a batch would send.

use serde_json::{Map, json};

use super::{budget, plan::Plan, row::Row};
use crate::{
    failure::Failure, images::job, output::layout::Layout, output::units, session::context::Context, session::dry_run,
};

/// Prints every request that would be sent.
pub(super) async fn show(context: &Context<'_>, rows: &[Row], plan: &Plan) -> Result<(), Failure> {
    let mut requests = context.output().stream("requests");
    let mut images = 0_u64;
    for (number, index) in plan.send.iter().enumerate() {
        let row = &rows[*index];
        images += u64::from(row.images);
        let count = units::count(u64::from(row.images), "image");
        let mut layout = if number == 0 { Layout::new() } else { Layout::after_another() };
        let cannot = |error| Failure::local_io("a request cannot be printed").because(&error);
        let sent = job::as_sent(row.request.clone()).map_err(cannot)?;
        let described = dry_run::describe(&sent).await.map_err(cannot)?;
        layout = layout.line(format!("line {} ({}): {count}", row.line, row.name)).and(described.layout);
        let request = json!({"row": row.name, "line": row.line, "images": row.images, "request": described.json});
        requests.push_laid_out(&request, &layout)?;
    }
    requests.finish(Map::new())?;
    let requests = units::count(plan.send.len() as u64, "request");
    let mut note = format!("dry run: nothing was sent; {requests} would generate {}", units::count(images, "image"));
    if !plan.wait.is_empty() {
        let rows = units::count(plan.wait.len() as u64, "row");
        note.push_str(&format!(", and the images of {rows} that run as jobs would be fetched"));
    }
    if !plan.save.is_empty() {
        let rows = units::count(plan.save.len() as u64, "row");
        note.push_str(&format!(", and the images of {rows} would be saved from stored responses"));
    }
    if !plan.confirm.is_empty() {
        let rows = units::count(plan.confirm.len() as u64, "row");
        note.push_str(&format!("; {rows} may be paid already, and would be sent only after a question"));
    }
    context.output().note(&note);
    if images > 0 {
        let how = if budget::has_quotes(rows, &plan.send) { "; --quote prints their price" } else { "" };
        let bill = dry_run::bill(&units::count(images, "image"));
        context.output().note(&format!("{bill}{how}"));
    }
    Ok(())
}
