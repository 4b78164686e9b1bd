//! The ways to run a program that `bench` sets side by side.

use std::{
    path::{Path, PathBuf},
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
/// What Python gets to say where it is.
const ASKED: Duration = Duration::from_secs(10);

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
pub(super) async fn of(status: &Status) -> Result<Vec<Way>, Failure> {
    let cli = std::env::current_exe().map_err(|error| {
        Failure::failed(
            format!("cannot find saferunctl itself: {error}"),
            "start it by its full path",
        )
    })?;
    let mut ways = Vec::new();
    if let Some(found) = python() {
        ways.push(Way::Bare(itself(found).await));
    }
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

/// The interpreter behind a `python3` that is a script and starts it, as those of version managers are: it takes longer
/// than Python does, and would make us look fast.
async fn itself(found: PathBuf) -> PathBuf {
    let asked = Command::new(&found)
        .args(["-c", "import sys; print(sys.executable)"])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .output();
    let Ok(Ok(output)) = tokio::time::timeout(ASKED, asked).await else {
        return found;
    };
    let said = String::from_utf8_lossy(&output.stdout);
    let path = Path::new(said.trim_end_matches('\n'));
    if path.is_absolute() && path.is_file() {
        path.to_owned()
    } else {
        found
    }
}

impl Way {
    /// The interpreter, of Python without a sandbox.
    pub(super) fn python(&self) -> Option<&Path> {
        match self {
            Self::Bare(path) => Some(path),
            _ => None,
        }
    }

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

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt};

    use super::*;

    #[tokio::test]
    async fn a_script_that_starts_python_is_not_taken_for_python() {
        let folder = tempfile::tempdir().expect("a folder");
        let script = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::write(&path, format!("#!/bin/sh\n{text}\n")).expect("a script");
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("a mode");
            path
        };
        let real = script("real", "exit 0");
        let manager = script("python3", &format!("echo {}", real.display()));
        assert_eq!(itself(manager).await, real);
        for (name, text) in [
            ("silent", "exit 1"),
            ("lost", "echo /nonexistent/python3"),
            ("lies", "echo python3"),
        ] {
            let found = script(name, text);
            assert_eq!(itself(found.clone()).await, found, "{name}");
        }
    }
}
