//! Codecs: text encodings, hex, base64 and its relatives, rot13, and compression with a bound on what comes out.

use std::io::Read;

use super::super::value::Value;
use super::text::known;

/// Most bytes that decompression gives; more is unknown.
const MAX_INFLATED: u64 = 1 << 20;

fn plain(codec: &str) -> String {
    codec.to_ascii_lowercase().replace(['-', ' '], "_")
}

/// `text.encode(codec)`.
pub(crate) fn encode(text: &str, codec: &str) -> Option<Value> {
    match plain(codec).as_str() {
        "utf_8" | "utf8" | "ascii" | "u8" => Some(Value::bytes(text.as_bytes())),
        "latin_1" | "latin1" | "iso_8859_1" | "l1" | "raw_unicode_escape" => {
            let bytes: Option<Vec<u8>> = text
                .chars()
                .map(|c| u8::try_from(u32::from(c)).ok())
                .collect();
            Some(Value::bytes(&bytes?))
        }
        "utf_16_le" | "utf_16le" => Some(Value::bytes(
            &text
                .encode_utf16()
                .flat_map(u16::to_le_bytes)
                .collect::<Vec<_>>(),
        )),
        "rot13" | "rot_13" => Some(Value::str(&rot13(text))),
        "hex" | "hex_codec" | "base64" | "base64_codec" => encode_bytes(text.as_bytes(), codec),
        _ => None,
    }
}

/// `codecs.encode(bytes, codec)`.
pub(crate) fn encode_bytes(bytes: &[u8], codec: &str) -> Option<Value> {
    match plain(codec).as_str() {
        "hex" | "hex_codec" => Some(Value::bytes(to_hex(bytes).as_bytes())),
        "base64" | "base64_codec" => Some(Value::bytes(to_base64(bytes).as_bytes())),
        "rot13" | "rot_13" => Some(Value::str(&rot13(std::str::from_utf8(bytes).ok()?))),
        _ => None,
    }
}

/// Bytes as base64 with padding.
pub(crate) fn to_base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for part in bytes.chunks(3) {
        let word = part
            .iter()
            .chain(std::iter::repeat(&0))
            .take(3)
            .fold(0_usize, |all, byte| all << 8 | usize::from(*byte));
        for (index, shift) in [18, 12, 6, 0].into_iter().enumerate() {
            if index <= part.len() {
                out.push(char::from(DIGITS[word >> shift & 63]));
            } else {
                out.push('=');
            }
        }
    }
    out
}

/// `bytes.decode(codec)` and `codecs.decode` of bytes.
pub(crate) fn decode(bytes: &[u8], codec: &str) -> Option<Value> {
    match plain(codec).as_str() {
        "utf_8" | "utf8" | "ascii" | "u8" | "utf_8_sig" => {
            let text = std::str::from_utf8(bytes).ok()?;
            Some(Value::Const(known(text.trim_start_matches('\u{feff}'))))
        }
        "latin_1" | "latin1" | "iso_8859_1" | "l1" | "cp1252" => Some(Value::Const(known(
            &bytes.iter().map(|b| char::from(*b)).collect::<String>(),
        ))),
        "utf_16" | "utf_16_le" | "utf_16le" => {
            let units: Vec<u16> = bytes
                .chunks_exact(2)
                .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
                .collect();
            let text = String::from_utf16(&units).ok()?;
            Some(Value::Const(known(text.trim_start_matches('\u{feff}'))))
        }
        "hex" | "hex_codec" => from_hex(std::str::from_utf8(bytes).ok()?).map(|b| Value::bytes(&b)),
        "base64" | "base64_codec" => Some(Value::bytes(&base64(bytes))),
        "zlib" | "zip" | "zlib_codec" => zlib(bytes).map(|b| Value::bytes(&b)),
        "unicode_escape" | "raw_unicode_escape" | "unicode_escape_codec" => {
            let text = std::str::from_utf8(bytes).ok()?;
            escaped(text)
        }
        "rot13" | "rot_13" => Some(Value::str(&rot13(std::str::from_utf8(bytes).ok()?))),
        _ => None,
    }
}

/// `codecs.decode` of a text.
pub(crate) fn decode_text(text: &str, codec: &str) -> Option<Value> {
    match plain(codec).as_str() {
        "rot13" | "rot_13" => Some(Value::str(&rot13(text))),
        "unicode_escape" => escaped(text),
        _ => decode(text.as_bytes(), codec),
    }
}

fn escaped(text: &str) -> Option<Value> {
    let mut out = String::new();
    let mut rest = text.chars();
    while let Some(letter) = rest.next() {
        if letter != '\\' {
            out.push(letter);
            continue;
        }
        let digits = match rest.next()? {
            'x' => 2,
            'u' => 4,
            'U' => 8,
            'n' => {
                out.push('\n');
                continue;
            }
            't' => {
                out.push('\t');
                continue;
            }
            other => {
                out.push(other);
                continue;
            }
        };
        let hex: String = rest.by_ref().take(digits).collect();
        out.push(char::from_u32(u32::from_str_radix(&hex, 16).ok()?)?);
    }
    Some(Value::Const(known(&out)))
}

/// The rot13 of a text.
pub(crate) fn rot13(text: &str) -> String {
    text.chars()
        .map(|c| {
            let turn = |base: u8| {
                let offset = u8::try_from(u32::from(c)).unwrap_or(base) - base;
                char::from(base + (offset + 13) % 26)
            };
            match c {
                'a'..='z' => turn(b'a'),
                'A'..='Z' => turn(b'A'),
                _ => c,
            }
        })
        .collect()
}

/// Bytes as hexadecimal digits.
pub(crate) fn to_hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
            // Writing into a String cannot fail.
            let _ = write!(out, "{byte:02x}");
            out
        })
}

/// Hexadecimal digits as bytes; blanks are allowed between them.
pub(crate) fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    let value = |digit: u8| char::from(digit).to_digit(16);
    digits
        .chunks_exact(2)
        .map(|pair| u8::try_from(value(pair[0])? * 16 + value(pair[1])?).ok())
        .collect()
}

/// Base64 in either alphabet, as lenient as Python's.
pub(crate) fn base64(bytes: &[u8]) -> Vec<u8> {
    radix(bytes, 6, |byte| match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' | b'-' => Some(62),
        b'/' | b'_' => Some(63),
        _ => None,
    })
}

/// Base32.
pub(crate) fn base32(bytes: &[u8]) -> Vec<u8> {
    radix(bytes, 5, |byte| match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a'),
        b'2'..=b'7' => Some(byte - b'2' + 26),
        _ => None,
    })
}

fn radix(bytes: &[u8], width: u32, digit: impl Fn(u8) -> Option<u8>) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let (mut bits, mut held) = (0u32, 0u32);
    for &byte in bytes {
        if byte == b'=' {
            break;
        }
        let Some(value) = digit(byte) else { continue };
        held = (held << width) | u32::from(value);
        bits += width;
        if bits >= 8 {
            bits -= 8;
            out.push((held >> bits).to_le_bytes()[0]);
            held &= (1 << bits) - 1;
        }
    }
    out
}

/// Python's base85 (`b85decode`) or Ascii85 (`a85decode`).
pub(crate) fn base85(bytes: &[u8], ascii85: bool) -> Option<Vec<u8>> {
    const ALPHABET: &[u8] =
        b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~";
    let mut digits = Vec::new();
    let mut out = Vec::new();
    let mut flush = |digits: &mut Vec<u32>| -> Option<()> {
        let used = digits.len();
        if used == 0 {
            return Some(());
        }
        digits.resize(5, 84);
        let word = digits
            .iter()
            .try_fold(0u64, |all, d| Some(all * 85 + u64::from(*d)))?;
        let word = u32::try_from(word).ok()?;
        out.extend_from_slice(&word.to_be_bytes()[..used - 1]);
        digits.clear();
        Some(())
    };
    for &byte in bytes {
        if byte.is_ascii_whitespace() {
            continue;
        }
        if ascii85 && byte == b'z' && digits.is_empty() {
            digits.extend([0; 5]);
        } else {
            let digit = if ascii85 {
                byte.checked_sub(b'!').filter(|d| *d < 85).map(u32::from)?
            } else {
                u32::try_from(ALPHABET.iter().position(|known| *known == byte)?).ok()?
            };
            digits.push(digit);
        }
        if digits.len() == 5 {
            flush(&mut digits)?;
        }
    }
    flush(&mut digits)?;
    Some(out)
}

/// zlib with its header, raw deflate as well.
pub(crate) fn zlib(bytes: &[u8]) -> Option<Vec<u8>> {
    bounded(flate2::read::ZlibDecoder::new(bytes))
        .or_else(|| bounded(flate2::read::DeflateDecoder::new(bytes)))
}

/// gzip.
pub(crate) fn gzip(bytes: &[u8]) -> Option<Vec<u8>> {
    bounded(flate2::read::GzDecoder::new(bytes))
}

fn bounded(reader: impl Read) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    reader.take(MAX_INFLATED + 1).read_to_end(&mut out).ok()?;
    (out.len() as u64 <= MAX_INFLATED).then_some(out)
}

/// Quoted-printable bytes (RFC 2045) as they are decoded: `=41`, and lines that end with `=`.
pub(crate) fn quoted_printable(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        at += 1;
        if byte != b'=' {
            out.push(byte);
            continue;
        }
        let code = bytes
            .get(at..at + 2)
            .and_then(|pair| std::str::from_utf8(pair).ok())
            .and_then(|pair| u8::from_str_radix(pair, 16).ok());
        if let Some(code) = code {
            out.push(code);
            at += 2;
        } else if bytes.get(at) == Some(&b'\n') {
            at += 1;
        } else if bytes.get(at..at + 2) == Some(b"\r\n") {
            at += 2;
        } else {
            out.push(byte);
        }
    }
    out
}
