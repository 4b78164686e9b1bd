//! The daemon as the client sees it: found, started when nobody listens, stopped, its log read.

mod log;
mod paths;
mod start;
mod units;

use jsonrpsee::core::ClientError;
use saferun_protocol::{Client, Code, ConnectError, connect, socket_path};

pub(crate) use log::{follow, last_lines};
pub(crate) use paths::{find_daemon, log_file, state_dir};
pub(crate) use start::{become_daemon, start};
pub(crate) use units::{Manager, Standing, Unit, units};

use crate::failure::Failure;

/// A connection to the daemon, which is started if nobody listens and `may_start` says so.
pub(crate) async fn reach(may_start: bool) -> Result<Client, Failure> {
    let path = socket_path()?;
    match connect(&path).await {
        Ok(client) => Ok(client),
        Err(error) if !nobody_listens(&error) => Err(error.into()),
        Err(_) if may_start => start(&path, false).await,
        Err(_) => Err(Failure::failed(
            format!("no SafeRun daemon listens at {}", path.display()),
            "start it: saferunctl daemon start",
        )),
    }
}

/// A connection to the daemon, if one listens.
pub(crate) async fn reach_running() -> Result<Option<Client>, Failure> {
    match connect(&socket_path()?).await {
        Ok(client) => Ok(Some(client)),
        Err(error) if nobody_listens(&error) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Whether the daemon answered that it stops.
pub(crate) fn drains(error: &ClientError) -> bool {
    matches!(error, ClientError::Call(error) if error.code() == Code::ShuttingDown.number())
}

/// Whether the path is free, or what is left of a daemon that has ended.
pub(crate) fn nobody_listens(error: &ConnectError) -> bool {
    use std::io::ErrorKind::{ConnectionRefused, NotFound};
    matches!(error, ConnectError::Io { source, .. } if matches!(source.kind(), NotFound | ConnectionRefused))
}
