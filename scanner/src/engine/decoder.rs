//! Small functions of the scanned code that make text of constants, as code that hides its words has them: each call
//! is run for itself, so that many calls of one decoder do not blur each other. Knows nothing of what the text is for.

use super::Engine;
use super::call::Call;
use super::value::{Const, Ref, Value, either_of};
use crate::syntax::ir::{ClassId, FuncId, Op, ParamKind, Reg};

/// Instructions that such a function has at most.
const MAX_BODY: Reg = 160;
/// Items of a list that is an argument.
const MAX_ITEMS: usize = 4096;
/// How deep such calls may nest.
const MAX_NEST: u32 = 4;

impl Engine {
    /// What a call gives whose arguments are all constants; `None` when the function is no decoder, or the arguments
    /// are not known, or nothing comes of it.
    pub(crate) fn decoded_call(
        &mut self,
        func: FuncId,
        bound: Option<ClassId>,
        call: &Call,
    ) -> Option<Value> {
        let known = call.spread.is_none() && call.values().all(is_constant);
        if !known || !call.values().any(is_data) || self.nest >= MAX_NEST || !self.decodes(func) {
            return None;
        }
        // What it holds of a run that has not ended must not be overwritten.
        if self.passes.runner() == func || self.decoding.contains(&func) {
            return None;
        }
        let scope = *self.func_scopes.get(&func)?;
        let (body, params) = {
            let info = &self.program.funcs[func as usize];
            (info.body, info.params.clone())
        };
        if self.stopped || !self.spend_fold((body.1 - body.0) as usize * 8) {
            return None;
        }
        let method = bound.is_some() && !self.statics.contains(&func);
        let mut given = call.pos.iter();
        for (index, param) in params.iter().enumerate() {
            let named = call.kw.iter().find(|(key, _)| *key == param.name);
            let value = match (param.kind, bound) {
                (_, Some(class)) if index == 0 && method => Value::Ref(Ref::Instance(class)),
                (ParamKind::Star, _) => Value::seq(given.by_ref().cloned().collect()),
                (ParamKind::DoubleStar, _) => continue,
                (ParamKind::Plain, _) => {
                    let next = if param.keyword_only {
                        None
                    } else {
                        given.next()
                    };
                    if let Some(value) = next.or(named.map(|(_, value)| value)) {
                        value.clone()
                    } else {
                        let slot = self.declare(scope, param.name);
                        self.ask_slot(slot)
                    }
                }
            };
            let slot = self.declare(scope, param.name);
            self.store_slot(slot, &value, false);
        }
        let saved = (self.scope, self.func, self.branches, self.loops, self.here);
        (self.scope, self.func, self.branches, self.loops) = (scope, None, 0, 0);
        self.nest += 1;
        self.decoding.push(func);
        self.run(body.0, body.1);
        self.decoding.pop();
        self.nest -= 1;
        (self.scope, self.func, self.branches, self.loops, self.here) = saved;
        let mut out: Option<Value> = None;
        for reg in self.returned(func) {
            let value = self.val(reg);
            out = Some(either_of(out, &value));
        }
        out.filter(|value| value.closed().is_some())
    }

    /// Registers that a function's own `return` statements give.
    fn returned(&self, func: FuncId) -> Vec<Reg> {
        let (from, to) = self.program.funcs[func as usize].body;
        let mut found = Vec::new();
        let mut at = from;
        while at < to {
            match self.program.insns[at as usize].op {
                Op::Body(inner) => {
                    at = self.program.funcs[inner as usize].body.1.max(at + 1);
                    continue;
                }
                Op::Return(reg) => found.push(reg),
                _ => {}
            }
            at += 1;
        }
        found
    }

    /// Whether a function is small, gives something back, and takes texts or bytes apart or puts them together.
    fn decodes(&mut self, func: FuncId) -> bool {
        if let Some(&known) = self.decoders.get(&func) {
            return known;
        }
        let (from, to) = self.program.funcs[func as usize].body;
        let small = to > from && to - from <= MAX_BODY;
        let decodes = small
            && (from..to).any(|at| match self.program.insns[at as usize].op {
                Op::Slice(..) => true,
                Op::Call(callee, _) => match self.program.insns[callee as usize].op {
                    Op::Attr(_, name) => matches!(
                        self.symbols.text(name),
                        "join"
                            | "decode"
                            | "translate"
                            | "fromhex"
                            | "replace"
                            | "b64decode"
                            | "b32decode"
                            | "b85decode"
                            | "b16decode"
                            | "a85decode"
                            | "unhexlify"
                            | "decompress"
                            | "format"
                            | "to_bytes"
                    ),
                    Op::Load(name) => matches!(
                        self.symbols.text(name),
                        "chr" | "bytes" | "bytearray" | "b64decode" | "unhexlify" | "reversed"
                    ),
                    _ => false,
                },
                _ => false,
            })
            && !self.returned(func).is_empty();
        self.decoders.insert(func, decodes);
        decodes
    }
}

/// A constant, or a list of constants that is not too long.
fn is_constant(value: &Value) -> bool {
    value.is_spelled_out() && value.items().is_none_or(|items| items.len() <= MAX_ITEMS)
}

/// Something that text can be made of.
fn is_data(value: &Value) -> bool {
    value.items().is_some()
        || matches!(
            value.exact(),
            Some(Const::Str(_) | Const::Bytes(_) | Const::Int(_))
        )
}
