//! Tools of the same kind: llm-sandbox (PyPI) and sandbox-runtime (npm), driven as their documentation
//! shows. `scripts/bench-peers.sh` installs them into a folder of their own.

use std::{
    io::{BufRead, BufReader, Write},
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::{Given, Sample, Way, found, script, timed, unpooled};
use crate::{product::Product, programs::Program};

/// What a container of that image does until it is killed.
const COMMAND: &str = r#"CMD ["/usr/bin/python3", "-c", "import time; time.sleep(86400)"]"#;
const IMAGE: &str = "saferun-bench-peer:latest";

struct LlmSandbox {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    engine: String,
}

/// One process that serves all rounds, over our image with its entry point taken away.
pub(super) fn llm_sandbox(peers: &Path, product: &Product) -> Result<Box<dyn Way>, String> {
    start_llm_sandbox(peers, product)
        .map(|way| Box::new(way) as Box<dyn Way>)
        .map_err(|error| format!("{error:#}"))
}

fn start_llm_sandbox(peers: &Path, product: &Product) -> Result<LlmSandbox> {
    let python = peers.join("venv/bin/python");
    ensure!(python.is_file(), "{} is not there", python.display());
    copy_image(product)?;
    let mut child = Command::new(python)
        .arg("bench/peers/llm_sandbox_driver.py")
        .args([&product.engine, IMAGE])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let input = child.stdin.take().context("no standard input")?;
    let output = BufReader::new(child.stdout.take().context("no standard output")?);
    Ok(LlmSandbox {
        child,
        input,
        output,
        engine: product.engine.clone(),
    })
}

/// Our image's files under another name, with another command. Its labels are left behind: an image that has them is ours
/// to a daemon, and the newest one is used.
fn copy_image(product: &Product) -> Result<()> {
    let made = docker(&product.engine, &["create", &product.image])?;
    let copied = link_python(&product.engine, &made).and_then(|()| export(&product.engine, &made));
    docker(&product.engine, &["rm", "-f", &made])?;
    copied
}

/// Gives the container's files the name `python`, which llm-sandbox calls.
fn link_python(engine: &str, container: &str) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let link = folder.path().join("python");
    symlink("python3", &link)?;
    let from = link.to_str().context("the folder's name is no text")?;
    docker(
        engine,
        &["cp", from, &format!("{container}:/usr/bin/python")],
    )?;
    Ok(())
}

fn export(engine: &str, container: &str) -> Result<()> {
    let mut export = Command::new("docker")
        .args(["-H", engine, "export", container])
        .stdout(Stdio::piped())
        .spawn()?;
    let files = export.stdout.take().context("no standard output")?;
    let status = Command::new("docker")
        .args(["-H", engine, "import"])
        .args(["--change", "USER root"])
        .args(["--change", "ENV PATH=/usr/local/bin:/usr/bin:/bin"])
        .args(["--change", COMMAND, "-", IMAGE])
        .stdin(files)
        .stdout(Stdio::null())
        .status()?;
    ensure!(export.wait()?.success(), "docker export failed");
    ensure!(status.success(), "docker import ended with {status}");
    Ok(())
}

impl Way for LlmSandbox {
    fn measure(&mut self, _: &Product, program: &Program) -> Result<Sample> {
        writeln!(self.input, "{}", json!({"code": program.source}))?;
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        let answer: Value = serde_json::from_str(&line)
            .with_context(|| format!("llm-sandbox's driver ended; it said {line:?}"))?;
        let stdout = answer["stdout"].as_str().unwrap_or_default();
        program.check(stdout.as_bytes())?;
        answer["ms"].as_f64().map(unpooled).context("no time")
    }
}

impl Drop for LlmSandbox {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = docker(&self.engine, &["rmi", "-f", IMAGE]);
    }
}

struct SandboxRuntime {
    srt: PathBuf,
    node: PathBuf,
    scratch: PathBuf,
    packages: Option<PathBuf>,
}

pub(super) fn sandbox_runtime(peers: &Path, given: &Given<'_>) -> Result<Box<dyn Way>, String> {
    let srt = peers.join("node_modules/@anthropic-ai/sandbox-runtime/dist/cli.js");
    if !srt.is_file() {
        return Err(format!("{} is not there", srt.display()));
    }
    for tool in ["bwrap", "socat", "rg"] {
        if !found(tool) {
            return Err(format!("it needs {tool}, which is not installed"));
        }
    }
    Ok(Box::new(SandboxRuntime {
        srt,
        node: PathBuf::from("node"),
        scratch: given.scratch.to_owned(),
        packages: given.packages.map(Path::to_owned),
    }))
}

impl Way for SandboxRuntime {
    fn measure(&mut self, _: &Product, program: &Program) -> Result<Sample> {
        let script = script(&self.scratch, program)?;
        let settings = self.scratch.join("srt.json");
        if !settings.exists() {
            let nothing: [&str; 0] = [];
            std::fs::write(
                &settings,
                json!({
                    "network": {"allowedDomains": nothing, "deniedDomains": nothing},
                    "filesystem": {"denyRead": nothing, "allowWrite": nothing, "denyWrite": nothing},
                })
                .to_string(),
            )?;
        }
        let mut command = Command::new(&self.node);
        command
            .arg(&self.srt)
            .arg("--settings")
            .arg(&settings)
            .arg("/usr/bin/python3")
            .arg(script);
        if let Some(packages) = self.packages.as_ref().filter(|_| program.packages) {
            command.env("PYTHONPATH", packages);
        }
        timed(&mut command, program).map(unpooled)
    }
}

/// A command of the engine's own client; its output, trimmed.
fn docker(engine: &str, args: &[&str]) -> Result<String> {
    let output = Command::new("docker")
        .args(["-H", engine])
        .args(args)
        .output()?;
    ensure!(
        output.status.success(),
        "docker {args:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
