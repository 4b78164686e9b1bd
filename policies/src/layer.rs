//! One layer after reading: its values, its lists, and the place of each.

use std::collections::BTreeMap;

use saferun_scanner::{Level, UsageKind};
use serde::{Deserialize, Serialize};

use crate::decision::Verdict;
use crate::names::{Entry, Fallback, Pattern};
use crate::origin::{LayerKind, Origin};
use crate::value::Value;
use crate::yaml::Span;

/// What the words of a layer may do to those of the layers before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// They replace them.
    Replaces,
    /// They tighten them, and choose limits up to the maximum that stands: what a client without a person may say.
    Chooses,
    /// They tighten them.
    Tightens,
}

/// A text of one layer, as the caller read it. The crate itself opens nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Which layer it is.
    pub layer: LayerKind,
    /// How to call it in messages: its path, or the variable's or flag's name.
    pub name: String,
    /// What it says.
    pub content: Content,
    /// What it may do; a project's file only tightens, whatever stands here.
    pub reach: Reach,
}

/// What a layer says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// A policy file.
    Yaml(String),
    /// One setting, of a variable or a flag.
    Setting {
        /// Dotted path of the key.
        key: String,
        /// Its value; lists are parted by commas.
        value: String,
    },
}

impl Source {
    /// A policy file.
    #[must_use]
    pub fn yaml(layer: LayerKind, name: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            layer,
            name: name.into(),
            content: Content::Yaml(text.into()),
            reach: if layer == LayerKind::Project {
                Reach::Tightens
            } else {
                Reach::Replaces
            },
        }
    }

    /// The same text, allowed to tighten only (a file of doubtful ownership, settings sent by an agent).
    #[must_use]
    pub fn tightening(mut self) -> Self {
        self.reach = Reach::Tightens;
        self
    }

    /// The same text from a client without a person: it tightens, and chooses limits up to the maximum that stands.
    #[must_use]
    pub fn choosing(mut self) -> Self {
        if self.reach == Reach::Replaces {
            self.reach = Reach::Chooses;
        }
        self
    }
}

/// A value with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Set {
    pub(crate) value: Value,
    pub(crate) origin: Origin,
    /// For a diagnostic with a caret.
    pub(crate) span: Span,
}

/// What a rule is set to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RuleSetting {
    Off,
    Level(Level),
}

/// One line of `rules`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RuleLine {
    /// The rule's one key ([`crate::rules::key`]): the scanner's id or a custom rule's, in lower case.
    pub(crate) rule: String,
    pub(crate) setting: RuleSetting,
    pub(crate) origin: Origin,
}

/// One item of `custom_rules`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CustomRule {
    pub(crate) id: String,
    pub(crate) kind: UsageKind,
    pub(crate) pattern: Pattern,
    pub(crate) level: Level,
    pub(crate) message: String,
    pub(crate) origin: Origin,
}

/// One item of `tests`: code with what the policy should say of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expectation {
    /// What the test is called.
    pub name: String,
    /// The code.
    pub code: String,
    /// Language of the code.
    pub language: String,
    /// What the policy should say.
    pub expect: Verdict,
    /// Key of the clause that should decide, if given.
    pub because: Option<String>,
    /// Whether the host is taken to have gVisor.
    pub gvisor: bool,
    /// The override's reason, given by a person, if any.
    pub override_reason: Option<String>,
    /// Where the test stands.
    pub origin: Origin,
}

/// One layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Layer {
    pub(crate) kind: LayerKind,
    pub(crate) file: String,
    pub(crate) text: String,
    /// It replaces nothing.
    pub(crate) tighten_only: bool,
    /// It chooses limits up to the maximum that stands.
    pub(crate) chooses_limits: bool,
    /// The preset that it names.
    pub(crate) preset: Option<(String, Span)>,
    pub(crate) values: BTreeMap<&'static str, Set>,
    pub(crate) entries: Vec<Entry>,
    pub(crate) fallbacks: Vec<Fallback>,
    pub(crate) rules: Vec<RuleLine>,
    pub(crate) custom: Vec<CustomRule>,
    /// Ids of its custom rules, also of those that are otherwise broken.
    pub(crate) custom_ids: Vec<String>,
    pub(crate) tests: Vec<Expectation>,
}

impl Layer {
    pub(crate) fn new(source: &Source) -> Self {
        let text = match &source.content {
            Content::Yaml(text) => text.clone(),
            Content::Setting { .. } => String::new(),
        };
        Self {
            kind: source.layer,
            file: source.name.clone(),
            text,
            tighten_only: source.reach != Reach::Replaces || source.layer == LayerKind::Project,
            chooses_limits: source.reach == Reach::Chooses && source.layer != LayerKind::Project,
            preset: None,
            values: BTreeMap::new(),
            entries: Vec::new(),
            fallbacks: Vec::new(),
            rules: Vec::new(),
            custom: Vec::new(),
            custom_ids: Vec::new(),
            tests: Vec::new(),
        }
    }
}
