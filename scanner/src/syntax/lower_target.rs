//! Binding: what stands left of `=`, after `for`, `as`, `del`, and in `case` patterns.

use super::ir::Op;
use super::kinds::{Field, Kind};
use super::lower::{Emit, Kid, Kids, Lower, Task, span};

impl<'t> Lower<'t, '_> {
    /// Binds a register to a target.
    pub(super) fn target(&mut self, kid: Kid<'t>, reg: u32) {
        let node = kid.node;
        let (start, end) = span(node);
        match kid.kind {
            Kind::Identifier => {
                let name = self.symbol(node);
                self.bind_name(name);
                self.push(Op::Store(name, reg), start, end);
            }
            Kind::Attribute => {
                let kids = self.kids(node);
                if let Some(name) = kids.iter().find(|k| k.field == Field::Attribute) {
                    let name = self.symbol(name.node);
                    self.tasks.push(Task::StoreAttr(name, reg, start, end));
                    self.first_or_unknown(&kids, Field::Object, node);
                }
            }
            Kind::Subscript => {
                let kids = self.kids(node);
                self.tasks.push(Task::StoreSub(reg, start, end));
                match kids.iter().find(|k| k.field == Field::Subscript) {
                    Some(index) => self.tasks.push(Task::Expr(*index)),
                    None => self.tasks.push(Task::Unknown(start, end)),
                }
                self.first_or_unknown(&kids, Field::Value, node);
            }
            Kind::Tuple
            | Kind::List
            | Kind::PatternList
            | Kind::TuplePattern
            | Kind::ListPattern
            | Kind::ExpressionList => {
                let parts = self.kids(node);
                let star = parts
                    .iter()
                    .position(|part| matches!(part.kind, Kind::ListSplatPattern | Kind::ListSplat));
                for (index, part) in parts.iter().enumerate() {
                    let (start, end) = span(part.node);
                    let op = unpacked(reg, index, star, parts.len());
                    let item = self.push(op, start, end);
                    self.tasks.push(Task::Target(*part, item));
                }
            }
            Kind::ListSplatPattern
            | Kind::ListSplat
            | Kind::Parenthesized
            | Kind::AsTarget
            | Kind::DictSplatPattern => {
                let parts = self.kids(node);
                if let Some(inner) = parts.first() {
                    self.tasks.push(Task::Target(*inner, reg));
                }
            }
            _ => {}
        }
    }

    pub(super) fn assignment(&mut self, node: tree_sitter::Node<'t>) {
        let kids = self.kids(node);
        let left = kids.iter().find(|k| k.field == Field::Left).copied();
        let (start, end) = span(node);
        if let Some(left) = left
            && left.kind == Kind::Identifier
            && kids.iter().any(|k| k.field == Field::Type)
        {
            let name = self.symbol(left.node);
            if let Some(frame) = self.frames.last_mut()
                && frame.func.is_none()
            {
                frame.fields.push(name);
            }
        }
        if let Some(left) = left {
            if kids.iter().any(|k| k.field == Field::Right) {
                self.tasks.push(Task::Bind(left));
            } else if left.kind == Kind::Identifier {
                // `x: T` makes the name local and binds nothing.
                let name = self.symbol(left.node);
                self.bind_name(name);
            }
        }
        let annotation = kids.iter().find(|k| k.field == Field::Type).copied();
        if let (Some(left), Some(annotation)) = (left, annotation)
            && self.matches_by_mistake(left, annotation)
        {
            return;
        }
        match kids.iter().find(|k| k.field == Field::Right) {
            Some(right) => self.tasks.push(Task::Expr(*right)),
            None => self.tasks.push(Task::Unknown(start, end)),
        }
        if let Some(annotation) = annotation {
            self.tasks.push(Task::Drop);
            self.tasks.push(Task::Expr(annotation));
        }
    }

    /// The grammar takes `match[a]: case[x]: f(x)` over several lines for an annotated item of something called
    /// `match`: lowers it as what Python takes it for. False when it is none.
    fn matches_by_mistake(&mut self, left: Kid<'t>, annotation: Kid<'t>) -> bool {
        if left.kind != Kind::Subscript || !self.text(annotation.node).starts_with("case") {
            return false;
        }
        let parts = self.kids(left.node);
        let named = parts
            .iter()
            .find(|k| k.field == Field::Value)
            .is_some_and(|k| self.text(k.node) == "match");
        if !named {
            return false;
        }
        let subjects: Kids<'t> = parts
            .iter()
            .filter(|k| k.field == Field::Subscript)
            .copied()
            .collect();
        let mut patterns: Vec<Kid<'t>> = Vec::new();
        let mut pending: Vec<Kid<'t>> = vec![annotation];
        while let Some(kid) = pending.pop() {
            if kid.kind == Kind::TypeParameter {
                patterns.push(kid);
            } else if kid.kind != Kind::Call {
                pending.extend(self.kids(kid.node));
            }
        }
        let (start, end) = span(left.node);
        // Scheduled in reverse. What assigns takes the value from the operand stack: the subject stays there.
        self.tasks.push(Task::Drop);
        self.tasks.push(Task::Expr(annotation));
        self.tasks.push(Task::Unknown(start, end));
        self.tasks.push(Task::Drop);
        self.tasks.extend(patterns.into_iter().map(Task::Captures));
        self.arg_kinds
            .extend(subjects.iter().map(|_| super::ir::ArgKind::Plain));
        self.tasks
            .push(Task::Emit(Emit::Seq(subjects.len()), start, end));
        self.exprs(&subjects);
        true
    }

    pub(super) fn augmented(&mut self, node: tree_sitter::Node<'t>) {
        let kids = self.kids(node);
        let op = self.operator(&kids);
        if let Some(left) = kids.iter().find(|k| k.field == Field::Left) {
            self.tasks.push(Task::Bind(*left));
        }
        self.emit_after(Emit::Aug(op), node);
        self.first_or_unknown(&kids, Field::Right, node);
        self.first_or_unknown(&kids, Field::Left, node);
    }

    pub(super) fn delete(&mut self, node: tree_sitter::Node<'t>) {
        let mut pending: Vec<Kid<'t>> = self.kids(node).into_vec();
        while let Some(kid) = pending.pop() {
            let (start, end) = span(kid.node);
            match kid.kind {
                Kind::Identifier => {
                    let name = self.symbol(kid.node);
                    self.bind_name(name);
                    self.push(Op::DelName(name), start, end);
                }
                Kind::Attribute => {
                    let kids = self.kids(kid.node);
                    if kids.iter().any(|k| k.field == Field::Attribute) {
                        self.emit_after(Emit::DelAttr, kid.node);
                        self.first_or_unknown(&kids, Field::Object, kid.node);
                    }
                }
                Kind::Subscript => {
                    let kids = self.kids(kid.node);
                    self.emit_after(Emit::DelSub, kid.node);
                    self.first_or_unknown(&kids, Field::Subscript, kid.node);
                    self.first_or_unknown(&kids, Field::Value, kid.node);
                }
                _ => pending.extend(self.kids(kid.node)),
            }
        }
    }

    /// Binds the names that a `case` pattern captures to the subject, which stays on the operand stack.
    pub(super) fn captures(&mut self, kid: Kid<'t>) {
        let subject = self.operands.last().copied().unwrap_or(0);
        let (start, end) = span(kid.node);
        if self.sequence_pattern(kid, subject) {
            return;
        }
        let element = self.push(Op::Inside(subject), start, end);
        let value = self.push(Op::Either(subject, element), start, end);
        let mut pending: Vec<Kid<'t>> = vec![kid];
        while let Some(kid) = pending.pop() {
            let mut parts: Kids<'t> = self.kids(kid.node);
            match kid.kind {
                Kind::Identifier => {
                    let name = self.symbol(kid.node);
                    self.bind_name(name);
                    let (start, end) = span(kid.node);
                    self.push(Op::Store(name, value), start, end);
                    continue;
                }
                // `module.CONSTANT` is compared, a single name is captured.
                Kind::DottedName if parts.len() != 1 => continue,
                _ => {}
            }
            let named = kid.node.kind();
            if matches!(named, "class_pattern" | "keyword_pattern") && !parts.is_empty() {
                parts.remove(0);
            }
            pending.extend(parts);
        }
    }

    /// `case [a, *rest]`: each name takes its own item. False when the pattern is none, or more than a list of names.
    fn sequence_pattern(&mut self, kid: Kid<'t>, subject: u32) -> bool {
        let list = if kid.kind == Kind::TypeParameter {
            kid
        } else {
            let outer = self.kids(kid.node);
            let [list] = outer.as_slice() else {
                return false;
            };
            if !matches!(list.node.kind(), "list_pattern" | "tuple_pattern") {
                return false;
            }
            *list
        };
        let parts = self.kids(list.node);
        let mut names: Vec<(Option<Kid<'t>>, bool)> = Vec::with_capacity(parts.len());
        for part in &parts {
            let mut inner = *part;
            let mut starred = false;
            while inner.kind != Kind::Identifier {
                starred |= matches!(inner.node.kind(), "splat_pattern" | "splat_type");
                let kids = self.kids(inner.node);
                match kids.as_slice() {
                    [one] => inner = *one,
                    // A literal or `_` takes nothing.
                    [] => break,
                    _ => return false,
                }
            }
            names.push(((inner.kind == Kind::Identifier).then_some(inner), starred));
        }
        let star = names.iter().position(|(_, starred)| *starred);
        for (index, (name, _)) in names.iter().enumerate() {
            let Some(name) = name else { continue };
            let (start, end) = span(name.node);
            let item = self.push(unpacked(subject, index, star, names.len()), start, end);
            let name = self.symbol(name.node);
            self.bind_name(name);
            self.push(Op::Store(name, item), start, end);
        }
        true
    }
}

/// How one of several targets takes its part of a sequence, where one of them may be starred.
fn unpacked(whole: u32, index: usize, star: Option<usize>, count: usize) -> Op {
    let small = |number: usize| u32::try_from(number).unwrap_or(0);
    match star {
        Some(star) if index == star => Op::Rest(whole, small(star), small(count - star - 1)),
        Some(star) if index > star => Op::Last(whole, small(count - index - 1)),
        _ => Op::Item(whole, small(index)),
    }
}
