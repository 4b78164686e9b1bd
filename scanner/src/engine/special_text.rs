//! Functions of the library that turn one text or one number into another: decoders, templates, escapes, packing.
//! Each is one entry of the effects table.

use super::Engine;
use super::call::Call;
use super::fold::{codec, format, text};
use super::operate::MAX_TEXT;
use super::special::{first, fold_each};
use super::value::{Const, Value, either_of};

/// Longest text that is read as JSON or as a literal.
const MAX_LITERAL: usize = 1 << 16;

pub(crate) fn maketrans(_: &mut Engine, call: &Call) -> Value {
    text::maketrans(&call.pos).unwrap_or_default()
}

/// `bytes.maketrans(from, to)`: the table of all 256 bytes.
pub(crate) fn bytes_maketrans(_: &mut Engine, call: &Call) -> Value {
    let side = |index: usize| match call.pos.get(index).and_then(Value::exact) {
        Some(Const::Bytes(bytes)) => Some(std::rc::Rc::clone(bytes)),
        _ => None,
    };
    let (Some(from), Some(to)) = (side(0), side(1)) else {
        return Value::Unknown;
    };
    let mut table: Vec<u8> = (0..=255).collect();
    for (a, b) in from.iter().zip(to.iter()) {
        table[usize::from(*a)] = *b;
    }
    Value::bytes(&table)
}

macro_rules! decoders {
    ($($function:ident = $name:literal),* $(,)?) => {
        $(
            #[doc = concat!("Decodes ", $name, ".")]
            pub(crate) fn $function(engine: &mut Engine, call: &Call) -> Value {
                decoder(engine, call, $name)
            }
        )*
    };
}

decoders! {
    base64 = "base64", base32 = "base32", base16 = "base16", base85 = "base85",
    ascii85 = "ascii85", zlib = "zlib", gzip = "gzip",
}

fn decoder(engine: &mut Engine, call: &Call, name: &str) -> Value {
    let value = first(call);
    let mut out: Option<Value> = None;
    for one in value.consts().iter().take(4) {
        let done = engine.decode_const(one, name).unwrap_or_default();
        out = Some(either_of(out, &done));
    }
    let out = out.unwrap_or_default();
    if out.is_unknown() {
        let taint = engine.source_taint(
            super::value::Label::Decoded,
            "unknown data is decoded",
            call.at,
        );
        return out.with_taints(&[taint]);
    }
    out
}

pub(crate) fn codecs_decode(engine: &mut Engine, call: &Call) -> Value {
    let codec = call
        .arg(engine, crate::rules::effects::Arg(1, "encoding"))
        .and_then(Value::as_str)
        .unwrap_or("utf-8")
        .to_owned();
    fold_each(engine, call, |one| match one {
        Const::Str(text) => codec::decode_text(text, &codec),
        Const::Bytes(bytes) => codec::decode(bytes, &codec),
        _ => None,
    })
}

/// `codecs.encode(x, codec)`: the way back of what `decode` undoes.
pub(crate) fn codecs_encode(engine: &mut Engine, call: &Call) -> Value {
    let codec = call
        .arg(engine, crate::rules::effects::Arg(1, "encoding"))
        .and_then(Value::as_str)
        .unwrap_or("utf-8")
        .to_owned();
    fold_each(engine, call, |one| match one {
        Const::Str(text) => codec::encode(text, &codec),
        Const::Bytes(bytes) => codec::encode_bytes(bytes, &codec),
        _ => None,
    })
}

/// `codecs.getdecoder(codec)` and `codecs.lookup(codec).decode`: functions that give a pair.
pub(crate) fn codecs_decoder(engine: &mut Engine, call: &Call) -> Value {
    let codec = first(call);
    let callee = engine.named("codecs.decode");
    let encoding = engine.symbols.intern("encoding");
    engine.new_partial(super::call::Partial {
        callee,
        pos: smallvec::SmallVec::new(),
        kw: std::iter::once((encoding, codec)).collect(),
        getter: super::call::Getter::Pair,
    })
}

/// `string.Template(text)`, which remembers its text.
pub(crate) fn template(engine: &mut Engine, call: &Call) -> Value {
    let own = first(call);
    engine.with_path("string.Template()", &own)
}

/// `Template(text).substitute(name=value)`.
pub(crate) fn substitute(engine: &mut Engine, call: &Call) -> Value {
    let own = call
        .receiver
        .as_ref()
        .map(|(_, value)| value.clone())
        .unwrap_or_default();
    let Some(Const::Str(pattern) | Const::Partial(pattern)) = own.consts().first().cloned() else {
        return Value::Unknown;
    };
    if !engine.spend_fold(pattern.len() + 64) {
        return Value::Unknown;
    }
    let mut named: Vec<(String, Value)> = call
        .kw
        .iter()
        .map(|(key, value)| (engine.symbols.text(*key).to_owned(), value.clone()))
        .collect();
    if let Some(pairs) = call.pos.first().and_then(Value::pairs) {
        for (key, value) in pairs.iter() {
            if let Some(key) = key.as_str() {
                named.push((key.to_owned(), value.clone()));
            }
        }
    }
    let value =
        dollars(&pattern, &named).map_or(Value::Unknown, |out| Value::Const(text::known(&out)));
    value.with_taints(&call.taints())
}

/// What a template comes to; `None` if that is more than [`MAX_TEXT`].
fn dollars(pattern: &str, named: &[(String, Value)]) -> Option<String> {
    let mut out = String::new();
    let mut rest = pattern;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            out.push('$');
            rest = after;
            continue;
        }
        let braced = rest.starts_with('{');
        let body = rest.strip_prefix('{').unwrap_or(rest);
        let length = body
            .find(|c: char| !(c.is_alphanumeric() || c == '_'))
            .unwrap_or(body.len());
        let name = &body[..length];
        rest = &body[length..];
        if braced {
            rest = rest.strip_prefix('}').unwrap_or(rest);
        }
        if name.is_empty() {
            out.push('$');
            continue;
        }
        match named.iter().find(|(known, _)| known == name) {
            Some((_, value)) => format::push(&mut out, value, ""),
            None => out.push(super::value::HOLE),
        }
        if out.len() > MAX_TEXT {
            return None;
        }
    }
    out.push_str(rest);
    Some(out)
}

/// `urllib.parse.unquote(text)`.
pub(crate) fn unquote(engine: &mut Engine, call: &Call) -> Value {
    let plus = engine
        .names
        .text(&engine.symbols, call.name)
        .ends_with("_plus");
    fold_each(engine, call, |one| {
        let Const::Str(text) = one else { return None };
        let mut bytes = Vec::with_capacity(text.len());
        let own = text.as_bytes();
        let mut at = 0;
        while at < own.len() {
            let digits = own
                .get(at + 1..at + 3)
                .and_then(|pair| std::str::from_utf8(pair).ok())
                .and_then(|pair| u8::from_str_radix(pair, 16).ok());
            match (own[at], digits) {
                (b'%', Some(byte)) => {
                    bytes.push(byte);
                    at += 2;
                }
                (b'+', _) if plus => bytes.push(b' '),
                (byte, _) => bytes.push(byte),
            }
            at += 1;
        }
        Some(Value::str(&String::from_utf8_lossy(&bytes)))
    })
}

/// `html.unescape(text)`: numeric references and the few names that code is made of.
pub(crate) fn unescape(engine: &mut Engine, call: &Call) -> Value {
    fold_each(engine, call, |one| {
        let Const::Str(text) = one else { return None };
        let mut out = String::with_capacity(text.len());
        let mut rest: &str = text;
        while let Some(at) = rest.find('&') {
            out.push_str(&rest[..at]);
            rest = &rest[at..];
            // In the next bytes only: each `&` of a text without `;` would search through all of it.
            let near = &rest.as_bytes()[..rest.len().min(13)];
            let end = near.iter().position(|byte| *byte == b';');
            let letter = end.and_then(|end| reference(&rest[1..end]));
            if let (Some(letter), Some(end)) = (letter, end) {
                out.push(letter);
                rest = &rest[end + 1..];
            } else {
                out.push('&');
                rest = &rest[1..];
            }
        }
        out.push_str(rest);
        Some(Value::str(&out))
    })
}

fn reference(name: &str) -> Option<char> {
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok()?,
            None => number.parse().ok()?,
        };
        return char::from_u32(code);
    }
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "lpar" => '(',
        "rpar" => ')',
        "period" => '.',
        "sol" => '/',
        "tilde" => '~',
        "nbsp" => '\u{a0}',
        _ => return None,
    })
}

/// `json.loads(text)`.
pub(crate) fn json_loads(engine: &mut Engine, call: &Call) -> Value {
    fold_each(engine, call, |one| {
        let bytes: &[u8] = match one {
            Const::Str(text) => text.as_bytes(),
            Const::Bytes(bytes) => bytes,
            _ => return None,
        };
        if bytes.len() > MAX_LITERAL {
            return None;
        }
        // serde_json bounds how deep a text may nest.
        serde_json::from_slice(bytes).ok().map(|value| json(&value))
    })
}

fn json(value: &serde_json::Value) -> Value {
    use serde_json::Value as Json;
    match value {
        Json::Null => Value::Const(Const::None),
        Json::Bool(flag) => Value::Const(Const::Bool(*flag)),
        Json::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(number), _) => Value::int(number),
            (None, Some(number)) => Value::Const(Const::Float(number)),
            (None, None) => Value::Unknown,
        },
        Json::String(text) => Value::str(text),
        Json::Array(items) => Value::seq(items.iter().map(json).collect()),
        Json::Object(pairs) => Value::dict(
            pairs
                .iter()
                .map(|(key, value)| (Value::str(key), json(value)))
                .collect(),
        ),
    }
}

/// `ast.literal_eval(text)`: the value of a text that calls nothing.
pub(crate) fn literal(engine: &mut Engine, call: &Call) -> Value {
    let own = first(call);
    let Some(text) = own.as_str() else {
        return Value::Unknown.with_taints(&own.taints());
    };
    let mut before = ' ';
    let calls = text.chars().any(|c| {
        let found = c == '(' && (before.is_alphanumeric() || matches!(before, '_' | ')' | ']'));
        before = c;
        found
    });
    if calls || text.len() > MAX_LITERAL {
        return Value::Unknown.with_taints(&own.taints());
    }
    let text = std::rc::Rc::from(text);
    engine.run_text(call, &text).with_taints(&own.taints())
}

/// `struct.pack(format, ...)` of bytes, short texts and numbers.
pub(crate) fn pack(engine: &mut Engine, call: &Call) -> Value {
    let Some(pattern) = call.pos.first().and_then(Value::as_str).map(str::to_owned) else {
        return Value::Unknown;
    };
    if !engine.spend_fold(pattern.len() + call.pos.len() * 8) {
        return Value::Unknown;
    }
    packed(&pattern, &call.pos[1..]).map_or(Value::Unknown, |bytes| Value::bytes(&bytes))
}

fn packed(pattern: &str, args: &[Value]) -> Option<Vec<u8>> {
    let big = pattern.starts_with(['>', '!']);
    let mut args = args.iter();
    let mut out: Vec<u8> = Vec::new();
    let mut count: Option<usize> = None;
    for letter in pattern
        .trim_start_matches(['>', '<', '!', '=', '@'])
        .chars()
    {
        if let Some(digit) = letter.to_digit(10) {
            count = Some(count.unwrap_or(0).checked_mul(10)? + digit as usize);
            continue;
        }
        let times = count.take();
        let width = match letter {
            'b' | 'B' | 'c' | '?' => 1,
            'h' | 'H' => 2,
            'i' | 'I' | 'l' | 'L' => 4,
            'q' | 'Q' => 8,
            's' => 0,
            'x' => {
                out.resize(out.len() + times.unwrap_or(1).min(1024), 0);
                continue;
            }
            c if c.is_whitespace() => continue,
            _ => return None,
        };
        if out.len() > MAX_LITERAL {
            return None;
        }
        if width == 0 {
            let Some(Const::Bytes(bytes)) = args.next()?.exact() else {
                return None;
            };
            let size = times.unwrap_or(1).min(MAX_LITERAL);
            out.extend(bytes.iter().copied().chain(std::iter::repeat(0)).take(size));
            continue;
        }
        for _ in 0..times.unwrap_or(1).min(MAX_LITERAL) {
            match args.next()?.exact()? {
                Const::Int(number) => {
                    let bytes = number.to_be_bytes();
                    let mut part = bytes[8 - width..].to_vec();
                    if !big {
                        part.reverse();
                    }
                    out.extend(part);
                }
                Const::Bytes(bytes) if bytes.len() == 1 => out.push(bytes[0]),
                _ => return None,
            }
        }
    }
    Some(out)
}

/// `array.array(code, items)` of small numbers: the bytes that it holds.
pub(crate) fn array(engine: &mut Engine, call: &Call) -> Value {
    let code = call
        .pos
        .first()
        .and_then(Value::as_str)
        .unwrap_or("")
        .to_owned();
    let content = call.pos.get(1).cloned().unwrap_or_default();
    if !matches!(code.as_str(), "b" | "B") {
        return content;
    }
    let mut inner = Call::bare(call.at);
    inner.pos.push(content);
    super::special::bytes(engine, &inner)
}
