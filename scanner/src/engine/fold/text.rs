//! Methods of texts and bytes.

use std::rc::Rc;

use super::super::operate::MAX_TEXT;
use super::super::value::{Const, HOLE, Value};

/// A text as a constant, partial when it has a hole.
pub(crate) fn known(text: &str) -> Const {
    if text.contains(HOLE) {
        Const::Partial(Rc::from(text))
    } else {
        Const::Str(Rc::from(text))
    }
}

fn list(parts: impl Iterator<Item = String>) -> Value {
    Value::seq(
        parts
            .take(65_536)
            .map(|part| Value::Const(known(&part)))
            .collect(),
    )
}

/// A method of a text whose arguments are known; `None` if it is not folded.
pub(crate) fn method(text: &str, name: &str, args: &[Value]) -> Option<Value> {
    let first = args.first().and_then(Value::as_str);
    let second = args.get(1).and_then(Value::as_str);
    let done = match name {
        "lower" | "casefold" => text.to_lowercase(),
        "upper" => text.to_uppercase(),
        "swapcase" => text
            .chars()
            .flat_map(|c| {
                if c.is_lowercase() {
                    c.to_uppercase().collect::<Vec<_>>()
                } else {
                    c.to_lowercase().collect()
                }
            })
            .collect(),
        "title" | "capitalize" => {
            let mut start = true;
            text.chars()
                .map(|c| {
                    let out = if start {
                        c.to_ascii_uppercase()
                    } else {
                        c.to_ascii_lowercase()
                    };
                    start = name == "title" && !c.is_alphanumeric();
                    out
                })
                .collect()
        }
        "strip" | "lstrip" | "rstrip" => {
            let cut = |c: char| match first {
                Some(set) => set.contains(c),
                None => c.is_whitespace(),
            };
            match name {
                "strip" => text.trim_matches(cut),
                "lstrip" => text.trim_start_matches(cut),
                _ => text.trim_end_matches(cut),
            }
            .to_owned()
        }
        "removeprefix" => text.strip_prefix(first?).unwrap_or(text).to_owned(),
        "removesuffix" => text.strip_suffix(first?).unwrap_or(text).to_owned(),
        "replace" => {
            let (from, to) = (first?, second?);
            if text.len().saturating_mul(to.len() + 1) > MAX_TEXT * 4 {
                return None;
            }
            match args.get(2).and_then(Value::as_int) {
                Some(count) => {
                    text.replacen(from, to, usize::try_from(count).unwrap_or(usize::MAX))
                }
                None => text.replace(from, to),
            }
        }
        "expandtabs" => without_tabs(text, args.first())?,
        "center" | "ljust" | "rjust" => padded(text, name, args)?,
        "zfill" => {
            let width = usize::try_from(args.first()?.as_int()?)
                .ok()
                .filter(|w| *w < 4096)?;
            format!("{text:0>width$}")
        }
        "split" | "rsplit" => {
            return Some(match first {
                Some("") => return None,
                Some(sep) => match args.get(1).and_then(Value::as_int) {
                    Some(count) if name == "split" => {
                        let count = usize::try_from(count).unwrap_or(usize::MAX - 1);
                        list(text.splitn(count.saturating_add(1), sep).map(str::to_owned))
                    }
                    _ => list(text.split(sep).map(str::to_owned)),
                },
                None => list(text.split_whitespace().map(str::to_owned)),
            });
        }
        "splitlines" => return Some(list(text.lines().map(str::to_owned))),
        "partition" => {
            let sep = first?;
            let (head, tail) = text.split_once(sep)?;
            return Some(list([head, sep, tail].into_iter().map(str::to_owned)));
        }
        "translate" => return translate(text, args.first()?),
        "encode" => return encode(text, first.unwrap_or("utf-8")),
        "find" | "index" => {
            let at = text.find(first?)?;
            return Some(Value::int(i64::try_from(text[..at].chars().count()).ok()?));
        }
        "count" => {
            return Some(Value::int(
                i64::try_from(text.matches(first?).count()).ok()?,
            ));
        }
        "startswith" => return Some(Value::Const(Const::Bool(text.starts_with(first?)))),
        "endswith" => return Some(Value::Const(Const::Bool(text.ends_with(first?)))),
        "__str__" | "__repr__" => text.to_owned(),
        "__add__" => format!("{text}{}", first?),
        _ => return None,
    };
    (done.len() <= MAX_TEXT).then(|| Value::Const(known(&done)))
}

/// `text.expandtabs(width)`.
fn without_tabs(text: &str, width: Option<&Value>) -> Option<String> {
    let width = width.map_or(Some(8), Value::as_int)?;
    let width = usize::try_from(width).ok().filter(|width| *width <= 64)?;
    let mut out = String::with_capacity(text.len());
    let mut column = 0;
    for letter in text.chars() {
        match letter {
            '\t' => {
                let blanks = if width == 0 {
                    0
                } else {
                    width - column % width
                };
                out.extend(std::iter::repeat_n(' ', blanks));
                column += blanks;
            }
            '\n' | '\r' => {
                out.push(letter);
                column = 0;
            }
            _ => {
                out.push(letter);
                column += 1;
            }
        }
    }
    Some(out)
}

/// `text.center(width, fill)`, `ljust` and `rjust`.
fn padded(text: &str, name: &str, args: &[Value]) -> Option<String> {
    let width = usize::try_from(args.first()?.as_int()?)
        .ok()
        .filter(|width| *width <= 4096)?;
    let mut fill = args.get(1).map_or(Some(" "), Value::as_str)?.chars();
    // Python takes one character and no more.
    let (Some(fill), None) = (fill.next(), fill.next()) else {
        return None;
    };
    let missing = width.saturating_sub(text.chars().count());
    let before = match name {
        "rjust" => missing,
        "center" => missing / 2 + (missing & width & 1),
        _ => 0,
    };
    let mut out = String::with_capacity(text.len() + missing);
    out.extend(std::iter::repeat_n(fill, before));
    out.push_str(text);
    out.extend(std::iter::repeat_n(fill, missing - before));
    Some(out)
}

fn translate(text: &str, table: &Value) -> Option<Value> {
    let pairs = table.pairs()?;
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        let code = i64::from(u32::from(letter));
        let found = pairs.iter().find(|(key, _)| {
            key.as_int() == Some(code) || key.as_str() == Some(letter.encode_utf8(&mut [0; 4]))
        });
        match found {
            None => out.push(letter),
            Some((_, value)) => match value.exact()? {
                Const::Int(code) => out.extend(char::from_u32(u32::try_from(*code).ok()?)),
                Const::Str(text) => out.push_str(text),
                Const::None => {}
                _ => return None,
            },
        }
        if out.len() > MAX_TEXT {
            return None;
        }
    }
    Some(Value::Const(known(&out)))
}

/// The table that `str.maketrans` makes.
pub(crate) fn maketrans(args: &[Value]) -> Option<Value> {
    if let [table] = args {
        return table.pairs().is_some().then(|| table.clone());
    }
    let (from, to) = (args.first()?.as_str()?, args.get(1)?.as_str()?);
    let code = |c: char| Value::int(i64::from(u32::from(c)));
    let mut pairs: Vec<(Value, Value)> = from
        .chars()
        .zip(to.chars())
        .map(|(a, b)| (code(a), code(b)))
        .collect();
    if let Some(removed) = args.get(2).and_then(Value::as_str) {
        pairs.extend(
            removed
                .chars()
                .map(|c| (code(c), Value::Const(Const::None))),
        );
    }
    Some(Value::dict(pairs))
}

fn encode(text: &str, codec: &str) -> Option<Value> {
    super::codec::encode(text, codec)
}

/// Joins known parts; unknown ones leave a hole.
pub(crate) fn join(separator: &str, parts: &[Value]) -> Option<Const> {
    let mut out = String::new();
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            out.push_str(separator);
        }
        match part.exact() {
            Some(Const::Str(text) | Const::Partial(text)) => out.push_str(text),
            _ => out.push(HOLE),
        }
        if out.len() > MAX_TEXT {
            return None;
        }
    }
    Some(known(&out))
}

/// Joins known bytes.
pub(crate) fn join_bytes(separator: &[u8], parts: &[Value]) -> Option<Const> {
    let mut out = Vec::new();
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            out.extend_from_slice(separator);
        }
        let Some(Const::Bytes(bytes)) = part.exact() else {
            return None;
        };
        out.extend_from_slice(bytes);
        if out.len() > MAX_TEXT {
            return None;
        }
    }
    Some(Const::Bytes(Rc::from(out)))
}

/// A method of bytes whose arguments are known.
pub(crate) fn bytes_method(bytes: &[u8], name: &str, args: &[Value]) -> Option<Value> {
    let first = args.first().and_then(|value| match value.exact() {
        Some(Const::Bytes(bytes)) => Some(Rc::clone(bytes)),
        _ => None,
    });
    match name {
        "decode" => {
            let codec = args.first().and_then(Value::as_str).unwrap_or("utf-8");
            super::codec::decode(bytes, codec)
        }
        "hex" => Some(Value::str(&super::codec::to_hex(bytes))),
        "tobytes" | "tostring" | "getvalue" | "read" => Some(Value::bytes(bytes)),
        "replace" => {
            let from = first?;
            let Some(Const::Bytes(to)) = args.get(1)?.exact() else {
                return None;
            };
            if from.is_empty() || bytes.len().saturating_mul(to.len() + 1) > MAX_TEXT * 4 {
                return None;
            }
            let mut out = Vec::new();
            let mut at = 0;
            while at < bytes.len() {
                if bytes[at..].starts_with(&from) {
                    out.extend_from_slice(to);
                    at += from.len();
                } else {
                    out.push(bytes[at]);
                    at += 1;
                }
            }
            Some(Value::bytes(&out))
        }
        "strip" | "rstrip" | "lstrip" => Some(Value::bytes(bytes.trim_ascii())),
        "lower" => Some(Value::bytes(&bytes.to_ascii_lowercase())),
        "upper" => Some(Value::bytes(&bytes.to_ascii_uppercase())),
        "translate" => {
            let Some(Const::Bytes(table)) = args.first()?.exact() else {
                return None;
            };
            let out: Option<Vec<u8>> = bytes
                .iter()
                .map(|b| table.get(usize::from(*b)).copied())
                .collect();
            Some(Value::bytes(&out?))
        }
        _ => None,
    }
}
