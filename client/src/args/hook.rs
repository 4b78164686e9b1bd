//! Options of `hook`.

use clap::Args;

use super::LEVELS;

// Options of `hook`.
#[derive(Debug, Args)]
pub(crate) struct HookArgs {
    /// Print the configuration for a coding agent instead: claude
    #[arg(long, value_name = "AGENT", value_parser = ["claude"], hide_possible_values = true)]
    pub(crate) config: Option<String>,
    /// Level from which code that is written is sent back to the model
    #[arg(long, value_name = "LEVEL", default_value = "HIGH", value_parser = LEVELS.to_vec())]
    pub(crate) level: String,
}
