//! Findings about the file itself: how it is encoded, what language it is in, secrets in its text, shell magics.

use super::decode::{Note, NoteKind};
use super::positions::Lines;
use super::python2;
use crate::shell::ShellFinding;
use crate::{Finding, Level, Position, Range, Report, secrets};

/// A finding at a span of a text.
pub(super) fn finding(
    (rule, name): (&str, &str),
    level: Level,
    message: String,
    range: Range,
    bytes: (usize, usize),
) -> Finding {
    Finding {
        rule: rule.to_owned(),
        name: name.to_owned(),
        level,
        message,
        range,
        bytes,
        cwe: None,
        subject: String::new(),
        evidence: Vec::new(),
        cell: None,
    }
}

/// A finding about a file as a whole.
pub(super) fn of_file(rule: (&str, &str), level: Level, message: String) -> Finding {
    let start = Position { line: 1, column: 1 };
    finding(rule, level, message, Range { start, end: start }, (0, 0))
}

/// What a note of the decoder means for the reader, if it is more than a remark.
pub(super) fn of_note(note: &Note) -> Option<Finding> {
    let (rule, level) = match note.kind {
        NoteKind::Remark => return None,
        NoteKind::NullBytes => (("SR951", "null-bytes"), Level::High),
        NoteKind::Undecodable => (("SR952", "undecodable-source"), Level::High),
        NoteKind::HidingEncoding => (("SR953", "hiding-encoding"), Level::High),
        NoteKind::Rejected => (("SR954", "encoding-rejected-by-python"), Level::Medium),
    };
    Some(of_file(rule, level, note.message.clone()))
}

/// Adds the secrets that the analysis did not report by itself.
pub(super) fn add_secrets(report: &mut Report, text: &str) {
    let lines = Lines::new(text);
    for hit in secrets::find(text) {
        let span = (hit.start, hit.end);
        let known = report.findings.iter().any(|finding| {
            finding.bytes.0 <= span.1
                && span.0 <= finding.bytes.1
                && ["secret", "token", "key", "password", "credential"]
                    .iter()
                    .any(|word| finding.name.contains(word))
        });
        if known {
            continue;
        }
        let mut found = finding(
            ("SR414", "hard-coded-secret"),
            hit.level,
            hit.message,
            lines.range(span),
            span,
        );
        found.cwe = Some(798);
        hit.rule.clone_into(&mut found.subject);
        report.findings.push(found);
    }
}

/// Says so when the text is Python 2.
pub(super) fn add_python2(report: &mut Report, text: &str) {
    if report
        .findings
        .iter()
        .any(|finding| finding.name.starts_with("python2"))
    {
        return;
    }
    let Some((what, span)) = python2::detect(text) else {
        return;
    };
    let message = format!("{what} is Python 2; Python 3 refuses to run this file");
    let range = Lines::new(text).range(span);
    report.findings.push(finding(
        ("SR002", "python2-syntax"),
        Level::Medium,
        message,
        range,
        span,
    ));
}

/// A finding of the shell judge in a notebook magic that stands at `offset` of `text`.
pub(super) fn of_shell(found: &ShellFinding, text: &str, span: (usize, usize)) -> Finding {
    let message = format!("shell magic: {}", found.message);
    let range = Lines::new(text).range(span);
    let mut finding = finding(
        ("SR955", "notebook-shell"),
        found.level,
        message,
        range,
        span,
    );
    finding.cwe = Some(78);
    finding
}
