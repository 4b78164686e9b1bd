//! Applies what the catalogue says that a call does to data.

use super::Engine;
use super::call::Call;
use super::value::{Const, Label, Ref, Value};
use crate::rules::Access;
use crate::rules::effects::{Effect, Rest};

impl Engine {
    /// The result of a call by one of its effects, or `None` if the effect says nothing of it.
    pub(crate) fn apply_effect(&mut self, effect: &'static Effect, call: &Call) -> Option<Value> {
        match effect {
            Effect::Source(label, what) => {
                let taint = self.source_taint(*label, what, call.at);
                let result = self
                    .names
                    .result(&mut self.symbols, call.name)
                    .map_or(Value::Unknown, |id| Value::Ref(Ref::Name(id)));
                Some(result.with_taints(&[taint]))
            }
            Effect::Path(access, arg) => {
                let path = call.arg(self, *arg).cloned().unwrap_or_default();
                self.judge_path(call, &path, *access);
                if *access == Access::Read {
                    return Some(self.read_result(call, &path));
                }
                None
            }
            Effect::Open(path, mode) => {
                let path = call.arg(self, *path).cloned().unwrap_or_default();
                let mode = call.arg(self, *mode).cloned();
                Some(self.open(call, &path, mode.as_ref()))
            }
            Effect::Sink(sink) => {
                self.judge_sink(call, *sink);
                None
            }
            Effect::Code(arg) => {
                let code = call.arg(self, *arg).cloned();
                if let Some(code) = code {
                    return Some(self.run_code(call, &code));
                }
                None
            }
            Effect::Compile(arg) => {
                let code = call.arg(self, *arg).cloned().unwrap_or_default();
                Some(self.compiled(call, &code))
            }
            Effect::Shell(arg) => {
                let text = call.arg(self, *arg).cloned().unwrap_or_default();
                self.judge_shell(call, &text);
                None
            }
            Effect::Command(arg) => {
                let command = call.arg(self, *arg).cloned().unwrap_or_default();
                self.judge_command(call, &command);
                // `execv(path, argv)`: what runs is the path, whatever the first word calls itself.
                if arg.0 > 0
                    && let Some(path) = call.pos.get(usize::from(arg.0) - 1).cloned()
                {
                    self.judge_as(call, path, &command);
                }
                None
            }
            Effect::Argv(from) => {
                let items = call.pos.iter().skip(usize::from(*from)).cloned().collect();
                let command = Value::seq(items);
                self.judge_argv(call, &command);
                if *from > 0
                    && let Some(path) = call.pos.get(usize::from(*from) - 1).cloned()
                {
                    self.judge_as(call, path, &command);
                }
                None
            }
            Effect::Apply(arg, rest) => {
                let value = self.apply_callback(call, *arg, *rest);
                // `Process(target=f)` is a process, whatever `f` gives.
                let own = self.names.result(&mut self.symbols, call.name).is_some();
                value.filter(|_| !own)
            }
            Effect::Gives(name) => Some(self.named(name)),
            Effect::Clean | Effect::Is(_) => None,
            Effect::Special(run) => Some(run(self, call)),
        }
    }

    /// Calls a function that was handed over.
    fn apply_callback(
        &mut self,
        call: &Call,
        arg: crate::rules::effects::Arg,
        rest: Rest,
    ) -> Option<Value> {
        let func = call.arg(self, arg).cloned()?;
        if func.is_unknown() {
            return None;
        }
        let mut inner = Call::bare(call.at);
        inner.depth = call.depth + 1;
        let after = usize::from(arg.0) + 1;
        match rest {
            Rest::After => {
                inner.pos = call.pos.iter().skip(after).cloned().collect();
                inner.kw = call
                    .kw
                    .iter()
                    .filter(|(key, _)| self.symbols.text(*key) != arg.1)
                    .cloned()
                    .collect();
            }
            Rest::Elements => {
                let lists: Vec<Value> = call.pos.iter().skip(after).cloned().collect();
                return Some(self.map_over(call, &func, &lists));
            }
            Rest::Spread => {
                let list = call.pos.get(after).cloned().unwrap_or_default();
                let each = self
                    .known_elements(&list)
                    .unwrap_or_else(|| vec![self.element_of(&list)]);
                let mut out = Vec::new();
                for item in each.into_iter().take(64) {
                    let mut one = inner.clone();
                    match item.items() {
                        Some(items) => one.pos.extend(items.iter().take(32).cloned()),
                        None => one.spread = Some(self.element_of(&item)),
                    }
                    out.push(self.call_value(&func, one));
                }
                return Some(Value::seq(out));
            }
            Rest::Beside => {
                let lists: Vec<Value> = call.pos.to_vec();
                for list in lists.iter().take(8) {
                    let mut each = self
                        .known_elements(list)
                        .unwrap_or_else(|| vec![self.element_of(list)]);
                    if lists.len() > 1 {
                        each = vec![list.clone()];
                    }
                    for item in each.into_iter().take(64) {
                        let mut one = inner.clone();
                        one.pos.push(item);
                        self.call_value(&func, one);
                    }
                }
                return None;
            }
            Rest::Args(at) => {
                let args = call
                    .keyword(self, "args")
                    .or_else(|| call.keyword(self, "argument"))
                    .or_else(|| call.pos.get(usize::from(at)))
                    .cloned()
                    .unwrap_or_default();
                match args.items() {
                    Some(items) => inner.pos.extend(items.iter().take(32).cloned()),
                    None if args.is_unknown() => {}
                    None => inner.spread = Some(self.element_of(&args)),
                }
                if let Some(pairs) = call
                    .keyword(self, "kwargs")
                    .and_then(|v| v.pairs().cloned())
                {
                    for (key, value) in pairs.iter().take(32) {
                        if let Some(key) = key.as_str() {
                            let key = self.symbols.intern(key);
                            inner.kw.push((key, value.clone()));
                        }
                    }
                }
            }
        }
        Some(self.call_value(&func, inner))
    }

    /// `map(func, list, ...)`: element by element when the list is known.
    fn map_over(&mut self, call: &Call, func: &Value, lists: &[Value]) -> Value {
        let first = lists.first().cloned().unwrap_or_default();
        if lists.len() == 1
            && let Some(items) = self.known_elements(&first)
            && items.len() <= 20_000
            && self.spend_fold(items.len() * 32)
        {
            let mut out = Vec::with_capacity(items.len());
            for item in items {
                let mut inner = Call::bare(call.at);
                inner.depth = call.depth + 1;
                inner.pos.push(item);
                out.push(self.call_folding(func, inner));
                if self.stopped {
                    return Value::Unknown;
                }
            }
            return Value::seq(out).with_taints(&first.taints());
        }
        let mut inner = Call::bare(call.at);
        inner.depth = call.depth + 1;
        for list in lists {
            let element = self.element_of(list);
            inner.pos.push(element);
        }
        let result = self.call_value(func, inner);
        Value::element(result).with_taints(&first.taints())
    }

    /// Calls a small lambda over constants by running its body at once, so that each element has its own result.
    pub(crate) fn call_folding(&mut self, func: &Value, call: Call) -> Value {
        let refs = func.refs();
        let [Ref::Func(id)] = refs.as_slice() else {
            return self.call_value(func, call);
        };
        let info = self.program.funcs[*id as usize].clone();
        let body = info.body;
        // A loop in each of many calls costs more than it tells.
        let loops = (body.0..body.1).take(64).any(|at| {
            matches!(
                self.program.insns[at as usize].op,
                crate::syntax::ir::Op::ForBegin(..) | crate::syntax::ir::Op::WhileBegin(..)
            )
        });
        let small = body.1.saturating_sub(body.0) <= 64 && self.nest < 6 && !loops;
        let Some(&scope) = self.func_scopes.get(id) else {
            return Value::Unknown;
        };
        if !small || !self.spend_fold((body.1 - body.0) as usize * 4) {
            return self.call_value(func, call);
        }
        if self.nest == 0 || call.pos.iter().any(|value| value.rich().is_some()) {
            self.call_value(func, call.clone());
        }
        let saved = (self.scope, self.func, self.branches, self.loops);
        for (param, value) in info.params.iter().zip(&call.pos) {
            let slot = self.declare(scope, param.name);
            self.store_slot(slot, value, false);
        }
        (self.scope, self.func, self.branches, self.loops) = (scope, None, 0, 0);
        self.nest += 1;
        self.run(body.0, body.1);
        self.nest -= 1;
        (self.scope, self.func, self.branches, self.loops) = saved;
        let last = (body.0..body.1)
            .rev()
            .find_map(|at| match self.program.insns[at as usize].op {
                crate::syntax::ir::Op::Return(reg) => Some(reg),
                _ => None,
            });
        last.map_or(Value::Unknown, |reg| self.val(reg))
    }

    /// What the code itself has put into a variable of the environment.
    fn stored_variable(&mut self, name: &str) -> Option<Value> {
        let Value::Ref(Ref::Name(environ)) = self.named("os.environ") else {
            return None;
        };
        let name = self.symbols.intern(name);
        let Some(&slot) = self.overrides.get(&(environ, name)) else {
            // Whoever stores it later must know that it was asked for.
            self.names.child(&mut self.symbols, environ, name);
            return None;
        };
        let stored = self.ask_slot(slot);
        (!stored.is_unknown()).then_some(stored)
    }

    /// `os.environ[key]`, `os.getenv(key)`.
    pub(crate) fn environment(&mut self, at: u32, key: &Value) -> Value {
        let name = key.as_str().map(str::to_owned);
        let Some(name) = name else {
            let taint = self.source_taint(Label::EnvVar, "an environment variable is read", at);
            return Value::Unknown.with_taints(&[taint]);
        };
        let outside = self.outside_variable(at, &name);
        // A store may come later, or never: what the variable held before stays possible.
        match self.stored_variable(&name) {
            Some(stored) => stored.join(&outside),
            None => outside,
        }
    }

    /// What a variable held before the code began.
    fn outside_variable(&mut self, at: u32, name: &str) -> Value {
        let upper = name.to_ascii_uppercase();
        match upper.as_str() {
            "HOME" | "USERPROFILE" => return Value::str("~"),
            "APPDATA" => return Value::str("~/AppData/Roaming"),
            "LOCALAPPDATA" => return Value::str("~/AppData/Local"),
            "TMPDIR" | "TEMP" | "TMP" => return Value::str("/tmp"),
            "SSH_AUTH_SOCK" => {
                let what = "the socket of the SSH agent is looked up";
                let taint = self.source_taint(Label::SecretFile, what, at);
                return Value::Unknown.with_taints(&[taint]);
            }
            "PATH" | "LANG" | "TERM" | "SHELL" | "PWD" => return Value::Unknown,
            _ => {}
        }
        let secret = is_secret_name(&upper);
        let (label, what) = if secret {
            (Label::SecretEnv, "a secret of the environment is read")
        } else if matches!(
            upper.as_str(),
            "USER" | "USERNAME" | "LOGNAME" | "HOSTNAME" | "COMPUTERNAME"
        ) {
            (Label::Host, "the user's or the host's name is read")
        } else {
            (Label::EnvVar, "an environment variable is read")
        };
        if secret {
            self.secret_names.insert(at, name.to_owned());
            self.raise(
                "SR410",
                at,
                super::emit::Raise {
                    arg: name.to_owned(),
                    ..super::emit::Raise::default()
                },
            );
        }
        let taint = self.source_taint(label, what, at);
        Value::Unknown.with_taints(&[taint])
    }

    /// Whether a constant argument is sure to be a certain text.
    pub(crate) fn text_of(value: &Value) -> Option<String> {
        match value.exact()? {
            Const::Str(text) | Const::Partial(text) => Some(text.to_string()),
            Const::Bytes(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
            _ => None,
        }
    }
}

/// Whether a variable of this (upper-case) name is likely to hold a secret.
pub(crate) fn is_secret_name(upper: &str) -> bool {
    const PARTS: &[&str] = &[
        "SECRET",
        "TOKEN",
        "PASSWORD",
        "PASSWD",
        "API_KEY",
        "APIKEY",
        "ACCESS_KEY",
        "PRIVATE_KEY",
        "CREDENTIAL",
        "AUTH_KEY",
        "_PAT",
        "DATABASE_URL",
        "_DSN",
        "SESSION_KEY",
        "ENCRYPTION_KEY",
    ];
    PARTS.iter().any(|part| upper.contains(part))
        || upper.ends_with("_KEY")
        || upper.ends_with("_PWD")
}
