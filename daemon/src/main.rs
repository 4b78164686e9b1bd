//! The `saferund` binary: reads settings, sets up logs, boots.

use std::{
    io::{self, Read, Write},
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use clap::Parser;
use saferun_protocol::Anchor;
use saferund::{CopyCheck, Settings, boot, verify_copy};
use tracing_subscriber::EnvFilter;

const SETTINGS: &str = "Settings come from the environment: SAFERUN_SOCKET, SAFERUN_ENGINE (else DOCKER_HOST), \
SAFERUN_STATE_DIR, SAFERUN_POOL_SIZE, SAFERUN_MAX_CONTAINERS, SAFERUN_POLICY, SAFERUN_INIT, \
SAFERUN_CONFIG_DIR and SAFERUN_SYSTEM_CONFIG_DIR (folders of policy.yaml), SAFERUN_SYSTEM_JOURNAL (socket of the system \
journal, if it is not systemd's own), SAFERUN_LOG (as `info` or \
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
        /// Read from standard input, as JSON, what to hold it against: `key`, `anchors`, `within_ms`.
        #[arg(long)]
        against_on_stdin: bool,
    },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Some(Task::Verify {
        file,
        against_on_stdin,
    }) = &arguments.task
    {
        return verify(file, *against_on_stdin);
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

/// What a copy is to be held against, as `saferunctl` says it.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Against {
    key: Option<String>,
    anchors: Vec<Anchor>,
    within_ms: u64,
}

/// The report goes to standard output, whatever it says; what kept it from being made, to standard error, after lines that
/// tell how far it is: `progress EVENTS OF`.
fn verify(file: &Path, against_on_stdin: bool) -> ExitCode {
    let report = || -> Result<Vec<u8>, String> {
        let against = if against_on_stdin {
            read_against()?
        } else {
            CopyCheck::default()
        };
        let mut progress = |done: u64, all: u64| {
            // Whoever does not listen loses nothing.
            let _ = writeln!(io::stderr(), "progress {done} {all}");
        };
        let report =
            verify_copy(file, &against, &mut progress).map_err(|error| error.to_string())?;
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

fn read_against() -> Result<CopyCheck, String> {
    /// More than all anchors there may be, in bytes.
    const LONGEST: u64 = 4 << 20;
    let against: Against = serde_json::from_reader(io::stdin().lock().take(LONGEST))
        .map_err(|error| format!("cannot read what to hold it against: {error}"))?;
    Ok(CopyCheck {
        key: against.key,
        anchors: against.anchors,
        within: Duration::from_millis(against.within_ms),
    })
}
