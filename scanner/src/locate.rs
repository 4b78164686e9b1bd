//! From byte offsets to lines and columns in constant time, however long a line is.

use crate::{Position, Range};

/// Bytes between two remembered counts.
const BLOCK: usize = 1024;

/// Where the lines of a text begin, and how many bytes before each block continue a character.
pub(crate) struct Lines<'s> {
    source: &'s str,
    starts: Vec<usize>,
    continued: Vec<usize>,
    ascii: bool,
}

impl<'s> Lines<'s> {
    pub(crate) fn new(source: &'s str) -> Self {
        let bytes = source.as_bytes();
        let mut starts = vec![0];
        starts.extend(memchr::memchr_iter(b'\n', bytes).map(|at| at + 1));
        let ascii = source.is_ascii();
        let mut continued = vec![0];
        if !ascii {
            let mut count = 0;
            for block in bytes.chunks(BLOCK) {
                count += block.iter().filter(|byte| is_continuation(**byte)).count();
                continued.push(count);
            }
        }
        Self {
            source,
            starts,
            continued,
            ascii,
        }
    }

    /// Continuation bytes before an offset.
    fn continued_before(&self, at: usize) -> usize {
        let block = at / BLOCK;
        let bytes = self.source.as_bytes();
        let rest = &bytes[(block * BLOCK).min(bytes.len())..at];
        self.continued.get(block).copied().unwrap_or(0)
            + rest.iter().filter(|byte| is_continuation(**byte)).count()
    }

    pub(crate) fn position(&self, at: usize) -> Position {
        let mut at = at.min(self.source.len());
        while !self.source.is_char_boundary(at) {
            at -= 1;
        }
        let line = self.starts.partition_point(|start| *start <= at).max(1);
        let start = self.starts[line - 1];
        let mut column = at - start;
        if !self.ascii {
            column -= self.continued_before(at) - self.continued_before(start);
        }
        Position {
            line: u32::try_from(line).unwrap_or(u32::MAX),
            column: u32::try_from(column + 1).unwrap_or(u32::MAX),
        }
    }

    pub(crate) fn range(&self, start: usize, end: usize) -> Range {
        Range {
            start: self.position(start),
            end: self.position(end),
        }
    }

    /// Line of an offset, from 1.
    pub(crate) fn line(&self, at: usize) -> u32 {
        self.position(at).line
    }
}

fn is_continuation(byte: u8) -> bool {
    byte & 0xc0 == 0x80
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_characters_not_bytes() {
        let text = format!("é = 1\n{}x", "ü".repeat(3000));
        let lines = Lines::new(&text);
        assert_eq!(lines.position(2), Position { line: 1, column: 2 });
        assert_eq!(
            lines.position(text.len() - 1),
            Position {
                line: 2,
                column: 3001
            }
        );
        assert_eq!(lines.position(text.len() + 5).line, 2);
    }
}
