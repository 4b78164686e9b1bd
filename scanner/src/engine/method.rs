//! Methods of constants and containers: folding them, and what they add to the container.

use smallvec::SmallVec;

use super::Engine;
use super::call::Call;
use super::fold::{codec, format, text};
use super::value::{Const, Ref, Value};
use crate::syntax::ir::{Reg, Sym};
use crate::syntax::symbols::sym;

impl Engine {
    /// Calls a method of a constant, a container or a namespace.
    pub(crate) fn call_method(&mut self, object: &Value, name: Sym, call: &Call) -> Value {
        let namespace = object
            .refs()
            .iter()
            .any(|one| matches!(one, Ref::Dict(_) | Ref::Globals | Ref::Name(_)));
        if namespace && matches!(name, sym::GET | sym::POP | sym::SETDEFAULT | sym::GETITEM) {
            let key = call.pos.first().cloned().unwrap_or_default();
            return self.item_at(call.at, object, &key);
        }
        if namespace && matches!(name, sym::VALUES | sym::ITEMS) {
            // Who goes through all of a module's names may be after any of them.
            for one in object.refs() {
                if let Ref::Dict(id) = one {
                    self.judge_unknown_attr(call.at, id);
                }
            }
        }
        if namespace && matches!(name, sym::VALUES | sym::ITEMS | sym::COPY | sym::KEYS) {
            return if name == sym::COPY {
                object.clone()
            } else {
                Value::Unknown
            };
        }
        if namespace && name == sym::UPDATE {
            let mut stored: Vec<(Sym, Value)> = call.kw.to_vec();
            if let Some(pairs) = call.pos.first().and_then(|value| value.pairs().cloned()) {
                for (key, value) in pairs.iter() {
                    if let Some(key) = key.as_str() {
                        stored.push((self.symbols.intern(key), value.clone()));
                    }
                }
            }
            for (key, value) in stored {
                self.store_attr_on(object, key, &value);
            }
            return Value::Unknown;
        }
        if let Some(key) = call.keyword(self, "key").cloned()
            && self.symbols.text(name) == "sort"
        {
            for item in self
                .known_elements(object)
                .unwrap_or_default()
                .into_iter()
                .take(64)
            {
                let mut inner = Call::bare(call.at);
                inner.depth = call.depth + 1;
                inner.pos.push(item);
                self.call_value(&key, inner);
            }
        }
        let mut taints = call.taints();
        super::value::merge_taints(&mut taints, &object.taints());
        self.fold_method(object, name, call)
            .unwrap_or_default()
            .with_taints(&taints)
    }

    fn fold_method(&mut self, object: &Value, name: Sym, call: &Call) -> Option<Value> {
        let method = self.symbols.text(name).to_owned();
        if let Some(pairs) = object.pairs() {
            return match method.as_str() {
                "get" | "pop" | "setdefault" | "__getitem__" => {
                    let key = call.pos.first()?.clone();
                    let found = self.item_at(call.at, object, &key);
                    let default = call.pos.get(1).cloned();
                    match default {
                        Some(default) if lacks_key(object, &key) => Some(default),
                        // Whether the key is there is known only where both are.
                        Some(default) if !has_key(object, &key) => Some(found.join(&default)),
                        _ => Some(found),
                    }
                }
                "values" => Some(Value::seq(pairs.iter().map(|(_, v)| v.clone()).collect())),
                "keys" => Some(Value::seq(pairs.iter().map(|(k, _)| k.clone()).collect())),
                "items" => Some(Value::seq(
                    pairs
                        .iter()
                        .map(|(k, v)| Value::seq(vec![k.clone(), v.clone()]))
                        .collect(),
                )),
                "copy" => Some(object.clone()),
                _ => None,
            };
        }
        if object
            .rich()
            .is_some_and(|rich| rich.seq.is_some() || !rich.element.is_unknown())
        {
            return match method.as_str() {
                "pop" | "get" | "popleft" | "get_nowait" | "__getitem__" | "__next__" => {
                    match call.pos.first() {
                        Some(key) => {
                            let key = key.clone();
                            Some(self.item_at(call.at, object, &key))
                        }
                        None => Some(self.element_of(object)),
                    }
                }
                "copy" | "__iter__" => Some(object.clone()),
                _ => None,
            };
        }
        let consts: SmallVec<[Const; 2]> = object.consts().iter().take(4).cloned().collect();
        let mut out: Option<Value> = None;
        for one in consts {
            let done = self
                .fold_const_method(&one, &method, call)
                .unwrap_or_default();
            out = Some(match out {
                Some(known) => known.join(&done),
                None => done,
            });
        }
        out
    }

    fn fold_const_method(&mut self, one: &Const, method: &str, call: &Call) -> Option<Value> {
        let size = super::operate::const_size(one);
        if !self.spend_fold(size + 16) {
            return None;
        }
        match one {
            Const::Str(own) | Const::Partial(own) => match method {
                "join" => {
                    let list = call.pos.first()?;
                    match self.known_elements(list) {
                        Some(parts) => {
                            self.spend_fold(parts.len() * 8);
                            text::join(own, &parts).map(Value::Const)
                        }
                        None => None,
                    }
                }
                "format" => {
                    let named: Vec<(String, Value)> = call
                        .kw
                        .iter()
                        .map(|(key, value)| (self.symbols.text(*key).to_owned(), value.clone()))
                        .collect();
                    let done = format::braces(own, &call.pos, &named)?;
                    Some(Value::Const(text::known(&done)))
                }
                "format_map" => {
                    let named: Vec<(String, Value)> = call
                        .pos
                        .first()?
                        .pairs()?
                        .iter()
                        .filter_map(|(key, value)| Some((key.as_str()?.to_owned(), value.clone())))
                        .collect();
                    let done = format::braces(own, &[], &named)?;
                    Some(Value::Const(text::known(&done)))
                }
                "__getitem__" => {
                    let key = call.pos.first()?.clone();
                    Some(self.item_at(call.at, &Value::Const(one.clone()), &key))
                }
                "__mod__" => None,
                // The match of a pattern, as the function given to `re.sub` sees it.
                "group" => Some(Value::Const(one.clone())),
                _ => text::method(own, method, &call.pos),
            },
            Const::Bytes(own) => match method {
                "join" => {
                    let parts = self.known_elements(call.pos.first()?)?;
                    text::join_bytes(own, &parts).map(Value::Const)
                }
                _ => text::bytes_method(own, method, &call.pos),
            },
            Const::Int(number) if method == "to_bytes" => {
                let width = usize::try_from(call.pos.first()?.as_int()?)
                    .ok()
                    .filter(|w| *w <= 8)?;
                let order = call.pos.get(1).and_then(Value::as_str).unwrap_or("big");
                let big = number.to_be_bytes();
                let mut bytes = big[8 - width..].to_vec();
                if order == "little" {
                    bytes.reverse();
                }
                Some(Value::bytes(&bytes))
            }
            _ => None,
        }
    }

    /// What a method call on a variable adds to the container in it.
    pub(crate) fn mutate(&mut self, call: &Call, name: Sym) {
        let Some((object, receiver)) = &call.receiver else {
            return;
        };
        let adds = matches!(
            name,
            sym::APPEND
                | sym::EXTEND
                | sym::ADD
                | sym::INSERT
                | sym::UPDATE
                | sym::PUT
                | sym::APPENDLEFT
                | sym::SETDEFAULT
                | sym::WRITE
        );
        if !adds {
            return;
        }
        self.judge_growth(call.at, *object);
        if name == sym::UPDATE && self.update_of(call, *object, receiver) {
            return;
        }
        let Some(value) = call.pos.last() else { return };
        if receiver
            .refs()
            .iter()
            .any(|one| matches!(one, Ref::Name(_) | Ref::Dict(_) | Ref::Globals))
        {
            return;
        }
        if let (Some(Const::Bytes(own)), sym::APPEND | sym::EXTEND) = (receiver.exact(), name) {
            let grown = grown_bytes(own, value);
            if let Some(grown) = grown
                && self.spend_fold(own.len() + 16)
            {
                self.replace_base(*object, &grown.with_taints(&receiver.taints()));
            }
            return;
        }
        if let Some(grown) = self.placed(call, name, receiver) {
            self.replace_base(*object, &grown);
            return;
        }
        let grown = match (name, receiver.items()) {
            (sym::APPEND, Some(items)) if items.len() < 512 => {
                if !self.spend(1 + items.len() as u64 / 16) {
                    return;
                }
                let mut items = items.to_vec();
                items.push(value.clone());
                Value::seq(items).with_taints(&receiver.taints())
            }
            (sym::EXTEND, Some(items))
                if value.items().is_some_and(|v| v.len() + items.len() < 512) =>
            {
                let more = value.items().map(|v| v.to_vec()).unwrap_or_default();
                if !self.spend(1 + (items.len() + more.len()) as u64 / 16) {
                    return;
                }
                Value::seq(items.iter().cloned().chain(more).collect())
                    .with_taints(&receiver.taints())
            }
            (sym::UPDATE, _) if value.pairs().is_some() && receiver.pairs().is_some() => {
                let pairs = receiver.pairs().into_iter().chain(value.pairs());
                let all: Vec<(Value, Value)> = pairs
                    .flat_map(|pairs| pairs.iter().cloned())
                    .take(4096)
                    .collect();
                Value::dict(all).with_taints(&receiver.taints())
            }
            _ if value.is_unknown() => return,
            (sym::EXTEND | sym::UPDATE, _) => {
                let element = self.element_of(value);
                receiver
                    .join_known(&Value::element(element))
                    .with_taints(&value.taints())
            }
            (sym::WRITE, _) => receiver.with_taints(&value.taints()),
            _ => receiver
                .join_known(&Value::element(value.clone()))
                .with_taints(&value.taints()),
        };
        self.replace_base(*object, &grown);
    }

    /// `list.insert(0, value)` and `d.setdefault(key, value)` at a known place.
    fn placed(&mut self, call: &Call, name: Sym, receiver: &Value) -> Option<Value> {
        let [place, value] = call.pos.as_slice() else {
            return None;
        };
        if name == sym::INSERT {
            let items = receiver.items().filter(|items| items.len() < 512)?;
            let at = usize::try_from(place.as_int()?).ok()?;
            if !self.spend(1 + items.len() as u64 / 16) {
                return None;
            }
            let mut items = items.to_vec();
            items.insert(at.min(items.len()), value.clone());
            return Some(Value::seq(items).with_taints(&receiver.taints()));
        }
        if name != sym::SETDEFAULT {
            return None;
        }
        place.exact()?;
        let pairs = receiver.pairs().filter(|pairs| pairs.len() < 512)?;
        if !self.spend(1 + pairs.len() as u64 / 16) {
            return None;
        }
        let mut pairs = pairs.to_vec();
        pairs.push((place.clone(), value.clone()));
        Some(Value::dict(pairs).with_taints(&receiver.taints()))
    }

    /// `d.update(name=value)`, and `vars(x).update(...)`, which sets attributes; false when it is neither.
    fn update_of(&mut self, call: &Call, object: Reg, receiver: &Value) -> bool {
        let mut pairs: Vec<(Value, Value)> = Vec::new();
        if let Some(known) = call.pos.first().and_then(Value::pairs) {
            pairs.extend(known.iter().take(4096).cloned());
        }
        for (key, value) in &call.kw {
            pairs.push((Value::str(self.symbols.text(*key)), value.clone()));
        }
        if let Some(owner) = self.namespace_owner(object) {
            for (key, value) in pairs {
                if let Some(key) = key.as_str() {
                    let name = self.symbols.intern(key);
                    self.store_attr_on(&owner, name, &value);
                }
            }
            return true;
        }
        if call.kw.is_empty() {
            return false;
        }
        let Some(own) = receiver.pairs().filter(|own| own.len() < 4096) else {
            return false;
        };
        if !self.spend(1 + (own.len() + pairs.len()) as u64 / 16) {
            return true;
        }
        let all = own.iter().cloned().chain(pairs).collect();
        let grown = Value::dict(all).with_taints(&receiver.taints());
        self.replace_base(object, &grown);
        true
    }

    /// `codecs.decode(x, codec)` and its relatives.
    pub(crate) fn decode_const(&mut self, one: &Const, name: &str) -> Option<Value> {
        if !self.spend_fold(super::operate::const_size(one) * 2) {
            return None;
        }
        let bytes: Vec<u8> = match one {
            Const::Str(text) => text.as_bytes().to_vec(),
            Const::Bytes(bytes) => bytes.to_vec(),
            _ => return None,
        };
        let done = match name {
            "base64" => Some(codec::base64(&bytes)),
            "base32" => Some(codec::base32(&bytes)),
            "base16" | "hex" => codec::from_hex(std::str::from_utf8(&bytes).ok()?),
            "base85" => codec::base85(&bytes, false),
            "ascii85" => codec::base85(&bytes, true),
            "zlib" => codec::zlib(&bytes),
            "gzip" => codec::gzip(&bytes),
            _ => None,
        };
        done.map(|bytes| Value::bytes(&bytes))
    }
}

/// A byte array with what is added to it: a number, bytes, or a list of numbers.
fn grown_bytes(own: &[u8], value: &Value) -> Option<Value> {
    let mut all = own.to_vec();
    match value.exact() {
        Some(Const::Int(number)) => all.push(u8::try_from(*number).ok()?),
        Some(Const::Bytes(more)) => all.extend_from_slice(more),
        Some(_) => return None,
        None => {
            for item in value.items()?.iter() {
                all.push(u8::try_from(item.as_int()?).ok()?);
            }
        }
    }
    (all.len() <= 1 << 16).then(|| Value::bytes(&all))
}

/// Whether a dictionary is sure to hold a key.
fn has_key(whole: &Value, key: &Value) -> bool {
    let (Some(pairs), Some(wanted)) = (whole.pairs(), key.exact()) else {
        return false;
    };
    pairs.iter().any(|(known, _)| known.exact() == Some(wanted))
}

/// Whether a dictionary is sure not to hold a key: all that it holds is known.
fn lacks_key(whole: &Value, key: &Value) -> bool {
    let (Some(pairs), Some(wanted)) = (whole.pairs(), key.exact()) else {
        return false;
    };
    let closed = whole
        .rich()
        .is_some_and(|rich| !rich.open && rich.refs.is_empty() && rich.element.is_unknown());
    let differs = |known: &Value| known.exact().is_some_and(|one| one != wanted);
    closed && pairs.iter().all(|(known, _)| differs(known))
}
