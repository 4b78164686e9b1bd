//! What the scanner says of a piece of code. Positions are 1-based lines and 1-based columns in characters.

use serde::{Deserialize, Serialize};

use crate::Level;

/// A place in the text: line and column from 1, the column in Unicode scalar values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Position {
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}

/// A half-open range: `end` is the first position that is no longer part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Range {
    /// First position of the range.
    pub start: Position,
    /// First position after the range.
    pub end: Position,
}

/// One step of the reason for a finding: where a value came from, how it travelled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// What happens at this step.
    pub message: String,
    /// Where it happens.
    pub range: Range,
}

/// One thing that the code means to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Stable id of the rule, as `SR101`.
    pub rule: String,
    /// Stable kebab-case name of the rule, as `shell-command`.
    pub name: String,
    /// What is at stake.
    pub level: Level,
    /// One sentence about this very place, with names from the code.
    pub message: String,
    /// The smallest range of code that shows it.
    pub range: Range,
    /// The same place as byte offsets into the UTF-8 text that was scanned, for editors.
    pub bytes: (usize, usize),
    /// CWE number, where one fits.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cwe: Option<u32>,
    /// The resolved dotted name that the rule matched (`os.system`), for policies; empty if none.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub subject: String,
    /// The steps that lead here, in order of the flow; empty for plain calls.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub evidence: Vec<Evidence>,
    /// Index of the notebook cell (from 1), when the text came from a notebook.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cell: Option<u32>,
}

/// A name that the code imports, calls or reads, resolved through aliases, for policy clauses.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Usage {
    /// What kind of use it is.
    pub kind: UsageKind,
    /// Resolved dotted name: `os.path.join`, `builtins.open`, `requests`.
    pub name: String,
    /// Where it is used.
    pub range: Range,
}

/// The ways in which a policy can speak of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UsageKind {
    /// `import x`, `from x import y`, `__import__("x")`.
    Import,
    /// A call of the name.
    Call,
    /// An attribute that is read without being called.
    Attribute,
    /// A constant path given to a call that opens, writes or deletes it.
    Path,
}

/// Everything that one scan of one text found.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Report {
    /// Findings in order of position.
    pub findings: Vec<Finding>,
    /// Names used, in order of position, bounded by the scan's budget.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub usages: Vec<Usage>,
    /// Findings that a suppression comment with a reason has silenced.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub suppressed: Vec<Suppressed>,
    /// True if the step budget ran out; there is then a HIGH finding that says so.
    #[serde(default)]
    pub incomplete: bool,
}

/// A finding that a comment in the code has silenced, with the reason that it gave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suppressed {
    /// The finding as it would have been.
    pub finding: Finding,
    /// The reason as written in the comment.
    pub reason: String,
}

impl Report {
    /// The highest level found; `LOW` for a report without findings.
    #[must_use]
    pub fn risk(&self) -> Level {
        self.findings
            .iter()
            .map(|finding| finding.level)
            .max()
            .unwrap_or(Level::Low)
    }
}
