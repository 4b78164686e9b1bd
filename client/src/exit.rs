//! The exit codes of `run`, as one table. Pure.

use saferun_protocol::{Code, Outcome, RunResult};

/// A check found something, or what was asked for is not there.
pub(crate) const NOT_OK: u8 = 1;
/// Disk full, tasks exhausted, or output over a limit that ends the run.
pub(crate) const RESOURCE: u8 = 122;
/// The time limit.
pub(crate) const TIMEOUT: u8 = 124;
/// `SafeRun` itself failed: the program did not run, its end is not known, or not all that was asked for came back.
pub(crate) const FAILED: u8 = 125;
/// The policy refused.
pub(crate) const REFUSED: u8 = 126;
/// Killed for memory: what a shell shows for SIGKILL.
pub(crate) const OOM: u8 = 137;
/// Cancelled: what a shell shows for SIGINT.
pub(crate) const CANCELLED: u8 = 130;
/// The reader of our output went away: what a shell shows for SIGPIPE.
pub(crate) const PIPE: u8 = 141;
/// The command line, or a file it names, cannot be used.
pub(crate) const USAGE: u8 = 2;

/// The exit code for a run that came to an end.
pub(crate) fn of_result(result: &RunResult) -> u8 {
    match result.status {
        // A completed run without a code would be a fault of the daemon, never a success.
        Outcome::Completed => result.exit_code.unwrap_or(FAILED),
        Outcome::Signaled => result
            .signal
            .map_or(FAILED, |signal| 128_u8.saturating_add(signal)),
        Outcome::Timeout => TIMEOUT,
        Outcome::Oom => OOM,
        Outcome::PidsExhausted | Outcome::DiskFull | Outcome::OutputCapped => RESOURCE,
        Outcome::Blocked => REFUSED,
        Outcome::Cancelled => CANCELLED,
        // SetupFailed, EngineError, and any outcome that a newer daemon may bring
        _ => FAILED,
    }
}

/// The exit code for a run that the daemon turned down with an error.
pub(crate) fn of_code(code: Option<Code>) -> u8 {
    match code {
        Some(
            Code::InvalidRequest
            | Code::TooLarge
            | Code::LimitAboveMaximum
            | Code::UnknownPolicy
            | Code::PolicyInvalid
            | Code::UnknownRun,
        ) => USAGE,
        Some(Code::Forbidden | Code::RateLimited | Code::LimitNotEnforceable) => REFUSED,
        _ => FAILED,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(status: Outcome, exit_code: Option<u8>, signal: Option<u8>) -> u8 {
        let mut result = RunResult::new("id".to_owned(), status, String::new());
        result.exit_code = exit_code;
        result.signal = signal;
        of_result(&result)
    }

    #[test]
    fn each_outcome_has_its_code() {
        for (status, exit_code, signal, expected) in [
            (Outcome::Completed, Some(0), None, 0),
            (Outcome::Completed, Some(3), None, 3),
            (Outcome::Completed, Some(255), None, 255),
            (Outcome::Completed, None, None, 125),
            (Outcome::Signaled, None, Some(11), 139),
            (Outcome::Signaled, None, Some(9), 137),
            (Outcome::Signaled, None, None, 125),
            (Outcome::Timeout, None, Some(9), 124),
            (Outcome::Oom, None, Some(9), 137),
            (Outcome::PidsExhausted, Some(1), None, 122),
            (Outcome::DiskFull, Some(1), None, 122),
            (Outcome::OutputCapped, None, None, 122),
            (Outcome::Blocked, None, None, 126),
            (Outcome::Cancelled, None, None, 130),
            (Outcome::SetupFailed, None, None, 125),
            (Outcome::EngineError, None, None, 125),
        ] {
            assert_eq!(ended(status, exit_code, signal), expected, "{status:?}");
        }
    }

    #[test]
    fn only_a_completed_run_can_end_in_success() {
        for status in [
            Outcome::Timeout,
            Outcome::Oom,
            Outcome::Blocked,
            Outcome::Cancelled,
            Outcome::SetupFailed,
            Outcome::EngineError,
            Outcome::Signaled,
        ] {
            assert_ne!(ended(status, Some(0), None), 0, "{status:?}");
        }
    }

    #[test]
    fn errors_of_the_caller_are_usage_errors() {
        assert_eq!(of_code(Some(Code::LimitAboveMaximum)), 2);
        assert_eq!(of_code(Some(Code::EngineUnavailable)), 125);
        assert_eq!(of_code(None), 125);
    }
}
