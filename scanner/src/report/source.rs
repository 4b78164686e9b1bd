//! One line of source with the marks below it, cut to a readable width.

use super::escape::{push, width};
use crate::Range;

/// Most columns of source that are shown.
const WIDTH: usize = 110;

/// A line as it is shown, and the spaces and carets for below it.
#[derive(Debug, PartialEq, Eq)]
pub struct Excerpt {
    /// The line, made harmless.
    pub line: String,
    /// Spaces, then carets.
    pub marks: String,
}

/// The first line of a range. `None` if the text has no such line.
#[must_use]
pub fn excerpt(text: &str, range: Range) -> Option<Excerpt> {
    let line = text
        .split('\n')
        .nth(range.start.line.checked_sub(1)? as usize)?;
    let line = line.strip_suffix('\r').unwrap_or(line);
    let start = range.start.column.saturating_sub(1) as usize;
    let end = if range.end.line > range.start.line {
        usize::MAX
    } else {
        range.end.column.saturating_sub(1) as usize
    };
    let mut shown = String::new();
    let mut marks = String::new();
    // a long line is cut so that the marked part is in sight
    let skip = if start > WIDTH * 2 / 3 {
        start - WIDTH / 3
    } else {
        0
    };
    if skip > 0 {
        shown.push('…');
        marks.push(' ');
    }
    let mut columns = 0;
    for (index, c) in line.chars().enumerate().skip(skip) {
        if columns >= WIDTH {
            shown.push('…');
            break;
        }
        let before = shown.len();
        if c == '\t' {
            shown.push_str("    ");
        } else {
            push(&mut shown, c);
        }
        let added: usize = shown[before..].chars().map(width).sum();
        columns += added;
        let mark = if index >= start && index < end.max(start + 1) {
            "^"
        } else {
            " "
        };
        marks.push_str(&mark.repeat(added));
    }
    let marks = marks.trim_end().to_owned();
    let marks = if marks.is_empty() {
        "^".to_owned()
    } else {
        marks
    };
    Some(Excerpt {
        line: shown.trim_end().to_owned(),
        marks,
    })
}
