//! What a traced run did, in a few calm lines: first what it tried and could not, then what it did. Pure.

use saferun_protocol::{EventKind, RunResult, Seen, TraceEvent, TraceVerdict};

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
    let tried = |event: &&TraceEvent| {
        event.verdict == TraceVerdict::Refused || event.kind == EventKind::Secret
    };
    let (tried, did): (Vec<_>, Vec<_>) = trace.events.iter().partition(tried);
    let mut lines = Vec::new();
    part("tried", &tried, &mut lines);
    part("did", &did, &mut lines);
    if trace.events.is_empty() {
        lines.push(
            "saferunctl: it started nothing, changed no file, reached for no address".to_owned(),
        );
    }
    if trace.left_out > 0 {
        lines.push(format!("  and {} more of the same kinds", trace.left_out));
    }
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

fn part(title: &str, events: &[&TraceEvent], lines: &mut Vec<String>) {
    if events.is_empty() {
        return;
    }
    lines.push(format!("saferunctl: what it {title}"));
    lines.extend(events.iter().take(LINES).map(|event| line(event)));
    if events.len() > LINES {
        lines.push(format!(
            "  and {} more; --json has all",
            events.len() - LINES
        ));
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
    format!("  {place}{verb} {what}{times}{own}")
}

#[cfg(test)]
mod tests {
    use saferun_protocol::{Outcome, Trace};

    use super::*;

    #[test]
    fn what_was_tried_comes_first_and_nothing_reaches_the_terminal_raw() {
        let event = |kind, what: &str, verdict, line| TraceEvent {
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
        };
        let mut result = RunResult::new("id".to_owned(), Outcome::Completed, String::new());
        assert_eq!(story(&result), "");
        let mut trace = Trace::default();
        trace.events = vec![
            event(EventKind::Write, "/tmp/\x1b[2Jx", TraceVerdict::Allowed, 0),
            event(EventKind::Network, "192.0.2.1:80", TraceVerdict::Refused, 3),
        ];
        trace.left_out = 9;
        result.trace = Some(trace);
        assert_eq!(
            story(&result),
            "saferunctl: what it tried\n  main.py:3: reach 192.0.2.1:80\n\
             saferunctl: what it did\n  write /tmp/\\x1b[2Jx\n  and 9 more of the same kinds\n"
        );
    }
}
