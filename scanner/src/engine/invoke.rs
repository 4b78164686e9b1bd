//! Functions and classes of the scanned code itself: definitions, parameters, returns, instances, decorators.

use smallvec::SmallVec;

use super::Engine;
use super::call::Call;
use super::scope::{ScopeId, ScopeKind};
use super::step::StepKind;
use super::value::{Ref, Value};
use crate::syntax::ir::{Args, ClassId, FuncId, NONE, ParamKind, Reg};
use crate::syntax::symbols::sym;

impl Engine {
    pub(crate) fn define(&mut self, at: Reg, func: FuncId, args: Args) {
        let scope = self.function_scope(func, self.scope);
        let defaults: SmallVec<[Value; 4]> = self
            .program
            .arg_slice(args)
            .iter()
            .map(|arg| self.vals[arg.reg as usize].clone())
            .collect();
        let params = self.program.funcs[func as usize].params.clone();
        for param in &params {
            if param.default == NONE {
                continue;
            }
            let value = defaults
                .get(param.default as usize)
                .cloned()
                .unwrap_or_default();
            if !value.is_unknown() {
                let slot = self.declare(scope, param.name);
                self.add_to_slot(slot, &value);
            }
        }
        if self.scopes[self.scope as usize].kind == ScopeKind::Class
            && let Some(class) = self.class
        {
            self.func_class.insert(func, class);
        }
        if self.queued.insert(func) {
            self.queue.push_back((func, scope));
        }
        if let Some(slot) = self.vals.get_mut(at as usize) {
            *slot = Value::Ref(Ref::Func(func));
        }
    }

    /// Adds to everything that a slot ever held, without touching what it holds now.
    pub(crate) fn add_to_slot(&mut self, slot: super::scope::SlotId, value: &Value) {
        self.store_slot(slot, value, true);
    }

    /// Parameters hold what any call gave.
    pub(crate) fn bind_params(&mut self, func: FuncId, scope: ScopeId) {
        let params = self.program.funcs[func as usize].params.clone();
        let class = self.func_class.get(&func).copied();
        for (index, param) in params.iter().enumerate() {
            let slot = self.declare(scope, param.name);
            if let (0, Some(class), ParamKind::Plain) = (index, class, param.kind)
                && !self.is_static(func)
            {
                self.store_slot(slot, &Value::Ref(Ref::Instance(class)), true);
            }
            let value = self.ask_slot(slot);
            self.store_slot(slot, &value, false);
        }
    }

    pub(crate) fn call_func(&mut self, func: FuncId, bound: Option<ClassId>, call: &Call) -> Value {
        let Some(&scope) = self.func_scopes.get(&func) else {
            return Value::Unknown;
        };
        let (params, name) = {
            let func = &self.program.funcs[func as usize];
            (func.params.clone(), func.name)
        };
        // A method called through its class is given the instance as its first argument.
        let skip = usize::from(bound.is_some() && !self.is_static(func));
        let mut positional = call.pos.iter();
        for param in params.iter().skip(skip) {
            let value = match param.kind {
                ParamKind::Star => {
                    let rest: Vec<Value> = positional.by_ref().cloned().collect();
                    if rest.is_empty() {
                        continue;
                    }
                    Value::seq(rest)
                }
                ParamKind::DoubleStar => {
                    let pairs: Vec<(Value, Value)> = call
                        .kw
                        .iter()
                        .filter(|(key, _)| !params.iter().any(|p| p.name == *key))
                        .map(|(key, value)| (Value::str(self.symbols.text(*key)), value.clone()))
                        .collect();
                    if pairs.is_empty() {
                        continue;
                    }
                    Value::dict(pairs)
                }
                ParamKind::Plain => {
                    let next = if param.keyword_only {
                        None
                    } else {
                        positional.next()
                    };
                    let found = next
                        .or_else(|| {
                            call.kw
                                .iter()
                                .find(|(key, _)| *key == param.name)
                                .map(|(_, v)| v)
                        })
                        .or(call.spread.as_ref());
                    match found {
                        Some(value) => value.clone(),
                        None => continue,
                    }
                }
            };
            let slot = self.declare(scope, param.name);
            let value = self.travelled(&value, StepKind::Param(param.name), call.at);
            // An unknown argument matters beside known ones: it opens their set.
            self.add_to_slot(slot, &value);
        }
        if let Some(value) = self.decoded_call(func, bound, call) {
            return value;
        }
        let slot = self.return_slot(func);
        let value = self.ask_slot(slot);
        if name == NONE {
            value
        } else {
            self.travelled(&value, StepKind::Return(name), call.at)
        }
    }

    fn is_static(&self, func: FuncId) -> bool {
        self.program.funcs[func as usize].params.is_empty() || self.statics.contains(&func)
    }

    fn return_slot(&mut self, func: FuncId) -> super::scope::SlotId {
        if let Some(&slot) = self.returns.get(&func) {
            return slot;
        }
        let slot = self.new_slot();
        self.returns.insert(func, slot);
        slot
    }

    pub(crate) fn add_return(&mut self, value: &Value) {
        let Some(func) = self.func else { return };
        let slot = self.return_slot(func);
        if value.is_unknown() {
            // Beside what is known it may be anything, whichever of the two comes first.
            self.open_returns.insert(func);
            if self.slots[slot as usize].is_set() {
                self.add_to_slot(slot, value);
            }
        } else if self.open_returns.contains(&func) {
            self.add_to_slot(slot, &value.join(&Value::Unknown));
        } else {
            self.add_to_slot(slot, value);
        }
    }

    pub(crate) fn class_begin(&mut self, class: ClassId, args: Args) {
        let scope = if let Some(&scope) = self.class_scopes.get(&class) {
            scope
        } else {
            let scope = self.new_scope(ScopeKind::Class, Some(self.scope));
            let locals = self.program.classes[class as usize].locals.clone();
            for name in locals {
                self.declare(scope, name);
            }
            self.class_scopes.insert(class, scope);
            scope
        };
        let (bases, keywords) = self.class_arguments(args);
        let before = self.class_bases.insert(class, bases.into());
        let after = self.bases_of(class);
        if before.is_some_and(|before| {
            before.len() != after.len()
                || before
                    .iter()
                    .zip(after.iter())
                    .any(|(a, b)| a.would_grow(b))
        }) {
            self.passes.call_for_all();
        }
        if !keywords.is_empty() {
            self.class_keywords.insert(class, keywords);
        }
        self.class_stack.push(self.class);
        self.scope = scope;
        self.class = Some(class);
    }

    pub(crate) fn class_end(&mut self, at: Reg, class: ClassId) {
        let parent = self
            .class_scopes
            .get(&class)
            .and_then(|s| self.scopes[*s as usize].parent);
        self.scope = parent.unwrap_or(0);
        self.class = self.class_stack.pop().flatten();
        self.judge_class(at, class);
        self.class_made(at, class);
        if let Some(slot) = self.vals.get_mut(at as usize) {
            *slot = Value::Ref(Ref::Class(class));
        }
    }

    pub(crate) fn instantiate(&mut self, class: ClassId, call: &Call) -> Value {
        for method in [sym::INIT, sym::NEW] {
            let value = self.class_lookup(class, method, true);
            for one in value.refs() {
                match one {
                    Ref::Method(func, _) => {
                        self.call_func(func, Some(class), call);
                    }
                    Ref::Name(_) => {
                        let mut inner = call.clone();
                        inner.depth += 1;
                        self.call_value(&Value::Ref(one), inner);
                    }
                    _ => {}
                }
            }
        }
        let object = Value::Ref(Ref::Instance(class));
        self.made_by_hooks(class, &object, call);
        // A class without an initialiser of its own, as a data class, holds what it is given.
        if self.class_lookup(class, sym::INIT, false).is_unknown() {
            let fields = self.fields_of(class);
            for (name, value) in fields.iter().zip(&call.pos) {
                self.store_attr_on(&object, *name, value);
            }
            for (name, value) in &call.kw {
                self.store_attr_on(&object, *name, value);
            }
        }
        object
    }

    /// `__call__` of the metaclass, and `_missing_` of an enumeration, take the arguments too.
    fn made_by_hooks(&mut self, class: ClassId, object: &Value, call: &Call) {
        if !self.class_keywords.is_empty() {
            for one in self.metaclass(class).refs() {
                if let Ref::Class(meta) = one {
                    let method = self.class_lookup(meta, sym::CALL_DUNDER, true);
                    let mut inner = call.clone();
                    inner.depth += 1;
                    self.call_value(&method, inner);
                }
            }
        }
        if let [value] = call.pos.as_slice()
            && !value.is_unknown()
            && self.class_bases.get(&class).is_some_and(|b| !b.is_empty())
        {
            self.implicit(call.at, object, "_missing_", &[value]);
        }
    }

    /// A decorator is a call with the decorated thing; most give the same thing back.
    pub(crate) fn decorate(&mut self, at: Reg, decorator: Reg, target: Reg) {
        let decorator = self.val(decorator);
        let value = self.val(target);
        let mut out = value.clone();
        if !decorator.is_unknown() {
            let mut call = Call::bare(at);
            call.pos.push(value.clone());
            let made = self.call_value(&decorator, call);
            if !made.is_unknown() {
                out = out.join(&made);
            }
        }
        if let Some(slot) = self.vals.get_mut(at as usize) {
            *slot = out;
        }
    }
}
