//! Where an effective value comes from: its layer, and the place in the text that set it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The layers of a policy in the order in which they are applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LayerKind {
    /// One of the policies that are built in.
    Preset,
    /// `/etc/saferun/policy.yaml`.
    System,
    /// The user's own file in the configuration folder.
    User,
    /// `.saferun.yaml` in the project, or anything that came with the code: it only tightens.
    Project,
    /// `SAFERUN_*` variables.
    Environment,
    /// Words of the command line.
    Flags,
}

impl LayerKind {
    /// All layers, first applied first.
    pub const ALL: [Self; 6] = [
        Self::Preset,
        Self::System,
        Self::User,
        Self::Project,
        Self::Environment,
        Self::Flags,
    ];

    /// The layer's name as printed.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Preset => "preset",
            Self::System => "system",
            Self::User => "user",
            Self::Project => "project",
            Self::Environment => "environment",
            Self::Flags => "flags",
        }
    }
}

impl fmt::Display for LayerKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// One place in one layer.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Origin {
    /// Which layer.
    pub layer: LayerKind,
    /// Name of the text as the caller gave it: a path, a preset's name, a variable, a flag.
    pub file: String,
    /// Line from 1; 0 where the text has no lines (a variable, a flag).
    pub line: u32,
    /// Column from 1, in characters; 0 where the text has no columns.
    pub column: u32,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.layer, self.file)?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
        }
        Ok(())
    }
}
