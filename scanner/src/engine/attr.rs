//! Attributes and items: loading, storing and deleting them, on modules, classes, instances and containers.

use super::Engine;
use super::names::ROOT;
use super::scope::SlotId;
use super::step::StepKind;
use super::value::{NameId, Ref, Value};
use crate::rules::catalog::Use;
use crate::rules::effects::Effect;
use crate::syntax::ir::{ClassId, NONE, Op, Reg, Sym};
use crate::syntax::symbols::sym;

impl Engine {
    pub(crate) fn load_attr(&mut self, at: Reg, object: Reg, name: Sym) -> Value {
        let value = self.val(object);
        self.judge_dunder(at, &value, name);
        if value.is_unknown() {
            if let Some(slot) = self.path_slot(object, name) {
                return self.ask_slot(slot);
            }
            self.miss(name);
            return self.gadget_attr(name);
        }
        let mut out = self.attr_of(at, &value, name);
        if let Some(slot) = self.path_slot(object, name) {
            let stored = self.ask_slot(slot);
            out = if out.is_unknown() {
                stored
            } else {
                out.join(&stored)
            };
        }
        out
    }

    /// Attributes of things that are not known, which lead to the interpreter's own namespaces.
    fn gadget_attr(&mut self, name: Sym) -> Value {
        match name {
            sym::GLOBALS | sym::F_GLOBALS | sym::FUNC_GLOBALS | sym::F_LOCALS => {
                Value::Ref(Ref::Globals)
            }
            sym::DUNDER_BUILTINS | sym::MODULE_BUILTINS => self.module_value(sym::BUILTINS),
            _ => Value::Unknown,
        }
    }

    /// The attribute of a value, whatever it is.
    pub(crate) fn attr_of(&mut self, at: Reg, value: &Value, name: Sym) -> Value {
        if let Value::Ref(Ref::Name(id)) = value {
            return self.name_attr_used(at, *id, name);
        }
        let mut out: Option<Value> = None;
        for one in value.refs() {
            let found = match one {
                Ref::Name(id) => self.name_attr_used(at, id, name),
                Ref::Class(class) => self.class_attr(class, name),
                Ref::Instance(class) if name == sym::DICT => self.attributes_of(class),
                Ref::Instance(class) => {
                    let own = self.instance_attr(class, name);
                    if own.is_unknown() {
                        self.missing_attr(at, class, name)
                    } else if Self::has_instance(&own) {
                        let given = [&Value::Ref(one), &Value::Ref(Ref::Class(class))];
                        match self.implicit(at, &own, "__get__", &given) {
                            Some(got) => own.join_known(&got),
                            None => own,
                        }
                    } else {
                        own
                    }
                }
                Ref::Func(_) | Ref::Method(..) | Ref::Partial(_) | Ref::Bound(_) => match name {
                    sym::CALL_DUNDER | sym::WRAPPED | sym::FUNC_DUNDER => Value::Ref(one),
                    _ => self.gadget_attr(name),
                },
                Ref::Dict(_) | Ref::Globals => self.bound_method(&Value::Ref(one), name),
            };
            out = Some(match out {
                Some(known) => known.join(&found),
                None => found,
            });
        }
        let mut out = out.unwrap_or_default();
        if out.is_unknown() {
            out = self.gadget_attr(name);
        }
        if self.symbols.text(name) == "parent" && !value.consts().is_empty() {
            out = self.parent_of_path(value).unwrap_or(out);
        }
        if name == sym::STDIN && !value.consts().is_empty() && !out.refs().is_empty() {
            // The pipe into a program goes on to say which program it is.
            out = out.join(&Value::Rich(std::rc::Rc::new(super::value::Rich {
                consts: value.consts().iter().cloned().collect(),
                ..super::value::Rich::default()
            })));
        }
        if name == sym::VALUE && !value.consts().is_empty() {
            // The value of an enumeration's member.
            out = out.join_known(value);
        }
        if !value.consts().is_empty()
            || value
                .rich()
                .is_some_and(|rich| rich.seq.is_some() || rich.dict.is_some())
        {
            out = out.join_known(&self.bound_method(value, name));
        }
        let taints = value.taints();
        out.with_taints(&taints)
    }

    pub(crate) fn bound_method(&mut self, value: &Value, name: Sym) -> Value {
        if self.bounds.len() > 1 << 18 {
            return Value::Unknown;
        }
        let id = self.made_here(true, self.bounds.len());
        let entry = (value.clone(), name);
        match self.bounds.get_mut(id as usize) {
            Some(known) => {
                let grows = known.0.would_grow(&entry.0);
                *known = entry;
                if grows {
                    self.entry_grew(true, id);
                }
            }
            None => self.bounds.push(entry),
        }
        Value::Ref(Ref::Bound(id))
    }

    /// An attribute of a name, with its rules.
    pub(crate) fn name_attr_used(&mut self, at: Reg, id: NameId, name: Sym) -> Value {
        let value = self.name_attr(id, name);
        if let Value::Ref(Ref::Name(found)) = value {
            // First of all: where the value comes from a source there is an early way out.
            self.note_usage(crate::UsageKind::Attribute, found, at);
            let node = self.names.get(found).node;
            if node != NONE {
                let entry = self.catalog.node(node);
                if !entry.hits.is_empty() {
                    self.judge_name(at, found, Use::Name, None);
                }
                if let Some(text) = entry.text() {
                    return Value::str(text);
                }
                if let Some(Effect::Source(label, what)) = entry
                    .effects
                    .iter()
                    .find(|e| matches!(e, Effect::Source(..)))
                    && self.catalog.child(node, "()").is_none()
                    && !self.is_callable_source(found)
                {
                    let taint = self.source_taint(*label, what, at);
                    return value.with_taints(&[taint]);
                }
            }
        }
        value
    }

    /// Sources that are functions taint what they give, not the mention of their name.
    fn is_callable_source(&self, name: NameId) -> bool {
        let text = self.names.text(&self.symbols, name);
        !matches!(
            text.as_str(),
            "os.environ"
                | "os.environb"
                | "sys.argv"
                | "sys.stdin"
                | "sys.orig_argv"
                | "flask.request.args"
                | "flask.request.form"
                | "flask.request.json"
                | "flask.request.data"
        )
    }

    /// An attribute of a name: what was stored there, or the longer name.
    pub(crate) fn name_attr(&mut self, id: NameId, name: Sym) -> Value {
        if !self.overrides.is_empty()
            && let Some(&slot) = self.overrides.get(&(id, name))
        {
            let stored = self.ask_slot(slot);
            if !stored.is_unknown() {
                return stored;
            }
        }
        match name {
            sym::DICT => return Value::Ref(Ref::Dict(id)),
            sym::CALL_DUNDER | sym::WRAPPED | sym::FUNC_DUNDER | sym::LOADER | sym::SPEC => {
                return Value::Ref(Ref::Name(id));
            }
            sym::SELF_DUNDER => {
                let parent = self.names.get(id).parent;
                if parent != NONE && parent != ROOT {
                    return Value::Ref(Ref::Name(parent));
                }
            }
            sym::GETATTRIBUTE if self.is_bare_type(id) => return self.named("builtins.getattr"),
            sym::GETATTRIBUTE | sym::GETATTR_DUNDER => {
                return self.partial_of("builtins.getattr", Value::Ref(Ref::Name(id)));
            }
            sym::GLOBALS => return Value::Ref(Ref::Globals),
            // What a loader of a module gives.
            sym::LOAD_MODULE | sym::CREATE_MODULE => {
                return self.partial_of("copy.copy", Value::Ref(Ref::Name(id)));
            }
            sym::DUNDER_BUILTINS => return self.module_value(sym::BUILTINS),
            sym::GETITEM => return self.bound_method(&Value::Ref(Ref::Name(id)), name),
            _ => {}
        }
        self.names
            .child(&mut self.symbols, id, name)
            .map_or(Value::Unknown, |found| Value::Ref(Ref::Name(found)))
    }

    /// Types whose `__getattribute__` is given the object.
    fn is_bare_type(&self, id: NameId) -> bool {
        let text = self.names.text(&self.symbols, id);
        matches!(
            text.as_str(),
            "builtins.object" | "builtins.type" | "types.ModuleType"
        )
    }

    fn class_attr(&mut self, class: ClassId, name: Sym) -> Value {
        if matches!(name, sym::GLOBALS | sym::DUNDER_BUILTINS) {
            return self.gadget_attr(name);
        }
        self.class_lookup(class, name, false)
    }

    pub(crate) fn instance_attr(&mut self, class: ClassId, name: Sym) -> Value {
        let own = if let Some(&slot) = self.attrs.get(&(class, name)) {
            self.ask_slot(slot)
        } else {
            // A later method may store it: this place wants to know.
            let slot = self.new_slot();
            self.attrs.insert((class, name), slot);
            self.new_attr(class, name);
            self.ask_slot(slot)
        };
        let found = self.class_lookup(class, name, true);
        if own.is_unknown() {
            found
        } else if found.is_unknown() {
            own
        } else {
            own.join(&found)
        }
    }

    /// Looks a name up in a class and its bases; functions become methods when asked through an instance.
    pub(crate) fn class_lookup(&mut self, class: ClassId, name: Sym, bind: bool) -> Value {
        let mut pending: smallvec::SmallVec<[ClassId; 4]> = smallvec::smallvec![class];
        let mut seen = 0;
        while let Some(next) = pending.pop() {
            seen += 1;
            if seen > 32 {
                break;
            }
            if let Some(&scope) = self.class_scopes.get(&next)
                && let Some(&slot) = self.scopes[scope as usize].names.get(&name)
            {
                let value = self.ask_slot(slot);
                return if bind {
                    Self::bind_self(&value, class)
                } else {
                    value
                };
            }
            if next != class
                && let Some(&slot) = self.attrs.get(&(next, name))
            {
                return self.ask_slot(slot);
            }
            let Some(bases) = self.class_bases.get(&next).cloned() else {
                continue;
            };
            for base in bases.iter() {
                for one in base.refs() {
                    match one {
                        Ref::Class(base) => pending.push(base),
                        Ref::Name(id) => {
                            let owner = self.names.result(&mut self.symbols, id).unwrap_or(id);
                            let found = self.names.child(&mut self.symbols, owner, name);
                            if let Some(found) = found.filter(|f| self.names.get(*f).node != NONE) {
                                return Value::Ref(Ref::Name(found));
                            }
                        }
                        _ => {}
                    }
                }
            }
        }
        self.miss(name);
        Value::Unknown
    }

    fn bind_self(value: &Value, class: ClassId) -> Value {
        match value {
            Value::Ref(Ref::Func(func)) => Value::Ref(Ref::Method(*func, class)),
            Value::Rich(rich) if rich.refs.iter().any(|one| matches!(one, Ref::Func(_))) => {
                let mut rich = super::value::Rich::clone(rich);
                for one in &mut rich.refs {
                    if let Ref::Func(func) = *one {
                        *one = Ref::Method(func, class);
                    }
                }
                Value::Rich(std::rc::Rc::new(rich))
            }
            _ => value.clone(),
        }
    }

    /// The slot of `variable.name` for a variable of no known class.
    fn path_slot(&mut self, object: Reg, name: Sym) -> Option<SlotId> {
        if self.paths.is_empty() {
            return None;
        }
        let base = self.base_slot(object)?;
        self.paths.get(&(base, name)).copied()
    }

    /// The slot of the variable that an operand was loaded from.
    pub(crate) fn base_slot(&self, object: Reg) -> Option<SlotId> {
        let Op::Load(name) = self.program.insns.get(object as usize)?.op else {
            return None;
        };
        let mut at = Some(self.scope);
        while let Some(scope) = at {
            let scope = &self.scopes[scope as usize];
            if let Some(&slot) = scope.names.get(&name) {
                return Some(slot);
            }
            at = scope.parent;
        }
        None
    }

    pub(crate) fn store_attr(&mut self, at: Reg, object: Reg, name: Sym, reg: Reg) {
        let target = self.val(object);
        let value = self.val(reg);
        let value = self.travelled(&value, StepKind::Attribute(name), at);
        self.judge_store_attr(at, &target, name, &value);
        self.store_attr_on(&target, name, &value);
        if Self::has_instance(&target) {
            self.store_methods(at, &target, name, &value);
        }
        let plain = !target
            .refs()
            .iter()
            .any(|one| matches!(one, Ref::Name(_) | Ref::Class(_) | Ref::Instance(_)));
        if plain
            && !value.is_unknown()
            && let Some(base) = self.base_slot(object)
        {
            let slot = if let Some(&slot) = self.paths.get(&(base, name)) {
                slot
            } else {
                let slot = self.new_slot();
                self.paths.insert((base, name), slot);
                self.found_after(name);
                slot
            };
            self.store_slot(slot, &value, true);
        }
    }

    fn new_attr(&mut self, class: ClassId, name: Sym) {
        self.class_attrs.entry(class).or_default().push(name);
        if let Some(askers) = self.watched.get(&class) {
            self.passes.call_for(askers);
        }
    }

    /// `__setattr__`, and the `__set__` of a descriptor.
    fn store_methods(&mut self, at: Reg, target: &Value, name: Sym, value: &Value) {
        let key = Value::str(self.symbols.text(name));
        self.implicit(at, target, "__setattr__", &[&key, value]);
        for one in target.refs() {
            let Ref::Instance(class) = one else { continue };
            let descriptor = self.class_lookup(class, name, false);
            if Self::has_instance(&descriptor) {
                self.implicit(at, &descriptor, "__set__", &[target, value]);
            }
            // A property's setter; a plain method takes nothing from the store.
            for one in descriptor.refs() {
                if let Ref::Func(func) = one
                    && self.program.funcs[func as usize].params.len() == 2
                {
                    let mut call = super::call::Call::bare(at);
                    call.pos.push(value.clone());
                    self.call_value(&Value::Ref(Ref::Method(func, class)), call);
                }
            }
        }
    }

    pub(crate) fn store_attr_on(&mut self, target: &Value, name: Sym, value: &Value) {
        for one in target.refs() {
            let slot = match one {
                Ref::Instance(class) => {
                    if let Some(&slot) = self.attrs.get(&(class, name)) {
                        slot
                    } else {
                        let slot = self.new_slot();
                        self.attrs.insert((class, name), slot);
                        self.new_attr(class, name);
                        slot
                    }
                }
                Ref::Class(class) => match self.class_scopes.get(&class) {
                    Some(&scope) => {
                        let new = !self.scopes[scope as usize].names.contains_key(&name);
                        if new {
                            self.found_after(name);
                        }
                        self.declare(scope, name)
                    }
                    None => continue,
                },
                Ref::Name(id) | Ref::Dict(id) => {
                    if let Some(&slot) = self.overrides.get(&(id, name)) {
                        slot
                    } else {
                        let slot = self.new_slot();
                        self.overrides.insert((id, name), slot);
                        if self.names.was_asked(id, name) {
                            self.passes.call_for_all();
                        }
                        slot
                    }
                }
                Ref::Globals => self.declare(0, name),
                _ => continue,
            };
            self.store_slot(slot, value, true);
        }
    }
}

impl Value {
    /// Either of the two, where an unknown one adds nothing.
    pub(crate) fn join_known(&self, other: &Self) -> Self {
        if self.is_unknown() {
            other.clone()
        } else if other.is_unknown() {
            self.clone()
        } else {
            self.join(other)
        }
    }
}
