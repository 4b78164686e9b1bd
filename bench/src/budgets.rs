//! The budgets of the design, each with its figure, whether it is met, and where not, what the raw samples say about
//! what stands in the way.

use serde_json::Value;

use crate::{
    compare, load,
    scanner::{self, LINES},
    show,
};

/// A queue longer than this is overload: the engine creates no faster with more.
const OVERLOAD: f64 = 8.0;
/// What two measurements of the same rate may differ by.
const NOISE: f64 = 0.05;
/// Wake-ups of an idle daemon in a minute. It has no timer shorter than ten seconds while nothing is due: the policy's
/// files are looked at so often where they cannot be watched.
const WAKEUPS: f64 = 6.0;

/// What all parts have measured; `None` for a part that failed.
pub(crate) struct Measured<'a> {
    pub(crate) compare: Option<&'a Value>,
    pub(crate) load: Option<&'a Value>,
    pub(crate) cold: Option<&'a Value>,
    pub(crate) scanner: Option<&'a Value>,
}

struct Budget {
    what: &'static str,
    bound: String,
    measured: bool,
    shown: String,
    met: bool,
    /// What stands in the way, if anything does.
    why: String,
}

impl Budget {
    fn at_most(what: &'static str, figure: f64, most: f64, bound: String, why: String) -> Self {
        Self {
            what,
            bound,
            measured: !figure.is_nan(),
            shown: format!("{figure:.3}"),
            met: figure <= most,
            why,
        }
    }

    fn cells(self) -> Vec<String> {
        let (verdict, why) = match (self.measured, self.met) {
            (false, _) => ("not measured", String::new()),
            (true, true) => ("met", String::new()),
            (true, false) => ("**not met**", self.why),
        };
        let shown = if self.measured {
            self.shown
        } else {
            "–".to_owned()
        };
        vec![
            self.what.to_owned(),
            self.bound,
            shown,
            verdict.to_owned(),
            why,
        ]
    }
}

/// The table.
pub(crate) fn table(measured: &Measured<'_>) -> String {
    let mut budgets = latency(measured.compare);
    budgets.extend(sustained(measured.load));
    budgets.extend(idle(measured.cold));
    budgets.extend(scanning(measured.scanner));
    let rows: Vec<Vec<String>> = budgets.into_iter().map(Budget::cells).collect();
    show::markdown(
        &["budget", "bound", "measured", "", "what stands in the way"],
        &rows,
    )
}

/// The four of one run, from `print('hi')`.
fn latency(compare: Option<&Value>) -> Vec<Budget> {
    let print = compare
        .and_then(|value| value["programs"].as_array())
        .into_iter()
        .flatten()
        .find(|program| program["program"] == "print")
        .cloned()
        .unwrap_or_default();
    let p50 = |way: &str| compare::p50(&print, way);
    let (bare, rpc, cli) = (p50("bare"), p50("rpc"), p50("cli"));
    let stages = format!(
        "{rpc:.1} ms of daemon, supervisor and interpreter against {bare:.1} ms of the bare interpreter; `saferunctl run --timing` shows the stages"
    );
    let process = format!(
        "of {cli:.1} ms the run itself is {rpc:.1}; the rest is the process's start, its connection and its end"
    );
    vec![
        Budget::at_most(
            "RPC `run` of `print('hi')`, warm, scan, policy and durable record included, p50",
            rpc / bare,
            0.35,
            "at most 0.35 x bare `python3`".to_owned(),
            stages,
        ),
        Budget::at_most(
            "the same in gVisor",
            p50("rpc-gvisor") / bare,
            0.7,
            "at most 0.7 x bare `python3`".to_owned(),
            "every system call of the interpreter is answered by gVisor's kernel in user space"
                .to_owned(),
        ),
        Budget::at_most(
            "`saferunctl run hi.py`, whole process",
            cli / bare,
            0.6,
            "at most 0.6 x bare `python3`".to_owned(),
            process.clone(),
        ),
        Budget::at_most(
            "the same against `docker run` with the same flags",
            cli / p50("docker-run"),
            1.0 / 40.0,
            "at most 0.025 x `docker run`".to_owned(),
            process,
        ),
    ]
}

/// Throughput at every concurrency at which both were measured, and what becomes of it under overload.
fn sustained(load: Option<&Value>) -> Vec<Budget> {
    let nothing = Value::Null;
    let value = load.unwrap_or(&nothing);
    let points = || value["saferun"].as_array().into_iter().flatten();
    let mut worst = (f64::NAN, 0.0);
    for point in points() {
        let rate = point["per_second"].as_f64().unwrap_or(f64::NAN);
        if let Some(docker) = load::rate(value, "docker_run", &point["clients"]) {
            let share = rate / docker;
            if worst.0.is_nan() || share < worst.0 {
                worst = (share, point["clients"].as_f64().unwrap_or(f64::NAN));
            }
        }
    }
    let best = load::best(value, "engine");
    let overloaded: Vec<&Value> = points()
        .filter(|point| point["clients"].as_f64() >= Some(OVERLOAD))
        .collect();
    let least = overloaded
        .iter()
        .filter_map(|point| {
            let rate = point["per_second"].as_f64()?;
            Some(rate / load::rate(value, "beside", &point["clients"])?)
        })
        .fold(f64::NAN, f64::min);
    let sum = |key: &str| {
        points()
            .filter_map(|point| point[key].as_u64())
            .sum::<u64>()
    };
    let failed = sum("failed");
    let hits: Vec<String> = overloaded
        .iter()
        .filter_map(|point| {
            let share = 100.0 * point["hits"].as_f64()? / point["runs"].as_f64()?;
            Some(format!("{share:.0}"))
        })
        .collect();
    vec![
        Budget {
            what: "sustained runs per second, one container for each, the least of all concurrencies",
            bound: "at least 1.6 x as many `docker run` loops".to_owned(),
            measured: !worst.0.is_nan(),
            shown: format!("{:.2} (with {:.0})", worst.0, worst.1),
            met: worst.0 >= 1.6,
            why: format!(
                "every run makes a container; the engine alone, by its API with the same settings, makes {:.2} x the best of the `docker run` loops",
                best / load::best(value, "docker_run")
            ),
        },
        Budget {
            what: "overload: runs per second against the engine's own rate by its API, the least from 8 clients on, and no error",
            bound: format!(
                "at least 1 x, less {:.0} in 100 of noise; 0 failed",
                NOISE * 100.0
            ),
            measured: !least.is_nan(),
            shown: format!(
                "{least:.2}; {failed} failed, {} told to come later; warm hits in 100: {}",
                sum("busy"),
                hits.join(", ")
            ),
            met: least >= 1.0 - NOISE && failed == 0,
            why: "a container of ours also starts a supervisor and an interpreter, is attested twice, and its run is recorded: the CPU table below says what each costs".to_owned(),
        },
    ]
}

fn idle(cold: Option<&Value>) -> Vec<Budget> {
    let number = |key: &str| {
        cold.and_then(|value| value["idle"][key].as_f64())
            .unwrap_or(f64::NAN)
    };
    let (resident, own) = (number("resident_mb"), number("own_mb"));
    let wakeups = number("wakeups_per_minute");
    vec![Budget {
        what: "idle daemon with four warm containers",
        bound: format!(
            "at most 20 MB resident, no wake-ups beyond its timers (at most {WAKEUPS:.0} a minute)"
        ),
        measured: !resident.is_nan() && !wakeups.is_nan(),
        shown: format!("{resident:.1} MB, {wakeups:.1} wake-ups a minute"),
        met: resident <= 20.0 && wakeups <= WAKEUPS,
        why: format!(
            "{own:.1} MB are its own; the other {:.1} are pages of its program (two grammars, SQLite, HTTP, the engine's API) and of libraries, which the kernel can take back",
            resident - own
        ),
    }]
}

fn scanning(scanner: Option<&Value>) -> Vec<Budget> {
    let figure = |of: fn(&Value) -> f64| scanner.map_or(f64::NAN, of);
    let keystroke = figure(scanner::keystroke);
    vec![
        Budget::at_most(
            "scan of Python's standard library, one thread",
            figure(scanner::of_the_parse),
            1.6,
            "at most 1.6 x tree-sitter's bare parse".to_owned(),
            "what comes after the parse: names, values and flows are followed through the whole file"
                .to_owned(),
        ),
        Budget::at_most(
            "the same, whole process on one core, against bandit",
            figure(scanner::of_bandit),
            0.1,
            "at most 0.1 x `bandit -r` (no prefilter is used)".to_owned(),
            "the parse alone is the larger part of it".to_owned(),
        ),
        Budget {
            what: "keystroke to diagnostics, 2,000 lines, p95",
            bound: "at most 10 ms".to_owned(),
            measured: !keystroke.is_nan(),
            shown: format!("{keystroke:.2} ms"),
            met: keystroke <= 10.0,
            why: format!("the report is made anew for all {LINES} lines; only the parse is incremental"),
        },
    ]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_budget_says_met_not_met_or_not_measured() {
        let way = |way: &str, time: f64| json!({"way": way, "milliseconds": [time]});
        let compare = json!({"programs": [{"program": "print", "ways": [
            way("bare", 10.0), way("rpc", 3.0), way("cli", 7.0), way("docker-run", 400.0),
        ]}]});
        let point = |clients: u32, rate: f64| json!({"clients": clients, "per_second": rate, "failed": 0, "busy": 0, "hits": 1, "runs": 4});
        let load = json!({
            "saferun": [point(1, 8.0), point(8, 9.0)],
            "docker_run": [point(1, 4.0), point(8, 6.0)],
            "engine": [point(1, 8.0), point(8, 9.0)],
            "beside": [point(8, 9.0)],
        });
        let table = table(&Measured {
            compare: Some(&compare),
            load: Some(&load),
            cold: None,
            scanner: None,
        });
        let verdict = |what: &str| {
            let line = table.lines().find(|line| line.contains(what)).unwrap();
            line.split(" | ").nth(3).unwrap().trim().to_owned()
        };
        assert_eq!(verdict("RPC `run`"), "met");
        assert_eq!(verdict("in gVisor"), "not measured");
        assert_eq!(verdict("whole process |"), "**not met**");
        assert_eq!(verdict("docker run` with the same flags"), "met");
        assert_eq!(verdict("sustained"), "**not met**");
        assert!(table.contains("1.50 (with 8)"), "{table}");
        assert_eq!(verdict("overload"), "met");
        assert_eq!(verdict("idle daemon"), "not measured");
        assert_eq!(verdict("keystroke"), "not measured");
    }
}
