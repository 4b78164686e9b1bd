//! Slices of texts, bytes and sequences, as Python takes them.

use super::super::value::{Const, Value};
use super::text::known;

/// Indices that a slice selects from a length.
pub(crate) fn indices(
    len: usize,
    start: Option<i64>,
    stop: Option<i64>,
    stride: i64,
) -> Vec<usize> {
    let Ok(length) = i64::try_from(len) else {
        return Vec::new();
    };
    if stride == 0 {
        return Vec::new();
    }
    let clamp = |index: i64, low: i64, high: i64| {
        let index = if index < 0 {
            index.saturating_add(length)
        } else {
            index
        };
        index.clamp(low, high)
    };
    let (from, to) = if stride > 0 {
        (
            start.map_or(0, |s| clamp(s, 0, length)),
            stop.map_or(length, |s| clamp(s, 0, length)),
        )
    } else {
        (
            start.map_or(length - 1, |s| clamp(s, -1, length - 1)),
            stop.map_or(-1, |s| clamp(s, -1, length - 1)),
        )
    };
    let mut all = Vec::new();
    let mut at = from;
    while (stride > 0 && at < to) || (stride < 0 && at > to) {
        if let Ok(index) = usize::try_from(at) {
            all.push(index);
        }
        let Some(next) = at.checked_add(stride) else {
            break;
        };
        at = next;
    }
    all
}

/// The slice of a value.
pub(crate) fn take(
    whole: &Value,
    start: Option<i64>,
    stop: Option<i64>,
    stride: i64,
) -> Option<Value> {
    if let Some(items) = whole.items() {
        let picked = indices(items.len(), start, stop, stride);
        return Some(Value::seq(
            picked.into_iter().map(|at| items[at].clone()).collect(),
        ));
    }
    match whole.exact()? {
        Const::Str(text) | Const::Partial(text) => {
            let letters: Vec<char> = text.chars().collect();
            let picked: String = indices(letters.len(), start, stop, stride)
                .into_iter()
                .map(|at| letters[at])
                .collect();
            Some(Value::Const(known(&picked)))
        }
        Const::Bytes(bytes) => {
            let picked: Vec<u8> = indices(bytes.len(), start, stop, stride)
                .into_iter()
                .map(|at| bytes[at])
                .collect();
            Some(Value::bytes(&picked))
        }
        _ => None,
    }
}
