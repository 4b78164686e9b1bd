//! From what a person types to one recorded run.

use saferun_protocol::{ApiClient, Client, HistoryQuery};

use super::times::shown;
use crate::{failure::Failure, ui::one_line};

/// Id of the run that `wanted` means: a whole id, the start of exactly one, or `last`.
pub(super) async fn find(client: &Client, wanted: &str) -> Result<String, Failure> {
    let mut query = HistoryQuery::default();
    query.limit = 6;
    if wanted == "last" {
        query.limit = 1;
    } else if wanted.is_empty() {
        return Err(Failure::usage(
            "the id is empty",
            "give the start of one, or `last`",
        ));
    } else {
        query.id = Some(wanted.to_lowercase());
    }
    let runs = client.history(query).await?.runs;
    match &runs[..] {
        [run] => Ok(run.id.clone()),
        [] if wanted == "last" => Err(Failure::usage(
            "no run of yours is recorded",
            "saferunctl run makes one",
        )),
        [] => Err(Failure::usage(
            format!("no run of yours has the id {}", one_line(wanted)),
            "saferunctl history lists those that are recorded",
        )),
        many => {
            let some: Vec<String> = many
                .iter()
                .take(5)
                .map(|run| {
                    format!(
                        "{} {} {}",
                        run.id,
                        shown(run.at_ms),
                        one_line(&run.file_name)
                    )
                })
                .collect();
            let more = if many.len() > 5 { "\n  and more" } else { "" };
            Err(Failure::usage(
                format!("several runs have ids that start with {}", one_line(wanted)),
                format!("write more of one of them:\n  {}{more}", some.join("\n  ")),
            ))
        }
    }
}
