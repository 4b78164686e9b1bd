//! Sizes and processor shares as types of their own, so that a byte count is never taken for a count of processes.
//! Reading them from text is `units_parse.rs`; this file only says how they look.

use std::fmt;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A number of bytes.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Default,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[serde(transparent)]
pub struct Bytes(pub u64);

impl Bytes {
    /// One kibibyte.
    pub const KIB: u64 = 1 << 10;
    /// One mebibyte.
    pub const MIB: u64 = 1 << 20;
    /// One gibibyte.
    pub const GIB: u64 = 1 << 30;

    /// So many kibibytes.
    #[must_use]
    pub const fn kib(count: u64) -> Self {
        Self(count * Self::KIB)
    }

    /// So many mebibytes.
    #[must_use]
    pub const fn mib(count: u64) -> Self {
        Self(count * Self::MIB)
    }

    /// So many gibibytes.
    #[must_use]
    pub const fn gib(count: u64) -> Self {
        Self(count * Self::GIB)
    }

    /// The plain number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Bytes {
    /// Prints the largest unit that divides the value, so that the text reads back as the same number.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [(u64, &str); 6] = [
            (Bytes::GIB, "GiB"),
            (Bytes::MIB, "MiB"),
            (Bytes::KIB, "KiB"),
            (1_000_000_000, "GB"),
            (1_000_000, "MB"),
            (1_000, "kB"),
        ];
        for (size, unit) in UNITS {
            if self.0 >= size && self.0.is_multiple_of(size) {
                return write!(f, "{}{unit}", self.0 / size);
            }
        }
        write!(f, "{}B", self.0)
    }
}

/// Thousandths of one processor: 500 is half a CPU.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Default,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[serde(transparent)]
pub struct MilliCpus(pub u32);

impl MilliCpus {
    /// So many whole processors.
    #[must_use]
    pub const fn cpus(count: u32) -> Self {
        Self(count * 1000)
    }

    /// The plain number of thousandths.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }

    /// Billionths of a processor, the unit of container engines.
    #[must_use]
    pub const fn nano(self) -> u64 {
        self.0 as u64 * 1_000_000
    }
}

impl fmt::Display for MilliCpus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (self.0 / 1000, self.0 % 1000);
        if rest == 0 {
            return write!(f, "{whole}");
        }
        let digits = format!("{rest:03}");
        write!(f, "{whole}.{}", digits.trim_end_matches('0'))
    }
}

/// A duration in the policy's own spelling: `30s`, `10m`, `7d`, `250ms`.
#[must_use]
pub fn show_duration(duration: Duration) -> String {
    const UNITS: [(u128, &str); 4] = [
        (86_400_000, "d"),
        (3_600_000, "h"),
        (60_000, "m"),
        (1000, "s"),
    ];
    let millis = duration.as_millis();
    UNITS
        .into_iter()
        .find(|(size, _)| millis >= *size && millis.is_multiple_of(*size))
        .map_or_else(
            || format!("{millis}ms"),
            |(size, unit)| format!("{}{unit}", millis / size),
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_print_in_the_unit_that_divides_them() {
        for (value, text) in [
            (Bytes::mib(256), "256MiB"),
            (Bytes::gib(2), "2GiB"),
            (Bytes(100_000), "100kB"),
            (Bytes(1025), "1025B"),
            (Bytes(0), "0B"),
        ] {
            assert_eq!(value.to_string(), text);
        }
    }

    #[test]
    fn processor_shares_print_without_trailing_zeros() {
        for (value, text) in [(500, "0.5"), (1000, "1"), (1250, "1.25"), (5, "0.005")] {
            assert_eq!(MilliCpus(value).to_string(), text);
        }
    }

    #[test]
    fn durations_print_in_the_unit_that_divides_them() {
        for (value, text) in [
            (30_000, "30s"),
            (600_000, "10m"),
            (604_800_000, "7d"),
            (250, "250ms"),
        ] {
            assert_eq!(show_duration(Duration::from_millis(value)), text);
        }
    }
}
