//! Options of `daemon`.

use std::{ffi::OsString, path::PathBuf};

use clap::{Args, Subcommand};

/// What to do with the daemon.
#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum DaemonCommand {
    /// Start the daemon, if none listens
    Start,
    /// Stop the daemon: runs under way are ended, containers removed
    Stop,
    /// Stop the daemon, then start it
    Restart,
    /// Say whether the daemon runs; exit code 3 if it does not
    Status,
    /// Show the log of the daemon: its file, or systemd's journal where a unit starts it
    #[command(after_help = "Examples:\n  saferunctl daemon logs -n 100 -f")]
    Logs {
        /// Last lines to show
        #[arg(short = 'n', value_name = "LINES", default_value_t = 20)]
        lines: usize,
        /// Go on showing what is added
        #[arg(short, long)]
        follow: bool,
    },
    /// Have systemd listen for the daemon and start it at the first command
    #[command(after_help = "\
Examples:
  saferunctl daemon install              for you: units in ~/.config/systemd/user
  sudo saferunctl daemon install --system
  saferunctl daemon install --system --into pkg/usr/lib/systemd/system

Each file and each systemctl command is said. Again, it changes nothing. Exit codes: 1 somebody else's unit is there.")]
    Install(UnitArgs),
    /// Undo install: stop the units and remove what it wrote
    #[command(
        after_help = "Examples:\n  saferunctl daemon uninstall\n  sudo saferunctl daemon uninstall --system"
    )]
    Uninstall(UnitArgs),
    /// Used by saferunctl itself: leave the session and become the daemon
    #[command(hide = true)]
    Become {
        /// The daemon's program
        program: OsString,
    },
}

// Options of `daemon install` and `daemon uninstall`.
#[derive(Debug, Args)]
pub(crate) struct UnitArgs {
    /// For the whole machine instead of you: root's daemon, which only root may ask
    #[arg(long)]
    pub(crate) system: bool,
    /// Folder of the units instead of systemd's own; nothing is started or stopped
    #[arg(long, value_name = "DIR")]
    pub(crate) into: Option<PathBuf>,
}
