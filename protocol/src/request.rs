//! What a client asks the daemon to run.

use serde::{Deserialize, Serialize};

use crate::{effects::InputFile, limits::RequestedLimits, policy::PolicyLayers};

/// Largest request body in bytes that the daemon reads: 8 MiB of code and files, the most that a policy allows, take
/// 10.7 MiB as base64, and the rest of a request has room beside them.
pub const MAX_REQUEST_BYTES: u32 = 12 * 1024 * 1024;

/// Which program asks. Declared by the client, so it orders queues and history but grants nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ClientKind {
    /// A person at a terminal.
    Terminal,
    /// An editor, on a person's request.
    Editor,
    /// The file watch.
    Watch,
    /// A coding agent: all that it sends of the policy only tightens.
    Agent,
    /// Anything else. Without a person it loosens nothing of the policy, unless the user's own file says
    /// `override.unattended: true`.
    #[default]
    Other,
}

/// Where the program's standard input comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum StdinMode {
    /// End of file at once.
    #[default]
    Empty,
    /// The bytes in [`RunRequest::stdin_base64`].
    Given,
    /// `saferun.stdin` calls that follow; only for a streamed run.
    Stream,
}

/// A run. Every field but `source` may be left out.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct RunRequest {
    /// The script's text. Bytes that are not UTF-8 go in `source_base64` instead.
    pub source: String,
    /// The script's bytes, when they are not UTF-8 text (PEP 263 encodings).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_base64: Option<String>,
    /// Path of the script below `/workspace`, at most 200 bytes; shown in tracebacks. Default `main.py`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file_name: Option<String>,
    /// Files beside the script. With it they may be as large as the policy's `limits.source.max`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<InputFile>,
    /// Arguments after the script's name.
    pub args: Vec<String>,
    /// Variables added to the container's own environment.
    pub env: Vec<(String, String)>,
    /// Names among `env` whose values are secrets: they are taken out of everything that is recorded.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub secret_env: Vec<String>,
    /// Standard input.
    pub stdin: StdinMode,
    /// Standard input as base64, for [`StdinMode::Given`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stdin_base64: Option<String>,
    /// Name of the policy preset; default: the daemon's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// Layers of the policy that come with the request.
    #[serde(skip_serializing_if = "is_empty")]
    pub policy_layers: PolicyLayers,
    /// Limits asked for.
    pub limits: RequestedLimits,
    /// Why a policy that asks for an override should let this run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub override_reason: Option<String>,
    /// Whether a person sees the answer and gave the reason. The client's own word: a guard for honest tools.
    pub person_present: bool,
    /// Isolation asked for: `runc` or `runsc`; never weaker than what the policy says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runtime: Option<String>,
    /// Image variant, as `python-data`; default: the policy's, or the cheapest that has the imports.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// Which program asks.
    pub client: ClientKind,
    /// Let the run go on when the caller goes away.
    pub detach: bool,
    /// Tell what the run would have changed; also where the policy says `effects: on`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub effects: bool,
    /// Hand back the files in `/out`, and open figures of matplotlib as PNG, as far as the policy allows.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub artifacts: bool,
    /// Tell what the run does while it runs; also where the policy says `trace: summary` or `full`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub trace: bool,
    /// Tell where the daemon's time went, stage by stage, in [`Timing::stages`](crate::Timing::stages).
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub timing: bool,
}

fn is_empty(layers: &PolicyLayers) -> bool {
    *layers == PolicyLayers::default()
}

impl RunRequest {
    /// A run of `source` with everything else at its default.
    #[must_use]
    pub fn new(source: impl Into<String>) -> Self {
        Self {
            source: source.into(),
            ..Self::default()
        }
    }
}
