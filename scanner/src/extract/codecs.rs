//! Python's names for encodings, and the few that no library decodes: latin-1, utf-7, `unicode_escape`.

use encoding_rs::Encoding;

/// How a named encoding is decoded.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Codec {
    /// UTF-8, with or without a byte order mark.
    Utf8,
    /// Each byte is the character of the same number.
    Latin1,
    /// Bytes above 127 are errors.
    Ascii,
    /// By the library.
    Library(&'static Encoding),
    /// Escapes stand for characters, also in comments: hides code.
    UnicodeEscape,
    /// Only `\u` escapes stand for characters.
    RawUnicodeEscape,
    /// Base64 runs between `+` and `-` stand for characters: hides code.
    Utf7,
    /// Python refuses source files in it.
    Rejected,
    /// Not known here.
    Unknown,
}

/// Finds the codec for a name as a coding cookie spells it.
pub(super) fn lookup(name: &str) -> Codec {
    let name = name.to_ascii_lowercase().replace(['_', ' '], "-");
    match name.as_str() {
        "utf-8" | "utf8" | "u8" | "utf" | "utf-8-sig" | "cp65001" | "utf8-ucs2" | "utf8-ucs4" => {
            Codec::Utf8
        }
        "latin-1" | "latin1" | "iso-8859-1" | "iso8859-1" | "l1" | "8859" | "cp819"
        | "iso-ir-100" | "latin" => Codec::Latin1,
        "ascii" | "us-ascii" | "646" | "ansi-x3.4-1968" => Codec::Ascii,
        "unicode-escape" | "unicodeescape" => Codec::UnicodeEscape,
        "raw-unicode-escape" => Codec::RawUnicodeEscape,
        "utf-7" | "utf7" | "u7" | "unicode-1-1-utf-7" => Codec::Utf7,
        _ if name.starts_with("utf-16")
            || name.starts_with("utf-32")
            || name.starts_with("utf16")
            || name.starts_with("utf32") =>
        {
            Codec::Rejected
        }
        _ => library(&name),
    }
}

fn library(name: &str) -> Codec {
    let label = match name {
        "cp1250" | "cp1251" | "cp1252" | "cp1253" | "cp1254" | "cp1255" | "cp1256" | "cp1257"
        | "cp1258" => {
            format!("windows-{}", &name[2..])
        }
        "cp932" | "ms932" | "mskanji" | "shift-jis" | "shiftjis" | "sjis" | "s-jis" => {
            "shift_jis".to_owned()
        }
        "cp936" | "936" | "ms936" | "gb2312" | "euc-cn" => "gbk".to_owned(),
        "cp949" | "949" | "ms949" | "uhc" | "euckr" => "euc-kr".to_owned(),
        "cp950" | "950" | "ms950" | "big5-tw" => "big5".to_owned(),
        "eucjp" | "ujis" | "u-jis" => "euc-jp".to_owned(),
        "mac-roman" | "macroman" | "macintosh" => "macintosh".to_owned(),
        "mac-cyrillic" | "maccyrillic" => "x-mac-cyrillic".to_owned(),
        "cp866" | "ibm866" => "ibm866".to_owned(),
        other if other.starts_with("iso8859-") => {
            format!("iso-8859-{}", &other["iso8859-".len()..])
        }
        other if other.starts_with("latin-") || other.starts_with("latin") => {
            format!(
                "latin{}",
                other.trim_start_matches("latin").trim_start_matches('-')
            )
        }
        other => other.to_owned(),
    };
    Encoding::for_label(label.as_bytes()).map_or(Codec::Unknown, Codec::Library)
}

/// Each byte as the character of the same number.
pub(super) fn latin1(bytes: &[u8]) -> String {
    bytes.iter().map(|&byte| char::from(byte)).collect()
}

/// Python's `unicode_escape`, or only its `\u` escapes.
pub(super) fn unicode_escape(bytes: &[u8], all: bool) -> String {
    let text = latin1(bytes);
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let kind = (c == '\\').then(|| chars.peek().copied()).flatten();
        let digits = match kind {
            Some('u') => 4,
            Some('U') => 8,
            Some('x') if all => 2,
            Some('0'..='7') if all => 3,
            Some(simple) if all => {
                chars.next();
                match simple {
                    'n' => out.push('\n'),
                    'r' => out.push('\r'),
                    't' => out.push('\t'),
                    '\\' => out.push('\\'),
                    '\'' => out.push('\''),
                    '"' => out.push('"'),
                    '\n' => {}
                    other => out.extend(['\\', other]),
                }
                continue;
            }
            _ => {
                out.push(c);
                continue;
            }
        };
        let radix = if digits == 3 { 8 } else { 16 };
        if radix == 16 {
            chars.next();
        }
        let mut code = 0_u32;
        for _ in 0..digits {
            let Some(digit) = chars.peek().and_then(|c| c.to_digit(radix)) else {
                break;
            };
            code = code.wrapping_mul(radix).wrapping_add(digit);
            chars.next();
        }
        out.push(char::from_u32(code).unwrap_or('\u{FFFD}'));
    }
    out
}

/// UTF-7: `+...-` holds UTF-16 in base64, `+-` is a plus.
pub(super) fn utf7(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] != b'+' {
            out.push(char::from(bytes[at]));
            at += 1;
            continue;
        }
        at += 1;
        let start = at;
        let mut bits = 0_u32;
        let mut count = 0_u32;
        let mut units: Vec<u16> = Vec::new();
        while let Some(value) = bytes.get(at).and_then(|byte| sextet(*byte)) {
            bits = (bits << 6) | value;
            count += 6;
            at += 1;
            if count >= 16 {
                count -= 16;
                units.push(u16::try_from((bits >> count) & 0xffff).unwrap_or_default());
                bits &= (1 << count) - 1;
            }
        }
        if at == start {
            out.push('+');
        }
        out.push_str(&String::from_utf16_lossy(&units));
        if bytes.get(at) == Some(&b'-') {
            at += 1;
        }
    }
    out
}

fn sextet(byte: u8) -> Option<u32> {
    Some(u32::from(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    }))
}
