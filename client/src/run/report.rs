//! What is said after a run, on standard error. Pure.

use saferun_protocol::{LimitHit, Outcome, Risk, RunResult};

use crate::{
    ui::{Paint, one_line},
    units::{show_bytes, show_ms},
};

/// Most lines after a run.
const LINES: usize = 5;
/// Widest message of a finding.
const WIDTH: usize = 90;

/// At most five lines for a person at a terminal; without one, a line only if something besides the
/// program ended the run or output is missing. Quiet: only what kept the program from running.
pub(crate) fn after(result: &RunResult, quiet: bool, to_person: bool, sanitised: bool) -> String {
    let paint = Paint::stderr();
    let lines = match () {
        () if quiet && did_run(result.status) => Vec::new(),
        () if to_person && !quiet => for_person(result, sanitised, paint),
        () => {
            let mut lines = Vec::new();
            if result.status != Outcome::Completed {
                lines.push(format!("saferunctl: {}", sentence(result)));
            }
            lines.extend(missing_output(result).map(|text| format!("saferunctl: {text}")));
            lines
        }
    };
    let warnings = result.policy_warnings.iter().filter(|_| !quiet);
    let warnings = warnings.flat_map(|warning| warning.lines()).map(one_line);
    // Not silenced by --quiet: whoever relies on the record has to know.
    let unrecorded = result.unrecorded.iter().filter(|_| did_run(result.status));
    let unrecorded = unrecorded.map(|why| {
        format!(
            "saferunctl: warning: this run is not, or not wholly, in the record: {}",
            one_line(why)
        )
    });
    // Nor this: what was asked for is not all there.
    let left = result.left_behind();
    let left = left.map(|left| format!("saferunctl: warning: {}", one_line(&left)));
    let advice = result.advice.iter().filter(|_| !quiet);
    let advice = advice.map(|line| format!("saferunctl: {}", one_line(line)));
    lines
        .into_iter()
        .chain(warnings)
        .chain(advice)
        .chain(left)
        .chain(unrecorded)
        .flat_map(|line| [line, "\n".to_owned()])
        .collect()
}

fn for_person(result: &RunResult, sanitised: bool, paint: Paint) -> Vec<String> {
    let mark = match (result.status, result.exit_code) {
        (Outcome::Completed, Some(0)) => paint.good("ok"),
        (Outcome::Completed, _) => paint.warn("--"),
        _ => paint.bad("!!"),
    };
    let mut lines = vec![format!(
        "{mark} {}{}",
        sentence(result),
        paint.dim(&used(result))
    )];
    let next = next(result, sanitised);
    let missing = missing_output(result);
    let room = LINES - 1 - usize::from(next.is_some()) - usize::from(missing.is_some());
    lines.extend(risk(result, room, paint));
    lines.extend(missing.map(|text| format!("   {text}")));
    lines.extend(next.map(|text| format!("   {} {text}", paint.dim("next:"))));
    lines
}

fn did_run(status: Outcome) -> bool {
    !matches!(
        status,
        Outcome::Blocked | Outcome::SetupFailed | Outcome::EngineError
    )
}

/// How the run ended, in one sentence.
pub(crate) fn sentence(result: &RunResult) -> String {
    if result.status == Outcome::Completed {
        return match result.exit_code {
            Some(code) => format!("ended with exit code {code}"),
            None => "ended without an exit code".to_owned(),
        };
    }
    if !result.message.is_empty() {
        return one_line(&result.message);
    }
    match result.status {
        Outcome::Signaled => format!("ended by signal {}", result.signal.unwrap_or(0)),
        Outcome::Timeout => "ended by the time limit".to_owned(),
        Outcome::Oom => "ended by the memory limit".to_owned(),
        Outcome::PidsExhausted => "ended by the limit on tasks".to_owned(),
        Outcome::DiskFull => "ended by a full disk".to_owned(),
        Outcome::OutputCapped => "ended by the output limit".to_owned(),
        Outcome::Blocked => "refused by the policy; nothing ran".to_owned(),
        Outcome::Cancelled => "cancelled".to_owned(),
        _ => "SafeRun failed; the program did not come to its end".to_owned(),
    }
}

fn used(result: &RunResult) -> String {
    if !did_run(result.status) {
        return String::new();
    }
    let memory = result.usage.peak_memory_bytes;
    let memory = memory.map_or(String::new(), |bytes| format!(", {}", show_bytes(bytes)));
    let runtime = if result.sandbox.runtime == "runsc" {
        ", gVisor"
    } else {
        ""
    };
    let overridden = if result.overridden {
        ", overridden"
    } else {
        ""
    };
    let clean = if result.findings.is_empty() {
        "no findings, "
    } else {
        ""
    };
    let time = show_ms(result.usage.wall_ms);
    format!(" ({clean}{time}{memory}{runtime}{overridden})")
}

/// The level and the top findings, on at most `room` lines.
fn risk(result: &RunResult, room: usize, paint: Paint) -> Vec<String> {
    if result.findings.is_empty() || room == 0 {
        return Vec::new();
    }
    let level = match result.risk {
        Risk::Low => result.risk.to_string(),
        Risk::Medium => paint.warn("MEDIUM"),
        Risk::High | Risk::Blocked => paint.bad(&result.risk.to_string()),
    };
    let mut top: Vec<_> = result.findings.iter().collect();
    // Stable: the first place in the source stays first within a level.
    top.sort_by_key(|finding| std::cmp::Reverse(finding.level));
    let shown = top.len().min(room - 1).min(2);
    let count = match top.len() {
        1 => "1 finding".to_owned(),
        count => format!("{count} findings"),
    };
    let mut lines = vec![format!("   risk {level}, {count}")];
    lines.extend(top.iter().take(shown).map(|finding| {
        let message: String = one_line(&finding.message).chars().take(WIDTH).collect();
        format!(
            "     line {}: {message} {}",
            finding.range.start.line,
            paint.dim(&one_line(&finding.rule))
        )
    }));
    lines
}

fn missing_output(result: &RunResult) -> Option<String> {
    let dropped = (result.dropped_bytes > 0).then_some(result.dropped_bytes)?;
    Some(format!(
        "{} of output were left out in the middle: it was over the limit of {}",
        show_bytes(dropped),
        show_bytes(result.limits.output_bytes)
    ))
}

/// What to do next, if there is anything.
pub(crate) fn next(result: &RunResult, sanitised: bool) -> Option<String> {
    let limits = &result.limits;
    Some(match result.status {
        Outcome::Timeout => format!(
            "give it more time: --timeout {}s",
            (limits.time_ms.saturating_mul(2)).div_ceil(1000).max(1)
        ),
        Outcome::Oom => format!(
            "give it more memory: --memory {}MiB",
            (limits.memory_bytes >> 20).saturating_mul(2).max(64)
        ),
        Outcome::PidsExhausted => format!(
            "allow more tasks: --pids {}",
            limits.pids.saturating_mul(2).max(8)
        ),
        Outcome::DiskFull => format!(
            "allow larger folders: --tmpfs {}MiB",
            (limits.tmpfs_bytes >> 20).saturating_mul(2).max(1)
        ),
        // The message says what to do; where it names no override, the policy takes none.
        Outcome::Blocked => return None,
        Outcome::SetupFailed | Outcome::EngineError => "saferunctl doctor".to_owned(),
        Outcome::Completed if result.limits_hit.contains(&LimitHit::Memory) => {
            "a process was killed for memory on the way; see --memory".to_owned()
        }
        _ if sanitised => "control sequences were shown as text; --raw passes them".to_owned(),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use saferun_protocol::{Finding, LeftBehind, Position, Range};

    use super::*;

    fn result(status: Outcome) -> RunResult {
        let mut result = RunResult::new("id".to_owned(), status, String::new());
        result.usage.wall_ms = 12.3;
        result.usage.peak_memory_bytes = Some(9 << 20);
        result.limits.time_ms = 2000;
        result
    }

    fn finding(level: Risk, line: u32, message: &str) -> Finding {
        let at = |column| Position { line, column };
        Finding::new(
            "SR101".to_owned(),
            "n".to_owned(),
            level,
            message.to_owned(),
            Range {
                start: at(1),
                end: at(2),
            },
        )
    }

    #[test]
    fn an_ordinary_run_takes_one_line() {
        let mut result = result(Outcome::Completed);
        result.exit_code = Some(0);
        assert_eq!(
            for_person(&result, false, Paint::plain()),
            ["ok ended with exit code 0 (no findings, 12 ms, 9.0 MiB)"]
        );
        assert_eq!(after(&result, false, false, false), "");
        assert_eq!(after(&result, true, true, true), "");
    }

    #[test]
    fn five_lines_at_most_with_the_highest_findings_first() {
        let mut result = result(Outcome::Timeout);
        result.message = "the time limit of 2s\x1b[2J ended it".to_owned();
        result.risk = Risk::High;
        result.dropped_bytes = 5;
        for line in 1..9 {
            result.findings.push(finding(Risk::Low, line, "low"));
        }
        result.findings.push(finding(Risk::High, 9, "sends\nfiles"));
        let lines = for_person(&result, true, Paint::plain());
        assert_eq!(
            lines,
            [
                "!! the time limit of 2s\\x1b[2J ended it (12 ms, 9.0 MiB)",
                "   risk HIGH, 9 findings",
                "     line 9: sends\\nfiles SR101",
                "   5 B of output were left out in the middle: it was over the limit of 0 B",
                "   next: give it more time: --timeout 4s",
            ]
        );
    }

    #[test]
    fn a_gap_in_the_record_is_told_even_when_quiet() {
        let mut result = result(Outcome::Completed);
        result.exit_code = Some(0);
        result.unrecorded = Some("the disk\nis full".to_owned());
        for quiet in [false, true] {
            assert_eq!(
                after(&result, quiet, false, false),
                "saferunctl: warning: this run is not, or not wholly, in the record: the disk\\nis full\n"
            );
        }
    }

    #[test]
    fn results_that_did_not_come_back_are_told_even_when_quiet() {
        let mut result = result(Outcome::Completed);
        result.exit_code = Some(0);
        let mut left = LeftBehind::default();
        for name in ["a", "b\u{202e}\x1b[2J", "c", "d", "e", "f", "g"] {
            left.add(name, 5);
        }
        result.artifacts_left_behind = Some(left);
        for quiet in [false, true] {
            assert_eq!(
                after(&result, quiet, false, false),
                "saferunctl: warning: 7 files of 35 bytes in /out did not come back: \"a\", \"b\\u{202e}\\u{1b}[2J\", \"c\", \
                 \"d\", \"e\" and 2 more; limits.artifacts and limits.artifact_count say how much does\n"
            );
        }
        result.artifacts_left_behind = Some(LeftBehind {
            perhaps_more: true,
            ..LeftBehind::default()
        });
        assert_eq!(
            after(&result, true, false, false),
            "saferunctl: warning: not all of /out could be looked at\n"
        );
        result.artifacts_left_behind = Some(LeftBehind::unknown("nobody looked"));
        assert_eq!(
            after(&result, true, false, false),
            "saferunctl: warning: nobody looked\n"
        );
    }

    #[test]
    fn quiet_hides_how_it_ran_but_not_that_it_did_not() {
        assert_eq!(after(&result(Outcome::Timeout), true, false, false), "");
        assert_eq!(
            after(&result(Outcome::Blocked), true, true, false),
            "saferunctl: refused by the policy; nothing ran\n"
        );
        // Where an override helps, the daemon's sentence names it.
        assert!(!after(&result(Outcome::Blocked), false, true, false).contains("--override"));
        assert_eq!(
            after(&result(Outcome::Timeout), false, false, false),
            "saferunctl: ended by the time limit\n"
        );
    }
}
