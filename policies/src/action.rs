//! What a policy does with a run of a given level: a gate and a tier, joined by taking the stricter of each.

use std::fmt;

use saferun_scanner::Level;
use serde::{Deserialize, Serialize};

/// Whether a run goes ahead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Gate {
    /// It runs.
    Run,
    /// It runs if a person gives a reason.
    Override,
    /// It does not run, whatever anyone says.
    Refuse,
}

/// Whether a run needs the stricter isolation tier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tier {
    /// The policy's own runtime will do.
    Any,
    /// gVisor where the host has it.
    Prefer,
    /// gVisor, or it does not run.
    Require,
}

/// What happens at one level. The six words of the language are the only values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Action {
    /// Whether the run goes ahead.
    pub gate: Gate,
    /// At which tier.
    pub tier: Tier,
}

impl Action {
    /// Runs.
    pub const RUN: Self = Self {
        gate: Gate::Run,
        tier: Tier::Any,
    };
    /// Runs, in gVisor where the host has it.
    pub const ISOLATE_IF_AVAILABLE: Self = Self {
        gate: Gate::Run,
        tier: Tier::Prefer,
    };
    /// Runs in gVisor only.
    pub const ISOLATE: Self = Self {
        gate: Gate::Run,
        tier: Tier::Require,
    };
    /// Needs a reason; then runs, in gVisor where the host has it.
    pub const OVERRIDE: Self = Self {
        gate: Gate::Override,
        tier: Tier::Prefer,
    };
    /// Needs a reason; then runs in gVisor only.
    pub const OVERRIDE_ISOLATE: Self = Self {
        gate: Gate::Override,
        tier: Tier::Require,
    };
    /// Does not run.
    pub const REFUSE: Self = Self {
        gate: Gate::Refuse,
        tier: Tier::Require,
    };

    /// Each word with its meaning, mildest first.
    pub const WORDS: [(&'static str, Self); 6] = [
        ("run", Self::RUN),
        ("isolate-if-available", Self::ISOLATE_IF_AVAILABLE),
        ("isolate", Self::ISOLATE),
        ("override", Self::OVERRIDE),
        ("override-isolate", Self::OVERRIDE_ISOLATE),
        ("refuse", Self::REFUSE),
    ];

    /// The action for a word of the language.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::WORDS
            .iter()
            .find(|(known, _)| *known == word)
            .map(|(_, action)| *action)
    }

    /// The word of the language for this action.
    #[must_use]
    pub fn word(self) -> &'static str {
        match (self.gate, self.tier) {
            (Gate::Run, Tier::Any) => "run",
            (Gate::Run, Tier::Prefer) => "isolate-if-available",
            (Gate::Run, Tier::Require) => "isolate",
            (Gate::Override, Tier::Any | Tier::Prefer) => "override",
            (Gate::Override, Tier::Require) => "override-isolate",
            (Gate::Refuse, _) => "refuse",
        }
    }

    /// The stricter of both in each respect.
    #[must_use]
    pub fn join(self, other: Self) -> Self {
        Self {
            gate: self.gate.max(other.gate),
            tier: self.tier.max(other.tier),
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// The action for each level, lowest level first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Levels {
    /// At `LOW`.
    pub low: Action,
    /// At `MEDIUM`.
    pub medium: Action,
    /// At `HIGH`.
    pub high: Action,
    /// At `BLOCKED`.
    pub blocked: Action,
}

impl Levels {
    /// The action at a level.
    #[must_use]
    pub const fn at(&self, level: Level) -> Action {
        match level {
            Level::Low => self.low,
            Level::Medium => self.medium,
            Level::High => self.high,
            Level::Blocked => self.blocked,
        }
    }
}
