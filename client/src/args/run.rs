//! Options of `run`.

use std::path::PathBuf;

use clap::{ArgGroup, Args};

use crate::units;

// Options of `run`.
#[derive(Debug, Clone, Args)]
#[command(group = ArgGroup::new("what").args(["file", "code"]).required(true))]
#[command(group = ArgGroup::new("form").args(["json", "stream", "raw", "detach"]))]
pub(crate) struct RunArgs {
    /// The script, or - to read it from standard input
    #[arg(value_name = "FILE|-")]
    pub(crate) file: Option<PathBuf>,
    /// The script's text
    #[arg(short = 'c', value_name = "CODE", allow_hyphen_values = true)]
    pub(crate) code: Option<String>,
    /// Arguments for the script
    #[arg(last = true, value_name = "ARGS")]
    pub(crate) args: Vec<String>,

    /// Print one JSON object with the whole account of the run
    #[arg(long, help_heading = "Output")]
    pub(crate) json: bool,
    /// Print each event as a line of JSON, as it happens
    #[arg(long, help_heading = "Output")]
    pub(crate) stream: bool,
    /// Pass control sequences to the terminal as the program wrote them
    #[arg(long, help_heading = "Output")]
    pub(crate) raw: bool,
    /// Print the run's id and leave the run to the daemon
    #[arg(long, help_heading = "Output")]
    pub(crate) detach: bool,
    /// Say where the time went, on standard error
    #[arg(long, help_heading = "Output")]
    pub(crate) timing: bool,
    /// Say nothing after the run; errors of SafeRun itself and refusals are still shown
    #[arg(short, long, help_heading = "Output")]
    pub(crate) quiet: bool,

    /// Policy that decides and sets the limits: a preset, or a file
    #[arg(long, value_name = "NAME|FILE", help_heading = "Policy")]
    pub(crate) policy: Option<String>,
    /// Set a key of the policy for this run, as limits.time=5s; may be repeated
    #[arg(long, value_name = "KEY=VALUE", value_parser = variable, help_heading = "Policy")]
    pub(crate) set: Vec<(String, String)>,
    /// Why a run that the policy stops should go ahead; kept with the run
    #[arg(long = "override", value_name = "REASON", help_heading = "Policy")]
    pub(crate) override_reason: Option<String>,
    /// Isolation: runc, or runsc for gVisor; never weaker than the policy says
    #[arg(long, value_name = "RUNTIME", help_heading = "Policy", value_parser = ["runc", "runsc"], hide_possible_values = true)]
    pub(crate) runtime: Option<String>,

    /// Image variant, as python-data [default: the cheapest that has the script's imports]
    #[arg(long, value_name = "NAME", help_heading = "Policy")]
    pub(crate) image: Option<String>,

    /// Time limit, as 500ms, 5s or 2m; a bare number is seconds
    #[arg(long, value_name = "DURATION", value_parser = units::duration_ms, help_heading = "Limits")]
    pub(crate) timeout: Option<u64>,
    /// Memory limit, as 256MiB
    #[arg(long, value_name = "SIZE", value_parser = units::size_bytes, help_heading = "Limits")]
    pub(crate) memory: Option<u64>,
    /// Processors, as 0.5 or 2
    #[arg(long, value_name = "N", value_parser = units::cpu_millis, help_heading = "Limits")]
    pub(crate) cpus: Option<u64>,
    /// Most processes and threads at once
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), help_heading = "Limits")]
    pub(crate) pids: Option<u32>,
    /// Most open files of each process
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), help_heading = "Limits")]
    pub(crate) open_files: Option<u32>,
    /// Size of each writable folder, as 128MiB; what is in them counts as memory
    #[arg(long, value_name = "SIZE", value_parser = units::size_bytes, help_heading = "Limits")]
    pub(crate) tmpfs: Option<u64>,
    /// Output kept of each stream, as 10MiB; of more, the beginning and the end are kept
    #[arg(long, value_name = "SIZE", value_parser = units::size_bytes, help_heading = "Limits")]
    pub(crate) max_output: Option<u64>,

    /// Standard input of the script, instead of saferunctl's own
    #[arg(long, value_name = "FILE", help_heading = "Script")]
    pub(crate) stdin: Option<PathBuf>,
    /// Set a variable in the script's environment, or pass on one of your own, whose value is then taken for a secret
    /// and never recorded; may be repeated
    #[arg(long, value_name = "NAME[=VALUE]", value_parser = own_variable, help_heading = "Script")]
    pub(crate) env: Vec<(String, Option<String>)>,
    /// Name that the script has in tracebacks [default: that of FILE]
    #[arg(long, value_name = "NAME", value_parser = script_name, help_heading = "Script")]
    pub(crate) name: Option<String>,

    /// Send this folder along: not what git ignores, and no secrets such as .env and keys
    #[arg(
        long,
        value_name = "DIR",
        conflicts_with = "name",
        help_heading = "Files"
    )]
    pub(crate) workspace: Option<PathBuf>,
    /// Send what would be left out after all, as .env; a pattern as in .gitignore; may be repeated
    #[arg(
        long,
        value_name = "PATTERN",
        requires = "workspace",
        help_heading = "Files"
    )]
    pub(crate) include: Vec<String>,
    /// Send a file, to DEST below /workspace [default: its name]; may be repeated
    #[arg(long = "file", value_name = "PATH[:DEST]", help_heading = "Files")]
    pub(crate) files: Vec<String>,
    /// Save the files that the script leaves in /out, and open figures of matplotlib as PNG
    #[arg(
        long,
        value_name = "DIR",
        conflicts_with = "detach",
        help_heading = "Files"
    )]
    pub(crate) out: Option<PathBuf>,
    /// Let --out replace files that are there
    #[arg(long, requires = "out", help_heading = "Files")]
    pub(crate) force: bool,
    /// Print what the script would have changed, as a unified diff, after its output
    #[arg(long, conflicts_with = "detach", help_heading = "Files")]
    pub(crate) diff: bool,
    /// Put what the script changed into the folder of --workspace: all of it, or what a pattern as in .gitignore names;
    /// may be repeated
    #[arg(
        long,
        value_name = "PATTERN",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "*",
        requires = "workspace",
        conflicts_with = "detach",
        help_heading = "Files"
    )]
    pub(crate) apply: Vec<String>,
    /// Put one hunk of a file there, counted from 1 as --diff shows them; may be repeated
    #[arg(long = "apply-hunk", value_name = "PATH:N", value_parser = hunk, requires = "workspace", conflicts_with = "detach", help_heading = "Files")]
    pub(crate) apply_hunks: Vec<(String, usize)>,
    /// Ask for each change whether to put it there, hunk by hunk
    #[arg(short, long, requires = "workspace", conflicts_with_all = ["apply", "apply_hunks", "form"], help_heading = "Files")]
    pub(crate) patch: bool,
    /// Apply even if the script failed, or not all that it changed is known
    #[arg(long, requires = "workspace", help_heading = "Files")]
    pub(crate) apply_anyway: bool,
    /// Write the tightest policy under which this run would pass again to a new file
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with = "detach",
        help_heading = "Policy"
    )]
    pub(crate) suggest_policy: Option<PathBuf>,
    /// Tell what the script did and tried: processes, files changed, secrets, addresses; costs some time
    #[arg(long, conflicts_with = "detach", help_heading = "Files")]
    pub(crate) trace: bool,
}

/// `NAME=VALUE`, or a name.
fn own_variable(text: &str) -> Result<(String, Option<String>), String> {
    match text.split_once('=') {
        Some(("", _)) => Err("write NAME or NAME=VALUE".to_owned()),
        Some((name, value)) => Ok((name.to_owned(), Some(value.to_owned()))),
        None if text.is_empty() => Err("write NAME or NAME=VALUE".to_owned()),
        None => Ok((text.to_owned(), None)),
    }
}

/// `PATH:N`.
fn hunk(text: &str) -> Result<(String, usize), String> {
    let parts = text.rsplit_once(':');
    let hunk = parts.and_then(|(path, number)| Some((path.to_owned(), number.parse().ok()?)));
    hunk.filter(|(path, number)| !path.is_empty() && *number > 0)
        .ok_or_else(|| "write PATH:N, with N from 1".to_owned())
}

/// `KEY=VALUE`.
fn variable(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("write KEY=VALUE".to_owned()),
    }
}

/// A base name.
fn script_name(text: &str) -> Result<String, String> {
    if text.is_empty() || text == "." || text == ".." || text.contains('/') {
        return Err("give a plain file name, without a folder".to_owned());
    }
    Ok(text.to_owned())
}
