//! Exact decimal numbers.

use std::{
    cmp::Ordering,
    fmt,
    hash::{Hash, Hasher},
    str::FromStr,
};

/// The decimal places of a millionth.
const MICRO_SCALE: u32 = 6;
/// The decimal places that amounts of money are shown with at least.
const MONEY_SCALE: u32 = 2;
/// The maximum number of decimal places: the largest power of ten in 128 bits.
const MAX_SCALE: u32 = 38;

/// An exact decimal number, such as an amount of money: no binary fractions, no rounding.
///
/// It has up to 38 digits, and keeps the decimal places it was written with: the sum of `0.10` and `0.2` is `0.30`. Numbers
/// are equal if their values are, whatever their decimal places.
///
/// ```
/// use ideogram_client::usage::Decimal;
///
/// let cost: Decimal = "0.10".parse()?;
/// let sum = cost.checked_add("0.251659".parse()?).unwrap();
/// assert_eq!(sum.to_string(), "0.351659");
/// # Ok::<(), ideogram_client::usage::DecimalError>(())
/// ```
#[derive(Clone, Copy, Default)]
pub struct Decimal {
    /// The number without its decimal point.
    digits: i128,
    /// How many of the digits are decimal places.
    scale: u32,
}

/// Why a text is not a [`Decimal`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecimalError {
    /// It is not a number in decimal digits, with a minus sign or a decimal point at most.
    #[error("not a decimal number such as 12.50")]
    Invalid,
    /// It is a number with more digits than a [`Decimal`] has.
    #[error("a decimal number of more than {MAX_SCALE} digits")]
    TooLong,
}

impl Decimal {
    /// Zero, without decimal places.
    pub const ZERO: Self = Self { digits: 0, scale: 0 };

    /// Converts millionths of a currency unit, which is how the service quotes prices (`usd_micros`). The result has two
    /// decimal places, or as many more as it needs.
    ///
    /// ```
    /// use ideogram_client::usage::Decimal;
    ///
    /// assert_eq!(Decimal::from_micros(251_659).to_string(), "0.251659");
    /// assert_eq!(Decimal::from_micros(100_000).to_string(), "0.10");
    /// ```
    pub fn from_micros(micros: impl Into<i128>) -> Self {
        Self { digits: micros.into(), scale: MICRO_SCALE }.trimmed(MONEY_SCALE)
    }

    /// Adds two numbers; `None` if the sum has more digits than a [`Decimal`] can have.
    #[must_use = "the numbers themselves do not change"]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        let scale = self.scale.max(other.scale);
        let digits = self.rescaled(scale)?.checked_add(other.rescaled(scale)?)?;
        Some(Self { digits, scale })
    }

    /// Whether it is zero.
    pub fn is_zero(self) -> bool {
        self.digits == 0
    }

    /// The digits with this many decimal places, which are not fewer than it has.
    fn rescaled(self, scale: u32) -> Option<i128> {
        self.digits.checked_mul(10_i128.checked_pow(scale - self.scale)?)
    }

    /// The same value without zeros at the end, except for this many decimal places.
    fn trimmed(mut self, min_scale: u32) -> Self {
        while self.scale > min_scale && self.digits % 10 == 0 {
            self.digits /= 10;
            self.scale -= 1;
        }
        self
    }

    /// Equal for equal values.
    fn normalized(self) -> (i128, u32) {
        let Self { digits, scale } = self.trimmed(0);
        (digits, scale)
    }
}

impl FromStr for Decimal {
    type Err = DecimalError;

    /// Reads digits, with a minus sign before and a decimal point within. Nothing else: no exponent, no separators, no
    /// plus sign, no white space.
    fn from_str(text: &str) -> Result<Self, DecimalError> {
        let unsigned = text.strip_prefix('-').unwrap_or(text);
        let (whole, places) = match unsigned.split_once('.') {
            Some((_, "")) => return Err(DecimalError::Invalid),
            Some(parts) => parts,
            None => (unsigned, ""),
        };
        if whole.is_empty() || !whole.bytes().chain(places.bytes()).all(|byte| byte.is_ascii_digit()) {
            return Err(DecimalError::Invalid);
        }
        let scale = u32::try_from(places.len()).ok().filter(|scale| *scale <= MAX_SCALE);
        let scale = scale.ok_or(DecimalError::TooLong)?;
        let digits: i128 = format!("{whole}{places}").parse().map_err(|_| DecimalError::TooLong)?;
        Ok(Self { digits: if text.len() == unsigned.len() { digits } else { -digits }, scale })
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let places = self.scale as usize;
        let digits = format!("{:0width$}", self.digits.unsigned_abs(), width = places + 1);
        let (whole, fraction) = digits.split_at(digits.len() - places);
        let text = if places == 0 { whole.to_owned() } else { format!("{whole}.{fraction}") };
        formatter.pad_integral(self.digits >= 0, "", &text)
    }
}

impl fmt::Debug for Decimal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Decimal({self})")
    }
}

impl PartialEq for Decimal {
    fn eq(&self, other: &Self) -> bool {
        self.normalized() == other.normalized()
    }
}

impl Eq for Decimal {}

impl Hash for Decimal {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.normalized().hash(state);
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        let parts = |number: &Self| {
            let (digits, scale) = number.normalized();
            // A scale beyond the largest power of ten does not come about: `from_str` refuses it.
            let unit = 10_i128.pow(scale.min(MAX_SCALE));
            (digits.div_euclid(unit), digits.rem_euclid(unit), scale)
        };
        let ((whole, fraction, scale), (other_whole, other_fraction, other_scale)) = (parts(self), parts(other));
        // Fractions are smaller than 1, so they fit after they are scaled up to 38 places.
        let scaled = |fraction: i128, scale: u32| fraction * 10_i128.pow(MAX_SCALE - scale.min(MAX_SCALE));
        whole.cmp(&other_whole).then_with(|| scaled(fraction, scale).cmp(&scaled(other_fraction, other_scale)))
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    /// A number of up to ten digits, of which any may be decimal places.
    fn random(random: &mut fastrand::Rng) -> Decimal {
        Decimal { digits: random.i128(-9_999_999_999..=9_999_999_999), scale: random.u32(0..=10) }
    }

    #[test]
    fn a_number_is_shown_as_it_was_written() {
        for text in
            ["0", "0.00", "0.30", "12", "1234567890.0123456789", "-0.05", "99999999999999999999999999999999999999"]
        {
            assert_eq!(decimal(text).to_string(), text);
        }
        let mut numbers = fastrand::Rng::with_seed(1);
        for _ in 0..10_000 {
            let number = random(&mut numbers);
            let read = decimal(&number.to_string());
            assert_eq!((read.digits, read.scale), (number.digits, number.scale));
        }
        assert_eq!(format!("{:>8}|{:<6}|", decimal("0.30"), decimal("-1.5")), "    0.30|-1.5  |");
    }

    #[test]
    fn sums_are_exact_and_independent_of_the_order() {
        assert_eq!(decimal("0.1").checked_add(decimal("0.2")), Some(decimal("0.3")));
        let mut numbers = fastrand::Rng::with_seed(2);
        for _ in 0..10_000 {
            let parts @ [first, second, third] = [(); 3].map(|()| random(&mut numbers));
            let at_scale_10 = |number: Decimal| number.digits * 10_i128.pow(10 - number.scale);

            let sum = first.checked_add(second).unwrap().checked_add(third).unwrap();

            assert_eq!(sum.rescaled(10), Some(parts.map(at_scale_10).iter().sum()));
            assert_eq!(sum, third.checked_add(first).unwrap().checked_add(second).unwrap());
            assert_eq!(Some(sum.scale), parts.iter().map(|number| number.scale).max());
            let [left, right, _] = parts.map(at_scale_10);
            assert_eq!(first.cmp(&second), left.cmp(&right), "{first} {second}");
            assert_eq!(first == second, left == right);
        }
    }

    #[test]
    fn numbers_of_every_size_have_an_order() {
        let ascending = [
            "-99999999999999999999999999999999999999",
            "-1",
            "-0.00000000000000000000000000000000000001",
            "0",
            "0.00000000000000000000000000000000000001",
            "0.99999999999999999999999999999999999999",
            "1.0",
            "99999999999999999999999999999999999999",
        ];
        for (position, smaller) in ascending.iter().enumerate() {
            for larger in &ascending[position + 1..] {
                assert!(decimal(smaller) < decimal(larger), "{smaller} {larger}");
            }
        }
        assert_eq!(decimal("1.50").cmp(&decimal("1.5")), Ordering::Equal);
        assert_eq!(decimal("-0"), Decimal::ZERO);
    }

    #[test]
    fn what_is_not_a_number_is_refused() {
        for text in [
            "", "-", ".", "1.", ".5", "+1", " 1", "1 ", "1,50", "1e3", "0x1", "--1", "1.2.3", "1.-2", "NaN", "ten",
            "٣", "$1",
        ] {
            assert_eq!(text.parse::<Decimal>(), Err(DecimalError::Invalid), "{text}");
        }
        for text in ["1".repeat(40), format!("0.{}", "0".repeat(39))] {
            assert_eq!(text.parse::<Decimal>(), Err(DecimalError::TooLong), "{text}");
        }
    }

    #[test]
    fn a_sum_that_does_not_fit_is_none() {
        let large = decimal("99999999999999999999999999999999999999");

        assert_eq!(large.checked_add(large), None);
        assert_eq!(large.checked_add(decimal("0.1")), None);
    }

    #[test]
    fn micros_convert_exactly() {
        for (micros, text) in [(0, "0.00"), (1, "0.000001"), (30_000, "0.03"), (1_500_000, "1.50"), (8_000, "0.008")] {
            assert_eq!(Decimal::from_micros(micros).to_string(), text);
        }
        let mut numbers = fastrand::Rng::with_seed(3);
        for micros in (0..1_000).map(|_| numbers.i64(..)).chain([i64::MAX, i64::MIN]) {
            assert_eq!(Decimal::from_micros(micros).rescaled(6), Some(i128::from(micros)));
        }
    }
}
