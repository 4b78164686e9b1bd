//! From the evidence to the outcome, and to the sentence that tells it. Pure.

use saferun_frames::{EndReport, Exit, FLOOD_BYTES};
use saferun_protocol::{AppliedLimits, LimitHit, Outcome};

use crate::engine::Remains;

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
        /// What the engine and the kernel say of its end.
        remains: Remains,
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
/// Exit code of an exception that nobody caught in Python, and of most tools for an error. Any other code is the program's own
/// choice.
const GENERAL_ERROR: u8 = 1;

/// What ended the run. A limit that was touched and survived is a hit, not an outcome. `gvisor`: whether it ran there.
pub(crate) fn judge(ending: &Ending, limits: &AppliedLimits, gvisor: bool) -> Judgement {
    let mut judgement = match ending {
        Ending::Reported { report, stopped } => judge_report(report, *stopped),
        Ending::Killed { stopped } => {
            let hits = match stopped {
                Stopped::Deadline => vec![LimitHit::Time],
                Stopped::Cancelled => Vec::new(),
            };
            bare(stopped_outcome(*stopped), hits)
        }
        Ending::Lost { remains, .. } => judge_remains(remains, gvisor),
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

/// Exit status of a Go program that gave up: gVisor's kernel is one, and does so when it gets no more host threads.
/// The supervisor never ends with it.
const GO_GAVE_UP: u8 = 2;

/// In gVisor a limit that is reached ends the sandbox as a whole, and so does a program that ends PID 1.
fn judge_remains(remains: &Remains, gvisor: bool) -> Judgement {
    if remains.oom_kills > Some(0) {
        return bare(Outcome::Oom, vec![LimitHit::Memory]);
    }
    if gvisor && (remains.pids_denied > Some(0) || remains.exit_status == Some(GO_GAVE_UP)) {
        return bare(Outcome::PidsExhausted, vec![LimitHit::Pids]);
    }
    match remains
        .exit_status
        .and_then(|status| status.checked_sub(128))
    {
        Some(signal @ 1..) if gvisor => Judgement {
            signal: Some(signal),
            ..bare(Outcome::Signaled, Vec::new())
        },
        _ => bare(Outcome::EngineError, Vec::new()),
    }
}

fn stopped_outcome(stopped: Stopped) -> Outcome {
    match stopped {
        Stopped::Deadline => Outcome::Timeout,
        Stopped::Cancelled => Outcome::Cancelled,
    }
}

/// Why the main process was ended from outside it; `None` where it ended by itself, though somebody had asked.
pub(super) fn stopper(report: &EndReport, stopped: Option<Stopped>) -> Option<Stopped> {
    match (report.terminated, report.timed_out) {
        (_, true) => Some(Stopped::Deadline),
        (true, false) => stopped.or(Some(Stopped::Cancelled)),
        (false, false) => None,
    }
}

fn judge_report(report: &EndReport, stopped: Option<Stopped>) -> Judgement {
    let mut hits = Vec::new();
    let stopped = stopper(report, stopped);
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
    // A program that was denied something and went on to a code of its own choice survived the limit.
    let gave_up = signal.is_some() || exit_code == Some(GENERAL_ERROR);
    let outcome = if report.flooded {
        Outcome::OutputCapped
    } else if let Some(stopped) = stopped {
        stopped_outcome(stopped)
    } else if hits.contains(&LimitHit::Memory) && signal == Some(SIGKILL) {
        Outcome::Oom
    } else if hits.contains(&LimitHit::Pids) && gave_up {
        Outcome::PidsExhausted
    } else if hits.contains(&LimitHit::Disk) && gave_up {
        Outcome::DiskFull
    } else if signal.is_some() {
        Outcome::Signaled
    } else {
        Outcome::Completed
    };
    let (exit_code, signal) = match outcome {
        // The signal was ours: naming it would look like the program's own end.
        Outcome::Timeout | Outcome::Cancelled | Outcome::OutputCapped => (None, None),
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

/// What happened, and what to do about it.
fn sentence(judgement: &Judgement, ending: &Ending, limits: &AppliedLimits) -> String {
    let mib = |bytes: u64| bytes >> 20;
    match judgement.outcome {
        Outcome::Completed => match judgement.exit_code {
            Some(0) | None => "The program ended normally".to_owned(),
            Some(code) => format!(
                "The program ended with exit code {code}, by its own doing; its standard error may say why{}",
                survived(&judgement.limits_hit, limits)
            ),
        },
        Outcome::Signaled => {
            let signal = signal_name(judgement.signal.unwrap_or(0));
            if let Ending::Lost { .. } = ending {
                format!(
                    "The program ended the whole sandbox with {signal}, as it can in gVisor; its last output may be missing. Run it with --runtime runc, where it cannot"
                )
            } else {
                format!(
                    "The program was ended by {signal}, which it or the code that it called caused; SafeRun did not send it"
                )
            }
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
            "The program filled its scratch space of {} MiB or all its inodes, and gave up; let it write less, or the policy allow more with `limits.tmpfs`",
            mib(limits.tmpfs_bytes)
        ),
        Outcome::OutputCapped => format!(
            "The program was ended after {} GiB of output, of which at most {} MiB of each stream are kept; let it print less",
            FLOOD_BYTES >> 30,
            mib(limits.output_bytes).max(1)
        ),
        Outcome::Cancelled => {
            "The run was cancelled, and everything it had started is gone; start it again if that was not meant".to_owned()
        }
        Outcome::EngineError => match ending {
            Ending::Lost {
                reason, remains, ..
            } => lost_sentence(reason, remains),
            _ => "The container engine failed during the run; `saferunctl doctor` tells what to do".to_owned(),
        },
        other => format!("The run ended: {other:?}"),
    }
}

/// What a program met that then ended with a code of its own choice: it may be the reason.
fn survived(hits: &[LimitHit], limits: &AppliedLimits) -> String {
    let pids = hits.contains(&LimitHit::Pids).then(|| {
        format!(
            ". On the way it met the limit of {} processes and threads (--pids)",
            limits.pids
        )
    });
    let disk = hits.contains(&LimitHit::Disk);
    let disk = disk.then(|| ". At the end its scratch space was full (`limits.tmpfs`)".to_owned());
    pids.into_iter().chain(disk).collect()
}

fn lost_sentence(reason: &str, remains: &Remains) -> String {
    let status = remains
        .exit_status
        .map(|status| format!(", its exit status was {status}"))
        .unwrap_or_default();
    let words = match remains.last_words.as_str() {
        "" => String::new(),
        words => format!(", and it said: {words}"),
    };
    format!(
        "The sandbox ended without a word: {reason}{status}{words}. Somebody may have removed its container, or the engine failed: run it again, and see `saferunctl doctor` if it happens again"
    )
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
            flooded: false,
            wall_us: 1,
            report_us: 0,
            cpu_us: None,
            throttled_us: None,
            peak_memory: None,
            oom_kills: Some(0),
            pids_denied: Some(0),
            full_mounts: Vec::new(),
            orphans_killed: 0,
            stdout: StreamTotals::default(),
            stderr: StreamTotals::default(),
            collected: None,
            trace: None,
        }
    }

    fn outcome(report: EndReport, stopped: Option<Stopped>) -> Judgement {
        judge(
            &Ending::Reported {
                report: Box::new(report),
                stopped,
            },
            &AppliedLimits::default(),
            false,
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
    fn a_limit_that_was_survived_is_a_hit_beside_the_code_that_the_program_chose() {
        let limited = |exit| {
            let mut pids = report(exit);
            pids.pids_denied = Some(1);
            let mut disk = report(exit);
            disk.full_mounts = vec!["/tmp".to_owned()];
            [(pids, LimitHit::Pids), (disk, LimitHit::Disk)]
        };
        for code in [0, 2, 3, 120, 255] {
            for (report, hit) in limited(Exit::Code(code)) {
                let ended = outcome(report, None);
                assert_eq!(
                    (ended.outcome, ended.exit_code, &ended.limits_hit[..]),
                    (Outcome::Completed, Some(code), &[hit][..])
                );
                assert!(code == 0 || ended.message.contains("limit"), "{ended:?}");
            }
        }
        for exit in [Exit::Code(1), Exit::Signal(6)] {
            for (report, hit) in limited(exit) {
                let ended = outcome(report, None);
                let wanted = match hit {
                    LimitHit::Pids => Outcome::PidsExhausted,
                    _ => Outcome::DiskFull,
                };
                assert_eq!((ended.outcome, &ended.limits_hit[..]), (wanted, &[hit][..]));
            }
        }
    }

    #[test]
    fn a_flood_is_told_as_one() {
        let mut flood = report(Exit::Signal(9));
        flood.flooded = true;
        flood.stdout.dropped = FLOOD_BYTES;
        let flood = outcome(flood, None);
        assert_eq!((flood.outcome, flood.signal), (Outcome::OutputCapped, None));
        assert_eq!(flood.limits_hit, [LimitHit::Output]);
    }

    fn lost(gvisor: bool, remains: Remains) -> Judgement {
        let lost = Ending::Lost {
            reason: "its stream ended".to_owned(),
            remains,
        };
        judge(&lost, &AppliedLimits::default(), gvisor)
    }

    #[test]
    fn a_silent_end_is_never_success_and_told_by_what_is_left_of_it() {
        let ended = |status| Remains {
            exit_status: Some(status),
            ..Remains::default()
        };
        assert_eq!(
            lost(false, Remains::default()).outcome,
            Outcome::EngineError
        );
        // In runc a program cannot end PID 1: somebody outside did.
        for status in [0, 2, 128, 137] {
            assert_eq!(lost(false, ended(status)).outcome, Outcome::EngineError);
        }
        let killed = lost(true, ended(137));
        assert_eq!(
            (killed.outcome, killed.signal),
            (Outcome::Signaled, Some(9))
        );
        assert_eq!(lost(true, ended(2)).outcome, Outcome::PidsExhausted);
        for status in [0, 1, 70, 128] {
            assert_eq!(lost(true, ended(status)).outcome, Outcome::EngineError);
        }
        let oom = Remains {
            oom_kills: Some(1),
            ..ended(137)
        };
        assert_eq!(lost(true, oom).outcome, Outcome::Oom);
        let pids = Remains {
            pids_denied: Some(3),
            ..Remains::default()
        };
        assert_eq!(lost(true, pids).outcome, Outcome::PidsExhausted);
    }
}
