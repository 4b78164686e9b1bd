//! The product under measurement: its binaries, a connection, its pools. Starts the daemon if none runs.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use saferun_protocol::{
    ApiClient, Client, PoolStatus, RunRequest, RunResult, Status, connect, socket_path,
};
use tokio::runtime::Runtime;

use crate::engine::{Engine, Settings};

/// How long the machine is left alone once nothing is on its way: what the kernel still cleans up after a container.
const SETTLE: Duration = Duration::from_millis(20);

/// A running daemon and a connection to it.
pub(crate) struct Product {
    /// Folder of the binaries.
    pub(crate) bin: PathBuf,
    pub(crate) cli: PathBuf,
    pub(crate) image: String,
    /// The image with packages, where it is built.
    pub(crate) data: Option<String>,
    pub(crate) engine: String,
    pub(crate) engine_version: String,
    pub(crate) gvisor: bool,
    pub(crate) runtime: Runtime,
    pub(crate) client: Client,
}

impl Product {
    /// Finds the command line, makes it start the daemon, connects.
    pub(crate) fn prepare(bin: &Path) -> Result<Self> {
        let cli = bin
            .join("saferunctl")
            .canonicalize()
            .with_context(|| format!("{} has no saferunctl: run `make build`", bin.display()))?;
        let first = Command::new(&cli)
            .args(["run", "-q", "-c", "print('hi')"])
            .output()?;
        ensure!(
            first.status.success(),
            "the first run failed: {}",
            String::from_utf8_lossy(&first.stderr)
        );
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()?;
        let client = runtime.block_on(connect(&socket_path()?))?;
        let status = runtime.block_on(client.status())?;
        let image = |variant: &str| {
            let mut images = status.images.iter();
            let found = images.find(|image| image.current && image.variant == variant);
            found.and_then(|image| image.id.clone())
        };
        let plain = image("python").context("no current image: run `saferunctl image build`")?;
        Ok(Self {
            bin: bin.to_owned(),
            cli,
            image: plain,
            data: image("python-data"),
            engine: status.engine.address.clone(),
            engine_version: status.engine.version.clone().unwrap_or_default(),
            gvisor: status.engine.runtimes.iter().any(|name| name == "runsc"),
            runtime,
            client,
        })
    }

    /// The daemon's status.
    pub(crate) fn status(&self) -> Result<Status> {
        Ok(self.runtime.block_on(self.client.status())?)
    }

    /// Runs to the end on the open connection.
    pub(crate) fn run(&self, request: RunRequest) -> Result<RunResult> {
        Ok(self.runtime.block_on(self.client.run(request))?)
    }

    /// The settings that a container of ours has under the default policy, as the engine tells them.
    pub(crate) fn settings(&self) -> Result<Settings> {
        let engine = Engine::at(&self.engine)?;
        let mut seen = Err(anyhow::anyhow!("no run"));
        // A container goes soon after its run: it is asked for at once, and again if it was gone.
        for _ in 0..10 {
            let result = self.run(RunRequest::new("print('hi')\n"))?;
            seen = engine.inspect(&result.sandbox.container);
            if let Ok(seen) = &seen {
                return Ok(Settings::of(seen));
            }
        }
        seen.map(|seen| Settings::of(&seen))
    }

    /// Waits until every pool is full again and nothing is started or removed: that work is in nobody's figures.
    pub(crate) fn wait_for_quiet(&self) -> Result<()> {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let pools = self.status()?.pools;
            let some = pools.iter().any(|pool| pool.target > 0);
            if some && pools.iter().all(is_quiet) {
                self.nap(SETTLE);
                return Ok(());
            }
            ensure!(
                Instant::now() < deadline,
                "the pool did not fill within a minute: {pools:?}"
            );
            self.nap(Duration::from_millis(5));
        }
    }

    /// Does what makes one run, and says whether that found a warm container, which the command line does not tell.
    pub(crate) fn counted<T>(&self, run: impl FnOnce() -> Result<T>) -> Result<(T, bool)> {
        let before = hits_and_misses(&self.status()?);
        let done = run()?;
        let after = hits_and_misses(&self.status()?);
        let hits = after.0.saturating_sub(before.0);
        let misses = after.1.saturating_sub(before.1);
        ensure!(
            hits + misses == 1,
            "the pool lent {hits} warm and {misses} new containers for one run: another program uses this daemon"
        );
        Ok((done, hits == 1))
    }

    /// Waits.
    pub(crate) fn nap(&self, time: Duration) {
        self.runtime
            .block_on(async { tokio::time::sleep(time).await });
    }
}

/// Whether a pool is full, and nothing of it is in use, started or removed.
pub(crate) fn is_quiet(pool: &PoolStatus) -> bool {
    pool.warm >= pool.target && pool.starting + pool.removing + pool.leased == 0
}

/// Leases that found a warm container, and those that did not, of all pools since the daemon's start.
pub(crate) fn hits_and_misses(status: &Status) -> (u64, u64) {
    (
        status.pools.iter().map(|pool| pool.hits).sum(),
        status.pools.iter().map(|pool| pool.misses).sum(),
    )
}
