//! Functions of the library that make sequences of sequences. Each is one entry of the effects table.

use super::Engine;
use super::call::Call;
use super::special::first;
use super::value::Value;

pub(crate) fn enumerate(engine: &mut Engine, call: &Call) -> Value {
    let value = first(call);
    let start = call.pos.get(1).and_then(Value::as_int).unwrap_or(0);
    match Engine::known_elements(&value) {
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
        if let Some(items) = Engine::known_elements(value) {
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
    match Engine::known_elements(&value) {
        Some(items) if !items.is_empty() && engine.spend_fold(4096) => {
            Value::seq(items.iter().cycle().take(4096).cloned().collect())
        }
        _ => value,
    }
}
