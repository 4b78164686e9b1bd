//! From findings and marks to what the editor underlines. Pure. Every text of the code is made plain first.

use saferun_policy::Severity;
use saferun_scanner::{Finding, Level};
use tower_lsp_server::ls_types::{
    CodeDescription, Diagnostic, DiagnosticRelatedInformation, DiagnosticSeverity, DiagnosticTag,
    Location, NumberOrString, Position, Range, Uri,
};

use crate::{
    document::{Found, MAX_BYTES, Open},
    position::{Encoding, LineIndex},
    run::About,
    text::one_line,
};

/// Source of what the scanner says.
pub(crate) const SCAN: &str = "SafeRun";
/// Source of what a run says.
pub(crate) const RUN: &str = "SafeRun run";
/// Diagnostics of one file; what is beyond is counted in one more.
pub(crate) const MOST: usize = 500;
/// Related places of one diagnostic.
const MOST_RELATED: usize = 16;
/// Where the rules are described.
const PAGES: &str = "https://github.com/saferun/saferun/blob/main/docs/rules.md#";

/// Everything that is to be said of a file now.
pub(crate) fn of_open(uri: &Uri, open: &Open, encoding: Encoding, least: Level) -> Vec<Diagnostic> {
    let mut all = Vec::new();
    if let Some(found) = &open.found {
        of_found(uri, found, encoding, least, &mut all);
    }
    let most = MAX_BYTES / 1024 / 1024;
    if open.text.len() > MAX_BYTES {
        all.push(whole_file(format!(
            "This file has over {most} MiB: it is not scanned, and cannot be run."
        )));
    } else if open.found.as_ref().is_some_and(|found| found.unscanned) {
        all.push(whole_file(format!(
            "The cells of this notebook have over {most} MiB together: this one is not scanned, nor is any other."
        )));
    }
    let index = (!open.marks.is_empty()).then(|| LineIndex::new(&open.text));
    for mark in &open.marks {
        let Some(index) = &index else { break };
        all.push(Diagnostic {
            range: index.whole_line(&open.text, mark.line, encoding),
            severity: Some(match mark.about {
                About::End => DiagnosticSeverity::ERROR,
                About::Refusal => DiagnosticSeverity::WARNING,
            }),
            source: Some(RUN.to_owned()),
            message: one_line(&mark.message),
            ..Diagnostic::default()
        });
    }
    all
}

fn of_found(uri: &Uri, found: &Found, encoding: Encoding, least: Level, all: &mut Vec<Diagnostic>) {
    let shown = || {
        let findings = found.report.findings.iter();
        findings.filter(move |finding| finding.level >= least)
    };
    all.extend(
        shown()
            .take(MOST)
            .map(|finding| of_finding(uri, found, finding, encoding)),
    );
    let beyond = shown().count().saturating_sub(MOST);
    if beyond > 0 {
        all.push(whole_file(format!("{beyond} more findings are not shown")));
    }
    for wrong in found.policy.iter().take(MOST) {
        all.push(of_policy(wrong, &found.text, &found.index, encoding));
    }
}

/// What the policy loader says of a text.
pub(crate) fn of_policy(
    wrong: &saferun_policy::Diagnostic,
    text: &str,
    index: &LineIndex,
    encoding: Encoding,
) -> Diagnostic {
    let at = saferun_scanner::Position {
        line: wrong.origin.line.max(1),
        column: wrong.origin.column.max(1),
    };
    let end = saferun_scanner::Position {
        column: at.column.saturating_add(wrong.length),
        ..at
    };
    let range = saferun_scanner::Range { start: at, end };
    let message = match &wrong.help {
        Some(help) => format!("{}\nhelp: {help}", wrong.message),
        None => wrong.message.clone(),
    };
    Diagnostic {
        range: index.of_scan(text, range, encoding),
        severity: Some(match wrong.severity {
            Severity::Error => DiagnosticSeverity::ERROR,
            Severity::Warning => DiagnosticSeverity::WARNING,
        }),
        code: Some(NumberOrString::String(wrong.code.clone())),
        source: Some(SCAN.to_owned()),
        message,
        ..Diagnostic::default()
    }
}

fn of_finding(uri: &Uri, found: &Found, finding: &Finding, encoding: Encoding) -> Diagnostic {
    let range = |range| found.index.of_scan(&found.text, range, encoding);
    let related: Vec<DiagnosticRelatedInformation> = finding
        .evidence
        .iter()
        .take(MOST_RELATED)
        .map(|step| DiagnosticRelatedInformation {
            location: Location {
                uri: uri.clone(),
                range: range(step.range),
            },
            message: one_line(&step.message),
        })
        .collect();
    // Deprecated since Python 2.3; the tag strikes it through.
    let deprecated = finding.subject == "tempfile.mktemp";
    Diagnostic {
        range: range(finding.range),
        severity: Some(severity(finding.level)),
        code: Some(NumberOrString::String(finding.rule.clone())),
        code_description: page(&finding.rule, &finding.name).map(|href| CodeDescription { href }),
        source: Some(SCAN.to_owned()),
        message: one_line(&format!("{}: {}", finding.level, finding.message)),
        related_information: (!related.is_empty()).then_some(related),
        tags: deprecated.then(|| vec![DiagnosticTag::DEPRECATED]),
        data: None,
    }
}

/// The page of a rule.
pub(crate) fn page(rule: &str, name: &str) -> Option<Uri> {
    let anchor = format!("{}-{}", rule.to_lowercase(), name);
    format!("{PAGES}{anchor}").parse().ok()
}

/// How much an editor makes of a level.
pub(crate) fn severity(level: Level) -> DiagnosticSeverity {
    match level {
        Level::Blocked => DiagnosticSeverity::ERROR,
        Level::High => DiagnosticSeverity::WARNING,
        Level::Medium => DiagnosticSeverity::INFORMATION,
        Level::Low => DiagnosticSeverity::HINT,
    }
}

pub(crate) fn whole_file(message: String) -> Diagnostic {
    Diagnostic {
        range: Range::new(Position::new(0, 0), Position::new(0, 0)),
        severity: Some(DiagnosticSeverity::INFORMATION),
        source: Some(SCAN.to_owned()),
        message,
        ..Diagnostic::default()
    }
}
