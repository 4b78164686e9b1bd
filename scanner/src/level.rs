//! The four risk levels. They order by what is at stake, not by how sure the scanner is.

use serde::{Deserialize, Serialize};

/// What is at stake if the code runs outside a sandbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Level {
    /// Ordinary programs do this; worth knowing.
    Low,
    /// Reaches beyond the program: processes, network, other files.
    Medium,
    /// Could harm the user or cannot be understood without running it.
    High,
    /// Destroys, steals or persists; nobody runs this by intent.
    Blocked,
}

impl Level {
    /// All levels, lowest first.
    pub const ALL: [Self; 4] = [Self::Low, Self::Medium, Self::High, Self::Blocked];

    /// The spelling used in policies, JSON and text: `LOW`, `MEDIUM`, `HIGH`, `BLOCKED`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "LOW",
            Self::Medium => "MEDIUM",
            Self::High => "HIGH",
            Self::Blocked => "BLOCKED",
        }
    }
}

impl std::fmt::Display for Level {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

impl std::str::FromStr for Level {
    type Err = UnknownLevel;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|level| level.as_str().eq_ignore_ascii_case(text))
            .ok_or_else(|| UnknownLevel {
                text: text.to_owned(),
            })
    }
}

/// A level was named that does not exist.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown level `{text}`: use LOW, MEDIUM, HIGH or BLOCKED")]
pub struct UnknownLevel {
    /// The text as it was given.
    pub text: String,
}
