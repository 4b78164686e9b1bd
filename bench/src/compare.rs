//! Several programs in every way, interleaved: each way once in each round, in turn.

use std::path::Path;

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::{
    machine,
    plan::Plan,
    product::Product,
    programs::{self, Program},
    raw, show,
    stats::{median, quantile, ratio},
    ways::{self, BARE, DOCKER, Entry, Expected, Given},
};

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
pub(crate) fn compare(plan: &Plan, choice: &Choice<'_>) -> Result<()> {
    let rounds = plan.rounds(choice.rounds)?;
    let product = Product::prepare(&plan.bin)?;
    let scratch = tempfile::tempdir()?;
    let flags = product.settings()?.flags(scratch.path())?;
    let packages = choice.packages.map(Path::canonicalize).transpose();
    let given = Given {
        scratch: scratch.path(),
        peers: choice.peers,
        packages: packages.as_ref().ok().and_then(Option::as_deref),
        flags: &flags,
    };
    let mut ways = ways::all(&product, &given);
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
    let mut void = Vec::new();
    for program in programs::all() {
        if !chosen(choice.programs, program.name) {
            continue;
        }
        let result = one(&product, &program, &mut ways, rounds, plan.warm_up());
        results.push(result.unwrap_or_else(|error| {
            let error = format!("{error:#}");
            show::progress(&format!("{} is void: {error}", program.name));
            void.push(program.name);
            json!({"program": program.name, "about": program.about, "void": error})
        }));
        // After each: what was measured is not lost when a later program ends the process.
        raw::write(
            plan,
            "compare",
            &json!({
                "machine": facts, "rounds": rounds, "programs": results, "not_measured": missing, "flags": flags,
            }),
        )?;
    }
    ensure!(!results.is_empty(), "no program has such a name");
    ensure!(void.is_empty(), "void: {}", void.join(", "));
    Ok(())
}

/// Samples of one way.
#[derive(Default, Clone)]
struct Samples {
    expected: Vec<f64>,
    /// Those that should have found a warm container and did not: of something else, so never among the others.
    missed: Vec<f64>,
    failed: Option<String>,
}

fn one(
    product: &Product,
    program: &Program,
    ways: &mut [Entry],
    rounds: usize,
    warm_up: usize,
) -> Result<Value> {
    let mut samples = vec![Samples::default(); ways.len()];
    for round in 0..rounds + warm_up {
        if round % 10 == 0 {
            show::progress(&format!(
                "{}: round {round} of {}",
                program.name,
                rounds + warm_up
            ));
        }
        // Each round begins with another way, so that none always follows the same one.
        for step in 0..ways.len() {
            let index = (round + step) % ways.len();
            let entry = &mut ways[index];
            let samples = &mut samples[index];
            let (Ok(way), None, true) =
                (&mut entry.way, &samples.failed, program.runs_in(entry.key))
            else {
                continue;
            };
            product.wait_for_quiet()?;
            match way.measure(product, program) {
                Ok(_) if round < warm_up => {}
                Ok(sample) if is_miss(way.expected(), sample.warm, entry.name)? => {
                    samples.missed.push(sample.milliseconds);
                }
                Ok(sample) => samples.expected.push(sample.milliseconds),
                // Another's way that cannot run this program says so and is left out of it; where one of ours fails, or
                // one that others are divided by, the whole comparison is void.
                Err(error) if ways::PEERS.contains(&entry.key) => {
                    samples.expected.clear();
                    samples.failed = Some(format!("{error:#}"));
                }
                Err(error) => {
                    return Err(error.context(format!("{} in {}", program.name, entry.name)));
                }
            }
        }
    }
    let (mut hits, mut misses) = (0, 0);
    for (entry, samples) in ways.iter().zip(&samples) {
        let way = entry.way.as_ref();
        if way.is_ok_and(|way| way.expected() == Expected::Hit) && program.runs_in(entry.key) {
            hits += samples.expected.len() as u64;
            misses += samples.missed.len() as u64;
        }
    }
    let rate = ratio(hits, hits + misses);
    ensure!(
        hits + misses == 0 || rate >= LEAST_HIT_RATE,
        "only {:.0} in 100 runs hit a warm container",
        rate * 100.0
    );
    let value = json!({
        "program": program.name,
        "about": program.about,
        "hits": hits,
        "misses": misses,
        "ways": ways.iter().zip(&samples).filter(|(entry, _)| entry.way.is_ok() && program.runs_in(entry.key)).map(|(entry, samples)| json!({
            "way": entry.key, "name": entry.name, "milliseconds": samples.expected,
            "missed_milliseconds": samples.missed, "failed": samples.failed,
        })).collect::<Vec<_>>(),
        "not_run": ways.iter().filter(|entry| entry.way.is_ok() && !program.runs_in(entry.key)).map(|entry| entry.name).collect::<Vec<_>>(),
    });
    show::line(&format!(
        "\n{} ({rounds} rounds, {hits} of {} warm hits)",
        program.about,
        hits + misses
    ));
    show::line(&table(&value));
    Ok(value)
}

/// Whether a run missed the warm container that it should have found.
fn is_miss(expected: Expected, warm: Option<bool>, name: &str) -> Result<bool> {
    ensure!(
        expected != Expected::Miss || warm == Some(false),
        "{name} found a warm container"
    );
    Ok(expected == Expected::Hit && warm == Some(false))
}

/// The median of a way's samples in one program; NaN without any.
pub(crate) fn p50(program: &Value, way: &str) -> f64 {
    program["ways"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|one| one["way"] == way)
        .map_or(f64::NAN, |one| median(&raw::numbers(&one["milliseconds"])))
}

/// The table of one program, from its raw samples.
pub(crate) fn table(program: &Value) -> String {
    let (bare, docker) = (p50(program, BARE), p50(program, DOCKER));
    let row = |name: String, times: &[f64]| {
        let p50 = median(times);
        vec![
            name,
            times.len().to_string(),
            format!("{p50:.2}"),
            format!("{:.2}", quantile(times, 90)),
            format!("{:.2}", quantile(times, 100)),
            format!("{:.2}", p50 / bare),
            format!("{:.1}", docker / p50),
        ]
    };
    let mut rows = Vec::new();
    for way in program["ways"].as_array().into_iter().flatten() {
        let name = way["name"].as_str().unwrap_or_default().to_owned();
        let times = raw::numbers(&way["milliseconds"]);
        let missed = raw::numbers(&way["missed_milliseconds"]);
        if times.is_empty() {
            // Its words name files of this machine, so they stay among the raw samples.
            let mut cells = vec![name.clone(), "failed".to_owned()];
            cells.resize(7, String::new());
            rows.push(cells);
        } else {
            rows.push(row(name.clone(), &times));
        }
        if !missed.is_empty() {
            rows.push(row(format!("{name}: no warm container"), &missed));
        }
    }
    show::markdown(
        &[
            "way",
            "runs",
            "p50 ms",
            "p90 ms",
            "max ms",
            "x bare python3",
            "`docker run` is slower by",
        ],
        &rows,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_miss_is_a_row_of_its_own() {
        let program = json!({"ways": [
            {"way": "bare", "name": "bare", "milliseconds": [10.0], "missed_milliseconds": []},
            {"way": "rpc", "name": "RPC", "milliseconds": [2.0, 2.0], "missed_milliseconds": [200.0]},
            {"way": "srt", "name": "srt", "milliseconds": [], "failed": "no way"},
        ]});
        let table = table(&program);
        assert!(
            table.contains("| RPC | 2 | 2.00 | 2.00 | 2.00 | 0.20 |"),
            "{table}"
        );
        assert!(
            table.contains("| RPC: no warm container | 1 | 200.00 |"),
            "{table}"
        );
        assert!(table.contains("| srt | failed |"), "{table}");
        assert!(!table.contains("no way"), "{table}");
    }

    #[test]
    fn what_should_miss_never_hits() {
        assert!(is_miss(Expected::Hit, Some(false), "rpc").unwrap());
        assert!(!is_miss(Expected::Hit, Some(true), "rpc").unwrap());
        assert!(!is_miss(Expected::Miss, Some(false), "cold").unwrap());
        assert!(is_miss(Expected::Miss, Some(true), "cold").is_err());
        assert!(!is_miss(Expected::Nothing, None, "bare").unwrap());
    }
}
