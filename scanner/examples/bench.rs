//! Measures the scanner over a folder, in turns with the bare parse of the same files, and counts levels:
//! `cargo run --release -p saferun-scanner --example bench -- /usr/lib/python3.11 [--list BLOCKED]`

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use saferun_scanner::{Level, Options, scan};

fn python_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut pending = vec![folder.to_path_buf()];
    while let Some(next) = pending.pop() {
        let Ok(entries) = std::fs::read_dir(&next) else {
            continue;
        };
        for entry in entries.flatten() {
            let path = entry.path();
            if path.is_symlink() {
                continue;
            }
            if path.is_dir() {
                pending.push(path);
            } else if path.extension().is_some_and(|extension| extension == "py") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

#[expect(clippy::cast_precision_loss, reason = "a rate for people to read")]
fn rate(bytes: usize, time: Duration) -> f64 {
    bytes as f64 / 1e6 / time.as_secs_f64()
}

#[expect(clippy::print_stdout, reason = "a report for people to read")]
fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let folder = arguments
        .first()
        .map_or("/usr/lib/python3.11", String::as_str);
    let list = arguments.iter().position(|argument| argument == "--list");
    let list: Option<Level> = list.and_then(|at| arguments.get(at + 1)?.parse().ok());
    let texts: Vec<(PathBuf, String)> = python_files(Path::new(folder))
        .into_iter()
        .filter_map(|path| std::fs::read_to_string(&path).ok().map(|text| (path, text)))
        .collect();
    let bytes: usize = texts.iter().map(|(_, text)| text.len()).sum();
    let mut parser = tree_sitter::Parser::new();
    let language = tree_sitter::Language::new(tree_sitter_python::LANGUAGE);
    parser
        .set_language(&language)
        .expect("the grammar fits the library");
    let (mut bare, mut whole, mut secrets) = (Duration::ZERO, Duration::ZERO, Duration::ZERO);
    let mut slowest = (Duration::ZERO, PathBuf::new());
    let mut levels = [0usize; 5];
    let mut rules = std::collections::BTreeMap::new();
    let mut stopped = 0;
    for (path, text) in &texts {
        let start = Instant::now();
        let tree = parser.parse(text, None);
        // Freeing the tree is part of what every user of the parser pays.
        drop(tree);
        bare += start.elapsed();
        let start = Instant::now();
        let report = scan(text, &Options::default());
        let took = start.elapsed();
        whole += took;
        let start = Instant::now();
        let hits = saferun_scanner::secrets::find(text);
        secrets += start.elapsed();
        drop(hits);
        if took > slowest.0 {
            slowest = (took, path.clone());
        }
        stopped += usize::from(report.incomplete);
        let level = report.findings.iter().map(|finding| finding.level).max();
        levels[level.map_or(0, |level| level as usize + 1)] += 1;
        for finding in &report.findings {
            *rules
                .entry((finding.level, finding.rule.clone()))
                .or_insert(0) += 1;
        }
        if let Some(wanted) = list {
            for finding in report
                .findings
                .iter()
                .filter(|finding| finding.level == wanted)
            {
                println!(
                    "{}:{} {} {}",
                    path.display(),
                    finding.range.start.line,
                    finding.rule,
                    finding.message
                );
            }
        }
    }
    println!(
        "{} files, {bytes} bytes, {stopped} stopped at the limit",
        texts.len()
    );
    println!(
        "bare parse {:.2} MB/s, scan {:.2} MB/s",
        rate(bytes, bare),
        rate(bytes, whole)
    );
    println!(
        "scan / bare parse = {:.2}, of which the search for secrets {:.2}",
        whole.as_secs_f64() / bare.as_secs_f64(),
        secrets.as_secs_f64() / bare.as_secs_f64()
    );
    println!("slowest {:?} {}", slowest.0, slowest.1.display());
    println!(
        "none {} low {} medium {} high {} blocked {}",
        levels[0], levels[1], levels[2], levels[3], levels[4]
    );
    for ((level, rule), count) in rules {
        println!("{level} {rule} {count}");
    }
}
