//! `watch list`.

use saferun_protocol::ApiClient;
use serde_json::json;

use crate::{
    daemon,
    failure::Failure,
    ui::{self, one_line},
};

/// Shows the folders that are watched.
pub(super) async fn list(as_json: bool) -> Result<u8, Failure> {
    let roots = match daemon::reach_running().await? {
        Some(client) => client.watch_list().await?,
        // Without a daemon nothing is watched: to start one would be a strange answer.
        None => Vec::new(),
    };
    if as_json {
        ui::line(ui::json(&json!({"roots": roots})));
        return Ok(0);
    }
    if roots.is_empty() {
        ui::note("no folder is watched");
    } else {
        let mut rows = vec![
            ["FOLDER", "STATE", "FILES", "FOUND", "WATCHERS"]
                .map(str::to_owned)
                .to_vec(),
        ];
        rows.extend(roots.iter().map(|root| {
            vec![
                one_line(&root.root.path),
                format!("{:?}", root.state).to_lowercase(),
                root.files.to_string(),
                root.with_findings.to_string(),
                root.subscribers.to_string(),
            ]
        }));
        ui::out(ui::table(&rows));
    }
    Ok(0)
}
