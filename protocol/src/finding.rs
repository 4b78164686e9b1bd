//! Findings of the scanner as they travel. Lines and columns from 1, columns in characters.

use serde::{Deserialize, Serialize};

/// What is at stake; ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Risk {
    /// Ordinary.
    Low,
    /// Reaches beyond the program.
    Medium,
    /// Could do harm.
    High,
    /// Does harm.
    Blocked,
}

impl std::fmt::Display for Risk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Low => "LOW",
            Self::Medium => "MEDIUM",
            Self::High => "HIGH",
            Self::Blocked => "BLOCKED",
        })
    }
}

/// A place in the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}

/// A half-open range of the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Range {
    /// First position in it.
    pub start: Position,
    /// First position after it.
    pub end: Position,
}

/// One step of the reason for a finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// What happens there.
    pub message: String,
    /// Where.
    pub range: Range,
}

/// What became of a finding in a run that was traced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Observation {
    /// Such an act was seen at its place, and the sandbox let it happen within itself.
    Observed,
    /// Such an act was seen at its place, and each time it was refused.
    Refused,
    /// No such act was seen at its place, although the trace has no gaps.
    NotReached,
}

/// One thing that the code means to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Finding {
    /// Id of the rule, as `SR101`.
    pub rule: String,
    /// Name of the rule, as `shell-command`.
    pub name: String,
    /// What is at stake.
    pub level: Risk,
    /// One sentence about this place.
    pub message: String,
    /// Where it is.
    pub range: Range,
    /// CWE number.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cwe: Option<u32>,
    /// File among those that came with the run, below the workspace; absent for the script itself.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub file: Option<String>,
    /// Which cell of a notebook `range` counts in, from 1; absent for other files.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cell: Option<u32>,
    /// What became of it in a run that was traced; absent where the trace cannot tell.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub observed: Option<Observation>,
    /// How it comes about.
    #[serde(default)]
    pub evidence: Vec<Evidence>,
}

impl Finding {
    /// A finding without CWE number and evidence.
    #[must_use]
    pub fn new(rule: String, name: String, level: Risk, message: String, range: Range) -> Self {
        Self {
            rule,
            name,
            level,
            message,
            range,
            cwe: None,
            file: None,
            cell: None,
            observed: None,
            evidence: Vec::new(),
        }
    }
}
