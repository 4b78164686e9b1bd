//! How long one person waits: for one file, and for one keystroke in it.

use std::time::{Duration, Instant};

use saferun_scanner::{Document, Options, scan};

use crate::measure::parser;
use crate::texts::{Text, lines};

/// Times for a file of one length.
pub(crate) struct Latency {
    pub(crate) lines: usize,
    pub(crate) bytes: usize,
    pub(crate) bare: Vec<Duration>,
    pub(crate) scan: Vec<Duration>,
    /// A keystroke: the edit, the parse of what it touched, and the report.
    pub(crate) keystroke: Vec<Duration>,
    /// A keystroke for tree-sitter alone.
    pub(crate) bare_keystroke: Vec<Duration>,
}

/// Lines of the file that the budget of a keystroke speaks of.
pub(crate) const BUDGET_LINES: usize = 2_000;

/// Measures files of 100, 1,000, 2,000 and 10,000 lines.
pub(crate) fn measure(texts: &[Text]) -> Vec<Latency> {
    [100, 1_000, BUDGET_LINES, 10_000]
        .into_iter()
        .map(|wanted| one(&lines(texts, wanted), wanted))
        .collect()
}

fn one(text: &str, wanted: usize) -> Latency {
    let rounds = (200_000 / wanted).clamp(20, 200);
    let mut latency = Latency {
        lines: wanted,
        bytes: text.len(),
        bare: Vec::new(),
        scan: Vec::new(),
        keystroke: Vec::new(),
        bare_keystroke: Vec::new(),
    };
    let options = Options::default();
    let mut parser = parser();
    for _ in 0..rounds {
        let start = Instant::now();
        drop(parser.parse(text, None));
        latency.bare.push(start.elapsed());
        let start = Instant::now();
        drop(scan(text, &options));
        latency.scan.push(start.elapsed());
    }
    let mut document = Document::new(text, options);
    let mut tree = parser.parse(text, None).expect("no limit is set");
    for place in places(text, rounds) {
        // A letter that is typed into a name, then taken away again.
        for (range, with) in [(place..place, "x"), (place..place + 1, "")] {
            let mut edited = document.text().to_owned();
            edited.replace_range(range.clone(), with);
            let start = Instant::now();
            document
                .apply_edit(range.clone(), with)
                .expect("the place is inside");
            drop(document.report());
            latency.keystroke.push(start.elapsed());
            let at = |text: &str, byte: usize| tree_sitter::Point {
                row: text[..byte].matches('\n').count(),
                column: byte - text[..byte].rfind('\n').map_or(0, |found| found + 1),
            };
            let old_end = at(&edited, range.start);
            let edit = tree_sitter::InputEdit {
                start_byte: range.start,
                old_end_byte: range.end,
                new_end_byte: range.start + with.len(),
                start_position: old_end,
                old_end_position: tree_sitter::Point {
                    column: old_end.column + range.len(),
                    ..old_end
                },
                new_end_position: tree_sitter::Point {
                    column: old_end.column + with.len(),
                    ..old_end
                },
            };
            let start = Instant::now();
            tree.edit(&edit);
            tree = parser.parse(&edited, Some(&tree)).expect("no limit is set");
            latency.bare_keystroke.push(start.elapsed());
        }
    }
    latency
}

/// Places inside of names, spread over the text.
fn places(text: &str, count: usize) -> Vec<usize> {
    let bytes = text.as_bytes();
    let inside = |at: &usize| {
        *at > 0 && bytes[*at].is_ascii_lowercase() && bytes[*at - 1].is_ascii_lowercase()
    };
    (1..count)
        .filter_map(|index| {
            let from = bytes.len() * index / count;
            (from..bytes.len().min(from + 400)).find(|at| inside(at))
        })
        .collect()
}
