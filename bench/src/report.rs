//! The table and the raw samples.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "printing is what this module is for"
)]

use std::{fs, path::Path};

use anyhow::{Context, Result};
use serde_json::json;

use crate::{
    samples::{Samples, ratio},
    subjects::{BARE, DOCKER},
};

/// Prints the table and writes the samples.
pub(crate) fn write(samples: &Samples, json: &Path) -> Result<()> {
    let median_of = |name: &str| {
        samples
            .times
            .iter()
            .find(|(subject, _)| *subject == name)
            .map_or(f64::NAN, |(_, times)| quantile(times, 50))
    };
    let (bare, docker) = (median_of(BARE), median_of(DOCKER));
    println!("{} interleaved rounds; {}", samples.rounds, machine());
    println!("| way | p50 ms | p90 ms | x bare python3 | docker run is slower by |");
    println!("|---|---|---|---|---|");
    for (name, times) in &samples.times {
        let median = quantile(times, 50);
        let p90 = quantile(times, 90);
        println!(
            "| {name} | {median:.2} | {p90:.2} | {:.2} | {:.1} |",
            median / bare,
            docker / median
        );
    }
    let rate = ratio(samples.hits, samples.sandboxed) * 100.0;
    println!(
        "warm hits: {} of {} ({rate:.0} in 100)",
        samples.hits, samples.sandboxed
    );
    let raw = json!({
        "machine": machine(),
        "rounds": samples.rounds,
        "hits": samples.hits,
        "sandboxed": samples.sandboxed,
        "milliseconds": samples.times.iter().map(|(name, times)| json!({"way": name, "samples": times})).collect::<Vec<_>>(),
    });
    if let Some(folder) = json.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(json, serde_json::to_string_pretty(&raw)?)
        .with_context(|| format!("cannot write {}", json.display()))?;
    println!("raw samples: {}", json.display());
    Ok(())
}

/// Says what went wrong.
pub(crate) fn complain(error: &anyhow::Error) {
    eprintln!("error: {error:#}");
}

fn quantile(times: &[f64], percent: usize) -> f64 {
    let mut sorted = times.to_vec();
    sorted.sort_by(f64::total_cmp);
    let index = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
    sorted.get(index).copied().unwrap_or(f64::NAN)
}

fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!("{cores} cores, kernel {}", kernel.trim())
}
