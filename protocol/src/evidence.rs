//! What the outcome of a run rests on: how its main process ended and what the kernel counted, as they were seen.

use serde::{Deserialize, Serialize};

/// Who saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum EvidenceWitness {
    /// The supervisor, inside: it waited for the main process and read the counters of its cgroup.
    Supervisor,
    /// The daemon, from outside: it ended the container, or found it ended, without an account from inside.
    #[default]
    Daemon,
}

/// Why SafeRun ended a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum StoppedBy {
    /// The limit on wall-clock time.
    TimeLimit,
    /// Somebody asked for it, or the caller went away.
    Cancel,
    /// It wrote more than any program may.
    OutputLimit,
}

/// What one stream carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct StreamBytes {
    /// Bytes that the program wrote.
    pub written: u64,
    /// Of these, bytes that were left out in the middle.
    pub dropped: u64,
}

/// The evidence. A figure that is absent was not seen: in gVisor there are no cgroup files inside.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct OutcomeEvidence {
    /// Who saw it.
    pub witness: EvidenceWitness,
    /// Exit code of the main process by its wait status, also where the outcome is another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<u8>,
    /// Signal that ended the main process by its wait status, also where SafeRun sent it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signal: Option<u8>,
    /// Why SafeRun ended it; absent where it did not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stopped_by: Option<StoppedBy>,
    /// CPU time by the cgroup's counter, as a difference over the run, in microseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_us: Option<u64>,
    /// Time for which the limit on CPU held the run back (`cpu.stat`), in microseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_throttled_us: Option<u64>,
    /// Highest memory use of the cgroup (`memory.peak`, `memory.max_usage_in_bytes`), in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_peak_bytes: Option<u64>,
    /// Processes that the kernel killed for want of memory during the run (`oom_kill` of `memory.events`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oom_kills: Option<u64>,
    /// Times that the kernel refused a new task during the run (`max` of `pids.events`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pids_denied: Option<u64>,
    /// Writable folders that had no free block or no free inode at the end.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub full_folders: Vec<String>,
    /// Processes that still lived when the main one ended, and were killed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub processes_left: Option<u32>,
    /// Standard output.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stdout: Option<StreamBytes>,
    /// Standard error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stderr: Option<StreamBytes>,
    /// What was seen of a sandbox that ended without an account, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lost: Option<String>,
    /// Exit status of the container by the engine's word: 128 and the number for a signal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container_exit_status: Option<u8>,
    /// What the sandbox itself said on its own standard error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container_said: Option<String>,
}
