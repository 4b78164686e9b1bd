//! The commands but `run`, `doctor` and `self-check`, which have folders of their own.

mod daemon;
mod generate;
mod image;
mod install;
mod logs;
mod runs;
mod status;

pub(crate) use daemon::daemon;
pub(crate) use generate::{completions, man};
pub(crate) use image::image;
pub(crate) use runs::{kill, ps};
pub(crate) use status::status;
