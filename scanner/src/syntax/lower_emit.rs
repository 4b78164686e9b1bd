//! Makes the instructions whose operands are ready.

use super::ir::{NONE, Op};
use super::lower::{Emit, Lower};
use crate::engine::value::{Const, Value};

impl Lower<'_, '_> {
    #[expect(
        clippy::too_many_lines,
        reason = "one arm for each instruction, each of them short"
    )]
    pub(super) fn emit(&mut self, emit: Emit, start: u32, end: u32) {
        match emit {
            Emit::Push(reg) => self.operands.push(reg),
            Emit::Kind(kind) => self.arg_kinds.push(kind),
            Emit::Attr(name) => {
                let object = self.pop();
                self.give(Op::Attr(object, name), start, end);
            }
            Emit::Subscript => {
                let index = self.pop();
                let object = self.pop();
                self.give(Op::Subscript(object, index), start, end);
            }
            Emit::Slice(has) => {
                let mut parts = [NONE; 3];
                for index in (0..3).rev() {
                    if has[index] {
                        parts[index] = self.pop();
                    }
                }
                self.give(Op::Slice(parts[0], parts[1], parts[2]), start, end);
            }
            Emit::Call(count) => {
                let args = self.take_args(count, true);
                let callee = self.pop();
                self.give(Op::Call(callee, args), start, end);
            }
            Emit::Seq(count) => {
                let args = self.take_args(count, true);
                self.give(Op::Seq(args), start, end);
            }
            Emit::Dict(count) => {
                let args = self.take_args(count, true);
                self.give(Op::Dict(args), start, end);
            }
            Emit::FString(count) => {
                let args = self.take_args(count, true);
                self.give(Op::FString(args), start, end);
            }
            Emit::Blend(count) => {
                let args = self.take_args(count, false);
                self.give(Op::Blend(args, false), start, end);
            }
            Emit::Comparison(count) => {
                let args = self.take_args(count, false);
                self.give(Op::Blend(args, true), start, end);
            }
            Emit::Bin(op) => {
                let right = self.pop();
                let left = self.pop();
                self.give(Op::Bin(op, left, right), start, end);
            }
            Emit::Un(op) => {
                let value = self.pop();
                self.give(Op::Un(op, value), start, end);
            }
            Emit::Compare(equal) => {
                let right = self.pop();
                let left = self.pop();
                self.give(Op::Compare(left, right, equal), start, end);
            }
            Emit::Either => {
                let right = self.pop();
                let left = self.pop();
                self.give(Op::Either(left, right), start, end);
            }
            Emit::Yield(has) => {
                if !has {
                    self.constant(Value::Const(Const::None), start, end);
                }
                let value = self.pop();
                self.give(Op::Yield(value), start, end);
            }
            Emit::YieldFrom => {
                let value = self.pop();
                self.give(Op::YieldFrom(value), start, end);
            }
            Emit::Walrus(name) => {
                let value = self.pop();
                self.push(Op::Walrus(name, value), start, end);
                self.operands.push(value);
            }
            Emit::Aug(op) => {
                // Operands: the target as it is read, the value.
                let value = self.pop();
                let target = self.pop();
                self.give(Op::Bin(op, target, value), start, end);
            }
            Emit::Store(name) => {
                let value = self.operands.last().copied().unwrap_or(0);
                self.bind_name(name);
                self.push(Op::Store(name, value), start, end);
            }
            Emit::Enter => {
                let value = self.pop();
                self.give(Op::Enter(value), start, end);
            }
            Emit::Discard => {
                let value = self.pop();
                self.push(Op::Discard(value), start, end);
            }
            Emit::Return => {
                let value = self.pop();
                self.mark_loops(true, false);
                self.push(Op::Return(value), start, end);
            }
            Emit::Raise(has) => {
                if has {
                    self.pop();
                }
                self.mark_loops(true, false);
                self.push(Op::Raise, start, end);
            }
            Emit::Assert => {
                self.pop();
                self.push(Op::Assert, start, end);
            }
            Emit::DelSub => {
                let index = self.pop();
                let object = self.pop();
                self.push(Op::DelSub(object, index), start, end);
            }
            Emit::DelAttr => {
                self.pop();
                self.push(Op::DelAttr, start, end);
            }
            Emit::Branch => {
                self.pop();
                self.push(Op::Branch, start, end);
            }
            Emit::Else => {
                self.push(Op::Else, start, end);
            }
            Emit::Merge => {
                self.push(Op::Merge, start, end);
            }
            Emit::Begin(..)
            | Emit::LambdaEnd(_)
            | Emit::FuncEnd(_)
            | Emit::ClassBegin(..)
            | Emit::ClassEnd(_)
            | Emit::Decorate(_) => self.emit_definition(emit, start, end),
            Emit::CompBegin
            | Emit::CompFor(_)
            | Emit::CompIf
            | Emit::CompElem(_)
            | Emit::CompEnd(_)
            | Emit::ForBegin(_)
            | Emit::ForEnd(_)
            | Emit::WhileBegin(_)
            | Emit::WhileEnd(_) => self.emit_loop(emit, start, end),
        }
    }

    fn emit_loop(&mut self, emit: Emit, start: u32, end: u32) {
        let number = |index: usize| u32::try_from(index).unwrap_or(NONE);
        match emit {
            Emit::CompBegin => {
                if let Some(frame) = self.frames.last_mut() {
                    frame.comps += 1;
                }
                self.push(Op::CompBegin, start, end);
            }
            Emit::CompFor(index) => {
                let iterable = self.pop();
                // The element is the register of this very instruction; the target follows.
                self.give(Op::CompFor(iterable, number(index)), start, end);
            }
            Emit::CompIf => {
                let condition = self.pop();
                self.push(Op::CompIf(condition), start, end);
            }
            Emit::CompElem(pair) => {
                let value = self.pop();
                let key = if pair { self.pop() } else { NONE };
                self.push(Op::CompElem(key, value), start, end);
            }
            Emit::CompEnd(index) => {
                if let Some(frame) = self.frames.last_mut() {
                    frame.comps = frame.comps.saturating_sub(1);
                }
                // `index` is the record of the whole comprehension; its clauses follow it in the table.
                let here = self.program.next();
                let clauses = self.pop_comp_clauses(index);
                for clause in index..=index + clauses {
                    if let Some(record) = self.program.loops.get_mut(clause) {
                        record.end = here;
                    }
                }
                self.give(Op::CompEnd, start, end);
            }
            Emit::ForBegin(index) => {
                let iterable = self.pop();
                if let Some(frame) = self.frames.last_mut() {
                    frame.loops.push(index);
                }
                self.give(Op::ForBegin(iterable, number(index)), start, end);
            }
            Emit::WhileBegin(index) => {
                let condition = self.pop();
                if let Some(frame) = self.frames.last_mut() {
                    frame.loops.push(index);
                }
                self.push(Op::WhileBegin(condition, number(index)), start, end);
            }
            Emit::ForEnd(index) | Emit::WhileEnd(index) => {
                if let Some(frame) = self.frames.last_mut() {
                    frame.loops.pop();
                }
                let here = self.program.next();
                if let Some(record) = self.program.loops.get_mut(index) {
                    record.end = here;
                }
                let op = if matches!(emit, Emit::ForEnd(_)) {
                    Op::ForEnd
                } else {
                    Op::WhileEnd
                };
                self.push(op, start, end);
            }
            _ => {}
        }
    }

    /// How many clauses the comprehension's record is followed by; kept in the record until it ends.
    fn pop_comp_clauses(&mut self, index: usize) -> usize {
        self.program
            .loops
            .get(index)
            .map_or(0, |record| record.end as usize)
    }
}
