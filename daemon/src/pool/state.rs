//! The pool's state machine: takes events, returns actions. No tokio, no engine, no clock, so that
//! each race can be played in a test. Time comes in as a duration since the daemon's start.
//!
//! Invariants (`check` asserts them after each step of the model test): a slot is leased to one
//! ticket at most; live slots never exceed `max_live`; nothing is leased before it was launched and
//! attested; each uid belongs to one live slot; each ticket ends granted, refused or cancelled.

mod refill;
mod step;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::Duration,
};

pub(crate) use step::{Action, Bounds, Event, Phase, Refusal, SlotId, Source, Ticket};

#[derive(Debug, Clone)]
struct Slot<K> {
    key: K,
    phase: Phase,
    uid_offset: u32,
    warm_since: u64,
    /// Its start ends in removal instead of warmth: nobody needs it any more.
    unwanted: bool,
}

#[derive(Debug, Clone)]
struct Waiting<K> {
    ticket: Ticket,
    key: K,
    source: Source,
}

/// Counters and settings of one key.
#[derive(Debug, Clone, Default)]
pub(crate) struct KeyState {
    pub(crate) pinned: usize,
    pub(crate) wanted: usize,
    pub(crate) hits: u64,
    pub(crate) misses: u64,
    pub(crate) died_idle: u64,
    pub(crate) failed_starts: u64,
    pub(crate) last_error: Option<String>,
    failures_in_a_row: u32,
    retry_at: Duration,
    last_used: Duration,
}

impl KeyState {
    /// How many are to be kept warm.
    pub(crate) fn target(&self) -> usize {
        self.pinned.max(self.wanted)
    }
}

/// The whole pool. `K` is what makes containers interchangeable.
#[derive(Debug)]
pub(crate) struct Pool<K> {
    bounds: Bounds,
    slots: BTreeMap<SlotId, Slot<K>>,
    keys: BTreeMap<K, KeyState>,
    queue: VecDeque<Waiting<K>>,
    last_source: Option<Source>,
    free_uids: BTreeSet<u32>,
    next_slot: u64,
    draining: bool,
    /// Until then nothing is started that nobody waits for, as long as enough is warm.
    calm_until: Duration,
}

const FIRST_BACKOFF: Duration = Duration::from_millis(500);
/// A start takes a core for a tenth of a second. On a small machine it would slow the very run that
/// made it necessary, so it waits until a short run is over (measured: docs/decisions/002).
const CALM: Duration = Duration::from_millis(25);
const LAST_BACKOFF: Duration = Duration::from_secs(30);
/// A start is tried again once for those who wait before they are told that it fails.
const FAILURES_BEFORE_REFUSAL: u32 = 2;

impl<K: Clone + Ord> Pool<K> {
    /// An empty pool that hands out uid offsets from `0..uids`.
    pub(crate) fn new(bounds: Bounds, uids: u32) -> Self {
        Self {
            bounds,
            slots: BTreeMap::new(),
            keys: BTreeMap::new(),
            queue: VecDeque::new(),
            last_source: None,
            free_uids: (0..uids).collect(),
            next_slot: 1,
            draining: false,
            calm_until: Duration::ZERO,
        }
    }

    /// Takes one event and says what is to be done about it.
    pub(crate) fn step(&mut self, now: Duration, event: Event<K>) -> Vec<Action<K>> {
        let mut actions = Vec::new();
        self.take(now, event, &mut actions);
        self.grant(now, &mut actions);
        self.expire(now, &mut actions);
        self.fill(now, &mut actions);
        self.set_alarm(now, &mut actions);
        actions
    }

    fn take(&mut self, now: Duration, event: Event<K>, actions: &mut Vec<Action<K>>) {
        match event {
            Event::Pin { key, target } => {
                let state = self.keys.entry(key.clone()).or_default();
                state.pinned = target;
                state.retry_at = now;
                if target == 0 {
                    self.unpin(&key, actions);
                }
            }
            Event::Retire { key } => self.retire(&key, actions),
            Event::Lease {
                ticket,
                key,
                source,
            } => self.enqueue(now, ticket, key, source, actions),
            Event::Cancel { ticket } => self.queue.retain(|waiting| waiting.ticket != ticket),
            Event::Launched { slot } => self.launched(slot, actions),
            Event::LaunchFailed {
                slot,
                reason,
                permanent,
            } => {
                self.launch_failed(now, slot, &reason, permanent, actions);
            }
            Event::DiedIdle { slot } => {
                if self.phase(slot) == Some(Phase::Warm) {
                    if let Some(state) = self.state_of(slot) {
                        state.died_idle += 1;
                    }
                    self.remove(slot, actions);
                }
            }
            Event::GrantFailed { slot, ticket } => self.grant_failed(slot, ticket, actions),
            Event::Released { slot } => {
                if self.phase(slot) == Some(Phase::Leased) {
                    self.calm_until = self.calm_until.max(now + CALM / 2);
                    self.remove(slot, actions);
                }
            }
            Event::Removed { slot } => {
                if self.phase(slot) == Some(Phase::Removing) {
                    self.forget(slot);
                }
            }
            Event::Tick => {}
            Event::Drain => self.drain(actions),
        }
    }

    fn enqueue(
        &mut self,
        now: Duration,
        ticket: Ticket,
        key: K,
        source: Source,
        actions: &mut Vec<Action<K>>,
    ) {
        if self.draining {
            actions.push(Action::Refuse {
                ticket,
                refusal: Refusal::Draining,
            });
            return;
        }
        let warm = self.count(&key, Phase::Warm);
        let ahead = self
            .queue
            .iter()
            .filter(|waiting| waiting.key == key)
            .count();
        let busy = self.leased() >= self.bounds.max_leased;
        let state = self.keys.entry(key.clone()).or_default();
        state.last_used = now;
        state.wanted = state.wanted.max(1);
        // Somebody waits: try at once, whatever the last start said.
        state.retry_at = now;
        let at_once = warm > ahead && !busy;
        if !at_once && self.queue.len() >= self.bounds.max_waiting {
            let refusal = Refusal::QueueFull {
                waiting: self.queue.len(),
            };
            actions.push(Action::Refuse { ticket, refusal });
            return;
        }
        if warm > ahead {
            state.hits += 1;
        } else {
            state.misses += 1;
        }
        self.queue.push_back(Waiting {
            ticket,
            key,
            source,
        });
    }

    /// The nearest other key of which one is warm for whoever asks now, when none of `key` is. The first time nothing
    /// else comes of it; whoever comes again gets a class of its own.
    pub(crate) fn nearest<D: Ord>(
        &mut self,
        now: Duration,
        key: &K,
        spare: impl Fn(&K) -> Option<D>,
    ) -> Option<K> {
        let free = |key: &K| {
            let ahead = self.queue.iter().filter(|waiting| waiting.key == *key);
            self.count(key, Phase::Warm) > ahead.count()
        };
        if self.draining || self.leased() >= self.bounds.max_leased || free(key) {
            return None;
        }
        let nearest = self
            .keys
            .keys()
            .filter(|other| *other != key && free(other))
            .filter_map(|other| Some((spare(other)?, other)))
            .min()
            .map(|(_, other)| other.clone())?;
        let again = self.keys.contains_key(key);
        let state = self.keys.entry(key.clone()).or_default();
        state.last_used = now;
        if again {
            state.wanted = state.wanted.max(1);
        }
        Some(nearest)
    }

    /// Hands out what is warm, one source after the other.
    fn grant(&mut self, now: Duration, actions: &mut Vec<Action<K>>) {
        while self.leased() < self.bounds.max_leased {
            let Some((index, slot)) = self.next_grant() else {
                return;
            };
            let Some(waiting) = self.queue.remove(index) else {
                return;
            };
            if let Some(entry) = self.slots.get_mut(&slot) {
                entry.phase = Phase::Leased;
            }
            if let Some(state) = self.keys.get_mut(&waiting.key) {
                state.last_used = now;
            }
            self.calm_until = now + CALM;
            self.last_source = Some(waiting.source);
            actions.push(Action::Grant {
                ticket: waiting.ticket,
                slot,
            });
        }
    }

    /// The first request, in the order of turns, for which a warm container stands by.
    fn next_grant(&self) -> Option<(usize, SlotId)> {
        let oldest_warm = |key: &K| {
            self.slots
                .iter()
                .filter(|(_, slot)| slot.phase == Phase::Warm && slot.key == *key)
                .min_by_key(|(_, slot)| slot.warm_since)
                .map(|(id, _)| *id)
        };
        // Turns go round by source: those after the last one served come first.
        let turn = |source: Source| match self.last_source {
            Some(last) if source <= last => (1, source),
            _ => (0, source),
        };
        let mut best: Option<((u8, Source), usize, SlotId)> = None;
        for (index, waiting) in self.queue.iter().enumerate() {
            let order = turn(waiting.source);
            if best.as_ref().is_some_and(|(current, ..)| *current <= order) {
                continue;
            }
            if let Some(slot) = oldest_warm(&waiting.key) {
                best = Some((order, index, slot));
            }
        }
        best.map(|(_, index, slot)| (index, slot))
    }

    fn launched(&mut self, slot: SlotId, actions: &mut Vec<Action<K>>) {
        if self.phase(slot) != Some(Phase::Starting) {
            return;
        }
        let unwanted = self.slots.get(&slot).is_some_and(|entry| entry.unwanted);
        if self.draining || unwanted {
            self.remove(slot, actions);
            return;
        }
        let order = self.next_slot;
        self.next_slot += 1;
        if let Some(entry) = self.slots.get_mut(&slot) {
            entry.phase = Phase::Warm;
            entry.warm_since = order;
        }
        if let Some(state) = self.state_of(slot) {
            state.failures_in_a_row = 0;
            state.last_error = None;
        }
    }

    fn launch_failed(
        &mut self,
        now: Duration,
        slot: SlotId,
        reason: &str,
        permanent: bool,
        actions: &mut Vec<Action<K>>,
    ) {
        if self.phase(slot) != Some(Phase::Starting) {
            return;
        }
        let Some(key) = self.slots.get(&slot).map(|entry| entry.key.clone()) else {
            return;
        };
        self.forget(slot);
        let Some(state) = self.keys.get_mut(&key) else {
            return;
        };
        state.failed_starts += 1;
        state.failures_in_a_row = state.failures_in_a_row.saturating_add(1);
        state.last_error = Some(reason.to_owned());
        let doublings = state.failures_in_a_row.saturating_sub(1).min(6);
        state.retry_at = now + (FIRST_BACKOFF * 2_u32.pow(doublings)).min(LAST_BACKOFF);
        if permanent || state.failures_in_a_row >= FAILURES_BEFORE_REFUSAL {
            let reason = reason.to_owned();
            self.refuse_waiting(&key, &Refusal::LaunchFailed { reason }, actions);
        } else if self.queue.iter().any(|waiting| waiting.key == key) {
            state.retry_at = now;
        }
    }

    fn grant_failed(&mut self, slot: SlotId, ticket: Ticket, actions: &mut Vec<Action<K>>) {
        if self.phase(slot) != Some(Phase::Leased) {
            return;
        }
        let Some(key) = self.slots.get(&slot).map(|entry| entry.key.clone()) else {
            return;
        };
        if let Some(state) = self.keys.get_mut(&key) {
            state.died_idle += 1;
        }
        self.remove(slot, actions);
        if self.draining {
            actions.push(Action::Refuse {
                ticket,
                refusal: Refusal::Draining,
            });
        } else {
            let source = self.last_source.unwrap_or_default();
            self.queue.push_front(Waiting {
                ticket,
                key,
                source,
            });
        }
    }

    fn drain(&mut self, actions: &mut Vec<Action<K>>) {
        self.draining = true;
        for waiting in self.queue.drain(..) {
            let ticket = waiting.ticket;
            actions.push(Action::Refuse {
                ticket,
                refusal: Refusal::Draining,
            });
        }
        let keys: Vec<K> = self.keys.keys().cloned().collect();
        for key in keys {
            self.discard(&key, actions);
        }
    }

    fn refuse_waiting(&mut self, key: &K, refusal: &Refusal, actions: &mut Vec<Action<K>>) {
        self.queue.retain(|waiting| {
            if waiting.key == *key {
                actions.push(Action::Refuse {
                    ticket: waiting.ticket,
                    refusal: refusal.clone(),
                });
            }
            waiting.key != *key
        });
    }

    fn remove(&mut self, slot: SlotId, actions: &mut Vec<Action<K>>) {
        if let Some(entry) = self.slots.get_mut(&slot) {
            entry.phase = Phase::Removing;
            actions.push(Action::Remove { slot });
        }
    }

    fn forget(&mut self, slot: SlotId) {
        if let Some(entry) = self.slots.remove(&slot) {
            self.free_uids.insert(entry.uid_offset);
        }
    }

    fn state_of(&mut self, slot: SlotId) -> Option<&mut KeyState> {
        let key = &self.slots.get(&slot)?.key;
        self.keys.get_mut(key)
    }

    pub(crate) fn phase(&self, slot: SlotId) -> Option<Phase> {
        self.slots.get(&slot).map(|entry| entry.phase)
    }

    fn all(&self, phase: Phase) -> usize {
        self.slots
            .values()
            .filter(|slot| slot.phase == phase)
            .count()
    }

    fn leased(&self) -> usize {
        self.all(Phase::Leased)
    }

    /// How many slots of a key are in a phase.
    pub(crate) fn count(&self, key: &K, phase: Phase) -> usize {
        self.slots
            .values()
            .filter(|slot| slot.phase == phase && slot.key == *key)
            .count()
    }

    /// Requests that wait.
    #[cfg(test)]
    pub(crate) fn waiting(&self) -> usize {
        self.queue.len()
    }

    /// Containers alive in any phase.
    pub(crate) fn live(&self) -> usize {
        self.slots.len()
    }

    /// The keys and their counters.
    pub(crate) fn keys(&self) -> impl Iterator<Item = (&K, &KeyState)> {
        self.keys.iter()
    }
}

#[cfg(test)]
#[path = "state_tests.rs"]
mod tests;

#[cfg(test)]
mod model_tests;
#[cfg(test)]
mod room_tests;
