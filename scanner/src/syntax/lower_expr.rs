//! What each expression becomes. Operands are scheduled first, the instruction after them.

use super::ir::{ArgKind, BinOp, NONE, Op, UnOp};
use super::kinds::{Field, Kind};
use super::literal::{Prefix, float_value, integer_value, text_value};
use super::lower::{Emit, Kid, Kids, Lower, Task, span};
use crate::engine::value::{Const, Value};

impl<'t> Lower<'t, '_> {
    #[expect(
        clippy::too_many_lines,
        reason = "one arm for each kind of expression, each of them short"
    )]
    pub(super) fn expr(&mut self, kid: Kid<'t>) {
        let node = kid.node;
        let (start, end) = span(node);
        match kid.kind {
            Kind::Identifier => {
                let name = self.symbol(node);
                self.give(Op::Load(name), start, end);
            }
            Kind::Attribute => {
                let kids = self.kids(node);
                let name = match kids.iter().find(|k| k.field == Field::Attribute) {
                    Some(found) => self.symbol(found.node),
                    None => NONE,
                };
                self.emit_after(Emit::Attr(name), node);
                self.first_or_unknown(&kids, Field::Object, node);
            }
            Kind::DottedName => {
                let parts = self.kids(node);
                for (index, part) in parts.iter().enumerate() {
                    let name = self.symbol(part.node);
                    if index == 0 {
                        self.give(Op::Load(name), start, end);
                    } else {
                        let object = self.pop();
                        self.give(Op::Attr(object, name), start, end);
                    }
                }
                if parts.is_empty() {
                    self.constant(Value::Unknown, start, end);
                }
            }
            Kind::Subscript => self.subscript(node),
            Kind::Slice => self.slice(node),
            Kind::Call => self.call(node),
            Kind::String => self.string(node),
            Kind::Concatenated => {
                let kids = self.kids(node);
                self.arg_kinds.extend(kids.iter().map(|_| ArgKind::Plain));
                self.emit_after(Emit::FString(kids.len()), node);
                self.exprs(&kids);
            }
            Kind::Integer => self.constant(integer_value(self.text(node)), start, end),
            Kind::Float => self.constant(float_value(self.text(node)), start, end),
            Kind::True => self.constant(Value::Const(Const::Bool(true)), start, end),
            Kind::False => self.constant(Value::Const(Const::Bool(false)), start, end),
            Kind::NoneValue => self.constant(Value::Const(Const::None), start, end),
            Kind::Parenthesized | Kind::Await | Kind::Decorator | Kind::IfClause => {
                let kids = self.kids(node);
                if let Some(inner) = kids.first() {
                    self.tasks.push(Task::Expr(*inner));
                } else {
                    self.constant(Value::Unknown, start, end);
                }
            }
            Kind::Tuple | Kind::ExpressionList | Kind::PatternList | Kind::List | Kind::Set => {
                self.sequence(kid);
            }
            Kind::Dictionary => self.dictionary(node),
            Kind::Binary => {
                let kids = self.kids(node);
                let op = self.operator(&kids);
                self.emit_after(Emit::Bin(op), node);
                self.first_or_unknown(&kids, Field::Right, node);
                self.first_or_unknown(&kids, Field::Left, node);
            }
            Kind::Unary => {
                let kids = self.kids(node);
                let op = match kids.iter().find(|k| k.field == Field::Operator) {
                    Some(found) if self.text(found.node) == "-" => UnOp::Neg,
                    Some(found) if self.text(found.node) == "~" => UnOp::Invert,
                    _ => UnOp::Pos,
                };
                self.emit_after(Emit::Un(op), node);
                self.first_or_unknown(&kids, Field::Argument, node);
            }
            Kind::Not => {
                let kids = self.kids(node);
                self.emit_after(Emit::Un(UnOp::Not), node);
                self.first_or_unknown(&kids, Field::Argument, node);
            }
            Kind::Boolean => {
                let kids = self.kids(node);
                self.emit_after(Emit::Either, node);
                self.first_or_unknown(&kids, Field::Right, node);
                self.first_or_unknown(&kids, Field::Left, node);
            }
            Kind::Comparison => self.comparison(node),
            Kind::Conditional => {
                // body, condition, alternative
                let kids = self.kids(node);
                if let [body, condition, other] = kids.as_slice() {
                    self.emit_after(Emit::Either, node);
                    self.tasks.push(Task::Expr(*other));
                    self.tasks.push(Task::Expr(*body));
                    self.tasks.push(Task::Drop);
                    self.tasks.push(Task::Expr(*condition));
                } else {
                    self.blend(node);
                }
            }
            Kind::Lambda => self.lambda(node),
            Kind::ListComp | Kind::SetComp | Kind::DictComp | Kind::GeneratorExp => {
                self.comprehension(node);
            }
            Kind::Yield => {
                self.mark_loops(true, false);
                let kids = self.kids(node);
                let from = self
                    .text(node)
                    .strip_prefix("yield")
                    .is_some_and(|rest| rest.trim_start().starts_with("from") && !kids.is_empty());
                let emit = if from {
                    Emit::YieldFrom
                } else {
                    Emit::Yield(!kids.is_empty())
                };
                self.emit_after(emit, node);
                if let Some(inner) = kids.first() {
                    self.tasks.push(Task::Expr(*inner));
                }
            }
            Kind::Named => {
                let kids = self.kids(node);
                let name = match kids.iter().find(|k| k.field == Field::Name) {
                    Some(found) => self.symbol(found.node),
                    None => NONE,
                };
                if let Some(frame) = self.frames.last_mut() {
                    frame.locals.insert(name);
                }
                self.emit_after(Emit::Walrus(name), node);
                self.first_or_unknown(&kids, Field::Value, node);
            }
            Kind::AsPattern => {
                let kids = self.kids(node);
                if let Some(alias) = kids.iter().find(|k| k.field == Field::Alias) {
                    self.tasks.push(Task::Bind(*alias));
                }
                self.emit_after(Emit::Enter, node);
                match kids.iter().find(|k| k.field != Field::Alias) {
                    Some(value) => self.tasks.push(Task::Expr(*value)),
                    None => self.tasks.push(Task::Unknown(start, end)),
                }
            }
            Kind::Type => {
                let kids = self.kids(node);
                match kids.first() {
                    Some(inner)
                        if !matches!(
                            inner.kind,
                            Kind::Identifier | Kind::NoneValue | Kind::String
                        ) =>
                    {
                        self.tasks.push(Task::Expr(*inner));
                    }
                    _ => self.constant(Value::Unknown, start, end),
                }
            }
            Kind::Assignment => self.assignment(node),
            Kind::Augmented => self.augmented(node),
            Kind::Error => self.broken(node, true),
            _ => self.blend(node),
        }
    }

    /// Evaluates all children; the result carries their taint and nothing else.
    pub(super) fn blend(&mut self, node: tree_sitter::Node<'t>) {
        let kids = self.kids(node);
        self.emit_after(Emit::Blend(kids.len()), node);
        self.exprs(&kids);
    }

    pub(super) fn first_or_unknown(
        &mut self,
        kids: &Kids<'t>,
        field: Field,
        node: tree_sitter::Node<'t>,
    ) {
        let (start, end) = span(node);
        match kids.iter().find(|kid| kid.field == field) {
            Some(found) => self.tasks.push(Task::Expr(*found)),
            None => self.tasks.push(Task::Unknown(start, end)),
        }
    }

    pub(super) fn operator(&self, kids: &Kids<'t>) -> BinOp {
        let text = kids
            .iter()
            .find(|kid| kid.field == Field::Operator)
            .map_or("+", |kid| self.text(kid.node).trim_end_matches('='));
        match text {
            "-" => BinOp::Sub,
            "*" => BinOp::Mul,
            "/" => BinOp::Div,
            "//" => BinOp::FloorDiv,
            "%" => BinOp::Mod,
            "**" => BinOp::Pow,
            "<<" => BinOp::Shl,
            ">>" => BinOp::Shr,
            "&" => BinOp::And,
            "|" => BinOp::Or,
            "^" => BinOp::Xor,
            "@" => BinOp::MatMul,
            _ => BinOp::Add,
        }
    }

    fn subscript(&mut self, node: tree_sitter::Node<'t>) {
        let kids = self.kids(node);
        self.emit_after(Emit::Subscript, node);
        let indices: Kids<'t> = kids
            .iter()
            .filter(|k| k.field == Field::Subscript)
            .copied()
            .collect();
        if let [index] = indices.as_slice() {
            self.tasks.push(Task::Expr(*index));
        } else {
            self.arg_kinds
                .extend(indices.iter().map(|_| ArgKind::Plain));
            self.emit_after(Emit::Seq(indices.len()), node);
            self.exprs(&indices);
        }
        self.first_or_unknown(&kids, Field::Value, node);
    }

    fn slice(&mut self, node: tree_sitter::Node<'t>) {
        // The colons are anonymous: which part a child is follows from how many stand before it.
        let tokens = self.tokens(node);
        let mut has = [false; 3];
        let mut part = 0;
        let mut parts = Kids::new();
        for token in &tokens {
            if token.node.is_named() {
                if let Some(slot) = has.get_mut(part) {
                    *slot = true;
                }
                parts.push(*token);
            } else {
                part += 1;
            }
        }
        self.emit_after(Emit::Slice(has), node);
        self.exprs(&parts);
    }

    fn call(&mut self, node: tree_sitter::Node<'t>) {
        let kids = self.kids(node);
        let Some(arguments) = kids.iter().find(|k| k.field == Field::Arguments).copied() else {
            self.blend(node);
            return;
        };
        let parts = if arguments.kind == Kind::ArgumentList {
            self.kids(arguments.node)
        } else {
            Kids::from_slice(&[arguments])
        };
        self.call_with(node, &kids, &parts);
    }

    /// Schedules a call: the callee first, then the arguments in order.
    fn call_with(&mut self, node: tree_sitter::Node<'t>, kids: &Kids<'t>, parts: &Kids<'t>) {
        self.emit_after(Emit::Call(parts.len()), node);
        let mut passed: smallvec::SmallVec<[ArgKind; 8]> = smallvec::SmallVec::new();
        let mut values = Kids::new();
        for part in parts {
            let (how, value) = self.argument(*part);
            passed.push(how);
            values.push(value);
        }
        self.arg_kinds.extend(passed);
        self.exprs(&values);
        self.first_or_unknown(kids, Field::Function, node);
    }

    /// How an argument is passed, and the expression that it passes.
    pub(super) fn argument(&mut self, part: Kid<'t>) -> (ArgKind, Kid<'t>) {
        match part.kind {
            Kind::KeywordArgument => {
                let kids = self.kids(part.node);
                let name = kids.iter().find(|k| k.field == Field::Name).copied();
                let value = kids.iter().find(|k| k.field == Field::Value).copied();
                match (name, value) {
                    (Some(name), Some(value)) => {
                        let name = self.symbol(name.node);
                        (ArgKind::Named(name), value)
                    }
                    _ => (ArgKind::Plain, part),
                }
            }
            Kind::ListSplat | Kind::DictionarySplat => {
                let kids = self.kids(part.node);
                let kind = if part.kind == Kind::ListSplat {
                    ArgKind::Star
                } else {
                    ArgKind::DoubleStar
                };
                (kind, kids.first().copied().unwrap_or(part))
            }
            _ => (ArgKind::Plain, part),
        }
    }

    fn sequence(&mut self, kid: Kid<'t>) {
        let parts = self.kids(kid.node);
        self.emit_after(Emit::Seq(parts.len()), kid.node);
        let mut values = Kids::new();
        for part in &parts {
            let (how, value) = self.argument(*part);
            self.arg_kinds.push(how);
            values.push(value);
        }
        self.exprs(&values);
    }

    fn dictionary(&mut self, node: tree_sitter::Node<'t>) {
        let parts = self.kids(node);
        self.emit_after(Emit::Dict(parts.len() * 2), node);
        let mut values: Vec<Task<'t>> = Vec::with_capacity(parts.len() * 2);
        for part in &parts {
            let (start, end) = span(part.node);
            if part.kind == Kind::Pair {
                let kids = self.kids(part.node);
                for field in [Field::Key, Field::Value] {
                    values.push(match kids.iter().find(|k| k.field == field) {
                        Some(found) => Task::Expr(*found),
                        None => Task::Unknown(start, end),
                    });
                }
                self.arg_kinds.extend([ArgKind::Plain, ArgKind::Plain]);
            } else {
                let (_, value) = self.argument(*part);
                values.push(Task::Unknown(start, end));
                values.push(Task::Expr(value));
                self.arg_kinds.extend([ArgKind::Plain, ArgKind::DoubleStar]);
            }
        }
        self.tasks.extend(values.into_iter().rev());
    }

    fn comparison(&mut self, node: tree_sitter::Node<'t>) {
        let kids = self.kids(node);
        let operands: Kids<'t> = kids
            .iter()
            .filter(|k| k.field != Field::Operators)
            .copied()
            .collect();
        let operator = kids
            .iter()
            .find(|k| k.field == Field::Operators)
            .map_or("", |k| self.text(k.node));
        if operands.len() == 2 && matches!(operator, "==" | "!=") {
            self.emit_after(Emit::Compare(operator == "=="), node);
            self.exprs(&operands);
        } else {
            self.emit_after(Emit::Comparison(operands.len()), node);
            self.exprs(&operands);
        }
    }

    fn string(&mut self, node: tree_sitter::Node<'t>) {
        let (start, end) = span(node);
        let whole = self.text(node);
        let quote = whole.find(['"', '\'']).unwrap_or(0);
        let prefix = Prefix::of(&whole[..quote]);
        if prefix.format {
            self.format_string(node, prefix);
            return;
        }
        let body = &whole[quote..];
        let width = if body.starts_with("\"\"\"") || body.starts_with("'''") {
            3
        } else {
            1
        };
        // A string that error recovery has cut may have no end.
        let inner = body
            .get(width..body.len().saturating_sub(width))
            .unwrap_or_default();
        self.constant(text_value(inner, prefix), start, end);
    }

    fn format_string(&mut self, node: tree_sitter::Node<'t>, prefix: Prefix) {
        let kids = self.kids(node);
        let mut count = 0;
        let mut tasks: Vec<Task<'t>> = Vec::new();
        for kid in &kids {
            match kid.kind {
                Kind::StringContent => {
                    let text = self.text(kid.node).replace("{{", "{").replace("}}", "}");
                    let (start, end) = span(kid.node);
                    // A constant has no operands, so it can be made before its neighbours.
                    self.constant(text_value(&text, prefix), start, end);
                    let reg = self.pop();
                    tasks.push(Task::Emit(Emit::Push(reg), start, end));
                    self.arg_kinds.push(ArgKind::Plain);
                    count += 1;
                }
                Kind::Interpolation => {
                    let parts = self.kids(kid.node);
                    let spec = parts
                        .iter()
                        .find(|k| k.kind == Kind::FormatSpecifier)
                        .map(|k| self.text(k.node).trim_start_matches(':'));
                    let kind = match spec {
                        Some(spec) => ArgKind::Named(self.symbols.intern(spec)),
                        None => ArgKind::Named(super::symbols::sym::EMPTY),
                    };
                    if let Some(value) = parts.iter().find(|k| k.field == Field::Expression) {
                        tasks.push(Task::Expr(*value));
                        self.arg_kinds.push(kind);
                        count += 1;
                    }
                }
                _ => {}
            }
        }
        self.emit_after(Emit::FString(count), node);
        self.tasks.extend(tasks.into_iter().rev());
    }
}
