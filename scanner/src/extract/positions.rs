//! Lines and columns of a text, and moving a report's positions from extracted code to the file that it came from.

use crate::{Position, Range, Report};

/// Byte offsets at which the lines of a text begin.
pub(super) struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let mut starts = vec![0];
        starts.extend(
            text.bytes()
                .enumerate()
                .filter(|(_, b)| *b == b'\n')
                .map(|(at, _)| at + 1),
        );
        Self { text, starts }
    }

    /// The position of a byte offset.
    pub(super) fn position(&self, offset: usize) -> Position {
        let line = self.starts.partition_point(|start| *start <= offset).max(1);
        let start = self.starts[line - 1];
        let column = self
            .text
            .get(start..offset)
            .map_or(0, |part| part.chars().count());
        Position {
            line: small(line),
            column: small(column + 1),
        }
    }

    /// The byte offset of a position; the end of the line if the column lies behind it.
    pub(super) fn offset(&self, position: Position) -> usize {
        let line = position.line.max(1) as usize;
        let Some(&start) = self.starts.get(line - 1) else {
            return self.text.len();
        };
        let end = self.starts.get(line).copied().unwrap_or(self.text.len());
        let slice = &self.text[start..end];
        let skip = position.column.max(1) as usize - 1;
        start
            + slice
                .char_indices()
                .nth(skip)
                .map_or(slice.trim_end_matches('\n').len(), |(at, _)| at)
    }

    /// The range of a span of bytes.
    pub(super) fn range(&self, span: (usize, usize)) -> Range {
        Range {
            start: self.position(span.0),
            end: self.position(span.1),
        }
    }
}

fn small(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// Moves all ranges of a report with `place`, which gives the new position and the cell.
pub(super) fn relocate(
    report: &mut Report,
    mut place: impl FnMut(Position) -> (Position, Option<u32>),
) {
    let mut range = |range: &mut Range| {
        let (start, cell) = place(range.start);
        range.start = start;
        range.end = place(range.end).0;
        if range.end < range.start {
            range.end = range.start;
        }
        cell
    };
    let suppressed = report
        .suppressed
        .iter_mut()
        .map(|suppressed| &mut suppressed.finding);
    for finding in report.findings.iter_mut().chain(suppressed) {
        finding.cell = range(&mut finding.range);
        for step in &mut finding.evidence {
            range(&mut step.range);
        }
    }
    for usage in &mut report.usages {
        range(&mut usage.range);
    }
}
