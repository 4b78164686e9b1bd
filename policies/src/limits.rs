//! What a run may use, what a client may ask for, and the one function that brings both together.
//! A request is granted in full or refused by name: nothing is clamped in silence.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::decision::ClientKind;
use crate::rate::RateLimits;
use crate::units::{Bytes, MilliCpus, show_duration};

/// A limit with the value that a run gets unasked and the most that a request may choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Bounded<T> {
    /// Used when the request does not name this limit.
    pub default: T,
    /// The most that a request may ask for. Never below `default`.
    pub max: T,
}

impl<T: Copy> Bounded<T> {
    /// The same value for both: requests may only go lower.
    #[must_use]
    pub const fn fixed(value: T) -> Self {
        Self {
            default: value,
            max: value,
        }
    }
}

/// Every limit of a policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Wall-clock time of a run, waiting for a place not counted.
    pub time: Bounded<Duration>,
    /// Memory of the whole container; swap is never added.
    pub memory: Bounded<Bytes>,
    /// Processor share.
    pub cpus: Bounded<MilliCpus>,
    /// Processes and threads together, as the kernel counts them.
    pub pids: Bounded<u32>,
    /// Open file descriptors for each process.
    pub open_files: Bounded<u32>,
    /// Size of each writable in-memory folder.
    pub tmpfs: Bounded<Bytes>,
    /// Bytes kept of each of stdout and stderr: head and tail are kept, the middle is counted.
    pub output: Bounded<Bytes>,
    /// Size of the code and the files handed in with it.
    pub source: Bounded<Bytes>,
    /// Bytes of all files that a run may hand back, together.
    pub artifacts: Bounded<Bytes>,
    /// Number of files that a run may hand back.
    pub artifact_count: Bounded<u32>,
    /// Runs at the same time.
    pub concurrency: u32,
    /// Runs that may wait for a place; one more is refused at once.
    pub queue: u32,
    /// How long a run may wait for a place and a container; then it is refused.
    pub queue_wait: Duration,
    /// Runs in a sliding window.
    pub rate: RateLimits,
}

/// What a client asks for. Anything left out takes the policy's default.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RequestedLimits {
    /// Wall-clock time.
    pub time: Option<Duration>,
    /// Memory.
    pub memory: Option<Bytes>,
    /// Processor share.
    pub cpus: Option<MilliCpus>,
    /// Processes and threads.
    pub pids: Option<u32>,
    /// Open file descriptors.
    pub open_files: Option<u32>,
    /// Size of each writable folder.
    pub tmpfs: Option<Bytes>,
    /// Bytes kept of each output stream.
    pub output: Option<Bytes>,
    /// Size of the code.
    pub source: Option<Bytes>,
    /// Bytes of returned files.
    pub artifacts: Option<Bytes>,
    /// Number of returned files.
    pub artifact_count: Option<u32>,
}

/// The limits that hold for one run. Each is enforced, or the run does not start.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct EffectiveLimits {
    /// Wall-clock time.
    pub time: Duration,
    /// Memory.
    pub memory: Bytes,
    /// Processor share.
    pub cpus: MilliCpus,
    /// Processes and threads.
    pub pids: u32,
    /// Open file descriptors.
    pub open_files: u32,
    /// Size of each writable folder.
    pub tmpfs: Bytes,
    /// Bytes kept of each output stream.
    pub output: Bytes,
    /// Size of the code.
    pub source: Bytes,
    /// Bytes of returned files.
    pub artifacts: Bytes,
    /// Number of returned files.
    pub artifact_count: u32,
}

/// A request went past what the policy grants.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LimitError {
    /// More than the maximum.
    #[error(
        "{limit}: asked for {asked}, the policy allows at most {max}; ask for less, or raise `limits.{limit}.max` in your own policy"
    )]
    AboveMax {
        /// Name of the limit as in the policy: `memory`.
        limit: &'static str,
        /// What was asked, with its unit.
        asked: String,
        /// The most that is allowed, with its unit.
        max: String,
    },
    /// Zero, which engines take for "no limit".
    #[error("{limit}: asked for {asked}, the least that makes sense is {min}")]
    BelowMin {
        /// Name of the limit as in the policy.
        limit: &'static str,
        /// What was asked, with its unit.
        asked: String,
        /// The least that is accepted, with its unit.
        min: String,
    },
}

impl LimitError {
    /// Name of the limit as in the policy: `memory`.
    #[must_use]
    pub const fn limit(&self) -> &'static str {
        match self {
            Self::AboveMax { limit, .. } | Self::BelowMin { limit, .. } => limit,
        }
    }
}

/// Most bytes of files, and as many of changes, that one answer carries; no policy can say more.
pub(crate) const MAX_RETURNED: Bytes = Bytes::mib(16);

/// Most bytes of code and of the files beside it that one request carries; no policy can say more.
pub(crate) const MAX_SOURCE: Bytes = Bytes::mib(8);

/// The least values that leave an interpreter alive, below which a policy or request is a mistake.
pub mod floor {
    use std::time::Duration;

    use crate::units::{Bytes, MilliCpus};

    /// An idle interpreter with its supervisor takes 6.8 MB; below 16 MiB imports fail at random.
    pub const MEMORY: Bytes = Bytes::mib(16);
    /// Below this the interpreter's own exit may not finish.
    pub const TIME: Duration = Duration::from_millis(50);
    /// The kernel's smallest quota of 1 ms in 100 ms.
    pub const CPUS: MilliCpus = MilliCpus(10);
    /// Supervisor, interpreter, one child and one thread.
    pub const PIDS: u32 = 4;
    /// The three streams, the supervisor's pipes and what an import opens.
    pub const OPEN_FILES: u32 = 16;
    /// One page for each writable folder and its entries.
    pub const TMPFS: Bytes = Bytes::kib(64);
    /// Room for one traceback.
    pub const OUTPUT: Bytes = Bytes::kib(1);
    /// One line of code.
    pub const SOURCE: Bytes = Bytes::kib(1);
}

fn choose<T: Copy + Ord>(
    limit: &'static str,
    bounded: &Bounded<T>,
    asked: Option<T>,
    min: T,
    show: impl Fn(T) -> String,
) -> Result<T, LimitError> {
    let Some(asked) = asked else {
        return Ok(bounded.default);
    };
    if asked > bounded.max {
        return Err(LimitError::AboveMax {
            limit,
            asked: show(asked),
            max: show(bounded.max),
        });
    }
    // A policy may itself stand below the floor's advice (tests do); then its own maximum is enough.
    let min = min.min(bounded.max);
    if asked < min {
        return Err(LimitError::BelowMin {
            limit,
            asked: show(asked),
            min: show(min),
        });
    }
    Ok(asked)
}

impl Limits {
    /// What one run gets for what it asked.
    ///
    /// # Errors
    /// The first limit, in the order of [`RequestedLimits`], that is above its maximum or too small to mean anything.
    pub fn grant(&self, asked: &RequestedLimits) -> Result<EffectiveLimits, LimitError> {
        let bytes = |value: Bytes| value.to_string();
        let count = |value: u32| value.to_string();
        Ok(EffectiveLimits {
            time: choose("time", &self.time, asked.time, floor::TIME, show_duration)?,
            memory: choose("memory", &self.memory, asked.memory, floor::MEMORY, bytes)?,
            cpus: choose("cpus", &self.cpus, asked.cpus, floor::CPUS, |value| {
                value.to_string()
            })?,
            pids: choose("pids", &self.pids, asked.pids, floor::PIDS, count)?,
            open_files: choose(
                "open_files",
                &self.open_files,
                asked.open_files,
                floor::OPEN_FILES,
                count,
            )?,
            tmpfs: choose("tmpfs", &self.tmpfs, asked.tmpfs, floor::TMPFS, bytes)?,
            output: choose("output", &self.output, asked.output, floor::OUTPUT, bytes)?,
            source: choose("source", &self.source, asked.source, floor::SOURCE, bytes)?,
            artifacts: choose(
                "artifacts",
                &self.artifacts,
                asked.artifacts,
                Bytes(0),
                bytes,
            )?,
            artifact_count: choose(
                "artifact_count",
                &self.artifact_count,
                asked.artifact_count,
                0,
                count,
            )?,
        })
    }
}

impl Limits {
    /// Places for runs at the same time that a client of this kind may take. People have all of them;
    /// the others leave the reserved share free, but keep one place where there are two or more.
    #[must_use]
    pub fn places_for(&self, client: ClientKind) -> u32 {
        crate::rate::share(self.concurrency, self.rate.reserved_for_people, client)
    }
}
