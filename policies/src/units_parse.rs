//! Strict reading of units: a number, then its unit, no space, no guess. `256M` is an error that names `256MiB`.

use std::time::Duration;

use crate::rate::{MAX_COUNT, Rate};
use crate::units::{Bytes, MilliCpus};

/// What is wrong with a text, and what to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wrong {
    pub(crate) message: String,
    pub(crate) help: String,
}

fn wrong<T>(message: impl Into<String>, help: impl Into<String>) -> Result<T, Wrong> {
    Err(Wrong {
        message: message.into(),
        help: help.into(),
    })
}

/// Splits `256MiB` into its number and its unit. The number has no sign, no separator and no fraction.
fn split<'a>(text: &'a str, what: &str, example: &str) -> Result<(u64, &'a str), Wrong> {
    let digits = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    if number.is_empty() {
        if text.starts_with('-') {
            return wrong(
                format!("`{text}`: {what} cannot be negative"),
                format!("write it as `{example}`"),
            );
        }
        return wrong(
            format!("`{text}` is not {what}"),
            format!("write it as `{example}`"),
        );
    }
    if unit.starts_with(['.', ',']) {
        return wrong(
            format!("`{text}`: {what} is a whole number with a unit"),
            format!("use the next smaller unit, as in `{example}`"),
        );
    }
    if unit.starts_with(' ') {
        let joined: String = text.split_whitespace().collect();
        return wrong(
            format!("`{text}` has a space before its unit"),
            format!("write `{joined}`"),
        );
    }
    let Ok(number) = number.parse() else {
        return wrong(
            format!("`{text}` is larger than any {what} can be"),
            format!("write it as `{example}`"),
        );
    };
    Ok((number, unit))
}

/// `256MiB`, `100kB`, `1024B`.
pub(crate) fn bytes(text: &str) -> Result<Bytes, Wrong> {
    let (number, unit) = split(text, "a size", "256MiB")?;
    let factor = match unit {
        "B" => 1,
        "kB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        "KiB" => Bytes::KIB,
        "MiB" => Bytes::MIB,
        "GiB" => Bytes::GIB,
        "" => {
            return wrong(
                format!("`{text}` has no unit"),
                format!("write `{text}MiB`, `{text}KiB` or `{text}B`"),
            );
        }
        _ => {
            let meant = match unit.to_ascii_lowercase().chars().next() {
                Some('k') => "KiB",
                Some('g') => "GiB",
                Some('b') => "B",
                _ => "MiB",
            };
            return wrong(
                format!("`{unit}` is not a unit of size"),
                format!("did you mean `{number}{meant}`? Units are B, kB, MB, GB, KiB, MiB, GiB"),
            );
        }
    };
    number.checked_mul(factor).map_or_else(
        || {
            wrong(
                format!("`{text}` is larger than any size can be"),
                "write it as `256MiB`",
            )
        },
        |bytes| Ok(Bytes(bytes)),
    )
}

/// `250ms`, `30s`, `10m`, `1h`, `7d`.
pub(crate) fn duration(text: &str) -> Result<Duration, Wrong> {
    let (number, unit) = split(text, "a duration", "30s")?;
    let millis = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        "" => {
            return wrong(
                format!("`{text}` has no unit"),
                format!("write `{text}s`, `{text}ms` or `{text}m`"),
            );
        }
        _ => {
            let meant = match unit.to_ascii_lowercase().as_str() {
                "min" | "mins" | "minute" | "minutes" => "m",
                "hour" | "hours" | "hr" => "h",
                "day" | "days" => "d",
                _ => "s",
            };
            return wrong(
                format!("`{unit}` is not a unit of time"),
                format!("did you mean `{number}{meant}`? Units are ms, s, m, h, d"),
            );
        }
    };
    // A century bounds every sum that a caller may form.
    match number.checked_mul(millis) {
        Some(total) if total <= 100 * 365 * 86_400_000 => Ok(Duration::from_millis(total)),
        _ => wrong(
            format!("`{text}` is longer than a century"),
            "write it as `30s`",
        ),
    }
}

/// `1`, `0.5` or `50%` of one processor.
pub(crate) fn cpus(text: &str) -> Result<MilliCpus, Wrong> {
    const HELP: &str = "write it as `0.5`, `2` or `50%`";
    if let Some(number) = text.strip_suffix('%') {
        return match number.parse::<u32>() {
            Ok(percent) if number.len() < 6 => Ok(MilliCpus(percent * 10)),
            _ => wrong(format!("`{text}` is not a share of a processor"), HELP),
        };
    }
    let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.chars().all(|c| c.is_ascii_digit());
    if whole.is_empty() || whole.len() > 5 || !digits(whole) || !digits(rest) || text.ends_with('.')
    {
        return wrong(format!("`{text}` is not a number of processors"), HELP);
    }
    if rest.len() > 3 {
        return wrong(
            format!("`{text}` is finer than a thousandth of a processor"),
            HELP,
        );
    }
    let thousandths: u32 = format!("{rest:0<3}").parse().unwrap_or(0);
    Ok(MilliCpus(
        whole.parse::<u32>().unwrap_or(0) * 1000 + thousandths,
    ))
}

/// `50%`.
pub(crate) fn percent(text: &str) -> Result<u8, Wrong> {
    const HELP: &str = "write it as `25%`";
    let Some(number) = text.strip_suffix('%') else {
        return wrong(format!("`{text}` is not a percentage"), HELP);
    };
    match number.parse::<u8>() {
        Ok(percent) if percent <= 100 && !number.starts_with('+') => Ok(percent),
        _ => wrong(format!("`{text}` is not between 0% and 100%"), HELP),
    }
}

/// `10/1m`: so many runs in so long.
pub(crate) fn rate(text: &str) -> Result<Rate, Wrong> {
    const HELP: &str = "write it as `10/1m`, that is 10 in any minute, or `none`";
    let Some((count, window)) = text.split_once('/') else {
        return wrong(format!("`{text}` is not a rate"), HELP);
    };
    let count = match count.parse::<u32>() {
        Ok(0) => return wrong(format!("`{text}` allows nothing at all"), HELP),
        Ok(count) if count <= MAX_COUNT && !text.starts_with('+') => count,
        _ => return wrong(format!("`{text}`: `{count}` is not a number of runs"), HELP),
    };
    let window = match window {
        "s" | "m" | "h" | "d" => duration(&format!("1{window}"))?,
        _ => duration(window)?,
    };
    if window.is_zero() {
        return wrong(format!("`{text}` has an empty window"), HELP);
    }
    Ok(Rate { count, window })
}

/// A whole number without sign, separator or leading zero.
pub(crate) fn count(text: &str) -> Result<u32, Wrong> {
    let digits = !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
    let zeros = text.len() > 1 && text.starts_with('0');
    match text.parse::<u32>() {
        Ok(number) if digits && !zeros => Ok(number),
        _ if text.starts_with('-') => wrong(
            format!("`{text}`: a count cannot be negative"),
            "write it as `64`",
        ),
        _ => wrong(
            format!("`{text}` is not a whole number"),
            "write it as `64`",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_reads_back() {
        for text in ["256MiB", "1GiB", "100kB", "17B", "64KiB"] {
            assert_eq!(bytes(text).unwrap().to_string(), text);
        }
        for text in ["250ms", "30s", "10m", "1h", "7d"] {
            assert_eq!(crate::units::show_duration(duration(text).unwrap()), text);
        }
        for (text, milli) in [
            ("1", 1000),
            ("0.5", 500),
            ("50%", 500),
            ("1.25", 1250),
            ("200%", 2000),
        ] {
            assert_eq!(cpus(text).unwrap().0, milli);
        }
        assert_eq!(rate("10/m").unwrap(), rate("10/1m").unwrap());
    }

    #[test]
    fn a_guess_is_an_error_that_says_what_to_write() {
        for text in [
            "256",
            "256M",
            "256mb",
            "1.5GiB",
            "256 MiB",
            "-1MiB",
            "MiB",
            "",
            "99999999999999999999B",
            "18446744073709551615GiB",
        ] {
            assert!(bytes(text).is_err(), "{text}");
        }
        for text in ["30", "30sec", "1.5s", "30 s", "-1s", "s", "40000d"] {
            assert!(duration(text).is_err(), "{text}");
        }
        for text in [
            "half", "0.0001", "1.", ".5", "-1", "1e3", "50 %", "+1", "999999",
        ] {
            assert!(cpus(text).is_err(), "{text}");
        }
        for text in [
            "10",
            "10/",
            "/1m",
            "0/1m",
            "10 per minute",
            "-1/1m",
            "+1/1m",
            "10/0s",
        ] {
            assert!(rate(text).is_err(), "{text}");
        }
        for text in ["1_000", "064", "1.0", "0x10", "-3", "+3", ""] {
            assert!(count(text).is_err(), "{text}");
        }
    }
}
