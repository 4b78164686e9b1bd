//! What SafeRun knows of Python packages without asking anybody: which modules the standard library
//! has, which project on the Python Package Index brings a module, which names are well known.
//!
//! Pure: no I/O, no clock, no registry. "Not known" never means "does not exist".

mod advice;
mod names;
mod needs;

pub use advice::{Offer, advise};
pub use names::{is_known, is_standard, nearest, normalise, project_of};
pub use needs::{declared, missing_module, top_level};
