//! The effective policy: every value decided, typed, and with its origin.

use saferun_scanner::Level;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::action::{Action, Levels};
use crate::decision::{ClientKind, Runtime};
use crate::limits::{EffectiveLimits, LimitError, Limits, RequestedLimits};
use crate::merge::Merged;
use crate::names::{Say, section};
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

    /// A hash of everything that the policy says, whatever files said it: the same on each host, for the same language.
    #[must_use]
    pub fn hash(&self) -> String {
        let mut digest = Sha256::new();
        digest.update(b"saferun-policy 1\n");
        for line in self.canonical() {
            digest.update(line.as_bytes());
            digest.update(b"\n");
        }
        let mut text = String::from("sha256:");
        for byte in digest.finalize() {
            use std::fmt::Write as _;
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
        }
        text
    }

    /// One line for each thing that the policy says, without origins and comments. Texts are quoted as in Rust,
    /// so that no value can pretend to be another line.
    fn canonical(&self) -> Vec<String> {
        let mut lines: Vec<String> = self
            .merged
            .values
            .iter()
            .filter(|(key, _)| **key != "description")
            .map(|(key, effective)| format!("{key} {:?}", effective.value))
            .collect();
        for layer in &self.merged.stack {
            let how = if layer.tightens { "tighten" } else { "set" };
            let say = |say: Say| if say == Say::Allow { "allow" } else { "block" };
            let language = |language: Option<&'static str>| language.unwrap_or("any");
            // The order of lines in one layer means nothing, the order of layers does.
            let mut block: Vec<String> = Vec::new();
            block.extend(layer.entries.iter().map(|entry| {
                let list = section(entry.kind);
                format!(
                    "{how} {list} {} {} {:?}",
                    language(entry.language),
                    say(entry.say),
                    entry.pattern.text
                )
            }));
            block.extend(layer.fallbacks.iter().map(|fallback| {
                let list = section(fallback.kind);
                format!(
                    "{how} {list} {} default {}",
                    language(fallback.language),
                    say(fallback.say)
                )
            }));
            block.extend(
                layer
                    .rules
                    .iter()
                    .map(|line| format!("{how} rule {:?} {:?}", line.rule, line.setting)),
            );
            block.extend(layer.custom.iter().map(|rule| {
                let (list, pattern) = (section(rule.kind), &rule.pattern.text);
                format!(
                    "{how} custom {} {list} {pattern:?} {} {:?}",
                    rule.id, rule.level, rule.message
                )
            }));
            block.sort();
            lines.extend(block);
        }
        lines
    }
}

/// One line of `policy show`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// Dotted path of the key.
    pub key: String,
    /// The effective value in the language's spelling.
    pub value: String,
    /// Where it was set.
    pub origin: Origin,
    /// Every layer that spoke of it, first to last.
    pub steps: Vec<crate::merge::Step>,
}

impl Policy {
    /// Every effective value with its origin, in the order of the documentation; lists of names come last.
    #[must_use]
    pub fn show(&self) -> Vec<Shown> {
        let keys = crate::keys::all().iter().filter_map(|key| {
            let effective = self.merged.values.get(key.path)?;
            Some(Shown {
                key: key.path.to_owned(),
                value: effective.value.to_string(),
                origin: effective.origin.clone(),
                steps: effective.steps.clone(),
            })
        });
        let shown = |key: String, value: String, origin: &Origin| Shown {
            key,
            value,
            origin: origin.clone(),
            steps: Vec::new(),
        };
        let prefix = |language: Option<&str>| {
            language.map_or_else(String::new, |language| format!("languages.{language}."))
        };
        let lists = self.merged.stack.iter().flat_map(move |layer| {
            let say = |say: Say| if say == Say::Allow { "allow" } else { "block" };
            let fallbacks = layer.fallbacks.iter().map(move |line| {
                let key = format!("{}{}.default", prefix(line.language), section(line.kind));
                shown(key, say(line.say).to_owned(), &line.origin)
            });
            let entries = layer.entries.iter().map(move |line| {
                let key = format!(
                    "{}{}.{}",
                    prefix(line.language),
                    section(line.kind),
                    say(line.say)
                );
                shown(key, line.pattern.text.clone(), &line.origin)
            });
            let rules = layer.rules.iter().map(move |line| {
                let value = match line.setting {
                    crate::layer::RuleSetting::Off => "off",
                    crate::layer::RuleSetting::Level(level) => level.as_str(),
                };
                shown(
                    format!("rules.{}", line.rule),
                    value.to_owned(),
                    &line.origin,
                )
            });
            let custom = layer.custom.iter().map(move |rule| {
                let value = format!(
                    "{} {} {}",
                    section(rule.kind),
                    rule.pattern.text,
                    rule.level
                );
                shown(format!("custom_rules.{}", rule.id), value, &rule.origin)
            });
            fallbacks.chain(entries).chain(rules).chain(custom)
        });
        keys.chain(lists).collect()
    }
}
