//! Ways through the container engine: ours, `docker run` with the same flags, `docker exec`.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

use anyhow::{Context, Result, ensure};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use saferun_protocol::{ApiClient, Outcome, RunRequest, RunResult};

use super::{Expected, Given, Sample, Way, script, timed, unpooled};
use crate::{daemon::Daemon, product::Product, programs::Program};

/// Output that our runs are allowed, so that none of the programs is cut.
const OUTPUT: u64 = 16 * 1024 * 1024;

/// Cold starts in one daemon, each in a class of its own: the daemon keeps one container of each class warm for ten
/// minutes, and with many of them a later start would wait until another is removed.
const COLD_IN_ONE_DAEMON: u64 = 8;

struct Rpc(&'static str);

pub(super) fn rpc(runtime: &'static str) -> Box<dyn Way> {
    Box::new(Rpc(runtime))
}

/// The request for a program.
pub(crate) fn request(program: &Program, runtime: &str) -> RunRequest {
    let mut request = RunRequest::new(program.source.clone());
    request.runtime = Some(runtime.to_owned());
    request.limits.output_bytes = Some(OUTPUT);
    request.artifacts = program.artifacts;
    request
}

/// The sample of a run that has ended, if it did what it should.
fn sample(began: Instant, program: &Program, result: &RunResult) -> Result<Sample> {
    let milliseconds = began.elapsed().as_secs_f64() * 1000.0;
    ensure!(
        result.status == Outcome::Completed && result.exit_code == Some(0),
        "{}: {}",
        result.message,
        result.stderr
    );
    match &result.stdout_base64 {
        Some(base64) => program.check(&STANDARD.decode(base64)?)?,
        None => program.check(result.stdout.as_bytes())?,
    }
    Ok(Sample {
        milliseconds,
        warm: Some(result.sandbox.warm),
    })
}

impl Way for Rpc {
    fn measure(&mut self, product: &Product, program: &Program) -> Result<Sample> {
        let request = request(program, self.0);
        let began = Instant::now();
        let result = product.run(request)?;
        sample(began, program, &result)
    }

    fn expected(&self) -> Expected {
        Expected::Hit
    }
}

/// A run under a tighter memory limit than that of any warm container, in each run another one.
struct Tightened(u64);

pub(super) fn tightened() -> Box<dyn Way> {
    Box::new(Tightened(0))
}

impl Way for Tightened {
    fn measure(&mut self, product: &Product, program: &Program) -> Result<Sample> {
        self.0 += 1;
        let mut request = request(program, "runc");
        request.limits.memory_bytes = Some((200 << 20) - self.0 * 4096);
        let began = Instant::now();
        let result = product.run(request)?;
        sample(began, program, &result)
    }

    fn expected(&self) -> Expected {
        Expected::Hit
    }
}

/// Runs in classes that nobody asked for before, in a daemon that keeps nothing warm for them.
#[derive(Default)]
struct Cold {
    daemon: Option<Daemon>,
    asked: u64,
}

pub(super) fn cold() -> Box<dyn Way> {
    Box::new(Cold::default())
}

impl Way for Cold {
    fn measure(&mut self, product: &Product, program: &Program) -> Result<Sample> {
        if self.asked.is_multiple_of(COLD_IN_ONE_DAEMON) {
            self.daemon = None;
            let daemon = Daemon::start(&product.bin, &product.engine, 0, &[])?;
            // Its first request finds the engine and the images.
            let client = daemon.connect()?;
            daemon.run(&client, RunRequest::new("print('hi')\n"))?;
            self.daemon = Some(daemon);
        }
        self.asked += 1;
        let daemon = self.daemon.as_ref().context("no daemon")?;
        daemon.wait_for_warm(0)?;
        let client = daemon.connect()?;
        let mut request = request(program, "runc");
        request.limits.memory_bytes = Some((300 << 20) + self.asked * 4096);
        let began = Instant::now();
        let result = daemon.runtime.block_on(client.run(request))?;
        let sample = sample(began, program, &result)?;
        daemon.wait_for_warm(0)?;
        Ok(sample)
    }

    fn expected(&self) -> Expected {
        Expected::Miss
    }
}

struct Cli(PathBuf);

pub(super) fn cli(scratch: &Path) -> Box<dyn Way> {
    Box::new(Cli(scratch.to_owned()))
}

impl Way for Cli {
    fn measure(&mut self, product: &Product, program: &Program) -> Result<Sample> {
        let script = script(&self.0, program)?;
        let mut command = Command::new(&product.cli);
        command.args(["run", "-q", "--max-output", &format!("{}MiB", OUTPUT >> 20)]);
        if let Some(project) = script.parent().filter(|_| program.project) {
            command.arg("--workspace").arg(project);
        }
        if program.artifacts {
            // What is there already is not written over.
            let out = tempfile::tempdir_in(&self.0)?;
            command.arg("--out").arg(out.keep());
        }
        command.arg(&script);
        let (milliseconds, warm) = product.counted(|| timed(&mut command, program))?;
        Ok(Sample {
            milliseconds,
            warm: Some(warm),
        })
    }

    fn expected(&self) -> Expected {
        Expected::Hit
    }
}

struct DockerRun {
    engine: String,
    image: String,
    data: Option<String>,
    flags: Vec<String>,
    scratch: PathBuf,
}

pub(super) fn docker_run(product: &Product, given: &Given<'_>) -> Box<dyn Way> {
    Box::new(DockerRun {
        engine: product.engine.clone(),
        image: product.image.clone(),
        data: product.data.clone(),
        flags: given.flags.to_vec(),
        scratch: given.scratch.to_owned(),
    })
}

impl Way for DockerRun {
    fn measure(&mut self, _: &Product, program: &Program) -> Result<Sample> {
        let image = match &self.data {
            Some(data) if program.packages => data,
            _ => &self.image,
        };
        let mut command = Command::new("docker");
        command.args(["-H", &self.engine, "run", "--rm"]);
        if program.project {
            let script = script(&self.scratch, program)?;
            let project = script.parent().context("a script without a folder")?;
            let workspace = "--tmpfs=/workspace:";
            let others = self
                .flags
                .iter()
                .filter(|flag| !flag.starts_with(workspace));
            command.args(others);
            command.arg(format!("--volume={}:/workspace", project.display()));
            command.args(["--workdir", "/workspace"]);
        } else {
            command.args(&self.flags);
        }
        command.args(["--entrypoint", "/usr/bin/python3", image, "-c"]);
        command.arg(&program.source);
        timed(&mut command, program).map(unpooled)
    }
}

struct DockerExec {
    engine: String,
    plain: String,
    data: Option<String>,
}

pub(super) fn docker_exec(product: &Product, flags: &[String]) -> Result<Box<dyn Way>, String> {
    let plain = sleeping(product, &product.image, flags)?;
    let mut way = DockerExec {
        engine: product.engine.clone(),
        plain,
        data: None,
    };
    if let Some(image) = &product.data {
        way.data = Some(sleeping(product, image, flags)?);
    }
    Ok(Box::new(way))
}

/// Starts a container that does nothing; its id.
fn sleeping(product: &Product, image: &str, flags: &[String]) -> Result<String, String> {
    let mut command = Command::new("docker");
    command.args(["-H", &product.engine, "run", "-d", "--rm"]);
    command.args(flags);
    command.args(["--entrypoint", "/usr/bin/python3", image, "-c"]);
    command.arg("import time; time.sleep(86400)");
    let output = command.output().map_err(|error| error.to_string())?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).trim().to_owned());
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

impl Way for DockerExec {
    fn measure(&mut self, _: &Product, program: &Program) -> Result<Sample> {
        let container = match &self.data {
            Some(data) if program.packages => data,
            _ => &self.plain,
        };
        let mut command = Command::new("docker");
        command.args(["-H", &self.engine, "exec", container]);
        command.args(["/usr/bin/python3", "-c", &program.source]);
        timed(&mut command, program).map(unpooled)
    }
}

impl Drop for DockerExec {
    fn drop(&mut self) {
        for container in [Some(&self.plain), self.data.as_ref()]
            .into_iter()
            .flatten()
        {
            let _ = Command::new("docker")
                .args(["-H", &self.engine, "rm", "-f", container])
                .output();
        }
    }
}
