//! The policy that holds: read from its layers, watched, swapped as a whole. Everybody else sees snapshots.

mod request;
mod snapshot;
mod store;
mod watcher;

pub(crate) use request::Asked;
pub(crate) use snapshot::{Resolved, Snapshot};
pub(crate) use store::{PolicyHandle, Standing};
