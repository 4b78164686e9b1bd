//! What SafeRun needs of a container engine, in words that no engine owns.
//!
//! Readiness and the end of a run come from the supervisor's frames, above this trait. There is no
//! exec, no pause and no log here, on purpose (docs/decisions). Every call has a deadline inside.

use std::{convert::Infallible, path::Path, time::Duration};

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncWrite};

pub(crate) mod docker;

pub(crate) use docker::{
    SHM_BYTES, TMPFS_FLAGS, WRITABLE, host_tasks, is_gvisor, start_capabilities, start_user,
};

/// How well an engine holds a limit or a feature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Support {
    /// The kernel enforces it and it can be read back.
    Enforced,
    /// It is not there.
    None,
}

/// What this engine, on this machine, can do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Capabilities {
    /// Name and version for people, as `docker 20.10.24`.
    pub(crate) version: String,
    /// Isolation tiers that it offers: `runc`, `runsc`.
    pub(crate) runtimes: Vec<String>,
    /// 1, 2, or none if unknown.
    pub(crate) cgroup_version: Option<u8>,
    /// Whether the engine runs on this machine, so that the daemon can look at `/proc` itself.
    pub(crate) local: bool,
    /// Memory limit, swap included.
    pub(crate) memory: Support,
    /// CPU quota.
    pub(crate) cpu: Support,
    /// Limit on tasks.
    pub(crate) pids: Support,
}

impl Capabilities {
    /// The limits that this engine cannot hold here.
    pub(crate) fn unheld(&self) -> Unheld {
        Unheld {
            memory: self.memory != Support::Enforced,
            cpu: self.cpu != Support::Enforced,
            pids: self.pids != Support::Enforced,
        }
    }
}

/// Everything that a container is made from. Equal templates make interchangeable containers.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Template {
    /// `runc` or `runsc`.
    pub(crate) runtime: String,
    /// Immutable image id.
    pub(crate) image: String,
    /// Memory in bytes, which is also memory plus swap.
    pub(crate) memory_bytes: u64,
    /// Thousandths of a CPU.
    pub(crate) cpu_millis: u64,
    /// Tasks, the supervisor and the interpreter included.
    pub(crate) pids: u32,
    /// Size of each writable tmpfs in bytes.
    pub(crate) tmpfs_bytes: u64,
    /// Soft and hard limit on open files.
    pub(crate) open_files: u32,
    /// Folders that the program may write to.
    pub(crate) writable: Folders,
    /// Limits that this machine cannot hold, and that the user lets go.
    pub(crate) unheld: Unheld,
}

/// Which of [`WRITABLE`] may be written to, in its order; the others stay part of the read-only root.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Folders(pub(crate) [bool; WRITABLE.len()]);

impl Folders {
    /// All of them.
    #[cfg(test)]
    pub(crate) const ALL: Self = Self([true; WRITABLE.len()]);

    /// Their paths.
    pub(crate) fn paths(self) -> impl Iterator<Item = &'static str> {
        WRITABLE
            .into_iter()
            .zip(self.0)
            .filter_map(|(path, writable)| writable.then_some(path))
    }
}

/// Limits that do not hold. Nothing of it is set without the user's own word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(crate) struct Unheld {
    /// Memory and swap.
    pub(crate) memory: bool,
    /// CPU.
    pub(crate) cpu: bool,
    /// Tasks.
    pub(crate) pids: bool,
}

impl Unheld {
    /// Names of the limits, as in the policy.
    pub(crate) fn names(self) -> Vec<&'static str> {
        [
            ("memory", self.memory),
            ("cpus", self.cpu),
            ("pids", self.pids),
        ]
        .into_iter()
        .filter_map(|(name, unheld)| unheld.then_some(name))
        .collect()
    }
}

impl Template {
    /// Whether a container made from this one can be given the limits of `wanted` while it runs: it differs in
    /// memory, CPU and tasks alone, and has no less of any. Never in gVisor, which cannot change its limits.
    pub(crate) fn covers(&self, wanted: &Self) -> bool {
        let same = Self {
            memory_bytes: wanted.memory_bytes,
            cpu_millis: wanted.cpu_millis,
            pids: wanted.pids,
            ..self.clone()
        };
        same == *wanted
            && self.unheld == Unheld::default()
            && !is_gvisor(&self.runtime)
            && self.memory_bytes >= wanted.memory_bytes
            && self.cpu_millis >= wanted.cpu_millis
            && self.pids >= wanted.pids
    }
}

/// What is particular to one container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    /// Name, unique, starts with `saferun-`; in the journal before the engine hears of it.
    pub(crate) name: String,
    /// This installation's random id, as a label, for discovery only.
    pub(crate) instance: String,
    /// The uid and gid inside, which no other live container has.
    pub(crate) uid: u32,
}

/// What the daemon's side sees of a running container.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct OuterFacts {
    /// Host pid of the container's PID 1; `None` if not local.
    pub(crate) pid: Option<u32>,
    /// `/proc/PID/status` of it, verbatim, if local.
    pub(crate) proc_status: Option<String>,
    /// `/proc/PID/uid_map` of it: which uid the host sees under a user namespace.
    pub(crate) uid_map: Option<String>,
    /// Memory limit in bytes from the cgroup's file on the host, if local.
    pub(crate) memory_limit: Option<u64>,
    /// Memory plus swap limit in bytes (cgroup v1) or swap limit (v2).
    pub(crate) swap_limit: Option<u64>,
    /// CPU limit in thousandths.
    pub(crate) cpu_millis: Option<u64>,
    /// Limit on tasks.
    pub(crate) pids_limit: Option<u64>,
    /// What the engine itself says it applied (inspect): network mode, read-only root, mounts,
    /// capabilities, security options, user, runtime. Not a witness of the kernel, but of the engine.
    pub(crate) declared: Vec<(&'static str, String)>,
}

/// What can be known of a container that ended without a report.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Remains {
    /// Processes killed for want of memory.
    pub(crate) oom_kills: Option<u64>,
    /// Tasks that were refused for the limit on them.
    pub(crate) pids_denied: Option<u64>,
    /// How its main process ended, as the engine tells: 128 and the number for a signal.
    pub(crate) exit_status: Option<u8>,
    /// What it said on its own standard error, bounded and harmless to print.
    pub(crate) last_words: String,
}

/// Write half of a container's stream of frames.
pub(crate) type FrameSink = Box<dyn AsyncWrite + Send + Unpin>;
/// Read half of a container's stream of frames.
pub(crate) type FrameSource = Box<dyn AsyncRead + Send + Unpin>;

/// Why the engine did not do what it was asked.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum EngineError {
    /// Nobody answers at its address.
    #[error("the container engine does not answer at {address}: {reason}")]
    Unreachable {
        /// Address.
        address: String,
        /// Why.
        reason: String,
    },
    /// It did not answer in time.
    #[error("the container engine took over {} ms to {action}", deadline.as_millis())]
    Deadline {
        /// What it was asked, as `create a container`.
        action: &'static str,
        /// How long it had.
        deadline: Duration,
    },
    /// It answered with an error.
    #[error("the container engine could not {action}: {reason}")]
    Refused {
        /// What it was asked.
        action: &'static str,
        /// What it said.
        reason: String,
    },
    /// The image is not there.
    #[error("the image {image} is not there: run `saferunctl image build`")]
    ImageMissing {
        /// Image id or name.
        image: String,
    },
    /// The runtime is not registered with the engine.
    #[error("the engine has no runtime `{runtime}`")]
    RuntimeMissing {
        /// Its name.
        runtime: String,
    },
}

/// After a failed start the engine is asked again whether the container came into being after all. The
/// last look comes after the engine's own longest deadline.
pub(crate) const LATE_LOOKS: [Duration; 3] = [
    Duration::from_secs(5),
    Duration::from_secs(20),
    Duration::from_secs(60),
];

/// A container that this daemon's journal says was left behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Leftover {
    /// Its name.
    pub(crate) name: String,
    /// The engine's id, if creation got that far.
    pub(crate) id: Option<String>,
}

/// An image as the engine knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EngineImage {
    /// Immutable id.
    pub(crate) id: String,
    /// Bytes.
    pub(crate) size: u64,
    /// Labels.
    pub(crate) labels: Vec<(String, String)>,
    /// RFC 3339.
    pub(crate) created: Option<String>,
}

/// A container engine.
#[async_trait]
pub(crate) trait Engine: Send + Sync + 'static {
    /// Its address, for people.
    fn address(&self) -> String;
    /// Asks it what it can do; also the check that it lives.
    async fn capabilities(&self) -> Result<Capabilities, EngineError>;
    /// Images that carry SafeRun's label, newest first.
    async fn images(&self) -> Result<Vec<EngineImage>, EngineError>;
    /// Imports a root file system (tar file) as an image with these configuration changes
    /// (Dockerfile instructions) and a tag; returns its id.
    async fn import_image(
        &self,
        tar: &Path,
        changes: &[String],
        tag: &str,
    ) -> Result<String, EngineError>;
    /// Removes an image by its id, unless a container uses it or another name points to it.
    async fn remove_image(&self, id: &str) -> Result<(), EngineError>;
    /// Creates and starts a container with its streams attached *before* the start. On failure
    /// nothing is left behind, or the name is still in the journal for the sweep.
    async fn launch(
        &self,
        template: &Template,
        identity: &Identity,
    ) -> Result<Box<dyn Instance>, EngineError>;
    /// Removes a container that the journal names, if it stands and carries this instance's label
    /// and that very name. `Ok(true)` if it was there.
    async fn remove_leftover(
        &self,
        leftover: &Leftover,
        instance: &str,
    ) -> Result<bool, EngineError>;
}

/// One started container.
#[async_trait]
pub(crate) trait Instance: Send + Sync {
    /// The engine's id.
    fn id(&self) -> &str;
    /// The stream of raw supervisor frames; once only.
    fn take_io(&mut self) -> Option<(FrameSink, FrameSource)>;
    /// What its PID 1 said on its own standard error, bounded and harmless to print: the reason when
    /// it ends before it could speak frames.
    fn diagnostic(&self) -> String {
        String::new()
    }
    /// Looks at the container from outside.
    async fn observe(&self) -> Result<OuterFacts, EngineError>;
    /// Gives the container the memory, CPU and tasks of this template, and nothing else of it.
    async fn update(&self, _limits: &Template) -> Result<(), EngineError> {
        Err(EngineError::Refused {
            action: "change the limits of a container",
            reason: "this engine has no way to".to_owned(),
        })
    }
    /// Keeps an eye on what nobody can read any more once it has ended, for as long as this is polled.
    fn watch(&self) -> BoxFuture<'static, Infallible> {
        Box::pin(std::future::pending())
    }
    /// Finds out how it ended, once its stream has; within 4 s.
    async fn remains(&self) -> Remains;
    /// Ends a container whose run is over: cuts its streams, upon which PID 1 ends by itself, and kills it if that does not
    /// come at once.
    async fn end(&self) -> Result<(), EngineError>;
    /// Kills everything in it; never waits for the stream to be drained.
    async fn kill(&self) -> Result<(), EngineError>;
    /// Removes it, killing it first if need be; `Ok` also when it was gone.
    async fn remove(&self) -> Result<(), EngineError>;
    /// Whether the kernel still shows a process of it; `None` if that cannot be seen from here.
    fn has_processes(&self) -> Option<bool>;
}
