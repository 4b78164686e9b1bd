//! `check`: whether code can be parsed, and nothing more.

use std::{fs::File, path::PathBuf};

use saferun_scanner::{
    Options,
    extract::scan_bytes,
    report::{self, TextOptions},
};

use super::walk;
use crate::{
    exit,
    ui::{self, Paint, one_line},
};

/// Rules that speak of syntax.
const SYNTAX: [&str; 2] = ["syntax-error", "python2-syntax"];

/// Checks the files. 0: all can be parsed; 1: one cannot; 2: one cannot be read.
pub(crate) fn check(files: &[PathBuf]) -> u8 {
    let mut code = 0;
    for path in files {
        let shown = path.display().to_string();
        let bytes = if shown == "-" {
            walk::read(std::io::stdin().lock())
        } else {
            File::open(path).and_then(walk::read)
        };
        let bytes = match bytes {
            Ok(bytes) => bytes,
            Err(error) => {
                ui::note(format!(
                    "saferunctl: cannot read {}: {error}",
                    one_line(&shown)
                ));
                code = exit::USAGE;
                continue;
            }
        };
        let mut file = scan_bytes(&shown, &bytes, &Options::default());
        file.report
            .findings
            .retain(|finding| SYNTAX.contains(&finding.name.as_str()));
        if file.report.findings.is_empty() {
            ui::line(format!("{}: can be parsed", one_line(&shown)));
            continue;
        }
        code = code.max(exit::NOT_OK);
        let options = TextOptions {
            color: Paint::stdout().on(),
            ..TextOptions::default()
        };
        // There are findings, so something was scanned.
        ui::out(report::text(&[file], options).unwrap_or_default());
    }
    code
}
