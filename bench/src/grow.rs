//! How the cost of one warm run grows with the size of the source and of the output.

use std::fmt::Write;

use anyhow::{Result, ensure};
use saferun_protocol::Outcome;
use serde_json::{Value, json};

use crate::{
    machine,
    plan::Plan,
    product::Product,
    programs::{self, Program},
    raw, show,
    stats::{median, p99},
    ways::request,
};

/// Source sizes in KiB; the default policy's limit is the last.
const SOURCES: [usize; 4] = [1, 64, 256, 1000];
/// Output sizes in KB.
const OUTPUTS: [usize; 4] = [1, 100, 1000, 16_000];

/// Measures all points, prints the table, writes the raw samples.
pub(crate) fn grow(plan: &Plan, runs: usize) -> Result<()> {
    let product = Product::prepare(&plan.bin)?;
    let facts = machine::facts(&product.engine_version);
    show::line(&machine::describe(&facts));
    let source = series(
        &product,
        runs,
        &SOURCES.map(|kib| (kib, source_of(kib * 1024))),
    )?;
    let output = series(
        &product,
        runs,
        &OUTPUTS.map(|kb| (kb, programs::lines("output", "", kb * 10))),
    )?;
    let value = json!({"machine": facts, "runs": runs, "source_kib": source, "output_kb": output});
    show::line(&table(&value));
    raw::write(plan, "grow", &value)
}

/// All sizes in turn in each round, so that a drift of the machine touches all alike.
fn series(product: &Product, runs: usize, points: &[(usize, Program)]) -> Result<Vec<Value>> {
    let mut samples = vec![(Vec::new(), Vec::new(), 0); points.len()];
    for round in 0..=runs {
        if round % 10 == 0 {
            show::progress(&format!("round {round} of {runs}"));
        }
        for ((_, program), (times, scans, missed)) in points.iter().zip(&mut samples) {
            product.wait_for_quiet()?;
            let began = std::time::Instant::now();
            let result = product.run(request(program, "runc"))?;
            let took = began.elapsed().as_secs_f64() * 1000.0;
            ensure!(result.status == Outcome::Completed, "{}", result.message);
            program.check(result.stdout.as_bytes())?;
            if round > 0 && !result.sandbox.warm {
                *missed += 1;
            } else if round > 0 {
                times.push(took);
                scans.push(result.timing.scan_ms);
            }
        }
    }
    Ok(points
        .iter()
        .zip(samples)
        .map(|((size, _), (times, scans, missed))| {
            json!({"size": size, "milliseconds": times, "scan_ms": scans, "missed": missed})
        })
        .collect())
}

/// A script of about this many bytes: functions of the kind that models write, the last line prints.
fn source_of(bytes: usize) -> Program {
    let mut source = String::new();
    let mut number = 0;
    while source.len() + 160 < bytes {
        let _ = write!(
            source,
            "def step_{number}(rows, factor=2):\n    total = 0\n    for row in rows:\n        total += row * factor\n    return total\n\n"
        );
        number += 1;
    }
    source.push_str("print('hi')\n");
    Program::new("source", "", source, "hi\n")
}

/// The table of both series, from the raw samples.
pub(crate) fn table(value: &Value) -> String {
    let mut rows = Vec::new();
    for (what, unit) in [
        ("source_kib", "KiB of source"),
        ("output_kb", "KB of output"),
    ] {
        for point in value[what].as_array().into_iter().flatten() {
            let times = raw::numbers(&point["milliseconds"]);
            rows.push(vec![
                format!("{} {unit}", point["size"]),
                format!("{} / {}", times.len(), point["missed"]),
                format!("{:.2}", median(&times)),
                p99(&times, 2),
                format!("{:.2}", median(&raw::numbers(&point["scan_ms"]))),
            ]);
        }
    }
    show::markdown(
        &[
            "size",
            "warm / missed",
            "p50 ms",
            "p99 ms",
            "of it the scan, p50 ms",
        ],
        &rows,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_have_about_their_size() {
        for kib in SOURCES {
            let size = source_of(kib * 1024).source.len();
            assert!(
                size <= kib * 1024 && size + 400 > kib * 1024,
                "{kib}: {size}"
            );
        }
    }
}
