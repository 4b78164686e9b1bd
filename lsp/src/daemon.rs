//! Reaching the daemon. Where none listens, `saferunctl daemon start` starts it: that command knows how, and is the
//! only one that does.

use std::{path::PathBuf, process::Stdio, time::Duration};

use jsonrpsee::core::ClientError;
use saferun_protocol::{Advice, Client, Code, ConnectError, connect, socket_path};
use tokio::process::Command;

use crate::text::plain;

/// How long the start may take.
const START_WITHIN: Duration = Duration::from_secs(40);
/// How long a question of a view may take.
pub(crate) const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// A connection of its own; the daemon is started if nobody listens and `may_start` says so.
pub(crate) async fn reach(may_start: bool) -> Result<Client, String> {
    let path = socket_path().map_err(|error| error.to_string())?;
    match connect(&path).await {
        Ok(client) => return Ok(client),
        Err(error) if !nobody_listens(&error) => return Err(error.to_string()),
        Err(_) if !may_start => {
            return Err("no SafeRun daemon listens. Start it: saferunctl daemon start".to_owned());
        }
        Err(_) => {}
    }
    start().await?;
    connect(&path).await.map_err(|error| error.to_string())
}

/// A connection, if a daemon listens.
pub(crate) async fn reach_running() -> Option<Client> {
    connect(&socket_path().ok()?).await.ok()
}

/// Whether the daemon answered that it stops.
pub(crate) fn drains(error: &ClientError) -> bool {
    matches!(error, ClientError::Call(error) if error.code() == Code::ShuttingDown.number())
}

fn nobody_listens(error: &ConnectError) -> bool {
    use std::io::ErrorKind::{ConnectionRefused, NotFound};
    matches!(error, ConnectError::Io { source, .. } if matches!(source.kind(), NotFound | ConnectionRefused))
}

async fn start() -> Result<(), String> {
    let program = find_client()?;
    let starting = Command::new(&program)
        .args(["daemon", "start"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .current_dir("/")
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(START_WITHIN, starting)
        .await
        .map_err(|_| "the daemon did not start within 40 s: see saferunctl doctor".to_owned())?
        .map_err(|error| format!("cannot run {}: {error}", program.display()))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("the daemon did not start: {}", plain(said.trim())))
}

/// `saferunctl`: beside this program, else on `PATH`, in absolute folders only.
fn find_client() -> Result<PathBuf, String> {
    let beside = std::env::current_exe()
        .ok()
        .and_then(|exe| Some(exe.parent()?.join("saferunctl")));
    let on_path = std::env::var_os("PATH").into_iter().flat_map(|path| {
        std::env::split_paths(&path)
            .filter(|folder| folder.is_absolute())
            .map(|folder| folder.join("saferunctl"))
            .collect::<Vec<_>>()
    });
    beside
        .into_iter()
        .chain(on_path)
        .find(|path| path.is_file())
        .ok_or_else(|| {
            "no SafeRun daemon listens, and saferunctl, which starts it, is neither beside saferun-lsp nor on PATH"
                .to_owned()
        })
}

/// A failed call, for a person.
pub(crate) fn explain(error: &ClientError) -> String {
    let ClientError::Call(object) = error else {
        return format!("the connection to the daemon broke: {error}");
    };
    let advice = object
        .data()
        .and_then(|data| serde_json::from_str::<Advice>(data.get()).ok())
        .map(|data| data.advice)
        .unwrap_or_default();
    if advice.is_empty() {
        object.message().to_owned()
    } else {
        format!("{}. {advice}", object.message())
    }
}
