//! Checks of request values against the document, before anything is sent.
//!
//! The checks themselves are generated, as implementations of [`Validate`]; here is what they are written with. A limit
//! that the service has widened since is no obstacle: [`Validation::Off`](crate::Validation::Off) sends unchecked.

use std::{fmt, sync::OnceLock};

/// A request value that can be checked against the bounds, patterns and exclusions of the document.
pub trait Validate {
    /// Reports what the document forbids.
    #[doc(hidden)]
    fn check(&self, checker: &mut Checker);

    /// Checks the value and everything in it.
    ///
    /// # Errors
    ///
    /// Everything that the document forbids, not only the first. The service would have declined the request.
    fn validate(&self) -> Result<(), Violations> {
        let mut checker = Checker::default();
        self.check(&mut checker);
        if checker.violations.is_empty() { Ok(()) } else { Err(Violations { violations: checker.violations }) }
    }
}

/// One or more violations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violations {
    violations: Vec<Violation>,
}

impl Violations {
    /// The violations, at least one.
    pub fn iter(&self) -> impl Iterator<Item = &Violation> {
        self.violations.iter()
    }

    /// What is left without those of the given members and of what is inside them.
    pub(crate) fn except(self, members: &[String]) -> Result<(), Self> {
        let spared = |violation: &Violation| {
            // Elements of a list are meant by the list's name.
            let steps = violation.member.split('.').filter(|step| step.parse::<usize>().is_err());
            let place = steps.collect::<Vec<_>>().join(".");
            let is_inside = |place: &str, member: &str| {
                place.strip_prefix(member).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            };
            let prefix = if place.is_empty() { String::new() } else { format!("{place}.") };
            members.iter().any(|member| {
                let about = |name: &String| is_inside(&format!("{prefix}{name}"), member);
                is_inside(&place, member) || violation.about.iter().any(about)
            })
        };
        let violations: Vec<_> = self.violations.into_iter().filter(|violation| !spared(violation)).collect();
        if violations.is_empty() { Ok(()) } else { Err(Self { violations }) }
    }
}

impl fmt::Display for Violations {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, violation) in self.violations.iter().enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            write!(formatter, "{separator}{violation}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Violations {}

/// A value that the document forbids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    member: String,
    reason: String,
    /// The members that a rule about several of them names.
    about: Vec<String>,
}

impl Violation {
    /// The member, dots leading into objects; empty for the whole value.
    pub fn member(&self) -> &str {
        &self.member
    }

    /// What the document asks for.
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.member.is_empty() {
            formatter.write_str(&self.reason)
        } else {
            write!(formatter, "`{}` {}", self.member, self.reason)
        }
    }
}

/// Collects violations; generated checks call it.
#[doc(hidden)]
#[derive(Debug, Default)]
pub struct Checker {
    place: Vec<String>,
    violations: Vec<Violation>,
}

impl Checker {
    /// Checks a member or element.
    #[expect(clippy::needless_pass_by_value, reason = "callers have literals and indices")]
    pub fn enter(&mut self, name: impl ToString, check: impl FnOnce(&mut Self)) {
        self.place.push(name.to_string());
        check(self);
        self.place.pop();
    }

    pub fn length(&mut self, text: &str, minimum: Option<u64>, maximum: Option<u64>) {
        self.size(text.chars().count() as u64, minimum, maximum, "character");
    }

    pub fn count(&mut self, count: usize, minimum: Option<u64>, maximum: Option<u64>) {
        self.size(count as u64, minimum, maximum, "element");
    }

    fn size(&mut self, size: u64, minimum: Option<u64>, maximum: Option<u64>, unit: &str) {
        let below = minimum.is_some_and(|minimum| size < minimum);
        let above = maximum.is_some_and(|maximum| size > maximum);
        if below || above {
            let wanted = match (minimum, maximum) {
                (Some(minimum), Some(maximum)) if minimum == maximum => format!("exactly {minimum}"),
                (Some(minimum), Some(maximum)) => format!("{minimum} to {maximum}"),
                (Some(minimum), None) => format!("at least {minimum}"),
                (None, Some(maximum)) => format!("at most {maximum}"),
                (None, None) => return,
            };
            self.report(format!("must have {wanted} {unit}s, and has {size}"));
        }
    }

    pub fn pattern(&mut self, text: &str, pattern: &Pattern) {
        if !pattern.matches(text) {
            self.report(format!("does not match `{}`", pattern.source));
        }
    }

    pub fn at_least(&mut self, number: f64, minimum: f64, exclusive: bool) {
        if number < minimum || exclusive && number <= minimum {
            let wanted = if exclusive { "more than" } else { "at least" };
            self.report(format!("must be {wanted} {minimum}, and is {number}"));
        }
    }

    pub fn at_most(&mut self, number: f64, maximum: f64, exclusive: bool) {
        if number > maximum || exclusive && number >= maximum {
            let wanted = if exclusive { "less than" } else { "at most" };
            self.report(format!("must be {wanted} {maximum}, and is {number}"));
        }
    }

    pub fn not_together(&mut self, (members, all_present): (&str, bool)) {
        if all_present {
            self.report_about(format!("{members} cannot stand together"), in_code(members));
        }
    }

    pub fn exactly_one(&mut self, sets: &[(&str, bool)]) {
        let present: Vec<&str> = sets.iter().filter(|(_, present)| *present).map(|(members, _)| *members).collect();
        match present.as_slice() {
            [] => self.report_about(format!("needs one of {}", names(sets)), in_code(&names(sets))),
            [_] => {}
            several => {
                let reason = format!("takes only one of {}, not {}", names(sets), several.join(" and "));
                self.report_about(reason, in_code(&names(sets)));
            }
        }
    }

    pub fn at_least_one(&mut self, sets: &[(&str, bool)]) {
        if !sets.iter().any(|(_, present)| *present) {
            self.report_about(format!("needs at least one of {}", names(sets)), in_code(&names(sets)));
        }
    }

    /// A number that JSON can write.
    pub fn finite(&mut self, number: f64) {
        if !number.is_finite() {
            self.report(format!("must be a number, and is {number}"));
        }
    }

    fn report(&mut self, reason: String) {
        self.report_about(reason, Vec::new());
    }

    fn report_about(&mut self, reason: String, about: Vec<String>) {
        self.violations.push(Violation { member: self.place.join("."), reason, about });
    }
}

fn names(sets: &[(&str, bool)]) -> String {
    sets.iter().map(|(members, _)| *members).collect::<Vec<_>>().join(", ")
}

/// The names that a text has between backticks.
fn in_code(text: &str) -> Vec<String> {
    text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// A value in a box is checked like one without.
impl<T: Validate> Validate for Box<T> {
    fn check(&self, checker: &mut Checker) {
        (**self).check(checker);
    }
}

/// A pattern of the document, compiled when it is first needed.
#[doc(hidden)]
#[derive(Debug)]
pub struct Pattern {
    source: &'static str,
    compiled: OnceLock<Option<regress::Regex>>,
}

impl Pattern {
    pub const fn new(source: &'static str) -> Self {
        Self { source, compiled: OnceLock::new() }
    }

    /// A pattern that cannot be compiled forbids nothing: the service decides.
    pub fn matches(&self, text: &str) -> bool {
        let compiled = self.compiled.get_or_init(|| regress::Regex::with_flags(self.source, "u").ok());
        compiled.as_ref().is_none_or(|pattern| pattern.find(text).is_some())
    }

    pub(crate) fn source(&self) -> &'static str {
        self.source
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Probe(fn(&mut Checker));

    impl Validate for Probe {
        fn check(&self, checker: &mut Checker) {
            (self.0)(checker);
        }
    }

    fn violations(check: fn(&mut Checker)) -> String {
        Probe(check).validate().map_or_else(|violations| violations.to_string(), |()| String::new())
    }

    #[test]
    fn length_counts_characters_not_bytes() {
        assert_eq!(violations(|checker| checker.length("äöü", Some(3), Some(3))), "");
        assert_eq!(
            violations(|checker| checker.length("ab", Some(5), Some(30))),
            "must have 5 to 30 characters, and has 2"
        );
    }

    #[test]
    fn bounds_are_inclusive_unless_said_otherwise() {
        assert_eq!(violations(|checker| checker.at_least(1.0, 1.0, false)), "");
        assert_eq!(violations(|checker| checker.at_least(1.0, 1.0, true)), "must be more than 1, and is 1");
        assert_eq!(violations(|checker| checker.at_most(8.0, 8.0, false)), "");
        assert_eq!(violations(|checker| checker.at_most(9.0, 8.0, false)), "must be at most 8, and is 9");
        assert_eq!(violations(|checker| checker.at_most(8.0, 8.0, true)), "must be less than 8, and is 8");
    }

    #[test]
    fn places_lead_to_the_member() {
        let shown = violations(|checker| {
            checker.enter("members", |checker| checker.enter(0, |checker| checker.at_most(2.0, 1.0, false)));
        });

        assert_eq!(shown, "`members.0` must be at most 1, and is 2");
    }

    #[test]
    fn single_members_can_be_left_to_the_service() {
        let probe = Probe(|checker| {
            checker.enter("num_images", |checker| checker.at_most(9.0, 8.0, false));
            checker.enter("codes", |checker| checker.enter(3, |checker| checker.length("x", Some(8), None)));
            checker.enter("codes_too", |checker| checker.length("x", Some(8), None));
        });
        let except = |members: &[&str]| {
            let members: Vec<String> = members.iter().map(|member| (*member).to_owned()).collect();
            probe.validate().unwrap_err().except(&members).map_err(|left| left.iter().count())
        };

        assert_eq!(except(&["num_images", "codes", "codes_too"]), Ok(()));
        assert_eq!(except(&["codes"]), Err(2));
        assert_eq!(except(&["other"]), Err(3));

        let weight = Probe(|checker| {
            checker.enter("members", |checker| {
                checker.enter(0, |checker| checker.enter("weight", |checker| checker.at_most(2.0, 1.0, false)));
            });
            checker.exactly_one(&[("`a`", true), ("`b`", true)]);
        });
        let except = |member: &str| weight.validate().unwrap_err().except(&[member.to_owned()]);
        assert_eq!(except("members.weight").unwrap_err().to_string(), "takes only one of `a`, `b`, not `a` and `b`");
        assert_eq!(except("b").unwrap_err().iter().count(), 1);
        assert_eq!(except("weight").unwrap_err().iter().count(), 2);
    }

    #[test]
    fn choices_name_what_was_given() {
        assert_eq!(
            violations(|checker| checker.exactly_one(&[("`a`", true), ("`b`", true)])),
            "takes only one of `a`, `b`, not `a` and `b`"
        );
        assert_eq!(
            violations(|checker| checker.exactly_one(&[("`a`", false), ("`b`", false)])),
            "needs one of `a`, `b`"
        );
        assert_eq!(violations(|checker| checker.exactly_one(&[("`a`", true), ("`b`", false)])), "");
        assert_eq!(
            violations(|checker| checker.not_together(("`a` with `b`", true))),
            "`a` with `b` cannot stand together"
        );
    }

    #[test]
    fn patterns_are_those_of_json_schema() {
        static ID: Pattern = Pattern::new(r"^(?!\.{1,2}$)[^/]+$");

        assert!(ID.matches("abc") && ID.matches("..."));
        assert!(!ID.matches("..") && !ID.matches("a/b") && !ID.matches(""));
    }
}
