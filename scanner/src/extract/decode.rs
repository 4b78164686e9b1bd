//! Decodes source bytes as Python does: byte order mark, then the coding cookie of PEP 263, else UTF-8. What Python
//! would refuse is decoded all the same, for analysis, and said.

use super::codecs::{self, Codec};

/// Decoded source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoded {
    /// The text, without byte order mark; a lone carriage return is a line feed, as Python reads it.
    pub text: String,
    /// The encoding's name, as the file or Python spells it.
    pub encoding: String,
    /// What is to be said of it.
    pub notes: Vec<Note>,
}

/// Something to say about how a file is encoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// What it is about.
    pub kind: NoteKind,
    /// One sentence.
    pub message: String,
}

/// What a note is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoteKind {
    /// Worth knowing, no finding.
    Remark,
    /// There are null bytes, which parsers treat differently.
    NullBytes,
    /// Some bytes are not valid in the encoding, or the encoding is not known.
    Undecodable,
    /// The encoding lets text stand for other text, also in comments.
    HidingEncoding,
    /// Python refuses the file.
    Rejected,
}

/// Decodes Python source.
#[must_use]
pub fn decode_source(bytes: &[u8]) -> Decoded {
    let mut notes = Vec::new();
    let (text, encoding) = if let Some((text, encoding)) = wide(bytes) {
        note(
            &mut notes,
            NoteKind::Rejected,
            format!("the file is {encoding}, which Python refuses as source"),
        );
        (text, encoding.to_owned())
    } else {
        let (marked, body) = match bytes.strip_prefix(b"\xef\xbb\xbf") {
            Some(rest) => (true, rest),
            None => (false, bytes),
        };
        let name = cookie(body).unwrap_or_else(|| "utf-8".to_owned());
        (by_name(&name, body, marked, &mut notes), name)
    };
    finish(text, encoding, notes)
}

/// Decodes a file that is no Python source: UTF-8, or what a byte order mark says.
pub(super) fn plain(bytes: &[u8]) -> Decoded {
    let mut notes = Vec::new();
    let (text, encoding) = wide(bytes).unwrap_or_else(|| {
        let body = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        (utf8(body, &mut notes), "utf-8")
    });
    finish(text, encoding.to_owned(), notes)
}

fn note(notes: &mut Vec<Note>, kind: NoteKind, message: String) {
    notes.push(Note { kind, message });
}

/// UTF-16 and UTF-32 by their byte order marks.
fn wide(bytes: &[u8]) -> Option<(String, &'static str)> {
    match bytes {
        [0xff, 0xfe, 0, 0, rest @ ..] => Some((utf32(rest, u32::from_le_bytes), "utf-32")),
        [0, 0, 0xfe, 0xff, rest @ ..] => Some((utf32(rest, u32::from_be_bytes), "utf-32")),
        [0xff, 0xfe, rest @ ..] => Some((
            encoding_rs::UTF_16LE
                .decode_without_bom_handling(rest)
                .0
                .into_owned(),
            "utf-16",
        )),
        [0xfe, 0xff, rest @ ..] => Some((
            encoding_rs::UTF_16BE
                .decode_without_bom_handling(rest)
                .0
                .into_owned(),
            "utf-16",
        )),
        _ => None,
    }
}

fn utf32(bytes: &[u8], number: fn([u8; 4]) -> u32) -> String {
    bytes
        .chunks_exact(4)
        .map(|four| {
            char::from_u32(number([four[0], four[1], four[2], four[3]])).unwrap_or('\u{FFFD}')
        })
        .collect()
}

fn utf8(bytes: &[u8], notes: &mut Vec<Note>) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(error) => {
            let at = error.valid_up_to();
            note(
                notes,
                NoteKind::Undecodable,
                format!("byte {at} is not valid UTF-8, and no coding cookie says what it is"),
            );
            String::from_utf8_lossy(bytes).into_owned()
        }
    }
}

fn by_name(name: &str, body: &[u8], marked: bool, notes: &mut Vec<Note>) -> String {
    let codec = codecs::lookup(name);
    if marked && codec != Codec::Utf8 {
        note(
            notes,
            NoteKind::Rejected,
            format!("the byte order mark says UTF-8, the cookie says {name}; Python refuses that"),
        );
        return utf8(body, notes);
    }
    match codec {
        Codec::Utf8 => utf8(body, notes),
        Codec::Latin1 => codecs::latin1(body),
        Codec::Ascii => {
            if !body.is_ascii() {
                note(
                    notes,
                    NoteKind::Rejected,
                    "the cookie says ASCII, but there are other bytes; Python refuses that"
                        .to_owned(),
                );
            }
            codecs::latin1(body)
        }
        Codec::Library(encoding) => {
            let (text, replaced) = encoding.decode_without_bom_handling(body);
            if replaced {
                note(
                    notes,
                    NoteKind::Undecodable,
                    format!("some bytes are not valid {name}"),
                );
            }
            text.into_owned()
        }
        Codec::UnicodeEscape | Codec::RawUnicodeEscape | Codec::Utf7 => {
            note(
                notes,
                NoteKind::HidingEncoding,
                format!("the encoding {name} turns harmless text, even comments, into other code"),
            );
            match codec {
                Codec::Utf7 => codecs::utf7(body),
                _ => codecs::unicode_escape(body, codec == Codec::UnicodeEscape),
            }
        }
        Codec::Rejected => {
            note(
                notes,
                NoteKind::Rejected,
                format!("the cookie says {name}, which Python refuses as source"),
            );
            String::from_utf8_lossy(body).into_owned()
        }
        Codec::Unknown => {
            note(
                notes,
                NoteKind::Undecodable,
                format!(
                    "the encoding {name} is not known; the text may mean something else to Python"
                ),
            );
            String::from_utf8_lossy(body).into_owned()
        }
    }
}

/// The name in a coding cookie on one of the first two lines, as PEP 263 has it.
fn cookie(bytes: &[u8]) -> Option<String> {
    let head = codecs::latin1(&bytes[..bytes.len().min(8192)]);
    let head = head.replace("\r\n", "\n").replace('\r', "\n");
    for (index, text) in head.split('\n').take(2).enumerate() {
        let trimmed = text.trim_start_matches([' ', '\t', '\u{c}']);
        let Some(comment) = trimmed.strip_prefix('#') else {
            if index == 0 && trimmed.trim().is_empty() {
                continue;
            }
            break;
        };
        if let Some(name) = coding(comment) {
            return Some(name);
        }
    }
    None
}

fn coding(comment: &str) -> Option<String> {
    let at = comment.find("coding")?;
    let rest = comment[at + "coding".len()..].strip_prefix([':', '='])?;
    let name: String = rest
        .trim_start_matches([' ', '\t'])
        .chars()
        .take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
        .take(60)
        .collect();
    (!name.is_empty()).then_some(name)
}

fn finish(text: String, encoding: String, mut notes: Vec<Note>) -> Decoded {
    let mut text = text;
    if text.contains('\0') {
        note(
            &mut notes,
            NoteKind::NullBytes,
            "there are null bytes, where some tools stop reading and others do not".to_owned(),
        );
        text = text.replace('\0', " ");
    }
    Decoded {
        text: line_ends(text),
        encoding,
        notes,
    }
}

/// A lone carriage return ends a line in Python, so that code can hide behind a comment.
fn line_ends(text: String) -> String {
    if !text.contains('\r') {
        return text;
    }
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        out.push(if c == '\r' && chars.peek() != Some(&'\n') {
            '\n'
        } else {
            c
        });
    }
    out
}
