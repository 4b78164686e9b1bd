//! Processes and threads that multiply: functions that start themselves again, and programs that start themselves.

use super::Engine;
use super::call::Call;
use super::emit::Raise;
use super::value::{Const, Ref, Value};
use crate::Level;
use crate::syntax::ir::{FuncId, Op, Reg};

/// Starts of one scan that are remembered.
const MAX_SPAWNED: usize = 4096;
/// Instructions of a function that are looked at.
const MAX_BODY: usize = 4096;

/// A process or thread that was started.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spawned {
    at: Reg,
    /// The function in which it is started.
    by: Option<FuncId>,
    /// The function that it runs; `None` when it goes on with the code behind, as `os.fork` does.
    runs: Option<FuncId>,
    process: bool,
    /// Nothing but the function itself decides whether it happens.
    always: bool,
    looped: bool,
    pub(super) tag: super::passes::Tag,
}

impl Engine {
    /// Remembers what a call starts.
    pub(crate) fn note_spawn(&mut self, call: &Call) {
        if self.spawned.len() >= MAX_SPAWNED {
            return;
        }
        let last = self.names.get(call.name).last;
        if !matches!(
            self.symbols.text(last),
            "fork" | "forkpty" | "Process" | "Thread" | "start_new_thread"
        ) {
            return;
        }
        let name = self.names.text(&self.symbols, call.name);
        let (process, forks) = match name.as_str() {
            "os.fork" | "os.forkpty" => (true, true),
            "multiprocessing.Process" => (true, false),
            "threading.Thread" | "_thread.start_new_thread" => (false, false),
            _ => return,
        };
        let base = Spawned {
            at: call.at,
            by: self.func,
            runs: None,
            process,
            always: self.branches == self.loops,
            looped: self.in_endless_loop(call.at),
            tag: self.passes.tag(),
        };
        if forks {
            self.spawned.push(base);
            return;
        }
        let targets: Vec<FuncId> = call
            .values()
            .flat_map(Value::refs)
            .filter_map(|one| match one {
                Ref::Func(func) | Ref::Method(func, _) => Some(func),
                _ => None,
            })
            .collect();
        for target in targets {
            self.spawned.push(Spawned {
                runs: Some(target),
                ..base
            });
        }
    }

    /// Functions that start themselves again, twice or without end.
    pub(crate) fn judge_spawned(&mut self) {
        let passes = &self.passes;
        self.spawned.retain(|one| passes.counts(one.tag));
        for index in 0..self.spawned.len() {
            let one = self.spawned[index];
            let Some(by) = one.by.filter(|_| one.always) else {
                continue;
            };
            let again = match one.runs {
                Some(target) => target == by || self.called_from(target).contains(&by),
                // A fork goes on with what follows: a call of the same function, or of whoever called it.
                None => self.forks_again(by),
            };
            if !again {
                continue;
            }
            let starts = self
                .spawned
                .iter()
                .filter(|other| {
                    other.runs == one.runs && other.always && other.process == one.process
                })
                .count();
            let grows = one.looped || starts > 1 || one.runs.is_none();
            let level = match (grows, one.process) {
                (true, true) => Level::Blocked,
                (true, false) => Level::High,
                (false, _) => Level::Medium,
            };
            self.raise(
                "SR801",
                one.at,
                Raise {
                    level: Some(level),
                    message: Some("this function starts itself again, each time anew".to_owned()),
                    ..Raise::default()
                },
            );
        }
    }

    /// Functions that a function calls, and those that they call.
    fn called_from(&self, func: FuncId) -> Vec<FuncId> {
        let mut found: Vec<FuncId> = Vec::new();
        let mut pending = vec![func];
        let mut seen = 0;
        while let Some(next) = pending.pop() {
            seen += 1;
            if seen > 32 {
                break;
            }
            let body = self.program.funcs[next as usize].body;
            for at in (body.0..body.1).take(MAX_BODY) {
                let Op::Call(callee, _) = self.program.insns[at as usize].op else {
                    continue;
                };
                for one in self.vals[callee as usize].refs() {
                    if let Ref::Func(called) | Ref::Method(called, _) = one
                        && !found.contains(&called)
                    {
                        found.push(called);
                        pending.push(called);
                    }
                }
            }
        }
        found
    }

    fn forks_again(&self, func: FuncId) -> bool {
        (0..self.program.funcs.len()).take(512).any(|index| {
            let caller = FuncId::try_from(index).unwrap_or(func);
            let reached = self.called_from(caller);
            (caller == func || reached.contains(&func)) && reached.contains(&caller)
        })
    }

    /// Whether a call starts the very program that it stands in.
    pub(crate) fn runs_itself(call: &Call) -> bool {
        call.values().any(|value| {
            let own = |one: &Const| {
                matches!(one, Const::Str(text) | Const::Partial(text) if text.contains("__file__"))
            };
            value.consts().iter().any(own)
                || value
                    .items()
                    .is_some_and(|items| items.iter().any(|item| item.consts().iter().any(own)))
        })
    }
}
