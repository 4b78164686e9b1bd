//! From the evidence to the outcome, and to the sentence that tells it. Pure.

use saferun_frames::{EndReport, Exit};
use saferun_protocol::{AppliedLimits, LimitHit, Outcome};

/// Why the daemon itself ended a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stopped {
    /// The time limit.
    Deadline,
    /// Somebody asked, or the caller went away.
    Cancelled,
}

/// What is known when a run is over.
#[derive(Debug, Clone)]
pub(crate) enum Ending {
    /// The supervisor reported.
    Reported {
        /// Its account.
        report: Box<EndReport>,
        /// Whether the daemon had ended it before.
        stopped: Option<Stopped>,
    },
    /// The daemon killed the container, without an account.
    Killed {
        /// Why.
        stopped: Stopped,
    },
    /// The stream ended or broke without an account.
    Lost {
        /// What was seen.
        reason: String,
        /// Processes killed for want of memory, if that can be known from outside.
        oom_kills: Option<u64>,
    },
}

/// The outcome and what belongs to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Judgement {
    pub(crate) outcome: Outcome,
    pub(crate) exit_code: Option<u8>,
    pub(crate) signal: Option<u8>,
    pub(crate) limits_hit: Vec<LimitHit>,
    pub(crate) message: String,
}

const SIGKILL: u8 = 9;

/// What ended the run. A limit that was touched and survived is a hit, not an outcome.
pub(crate) fn judge(ending: &Ending, limits: &AppliedLimits) -> Judgement {
    let mut judgement = match ending {
        Ending::Reported { report, stopped } => judge_report(report, *stopped),
        Ending::Killed { stopped } => {
            let hits = match stopped {
                Stopped::Deadline => vec![LimitHit::Time],
                Stopped::Cancelled => Vec::new(),
            };
            bare(stopped_outcome(*stopped), hits)
        }
        Ending::Lost {
            oom_kills: Some(1..),
            ..
        } => bare(Outcome::Oom, vec![LimitHit::Memory]),
        Ending::Lost { .. } => bare(Outcome::EngineError, Vec::new()),
    };
    judgement.message = sentence(&judgement, ending, limits);
    judgement
}

fn bare(outcome: Outcome, limits_hit: Vec<LimitHit>) -> Judgement {
    Judgement {
        outcome,
        exit_code: None,
        signal: None,
        limits_hit,
        message: String::new(),
    }
}

fn stopped_outcome(stopped: Stopped) -> Outcome {
    match stopped {
        Stopped::Deadline => Outcome::Timeout,
        Stopped::Cancelled => Outcome::Cancelled,
    }
}

fn judge_report(report: &EndReport, stopped: Option<Stopped>) -> Judgement {
    let mut hits = Vec::new();
    let killed = report.terminated || report.timed_out;
    let stopped = match (killed, report.timed_out, stopped) {
        (false, ..) => None,
        (true, true, _) => Some(Stopped::Deadline),
        (true, false, stopped) => stopped.or(Some(Stopped::Cancelled)),
    };
    if stopped == Some(Stopped::Deadline) {
        hits.push(LimitHit::Time);
    }
    let touched = [
        (LimitHit::Memory, report.oom_kills.unwrap_or(0) > 0),
        (LimitHit::Pids, report.pids_denied.unwrap_or(0) > 0),
        (LimitHit::Disk, !report.full_mounts.is_empty()),
        (
            LimitHit::Output,
            report.stdout.dropped + report.stderr.dropped > 0,
        ),
    ];
    hits.extend(
        touched
            .iter()
            .filter(|(_, hit)| *hit)
            .map(|(limit, _)| *limit),
    );
    let (exit_code, signal) = match report.exit {
        Exit::Code(code) => (Some(code), None),
        Exit::Signal(signal) => (None, Some(signal)),
    };
    let failed = exit_code != Some(0);
    let outcome = if let Some(stopped) = stopped {
        stopped_outcome(stopped)
    } else if hits.contains(&LimitHit::Memory) && signal == Some(SIGKILL) {
        Outcome::Oom
    } else if hits.contains(&LimitHit::Pids) && failed {
        Outcome::PidsExhausted
    } else if hits.contains(&LimitHit::Disk) && failed {
        Outcome::DiskFull
    } else if signal.is_some() {
        Outcome::Signaled
    } else {
        Outcome::Completed
    };
    let (exit_code, signal) = match outcome {
        // The signal was ours: naming it would look like the program's own end.
        Outcome::Timeout | Outcome::Cancelled => (None, None),
        _ => (exit_code, signal),
    };
    Judgement {
        outcome,
        exit_code,
        signal,
        limits_hit: hits,
        message: String::new(),
    }
}

fn sentence(judgement: &Judgement, ending: &Ending, limits: &AppliedLimits) -> String {
    let mib = |bytes: u64| bytes >> 20;
    match judgement.outcome {
        Outcome::Completed => match judgement.exit_code {
            Some(0) | None => "The program ended normally".to_owned(),
            Some(code) => format!("The program ended with exit code {code}"),
        },
        Outcome::Signaled => {
            let signal = judgement.signal.unwrap_or(0);
            format!("The program was ended by {}", signal_name(signal))
        }
        Outcome::Timeout => format!(
            "The time limit of {} ended the program; allow more with --timeout if it really needs it",
            seconds(limits.time_ms)
        ),
        Outcome::Oom => format!(
            "The memory limit of {} MiB ended the program; allow more with --memory if it really needs it",
            mib(limits.memory_bytes)
        ),
        Outcome::PidsExhausted => format!(
            "The program wanted more than {} processes and threads, and gave up; allow more with --pids",
            limits.pids
        ),
        Outcome::DiskFull => format!(
            "The program filled its scratch space of {} MiB, and gave up",
            mib(limits.tmpfs_bytes)
        ),
        Outcome::Cancelled => {
            "The run was cancelled, and everything it had started is gone".to_owned()
        }
        Outcome::EngineError => match ending {
            Ending::Lost { reason, .. } => format!("The sandbox ended without a word: {reason}"),
            _ => "The container engine failed during the run".to_owned(),
        },
        other => format!("The run ended: {other:?}"),
    }
}

fn seconds(milliseconds: u64) -> String {
    if milliseconds.is_multiple_of(1000) {
        format!("{} s", milliseconds / 1000)
    } else {
        format!("{milliseconds} ms")
    }
}

fn signal_name(signal: u8) -> String {
    let name = nix::sys::signal::Signal::try_from(i32::from(signal));
    name.map_or_else(
        |_| format!("signal {signal}"),
        |name| format!("{name} (signal {signal})"),
    )
}

#[cfg(test)]
mod tests {
    use saferun_frames::StreamTotals;

    use super::*;

    fn report(exit: Exit) -> EndReport {
        EndReport {
            token: 0,
            exit,
            terminated: false,
            timed_out: false,
            wall_us: 1,
            cpu_us: None,
            peak_memory: None,
            oom_kills: Some(0),
            pids_denied: Some(0),
            full_mounts: Vec::new(),
            orphans_killed: 0,
            stdout: StreamTotals::default(),
            stderr: StreamTotals::default(),
        }
    }

    fn outcome(report: EndReport, stopped: Option<Stopped>) -> Judgement {
        judge(
            &Ending::Reported {
                report: Box::new(report),
                stopped,
            },
            &AppliedLimits::default(),
        )
    }

    #[test]
    fn the_programs_own_end_is_told_as_it_was() {
        let zero = outcome(report(Exit::Code(0)), None);
        assert_eq!(
            (zero.outcome, zero.exit_code),
            (Outcome::Completed, Some(0))
        );
        let three = outcome(report(Exit::Code(3)), None);
        assert_eq!(
            (three.outcome, three.exit_code),
            (Outcome::Completed, Some(3))
        );
    }

    #[test]
    fn t3_killing_itself_is_a_signal_and_no_timeout() {
        let killed = outcome(report(Exit::Signal(9)), None);
        assert_eq!(
            (killed.outcome, killed.signal),
            (Outcome::Signaled, Some(9))
        );
    }

    #[test]
    fn t6_a_natural_end_wins_over_a_cancel_that_came_too_late() {
        let raced = outcome(report(Exit::Code(0)), Some(Stopped::Cancelled));
        assert_eq!(raced.outcome, Outcome::Completed);
    }

    #[test]
    fn the_daemons_kill_is_told_by_its_reason() {
        let mut killed = report(Exit::Signal(9));
        killed.terminated = true;
        let timeout = outcome(killed.clone(), Some(Stopped::Deadline));
        assert_eq!((timeout.outcome, timeout.signal), (Outcome::Timeout, None));
        assert_eq!(timeout.limits_hit, [LimitHit::Time]);
        assert_eq!(
            outcome(killed, Some(Stopped::Cancelled)).outcome,
            Outcome::Cancelled
        );
    }

    #[test]
    fn r2_memory_is_the_outcome_only_if_it_ended_the_main_process() {
        let mut child_died = report(Exit::Code(0));
        child_died.oom_kills = Some(1);
        let survived = outcome(child_died, None);
        assert_eq!(survived.outcome, Outcome::Completed);
        assert_eq!(survived.limits_hit, [LimitHit::Memory]);
        let mut main_died = report(Exit::Signal(9));
        main_died.oom_kills = Some(1);
        assert_eq!(outcome(main_died, None).outcome, Outcome::Oom);
    }

    #[test]
    fn limits_that_made_it_fail_are_the_outcome() {
        let mut pids = report(Exit::Code(1));
        pids.pids_denied = Some(4);
        assert_eq!(outcome(pids, None).outcome, Outcome::PidsExhausted);
        let mut disk = report(Exit::Code(1));
        disk.full_mounts = vec!["/tmp".to_owned()];
        assert_eq!(outcome(disk, None).outcome, Outcome::DiskFull);
    }

    #[test]
    fn a_silent_end_is_never_success() {
        let limits = AppliedLimits::default();
        let lost = Ending::Lost {
            reason: "its stream ended".to_owned(),
            oom_kills: None,
        };
        assert_eq!(judge(&lost, &limits).outcome, Outcome::EngineError);
        let oom = Ending::Lost {
            reason: String::new(),
            oom_kills: Some(1),
        };
        assert_eq!(judge(&oom, &limits).outcome, Outcome::Oom);
    }
}
