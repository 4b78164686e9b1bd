//! The watch where no terminal is: one line for each change.

use std::fmt::Write as _;

use saferun_protocol::{Finding, WatchEvent, WatchedFile};

use crate::ui::{self, one_line};

/// Writes what an event says.
pub(super) fn write(event: &WatchEvent) {
    match event {
        WatchEvent::File(file) => ui::out(file_lines(file)),
        WatchEvent::Cleared { file, .. } => {
            ui::line(format!("cleared {}", one_line(&file.path)));
        }
        WatchEvent::Notice {
            root,
            message,
            advice,
        } => ui::note(format!(
            "saferunctl: {}: {}\n  {}",
            one_line(&root.path),
            one_line(message),
            one_line(advice)
        )),
        WatchEvent::Ready(root) => ui::note(format!(
            "saferunctl: watching {}: {} files, {} with findings",
            one_line(&root.root.path),
            root.files,
            root.with_findings
        )),
        WatchEvent::Resync { root } => {
            ui::line(format!("again from the start: {}", one_line(&root.path)));
        }
        _ => {}
    }
}

/// A line for each finding, as compilers write them.
fn file_lines(file: &WatchedFile) -> String {
    let path = one_line(&file.file.path);
    let mut text = String::new();
    if let Some(problem) = &file.problem {
        let _ = writeln!(text, "{path}: cannot be scanned: {}", one_line(problem));
    }
    if file.quarantined {
        let _ = writeln!(
            text,
            "{path}: in quarantine; `saferunctl watch release` gives it its rights back"
        );
    }
    if let Some(run) = &file.run {
        let _ = writeln!(
            text,
            "{path}: run in the sandbox: {}",
            one_line(&run.message)
        );
    }
    for finding in &file.findings {
        let _ = writeln!(text, "{path}:{}", place_and_rule(finding));
    }
    if file.more_findings > 0 {
        let _ = writeln!(text, "{path}: {} more findings", file.more_findings);
    }
    text
}

fn place_and_rule(finding: &Finding) -> String {
    let start = finding.range.start;
    format!(
        "{}:{}: {} {} {}",
        start.line,
        start.column,
        finding.level,
        finding.rule,
        one_line(&finding.message)
    )
}
