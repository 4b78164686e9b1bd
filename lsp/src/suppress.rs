//! Where a comment that suppresses a finding may stand: on a line of its own above it. Pure.

/// What the start of a line is in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum In {
    Code,
    Comment,
    /// A string with this quote; true for three of them.
    Text(u8, bool),
}

/// Whether a comment can be put in at this offset, the start of a line: not within a string that goes over lines, where
/// it would be text, and not after a backslash, where it would break the line that goes on.
pub(crate) fn may_stand(text: &str, at: usize) -> bool {
    let before = text.get(..at).unwrap_or_default();
    let goes_on = before
        .strip_suffix('\n')
        .is_some_and(|line| line.trim_end_matches('\r').ends_with('\\'));
    // What ends in a backslash within a comment goes on nowhere, but nothing is lost by staying away.
    !goes_on && inside(before.as_bytes()) == In::Code
}

fn inside(text: &[u8]) -> In {
    let mut state = In::Code;
    let mut at = 0;
    while let Some(byte) = text.get(at).copied() {
        let three = text.get(at..at + 3) == Some(&[byte; 3]);
        (state, at) = match state {
            In::Code => match byte {
                b'#' => (In::Comment, at + 1),
                b'"' | b'\'' if three => (In::Text(byte, true), at + 3),
                b'"' | b'\'' => (In::Text(byte, false), at + 1),
                _ => (In::Code, at + 1),
            },
            In::Comment if byte == b'\n' => (In::Code, at + 1),
            In::Comment => (In::Comment, at + 1),
            // In a raw string too, a quote behind a backslash does not end it.
            In::Text(..) if byte == b'\\' => (state, at + 2),
            In::Text(quote, true) if byte == quote && three => (In::Code, at + 3),
            In::Text(quote, false) if byte == quote || byte == b'\n' => (In::Code, at + 1),
            In::Text(..) => (state, at + 1),
        };
    }
    // The start of a line ends each comment before it.
    if state == In::Comment {
        In::Code
    } else {
        state
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_stands_where_it_is_one() {
        for (text, good) in [
            ("", true),
            ("x = 1\n", true),
            ("# it's\n", true),
            ("x = '''a'''\n", true),
            ("x = \"it's\"\n", true),
            ("x = 'a\\'b'\n", true),
            ("f(\n", true),
            ("x = '''\n", false),
            ("x = r\"\"\"\\\"\"\"\n", false),
            ("x = 1 + \\\n", false),
            ("x = 1 + \\\r\n", false),
            ("x = 'a \\\n", false),
            ("x = 'broken\n", true),
        ] {
            assert_eq!(may_stand(text, text.len()), good, "{text:?}");
        }
    }
}
