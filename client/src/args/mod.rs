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

use clap::{
    Args, Parser,
    builder::{PossibleValuesParser, TypedValueParser},
    error::{ContextKind, ContextValue, ErrorKind},
};

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

/// What a person may have meant by a word that no option takes, where the command passes words on to a script.
pub(crate) fn hint(error: &clap::Error) -> Option<&'static str> {
    let passes_on = match error.get(ContextKind::Usage) {
        Some(ContextValue::StyledStr(usage)) => usage.to_string().contains("[-- <ARGS>...]"),
        _ => false,
    };
    (error.kind() == ErrorKind::UnknownArgument && passes_on).then_some(
        "  arguments of the script come after --, as in: saferunctl run script.py -- --input data.csv",
    )
}

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
  saferunctl doctor                      find out what is missing on this machine

Environment:
  SAFERUN_SOCKET       the daemon's socket [default: below XDG_RUNTIME_DIR, else below /tmp]
  SAFERUN_STATE_DIR    the folder of the record, the images' recipes and the log
  SAFERUN_NO_START=1   never start a daemon
  SAFERUN_ENGINE       the container engine's socket, for a daemon that is started, as unix:///PATH
  SAFERUN_POLICY       the preset; each key of the policy has a variable of its own: docs/policy.md
  NO_COLOR             no colours, however the terminal is

Exit codes: 0 done; 1 what was looked for is not so; 2 the command line or a file cannot be used;
125 SafeRun failed; 130 interrupted; 141 nobody reads the output. `run` has more, and each command
says what is special to it."
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

/// Reads one of some words, in whatever case, so that a shell can complete them.
pub(crate) fn one_of<T, E>(
    words: &'static [&'static str],
    read: fn(&str) -> Result<T, E>,
) -> impl TypedValueParser<Value = T>
where
    T: Clone + Send + Sync + 'static,
    E: Into<Box<dyn std::error::Error + Send + Sync + 'static>> + 'static,
{
    PossibleValuesParser::new(words).try_map(move |word| read(&word))
}

/// The levels of risk, as they are typed.
pub(crate) const LEVELS: &[&str] = &["LOW", "MEDIUM", "HIGH", "BLOCKED"];

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
