//! `scan`, `check` and `explain`: what code means to do, without running it and without the daemon.

mod check;
mod explain;
mod git;
mod pool;
mod walk;

use std::path::{Path, PathBuf};

use saferun_scanner::{
    Options,
    extract::scan_bytes,
    report::{self, TextOptions},
};

use crate::{
    args::{Format, ScanArgs},
    exit,
    failure::Failure,
    ui::{self, Paint, one_line},
};
pub(crate) use check::check;
pub(crate) use explain::explain;
use git::Changes;
use walk::Scanned;
pub(crate) use walk::{has_ending, read as read_bounded};

/// Scans and prints. 0: nothing at the level or above; 1: something; 2: unreadable, or nothing scanned.
pub(crate) fn scan(args: &ScanArgs) -> Result<u8, Failure> {
    let options = Options {
        honour_suppressions: args.honour_suppressions,
        ..Options::default()
    };
    let is_stdin = |path: &PathBuf| path == Path::new("-");
    let (stdin, paths): (Vec<_>, Vec<_>) = args.paths.iter().cloned().partition(is_stdin);
    let changes = match (&args.since, args.staged) {
        (Some(revision), _) => Some(Changes::Since(revision)),
        (None, true) => Some(Changes::Staged),
        (None, false) => None,
    };
    let mut scanned = match changes {
        Some(_) if !stdin.is_empty() => {
            return Err(Failure::usage(
                "standard input is no file of a repository",
                "leave out the -",
            ));
        }
        Some(changes) => git::scan(changes, &paths, &options)?,
        None => walk::scan(&paths, &options),
    };
    if changes.is_some() && scanned.files.is_empty() && scanned.unreadable.is_empty() {
        ui::note("saferunctl: no Python, notebook or Markdown file changed");
        return Ok(0);
    }
    if !stdin.is_empty() {
        scan_stdin(&args.stdin_filename, &options, &mut scanned);
    }
    for problem in &scanned.unreadable {
        ui::note(format!("saferunctl: cannot read {}", one_line(problem)));
    }
    let files = &scanned.files;
    let printed = match args.format {
        Format::Text => report::text(
            files,
            TextOptions {
                color: Paint::stdout().on(),
                least: args.least,
            },
        ),
        Format::Json => report::json(files).map(|text| ui::escaped_json(&text)),
        Format::Sarif => report::sarif(files).map(|text| ui::escaped_json(&text)),
        Format::Github => report::github(files).map(|text| ui::harmless(&text)),
    };
    let printed = printed.map_err(|error| Failure {
        exit: exit::USAGE,
        message: error.to_string(),
        advice: None,
    })?;
    ui::out(&printed);
    if !printed.ends_with('\n') {
        ui::out("\n");
    }
    let at_or_above = files
        .iter()
        .any(|file| !file.report.findings.is_empty() && file.risk() >= args.fail_on);
    Ok(match (scanned.unreadable.is_empty(), at_or_above) {
        (false, _) => exit::USAGE,
        (true, true) => exit::NOT_OK,
        (true, false) => 0,
    })
}

fn scan_stdin(name: &str, options: &Options, scanned: &mut Scanned) {
    match walk::read(std::io::stdin().lock()) {
        // Nothing is not the same as nothing found.
        Ok(bytes) if bytes.trim_ascii().is_empty() => {
            scanned
                .unreadable
                .push("standard input: it is empty".to_owned());
        }
        Ok(bytes) => scanned.files.push(scan_bytes(name, &bytes, options)),
        Err(error) => scanned.unreadable.push(format!("standard input: {error}")),
    }
}
