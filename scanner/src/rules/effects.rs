//! What calling or reading a name does to data: where it comes from, where it goes, what it becomes. Rules say what
//! is bad; effects say what happens.

use super::Access;
use crate::engine::{
    Engine,
    call::Call,
    value::{Label, Value},
};

/// An argument by position and keyword.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arg(pub(crate) u8, pub(crate) &'static str);

impl Arg {
    /// One that is given by keyword alone: its position is behind those of any call, and not `u8::MAX`, the receiver.
    pub(crate) const fn keyword(name: &'static str) -> Self {
        Self(200, name)
    }
}

/// What a call sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sink {
    Network,
    Deserialise,
    Sql,
    Template,
    Log,
}

/// Effects of names.
#[derive(Debug)]
pub(crate) enum Effect {
    /// What the call gives (or the name is) comes from here.
    Source(Label, &'static str),
    /// The call uses a path.
    Path(Access, Arg),
    /// Opens a path in the mode that another argument says.
    Open(Arg, Arg),
    /// The arguments go there.
    Sink(Sink),
    /// The argument is Python code that is run.
    Code(Arg),
    /// The argument is Python code that is compiled; what comes back runs when it is executed.
    Compile(Arg),
    /// The argument is shell text.
    Shell(Arg),
    /// The argument is a program with arguments, or shell text when `shell` is true.
    Command(Arg),
    /// The arguments from this position on are a program and its arguments.
    Argv(u8),
    /// The argument is called with what follows, or with the elements of what follows.
    Apply(Arg, Rest),
    /// Gives an instance or module of this name.
    Gives(&'static str),
    /// The name is a constant text.
    Is(&'static str),
    /// What comes back says nothing of what went in.
    Clean,
    /// Code of the engine works out the result.
    Special(fn(&mut Engine, &Call) -> Value),
}

/// What a function that is handed over is called with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rest {
    /// The positional arguments after it.
    After,
    /// The elements of the arguments after it, as `map` does.
    Elements,
    /// The items of each element of the arguments after it, as `starmap` does.
    Spread,
    /// The elements of the arguments before it or beside it, as `sorted` does with its key.
    Beside,
    /// The sequence in the keyword `args` or `argument`, or at the position after.
    Args(u8),
}
