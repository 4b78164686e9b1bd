//! Functions of the library that make sequences of sequences. Each is one entry of the effects table.

use super::Engine;
use super::call::Call;
use super::special::first;
use super::value::Value;

pub(crate) fn enumerate(engine: &mut Engine, call: &Call) -> Value {
    let value = first(call);
    let start = call.pos.get(1).and_then(Value::as_int).unwrap_or(0);
    match engine.known_elements(&value) {
        Some(items) if items.len() <= 4096 => Value::seq(
            items
                .into_iter()
                .zip(start..)
                .map(|(item, index)| Value::seq(vec![Value::int(index), item]))
                .collect(),
        ),
        _ => {
            let element = engine.element_of(&value);
            Value::element(Value::seq(vec![Value::Unknown, element]))
        }
    }
}

pub(crate) fn zip(engine: &mut Engine, call: &Call) -> Value {
    let mut lists = Vec::new();
    for value in call.pos.iter().take(8) {
        if let Some(items) = engine.known_elements(value) {
            lists.push(items);
        } else {
            let elements = call
                .pos
                .iter()
                .take(8)
                .map(|v| engine.element_of(v))
                .collect();
            return Value::element(Value::seq(elements));
        }
    }
    let length = lists.iter().map(Vec::len).min().unwrap_or(0).min(8192);
    Value::seq(
        (0..length)
            .map(|at| Value::seq(lists.iter().map(|items| items[at].clone()).collect()))
            .collect(),
    )
}

pub(crate) fn cycle(engine: &mut Engine, call: &Call) -> Value {
    let value = first(call);
    match engine.known_elements(&value) {
        Some(items) if !items.is_empty() && engine.spend_fold(4096) => {
            Value::seq(items.iter().cycle().take(4096).cloned().collect())
        }
        _ => value,
    }
}

/// `filter(function, items)`: the items of which the function is not sure to say no.
pub(crate) fn filtered(engine: &mut Engine, call: &Call) -> Value {
    let (function, list) = (first(call), call.pos.get(1).cloned().unwrap_or_default());
    let items = engine
        .known_elements(&list)
        .filter(|items| items.len() <= 4096 && engine.spend_fold(items.len() * 32));
    let Some(items) = items else {
        let element = engine.element_of(&list);
        let mut inner = Call::bare(call.at);
        inner.depth = call.depth + 1;
        inner.pos.push(element.clone());
        engine.call_value(&function, inner);
        return Value::element(element).with_taints(&list.taints());
    };
    let plain = function.exact().is_some();
    let mut kept = Vec::with_capacity(items.len());
    let mut sure = true;
    for item in items {
        let answer = if plain {
            item.clone()
        } else {
            let mut inner = Call::bare(call.at);
            inner.depth = call.depth + 1;
            inner.pos.push(item.clone());
            engine.call_folding(&function, inner)
        };
        match answer.truth() {
            Some(false) => {}
            Some(true) => kept.push(item),
            None => {
                sure = false;
                kept.push(item);
            }
        }
    }
    let kept = Value::seq(kept).with_taints(&list.taints());
    if sure {
        kept
    } else {
        let element = engine.element_of(&kept);
        Value::element(element).with_taints(&list.taints())
    }
}

/// `sum(items, start)` of known items.
pub(crate) fn summed(engine: &mut Engine, call: &Call) -> Value {
    let list = first(call);
    let Some(items) = engine
        .known_elements(&list)
        .filter(|items| items.len() <= 256)
    else {
        return Value::Unknown.with_taints(&call.taints());
    };
    let mut all = call.pos.get(1).cloned().unwrap_or(Value::int(0));
    for item in items {
        all = engine.binary(call.at, crate::syntax::ir::BinOp::Add, &all, &item);
    }
    all
}

/// `islice(items, stop)` and `islice(items, start, stop, step)`.
pub(crate) fn sliced(engine: &mut Engine, call: &Call) -> Value {
    let list = first(call);
    let number = |index: usize| call.pos.get(index).and_then(Value::as_int);
    let items = engine
        .known_elements(&list)
        .filter(|items| items.len() <= 8192 && engine.spend_fold(items.len() * 4));
    let Some(items) = items else {
        let element = engine.element_of(&list);
        return Value::element(element).with_taints(&list.taints());
    };
    let (start, stop) = if call.pos.len() == 2 {
        (0, number(1))
    } else {
        (number(1).unwrap_or(0), number(2))
    };
    let every = number(3).unwrap_or(1).max(1);
    let size = |number: i64| usize::try_from(number).unwrap_or(0);
    let stop = stop.map_or(items.len(), size).min(items.len());
    Value::seq(
        items
            .into_iter()
            .take(stop)
            .skip(size(start))
            .step_by(size(every).max(1))
            .collect(),
    )
}

/// `operator.add(a, b)`.
pub(crate) fn added_up(engine: &mut Engine, call: &Call) -> Value {
    let (left, right) = (first(call), call.pos.get(1).cloned().unwrap_or_default());
    engine.binary(call.at, crate::syntax::ir::BinOp::Add, &left, &right)
}
