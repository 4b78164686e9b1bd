//! Between the scanner's places (lines and characters from 1) or byte offsets and the editor's positions, in the
//! encoding that was agreed on. Pure; positions outside of the text are moved to its nearest place.

use tower_lsp_server::ls_types::{Position, PositionEncodingKind, Range};

/// What a column counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Encoding {
    /// Bytes.
    Utf8,
    /// UTF-16 code units: what every client has.
    #[default]
    Utf16,
    /// Characters.
    Utf32,
}

impl Encoding {
    /// The best that the client offers: bytes are ours already, so they cost nothing.
    pub(crate) fn negotiate(offered: Option<&[PositionEncodingKind]>) -> Self {
        let offered = offered.unwrap_or_default();
        [Self::Utf8, Self::Utf32]
            .into_iter()
            .find(|encoding| offered.contains(&encoding.kind()))
            .unwrap_or_default()
    }

    pub(crate) fn kind(self) -> PositionEncodingKind {
        match self {
            Self::Utf8 => PositionEncodingKind::UTF8,
            Self::Utf16 => PositionEncodingKind::UTF16,
            Self::Utf32 => PositionEncodingKind::UTF32,
        }
    }

    fn width(self, character: char) -> usize {
        match self {
            Self::Utf8 => character.len_utf8(),
            Self::Utf16 => character.len_utf16(),
            Self::Utf32 => 1,
        }
    }

    /// Length of a text in this encoding's units.
    fn length(self, text: &str) -> u32 {
        let units = match self {
            Self::Utf8 => text.len(),
            _ if text.is_ascii() => text.len(),
            _ => text.chars().map(|character| self.width(character)).sum(),
        };
        u32::try_from(units).unwrap_or(u32::MAX)
    }
}

/// Where the lines of one text begin.
#[derive(Debug, Clone)]
pub(crate) struct LineIndex {
    starts: Vec<usize>,
}

impl LineIndex {
    pub(crate) fn new(text: &str) -> Self {
        let mut starts = vec![0];
        starts.extend(text.match_indices('\n').map(|(at, _)| at + 1));
        Self { starts }
    }

    /// Offset of a line's first byte; the end of the text for a line beyond it.
    pub(crate) fn start(&self, text: &str, line: u32) -> usize {
        self.starts
            .get(line as usize)
            .copied()
            .unwrap_or(text.len())
    }

    /// A line without its line break.
    pub(crate) fn line<'t>(&self, text: &'t str, line: u32) -> &'t str {
        let start = self.start(text, line);
        let end = self.start(text, line.saturating_add(1));
        text.get(start..end)
            .unwrap_or_default()
            .trim_end_matches(['\n', '\r'])
    }

    /// Offset of an editor's position.
    pub(crate) fn offset(&self, text: &str, position: Position, encoding: Encoding) -> usize {
        let start = self.start(text, position.line);
        let line = self.line(text, position.line);
        let wanted = position.character as usize;
        let mut units = 0;
        for (at, character) in line.char_indices() {
            units += encoding.width(character);
            if units > wanted {
                return start + at;
            }
        }
        start + line.len()
    }

    /// An editor's position of an offset.
    pub(crate) fn position(&self, text: &str, offset: usize, encoding: Encoding) -> Position {
        let mut offset = offset.min(text.len());
        while !text.is_char_boundary(offset) {
            offset -= 1;
        }
        let line = self.starts.partition_point(|start| *start <= offset).max(1) - 1;
        let before = text.get(self.starts[line]..offset).unwrap_or_default();
        Position {
            line: u32::try_from(line).unwrap_or(u32::MAX),
            character: encoding.length(before),
        }
    }

    pub(crate) fn range(
        &self,
        text: &str,
        bytes: std::ops::Range<usize>,
        encoding: Encoding,
    ) -> Range {
        Range {
            start: self.position(text, bytes.start, encoding),
            end: self.position(text, bytes.end, encoding),
        }
    }

    /// An editor's position of a scanner's place.
    fn place(&self, text: &str, at: saferun_scanner::Position, encoding: Encoding) -> Position {
        let line = at.line.saturating_sub(1);
        let characters = at.column.saturating_sub(1);
        let character = if encoding == Encoding::Utf32 {
            characters
        } else {
            let content = self.line(text, line);
            let end = content
                .char_indices()
                .nth(characters as usize)
                .map_or(content.len(), |(at, _)| at);
            encoding.length(&content[..end])
        };
        Position { line, character }
    }

    /// An editor's range of a scanner's range.
    pub(crate) fn of_scan(
        &self,
        text: &str,
        range: saferun_scanner::Range,
        encoding: Encoding,
    ) -> Range {
        Range {
            start: self.place(text, range.start, encoding),
            end: self.place(text, range.end, encoding),
        }
    }

    /// The whole of a line, without its indentation.
    pub(crate) fn whole_line(&self, text: &str, line: u32, encoding: Encoding) -> Range {
        let content = self.line(text, line);
        let start = self.start(text, line);
        let indent = content.len() - content.trim_start().len();
        self.range(text, start + indent..start + content.len(), encoding)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ALL: [Encoding; 3] = [Encoding::Utf8, Encoding::Utf16, Encoding::Utf32];

    #[test]
    fn each_encoding_counts_its_own_units() {
        let text = "x = '\u{1f600}é'; y\n";
        let index = LineIndex::new(text);
        let at = text.find('y').unwrap();
        let columns = ALL.map(|encoding| index.position(text, at, encoding).character);
        assert_eq!(columns, [14, 11, 10]);
        for encoding in ALL {
            let position = index.position(text, at, encoding);
            assert_eq!(index.offset(text, position, encoding), at);
        }
    }

    #[test]
    fn what_lies_outside_is_moved_to_the_edge() {
        let text = "ab\r\ncd";
        let index = LineIndex::new(text);
        let far = |line, character| Position { line, character };
        assert_eq!(index.offset(text, far(0, 99), Encoding::Utf16), 2);
        assert_eq!(index.offset(text, far(9, 0), Encoding::Utf16), text.len());
        assert_eq!(
            index.position(text, 999, Encoding::Utf8),
            far(1, 2),
            "beyond the end"
        );
    }

    #[test]
    fn bytes_are_chosen_where_the_client_knows_them() {
        let offered = [PositionEncodingKind::UTF16, PositionEncodingKind::UTF32];
        assert_eq!(Encoding::negotiate(Some(&offered)), Encoding::Utf32);
        assert_eq!(
            Encoding::negotiate(Some(&[PositionEncodingKind::UTF8])),
            Encoding::Utf8
        );
        assert_eq!(Encoding::negotiate(None), Encoding::Utf16);
    }

    proptest! {
        #[test]
        fn there_and_back(text in "[aé\u{1f600}\n\t ]{0,40}", at in 0usize..80) {
            let index = LineIndex::new(&text);
            let mut at = at.min(text.len());
            while !text.is_char_boundary(at) { at -= 1; }
            for encoding in ALL {
                let position = index.position(&text, at, encoding);
                prop_assert_eq!(index.offset(&text, position, encoding), at);
            }
        }

        #[test]
        fn no_position_panics(text in any::<String>(), line: u32, character: u32) {
            let index = LineIndex::new(&text);
            for encoding in ALL {
                let at = index.offset(&text, Position { line, character }, encoding);
                prop_assert!(text.is_char_boundary(at));
            }
        }
    }
}
