//! Rules that need more than a table: reflection, patched modules, loops, sizes, classes, and the module as a whole.

use super::Engine;
use super::call::Call;
use super::emit::Raise;
use super::value::{NameId, Ref, Value};
use crate::Level;
use crate::syntax::ir::{BinOp, ClassId, Loop, Op, Reg, Sym};
use crate::syntax::symbols::sym;

impl Engine {
    /// Attributes that lead from any object to the interpreter's inside.
    pub(crate) fn judge_dunder(&mut self, at: Reg, object: &Value, name: Sym) {
        match name {
            sym::SUBCLASSES => {
                let level = if self.comes_from_gadget(at) {
                    None
                } else {
                    Some(Level::Low)
                };
                self.raise(
                    "SR106",
                    at,
                    Raise {
                        level,
                        arg: "__subclasses__".to_owned(),
                        ..Raise::default()
                    },
                );
            }
            sym::GLOBALS | sym::FUNC_GLOBALS => {
                let level = if self.comes_from_gadget(at) {
                    None
                } else {
                    Some(Level::Medium)
                };
                self.raise(
                    "SR106",
                    at,
                    Raise {
                        level,
                        arg: "__globals__".to_owned(),
                        ..Raise::default()
                    },
                );
            }
            sym::F_GLOBALS | sym::F_LOCALS | sym::MODULE_BUILTINS => {
                self.raise(
                    "SR823",
                    at,
                    Raise {
                        arg: self.symbols.text(name).to_owned(),
                        ..Raise::default()
                    },
                );
            }
            sym::DUNDER_BUILTINS if !object.refs().iter().any(|r| matches!(r, Ref::Name(_))) => {
                self.raise(
                    "SR106",
                    at,
                    Raise {
                        arg: "__builtins__".to_owned(),
                        ..Raise::default()
                    },
                );
            }
            _ => {}
        }
    }

    /// Whether the object was itself reached through a class, a base or an initialiser.
    fn comes_from_gadget(&self, at: Reg) -> bool {
        let mut reg = at;
        for _ in 0..6 {
            let next = match self.program.insns.get(reg as usize).map(|insn| insn.op) {
                Some(Op::Attr(object, name)) => {
                    let text = self.symbols.text(name);
                    if reg != at
                        && matches!(
                            text,
                            "__base__"
                                | "__bases__"
                                | "__mro__"
                                | "__class__"
                                | "__init__"
                                | "mro"
                                | "__subclasses__"
                                | "_module"
                                | "__enter__"
                                | "__exit__"
                        )
                    {
                        return true;
                    }
                    object
                }
                Some(Op::Call(callee, _)) => callee,
                Some(Op::Subscript(object, _)) => object,
                _ => return false,
            };
            reg = next;
        }
        false
    }

    /// `getattr(module, unknown)` on a module that can do harm.
    pub(crate) fn judge_unknown_attr(&mut self, at: Reg, object: NameId) {
        const MODULES: &[&str] = &[
            "builtins",
            "os",
            "subprocess",
            "sys",
            "importlib",
            "shutil",
            "ctypes",
            "pty",
            "socket",
            "sys.modules",
            "runpy",
            "code",
            "posix",
            "marshal",
            "pickle",
        ];
        let text = self.names.text(&self.symbols, object);
        if MODULES.contains(&text.as_str()) {
            self.raise(
                "SR104",
                at,
                Raise {
                    subject: Some(object),
                    ..Raise::default()
                },
            );
        }
    }

    pub(crate) fn judge_store_attr(&mut self, at: Reg, target: &Value, name: Sym, value: &Value) {
        for one in target.refs() {
            match one {
                Ref::Name(id) => self.judge_patched(at, id, name, value),
                Ref::Func(_) | Ref::Method(..) if self.symbols.text(name) == "__code__" => {
                    self.raise(
                        "SR107",
                        at,
                        Raise {
                            arg: "__code__".to_owned(),
                            ..Raise::default()
                        },
                    );
                }
                _ => {}
            }
        }
    }

    fn judge_patched(&mut self, at: Reg, owner: NameId, name: Sym, value: &Value) {
        let module = self.names.text(&self.symbols, owner);
        let attribute = self.symbols.text(name).to_owned();
        let full = format!("{module}.{attribute}");
        match (module.as_str(), attribute.as_str()) {
            ("ssl", "_create_default_https_context") => {
                self.raise(
                    "SR611",
                    at,
                    Raise {
                        arg: full,
                        ..Raise::default()
                    },
                );
            }
            ("sys", "excepthook" | "unraisablehook") | ("threading", "excepthook") => {
                self.raise(
                    "SR830",
                    at,
                    Raise {
                        arg: full,
                        ..Raise::default()
                    },
                );
            }
            ("sys", "dont_write_bytecode" | "stdout" | "stderr" | "stdin" | "argv" | "path") => {}
            ("builtins", _) => {
                self.raise(
                    "SR108",
                    at,
                    Raise {
                        arg: full,
                        ..Raise::default()
                    },
                );
            }
            ("os" | "subprocess" | "socket" | "ssl" | "sys" | "importlib" | "shutil" | "io", _) => {
                let level = if self.dangerous_ref(value).is_some() {
                    None
                } else {
                    Some(Level::Medium)
                };
                self.raise(
                    "SR108",
                    at,
                    Raise {
                        arg: full,
                        level,
                        ..Raise::default()
                    },
                );
            }
            _ => {}
        }
    }

    pub(crate) fn judge_store_item(&mut self, at: Reg, target: &Value, key: &Value, value: &Value) {
        for one in target.refs() {
            let Ref::Name(id) = one else { continue };
            let text = self.names.text(&self.symbols, id);
            match (text.as_str(), key.as_str()) {
                ("os.environ", Some(name)) => {
                    let hijacks = [
                        "LD_PRELOAD",
                        "LD_LIBRARY_PATH",
                        "DYLD_INSERT_LIBRARIES",
                        "PYTHONPATH",
                        "PYTHONSTARTUP",
                        "PATH",
                        "BASH_ENV",
                        "PROMPT_COMMAND",
                        "GIT_SSH_COMMAND",
                        "LD_AUDIT",
                        "PYTHONHOME",
                        "NODE_OPTIONS",
                        "PERL5OPT",
                    ];
                    if hijacks.contains(&name) {
                        let level = if name == "PATH" || name == "PYTHONPATH" {
                            Some(Level::Low)
                        } else {
                            None
                        };
                        let arg = name.to_owned();
                        self.raise(
                            "SR516",
                            at,
                            Raise {
                                level,
                                arg,
                                ..Raise::default()
                            },
                        );
                    }
                    if name.eq_ignore_ascii_case("PYTHONHTTPSVERIFY") && value.as_str() == Some("0")
                    {
                        let arg = name.to_owned();
                        self.raise(
                            "SR611",
                            at,
                            Raise {
                                arg,
                                ..Raise::default()
                            },
                        );
                    }
                }
                ("sys.modules", name) => {
                    let arg = name.unwrap_or("a module").to_owned();
                    self.raise(
                        "SR833",
                        at,
                        Raise {
                            arg,
                            ..Raise::default()
                        },
                    );
                }
                ("builtins", Some(name)) => {
                    let arg = name.to_owned();
                    self.raise(
                        "SR108",
                        at,
                        Raise {
                            arg,
                            ..Raise::default()
                        },
                    );
                }
                _ => {}
            }
        }
    }

    pub(crate) fn judge_delete_item(&mut self, at: Reg, target: &Value, key: &Value) {
        for one in target.refs() {
            let Ref::Name(id) = one else { continue };
            if self.names.text(&self.symbols, id) == "sys.modules" {
                let arg = key.as_str().unwrap_or("a module").to_owned();
                self.raise(
                    "SR833",
                    at,
                    Raise {
                        arg,
                        ..Raise::default()
                    },
                );
            }
        }
    }

    pub(crate) fn judge_while(&mut self, at: Reg, condition: Reg, record: u32) {
        self.endless
            .retain(|(begin, end)| *end > at && *begin != at);
        let value = self.val(condition);
        let record = self.program.loops[record as usize];
        if value.truth() != Some(true) || record.leaves {
            return;
        }
        self.endless.push((at, record.end));
        let body = at + 1..record.end;
        let quiet = body
            .clone()
            .take(4096)
            .all(|reg| match self.program.insns[reg as usize].op {
                Op::Call(callee, _) => self.only_computes(callee),
                _ => true,
            });
        if quiet {
            self.raise("SR802", at, Raise::default());
        }
    }

    /// Whether a function, by its name, does nothing but compute or print.
    fn only_computes(&self, mut callee: Reg) -> bool {
        const FUNCTIONS: [&str; 22] = [
            "abs",
            "bytes",
            "chr",
            "divmod",
            "enumerate",
            "float",
            "hash",
            "int",
            "len",
            "list",
            "max",
            "min",
            "ord",
            "pow",
            "print",
            "range",
            "repr",
            "round",
            "sorted",
            "str",
            "sum",
            "tuple",
        ];
        const METHODS: [&str; 8] = [
            "digest",
            "encode",
            "format",
            "hexdigest",
            "join",
            "lower",
            "strip",
            "upper",
        ];
        for _ in 0..8 {
            match self.program.insns[callee as usize].op {
                Op::Load(name) => return FUNCTIONS.contains(&self.symbols.text(name)),
                Op::Attr(object, name) => match self.program.insns[object as usize].op {
                    Op::Load(module) => {
                        return matches!(
                            self.symbols.text(module),
                            "math" | "hashlib" | "cmath" | "random"
                        );
                    }
                    Op::Const(_) => return METHODS.contains(&self.symbols.text(name)),
                    Op::Call(inner, _) if METHODS.contains(&self.symbols.text(name)) => {
                        callee = inner;
                    }
                    _ => return false,
                },
                _ => return false,
            }
        }
        false
    }

    pub(crate) fn judge_for(&mut self, at: Reg, iterable: &Value, record: Loop) {
        self.endless
            .retain(|(begin, end)| *end > at && *begin != at);
        let endless = iterable.refs().iter().any(|one| {
            matches!(one, Ref::Name(name)
                if matches!(self.names.text(&self.symbols, *name).as_str(),
                    "itertools.count()" | "itertools.repeat()" | "itertools.cycle()"))
        });
        if endless && !record.leaves {
            self.endless.push((at, record.end));
        }
    }

    /// `list(itertools.count())`: all of what has no end.
    pub(crate) fn judge_endless_iterator(&mut self, call: &Call) {
        let Some(Value::Ref(Ref::Name(given))) = call.pos.first() else {
            return;
        };
        let given = self.names.text(&self.symbols, *given);
        if !matches!(given.as_str(), "itertools.count()" | "itertools.cycle()") {
            return;
        }
        let name = self.names.text(&self.symbols, call.name);
        let (rule, level) = match name.as_str() {
            "builtins.list" | "builtins.tuple" | "builtins.set" | "builtins.sorted"
            | "builtins.frozenset" | "collections.deque" => ("SR803", Level::High),
            "builtins.sum" | "builtins.max" | "builtins.min" => ("SR802", Level::Medium),
            _ => return,
        };
        self.raise(
            rule,
            call.at,
            Raise {
                level: Some(level),
                ..Raise::default()
            },
        );
    }

    /// Whether an instruction stands in a loop that does not end.
    pub(crate) fn in_endless_loop(&self, at: Reg) -> bool {
        self.endless
            .iter()
            .any(|(begin, end)| (*begin..*end).contains(&at))
    }

    /// What a call does in a loop without end.
    pub(crate) fn judge_in_loop(&mut self, call: &Call) {
        if self.endless.is_empty() || !self.in_endless_loop(call.at) {
            return;
        }
        let name = self.names.text(&self.symbols, call.name);
        match name.as_str() {
            "os.fork" | "os.forkpty" => {
                self.raise(
                    "SR801",
                    call.at,
                    Raise {
                        subject: Some(call.name),
                        ..Raise::default()
                    },
                );
            }
            "subprocess.Popen" | "subprocess.run" | "subprocess.call"
                if Self::runs_itself(call) =>
            {
                self.raise(
                    "SR801",
                    call.at,
                    Raise {
                        subject: Some(call.name),
                        ..Raise::default()
                    },
                );
            }
            "subprocess.Popen"
            | "multiprocessing.Process().start"
            | "os.startfile"
            | "threading.Thread().start"
            | "os.spawnl"
            | "os.spawnv" => {
                self.raise(
                    "SR801",
                    call.at,
                    Raise {
                        subject: Some(call.name),
                        level: Some(Level::High),
                        ..Raise::default()
                    },
                );
            }
            "builtins.bytearray" | "numpy.zeros" | "numpy.ones" => {
                self.raise(
                    "SR803",
                    call.at,
                    Raise {
                        subject: Some(call.name),
                        ..Raise::default()
                    },
                );
            }
            "builtins.open().write" => {
                self.raise(
                    "SR809",
                    call.at,
                    Raise {
                        subject: Some(call.name),
                        ..Raise::default()
                    },
                );
            }
            _ => {}
        }
    }

    /// A container grows in a loop without end.
    pub(crate) fn judge_growth(&mut self, at: Reg, container: Reg) {
        if !self.endless.is_empty() && self.in_endless_loop(at) && !self.loop_shrinks(at, container)
        {
            // What waits for something in each round grows no faster than that comes.
            let level = self.loop_waits(at).then_some(Level::Low);
            self.raise(
                "SR803",
                at,
                Raise {
                    level,
                    arg: "a list".to_owned(),
                    ..Raise::default()
                },
            );
        }
    }

    /// A display or text that is repeated, or a power, too large for any host.
    pub(crate) fn judge_size(&mut self, at: Reg, length: usize, times: i64, op: BinOp) {
        let times = usize::try_from(times).unwrap_or(0);
        let huge = match op {
            BinOp::Mul => length.max(1).saturating_mul(times) >= 1 << 29,
            BinOp::Pow => times >= 100_000_000,
            _ => false,
        };
        if huge {
            self.raise("SR804", at, Raise::default());
        }
    }

    /// Operators of a class that are really something else: `__add__ = eval`.
    pub(crate) fn judge_class(&mut self, at: Reg, class: ClassId) {
        let Some(&scope) = self.class_scopes.get(&class) else {
            return;
        };
        let members: Vec<(Sym, u32)> = self.scopes[scope as usize]
            .names
            .iter()
            .map(|(name, slot)| (*name, *slot))
            .collect();
        for (name, slot) in members {
            if !self.symbols.text(name).starts_with("__") {
                continue;
            }
            let value = self.ask_slot(slot);
            if let Some(found) = self.dangerous_ref(&value) {
                self.raise(
                    "SR111",
                    at,
                    Raise {
                        subject: Some(found),
                        ..Raise::default()
                    },
                );
            }
        }
    }

    pub(crate) fn judge_made_class(&mut self, at: Reg, namespace: &Value) {
        let Some(pairs) = namespace.pairs().cloned() else {
            return;
        };
        for (_, value) in pairs.iter() {
            if let Some(found) = self.dangerous_ref(value) {
                self.raise(
                    "SR111",
                    at,
                    Raise {
                        subject: Some(found),
                        ..Raise::default()
                    },
                );
            }
        }
    }
}
