//! The story of a traced run in a few calm lines: what no finding predicted, what it tried and could not, what it did,
//! what became of the predictions, what it would have changed. Pure.

use saferun_protocol::{EventKind, Observation, RunResult, Seen, Trace, TraceEvent, TraceVerdict};

use super::diff;
use crate::ui::one_line;

/// Most lines of each part.
const LINES: usize = 6;
/// Widest text of an event.
const WIDTH: usize = 100;

/// The lines; empty for a run that was not traced.
pub(crate) fn story(result: &RunResult) -> String {
    let Some(trace) = &result.trace else {
        return String::new();
    };
    let mut lines = Vec::new();
    events(trace, &mut lines);
    part("what was predicted", &predictions(result), &mut lines);
    let changes = result.effects.iter().flat_map(|effects| &effects.changes);
    let changes: Vec<String> = changes.map(diff::summary).collect();
    part("what it would have changed", &changes, &mut lines);
    if let Some(why) = &trace.unavailable {
        lines.push(format!(
            "saferunctl: the trace is not the kernel's: {}",
            one_line(why)
        ));
    }
    lines
        .into_iter()
        .flat_map(|line| [line, "\n".to_owned()])
        .collect()
}

/// What happened, in three parts: each event stands in the first that it belongs to.
fn events(trace: &Trace, lines: &mut Vec<String>) {
    let (mut surprising, mut tried, mut did) = (Vec::new(), Vec::new(), Vec::new());
    for (number, event) in (0_u32..).zip(&trace.events) {
        let refused = event.verdict == TraceVerdict::Refused || event.kind == EventKind::Secret;
        let part = if trace.unforetold.contains(&number) {
            &mut surprising
        } else if refused {
            &mut tried
        } else {
            &mut did
        };
        part.push(line(event));
    }
    part("what no finding predicted", &surprising, lines);
    part("what it tried", &tried, lines);
    part("what it did", &did, lines);
    if trace.events.is_empty() {
        lines.push(
            "saferunctl: it started nothing, changed no file, reached for no address".to_owned(),
        );
    }
    if trace.left_out > 0 {
        lines.push(format!("  and {} more of the same kinds", trace.left_out));
    }
}

/// What became of each finding that the trace says something about.
fn predictions(result: &RunResult) -> Vec<String> {
    let told = result.findings.iter().filter_map(|finding| {
        let what = match finding.observed? {
            Observation::Observed => "observed",
            Observation::Refused => "tried, and refused",
            Observation::NotReached => "not reached",
            _ => return None,
        };
        let (line, name) = (finding.range.start.line, one_line(&finding.name));
        let place = match &finding.file {
            Some(file) => format!("{}:{line}", one_line(file)),
            None => format!("line {line}"),
        };
        Some(format!("{} {name} at {place}: {what}", finding.level))
    });
    told.collect()
}

fn part(title: &str, told: &[String], lines: &mut Vec<String>) {
    if told.is_empty() {
        return;
    }
    lines.push(format!("saferunctl: {title}"));
    lines.extend(told.iter().take(LINES).map(|line| format!("  {line}")));
    if told.len() > LINES {
        let more = told.len() - LINES;
        lines.push(format!("  and {more} more; --json has all"));
    }
}

fn line(event: &TraceEvent) -> String {
    let what: String = one_line(&event.what).chars().take(WIDTH).collect();
    let verb = match (event.kind, event.verdict) {
        (EventKind::Process, _) => "start",
        (EventKind::Write, _) => "write",
        (EventKind::Delete, _) => "take away",
        (EventKind::Secret, _) => "look for the secret",
        (EventKind::Network, _) => "reach",
        (EventKind::Name, _) => "look up the name",
        (EventKind::Refused, _) => "call",
    };
    let place = match (&event.file, event.line) {
        (Some(file), Some(line)) if line > 0 => format!("{}:{line}: ", one_line(file)),
        _ => String::new(),
    };
    let times = match event.count {
        0 | 1 => String::new(),
        count => format!(" ({count} times)"),
    };
    let own = match event.seen {
        Seen::Kernel => "",
        Seen::Program => " (by its own word)",
    };
    format!("{place}{verb} {what}{times}{own}")
}

#[cfg(test)]
mod tests {
    use saferun_protocol::{
        Change, ChangeKind, Effects, EntryState, EntryType, Finding, Outcome, Place, Position,
        Range, Risk,
    };

    use super::*;

    fn event(kind: EventKind, what: &str, verdict: TraceVerdict, line: u32) -> TraceEvent {
        TraceEvent {
            at_us: 1,
            kind,
            call: "c".to_owned(),
            what: what.to_owned(),
            verdict,
            pid: 2,
            count: 1,
            file: Some("main.py".to_owned()),
            line: Some(line),
            seen: Seen::Kernel,
        }
    }

    fn finding(name: &str, line: u32, observed: Option<Observation>) -> Finding {
        let start = Position { line, column: 1 };
        let range = Range { start, end: start };
        let (rule, name) = ("SR601".to_owned(), name.to_owned());
        let mut finding = Finding::new(rule, name, Risk::Low, String::new(), range);
        finding.observed = observed;
        finding
    }

    #[test]
    fn what_nobody_predicted_comes_first_and_nothing_reaches_the_terminal_raw() {
        let mut result = RunResult::new("id".to_owned(), Outcome::Completed, String::new());
        assert_eq!(story(&result), "");
        let mut trace = Trace::default();
        trace.events = vec![
            event(EventKind::Write, "/tmp/\x1b[2Jx", TraceVerdict::Allowed, 0),
            event(EventKind::Network, "192.0.2.1:80", TraceVerdict::Refused, 3),
            event(EventKind::Delete, "/workspace/a", TraceVerdict::Allowed, 9),
        ];
        trace.unforetold = vec![2];
        trace.left_out = 9;
        result.trace = Some(trace);
        result.findings = vec![
            finding("http-request", 3, Some(Observation::Refused)),
            finding("deletes-tree", 7, Some(Observation::NotReached)),
            finding("weak-hash", 8, None),
        ];
        let mut change = Change::new(Place::Workspace, "a".to_owned(), ChangeKind::Deleted);
        change.before = Some(EntryState::new(EntryType::File, 0o644, 7));
        let mut effects = Effects::default();
        effects.changes = vec![change];
        result.effects = Some(effects);
        assert_eq!(
            story(&result),
            "saferunctl: what no finding predicted\n  main.py:9: take away /workspace/a\n\
             saferunctl: what it tried\n  main.py:3: reach 192.0.2.1:80\n\
             saferunctl: what it did\n  write /tmp/\\x1b[2Jx\n  and 9 more of the same kinds\n\
             saferunctl: what was predicted\n  LOW http-request at line 3: tried, and refused\n  \
             LOW deletes-tree at line 7: not reached\n\
             saferunctl: what it would have changed\n  deleted a (7 B)\n"
        );
    }
}
