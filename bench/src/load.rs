//! Sustained load: each client runs `print('hi')` again and again on its own connection, beside as many
//! `docker run` loops. Every run has a container of its own, so the engine's rate of creation is the limit;
//! what is asked is whether the pool degrades to it, and no further.

use std::{
    path::Path,
    process::{Command, Stdio},
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use saferun_protocol::{ApiClient, Code, Outcome, connect, socket_path};
use serde_json::{Value, json};

use crate::{
    machine,
    product::Product,
    programs::{self, Program},
    raw, show,
    stats::{median, quantile, ratio},
    ways::{hardening, request},
};

/// Clients at once, for each point.
const CLIENTS: [usize; 9] = [1, 2, 4, 8, 10, 16, 32, 64, 100];
/// `docker run` loops at once; more than this only waits inside the engine.
const LOOPS: [usize; 5] = [1, 2, 4, 8, 10];

/// Runs all points, prints the table, writes the raw samples.
pub(crate) fn load(bin: &Path, out: &Path, seconds: u64) -> Result<()> {
    let product = Product::prepare(bin)?;
    let facts = machine::facts(&product.engine_version);
    show::line(&machine::describe(&facts));
    let length = Duration::from_secs(seconds);
    let program = programs::print_hi();
    let mut points = Vec::new();
    for clients in CLIENTS {
        show::progress(&format!("{clients} clients"));
        product.wait_for_warm()?;
        points.push(ours(&product, &program, clients, length)?);
    }
    let mut loops = Vec::new();
    for clients in LOOPS {
        show::progress(&format!("{clients} docker run loops"));
        product.wait_for_warm()?;
        loops.push(docker(&product, &program, clients, length)?);
    }
    let value =
        json!({"machine": facts, "seconds": seconds, "saferun": points, "docker_run": loops});
    show::line(&table(&value));
    raw::write(out, "load", &value)
}

/// One client's account.
#[derive(Default)]
struct Client {
    runs: u64,
    times: Vec<f64>,
    busy: u64,
    errors: Vec<String>,
}

fn ours(product: &Product, program: &Program, clients: usize, length: Duration) -> Result<Value> {
    let before = product.hits_and_misses()?;
    let cpu = Cpu::read(product)?;
    let began = Instant::now();
    let path = socket_path()?;
    let accounts: Vec<Client> = product.runtime.block_on(async {
        let mut tasks = Vec::new();
        for _ in 0..clients {
            let client = connect(&path).await?;
            let program = program.clone();
            tasks.push(tokio::spawn(async move {
                let mut account = Client::default();
                while began.elapsed() < length {
                    let start = Instant::now();
                    match client.run(request(&program, "runc")).await {
                        Ok(result)
                            if result.status == Outcome::Completed && result.stdout == "hi\n" =>
                        {
                            account.runs += 1;
                            account.times.push(start.elapsed().as_secs_f64() * 1000.0);
                        }
                        Ok(result) => account.errors.push(result.message),
                        Err(error)
                            if error.to_string().contains(&Code::Busy.number().to_string()) =>
                        {
                            account.busy += 1;
                            tokio::time::sleep(Duration::from_millis(50)).await;
                        }
                        Err(error) => account.errors.push(error.to_string()),
                    }
                }
                account
            }));
        }
        let mut accounts = Vec::new();
        for task in tasks {
            accounts.push(task.await?);
        }
        anyhow::Ok(accounts)
    })?;
    let took = began.elapsed().as_secs_f64();
    let used = Cpu::read(product)?.since(cpu);
    let after = product.hits_and_misses()?;
    let (hits, misses) = (after.0 - before.0, after.1 - before.1);
    let runs: u64 = accounts.iter().map(|client| client.runs).sum();
    ensure!(
        runs > 0,
        "no run at all with {clients} clients: {:?}",
        accounts[0].errors
    );
    let each: Vec<f64> = accounts
        .iter()
        .map(|client| ratio(client.runs, 1))
        .collect();
    let mut errors: Vec<String> = accounts
        .iter()
        .flat_map(|client| client.errors.clone())
        .collect();
    let failed = errors.len();
    errors.sort();
    errors.dedup();
    errors.truncate(5);
    Ok(json!({
        "clients": clients, "runs": runs, "per_second": ratio(runs, 1) / took,
        "hits": hits, "misses": misses, "busy": accounts.iter().map(|client| client.busy).sum::<u64>(),
        "failed": failed, "errors": errors,
        "milliseconds": accounts.iter().flat_map(|client| client.times.clone()).collect::<Vec<_>>(),
        "runs_of_each_client": each,
        "cpu_ms_per_run": used.machine / ratio(runs, 1), "daemon_cpu_ms_per_run": used.daemon / ratio(runs, 1),
    }))
}

fn docker(product: &Product, program: &Program, loops: usize, length: Duration) -> Result<Value> {
    let stop = AtomicBool::new(false);
    let runs = AtomicU64::new(0);
    let failure = Mutex::new(None);
    let cpu = Cpu::read(product)?;
    let began = Instant::now();
    thread::scope(|scope| {
        for _ in 0..loops {
            scope.spawn(|| {
                while began.elapsed() < length && !stop.load(Ordering::Relaxed) {
                    let output = Command::new("docker")
                        .args(["-H", &product.engine, "run", "--rm"])
                        .args(hardening())
                        .args(["--entrypoint", "/usr/bin/python3", &product.image, "-c"])
                        .arg(&program.source)
                        .stdin(Stdio::null())
                        .output();
                    match output {
                        Ok(output) if output.stdout == program.output => {
                            runs.fetch_add(1, Ordering::Relaxed);
                        }
                        other => {
                            stop.store(true, Ordering::Relaxed);
                            if let Ok(mut failure) = failure.lock() {
                                *failure = Some(format!("{other:?}"));
                            }
                        }
                    }
                }
            });
        }
    });
    let took = began.elapsed().as_secs_f64();
    let used = Cpu::read(product)?.since(cpu);
    let failure = failure.into_inner().unwrap_or_default();
    ensure!(failure.is_none(), "docker run failed: {failure:?}");
    let runs = runs.into_inner();
    Ok(json!({
        "clients": loops, "runs": runs, "per_second": ratio(runs, 1) / took,
        "cpu_ms_per_run": used.machine / ratio(runs, 1),
    }))
}

/// CPU time so far, in milliseconds.
#[derive(Clone, Copy)]
struct Cpu {
    machine: f64,
    daemon: f64,
}

impl Cpu {
    /// From `/proc/stat` and `/proc/PID/stat`, see proc(5); a clock tick is 10 ms on Linux.
    fn read(product: &Product) -> Result<Self> {
        let tick = 10.0;
        let stat = std::fs::read_to_string("/proc/stat")?;
        let fields: Vec<f64> = stat
            .lines()
            .next()
            .unwrap_or_default()
            .split_whitespace()
            .skip(1)
            .filter_map(|field| field.parse().ok())
            .collect();
        // user, nice, system, then idle and iowait, which are left out; irq, softirq.
        let busy: f64 = [0, 1, 2, 5, 6]
            .iter()
            .filter_map(|index| fields.get(*index))
            .sum();
        let pid = product.status()?.daemon.pid;
        let own = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
        let after_name = own.rsplit_once(')').map_or("", |(_, rest)| rest);
        let own: f64 = after_name
            .split_whitespace()
            .skip(11)
            .take(2)
            .filter_map(|field| field.parse::<f64>().ok())
            .sum();
        Ok(Self {
            machine: busy * tick,
            daemon: own * tick,
        })
    }

    fn since(self, before: Self) -> Self {
        Self {
            machine: self.machine - before.machine,
            daemon: self.daemon - before.daemon,
        }
    }
}

/// The table of both, from the raw samples.
pub(crate) fn table(value: &Value) -> String {
    let number = |value: &Value| value.as_f64().unwrap_or(f64::NAN);
    let list = |name: &str| value[name].as_array().cloned().unwrap_or_default();
    let best = list("docker_run")
        .iter()
        .map(|point| number(&point["per_second"]))
        .fold(f64::NAN, f64::max);
    let mut rows = Vec::new();
    for point in list("saferun") {
        let times = raw::numbers(&point["milliseconds"]);
        let each = raw::numbers(&point["runs_of_each_client"]);
        let hits = number(&point["hits"]);
        let same = list("docker_run")
            .iter()
            .find(|other| other["clients"] == point["clients"])
            .map(|other| number(&point["per_second"]) / number(&other["per_second"]));
        rows.push(vec![
            format!("SafeRun, {} clients", point["clients"]),
            format!("{:.1}", number(&point["per_second"])),
            same.map_or_else(|| "–".to_owned(), |same| format!("{same:.2}")),
            format!("{:.2}", number(&point["per_second"]) / best),
            format!("{:.1}", median(&times)),
            format!("{:.1}", quantile(&times, 99)),
            format!(
                "{:.0} in 100",
                100.0 * hits / (hits + number(&point["misses"]))
            ),
            format!("{} / {}", point["failed"], point["busy"]),
            format!(
                "{:.0} to {:.0}",
                each.iter().copied().fold(f64::NAN, f64::min),
                each.iter().copied().fold(f64::NAN, f64::max)
            ),
            format!(
                "{:.0} ({:.1})",
                number(&point["cpu_ms_per_run"]),
                number(&point["daemon_cpu_ms_per_run"])
            ),
        ]);
    }
    for point in list("docker_run") {
        let mut row = vec![
            format!("`docker run`, {} loops", point["clients"]),
            format!("{:.1}", number(&point["per_second"])),
            "1".to_owned(),
            format!("{:.2}", number(&point["per_second"]) / best),
        ];
        row.extend(["", "", "", "", ""].map(str::to_owned));
        row.push(format!("{:.0}", number(&point["cpu_ms_per_run"])));
        rows.push(row);
    }
    show::markdown(
        &[
            "load",
            "runs/s",
            "x docker, same clients",
            "x docker's best",
            "p50 ms",
            "p99 ms",
            "warm hits",
            "failed / told to wait",
            "runs of each client",
            "CPU ms per run (daemon's)",
        ],
        &rows,
    )
}
