//! How old the image may be that a run goes into: old packages have known holes. Pure.

use jiff::{SignedDuration, Timestamp};
use jsonrpsee::types::ErrorObjectOwned;
use saferun_policy::{ImageRules, show_duration};
use saferun_protocol::Code;

/// A warning for an image that is past its best; nothing for one whose age is not known.
///
/// # Errors
/// It is older than the policy allows.
pub(super) fn check(
    variant: &str,
    created: Option<&str>,
    rules: &ImageRules,
    now: Timestamp,
) -> Result<Option<String>, ErrorObjectOwned> {
    let Some(created) = created.and_then(|text| text.parse::<Timestamp>().ok()) else {
        return Ok(None);
    };
    // An image from the future is as good as new.
    let age = now.duration_since(created).max(SignedDuration::ZERO);
    let days = age.as_hours() / 24;
    let over = |limit: std::time::Duration| age.unsigned_abs() >= limit;
    if over(rules.refuse_age) {
        return Err(Code::ImageMissing.error(
            format!(
                "the image {variant} is {days} days old; the policy refuses one from {} on (image.refuse_age)",
                show_duration(rules.refuse_age)
            ),
            format!("run `saferunctl image build --force {variant}`"),
        ));
    }
    Ok(over(rules.warn_age).then(|| {
        format!(
            "warning: the image {variant} is {days} days old (image.warn_age); `saferunctl image build --force {variant}` makes a new one"
        )
    }))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use saferun_policy::preset;

    use super::*;

    #[test]
    fn an_image_warns_and_then_is_refused() {
        let day = Duration::from_secs(86_400);
        let rules = ImageRules {
            warn_age: 30 * day,
            refuse_age: 90 * day,
            ..preset("default").unwrap().image
        };
        let now: Timestamp = "2026-06-01T00:00:00Z".parse().unwrap();
        let at = |created: &str| check("python-data", Some(created), &rules, now);
        assert_eq!(at("2026-05-03T00:00:00Z").unwrap(), None);
        assert!(
            at("2026-05-02T00:00:00Z")
                .unwrap()
                .unwrap()
                .contains("30 days")
        );
        let refused = at("2026-03-01T00:00:00Z").unwrap_err();
        assert!(
            refused.message().contains("image.refuse_age"),
            "{}",
            refused.message()
        );
        assert_eq!(
            at("2027-01-01T00:00:00Z").unwrap(),
            None,
            "the clock was put back"
        );
        assert_eq!(check("python", None, &rules, now).unwrap(), None);
        assert_eq!(at("yesterday").unwrap(), None);
    }
}
