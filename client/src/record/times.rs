//! Points in time as people write and read them, in the time zone of this machine.

use jiff::{Timestamp, ToSpan, Zoned, civil, tz::TimeZone};

/// Milliseconds since 1970 of `2h`, `3d`, `today`, `2026-11-26`, `2026-11-26T10:00` or an RFC 3339 time.
pub(crate) fn moment(text: &str) -> Result<i64, String> {
    at(text, &Zoned::now())
        .map(Timestamp::as_millisecond)
        .ok_or_else(|| {
            format!(
                "`{text}` is no time: write 30m, 2h, 3d or 2w for so long ago, today, yesterday, 2026-11-26, or 2026-11-26T10:00"
            )
        })
}

fn at(text: &str, now: &Zoned) -> Option<Timestamp> {
    match text {
        "now" => return Some(now.timestamp()),
        "today" => return Some(now.start_of_day().ok()?.timestamp()),
        "yesterday" => return Some(now.yesterday().ok()?.start_of_day().ok()?.timestamp()),
        _ => {}
    }
    if let Some(ago) = ago(text) {
        return Some(now.checked_sub(ago).ok()?.timestamp());
    }
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(at);
    }
    let local: civil::DateTime = text.parse().ok()?;
    Some(local.to_zoned(now.time_zone().clone()).ok()?.timestamp())
}

fn ago(text: &str) -> Option<jiff::Span> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let number: i32 = number.parse().ok().filter(|number| *number >= 0)?;
    Some(match unit {
        "s" => number.seconds(),
        "m" => number.minutes(),
        "h" => number.hours(),
        "d" => number.days(),
        "w" => number.weeks(),
        _ => return None,
    })
}

/// `2026-11-26 18:05:09`, here.
pub(super) fn shown(ms: i64) -> String {
    local(ms, "%F %T")
}

/// The same with the offset, for a report that is read elsewhere.
pub(super) fn shown_with_offset(ms: i64) -> String {
    local(ms, "%F %T %:z")
}

fn local(ms: i64, format: &str) -> String {
    Timestamp::from_millisecond(ms).map_or_else(
        |_| "at no time".to_owned(),
        |at| at.to_zoned(TimeZone::system()).strftime(format).to_string(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_write() {
        let now: Zoned = "2026-11-26T12:00:00+01:00[Europe/Vienna]".parse().unwrap();
        for (text, utc) in [
            ("now", "2026-11-26T11:00:00Z"),
            ("30m", "2026-11-26T10:30:00Z"),
            ("2h", "2026-11-26T09:00:00Z"),
            ("3d", "2026-11-23T11:00:00Z"),
            ("2w", "2026-11-12T11:00:00Z"),
            ("today", "2026-11-25T23:00:00Z"),
            ("yesterday", "2026-11-24T23:00:00Z"),
            ("2026-11-26", "2026-11-25T23:00:00Z"),
            ("2026-11-26T10:00", "2026-11-26T09:00:00Z"),
            ("2026-11-26 10:00:30", "2026-11-26T09:00:30Z"),
            ("2026-11-26T10:00:00Z", "2026-11-26T10:00:00Z"),
        ] {
            assert_eq!(
                at(text, &now).map(|at| at.to_string()).as_deref(),
                Some(utc),
                "{text}"
            );
        }
        for text in ["", "h", "-2h", "2y", "soon", "2026-13-01", "ü"] {
            assert_eq!(at(text, &now), None, "{text}");
        }
    }
}
