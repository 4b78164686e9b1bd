//! A daemon of a benchmark's own, on a private socket and state folder: what a part does to its pool or sets in its
//! policy is in no other part's figures.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use saferun_protocol::{ApiClient, Client, Outcome, RunRequest, RunResult, connect};
use tokio::runtime::Runtime;

use crate::product::is_quiet;

const DEADLINE: Duration = Duration::from_secs(60);

/// A running daemon; it is shut down, and its containers are removed, when this is dropped.
pub(crate) struct Daemon {
    child: Child,
    folder: tempfile::TempDir,
    /// For calls from threads that are not asynchronous.
    pub(crate) runtime: Runtime,
    /// When its process was started.
    pub(crate) began: Instant,
}

impl Daemon {
    /// Starts one that keeps so many containers of the default policy warm, with settings of the environment.
    pub(crate) fn start(
        bin: &Path,
        engine: &str,
        pool: u32,
        settings: &[(&str, &str)],
    ) -> Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("saferun-bench-")
            .tempdir()?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()?;
        let began = Instant::now();
        let child = Command::new(bin.join("saferund"))
            .env("SAFERUN_SOCKET", folder.path().join("s.sock"))
            .env(
                "SAFERUN_STATE_DIR",
                folder.path().canonicalize()?.join("state"),
            )
            .env("SAFERUN_ENGINE", engine)
            .env("SAFERUN_POOL_SIZE", pool.to_string())
            .envs(settings.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("saferund does not start")?;
        Ok(Self {
            child,
            folder,
            runtime,
            began,
        })
    }

    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Where it listens.
    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.path().join("s.sock")
    }

    /// A connection, as soon as it listens.
    pub(crate) fn connect(&self) -> Result<Client> {
        let deadline = Instant::now() + DEADLINE;
        loop {
            match self.runtime.block_on(connect(&self.socket())) {
                Ok(client) => return Ok(client),
                Err(error) => ensure!(Instant::now() < deadline, "no daemon: {error}"),
            }
            self.nap(Duration::from_millis(1));
        }
    }

    /// Waits.
    pub(crate) fn nap(&self, time: Duration) {
        self.runtime
            .block_on(async { tokio::time::sleep(time).await });
    }

    /// Runs to the end, which has to be the ordinary one.
    pub(crate) fn run(&self, client: &Client, request: RunRequest) -> Result<RunResult> {
        let result = self.runtime.block_on(client.run(request))?;
        ensure!(result.status == Outcome::Completed, "{}", result.message);
        Ok(result)
    }

    /// Waits until so many containers are warm and none is on its way in or out.
    pub(crate) fn wait_for_warm(&self, count: u32) -> Result<()> {
        let client = self.connect()?;
        let deadline = Instant::now() + DEADLINE;
        loop {
            let pools = self.runtime.block_on(client.status())?.pools;
            let warm: u32 = pools.iter().map(|pool| pool.warm).sum();
            if warm >= count && pools.iter().all(is_quiet) {
                return Ok(());
            }
            ensure!(
                Instant::now() < deadline,
                "the pool did not fill: {pools:?}"
            );
            self.nap(Duration::from_millis(1));
        }
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
            self.nap(Duration::from_millis(1));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
