//! `ps` and `kill`.

use saferun_protocol::{ApiClient, RunInfo};

use crate::{args::Global, daemon, exit, failure::Failure, ui, units::show_ms};

/// Shows the runs that wait or are under way.
pub(crate) async fn ps(json: bool, _global: &Global) -> Result<u8, Failure> {
    let runs = match daemon::reach_running().await? {
        Some(client) => client.ps().await?,
        // Without a daemon there are no runs: to start one would be a strange answer.
        None => Vec::new(),
    };
    if json {
        ui::line(serde_json::to_string(&runs).unwrap_or_default());
    } else if runs.is_empty() {
        ui::note("no runs are under way");
    } else {
        ui::out(text(&runs));
    }
    Ok(0)
}

/// Ends the run whose id starts with `id`.
pub(crate) async fn kill(id: &str, _global: &Global) -> Result<u8, Failure> {
    let advice = "saferunctl ps shows the runs there are";
    let Some(client) = daemon::reach_running().await? else {
        return Err(Failure {
            exit: exit::USAGE,
            ..Failure::failed("no daemon runs, so no run does", "saferunctl status")
        });
    };
    let runs = client.ps().await?;
    let matching: Vec<_> = runs
        .iter()
        .filter(|run| !id.is_empty() && run.id.starts_with(id))
        .collect();
    match matching[..] {
        [run] => {
            client.kill(run.id.clone()).await?;
            Ok(0)
        }
        [] => Err(Failure::usage(
            format!("no run has the id {}", ui::one_line(id)),
            advice,
        )),
        _ => Err(Failure::usage(
            format!(
                "{} runs have ids that start with {}",
                matching.len(),
                ui::one_line(id)
            ),
            advice,
        )),
    }
}

#[expect(clippy::cast_precision_loss, reason = "an age for a person")]
fn text(runs: &[RunInfo]) -> String {
    let mut rows = vec![
        ["ID", "STATE", "AGE", "CLIENT", "SCRIPT"]
            .map(str::to_owned)
            .to_vec(),
    ];
    rows.extend(runs.iter().map(|run| {
        vec![
            run.id.clone(),
            run.state.clone(),
            show_ms(run.age_ms as f64),
            format!("{:?}", run.client).to_lowercase(),
            ui::one_line(&run.file_name),
        ]
    }));
    ui::table(&rows)
}
