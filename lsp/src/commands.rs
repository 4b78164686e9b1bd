//! `workspace/executeCommand`: each command answers at once; what takes time is told of by notifications.

use std::{sync::Arc, time::Duration};

use saferun_protocol::ApiClient;
use serde_json::{Value, json};
use tower_lsp_server::{
    jsonrpc::{Error, ErrorCode, Result},
    ls_types::Uri,
};

use crate::{
    daemon,
    run::{self, Wish},
    server::{CLEAR, RUN, RUN_OVERRIDE},
    state::Shared,
};

/// Carries out a command.
pub(crate) async fn execute(
    shared: &Arc<Shared>,
    name: &str,
    arguments: Vec<Value>,
) -> Result<Value> {
    match name {
        RUN | RUN_OVERRIDE => {
            let mut wish: Wish = first(arguments)?;
            wish.with_override |= name == RUN_OVERRIDE;
            let token = run::start(shared, wish).map_err(refused)?;
            Ok(json!({"token": token}))
        }
        CLEAR => {
            let uri: Uri = match arguments.into_iter().next() {
                Some(Value::String(uri)) => {
                    uri.parse().map_err(|_| Error::invalid_params("no URI"))?
                }
                other => first::<Wish>(other.into_iter().collect())?.uri,
            };
            shared.with_open(&uri, |open| open.marks.clear());
            shared.found(&uri).await;
            shared.refresh();
            Ok(Value::Null)
        }
        "saferun.cancel" => {
            let token = arguments.first().and_then(Value::as_str);
            Ok(json!({"cancelled": shared.runs.cancel(token)}))
        }
        "saferun.status" => {
            let uri = arguments.first().and_then(Value::as_str);
            Ok(status(shared, uri).await)
        }
        "saferun.history" => Ok(Value::Array(run::history::list(shared).await)),
        "saferun.account" => {
            let id: String = first(arguments)?;
            let path = run::history::account(shared, id).await.map_err(refused)?;
            Ok(json!({"path": path}))
        }
        "saferun.startDaemon" => {
            daemon::reach(true).await.map_err(refused)?;
            shared.workspace.daemon_is_there();
            Ok(json!({"running": true}))
        }
        _ => Err(Error::invalid_params(format!(
            "there is no command {}",
            crate::text::one_line(name)
        ))),
    }
}

/// What a status bar shows: the daemon, and the risk of a file.
async fn status(shared: &Shared, uri: Option<&str>) -> Value {
    let asked = async {
        let client = daemon::reach_running().await?;
        client.status().await.ok()
    };
    let daemon = tokio::time::timeout(Duration::from_secs(3), asked)
        .await
        .ok()
        .flatten();
    let file = uri.and_then(|uri| uri.parse().ok()).and_then(|uri: Uri| {
        shared.with_open(&uri, |open| {
            open.found.as_ref().map(|found| {
                json!({
                    "risk": found.risk(),
                    "findings": found.report.findings.len(),
                    "suppressed": found.report.suppressed.len(),
                })
            })
        })
    });
    json!({"daemon": daemon, "file": file.flatten()})
}

fn first<T: serde::de::DeserializeOwned>(arguments: Vec<Value>) -> Result<T> {
    let argument = arguments.into_iter().next().unwrap_or(Value::Null);
    serde_json::from_value(argument)
        .map_err(|error| Error::invalid_params(format!("the argument cannot be used: {error}")))
}

fn refused(why: String) -> Error {
    Error {
        // LSP's RequestFailed: the request was fine, and could not be done.
        code: ErrorCode::ServerError(-32803),
        message: why.into(),
        data: None,
    }
}
