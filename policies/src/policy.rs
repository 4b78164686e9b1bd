//! The effective policy: every value decided, typed, and with its origin.

use saferun_scanner::Level;

use crate::action::{Action, Levels};
use crate::decision::{ClientKind, Runtime};
use crate::limits::{EffectiveLimits, LimitError, Limits, RequestedLimits};
use crate::merge::Merged;
use crate::origin::{LayerKind, Origin};
use crate::sections::{
    AlertRules, AuditRules, Enforcement, Folder, ImageRules, Network, OverrideRules, Retention,
    Returns, Trace, WatchRules,
};

/// The effective policy. Made by [`crate::load`] and [`crate::preset`] only; the fields are what the layers came to.
#[derive(Debug, Clone, PartialEq, Eq)]
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
    /// What happens when the host cannot hold a limit.
    pub enforcement: Enforcement,
    /// Whether comments in the code may silence findings: the scanner's `honour_suppressions`.
    pub honour_suppressions: bool,
    /// Folders a run may write to.
    pub writable: Vec<Folder>,
    /// What a run hands back.
    pub returns: Returns,
    /// Which image, and how old.
    pub image: ImageRules,
    /// How much is observed unless the request says more.
    pub trace: Trace,
    /// Whether a run reports what it would have changed.
    pub effects: bool,
    /// When an override works.
    pub override_rules: OverrideRules,
    /// What is recorded, and how surely.
    pub audit: AuditRules,
    /// How long records are kept.
    pub retention: Retention,
    /// When to raise an alert.
    pub alerts: AlertRules,
    /// What the watch does.
    pub watch: WatchRules,
    pub(crate) merged: Merged,
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

    /// The action at a level.
    #[must_use]
    pub const fn action_at(&self, level: Level) -> Action {
        self.levels.at(level)
    }

    /// Where the value of a key was set: `limits.memory.max`, `levels.HIGH`.
    #[must_use]
    pub fn origin_of(&self, key: &str) -> Origin {
        self.merged.values.get(key).map_or_else(
            || Origin {
                layer: LayerKind::Preset,
                file: self.name.clone(),
                line: 0,
                column: 0,
            },
            |effective| effective.origin.clone(),
        )
    }

    /// Whether a client may override at all.
    #[must_use]
    pub fn may_override(&self, client: ClientKind) -> bool {
        self.override_rules.allowed && self.override_rules.who.contains(&client)
    }

    /// Places for runs at the same time that a client of this kind may take; people have all of them.
    #[must_use]
    pub fn places_for(&self, client: ClientKind) -> u32 {
        self.limits.places_for(client)
    }
}
