//! Loops and iterators without end: which loops cannot end, and what grows or multiplies in them.

use super::Engine;
use super::call::Call;
use super::emit::Raise;
use super::value::{Ref, Value};
use crate::Level;
use crate::syntax::ir::{Loop, Op, Reg};

/// Instructions of a loop that are looked at.
const MAX_BODY: usize = 4096;

impl Engine {
    pub(crate) fn judge_while(&mut self, at: Reg, condition: Reg, record: u32) {
        self.leave_loops(at);
        let value = self.val(condition);
        let record = self.program.loops[record as usize];
        if value.truth() != Some(true) || record.leaves {
            return;
        }
        self.endless.push((at, record.end));
        let quiet = (at + 1..record.end).take(MAX_BODY).all(|reg| {
            match self.program.insns[reg as usize].op {
                Op::Call(callee, _) => self.only_computes(callee),
                _ => true,
            }
        });
        if quiet {
            self.raise("SR802", at, Raise::default());
        }
    }

    /// Forgets the loops that end before an instruction, and one that begins there anew.
    fn leave_loops(&mut self, at: Reg) {
        self.endless
            .retain(|(begin, end)| *end > at && *begin != at);
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
        self.leave_loops(at);
        let endless = self.may_be_named(iterable, |name| {
            matches!(
                name,
                "itertools.count()" | "itertools.repeat()" | "itertools.cycle()"
            )
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
        self.endless_around(at).is_some()
    }

    /// The innermost loop around an instruction that does not end, by begin and end.
    fn endless_around(&self, at: Reg) -> Option<(Reg, Reg)> {
        self.endless
            .iter()
            .rev()
            .find(|(begin, end)| (*begin..*end).contains(&at))
            .copied()
    }

    /// What a call does in a loop without end.
    pub(crate) fn judge_in_loop(&mut self, call: &Call) {
        if !self.in_endless_loop(call.at) {
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
        if self.in_endless_loop(at) && !self.loop_shrinks(at, container) {
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

    /// Whether the endless loop around an instruction also takes things out of the same container.
    fn loop_shrinks(&self, at: Reg, container: Reg) -> bool {
        const TAKES: [&str; 8] = [
            "pop", "popleft", "popitem", "remove", "discard", "clear", "truncate", "seek",
        ];
        let Some((begin, end)) = self.endless_around(at) else {
            return false;
        };
        let same = |object: Reg| match (
            self.program.insns[object as usize].op,
            self.program.insns[container as usize].op,
        ) {
            (Op::Load(a), Op::Load(b)) | (Op::Attr(_, a), Op::Attr(_, b)) => a == b,
            _ => false,
        };
        (begin..end)
            .take(MAX_BODY)
            .any(|reg| match self.program.insns[reg as usize].op {
                Op::Call(callee, _) => match self.program.insns[callee as usize].op {
                    Op::Attr(object, name) => {
                        same(object) && TAKES.contains(&self.symbols.text(name))
                    }
                    _ => false,
                },
                Op::DelSub(object, _) => same(object),
                _ => false,
            })
    }

    /// Whether each round of the endless loop around an instruction waits for something.
    fn loop_waits(&self, at: Reg) -> bool {
        const WAITS: [&str; 14] = [
            "get", "recv", "recvfrom", "accept", "input", "readline", "read", "poll", "wait",
            "join", "select", "sleep", "urlopen", "acquire",
        ];
        let Some((begin, end)) = self.endless_around(at) else {
            return false;
        };
        (begin..end).take(MAX_BODY).any(|reg| {
            let Op::Call(callee, _) = self.program.insns[reg as usize].op else {
                return false;
            };
            match self.program.insns[callee as usize].op {
                Op::Attr(_, name) | Op::Load(name) => WAITS.contains(&self.symbols.text(name)),
                _ => false,
            }
        })
    }
}
