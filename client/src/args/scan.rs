//! Options of `scan`.

use std::{ffi::OsString, path::PathBuf};

use clap::{Args, ValueEnum};
use saferun_scanner::Level;

use super::{LEVELS, one_of};

// Options of `scan`.
#[derive(Debug, Clone, Args)]
pub(crate) struct ScanArgs {
    /// Files, folders (what git ignores is left out), or - for standard input
    #[arg(required_unless_present_any = ["since", "staged"], value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// Scan what the working tree changed since it left this revision, files new to git included
    #[arg(long, value_name = "REV")]
    pub(crate) since: Option<OsString>,
    /// Scan what the next commit would hold, as it is staged
    #[arg(long, conflicts_with = "since")]
    pub(crate) staged: bool,
    /// How to print what was found: text, json, sarif or github
    #[arg(
        long,
        value_name = "FORMAT",
        default_value = "text",
        hide_possible_values = true
    )]
    pub(crate) format: Format,
    /// Exit with 1 if anything is at this level or above: LOW, MEDIUM, HIGH or BLOCKED
    #[arg(long, value_name = "LEVEL", default_value_t = Level::High, value_parser = one_of(LEVELS, <Level as std::str::FromStr>::from_str), ignore_case = true, hide_possible_values = true)]
    pub(crate) fail_on: Level,
    /// Lowest level to print as text
    #[arg(long, value_name = "LEVEL", default_value_t = Level::Low, value_parser = one_of(LEVELS, <Level as std::str::FromStr>::from_str), ignore_case = true, hide_possible_values = true)]
    pub(crate) least: Level,
    /// Name that standard input has in the report; its ending says what it is
    #[arg(long, value_name = "NAME", default_value = "<stdin>")]
    pub(crate) stdin_filename: String,
    /// Let comments in the code silence findings
    #[arg(long)]
    pub(crate) honour_suppressions: bool,
}

/// A form of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
    /// SARIF 2.1.0, for code scanning services.
    Sarif,
    /// Annotations of GitHub Actions.
    Github,
}
