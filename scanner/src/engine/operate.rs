//! Operators, displays and the taking apart of containers, over known values.

use std::rc::Rc;

use smallvec::SmallVec;

use super::Engine;
use super::fold::{format, number, text};
use super::value::{Const, HOLE, Ref, Rich, Value, either_of, gather};
use crate::syntax::ir::{ArgKind, Args, BinOp, Reg, UnOp};
use crate::syntax::symbols::sym;

/// Longest text that folding makes.
pub(crate) const MAX_TEXT: usize = 1 << 20;
/// Elements of one container that are taken together one by one.
const MAX_JOINED: usize = 2048;

impl Engine {
    pub(crate) fn binary(&mut self, at: u32, op: BinOp, left: &Value, right: &Value) -> Value {
        if left.is_unknown() && right.is_unknown() {
            return Value::Unknown;
        }
        if (Self::has_instance(left) || Self::has_instance(right))
            && let Some(found) = self.operator_method(at, op, left, right)
        {
            return found.with_taints(&gather([left, right].into_iter()));
        }
        let mut out = self.binary_known(at, op, left, right);
        if left.is_tainted() || right.is_tainted() {
            out = out.with_taints(&gather([left, right].into_iter()));
        }
        out
    }

    fn binary_known(&mut self, at: u32, op: BinOp, left: &Value, right: &Value) -> Value {
        if op == BinOp::Div
            && let Some(path) = self.join_path(left, right)
        {
            return path;
        }
        if let (Some(a), Some(b)) = (left.items(), right.items())
            && op == BinOp::Add
            && a.len() + b.len() <= super::value::MAX_ELEMENTS
        {
            if !self.spend_fold(a.len() + b.len()) {
                return Value::Unknown;
            }
            return Value::seq(a.iter().chain(b.iter()).cloned().collect());
        }
        if let (Some(items), Some(times)) = (left.items(), right.as_int()) {
            self.judge_size(at, items.len(), times, op);
            return match usize::try_from(times) {
                Ok(times) if op == BinOp::Mul && times.saturating_mul(items.len()) <= 4096 => {
                    Value::seq(
                        items
                            .iter()
                            .cycle()
                            .take(items.len() * times)
                            .cloned()
                            .collect(),
                    )
                }
                _ => Value::element(items.first().cloned().unwrap_or_default()),
            };
        }
        if op == BinOp::Or
            && let (Some(a), Some(b)) = (left.pairs(), right.pairs())
        {
            return Value::dict(a.iter().chain(b.iter()).take(4096).cloned().collect());
        }
        if op == BinOp::Mod
            && let Some(done) = self.percent(left, right)
        {
            return done;
        }
        let texty = |value: &Value| {
            value
                .consts()
                .iter()
                .any(|c| matches!(c, Const::Str(_) | Const::Partial(_)))
        };
        if op == BinOp::Add && (texty(left) || texty(right)) {
            return self.concat(left, right);
        }
        let (Some(a), Some(b)) = (left.closed(), right.closed()) else {
            return Value::Unknown;
        };
        let mut out: Option<Value> = None;
        for x in a.iter().take(4) {
            for y in b.iter().take(4) {
                let size = const_size(x) + const_size(y);
                if !self.spend_fold(size) {
                    return Value::Unknown;
                }
                if op == BinOp::Mul
                    && let (Const::Str(_) | Const::Bytes(_), Const::Int(times)) = (x, y)
                {
                    self.judge_size(at, size, *times, op);
                }
                if let (BinOp::Pow, Const::Int(base), Const::Int(times)) = (op, x, y)
                    && base.unsigned_abs() > 1
                {
                    self.judge_size(at, size, *times, op);
                }
                let one = number::binary(op, x, y).map_or(Value::Unknown, Value::Const);
                out = Some(either_of(out, &one));
            }
        }
        out.unwrap_or_default()
    }

    /// Concatenation where one side may be unknown: the known parts stay.
    pub(crate) fn concat(&mut self, left: &Value, right: &Value) -> Value {
        let texts = |value: &Value| -> SmallVec<[Rc<str>; 4]> {
            let mut all: SmallVec<[Rc<str>; 4]> = SmallVec::new();
            for one in value.consts().iter().take(4) {
                match one {
                    Const::Str(text) | Const::Partial(text) => all.push(Rc::clone(text)),
                    _ => {}
                }
            }
            let open = value.closed().is_none() && !value.consts().iter().all(is_text)
                || value.rich().is_some_and(|rich| rich.open);
            if all.is_empty() || open && all.len() < 4 {
                all.push(Rc::from(HOLE.to_string()));
            }
            all
        };
        let (left, right) = (texts(left), texts(right));
        let mut out: Option<Value> = None;
        for a in &left {
            for b in &right {
                if a.len() + b.len() > MAX_TEXT || !self.spend_fold(a.len() + b.len()) {
                    return Value::Unknown;
                }
                let joined = format!("{a}{b}");
                let one = Value::Const(text::known(&joined));
                out = Some(either_of(out, &one));
            }
        }
        out.unwrap_or_default()
    }

    fn percent(&mut self, left: &Value, right: &Value) -> Option<Value> {
        let pattern = match left.exact()? {
            Const::Str(text) | Const::Partial(text) => Rc::clone(text),
            _ => return None,
        };
        if !self.spend_fold(pattern.len() + 64) {
            return Some(Value::Unknown);
        }
        let own: Vec<Value> = match right.items() {
            Some(items) => items.iter().cloned().collect(),
            None => vec![right.clone()],
        };
        let done = format::percent(&pattern, &own, right.pairs().map(|pairs| &**pairs));
        Some(done.map_or(Value::Unknown, |done| Value::Const(text::known(&done))))
    }

    pub(crate) fn unary(op: UnOp, value: &Value) -> Value {
        if op == UnOp::Not {
            return value
                .truth()
                .map_or(Value::Unknown, |truth| Value::Const(Const::Bool(!truth)));
        }
        let folded = match (op, value.exact()) {
            (UnOp::Neg, Some(Const::Int(n))) => n.checked_neg().map(Value::int),
            (UnOp::Neg, Some(Const::Float(n))) => Some(Value::Const(Const::Float(-n))),
            (UnOp::Invert, Some(Const::Int(n))) => Some(Value::int(!n)),
            (UnOp::Invert, Some(Const::Bool(flag))) => Some(Value::int(!i64::from(*flag))),
            (UnOp::Neg, Some(Const::Bool(flag))) => Some(Value::int(-i64::from(*flag))),
            (UnOp::Pos, Some(Const::Bool(flag))) => Some(Value::int(i64::from(*flag))),
            (UnOp::Pos, Some(Const::Int(_) | Const::Float(_))) => return value.clone(),
            _ => None,
        };
        folded.unwrap_or_default().with_taints(&value.taints())
    }

    pub(crate) fn compare(left: &Value, right: &Value, equal: bool) -> Value {
        match (left.exact(), right.exact()) {
            (Some(Const::Partial(_)) | None, _) | (_, Some(Const::Partial(_)) | None) => {
                Value::Unknown
            }
            (Some(a), Some(b)) => Value::Const(Const::Bool((a == b) == equal)),
        }
    }

    pub(crate) fn build_dict(&mut self, args: Args) -> Value {
        let list = self.program.arg_slice(args);
        let mut pairs = Vec::with_capacity(list.len() / 2);
        let mut taints = super::value::Taints::new();
        for pair in list.chunks_exact(2) {
            let (key, value) = (
                &self.vals[pair[0].reg as usize],
                &self.vals[pair[1].reg as usize],
            );
            if pair[1].kind == ArgKind::DoubleStar {
                super::value::merge_taints(&mut taints, &value.taints());
                if let Some(inner) = value.pairs() {
                    pairs.extend(inner.iter().cloned());
                }
            } else {
                pairs.push((key.clone(), value.clone()));
            }
        }
        Value::dict(pairs).with_taints(&taints)
    }

    pub(crate) fn format_string(&mut self, args: Args) -> Value {
        let list: SmallVec<[(ArgKind, Value); 8]> = self
            .program
            .arg_slice(args)
            .iter()
            .map(|arg| (arg.kind, self.vals[arg.reg as usize].clone()))
            .collect();
        let taints = gather(list.iter().map(|(_, value)| value));
        let size = |value: &Value| value.consts().first().map_or(0, const_size);
        if !self.spend_fold(list.iter().map(|(_, value)| size(value)).sum()) {
            return Value::Unknown.with_taints(&taints);
        }
        let mut bytes: Vec<u8> = Vec::new();
        let mut all_bytes = !list.is_empty();
        let mut out = String::new();
        for (kind, value) in &list {
            if let (Some(Const::Bytes(part)), ArgKind::Plain) = (value.exact(), kind) {
                bytes.extend_from_slice(part);
                continue;
            }
            all_bytes = false;
            let spec = match kind {
                ArgKind::Named(spec) if *spec != sym::EMPTY => self.symbols.text(*spec),
                _ => "",
            }
            .to_owned();
            if Self::has_instance(value) {
                let spec = Value::str(&spec);
                self.implicit(self.here, value, "__format__", &[&spec]);
                out.push(HOLE);
                continue;
            }
            format::push(&mut out, value, &spec);
            if out.len() > MAX_TEXT {
                return Value::Unknown.with_taints(&taints);
            }
        }
        if all_bytes {
            return Value::bytes(&bytes).with_taints(&taints);
        }
        Value::Const(text::known(&out)).with_taints(&taints)
    }

    /// The element at an index of a container that is taken apart.
    pub(crate) fn item_of(&mut self, whole: &Value, index: usize) -> Value {
        if whole.is_unknown() {
            return Value::Unknown;
        }
        if let Some(items) = whole.items()
            && let Some(item) = items.get(index)
        {
            return item.with_taints(&whole.taints());
        }
        if let Some(Const::Str(text)) = whole.exact()
            && let Some(letter) = text.chars().nth(index)
        {
            return Value::str(&letter.to_string()).with_taints(&whole.taints());
        }
        self.element_of(whole)
    }

    /// What a starred target takes of a container.
    pub(crate) fn rest_of(&mut self, at: Reg, whole: &Value, front: usize, back: usize) -> Value {
        let rest = self
            .known_elements(whole)
            .filter(|items| items.len() >= front + back && self.spend_fold(items.len()));
        if let Some(items) = rest {
            let end = items.len() - back;
            return Value::seq(items[front..end].to_vec()).with_taints(&whole.taints());
        }
        let element = self.element_at(at, whole);
        Value::element(element).with_taints(&whole.taints())
    }

    /// Any element of a container.
    pub(crate) fn element_of(&mut self, whole: &Value) -> Value {
        let Some(rich) = whole.rich() else {
            return match whole {
                Value::Ref(Ref::Name(name)) => {
                    // Iterating what a name gives keeps its name: rows, lines, files.
                    self.names
                        .child(&mut self.symbols, *name, sym::ITEM)
                        .filter(|id| self.names.get(*id).node != crate::syntax::ir::NONE)
                        .map_or(Value::Unknown, |id| Value::Ref(Ref::Name(id)))
                }
                _ => Value::Unknown,
            };
        };
        let mut out = rich.element.clone();
        if let Some(items) = &rich.seq {
            for (index, item) in items.iter().take(MAX_JOINED).enumerate() {
                out = if index == 0 && out.is_unknown() {
                    item.clone()
                } else {
                    out.join(item)
                };
            }
            if items.len() > MAX_JOINED {
                out = out.join(&Value::Unknown);
            }
        } else if let Some(pairs) = &rich.dict {
            for (key, _) in pairs.iter().take(16) {
                out = if out.is_unknown() {
                    key.clone()
                } else {
                    out.join(key)
                };
            }
        }
        out.with_taints(&rich.taint)
    }

    /// Anything inside of a value, as deep as a pattern can look.
    pub(crate) fn inside_of(&mut self, whole: &Value) -> Value {
        let mut out = Value::Unknown;
        let mut pending: Vec<(Value, u8)> = vec![(whole.clone(), 0)];
        let mut seen = 0;
        while let Some((value, depth)) = pending.pop() {
            seen += 1;
            if seen > 128 || depth > 4 {
                break;
            }
            let mut inner: Vec<Value> = Vec::new();
            if let Some(items) = value.items() {
                inner.extend(items.iter().take(32).cloned());
            }
            if let Some(pairs) = value.pairs() {
                inner.extend(pairs.iter().take(32).map(|(_, value)| value.clone()));
            }
            if let Some(rich) = value.rich() {
                inner.push(rich.element.clone());
            }
            for one in value.refs() {
                if let Ref::Instance(class) = one {
                    let fields = self.attributes_of(class);
                    inner.extend(
                        fields
                            .pairs()
                            .iter()
                            .flat_map(|pairs| pairs.iter().map(|(_, value)| value.clone())),
                    );
                }
            }
            for value in inner {
                if !value.is_unknown() {
                    out = out.join_known(&value);
                    pending.push((value, depth + 1));
                }
            }
        }
        out.with_taints(&whole.taints())
    }

    /// All elements in order, when each is known.
    pub(crate) fn known_elements(&mut self, value: &Value) -> Option<Vec<Value>> {
        if let Some(Rich {
            seq: Some(items),
            open: false,
            refs,
            consts,
            ..
        }) = value.rich()
        {
            return (refs.is_empty() && consts.is_empty()).then(|| items.to_vec());
        }
        if let Some(pairs) = value.pairs() {
            return Some(pairs.iter().map(|(key, _)| key.clone()).collect());
        }
        let one = value.exact()?;
        // Each letter becomes a value. A part of the letters would be another text.
        let size = const_size(one);
        if size > super::value::MAX_ELEMENTS || !self.spend_fold(16 * size) {
            return None;
        }
        match one {
            Const::Str(text) => Some(
                text.chars()
                    .map(|c| Value::str(c.encode_utf8(&mut [0; 4])))
                    .collect(),
            ),
            Const::Bytes(bytes) => Some(bytes.iter().map(|b| Value::int(i64::from(*b))).collect()),
            _ => None,
        }
    }
}

fn is_text(one: &Const) -> bool {
    matches!(one, Const::Str(_) | Const::Partial(_))
}

pub(crate) fn const_size(one: &Const) -> usize {
    match one {
        Const::Str(text) | Const::Partial(text) => text.len(),
        Const::Bytes(bytes) => bytes.len(),
        _ => 1,
    }
}
