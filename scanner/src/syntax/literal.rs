//! Values of literals: prefixes, escapes, numbers. Knows nothing of the tree.

use std::rc::Rc;

use crate::engine::value::{Const, Value};

/// What the letters before a quote say.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Prefix {
    pub(super) raw: bool,
    pub(super) bytes: bool,
    pub(super) format: bool,
}

impl Prefix {
    pub(super) fn of(start: &str) -> Self {
        let mut prefix = Self::default();
        for letter in start.bytes().take(3) {
            match letter.to_ascii_lowercase() {
                b'r' => prefix.raw = true,
                b'b' => prefix.bytes = true,
                b'f' | b't' => prefix.format = true,
                _ => {}
            }
        }
        prefix
    }
}

/// The constant that a literal's inner text stands for.
pub(super) fn text_value(inner: &str, prefix: Prefix) -> Value {
    let plain = prefix.raw || !inner.contains('\\');
    if prefix.bytes {
        let bytes = if plain {
            inner.as_bytes().to_vec()
        } else {
            unescape_bytes(inner.as_bytes())
        };
        return Value::Const(Const::Bytes(Rc::from(bytes)));
    }
    if plain {
        Value::Const(Const::Str(Rc::from(inner)))
    } else {
        Value::Const(Const::Str(Rc::from(unescape_text(inner))))
    }
}

fn unescape_text(inner: &str) -> String {
    let mut out = String::with_capacity(inner.len());
    let mut rest = inner.chars();
    while let Some(letter) = rest.next() {
        if letter != '\\' {
            out.push(letter);
            continue;
        }
        match rest.next() {
            Some('\n') => {}
            Some('x') => push_code(&mut out, &mut rest, 2),
            Some('u') => push_code(&mut out, &mut rest, 4),
            Some('U') => push_code(&mut out, &mut rest, 8),
            Some('N') => {
                // The name table of Unicode is not worth its size; the character is unknown.
                let skipped: String = rest.by_ref().take_while(|&c| c != '}').collect();
                out.push(if skipped.len() > 1 {
                    char::REPLACEMENT_CHARACTER
                } else {
                    'N'
                });
            }
            Some(first @ '0'..='7') => {
                let mut code = first.to_digit(8).unwrap_or(0);
                for _ in 0..2 {
                    let mut ahead = rest.clone();
                    let Some(digit) = ahead.next().and_then(|c| c.to_digit(8)) else {
                        break;
                    };
                    code = code * 8 + digit;
                    rest = ahead;
                }
                out.extend(char::from_u32(code));
            }
            Some(other) => match simple_escape(other) {
                Some(plain) => out.push(plain),
                None => out.extend(['\\', other]),
            },
            None => out.push('\\'),
        }
    }
    out
}

fn push_code(out: &mut String, rest: &mut std::str::Chars<'_>, digits: usize) {
    let mut code = 0u32;
    for _ in 0..digits {
        let Some(digit) = rest.next().and_then(|c| c.to_digit(16)) else {
            break;
        };
        code = code.wrapping_mul(16).wrapping_add(digit);
    }
    out.push(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
}

fn simple_escape(letter: char) -> Option<char> {
    Some(match letter {
        'n' => '\n',
        't' => '\t',
        'r' => '\r',
        'a' => '\x07',
        'b' => '\x08',
        'f' => '\x0c',
        'v' => '\x0b',
        '\\' | '\'' | '"' => letter,
        _ => return None,
    })
}

fn unescape_bytes(inner: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(inner.len());
    let mut at = 0;
    while let Some(&byte) = inner.get(at) {
        at += 1;
        if byte != b'\\' {
            out.push(byte);
            continue;
        }
        let Some(&next) = inner.get(at) else {
            out.push(byte);
            break;
        };
        at += 1;
        match next {
            b'\n' => {}
            b'x' => {
                let digits = inner
                    .get(at..at + 2)
                    .and_then(|d| std::str::from_utf8(d).ok());
                out.push(
                    digits
                        .and_then(|d| u8::from_str_radix(d, 16).ok())
                        .unwrap_or(b'?'),
                );
                at += 2;
            }
            b'0'..=b'7' => {
                let mut code = u32::from(next - b'0');
                for _ in 0..2 {
                    let Some(digit) = inner.get(at).filter(|d| (b'0'..=b'7').contains(d)) else {
                        break;
                    };
                    code = code * 8 + u32::from(digit - b'0');
                    at += 1;
                }
                out.push((code & 0xff).to_le_bytes()[0]);
            }
            other => match simple_escape(char::from(other)) {
                Some(plain) => out.push(u8::try_from(plain).unwrap_or(b'?')),
                None => out.extend([b'\\', other]),
            },
        }
    }
    out
}

/// The value of an integer literal; unknown when it does not fit into 64 bits.
pub(super) fn integer_value(text: &str) -> Value {
    let digits: String = text
        .chars()
        .filter(|c| *c != '_')
        .map(|c| c.to_ascii_lowercase())
        .collect();
    let parsed = if let Some(hex) = digits.strip_prefix("0x") {
        i64::from_str_radix(hex, 16)
    } else if let Some(octal) = digits.strip_prefix("0o") {
        i64::from_str_radix(octal, 8)
    } else if let Some(binary) = digits.strip_prefix("0b") {
        i64::from_str_radix(binary, 2)
    } else {
        digits.trim_end_matches('l').parse()
    };
    parsed.map_or(Value::Unknown, |number| Value::Const(Const::Int(number)))
}

/// The value of a float literal; unknown when it is complex.
pub(super) fn float_value(text: &str) -> Value {
    text.replace('_', "")
        .parse()
        .map_or(Value::Unknown, |number| Value::Const(Const::Float(number)))
}
