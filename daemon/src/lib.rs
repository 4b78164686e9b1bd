//! The SafeRun daemon: warm single-use containers behind JSON-RPC on a Unix socket.
//! A contents page; each folder says for itself what it owns.

mod admission;
mod attest;
mod audit;
mod boot;
mod clock;
mod engine;
mod heavy;
mod image;
mod inotify;
mod journal;
mod policy;
mod pool;
mod rpc;
mod runs;
mod settings;
mod state_dir;
mod steps;
mod watch;
mod world;

#[cfg(feature = "measure")]
pub use audit::measure;
pub use audit::{CopyCheck, RecordError, verify_copy};
pub use boot::boot;
pub use settings::{Settings, SettingsError};
pub use steps::Step;
