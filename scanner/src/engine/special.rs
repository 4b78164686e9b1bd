//! Functions whose result the engine works out: reflection, conversions, decoders. Each is one entry of the effects
//! table.

use smallvec::SmallVec;

use super::Engine;
use super::call::{Call, Getter, Partial};
use super::fold::codec;
use super::value::{Const, Ref, Value, either_of, gather};
use crate::syntax::symbols::sym;

pub(super) fn first(call: &Call) -> Value {
    call.pos.first().cloned().unwrap_or_default()
}

pub(crate) fn getattr(engine: &mut Engine, call: &Call) -> Value {
    let object = first(call);
    let key = call.pos.get(1).cloned().unwrap_or_default();
    let mut out: Option<Value> = None;
    let names: Vec<String> = key
        .consts()
        .iter()
        .filter_map(|one| match one {
            Const::Str(text) => Some(text.to_string()),
            _ => None,
        })
        .collect();
    for name in &names {
        let name = engine.symbols.intern(name);
        engine.judge_dunder(call.at, &object, name);
        let found = engine.attr_of(call.at, &object, name);
        out = Some(either_of(out, &found));
    }
    if key.closed().is_none() {
        for one in object.refs() {
            if let Ref::Name(name) | Ref::Dict(name) = one {
                engine.judge_unknown_attr(call.at, name);
            }
        }
    }
    let out = out.unwrap_or_default();
    match call.pos.get(2) {
        Some(default) => out.join_known(default),
        None => out,
    }
}

pub(crate) fn setattr(engine: &mut Engine, call: &Call) -> Value {
    let object = first(call);
    let value = call.pos.get(2).cloned().unwrap_or_default();
    if let Some(name) = call.pos.get(1).and_then(Value::as_str) {
        let name = engine.symbols.intern(name);
        engine.judge_store_attr(call.at, &object, name, &value);
        engine.store_attr_on(&object, name, &value);
    }
    Value::Const(Const::None)
}

pub(crate) fn vars(engine: &mut Engine, call: &Call) -> Value {
    if call.pos.is_empty() {
        return Value::Ref(Ref::Globals);
    }
    let object = first(call);
    engine.attr_of(call.at, &object, sym::DICT)
}

pub(crate) fn globals(_: &mut Engine, _: &Call) -> Value {
    Value::Ref(Ref::Globals)
}

pub(crate) fn import(engine: &mut Engine, call: &Call) -> Value {
    let module = first(call);
    let module = if module.is_unknown() {
        engine_arg(engine, call, "name").unwrap_or_default()
    } else {
        module
    };
    engine.import_value(call, &module)
}

fn engine_arg(engine: &Engine, call: &Call, name: &str) -> Option<Value> {
    call.keyword(engine, name).cloned()
}

fn getter(engine: &mut Engine, call: &Call, getter: Getter) -> Value {
    engine.new_partial(Partial {
        callee: Value::Unknown,
        pos: call.pos.clone(),
        kw: call.kw.clone(),
        getter,
    })
}

pub(crate) fn attrgetter(engine: &mut Engine, call: &Call) -> Value {
    getter(engine, call, Getter::Attr)
}

pub(crate) fn itemgetter(engine: &mut Engine, call: &Call) -> Value {
    getter(engine, call, Getter::Item)
}

pub(crate) fn methodcaller(engine: &mut Engine, call: &Call) -> Value {
    getter(engine, call, Getter::Method)
}

pub(crate) fn partial(engine: &mut Engine, call: &Call) -> Value {
    let pos: SmallVec<[Value; 4]> = call.pos.iter().skip(1).cloned().collect();
    engine.new_partial(Partial {
        callee: first(call),
        pos,
        kw: call.kw.clone(),
        getter: Getter::Call,
    })
}

/// `reduce(f, items, start)` over known items, step by step.
pub(crate) fn reduce(engine: &mut Engine, call: &Call) -> Value {
    let (function, list) = (first(call), call.pos.get(1).cloned().unwrap_or_default());
    let mut items = match engine.known_elements(&list) {
        Some(items) => items.into_iter().take(64).collect::<Vec<_>>().into_iter(),
        None => vec![engine.element_of(&list)].into_iter(),
    };
    let mut all = match call.pos.get(2) {
        Some(start) => start.clone(),
        None => items.next().unwrap_or_default(),
    };
    for item in items {
        let mut inner = Call::bare(call.at);
        inner.depth = call.depth + 1;
        inner.pos.push(all);
        inner.pos.push(item);
        all = engine.call_folding(&function, inner);
    }
    all
}

/// The words of a known command line, as `subprocess` then takes them.
pub(crate) fn shlex_split(engine: &mut Engine, call: &Call) -> Value {
    let line = first(call);
    let Some(text) = line.as_str() else {
        return Value::Unknown.with_taints(&line.taints());
    };
    if !engine.spend_fold(text.len()) {
        return Value::Unknown;
    }
    let words = crate::shell::words(text)
        .iter()
        .map(|word| Value::str(word))
        .collect();
    Value::seq(words).with_taints(&line.taints())
}

/// The first argument as it is: `iter`, `copy`, `staticmethod`, `cast` and other things that wrap.
pub(crate) fn same(_: &mut Engine, call: &Call) -> Value {
    first(call)
}

/// The second argument as it is.
pub(crate) fn second(_: &mut Engine, call: &Call) -> Value {
    call.pos.get(1).cloned().unwrap_or_default()
}

pub(crate) fn element(engine: &mut Engine, call: &Call) -> Value {
    let list = first(call);
    match engine.known_elements(&list) {
        Some(items) if items.len() == 1 => items.into_iter().next().unwrap_or_default(),
        _ => engine.element_of(&list),
    }
}

pub(crate) fn chr(engine: &mut Engine, call: &Call) -> Value {
    fold_each(engine, call, |one| match one {
        Const::Int(code) => {
            let letter = char::from_u32(u32::try_from(*code).ok()?)?;
            Some(Value::str(letter.encode_utf8(&mut [0; 4])))
        }
        _ => None,
    })
}

pub(crate) fn ord(engine: &mut Engine, call: &Call) -> Value {
    fold_each(engine, call, |one| match one {
        Const::Str(text) => {
            let mut letters = text.chars();
            let letter = letters.next()?;
            letters
                .next()
                .is_none()
                .then(|| Value::int(i64::from(u32::from(letter))))
        }
        Const::Bytes(bytes) => (bytes.len() == 1).then(|| Value::int(i64::from(bytes[0]))),
        _ => None,
    })
}

pub(crate) fn string(engine: &mut Engine, call: &Call) -> Value {
    if let Some(codec) = call.pos.get(1).and_then(Value::as_str).map(str::to_owned) {
        return fold_each(engine, call, |one| match one {
            Const::Bytes(bytes) => codec::decode(bytes, &codec),
            _ => None,
        });
    }
    // A path is what its text is.
    let value = first(call);
    if value
        .consts()
        .iter()
        .any(|one| matches!(one, Const::Str(_) | Const::Partial(_)))
    {
        return value;
    }
    fold_each(engine, call, |one| match one {
        Const::Int(number) => Some(Value::str(&number.to_string())),
        Const::Bool(flag) => Some(Value::str(if *flag { "True" } else { "False" })),
        Const::None => Some(Value::str("None")),
        _ => None,
    })
}

pub(crate) fn bytes(engine: &mut Engine, call: &Call) -> Value {
    if call.values().next().is_none() {
        return Value::bytes(&[]);
    }
    let value = first(call);
    if let Some(items) = value.items() {
        let own: Option<Vec<u8>> = items
            .iter()
            .map(|item| item.as_int().and_then(|n| u8::try_from(n).ok()))
            .collect();
        return own.map_or(Value::Unknown, |own| Value::bytes(&own));
    }
    let codec = call
        .pos
        .get(1)
        .and_then(Value::as_str)
        .unwrap_or("utf-8")
        .to_owned();
    fold_each(engine, call, |one| match one {
        Const::Bytes(bytes) => Some(Value::bytes(bytes)),
        Const::Str(text) => codec::encode(text, &codec),
        Const::Int(size) => {
            let size = usize::try_from(*size).ok().filter(|size| *size <= 4096)?;
            Some(Value::bytes(&vec![0; size]))
        }
        _ => None,
    })
}

pub(crate) fn int(engine: &mut Engine, call: &Call) -> Value {
    let base = call.pos.get(1).and_then(Value::as_int).unwrap_or(10);
    fold_each(engine, call, |one| match one {
        Const::Str(text) => {
            let lower = text.trim().to_ascii_lowercase().replace('_', "");
            let digits = ["0x", "0o", "0b"]
                .iter()
                .find_map(|p| lower.strip_prefix(p))
                .filter(|_| base != 10)
                .unwrap_or(&lower);
            let base = match base {
                0 if lower.starts_with("0x") => 16,
                0 if lower.starts_with("0b") => 2,
                0 if lower.starts_with("0o") => 8,
                0 => 10,
                other => u32::try_from(other).ok().filter(|b| (2..=36).contains(b))?,
            };
            i64::from_str_radix(digits, base).ok().map(Value::int)
        }
        Const::Int(number) => Some(Value::int(*number)),
        Const::Bool(flag) => Some(Value::int(i64::from(*flag))),
        #[expect(clippy::cast_possible_truncation, reason = "Python truncates too")]
        Const::Float(number) if number.abs() < 1e15 => Some(Value::int(*number as i64)),
        _ => None,
    })
}

pub(crate) fn hex(engine: &mut Engine, call: &Call) -> Value {
    fold_each(engine, call, |one| match one {
        Const::Int(number) => Some(Value::str(&format!("{number:#x}"))),
        _ => None,
    })
}

pub(crate) fn list(engine: &mut Engine, call: &Call) -> Value {
    let value = first(call);
    if call.pos.is_empty() {
        return Value::seq(Vec::new());
    }
    match engine.known_elements(&value) {
        Some(items) if engine.spend_fold(items.len() * 8) => {
            Value::seq(items).with_taints(&value.taints())
        }
        _ => value,
    }
}

pub(crate) fn reversed(engine: &mut Engine, call: &Call) -> Value {
    let value = first(call);
    match engine.known_elements(&value) {
        Some(mut items) if engine.spend_fold(items.len() * 8) => {
            items.reverse();
            Value::seq(items)
        }
        _ => value,
    }
}

pub(crate) fn range(engine: &mut Engine, call: &Call) -> Value {
    let number = |index: usize| call.pos.get(index).and_then(Value::as_int);
    let (start, stop, stride) = match call.pos.len() {
        1 => (Some(0), number(0), Some(1)),
        2 => (number(0), number(1), Some(1)),
        _ => (number(0), number(1), number(2)),
    };
    let (Some(start), Some(stop), Some(stride)) = (start, stop, stride) else {
        return Value::Unknown;
    };
    if stride == 0 {
        return Value::Unknown;
    }
    let count = (stop.saturating_sub(start)) / stride;
    if !(0..=4096).contains(&count) || !engine.spend_fold(usize::try_from(count).unwrap_or(0) * 8) {
        return Value::Unknown;
    }
    let mut items = Vec::new();
    let mut at = start;
    while (stride > 0 && at < stop) || (stride < 0 && at > stop) {
        items.push(Value::int(at));
        at = at.saturating_add(stride);
    }
    Value::seq(items)
}

pub(crate) fn dict(engine: &mut Engine, call: &Call) -> Value {
    let mut pairs: Vec<(Value, Value)> = Vec::new();
    let value = first(call);
    if value
        .refs()
        .iter()
        .any(|one| matches!(one, Ref::Name(_) | Ref::Globals | Ref::Dict(_)))
    {
        return value;
    }
    if let Some(known) = value.pairs() {
        pairs.extend(known.iter().cloned());
    } else if let Some(items) = value.items() {
        for item in items.iter() {
            if let Some([key, value]) = item.items().map(|pair| &pair[..]) {
                pairs.push((key.clone(), value.clone()));
            }
        }
    }
    for (key, value) in &call.kw {
        pairs.push((Value::str(engine.symbols.text(*key)), value.clone()));
    }
    Value::dict(pairs).with_taints(&gather(call.values()))
}

pub(crate) fn length(engine: &mut Engine, call: &Call) -> Value {
    let value = first(call);
    match engine.known_elements(&value) {
        Some(items) => i64::try_from(items.len()).map_or(Value::Unknown, Value::int),
        None => Value::Unknown,
    }
}

/// `str.method(text, ...)`: a method through its type.
pub(crate) fn through_type(engine: &mut Engine, call: &Call) -> Value {
    let method = engine.names.get(call.name).last;
    let object = first(call);
    let mut inner = call.clone();
    inner.pos = call.pos.iter().skip(1).cloned().collect();
    engine.call_method(&object, method, &inner)
}

pub(crate) fn from_bytes(engine: &mut Engine, call: &Call) -> Value {
    let little = call.pos.get(1).and_then(Value::as_str) == Some("little");
    fold_each(engine, call, |one| match one {
        Const::Bytes(bytes) if bytes.len() <= 8 => {
            let fold = |all: u64, b: &u8| all << 8 | u64::from(*b);
            let number = if little {
                bytes.iter().rev().fold(0, fold)
            } else {
                bytes.iter().fold(0, fold)
            };
            i64::try_from(number).ok().map(Value::int)
        }
        _ => None,
    })
}

pub(super) fn fold_each(
    engine: &mut Engine,
    call: &Call,
    fold: impl Fn(&Const) -> Option<Value>,
) -> Value {
    let value = first(call);
    let mut out: Option<Value> = None;
    for one in value.consts() {
        if !engine.spend_fold(super::operate::const_size(one)) {
            return Value::Unknown;
        }
        let done = fold(one).unwrap_or_default();
        out = Some(either_of(out, &done));
    }
    match (out, value.closed()) {
        (Some(out), Some(_)) => out,
        (Some(out), None) => out.join(&Value::Unknown),
        (None, _) => Value::Unknown,
    }
}

pub(crate) fn environ_get(engine: &mut Engine, call: &Call) -> Value {
    let key = first(call);
    let value = engine.environment(call.at, &key);
    // What it is when nobody has set it is known only from the call.
    match call.arg(engine, crate::rules::effects::Arg(1, "default")) {
        Some(default) if value.consts().is_empty() && value.refs().is_empty() => {
            let default = default.clone();
            value.join(&default)
        }
        _ => value,
    }
}

/// `type(name, bases, namespace)` makes a class of data; `type(x)` is harmless.
pub(crate) fn type_of(engine: &mut Engine, call: &Call) -> Value {
    if let [_, _, namespace] = call.pos.as_slice() {
        engine.judge_made_class(call.at, namespace);
    }
    Value::Unknown
}

pub(crate) fn getitem(engine: &mut Engine, call: &Call) -> Value {
    let object = first(call);
    let key = call.pos.get(1).cloned().unwrap_or_default();
    engine.item_at(call.at, &object, &key)
}

pub(crate) fn regex(engine: &mut Engine, call: &Call) -> Value {
    let pattern = first(call);
    engine.judge_regex(call, &pattern);
    Value::Unknown
}

pub(crate) fn dirname(_: &mut Engine, call: &Call) -> Value {
    let value = first(call);
    match value.as_str() {
        Some(text) => Value::str(text.rsplit_once('/').map_or(".", |(head, _)| head)),
        None => Value::Unknown,
    }
}

/// `open(path).write(content)` and `Path(path).write_text(content)`.
pub(crate) fn written(engine: &mut Engine, call: &Call) -> Value {
    let content = first(call);
    if let Some((_, path)) = call.receiver.clone() {
        engine.judge_written(call, &path, &content);
    }
    Value::Unknown
}

/// `urlretrieve(url, path)`: a file with what the network sent.
pub(crate) fn retrieved(engine: &mut Engine, call: &Call) -> Value {
    let path = call
        .arg(engine, crate::rules::effects::Arg(1, "filename"))
        .cloned()
        .unwrap_or_default();
    let taint = engine.source_taint(
        super::value::Label::Network,
        "a file comes from the network",
        call.at,
    );
    engine.judge_path(call, &path, crate::rules::Access::Write);
    engine.judge_written(call, &path, &Value::Unknown.with_taints(&[taint]));
    path.with_taints(&[taint])
}
