//! Calls: collects the arguments, finds out what is called, and sends the call to whoever knows what it does.

use smallvec::SmallVec;

use super::Engine;
use super::value::{Const, MAX_REFS, NameId, Ref, Taints, Value, gather, merge_taints};
use crate::rules::catalog::Use;
use crate::rules::effects::{Arg, Effect};
use crate::syntax::ir::{ArgKind, Args, NONE, Op, Reg, Sym};

/// How many calls deep partials, callbacks and decorators are followed at one place.
const MAX_CALLS: u32 = 12;
/// The position that stands for the object whose method is called.
const RECEIVER: u8 = u8::MAX;

/// A call with its arguments.
#[derive(Debug, Clone, Default)]
pub(crate) struct Call {
    pub(crate) at: Reg,
    pub(crate) pos: SmallVec<[Value; 4]>,
    pub(crate) kw: SmallVec<[(Sym, Value); 2]>,
    /// Values of `*` and `**` that could not be taken apart.
    pub(crate) spread: Option<Value>,
    /// The resolved name that is called, if any.
    pub(crate) name: NameId,
    /// The object whose method it is, with the register that it was loaded into.
    pub(crate) receiver: Option<(Reg, Value)>,
    pub(crate) depth: u32,
}

/// A callable with arguments already given.
#[derive(Debug, Clone)]
pub(crate) struct Partial {
    pub(crate) callee: Value,
    pub(crate) pos: SmallVec<[Value; 4]>,
    pub(crate) kw: SmallVec<[(Sym, Value); 2]>,
    /// What `operator.attrgetter` and the like do instead of a plain call.
    pub(crate) getter: Getter,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Getter {
    Call,
    /// `attrgetter(names)(object)`.
    Attr,
    /// `itemgetter(keys)(object)`.
    Item,
    /// `methodcaller(name, ...)(object)`.
    Method,
    /// A call whose result is the first of a pair, as a codec's functions give it.
    Pair,
}

impl Call {
    /// A call without arguments.
    pub(crate) fn bare(at: Reg) -> Self {
        Self {
            at,
            name: NONE,
            ..Self::default()
        }
    }

    pub(crate) fn arg(&self, engine: &Engine, arg: Arg) -> Option<&Value> {
        if arg.0 == RECEIVER {
            return self.receiver.as_ref().map(|(_, value)| value);
        }
        if let Some(value) = self.pos.get(usize::from(arg.0)) {
            return Some(value);
        }
        self.keyword(engine, arg.1).or(self.spread.as_ref())
    }

    pub(crate) fn keyword(&self, engine: &Engine, name: &str) -> Option<&Value> {
        if name.is_empty() {
            return None;
        }
        self.kw
            .iter()
            .find(|(key, _)| engine.symbols.text(*key) == name)
            .map(|(_, value)| value)
    }

    /// Taint of all arguments and their elements.
    pub(crate) fn taints(&self) -> Taints {
        let mut all = Taints::new();
        for value in self.values() {
            if value.rich().is_some() {
                merge_taints(&mut all, &value.all_taints());
            }
        }
        all
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &Value> {
        self.pos
            .iter()
            .chain(self.kw.iter().map(|(_, value)| value))
            .chain(self.spread.iter())
    }
}

impl Engine {
    pub(crate) fn call_insn(&mut self, at: Reg, callee: Reg, args: Args) -> Value {
        let func = self.val(callee);
        let mut call = Call::bare(at);
        if let Op::Attr(object, _) = self.program.insns[callee as usize].op {
            let value = self.val(object);
            call.receiver = Some((object, value));
        }
        self.collect(&mut call, args);
        if let Op::Attr(_, name) = self.program.insns[callee as usize].op
            && matches!(call.pos.first(), Some(Value::Const(Const::Str(_))))
        {
            self.judge_saved(&call, name);
        }
        if func.is_unknown() {
            self.judge_callee(&call);
            if call.values().any(Value::is_tainted)
                || call
                    .receiver
                    .as_ref()
                    .is_some_and(|(_, value)| value.is_tainted())
            {
                self.written_into(&call, callee, args);
            }
            return self.unknown_call(&call, callee);
        }
        let out = self.call_with(&func, &mut call);
        if let (Op::Attr(_, name), Some((_, receiver))) =
            (self.program.insns[callee as usize].op, &call.receiver)
            && (receiver.rich().is_some() || receiver.exact().is_some())
        {
            self.mutate(&call, name);
        }
        if func.is_tainted() || call.values().any(Value::is_tainted) {
            self.written_into(&call, callee, args);
        }
        if args.len >= 2 {
            self.namespace_filled(&func, args);
        }
        out
    }

    /// `image.save(buffer)`, `json.dump(data, file)`: what is written into a variable is in it from there on.
    fn written_into(&mut self, call: &Call, callee: Reg, args: Args) {
        let name = match self.program.insns[callee as usize].op {
            Op::Attr(_, name) | Op::Load(name) => self.symbols.text(name),
            _ => return,
        };
        if !matches!(
            name,
            "save" | "savefig" | "dump" | "copyfileobj" | "to_csv" | "to_json" | "to_pickle"
        ) {
            return;
        }
        let mut taints = call.taints();
        if let Some((_, receiver)) = &call.receiver {
            merge_taints(&mut taints, &receiver.all_taints());
        }
        for index in args.at..args.at + args.len {
            let reg = self.program.args[index as usize].reg;
            if matches!(self.program.insns[reg as usize].op, Op::Load(_)) {
                let value = self.val(reg).with_taints(&taints);
                self.replace_base(reg, &value);
            }
        }
    }

    /// `figure.savefig(path)`, `frame.to_csv(path)` and their like on objects that are not known: what lies outside of
    /// the working folder is judged.
    fn judge_saved(&mut self, call: &Call, method: Sym) {
        use super::place::Place;
        if !matches!(
            self.symbols.text(method),
            "to_csv"
                | "to_json"
                | "to_excel"
                | "to_html"
                | "to_parquet"
                | "to_pickle"
                | "tofile"
                | "savefig"
                | "save"
                | "savetxt"
                | "write_image"
        ) {
            return;
        }
        let path = call.pos[0].clone();
        let outside = Self::places(&path).iter().any(|place| {
            !matches!(
                place,
                Place::Relative | Place::Temp | Place::Unknown | Place::Project
            )
        });
        if outside
            && let Some(name) = self
                .names
                .child(&mut self.symbols, super::names::ROOT, method)
        {
            let mut named = call.clone();
            named.name = name;
            self.judge_path(&named, &path, crate::rules::Access::Write);
        }
    }

    /// `exec(code, names)`: what the code defines is in the dictionary from there on. Here code always runs in the
    /// scope of the module, so that is where the names are.
    fn namespace_filled(&mut self, func: &Value, args: Args) {
        let Value::Ref(Ref::Name(name)) = func else {
            return;
        };
        if self.names.text(&self.symbols, *name) != "builtins.exec" {
            return;
        }
        for index in args.at + 1..args.at + args.len {
            let reg = self.program.args[index as usize].reg;
            if matches!(self.program.insns[reg as usize].op, Op::Load(_)) {
                let value = self.val(reg).join_known(&Value::Ref(Ref::Globals));
                self.replace_base(reg, &value);
            }
        }
    }

    fn collect(&mut self, call: &mut Call, args: Args) {
        for index in args.at..args.at + args.len {
            let arg = self.program.args[index as usize];
            let value = self.vals[arg.reg as usize].clone();
            match arg.kind {
                ArgKind::Plain => call.pos.push(value),
                ArgKind::Named(name) => call.kw.push((name, value)),
                ArgKind::Star => match value.items() {
                    Some(items) if items.len() <= 64 => call.pos.extend(items.iter().cloned()),
                    _ => {
                        let element = self.element_of(&value).with_taints(&value.taints());
                        call.spread = Some(element);
                    }
                },
                ArgKind::DoubleStar => {
                    if let Some(pairs) = value.pairs() {
                        let pairs = std::rc::Rc::clone(pairs);
                        for (key, value) in pairs.iter().take(64) {
                            if let Some(key) = key.as_str() {
                                let key = self.symbols.intern(key);
                                call.kw.push((key, value.clone()));
                            }
                        }
                    } else {
                        let element = self.element_of(&value).with_taints(&value.taints());
                        call.spread = Some(element);
                    }
                }
            }
        }
    }

    /// What is said of a call whose callee is not known: taint flows through, containers may grow.
    fn unknown_call(&mut self, call: &Call, callee: Reg) -> Value {
        let mut taints = call.taints();
        if let Some((_, receiver)) = &call.receiver {
            merge_taints(&mut taints, &receiver.taints());
        }
        if let Op::Attr(_, name) = self.program.insns[callee as usize].op {
            self.mutate(call, name);
        }
        Value::Unknown.with_taints(&taints)
    }

    /// Calls a value: each thing that it may be in turn.
    pub(crate) fn call_value(&mut self, func: &Value, mut call: Call) -> Value {
        self.call_with(func, &mut call)
    }

    /// Calls a value with a call that is used again; only its name is set.
    fn call_with(&mut self, func: &Value, call: &mut Call) -> Value {
        if call.depth > MAX_CALLS || !self.spend(1) {
            return Value::Unknown.with_taints(&call.taints());
        }
        let mut out: Option<Value> = None;
        let refs = func.refs();
        if refs.len() >= MAX_REFS {
            // What did not fit may be anything.
            self.raise(
                "SR003",
                call.at,
                super::emit::Raise {
                    message: Some("this may be more functions than are followed".to_owned()),
                    ..super::emit::Raise::default()
                },
            );
        }
        for one in refs {
            let found = match one {
                Ref::Name(name) => {
                    call.name = name;
                    self.call_name(call)
                }
                Ref::Func(id) => self.call_func(id, None, call),
                Ref::Method(id, class) => self.call_func(id, Some(class), call),
                Ref::Class(class) => self.instantiate(class, call),
                Ref::Instance(class) => {
                    let method =
                        self.instance_attr(class, crate::syntax::symbols::sym::CALL_DUNDER);
                    let mut inner = call.clone();
                    inner.depth += 1;
                    self.call_value(&method, inner)
                }
                Ref::Partial(id) => self.call_partial(id, call),
                Ref::Bound(id) => {
                    self.asks_entry(true, id);
                    let (value, name) = self.bounds[id as usize].clone();
                    self.call_method(&value, name, call)
                }
                Ref::Dict(_) | Ref::Globals => Value::Unknown,
            };
            out = Some(match out {
                Some(known) => known.join(&found),
                None => found,
            });
        }
        match out {
            Some(value) => value,
            None => Value::Unknown.with_taints(&gather(call.values().chain([func]))),
        }
    }

    fn call_partial(&mut self, id: u32, call: &Call) -> Value {
        self.asks_entry(false, id);
        let partial = self.partials[id as usize].clone();
        let mut merged = call.clone();
        merged.depth += 1;
        match partial.getter {
            Getter::Call => {
                merged.pos = partial.pos.iter().chain(call.pos.iter()).cloned().collect();
                merged.kw.extend(partial.kw.iter().cloned());
                self.call_value(&partial.callee, merged)
            }
            Getter::Pair => {
                merged.kw.extend(partial.kw.iter().cloned());
                let value = self.call_value(&partial.callee, merged);
                Value::seq(vec![value, Value::Unknown])
            }
            Getter::Attr => {
                let mut value = call.pos.first().cloned().unwrap_or_default();
                let Some(path) = partial.pos.first().and_then(Value::as_str) else {
                    for one in value.refs() {
                        if let Ref::Name(name) = one {
                            self.judge_unknown_attr(call.at, name);
                        }
                    }
                    return Value::Unknown;
                };
                for part in path.split('.').take(8) {
                    let name = self.symbols.intern(part);
                    value = self.attr_of(call.at, &value, name);
                }
                value
            }
            Getter::Item => {
                let value = call.pos.first().cloned().unwrap_or_default();
                let mut items = Vec::with_capacity(partial.pos.len());
                for key in &partial.pos {
                    items.push(self.item_at(call.at, &value, key));
                }
                match items.as_slice() {
                    [one] => one.clone(),
                    _ => Value::seq(items),
                }
            }
            Getter::Method => {
                let object = call.pos.first().cloned().unwrap_or_default();
                let Some(name) = partial.pos.first().and_then(Value::as_str) else {
                    return Value::Unknown;
                };
                let name = self.symbols.intern(name);
                let method = self.attr_of(call.at, &object, name);
                merged.pos = partial.pos.iter().skip(1).cloned().collect();
                merged.kw.clone_from(&partial.kw);
                self.call_value(&method, merged)
            }
        }
    }

    pub(crate) fn new_partial(&mut self, partial: Partial) -> Value {
        if self.partials.len() > 1 << 18 {
            return Value::Unknown;
        }
        let id = self.made_here(false, self.partials.len());
        match self.partials.get_mut(id as usize) {
            Some(known) => {
                let grows = known.callee.would_grow(&partial.callee)
                    || known
                        .pos
                        .iter()
                        .zip(&partial.pos)
                        .any(|(a, b)| a.would_grow(b))
                    || known
                        .kw
                        .iter()
                        .zip(&partial.kw)
                        .any(|((_, a), (_, b))| a.would_grow(b));
                *known = partial;
                if grows {
                    self.entry_grew(false, id);
                }
            }
            None => self.partials.push(partial),
        }
        Value::Ref(Ref::Partial(id))
    }

    /// A named function with its first argument given.
    pub(crate) fn partial_of(&mut self, name: &str, first: Value) -> Value {
        let callee = self.named(name);
        self.new_partial(Partial {
            callee,
            pos: SmallVec::from_elem(first, 1),
            kw: SmallVec::new(),
            getter: Getter::Call,
        })
    }

    pub(crate) fn named(&mut self, name: &str) -> Value {
        if name.is_empty() {
            return Value::Unknown;
        }
        self.names
            .dotted(&mut self.symbols, name)
            .map_or(Value::Unknown, |id| Value::Ref(Ref::Name(id)))
    }

    /// A call of a resolved name: usage, rules, effects, result.
    fn call_name(&mut self, call: &Call) -> Value {
        let name = call.name;
        self.note_usage(crate::UsageKind::Call, name, call.at);
        self.judge_in_loop(call);
        self.judge_endless_iterator(call);
        self.note_spawn(call);
        let node = self.names.get(name).node;
        let mut clean = false;
        let mut out: Option<Value> = None;
        if node != NONE {
            let entry = self.catalog.node(node);
            if !entry.hits.is_empty() {
                self.judge_name(call.at, name, Use::Call, Some(call));
            }
            for effect in &entry.effects {
                if matches!(effect, Effect::Clean) {
                    clean = true;
                }
                if let Some(value) = self.apply_effect(effect, call) {
                    out = Some(match out {
                        Some(known) => known.join_known(&value),
                        None => value,
                    });
                }
            }
        }
        let result = match out {
            Some(value) => value,
            None => self
                .names
                .result(&mut self.symbols, name)
                .map_or(Value::Unknown, |id| Value::Ref(Ref::Name(id))),
        };
        let result = match self.printed.get(&call.at).copied() {
            Some(label) => {
                let taint = self.source_taint(label, "a program prints secrets", call.at);
                result.with_taints(&[taint])
            }
            None => result,
        };
        self.judge_callbacks(call);
        if clean {
            return result;
        }
        let mut taints = call.taints();
        if let Some((_, receiver)) = &call.receiver {
            merge_taints(&mut taints, &receiver.taints());
        }
        result.with_taints(&taints)
    }
}
