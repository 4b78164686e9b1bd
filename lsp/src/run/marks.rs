//! From a run's account to lines of the code: the line that raised, else the first line with what ended the run; the
//! lines with what the sandbox refused, where the run was traced. Pure.

use std::{collections::BTreeMap, fmt::Write as _};

use saferun_protocol::{EventKind, Outcome, RunResult, Seen, TraceEvent, TraceVerdict};

/// Lines with refusals that are marked.
const MOST_REFUSED: usize = 100;
/// Refusals that are told of at one line.
const MOST_AT_A_LINE: usize = 3;
/// Longest path or address in a mark, in characters.
const LONGEST: usize = 120;

/// What a mark tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum About {
    /// The run ended here.
    End,
    /// Something was refused, or a decoy was opened.
    Refusal,
}

/// What a run said of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mark {
    /// Line, from 0.
    pub(crate) line: u32,
    pub(crate) message: String,
    pub(crate) about: About,
}

impl Mark {
    pub(crate) fn new(line: u32, message: String) -> Self {
        Self {
            line,
            message,
            about: About::End,
        }
    }

    /// The mark on the file's own line, where what ran stood `lines` further down; `None` above its beginning.
    fn up(mut self, lines: u32) -> Option<Self> {
        self.line = self.line.checked_sub(lines)?;
        Some(self)
    }
}

/// The marks of a run of a file with this base name whose code, `source`, had `above` lines before the text. Those on
/// lines that are no longer as they ran are left out.
pub(crate) fn of(
    result: &RunResult,
    stderr: &str,
    file_name: &str,
    (source, above): (&str, u32),
    text: &str,
) -> Vec<Mark> {
    let ran: Vec<&str> = source.split('\n').collect();
    let now: Vec<&str> = text.split('\n').collect();
    let line = |lines: &[&str], number: u32| {
        lines
            .get(number as usize)
            .map(|line| line.trim().to_owned())
    };
    ends(result, stderr, file_name)
        .into_iter()
        .chain(refusals(result, file_name))
        .filter_map(|mark| {
            let before = line(&ran, mark.line);
            let mark = mark.up(above)?;
            (before == line(&now, mark.line)).then_some(mark)
        })
        .collect()
}

/// Has an account speak of the lines of a cell, where those of `above` others stood above it when it ran.
pub(super) fn move_up(result: &mut RunResult, above: u32) {
    if above == 0 {
        return;
    }
    for finding in &mut result.findings {
        let range = &mut finding.range;
        if range.start.line <= above {
            finding.message.insert_str(0, "in a cell above: ");
        }
        for place in [&mut range.start, &mut range.end] {
            place.line = place.line.saturating_sub(above).max(1);
        }
    }
    let events = result.trace.iter_mut().flat_map(|trace| &mut trace.events);
    for event in events {
        event.line = event
            .line
            .and_then(|line| line.checked_sub(above))
            .filter(|line| *line > 0);
    }
}

/// Where the sandbox refused something, by line.
fn refusals(result: &RunResult, file_name: &str) -> Vec<Mark> {
    let mut lines: BTreeMap<u32, Vec<String>> = BTreeMap::new();
    let events = result.trace.iter().flat_map(|trace| &trace.events);
    for event in events {
        let Some(line) = event.line.and_then(|line| line.checked_sub(1)) else {
            continue;
        };
        if event.file.as_deref() != Some(file_name) {
            continue;
        }
        let Some(said) = refusal(event) else { continue };
        if lines.len() < MOST_REFUSED || lines.contains_key(&line) {
            lines.entry(line).or_default().push(said);
        }
    }
    let mark = |(line, mut said): (u32, Vec<String>)| {
        said.dedup();
        let more = said.len().saturating_sub(MOST_AT_A_LINE);
        said.truncate(MOST_AT_A_LINE);
        let mut message = said.join("; ");
        if more > 0 {
            let _ = write!(message, "; and {more} more");
        }
        Mark {
            line,
            message,
            about: About::Refusal,
        }
    };
    lines.into_iter().map(mark).collect()
}

/// What was refused, or what decoy was opened; `None` for what went through.
fn refusal(event: &TraceEvent) -> Option<String> {
    let verb = match (event.kind, event.verdict) {
        (EventKind::Secret, _) => "looked for a secret",
        (_, TraceVerdict::Allowed) => return None,
        (EventKind::Process, _) => "refused to start",
        (EventKind::Write, _) => "refused to write",
        (EventKind::Delete, _) => "refused to delete",
        (EventKind::Network, _) => "refused to connect",
        (EventKind::Name, _) => "refused to look up",
        (EventKind::Refused, _) => "refused the call",
    };
    let what: String = event.what.chars().take(LONGEST).collect();
    let times = match event.count {
        0 | 1 => String::new(),
        count => format!(", {count} times"),
    };
    let own = match event.seen {
        Seen::Kernel => "",
        Seen::Program => ", by its own word",
    };
    Some(format!("{verb}: {what} ({}{times}{own})", event.call))
}

/// Where the run ended, if not well.
fn ends(result: &RunResult, stderr: &str, file_name: &str) -> Vec<Mark> {
    let raised = traceback(stderr, file_name);
    let went_well = result.status == Outcome::Completed && result.exit_code == Some(0);
    match (result.status, raised) {
        (Outcome::Completed, Some(mark)) => vec![mark],
        (_, _) if went_well => Vec::new(),
        (Outcome::Completed | Outcome::Cancelled | Outcome::Blocked, None) => Vec::new(),
        (
            Outcome::Timeout | Outcome::Oom | Outcome::PidsExhausted | Outcome::DiskFull,
            Some(mark),
        ) => {
            vec![Mark::new(
                mark.line,
                format!("{} ({})", result.message, mark.message),
            )]
        }
        (_, Some(mark)) => vec![mark],
        (_, None) => vec![Mark::new(0, result.message.clone())],
    }
}

/// The innermost line of the script in the last traceback, with the exception's own line.
fn traceback(stderr: &str, file_name: &str) -> Option<Mark> {
    let mut found = None;
    let mut lines = stderr.lines().peekable();
    while let Some(line) = lines.next() {
        let Some(number) = frame(line, file_name) else {
            continue;
        };
        found = Some((number, lines.clone()));
    }
    let (number, after) = found?;
    let message = after
        .into_iter()
        .find(|line| !line.starts_with(' ') && !line.trim().is_empty())
        .unwrap_or("an exception was raised here");
    Some(Mark::new(number.checked_sub(1)?, message.to_owned()))
}

/// The line number of `  File "/x/NAME", line N, in f`.
fn frame(line: &str, file_name: &str) -> Option<u32> {
    // Groups of exceptions draw bars before their lines.
    let rest = line
        .trim_start_matches([' ', '|', '+', '-'])
        .strip_prefix("File \"")?;
    let (path, rest) = rest.split_once("\", line ")?;
    let base = path.rsplit('/').next()?;
    if base != file_name {
        return None;
    }
    let digits = rest.split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const RAISED: &str = "Traceback (most recent call last):\n  File \"/workspace/a.py\", line 7, in <module>\n    f()\n  File \"/workspace/a.py\", line 3, in f\n    json.loads('x')\n  File \"/usr/lib/python3.11/json/__init__.py\", line 346, in loads\n    return x\njson.decoder.JSONDecodeError: Expecting value: line 1\n";

    fn of(result: &RunResult, stderr: &str, name: &str) -> Vec<Mark> {
        let source = "a\n".repeat(9);
        super::of(result, stderr, name, (&source, 0), &source)
    }

    fn result(status: Outcome, exit_code: Option<u8>) -> RunResult {
        let mut result = RunResult::new("id".to_owned(), status, "what ended it".to_owned());
        result.exit_code = exit_code;
        result
    }

    #[test]
    fn the_innermost_line_of_the_script_is_marked() {
        let marks = of(&result(Outcome::Completed, Some(1)), RAISED, "a.py");
        let want = "json.decoder.JSONDecodeError: Expecting value: line 1";
        assert_eq!(marks, [Mark::new(2, want.to_owned())]);
        assert_eq!(of(&result(Outcome::Completed, Some(1)), RAISED, "b.py"), []);
    }

    #[test]
    fn a_limit_is_told_of_somewhere() {
        let marks = of(&result(Outcome::Timeout, None), "", "a.py");
        assert_eq!(marks, [Mark::new(0, "what ended it".to_owned())]);
        let marks = of(&result(Outcome::Oom, None), RAISED, "a.py");
        assert_eq!(marks[0].line, 2);
        assert!(marks[0].message.contains("what ended it"));
    }

    #[test]
    fn a_good_run_marks_nothing() {
        assert_eq!(
            of(&result(Outcome::Completed, Some(0)), "noise", "a.py"),
            []
        );
        assert_eq!(of(&result(Outcome::Cancelled, None), "", "a.py"), []);
    }

    #[test]
    fn a_hostile_traceback_is_only_text() {
        let forged = "  File \"a.py\", line 99999999999999999999, in x\n  File \"a.py\", line 0\n";
        assert_eq!(of(&result(Outcome::Completed, Some(1)), forged, "a.py"), []);
    }

    fn event(kind: EventKind, what: &str, verdict: TraceVerdict, line: u32) -> TraceEvent {
        TraceEvent {
            at_us: 1,
            kind,
            call: "connect".to_owned(),
            what: what.to_owned(),
            verdict,
            pid: 2,
            count: 2,
            file: Some("a.py".to_owned()),
            line: Some(line),
            seen: Seen::Kernel,
        }
    }

    fn traced(events: Vec<TraceEvent>) -> RunResult {
        let mut result = result(Outcome::Completed, Some(0));
        let mut trace = saferun_protocol::Trace::default();
        trace.events = events;
        result.trace = Some(trace);
        result
    }

    #[test]
    fn what_was_refused_is_told_at_its_line() {
        use TraceVerdict::{Allowed, Refused};
        let mut elsewhere = event(EventKind::Network, "x", Refused, 1);
        elsewhere.file = Some("other.py".to_owned());
        let result = traced(vec![
            event(EventKind::Network, "192.0.2.1:80", Refused, 3),
            event(EventKind::Write, "/tmp/x", Allowed, 4),
            event(EventKind::Secret, "~/.ssh/id_rsa", Allowed, 5),
            event(EventKind::Network, "no line", Refused, 0),
            elsewhere,
        ]);
        let told: Vec<_> = of(&result, "", "a.py")
            .into_iter()
            .map(|mark| (mark.line, mark.message, mark.about))
            .collect();
        let refusal = |line, text: &str| (line, text.to_owned(), About::Refusal);
        assert_eq!(
            told,
            [
                refusal(2, "refused to connect: 192.0.2.1:80 (connect, 2 times)"),
                refusal(4, "looked for a secret: ~/.ssh/id_rsa (connect, 2 times)"),
            ]
        );
    }

    #[test]
    fn a_flood_of_refusals_is_bounded() {
        let at = |line| {
            event(
                EventKind::Network,
                &"y".repeat(5_000),
                TraceVerdict::Refused,
                line,
            )
        };
        let mut events: Vec<_> = (1..2_000).map(at).collect();
        events.extend((0..50).map(|number| {
            event(
                EventKind::Delete,
                &format!("/f{number}"),
                TraceVerdict::Refused,
                1,
            )
        }));
        let source = "a\n".repeat(3_000);
        let marks = super::of(&traced(events), "", "a.py", (&source, 0), &source);
        assert_eq!(marks.len(), MOST_REFUSED);
        assert!(marks.iter().all(|mark| mark.message.len() < 600));
        assert!(
            marks[0].message.ends_with("; and 48 more"),
            "{}",
            marks[0].message
        );
    }

    #[test]
    fn lines_that_changed_meanwhile_or_stood_elsewhere_are_not_marked_wrongly() {
        let result = result(Outcome::Completed, Some(1));
        let raised =
            |line: u32| format!("  File \"/workspace/a.py\", line {line}, in f\nKeyError: 1\n");
        let marks = |line, above, now: &str| {
            let source = "x = 1\n\nf()\ng()\n";
            super::of(&result, &raised(line), "a.py", (source, above), now)
                .into_iter()
                .map(|mark| mark.line)
                .collect::<Vec<_>>()
        };
        assert_eq!(marks(3, 0, "x = 1\n\nf()\n"), [2]);
        assert!(marks(3, 0, "x = 1\n\nfoo()\n").is_empty());
        assert!(marks(3, 0, "x = 1\n").is_empty());
        // A cell, whose code ran below that of two others.
        assert_eq!(marks(3, 2, "f()\ng()\n"), [0]);
        assert!(marks(1, 2, "f()\ng()\n").is_empty());
    }
}
