//! Python's own protocols: methods of the scanned code's classes that syntax calls by itself, as an operator, an
//! item, an attribute, a base class or a metaclass does. What a method does with its arguments is the interpreter's
//! part; here stands only who calls it, and with what.

use smallvec::SmallVec;

use super::Engine;
use super::call::{Call, Getter, Partial};
use super::value::{Ref, Value};
use crate::syntax::ir::{ArgKind, Args, BinOp, ClassId, Reg, Sym};
use crate::syntax::symbols::sym;

/// Members of one class that are looked at one by one.
const MAX_MEMBERS: usize = 256;

impl Engine {
    pub(crate) fn has_instance(value: &Value) -> bool {
        match value {
            Value::Ref(one) => matches!(one, Ref::Instance(_)),
            Value::Rich(rich) => rich.refs.iter().any(|one| matches!(one, Ref::Instance(_))),
            _ => false,
        }
    }

    /// Calls a method of an object's class that the code does not name; `None` when no class of it has one.
    pub(crate) fn implicit(
        &mut self,
        at: Reg,
        object: &Value,
        method: &str,
        args: &[&Value],
    ) -> Option<Value> {
        let mut out: Option<Value> = None;
        for one in object.refs() {
            let (Ref::Instance(class) | Ref::Class(class)) = one else {
                continue;
            };
            let name = self.symbols.intern(method);
            let found = self.class_lookup(class, name, true);
            if found.is_unknown() || found.refs().is_empty() {
                continue;
            }
            let mut call = Call::bare(at);
            call.pos.extend(args.iter().map(|value| (*value).clone()));
            let value = self.call_value(&found, call);
            out = Some(match out {
                Some(known) => known.join(&value),
                None => value,
            });
        }
        out
    }

    /// `a + b` where one of the two is an object of the scanned code: the operator is a method.
    pub(crate) fn operator_method(
        &mut self,
        at: Reg,
        op: BinOp,
        left: &Value,
        right: &Value,
    ) -> Option<Value> {
        let name = match op {
            BinOp::Add => "add",
            BinOp::Sub => "sub",
            BinOp::Mul => "mul",
            BinOp::Div => "truediv",
            BinOp::FloorDiv => "floordiv",
            BinOp::Mod => "mod",
            BinOp::Pow => "pow",
            BinOp::Shl => "lshift",
            BinOp::Shr => "rshift",
            BinOp::And => "and",
            BinOp::Or => "or",
            BinOp::Xor => "xor",
            BinOp::MatMul => "matmul",
        };
        let mut out = None;
        if Self::has_instance(left) {
            for prefix in ["", "i"] {
                let found = self.implicit(at, left, &format!("__{prefix}{name}__"), &[right]);
                out = out.or(found);
            }
        }
        if Self::has_instance(right) {
            let found = self.implicit(at, right, &format!("__r{name}__"), &[left]);
            out = out.or(found);
        }
        out
    }

    /// Comparisons and membership, whose operator is not kept.
    pub(crate) fn comparison_methods(&mut self, at: Reg, operands: &[Value]) {
        const METHODS: [&str; 7] = [
            "__contains__",
            "__eq__",
            "__ne__",
            "__lt__",
            "__le__",
            "__gt__",
            "__ge__",
        ];
        for (index, object) in operands.iter().enumerate() {
            if !Self::has_instance(object) {
                continue;
            }
            for (other, value) in operands.iter().enumerate() {
                if other != index {
                    for method in METHODS {
                        self.implicit(at, object, method, &[value]);
                    }
                }
            }
        }
    }

    /// An element of whatever is iterated over.
    pub(crate) fn element_at(&mut self, at: Reg, whole: &Value) -> Value {
        let element = self.element_of(whole);
        if Self::has_instance(whole) {
            let own = self.iterated(at, whole);
            return element.join_known(&own);
        }
        element
    }

    /// What iterating an object of the scanned code gives.
    pub(crate) fn iterated(&mut self, at: Reg, object: &Value) -> Value {
        let made = self.implicit(at, object, "__iter__", &[]);
        let mut out = Value::Unknown;
        if let Some(made) = made
            && !Self::has_instance(&made)
        {
            out = self.element_of(&made);
        }
        for method in ["__next__", "__anext__"] {
            if let Some(value) = self.implicit(at, object, method, &[]) {
                out = out.join_known(&value);
            }
        }
        out
    }

    /// The bases of a class, shared.
    pub(crate) fn bases_of(&self, class: ClassId) -> std::rc::Rc<[Value]> {
        self.class_bases
            .get(&class)
            .cloned()
            .unwrap_or_else(|| std::rc::Rc::from([]))
    }

    /// The base classes as objects: what `super()` speaks to.
    pub(crate) fn parent_of(&mut self, class: ClassId) -> Value {
        let mut out = Value::Unknown;
        for base in self.bases_of(class).iter() {
            for one in base.refs() {
                let parent = match one {
                    Ref::Class(base) => Value::Ref(Ref::Instance(base)),
                    Ref::Name(id) => {
                        let id = self.names.result(&mut self.symbols, id).unwrap_or(id);
                        Value::Ref(Ref::Name(id))
                    }
                    _ => continue,
                };
                out = out.join_known(&parent);
            }
        }
        out
    }

    /// What happens when a class statement ends: its metaclass, its bases and its descriptors are told.
    pub(crate) fn class_made(&mut self, at: Reg, class: ClassId) {
        let members = self.members(class);
        for (name, value) in &members {
            if Self::has_instance(value) {
                let name = Value::str(self.symbols.text(*name));
                let owner = Value::Ref(Ref::Class(class));
                self.implicit(at, value, "__set_name__", &[&owner, &name]);
            }
        }
        let keywords = self.class_keywords.get(&class).cloned().unwrap_or_default();
        for base in self.bases_of(class).iter() {
            for one in base.refs() {
                let Ref::Class(parent) = one else { continue };
                let found = self.class_lookup(parent, sym::INIT_SUBCLASS, true);
                if !found.is_unknown() {
                    let mut call = Call::bare(at);
                    call.kw.extend(keywords.iter().cloned());
                    self.call_value(&found, call);
                }
            }
        }
        let meta = self.metaclass(class);
        if meta.is_unknown() {
            return;
        }
        let namespace = Value::dict(
            members
                .iter()
                .map(|(name, value)| (Value::str(self.symbols.text(*name)), value.clone()))
                .collect(),
        );
        let mut call = Call::bare(at);
        call.pos.push(Value::Unknown);
        call.pos.push(Value::seq(self.bases_of(class).to_vec()));
        call.pos.push(namespace);
        for one in meta.refs() {
            match one {
                // A metaclass of the scanned code: its constructor has the class itself in front.
                Ref::Class(meta) => {
                    for method in [sym::NEW, sym::INIT] {
                        let found = self.class_lookup(meta, method, true);
                        self.call_value(&found, call.clone());
                    }
                }
                Ref::Func(_) | Ref::Partial(_) => {
                    self.call_value(&Value::Ref(one), call.clone());
                }
                _ => {}
            }
        }
    }

    fn members(&mut self, class: ClassId) -> Vec<(Sym, Value)> {
        let Some(&scope) = self.class_scopes.get(&class) else {
            return Vec::new();
        };
        let mut slots: Vec<(Sym, u32)> = self.scopes[scope as usize]
            .names
            .iter()
            .map(|(name, slot)| (*name, *slot))
            .take(MAX_MEMBERS)
            .collect();
        slots.sort_unstable();
        slots
            .into_iter()
            .map(|(name, slot)| (name, self.ask_slot(slot)))
            .filter(|(_, value)| !value.is_unknown())
            .collect()
    }

    pub(crate) fn metaclass(&self, class: ClassId) -> Value {
        let mut pending = vec![class];
        let mut seen = 0;
        while let Some(next) = pending.pop() {
            seen += 1;
            if seen > 32 {
                break;
            }
            let own = self.class_keywords.get(&next).and_then(|keywords| {
                keywords
                    .iter()
                    .find(|(name, _)| *name == sym::METACLASS)
                    .map(|(_, value)| value.clone())
            });
            if let Some(own) = own {
                return own;
            }
            for base in self
                .class_bases
                .get(&next)
                .into_iter()
                .flat_map(|bases| bases.iter())
            {
                pending.extend(base.refs().iter().filter_map(|one| match one {
                    Ref::Class(base) => Some(*base),
                    _ => None,
                }));
            }
        }
        Value::Unknown
    }

    /// The keywords of a class statement.
    pub(crate) fn class_arguments(&self, args: Args) -> (Vec<Value>, Vec<(Sym, Value)>) {
        let mut bases = Vec::new();
        let mut keywords = Vec::new();
        for arg in self.program.arg_slice(args) {
            let value = self.vals[arg.reg as usize].clone();
            match arg.kind {
                ArgKind::Named(name) if !value.is_unknown() => keywords.push((name, value)),
                ArgKind::Plain if !value.is_unknown() => bases.push(value),
                _ => {}
            }
        }
        (bases, keywords)
    }

    /// Fields of a class without an initialiser of its own, as a data class or a named tuple has them, in order.
    pub(crate) fn fields_of(&self, class: ClassId) -> Vec<Sym> {
        let mut chain = vec![class];
        let mut at = 0;
        while at < chain.len() && chain.len() < 16 {
            for base in self
                .class_bases
                .get(&chain[at])
                .into_iter()
                .flat_map(|bases| bases.iter())
            {
                chain.extend(base.refs().iter().filter_map(|one| match one {
                    Ref::Class(base) => Some(*base),
                    _ => None,
                }));
            }
            at += 1;
        }
        let mut fields: Vec<Sym> = Vec::new();
        for class in chain.iter().rev() {
            for field in &self.program.classes[*class as usize].fields {
                if !fields.contains(field) {
                    fields.push(*field);
                }
            }
        }
        fields
    }

    /// The attributes of an object as a dictionary: `vars(x)`, `x.__dict__`, `asdict(x)`.
    pub(crate) fn attributes_of(&mut self, class: ClassId) -> Value {
        let runner = self.passes.runner();
        self.watched.entry(class).or_default().add(runner);
        let names = self.class_attrs.get(&class).cloned().unwrap_or_default();
        let mut pairs = Vec::new();
        for name in names.into_iter().take(MAX_MEMBERS) {
            if let Some(&slot) = self.attrs.get(&(class, name)) {
                let value = self.ask_slot(slot);
                if !value.is_unknown() {
                    pairs.push((Value::str(self.symbols.text(name)), value));
                }
            }
        }
        Value::dict(pairs)
    }

    /// A class that a call makes: `namedtuple`, `SimpleNamespace`. The same call makes the same class in each pass.
    pub(crate) fn made_class(&mut self, at: Reg, fields: Vec<Sym>) -> ClassId {
        if let Some(&class) = self.made_classes.get(&at) {
            return class;
        }
        let class = ClassId::try_from(self.program.classes.len()).unwrap_or(0);
        self.program.classes.push(crate::syntax::ir::Class {
            locals: Vec::new(),
            fields,
        });
        let scope = self.new_scope(super::scope::ScopeKind::Class, Some(self.scope));
        self.class_scopes.insert(class, scope);
        self.made_classes.insert(at, class);
        class
    }

    /// The attribute of an object that its class does not have, through `__getattr__`.
    pub(crate) fn missing_attr(&mut self, at: Reg, class: ClassId, name: Sym) -> Value {
        let text = self.symbols.text(name).to_owned();
        if text.starts_with("__") {
            return Value::Unknown;
        }
        let key = Value::str(&text);
        let object = Value::Ref(Ref::Instance(class));
        for method in ["__getattr__", "__getattribute__"] {
            if let Some(found) = self.implicit(at, &object, method, &[&key]) {
                return found;
            }
        }
        if text == "_asdict" {
            let fields = self.attributes_of(class);
            return self.partial_of("copy.copy", fields);
        }
        Value::Unknown
    }

    /// `partialmethod(f, ...)` in a class body: the object comes first when it is called.
    pub(crate) fn partial_method(&mut self, call: &Call) -> Value {
        let callee = call.pos.first().cloned().unwrap_or_default();
        let mut bound = Value::Unknown;
        for one in callee.refs() {
            let one = match (one, self.class) {
                (Ref::Func(func), Some(class)) => Ref::Method(func, class),
                _ => one,
            };
            bound = bound.join_known(&Value::Ref(one));
        }
        let pos: SmallVec<[Value; 4]> = call.pos.iter().skip(1).cloned().collect();
        self.new_partial(Partial {
            callee: bound,
            pos,
            kw: call.kw.clone(),
            getter: Getter::Call,
        })
    }
}
