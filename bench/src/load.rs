//! Sustained load: each client runs `print('hi')` again and again on its own connection, beside as many `docker run`
//! loops and as many loops over the engine's API. Every run has a container of its own, so the engine's rate of
//! creation is the limit; what is asked is whether the pool degrades to it, and no further.

mod loops;

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::{
    cpu::Split,
    daemon::Daemon,
    engine::Engine,
    machine,
    plan::Plan,
    product::Product,
    programs, raw, show,
    stats::{median, p99, ratio},
};
use loops::{Account, Twin};

/// Clients at once, for each point.
const CLIENTS: [usize; 9] = [1, 2, 4, 8, 10, 16, 32, 64, 100];
/// Loops of the engine's own at once; more than this only waits inside the engine.
const LOOPS: [usize; 5] = [1, 2, 4, 8, 16];
/// Loops over the engine's API that run just before or after each point of ours. A container costs the engine more or less
/// in the course of a long measurement, so the points of a table are not compared with one that was taken minutes before.
const BESIDE: usize = 4;
/// Sizes of the pool in a series of its own, with this many clients.
const POOLS: [u32; 4] = [1, 2, 4, 8];
const POOL_CLIENTS: usize = 4;
/// Warm containers of the default policy.
const POOL: u32 = 4;
/// The default policy lets 64 runs wait. All else is as it comes: four runs at once.
const QUEUE: (&str, &str) = ("SAFERUN_LIMITS_QUEUE", "256");
/// Before each point counts: the containers that were warm at its begin are used up by then.
const RAMP: Duration = Duration::from_secs(1);
/// With more clients than this a point lasts longer, in proportion.
const CLIENTS_A_LENGTH: usize = 20;
/// All points are measured this often, the second time in the other order.
const PASSES: usize = 2;

/// When a point begins to count, and when it ends.
#[derive(Debug, Clone, Copy)]
struct Window {
    from: Instant,
    until: Instant,
}

impl Window {
    fn after_the_ramp(length: Duration) -> Self {
        let from = Instant::now() + RAMP;
        Self {
            from,
            until: from + length,
        }
    }

    fn holds(&self, moment: Instant) -> bool {
        self.from <= moment && moment < self.until
    }
}

/// What has been seen at one number of clients or loops, in all passes.
struct Point {
    clients: usize,
    seconds: f64,
    accounts: Vec<Account>,
    cpu: Split,
}

impl Point {
    fn new(clients: usize) -> Self {
        Self {
            clients,
            seconds: 0.0,
            accounts: vec![Account::default(); clients],
            cpu: Split::default(),
        }
    }

    fn add(&mut self, length: Duration, (accounts, cpu): (Vec<Account>, Split)) {
        self.seconds += length.as_secs_f64();
        self.cpu = self.cpu.and(cpu);
        for (whole, part) in self.accounts.iter_mut().zip(accounts) {
            whole.add(part);
        }
    }

    fn raw(&self) -> Value {
        let sum = |of: fn(&Account) -> usize| self.accounts.iter().map(of).sum::<usize>();
        let runs = sum(|account| account.times.len());
        let mut errors: Vec<&String> = self.accounts.iter().flat_map(|one| &one.errors).collect();
        let failed = errors.len();
        errors.sort();
        errors.dedup();
        errors.truncate(5);
        let times: Vec<f64> = self
            .accounts
            .iter()
            .flat_map(|account| account.times.clone())
            .collect();
        json!({
            "clients": self.clients, "seconds": self.seconds, "runs": runs,
            "per_second": ratio(runs as u64, 1) / self.seconds,
            "hits": sum(|account| account.hits), "busy": sum(|account| account.busy),
            "failed": failed, "errors": errors, "milliseconds": times,
            "runs_of_each_client": self.accounts.iter().map(|account| account.times.len()).collect::<Vec<_>>(),
            "cpu_ms_per_run": self.cpu.each(ratio(runs.max(1) as u64, 1)),
        })
    }
}

/// Runs all points, or only those with so many at once, prints the tables, writes the raw samples.
pub(crate) fn load(plan: &Plan, seconds: u64, only: &[usize]) -> Result<()> {
    for clients in only {
        ensure!(
            CLIENTS.contains(clients),
            "--clients {clients}: measured are {CLIENTS:?}"
        );
    }
    let product = Product::prepare(&plan.bin)?;
    let facts = machine::facts(&product.engine_version);
    show::line(&machine::describe(&facts));
    let scratch = tempfile::tempdir()?;
    let settings = product.settings()?;
    let program = programs::print_hi();
    let twin = Twin {
        engine: Engine::at(&product.engine)?,
        address: product.engine.clone(),
        image: product.image.clone(),
        flags: settings.flags(scratch.path())?,
        body: settings.body(&program.source),
        program,
    };
    let daemon = Daemon::start(&plan.bin, &product.engine, POOL, &[QUEUE])?;
    let quiet = || -> Result<()> {
        product.wait_for_quiet()?;
        daemon.wait_for_warm(POOL)
    };
    let wanted = |at_once: &usize| only.is_empty() || only.contains(at_once);
    let points = |of: &[usize]| -> Vec<Point> {
        of.iter().copied().filter(wanted).map(Point::new).collect()
    };
    let mut ours = points(&CLIENTS);
    let mut docker = points(&LOOPS);
    let mut engine = points(&LOOPS);
    let mut beside = points(&CLIENTS);
    let length = Duration::from_secs(seconds);
    for pass in 0..PASSES {
        for step in 0..ours.len() {
            let index = if pass % 2 == 0 {
                step
            } else {
                ours.len() - 1 - step
            };
            let clients = ours[index].clients;
            show::progress(&format!("pass {} of {PASSES}: {clients} at once", pass + 1));
            let longer = length.mul_f64(ratio(clients as u64, CLIENTS_A_LENGTH as u64).max(1.0));
            for second in [false, true] {
                quiet()?;
                if second == (pass % 2 == 0) {
                    beside[index].add(length, loops::of(BESIDE, length, || twin.by_the_api())?);
                } else {
                    let accounts = loops::ours(&daemon, &twin.program, clients, longer)?;
                    ours[index].add(longer, accounts);
                }
            }
            if let Some(same) = docker.iter().position(|point| point.clients == clients) {
                quiet()?;
                docker[same].add(length, loops::of(clients, length, || twin.docker_run())?);
                quiet()?;
                engine[same].add(length, loops::of(clients, length, || twin.by_the_api())?);
            }
        }
    }
    drop(daemon);
    let mut pools = Vec::new();
    for size in POOLS.into_iter().filter(|_| only.is_empty()) {
        show::progress(&format!("a pool of {size}"));
        let daemon = Daemon::start(&plan.bin, &product.engine, size, &[QUEUE])?;
        daemon.wait_for_warm(size)?;
        let mut point = Point::new(POOL_CLIENTS);
        let length = length * 2;
        point.add(
            length,
            loops::ours(&daemon, &twin.program, POOL_CLIENTS, length)?,
        );
        let mut value = point.raw();
        value["pool"] = json!(size);
        pools.push(value);
    }
    let all = |points: &[Point]| points.iter().map(Point::raw).collect::<Vec<_>>();
    let value = json!({
        "machine": facts, "seconds": seconds, "passes": PASSES,
        "saferun": all(&ours), "docker_run": all(&docker), "engine": all(&engine), "pools": pools,
        "beside": beside.iter().zip(&ours).map(|(beside, ours)| {
            let mut raw = beside.raw();
            raw["clients"] = json!(ours.clients);
            raw
        }).collect::<Vec<_>>(),
    });
    show::line(&table(&value));
    show::line(&cpu_table(&value));
    show::line(&pool_table(&value));
    raw::write(plan, "load", &value)
}

/// Runs per second at one concurrency; `None` where it was not measured.
pub(crate) fn rate(value: &Value, series: &str, clients: &Value) -> Option<f64> {
    value[series]
        .as_array()?
        .iter()
        .find(|point| point["clients"] == *clients)?["per_second"]
        .as_f64()
}

/// The highest rate of a series.
pub(crate) fn best(value: &Value, series: &str) -> f64 {
    value[series]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|point| point["per_second"].as_f64())
        .fold(f64::NAN, f64::max)
}

fn hit_share(point: &Value) -> f64 {
    let number = |key: &str| point[key].as_f64().unwrap_or(f64::NAN);
    100.0 * number("hits") / number("runs")
}

/// What is loaded, and how a table calls those who load it.
const SERIES: [(&str, &str); 3] = [
    ("saferun", "SafeRun, clients"),
    ("docker_run", "`docker run` loops"),
    ("engine", "the engine's API, loops"),
];

/// Rates and latencies, from the raw samples.
pub(crate) fn table(value: &Value) -> String {
    let number = |value: &Value| value.as_f64().unwrap_or(f64::NAN);
    let mut rows = Vec::new();
    for (series, what) in SERIES {
        for point in value[series].as_array().into_iter().flatten() {
            let times = raw::numbers(&point["milliseconds"]);
            let mut each = raw::numbers(&point["runs_of_each_client"]);
            each.sort_by(f64::total_cmp);
            let per_second = number(&point["per_second"]);
            let against = |other: &str| {
                rate(value, other, &point["clients"]).map_or_else(
                    || "–".to_owned(),
                    |rate| format!("{:.2}", per_second / rate),
                )
            };
            rows.push(vec![
                format!("{what}: {}", point["clients"]),
                format!("{per_second:.1}"),
                against("docker_run"),
                against("engine"),
                against("beside"),
                format!("{:.1}", median(&times)),
                p99(&times, 1),
                if series == "saferun" {
                    format!("{:.0} in 100", hit_share(point))
                } else {
                    "–".to_owned()
                },
                format!(
                    "{} / {} / {}",
                    point["runs"], point["failed"], point["busy"]
                ),
                format!(
                    "{:.0} / {:.0} / {:.0}",
                    each.first().copied().unwrap_or(f64::NAN),
                    median(&each),
                    each.last().copied().unwrap_or(f64::NAN)
                ),
            ]);
        }
    }
    show::markdown(
        &[
            "load",
            "runs/s",
            "x `docker run`, as many",
            "x the API, as many",
            "x the API beside",
            "p50 ms",
            "p99 ms",
            "warm hits",
            "ok / failed / told to come later",
            "runs of a client: least / median / most",
        ],
        &rows,
    )
}

/// Whose CPU time it was, from the raw samples.
pub(crate) fn cpu_table(value: &Value) -> String {
    let mut rows = Vec::new();
    for (series, what) in SERIES {
        for point in value[series].as_array().into_iter().flatten() {
            let mut cells = vec![format!("{what}: {}", point["clients"])];
            cells.extend(
                ["machine", "dockerd", "containerd", "saferund", "rest"].map(|part| {
                    let time = point["cpu_ms_per_run"][part].as_f64();
                    format!("{:.1}", time.unwrap_or(f64::NAN))
                }),
            );
            rows.push(cells);
        }
    }
    show::markdown(
        &[
            "CPU ms of a run",
            "all",
            "dockerd",
            "containerd, shims, runc",
            "saferund",
            "rest",
        ],
        &rows,
    )
}

/// The series of pool sizes, from the raw samples.
pub(crate) fn pool_table(value: &Value) -> String {
    let rows: Vec<Vec<String>> = value["pools"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|point| {
            let times = raw::numbers(&point["milliseconds"]);
            vec![
                point["pool"].to_string(),
                format!("{:.1}", point["per_second"].as_f64().unwrap_or(f64::NAN)),
                format!("{:.1}", median(&times)),
                p99(&times, 1),
                format!("{:.0} in 100", hit_share(point)),
                format!("{} / {}", point["runs"], point["failed"]),
            ]
        })
        .collect();
    show::markdown(
        &[
            "pool, four clients",
            "runs/s",
            "p50 ms",
            "p99 ms",
            "warm hits",
            "ok / failed",
        ],
        &rows,
    )
}
