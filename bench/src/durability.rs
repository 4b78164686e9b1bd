//! What it costs that the record survives a loss of power, and not only the end of the daemon: two daemons, in turns.

use std::time::Instant;

use anyhow::Result;
use serde_json::{Value, json};

use crate::{
    daemon::Daemon,
    machine,
    plan::Plan,
    product::Product,
    programs, raw, show,
    stats::{median, quantile},
    ways::request,
};

const KINDS: [(&str, &str); 2] = [
    (
        "process",
        "`audit.durability: process`, the default: survives the daemon's end",
    ),
    (
        "power",
        "`audit.durability: power`: survives a loss of power",
    ),
];
const POOL: u32 = 2;

/// Measures, prints the table, writes the raw samples.
pub(crate) fn durability(plan: &Plan, rounds: usize) -> Result<()> {
    let (rounds, warm_up) = (plan.rounds(rounds)?, plan.warm_up());
    let product = Product::prepare(&plan.bin)?;
    let facts = machine::facts(&product.engine_version);
    show::line(&machine::describe(&facts));
    let program = programs::print_hi();
    let mut rows = Vec::new();
    for (kind, about) in KINDS {
        let settings = [("SAFERUN_AUDIT_DURABILITY", kind)];
        let daemon = Daemon::start(&plan.bin, &product.engine, POOL, &settings)?;
        daemon.wait_for_warm(POOL)?;
        let client = daemon.connect()?;
        rows.push((kind, about, daemon, client, Vec::new(), 0));
    }
    for round in 0..rounds + warm_up {
        for turn in 0..rows.len() {
            // Of both: the other's refill takes a core from this one's run. The nap of the product's comes last.
            for (_, _, daemon, ..) in &rows {
                daemon.wait_for_warm(POOL)?;
            }
            product.wait_for_quiet()?;
            let (_, _, daemon, client, times, missed) = &mut rows[turn];
            let began = Instant::now();
            let result = daemon.run(client, request(&program, "runc"))?;
            let took = began.elapsed().as_secs_f64() * 1000.0;
            program.check(result.stdout.as_bytes())?;
            if round >= warm_up && result.sandbox.warm {
                times.push(took);
            } else if round >= warm_up {
                *missed += 1;
            }
        }
    }
    let value = json!({
        "machine": facts, "rounds": rounds,
        "rows": rows.iter().map(|(kind, about, _, _, times, missed)| json!({
            "key": kind, "about": about, "milliseconds": times, "missed": missed,
        })).collect::<Vec<_>>(),
    });
    show::line(&table(&value));
    raw::write(plan, "durability", &value)
}

/// The table, from the raw samples.
pub(crate) fn table(value: &Value) -> String {
    let rows: Vec<Vec<String>> = value["rows"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|row| {
            let times = raw::numbers(&row["milliseconds"]);
            vec![
                row["about"].as_str().unwrap_or_default().to_owned(),
                format!("{} / {}", times.len(), row["missed"]),
                format!("{:.2}", median(&times)),
                format!("{:.2}", quantile(&times, 90)),
            ]
        })
        .collect();
    show::markdown(
        &[
            "RPC run of `print('hi')`",
            "warm / missed",
            "p50 ms",
            "p90 ms",
        ],
        &rows,
    )
}
