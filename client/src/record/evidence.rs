//! What an outcome rests on, and where the time went, in words for a person: for `show` and for the report. Pure.

use saferun_protocol::{
    EvidenceWitness, OutcomeEvidence, RunResult, StoppedBy, StreamBytes, Timing,
};

use crate::units::{show_bytes, show_ms};

/// A label and what is to be said under it; texts of the run are in it as they came.
pub(super) type Fact = (&'static str, String);

/// What was seen of the end; empty where nothing ran, or nothing was kept.
pub(super) fn facts(result: &RunResult) -> Vec<Fact> {
    let Some(evidence) = &result.evidence else {
        return Vec::new();
    };
    let mut facts = vec![("main process", main_process(evidence))];
    let mut add = |label, text: Option<String>| facts.extend(text.map(|text| (label, text)));
    add("memory", memory(evidence));
    add("processes", processes(evidence));
    add("processor", processor(evidence));
    let full = &evidence.full_folders;
    add(
        "disk",
        (!full.is_empty()).then(|| format!("full at the end: {}", full.join(", "))),
    );
    add("output", output(evidence));
    add("sandbox", sandbox(evidence));
    add(
        "seen by",
        Some(
            match evidence.witness {
                EvidenceWitness::Supervisor if counted(evidence) => {
                    "the supervisor inside the sandbox, from the kernel's counters"
                }
                EvidenceWitness::Supervisor => {
                    "the supervisor inside the sandbox; the kernel's counters are not to be seen there"
                }
                _ => "the daemon, from outside the sandbox",
            }
            .to_owned(),
        ),
    );
    facts
}

fn main_process(evidence: &OutcomeEvidence) -> String {
    let ended = match (evidence.signal, evidence.exit_code) {
        (Some(signal), _) => format!("ended by {}", signal_name(signal)),
        (None, Some(code)) => format!("ended by itself with exit code {code}"),
        (None, None) => "how it ended was not seen".to_owned(),
    };
    let why = match evidence.stopped_by {
        Some(StoppedBy::TimeLimit) => "; SafeRun ended it when its time was over",
        Some(StoppedBy::Cancel) => {
            "; SafeRun ended it because it was asked to, or nobody waited for it any more"
        }
        Some(StoppedBy::OutputLimit) => "; SafeRun ended it because it printed without end",
        Some(_) => "; SafeRun ended it",
        None if evidence.signal.is_some() => "; SafeRun did not send it",
        None => "",
    };
    format!("{ended}{why}")
}

/// Whether any of the kernel's counters was seen: in gVisor none is.
const fn counted(evidence: &OutcomeEvidence) -> bool {
    evidence.cpu_us.is_some()
        || evidence.memory_peak_bytes.is_some()
        || evidence.oom_kills.is_some()
        || evidence.pids_denied.is_some()
}

fn memory(evidence: &OutcomeEvidence) -> Option<String> {
    let peak = evidence
        .memory_peak_bytes
        .map(|bytes| format!("{} at most", show_bytes(bytes)));
    let kills = evidence.oom_kills.map(|kills| match kills {
        0 => "no process was killed for want of it".to_owned(),
        1 => "1 process was killed by the kernel for want of it".to_owned(),
        many => format!("{many} processes were killed by the kernel for want of it"),
    });
    joined([peak, kills])
}

fn processes(evidence: &OutcomeEvidence) -> Option<String> {
    let denied = evidence.pids_denied.map(|denied| match denied {
        0 => "no new one was refused".to_owned(),
        1 => "1 new one was refused by the kernel".to_owned(),
        many => format!("{many} new ones were refused by the kernel"),
    });
    let left = evidence.processes_left.map(|left| match left {
        0 => "none was left at the end".to_owned(),
        1 => "1 was left at the end, and was ended".to_owned(),
        many => format!("{many} were left at the end, and were ended"),
    });
    joined([denied, left])
}

fn processor(evidence: &OutcomeEvidence) -> Option<String> {
    let used = evidence.cpu_us.map(|us| format!("{} of its time", ms(us)));
    let held = evidence.cpu_throttled_us.map(|us| match us {
        0 => "not held back by its limit".to_owned(),
        us => format!("held back by its limit for {}", ms(us)),
    });
    joined([used, held])
}

fn output(evidence: &OutcomeEvidence) -> Option<String> {
    let of = |stream: Option<StreamBytes>, name: &str| {
        let stream = stream?;
        let left_out = match stream.dropped {
            0 => String::new(),
            bytes => format!(" ({} of it left out)", show_bytes(bytes)),
        };
        Some(format!(
            "{} on standard {name}{left_out}",
            show_bytes(stream.written)
        ))
    };
    joined([of(evidence.stdout, "output"), of(evidence.stderr, "error")])
}

fn sandbox(evidence: &OutcomeEvidence) -> Option<String> {
    let status = evidence
        .container_exit_status
        .map(|status| format!("its container ended with status {status}"));
    let said = evidence
        .container_said
        .as_ref()
        .map(|words| format!("it said: {words}"));
    let pieces: Vec<String> = [evidence.lost.clone(), status, said]
        .into_iter()
        .flatten()
        .collect();
    (!pieces.is_empty()).then(|| pieces.join("; "))
}

fn joined(pieces: [Option<String>; 2]) -> Option<String> {
    let pieces: Vec<String> = pieces.into_iter().flatten().collect();
    (!pieces.is_empty()).then(|| pieces.join(", "))
}

/// Name and number of a signal.
pub(super) fn signal_name(number: u8) -> String {
    nix::sys::signal::Signal::try_from(i32::from(number)).map_or_else(
        |_| format!("signal {number}"),
        |signal| format!("{} (signal {number})", signal.as_str()),
    )
}

/// Where the time went, each stage with its name; a stage that was not reached has none.
pub(super) fn stages(timing: &Timing) -> Vec<Fact> {
    [
        ("reading the code and deciding", timing.scan_ms),
        ("waiting for a place and a sandbox", timing.queued_ms),
        ("handing the code over", timing.start_ms),
        ("running", timing.run_ms),
    ]
    .into_iter()
    .filter(|(_, ms)| *ms > 0.0)
    .map(|(label, ms)| (label, show_ms(ms)))
    .collect()
}

fn ms(us: u64) -> String {
    show_ms(std::time::Duration::from_micros(us).as_secs_f64() * 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::sample;

    #[test]
    fn each_figure_is_told_and_what_was_not_seen_is_not() {
        let result = sample::record().result.unwrap();
        let told: Vec<String> = facts(&result)
            .into_iter()
            .map(|(label, text)| format!("{label}: {text}"))
            .collect();
        assert_eq!(
            told,
            [
                "main process: ended by SIGKILL (signal 9); SafeRun ended it when its time was over",
                "memory: 9.0 MiB at most, 2 processes were killed by the kernel for want of it",
                "processes: no new one was refused, 1 was left at the end, and was ended",
                "processor: 3.0 ms of its time, held back by its limit for 1.0 ms",
                "disk: full at the end: /tmp",
                "output: 30 B on standard output (9 B of it left out), 0 B on standard error",
                "sandbox: its stream \u{1b}ended; its container ended with status 137; it said: words",
                "seen by: the supervisor inside the sandbox, from the kernel's counters",
            ]
        );
        let mut bare = result.clone();
        bare.evidence = Some(OutcomeEvidence::default());
        let told = facts(&bare);
        assert_eq!(told.len(), 2, "{told:?}");
        assert_eq!(told[0].1, "how it ended was not seen");
        bare.evidence = None;
        assert_eq!(facts(&bare), []);
    }

    #[test]
    fn a_stage_that_was_not_reached_is_left_out() {
        let mut timing = Timing::default();
        timing.scan_ms = 1.0;
        assert_eq!(
            stages(&timing),
            [("reading the code and deciding", "1.0 ms".to_owned())]
        );
    }
}
