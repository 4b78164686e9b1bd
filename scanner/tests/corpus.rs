//! The adversarial corpus: every evasion is at least at its level, every benign twin at most at its own. One small file
//! each under `corpus/`, with the level in its first line.

use std::path::{Path, PathBuf};

use saferun_scanner::extract::scan_bytes;
use saferun_scanner::{Level, Options};

fn files(folder: &str) -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/corpus")
        .join(folder);
    let mut files: Vec<PathBuf> = std::fs::read_dir(&root)
        .unwrap_or_else(|error| panic!("{}: {error}", root.display()))
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    files.sort();
    files
}

fn expected(path: &Path, text: &str) -> Level {
    let first = text.lines().next().unwrap_or_default();
    first
        .strip_prefix("# expect: ")
        .and_then(|level| level.parse().ok())
        .unwrap_or_else(|| {
            panic!(
                "{} has no `# expect: LEVEL` in its first line",
                path.display()
            )
        })
}

fn check(folder: &str, wrong: impl Fn(Level, Level) -> bool) {
    let files = files(folder);
    assert!(
        files.len() >= 150,
        "{folder} has only {} files",
        files.len()
    );
    let mut failures = Vec::new();
    for path in &files {
        let bytes =
            std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let name = path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default();
        let level = expected(path, &String::from_utf8_lossy(&bytes));
        let report = scan_bytes(&name, &bytes, &Options::default());
        if wrong(report.risk(), level) {
            let found: Vec<String> = report
                .report
                .findings
                .iter()
                .map(|f| format!("{} {} {}", f.level, f.name, f.message))
                .collect();
            failures.push(format!(
                "{folder}/{name}: {} for {level}: {found:?}",
                report.risk()
            ));
        }
    }
    assert!(
        failures.is_empty(),
        "{} of {}:\n{}",
        failures.len(),
        files.len(),
        failures.join("\n")
    );
}

#[test]
fn evasions_do_not_get_away() {
    check("evasions", |risk, least| risk < least);
}

#[test]
fn benign_twins_stay_quiet() {
    check("benign", |risk, most| risk > most);
}

/// Evasions that are known to get away. When one no longer does, it moves to `evasions`.
#[test]
fn known_misses_are_still_missed() {
    let files = files("open");
    let mut caught = Vec::new();
    assert!(!files.is_empty(), "`open` has no files");
    for path in &files {
        let bytes =
            std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let level = expected(path, &String::from_utf8_lossy(&bytes));
        if scan_bytes("open.py", &bytes, &Options::default()).risk() >= level {
            caught.push(path.display().to_string());
        }
    }
    assert!(
        caught.is_empty(),
        "caught now, move them to `evasions`:\n{}",
        caught.join("\n")
    );
}
