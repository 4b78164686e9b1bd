//! How old an image may be. Pure: the caller brings the time.

use std::time::Duration;

use jiff::Timestamp;
use saferun_policy::ImageRules;

/// What the age of an image means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Age {
    /// Nothing to say.
    Fresh,
    /// The run goes on, with this warning.
    Old(String),
    /// Nothing runs in it, for this reason.
    TooOld(String),
}

/// Judges an image that was built at `created` (RFC 3339). One whose time cannot be read, or lies in
/// the future, counts as fresh: the digest says what is in it.
pub(crate) fn age(variant: &str, created: Option<&str>, rules: &ImageRules, now: Timestamp) -> Age {
    let built = created.and_then(|text| text.parse::<Timestamp>().ok());
    let Some(age) = built.and_then(|at| Duration::try_from(now.duration_since(at)).ok()) else {
        return Age::Fresh;
    };
    let says = format!(
        "the image {variant} is {} days old and misses the security updates since",
        age.as_secs() / 86_400
    );
    if age >= rules.refuse_age {
        Age::TooOld(says)
    } else if age >= rules.warn_age {
        Age::Old(format!(
            "{says}; build it again: saferunctl image build {variant} --force"
        ))
    } else {
        Age::Fresh
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use saferun_policy::Variant;

    #[test]
    fn days_are_counted_and_odd_times_are_not() {
        let day = Duration::from_secs(86_400);
        let rules = ImageRules {
            variant: Variant::Auto,
            warn_age: day * 30,
            refuse_age: day * 90,
        };
        let now: Timestamp = "2026-11-26T12:00:00Z".parse().expect("a time");
        let judged = |created: &str| age("python", Some(created), &rules, now);
        assert_eq!(judged("2026-11-01T00:00:00Z"), Age::Fresh);
        assert!(
            matches!(judged("2026-10-27T12:00:00Z"), Age::Old(text) if text.contains("30 days"))
        );
        assert!(matches!(judged("2026-01-01T00:00:00Z"), Age::TooOld(_)));
        assert_eq!(judged("2027-01-01T00:00:00Z"), Age::Fresh);
        assert_eq!(judged("yesterday"), Age::Fresh);
        assert_eq!(age("python", None, &rules, now), Age::Fresh);
    }
}
