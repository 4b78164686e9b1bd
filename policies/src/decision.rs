//! What a policy says of one run, and what it needs to know of it. Types only: the rules are in `decide.rs`.

use std::fmt;

use saferun_scanner::Level;
use serde::{Deserialize, Serialize};

use crate::origin::Origin;

/// The isolation tier that carries a run.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Runtime {
    /// A container on the host's kernel.
    #[default]
    Runc,
    /// gVisor: a kernel of its own in user space.
    Runsc,
}

impl Runtime {
    /// The name that container engines use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Runc => "runc",
            Self::Runsc => "runsc",
        }
    }
}

impl fmt::Display for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Who asks, as the client declares itself; the daemon keys its counters by it together with the uid.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum ClientKind {
    /// A person at a terminal.
    Terminal,
    /// A person in an editor.
    Editor,
    /// The watch, by itself.
    Watch,
    /// A tool that calls by itself; also whoever does not say.
    #[default]
    Agent,
}

impl ClientKind {
    /// All kinds.
    pub const ALL: [Self; 4] = [Self::Terminal, Self::Editor, Self::Watch, Self::Agent];

    /// The word used in policies and on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Terminal => "terminal",
            Self::Editor => "editor",
            Self::Watch => "watch",
            Self::Agent => "agent",
        }
    }

    /// Whether a person waits for the answer; a share of the rate is kept for these.
    #[must_use]
    pub const fn is_person(self) -> bool {
        matches!(self, Self::Terminal | Self::Editor)
    }
}

impl fmt::Display for ClientKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What the policy has to know of a run, besides what the scanner found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DecisionRequest {
    /// The reason given for an override, if one is asked for.
    pub override_reason: Option<String>,
    /// Whether a person confirmed it: a terminal, or an editor's prompt.
    pub person_present: bool,
    /// The tier asked for; a request may only go stricter.
    pub runtime: Option<Runtime>,
    /// Whether the host has the gVisor tier and it can hold the limits.
    pub gvisor_available: bool,
    /// Who asks.
    pub client: ClientKind,
    /// Language of the code as the scanner names it; empty means `python`.
    pub language: String,
}

/// The answer in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It runs.
    Allow,
    /// It runs, at a stricter tier than the policy's own.
    AllowStricter,
    /// It runs once a person gives a reason.
    NeedsOverride,
    /// It does not run.
    Refuse,
}

impl Verdict {
    /// Whether the run goes ahead.
    #[must_use]
    pub const fn runs(self) -> bool {
        matches!(self, Self::Allow | Self::AllowStricter)
    }

    /// The word used in `tests:`, JSON and text.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::AllowStricter => "allow-stricter",
            Self::NeedsOverride => "needs-override",
            Self::Refuse => "refuse",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// One reason of a decision: the line of the policy that spoke, and what it spoke of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clause {
    /// Where the clause stands.
    pub origin: Origin,
    /// Dotted key of the clause: `levels.HIGH`, `imports.block`.
    pub key: String,
    /// One sentence for a person.
    pub text: String,
    /// Index into the report's findings, where one led here.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub finding: Option<usize>,
    /// Line of the code that led here, from 1.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub code_line: Option<u32>,
}

/// What the policy says of one run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// The answer.
    pub verdict: Verdict,
    /// The tier the run needs; meaningful where the verdict runs or could be overridden.
    pub runtime: Runtime,
    /// The highest level after the policy's own clauses were applied.
    pub risk: Level,
    /// Every clause that spoke, the deciding one first.
    pub reasons: Vec<Clause>,
    /// Whether an override by a person could make it run.
    pub overridable: bool,
    /// True when it runs only because of an override; the audit record says so.
    #[serde(default)]
    pub overridden: bool,
}
