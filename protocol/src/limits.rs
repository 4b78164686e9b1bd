//! Limits as clients ask for them and as a run got them. Units stand in the field's name.

use serde::{Deserialize, Serialize};

/// What a client asks for; absent means the policy's default. Above the policy's maximum is an error.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct RequestedLimits {
    /// Wall-clock time of the run, in milliseconds, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_ms: Option<u64>,
    /// Memory, in bytes; swap is never added.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<u64>,
    /// CPU, in thousandths of one CPU.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_millis: Option<u64>,
    /// Tasks (processes and threads), the supervisor and the interpreter included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pids: Option<u32>,
    /// Output kept of each stream, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_bytes: Option<u64>,
    /// Open files of each process.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub open_files: Option<u32>,
    /// Size of each writable folder, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tmpfs_bytes: Option<u64>,
    /// Size of the script, in bytes, without the files beside it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_bytes: Option<u64>,
    /// Files handed back, in bytes together; `0` for none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub artifacts_bytes: Option<u64>,
    /// Number of files handed back; `0` for none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub artifact_count: Option<u32>,
}

/// What the run got.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct AppliedLimits {
    /// Wall-clock time, in milliseconds.
    pub time_ms: u64,
    /// Memory, in bytes.
    pub memory_bytes: u64,
    /// CPU, in thousandths of one CPU.
    pub cpu_millis: u64,
    /// Tasks.
    pub pids: u32,
    /// Size of each writable tmpfs, in bytes.
    pub tmpfs_bytes: u64,
    /// Open files of each process.
    pub open_files: u32,
    /// Output kept of each stream, in bytes.
    pub output_bytes: u64,
    /// Limits, by their names in the policy, that this machine could not hold and the user's policy let go.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub not_enforced: Vec<String>,
}
