//! What an event says: the heads, which stay for ever, and the bodies beside them, which retention may drop. Pure.

use std::collections::BTreeMap;

use saferun_protocol::{Asked, ClientKind, Outcome, OutcomeEvidence, Risk};
use serde::{Deserialize, Serialize};

use super::{NewEvent, chain};

/// Longest piece of a text in a head; the whole stands in a body.
const EXCERPT: usize = 500;

/// What an event is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A run was accepted or refused.
    Start,
    /// It is over.
    End,
    /// Bodies up to an event were dropped.
    Retention,
    /// A seal begins.
    Seal,
    /// The record was found changed.
    Fault,
    /// The watch is about to take all rights from a file.
    Quarantine,
    /// They are about to be given back.
    Release,
}

impl Kind {
    /// As it is stored.
    pub(super) const fn number(self) -> i64 {
        match self {
            Self::Start => 1,
            Self::End => 2,
            Self::Retention => 3,
            Self::Seal => 4,
            Self::Fault => 5,
            Self::Quarantine => 6,
            Self::Release => 7,
        }
    }
}

/// Name of a body to its SHA-256.
pub(super) type BodyHashes = BTreeMap<String, String>;

/// Head of a start.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct StartHead {
    pub(crate) client: ClientKind,
    pub(crate) file_name: String,
    pub(crate) code_sha256: String,
    pub(crate) risk: Risk,
    pub(crate) rules: Vec<String>,
    pub(crate) policy: String,
    pub(crate) policy_hash: String,
    pub(crate) verdict: String,
    pub(crate) overridden: bool,
    pub(crate) override_reason: Option<String>,
    pub(crate) image: String,
    /// Start of the arguments, for searches.
    pub(crate) args: String,
    pub(crate) source_exact: bool,
    pub(crate) redactions: u32,
    #[serde(default)]
    pub(super) bodies: BodyHashes,
}

/// Head of an end.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct EndHead {
    pub(crate) outcome: Outcome,
    pub(crate) exit_code: Option<u8>,
    pub(crate) signal: Option<u8>,
    pub(crate) wall_ms: f64,
    pub(crate) message: String,
    /// What the outcome rests on; absent in entries from before it was kept, and where nothing ran.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) evidence: Option<OutcomeEvidence>,
    /// Where bytes of standard output and standard error are missing.
    pub(crate) gaps: [Option<u64>; 2],
    /// Whether the policy let the output be kept.
    #[serde(default)]
    pub(crate) output_kept: bool,
    /// Whether the policy keeps the output from whoever asked.
    #[serde(default)]
    pub(crate) output_withheld: bool,
    #[serde(default)]
    pub(super) bodies: BodyHashes,
}

/// The part of the call that is needed to do it again, as a body.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Call {
    pub(crate) args: Vec<String>,
    pub(crate) env: Vec<(String, String)>,
    pub(crate) stdin_streamed: bool,
    /// Path and SHA-256 of each file that came along.
    #[serde(default)]
    pub(crate) files: Vec<(String, String)>,
    pub(crate) decision: Vec<String>,
    #[serde(default)]
    pub(crate) asked: Option<Asked>,
}

/// The start of a long text.
pub(super) fn excerpt(text: &str) -> String {
    text.chars().take(EXCERPT).collect()
}

fn hashes(bodies: &[(&'static str, Vec<u8>)]) -> BodyHashes {
    bodies
        .iter()
        .map(|(name, bytes)| ((*name).to_owned(), chain::hex(&chain::digest(bytes))))
        .collect()
}

impl StartHead {
    /// The event.
    pub(crate) fn event(
        mut self,
        run: String,
        uid: u32,
        at_ms: i64,
        bodies: Vec<(&'static str, Vec<u8>)>,
    ) -> NewEvent {
        self.bodies = hashes(&bodies);
        NewEvent::new(Kind::Start, run, uid, at_ms, &self, bodies)
    }
}

impl EndHead {
    /// The end of a run that a killed daemon left open.
    pub(super) fn interrupted() -> Self {
        Self {
            outcome: Outcome::Interrupted,
            exit_code: None,
            signal: None,
            wall_ms: 0.0,
            message: "SafeRun itself was killed or lost power during the run; what the program did until then is not known; its container is removed".to_owned(),
            evidence: None,
            gaps: [None; 2],
            output_kept: false,
            output_withheld: false,
            bodies: BodyHashes::new(),
        }
    }

    /// The event.
    pub(crate) fn event(
        mut self,
        run: String,
        uid: u32,
        at_ms: i64,
        bodies: Vec<(&'static str, Vec<u8>)>,
    ) -> NewEvent {
        self.bodies = hashes(&bodies);
        NewEvent::new(Kind::End, run, uid, at_ms, &self, bodies)
    }
}

/// Head of an event about the record itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct SystemHead {
    pub(super) what: String,
}

/// The bodies that a head of any kind names.
#[derive(Debug, Default, Deserialize)]
pub(super) struct AnyHead {
    #[serde(default)]
    pub(super) bodies: BodyHashes,
    #[serde(default)]
    pub(super) what: String,
}
