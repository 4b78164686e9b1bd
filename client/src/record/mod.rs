//! The record as people read it: lists, one run, reports, its output. Shows what the daemon tells.

mod anchors;
mod compare;
mod copy;
mod escape;
mod evidence;
mod explain;
mod export;
mod find;
mod html;
mod integrity;
mod journal;
mod list;
mod logs;
mod rerun;
#[cfg(test)]
pub(crate) mod sample;
mod show;
mod times;
mod words;

pub(crate) use anchors::anchor;
pub(crate) use export::export;
pub(crate) use list::history;
pub(crate) use logs::logs;
pub(crate) use rerun::rerun;
pub(crate) use show::show;
pub(crate) use times::moment;
pub(crate) use words::{name, outcome, risk};
