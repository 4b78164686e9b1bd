//! The account of a run. One object for `saferun.run`, `saferunctl run --json` and `finished`.

use serde::{Deserialize, Serialize};

use crate::{
    effects::{Artifact, Effects, LeftBehind, Trace},
    evidence::OutcomeEvidence,
    finding::{Finding, Risk},
    limits::AppliedLimits,
    timing::Timing,
};

/// What ended the run. Never a bare number, and never success for a program that did not run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Outcome {
    /// The program ended by itself; see `exit_code`.
    Completed,
    /// A signal ended it that SafeRun did not send; see `signal`.
    Signaled,
    /// The time limit ended it.
    Timeout,
    /// The memory limit ended it.
    Oom,
    /// The limit on tasks was met, and it ended with exit code 1 or a signal. With another code of its own it is `completed`.
    PidsExhausted,
    /// A tmpfs was full in the end, and it ended with exit code 1 or a signal. With another code of its own it is `completed`.
    DiskFull,
    /// The output limit ended it, where the policy says so.
    OutputCapped,
    /// The policy refused it; nothing ran.
    Blocked,
    /// The caller, another client, or a caller that went away ended it.
    Cancelled,
    /// The sandbox could not be made ready, or its attestation failed; nothing ran.
    SetupFailed,
    /// The engine failed during the run.
    EngineError,
    /// The daemon itself was killed or lost power during the run; what the program did until then is not known.
    Interrupted,
}

/// A limit that the run touched, whether or not it ended it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LimitHit {
    /// Wall-clock time.
    Time,
    /// Memory: at least one process was killed for it.
    Memory,
    /// Tasks: at least one was refused.
    Pids,
    /// A writable tmpfs was full at the end.
    Disk,
    /// Output was dropped.
    Output,
    /// The time that a run may wait for a place and a container; nothing ran.
    Queue,
}

/// What the run used.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Usage {
    /// From hand-over to the end of the main process, in milliseconds.
    pub wall_ms: f64,
    /// CPU time of all its processes, in milliseconds.
    pub cpu_ms: Option<f64>,
    /// Highest memory use of the container, in bytes.
    pub peak_memory_bytes: Option<u64>,
}

/// Who saw a field of the attestation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Witness {
    /// The supervisor, inside.
    Inside,
    /// The daemon, from outside.
    Outside,
    /// Nobody can see it with this runtime and engine; the table says so.
    NotObservable,
}

/// One setting as it was read back from the kernel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttestationField {
    /// Name of the setting, as `no_new_privs`.
    pub name: String,
    /// What was seen.
    pub value: String,
    /// Who saw it.
    pub witness: Witness,
}

/// The container that the run had.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct SandboxInfo {
    /// Engine and version, as `docker 20.10.24`.
    pub engine: String,
    /// `runc` or `runsc`.
    pub runtime: String,
    /// Image id.
    pub image: String,
    /// Variant of the image, as `python`.
    pub variant: String,
    /// Engine's id of the container.
    pub container: String,
    /// Whether it was warm when the run came.
    pub warm: bool,
    /// The settings as they were read back.
    pub attestation: Vec<AttestationField>,
}

/// The account of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RunResult {
    /// Id of the run (UUID version 7).
    pub id: String,
    /// What ended it.
    pub status: Outcome,
    /// One sentence for a person: what happened, and what to do next.
    pub message: String,
    /// The program's exit code, if it returned one.
    pub exit_code: Option<u8>,
    /// The signal that ended it, if one did.
    pub signal: Option<u8>,
    /// Standard output; bytes that are not UTF-8 are replaced, and kept in `stdout_base64`.
    pub stdout: String,
    /// Standard error, in the same way.
    pub stderr: String,
    /// Standard output as it was, when it is not UTF-8.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub stdout_base64: Option<String>,
    /// Standard error as it was, when it is not UTF-8.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub stderr_base64: Option<String>,
    /// Whether the middle of standard output is missing.
    pub stdout_truncated: bool,
    /// Whether the middle of standard error is missing.
    pub stderr_truncated: bool,
    /// Bytes missing, of both streams.
    pub dropped_bytes: u64,
    /// Limits that were touched.
    pub limits_hit: Vec<LimitHit>,
    /// What the status rests on. Absent where nothing ran, and in records from before it was kept.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub evidence: Option<OutcomeEvidence>,
    /// It never began, because the daemon stops: nothing of its input was read, and the next daemon takes it.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub drained: bool,
    /// Highest level that the scanner found.
    pub risk: Risk,
    /// What the scanner found.
    pub findings: Vec<Finding>,
    /// Name of the policy that decided.
    pub policy: String,
    /// Hash of everything that this policy says, with the layers of the request.
    #[serde(default)]
    pub policy_hash: String,
    /// Lines of the request's policy texts that had no effect: a project that would widen, and the like.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub policy_warnings: Vec<String>,
    /// What to do about what was missing: a module, a newer image. Sentences for a person.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub advice: Vec<String>,
    /// Whether a refusal was overridden.
    pub overridden: bool,
    /// Why the run is not, or not wholly, in the record. Absent when it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unrecorded: Option<String>,
    /// Limits that held.
    pub limits: AppliedLimits,
    /// What was used.
    pub usage: Usage,
    /// Where the time went.
    pub timing: Timing,
    /// What it ran in.
    pub sandbox: SandboxInfo,
    /// Language of the script, as `python`.
    pub language: String,
    /// What the run would have changed; absent if nobody asked, or if nothing can be known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effects: Option<Effects>,
    /// Files that it left in `/out`, if they were asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub artifacts: Vec<Artifact>,
    /// Files that it left in `/out` and that did not come back, or without their content, for want of room
    /// (`limits.artifacts`, `limits.artifact_count`), because the policy hands none back, or because nobody could look any
    /// more. Absent if all came back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifacts_left_behind: Option<LeftBehind>,
    /// What it was seen doing, if it was traced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<Trace>,
}

impl RunResult {
    /// A result of which only the id and the status are known; the rest is filled in by the daemon.
    #[must_use]
    pub fn new(id: String, status: Outcome, message: String) -> Self {
        Self {
            id,
            status,
            message,
            exit_code: None,
            signal: None,
            stdout: String::new(),
            stderr: String::new(),
            stdout_base64: None,
            stderr_base64: None,
            stdout_truncated: false,
            stderr_truncated: false,
            dropped_bytes: 0,
            limits_hit: Vec::new(),
            evidence: None,
            drained: false,
            risk: Risk::Low,
            findings: Vec::new(),
            policy: String::new(),
            policy_hash: String::new(),
            policy_warnings: Vec::new(),
            advice: Vec::new(),
            overridden: false,
            unrecorded: None,
            limits: AppliedLimits::default(),
            usage: Usage::default(),
            timing: Timing::default(),
            sandbox: SandboxInfo::default(),
            language: "python".to_owned(),
            effects: None,
            artifacts: Vec::new(),
            artifacts_left_behind: None,
            trace: None,
        }
    }

    /// What did not come back of `/out`, as a sentence without an end; `None` if nothing did. The names in it are the
    /// program's: whoever shows them makes them harmless.
    #[must_use]
    pub fn left_behind(&self) -> Option<String> {
        let left = self.artifacts_left_behind.as_ref()?;
        let looked = left.why.as_deref();
        let looked = looked.unwrap_or("not all of /out could be looked at");
        if left.files == 0 {
            return Some(looked.to_owned());
        }
        let files = if left.files == 1 { "file" } else { "files" };
        let names: Vec<String> = left.names.iter().map(|name| format!("{name:?}")).collect();
        let unnamed = left.files.saturating_sub(left.names.len() as u64);
        let more = match unnamed {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let looked = left.perhaps_more.then(|| format!("; {looked}"));
        Some(format!(
            "{} {files} of {} bytes in /out did not come back: {}{more}{}; limits.artifacts and limits.artifact_count say how much does",
            left.files,
            left.bytes,
            names.join(", "),
            looked.unwrap_or_default()
        ))
    }

    /// The account without the contents of files: for the record, and for whoever only reads.
    #[must_use]
    pub fn without_contents(&self) -> Self {
        let mut result = self.clone();
        let changes = result
            .effects
            .iter_mut()
            .flat_map(|effects| &mut effects.changes);
        changes.for_each(|change| change.content_base64 = None);
        let artifacts = result.artifacts.iter_mut();
        artifacts.for_each(|artifact| artifact.content_base64 = None);
        result
    }
}
