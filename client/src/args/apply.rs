//! Options of `apply`.

use clap::Args;

// Options of `apply`.
#[derive(Debug, Clone, Args)]
pub(crate) struct ApplyArgs {
    /// Complete what was interrupted: all, or one by its id
    #[arg(long, value_name = "ID", num_args = 0..=1, default_missing_value = "", conflicts_with = "undo")]
    pub(crate) recover: Option<String>,
    /// Put everything back as it was before: the last one, or one by its id
    #[arg(long, value_name = "ID", num_args = 0..=1, default_missing_value = "")]
    pub(crate) undo: Option<String>,
}
