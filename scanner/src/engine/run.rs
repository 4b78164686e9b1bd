//! The loop over instructions. Everything here is one step for each instruction; loops and comprehensions over
//! known constants are run element by element, within the fold budget.

use std::rc::Rc;

use super::Engine;
use super::scope::{ScopeId, ScopeKind};
use super::step::StepKind;
use super::value::{Const, Value, gather};
use crate::syntax::ir::{ArgKind, FuncId, NONE, Op, Reg};
use crate::syntax::symbols::sym;

/// Elements that a loop over constants is run for.
const MAX_ROUNDS: usize = 20_000;
/// Bytes of a new text that cost nothing beyond the steps of the instruction that made it.
const FREE: usize = 1024;
/// How deep loops over constants may nest.
const MAX_NEST: u32 = 6;

/// A comprehension that is being run.
#[derive(Debug, Default)]
pub(crate) struct Comp {
    items: Vec<Value>,
    pairs: Vec<(Value, Value)>,
    /// All elements are known, in order.
    exact: bool,
    outer: ScopeId,
    /// Clauses that are being run element by element.
    running: u32,
}

impl Engine {
    pub(crate) fn val(&self, reg: Reg) -> Value {
        self.vals.get(reg as usize).cloned().unwrap_or_default()
    }

    fn set(&mut self, reg: Reg, value: Value) {
        let value = self.paid_for(value);
        if let Some(slot) = self.vals.get_mut(reg as usize) {
            *slot = value;
        }
    }

    /// A value, or the unknown one where the budget does not allow for the text that was made for it: what an instruction
    /// makes is kept until the end of the scan.
    fn paid_for(&mut self, value: Value) -> Value {
        let made: usize = value
            .consts()
            .iter()
            .map(|one| match one {
                Const::Str(text) | Const::Partial(text) if Rc::strong_count(text) == 1 => {
                    text.len()
                }
                Const::Bytes(bytes) if Rc::strong_count(bytes) == 1 => bytes.len(),
                _ => 0,
            })
            .sum();
        if made < FREE || self.spend_fold(made) {
            return value;
        }
        Value::Unknown.with_taints(&value.taints())
    }

    /// Runs instructions `from..to`; true if the end was reached and not cut short by a false condition.
    pub(crate) fn run(&mut self, from: Reg, to: Reg) -> bool {
        let mut at = from;
        while at < to {
            if !self.spend(1) {
                return false;
            }
            let insn = self.program.insns[at as usize];
            self.here = at;
            match insn.op {
                Op::Body(func) => {
                    let end = self.program.funcs[func as usize].body.1;
                    at = end.max(at + 1);
                    continue;
                }
                Op::ForBegin(iterable, record) => {
                    at = self.for_begin(at, iterable, record);
                    continue;
                }
                Op::CompFor(iterable, record) => {
                    at = self.comp_for(at, iterable, record);
                    continue;
                }
                Op::CompIf(condition) => {
                    let concrete = self.comps.last().is_some_and(|comp| comp.running > 0);
                    if concrete && self.val(condition).truth() == Some(false) {
                        return false;
                    }
                    if self.val(condition).truth() != Some(true)
                        && let Some(comp) = self.comps.last_mut()
                    {
                        comp.exact = false;
                    }
                }
                op => self.one(at, op),
            }
            at += 1;
        }
        true
    }

    #[allow(
        clippy::too_many_lines,
        reason = "one arm for each instruction, each of them short"
    )]
    fn one(&mut self, at: Reg, op: Op) {
        match op {
            Op::Const(id) => {
                let value = self.program.consts[id as usize].clone();
                self.set(at, value);
            }
            Op::Load(name) => {
                let value = self.load_name(name);
                self.set(at, value);
            }
            Op::Attr(object, name) => {
                let value = self.load_attr(at, object, name);
                self.set(at, value);
            }
            Op::Call(callee, args) => {
                let value = self.call_insn(at, callee, args);
                self.set(at, value);
            }
            Op::Store(name, reg) | Op::Walrus(name, reg) => {
                let mut value = self.val(reg);
                if value.is_tainted() {
                    value = self.travelled(&value, StepKind::Assign(name), at);
                }
                self.store_name(name, &value, matches!(op, Op::Walrus(..)));
            }
            Op::Seq(args) => {
                let list = self.program.arg_slice(args);
                let mut exact = true;
                let mut items = Vec::with_capacity(list.len());
                let mut spread: Vec<Value> = Vec::new();
                for arg in list {
                    let value = self.vals[arg.reg as usize].clone();
                    if arg.kind == ArgKind::Plain {
                        items.push(value);
                    } else if let Some(inner) = value.items() {
                        items.extend(inner.iter().cloned());
                    } else {
                        exact = false;
                        spread.push(value);
                    }
                }
                let value = if exact {
                    self.spend(items.len() as u64 / 8);
                    Value::seq(items)
                } else {
                    let taints = gather(spread.iter());
                    let element = items
                        .iter()
                        .fold(Value::Unknown, |all, item| all.join(item));
                    Value::element(element).with_taints(&taints)
                };
                self.set(at, value);
            }
            Op::Dict(args) => {
                let value = self.build_dict(args);
                self.set(at, value);
            }
            Op::Subscript(object, index) => {
                let value = self.load_item(at, object, index);
                self.set(at, value);
            }
            Op::Slice(..)
            | Op::Raise
            | Op::Else
            | Op::DelAttr
            | Op::Assert
            | Op::Discard(_)
            | Op::Python2
            | Op::Body(_)
            | Op::ForBegin(..)
            | Op::CompFor(..)
            | Op::CompIf(_) => {}
            Op::Bin(op, left, right) => {
                let (left, right) = (self.val(left), self.val(right));
                let value = self.binary(at, op, &left, &right);
                self.set(at, value);
            }
            Op::Un(op, operand) => {
                let operand = self.val(operand);
                let value = Self::unary(op, &operand);
                self.set(at, value);
            }
            Op::Compare(left, right, equal) => {
                let (left, right) = (self.val(left), self.val(right));
                if Self::has_instance(&left) || Self::has_instance(&right) {
                    self.comparison_methods(at, &[left.clone(), right.clone()]);
                }
                let value = Self::compare(&left, &right, equal);
                self.set(at, value);
            }
            Op::Either(left, right) => {
                let value = self.vals[left as usize].join(&self.vals[right as usize]);
                self.set(at, value);
            }
            Op::Yield(reg) => {
                let value = self.val(reg);
                self.add_return(&Value::element(value));
                self.set(at, Value::Unknown);
            }
            Op::YieldFrom(reg) => {
                let value = self.val(reg);
                self.add_return(&value);
                let inner = self.element_of(&value);
                self.set(at, inner);
            }
            Op::FString(args) => {
                let value = self.format_string(args);
                self.set(at, value);
            }
            Op::StoreAttr(object, name, reg) => self.store_attr(at, object, name, reg),
            Op::StoreSub(object, index, reg) => self.store_item(at, object, index, reg),
            Op::Blend(args, comparison) => {
                let taints = gather(
                    self.program
                        .arg_slice(args)
                        .iter()
                        .map(|arg| &self.vals[arg.reg as usize]),
                );
                if comparison {
                    let list = self.program.arg_slice(args);
                    let objects = list
                        .iter()
                        .any(|arg| Self::has_instance(&self.vals[arg.reg as usize]));
                    if objects {
                        let operands: Vec<Value> = list
                            .iter()
                            .map(|arg| self.vals[arg.reg as usize].clone())
                            .collect();
                        self.comparison_methods(at, &operands);
                    }
                }
                self.set(at, Value::Unknown.with_taints(&taints));
            }
            Op::Inside(reg) => {
                let whole = self.val(reg);
                let value = self.inside_of(&whole);
                self.set(at, value);
            }
            Op::DelName(name) => self.unbind(name),
            Op::DelSub(object, index) => self.delete_item(at, object, index),
            Op::Item(reg, index) => {
                let whole = self.val(reg);
                let value = self.item_of(&whole, index as usize);
                self.set(at, value);
            }
            Op::Last(reg, index) => {
                let whole = self.val(reg);
                let value = match whole.items() {
                    Some(items) if items.len() > index as usize => {
                        let item = items[items.len() - 1 - index as usize].clone();
                        item.with_taints(&whole.taints())
                    }
                    _ => self.element_at(at, &whole),
                };
                self.set(at, value);
            }
            Op::Rest(reg, front, back) => {
                let whole = self.val(reg);
                let value = self.rest_of(at, &whole, front as usize, back as usize);
                self.set(at, value);
            }
            Op::Enter(reg) => {
                let value = self.val(reg);
                let entered = self.entered(at, &value);
                self.set(at, entered);
            }
            Op::Import(module) => self.import(at, module),
            Op::Module(module) => {
                let value = self.module_value(module);
                self.set(at, value);
            }
            Op::ImportFrom(module, name) => self.import_from(at, module, name),
            Op::ImportStar(module) => self.import_star(at, module),
            Op::Def(func, args) => self.define(at, func, args),
            Op::Decorate(decorator, target) => self.decorate(at, decorator, target),
            Op::ClassBegin(class, args) => self.class_begin(class, args),
            Op::ClassEnd(class) => self.class_end(at, class),
            Op::CompBegin => {
                let scope = self.new_scope(ScopeKind::Comprehension, Some(self.scope));
                self.comps.push(Comp {
                    exact: true,
                    outer: self.scope,
                    ..Comp::default()
                });
                self.scope = scope;
            }
            Op::CompElem(key, value) => {
                let value = self.val(value);
                let key = if key == NONE {
                    None
                } else {
                    Some(self.val(key))
                };
                if let Some(comp) = self.comps.last_mut() {
                    match key {
                        Some(key) => comp.pairs.push((key, value)),
                        None => comp.items.push(value),
                    }
                }
            }
            Op::CompEnd => {
                let Some(comp) = self.comps.pop() else { return };
                self.scope = comp.outer;
                let value = if !comp.pairs.is_empty() {
                    Value::dict(comp.pairs)
                } else if comp.exact {
                    Value::seq(comp.items)
                } else {
                    Value::element(comp.items.iter().take(64).fold(Value::Unknown, |all, v| {
                        if all.is_unknown() {
                            v.clone()
                        } else {
                            all.join(v)
                        }
                    }))
                };
                self.set(at, value);
            }
            Op::ForEnd | Op::WhileEnd => {
                self.loops = self.loops.saturating_sub(1);
                self.branches = self.branches.saturating_sub(1);
            }
            Op::WhileBegin(condition, record) => {
                self.judge_while(at, condition, record);
                self.loops += 1;
                self.branches += 1;
            }
            Op::Branch => self.branches += 1,
            Op::Merge => self.branches = self.branches.saturating_sub(1),
            Op::Return(reg) => {
                let value = self.val(reg);
                self.add_return(&value);
            }
        }
    }

    /// The elements of a constant that a loop of so many instructions can be run over.
    fn rounds(&mut self, iterable: &Value, insns: Reg) -> Option<Vec<Value>> {
        if self.nest >= MAX_NEST {
            return None;
        }
        let items = self.known_elements(iterable)?;
        let simple = items.len() <= MAX_ROUNDS
            && (items.len() as u64) * (1 + u64::from(insns)) <= self.round_budget
            && items
                .iter()
                .all(|item| item.exact().is_some() || item.items().is_some());
        (simple && self.spend_fold(items.len() * 16)).then_some(items)
    }

    fn for_begin(&mut self, at: Reg, iterable: Reg, record: u32) -> Reg {
        let value = self.val(iterable);
        let record = self.program.loops[record as usize];
        self.judge_for(at, &value, record);
        if record.simple && !value.is_unknown() {
            let end = record.end;
            if let Some(items) = self.rounds(&value, end - at)
                && !items.is_empty()
                && self.run_rounds(at, end, items)
            {
                // Skip the end marker: the depth was never raised.
                return end.max(at) + 1;
            }
        }
        let element = self.element_at(at, &value);
        self.set(at, element);
        self.loops += 1;
        self.branches += 1;
        at + 1
    }

    /// Runs a loop's body for each element; false when the budget ended it, and the body has yet to be run for the rest
    /// of the elements at once.
    fn run_rounds(&mut self, at: Reg, end: Reg, items: Vec<Value>) -> bool {
        self.nest += 1;
        let mut whole = true;
        for item in items {
            self.set(at, item);
            if !self.spend_round(end - at) {
                whole = false;
                break;
            }
            self.run(at + 1, end);
        }
        self.nest -= 1;
        whole
    }

    fn comp_for(&mut self, at: Reg, iterable: Reg, record: u32) -> Reg {
        let value = self.val(iterable);
        let end = self.program.loops[record as usize].end;
        if !value.is_unknown()
            && let Some(items) = self.rounds(&value, end - at)
        {
            self.comp_running(1);
            let whole = self.run_rounds(at, end, items);
            self.comp_running(-1);
            if whole {
                return end.max(at + 1);
            }
        }
        if let Some(comp) = self.comps.last_mut() {
            comp.exact = false;
        }
        let element = self.element_at(at, &value);
        self.set(at, element);
        at + 1
    }

    fn comp_running(&mut self, change: i32) {
        if let Some(comp) = self.comps.last_mut() {
            comp.running = comp.running.saturating_add_signed(change);
        }
    }

    /// What `with value as x` binds: most context managers give themselves.
    fn entered(&mut self, at: Reg, value: &Value) -> Value {
        if value
            .refs()
            .iter()
            .any(|one| matches!(one, super::value::Ref::Instance(_)))
        {
            for name in [sym::ENTER, sym::AENTER] {
                let method = self.attr_of(at, value, name);
                if method
                    .refs()
                    .iter()
                    .any(|one| matches!(one, super::value::Ref::Method(..)))
                {
                    let call = super::call::Call::bare(at);
                    return value.join(&self.call_value(&method, call));
                }
            }
        }
        value.clone()
    }

    pub(crate) fn run_function(&mut self, func: FuncId, scope: ScopeId) {
        let body = self.program.funcs[func as usize].body;
        let class = self.func_class.get(&func).copied();
        self.enter_frame(scope, Some(func), class);
        self.bind_params(func, scope);
        self.run(body.0, body.1);
    }
}
