//! Options of `watch`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use saferun_scanner::Level;

use super::{LEVELS, one_of};

// Options of `watch`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct WatchArgs {
    /// Folders to watch; a folder named like a command is written ./list
    #[arg(required = true, value_name = "DIR", num_args = 1..=16)]
    pub(crate) folders: Vec<PathBuf>,
    /// Print one JSON object a line, as the daemon tells them
    #[arg(long)]
    pub(crate) json: bool,
    /// Only what a model wrote, as the policy recognises it
    #[arg(long)]
    pub(crate) generated: bool,
    /// Only files at this level or above: LOW, MEDIUM, HIGH or BLOCKED
    #[arg(long, value_name = "LEVEL", value_parser = one_of(LEVELS, <Level as std::str::FromStr>::from_str), ignore_case = true, hide_possible_values = true)]
    pub(crate) least: Option<Level>,
    #[command(subcommand)]
    pub(crate) command: Option<WatchCommand>,
}

// What else the watch can do.
#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum WatchCommand {
    /// Show the folders that are watched
    #[command(after_help = "Examples:\n  saferunctl watch list --json")]
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Give a file that the watch put in quarantine its rights back
    #[command(
        after_help = "Examples:\n  saferunctl watch release script.py\n\nExit codes: 0 it has them; 125 it is left as it is, and why."
    )]
    Release {
        /// The file
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}
