//! The driver of the lowering: a stack of tasks instead of recursion, so that the depth of the code costs heap and
//! never the thread's stack. What each construct becomes stands in `lower_expr` and `lower_stmt`.

use rustc_hash::FxHashSet;
use smallvec::SmallVec;
use tree_sitter::{Node, Tree, TreeCursor};

use super::ir::{
    Arg, ArgKind, Args, BinOp, Class, ClassId, Func, FuncId, Insn, Loop, NONE, Op, Program, Reg,
    Sym, UnOp,
};
use super::kinds::{Field, Kind, Role, Tables};
use super::symbols::Symbols;
use crate::CancelFlag;
use crate::engine::value::Value;

/// A named child (or an operator) with its kind and field.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kid<'t> {
    pub(super) node: Node<'t>,
    pub(super) kind: Kind,
    pub(super) field: Field,
}

pub(super) type Kids<'t> = SmallVec<[Kid<'t>; 6]>;

/// An instruction to be made once its operands stand on the operand stack.
#[derive(Debug, Clone, Copy)]
pub(super) enum Emit {
    /// Puts a register that stands already on the operand stack.
    Push(Reg),
    /// Says how the next operand of a call is passed.
    Kind(ArgKind),
    Attr(Sym),
    Subscript,
    Slice([bool; 3]),
    Call(usize),
    Seq(usize),
    Dict(usize),
    Bin(BinOp),
    Un(UnOp),
    Compare(bool),
    Either,
    Yield(bool),
    YieldFrom,
    FString(usize),
    Blend(usize),
    /// A comparison whose outcome does not matter.
    Comparison(usize),
    Walrus(Sym),
    Aug(BinOp),
    Store(Sym),
    Enter,
    Begin(FuncId, usize),
    LambdaEnd(FuncId),
    FuncEnd(FuncId),
    ClassBegin(ClassId, usize),
    ClassEnd(ClassId),
    Decorate(usize),
    CompBegin,
    CompFor(usize),
    CompIf,
    CompElem(bool),
    CompEnd(usize),
    ForBegin(usize),
    ForEnd(usize),
    WhileBegin(usize),
    WhileEnd(usize),
    Branch,
    Else,
    Merge,
    Return,
    Raise(bool),
    Assert,
    Discard,
    DelSub,
    DelAttr,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Task<'t> {
    Expr(Kid<'t>),
    Stmt(Kid<'t>),
    /// Makes an instruction whose range is the node's.
    Emit(Emit, u32, u32),
    /// Binds the register to a target.
    Target(Kid<'t>, Reg),
    /// Binds the topmost operand to a target and leaves it where it is.
    Bind(Kid<'t>),
    StoreAttr(Sym, Reg, u32, u32),
    StoreSub(Reg, u32, u32),
    /// Captures of a `case` pattern take the topmost operand.
    Captures(Kid<'t>),
    Drop,
    /// Pushes an unknown value.
    Unknown(u32, u32),
}

/// The function, class or module whose body is being lowered.
#[derive(Debug, Default)]
pub(super) struct Frame {
    pub(super) func: Option<FuncId>,
    pub(super) locals: FxHashSet<Sym>,
    pub(super) globals: Vec<Sym>,
    pub(super) nonlocals: Vec<Sym>,
    pub(super) comps: u32,
    pub(super) loops: Vec<usize>,
    /// Annotated names, in order.
    pub(super) fields: Vec<Sym>,
}

/// A comment that speaks to the scanner.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Remark {
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// Children of one node at most; a list with more is data, and its rest is not looked at.
const MAX_KIDS: usize = 1 << 19;

/// What the lowering saw besides the code.
#[derive(Debug, Default)]
pub(crate) struct Lowered {
    /// First and last instruction of the module's own body.
    pub(crate) body: (Reg, Reg),
    pub(crate) remarks: Vec<Remark>,
    /// First place that the parser could not make sense of.
    pub(crate) error: Option<(usize, usize)>,
    /// First place with syntax of Python 2.
    pub(crate) python2: Option<(usize, usize)>,
    /// The tree was too large for the budget; the rest was not lowered.
    pub(crate) stopped: bool,
    /// Steps that were used.
    pub(crate) steps: u64,
}

pub(super) struct Lower<'t, 'a> {
    pub(super) source: &'t str,
    pub(super) tables: &'static Tables,
    cursor: TreeCursor<'t>,
    pub(super) program: &'a mut Program,
    pub(super) symbols: &'a mut Symbols,
    pub(super) tasks: Vec<Task<'t>>,
    pub(super) operands: Vec<Reg>,
    pub(super) arg_kinds: Vec<ArgKind>,
    pub(super) frames: Vec<Frame>,
    pub(super) out: Lowered,
}

/// Appends the code of a tree to the program.
pub(crate) fn lower(
    tree: &Tree,
    source: &str,
    program: &mut Program,
    symbols: &mut Symbols,
    max_steps: u64,
    cancelled: Option<&CancelFlag>,
) -> Lowered {
    let root = tree.root_node();
    let begin = program.next();
    // Usual code has an instruction for every third node, tokens among them.
    program.insns.reserve(root.descendant_count() / 3);
    let mut lower = Lower {
        source,
        tables: Tables::get(),
        cursor: root.walk(),
        program,
        symbols,
        tasks: Vec::with_capacity(256),
        operands: Vec::with_capacity(64),
        arg_kinds: Vec::with_capacity(64),
        frames: vec![Frame::default()],
        out: Lowered::default(),
    };
    if root.has_error() {
        lower.out.error = Some(first_error(root, &mut lower.cursor));
    }
    let kind = lower.tables.kind(root.kind_id());
    lower.tasks.push(Task::Stmt(Kid {
        node: root,
        kind,
        field: Field::Absent,
    }));
    while let Some(task) = lower.tasks.pop() {
        lower.out.steps += 1;
        lower.out.stopped |=
            lower.out.steps > max_steps || cancelled.is_some_and(CancelFlag::is_cancelled);
        if lower.out.stopped {
            break;
        }
        lower.step(task);
    }
    lower.out.body = (begin, lower.program.next());
    if lower.out.stopped {
        // Bodies that were begun and not ended must not be entered.
        let end = lower.program.next();
        for frame in &lower.frames {
            if let Some(func) = frame.func {
                lower.program.funcs[func as usize].body.1 = end;
            }
        }
        for record in &mut lower.program.loops {
            if record.end == 0 {
                record.end = end;
            }
        }
    }
    lower.out
}

/// Finds the first error without recursion: down along children that hold one.
fn first_error<'t>(root: Node<'t>, cursor: &mut TreeCursor<'t>) -> (usize, usize) {
    cursor.reset(root);
    loop {
        let node = cursor.node();
        if node.is_error() || node.is_missing() {
            return (node.start_byte(), node.end_byte());
        }
        if node.has_error() && cursor.goto_first_child() {
            continue;
        }
        if !cursor.goto_next_sibling() {
            // The error is the node itself, in a way that the tree does not mark further.
            return (node.start_byte(), node.end_byte());
        }
    }
}

impl<'t> Lower<'t, '_> {
    /// Named children and operators; comments are looked at and left out.
    pub(super) fn kids(&mut self, node: Node<'t>) -> Kids<'t> {
        let mut kids = Kids::new();
        self.cursor.reset(node);
        if !self.cursor.goto_first_child() {
            return kids;
        }
        // To ask for a field costs as much as to step on.
        let fields = self.tables.kind(node.kind_id()).has_fields();
        loop {
            let node = self.cursor.node();
            match self.tables.role(node.kind_id()) {
                Role::Punctuation | Role::Named(Kind::LineContinuation) => {}
                Role::Named(Kind::Comment) => self.remark(node),
                Role::Named(kind) => {
                    let field = if fields {
                        self.tables.field(self.cursor.field_id())
                    } else {
                        Field::Absent
                    };
                    kids.push(Kid { node, kind, field });
                }
                Role::Token if !fields => {}
                Role::Token => {
                    let field = self.tables.field(self.cursor.field_id());
                    if matches!(field, Field::Operator | Field::Operators) {
                        let kind = Kind::Other;
                        kids.push(Kid { node, kind, field });
                    }
                }
            }
            if kids.len() >= MAX_KIDS {
                self.out.stopped = true;
                break;
            }
            if !self.cursor.goto_next_sibling() {
                break;
            }
        }
        kids
    }

    /// All children with their tokens, for what the parser could not make sense of.
    pub(super) fn tokens(&mut self, node: Node<'t>) -> Kids<'t> {
        let mut kids = Kids::new();
        self.cursor.reset(node);
        if !self.cursor.goto_first_child() {
            return kids;
        }
        loop {
            let node = self.cursor.node();
            let kind = if node.is_named() {
                self.tables.kind(node.kind_id())
            } else {
                Kind::Other
            };
            match kind {
                Kind::Comment => self.remark(node),
                _ => kids.push(Kid {
                    node,
                    kind,
                    field: Field::Absent,
                }),
            }
            if !self.cursor.goto_next_sibling() {
                break;
            }
        }
        kids
    }

    fn remark(&mut self, node: Node<'t>) {
        let (start, end) = (node.start_byte(), node.end_byte());
        if self.source[start..end].contains("saferun:") && self.out.remarks.len() < 10_000 {
            self.out.remarks.push(Remark { start, end });
        }
    }

    pub(super) fn text(&self, node: Node<'t>) -> &'t str {
        self.source.get(node.byte_range()).unwrap_or_default()
    }

    pub(super) fn symbol(&mut self, node: Node<'t>) -> Sym {
        let text = self.text(node);
        if text.is_ascii() {
            self.symbols.intern(text)
        } else {
            // Python compares identifiers in NFKC; the forms that matter are the styled Latin letters.
            let plain = super::plain_identifier(text);
            self.symbols.intern(&plain)
        }
    }

    /// Makes an instruction and gives its register.
    pub(super) fn push(&mut self, op: Op, start: u32, end: u32) -> Reg {
        let reg = self.program.next();
        self.program.insns.push(Insn { op, start, end });
        reg
    }

    /// Makes an instruction and leaves its register on the operand stack.
    pub(super) fn give(&mut self, op: Op, start: u32, end: u32) {
        let reg = self.push(op, start, end);
        self.operands.push(reg);
    }

    pub(super) fn constant(&mut self, value: Value, start: u32, end: u32) {
        let id = u32::try_from(self.program.consts.len()).unwrap_or(NONE);
        self.program.consts.push(value);
        self.give(Op::Const(id), start, end);
    }

    pub(super) fn pop(&mut self) -> Reg {
        // Every task pops what its own schedule pushed; a register of the first instruction is harmless.
        self.operands.pop().unwrap_or(0)
    }

    /// Moves the topmost operands into the argument table, with their kinds when `kinds` is set.
    pub(super) fn take_args(&mut self, count: usize, kinds: bool) -> Args {
        let at = self.program.args.len();
        let base = self.operands.len().saturating_sub(count);
        let kind_base = self.arg_kinds.len().saturating_sub(count);
        for index in 0..count.min(self.operands.len()) {
            let kind = if kinds {
                self.arg_kinds
                    .get(kind_base + index)
                    .copied()
                    .unwrap_or(ArgKind::Plain)
            } else {
                ArgKind::Plain
            };
            self.program.args.push(Arg {
                kind,
                reg: self.operands[base + index],
            });
        }
        self.operands.truncate(base);
        if kinds {
            self.arg_kinds.truncate(kind_base);
        }
        Args {
            at: u32::try_from(at).unwrap_or(NONE),
            len: u32::try_from(self.program.args.len() - at).unwrap_or(0),
        }
    }

    pub(super) fn emit_after(&mut self, emit: Emit, node: Node<'t>) {
        let (start, end) = span(node);
        self.tasks.push(Task::Emit(emit, start, end));
    }

    /// Schedules expressions so that they run in order.
    pub(super) fn exprs(&mut self, kids: &[Kid<'t>]) {
        for kid in kids.iter().rev() {
            self.tasks.push(Task::Expr(*kid));
        }
    }

    pub(super) fn bind_name(&mut self, name: Sym) {
        if let Some(frame) = self.frames.last_mut()
            && frame.comps == 0
        {
            frame.locals.insert(name);
        }
    }

    pub(super) fn new_func(&mut self, func: Func) -> FuncId {
        let id = u32::try_from(self.program.funcs.len()).unwrap_or(NONE);
        self.program.funcs.push(func);
        id
    }

    pub(super) fn new_class(&mut self) -> ClassId {
        let id = u32::try_from(self.program.classes.len()).unwrap_or(NONE);
        self.program.classes.push(Class {
            locals: Vec::new(),
            fields: Vec::new(),
        });
        id
    }

    pub(super) fn new_loop(&mut self, simple: bool) -> usize {
        self.program.loops.push(Loop {
            end: 0,
            leaves: false,
            simple,
        });
        self.program.loops.len() - 1
    }

    /// Marks the loops around this place: they can be left, or do more than simple statements.
    pub(super) fn mark_loops(&mut self, leaves: bool, innermost_only: bool) {
        let Some(frame) = self.frames.last() else {
            return;
        };
        let from = if innermost_only {
            frame.loops.len().saturating_sub(1)
        } else {
            0
        };
        for index in &frame.loops[from..] {
            let record = &mut self.program.loops[*index];
            record.leaves |= leaves;
            record.simple = false;
        }
    }

    fn step(&mut self, task: Task<'t>) {
        match task {
            Task::Expr(kid) => self.expr(kid),
            Task::Stmt(kid) => self.stmt(kid),
            Task::Emit(emit, start, end) => self.emit(emit, start, end),
            Task::Target(kid, reg) => self.target(kid, reg),
            Task::Bind(kid) => {
                let reg = self.operands.last().copied().unwrap_or(0);
                self.target(kid, reg);
            }
            Task::StoreAttr(name, value, start, end) => {
                let object = self.pop();
                self.push(Op::StoreAttr(object, name, value), start, end);
            }
            Task::StoreSub(value, start, end) => {
                let index = self.pop();
                let object = self.pop();
                self.push(Op::StoreSub(object, index, value), start, end);
            }
            Task::Captures(kid) => self.captures(kid),
            Task::Drop => {
                self.pop();
            }
            Task::Unknown(start, end) => self.constant(Value::Unknown, start, end),
        }
    }
}

/// Byte range of a node; texts whose offsets do not fit are refused before they are parsed.
pub(super) fn span(node: Node<'_>) -> (u32, u32) {
    (
        u32::try_from(node.start_byte()).unwrap_or(NONE),
        u32::try_from(node.end_byte()).unwrap_or(NONE),
    )
}
