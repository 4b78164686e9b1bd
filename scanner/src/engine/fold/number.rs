//! Arithmetic on constants, within 64 bits and a bounded size of text.

use std::rc::Rc;

use super::super::operate::MAX_TEXT;
use super::super::value::Const;
use crate::syntax::ir::BinOp;

/// What the operator makes of two constants.
pub(crate) fn binary(op: BinOp, left: &Const, right: &Const) -> Option<Const> {
    match (left, right) {
        (Const::Bytes(a), Const::Bytes(b)) if op == BinOp::Add => (a.len() + b.len() <= MAX_TEXT)
            .then(|| Const::Bytes(Rc::from([&a[..], &b[..]].concat()))),
        (Const::Str(text), Const::Int(times)) | (Const::Int(times), Const::Str(text))
            if op == BinOp::Mul =>
        {
            let times = usize::try_from(*times).unwrap_or(0);
            (text.len().checked_mul(times)? <= MAX_TEXT)
                .then(|| Const::Str(Rc::from(text.repeat(times))))
        }
        (Const::Bytes(bytes), Const::Int(times)) | (Const::Int(times), Const::Bytes(bytes))
            if op == BinOp::Mul =>
        {
            let times = usize::try_from(*times).unwrap_or(0);
            (bytes.len().checked_mul(times)? <= MAX_TEXT)
                .then(|| Const::Bytes(Rc::from(bytes.repeat(times))))
        }
        (Const::Float(a), Const::Float(b)) => float(op, *a, *b),
        (Const::Float(a), _) => float(op, *a, as_float(right)?),
        (_, Const::Float(b)) => float(op, as_float(left)?, *b),
        _ => integer(op, as_int(left)?, as_int(right)?),
    }
}

fn as_int(one: &Const) -> Option<i64> {
    match one {
        Const::Int(number) => Some(*number),
        Const::Bool(flag) => Some(i64::from(*flag)),
        _ => None,
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "Python converts in the same way"
)]
fn as_float(one: &Const) -> Option<f64> {
    as_int(one).map(|number| number as f64)
}

fn float(op: BinOp, a: f64, b: f64) -> Option<Const> {
    let result = match op {
        BinOp::Add => a + b,
        BinOp::Sub => a - b,
        BinOp::Mul => a * b,
        BinOp::Div if b != 0.0 => a / b,
        _ => return None,
    };
    Some(Const::Float(result))
}

#[expect(
    clippy::cast_precision_loss,
    reason = "Python's true division gives a float too"
)]
fn integer(op: BinOp, a: i64, b: i64) -> Option<Const> {
    let result = match op {
        BinOp::Add => a.checked_add(b)?,
        BinOp::Sub => a.checked_sub(b)?,
        BinOp::Mul => a.checked_mul(b)?,
        BinOp::Div => return (b != 0).then(|| Const::Float(a as f64 / b as f64)),
        BinOp::FloorDiv => {
            let quotient = a.checked_div(b)?;
            if a % b != 0 && (a < 0) != (b < 0) {
                quotient - 1
            } else {
                quotient
            }
        }
        BinOp::Mod => {
            let rest = a.checked_rem(b)?;
            if rest != 0 && (rest < 0) != (b < 0) {
                rest + b
            } else {
                rest
            }
        }
        BinOp::Pow => a.checked_pow(u32::try_from(b).ok()?)?,
        BinOp::Shl => {
            let shift = u32::try_from(b).ok().filter(|shift| *shift < 63)?;
            a.checked_mul(1i64.checked_shl(shift)?)?
        }
        BinOp::Shr => a.checked_shr(u32::try_from(b).ok()?.min(63))?,
        BinOp::And => a & b,
        BinOp::Or => a | b,
        BinOp::Xor => a ^ b,
        BinOp::MatMul => return None,
    };
    Some(Const::Int(result))
}
