//! The record of runs as it travels: a page of history, one whole record, what a verification found.

use serde::{Deserialize, Serialize};

use crate::{
    finding::Risk,
    limits::RequestedLimits,
    policy::PolicyLayers,
    request::{ClientKind, RunRequest, StdinMode},
    result::{Outcome, RunResult},
    watch::HostPath,
};

/// Most records that one call of `saferun.history` returns.
pub const MAX_HISTORY_PAGE: u32 = 1000;

/// Which runs of the same user are asked for; newest first. All conditions hold at once.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct HistoryQuery {
    /// How many at the most, up to [`MAX_HISTORY_PAGE`]; 0 means what the policy says (`retention.show`).
    pub limit: u32,
    /// Only runs recorded before this one: the `next` of the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<u64>,
    /// Only this level and above.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub risk: Option<Risk>,
    /// Only runs that ended so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// Only runs that began at this time or later, in milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since_ms: Option<i64>,
    /// Only runs that began before this time, in milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until_ms: Option<i64>,
    /// Only scripts whose name contains this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Only runs whose name, arguments, findings, policy, reason or sentence contain this, in whatever case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Only runs whose id starts with this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

/// A page of history.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct HistoryPage {
    /// The runs, newest first.
    pub runs: Vec<HistoryItem>,
    /// `before` of the page that follows, if one does.
    pub next: Option<u64>,
}

/// One run in a page of history.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HistoryItem {
    /// Its id.
    pub id: String,
    /// Milliseconds since 1970 when it was accepted.
    pub at_ms: i64,
    /// Script's name.
    pub file_name: String,
    /// Which program asked.
    pub client: ClientKind,
    /// Highest level found.
    pub risk: Risk,
    /// How it ended; absent while it is under way.
    pub outcome: Option<Outcome>,
    /// Exit code, if the program returned one.
    pub exit_code: Option<u8>,
    /// Wall time, in milliseconds.
    pub wall_ms: f64,
    /// Whether a refusal was overridden.
    pub overridden: bool,
}

/// What was seen of the cleaning up after a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Cleanup {
    /// Its container is gone by the engine's word, and the kernel shows no process of it.
    Verified,
    /// Its container is gone by the engine's word; the kernel of an engine elsewhere cannot be looked at.
    Declared,
    /// Nobody has seen that it is gone: the removal is under way, fails, or was not recorded.
    Unverified,
}

impl Cleanup {
    /// Its name, as in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::Declared => "declared",
            Self::Unverified => "unverified",
        }
    }

    /// The one of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Verified, Self::Declared, Self::Unverified]
            .into_iter()
            .find(|known| known.name() == name)
    }
}

/// Everything that is recorded of one run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunRecord {
    /// Version of this form. Within one version fields are only added.
    pub format: u32,
    /// Milliseconds since 1970 when it was accepted.
    pub started_ms: i64,
    /// Milliseconds since 1970 when its end was recorded; absent while it is under way.
    pub ended_ms: Option<i64>,
    /// Who ran it, from `SO_PEERCRED`.
    pub uid: u32,
    /// Which program asked; declared by it.
    pub client: ClientKind,
    /// Script's name.
    pub file_name: String,
    /// SHA-256 of the code as it ran, in hexadecimal.
    pub code_sha256: String,
    /// The code, as far as the policy keeps it and retention has not dropped it.
    pub source: Option<String>,
    /// Whether `source` is exactly the code that ran.
    pub source_exact: bool,
    /// Secrets that were blanked out, in the code, the arguments, the environment and the output.
    pub redactions: u32,
    /// Arguments.
    pub args: Vec<String>,
    /// Variables that were added.
    pub env: Vec<(String, String)>,
    /// Standard input that came with the request, as base64.
    pub stdin_base64: Option<String>,
    /// Whether standard input was streamed and so is not recorded.
    pub stdin_streamed: bool,
    /// Path and SHA-256 of each file that came with the script.
    #[serde(default)]
    pub files: Vec<(String, String)>,
    /// What the request said of policy, limits and image, to do it again. Absent where that was not kept.
    #[serde(default)]
    pub asked: Option<Asked>,
    /// Reason that was given to override the policy.
    pub override_reason: Option<String>,
    /// Clauses of the policy that decided, as `levels.HIGH: text`.
    pub decision: Vec<String>,
    /// How it ended, with the output; while it is under way, what was known at its start.
    pub result: Option<RunResult>,
    /// Whether the policy let the output be kept; an empty output then says that there was none.
    #[serde(default)]
    pub output_kept: bool,
    /// Whether the policy keeps the output from whoever asked for the run: it is not told here either.
    #[serde(default)]
    pub output_withheld: bool,
    /// Bodies (source, output, findings) that retention has dropped.
    pub dropped_bodies: Vec<String>,
    /// Place of the start event in the chain, from 1.
    pub seq: u64,
    /// Link of the start event, in hexadecimal.
    pub start_hash: String,
    /// Link of the end event, in hexadecimal.
    pub end_hash: Option<String>,
    /// Whether the run's container was seen to be gone; absent if it had none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cleanup: Option<Cleanup>,
}

/// The part of a request that decides how code runs, besides the code and its input.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Asked {
    /// Name of the preset that was asked for.
    pub policy: Option<String>,
    /// Layers of the policy that came with the request.
    pub policy_layers: PolicyLayers,
    /// Limits that were asked for.
    pub limits: RequestedLimits,
    /// Isolation that was asked for.
    pub runtime: Option<String>,
    /// Image that was asked for.
    pub image: Option<String>,
    /// Where standard input came from.
    pub stdin: StdinMode,
}

impl Asked {
    /// That of a request.
    #[must_use]
    pub fn of(request: &RunRequest) -> Self {
        Self {
            policy: request.policy.clone(),
            policy_layers: request.policy_layers.clone(),
            limits: request.limits.clone(),
            runtime: request.runtime.clone(),
            image: request.image.clone(),
            stdin: request.stdin,
        }
    }
}

/// Most links that one verification compares with: two weeks of a line a minute. Each stands for all before it.
pub const MAX_ANCHORS: usize = 20_000;

/// A link of the chain that was kept somewhere else: whoever changes the record later cannot change it there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Anchor {
    /// Number of the event, from 1.
    pub seq: u64,
    /// Its link, in hexadecimal.
    pub link: String,
}

/// Where the chain stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RecordHead {
    /// Number of the last event.
    pub seq: u64,
    /// Its link, in hexadecimal.
    pub link: String,
    /// The record, on the daemon's machine.
    pub file: HostPath,
    /// User of the daemon, who owns the record.
    pub uid: u32,
}

impl RecordHead {
    /// A head with all that there is.
    #[must_use]
    pub const fn new(seq: u64, link: String, file: HostPath, uid: u32) -> Self {
        Self {
            seq,
            link,
            file,
            uid,
        }
    }
}

/// What a verification of the whole record found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct VerifyReport {
    /// The verdict.
    pub verdict: Integrity,
    /// Events looked at.
    pub events: u64,
    /// Last link of the chain, in hexadecimal.
    pub head: String,
    /// Time of the first event, in milliseconds since 1970, by the record's own word; absent where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_ms: Option<i64>,
    /// First event under the seal, if there is one.
    pub sealed_from: Option<u64>,
    /// Last event whose link was kept elsewhere and is the same here: nothing up to it was changed since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anchored_to: Option<u64>,
    /// Bodies that are gone, and by the record's own word may be; absent where all are there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dropped: Option<DroppedBodies>,
    /// What is wrong, the first 100.
    pub problems: Vec<String>,
}

/// Bodies (code, input, output) that retention dropped, as an entry of the record says. Who could write to the record then
/// could write that entry as well: what they held cannot be checked any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DroppedBodies {
    /// How many are gone.
    pub bodies: u64,
    /// Events that they belonged to.
    pub events: u64,
    /// Bodies of events up to this one may be gone.
    pub up_to: u64,
    /// Event that says so.
    pub said_by: u64,
    /// Its time, in milliseconds since 1970.
    pub at_ms: i64,
}

impl VerifyReport {
    /// A report without problems, seal or links from elsewhere.
    #[must_use]
    pub const fn new(verdict: Integrity, events: u64, head: String) -> Self {
        Self {
            verdict,
            events,
            head,
            first_ms: None,
            sealed_from: None,
            anchored_to: None,
            dropped: None,
            problems: Vec::new(),
        }
    }
}

/// How far a record can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Integrity {
    /// Chain and bodies fit together. Whoever owns the file could have made it so: no seal was checked.
    Consistent,
    /// The seal fits the key as well: nothing since the seal began was changed or removed.
    Untampered,
    /// Something was changed, removed, added or re-ordered.
    Broken,
}

/// The start of a seal. The key is told this once and kept nowhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sealed {
    /// Key that verifies it, in hexadecimal.
    pub key: String,
    /// First event under it.
    pub from: u64,
}
