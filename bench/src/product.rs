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

/// A running daemon and a connection to it.
pub(crate) struct Product {
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

    /// Leases that found a warm container, and those that did not, since the daemon's start.
    pub(crate) fn hits_and_misses(&self) -> Result<(u64, u64)> {
        let mut pools = self.status()?.pools;
        pools.retain(kept_warm);
        Ok((
            pools.iter().map(|pool| pool.hits).sum(),
            pools.iter().map(|pool| pool.misses).sum(),
        ))
    }

    /// Waits until every pool is full again and nothing is cleaned up, so that refilling is in
    /// nobody's figures.
    pub(crate) fn wait_for_warm(&self) -> Result<()> {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let pools = self.status()?.pools;
            let settled = |pool: &PoolStatus| {
                (pool.warm >= pool.target || !kept_warm(pool))
                    && pool.starting + pool.removing + pool.leased == 0
            };
            if pools.iter().any(|pool| pool.target > 0) && pools.iter().all(settled) {
                return Ok(());
            }
            ensure!(
                Instant::now() < deadline,
                "the pool did not fill within a minute: {pools:?}"
            );
            self.runtime
                .block_on(async { tokio::time::sleep(Duration::from_millis(5)).await });
        }
    }
}

/// Whether a pool's misses would spoil the figures. The classes that the cold starts ask for once miss on
/// purpose, and keep one container only as long as there is room.
fn kept_warm(pool: &PoolStatus) -> bool {
    pool.target > 1 || pool.key.contains("runsc")
}
