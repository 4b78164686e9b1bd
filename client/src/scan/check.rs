//! `check`: whether code can be parsed, and nothing more.

use std::{fs::File, path::PathBuf};

use saferun_scanner::{
    Options,
    extract::{FileReport, scan_bytes},
    report::{self, TextOptions},
};

use super::walk;
use crate::{
    exit,
    ui::{self, Paint, one_line},
};

/// Rules by which Python refuses the text, or by which nobody looked at all of it.
const SYNTAX: [&str; 5] = [
    "syntax-error",
    "python2-syntax",
    "undecodable-source",
    "null-bytes",
    "analysis-limit",
];

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
        let file = of_syntax(&shown, &bytes);
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

/// What keeps a text from being parsed.
fn of_syntax(name: &str, bytes: &[u8]) -> FileReport {
    let mut file = scan_bytes(name, bytes, &Options::default());
    file.report
        .findings
        .retain(|finding| SYNTAX.contains(&finding.name.as_str()));
    file
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_python_refuses_or_nobody_looked_at_is_not_said_to_be_parsed() {
        let long = format!("x = [{}] )", "1,".repeat(1_000_000));
        for (bytes, why) in [
            (&b"print(1)\r\n"[..], None),
            (b"\xef\xbb\xbfprint(1)", None),
            (b"# coding: latin-1\nprint('\xe9')", None),
            (b"", None),
            (b"eval('x')", None),
            (b"print((1)", Some("syntax-error")),
            (b"print 1", Some("python2-syntax")),
            (b"print('\xe9')", Some("undecodable-source")),
            (b"x = 1\0", Some("null-bytes")),
            (long.as_bytes(), Some("analysis-limit")),
        ] {
            let file = of_syntax("a.py", bytes);
            let found = file.report.findings.first().map(|one| one.name.as_str());
            assert_eq!(
                found,
                why,
                "{}",
                bytes[..bytes.len().min(40)].escape_ascii()
            );
        }
    }
}
