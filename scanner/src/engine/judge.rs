//! Rules of the tables: matches names and calls against the catalogue, with their conditions on arguments.

use super::Engine;
use super::call::Call;
use super::emit::Raise;
use super::value::{Const, NameId, Ref, Value};
use crate::rules::When;
use crate::rules::catalog::Use;
use crate::rules::effects::{Arg, Effect};
use crate::syntax::ir::{NONE, Reg};

impl Engine {
    /// Raises the rules of a name that is called or read.
    pub(crate) fn judge_name(&mut self, at: Reg, name: NameId, on: Use, call: Option<&Call>) {
        let node = self.names.get(name).node;
        if node == NONE {
            return;
        }
        let catalog = self.catalog;
        for hit in &catalog.node(node).hits {
            if hit.on != on {
                continue;
            }
            let holds = match (hit.when, call) {
                (None, _) => true,
                (Some(when), Some(call)) => self.holds(when, call),
                (Some(_), None) => false,
            };
            if holds {
                let arg = call
                    .and_then(|call| call.pos.first().or_else(|| call.kw.first().map(|(_, v)| v)))
                    .and_then(Self::text_of)
                    .unwrap_or_default();
                self.raise_number(
                    hit.rule,
                    at,
                    Raise {
                        subject: Some(name),
                        arg: shortened(&arg),
                        ..Raise::default()
                    },
                );
            }
        }
    }

    fn holds(&self, when: When, call: &Call) -> bool {
        let get = |pos: u8, kw: &'static str| call.arg(self, Arg(pos, kw));
        match when {
            When::True(pos, kw) => get(pos, kw).is_some_and(|v| v.truth() == Some(true)),
            When::False(pos, kw) => get(pos, kw).is_some_and(|v| v.truth() == Some(false)),
            When::Text(pos, kw, texts) => get(pos, kw).is_some_and(|value| {
                value.consts().iter().any(|one| match one {
                    Const::Str(text) => texts.contains(&&**text),
                    _ => false,
                })
            }),
            When::Contains(pos, kw, parts) => get(pos, kw).is_some_and(|value| {
                let inside = value.items().map_or(&[][..], |items| items.as_slice());
                let consts = inside.iter().take(8).flat_map(Value::consts);
                value.consts().iter().chain(consts).any(|one| match one {
                    Const::Str(text) | Const::Partial(text) => {
                        let lower = text.to_ascii_lowercase();
                        parts.iter().any(|part| lower.contains(part))
                    }
                    Const::Bytes(bytes) => {
                        let lower = String::from_utf8_lossy(bytes).to_ascii_lowercase();
                        parts.iter().any(|part| lower.contains(part))
                    }
                    _ => false,
                })
            }),
            When::AtLeast(pos, kw, least) => get(pos, kw).is_some_and(|value| {
                value.consts().iter().any(|one| match one {
                    Const::Int(number) => *number >= least,
                    #[expect(clippy::cast_precision_loss, reason = "a threshold, not a sum")]
                    Const::Float(number) => *number >= least as f64,
                    _ => false,
                }) || self.makes_array(call) && shape(value).is_some_and(|size| size >= least)
            }),
            When::Given(pos, kw) => get(pos, kw).is_some(),
            When::Absent(pos, kw) => get(pos, kw).is_none(),
            When::Empty => call.values().next().is_none(),
        }
    }

    /// Whether the first argument of a call is the shape of an array.
    fn makes_array(&self, call: &Call) -> bool {
        let name = self.names.text(&self.symbols, call.name);
        name.starts_with("numpy.") || name.starts_with("torch.")
    }

    /// Whether a value may be something whose full name passes a test.
    pub(crate) fn may_be_named(&self, value: &Value, test: impl Fn(&str) -> bool) -> bool {
        value.refs().iter().any(
            |one| matches!(one, Ref::Name(name) if test(&self.names.text(&self.symbols, *name))),
        )
    }

    /// Whether calling the name runs code, a program or shell text.
    pub(crate) fn runs_things(&self, name: NameId) -> bool {
        let node = self.names.get(name).node;
        node != NONE
            && self.catalog.node(node).effects.iter().any(|effect| {
                matches!(
                    effect,
                    Effect::Code(_) | Effect::Shell(_) | Effect::Command(_) | Effect::Argv(_)
                )
            })
    }

    pub(crate) fn dangerous_ref(&self, value: &Value) -> Option<NameId> {
        value.refs().iter().find_map(|one| match one {
            Ref::Name(name) if self.runs_things(*name) => Some(*name),
            _ => None,
        })
    }

    /// A function that runs things, handed to a function that may call it.
    pub(crate) fn judge_callbacks(&mut self, call: &Call) {
        if call.values().all(|value| value.refs().is_empty()) {
            return;
        }
        if call.name != NONE {
            let node = self.names.get(call.name).node;
            let applied = node != NONE
                && self.catalog.node(node).effects.iter().any(|effect| {
                    matches!(
                        effect,
                        Effect::Apply(..) | Effect::Special(_) | Effect::Clean
                    )
                });
            let text = self.names.text(&self.symbols, call.name);
            let inert = [
                "isinstance",
                "issubclass",
                "callable",
                "hasattr",
                "print",
                "repr",
                "id",
                "hash",
                "type",
                "mock",
                "inspect",
                "super",
                "help",
                "dir",
            ];
            if applied || inert.iter().any(|part| text.contains(part)) {
                return;
            }
        }
        self.hand_over(call);
    }

    /// The callee is not known: it may call what it is given.
    pub(crate) fn judge_callee(&mut self, call: &Call) {
        if call.values().all(|value| value.refs().is_empty()) {
            return;
        }
        self.hand_over(call);
    }

    fn hand_over(&mut self, call: &Call) {
        // A call that only waits for its last arguments is as good as made.
        let waiting: Vec<Value> = call
            .values()
            .filter(|value| {
                value
                    .refs()
                    .iter()
                    .any(|one| matches!(one, Ref::Partial(_)))
            })
            .cloned()
            .collect();
        for value in waiting {
            let mut inner = Call::bare(call.at);
            inner.depth = call.depth + 1;
            self.call_value(&value, inner);
        }
        for index in 0..call.pos.len() {
            let value = &call.pos[index];
            let value = if value.refs().is_empty() {
                continue;
            } else {
                value.clone()
            };
            if let Some(name) = self.dangerous_ref(&value) {
                self.raise(
                    "SR111",
                    call.at,
                    Raise {
                        subject: Some(name),
                        ..Raise::default()
                    },
                );
                // It is usually called with what follows.
                let mut inner = Call::bare(call.at);
                inner.depth = call.depth + 1;
                inner.pos = call.pos.iter().skip(index + 1).cloned().collect();
                if inner.pos.is_empty() {
                    inner.spread = call
                        .keyword(self, "args")
                        .cloned()
                        .map(|args| self.element_of(&args));
                }
                if !inner.pos.is_empty() {
                    self.call_value(&value, inner);
                }
            }
        }
        for (_, value) in &call.kw {
            if let Some(name) = self.dangerous_ref(value) {
                self.raise(
                    "SR111",
                    call.at,
                    Raise {
                        subject: Some(name),
                        ..Raise::default()
                    },
                );
            }
        }
    }
}

/// Enough of a text to recognise it.
pub(crate) fn shortened(text: &str) -> String {
    let line: String = text
        .chars()
        .take(60)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    if text.chars().nth(60).is_some() {
        format!("{line}…")
    } else {
        line
    }
}

/// The number of elements of an array with these lengths.
fn shape(value: &Value) -> Option<i64> {
    let items = value.items()?;
    let mut size: i64 = 1;
    for item in items.iter().take(16) {
        size = size.saturating_mul(item.as_int()?);
    }
    (!items.is_empty()).then_some(size)
}
