//! What the pool is told, and what it answers: identities, bounds, events, actions.

use std::time::Duration;

/// One container's place in the pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct SlotId(pub(crate) u64);

/// One request for a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Ticket(pub(crate) u64);

/// Whose turn it is in the queue: requests of equal sources wait behind each other, not behind others'.
pub(crate) type Source = u64;

/// Bounds of the whole pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bounds {
    /// Most containers alive at once, those being removed included.
    pub(crate) max_live: usize,
    /// Most starts at once.
    pub(crate) max_starting: usize,
    /// Most containers in use at once.
    pub(crate) max_leased: usize,
    /// Most requests that wait.
    pub(crate) max_waiting: usize,
    /// How long a key that nobody asks for keeps its containers, unless it is pinned.
    pub(crate) idle_after: Duration,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Event<K> {
    /// Keep this many of this key warm from now on, used or not; with 0 those that are warm go.
    Pin { key: K, target: usize },
    /// This key is out of date: its warm containers go, its waiting requests are refused.
    Retire { key: K },
    /// Somebody wants a container.
    Lease {
        ticket: Ticket,
        key: K,
        source: Source,
    },
    /// They no longer do.
    Cancel { ticket: Ticket },
    /// A launch ended well: the container is attested and its supervisor is ready.
    Launched { slot: SlotId },
    /// A launch failed, and nothing of it is left. `permanent`: trying again changes nothing.
    LaunchFailed {
        slot: SlotId,
        reason: String,
        permanent: bool,
    },
    /// A warm container ended by itself.
    DiedIdle { slot: SlotId },
    /// A container was granted but turned out to be dead; the ticket goes back to the front.
    GrantFailed { slot: SlotId, ticket: Ticket },
    /// The run is over.
    Released { slot: SlotId },
    /// A container is gone for certain.
    Removed { slot: SlotId },
    /// Time has passed.
    Tick,
    /// Remove everything, grant nothing more.
    Drain,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Action<K> {
    /// Start a container with this uid offset.
    Launch {
        slot: SlotId,
        key: K,
        uid_offset: u32,
    },
    /// Hand this warm container to this ticket.
    Grant { ticket: Ticket, slot: SlotId },
    /// Tell this ticket that it gets none.
    Refuse { ticket: Ticket, refusal: Refusal },
    /// Kill and remove this container, then say `Removed`.
    Remove { slot: SlotId },
    /// Send `Tick` at this time at the latest.
    WakeAt(Duration),
}

/// Why a request gets no container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The queue is full.
    QueueFull { waiting: usize },
    /// Containers cannot be started.
    LaunchFailed { reason: String },
    /// The image or the policy changed while it waited.
    Retired,
    /// The daemon is shutting down.
    Draining,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Starting,
    Warm,
    Leased,
    Removing,
}
