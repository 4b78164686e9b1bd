//! Constant folding: what Python would make of constants, bounded in size. Pure functions over constants.

pub(crate) mod codec;
pub(crate) mod format;
pub(crate) mod number;
pub(crate) mod slice;
pub(crate) mod text;
