//! `ideogram usage`.

use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use clap::{Args, ValueEnum, builder::PossibleValuesParser};
use ideogram_client::{
    Response, Timestamp, operations,
    types::{AccountUsageResponse, UsageLineItem, UsageSource},
    usage::{Decimal, UsageError},
};
use serde_json::{Map, Value, json};

use crate::{
    failure::Failure,
    output::{
        layout::{ABSENT, Column, Layout, Table},
        units,
    },
    session::context::Context,
};

const DAY: i64 = 86_400;
const HOUR: i64 = 3_600;
/// The maximum time, in the year 9000: adding a day to it cannot overflow.
const MAX_SECONDS: i64 = 221_845_392_000;

/// Show what was spent, by day and by operation
///
/// The last 30 days unless --since and --until say otherwise; days and hours are those of UTC. The report lags behind by
/// minutes, and the service gives it only to keys whose owner is an administrator of the organization. Asking is free.
///
/// Costs are exact. `--output json` prints the report as it came, with the sums in `total`, `by_time` and `by_operation`,
/// as decimal numbers in text.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ideogram usage
  ideogram usage --since 2026-10-01 --until 2026-10-31
  ideogram usage --by hour --source api
  ideogram usage --jq '.total[] | \"\\(.cost_total) \\(.currency_code)\"'")]
pub(crate) struct Usage {
    /// The first day, or the time to begin at [default: 30 days with --by day, 24 hours with --by hour]
    ///
    /// A date such as 2026-10-01, or a time such as 2026-10-01T12:00:00Z, which is rounded down to a day or an hour.
    #[arg(long, value_name = "DATE|TIME", value_parser = moment)]
    since: Option<Moment>,

    /// The last day, or the time to end at, which is rounded up [default: now]
    #[arg(long, value_name = "DATE|TIME", value_parser = moment)]
    until: Option<Moment>,

    /// Sum by day, for at most 92 days, or by hour, for at most 168 hours
    #[arg(long, value_enum, default_value_t = Width::Day)]
    by: Width,

    /// Only usage of the API, or only of the app [default: both]
    #[arg(long, value_parser = PossibleValuesParser::new(UsageSource::ALL.iter().map(UsageSource::as_str)))]
    source: Option<String>,
}

/// How long a bucket of the report is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Width {
    Day,
    Hour,
}

/// What follows from a width.
struct WidthInfo {
    noun: &'static str,
    heading: &'static str,
    seconds: i64,
    /// The maximum number of buckets in a report, according to the document.
    max: i64,
    /// The number of buckets without `--since`.
    usual: i64,
    /// The value of the parameter.
    parameter: &'static str,
}

impl Width {
    fn info(self) -> WidthInfo {
        match self {
            Self::Day => WidthInfo { noun: "day", heading: "DAY", seconds: DAY, max: 92, usual: 30, parameter: "1d" },
            Self::Hour => {
                WidthInfo { noun: "hour", heading: "HOUR", seconds: HOUR, max: 168, usual: 24, parameter: "1h" }
            }
        }
    }
}

/// A date or a time, in seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Moment {
    seconds: i64,
    is_date: bool,
}

/// The time of the report, in seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Range {
    start: i64,
    end: i64,
}

fn moment(text: &str) -> Result<Moment, String> {
    let day = Timestamp::parse(&format!("{text}T00:00:00Z")).unix_seconds();
    let is_date = day.is_some();
    let seconds = day.or_else(|| Timestamp::parse(text).unix_seconds());
    match seconds.filter(|seconds| (0..=MAX_SECONDS).contains(seconds)) {
        Some(seconds) => Ok(Moment { seconds, is_date }),
        None => Err("must be a date such as 2026-10-01, or a time such as 2026-10-01T12:00:00Z, after 1970".to_owned()),
    }
}

impl Usage {
    pub(super) async fn run(&self, context: &Context<'_>) -> Result<(), Failure> {
        let now = Timestamp::from(SystemTime::now()).unix_seconds().unwrap_or_default();
        let range = self.range(now)?;
        let mut call = context
            .client()
            .get_account_usage_v2()
            .start_time(time(range.start).to_string())
            .end_time(time(range.end).to_string())
            .bucket_width(self.by.info().parameter);
        if let Some(source) = &self.source {
            call = call.sources([source.as_str()]);
        }
        let action = "cannot get the usage";
        let Some(response) = context.call(call, action).await? else { return Ok(()) };
        let sums = Sums::of(response.value(), self.by).map_err(|error| {
            let as_it_came =
                format!("ideogram api {} --start-time {}", operations::GET_ACCOUNT_USAGE_V2, time(range.start));
            Failure::internal("the costs of the report cannot be summed")
                .because(&error)
                .hint(format!("`{as_it_came}` prints the report as it came"))
        })?;
        context.output().result(&sums.to_json(&response), &sums.layout(self.by))?;
        if sums.by_time.is_empty() {
            context.output().note("nothing was used in this time");
        }
        Ok(())
    }

    /// The time of the report.
    fn range(&self, now: i64) -> Result<Range, Failure> {
        let WidthInfo { noun, seconds: width, max, usual, .. } = self.by.info();
        let end = match self.until {
            Some(until) if until.is_date => until.seconds + DAY,
            Some(until) => until.seconds,
            None => now,
        };
        let buckets_to = |end: i64| end.div_euclid(width) + i64::from(end.rem_euclid(width) > 0);
        let start = match self.since {
            Some(since) => since.seconds,
            None => ((buckets_to(end) - usual) * width).max(0),
        };
        if start >= end {
            let what = format!("the report would end at {}, before it begins at {}", time(end), time(start));
            return Err(Failure::usage(what).hint("set an earlier --since, or a later --until"));
        }
        let count = buckets_to(end) - start.div_euclid(width);
        if count > max {
            let what = format!("{count} {noun}s are more than the {max} of one report: nothing was sent");
            let failure = Failure::usage(what).hint("set a later --since, or an earlier --until");
            return Err(if self.by == Width::Hour {
                failure.hint("`--by day` reports a longer time")
            } else {
                failure
            });
        }
        Ok(Range { start, end })
    }
}

/// A time of the calendar, which [`moment`] has checked.
fn time(seconds: i64) -> Timestamp {
    Timestamp::from(UNIX_EPOCH + Duration::from_secs(seconds.unsigned_abs()))
}

/// The sums of a report, by what they have in common.
#[derive(Debug, Default)]
struct Sums {
    /// By currency.
    total: BTreeMap<String, Decimal>,
    /// By day or hour, and currency; none without usage.
    by_time: BTreeMap<(String, String), Decimal>,
    /// The quantity, unless it is too large, and the cost.
    by_operation: BTreeMap<UsageKey, (Option<Decimal>, Decimal)>,
}

/// What the quantities and costs of an operation are summed by.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct UsageKey {
    endpoint: String,
    product: String,
    unit: Option<String>,
    currency: String,
}

impl Sums {
    fn of(report: &AccountUsageResponse, width: Width) -> Result<Self, UsageError> {
        let mut sums = Self { total: report.total()?, ..Self::default() };
        for bucket in &report.buckets {
            let start = bucket.start_time.to_string();
            let start = match width {
                Width::Day => start.split('T').next().unwrap_or(&start).to_owned(),
                Width::Hour => units::time(&bucket.start_time),
            };
            for item in &bucket.line_items {
                let too_large = || UsageError::TooLarge { currency: item.currency_code.clone() };
                let cost = item.cost()?;
                let by_time = sums.by_time.entry((start.clone(), item.currency_code.clone())).or_default();
                *by_time = by_time.checked_add(cost).ok_or_else(too_large)?;
                let (quantities, costs) =
                    sums.by_operation.entry(operation(item)).or_insert((Some(Decimal::ZERO), Decimal::ZERO));
                *quantities = quantities.and_then(|sum| sum.checked_add(quantity(item).unwrap_or_default()));
                *costs = costs.checked_add(cost).ok_or_else(too_large)?;
            }
        }
        Ok(sums)
    }

    /// The report as it came, with the sums.
    fn to_json(&self, response: &Response<AccountUsageResponse>) -> Value {
        let mut report: Map<String, Value> = serde_json::from_slice(response.body()).unwrap_or_default();
        let total =
            self.total.iter().map(|(currency, sum)| json!({"currency_code": currency, "cost_total": sum.to_string()}));
        let by_time = self.by_time.iter().map(
            |((start, currency), sum)| json!({"time": start, "currency_code": currency, "cost_total": sum.to_string()}),
        );
        let by_operation = self.by_operation.iter().map(|(operation, (quantity, sum))| {
            let unit = operation.unit.as_ref();
            json!({
                "endpoint": operation.endpoint,
                "product": operation.product,
                "quantity": quantity.filter(|_| unit.is_some()).map(|quantity| quantity.to_string()),
                "unit": unit,
                "currency_code": operation.currency,
                "cost_total": sum.to_string(),
            })
        });
        report.extend([
            ("total".to_owned(), total.collect()),
            ("by_time".to_owned(), by_time.collect()),
            ("by_operation".to_owned(), by_operation.collect()),
        ]);
        Value::Object(report)
    }

    fn layout(&self, width: Width) -> Layout {
        let mut times = Table::overview([Column::Left(width.info().heading), Column::Right("COST")]);
        for ((start, currency), cost) in &self.by_time {
            times.row([start.clone(), money(*cost, currency)]);
        }
        let columns = [Column::Left("OPERATION"), Column::Left("PRODUCT"), Column::Right("QUANTITY")];
        let mut operations = Table::overview(columns.into_iter().chain([Column::Left("UNIT"), Column::Right("COST")]));
        for (operation, (quantity, cost)) in &self.by_operation {
            let (quantity, unit) = match (quantity, &operation.unit) {
                (Some(quantity), Some(unit)) => (trimmed(*quantity, 0), unit.clone()),
                _ => (ABSENT.to_owned(), ABSENT.to_owned()),
            };
            let (endpoint, product) = (operation.endpoint.clone(), operation.product.clone());
            operations.row([endpoint, product, quantity, unit, money(*cost, &operation.currency)]);
        }
        let total = self.total.iter().map(|(currency, cost)| money(*cost, currency));
        let layout = Layout::new();
        let layout = if self.by_time.is_empty() { layout } else { layout.table(times).table(operations) };
        layout.list("Total", total)
    }
}

fn operation(item: &UsageLineItem) -> UsageKey {
    UsageKey {
        endpoint: item.endpoint.clone(),
        product: item.product.clone(),
        unit: quantity(item).and(item.billed_units.as_ref()).map(|units| units.unit.clone()),
        currency: item.currency_code.clone(),
    }
}

/// The quantity of an item, if it has one that is a number.
fn quantity(item: &UsageLineItem) -> Option<Decimal> {
    item.billed_units.as_ref()?.quantity.parse().ok()
}

/// `$0.30`, `$0.251659`, `12.00 EUR`.
fn money(amount: Decimal, currency: &str) -> String {
    let text = trimmed(amount, 2);
    match (currency, text.strip_prefix('-')) {
        ("USD", Some(text)) => format!("-${text}"),
        ("USD", None) => format!("${text}"),
        _ => format!("{text} {currency}"),
    }
}

/// A number without zeros at its end, but with this many decimal places.
fn trimmed(number: Decimal, min_places: usize) -> String {
    let text = number.to_string();
    let (whole, places) = text.split_once('.').unwrap_or((&text, ""));
    let places = places.trim_end_matches('0');
    if places.is_empty() && min_places == 0 {
        return whole.to_owned();
    }
    format!("{whole}.{places:0<min_places$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(since: Option<&str>, until: Option<&str>, by: Width) -> Result<Range, Failure> {
        let [since, until] = [since, until].map(|text| text.map(|text| moment(text).unwrap()));
        Usage { since, until, by, source: None }.range(moment("2026-10-07T15:30:00Z").unwrap().seconds)
    }

    #[test]
    fn a_time_is_a_date_or_a_time_of_rfc_3339() {
        for (text, expected, is_date) in [
            ("2026-10-01", "2026-10-01T00:00:00Z", true),
            ("2026-10-01T12:00:00Z", "2026-10-01T12:00:00Z", false),
            ("2026-10-01 12:00:00+02:00", "2026-10-01T10:00:00Z", false),
        ] {
            let read = moment(text).unwrap();

            assert_eq!((time(read.seconds).to_string().as_str(), read.is_date), (expected, is_date));
        }
        for text in ["", "yesterday", "2026-13-01", "2026-10-1", "1969-12-31", "-1", "9999-12-31", "7d"] {
            assert!(moment(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_date_that_ends_a_report_is_part_of_it() {
        for (since, until, by, start, end) in [
            (None, None, Width::Day, "2026-09-08T00:00:00Z", "2026-10-07T15:30:00Z"),
            (None, None, Width::Hour, "2026-10-06T16:00:00Z", "2026-10-07T15:30:00Z"),
            (Some("2026-10-01"), Some("2026-10-03"), Width::Day, "2026-10-01T00:00:00Z", "2026-10-04T00:00:00Z"),
            (None, Some("2026-10-03"), Width::Day, "2026-09-04T00:00:00Z", "2026-10-04T00:00:00Z"),
            (Some("2026-07-08"), None, Width::Day, "2026-07-08T00:00:00Z", "2026-10-07T15:30:00Z"),
        ] {
            let range = range(since, until, by).unwrap();

            assert_eq!([time(range.start).to_string(), time(range.end).to_string()], [start, end]);
        }
    }

    #[test]
    fn a_time_that_no_report_has_is_refused() {
        for (since, until, by, reason) in [
            (Some("2026-10-08"), None, Width::Day, "before it begins"),
            (Some("2026-10-02"), Some("2026-10-01"), Width::Day, "before it begins"),
            (Some("2026-07-07"), None, Width::Day, "93 days are more than the 92"),
            (Some("2026-09-30T15:00:00Z"), None, Width::Hour, "169 hours are more than the 168"),
        ] {
            let failure = range(since, until, by).unwrap_err();

            assert!(failure.what().contains(reason), "{}", failure.what());
        }
    }

    #[test]
    fn amounts_are_shown_without_needless_zeros() {
        for (amount, currency, expected) in [
            ("0.300000", "USD", "$0.30"),
            ("0.251659", "USD", "$0.251659"),
            ("12", "USD", "$12.00"),
            ("-0.5", "USD", "-$0.50"),
            ("100.00", "EUR", "100.00 EUR"),
        ] {
            assert_eq!(money(amount.parse().unwrap(), currency), expected);
        }
        for (number, expected) in [("3", "3"), ("30", "30"), ("3.000", "3"), ("0.50", "0.5")] {
            assert_eq!(trimmed(number.parse().unwrap(), 0), expected);
        }
    }
}
