//! From text to the linear program: parsing within bounds, then lowering. Judges nothing.

mod identifier;
pub(crate) mod ir;
mod kinds;
mod literal;
mod lower;
mod lower_def;
mod lower_emit;
mod lower_expr;
mod lower_stmt;
mod lower_target;
pub(crate) mod parse;
pub(crate) mod symbols;

pub(crate) use identifier::plain_identifier;
pub(crate) use lower::{Lowered, Remark, lower};
pub(crate) use parse::{Parsed, parse};
