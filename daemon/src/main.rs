//! The `saferund` binary: reads settings, sets up logs, boots.

use std::{
    io::{self, Read, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Parser;
use saferund::{Settings, boot, verify_copy};
use tracing_subscriber::EnvFilter;

const SETTINGS: &str = "Settings come from the environment: SAFERUN_SOCKET, SAFERUN_ENGINE (else DOCKER_HOST), \
SAFERUN_STATE_DIR, SAFERUN_POOL_SIZE, SAFERUN_MAX_CONTAINERS, SAFERUN_POLICY, SAFERUN_INIT, \
SAFERUN_CONFIG_DIR and SAFERUN_SYSTEM_CONFIG_DIR (folders of policy.yaml), SAFERUN_LOG (as `info` or \
`saferund=debug`). Each key of the policy is a setting, too: SAFERUN_LIMITS_TIME_MAX=1m.";

/// The SafeRun daemon. `saferunctl` starts it when it is needed; you rarely run it by hand.
#[derive(Debug, Parser)]
#[command(name = "saferund", version, after_help = SETTINGS)]
struct Arguments {
    /// Write logs as JSON lines.
    #[arg(long)]
    json_logs: bool,
    #[command(subcommand)]
    task: Option<Task>,
}

/// What else this program does than to serve.
#[derive(Debug, clap::Subcommand)]
enum Task {
    /// Verify a copy of the record; prints the report as JSON. `saferunctl history verify --database` calls it.
    #[command(hide = true)]
    Verify {
        /// The copy; its `*.head` stands beside it.
        file: PathBuf,
        /// Read the key of the seal from standard input.
        #[arg(long)]
        key_on_stdin: bool,
    },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Some(Task::Verify { file, key_on_stdin }) = &arguments.task {
        return verify(file, *key_on_stdin);
    }
    let filter = EnvFilter::try_from_env("SAFERUN_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let logs = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr);
    if arguments.json_logs {
        logs.json().init();
    } else {
        logs.with_ansi(false).init();
    }
    let settings = match Settings::from_env() {
        Ok(settings) => settings,
        Err(error) => {
            tracing::error!("{error}");
            return ExitCode::from(2);
        }
    };
    match boot(settings) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The report goes to standard output, whatever it says; what kept it from being made, to standard error.
fn verify(file: &Path, key_on_stdin: bool) -> ExitCode {
    let report = || -> Result<Vec<u8>, String> {
        let key = key_on_stdin.then(read_key).transpose()?;
        let report = verify_copy(file, key.as_deref()).map_err(|error| error.to_string())?;
        serde_json::to_vec(&report).map_err(|error| error.to_string())
    };
    let told = match report() {
        Ok(json) => io::stdout().write_all(&json).is_ok(),
        Err(message) => {
            let _ = writeln!(io::stderr(), "{message}");
            false
        }
    };
    if told {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn read_key() -> Result<String, String> {
    /// A key has 64 digits.
    const LONGEST: u64 = 4096;
    let mut text = String::new();
    let read = io::stdin().lock().take(LONGEST).read_to_string(&mut text);
    read.map_err(|error| format!("cannot read the key: {error}"))?;
    Ok(text.trim().to_owned())
}
