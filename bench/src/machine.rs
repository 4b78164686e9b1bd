//! What the figures were taken on.

use std::{fs, process::Command};

use serde_json::{Value, json};

/// Facts of this machine, for the raw data and the page.
pub(crate) fn facts(engine_version: &str) -> Value {
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let kernel = read("/proc/sys/kernel/osrelease");
    let cpu = field("/proc/cpuinfo", "model name");
    let memory_kib = field("/proc/meminfo", "MemTotal");
    let python = Command::new("/usr/bin/python3")
        .arg("--version")
        .output()
        .map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
        .unwrap_or_default();
    json!({
        "cores": cores, "cpu": cpu, "memory": memory_kib, "kernel": kernel,
        "engine": engine_version, "python": python, "saferun": env!("CARGO_PKG_VERSION"),
    })
}

/// The facts in one line.
pub(crate) fn describe(facts: &Value) -> String {
    let text = |name: &str| facts[name].as_str().unwrap_or("?").to_owned();
    format!(
        "{} cores ({}), kernel {}, Docker Engine {}, {}, SafeRun {}",
        facts["cores"],
        text("cpu"),
        text("kernel"),
        text("engine"),
        text("python"),
        text("saferun")
    )
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
