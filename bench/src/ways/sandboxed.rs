//! Ways through the container engine: ours, `docker run` with the same flags, `docker exec`.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

use anyhow::{Result, ensure};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use saferun_protocol::{Outcome, RunRequest};

use super::{Way, script, timed};
use crate::{product::Product, programs::Program};

/// Output that our runs are allowed, so that none of the programs is cut.
const OUTPUT: u64 = 16 * 1024 * 1024;

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

fn rpc_once(product: &Product, program: &Program, request: RunRequest) -> Result<f64> {
    let began = Instant::now();
    let result = product.run(request)?;
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
    Ok(milliseconds)
}

impl Way for Rpc {
    fn measure(&mut self, product: &Product, program: &Program) -> Result<f64> {
        rpc_once(product, program, request(program, self.0))
    }

    fn pooled(&self) -> bool {
        true
    }
}

/// A class of containers that nobody asked for before, in each run another one.
struct NewClass {
    /// Tighter than the warm class, so that a warm container is lent and tightened; else a cold start.
    lent: bool,
    asked: u64,
}

/// A run under a tighter memory limit than that of any warm container.
pub(super) fn tightened() -> Box<dyn Way> {
    Box::new(NewClass {
        lent: true,
        asked: 0,
    })
}

/// A run in a class that no warm container can serve.
pub(super) fn cold() -> Box<dyn Way> {
    Box::new(NewClass {
        lent: false,
        asked: 0,
    })
}

impl Way for NewClass {
    fn measure(&mut self, product: &Product, program: &Program) -> Result<f64> {
        self.asked += 1;
        let pages = self.asked * 4096;
        let mut request = request(program, "runc");
        request.limits.memory_bytes = Some(if self.lent {
            (200 << 20) - pages
        } else {
            (300 << 20) + pages
        });
        rpc_once(product, program, request)
    }

    fn pooled(&self) -> bool {
        self.lent
    }
}

struct Cli(PathBuf);

pub(super) fn cli(scratch: &Path) -> Box<dyn Way> {
    Box::new(Cli(scratch.to_owned()))
}

impl Way for Cli {
    fn measure(&mut self, product: &Product, program: &Program) -> Result<f64> {
        let mut command = Command::new(&product.cli);
        command
            .args(["run", "-q", "--max-output", &format!("{}MiB", OUTPUT >> 20)])
            .arg(script(&self.0, program)?);
        timed(&mut command, program)
    }

    fn pooled(&self) -> bool {
        true
    }
}

/// The flags that give a `docker run` what a SafeRun container has.
pub(crate) fn hardening() -> Vec<String> {
    let mut flags: Vec<String> = [
        "--network none --read-only --memory 256m --memory-swap 256m --cpus 1 --pids-limit 64",
        "--cap-drop ALL --security-opt no-new-privileges --ipc private --log-driver none",
        "--user 890255:890255",
    ]
    .iter()
    .flat_map(|part| part.split(' '))
    .map(str::to_owned)
    .collect();
    for mount in ["/tmp", "/workspace", "/out", "/home/sandbox"] {
        flags.push("--tmpfs".to_owned());
        flags.push(format!("{mount}:size=64m,nosuid,nodev,noexec"));
    }
    flags
}

struct DockerRun {
    engine: String,
    image: String,
    data: Option<String>,
}

pub(super) fn docker_run(product: &Product) -> Box<dyn Way> {
    Box::new(DockerRun {
        engine: product.engine.clone(),
        image: product.image.clone(),
        data: product.data.clone(),
    })
}

impl Way for DockerRun {
    fn measure(&mut self, _: &Product, program: &Program) -> Result<f64> {
        let image = match &self.data {
            Some(data) if program.packages => data,
            _ => &self.image,
        };
        let mut command = Command::new("docker");
        command.args(["-H", &self.engine, "run", "--rm"]);
        command.args(hardening());
        command.args(["--entrypoint", "/usr/bin/python3", image, "-c"]);
        command.arg(&program.source);
        timed(&mut command, program)
    }
}

struct DockerExec {
    engine: String,
    container: String,
}

pub(super) fn docker_exec(product: &Product) -> Result<Box<dyn Way>, String> {
    let mut command = Command::new("docker");
    command.args(["-H", &product.engine, "run", "-d", "--rm"]);
    command.args(hardening());
    command.args(["--entrypoint", "/usr/bin/python3", &product.image, "-c"]);
    command.arg("import time; time.sleep(86400)");
    let output = command.output().map_err(|error| error.to_string())?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).trim().to_owned());
    }
    Ok(Box::new(DockerExec {
        engine: product.engine.clone(),
        container: String::from_utf8_lossy(&output.stdout).trim().to_owned(),
    }))
}

impl Way for DockerExec {
    fn measure(&mut self, _: &Product, program: &Program) -> Result<f64> {
        let mut command = Command::new("docker");
        command.args(["-H", &self.engine, "exec", &self.container]);
        command.args(["/usr/bin/python3", "-c", &program.source]);
        timed(&mut command, program)
    }
}

impl Drop for DockerExec {
    fn drop(&mut self) {
        let _ = Command::new("docker")
            .args(["-H", &self.engine, "rm", "-f", &self.container])
            .output();
    }
}
