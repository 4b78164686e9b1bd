//! `bench`: what a run costs on this machine, beside Python without a sandbox. The short version of `make bench`.

mod stats;
mod ways;

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use saferun_protocol::{ApiClient, Client, Status};
use serde_json::json;

use crate::{
    args::{BenchArgs, Global},
    daemon,
    failure::Failure,
    ui,
};
use stats::quantile;

/// Rounds before those that count: they load caches, and bring a class of containers into being.
const WARM_UP: usize = 2;
/// How long the pools may take to be full again between two runs.
const REFILL: Duration = Duration::from_secs(60);

/// The programs, each with what a person calls it. Ours: they run without a sandbox, too.
const PROGRAMS: [(&str, &str); 2] = [
    ("print one line", "print('hello')"),
    ("count for a while", "sum(range(5_000_000))"),
];

/// One program in one way.
struct Row {
    way: &'static str,
    milliseconds: Vec<f64>,
    warm: usize,
}

/// Measures each program in each way, in turn, so that a machine whose speed drifts is fair to all.
pub(crate) async fn bench(args: &BenchArgs, global: &Global) -> Result<u8, Failure> {
    let client = daemon::reach(global.may_start()).await?;
    let status = client.status().await?;
    if !status.ready {
        return Err(Failure::failed(
            "no run would be accepted now",
            "see why: saferunctl status",
        ));
    }
    let ways = ways::of(&status).await?;
    let python = ways
        .iter()
        .find_map(ways::Way::python)
        .map(|path| path.display().to_string());
    let steps = PROGRAMS.len() * ways.len() * (args.rounds + WARM_UP);
    // Drawn on standard error, and only where that is a terminal.
    let bar = ProgressBar::new(steps as u64).with_style(
        ProgressStyle::with_template("{bar:32} {pos}/{len} {msg}")
            .unwrap_or_else(|_| ProgressStyle::default_bar()),
    );
    let mut results = Vec::new();
    for (name, code) in PROGRAMS {
        let mut rows: Vec<Row> = ways
            .iter()
            .map(|way| Row {
                way: way.name(),
                milliseconds: Vec::new(),
                warm: 0,
            })
            .collect();
        for round in 0..args.rounds + WARM_UP {
            for (way, row) in ways.iter().zip(&mut rows) {
                bar.set_message(format!("{name}: {}", way.name()));
                refilled(&client).await?;
                let before = hits(&client.status().await?);
                let took = way.measure(&client, code).await?;
                if round >= WARM_UP {
                    row.milliseconds.push(took.as_secs_f64() * 1000.0);
                    row.warm += usize::from(hits(&client.status().await?) > before);
                }
                bar.inc(1);
            }
        }
        results.push((name, rows));
    }
    bar.finish_and_clear();
    if args.json {
        ui::line(report(&results, args.rounds, python.as_deref()).to_string());
    } else {
        for (name, rows) in &results {
            ui::out(text(name, rows));
        }
        ui::line(format!(
            "Medians of {} rounds in turn on {} cores. A warm run found its container waiting.",
            args.rounds,
            std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
        ));
        if let Some(python) = python {
            ui::line(format!("python3 is {}.", ui::one_line(&python)));
        }
    }
    Ok(0)
}

fn hits(status: &Status) -> u64 {
    status.pools.iter().map(|pool| pool.hits).sum()
}

/// Waits until the pools are full and nothing is cleaned up, so that one run does not pay for another.
async fn refilled(client: &Client) -> Result<(), Failure> {
    let began = Instant::now();
    loop {
        let pools = client.status().await?.pools;
        let busy: u32 = pools
            .iter()
            .map(|pool| pool.starting + pool.removing + pool.leased)
            .sum();
        // A class of one container is kept only while there is room for it.
        let full = pools
            .iter()
            .all(|pool| pool.target < 2 || pool.warm >= pool.target);
        if full && busy == 0 {
            return Ok(());
        }
        if began.elapsed() > REFILL {
            return Err(Failure::failed(
                format!(
                    "the warm containers were not back within {} s",
                    REFILL.as_secs()
                ),
                "other runs may be under way: saferunctl ps; else see: saferunctl status",
            ));
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn text(name: &str, rows: &[Row]) -> String {
    let bare = rows
        .iter()
        .find(|row| row.way == ways::BARE)
        .map(|row| quantile(&row.milliseconds, 50));
    let mut cells = vec![
        [name, "p50 ms", "p95 ms", "of python3", "warm"]
            .map(str::to_owned)
            .to_vec(),
    ];
    for row in rows {
        let p50 = quantile(&row.milliseconds, 50);
        cells.push(vec![
            row.way.to_owned(),
            format!("{p50:.1}"),
            format!("{:.1}", quantile(&row.milliseconds, 95)),
            bare.map_or("-".to_owned(), |bare| format!("x {:.2}", p50 / bare)),
            if row.way == ways::BARE {
                "-".to_owned()
            } else {
                format!("{}/{}", row.warm, row.milliseconds.len())
            },
        ]);
    }
    format!("{}\n", ui::table(&cells))
}

fn report(results: &[(&str, Vec<Row>)], rounds: usize, python: Option<&str>) -> serde_json::Value {
    let programs: Vec<_> = results
        .iter()
        .map(|(name, rows)| {
            let ways: Vec<_> = rows
                .iter()
                .map(|row| json!({"way": row.way, "milliseconds": row.milliseconds, "warm": row.warm}))
                .collect();
            json!({"program": name, "ways": ways})
        })
        .collect();
    json!({"rounds": rounds, "python": python, "programs": programs})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_gives_ratios_to_python_and_dashes_without_it() {
        let row = |way, time: f64| Row {
            way,
            milliseconds: vec![time; 3],
            warm: 2,
        };
        let rows = vec![row(ways::BARE, 10.0), row("saferunctl run", 5.0)];
        assert_eq!(
            text("print", &rows),
            "print           p50 ms  p95 ms  of python3  warm\n\
             python3         10.0    10.0    x 1.00      -\n\
             saferunctl run  5.0     5.0     x 0.50      2/3\n\n"
        );
        assert!(text("print", &rows[1..]).contains("5.0     -"));
    }
}
