//! The linear form that the analysis runs on: one instruction for each expression or binding, operands before
//! their user. A register is the index of the instruction that made the value, so no evaluation ever recurses.

use crate::engine::value::Value;

/// Index of an instruction, and of the value it made.
pub(crate) type Reg = u32;
/// An interned identifier.
pub(crate) type Sym = u32;
/// Index into [`Program::funcs`].
pub(crate) type FuncId = u32;
/// Index into [`Program::classes`].
pub(crate) type ClassId = u32;

/// Stands for an absent register or symbol.
pub(crate) const NONE: u32 = u32::MAX;

/// A slice of [`Program::args`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Args {
    pub(crate) at: u32,
    pub(crate) len: u32,
}

/// How an argument stands in a call or a display.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ArgKind {
    Plain,
    Star,
    DoubleStar,
    /// Keyword argument of a call; for an f-string part, the symbol of its format specifier.
    Named(Sym),
}

/// One operand of an instruction with any number of operands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arg {
    pub(crate) kind: ArgKind,
    pub(crate) reg: Reg,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BinOp {
    Add,
    Sub,
    Mul,
    Div,
    FloorDiv,
    Mod,
    Pow,
    Shl,
    Shr,
    And,
    Or,
    Xor,
    MatMul,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UnOp {
    Neg,
    Pos,
    Invert,
    Not,
}

/// What an instruction does. Names follow the Python constructs.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Op {
    Const(u32),
    Load(Sym),
    Seq(Args),
    /// Keys and values alternate; a `**` splat has `NONE` as its key.
    Dict(Args),
    Attr(Reg, Sym),
    Subscript(Reg, Reg),
    /// Start, stop, step; `NONE` where absent.
    Slice(Reg, Reg, Reg),
    Call(Reg, Args),
    Bin(BinOp, Reg, Reg),
    Un(UnOp, Reg),
    /// `==` or `!=` (the flag is true for `==`), the only comparison whose outcome may matter.
    Compare(Reg, Reg, bool),
    /// Any of two values: `a or b`, `a and b`, `a if c else b`.
    Either(Reg, Reg),
    Yield(Reg),
    /// `yield from`: the elements of a value.
    YieldFrom(Reg),
    FString(Args),
    Store(Sym, Reg),
    /// `:=`, which binds outside of any comprehension.
    Walrus(Sym, Reg),
    StoreAttr(Reg, Sym, Reg),
    StoreSub(Reg, Reg, Reg),
    /// A value whose parts are not followed, but whose taint is; the flag is set for a comparison.
    Blend(Args, bool),
    /// Anything inside of a value, however deep: what a part of a pattern captures.
    Inside(Reg),
    DelName(Sym),
    DelSub(Reg, Reg),
    DelAttr,
    /// Item of an unpacking: index from the front.
    Item(Reg, u32),
    /// Item of an unpacking behind a starred target: index from the back, the last is zero.
    Last(Reg, u32),
    /// What a starred target takes: all but so many items in front, and so many behind.
    Rest(Reg, u32, u32),
    /// What `with` binds.
    Enter(Reg),
    Import(Sym),
    /// The first part of a dotted import, which is what the statement binds.
    Module(Sym),
    ImportFrom(Sym, Sym),
    ImportStar(Sym),
    Def(FuncId, Args),
    /// Skips a function's body when its definition is met.
    Body(FuncId),
    /// A decorator applied to a definition: decorator, decorated value.
    Decorate(Reg, Reg),
    ClassBegin(ClassId, Args),
    ClassEnd(ClassId),
    CompBegin,
    /// Iterates the register over its target; the second is the index of the clause in [`Program::loops`].
    CompFor(Reg, u32),
    CompIf(Reg),
    CompElem(Reg, Reg),
    CompEnd,
    /// Loop over the register; the body spans the loop record.
    ForBegin(Reg, u32),
    ForEnd,
    WhileBegin(Reg, u32),
    WhileEnd,
    Branch,
    Else,
    Merge,
    Return(Reg),
    Raise,
    Assert,
    Discard(Reg),
    /// A construct that only Python 2 has.
    Python2,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Insn {
    pub(crate) op: Op,
    pub(crate) start: u32,
    pub(crate) end: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ParamKind {
    Plain,
    Star,
    DoubleStar,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Param {
    pub(crate) name: Sym,
    pub(crate) kind: ParamKind,
    /// Index into the operands of `Def` that hold the default, or `NONE`.
    pub(crate) default: u32,
    /// True after `*` or `*args`.
    pub(crate) keyword_only: bool,
}

/// A function or lambda.
#[derive(Debug, Clone)]
pub(crate) struct Func {
    /// `NONE` for a lambda.
    pub(crate) name: Sym,
    pub(crate) params: Vec<Param>,
    pub(crate) locals: Vec<Sym>,
    pub(crate) globals: Vec<Sym>,
    pub(crate) nonlocals: Vec<Sym>,
    /// First instruction of the body, and the first after it.
    pub(crate) body: (Reg, Reg),
}

#[derive(Debug, Clone)]
pub(crate) struct Class {
    pub(crate) locals: Vec<Sym>,
    /// Annotated names of the body, in order.
    pub(crate) fields: Vec<Sym>,
}

/// A `for`, `while` or comprehension clause: where its body ends, and what its body does.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Loop {
    pub(crate) end: Reg,
    /// The body can leave the loop: `break`, `return`, `raise`, `yield`, an `await` or an exit call.
    pub(crate) leaves: bool,
    /// The body has nothing but simple statements, so that it can be run over constants.
    pub(crate) simple: bool,
}

/// All code of one scan. Decoded code is appended, never rewritten.
#[derive(Debug, Default)]
pub(crate) struct Program {
    pub(crate) insns: Vec<Insn>,
    pub(crate) args: Vec<Arg>,
    pub(crate) consts: Vec<Value>,
    pub(crate) funcs: Vec<Func>,
    pub(crate) classes: Vec<Class>,
    pub(crate) loops: Vec<Loop>,
}

impl Program {
    /// The next register to be made.
    pub(crate) fn next(&self) -> Reg {
        u32::try_from(self.insns.len()).unwrap_or(NONE)
    }

    pub(crate) fn arg_slice(&self, args: Args) -> &[Arg] {
        let at = args.at as usize;
        &self.args[at..at + args.len as usize]
    }
}
