//! Scopes and what their names hold: the value here and now, and everything that was ever stored, which is what a
//! function that runs later may see.

use rustc_hash::FxHashMap;

use super::Engine;
use super::names::ROOT;
use super::value::{NameId, Ref, Value};
use crate::syntax::ir::{FuncId, NONE, Sym};
use crate::syntax::symbols::sym;

pub(crate) type ScopeId = u32;
pub(crate) type SlotId = u32;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ScopeKind {
    Module,
    Function,
    Class,
    Comprehension,
}

#[derive(Debug)]
pub(crate) struct Scope {
    pub(crate) parent: Option<ScopeId>,
    pub(crate) kind: ScopeKind,
    /// The function whose scope it is; `NONE` for all others.
    pub(crate) func: FuncId,
    pub(crate) names: FxHashMap<Sym, SlotId>,
    pub(crate) globals: Vec<Sym>,
    pub(crate) nonlocals: Vec<Sym>,
    pub(crate) stars: Vec<NameId>,
}

#[derive(Debug, Default)]
pub(crate) struct Slot {
    now: Value,
    /// Something was stored in this pass.
    bound: bool,
    /// It may also be unbound here.
    maybe: bool,
    ever: Value,
    /// Something was stored in any pass.
    set: bool,
    /// Who asked for `ever`; growth after that has them run again.
    pub(super) askers: super::passes::Askers,
    /// Other functions store into it too.
    shared: bool,
}

impl Slot {
    /// Whether something was ever stored in it.
    pub(crate) fn is_set(&self) -> bool {
        self.set
    }

    pub(crate) fn begin_pass(&mut self) {
        self.now = Value::Unknown;
        self.bound = false;
        self.maybe = false;
    }
}

impl Engine {
    pub(crate) fn new_scope(&mut self, kind: ScopeKind, parent: Option<ScopeId>) -> ScopeId {
        let id = ScopeId::try_from(self.scopes.len()).unwrap_or(0);
        self.scopes.push(Scope {
            parent,
            kind,
            func: NONE,
            names: FxHashMap::default(),
            globals: Vec::new(),
            nonlocals: Vec::new(),
            stars: Vec::new(),
        });
        id
    }

    pub(crate) fn new_slot(&mut self) -> SlotId {
        let id = SlotId::try_from(self.slots.len()).unwrap_or(0);
        self.slots.push(Slot::default());
        id
    }

    pub(crate) fn declare(&mut self, scope: ScopeId, name: Sym) -> SlotId {
        if let Some(&slot) = self.scopes[scope as usize].names.get(&name) {
            return slot;
        }
        let slot = self.new_slot();
        self.scopes[scope as usize].names.insert(name, slot);
        slot
    }

    /// The scope of the function, module or class around a scope of a comprehension.
    fn beyond_comps(&self, mut scope: ScopeId) -> ScopeId {
        while self.scopes[scope as usize].kind == ScopeKind::Comprehension {
            scope = self.scopes[scope as usize].parent.unwrap_or(0);
        }
        scope
    }

    /// The function around whose variable a function stores into.
    fn owner_of(&self, scope: ScopeId, name: Sym) -> FuncId {
        let here = &self.scopes[scope as usize];
        let mut at = here.parent.filter(|_| !here.globals.contains(&name));
        while let Some(outer) = at {
            let scope = &self.scopes[outer as usize];
            if scope.kind == ScopeKind::Function && scope.names.contains_key(&name) {
                return scope.func;
            }
            at = scope.parent;
        }
        NONE
    }

    /// Where a store of this name goes.
    fn target_slot(&mut self, scope: ScopeId, name: Sym) -> SlotId {
        let here = &self.scopes[scope as usize];
        if here.globals.contains(&name) {
            return self.declare(0, name);
        }
        if here.nonlocals.contains(&name) {
            let mut at = here.parent;
            while let Some(outer) = at {
                let scope = &self.scopes[outer as usize];
                if scope.kind == ScopeKind::Function
                    && let Some(&slot) = scope.names.get(&name)
                {
                    return slot;
                }
                at = scope.parent;
            }
        }
        self.declare(scope, name)
    }

    pub(crate) fn store_name(&mut self, name: Sym, value: &Value, outside_comp: bool) {
        let scope = if outside_comp {
            self.beyond_comps(self.scope)
        } else {
            self.scope
        };
        let slot = self.target_slot(scope, name);
        let comp = self.scopes[scope as usize].kind == ScopeKind::Comprehension;
        let foreign = !comp && !self.scopes[scope as usize].names.contains_key(&name);
        if foreign && !value.is_unknown() {
            let owner = self.owner_of(scope, name);
            self.store_foreign(slot, owner, value);
        }
        self.store_slot(slot, value, foreign || (!comp && self.branches > 0));
    }

    /// A function stores into a variable of another: whoever reads it there, at any time, may see this.
    fn store_foreign(&mut self, slot: SlotId, owner: FuncId, value: &Value) {
        let known = self.foreign.get(&slot).cloned().unwrap_or_default();
        if known.would_grow(value) || known.is_unknown() {
            self.foreign.insert(slot, known.join_known(value));
            self.slots[slot as usize].shared = true;
            self.passes.call_for_owner(owner);
            let askers = &self.slots[slot as usize].askers;
            self.passes.call_for(askers);
        }
    }

    /// Stores into a slot; weakly when the store may not happen or something else may be there too.
    pub(crate) fn store_slot(&mut self, slot: SlotId, value: &Value, weak: bool) {
        let slot = &mut self.slots[slot as usize];
        if weak {
            slot.maybe |= !slot.bound;
            slot.now = if slot.bound {
                slot.now.join(value)
            } else {
                value.clone()
            };
        } else {
            slot.now = value.clone();
            slot.maybe = false;
        }
        slot.bound = true;
        if slot.set {
            if slot.ever.would_grow(value) {
                slot.ever = slot.ever.join(value);
                if self.pass > 0 && slot.ever.only_counts(value) {
                    // A number that goes up with each pass never comes to an end: it may be any.
                    slot.ever = slot.ever.join(&Value::Unknown);
                } else {
                    self.passes.call_for(&slot.askers);
                }
            }
        } else {
            slot.ever = value.clone();
            slot.set = true;
            if !value.is_unknown() {
                self.passes.call_for(&slot.askers);
            }
        }
    }

    /// Everything that a slot ever held.
    pub(crate) fn ask_slot(&mut self, slot: SlotId) -> Value {
        self.asks(slot);
        self.slots[slot as usize].ever.clone()
    }

    /// What a slot holds here, in the running frame.
    fn slot_here(&mut self, slot: SlotId) -> Value {
        let in_loop = self.loops > 0;
        let pass = self.pass;
        if self.slots[slot as usize].shared
            && let Some(stored) = self.foreign.get(&slot).cloned()
        {
            self.asks(slot);
            return self.slots[slot as usize].now.join(&stored);
        }
        if in_loop {
            self.asks(slot);
        }
        let slot = &mut self.slots[slot as usize];
        if in_loop {
            // What a later line of the loop stores, an earlier one sees in the next round.
            if pass > 0 && slot.set && slot.now.would_grow(&slot.ever) {
                return slot.now.join(&slot.ever);
            }
        }
        slot.now.clone()
    }

    pub(crate) fn unbind(&mut self, name: Sym) {
        let slot = self.target_slot(self.scope, name);
        let weak = self.branches > 0;
        let slot = &mut self.slots[slot as usize];
        slot.maybe = true;
        if !weak {
            slot.now = Value::Unknown;
            slot.bound = false;
        }
    }

    pub(crate) fn load_name(&mut self, name: Sym) -> Value {
        let mut at = Some(self.scope);
        let mut own = true;
        let mut partial: Option<Value> = None;
        while let Some(id) = at {
            let scope = &self.scopes[id as usize];
            let kind = scope.kind;
            let parent = scope.parent;
            // A class body sees its own names; functions inside of it do not.
            if kind == ScopeKind::Class && !own {
                at = parent;
                continue;
            }
            if scope.globals.contains(&name) && id != 0 {
                at = Some(0);
                own = own && self.func.is_none();
                continue;
            }
            if let Some(&slot) = scope.names.get(&name) {
                if own {
                    let (bound, maybe) = {
                        let slot = &self.slots[slot as usize];
                        (slot.bound, slot.maybe)
                    };
                    if bound {
                        // A comprehension binds its variables anew in each round, also within a loop.
                        let value = if kind == ScopeKind::Comprehension {
                            self.slots[slot as usize].now.clone()
                        } else {
                            self.slot_here(slot)
                        };
                        if !maybe {
                            return join_partial(partial, value);
                        }
                        partial = Some(join_partial(partial, value));
                    } else if kind == ScopeKind::Function {
                        // Unbound here, but a loop or an exec may bind it first.
                        let value = self.ask_slot(slot);
                        return join_partial(partial, value);
                    } else if self.loops > 0 {
                        // A later line of the loop may bind it for the next round.
                        let value = self.ask_slot(slot);
                        if self.pass > 0 && self.slots[slot as usize].set {
                            partial = Some(join_partial(partial, value));
                        }
                    }
                } else {
                    let value = self.ask_slot(slot);
                    let kept = &self.slots[slot as usize];
                    if kept.set && !kept.maybe {
                        return join_partial(partial, value);
                    }
                    if kept.set {
                        partial = Some(join_partial(partial, value));
                    }
                }
            }
            if kind != ScopeKind::Comprehension {
                own = false;
            }
            at = parent;
        }
        let outside = self.load_builtin(name, partial.is_some());
        if partial.is_none() {
            // Whoever binds the name later must know that it was asked for.
            let slot = self.declare(0, name);
            self.asks(slot);
        }
        match partial {
            Some(value) if outside.is_unknown() => value,
            Some(value) => value.join(&outside),
            None => outside,
        }
    }

    /// A name that no scope binds: star imports, builtins, then a module of that name, as fragments use them.
    pub(crate) fn load_builtin(&mut self, name: Sym, bound_too: bool) -> Value {
        if name == sym::DUNDER_BUILTINS {
            return self.module_value(sym::BUILTINS);
        }
        if name == sym::NAME {
            return Value::str("__main__");
        }
        if name == sym::FILE {
            return Value::str("__file__");
        }
        for index in 0..self.scopes[0].stars.len() {
            let module = self.scopes[0].stars[index];
            if let Some(id) = self.names.child(&mut self.symbols, module, name)
                && self.names.get(id).node != NONE
            {
                let starred = Value::Ref(Ref::Name(id));
                if !self.symbols.is_builtin(name) {
                    return starred;
                }
                // Whether the module has a name of its own like it is not known: it may be Python's.
                let own = match self.names.child(&mut self.symbols, ROOT, sym::BUILTINS) {
                    Some(builtins) => self.name_attr(builtins, name),
                    None => Value::Unknown,
                };
                return own.join_known(&starred);
            }
        }
        if self.symbols.is_builtin(name) {
            let Some(builtins) = self.names.child(&mut self.symbols, ROOT, sym::BUILTINS) else {
                return Value::Unknown;
            };
            return self.name_attr(builtins, name);
        }
        if bound_too {
            return Value::Unknown;
        }
        // Code that lost its imports still means the module.
        match self.names.child(&mut self.symbols, ROOT, name) {
            Some(id) if self.names.get(id).node != NONE => Value::Ref(Ref::Name(id)),
            _ => Value::Unknown,
        }
    }

    pub(crate) fn module_value(&mut self, module: Sym) -> Value {
        let text = self.symbols.text(module).to_owned();
        self.names
            .dotted(&mut self.symbols, &text)
            .map_or(Value::Unknown, |id| Value::Ref(Ref::Name(id)))
    }

    /// The scope of a function, with its names declared.
    pub(crate) fn function_scope(&mut self, func: FuncId, parent: ScopeId) -> ScopeId {
        if let Some(&scope) = self.func_scopes.get(&func) {
            return scope;
        }
        let scope = self.new_scope(ScopeKind::Function, Some(parent));
        let (locals, globals, nonlocals) = {
            let func = &self.program.funcs[func as usize];
            (
                func.locals.clone(),
                func.globals.clone(),
                func.nonlocals.clone(),
            )
        };
        for name in locals {
            self.declare(scope, name);
        }
        let here = &mut self.scopes[scope as usize];
        here.func = func;
        here.globals = globals;
        here.nonlocals = nonlocals;
        self.func_scopes.insert(func, scope);
        scope
    }
}

fn join_partial(partial: Option<Value>, value: Value) -> Value {
    match partial {
        Some(known) => known.join(&value),
        None => value,
    }
}
