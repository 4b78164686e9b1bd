//! Functions, lambdas, classes, decorators and comprehensions: everything that opens a scope.

use super::ir::{Class, Func, NONE, Op, Param, ParamKind};
use super::kinds::{Field, Kind};
use super::lower::{Emit, Frame, Kid, Kids, Lower, Task, span};

impl<'t> Lower<'t, '_> {
    /// Schedules a definition whose value is left on the operand stack, and says what name it binds.
    pub(super) fn definition(&mut self, kid: Kid<'t>) -> Option<u32> {
        let kids = self.kids(kid.node);
        match kid.kind {
            Kind::FunctionDefinition => Some(self.function(kid.node, &kids)),
            Kind::ClassDefinition => Some(self.class(kid.node, &kids)),
            _ => {
                self.tasks.push(Task::Expr(kid));
                None
            }
        }
    }

    fn function(&mut self, node: tree_sitter::Node<'t>, kids: &Kids<'t>) -> u32 {
        let name = match kids.iter().find(|k| k.field == Field::Name) {
            Some(found) => self.symbol(found.node),
            None => NONE,
        };
        let id = self.start_function(name);
        self.emit_after(Emit::FuncEnd(id), node);
        if let Some(body) = kids.iter().find(|k| k.field == Field::Body) {
            self.tasks.push(Task::Stmt(*body));
        }
        self.parameters(kids, node, id);
        if let Some(result) = kids.iter().find(|k| k.field == Field::ReturnType) {
            self.tasks.push(Task::Drop);
            self.tasks.push(Task::Expr(*result));
        }
        name
    }

    pub(super) fn lambda(&mut self, node: tree_sitter::Node<'t>) {
        let kids = self.kids(node);
        let id = self.start_function(NONE);
        self.emit_after(Emit::LambdaEnd(id), node);
        self.first_or_unknown(&kids, Field::Body, node);
        self.parameters(&kids, node, id);
    }

    fn start_function(&mut self, name: u32) -> u32 {
        self.new_func(Func {
            name,
            params: Vec::new(),
            locals: Vec::new(),
            globals: Vec::new(),
            nonlocals: Vec::new(),
            body: (0, 0),
        })
    }

    /// Schedules the defaults and the start of the function.
    fn parameters(&mut self, kids: &Kids<'t>, node: tree_sitter::Node<'t>, id: u32) {
        let mut params = Vec::new();
        let mut defaults: Vec<Kid<'t>> = Vec::new();
        let mut annotations: Vec<Kid<'t>> = Vec::new();
        let mut keyword_only = false;
        let list = kids.iter().find(|k| k.field == Field::Parameters).copied();
        let parts = list.map(|list| self.kids(list.node)).unwrap_or_default();
        for part in parts {
            let inner = if part.kind == Kind::Identifier {
                Kids::from_slice(&[part])
            } else {
                self.kids(part.node)
            };
            let mut kind = match part.kind {
                Kind::ListSplatPattern => ParamKind::Star,
                Kind::DictSplatPattern => ParamKind::DoubleStar,
                _ => ParamKind::Plain,
            };
            if part.kind == Kind::KeywordSeparator {
                keyword_only = true;
                continue;
            }
            let mut name = None;
            let mut default = NONE;
            for piece in inner {
                match (piece.kind, piece.field) {
                    (_, Field::Value) => {
                        default = u32::try_from(defaults.len()).unwrap_or(NONE);
                        defaults.push(piece);
                    }
                    (Kind::Type, _) => annotations.push(piece),
                    (Kind::Identifier, _) => name = Some(self.symbol(piece.node)),
                    (Kind::ListSplatPattern | Kind::DictSplatPattern, _) => {
                        kind = if piece.kind == Kind::ListSplatPattern {
                            ParamKind::Star
                        } else {
                            ParamKind::DoubleStar
                        };
                        name = self
                            .kids(piece.node)
                            .first()
                            .map(|k| k.node)
                            .map(|n| self.symbol(n));
                    }
                    _ => {}
                }
            }
            if let Some(name) = name {
                params.push(Param {
                    name,
                    kind,
                    default,
                    keyword_only,
                });
            }
            keyword_only |= kind == ParamKind::Star;
        }
        if let Some(func) = self.program.funcs.get_mut(id as usize) {
            func.params = params;
        }
        self.emit_after(Emit::Begin(id, defaults.len()), node);
        self.exprs(&defaults);
        for annotation in annotations {
            self.tasks.push(Task::Drop);
            self.tasks.push(Task::Expr(annotation));
        }
    }

    fn class(&mut self, node: tree_sitter::Node<'t>, kids: &Kids<'t>) -> u32 {
        let name = match kids.iter().find(|k| k.field == Field::Name) {
            Some(found) => self.symbol(found.node),
            None => NONE,
        };
        let id = self.new_class();
        self.emit_after(Emit::ClassEnd(id), node);
        if let Some(body) = kids.iter().find(|k| k.field == Field::Body) {
            self.tasks.push(Task::Stmt(*body));
        }
        let mut bases = Kids::new();
        let mut passed = Vec::new();
        if let Some(list) = kids.iter().find(|k| k.field == Field::Superclasses) {
            for part in self.kids(list.node) {
                let (kind, value) = self.argument(part);
                passed.push(kind);
                bases.push(value);
            }
        }
        self.arg_kinds.extend(passed);
        self.emit_after(Emit::ClassBegin(id, bases.len()), node);
        self.exprs(&bases);
        name
    }

    /// A definition with decorators: they are evaluated first and applied last, the innermost first.
    pub(super) fn decorated(&mut self, node: tree_sitter::Node<'t>) {
        let kids = self.kids(node);
        let decorators: Kids<'t> = kids
            .iter()
            .filter(|k| k.kind == Kind::Decorator)
            .copied()
            .collect();
        let definition = kids.iter().find(|k| k.field == Field::Definition).copied();
        let Some(definition) = definition else {
            self.tasks.push(Task::Drop);
            self.blend(node);
            return;
        };
        self.define(definition, decorators.len());
        self.exprs(&decorators);
    }

    /// Schedules a definition, its decorators' application and the binding of its name.
    pub(super) fn define(&mut self, kid: Kid<'t>, decorators: usize) {
        // Scheduled in reverse, so the definition itself must come last.
        let mark = self.tasks.len();
        let name = self.definition(kid);
        let own: Vec<Task<'t>> = self.tasks.drain(mark..).collect();
        let (start, end) = span(kid.node);
        self.tasks.push(Task::Drop);
        if let Some(name) = name {
            self.tasks.push(Task::Emit(Emit::Store(name), start, end));
        }
        if decorators > 0 {
            self.tasks
                .push(Task::Emit(Emit::Decorate(decorators), start, end));
        }
        self.tasks.extend(own);
    }

    pub(super) fn comprehension(&mut self, node: tree_sitter::Node<'t>) {
        let kids = self.kids(node);
        let record = self.new_loop(true);
        self.emit_after(Emit::CompEnd(record), node);
        let mut clauses = 0;
        let mut tasks: Vec<Task<'t>> = Vec::new();
        let (start, end) = span(node);
        tasks.push(Task::Emit(Emit::CompBegin, start, end));
        for kid in &kids {
            let (start, end) = span(kid.node);
            match kid.kind {
                Kind::ForIn => {
                    clauses += 1;
                    let parts = self.kids(kid.node);
                    let clause = self.new_loop(true);
                    tasks.push(match parts.iter().find(|k| k.field == Field::Right) {
                        Some(iterable) => Task::Expr(*iterable),
                        None => Task::Unknown(start, end),
                    });
                    tasks.push(Task::Emit(Emit::CompFor(clause), start, end));
                    if let Some(left) = parts.iter().find(|k| k.field == Field::Left) {
                        tasks.push(Task::Bind(*left));
                    }
                    tasks.push(Task::Drop);
                }
                Kind::IfClause => {
                    tasks.push(Task::Expr(*kid));
                    tasks.push(Task::Emit(Emit::CompIf, start, end));
                }
                _ => {}
            }
        }
        if let Some(body) = kids.iter().find(|k| k.field == Field::Body) {
            let (start, end) = span(body.node);
            let pair = body.kind == Kind::Pair;
            if pair {
                let parts = self.kids(body.node);
                for field in [Field::Key, Field::Value] {
                    tasks.push(match parts.iter().find(|k| k.field == field) {
                        Some(found) => Task::Expr(*found),
                        None => Task::Unknown(start, end),
                    });
                }
            } else {
                tasks.push(Task::Expr(*body));
            }
            tasks.push(Task::Emit(Emit::CompElem(pair), start, end));
        }
        // Until the end is known the record keeps how many clauses follow it.
        if let Some(record) = self.program.loops.get_mut(record) {
            record.end = clauses;
        }
        self.tasks.extend(tasks.into_iter().rev());
    }

    pub(super) fn emit_definition(&mut self, emit: Emit, start: u32, end: u32) {
        match emit {
            Emit::Begin(id, defaults) => {
                let args = self.take_args(defaults, false);
                self.give(Op::Def(id, args), start, end);
                self.push(Op::Body(id), start, end);
                let here = self.program.next();
                self.program.funcs[id as usize].body = (here, here);
                self.frames.push(Frame {
                    func: Some(id),
                    ..Frame::default()
                });
            }
            Emit::LambdaEnd(id) => {
                let value = self.pop();
                self.push(Op::Return(value), start, end);
                self.end_function(id);
            }
            Emit::FuncEnd(id) => self.end_function(id),
            Emit::ClassBegin(id, bases) => {
                let args = self.take_args(bases, true);
                self.push(Op::ClassBegin(id, args), start, end);
                self.frames.push(Frame::default());
            }
            Emit::ClassEnd(id) => {
                if let Some(frame) = self.frames.pop()
                    && let Some(Class { locals, fields }) =
                        self.program.classes.get_mut(id as usize)
                {
                    *fields = frame.fields;
                    *locals = frame.locals.into_iter().collect();
                }
                self.give(Op::ClassEnd(id), start, end);
            }
            Emit::Decorate(count) => {
                let mut value = self.pop();
                for _ in 0..count {
                    let decorator = self.pop();
                    value = self.push(Op::Decorate(decorator, value), start, end);
                }
                self.operands.push(value);
            }
            _ => {}
        }
    }

    fn end_function(&mut self, id: u32) {
        let here = self.program.next();
        let frame = self.frames.pop().unwrap_or_default();
        if let Some(func) = self.program.funcs.get_mut(id as usize) {
            func.body.1 = here;
            let params: Vec<u32> = func.params.iter().map(|param| param.name).collect();
            func.locals = frame
                .locals
                .into_iter()
                .chain(params)
                .filter(|name| !frame.globals.contains(name) && !frame.nonlocals.contains(name))
                .collect();
            func.globals = frame.globals;
            func.nonlocals = frame.nonlocals;
        }
    }
}
