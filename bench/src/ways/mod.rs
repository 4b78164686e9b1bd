//! The ways to run a program that are compared. Each checks that the output is right; a way that this
//! machine does not have says why, and its row says so.

mod local;
mod peers;
mod sandboxed;

use std::{
    io::Read,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Instant,
};

use anyhow::{Context, Result, ensure};

use crate::{product::Product, programs::Program};

pub(crate) use sandboxed::{hardening, request};

/// One way.
pub(crate) trait Way {
    /// Runs the program once; milliseconds until all of its output was there and it had ended.
    fn measure(&mut self, product: &Product, program: &Program) -> Result<f64>;

    /// Runs through our pool, so that a round has to wait until the pool is full.
    fn pooled(&self) -> bool {
        false
    }
}

/// A way with its names, or why it is not there.
pub(crate) struct Entry {
    /// Short name, for the command line and the raw data.
    pub(crate) key: &'static str,
    /// Name in tables.
    pub(crate) name: &'static str,
    /// The way, or why it cannot be measured here.
    pub(crate) way: Result<Box<dyn Way>, String>,
}

/// Short name of the way that the others are divided by.
pub(crate) const BARE: &str = "bare";
/// Short name of the way that divides the others.
pub(crate) const DOCKER: &str = "docker-run";

/// Short names of the ways that are somebody else's.
pub(crate) const PEERS: [&str; 4] = ["docker-exec", "bwrap", "llm-sandbox", "srt"];

/// All ways, in the order of a round.
pub(crate) fn all(
    product: &Product,
    scratch: &Path,
    peers: Option<&Path>,
    packages: Option<&Path>,
) -> Vec<Entry> {
    let entry = |key, name, way| Entry { key, name, way };
    let missing = || Err("its peers were not installed (scripts/bench-peers.sh)".to_owned());
    vec![
        entry(
            BARE,
            "bare `python3` on the host",
            Ok(local::bare(scratch, packages)),
        ),
        entry(
            "rpc",
            "SafeRun, RPC on an open connection",
            Ok(sandboxed::rpc("runc")),
        ),
        entry(
            "cli",
            "`saferunctl run`, whole process",
            Ok(sandboxed::cli(scratch)),
        ),
        entry(
            "tightened",
            "the same, a warm container tightened",
            Ok(sandboxed::tightened()),
        ),
        entry("cold", "the same, no warm container", Ok(sandboxed::cold())),
        entry(
            "rpc-gvisor",
            "SafeRun in gVisor, RPC",
            if product.gvisor {
                Ok(sandboxed::rpc("runsc"))
            } else {
                Err("the engine has no runtime called runsc".to_owned())
            },
        ),
        entry(
            DOCKER,
            "`docker run`, same flags",
            Ok(sandboxed::docker_run(product)),
        ),
        entry(
            "docker-exec",
            "`docker exec` into a warm container",
            sandboxed::docker_exec(product),
        ),
        entry("bwrap", "bubblewrap", local::bubblewrap(scratch)),
        entry(
            "llm-sandbox",
            "llm-sandbox (docker backend), one session",
            peers.map_or_else(missing, |peers| peers::llm_sandbox(peers, product)),
        ),
        entry(
            "srt",
            "sandbox-runtime (`srt`)",
            peers.map_or_else(missing, |peers| peers::sandbox_runtime(peers, scratch)),
        ),
    ]
}

/// Times a whole process whose output goes through a pipe.
pub(crate) fn timed(command: &mut Command, program: &Program) -> Result<f64> {
    let began = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("{command:?} does not start"))?;
    let mut output = Vec::new();
    if let Some(stdout) = child.stdout.as_mut() {
        stdout.read_to_end(&mut output)?;
    }
    let status = child.wait()?;
    let milliseconds = began.elapsed().as_secs_f64() * 1000.0;
    let mut said = String::new();
    if let Some(stderr) = child.stderr.as_mut() {
        // What a process that has ended left in the pipe.
        let _ = stderr.take(4096).read_to_string(&mut said);
    }
    ensure!(status.success(), "{command:?} ended with {status}: {said}");
    program.check(&output)?;
    Ok(milliseconds)
}

/// Writes the program where a way can name it, under a name that hides no module which it imports.
fn script(scratch: &Path, program: &Program) -> Result<PathBuf> {
    let path = scratch.join(format!("program-{}.py", program.name));
    if !path.exists() {
        std::fs::write(&path, &program.source)?;
    }
    Ok(path)
}

fn found(name: &str) -> bool {
    std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join(name).is_file()))
}
