//! The command line: its types, its help, its examples. Knows nothing of what commands do.

mod apply;
mod bench;
mod command;
mod daemon;
mod hook;
mod image;
mod policy;
mod record;
mod run;
mod scan;
mod watch;

use clap::{Args, Parser};

pub(crate) use apply::ApplyArgs;
pub(crate) use bench::BenchArgs;
pub(crate) use command::Command;
pub(crate) use daemon::{DaemonCommand, UnitArgs};
pub(crate) use hook::HookArgs;
pub(crate) use image::{ImageAddArgs, ImageBuildArgs, ImageCommand};
pub(crate) use policy::{PolicyCommand, PolicyExplainArgs, PolicyShowArgs};
pub(crate) use record::{
    ExportArgs, HistoryArgs, HistoryCommand, LogsArgs, RerunArgs, ShowArgs, VerifyArgs,
};
pub(crate) use run::RunArgs;
pub(crate) use scan::{Format, ScanArgs};
pub(crate) use watch::{WatchArgs, WatchCommand};

use crate::ui::ColorWhen;

/// Run code that a language model wrote, in a sandbox, as if it were a trusted script
#[derive(Debug, Parser)]
#[command(
    name = "saferunctl",
    version,
    disable_help_subcommand = true,
    max_term_width = 100,
    after_help = "\
Examples:
  saferunctl run script.py               run a script, output live, exit code the script's own
  saferunctl run -c 'print(1 + 1)'       run a line of Python
  saferunctl doctor                      find out what is missing on this machine"
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options of each command.
#[derive(Debug, Clone, Args)]
pub(crate) struct Global {
    /// Colour what saferunctl itself says: auto, always or never
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        default_value = "auto",
        hide_possible_values = true,
        help_heading = "Global options"
    )]
    pub(crate) color: ColorWhen,
    /// Fail when no daemon listens, instead of starting one (also SAFERUN_NO_START=1)
    #[arg(long, global = true, help_heading = "Global options")]
    pub(crate) no_start: bool,
}

impl Global {
    /// Whether a daemon may be started.
    pub(crate) fn may_start(&self) -> bool {
        let forbidden = std::env::var_os("SAFERUN_NO_START")
            .is_some_and(|value| !value.is_empty() && value != "0");
        !self.no_start && !forbidden
    }
}

#[cfg(test)]
mod tests;
