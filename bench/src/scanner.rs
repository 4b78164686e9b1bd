//! The scanner's figures: runs its own benchmark (`scanner/examples/speed`), which measures in turns, and takes its
//! numbers. `make bench-scanner` measures more tools and writes a page of its own.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::{machine, plan::Plan, raw, show};

/// Lines of the file whose keystrokes have a budget.
pub(crate) const LINES: u64 = 2000;

/// What is measured, and with what.
pub(crate) struct Choice<'a> {
    /// The built example.
    pub(crate) speed: &'a Path,
    /// Folder of Python files.
    pub(crate) folder: &'a Path,
    pub(crate) rounds: usize,
    /// bandit's program.
    pub(crate) bandit: Option<PathBuf>,
}

/// Measures, prints the table, writes the numbers.
pub(crate) fn scanner(plan: &Plan, choice: &Choice<'_>) -> Result<()> {
    let facts = machine::facts("not asked");
    let scratch = tempfile::tempdir()?;
    let numbers = scratch.path().join("speed.json");
    let mut command = Command::new(choice.speed);
    command.arg("--rounds").arg(choice.rounds.to_string());
    command.arg("--json").arg(&numbers);
    let scan = plan.bin.join("saferunctl");
    command.arg("--tool").arg(format!(
        "saferunctl|one|0 1|taskset -c 0 {} scan --format json --fail-on BLOCKED",
        scan.display()
    ));
    if let Some(bandit) = choice.bandit.as_ref().filter(|bandit| bandit.is_file()) {
        command.arg("--tool").arg(format!(
            "bandit|one|0 1|taskset -c 0 {} -r -q -f json",
            bandit.display()
        ));
    }
    let status = command
        .arg(choice.folder)
        .stdout(Stdio::null())
        .status()
        .with_context(|| format!("{} does not start", choice.speed.display()))?;
    ensure!(status.success(), "{command:?} ended with {status}");
    let mut value: Value = serde_json::from_slice(&std::fs::read(numbers)?)?;
    value["machine"] = facts;
    value["rounds"] = json!(choice.rounds);
    show::line(&table(&value));
    raw::write(plan, "scanner", &value)
}

/// The whole scan, as a multiple of the bare parse of the same texts in one thread; NaN if it was not measured.
pub(crate) fn of_the_parse(value: &Value) -> f64 {
    let [scan, bare] = ["scan_s", "bare_s"].map(|key| value[key].as_f64().unwrap_or(f64::NAN));
    scan / bare
}

/// The whole program on one core, as a share of bandit's time; NaN if it was not measured.
pub(crate) fn of_bandit(value: &Value) -> f64 {
    let [ours, bandit] =
        ["saferunctl", "bandit"].map(|tool| value["tools_s"][tool].as_f64().unwrap_or(f64::NAN));
    ours / bandit
}

/// p95 of a keystroke in the file that has a budget, in milliseconds; NaN if it was not measured.
pub(crate) fn keystroke(value: &Value) -> f64 {
    value["latency"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|one| one["lines"] == LINES)
        .and_then(|one| one["keystroke_p95_ms"].as_f64())
        .unwrap_or(f64::NAN)
}

/// The table.
pub(crate) fn table(value: &Value) -> String {
    let number = |value: &Value| value.as_f64().unwrap_or(f64::NAN);
    let mut rows = vec![
        vec![
            "tree-sitter's bare parse, one thread".to_owned(),
            format!("{:.2} s", number(&value["bare_s"])),
        ],
        vec![
            "whole scan, one thread".to_owned(),
            format!("{:.2} s", number(&value["scan_s"])),
        ],
    ];
    for (tool, time) in value["tools_s"].as_object().into_iter().flatten() {
        let name = match tool.as_str() {
            "saferunctl" => "`saferunctl scan`, whole process on one core",
            "bandit" => "`bandit -r`",
            other => other,
        };
        rows.push(vec![name.to_owned(), format!("{:.2} s", number(time))]);
    }
    for one in value["latency"].as_array().into_iter().flatten() {
        rows.push(vec![
            format!("keystroke in {} lines, p50 / p95", one["lines"]),
            format!(
                "{:.2} / {:.2} ms",
                number(&one["keystroke_p50_ms"]),
                number(&one["keystroke_p95_ms"])
            ),
        ]);
    }
    let about = format!(
        "`{}`: {} files, {:.1} MB",
        value["folder"].as_str().unwrap_or("?"),
        value["files"],
        number(&value["bytes"]) / 1e6
    );
    show::markdown(&[&about, ""], &rows)
}
