//! Several programs in every way, interleaved: each way once in each round, in turn.

use std::path::Path;

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::{
    machine,
    product::Product,
    programs::{self, Program},
    raw, show,
    stats::{median, quantile, ratio},
    ways::{self, BARE, DOCKER, Entry},
};

/// Rounds that come first and do not count.
pub(crate) const WARM_UP: usize = 3;
/// With fewer rounds medians mean nothing.
pub(crate) const LEAST_ROUNDS: usize = 30;
/// Below this share of warm hits the figures would be of something else.
const LEAST_HIT_RATE: f64 = 0.95;

/// What is compared, and with what.
pub(crate) struct Choice<'a> {
    /// Interleaved rounds that count.
    pub(crate) rounds: usize,
    /// Only these programs; all if there are none.
    pub(crate) programs: &'a [String],
    /// Only these ways; all if there are none.
    pub(crate) ways: &'a [String],
    /// Folder of the peers.
    pub(crate) peers: Option<&'a Path>,
    /// Folder of the packages for the interpreter on the host.
    pub(crate) packages: Option<&'a Path>,
}

/// Runs the comparison, prints a table for each program, writes the raw samples.
pub(crate) fn compare(bin: &Path, out: &Path, choice: &Choice<'_>) -> Result<()> {
    let rounds = choice.rounds;
    ensure!(
        rounds >= LEAST_ROUNDS,
        "at least {LEAST_ROUNDS} rounds, or the medians mean nothing"
    );
    let product = Product::prepare(bin)?;
    let scratch = tempfile::tempdir()?;
    let mut ways = ways::all(&product, scratch.path(), choice.peers, choice.packages);
    let chosen =
        |only: &[String], name: &str| only.is_empty() || only.iter().any(|one| one == name);
    ways.retain(|entry| chosen(choice.ways, entry.key));
    let facts = machine::facts(&product.engine_version);
    show::line(&machine::describe(&facts));
    let missing: Vec<Value> = ways
        .iter()
        .filter_map(|entry| {
            let reason = entry.way.as_ref().err()?;
            Some(json!({"way": entry.key, "name": entry.name, "reason": reason}))
        })
        .collect();
    for entry in &missing {
        show::line(&format!(
            "not measured: {}: {}",
            entry["name"], entry["reason"]
        ));
    }
    let mut results = Vec::new();
    for program in programs::all() {
        if chosen(choice.programs, program.name) {
            results.push(one(&product, &program, &mut ways, rounds)?);
            // After each: what was measured is not lost when a later program fails.
            raw::write(
                out,
                "compare",
                &json!({"machine": facts, "rounds": rounds, "programs": results, "not_measured": missing}),
            )?;
        }
    }
    ensure!(!results.is_empty(), "no program has such a name");
    Ok(())
}

fn one(product: &Product, program: &Program, ways: &mut [Entry], rounds: usize) -> Result<Value> {
    let mut samples: Vec<Vec<f64>> = vec![Vec::new(); ways.len()];
    let mut failed: Vec<Option<String>> = vec![None; ways.len()];
    let mut before = (0, 0);
    for round in 0..rounds + WARM_UP {
        if round == WARM_UP {
            before = product.hits_and_misses()?;
        }
        if round % 10 == 0 {
            show::progress(&format!(
                "{}: round {round} of {}",
                program.name,
                rounds + WARM_UP
            ));
        }
        for (index, entry) in ways.iter_mut().enumerate() {
            let (Ok(way), None, true) =
                (&mut entry.way, &failed[index], program.runs_in(entry.key))
            else {
                continue;
            };
            if way.pooled() {
                product.wait_for_warm()?;
            }
            match way.measure(product, program) {
                Ok(milliseconds) if round >= WARM_UP => samples[index].push(milliseconds),
                Ok(_) => {}
                // Another's way that cannot run this program says so and is left out of it; where one of ours fails, or
                // one that others are divided by, the whole comparison is void.
                Err(error) if ways::PEERS.contains(&entry.key) || round == 0 && !way.pooled() => {
                    samples[index].clear();
                    failed[index] = Some(format!("{error:#}"));
                }
                Err(error) => {
                    return Err(error.context(format!("{} in {}", program.name, entry.name)));
                }
            }
        }
    }
    let after = product.hits_and_misses()?;
    let (hits, misses) = (after.0 - before.0, after.1 - before.1);
    let sandboxed = ways
        .iter()
        .zip(&failed)
        .filter(|(entry, failed)| {
            failed.is_none()
                && program.runs_in(entry.key)
                && entry.way.as_ref().is_ok_and(|way| way.pooled())
        })
        .count();
    if sandboxed > 0 {
        ensure!(
            hits + misses >= (sandboxed * rounds) as u64,
            "{} sandboxed runs in {rounds} rounds",
            hits + misses
        );
        let rate = ratio(hits, hits + misses);
        ensure!(
            rate >= LEAST_HIT_RATE,
            "only {:.0} in 100 runs hit a warm container",
            rate * 100.0
        );
    }
    let value = json!({
        "program": program.name,
        "about": program.about,
        "hits": hits,
        "misses": misses,
        "ways": ways.iter().zip(&samples).zip(&failed).filter(|((entry, _), _)| entry.way.is_ok() && program.runs_in(entry.key)).map(|((entry, samples), failed)| json!({
            "way": entry.key, "name": entry.name, "milliseconds": samples, "failed": failed,
        })).collect::<Vec<_>>(),
    });
    show::line(&format!(
        "\n{} ({rounds} rounds, {hits} of {} warm hits)",
        program.about,
        hits + misses
    ));
    show::line(&table(&value));
    Ok(value)
}

/// The table of one program, from its raw samples.
pub(crate) fn table(program: &Value) -> String {
    let ways = program["ways"].as_array().cloned().unwrap_or_default();
    let samples = |key: &str| {
        ways.iter()
            .find(|way| way["way"] == key)
            .map_or_else(Vec::new, |way| raw::numbers(&way["milliseconds"]))
    };
    let (bare, docker) = (median(&samples(BARE)), median(&samples(DOCKER)));
    let rows: Vec<Vec<String>> = ways
        .iter()
        .map(|way| {
            let name = way["name"].as_str().unwrap_or_default().to_owned();
            let times = raw::numbers(&way["milliseconds"]);
            if times.is_empty() {
                let reason = way["failed"].as_str().unwrap_or("no sample");
                let short: String = reason.chars().take(60).collect();
                return vec![
                    name,
                    format!("failed: {short}"),
                    String::new(),
                    String::new(),
                    String::new(),
                    String::new(),
                ];
            }
            let p50 = median(&times);
            vec![
                name,
                format!("{p50:.2}"),
                format!("{:.2}", quantile(&times, 90)),
                format!("{:.2}", quantile(&times, 99)),
                format!("{:.2}", p50 / bare),
                format!("{:.1}", docker / p50),
            ]
        })
        .collect();
    show::markdown(
        &[
            "way",
            "p50 ms",
            "p90 ms",
            "p99 ms",
            "x bare python3",
            "`docker run` is slower by",
        ],
        &rows,
    )
}
