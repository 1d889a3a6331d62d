//! What was spent, in exact sums.
//!
//! Start at [`AccountUsageResponse::by_day`] and [`AccountUsageResponse::by_endpoint`]. The service reports costs as decimal
//! numbers in text, and prices as millionths of a US dollar; both are a [`Decimal`] here, and never a float.

mod decimal;

use std::collections::BTreeMap;

pub use self::decimal::{Decimal, DecimalError};
use crate::types::{AccountUsageResponse, UsageBucket, UsageLineItem};

/// An amount of money for each currency, by its code, such as `USD`.
pub type Costs = BTreeMap<String, Decimal>;

/// Why costs have no sum.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UsageError {
    /// A cost is not a decimal number. The rest of the report can still be read item by item.
    #[error("the cost {text:?} of `{endpoint}` cannot be read")]
    Cost {
        /// The path of the operation.
        endpoint: String,
        /// The text of the cost.
        text: String,
        /// Why it cannot be read.
        source: DecimalError,
    },
    /// A sum has more digits than a [`Decimal`] can have.
    #[error("the sum of the costs in {currency} has too many digits")]
    TooLarge {
        /// The code of the currency.
        currency: String,
    },
}

impl UsageLineItem {
    /// The cost, in the currency of [`UsageLineItem::currency_code`].
    ///
    /// # Errors
    ///
    /// [`UsageError::Cost`] if the service has sent something else than a decimal number.
    pub fn cost(&self) -> Result<Decimal, UsageError> {
        self.cost_total.parse().map_err(|source| UsageError::Cost {
            endpoint: self.endpoint.clone(),
            text: self.cost_total.clone(),
            source,
        })
    }
}

impl AccountUsageResponse {
    /// What was spent in all.
    ///
    /// # Errors
    ///
    /// The first [`UsageError`], if a cost cannot be read or a sum is too large.
    pub fn total(&self) -> Result<Costs, UsageError> {
        let mut costs = Costs::new();
        self.items().try_for_each(|item| add(&mut costs, item))?;
        Ok(costs)
    }

    /// What was spent on each day, by its date in UTC, such as `2026-10-07`. A day of the report without use has no costs.
    ///
    /// # Errors
    ///
    /// Those of [`AccountUsageResponse::total`].
    pub fn by_day(&self) -> Result<BTreeMap<String, Costs>, UsageError> {
        let mut days = BTreeMap::new();
        for bucket in &self.buckets {
            let costs = days.entry(day_of(bucket)).or_default();
            bucket.line_items.iter().try_for_each(|item| add(costs, item))?;
        }
        Ok(days)
    }

    /// What was spent on each operation, by its path, such as `/v2/image/generate/ideogram-4-5`.
    ///
    /// # Errors
    ///
    /// Those of [`AccountUsageResponse::total`].
    pub fn by_endpoint(&self) -> Result<BTreeMap<String, Costs>, UsageError> {
        let mut endpoints = BTreeMap::new();
        self.items().try_for_each(|item| add(endpoints.entry(item.endpoint.clone()).or_default(), item))?;
        Ok(endpoints)
    }

    fn items(&self) -> impl Iterator<Item = &UsageLineItem> {
        self.buckets.iter().flat_map(|bucket| &bucket.line_items)
    }
}

/// The date on which a bucket starts. A time that cannot be read is its own day.
fn day_of(bucket: &UsageBucket) -> String {
    let start = bucket.start_time.to_string();
    match start.split_once('T') {
        Some((date, _)) if bucket.start_time.unix_seconds().is_some() => date.to_owned(),
        _ => start,
    }
}

fn add(costs: &mut Costs, item: &UsageLineItem) -> Result<(), UsageError> {
    let sum = costs.entry(item.currency_code.clone()).or_default();
    let too_large = || UsageError::TooLarge { currency: item.currency_code.clone() };
    *sum = sum.checked_add(item.cost()?).ok_or_else(too_large)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Endpoint, cost and currency.
    type Item<'t> = (&'t str, &'t str, &'t str);

    fn report(buckets: &[(&str, &[Item])]) -> AccountUsageResponse {
        let buckets = buckets.iter().map(|(start, items)| {
            let items = items.iter().map(|(endpoint, cost, currency)| {
                json!({"product": "image", "endpoint": endpoint, "description": "", "cost_total": cost,
                    "currency_code": currency})
            });
            json!({"start_time": start, "end_time": start, "line_items": items.collect::<Vec<_>>()})
        });
        serde_json::from_value(json!({"buckets": buckets.collect::<Vec<_>>()})).unwrap()
    }

    /// Sums as text: group, currency, amount.
    fn lines(sums: &BTreeMap<String, Costs>) -> Vec<String> {
        let lines = sums.iter().map(|(group, costs)| {
            let costs = costs.iter().map(|(currency, cost)| format!(" {cost} {currency}"));
            format!("{group}:{}", costs.collect::<String>())
        });
        lines.collect()
    }

    #[test]
    fn costs_are_summed_by_day_by_endpoint_and_by_currency() {
        let report = report(&[
            ("2026-10-07T00:00:00Z", &[("/a", "0.30", "USD"), ("/b", "0.1", "USD"), ("/a", "2", "EUR")]),
            ("2026-10-07T23:00:00Z", &[("/a", "0.2", "USD")]),
            ("2026-10-08 00:00:00+00:00", &[]),
            ("2026-10-09T00:00:00Z", &[("/b", "0.251659", "USD"), ("/b", "-0.10", "USD")]),
            ("some day", &[("/c", "1", "USD")]),
        ]);

        assert_eq!(
            lines(&report.by_day().unwrap()),
            ["2026-10-07: 2 EUR 0.60 USD", "2026-10-08:", "2026-10-09: 0.151659 USD", "some day: 1 USD"]
        );
        assert_eq!(lines(&report.by_endpoint().unwrap()), ["/a: 2 EUR 0.50 USD", "/b: 0.251659 USD", "/c: 1 USD"]);
        let total = report.total().unwrap();
        assert_eq!(total["USD"].to_string(), "1.751659");
        assert_eq!(total["EUR"], "2.00".parse().unwrap());
    }

    #[test]
    fn a_cost_that_is_not_a_number_is_named_and_not_skipped() {
        let wrong = report(&[("2026-10-07T00:00:00Z", &[("/a", "0.30", "USD"), ("/b", "ten", "USD")])]);
        for result in [wrong.total().map(drop), wrong.by_day().map(drop), wrong.by_endpoint().map(drop)] {
            assert_eq!(result.unwrap_err().to_string(), "the cost \"ten\" of `/b` cannot be read");
        }

        let large = "9".repeat(38);
        let large = report(&[("2026-10-07T00:00:00Z", &[("/a", &large, "USD"), ("/b", &large, "USD")])]);
        assert_eq!(large.total(), Err(UsageError::TooLarge { currency: "USD".to_owned() }));
        assert_eq!(large.by_endpoint().unwrap().len(), 2);
    }

    #[test]
    fn the_sums_of_days_and_of_endpoints_are_the_total() {
        let mut random = fastrand::Rng::with_seed(1);
        for _ in 0..200 {
            let items: Vec<_> = (0..random.usize(0..20))
                .map(|_| {
                    let cost = format!("{}.{:03}", random.u32(0..100), random.u32(0..1000));
                    (format!("/{}", random.u8(0..4)), cost, ["USD", "EUR"][random.usize(0..2)])
                })
                .collect();
            let items: Vec<_> =
                items.iter().map(|(endpoint, cost, currency)| (endpoint.as_str(), cost.as_str(), *currency)).collect();
            let (first, second) = items.split_at(items.len() / 2);
            let report = report(&[("2026-10-07T00:00:00Z", first), ("2026-10-08T00:00:00Z", second)]);

            let total = report.total().unwrap();
            for groups in [report.by_day().unwrap(), report.by_endpoint().unwrap()] {
                let mut sums = Costs::new();
                for (currency, cost) in groups.values().flatten() {
                    let sum = sums.entry(currency.clone()).or_default();
                    *sum = sum.checked_add(*cost).unwrap();
                }
                assert_eq!(sums, total);
            }
        }
    }
}
