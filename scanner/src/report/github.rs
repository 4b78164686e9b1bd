//! GitHub workflow commands, one line for each finding. A line of untrusted text must not become a command of its own.

use std::fmt::Write;

use super::{NothingScanned, escape, summary};
use crate::Level;
use crate::extract::FileReport;

/// The report as GitHub annotations.
///
/// # Errors
/// [`NothingScanned`] if there was no code at all.
pub fn github(files: &[FileReport]) -> Result<String, NothingScanned> {
    summary(files)?;
    let mut out = String::new();
    for file in files {
        for finding in &file.report.findings {
            let command = match finding.level {
                Level::Low => "notice",
                Level::Medium => "warning",
                Level::High | Level::Blocked => "error",
            };
            let range = finding.range;
            let _ = write!(out, "::{command} file={}", property(&file.name));
            if finding.cell.is_none() {
                let _ = write!(out, ",line={},endLine={}", range.start.line, range.end.line);
                if range.start.line == range.end.line {
                    let _ = write!(
                        out,
                        ",col={},endColumn={}",
                        range.start.column, range.end.column
                    );
                }
            }
            let title = format!("{} {} {}", finding.level, finding.rule, finding.name);
            let _ = write!(out, ",title={}::", property(&title));
            let mut message = String::new();
            if let Some(cell) = finding.cell {
                let _ = write!(message, "cell {cell}, line {}: ", range.start.line);
            }
            message.push_str(&finding.message);
            for (index, step) in finding.evidence.iter().enumerate() {
                let _ = write!(
                    message,
                    "\n{}. line {}: {}",
                    index + 1,
                    step.range.start.line,
                    step.message
                );
            }
            let _ = writeln!(out, "{}", data(&message));
        }
    }
    Ok(out)
}

/// The text of a message. Line feeds are kept as `%0A`, other control characters are written out.
fn data(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '%' => out.push_str("%25"),
            '\r' => out.push_str("%0D"),
            '\n' => out.push_str("%0A"),
            c => escape::push(&mut out, c),
        }
    }
    out
}

/// The value of a property, which a comma or a colon would end.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
