//! The ways to run `print('hi')` that are compared. Each checks that the output is right.

use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use saferun_protocol::{ApiClient, Client, RunRequest, connect, socket_path};
use tokio::runtime::Runtime;

pub(crate) const BARE: &str = "bare python3";
pub(crate) const DOCKER: &str = "docker run, same flags";
pub(crate) const RPC: &str = "RPC run, open connection";
pub(crate) const CLI: &str = "saferunctl run";
/// A tighter memory limit than any warm container's: one is lent, tightened and read back.
pub(crate) const LENT: &str = "RPC run, a warm container tightened";
/// A class that no warm container can serve.
pub(crate) const COLD: &str = "RPC run, cold start";
/// All of them, in the order of a round.
pub(crate) const SUBJECTS: [&str; 6] = [BARE, RPC, CLI, LENT, COLD, DOCKER];

const SOURCE: &str = "print('hi')\n";

/// Everything that the subjects need.
pub(crate) struct Subjects {
    cli: PathBuf,
    script: PathBuf,
    image: String,
    engine: String,
    runtime: Runtime,
    client: Client,
    /// Classes of containers asked for so far.
    classes: u64,
}

impl Subjects {
    /// Starts what is needed and finds the image.
    pub(crate) fn prepare(bin: &Path) -> Result<Self> {
        let cli = bin
            .join("saferunctl")
            .canonicalize()
            .context("saferunctl is not there")?;
        let script = env::temp_dir().join(format!("saferun-bench-{}.py", std::process::id()));
        std::fs::write(&script, SOURCE)?;
        // Starts the daemon if none runs.
        ensure!(
            Command::new(&cli)
                .args(["run", "-q"])
                .arg(&script)
                .output()?
                .status
                .success()
        );
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let client = runtime.block_on(connect(&socket_path()?))?;
        let status = runtime.block_on(client.status())?;
        let image = status
            .images
            .into_iter()
            .find(|image| image.current)
            .and_then(|image| image.id)
            .context("no current image: run `saferunctl image build`")?;
        let engine = status.engine.address;
        Ok(Self {
            cli,
            script,
            image,
            engine,
            runtime,
            client,
            classes: 0,
        })
    }

    /// Runs one subject once.
    pub(crate) fn measure(&mut self, subject: &str) -> Result<f64> {
        match subject {
            BARE => run(&mut self.bare()),
            DOCKER => run(&mut self.docker()),
            CLI => {
                self.wait_for_warm()?;
                let mut command = Command::new(&self.cli);
                command.args(["run", "-q"]).arg(&self.script);
                run(&mut command)
            }
            RPC => {
                self.wait_for_warm()?;
                self.rpc(RunRequest::new(SOURCE))
            }
            LENT | COLD => {
                self.wait_for_warm()?;
                // Another class each time: one that was asked for before may have a warm container of its own.
                self.classes += 1;
                let pages = self.classes * 4096;
                let (lent, cold) = ((200 << 20) - pages, (300 << 20) + pages);
                let mut request = RunRequest::new(SOURCE);
                request.limits.memory_bytes = Some(if subject == LENT { lent } else { cold });
                self.rpc(request)
            }
            other => bail!("no subject is called {other}"),
        }
    }

    fn rpc(&self, request: RunRequest) -> Result<f64> {
        let began = Instant::now();
        let result = self.runtime.block_on(self.client.run(request))?;
        let milliseconds = began.elapsed().as_secs_f64() * 1000.0;
        ensure!(result.stdout == "hi\n", "the run said {:?}", result.stdout);
        Ok(milliseconds)
    }

    /// Leases that found a warm container, and those that did not, since the daemon's start.
    pub(crate) fn hits_and_misses(&self) -> Result<(usize, usize)> {
        let mut pools = self.runtime.block_on(self.client.status())?.pools;
        // The classes of the cold starts miss on purpose.
        pools.retain(|pool| pool.target > 1);
        let hits = pools.iter().map(|pool| pool.hits).sum::<u64>();
        let misses = pools.iter().map(|pool| pool.misses).sum::<u64>();
        Ok((usize::try_from(hits)?, usize::try_from(misses)?))
    }

    fn bare(&self) -> Command {
        // The distribution's own interpreter, which is also the one in the image.
        let mut command = Command::new("/usr/bin/python3");
        command.arg(&self.script);
        command
    }

    fn docker(&self) -> Command {
        let mut command = Command::new("docker");
        command.args([
            "-H",
            &self.engine,
            "run",
            "--rm",
            "--network",
            "none",
            "--read-only",
        ]);
        command.args(["--memory", "256m", "--memory-swap", "256m", "--cpus", "1"]);
        command.args([
            "--pids-limit",
            "64",
            "--cap-drop",
            "ALL",
            "--security-opt",
            "no-new-privileges",
        ]);
        command.args([
            "--ipc",
            "private",
            "--log-driver",
            "none",
            "--user",
            "890255:890255",
        ]);
        for mount in ["/tmp", "/workspace", "/out", "/home/sandbox"] {
            command.args(["--tmpfs", &format!("{mount}:size=64m,nosuid,nodev,noexec")]);
        }
        command.args([
            "--entrypoint",
            "/usr/bin/python3",
            &self.image,
            "-c",
            "print('hi')",
        ]);
        command
    }

    /// Waits until the pool is full again, so that its refilling is in nobody's figures.
    fn wait_for_warm(&self) -> Result<()> {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let pools = self.runtime.block_on(self.client.status())?.pools;
            // Classes that were asked for once keep one container, as long as there is room.
            let settled = |pool: &saferun_protocol::PoolStatus| {
                (pool.warm >= pool.target || pool.target == 1)
                    && pool.starting == 0
                    && pool.removing == 0
                    && pool.leased == 0
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

impl Drop for Subjects {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.script);
    }
}

/// Times a whole process.
fn run(command: &mut Command) -> Result<f64> {
    let began = Instant::now();
    let output = command.stdin(Stdio::null()).output()?;
    let milliseconds = began.elapsed().as_secs_f64() * 1000.0;
    ensure!(
        output.status.success() && output.stdout == b"hi\n",
        "{command:?} ended with {}: {}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(milliseconds)
}
