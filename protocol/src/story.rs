//! The story of a traced run, told the same way by every surface: what no finding predicted, what it tried and could not,
//! what was let through, what became of the predictions. Pure. It is asked before each call, so nothing tells whether one
//! that was let through succeeded, and no text claims it. What the program wrote stands in it as it is: whoever shows it
//! makes it harmless first.

use saferun_frames::{EventKind, Seen, TraceEvent, TraceVerdict};
use serde::Serialize;

use crate::{Finding, Observation, RunResult, Trace};

/// Longest text of an event, in characters.
const WIDTH: usize = 100;

/// A part of the story.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[non_exhaustive]
pub struct StoryPart {
    /// What its lines are.
    pub title: String,
    /// What happened, in order. A part may be its title alone.
    pub lines: Vec<StoryLine>,
    /// What is to be said besides, never to be cut.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// A line of the story.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[non_exhaustive]
pub struct StoryLine {
    /// What happened.
    pub text: String,
    /// The file of the script that did it, by the program's own word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The line in it, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
}

impl RunResult {
    /// The story; empty for a run that was not traced.
    #[must_use]
    pub fn story(&self) -> Vec<StoryPart> {
        let Some(trace) = &self.trace else {
            return Vec::new();
        };
        let mut parts = events(trace);
        let predictions = self.findings.iter().filter_map(prediction).collect();
        add(&mut parts, "what was predicted", predictions);
        if let Some(why) = &trace.unavailable {
            parts.push(StoryPart {
                title: format!("the trace is not the kernel's: {why}"),
                ..StoryPart::default()
            });
        }
        parts
    }
}

fn add(parts: &mut Vec<StoryPart>, title: &str, lines: Vec<StoryLine>) {
    if !lines.is_empty() {
        let title = title.to_owned();
        parts.push(StoryPart {
            title,
            lines,
            note: None,
        });
    }
}

/// The events of a trace in three parts, each event in the first that it belongs to.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct TraceParts<'trace> {
    /// What no finding predicted.
    pub unforetold: Vec<&'trace TraceEvent>,
    /// What the run got nothing by, see [`got_nothing`].
    pub tried: Vec<&'trace TraceEvent>,
    /// The rest: what was let through. Whether it succeeded is not known.
    pub did: Vec<&'trace TraceEvent>,
}

impl Trace {
    /// What to say where it has no events: that nothing was done only if the kernel would have told of it.
    #[must_use]
    pub const fn nothing(&self) -> &'static str {
        match self.unavailable {
            None => "it started nothing, changed no file, reached for no address",
            Some(_) => "what it did is not known: nobody told of it",
        }
    }

    /// What its events leave out, by kind, as a sentence without an end; `None` if nothing.
    #[must_use]
    pub fn gaps(&self) -> Option<String> {
        let kinds = self.left_out_by_kind.iter();
        let kinds: Vec<String> = kinds
            .map(|(kind, count)| format!("{count} {}", acts(*kind, *count)))
            .collect();
        let what = match kinds.as_slice() {
            // A record from before they were counted by kind.
            [] => format!("{} of the kinds above", self.left_out),
            kinds => kinds.join(", "),
        };
        let sentence = format!(
            "not told for want of room: {what}; that one of them is not told proves nothing"
        );
        (self.left_out > 0).then_some(sentence)
    }

    /// Its events, sorted for whoever tells of them.
    #[must_use]
    pub fn parts(&self) -> TraceParts<'_> {
        let mut parts = TraceParts::default();
        for (number, event) in (0_u32..).zip(&self.events) {
            let part = if self.unforetold.contains(&number) {
                &mut parts.unforetold
            } else if got_nothing(event) {
                &mut parts.tried
            } else {
                &mut parts.did
            };
            part.push(event);
        }
        parts
    }
}

/// Whether the run got nothing by an event: it was refused, or was about a secret, of which there are only decoys.
#[must_use]
pub fn got_nothing(event: &TraceEvent) -> bool {
    event.verdict == TraceVerdict::Refused || event.kind == EventKind::Secret
}

/// What happened, in three parts.
fn events(trace: &Trace) -> Vec<StoryPart> {
    let TraceParts {
        unforetold,
        tried,
        did,
    } = trace.parts();
    let mut parts = Vec::new();
    let surprising = |event: &TraceEvent| {
        let mut told = line(event);
        // The other parts say it by their title.
        if event.verdict == TraceVerdict::Refused {
            told.text.push_str(" (refused)");
        }
        told
    };
    let unforetold = unforetold.into_iter().map(surprising).collect();
    add(&mut parts, "what no finding predicted", unforetold);
    for (title, events) in [
        ("what it tried", tried),
        ("what was let through, perhaps in vain", did),
    ] {
        add(&mut parts, title, events.into_iter().map(line).collect());
    }
    if parts.is_empty() {
        let title = trace.nothing().to_owned();
        parts.push(StoryPart {
            title,
            ..StoryPart::default()
        });
    }
    if let Some(last) = parts.last_mut() {
        last.note = trace.gaps();
    }
    parts
}

/// So many events of a kind.
const fn acts(kind: EventKind, count: u64) -> &'static str {
    let (one, more) = match kind {
        EventKind::Process => ("start of a program", "starts of programs"),
        EventKind::Write => ("write", "writes"),
        EventKind::Delete => ("removal", "removals"),
        EventKind::Secret => ("look for a secret", "looks for secrets"),
        EventKind::Network => ("reach for an address", "reaches for addresses"),
        EventKind::Name => ("lookup of a name", "lookups of names"),
        EventKind::Refused => ("refused call", "refused calls"),
    };
    if count == 1 { one } else { more }
}

/// What became of a finding, if the trace says something about it.
fn prediction(finding: &Finding) -> Option<StoryLine> {
    let what = finding.observed?.words();
    let (line, name) = (finding.range.start.line, &finding.name);
    let place = match &finding.file {
        Some(file) => format!("{file}:{line}"),
        None => format!("line {line}"),
    };
    Some(StoryLine {
        text: format!("{} {name} at {place}: {what}", finding.level),
        file: finding.file.clone(),
        line: Some(line),
    })
}

impl Observation {
    /// What became of it, in words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Observed => "observed",
            Self::Refused => "tried, and refused",
            Self::NotReached => "not reached",
        }
    }
}

fn line(event: &TraceEvent) -> StoryLine {
    let what: String = event.what.chars().take(WIDTH).collect();
    let verb = match event.kind {
        EventKind::Process => "start",
        EventKind::Write => "write",
        EventKind::Delete => "take away",
        EventKind::Secret => "look for the secret",
        EventKind::Network => "reach",
        EventKind::Name => "look up the name",
        EventKind::Refused => "call",
    };
    let place = match (&event.file, event.line) {
        (Some(file), Some(line)) if line > 0 => Some((file.clone(), line)),
        _ => None,
    };
    let times = match event.count {
        0 | 1 => String::new(),
        count => format!(" ({count} times)"),
    };
    let own = match event.seen {
        Seen::Kernel => "",
        Seen::Program => " (by its own word)",
    };
    let shown = place
        .as_ref()
        .map_or_else(String::new, |(file, line)| format!("{file}:{line}: "));
    let (file, line) = place.unzip();
    StoryLine {
        text: format!("{shown}{verb} {what}{times}{own}"),
        file,
        line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Outcome;

    #[test]
    fn what_was_refused_is_told_so_wherever_it_stands() {
        let event = |what: &str, verdict| TraceEvent {
            at_us: 0,
            kind: EventKind::Delete,
            call: "unlink".to_owned(),
            what: what.to_owned(),
            verdict,
            pid: 1,
            count: 2,
            file: None,
            line: None,
            seen: Seen::Kernel,
        };
        let mut result = RunResult::new("id".to_owned(), Outcome::Completed, String::new());
        result.trace = Some(Trace {
            events: vec![
                event("/a", TraceVerdict::Refused),
                event("/b", TraceVerdict::Allowed),
                event("/c", TraceVerdict::Refused),
            ],
            unforetold: vec![0, 1],
            ..Trace::default()
        });
        let story = result.story();
        let told: Vec<(&str, Vec<&str>)> = story
            .iter()
            .map(|part| {
                let lines = part.lines.iter().map(|line| line.text.as_str());
                (part.title.as_str(), lines.collect())
            })
            .collect();
        assert_eq!(
            told,
            [
                (
                    "what no finding predicted",
                    vec!["take away /a (2 times) (refused)", "take away /b (2 times)"]
                ),
                ("what it tried", vec!["take away /c (2 times)"]),
            ]
        );
    }

    #[test]
    fn a_run_that_did_nothing_says_so_and_one_that_was_not_traced_says_nothing() {
        let mut result = RunResult::new("id".to_owned(), Outcome::Completed, String::new());
        assert!(result.story().is_empty());
        let mut trace = Trace {
            left_out: 3,
            ..Trace::default()
        };
        result.trace = Some(trace.clone());
        let story = result.story();
        assert_eq!(story.len(), 1);
        assert_eq!(
            story[0].title,
            "it started nothing, changed no file, reached for no address"
        );
        trace.unavailable = Some("gVisor".to_owned());
        result.trace = Some(trace);
        let story = result.story();
        let titles: Vec<&str> = story.iter().map(|part| part.title.as_str()).collect();
        assert_eq!(
            titles,
            [
                "what it did is not known: nobody told of it",
                "the trace is not the kernel's: gVisor"
            ]
        );
        let told = |what: &str| {
            format!(
                "not told for want of room: {what}; that one of them is not told proves nothing"
            )
        };
        assert_eq!(story[0].note, Some(told("3 of the kinds above")));
        let trace = result.trace.as_mut().unwrap();
        trace.left_out_by_kind = [(EventKind::Network, 1), (EventKind::Write, 2)].into();
        let what = "2 writes, 1 reach for an address";
        assert_eq!(trace.gaps(), Some(told(what)));
        trace.left_out = 0;
        assert_eq!(trace.gaps(), None);
    }
}
