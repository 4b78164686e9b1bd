//! Makes untrusted text harmless for a terminal: control characters, direction overrides and invisible characters are
//! written out, so that code can neither move the cursor nor read other than it runs.

use crate::shell::HOLE;

/// The text with every character that a terminal or a reader could be fooled by written as an escape.
#[must_use]
pub fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        push(&mut out, c);
    }
    out
}

/// Adds one character in its visible form.
pub(super) fn push(out: &mut String, c: char) {
    match c {
        HOLE => out.push('…'),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        c => saferun_text::push(out, c),
    }
}

/// Columns that a character takes on a terminal.
pub(super) fn width(c: char) -> usize {
    match u32::from(c) {
        0x0300..=0x036f | 0x0483..=0x0489 | 0x0591..=0x05bd | 0x20d0..=0x20ff => 0,
        0x1100..=0x115e
        | 0x2e80..=0x303e
        | 0x3041..=0x33ff
        | 0x3400..=0x4dbf
        | 0x4e00..=0x9fff
        | 0xa000..=0xa4cf
        | 0xac00..=0xd7a3
        | 0xf900..=0xfaff
        | 0xfe30..=0xfe6f
        | 0xff00..=0xff60
        | 0xffe0..=0xffe6
        | 0x1f300..=0x1faff
        | 0x20000..=0x3fffd => 2,
        _ => 1,
    }
}
