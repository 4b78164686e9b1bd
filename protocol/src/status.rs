//! What the daemon says of itself. `saferun.status` answers at all times, engine or no engine.

use serde::{Deserialize, Serialize};

use crate::{image::ImageInfo, policy::PolicyStatus, request::ClientKind};

/// The daemon itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DaemonInfo {
    /// Version of SafeRun.
    pub version: String,
    /// Process id.
    pub pid: u32,
    /// Seconds since it started.
    pub uptime_s: u64,
    /// Random id of this installation's state, on each of its containers.
    pub instance: String,
    /// The default policy's name.
    pub policy: String,
}

impl DaemonInfo {
    /// All of it.
    #[must_use]
    pub fn new(version: String, pid: u32, uptime_s: u64, instance: String, policy: String) -> Self {
        Self {
            version,
            pid,
            uptime_s,
            instance,
            policy,
        }
    }
}

/// The container engine.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct EngineStatus {
    /// Address, as `unix:///var/run/docker.sock`.
    pub address: String,
    /// Whether it answered last time.
    pub reachable: bool,
    /// Name and version, if it answered.
    pub version: Option<String>,
    /// Runtimes that the engine offers and SafeRun can use.
    pub runtimes: Vec<String>,
    /// What is wrong and what to do, if something is.
    pub problem: Option<String>,
}

/// A pool of equal warm containers.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct PoolStatus {
    /// The settings all its containers share, as text.
    pub key: String,
    /// How many it keeps warm.
    pub target: u32,
    /// Ready to be leased.
    pub warm: u32,
    /// Being started.
    pub starting: u32,
    /// In use.
    pub leased: u32,
    /// Being removed.
    pub removing: u32,
    /// Leases that found one warm.
    pub hits: u64,
    /// Leases that had to wait for one.
    pub misses: u64,
    /// Containers that died while idle and were replaced.
    pub died_idle: u64,
    /// Starts that failed.
    pub failed_starts: u64,
    /// Median time to start one, in milliseconds, of the last 32.
    pub start_ms: Option<f64>,
    /// Why the last start failed.
    pub last_error: Option<String>,
}

/// A run that is under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RunInfo {
    /// Its id.
    pub id: String,
    /// Script's name.
    pub file_name: String,
    /// Which program asked.
    pub client: ClientKind,
    /// `queued` or `running`.
    pub state: String,
    /// Milliseconds since it was accepted.
    pub age_ms: u64,
}

impl RunInfo {
    /// All of it.
    #[must_use]
    pub fn new(
        id: String,
        file_name: String,
        client: ClientKind,
        state: String,
        age_ms: u64,
    ) -> Self {
        Self {
            id,
            file_name,
            client,
            state,
            age_ms,
        }
    }
}

/// Everything at a glance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Status {
    /// The daemon.
    pub daemon: DaemonInfo,
    /// The engine.
    pub engine: EngineStatus,
    /// The policy that holds.
    #[serde(default)]
    pub policy: PolicyStatus,
    /// The images.
    pub images: Vec<ImageInfo>,
    /// The pools.
    pub pools: Vec<PoolStatus>,
    /// Runs under way.
    pub running: u32,
    /// Runs that wait.
    pub queued: u32,
    /// Runs ended since the start.
    pub finished: u64,
    /// Warm containers that were looked at since the start, and held nothing of an earlier run. One that does
    /// is not used, and stands in `problems`.
    #[serde(default)]
    pub canary_checks: u64,
    /// True if a run would be accepted now.
    pub ready: bool,
    /// What keeps it from being ready, each with what to do.
    pub problems: Vec<String>,
}

impl Status {
    /// A status with no images, pools or problems yet.
    #[must_use]
    pub fn new(daemon: DaemonInfo, engine: EngineStatus) -> Self {
        Self {
            daemon,
            engine,
            policy: PolicyStatus::default(),
            images: Vec::new(),
            pools: Vec::new(),
            running: 0,
            queued: 0,
            finished: 0,
            canary_checks: 0,
            ready: false,
            problems: Vec::new(),
        }
    }
}
