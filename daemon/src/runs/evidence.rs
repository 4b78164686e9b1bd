//! What an outcome rests on, as it is told and recorded. Pure: the judging itself is in `verdict`.

use saferun_frames::{EndReport, Exit, StreamTotals};
use saferun_protocol::{EvidenceWitness, OutcomeEvidence, StoppedBy, StreamBytes};

use super::verdict::{Ending, Stopped, stopper};

/// The evidence of an ending.
pub(super) fn of(ending: &Ending) -> OutcomeEvidence {
    let mut evidence = OutcomeEvidence::default();
    match ending {
        Ending::Reported { report, stopped } => return reported(report, *stopped),
        Ending::Killed { stopped } => evidence.stopped_by = Some(by(*stopped)),
        Ending::Lost { reason, remains } => {
            evidence.oom_kills = remains.oom_kills;
            evidence.pids_denied = remains.pids_denied;
            evidence.lost = Some(reason.clone());
            evidence.container_exit_status = remains.exit_status;
            evidence.container_said =
                Some(remains.last_words.clone()).filter(|words| !words.is_empty());
        }
    }
    evidence
}

fn reported(report: &EndReport, stopped: Option<Stopped>) -> OutcomeEvidence {
    let mut evidence = OutcomeEvidence::default();
    evidence.witness = EvidenceWitness::Supervisor;
    (evidence.exit_code, evidence.signal) = match report.exit {
        Exit::Code(code) => (Some(code), None),
        Exit::Signal(signal) => (None, Some(signal)),
    };
    evidence.stopped_by = if report.flooded {
        Some(StoppedBy::OutputLimit)
    } else {
        stopper(report, stopped).map(by)
    };
    evidence.cpu_us = report.cpu_us;
    evidence.cpu_throttled_us = report.throttled_us;
    evidence.memory_peak_bytes = report.peak_memory;
    evidence.oom_kills = report.oom_kills;
    evidence.pids_denied = report.pids_denied;
    evidence.full_folders.clone_from(&report.full_mounts);
    evidence.processes_left = Some(report.orphans_killed);
    evidence.stdout = Some(bytes(&report.stdout));
    evidence.stderr = Some(bytes(&report.stderr));
    evidence
}

const fn by(stopped: Stopped) -> StoppedBy {
    match stopped {
        Stopped::Deadline => StoppedBy::TimeLimit,
        Stopped::Cancelled => StoppedBy::Cancel,
    }
}

fn bytes(totals: &StreamTotals) -> StreamBytes {
    let mut bytes = StreamBytes::default();
    (bytes.written, bytes.dropped) = (totals.total, totals.dropped);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Remains;

    #[test]
    fn a_report_is_told_whole_and_says_whose_signal_it_was() {
        let report = EndReport {
            token: 1,
            exit: Exit::Signal(9),
            terminated: true,
            timed_out: false,
            flooded: false,
            wall_us: 1,
            report_us: 0,
            cpu_us: Some(2),
            throttled_us: Some(3),
            peak_memory: Some(4),
            oom_kills: Some(5),
            pids_denied: Some(6),
            full_mounts: vec!["/tmp".to_owned()],
            orphans_killed: 7,
            stdout: StreamTotals {
                total: 8,
                dropped: 9,
            },
            stderr: StreamTotals::default(),
            collected: None,
            trace: None,
        };
        let told = |report: &EndReport, stopped| {
            of(&Ending::Reported {
                report: Box::new(report.clone()),
                stopped,
            })
        };
        let evidence = told(&report, Some(Stopped::Deadline));
        assert_eq!(
            serde_json::to_value(&evidence).unwrap(),
            serde_json::json!({
                "witness": "supervisor", "signal": 9, "stopped_by": "time_limit", "cpu_us": 2, "cpu_throttled_us": 3,
                "memory_peak_bytes": 4, "oom_kills": 5, "pids_denied": 6, "full_folders": ["/tmp"], "processes_left": 7,
                "stdout": {"written": 8, "dropped": 9}, "stderr": {"written": 0, "dropped": 0},
            })
        );
        let flood = EndReport {
            flooded: true,
            ..report.clone()
        };
        assert_eq!(told(&flood, None).stopped_by, Some(StoppedBy::OutputLimit));
        let natural = EndReport {
            terminated: false,
            exit: Exit::Code(0),
            ..report
        };
        let natural = told(&natural, Some(Stopped::Cancelled));
        assert_eq!((natural.exit_code, natural.stopped_by), (Some(0), None));
    }

    #[test]
    fn what_ended_without_an_account_is_told_by_the_daemon() {
        let lost = of(&Ending::Lost {
            reason: "its stream ended".to_owned(),
            remains: Remains {
                oom_kills: Some(1),
                exit_status: Some(137),
                ..Remains::default()
            },
        });
        assert_eq!(
            serde_json::to_value(&lost).unwrap(),
            serde_json::json!({
                "witness": "daemon", "oom_kills": 1, "lost": "its stream ended", "container_exit_status": 137,
            })
        );
        let killed = of(&Ending::Killed {
            stopped: Stopped::Cancelled,
        });
        assert_eq!(killed.stopped_by, Some(StoppedBy::Cancel));
    }
}
