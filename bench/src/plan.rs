//! What all parts are told: where the binaries are, where samples go, and whether it is a measurement at all.

use std::path::PathBuf;

use anyhow::{Result, ensure};

/// With fewer rounds medians mean nothing.
const LEAST_ROUNDS: usize = 30;

/// What all parts are told.
pub(crate) struct Plan {
    /// Folder with saferunctl and saferund.
    pub(crate) bin: PathBuf,
    /// Folder for the raw samples.
    pub(crate) out: PathBuf,
    /// Only tries whether everything works.
    pub(crate) quick: bool,
}

impl Plan {
    /// Rounds that come first and do not count.
    pub(crate) fn warm_up(&self) -> usize {
        if self.quick { 1 } else { 3 }
    }

    /// Rounds to measure.
    pub(crate) fn rounds(&self, asked: usize) -> Result<usize> {
        ensure!(
            self.quick || asked >= LEAST_ROUNDS,
            "at least {LEAST_ROUNDS} rounds, or the medians mean nothing; --quick only tries"
        );
        Ok(asked)
    }
}
