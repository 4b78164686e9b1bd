//! Makes a program's output harmless to a terminal. Pure: bytes in, text out, state between.
//!
//! What passes: printable characters, newline, tab, and colours (those SGR sequences that do nothing else, and after which
//! text is not of the colour of its ground). Every other
//! control is shown as text, as `\x1b` or `\u{202e}`. A carriage return becomes a newline, so that nothing that was shown
//! can be overwritten.

use saferun_text::{deceives, joins, push};

use super::{ground::Ground, sgr::only_colours};

/// Longest SGR sequence that passes, in bytes.
const LONGEST_SGR: usize = 48;

/// What is under way between two chunks.
#[derive(Debug, Default)]
enum State {
    #[default]
    Ground,
    /// After a carriage return that was already shown as a newline.
    Return,
    /// ESC, or ESC and what followed, as long as it can still become SGR.
    Escape(String),
}

/// What may follow a character that was passed, besides another: a joiner after one that cannot be joined is hidden text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Before {
    /// Nothing that joins: the start, ASCII, another joiner.
    #[default]
    Plain,
    /// A variation selector or a joiner.
    Joinable,
    /// A joiner: a variation selector was there already.
    Selected,
}

/// A filter for one stream.
#[derive(Debug, Default)]
pub(crate) struct Sanitiser {
    state: State,
    /// First bytes of a character that was split between two chunks.
    partial: Vec<u8>,
    /// What the character shown last lets follow.
    before: Before,
    /// Whether a colour is on.
    coloured: bool,
    /// Which.
    ground: Ground,
    /// Whether anything was shown instead of passed.
    altered: bool,
}

impl Sanitiser {
    /// The harmless form of the next bytes. What is not UTF-8 is shown as U+FFFD.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> String {
        let joined;
        let bytes = if self.partial.is_empty() {
            bytes
        } else {
            self.partial.extend_from_slice(bytes);
            joined = std::mem::take(&mut self.partial);
            &joined
        };
        let mut out = String::with_capacity(bytes.len());
        let mut chunks = bytes.utf8_chunks().peekable();
        while let Some(chunk) = chunks.next() {
            for character in chunk.valid().chars() {
                self.character(character, &mut out);
            }
            let invalid = chunk.invalid();
            if invalid.is_empty() {
                continue;
            }
            if chunks.peek().is_none() && incomplete(invalid) {
                self.partial = invalid.to_vec();
            } else {
                self.character(char::REPLACEMENT_CHARACTER, &mut out);
            }
        }
        out
    }

    /// Whether a control was shown as text so far.
    pub(crate) const fn altered(&self) -> bool {
        self.altered
    }

    /// What was held back, and the end of any colour.
    pub(crate) fn finish(&mut self) -> String {
        let mut out = String::new();
        if !std::mem::take(&mut self.partial).is_empty() {
            self.character(char::REPLACEMENT_CHARACTER, &mut out);
        }
        if let State::Escape(held) = std::mem::take(&mut self.state) {
            show_all(&held, &mut out);
        }
        self.ground = Ground::default();
        if std::mem::take(&mut self.coloured) {
            out.push_str("\x1b[0m");
        }
        out
    }

    fn character(&mut self, character: char, out: &mut String) {
        match std::mem::take(&mut self.state) {
            State::Escape(held) => self.escape(held, character, out),
            State::Return if character == '\n' => {}
            State::Ground | State::Return => self.plain(character, out),
        }
    }

    fn plain(&mut self, character: char, out: &mut String) {
        match character {
            '\x1b' => self.state = State::Escape(character.to_string()),
            '\r' => {
                out.push('\n');
                self.state = State::Return;
            }
            character if self.may_join(character) => {
                out.push(character);
                self.before = match character {
                    '\u{200c}' | '\u{200d}' => Before::Plain,
                    _ => Before::Selected,
                };
                return;
            }
            character if dangerous(character) => {
                self.altered = true;
                push(out, character);
                self.before = Before::Plain;
                return;
            }
            character => out.push(character),
        }
        self.before = if character.is_ascii() {
            Before::Plain
        } else {
            Before::Joinable
        };
    }

    /// Whether it forms or joins the character before it, as in emoji and in Persian.
    fn may_join(&self, character: char) -> bool {
        joins(character)
            && match self.before {
                Before::Plain => false,
                Before::Joinable => true,
                Before::Selected => matches!(character, '\u{200c}' | '\u{200d}'),
            }
    }

    fn escape(&mut self, mut held: String, character: char, out: &mut String) {
        let fits = match held.len() {
            1 => character == '[',
            _ => matches!(character, '0'..='9' | ';' | ':' | 'm'),
        };
        let ends = character == 'm';
        let colours = held
            .strip_prefix("\x1b[")
            .filter(|_| ends)
            .filter(|parameters| only_colours(parameters))
            .map(|parameters| self.ground.after(parameters))
            .filter(|ground| !ground.hides());
        let wrong = ends && colours.is_none();
        if !fits || wrong || held.len() >= LONGEST_SGR {
            self.altered = true;
            show_all(&held, out);
            self.plain(character, out);
        } else if ends {
            self.coloured = !matches!(held.as_str(), "\x1b[" | "\x1b[0");
            self.ground = colours.unwrap_or_default();
            out.push_str(&held);
            out.push('m');
        } else {
            held.push(character);
            self.state = State::Escape(held);
        }
    }
}

/// A value as JSON on one line, in which every character that could fool a reader is written as an escape of JSON.
pub(crate) fn json(value: &impl serde::Serialize) -> String {
    // Types of the protocol: their maps have string keys and their numbers are finite.
    escaped_json(&serde_json::to_string(value).unwrap_or_default())
}

/// The same on several lines.
pub(crate) fn pretty_json(value: &impl serde::Serialize) -> String {
    escaped_json(&serde_json::to_string_pretty(value).unwrap_or_default())
}

/// JSON in which the same is so: only in strings such characters can stand.
pub(crate) fn escaped_json(text: &str) -> String {
    use std::fmt::Write as _;
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        if dangerous(character) {
            for unit in character.encode_utf16(&mut [0; 2]) {
                // Writing to a String does not fail.
                let _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(character);
        }
    }
    out
}

/// Whether these bytes could still begin a character.
fn incomplete(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_err_and(|error| error.error_len().is_none())
}

/// What deceives, but for what makes lines and columns.
const fn dangerous(character: char) -> bool {
    !matches!(character, '\n' | '\t') && deceives(character)
}

fn show_all(text: &str, out: &mut String) {
    for character in text.chars() {
        if dangerous(character) {
            push(out, character);
        } else {
            out.push(character);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn clean(bytes: &[u8]) -> String {
        let mut sanitiser = Sanitiser::default();
        let mut out = sanitiser.push(bytes);
        out.push_str(&sanitiser.finish());
        out
    }

    #[test]
    fn table() {
        for (input, output) in [
            (&b"plain\n\ttext\n"[..], "plain\n\ttext\n"),
            (b"\x1b[31mred\x1b[0m", "\x1b[31mred\x1b[0m"),
            (b"\x1b[1;38;5;208mx\x1b[m", "\x1b[1;38;5;208mx\x1b[m"),
            (b"\x1b[8mhidden", "\\x1b[8mhidden"),
            (b"\x1b[1;08mhidden", "\\x1b[1;08mhidden"),
            (b"\x1b[30;40mhidden", "\\x1b[30;40mhidden"),
            (
                b"\x1b[37ma\x1b[47mb\x1b[0m\x1b[47mc\x1b[m",
                "\x1b[37ma\\x1b[47mb\x1b[0m\x1b[47mc\x1b[m",
            ),
            (b"\x1b[30;47mseen\x1b[m", "\x1b[30;47mseen\x1b[m"),
            (b"\x1b[12mfont", "\\x1b[12mfont"),
            (b"\x1b[58;5;12mfont", "\\x1b[58;5;12mfont"),
            (b"\x1b[4294967308mfont", "\\x1b[4294967308mfont"),
            (b"\x1b[38;5;8mgrey\x1b[m", "\x1b[38;5;8mgrey\x1b[m"),
            (b"\x1b[38;2;8;12;8mx\x1b[0m", "\x1b[38;2;8;12;8mx\x1b[0m"),
            (b"\x1b[38;5;1;8mx", "\\x1b[38;5;1;8mx"),
            (b"\x1b[38:2::8:12:8mx\x1b[0m", "\x1b[38:2::8:12:8mx\x1b[0m"),
            (b"\x1b[31mleft on", "\x1b[31mleft on\x1b[0m"),
            (b"\x1b]52;c;ZXZpbA==\x07", "\\x1b]52;c;ZXZpbA==\\x07"),
            (b"\x1b]0;title\x1b\\", "\\x1b]0;title\\x1b\\"),
            (b"\x1b[2J\x1b[H", "\\x1b[2J\\x1b[H"),
            (b"\x1b[?1049h", "\\x1b[?1049h"),
            (b"\x1b[1A", "\\x1b[1A"),
            (b"\x1bc", "\\x1bc"),
            (b"\x1b\x1b[31mx\x1b[0m", "\\x1b\x1b[31mx\x1b[0m"),
            (b"\xc2\x9b31m", "\\x9b31m"),
            (b"\x9b31m", "\u{fffd}31m"),
            (b"a\rb\r\nc", "a\nb\nc"),
            (b"bell\x07 back\x08", "bell\\x07 back\\x08"),
            (
                "a\u{202e}b\u{200b}c\u{feff}".as_bytes(),
                "a\\u{202e}b\\u{200b}c\\u{feff}",
            ),
            ("a\u{200d}b".as_bytes(), "a\\u{200d}b"),
            ("👩\u{200d}🔬".as_bytes(), "👩\u{200d}🔬"),
            ("❤\u{fe0f}\u{200d}🔥".as_bytes(), "❤\u{fe0f}\u{200d}🔥"),
            ("نمی\u{200c}خواهم".as_bytes(), "نمی\u{200c}خواهم"),
            ("\u{200d}a".as_bytes(), "\\u{200d}a"),
            (
                "😀\u{fe0f}\u{fe0f}\u{fe01}\u{e0100}".as_bytes(),
                "😀\u{fe0f}\\u{fe0f}\\u{fe01}\\u{e0100}",
            ),
            (
                "👩\u{200d}\u{200d}\u{200c}".as_bytes(),
                "👩\u{200d}\\u{200d}\\u{200c}",
            ),
            ("a\u{2028}b\u{e0041}".as_bytes(), "a\\u{2028}b\\u{e0041}"),
            (b"cut \xe2\x82", "cut \u{fffd}"),
            (b"\x1b[3", "\\x1b[3"),
        ] {
            assert_eq!(clean(input), output, "{}", input.escape_ascii());
        }
    }

    #[test]
    fn json_says_the_same_without_what_could_fool_a_reader() {
        let value = "a\u{202e}b\u{9b}\u{e0001}\u{feff}\x07\nü";
        let text = json(&value);
        assert_eq!(text, r#""a\u202eb\u009b\udb40\udc01\ufeff\u0007\nü""#);
        assert_eq!(serde_json::from_str::<String>(&text).unwrap(), value);
    }

    /// Removes what may pass, so that nothing dangerous may be left.
    fn without_colours(text: &str) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some(at) = rest.find("\x1b[") {
            out.push_str(&rest[..at]);
            let tail = &rest[at + 2..];
            let end = tail
                .find(|c: char| !matches!(c, '0'..='9' | ';' | ':'))
                .unwrap_or(tail.len());
            assert!(
                tail[end..].starts_with('m'),
                "an escape that is no colour in {text:?}"
            );
            rest = &tail[end + 1..];
        }
        out.push_str(rest);
        out
    }

    fn hostile() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop_oneof![
            any::<Vec<u8>>(),
            ".*".prop_map(String::into_bytes),
            "[\x1b\\[\\]0-9;:mAHJK?\r\n\u{9b}\u{202e}\u{200d}]{0,12}".prop_map(String::into_bytes),
        ];
        proptest::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn no_control_is_left(bytes in hostile()) {
            let out = without_colours(&clean(&bytes));
            prop_assert!(!out.chars().any(|c| c.is_control() && c != '\n' && c != '\t'), "{out:?}");
            let left = |c: char| deceives(c) && !joins(c) && c != '\n' && c != '\t';
            prop_assert!(!out.chars().any(left), "{out:?}");
        }

        #[test]
        fn how_it_is_cut_changes_nothing(bytes in hostile(), cut in any::<prop::sample::Index>()) {
            let at = cut.index(bytes.len() + 1);
            let mut sanitiser = Sanitiser::default();
            let mut out = sanitiser.push(&bytes[..at]);
            out.push_str(&sanitiser.push(&bytes[at..]));
            out.push_str(&sanitiser.finish());
            prop_assert_eq!(out, clean(&bytes));
        }
    }
}
