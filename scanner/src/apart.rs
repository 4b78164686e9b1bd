//! Lines that are being typed and are no Python yet. They are blotted out of the text, so that all else is parsed as
//! fast as if they were right, and are scanned on their own. Knows neither trees of before nor who types.

use std::ops::Range;

use tree_sitter::Tree;

use crate::locate::Lines;
use crate::scan::{at_place, by_place, scan_text, scan_tree_unless};
use crate::{CancelFlag, Finding, Options, Position, Report};

/// Longest stretch of lines, in bytes, that is told apart from the rest.
const MAX_BROKEN: usize = 4 * 1024;
/// What stands for a line: a statement, and an element of a list.
const ELEMENT: &str = "0,";
/// What stands for the head of a block.
const HEAD: &str = "if _:";

/// The whole lines around a range of bytes; `None` when they are too long.
pub(crate) fn whole_lines(text: &str, range: &Range<usize>) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let end = range.end.min(bytes.len());
    let start = range.start.min(end);
    let first = memchr::memrchr(b'\n', &bytes[..start]).map_or(0, |at| at + 1);
    let last = memchr::memchr(b'\n', &bytes[end..]).map_or(bytes.len(), |at| end + at);
    (last - first <= MAX_BROKEN).then_some(first..last)
}

/// The text, as long as before and with as many lines, with something harmless in the place of these lines; `None`
/// where nothing stands in them.
pub(crate) fn blotted(text: &str, lines: &Range<usize>) -> Option<String> {
    let mut bytes = text.as_bytes().to_vec();
    let broken = &text[lines.clone()];
    let start = lines.start + blank(broken);
    let room = memchr::memchr(b'\n', &bytes[start..lines.end]).unwrap_or(lines.end - start);
    if room == 0 {
        return None;
    }
    let below = text[lines.end..]
        .lines()
        .find(|line| !line.trim().is_empty())
        .map_or(0, blank);
    let before = start - memchr::memrchr(b'\n', &bytes[..start]).map_or(0, |at| at + 1);
    for byte in &mut bytes[start..lines.end] {
        if !matches!(byte, b'\n' | b'\r') {
            *byte = b' ';
        }
    }
    let sign = if below > before && room >= HEAD.len() {
        HEAD
    } else {
        ELEMENT
    };
    let sign = &sign.as_bytes()[..sign.len().min(room)];
    bytes[start..start + sign.len()].copy_from_slice(sign);
    // Whole lines went, so whole characters.
    String::from_utf8(bytes).ok()
}

/// Bytes of blank space that a text begins with.
fn blank(text: &str) -> usize {
    text.len() - text.trim_start().len()
}

/// The report of a text whose blotted form has this tree; `None` when the flag was set before the end.
pub(crate) fn report(
    text: &str,
    lines: &Range<usize>,
    tree: &Tree,
    options: &Options,
    cancelled: Option<&CancelFlag>,
) -> Option<Report> {
    let blotted = blotted(text, lines)?;
    let mut report = scan_tree_unless(&blotted, Some(tree), options, cancelled)?;
    let start = lines.start + blank(&text[lines.clone()]);
    let piece = &text[start..lines.end];
    let part = scan_text(piece, options);
    let known = part.findings.iter().any(|one| one.rule == "SR001");
    let places = Lines::new(text);
    let at = places.position(start);
    let mut found = part.findings;
    let mut silent = part.suppressed;
    let all = silent.iter_mut().map(|one| &mut one.finding);
    for finding in found.iter_mut().chain(all) {
        shift(finding, start, at);
    }
    if !known {
        let end = start + piece.find('\n').unwrap_or(piece.len());
        found.push(at_place("SR001", (start, end), &places, None, None));
    }
    report.findings.append(&mut found);
    report.suppressed.append(&mut silent);
    report.findings.sort_by(by_place);
    report.usages.extend(part.usages.into_iter().map(|mut one| {
        one.range = moved(one.range, at);
        one
    }));
    report.usages.sort_by_key(|usage| usage.range);
    report.incomplete |= part.incomplete;
    Some(report)
}

fn shift(finding: &mut Finding, bytes: usize, at: Position) {
    finding.bytes = (finding.bytes.0 + bytes, finding.bytes.1 + bytes);
    finding.range = moved(finding.range, at);
    for step in &mut finding.evidence {
        step.range = moved(step.range, at);
    }
}

fn moved(range: crate::Range, at: Position) -> crate::Range {
    let place = |one: Position| Position {
        line: one.line + at.line - 1,
        column: if one.line == 1 {
            one.column + at.column - 1
        } else {
            one.column
        },
    };
    crate::Range {
        start: place(range.start),
        end: place(range.end),
    }
}
