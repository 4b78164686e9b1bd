//! From the scanner's words to those of the protocol.

use saferun_protocol::{Evidence, Finding, Position, Range, Risk};
use saferun_scanner::Level;

/// The scanner's level on the wire.
pub(crate) fn risk(level: Level) -> Risk {
    match level {
        Level::Low => Risk::Low,
        Level::Medium => Risk::Medium,
        Level::High => Risk::High,
        Level::Blocked => Risk::Blocked,
    }
}

fn range(range: saferun_scanner::Range) -> Range {
    let position = |at: saferun_scanner::Position| Position {
        line: at.line,
        column: at.column,
    };
    Range {
        start: position(range.start),
        end: position(range.end),
    }
}

/// A finding on the wire.
pub(crate) fn finding(found: &saferun_scanner::Finding) -> Finding {
    let mut finding = Finding::new(
        found.rule.clone(),
        found.name.clone(),
        risk(found.level),
        found.message.clone(),
        range(found.range),
    );
    finding.cwe = found.cwe;
    finding.cell = found.cell;
    finding.evidence = found
        .evidence
        .iter()
        .map(|step| Evidence {
            message: step.message.clone(),
            range: range(step.range),
        })
        .collect();
    finding
}
