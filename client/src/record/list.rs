//! `history`: a page of recorded runs.

use saferun_protocol::{ApiClient, HistoryItem, HistoryPage, HistoryQuery, Outcome, Risk};

use super::{anchors, integrity, times::shown, words::name};
use crate::{
    args::{Global, HistoryArgs, HistoryCommand},
    daemon,
    failure::Failure,
    ui::{self, Paint, json, one_line},
    units::show_ms,
};

/// Shortest beginning of an id that is shown: the milliseconds of a version 7 UUID.
const SHORT: usize = 13;

/// Lists recorded runs, or checks or seals the record.
pub(crate) async fn history(args: &HistoryArgs, global: &Global) -> Result<u8, Failure> {
    match &args.command {
        Some(HistoryCommand::Verify(args)) => return integrity::verify(args, global).await,
        Some(HistoryCommand::Head { json }) => return anchors::head(*json, global).await,
        Some(HistoryCommand::Seal { json }) => return integrity::seal(*json, global).await,
        None => {}
    }
    let client = daemon::reach(global.may_start()).await?;
    let page = client.history(query(args)).await?;
    if args.json {
        ui::line(json(&page));
        return Ok(0);
    }
    if page.runs.is_empty() {
        ui::note("no run of yours is recorded that fits");
        return Ok(0);
    }
    ui::out(text(&page, Paint::stdout()));
    if let Some(next) = page.next {
        ui::note(format!("older ones: the same with --before {next}"));
    }
    Ok(0)
}

fn query(args: &HistoryArgs) -> HistoryQuery {
    let mut query = HistoryQuery::default();
    query.limit = args.limit.unwrap_or_default();
    query.before = args.before;
    query.risk = args.risk;
    query.outcome = args.outcome;
    query.since_ms = args.since;
    query.until_ms = args.until;
    query.file.clone_from(&args.file);
    query.text.clone_from(&args.text);
    query
}

fn text(page: &HistoryPage, paint: Paint) -> String {
    let length = distinct(&page.runs);
    let mut rows = vec![
        ["ID", "WHEN", "RISK", "OUTCOME", "TOOK", "CLIENT", "SCRIPT"]
            .map(str::to_owned)
            .to_vec(),
    ];
    rows.extend(page.runs.iter().map(|run| {
        vec![
            run.id.chars().take(length).collect(),
            shown(run.at_ms),
            run.risk.to_string(),
            ended(run),
            run.outcome.map_or(String::new(), |_| show_ms(run.wall_ms)),
            name(run.client),
            one_line(&run.file_name),
        ]
    }));
    let table = ui::table(&rows);
    let mut lines = table.lines();
    let mut out = lines.next().map(|line| paint.dim(line)).unwrap_or_default();
    for (line, run) in lines.zip(&page.runs) {
        out.push('\n');
        out.push_str(&tinted(run, line, paint));
    }
    out.push('\n');
    out
}

fn ended(run: &HistoryItem) -> String {
    let end = match (run.outcome, run.exit_code) {
        (None, _) => "under way".to_owned(),
        (Some(Outcome::Completed), Some(code)) => format!("exit {code}"),
        (Some(outcome), _) => name(outcome),
    };
    if run.overridden {
        format!("{end}, overridden")
    } else {
        end
    }
}

fn tinted(run: &HistoryItem, line: &str, paint: Paint) -> String {
    match (run.outcome, run.exit_code) {
        (None | Some(Outcome::Completed), None | Some(0)) if run.risk < Risk::High => {
            line.to_owned()
        }
        (None | Some(Outcome::Completed | Outcome::Cancelled), _) => paint.warn(line),
        _ => paint.bad(line),
    }
}

/// How many characters tell the ids of this page apart.
fn distinct(runs: &[HistoryItem]) -> usize {
    let longest = runs.iter().map(|run| run.id.len()).max().unwrap_or(SHORT);
    let mut length = SHORT;
    while length < longest {
        let mut starts: Vec<&str> = runs
            .iter()
            .filter_map(|run| run.id.get(..length.min(run.id.len())))
            .collect();
        let all = starts.len();
        starts.sort_unstable();
        starts.dedup();
        if starts.len() == all {
            break;
        }
        length += 1;
    }
    length
}

#[cfg(test)]
mod tests {
    use saferun_protocol::ClientKind;

    use super::*;

    fn run(id: &str, outcome: Option<Outcome>) -> HistoryItem {
        HistoryItem {
            id: id.to_owned(),
            at_ms: 0,
            file_name: "a\u{202e}.py".to_owned(),
            client: ClientKind::Terminal,
            risk: Risk::Medium,
            outcome,
            exit_code: (outcome == Some(Outcome::Completed)).then_some(3),
            wall_ms: 12.0,
            overridden: outcome == Some(Outcome::Timeout),
        }
    }

    #[test]
    fn ids_are_as_long_as_it_takes_and_names_are_harmless() {
        let mut page = HistoryPage::default();
        page.runs = vec![
            run("0193a5c4-7b2f-7aaa-8000-000000000001", None),
            run(
                "0193a5c4-7b2f-7bbb-8000-000000000002",
                Some(Outcome::Timeout),
            ),
            run(
                "0193a5c4-0000-7bbb-8000-000000000003",
                Some(Outcome::Completed),
            ),
        ];
        let text = text(&page, Paint::plain());
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[1].starts_with("0193a5c4-7b2f-7a  "), "{text}");
        assert!(lines[1].contains("  under way"), "{text}");
        assert!(
            lines[2].contains("  timeout, overridden  12 ms  terminal  a\\u{202e}.py"),
            "{text}"
        );
        assert!(lines[3].contains("  MEDIUM  exit 3"), "{text}");
    }
}
