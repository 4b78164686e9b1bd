//! Options of `daemon`.

use std::ffi::OsString;

use clap::Subcommand;

/// What to do with the daemon.
#[derive(Debug, Subcommand)]
pub(crate) enum DaemonCommand {
    /// Start the daemon, if none listens
    Start,
    /// Stop the daemon: runs under way are ended, containers removed
    Stop,
    /// Stop the daemon, then start it
    Restart,
    /// Say whether the daemon runs; exit code 3 if it does not
    Status,
    /// Show the log of a daemon that saferunctl started
    #[command(after_help = "Examples:\n  saferunctl daemon logs -n 100 -f")]
    Logs {
        /// Last lines to show
        #[arg(short = 'n', value_name = "LINES", default_value_t = 20)]
        lines: usize,
        /// Go on showing what is added
        #[arg(short, long)]
        follow: bool,
    },
    /// Used by saferunctl itself: leave the session and become the daemon
    #[command(hide = true)]
    Become {
        /// The daemon's program
        program: OsString,
    },
}
