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

use crate::{
    product::Product,
    programs::{self, Program},
};

pub(crate) use sandboxed::request;

/// One run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sample {
    /// Until all of its output was there and it had ended.
    pub(crate) milliseconds: f64,
    /// Whether it found a warm container; `None` in a way that has no pool.
    pub(crate) warm: Option<bool>,
}

/// What a way has to find in the pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expected {
    /// It has no pool.
    Nothing,
    /// A warm container: a run without one is another measurement.
    Hit,
    /// No warm container, on purpose.
    Miss,
}

/// One way.
pub(crate) trait Way {
    /// Runs the program once.
    fn measure(&mut self, product: &Product, program: &Program) -> Result<Sample>;

    /// What it has to find in the pool.
    fn expected(&self) -> Expected {
        Expected::Nothing
    }
}

/// What all ways share: folders, and what others have to be given to do the same.
pub(crate) struct Given<'a> {
    /// Folder for scripts.
    pub(crate) scratch: &'a Path,
    /// Folder of the peers.
    pub(crate) peers: Option<&'a Path>,
    /// Where the host has the wheels of the image `python-data`.
    pub(crate) packages: Option<&'a Path>,
    /// Flags that give a `docker run` what a container of ours has.
    pub(crate) flags: &'a [String],
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

/// All ways.
pub(crate) fn all(product: &Product, given: &Given<'_>) -> Vec<Entry> {
    let entry = |key, name, way| Entry { key, name, way };
    let missing = || Err("its peers were not installed (scripts/bench-peers.sh)".to_owned());
    vec![
        entry(
            BARE,
            "bare `python3` on the host",
            Ok(local::bare(given.scratch, given.packages)),
        ),
        entry(
            "rpc",
            "SafeRun, RPC on an open connection",
            Ok(sandboxed::rpc("runc")),
        ),
        entry(
            "cli",
            "`saferunctl run`, whole process",
            Ok(sandboxed::cli(given.scratch)),
        ),
        entry(
            "tightened",
            "RPC, a warm container tightened",
            Ok(sandboxed::tightened()),
        ),
        entry("cold", "RPC, no warm container", Ok(sandboxed::cold())),
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
            Ok(sandboxed::docker_run(product, given)),
        ),
        entry(
            "docker-exec",
            "`docker exec` into a warm container",
            sandboxed::docker_exec(product, given.flags),
        ),
        entry(
            "bwrap",
            "bubblewrap",
            local::bubblewrap(given.scratch, given.packages),
        ),
        entry(
            "llm-sandbox",
            "llm-sandbox (docker backend), a session for each run",
            given
                .peers
                .map_or_else(missing, |peers| peers::llm_sandbox(peers, product)),
        ),
        entry(
            "srt",
            "sandbox-runtime (`srt`)",
            given
                .peers
                .map_or_else(missing, |peers| peers::sandbox_runtime(peers, given)),
        ),
    ]
}

/// A run that has no pool.
fn unpooled(milliseconds: f64) -> Sample {
    Sample {
        milliseconds,
        warm: None,
    }
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

/// Writes the program where a way can name it, under a name that hides no module which it imports. One with a project
/// lies inside it, without what a run before left there.
fn script(scratch: &Path, program: &Program) -> Result<PathBuf> {
    let folder = if program.project {
        programs::clean(scratch)?;
        programs::project(scratch)?
    } else {
        scratch.to_owned()
    };
    let path = folder.join(format!("program-{}.py", program.name));
    if !path.exists() {
        std::fs::write(&path, &program.source)?;
    }
    Ok(path)
}

fn found(name: &str) -> bool {
    std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join(name).is_file()))
}
