//! How much a batch costs and may cost: `--quote`, `--max-images` and `--max-usd`.

use std::collections::{HashMap, VecDeque};

use futures_util::{StreamExt as _, stream};
use ideogram_client::types::PriceQuote;
use serde_json::json;

use super::{
    journal::{Cost, History},
    model::Model,
    plan::Plan,
    report::Stop,
    row::Row,
};
use crate::{
    failure::Failure,
    images::price::{above, highest},
    output::{
        layout::Layout,
        progress::Counted,
        units::{self, usd},
    },
    session::context::Context,
};

/// How many quotes are requested at the same time.
const PARALLEL: usize = 4;

/// The limits of a batch, and what was sent so far, in all runs.
#[derive(Debug, Default)]
pub(super) struct Budget {
    max_images: Option<u64>,
    max_usd_micros: Option<u64>,
    /// The quoted prices of rows in millionths of a US dollar; rows behind the limit have none.
    prices: HashMap<usize, u64>,
    /// What the sums have of the rows that are in flight, or were in an earlier run.
    counted: HashMap<usize, Cost>,
    images: u64,
    usd_micros: u64,
    /// How many rows of earlier runs may be billed, and have no price.
    unpriced: usize,
}

impl Budget {
    /// Begins with what earlier runs sent. With a limit of money, the rows are priced, and those of earlier runs that were
    /// not: nothing is sent before. The limit of the profile asks.
    pub(super) async fn begin(
        context: &Context<'_>,
        (max_images, max_usd_micros): (Option<u64>, Option<u64>),
        history: &History,
        rows: &[Row],
        plan: &Plan,
    ) -> Result<Self, Failure> {
        let send = &plan.send;
        let ask_above = context.profile().ask_above_usd_micros;
        let has_prices = has_quotes(rows, send);
        let before = Earlier::of(history, rows, plan);
        let (images, mut usd_micros, mut unpriced) = (before.images, history.usd_micros, before.unpriced.len());
        let prices = match (max_usd_micros, ask_above) {
            (Some(max), _) if !send.is_empty() => {
                (usd_micros, unpriced) = before.price(context, history, rows, max).await?;
                prices(context, rows, send, max.saturating_sub(usd_micros)).await?
            }
            (None, Some(_)) if has_prices => prices(context, rows, send, u64::MAX).await?,
            _ => HashMap::new(),
        };
        let sum = sum_of(&prices);
        let number = units::count(send.len() as u64, "row");
        match ask_above {
            Some(_) if !has_prices => {
                let without = send.iter().filter(|index| rows[**index].request.operation().quote.is_none()).count();
                context.confirm(&format!("the service gives no price for {without} of {number}: send all?")).await?;
            }
            Some(limit) if sum > limit => {
                let most = max_usd_micros.map_or(sum, |max| sum.min(max));
                context.confirm(&format!("{number} cost at most {}: send them?", usd(most))).await?;
            }
            _ => {}
        }
        Ok(Self { max_images, max_usd_micros, prices, counted: before.counted, images, usd_micros, unpriced })
    }

    /// Adds a row that is about to be sent, and returns its price; or why it must not be sent.
    pub(super) fn add(&mut self, index: usize, row: &Row) -> Result<Option<u64>, Stop> {
        let images = self.images.saturating_add(u64::from(row.images));
        if let Some(max) = self.max_images.filter(|max| images > *max) {
            return Err(Stop::MaxImages(max));
        }
        let price = self.prices.get(&index).copied();
        if let Some(max) = self.max_usd_micros
            && price.is_none_or(|price| self.usd_micros.saturating_add(price) > max)
        {
            return Err(Stop::MaxUsd(max));
        }
        self.images = images;
        self.usd_micros = self.usd_micros.saturating_add(price.unwrap_or_default());
        self.counted.insert(index, Cost { images: u64::from(row.images), usd_micros: price });
        Ok(price)
    }

    /// Subtracts a row that is not billed.
    pub(super) fn subtract(&mut self, index: usize) {
        let Some(cost) = self.counted.remove(&index) else { return };
        self.images = self.images.saturating_sub(cost.images);
        self.usd_micros = self.usd_micros.saturating_sub(cost.usd_micros.unwrap_or_default());
    }

    /// What the rows of all runs cost by their quotes; `None` if a row has no price.
    pub(super) fn usd_micros(&self) -> Option<u64> {
        let is_priced = self.max_usd_micros.is_some() || !self.prices.is_empty();
        (is_priced && self.unpriced == 0).then_some(self.usd_micros)
    }
}

/// What earlier runs sent, with the rows that a lost journal does not have.
struct Earlier<'h> {
    images: u64,
    /// The rows that are waited for or whose images are saved.
    counted: HashMap<usize, Cost>,
    /// How often rows were sent that may be billed, without a price.
    unpriced: HashMap<&'h str, u64>,
}

impl<'h> Earlier<'h> {
    fn of(history: &'h History, rows: &'h [Row], plan: &Plan) -> Self {
        let unpriced =
            history.unpriced.iter().map(|(row, times)| (row.as_str(), *times)).filter(|(_, times)| *times > 0);
        let mut earlier = Self { images: history.images, counted: HashMap::new(), unpriced: unpriced.collect() };
        let waiting = plan.wait.iter().map(|(index, _)| *index);
        for index in waiting.chain(plan.save.iter().map(|(index, _)| *index)) {
            let row = &rows[index];
            let cost = history.cost(&row.key).unwrap_or_else(|| {
                let images = u64::from(row.images);
                earlier.images = earlier.images.saturating_add(images);
                earlier.unpriced.insert(&row.key, 1);
                Cost { images, usd_micros: None }
            });
            earlier.counted.insert(index, cost);
        }
        earlier
    }

    /// Quotes the rows without a price. Returns what all earlier rows may cost, and how many still have no price.
    async fn price(
        &self,
        context: &Context<'_>,
        history: &History,
        rows: &[Row],
        max: u64,
    ) -> Result<(u64, usize), Failure> {
        let times = |index: usize| self.unpriced.get(rows[index].key.as_str()).copied().unwrap_or_default();
        let has_quote = |index: usize| rows[index].request.operation().quote.is_some();
        let quoted: VecDeque<usize> = (0..rows.len()).filter(|index| times(*index) > 0 && has_quote(*index)).collect();
        let prices = prices(context, rows, &quoted, max.saturating_sub(history.usd_micros)).await?;
        let cost = |(index, price): (&usize, &u64)| price.saturating_mul(times(*index));
        let sum = prices.iter().map(cost).fold(history.usd_micros, u64::saturating_add);
        let left = self.unpriced.len() - prices.len();
        // Above the limit, nothing is sent.
        if left > 0 && sum <= max {
            let rows = units::count(left as u64, "row");
            context.output().warning(&format!("--max-usd does not count {rows} of earlier runs: no price is known"));
        }
        Ok((sum, left))
    }
}

/// Whether the operation of every row has quotes.
pub(super) fn has_quotes(rows: &[Row], send: &VecDeque<usize>) -> bool {
    send.iter().all(|index| rows[*index].request.operation().quote.is_some())
}

/// `--quote`: prints what the rows to be sent cost, or refuses if that and the cost of earlier runs is above `--max-usd`.
pub(super) async fn quote(
    context: &Context<'_>,
    max_usd_micros: Option<u64>,
    rows: &[Row],
    history: &History,
    plan: &Plan,
) -> Result<(), Failure> {
    let earlier = match max_usd_micros {
        Some(max) => Earlier::of(history, rows, plan).price(context, history, rows, max).await?.0,
        None => 0,
    };
    let prices = prices(context, rows, &plan.send, u64::MAX).await?;
    let sum = sum_of(&prices);
    let images: u64 = plan.send.iter().map(|index| u64::from(rows[*index].images)).sum();
    let mut quotes = Vec::with_capacity(prices.len());
    for index in &plan.send {
        let row = &rows[*index];
        quotes.push(json!({"row": row.name, "line": row.line, "images": row.images, "usd_micros": prices[index]}));
    }
    let number = units::count(plan.send.len() as u64, "row");
    let layout = Layout::new()
        .field("Price", format!("at most {}", usd(sum)))
        .field("For", format!("{} of {number}", units::count(images, "image")));
    context.output().result(&json!({"usd_micros": sum, "images": images, "rows": quotes}), &layout)?;
    if !plan.confirm.is_empty() {
        let rows = units::count(plan.confirm.len() as u64, "row");
        context.output().note(&format!("not counted: {rows} that may be paid already"));
    }
    let all = sum.saturating_add(earlier);
    let limit = max_usd_micros.filter(|max| all > *max);
    let with_earlier = if earlier > 0 { ", with the rows of earlier runs" } else { "" };
    limit.map_or(Ok(()), |max| Err(above(&format!("at most {}{with_earlier}", usd(all)), all, max)))
}

fn sum_of(prices: &HashMap<usize, u64>) -> u64 {
    prices.values().fold(0, |sum, price| sum.saturating_add(*price))
}

/// Returns the prices of rows in millionths of a US dollar, in their order, until their sum exceeds what is left.
///
/// # Errors
///
/// If a row has an operation without quotes, or a quote cannot be had. Nothing was sent.
async fn prices(
    context: &Context<'_>,
    rows: &[Row],
    send: &VecDeque<usize>,
    left: u64,
) -> Result<HashMap<usize, u64>, Failure> {
    if let Some(row) = send.iter().map(|index| &rows[*index]).find(|row| row.request.operation().quote.is_none()) {
        let (line, name, operation) = (row.line, &row.name, row.request.operation());
        let models = Model::names(|model| model.operations().first().is_some_and(|it| it.quote.is_some()));
        return Err(Failure::usage(format!("line {line} ({name}): {operation} has no price quotes: nothing was sent"))
            .hint(format!("the service gives prices for {models}; --max-images limits images of any model")));
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
            context.failure(&action, &error).hint("nothing was sent")
        })?;
        let price = highest(&quote);
        prices.insert(index, price);
        sum = sum.saturating_add(price);
        progress.advance(1);
        if sum > left {
            break;
        }
    }
    Ok(prices)
}
