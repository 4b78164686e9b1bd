//! The story of a traced run in a few calm lines, with what it would have changed. Pure.

use saferun_protocol::{Effects, RunResult, StoryPart};

use super::diff;
use crate::ui::one_line;

/// Most lines of each part.
const LINES: usize = 6;

/// The lines; empty for a run that was not traced.
pub(crate) fn story(result: &RunResult) -> String {
    let (mut parts, mut last) = (result.story(), Vec::new());
    if parts.is_empty() {
        return String::new();
    }
    // That the kernel's word is missing is said at the very end.
    if result
        .trace
        .as_ref()
        .is_some_and(|trace| trace.unavailable.is_some())
    {
        last.extend(parts.pop());
    }
    let mut lines = Vec::new();
    for one in &parts {
        part(one, &mut lines);
    }
    let changes = result.effects.iter().flat_map(|effects| &effects.changes);
    let changes: Vec<String> = changes.map(diff::summary).collect();
    let complete = |effects: &Effects| effects.complete;
    let title = if result.effects.as_ref().is_none_or(complete) {
        "what it would have changed"
    } else {
        "what it would have changed, as far as is known"
    };
    if !changes.is_empty() {
        told(title, &changes, &mut lines);
    }
    for one in &last {
        part(one, &mut lines);
    }
    lines
        .into_iter()
        .flat_map(|line| [line, "\n".to_owned()])
        .collect()
}

fn part(part: &StoryPart, lines: &mut Vec<String>) {
    let shown: Vec<String> = part.lines.iter().map(|line| one_line(&line.text)).collect();
    told(&one_line(&part.title), &shown, lines);
    lines.extend(part.note.iter().map(|note| format!("  {note}")));
}

fn told(title: &str, told: &[String], lines: &mut Vec<String>) {
    lines.push(format!("saferunctl: {title}"));
    lines.extend(told.iter().take(LINES).map(|line| format!("  {line}")));
    if told.len() > LINES {
        let more = told.len() - LINES;
        lines.push(format!("  and {more} more; --json has them"));
    }
}

#[cfg(test)]
mod tests {
    use saferun_protocol::{
        Change, ChangeKind, EntryState, EntryType, EventKind, Finding, Observation, Outcome, Place,
        Position, Range, Risk, Trace, TraceVerdict,
    };

    use super::*;
    use crate::record::sample;

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
            sample::event(EventKind::Write, "/tmp/\x1b[2Jx", TraceVerdict::Allowed, 0),
            sample::event(EventKind::Network, "192.0.2.1:80", TraceVerdict::Refused, 3),
            sample::event(EventKind::Delete, "/workspace/a", TraceVerdict::Allowed, 9),
        ];
        trace.unforetold = vec![2];
        trace.left_out = 9;
        trace.left_out_by_kind = [(EventKind::Write, 8), (EventKind::Delete, 1)].into();
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
             saferunctl: what was let through, perhaps in vain\n  write /tmp/\\x1b[2Jx\n  not told for want of room: 8 writes, \
             1 removal; that one of them is not told proves nothing\n\
             saferunctl: what was predicted\n  LOW http-request at line 3: tried, and refused\n  \
             LOW deletes-tree at line 7: not reached\n\
             saferunctl: what it would have changed, as far as is known\n  deleted a (7 B)\n"
        );
    }
}
