//! `--suggest-policy`: the tightest policy under which a run that was seen would pass again, with a stated margin. Pure.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use saferun_protocol::{Outcome, Risk, RunResult};
use saferun_scanner::{Options, UsageKind, extract::scan_bytes};

/// Least time limit suggested, in milliseconds: a busy machine is no reason to end a run.
const LEAST_MS: u64 = 1000;
/// Least memory limit suggested, in MiB.
const LEAST_MIB: u64 = 32;
/// Least room for output and source suggested, in KiB.
const LEAST_KIB: u64 = 16;
const KIB: u64 = 1024;
const MIB: u64 = 1024 * 1024;

/// The policy as YAML; the reason why not, of a run that says too little. One of the files is the
/// script; `written` is the size of the longer of its two streams of output, in bytes.
pub(super) fn policy<'a>(
    result: &RunResult,
    script: &str,
    written: u64,
    files: impl Iterator<Item = (&'a str, &'a [u8])>,
) -> Result<String, &'static str> {
    if result.status != Outcome::Completed {
        return Err("the run did not complete, so what it needs is not known");
    }
    if result.overridden {
        return Err("a person let this run through against the policy, for this once");
    }
    let (mut imports, mut size) = (BTreeSet::new(), 0);
    for (name, bytes) in files {
        size += bytes.len() as u64;
        // The script is Python whatever it is called.
        if name == script || is_python(name) {
            imports.extend(imported(bytes));
        }
    }
    let mut out = String::from(
        "# The least under which this run would pass again: twice its time, output and source, one and a half\n\
         # times its memory, the modules that its code names. Tasks, open files and folders are the limits\n\
         # that it had: how much of them it used is not measured.\nversion: 1\n",
    );
    // Writing to a String does not fail.
    let _ = writeln!(out, "description: Suggested from the run {}", result.id);
    out.push_str(&rules(result, &imports));
    out.push_str(&limits(result, size, written));
    Ok(out)
}

/// Whether a file beside the script is taken for Python, as the daemon takes it.
fn is_python(name: &str) -> bool {
    let ending = name.rsplit_once('.').map(|(_, ending)| ending);
    matches!(ending, Some("py" | "pyw"))
}

/// Top-level modules that a Python file names, in whatever encoding it declares.
fn imported(bytes: &[u8]) -> BTreeSet<String> {
    let report = scan_bytes("script.py", bytes, &Options::default()).report;
    let imports = report.usages.iter();
    let imports = imports.filter(|usage| usage.kind == UsageKind::Import);
    let roots = imports.filter_map(|usage| usage.name.split('.').next().map(str::to_owned));
    roots.filter(|root| !root.is_empty()).collect()
}

fn rules(result: &RunResult, imports: &BTreeSet<String>) -> String {
    // A rule that the policy of this run lowered or switched off has its own level under this one.
    let found = result.findings.iter().map(|finding| finding.level).max();
    let risk = found.map_or(result.risk, |level| level.max(result.risk));
    let mut levels = BTreeMap::new();
    for level in [Risk::Low, Risk::Medium, Risk::High, Risk::Blocked] {
        let what = if level <= risk { "run" } else { "refuse" };
        levels.insert(level, what);
    }
    let mut out = String::from("\nlevels:\n");
    for (level, what) in levels {
        let _ = writeln!(out, "  {level}: {what}");
    }
    out.push_str("override:\n  allowed: false\nnetwork: none\n");
    if result.sandbox.runtime == "runsc" {
        out.push_str("runtime: runsc\n");
    }
    // JSON's texts are YAML's.
    let names: Vec<String> = imports
        .iter()
        .map(|name| serde_json::Value::from(name.as_str()).to_string())
        .collect();
    let _ = writeln!(
        out,
        "imports:\n  default: block\n  allow: [{}]",
        names.join(", ")
    );
    let _ = writeln!(
        out,
        "returns:\n  artifacts: {}\n  diff: {}",
        !result.artifacts.is_empty(),
        result.effects.is_some()
    );
    out
}

fn limits(result: &RunResult, source: u64, written: u64) -> String {
    let (used, had) = (&result.usage, &result.limits);
    let wall = std::time::Duration::from_secs_f64(used.wall_ms.max(0.0) / 1000.0);
    let time = u64::try_from(wall.as_millis()).unwrap_or(u64::MAX);
    // Never more than it had: the policy of this run let it pass.
    let time = time.saturating_mul(2).max(LEAST_MS).min(had.time_ms);
    let memory = match used.peak_memory_bytes {
        Some(peak) => (peak.saturating_mul(3) / 2).div_ceil(MIB).max(LEAST_MIB),
        None => had.memory_bytes / MIB,
    };
    let memory = memory.min(had.memory_bytes / MIB);
    // What was in the folders was in memory, and is in the peak.
    let tmpfs = (had.tmpfs_bytes / KIB).min(memory * (MIB / KIB));
    let kib = |bytes: u64| bytes.saturating_mul(2).div_ceil(KIB).max(LEAST_KIB);
    let output = kib(written).min(had.output_bytes.div_ceil(KIB));
    let mut out = String::from("\nlimits:\n");
    for (name, value) in [
        ("time", format!("{time}ms")),
        ("memory", format!("{memory}MiB")),
        ("pids", had.pids.to_string()),
        ("open_files", had.open_files.to_string()),
        ("tmpfs", format!("{tmpfs}KiB")),
        ("output", format!("{output}KiB")),
        ("source", format!("{}KiB", kib(source))),
    ] {
        let _ = writeln!(out, "  {name}: {{default: {value}, max: {value}}}");
    }
    out
}

#[cfg(test)]
mod tests {
    use saferun_policy::{LayerKind, Source, load};

    use super::*;

    fn ended() -> RunResult {
        let mut result = RunResult::new("0193".to_owned(), Outcome::Completed, String::new());
        result.usage.wall_ms = 800.2;
        result.usage.peak_memory_bytes = Some(50 * MIB);
        result.limits.time_ms = 30_000;
        result.limits.memory_bytes = 256 * MIB;
        result.limits.pids = 64;
        result.limits.open_files = 256;
        result.limits.tmpfs_bytes = 64 * MIB;
        result.limits.output_bytes = MIB;
        result.risk = Risk::Medium;
        result
    }

    const FILES: [(&str, &[u8]); 3] = [
        (
            "main.py",
            b"import os.path as p, numpy\nfrom pkg.work import go\n",
        ),
        ("pkg/work.py", b"from . import other\n__import__('json')\n"),
        ("data.csv", b"import ctypes\n"),
    ];

    #[test]
    fn the_policy_is_read_back_and_is_as_tight_as_it_says() {
        let text = policy(&ended(), "main.py", 10, FILES.into_iter()).unwrap();
        let source = Source::yaml(LayerKind::Flags, "suggested.yaml", text.clone());
        let loaded = load(&[source]).unwrap_or_else(|error| panic!("{error:?}\n{text}"));
        for part in [
            "MEDIUM: run\n  HIGH: refuse",
            "time: {default: 1600ms",
            "memory: {default: 75MiB, max: 75MiB}",
            "output: {default: 16KiB",
            "\"json\", \"numpy\", \"os\", \"other\", \"pkg\"]",
            "allowed: false",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(!text.contains("ctypes"), "{text}");
        assert!(!loaded.policy.show_text(false).is_empty());
    }

    #[test]
    fn nothing_is_wider_than_what_the_run_had() {
        let mut result = ended();
        result.usage.wall_ms = 29_000.0;
        result.usage.peak_memory_bytes = Some(250 * MIB);
        let text = policy(&result, "main.py", 1_000_000, FILES.into_iter()).unwrap();
        for part in [
            "default: 30000ms",
            "default: 256MiB",
            "output: {default: 1024KiB",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        result.status = Outcome::Timeout;
        assert!(policy(&result, "main.py", 10, FILES.into_iter()).is_err());
    }

    #[test]
    fn a_small_run_gets_a_policy_that_can_be_read() {
        let mut result = ended();
        result.usage.peak_memory_bytes = Some(9 * MIB);
        let text = policy(&result, "main.py", 40_001, FILES.into_iter()).unwrap();
        for part in [
            "memory: {default: 32MiB",
            "tmpfs: {default: 32768KiB",
            "output: {default: 79KiB",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        let source = Source::yaml(LayerKind::Flags, "suggested.yaml", text.clone());
        assert!(load(&[source]).is_ok(), "{text}");
    }

    #[test]
    fn a_script_of_any_name_and_encoding_is_read_for_its_modules() {
        let files: [(&str, &[u8]); 3] = [
            ("tool", b"# coding: latin-1\nimport sqlite3  # \xe9\n"),
            ("beside.pyw", b"import csv\n"),
            ("notes", b"import ctypes\n"),
        ];
        let text = policy(&ended(), "tool", 10, files.into_iter()).unwrap();
        assert!(text.contains("allow: [\"csv\", \"sqlite3\"]"), "{text}");
    }
}
