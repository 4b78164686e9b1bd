//! The list of commands.

use clap::Subcommand;

use super::{
    ApplyArgs, BenchArgs, DaemonCommand, ExportArgs, HistoryArgs, HookArgs, ImageCommand, LogsArgs,
    PolicyCommand, RerunArgs, RunArgs, ScanArgs, ShowArgs, WatchArgs,
};

// The options of a command are put together when it is chosen (`defer`): those of all commands took most of the
// instructions between `main` and a request. What they are made of has no doc comment, which clap would then take for
// the command's own description.
/// What to do.
#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum Command {
    /// Run a script in the sandbox
    #[command(after_help = "\
Examples:
  saferunctl run script.py -- --input data.csv
  saferunctl run -c 'import sys; print(sys.version)'
  generate | saferunctl run -                       the script comes from a pipe
  saferunctl run game.py                            input comes from the terminal
  saferunctl run stats.py --stdin data.csv --timeout 10s --memory 512MiB
  saferunctl run script.py --json | jq .status

Exit codes: the script's own; 124 time limit; 125 SafeRun failed, or files for --out are missing;
126 refused by policy; 128+N ended by signal N (137 also memory limit); 130 cancelled;
122 disk full or too many tasks; 2 the command line or the script's file cannot be used.")]
    Run(Box<RunArgs>),
    /// List what `run --apply` did to folders; complete or undo it
    #[command(after_help = "\
Examples:
  saferunctl run --workspace . tools/rename.py --apply
  saferunctl apply                       what was applied, and what was interrupted
  saferunctl apply --undo                put the last one back
  saferunctl apply --recover             complete what a crash interrupted

Exit codes: 0 done; 1 a file was changed by something else meanwhile, and nothing was done.")]
    Apply(ApplyArgs),
    /// Say what code means to do, without running it
    #[command(after_help = "\
Examples:
  saferunctl scan .                                  everything here that git does not ignore
  saferunctl scan script.py --fail-on MEDIUM
  saferunctl scan . --format sarif > saferun.sarif
  saferunctl scan --since origin/main                what this branch changed
  saferunctl scan --staged                           what the next commit would hold
  pbpaste | saferunctl scan - --stdin-filename answer.md

Exit codes: 0 nothing at --fail-on or above; 1 something; 2 unreadable, or nothing was scanned.")]
    Scan(ScanArgs),
    /// Watch folders: show what code means to do as it lands there
    #[command(after_help = "\
Examples:
  saferunctl watch .                     a table on a terminal, a line for each finding elsewhere
  saferunctl watch src tests --least HIGH --generated
  saferunctl watch . --json              one JSON object a line
  saferunctl watch list
  saferunctl watch release script.py     end the quarantine of a file

Ctrl-C ends it. Exit codes: 130 ended by Ctrl-C; 2 a folder cannot be watched; 125 the daemon went away.")]
    Watch(WatchArgs),
    /// Check whether code can be parsed, and nothing more
    #[command(
        after_help = "Examples:\n  saferunctl check script.py\n\nExit codes: 0 it can; 1 it cannot; 2 a file cannot be read."
    )]
    Check {
        /// Files, or - for standard input
        #[arg(required = true, value_name = "FILE")]
        files: Vec<std::path::PathBuf>,
    },
    /// Explain a rule: what it looks for, why, what to write instead
    #[command(
        after_help = "Examples:\n  saferunctl explain SR201\n  saferunctl explain shell-command\n  saferunctl explain                     list all rules"
    )]
    Explain {
        /// Id or name of the rule; without it, all rules are listed
        rule: Option<String>,
    },
    /// Show the runs that wait or are under way
    #[command(after_help = "Examples:\n  saferunctl ps --json")]
    Ps {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// End a run
    #[command(
        after_help = "Examples:\n  saferunctl kill 0193a5c4   the start of an id is enough, if it is the only one"
    )]
    Kill {
        /// Id of the run, as `saferunctl ps` shows it
        id: String,
    },
    /// List recorded runs, newest first; check or seal the record
    #[command(after_help = "\
Examples:
  saferunctl history --risk HIGH --since 3d
  saferunctl history --outcome timeout --file report --json
  saferunctl history verify                         is the record what was written?
  saferunctl history seal > key                     seal what follows")]
    History(HistoryArgs),
    /// Show everything that is recorded of a run
    #[command(after_help = "\
Examples:
  saferunctl show last
  saferunctl show 0193a5c4   the start of an id is enough, if it is the only one")]
    Show(ShowArgs),
    /// Write a report of a run: JSON for programs, HTML for people
    #[command(after_help = "\
Examples:
  saferunctl export last --html --out report.html
  saferunctl export 0193a5c4 | jq .record.result.status
  saferunctl export --schema")]
    Export(ExportArgs),
    /// Run the same code again, with its input, policy and image, and say what differs
    #[command(after_help = "\
Examples:
  saferunctl rerun last
  saferunctl rerun 0193a5c4 --source script.py     where secrets in the recorded code are blanked out

Exit codes: 0 nothing differs; 1 something does; 2 something of the run is not in the record.")]
    Rerun(RerunArgs),
    /// Show the output of a run that goes on or has ended
    #[command(
        after_help = "Examples:\n  saferunctl logs -f last\n  saferunctl logs 0193a5c4 --from 1000000"
    )]
    Logs(LogsArgs),
    /// Show the daemon, the engine, the images and the warm containers
    #[command(after_help = "Examples:\n  saferunctl status --json")]
    Status {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show and check policies
    #[command(subcommand)]
    Policy(PolicyCommand),
    /// Check this machine, and say how to mend what is missing
    #[command(
        after_help = "Examples:\n  saferunctl doctor\n  saferunctl doctor --fix            say what would be done, ask, do it\n\nExit codes: 0 all that is required is there; 1 something is missing; 125 a step failed."
    )]
    Doctor {
        /// Print JSON
        #[arg(long, conflicts_with = "fix")]
        json: bool,
        /// Install and set up what is missing, after saying how
        #[arg(long)]
        fix: bool,
        /// Do not ask
        #[arg(long, requires = "fix")]
        yes: bool,
    },
    /// Try to break out of the sandbox, harmlessly, and show that it holds
    #[command(
        name = "self-check",
        after_help = "Examples:\n  saferunctl self-check --runtime runsc\n\nExit codes: 0 all probes passed; 1 one failed; 125 they could not be run."
    )]
    SelfCheck {
        /// Print JSON
        #[arg(long)]
        json: bool,
        /// Isolation to check: runc or runsc
        #[arg(long, value_name = "RUNTIME", value_parser = ["runc", "runsc"], hide_possible_values = true)]
        runtime: Option<String>,
    },
    /// Measure what a run costs on this machine, beside Python without a sandbox
    #[command(after_help = "\
Examples:
  saferunctl bench
  saferunctl bench --rounds 100 --json > figures.json

Only programs of its own are run. Exit codes: 0 measured; 125 a run failed.")]
    Bench(BenchArgs),
    /// Be the hook of a coding agent: scan what it writes, send its Python to the sandbox
    #[command(after_help = "\
Examples:
  saferunctl hook --config claude    print what to put into .claude/settings.json

The agent starts `saferunctl hook` with an event as JSON on standard input.
Exit codes: 0 answered, on standard output, or nothing to say; 2 the event cannot be understood: refused.")]
    Hook(HookArgs),
    /// Build and list sandbox images
    #[command(subcommand)]
    Image(ImageCommand),
    /// Start, stop and watch the daemon
    #[command(subcommand)]
    Daemon(DaemonCommand),
    /// Print completions for a shell
    #[command(
        after_help = "Examples:\n  saferunctl completions bash > ~/.local/share/bash-completion/completions/saferunctl"
    )]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page
    #[command(after_help = "Examples:\n  saferunctl man | man -l -")]
    Man,
}
