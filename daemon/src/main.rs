//! The `saferund` binary: reads settings, sets up logs, boots.

use std::process::ExitCode;

use clap::Parser;
use saferund::{Settings, boot};
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
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let filter = EnvFilter::try_from_env("SAFERUN_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let logs = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
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
