//! The effective policy: every value decided, typed, and with its origin.

use saferun_scanner::Level;
use serde::{Deserialize, Serialize};

use crate::action::Levels;
use crate::decision::{ClientKind, Runtime};
use crate::limits::{EffectiveLimits, LimitError, Limits, RequestedLimits};

/// What the code may reach on the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Network {
    /// No interface but a private loopback that is left down where the runtime allows.
    None,
    /// A private loopback: the program can talk to itself.
    Loopback,
}

/// When a run that the policy stops may go ahead all the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OverrideRules {
    /// Whether there is an override at all.
    pub allowed: bool,
    /// Whether a reason must be given.
    pub reason_required: bool,
    /// Whether it works without a person; only the user layer can say so.
    pub unattended: bool,
    /// Which clients may use it.
    pub who: Vec<ClientKind>,
}

/// The effective policy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Policy {
    /// Name of the preset it is built on.
    pub name: String,
    /// What a run may use.
    pub limits: Limits,
    /// What happens at each level.
    pub levels: Levels,
    /// What the code may reach on the network.
    pub network: Network,
    /// The least strict tier that carries a run.
    pub runtime: Runtime,
    /// When an override works.
    pub override_rules: OverrideRules,
}

impl Policy {
    /// The limits of one run, from what the client asked.
    ///
    /// # Errors
    /// The first limit that is above its maximum or too small to mean anything.
    pub fn effective_limits(
        &self,
        requested: &RequestedLimits,
    ) -> Result<EffectiveLimits, LimitError> {
        self.limits.grant(requested)
    }

    /// The action at a level, as the policy's file says it.
    #[must_use]
    pub const fn action_at(&self, level: Level) -> crate::action::Action {
        self.levels.at(level)
    }
}

impl Policy {
    /// A hash of everything the policy says, stable across hosts and versions of the crate with the same language.
    #[must_use]
    pub fn hash(&self) -> String {
        use sha2::{Digest, Sha256};
        let text = serde_json::to_string(self).unwrap_or_default();
        let digest = Sha256::digest(text.as_bytes());
        digest
            .iter()
            .fold(String::from("sha256:"), |mut out, byte| {
                use std::fmt::Write as _;
                let _ = write!(out, "{byte:02x}");
                out
            })
    }
}
