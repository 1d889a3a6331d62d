//! The price of a call before it is made: `--quote`, `--max-usd`, and `ask_above_usd` of the profile.

use clap::Args;
use ideogram_client::{request::Request, types::PriceQuote, usage::Decimal};
use serde_json::{Value, json};

use crate::{
    failure::Failure,
    output::{
        layout::Layout,
        progress::Counted,
        units::{self, parse_usd, usd},
    },
    session::context::Context,
};

/// The flags for prices and limits.
#[derive(Args, Clone, Copy, Debug)]
#[command(next_help_heading = "Price")]
pub(crate) struct PriceFlags {
    /// Print the price of the call, and send nothing else
    #[arg(long)]
    quote: bool,

    /// Refuse the call if its price is above this, in US dollars, such as 0.25
    #[arg(long, value_name = "AMOUNT", value_parser = parse_usd)]
    max_usd: Option<u64>,
}

impl PriceFlags {
    /// Prints the price, or checks it, before a call is made. Returns whether the call is to be made.
    pub(crate) async fn check(self, context: &Context<'_>, request: &Request) -> Result<bool, Failure> {
        let ask_above = context.profile().ask_above_usd_micros;
        if !self.quote && self.max_usd.is_none() && ask_above.is_none() {
            return Ok(true);
        }
        let operation = request.operation();
        if operation.quote.is_none() {
            if self.quote || self.max_usd.is_some() {
                let flag = if self.quote { "--quote" } else { "--max-usd" };
                let what = format!("{flag}: the service gives no price for {operation}: nothing was sent");
                return Err(Failure::usage(what)
                    .hint("it gives prices for its second API version: leave out --model or flags of older models"));
            }
            let question = format!("the service gives no price for {operation}: make the call?");
            return context.confirm(&question).await.map(|()| true);
        }
        let quote = {
            let _progress = context.progress("asking for the price", Counted::Time, None);
            let action = "cannot get the price";
            let quoted = context.client().quote::<PriceQuote>(request.clone()).await;
            quoted.map_err(|error| context.failure(action, &error))?
        };
        if self.quote {
            context.output().result(&json!(quote), &layout(&quote))?;
        }
        let most = highest(&quote);
        if let Some(max) = self.max_usd.filter(|max| most > *max) {
            return Err(above(&price_text(&quote), quote.usd_micros, max));
        }
        if self.quote {
            return Ok(false);
        }
        if ask_above.is_some_and(|limit| most > limit) {
            context.confirm(&format!("it costs {}: make the call?", price_text(&quote))).await?;
        }
        Ok(true)
    }
}

/// The refusal of a price above `--max-usd`.
pub(crate) fn above(price: &str, usd_micros: impl Into<Value>, max: u64) -> Failure {
    let max = Decimal::from_micros(max);
    let what = format!("the price is {price}, above --max-usd {max}: nothing was sent");
    Failure::usage(what).detail("usd_micros", usd_micros)
}

/// The highest price that a quote allows, in millionths of a US dollar.
pub(crate) fn highest(quote: &PriceQuote) -> u64 {
    let most = quote.upper_bound_usd_micros.unwrap_or(quote.usd_micros).max(quote.usd_micros);
    u64::try_from(most).unwrap_or(u64::MAX)
}

/// `$0.10`, or `about $0.25, at most $1.00`.
fn price_text(quote: &PriceQuote) -> String {
    let price = usd(u64::try_from(quote.usd_micros).unwrap_or(u64::MAX));
    match quote.upper_bound_usd_micros {
        Some(_) => format!("about {price}, at most {}", usd(highest(quote))),
        None => price,
    }
}

fn layout(quote: &PriceQuote) -> Layout {
    let quantity = u64::try_from(quote.quantity).unwrap_or_default();
    let layout = Layout::new().field("Price", price_text(quote)).field("For", units::count(quantity, "billed unit"));
    match &quote.billing_identifier {
        Some(identifier) => layout.field("Billed as", identifier),
        None => layout,
    }
}
