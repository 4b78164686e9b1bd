//! Rules that need more than a table: reflection, patched modules, sizes and classes.

use super::Engine;
use super::emit::Raise;
use super::value::{NameId, Ref, Value};
use crate::Level;
use crate::syntax::ir::{BinOp, ClassId, Op, Reg, Sym};
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
