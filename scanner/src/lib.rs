//! Reads source text and says what it means to do. Pure: no file system, no clock, no network, no threads.

mod apart;
mod engine;
pub mod extract;
mod finding;
mod incremental;
mod level;
mod locate;
pub mod report;
mod rules;
mod scan;
pub mod secrets;
pub mod shell;
mod suppress;
mod syntax;

pub use finding::{Evidence, Finding, Position, Range, Report, Suppressed, Usage, UsageKind};
pub use incremental::{CancelFlag, Document, EditOutside};
pub use level::{Level, UnknownLevel};
pub use rules::paths::normalise as normal_path;
pub use rules::{Access, Category, Match, Rule, RuleDoc, When, explain, explained_rules, rules};

/// How a text is to be scanned.
#[derive(Debug, Clone)]
pub struct Options {
    /// Upper bound on analysis steps; when it is spent, the report is incomplete and says so at HIGH.
    pub max_steps: u64,
    /// Whether suppression comments silence findings (off for code that nobody vouches for).
    pub honour_suppressions: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            max_steps: 5_000_000,
            honour_suppressions: false,
        }
    }
}

/// Scans one Python module. Never fails: what cannot be parsed is a finding.
#[must_use]
pub fn scan(source: &str, options: &Options) -> Report {
    scan::scan_text(source, options)
}
