//! Options of the commands that read the record: `history`, `show`, `export`, `rerun`, `logs`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use saferun_protocol::{Anchor, Outcome, Risk};

use super::{LEVELS, one_of};
use crate::{
    record::{anchor, moment, outcome, risk},
    units::duration_ms,
};

// Options of `history`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct HistoryArgs {
    #[command(subcommand)]
    pub(crate) command: Option<HistoryCommand>,
    /// Only runs of this risk level and above
    #[arg(long, value_name = "LEVEL", value_parser = one_of(LEVELS, risk), ignore_case = true, hide_possible_values = true)]
    pub(crate) risk: Option<Risk>,
    /// Only runs that ended so, as completed, timeout, oom or blocked
    #[arg(long, value_name = "OUTCOME", value_parser = outcome)]
    pub(crate) outcome: Option<Outcome>,
    /// Only runs since then: 30m, 2h, 3d, 2w ago, a date, or a date with a time
    #[arg(long, value_name = "TIME", value_parser = moment, allow_hyphen_values = true)]
    pub(crate) since: Option<i64>,
    /// Only runs before then
    #[arg(long, value_name = "TIME", value_parser = moment, allow_hyphen_values = true)]
    pub(crate) until: Option<i64>,
    /// Only scripts whose name contains this
    #[arg(long, value_name = "NAME")]
    pub(crate) file: Option<String>,
    /// Only runs whose name, arguments, findings, policy, reason or message contain this, in whatever case
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub(crate) text: Option<String>,
    /// Most runs to show, up to 1000 [default: what the policy says, 20]
    #[arg(short = 'n', long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) limit: Option<u32>,
    /// Go on where a page ended: the number that it told
    #[arg(long, value_name = "N")]
    pub(crate) before: Option<u64>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

// What to do with the record as a whole.
#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum HistoryCommand {
    /// Check that nothing in the record was changed, removed, added or re-ordered
    #[command(after_help = "\
Examples:
  saferunctl history verify
  saferunctl history verify --key FILE               against the seal, too
  saferunctl history verify --key - < FILE
  saferunctl history verify --at-file FILE           against lines that `history head` showed
  saferunctl history verify --database /media/usb/audit.sqlite --key FILE   a copy, without a daemon

A copy needs the files audit.sqlite, audit.sqlite-wal (if there is one) and audit.head, in one folder; take it while
the daemon is stopped.

Without the key of a seal the best verdict is `consistent`: who owns the file could have made it so.
Not so what stands before a link that was kept elsewhere: in the system journal, which is asked
where there is one, or in what you give with --at.
Exit codes: 0 consistent or untampered; 1 broken; 125 it cannot be read.")]
    Verify(VerifyArgs),
    /// Show where the record stands, as one line to be kept elsewhere
    #[command(after_help = "\
Examples:
  saferunctl history head >> /media/usb/saferun.heads
  saferunctl history verify --at-file /media/usb/saferun.heads

A line is the number of the last event and its link. Whoever changes the record later, or puts an
older one in its place, cannot change the line that you kept.")]
    Head {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Begin a seal over all runs to come, and show its verification key, this once
    #[command(after_help = "\
Examples:
  saferunctl history seal > /media/usb/saferun.key

Keep the key where the user of the daemon cannot write. A new seal ends the one before.")]
    Seal {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

// Options of `history verify`.
#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// File with the key that `history seal` showed, or - for standard input
    #[arg(long, value_name = "FILE|-")]
    pub(crate) key: Option<PathBuf>,
    /// The record must go through this link, as `history head` showed it; may be given several times
    #[arg(long, value_name = "EVENT:LINK", value_parser = anchor)]
    pub(crate) at: Vec<Anchor>,
    /// The same, a line for each
    #[arg(long, value_name = "FILE")]
    pub(crate) at_file: Option<PathBuf>,
    /// Check a copy of the record instead of the daemon's own
    #[arg(long, value_name = "FILE")]
    pub(crate) database: Option<PathBuf>,
    /// Longest time that the check of a copy may take
    #[arg(long, value_name = "TIME", value_parser = duration_ms, default_value = "10m", requires = "database")]
    pub(crate) within: u64,
    /// Do not ask the system journal
    #[arg(long)]
    pub(crate) no_journal: bool,
    /// Ask the system journal for links of the record at this path: where the copy came from
    #[arg(
        long,
        value_name = "PATH",
        requires = "database",
        conflicts_with = "no_journal"
    )]
    pub(crate) journal_of: Option<PathBuf>,
    /// Read the files of the system journal in this folder
    #[arg(long, value_name = "FOLDER", conflicts_with = "no_journal")]
    pub(crate) journal_directory: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

// Options of `show`.
#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// Id of the run, the start of one, or `last`
    pub(crate) id: String,
    /// Print the record as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

// Options of `logs`.
#[derive(Debug, Args)]
pub(crate) struct LogsArgs {
    /// Id of the run, the start of one, or `last`
    pub(crate) id: String,
    /// Go on until the run ends
    #[arg(short, long)]
    pub(crate) follow: bool,
    /// Skip so many bytes of the output, both streams counted together
    #[arg(long, value_name = "BYTES", default_value_t = 0)]
    pub(crate) from: u64,
    /// Pass control sequences to the terminal as the program wrote them
    #[arg(long)]
    pub(crate) raw: bool,
}

// Options of `export`.
#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// Id of the run, the start of one, or `last`
    #[arg(required_unless_present = "schema")]
    pub(crate) id: Option<String>,
    /// One HTML page for people, without scripts, to read and to print
    #[arg(long)]
    pub(crate) html: bool,
    /// Write to this file, readable by you alone, instead of standard output
    #[arg(short, long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Print the JSON Schema of the JSON report
    #[arg(long, conflicts_with_all = ["id", "html", "out"])]
    pub(crate) schema: bool,
}

// Options of `rerun`.
#[derive(Debug, Args)]
pub(crate) struct RerunArgs {
    /// Id of the run, the start of one, or `last`
    pub(crate) id: String,
    /// The code, where the record does not hold it exactly; its hash must be the recorded one
    #[arg(long, value_name = "FILE")]
    pub(crate) source: Option<PathBuf>,
    /// Standard input, where the record does not hold it
    #[arg(long, value_name = "FILE")]
    pub(crate) stdin: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}
