//! What the figures were taken on, and of what.

use std::{fs, process::Command};

use serde_json::{Value, json};

/// Name of the run that all parts of a page belong to; `scripts/bench.sh` sets it.
const RUN: &str = "SAFERUN_BENCH_RUN";

/// Facts of this machine and of what is measured, for the raw data and the page.
pub(crate) fn facts(engine_version: &str) -> Value {
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    json!({
        "cores": cores,
        "cpu": field("/proc/cpuinfo", "model name"),
        "memory": field("/proc/meminfo", "MemTotal"),
        "kernel": kernel(),
        "engine": engine_version,
        "docker": said("docker", &["--version"]),
        "python": said("/usr/bin/python3", &["--version"]),
        "saferun": env!("CARGO_PKG_VERSION"),
        "commit": said("git", &["describe", "--always", "--dirty", "--exclude", "*"]),
        "date": said("date", &["-u", "+%Y-%m-%d %H:%M UTC"]),
        "run": run(),
    })
}

/// The kernel's version, without what its builder added to it.
fn kernel() -> String {
    let release = read("/proc/sys/kernel/osrelease");
    release.split('-').next().unwrap_or_default().to_owned()
}

/// Name of the run that this process belongs to; empty outside of one.
pub(crate) fn run() -> String {
    std::env::var(RUN).unwrap_or_default()
}

/// The facts in one line.
pub(crate) fn describe(facts: &Value) -> String {
    let text = |name: &str| {
        facts[name]
            .as_str()
            .filter(|text| !text.is_empty())
            .unwrap_or("?")
            .to_owned()
    };
    format!(
        "{}: SafeRun {} of commit {}; {} cores ({}), {} GiB of memory, kernel {}, Docker Engine {}, client `{}`, {}",
        text("date"),
        text("saferun"),
        text("commit"),
        facts["cores"],
        text("cpu"),
        gib(&text("memory")),
        text("kernel"),
        text("engine"),
        text("docker"),
        text("python"),
    )
}

/// From `24689532 kB` to `23.5`.
fn gib(kib: &str) -> String {
    kib.split(' ')
        .next()
        .and_then(|number| number.parse::<f64>().ok())
        .map_or_else(
            || "?".to_owned(),
            |kib| format!("{:.1}", kib / 1024.0 / 1024.0),
        )
}

/// What a program prints; nothing if it cannot be asked.
fn said(program: &str, args: &[&str]) -> String {
    Command::new(program)
        .args(args)
        .output()
        .map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
        .unwrap_or_default()
}

fn read(path: &str) -> String {
    fs::read_to_string(path)
        .unwrap_or_default()
        .trim()
        .to_owned()
}

fn field(path: &str, name: &str) -> String {
    read(path)
        .lines()
        .find_map(|line| line.strip_prefix(name)?.trim_start().strip_prefix(':'))
        .unwrap_or("?")
        .trim()
        .to_owned()
}
