//! The prices of rows, which are quoted before the first row is sent: for `--max-usd`.

use std::collections::{HashMap, VecDeque};

use futures_util::{StreamExt as _, stream};
use ideogram_client::types::PriceQuote;

use super::row::Row;
use crate::{
    failure::Failure,
    output::progress::Counted,
    session::context::{Context, Wording},
};

/// How many quotes are asked for at once.
const PARALLEL: usize = 4;

/// Returns the prices of rows in millionths of a US dollar, in their order, until their sum exceeds what is left.
///
/// # Errors
///
/// If a row has an operation without quotes, or a quote cannot be had. Nothing was sent.
pub(super) async fn of_rows(
    context: &Context<'_>,
    rows: &[Row],
    send: &VecDeque<usize>,
    left: u64,
) -> Result<HashMap<usize, u64>, Failure> {
    if let Some(row) = send.iter().map(|index| &rows[*index]).find(|row| row.request.operation().quote.is_none()) {
        let (line, name, operation) = (row.line, &row.name, row.request.operation());
        return Err(Failure::usage(format!("line {line} ({name}): {operation} has no price quotes: nothing was sent"))
            .hint("leave out --max-usd, or use --model v4.5, v4 or v3; --max-images limits images of any model"));
    }
    let progress = context.progress("quoting", Counted::Things("row"), Some(send.len() as u64));
    let quotes = stream::iter(send.iter().copied()).map(|index| async move {
        let request = rows[index].request.clone();
        (index, context.client().quote::<PriceQuote>(request).await)
    });
    let mut quotes = quotes.buffered(PARALLEL);
    let (mut prices, mut sum) = (HashMap::new(), 0_u64);
    while let Some((index, quote)) = quotes.next().await {
        let quote = quote.map_err(|error| {
            let action = format!("cannot get the price of line {}", rows[index].line);
            context.failure(Wording { action: &action, inspect: "" }, &error).hint("nothing was sent")
        })?;
        let price = quote.upper_bound_usd_micros.unwrap_or(quote.usd_micros).max(quote.usd_micros);
        let price = u64::try_from(price).unwrap_or(u64::MAX);
        prices.insert(index, price);
        sum = sum.saturating_add(price);
        progress.advance(1);
        if sum > left {
            break;
        }
    }
    Ok(prices)
}
