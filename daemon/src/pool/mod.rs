//! Warm containers, used once: a pure state machine (`state`), its owner task (`owner`) behind a handle
//! (`handle`), and how one container is brought up, checked and taken down (`container`).

mod container;
mod handle;
mod key;
mod owner;
mod state;

pub(crate) use container::{Launcher, WarmContainer};
pub(crate) use handle::{Lease, LeaseError, PoolHandle, PoolSettings};
pub(crate) use key::Key;
pub(crate) use state::Bounds;
