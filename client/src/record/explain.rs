//! What outcomes and findings mean, in words for a person who knows nothing of this. Local rules only. Pure.

use saferun_protocol::{Finding, LimitHit, Outcome, RunRecord, RunResult};

use crate::{
    run::next_step,
    units::{show_bytes, show_ms},
};

/// What an outcome means, and what can be done about it.
#[derive(Debug, PartialEq, Eq, serde::Serialize)]
pub(super) struct OutcomeWords {
    /// A few words.
    pub(super) headline: String,
    /// What happened.
    pub(super) meaning: String,
    /// What `SafeRun` said of it, where that says more.
    pub(super) said: Option<String>,
    /// What to do, if there is anything.
    pub(super) next: Option<String>,
}

/// What a rule of the scanner means.
#[derive(Debug, PartialEq, Eq, serde::Serialize)]
pub(super) struct RuleWords {
    /// Id of the rule.
    pub(super) rule: String,
    /// Why it matters.
    pub(super) why: String,
    /// What to write instead.
    pub(super) safer: String,
}

/// The words for how a run ended; `None`: it goes on.
#[expect(clippy::cast_precision_loss, reason = "a time for a person")]
pub(super) fn outcome(record: &RunRecord) -> OutcomeWords {
    let under_way = record.ended_ms.is_none();
    let Some(result) = record.result.as_ref().filter(|_| !under_way) else {
        return OutcomeWords {
            headline: "Still under way, or its record is incomplete".to_owned(),
            meaning: "The start of this run is recorded, its end is not yet.".to_owned(),
            said: None,
            next: Some("saferunctl ps shows whether it still runs".to_owned()),
        };
    };
    let limits = &result.limits;
    let time = show_ms(limits.time_ms as f64);
    let (headline, meaning) = match result.status {
        Outcome::Completed => completed(result),
        Outcome::Signaled => (
            format!("Ended by signal {}", signal(result)),
            "The program crashed, or ended itself with a signal. SafeRun did not send it.".to_owned(),
        ),
        Outcome::Timeout => (
            "Stopped: it took too long".to_owned(),
            format!("The program was still running when its time limit of {time} was over, so SafeRun ended it and everything it had started."),
        ),
        Outcome::Oom => (
            "Stopped: it used too much memory".to_owned(),
            format!("The program wanted more than the {} of memory that it was allowed. The rest of the machine was not affected.", show_bytes(limits.memory_bytes)),
        ),
        Outcome::PidsExhausted => (
            "Stopped: it started too many processes".to_owned(),
            format!("The program wanted to have more than {} processes and threads at once and could not go on without them.", limits.pids),
        ),
        Outcome::DiskFull => (
            "Stopped: its disk space was used up".to_owned(),
            format!("The program filled a folder that may hold {} and could not go on.", show_bytes(limits.tmpfs_bytes)),
        ),
        Outcome::OutputCapped => (
            "Stopped: it printed too much".to_owned(),
            format!("The program went on printing, far beyond what is kept of its output ({} of each stream), until SafeRun ended it.", show_bytes(limits.output_bytes)),
        ),
        Outcome::Blocked if result.limits_hit.contains(&LimitHit::Queue) => (
            "Refused: it waited too long".to_owned(),
            "Other runs had all the places for as long as the policy lets a run wait. No line of this code was executed.".to_owned(),
        ),
        Outcome::Blocked => (
            "Refused: nothing was run".to_owned(),
            "SafeRun refused the request before anything ran. No line of this code was executed.".to_owned(),
        ),
        Outcome::Cancelled => (
            "Cancelled".to_owned(),
            "Somebody ended the run, or the program that had asked for it went away. What it had done until then stayed inside the sandbox, which is gone.".to_owned(),
        ),
        Outcome::SetupFailed => (
            "Not run: the sandbox was not ready".to_owned(),
            "SafeRun could not make the sandbox ready, or could not prove that it was closed, so it did not run the code.".to_owned(),
        ),
        Outcome::EngineError => (
            "Not finished: the container engine failed".to_owned(),
            "The software that runs the sandbox failed during the run. How far the program came is not known.".to_owned(),
        ),
        Outcome::Interrupted => (
            "Not finished: SafeRun itself was interrupted".to_owned(),
            "SafeRun was killed, or the machine lost power, during the run. How far the program came is not known; its sandbox was removed.".to_owned(),
        ),
        _ => (
            "Ended in a way that this saferunctl does not know".to_owned(),
            "A newer SafeRun wrote this record.".to_owned(),
        ),
    };
    OutcomeWords {
        headline,
        meaning: with_limits(meaning, result),
        said: Some(result.message.clone())
            .filter(|said| !said.is_empty() && result.status != Outcome::Completed),
        // Advice for a run is none for a request that was no run yet; what was said has it.
        next: next_step(result, false).filter(|_| judged(record)),
    }
}

fn completed(result: &RunResult) -> (String, String) {
    match result.exit_code {
        Some(0) => (
            "The program ran to its end".to_owned(),
            "It ended by itself and reported success (exit code 0).".to_owned(),
        ),
        Some(code) => (
            "The program ended with an error".to_owned(),
            format!(
                "It ended by itself and reported exit code {code}; by custom every code but 0 means that something went wrong. What it wrote to its error output usually says what."
            ),
        ),
        None => (
            "The program ended".to_owned(),
            "It ended without an exit code.".to_owned(),
        ),
    }
}

fn signal(result: &RunResult) -> String {
    let known = result
        .signal
        .and_then(|number| nix::sys::signal::Signal::try_from(i32::from(number)).ok());
    match (known, result.signal) {
        (Some(signal), _) => signal.as_str().to_owned(),
        (None, Some(number)) => number.to_string(),
        (None, None) => "of unknown number".to_owned(),
    }
}

/// Limits that were touched without ending the run.
fn with_limits(mut meaning: String, result: &RunResult) -> String {
    for hit in &result.limits_hit {
        meaning.push_str(match (hit, result.status) {
            (LimitHit::Memory, status) if status != Outcome::Oom => {
                " On the way, a process was killed because memory ran out."
            }
            (LimitHit::Pids, status) if status != Outcome::PidsExhausted => {
                " On the way, it was denied a new process because it had too many."
            }
            (LimitHit::Disk, status) if status != Outcome::DiskFull => {
                " At the end, a folder was full."
            }
            (LimitHit::Output, status) if status != Outcome::OutputCapped => {
                " It printed more than is kept: the middle of the output is missing."
            }
            _ => "",
        });
    }
    meaning
}

/// Whether the code was read and limits were set: not for a request that was refused before.
pub(super) fn judged(record: &RunRecord) -> bool {
    let result = record.result.as_ref();
    result.is_some_and(|result| result.limits.time_ms > 0)
}

/// The words for each rule that found something, once, in the order of the findings.
pub(super) fn rules(findings: &[Finding]) -> Vec<RuleWords> {
    let mut words: Vec<RuleWords> = Vec::new();
    for finding in findings {
        if words.iter().any(|known| known.rule == finding.rule) {
            continue;
        }
        if let Some(found) = saferun_scanner::explain(&finding.rule) {
            words.push(RuleWords {
                rule: finding.rule.clone(),
                why: found.rule.why.to_owned(),
                safer: found.rule.safer.to_owned(),
            });
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::sample;

    #[test]
    fn each_outcome_has_words_of_its_own() {
        let mut headlines = Vec::new();
        for status in [
            Outcome::Completed,
            Outcome::Signaled,
            Outcome::Timeout,
            Outcome::Oom,
            Outcome::PidsExhausted,
            Outcome::DiskFull,
            Outcome::OutputCapped,
            Outcome::Blocked,
            Outcome::Cancelled,
            Outcome::SetupFailed,
            Outcome::EngineError,
            Outcome::Interrupted,
        ] {
            let mut record = sample::record();
            record.result.as_mut().unwrap().status = status;
            let words = outcome(&record);
            assert!(!words.headline.contains("does not know"), "{status:?}");
            assert!(!headlines.contains(&words.headline), "{status:?}");
            headlines.push(words.headline);
        }
    }

    #[test]
    fn a_rule_is_explained_once_and_offline() {
        let mut findings = sample::record().result.unwrap().findings;
        findings.extend(findings.clone());
        let words = rules(&findings);
        assert_eq!(words.len(), 1);
        assert!(!words[0].why.is_empty() && !words[0].safer.is_empty());
    }
}
