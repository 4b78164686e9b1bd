//! Shows what scans found: text with carets, JSON, SARIF 2.1.0, GitHub annotations. Every character of untrusted code is
//! made harmless on the way out. It writes nothing itself.

mod escape;
mod github;
mod json;
mod sarif;
mod source;
mod text;

use serde::Serialize;

use crate::Level;
use crate::extract::FileReport;

pub use escape::visible;
pub use github::github;
pub use json::json;
pub use sarif::sarif;
pub use source::{Excerpt, excerpt};
pub use text::{TextOptions, text};

/// Counts over all scanned files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Files that were scanned.
    pub files: usize,
    /// The highest level of all.
    pub risk: Level,
    /// Findings by level.
    pub findings: Counts,
    /// Files by their highest level; files without findings count as `LOW`.
    pub files_by_risk: Counts,
    /// Findings that comments in the code have silenced.
    pub suppressed: usize,
    /// Files whose analysis stopped at its limit.
    pub incomplete: usize,
}

/// A number for each level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub struct Counts {
    /// Worth knowing.
    pub low: usize,
    /// Reaches beyond the program.
    pub medium: usize,
    /// Could harm the user.
    pub high: usize,
    /// Destroys, steals or persists.
    pub blocked: usize,
}

impl Counts {
    fn add(&mut self, level: Level) {
        match level {
            Level::Low => self.low += 1,
            Level::Medium => self.medium += 1,
            Level::High => self.high += 1,
            Level::Blocked => self.blocked += 1,
        }
    }

    /// The number for a level.
    #[must_use]
    pub fn of(&self, level: Level) -> usize {
        match level {
            Level::Low => self.low,
            Level::Medium => self.medium,
            Level::High => self.high,
            Level::Blocked => self.blocked,
        }
    }

    /// All levels together.
    #[must_use]
    pub fn total(&self) -> usize {
        self.low + self.medium + self.high + self.blocked
    }
}

/// Nothing was scanned, which is not the same as "nothing was found".
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "nothing was scanned: name at least one Python file, notebook or Markdown file with Python in it"
)]
pub struct NothingScanned;

/// Counts over the files; an error if there was no code in any of them.
///
/// # Errors
/// [`NothingScanned`] for no files, or only files without a single block of code.
pub fn summary(files: &[FileReport]) -> Result<Summary, NothingScanned> {
    if files
        .iter()
        .all(|file| file.blocks == 0 && file.report.findings.is_empty())
    {
        return Err(NothingScanned);
    }
    let mut summary = Summary {
        files: files.len(),
        risk: Level::Low,
        findings: Counts::default(),
        files_by_risk: Counts::default(),
        suppressed: 0,
        incomplete: 0,
    };
    for file in files {
        let risk = file.risk();
        summary.risk = summary.risk.max(risk);
        summary.files_by_risk.add(risk);
        summary.suppressed += file.report.suppressed.len();
        summary.incomplete += usize::from(file.report.incomplete);
        for finding in &file.report.findings {
            summary.findings.add(finding.level);
        }
    }
    Ok(summary)
}
