//! Durations, sizes and processor shares as they are typed on the command line. Pure.

/// A duration in milliseconds: `500ms`, `5s`, `2m`, `1h`, `1.5s`; a bare number is seconds.
pub(crate) fn duration_ms(text: &str) -> Result<u64, String> {
    const UNITS: [(&str, u64); 4] = [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000)];
    let advice = || format!("`{text}` is no duration: write 500ms, 5s, 2m or 1h");
    let (number, unit) = split_unit(text);
    let scale = match unit {
        "" => 1000,
        unit => {
            UNITS
                .iter()
                .find(|(name, _)| *name == unit)
                .ok_or_else(advice)?
                .1
        }
    };
    match scaled(number, scale).ok_or_else(advice)? {
        0 => Err(format!("`{text}` is no time at all: the least is 1ms")),
        milliseconds => Ok(milliseconds),
    }
}

/// A size in bytes with its unit: `256MiB`, `1GiB`, `64KiB`, `500MB`. A bare number is refused, because
/// nobody remembers which unit a tool takes it for.
pub(crate) fn size_bytes(text: &str) -> Result<u64, String> {
    const UNITS: [(&str, u64); 7] = [
        ("KiB", 1 << 10),
        ("MiB", 1 << 20),
        ("GiB", 1 << 30),
        ("kB", 1000),
        ("MB", 1_000_000),
        ("GB", 1_000_000_000),
        ("B", 1),
    ];
    let (number, unit) = split_unit(text);
    let Some((_, scale)) = UNITS.iter().find(|(name, _)| *name == unit) else {
        let meant = match unit.to_ascii_lowercase().as_str() {
            "k" | "kib" | "kb" => "KiB",
            "g" | "gib" | "gb" => "GiB",
            _ => "MiB",
        };
        return Err(if scaled(number, 1).is_some() {
            format!("`{text}` is no size: did you mean {number}{meant}?")
        } else {
            format!("`{text}` is no size: write 64KiB, 256MiB or 1GiB")
        });
    };
    match scaled(number, *scale) {
        Some(0) => Err(format!("`{text}` is nothing: write 64KiB, 256MiB or 1GiB")),
        Some(bytes) => Ok(bytes),
        None => Err(format!("`{text}` is no size: write 64KiB, 256MiB or 1GiB")),
    }
}

/// A share of processors in thousandths: `1`, `0.5`, `1.25`.
pub(crate) fn cpu_millis(text: &str) -> Result<u64, String> {
    match scaled(text, 1000) {
        Some(millis) if millis > 0 => Ok(millis),
        _ => Err(format!(
            "`{text}` is no number of processors: write 0.5, 1 or 2"
        )),
    }
}

/// Bytes for a person: `6.8 MiB`.
#[expect(clippy::cast_precision_loss, reason = "one decimal is shown")]
pub(crate) fn show_bytes(bytes: u64) -> String {
    let mut value = bytes as f64;
    for unit in ["B", "KiB", "MiB"] {
        if value < 1024.0 {
            let decimals = usize::from(unit != "B" && value < 100.0);
            return format!("{value:.decimals$} {unit}");
        }
        value /= 1024.0;
    }
    format!("{value:.1} GiB")
}

/// Milliseconds for a person: `3.1 ms`, `250 ms`, `2.4 s`, `3 m 5 s`, `50 h 12 m`.
pub(crate) fn show_ms(ms: f64) -> String {
    if ms < 10.0 {
        format!("{ms:.1} ms")
    } else if ms < 1000.0 {
        format!("{ms:.0} ms")
    } else if ms < 60_000.0 {
        format!("{:.1} s", ms / 1000.0)
    } else if ms >= 3_600_000.0 {
        let hours = (ms / 3_600_000.0).floor();
        let minutes = ((ms - hours * 3_600_000.0) / 60_000.0).floor();
        format!("{hours:.0} h {minutes:.0} m")
    } else {
        let minutes = (ms / 60_000.0).floor();
        format!("{minutes:.0} m {:.0} s", (ms - minutes * 60_000.0) / 1000.0)
    }
}

fn split_unit(text: &str) -> (&str, &str) {
    let at = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    text.split_at(at)
}

/// `number` times `scale`, exactly: decimals that the scale cannot hold make it no number.
fn scaled(number: &str, scale: u64) -> Option<u64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) || fraction.len() > 9 {
        return None;
    }
    let base = 10_u64.pow(u32::try_from(fraction.len()).ok()?);
    let part = fraction.parse::<u64>().ok()?.checked_mul(scale)?;
    if part % base != 0 {
        return None;
    }
    whole
        .parse::<u64>()
        .ok()?
        .checked_mul(scale)?
        .checked_add(part / base)
}

/// Bytes as hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        for (text, ms) in [
            ("5", 5000),
            ("500ms", 500),
            ("1.5s", 1500),
            ("2m", 120_000),
            ("0.25", 250),
            ("1h", 3_600_000),
        ] {
            assert_eq!(duration_ms(text), Ok(ms), "{text}");
        }
        for text in [
            "",
            "0",
            "0ms",
            "-1",
            "5x",
            "1.5ms",
            "s",
            "1e3",
            " 5",
            "5 s",
            "99999999999999999999",
            "5S",
            "١",
        ] {
            assert!(duration_ms(text).is_err(), "{text}");
        }
    }

    #[test]
    fn sizes_need_their_unit() {
        for (text, bytes) in [
            ("256MiB", 256 << 20),
            ("1GiB", 1 << 30),
            ("0.5GiB", 1 << 29),
            ("500MB", 500_000_000),
            ("4096B", 4096),
        ] {
            assert_eq!(size_bytes(text), Ok(bytes), "{text}");
        }
        for (text, meant) in [
            ("256", "256MiB"),
            ("256m", "256MiB"),
            ("256M", "256MiB"),
            ("2g", "2GiB"),
            ("64k", "64KiB"),
            ("2gb", "2GiB"),
        ] {
            assert!(size_bytes(text).unwrap_err().contains(meant), "{text}");
        }
        for text in [
            "",
            "MiB",
            "0MiB",
            "-1MiB",
            "1.0000000001GiB",
            "99999999999999999GiB",
        ] {
            assert!(size_bytes(text).is_err(), "{text}");
        }
    }

    #[test]
    fn processors() {
        assert_eq!(cpu_millis("0.5"), Ok(500));
        assert_eq!(cpu_millis("2"), Ok(2000));
        for text in ["0", "", "-1", "0.0001", "one"] {
            assert!(cpu_millis(text).is_err(), "{text}");
        }
    }

    #[test]
    fn figures_for_people() {
        assert_eq!(show_bytes(512), "512 B");
        assert_eq!(show_bytes(7_130_317), "6.8 MiB");
        assert_eq!(show_bytes(3 << 30), "3.0 GiB");
        assert_eq!(show_ms(3.12), "3.1 ms");
        assert_eq!(show_ms(250.4), "250 ms");
        assert_eq!(show_ms(2400.0), "2.4 s");
        assert_eq!(show_ms(185_000.0), "3 m 5 s");
        assert_eq!(show_ms(3_600_000.0), "1 h 0 m");
        assert_eq!(show_ms(180_779_000.0), "50 h 12 m");
    }
}
