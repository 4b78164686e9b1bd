//! Options of `policy`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// What to do with policies.
#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum PolicyCommand {
    /// Show the policy that holds here, or what a preset or a policy file comes to
    #[command(after_help = "\
Examples:
  saferunctl policy show --origin                    each value, and the line that set it
  saferunctl policy show strict
  saferunctl policy show --file my-policy.yaml --origin
  saferunctl policy show default --source            the preset as it is written")]
    Show(PolicyShowArgs),
    /// Check policy files; each mistake with its line, and what to write instead
    #[command(after_help = "\
Examples:
  saferunctl policy check                            the files that hold here
  saferunctl policy check my-policy.yaml

Exit codes: 0 sound, 1 an error, 2 a file cannot be read.")]
    Check {
        /// Policy files [default: those of the system, the user, and the project of this folder]
        #[arg(value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Print the JSON Schema of policy files, for editors
    #[command(after_help = "Examples:\n  saferunctl policy schema > saferun-policy.schema.json")]
    Schema,
    /// Say what a policy decides on a script, which clause decided, and what would change it
    #[command(after_help = "\
Examples:
  saferunctl policy explain script.py
  saferunctl policy explain script.py --policy strict --gvisor

Exit codes: 0 it would run, 126 it would not, 2 a file cannot be read.")]
    Explain(PolicyExplainArgs),
    /// Run the tests that stand in policy files
    #[command(after_help = "\
Examples:
  saferunctl policy test                             the tests of the files that hold here
  saferunctl policy test my-policy.yaml

Exit codes: 0 all passed, 1 one failed, 2 a file cannot be read or has no tests.")]
    Test {
        /// Policy files [default: those of the system, the user, and the project of this folder]
        #[arg(value_name = "FILE")]
        files: Vec<PathBuf>,
        /// Print JSON, one object for each file
        #[arg(long)]
        json: bool,
    },
}

// Options of `policy explain`.
#[derive(Debug, Args)]
pub(crate) struct PolicyExplainArgs {
    /// The script
    #[arg(value_name = "SCRIPT")]
    pub(crate) script: PathBuf,
    /// Policy: a preset, or a file, as for run
    #[arg(long, value_name = "NAME|FILE")]
    pub(crate) policy: Option<String>,
    /// As if this reason for an override were given
    #[arg(long = "override", value_name = "REASON")]
    pub(crate) override_reason: Option<String>,
    /// As if the machine had gVisor
    #[arg(long)]
    pub(crate) gvisor: bool,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

// Options of `policy show`.
#[derive(Debug, Args)]
pub(crate) struct PolicyShowArgs {
    /// Preset by itself, without any other layer
    #[arg(value_name = "PRESET", conflicts_with = "file")]
    pub(crate) preset: Option<String>,
    /// Policy file by itself, over its preset
    #[arg(long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// Say where each value comes from
    #[arg(long, conflicts_with = "json")]
    pub(crate) origin: bool,
    /// Print the preset's own text
    #[arg(long, conflicts_with_all = ["file", "json", "origin"])]
    pub(crate) source: bool,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}
