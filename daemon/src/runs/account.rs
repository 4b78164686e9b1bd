//! The account of a run before it has run, and the words for why one did not.

use jsonrpsee::types::ErrorObjectOwned;
use saferun_policy::Verdict;
use saferun_protocol::{Code, Outcome, RunResult};

use super::{
    admit::{Admitted, applied},
    wire,
};
use crate::{audit::AuditError, pool::LeaseError};

pub(super) fn blank(id: &str, admitted: &Admitted) -> RunResult {
    let mut result = RunResult::new(id.to_owned(), Outcome::SetupFailed, String::new());
    result.risk = wire::risk(admitted.decision.risk);
    result.findings.clone_from(&admitted.findings);
    result.policy.clone_from(&admitted.policy);
    result.policy_hash.clone_from(&admitted.policy_hash);
    result.policy_warnings.clone_from(&admitted.policy_warnings);
    result.advice.clone_from(&admitted.advice);
    result.overridden = admitted.decision.overridden;
    result.limits = applied(&admitted.limits);
    result.limits.not_enforced = admitted
        .unheld
        .names()
        .into_iter()
        .map(str::to_owned)
        .collect();
    result.timing.scan_ms = admitted.scan_time.as_secs_f64() * 1000.0;
    result
}

pub(super) fn refusal(admitted: &Admitted) -> String {
    let decision = &admitted.decision;
    let why = decision.reasons.first().map_or_else(
        || "the isolation that the policy asks for is not available here".to_owned(),
        |clause| clause.text.clone(),
    );
    // The clause that says why an override did not help stands apart from the one that asks for it.
    let gate = decision.reasons.iter().skip(1);
    let gate = gate
        .filter(|clause| clause.key.starts_with("override."))
        .map(|clause| format!("; {}", clause.text))
        .next_back()
        .unwrap_or_default();
    let next = if decision.verdict == Verdict::NeedsOverride {
        "; if it may run, a person says why with --override REASON"
    } else {
        ""
    };
    format!(
        "The policy `{}` refused the run: {why}{gate}{next}",
        admitted.policy
    )
}

pub(super) fn setup_failure(error: &LeaseError) -> String {
    match error {
        LeaseError::QueueFull { waiting } => {
            format!("SafeRun is busy: {waiting} runs wait already; try again in a moment")
        }
        LeaseError::LaunchFailed { reason } => {
            format!("No container could be started: {reason}; `saferunctl doctor` tells what to do")
        }
        LeaseError::Retired | LeaseError::ShuttingDown => format!("The run did not begin: {error}"),
    }
}

pub(super) fn unrecorded(error: &AuditError) -> String {
    format!(
        "The run was not started, because it could not be recorded: {error}; make room or repair it, or let the user's policy say `audit.on_failure`"
    )
}

pub(super) fn unknown_run(id: &str) -> ErrorObjectOwned {
    Code::UnknownRun.error(
        format!("no run of yours with the id {id} is under way"),
        "`saferunctl ps` lists those that are",
    )
}

/// The error for requests that come during a drain.
pub(crate) fn shutting_down() -> ErrorObjectOwned {
    Code::ShuttingDown.error("the daemon is shutting down", "try again in a moment")
}
