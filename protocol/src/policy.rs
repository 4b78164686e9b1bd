//! Policies on the wire: texts that come with a request, and the policy that holds.

use serde::{Deserialize, Serialize};

/// Most policy texts of one kind in a request.
pub const MAX_POLICY_TEXTS: usize = 32;
/// Most single settings in a request.
pub const MAX_POLICY_SETTINGS: usize = 128;

/// A policy file, by its content: no path of the host is ever opened for a request.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct PolicyText {
    /// How messages call it: its path as the person knows it.
    pub name: String,
    /// What it says, at most 64 KiB.
    pub text: String,
}

impl PolicyText {
    /// A file.
    #[must_use]
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            text: text.into(),
        }
    }
}

/// One setting of a policy.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct PolicySetting {
    /// A variable (`SAFERUN_LIMITS_TIME`), or a dotted key of the language (`limits.time`) for a flag.
    pub name: String,
    /// Its value; lists are parted by commas.
    pub value: String,
}

impl PolicySetting {
    /// A setting.
    #[must_use]
    pub fn new(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            value: value.into(),
        }
    }
}

/// What a request says of the policy besides its name. Each layer stands where docs/policy.md says.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct PolicyLayers {
    /// `.saferun.yaml` of the script's project, nearest first; at most 32. They only tighten.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub project: Vec<PolicyText>,
    /// `SAFERUN_*` variables of the client, and flags; at most 128.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub settings: Vec<PolicySetting>,
    /// A policy file that the person named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<PolicyText>,
}

/// The policy that holds without any layer of a request.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct PolicyStatus {
    /// Name of the preset that it is built on.
    pub name: String,
    /// Hash of everything that it says: `sha256:` and 64 digits.
    pub hash: String,
    /// Its layers, first applied first, as `user /home/me/.config/saferun/policy.yaml`.
    pub layers: Vec<String>,
    /// Changes since the daemon's start, from 1.
    pub generation: u64,
    /// What is wrong with the files now. The policy is the one from before the mistake.
    pub problems: Vec<String>,
    /// True if no sound policy was read yet: nothing runs.
    pub blocked: bool,
}
