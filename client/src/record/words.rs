//! Names of outcomes, levels and clients, as they are written and read, and what a receipt says. Pure.

use saferun_protocol::{Cleanup, Outcome, Risk, RunRecord};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

/// Name of one of the protocol's plain enums, as it stands in JSON.
pub(crate) fn name(value: impl Serialize) -> String {
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

/// What is known of the cleaning up after a run that has ended: its receipt.
pub(super) fn receipt(record: &RunRecord) -> Option<&'static str> {
    record.ended_ms?;
    Some(match record.cleanup? {
        Cleanup::Verified => {
            "verified: its container is gone by the engine's word, and no process of it is left by the kernel's"
        }
        Cleanup::Declared => {
            "declared: its container is gone by the engine's word; the kernel below could not be asked"
        }
        _ => {
            "unverified: nobody has seen that its container is gone; `saferunctl status` tells what could not be removed"
        }
    })
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

    #[test]
    fn a_receipt_is_told_of_a_run_that_has_ended_and_had_a_container() {
        let mut record = super::super::sample::record();
        assert!(receipt(&record).is_some_and(|words| words.starts_with("verified")));
        record.cleanup = Some(Cleanup::Unverified);
        assert!(receipt(&record).is_some_and(|words| words.starts_with("unverified")));
        record.ended_ms = None;
        assert_eq!(receipt(&record), None, "it goes on");
        (record.ended_ms, record.cleanup) = (Some(1), None);
        assert_eq!(receipt(&record), None, "it never had one");
    }
}
