//! What each statement becomes, and how the pieces of broken code are still looked at.

use super::ir::Op;
use super::kinds::{Field, Kind};
use super::lower::{Emit, Kid, Kids, Lower, Task, span};

impl<'t> Lower<'t, '_> {
    pub(super) fn stmt(&mut self, kid: Kid<'t>) {
        let node = kid.node;
        match kid.kind {
            Kind::Module | Kind::Block => {
                let kids = self.kids(node);
                for kid in kids.iter().rev() {
                    self.tasks.push(Task::Stmt(*kid));
                }
            }
            Kind::ExpressionStatement => {
                let kids = self.kids(node);
                for kid in kids.iter().rev() {
                    // A string that stands alone is documentation, unless it holds expressions.
                    if kid.kind != Kind::String || self.is_format_string(kid.node) {
                        self.emit_after(Emit::Discard, kid.node);
                        self.tasks.push(Task::Expr(*kid));
                    }
                }
            }
            Kind::FunctionDefinition | Kind::ClassDefinition => self.define(kid, 0),
            Kind::Decorated => self.decorated(node),
            Kind::If => self.if_statement(node),
            Kind::For => self.for_statement(node),
            Kind::While => self.while_statement(node),
            Kind::Try => self.try_statement(node),
            Kind::With => self.with_statement(node),
            Kind::Match => self.match_statement(node),
            Kind::Import => self.import(node),
            Kind::ImportFrom => self.import_from(node),
            Kind::Return => {
                let kids = self.kids(node);
                self.emit_after(Emit::Return, node);
                self.one_or_none(&kids, node);
            }
            Kind::Raise => {
                let kids = self.kids(node);
                self.emit_after(Emit::Raise(!kids.is_empty()), node);
                if !kids.is_empty() {
                    self.emit_after(Emit::Blend(kids.len()), node);
                    self.exprs(&kids);
                }
            }
            Kind::Assert => {
                let kids = self.kids(node);
                self.emit_after(Emit::Assert, node);
                self.emit_after(Emit::Blend(kids.len()), node);
                self.exprs(&kids);
            }
            Kind::Delete => self.delete(node),
            Kind::Global | Kind::Nonlocal => {
                let kids = self.kids(node);
                for name in kids {
                    let name = self.symbol(name.node);
                    if let Some(frame) = self.frames.last_mut() {
                        let list = if kid.kind == Kind::Global {
                            &mut frame.globals
                        } else {
                            &mut frame.nonlocals
                        };
                        list.push(name);
                    }
                }
            }
            Kind::Break => self.mark_loops(true, true),
            Kind::PrintStatement | Kind::ExecStatement => self.python2(node, kid.kind),
            Kind::FutureImport => {}
            Kind::Error => self.broken(node, false),
            Kind::Other => {
                // Types aliases, `pass`, `continue` and the like bind nothing that matters.
                if node.child_count() > 0 {
                    self.tasks.push(Task::Drop);
                    self.blend(node);
                }
            }
            _ => {
                self.emit_after(Emit::Discard, node);
                self.tasks.push(Task::Expr(kid));
            }
        }
    }

    fn is_format_string(&self, node: tree_sitter::Node<'t>) -> bool {
        self.text(node)
            .bytes()
            .take_while(u8::is_ascii_alphabetic)
            .any(|letter| matches!(letter.to_ascii_lowercase(), b'f' | b't'))
    }

    fn one_or_none(&mut self, kids: &Kids<'t>, node: tree_sitter::Node<'t>) {
        let (start, end) = span(node);
        match kids.first() {
            Some(value) => self.tasks.push(Task::Expr(*value)),
            None => self.tasks.push(Task::Unknown(start, end)),
        }
    }

    fn if_statement(&mut self, node: tree_sitter::Node<'t>) {
        let kids = self.kids(node);
        self.emit_after(Emit::Merge, node);
        let mut tasks: Vec<Task<'t>> = Vec::new();
        let mut first = true;
        for kid in &kids {
            let (start, end) = span(kid.node);
            match (kid.kind, kid.field) {
                (_, Field::Condition) => {
                    tasks.push(Task::Expr(*kid));
                    tasks.push(Task::Emit(Emit::Branch, start, end));
                }
                (Kind::Elif, _) => {
                    tasks.push(Task::Emit(Emit::Else, start, end));
                    for part in self.kids(kid.node) {
                        if part.field == Field::Condition {
                            tasks.push(Task::Expr(part));
                            tasks.push(Task::Drop);
                        } else {
                            tasks.push(Task::Stmt(part));
                        }
                    }
                }
                (Kind::Else, _) => {
                    tasks.push(Task::Emit(Emit::Else, start, end));
                    for part in self.kids(kid.node) {
                        tasks.push(Task::Stmt(part));
                    }
                }
                _ => tasks.push(Task::Stmt(*kid)),
            }
            first = false;
        }
        if first {
            let (start, end) = span(node);
            tasks.push(Task::Unknown(start, end));
            tasks.push(Task::Emit(Emit::Branch, start, end));
        }
        self.tasks.extend(tasks.into_iter().rev());
    }

    fn for_statement(&mut self, node: tree_sitter::Node<'t>) {
        let kids = self.kids(node);
        let record = self.new_loop(true);
        let (start, end) = span(node);
        let mut tasks: Vec<Task<'t>> = Vec::new();
        tasks.push(match kids.iter().find(|k| k.field == Field::Right) {
            Some(iterable) => Task::Expr(*iterable),
            None => Task::Unknown(start, end),
        });
        tasks.push(Task::Emit(Emit::ForBegin(record), start, end));
        if let Some(left) = kids.iter().find(|k| k.field == Field::Left) {
            tasks.push(Task::Bind(*left));
        }
        tasks.push(Task::Drop);
        if let Some(body) = kids.iter().find(|k| k.field == Field::Body) {
            tasks.push(Task::Stmt(*body));
        }
        tasks.push(Task::Emit(Emit::ForEnd(record), start, end));
        self.else_clause(&kids, &mut tasks);
        self.tasks.extend(tasks.into_iter().rev());
    }

    fn while_statement(&mut self, node: tree_sitter::Node<'t>) {
        let kids = self.kids(node);
        self.mark_loops(false, false);
        let record = self.new_loop(false);
        let (start, end) = span(node);
        let mut tasks: Vec<Task<'t>> = Vec::new();
        tasks.push(match kids.iter().find(|k| k.field == Field::Condition) {
            Some(condition) => Task::Expr(*condition),
            None => Task::Unknown(start, end),
        });
        tasks.push(Task::Emit(Emit::WhileBegin(record), start, end));
        if let Some(body) = kids.iter().find(|k| k.field == Field::Body) {
            tasks.push(Task::Stmt(*body));
        }
        tasks.push(Task::Emit(Emit::WhileEnd(record), start, end));
        self.else_clause(&kids, &mut tasks);
        self.tasks.extend(tasks.into_iter().rev());
    }

    fn else_clause(&mut self, kids: &Kids<'t>, tasks: &mut Vec<Task<'t>>) {
        if let Some(other) = kids.iter().find(|k| k.field == Field::Alternative) {
            for part in self.kids(other.node) {
                tasks.push(Task::Stmt(part));
            }
        }
    }

    fn try_statement(&mut self, node: tree_sitter::Node<'t>) {
        self.mark_loops(false, false);
        let kids = self.kids(node);
        let (start, end) = span(node);
        let mut tasks: Vec<Task<'t>> = vec![
            Task::Unknown(start, end),
            Task::Emit(Emit::Branch, start, end),
        ];
        for kid in &kids {
            match kid.kind {
                Kind::Except | Kind::ExceptGroup => {
                    let (start, end) = span(kid.node);
                    tasks.push(Task::Emit(Emit::Else, start, end));
                    for part in self.kids(kid.node) {
                        if part.kind == Kind::Block {
                            tasks.push(Task::Stmt(part));
                        } else if part.field == Field::Alias {
                            tasks.push(Task::Unknown(start, end));
                            tasks.push(Task::Bind(part));
                            tasks.push(Task::Drop);
                        } else {
                            tasks.push(Task::Expr(part));
                            tasks.push(Task::Drop);
                        }
                    }
                }
                Kind::Else | Kind::Finally => {
                    for part in self.kids(kid.node) {
                        tasks.push(Task::Stmt(part));
                    }
                }
                _ => tasks.push(Task::Stmt(*kid)),
            }
        }
        tasks.push(Task::Emit(Emit::Merge, start, end));
        self.tasks.extend(tasks.into_iter().rev());
    }

    fn with_statement(&mut self, node: tree_sitter::Node<'t>) {
        self.mark_loops(false, false);
        let kids = self.kids(node);
        let mut tasks: Vec<Task<'t>> = Vec::new();
        for kid in &kids {
            if kid.kind != Kind::WithClause {
                tasks.push(Task::Stmt(*kid));
                continue;
            }
            for item in self.kids(kid.node) {
                let parts = self.kids(item.node);
                let Some(value) = parts.first() else { continue };
                let (start, end) = span(value.node);
                tasks.push(Task::Expr(*value));
                tasks.push(Task::Emit(Emit::Discard, start, end));
            }
        }
        self.tasks.extend(tasks.into_iter().rev());
    }

    fn match_statement(&mut self, node: tree_sitter::Node<'t>) {
        self.mark_loops(false, false);
        let kids = self.kids(node);
        let (start, end) = span(node);
        let mut tasks: Vec<Task<'t>> = Vec::new();
        let subjects: Kids<'t> = kids
            .iter()
            .filter(|k| k.field == Field::Subject)
            .copied()
            .collect();
        if let [subject] = subjects.as_slice() {
            tasks.push(Task::Expr(*subject));
        } else {
            tasks.extend(subjects.iter().map(|subject| Task::Expr(*subject)));
            tasks.push(Task::Emit(Emit::Blend(subjects.len()), start, end));
        }
        tasks.push(Task::Unknown(start, end));
        tasks.push(Task::Emit(Emit::Branch, start, end));
        for body in kids.iter().filter(|k| k.field == Field::Body) {
            for case in self.kids(body.node) {
                let (start, end) = span(case.node);
                tasks.push(Task::Emit(Emit::Else, start, end));
                for part in self.kids(case.node) {
                    match part.kind {
                        Kind::IfClause => {
                            tasks.push(Task::Expr(part));
                            tasks.push(Task::Drop);
                        }
                        Kind::Block => tasks.push(Task::Stmt(part)),
                        _ => tasks.push(Task::Captures(part)),
                    }
                }
            }
        }
        tasks.push(Task::Emit(Emit::Merge, start, end));
        tasks.push(Task::Drop);
        self.tasks.extend(tasks.into_iter().rev());
    }

    fn import(&mut self, node: tree_sitter::Node<'t>) {
        for kid in self.kids(node) {
            let (start, end) = span(kid.node);
            if kid.kind == Kind::AliasedImport {
                let parts = self.kids(kid.node);
                let [module, alias] = parts.as_slice() else {
                    continue;
                };
                let full = self.dotted(module.node);
                let reg = self.push(Op::Import(full), start, end);
                let alias = self.symbol(alias.node);
                self.bind_name(alias);
                self.push(Op::Store(alias, reg), start, end);
            } else if kid.kind == Kind::DottedName {
                let full = self.dotted(kid.node);
                let mut reg = self.push(Op::Import(full), start, end);
                let parts = self.kids(kid.node);
                let Some(head) = parts.first() else { continue };
                let head = self.symbol(head.node);
                if parts.len() > 1 {
                    reg = self.push(Op::Module(head), start, end);
                }
                self.bind_name(head);
                self.push(Op::Store(head, reg), start, end);
            }
        }
    }

    fn import_from(&mut self, node: tree_sitter::Node<'t>) {
        let kids = self.kids(node);
        let Some(module) = kids.iter().find(|k| k.field == Field::ModuleName) else {
            return;
        };
        let full = self.dotted(module.node);
        for kid in &kids {
            let (start, end) = span(kid.node);
            match kid.kind {
                Kind::Wildcard => {
                    self.push(Op::ImportStar(full), start, end);
                }
                Kind::AliasedImport => {
                    let parts = self.kids(kid.node);
                    let [name, alias] = parts.as_slice() else {
                        continue;
                    };
                    let name = self.dotted(name.node);
                    let alias = self.symbol(alias.node);
                    self.import_name(full, name, alias, start, end);
                }
                Kind::DottedName if kid.field != Field::ModuleName => {
                    let name = self.dotted(kid.node);
                    self.import_name(full, name, name, start, end);
                }
                _ => {}
            }
        }
    }

    fn import_name(&mut self, module: u32, name: u32, alias: u32, start: u32, end: u32) {
        let reg = self.push(Op::ImportFrom(module, name), start, end);
        self.bind_name(alias);
        self.push(Op::Store(alias, reg), start, end);
    }

    /// A dotted name without the blanks that the grammar allows in it.
    fn dotted(&mut self, node: tree_sitter::Node<'t>) -> u32 {
        let text = self.text(node);
        if text
            .bytes()
            .any(|byte| byte.is_ascii_whitespace() || byte == b'\\')
        {
            let joined: String = text
                .chars()
                .filter(|c| !c.is_whitespace() && *c != '\\')
                .collect();
            return self.symbols.intern(&super::plain_identifier(&joined));
        }
        self.symbol(node)
    }

    fn python2(&mut self, node: tree_sitter::Node<'t>, kind: Kind) {
        let (start, end) = span(node);
        self.push(Op::Python2, start, end);
        if self.out.python2.is_none() {
            self.out.python2 = Some((node.start_byte(), node.end_byte()));
        }
        let kids = self.kids(node);
        if kind == Kind::ExecStatement {
            // Judged as the call that it became in Python 3.
            let exec = self.symbols.intern("exec");
            self.give(Op::Load(exec), start, end);
            self.emit_after(Emit::Discard, node);
            self.emit_after(Emit::Call(1), node);
            self.emit_after(Emit::Kind(super::ir::ArgKind::Plain), node);
            self.one_or_none(&kids, node);
        } else {
            self.emit_after(Emit::Discard, node);
            self.emit_after(Emit::Blend(kids.len()), node);
            self.exprs(&kids);
        }
    }

    /// Looks at the pieces of what the parser gave up on: a name with something in brackets behind it is taken for
    /// the call that it would have been.
    pub(super) fn broken(&mut self, node: tree_sitter::Node<'t>, as_value: bool) {
        let tokens = self.tokens(node);
        let (start, end) = span(node);
        let mut tasks: Vec<Task<'t>> = Vec::new();
        let mut at = 0;
        while at < tokens.len() {
            let token = tokens[at];
            at += 1;
            if !token.node.is_named() {
                continue;
            }
            let callable = matches!(
                token.kind,
                Kind::Identifier | Kind::Attribute | Kind::DottedName | Kind::Call
            );
            let opens = tokens
                .get(at)
                .is_some_and(|next| next.kind == Kind::ArgumentList || self.text(next.node) == "(");
            if callable && opens {
                let (start, end) = span(token.node);
                let mut values = Kids::new();
                if tokens[at].kind == Kind::ArgumentList {
                    values = self.kids(tokens[at].node);
                    at += 1;
                } else {
                    at += 1;
                    while let Some(part) = tokens.get(at) {
                        at += 1;
                        if part.node.is_named() {
                            values.push(*part);
                        } else if self.text(part.node) == ")" {
                            break;
                        }
                    }
                }
                let mut passed = Vec::new();
                for value in &values {
                    let (kind, value) = self.argument(*value);
                    tasks.push(Task::Emit(Emit::Kind(kind), start, end));
                    passed.push(Task::Expr(value));
                }
                let count = passed.len();
                tasks.push(Task::Expr(token));
                tasks.extend(passed);
                tasks.push(Task::Emit(Emit::Call(count), start, end));
                tasks.push(Task::Emit(Emit::Discard, start, end));
                continue;
            }
            tasks.push(Task::Stmt(token));
        }
        if as_value {
            tasks.push(Task::Unknown(start, end));
        }
        self.tasks.extend(tasks.into_iter().rev());
    }
}
