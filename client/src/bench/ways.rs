//! The ways to run a program that `bench` sets side by side.

use std::{
    path::PathBuf,
    process::Stdio,
    time::{Duration, Instant},
};

use saferun_protocol::{ApiClient, Client, ClientKind, Outcome, RunRequest, Status};
use tokio::process::Command;

use crate::failure::Failure;

/// Name of Python without a sandbox.
pub(super) const BARE: &str = "python3";
/// No program of ours takes a second; a machine under load may.
const LONGEST: Duration = Duration::from_secs(60);

/// One way to run a program.
pub(super) enum Way {
    /// Python of this machine, without a sandbox.
    Bare(PathBuf),
    /// This command line, as a process of its own.
    CommandLine(PathBuf),
    /// A request on a connection that is open, as an editor has one.
    Open { runtime: &'static str },
}

/// The ways that there are on this machine.
pub(super) fn of(status: &Status) -> Result<Vec<Way>, Failure> {
    let cli = std::env::current_exe().map_err(|error| {
        Failure::failed(
            format!("cannot find saferunctl itself: {error}"),
            "start it by its full path",
        )
    })?;
    let mut ways = Vec::new();
    ways.extend(python().map(Way::Bare));
    ways.push(Way::CommandLine(cli));
    ways.push(Way::Open { runtime: "runc" });
    if status.engine.runtimes.iter().any(|name| name == "runsc") {
        ways.push(Way::Open { runtime: "runsc" });
    }
    Ok(ways)
}

fn python() -> Option<PathBuf> {
    let folders = std::env::var_os("PATH")?;
    std::env::split_paths(&folders)
        .map(|folder| folder.join("python3"))
        .find(|path| path.is_file())
}

impl Way {
    /// What a person calls it.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Bare(_) => BARE,
            Self::CommandLine(_) => "saferunctl run",
            Self::Open { runtime: "runsc" } => "open connection, gVisor",
            Self::Open { .. } => "open connection",
        }
    }

    /// Runs the program once and says how long that took, from the start to the end as the caller sees it.
    pub(super) async fn measure(&self, client: &Client, code: &str) -> Result<Duration, Failure> {
        let began = Instant::now();
        match self {
            Self::Bare(python) => finish(Command::new(python).args(["-c", code])).await?,
            Self::CommandLine(cli) => {
                finish(Command::new(cli).args(["run", "-q", "--policy", "default", "-c", code]))
                    .await?;
            }
            Self::Open { runtime } => {
                let mut request = RunRequest::new(code);
                request.policy = Some("default".to_owned());
                request.runtime = Some((*runtime).to_owned());
                request.client = ClientKind::Terminal;
                let result = client.run(request).await?;
                if (result.status, result.exit_code) != (Outcome::Completed, Some(0)) {
                    return Err(failed(self.name(), &result.message));
                }
            }
        }
        Ok(began.elapsed())
    }
}

async fn finish(command: &mut Command) -> Result<(), Failure> {
    let name = command
        .as_std()
        .get_program()
        .to_string_lossy()
        .into_owned();
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    match tokio::time::timeout(LONGEST, command.status()).await {
        Ok(Ok(status)) if status.success() => Ok(()),
        Ok(Ok(status)) => Err(failed(&name, &status.to_string())),
        Ok(Err(error)) => Err(failed(&name, &error.to_string())),
        Err(_) => Err(failed(
            &name,
            &format!("did not end within {} s", LONGEST.as_secs()),
        )),
    }
}

fn failed(what: &str, why: &str) -> Failure {
    Failure::failed(
        format!(
            "{}: {}",
            crate::ui::one_line(what),
            crate::ui::one_line(why)
        ),
        "try it alone: saferunctl run -c 'print(1)'",
    )
}
