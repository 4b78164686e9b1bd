//! What is not a warm hit: the first run of a new daemon, a burst on a pool that is too small, a refill, and what all
//! that waits costs in memory and wake-ups. Starts daemons of its own.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use saferun_protocol::{ApiClient, Outcome, RunRequest, connect};
use serde_json::{Value, json};

use crate::{
    daemon::Daemon,
    machine,
    plan::Plan,
    product::Product,
    raw, show,
    stats::{median, ratio},
};

/// Runs at once in the burst.
const BURST: usize = 16;
/// Warm containers before the burst, and while the daemon is idle.
const POOL: u32 = 4;
/// Warm containers whose memory is measured.
const WARM: u32 = 16;
/// From the last run to where the daemon is taken for idle.
const UNTIL_IDLE: Duration = Duration::from_secs(5);
const IDLE: Duration = Duration::from_secs(60);
const QUICK_IDLE: Duration = Duration::from_secs(3);

/// Measures, prints the table, writes the raw samples.
pub(crate) fn cold(plan: &Plan, rounds: usize) -> Result<()> {
    let product = Product::prepare(&plan.bin)?;
    let facts = machine::facts(&product.engine_version);
    show::line(&machine::describe(&facts));
    let start = |pool| {
        product.wait_for_quiet()?;
        Daemon::start(
            &plan.bin,
            &product.engine,
            pool,
            &[("SAFERUN_MAX_CONTAINERS", "40")],
        )
    };
    let (mut first, mut burst_p50, mut burst_last, mut refill) = (vec![], vec![], vec![], vec![]);
    let mut each = vec![];
    let mut idle = Value::Null;
    for round in 0..rounds {
        show::progress(&format!("round {} of {rounds}", round + 1));
        let daemon = start(0)?;
        first.push(first_run(&daemon)?);
        drop(daemon);

        let daemon = start(POOL)?;
        daemon.wait_for_warm(POOL)?;
        let mut times = burst(&daemon, BURST)?;
        times.sort_by(f64::total_cmp);
        burst_p50.push(median(&times));
        burst_last.extend(times.last().copied());
        daemon.wait_for_warm(POOL)?;
        refill.push(refilled(&daemon)?);
        if round == 0 {
            show::progress("the daemon rests");
            daemon.nap(UNTIL_IDLE);
            idle = rest(&daemon, if plan.quick { QUICK_IDLE } else { IDLE })?;
        }
        drop(daemon);

        let before = available_mb()?;
        let daemon = start(WARM)?;
        daemon.wait_for_warm(WARM)?;
        each.push((before - available_mb()?) / f64::from(WARM));
    }
    let value = json!({
        "machine": facts, "rounds": rounds, "burst": BURST, "warm": WARM,
        "first_run_ms": first, "burst_p50_ms": burst_p50, "burst_last_ms": burst_last, "refill_ms": refill,
        "idle": idle, "memory_per_warm_mb": each,
    });
    show::line(&table(&value));
    raw::write(plan, "cold", &value)
}

/// The table, from the raw samples.
pub(crate) fn table(value: &Value) -> String {
    let row = |what: &str, key: &str, unit: &str| {
        vec![
            what.to_owned(),
            format!("{:.1} {unit}", median(&raw::numbers(&value[key]))),
        ]
    };
    let each = median(&raw::numbers(&value["memory_per_warm_mb"]));
    let mut rows = vec![
        row(
            "start of a daemon without a pool to the end of its first run",
            "first_run_ms",
            "ms",
        ),
        row(
            "16 runs at once on 4 warm containers: p50",
            "burst_p50_ms",
            "ms",
        ),
        row("the same: the last one", "burst_last_ms", "ms"),
        row(
            "refill: from a run's end until a new container is warm",
            "refill_ms",
            "ms",
        ),
        row(
            "one warm container, its shim and the engine's share",
            "memory_per_warm_mb",
            "MB",
        ),
    ];
    rows.push(vec![
        "warm containers that 24 GiB would hold, by that figure".to_owned(),
        format!("{:.0}", 24.0 * 1024.0 / each),
    ]);
    let idle = &value["idle"];
    rows.push(vec![
        "idle daemon with four warm containers, resident".to_owned(),
        format!("{:.1} MB", idle["resident_mb"].as_f64().unwrap_or(f64::NAN)),
    ]);
    rows.push(vec![
        "of it memory of its own; the rest are pages of its program and libraries, which the kernel can take back".to_owned(),
        format!("{:.1} MB", idle["own_mb"].as_f64().unwrap_or(f64::NAN)),
    ]);
    rows.push(vec![
        format!(
            "the same: wake-ups of all its threads in {} s",
            idle["seconds"]
        ),
        idle["wakeups"].to_string(),
    ]);
    show::markdown(&["what", "median"], &rows)
}

/// From the start of the process to the result of a run that had to wait for everything.
fn first_run(daemon: &Daemon) -> Result<f64> {
    let client = daemon.connect()?;
    daemon.run(&client, RunRequest::new("print('hi')\n"))?;
    Ok(daemon.began.elapsed().as_secs_f64() * 1000.0)
}

fn burst(daemon: &Daemon, count: usize) -> Result<Vec<f64>> {
    let socket = daemon.socket();
    daemon.runtime.block_on(async {
        let mut clients = Vec::new();
        for _ in 0..count {
            clients.push(connect(&socket).await?);
        }
        let began = Instant::now();
        let tasks: Vec<_> = clients
            .into_iter()
            .map(|client| {
                tokio::spawn(async move {
                    let result = client.run(RunRequest::new("print('hi')\n")).await?;
                    ensure!(result.status == Outcome::Completed, "{}", result.message);
                    Ok(began.elapsed().as_secs_f64() * 1000.0)
                })
            })
            .collect();
        let mut times = Vec::new();
        for task in tasks {
            times.push(task.await??);
        }
        Ok(times)
    })
}

/// From the end of one run until the pool is as full as before.
fn refilled(daemon: &Daemon) -> Result<f64> {
    let client = daemon.connect()?;
    daemon.run(&client, RunRequest::new("print('hi')\n"))?;
    let began = Instant::now();
    daemon.wait_for_warm(POOL)?;
    Ok(began.elapsed().as_secs_f64() * 1000.0)
}

/// What a daemon does and holds while nobody asks anything of it.
fn rest(daemon: &Daemon, time: Duration) -> Result<Value> {
    let folder = Path::new("/proc").join(daemon.pid().to_string());
    let before = switches(&folder)?;
    daemon.nap(time);
    let after = switches(&folder)?;
    // `VmRSS` and `RssAnon` in proc(5).
    let status = fs::read_to_string(folder.join("status"))?;
    let megabytes = |name| kib(&status, name).map(|kib| kib / 1024.0);
    Ok(json!({
        "seconds": time.as_secs(), "wakeups": after.saturating_sub(before), "resident_mb": megabytes("VmRSS:")?,
        "own_mb": megabytes("RssAnon:")?,
        "wakeups_per_minute": ratio(after.saturating_sub(before) * 60, time.as_secs()),
    }))
}

/// How often the threads of a process have gone to sleep, and so were woken.
fn switches(process: &Path) -> Result<u64> {
    let mut sum = 0;
    for thread in fs::read_dir(process.join("task"))? {
        let status = fs::read_to_string(thread?.path().join("status"))?;
        let count = status
            .lines()
            .find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"))
            .context("the kernel counts no switches")?;
        sum += count.trim().parse::<u64>()?;
    }
    Ok(sum)
}

fn available_mb() -> Result<f64> {
    kib(&fs::read_to_string("/proc/meminfo")?, "MemAvailable:").map(|kib| kib / 1024.0)
}

fn kib(text: &str, name: &str) -> Result<f64> {
    text.lines()
        .find_map(|line| {
            line.strip_prefix(name)?
                .split_whitespace()
                .next()?
                .parse()
                .ok()
        })
        .with_context(|| format!("no {name}"))
}
