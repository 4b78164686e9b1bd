//! The history: the daemon's record of this user's runs, with what only this editor knows of its own ones.

use std::{path::PathBuf, sync::Arc};

use saferun_protocol::{ApiClient, HistoryItem, HistoryQuery};
use serde_json::{Value, json};

use super::drive::blocking;
use crate::{daemon, state::Shared};

/// Runs that a list shows at the most.
const SHOWN: u32 = 200;

/// The runs, newest first; those of this editor alone where no daemon listens.
pub(crate) async fn list(shared: &Shared) -> Vec<Value> {
    let own = shared.runs.history();
    let Some(recorded) = recorded().await else {
        return own;
    };
    let known = |id: &Value| own.iter().find(|run| run["id"] == *id);
    let mut all: Vec<Value> = recorded
        .iter()
        .map(|item| {
            let mut run = account_of(item);
            if let Some(Value::Object(more)) = known(&run["id"]).cloned()
                && let Value::Object(run) = &mut run
            {
                run.extend(more);
            }
            run
        })
        .collect();
    // What the record does not hold: it may be switched off, or a run may have been refused before it.
    let missing = own
        .iter()
        .filter(|run| !all.iter().any(|other| other["id"] == run["id"]));
    let missing: Vec<Value> = missing.cloned().collect();
    all.splice(0..0, missing);
    all
}

async fn recorded() -> Option<Vec<HistoryItem>> {
    let client = daemon::reach_running().await?;
    let mut query = HistoryQuery::default();
    query.limit = SHOWN;
    let page = tokio::time::timeout(daemon::ANSWER_WITHIN, client.history(query)).await;
    Some(page.ok()?.ok()?.runs)
}

fn account_of(item: &HistoryItem) -> Value {
    json!({
        "id": item.id,
        "uri": null,
        "name": item.file_name,
        "atMs": item.at_ms,
        "client": item.client,
        "status": item.outcome,
        "exitCode": item.exit_code,
        "risk": item.risk,
        "message": "",
        "wallMs": item.wall_ms,
        "report": null,
    })
}

/// The path of a readable account of a run: this editor's own, else made of the daemon's record.
pub(crate) async fn account(shared: &Arc<Shared>, id: String) -> Result<PathBuf, String> {
    let own = shared.runs.history();
    let report = own
        .iter()
        .find(|run| run["id"] == id.as_str())
        .and_then(|run| run["report"].as_str());
    if let Some(path) = report.map(PathBuf::from).filter(|path| path.is_file()) {
        return Ok(path);
    }
    let client = daemon::reach_running()
        .await
        .ok_or("no SafeRun daemon listens, and it keeps the record: saferunctl daemon start")?;
    let record = tokio::time::timeout(daemon::ANSWER_WITHIN, client.record(id))
        .await
        .map_err(|_| "the daemon did not answer in time")?
        .map_err(|error| daemon::explain(&error))?;
    let result = record.result.ok_or(
        "nothing is recorded of this run's end: it is under way, or the daemon was killed",
    )?;
    let shared = Arc::clone(shared);
    blocking(move || {
        shared
            .reports
            .write(&result, &result.stdout, &result.stderr)
    })
    .await?
    .map_err(|error| format!("the account cannot be written: {error}"))
}
