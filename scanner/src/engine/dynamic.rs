//! Imports, and code that is made of data: what is known of it is lowered and run in the scope where it stands.

use std::rc::Rc;

use super::call::Call;
use super::emit::Raise;
use super::value::{Const, Label, NameId, Ref, Value, either_of};
use super::{Engine, MAX_DEPTH, Unit};
use crate::syntax::ir::{Reg, Sym};
use crate::syntax::{Parsed, lower, parse};
use crate::{Level, UsageKind};

impl Engine {
    pub(crate) fn import(&mut self, at: Reg, module: Sym) {
        let text = self.symbols.text(module).to_owned();
        let value = self.named(&text);
        if let Value::Ref(Ref::Name(id)) = value {
            self.imported(at, id);
        }
        let value = self.planted_module(module).unwrap_or(value);
        if let Some(slot) = self.vals.get_mut(at as usize) {
            *slot = value;
        }
    }

    /// What the code itself has put into `sys.modules` under this name.
    fn planted_module(&mut self, module: Sym) -> Option<Value> {
        if self.overrides.is_empty() {
            return None;
        }
        let Value::Ref(Ref::Name(modules)) = self.named("sys.modules") else {
            return None;
        };
        let slot = *self.overrides.get(&(modules, module))?;
        let planted = self.ask_slot(slot);
        (!planted.is_unknown()).then_some(planted)
    }

    fn imported(&mut self, at: Reg, id: NameId) {
        self.note_usage(UsageKind::Import, id, at);
        if !self.downloads.is_empty() {
            let module = self.names.text(&self.symbols, id);
            self.judge_import_written(at, &module);
        }
        // A rule on a module also speaks of what is inside of it.
        let mut name = id;
        while name != super::names::ROOT && name != crate::syntax::ir::NONE {
            let entry = self.names.get(name);
            if entry.node != crate::syntax::ir::NONE {
                for rule in &self.catalog.node(entry.node).imports {
                    self.raise_number(
                        *rule,
                        at,
                        Raise {
                            subject: Some(name),
                            ..Raise::default()
                        },
                    );
                }
            }
            name = entry.parent;
        }
    }

    pub(crate) fn import_from(&mut self, at: Reg, module: Sym, name: Sym) {
        let text = self.symbols.text(module).to_owned();
        let mut value = self.named(&text);
        if let Value::Ref(Ref::Name(id)) = value {
            self.imported(at, id);
            let part = self.symbols.text(name).to_owned();
            value = Value::Ref(Ref::Name(id));
            for part in part.split('.') {
                let part = self.symbols.intern(part);
                if let Value::Ref(Ref::Name(owner)) = value {
                    value = self.name_attr(owner, part);
                }
            }
            if let Value::Ref(Ref::Name(found)) = value {
                self.imported(at, found);
                self.judge_name(at, found, crate::rules::catalog::Use::Name, None);
                let node = self.names.get(found).node;
                if node != crate::syntax::ir::NONE
                    && let Some(text) = self.catalog.node(node).text()
                {
                    value = Value::str(text);
                }
            }
            value = self.tainted_import(at, value);
        }
        if let Some(slot) = self.vals.get_mut(at as usize) {
            *slot = value;
        }
    }

    /// `from os import environ` is as much a source as `os.environ`.
    fn tainted_import(&mut self, at: Reg, value: Value) -> Value {
        let Value::Ref(Ref::Name(id)) = value else {
            return value;
        };
        let found = self.names.text(&self.symbols, id);
        let (label, what) = match found.as_str() {
            "os.environ" | "os.environb" => (Label::Environment, "the environment is read"),
            "sys.argv" => (Label::Argv, "the command line is read"),
            "sys.stdin" => (Label::Stdin, "standard input is read"),
            _ => return value,
        };
        let taint = self.source_taint(label, what, at);
        value.with_taints(&[taint])
    }

    pub(crate) fn import_star(&mut self, at: Reg, module: Sym) {
        let text = self.symbols.text(module).to_owned();
        if let Value::Ref(Ref::Name(id)) = self.named(&text) {
            self.imported(at, id);
            let stars = &mut self.scopes[0].stars;
            if !stars.contains(&id) && stars.len() < 64 {
                stars.push(id);
                self.passes.call_for_all();
            }
        }
    }

    /// What `__import__(value)` gives.
    pub(crate) fn import_value(&mut self, call: &Call, module: &Value) -> Value {
        let mut out: Option<Value> = None;
        for one in module.consts().to_vec() {
            if let Const::Str(text) = one {
                let mut found = self.named(text.trim_start_matches('.'));
                if let Value::Ref(Ref::Name(id)) = found {
                    self.imported(call.at, id);
                }
                // `__import__("os.path")` gives `os`.
                if let Some((top, _)) = text.split_once('.')
                    && self
                        .names
                        .text(&self.symbols, call.name)
                        .ends_with("__import__")
                {
                    found = found.join_known(&self.named(top));
                }
                out = Some(either_of(out, &found));
            }
        }
        if module.closed().is_none() {
            self.raise(
                "SR105",
                call.at,
                Raise {
                    subject: Some(call.name),
                    ..Raise::default()
                },
            );
        }
        out.unwrap_or_default()
    }

    /// `exec(code)` and `eval(code)`.
    pub(crate) fn run_code(&mut self, call: &Call, code: &Value) -> Value {
        self.judge_code_flow(call, code);
        let mut result = Value::Unknown;
        let mut known = false;
        for one in code.consts().to_vec() {
            let text: Rc<str> = match &one {
                Const::Str(text) => Rc::clone(text),
                Const::Bytes(bytes) => Rc::from(String::from_utf8_lossy(bytes).into_owned()),
                Const::Partial(text) => {
                    let shown = text.replace(super::value::HOLE, " _unknown_ ");
                    self.run_text(call, &Rc::from(shown));
                    continue;
                }
                _ => continue,
            };
            known = true;
            result = result.join_known(&self.run_text(call, &text));
        }
        let closed = code.closed().is_some() && known;
        let callable = !code.refs().is_empty();
        if callable {
            result = result.join_known(&self.run_code_object(call, code));
        } else if !closed {
            let step = code.taints().first().map(|taint| taint.step);
            self.raise(
                "SR101",
                call.at,
                Raise {
                    subject: Some(call.name),
                    step,
                    ..Raise::default()
                },
            );
        } else {
            self.raise(
                "SR102",
                call.at,
                Raise {
                    subject: Some(call.name),
                    ..Raise::default()
                },
            );
        }
        result
    }

    /// A code object: from `compile`, whose text is judged there, from a function, or from somewhere unknown.
    fn run_code_object(&mut self, call: &Call, code: &Value) -> Value {
        for one in code.refs() {
            if let Ref::Name(name) = one {
                let text = self.names.text(&self.symbols, name);
                if text != "builtins.compile()" {
                    self.raise(
                        "SR101",
                        call.at,
                        Raise {
                            subject: Some(call.name),
                            ..Raise::default()
                        },
                    );
                }
            } else {
                let mut inner = Call::bare(call.at);
                inner.depth = call.depth + 1;
                self.call_value(&Value::Ref(one), inner);
            }
        }
        Value::Unknown
    }

    pub(crate) fn compiled(&mut self, call: &Call, code: &Value) -> Value {
        let ast_only = call
            .arg(self, crate::rules::effects::Arg(3, "flags"))
            .is_some();
        if !ast_only {
            self.run_code(call, code);
        }
        self.named("builtins.compile()").with_taints(&code.taints())
    }

    /// Lowers a text and runs it here. The value is that of its last expression, for `eval`.
    pub(crate) fn run_text(&mut self, call: &Call, text: &Rc<str>) -> Value {
        let here = self.units.iter().rev().find(|unit| unit.first <= call.at);
        let depth = here.map_or(0, |unit| unit.depth) + 1;
        if depth > MAX_DEPTH {
            self.raise(
                "SR005",
                call.at,
                Raise {
                    subject: Some(call.name),
                    ..Raise::default()
                },
            );
            return Value::Unknown;
        }
        let key = (call.at, Rc::clone(text));
        if !self.decoded.insert(key) {
            return Value::Unknown;
        }
        if !self.spend(16 + text.len() as u64 / 4) {
            return Value::Unknown;
        }
        let trimmed = text.trim_start();
        let Parsed::Tree(tree) = parse(trimmed, None) else {
            self.raise("SR003", call.at, Raise::default());
            return Value::Unknown;
        };
        let lowered = lower(
            &tree,
            trimmed,
            &mut self.program,
            &mut self.symbols,
            self.budget,
            self.cancelled.as_ref(),
        );
        self.spend(lowered.steps / 4);
        let (from, to) = lowered.body;
        self.vals.resize(self.program.insns.len(), Value::Unknown);
        self.units.push(Unit {
            first: from,
            origin: Some(call.at),
            depth,
            body: lowered.body,
        });
        if lowered.error.is_some() && call.depth == 0 {
            self.raise(
                "SR001",
                call.at,
                Raise {
                    level: Some(Level::Medium),
                    message: Some("the code given to this call does not parse".to_owned()),
                    ..Raise::default()
                },
            );
        }
        for hit in crate::secrets::find(trimmed).into_iter().take(16) {
            self.raise(
                "SR414",
                call.at,
                Raise {
                    level: Some(hit.level),
                    message: Some(hit.message),
                    ..Raise::default()
                },
            );
        }
        let (branches, loops) = (self.branches, self.loops);
        self.branches += 1;
        self.nest += 1;
        self.run(from, to);
        self.nest -= 1;
        (self.branches, self.loops) = (branches, loops);
        let last = (from..to)
            .rev()
            .find_map(|at| match self.program.insns[at as usize].op {
                crate::syntax::ir::Op::Discard(reg) => Some(reg),
                _ => None,
            });
        last.map_or(Value::Unknown, |reg| self.val(reg))
    }
}
