//! Names of outcomes, levels and clients, as they are written and read. Pure.

use saferun_protocol::{Outcome, Risk};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

/// Name of one of the protocol's plain enums, as it stands in JSON.
pub(super) fn name(value: impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(name)) => name,
        _ => String::new(),
    }
}

/// An outcome by its name; `-` for `_` is understood.
pub(crate) fn outcome(text: &str) -> Result<Outcome, String> {
    parse(&text.to_lowercase().replace('-', "_")).ok_or_else(|| {
        "write completed, signaled, timeout, oom, pids_exhausted, disk_full, output_capped, blocked, cancelled, setup_failed, engine_error or interrupted".to_owned()
    })
}

/// A level by its name.
pub(crate) fn risk(text: &str) -> Result<Risk, String> {
    parse(&text.to_uppercase()).ok_or_else(|| "write LOW, MEDIUM, HIGH or BLOCKED".to_owned())
}

fn parse<T: DeserializeOwned>(name: &str) -> Option<T> {
    serde_json::from_value(Value::String(name.to_owned())).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        assert_eq!(outcome("pids-exhausted"), Ok(Outcome::PidsExhausted));
        assert_eq!(outcome("Timeout"), Ok(Outcome::Timeout));
        assert!(outcome("fine").is_err());
        assert_eq!(risk("high"), Ok(Risk::High));
        assert!(risk("deadly").is_err());
        assert_eq!(name(Outcome::DiskFull), "disk_full");
    }
}
