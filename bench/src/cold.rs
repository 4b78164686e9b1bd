//! What is not a warm hit: the first run of a new daemon, a burst on a pool that is too small, a refill,
//! and what all that waits costs in memory. Starts daemons of its own, on private sockets.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use saferun_protocol::{ApiClient, Client, Outcome, RunRequest, Status, connect};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::{machine, product::Product, raw, show, stats::median};

/// Runs at once in the burst.
const BURST: usize = 16;
/// Warm containers whose memory is measured.
const WARM: u32 = 16;
const DEADLINE: Duration = Duration::from_secs(60);

/// Measures, prints the table, writes the raw samples.
pub(crate) fn cold(bin: &Path, out: &Path, rounds: usize) -> Result<()> {
    let product = Product::prepare(bin)?;
    let facts = machine::facts(&product.engine_version);
    show::line(&machine::describe(&facts));
    let (mut first, mut burst_p50, mut burst_last, mut refill) = (vec![], vec![], vec![], vec![]);
    let (mut idle, mut each) = (vec![], vec![]);
    for round in 0..rounds {
        show::progress(&format!("round {round} of {rounds}"));
        let daemon = Daemon::start(bin, &product.engine, 0)?;
        first.push(daemon.first_run()?);
        drop(daemon);

        let mut daemon = Daemon::start(bin, &product.engine, 4)?;
        daemon.wait_for_warm(4)?;
        let mut times = daemon.burst(BURST)?;
        times.sort_by(f64::total_cmp);
        burst_p50.push(median(&times));
        burst_last.extend(times.last().copied());
        daemon.wait_for_warm(4)?;
        refill.push(daemon.refill()?);
        idle.push(daemon.resident_mb()?);
        drop(daemon);

        let before = available_mb()?;
        let daemon = Daemon::start(bin, &product.engine, WARM)?;
        daemon.wait_for_warm(WARM)?;
        each.push((before - available_mb()?) / f64::from(WARM));
    }
    let value = json!({
        "machine": facts, "rounds": rounds, "burst": BURST, "warm": WARM,
        "first_run_ms": first, "burst_p50_ms": burst_p50, "burst_last_ms": burst_last, "refill_ms": refill,
        "idle_daemon_mb": idle, "memory_per_warm_mb": each,
    });
    show::line(&table(&value));
    raw::write(out, "cold", &value)
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
        row("idle daemon, resident", "idle_daemon_mb", "MB"),
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
    show::markdown(&["what", "median"], &rows)
}

/// A daemon of this benchmark's own.
struct Daemon {
    child: Child,
    folder: tempfile::TempDir,
    runtime: Runtime,
    began: Instant,
}

impl Daemon {
    fn start(bin: &Path, engine: &str, pool: u32) -> Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("saferun-bench-")
            .tempdir()?;
        let began = Instant::now();
        let child = Command::new(bin.join("saferund"))
            .env("SAFERUN_SOCKET", folder.path().join("s.sock"))
            .env(
                "SAFERUN_STATE_DIR",
                folder.path().canonicalize()?.join("state"),
            )
            .env("SAFERUN_ENGINE", engine)
            .env("SAFERUN_POOL_SIZE", pool.to_string())
            .env("SAFERUN_MAX_CONTAINERS", "40")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("saferund does not start")?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()?;
        Ok(Self {
            child,
            folder,
            runtime,
            began,
        })
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("s.sock")
    }

    fn connect(&self) -> Result<Client> {
        let deadline = Instant::now() + DEADLINE;
        loop {
            match self.runtime.block_on(connect(&self.socket())) {
                Ok(client) => return Ok(client),
                Err(error) => ensure!(Instant::now() < deadline, "no daemon: {error}"),
            }
            self.nap();
        }
    }

    fn nap(&self) {
        self.runtime
            .block_on(async { tokio::time::sleep(Duration::from_millis(1)).await });
    }

    fn status(&self, client: &Client) -> Result<Status> {
        Ok(self.runtime.block_on(client.status())?)
    }

    /// From the start of the process to the result of a run that had to wait for everything.
    fn first_run(&self) -> Result<f64> {
        let client = self.connect()?;
        let result = self
            .runtime
            .block_on(client.run(RunRequest::new("print('hi')\n")))?;
        ensure!(result.status == Outcome::Completed, "{}", result.message);
        Ok(self.began.elapsed().as_secs_f64() * 1000.0)
    }

    fn wait_for_warm(&self, count: u32) -> Result<()> {
        let client = self.connect()?;
        let deadline = Instant::now() + DEADLINE;
        loop {
            let pools = self.status(&client)?.pools;
            let warm: u32 = pools.iter().map(|pool| pool.warm).sum();
            let busy: u32 = pools
                .iter()
                .map(|pool| pool.leased + pool.removing + pool.starting)
                .sum();
            if warm >= count && busy == 0 {
                return Ok(());
            }
            ensure!(
                Instant::now() < deadline,
                "the pool did not fill: {pools:?}"
            );
            self.nap();
        }
    }

    fn burst(&self, count: usize) -> Result<Vec<f64>> {
        let socket = self.socket();
        self.runtime.block_on(async {
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
    fn refill(&self) -> Result<f64> {
        let client = self.connect()?;
        let result = self
            .runtime
            .block_on(client.run(RunRequest::new("print('hi')\n")))?;
        ensure!(result.status == Outcome::Completed, "{}", result.message);
        let began = Instant::now();
        self.wait_for_warm(4)?;
        Ok(began.elapsed().as_secs_f64() * 1000.0)
    }

    /// Resident memory of the process, in MB; see `VmRSS` in proc(5).
    fn resident_mb(&mut self) -> Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        kib(&status, "VmRSS:").map(|kib| kib / 1024.0)
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if let Ok(client) = self.runtime.block_on(connect(&self.socket())) {
            let _ = self.runtime.block_on(client.shutdown());
        }
        let deadline = Instant::now() + DEADLINE;
        while Instant::now() < deadline {
            if self.child.try_wait().is_ok_and(|status| status.is_some()) {
                return;
            }
            self.nap();
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn available_mb() -> Result<f64> {
    kib(&std::fs::read_to_string("/proc/meminfo")?, "MemAvailable:").map(|kib| kib / 1024.0)
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
