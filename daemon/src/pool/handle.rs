//! What the rest of the daemon holds of the pool: a handle that asks the owner task, and a leased container.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use saferun_protocol::PoolStatus;
use tokio::{
    sync::{mpsc, oneshot, watch},
    time::timeout,
};

use super::{
    container::{Launcher, WarmContainer},
    key::Key,
    owner::Owner,
    state::{Bounds, Refusal, SlotId, Source, Ticket},
};
use crate::engine::{FrameSink, FrameSource, Instance, Template};

/// Everything that the pool is told at its start.
#[derive(Clone, Copy)]
pub(crate) struct PoolSettings {
    pub(crate) bounds: Bounds,
    pub(crate) uids: u32,
}

/// Why there is no container for a run.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum LeaseError {
    /// Too many wait already.
    #[error("{waiting} runs wait already")]
    QueueFull {
        /// How many.
        waiting: usize,
    },
    /// Containers cannot be started.
    #[error("{reason}")]
    LaunchFailed {
        /// Why the last start failed.
        reason: String,
    },
    /// The image or policy changed meanwhile.
    #[error("the image changed while the run waited; run it again")]
    Retired,
    /// The daemon stops.
    #[error("the daemon is shutting down")]
    ShuttingDown,
}

pub(super) type Granted = Result<Lease, LeaseError>;

pub(super) enum Command {
    Lease {
        key: Key,
        /// Whether a container of a wider class will do, to be tightened.
        borrow: bool,
        source: Source,
        reply: oneshot::Sender<Granted>,
        ticket: Ticket,
    },
    Cancel(Ticket),
    Pin {
        key: Key,
        target: usize,
    },
    Retire {
        keep: Box<dyn Fn(&Key) -> bool + Send>,
    },
    Released {
        slot: SlotId,
        used: Used,
    },
    Warm {
        slot: SlotId,
        key: Key,
        container: Box<WarmContainer>,
        took: Duration,
    },
    Failed {
        slot: SlotId,
        reason: String,
        permanent: bool,
    },
    Died {
        slot: SlotId,
        /// Who was promised it in the moment in which it died.
        claimed: Option<(Ticket, oneshot::Sender<Granted>)>,
    },
    Removed(SlotId),
    Drain {
        done: oneshot::Sender<()>,
    },
}

/// A container that nobody holds any more.
pub(super) struct Used {
    pub(super) instance: Box<dyn Instance>,
    /// Open until its removal begins: their end is the end of PID 1, and sets the engine to work.
    pub(super) streams: (FrameSink, FrameSource),
}

/// A handle to the pool; cheap to clone.
#[derive(Clone)]
pub(crate) struct PoolHandle {
    commands: mpsc::Sender<Command>,
    status: watch::Receiver<Vec<PoolStatus>>,
    tickets: Arc<AtomicU64>,
    attested: Arc<AtomicU64>,
    runtime: tokio::runtime::Handle,
}

/// A container that is this run's alone. Dropping it sends the container to its removal.
pub(crate) struct Lease {
    pub(super) slot: SlotId,
    pub(super) container: Option<WarmContainer>,
    pub(super) commands: mpsc::Sender<Command>,
    pub(super) runtime: tokio::runtime::Handle,
    /// Whether it was warm when it was asked for.
    pub(crate) hit: bool,
    /// What it was made from, which may be wider than what was asked for.
    pub(crate) template: Template,
}

impl Lease {
    /// The container; `None` never happens before the drop.
    pub(crate) fn container(&mut self) -> Option<&mut WarmContainer> {
        self.container.as_mut()
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(container) = self.container.take() else {
            return;
        };
        let WarmContainer {
            instance,
            sink,
            source,
            ..
        } = container;
        let (commands, slot) = (self.commands.clone(), self.slot);
        let streams = (sink, source);
        self.runtime.spawn(async move {
            let used = Used { instance, streams };
            let _ = commands.send(Command::Released { slot, used }).await;
        });
    }
}

/// Tells the pool that a request was given up before it was answered.
struct CancelOnDrop {
    pool: PoolHandle,
    ticket: Option<Ticket>,
}

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        let Some(ticket) = self.ticket.take() else {
            return;
        };
        let commands = self.pool.commands.clone();
        self.pool.runtime.spawn(async move {
            let _ = commands.send(Command::Cancel(ticket)).await;
        });
    }
}

impl PoolHandle {
    /// Starts the owner task.
    pub(crate) fn start(
        settings: PoolSettings,
        launcher: watch::Receiver<Option<Launcher>>,
    ) -> Self {
        let (commands, inbox) = mpsc::channel(256);
        let (publish, status) = watch::channel(Vec::new());
        let attested = Arc::default();
        let handle = Self {
            commands: commands.clone(),
            status,
            tickets: Arc::default(),
            attested: Arc::clone(&attested),
            runtime: tokio::runtime::Handle::current(),
        };
        let owner = Owner::new(settings, launcher, commands, publish, attested);
        tokio::spawn(owner.serve(inbox));
        handle
    }

    /// Waits for a container. Dropping the future gives up the place in the queue. With `borrow` it may be of a wider
    /// class, if such a one is warm and none of this key: tighten it before use.
    pub(crate) async fn lease(
        &self,
        key: Key,
        borrow: bool,
        source: Source,
    ) -> Result<Lease, LeaseError> {
        let ticket = Ticket(self.tickets.fetch_add(1, Ordering::Relaxed));
        let (reply, answer) = oneshot::channel();
        self.commands
            .send(Command::Lease {
                key,
                borrow,
                source,
                reply,
                ticket,
            })
            .await
            .map_err(|_| LeaseError::ShuttingDown)?;
        let mut guard = CancelOnDrop {
            pool: self.clone(),
            ticket: Some(ticket),
        };
        let granted = answer.await.map_err(|_| LeaseError::ShuttingDown)?;
        guard.ticket = None;
        granted
    }

    /// Keeps so many of this key warm from now on.
    pub(crate) async fn pin(&self, key: Key, target: usize) {
        let _ = self.commands.send(Command::Pin { key, target }).await;
    }

    /// Drains all keys that `keep` does not want.
    pub(crate) async fn retire_others(&self, keep: impl Fn(&Key) -> bool + Send + 'static) {
        let _ = self
            .commands
            .send(Command::Retire {
                keep: Box::new(keep),
            })
            .await;
    }

    /// What the pools look like, as of their last change.
    pub(crate) fn status(&self) -> Vec<PoolStatus> {
        self.status.borrow().clone()
    }

    /// How many containers were found as they must be before their run, with nothing of an earlier one in them.
    pub(crate) fn canary_checks(&self) -> u64 {
        self.attested.load(Ordering::Relaxed)
    }

    /// Removes everything. Returns when all is gone or the deadline has passed; says which.
    pub(crate) async fn drain(&self, deadline: Duration) -> bool {
        let (done, finished) = oneshot::channel();
        let drained = async {
            if self.commands.send(Command::Drain { done }).await.is_ok() {
                let _ = finished.await;
            }
        };
        timeout(deadline, drained).await.is_ok()
    }
}

impl From<Refusal> for LeaseError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::QueueFull { waiting } => Self::QueueFull { waiting },
            Refusal::LaunchFailed { reason } => Self::LaunchFailed { reason },
            Refusal::Retired => Self::Retired,
            Refusal::Draining => Self::ShuttingDown,
        }
    }
}
