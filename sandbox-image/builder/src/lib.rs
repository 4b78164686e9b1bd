//! The sandbox images: what goes in, how they are put together without a registry, and what must
//! not be in them.
//!
//! Knows packages and tar files. It does not know the engine: a finished root file system is a tar
//! file plus [`ImageConfig`], which the daemon imports. Nothing here is async; run it on a thread.

mod accounts;
mod audit;
mod bootstrap;
mod config;
mod context;
mod decoys;
mod error;
mod inputs;
mod overlay;
mod patterns;
mod rootfs;
mod tree;
mod variant;
mod wheels;

pub use accounts::{SANDBOX_UID_BASE, SANDBOX_UID_COUNT};
pub use audit::{Audit, MAX_IMAGE_BYTES, MAX_VARIANT_BYTES, audit_rootfs};
pub use config::{ImageConfig, LABEL_DIGEST, LABEL_VARIANT, VARIANT_PYTHON};
pub use context::docker_context;
pub use error::BuildError;
pub use inputs::{Inputs, digest};
pub use rootfs::{Progress, Stage, build_rootfs};
pub use variant::{VARIANT_PYTHON_DATA, Variant, check_name};
pub use wheels::resolve;
