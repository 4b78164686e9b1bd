//! The pool's state machine: takes events, returns actions. No tokio, no engine, no clock, so that
//! each race can be played in a test. Time comes in as a duration since the daemon's start.
//!
//! Invariants (`state/model_tests.rs` checks each after each step): a slot is leased to one ticket at most, and to one of
//! its key; live slots never exceed `max_live`; nothing is leased before it was launched and attested; each uid belongs
//! to one live slot; whoever waits is passed by once by each other source at most; each ticket ends granted, refused or
//! cancelled, as long as one start and one removal can come to an end.

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
    /// Nobody needs it any more: its start ends in removal instead of warmth, and who gets it back gets no other.
    unwanted: bool,
    /// Who has it.
    holder: Option<(Ticket, Source)>,
    removing_since: Duration,
}

#[derive(Debug, Clone)]
struct Waiting<K> {
    ticket: Ticket,
    key: K,
    source: Source,
    /// Its turn has come before, but its container was dead.
    again: bool,
}

/// Where somebody stands in the order of turns.
type Turn = (u8, Source);

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
    /// The time of this step.
    now: Duration,
}

const FIRST_BACKOFF: Duration = Duration::from_millis(500);
/// A start takes a core for a tenth of a second. On a small machine it would slow the very run that
/// made it necessary, so it waits until a short run is over (measured: docs/decisions/002).
const CALM: Duration = Duration::from_millis(25);
const LAST_BACKOFF: Duration = Duration::from_secs(30);
/// A start is tried again once for those who wait before they are told that it fails.
const FAILURES_BEFORE_REFUSAL: u32 = 2;
/// A removal takes a tenth of a second. One that takes as long as this may never end: its place is not waited for.
const STUCK: Duration = Duration::from_secs(5);

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
            now: Duration::ZERO,
        }
    }

    /// Takes one event and says what is to be done about it.
    pub(crate) fn step(&mut self, now: Duration, event: Event<K>) -> Vec<Action<K>> {
        let mut actions = Vec::new();
        self.now = now;
        self.take(now, event, &mut actions);
        self.grant(now, &mut actions);
        self.expire(now, &mut actions);
        self.fill(&mut actions);
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
                    state.wanted = 0;
                }
                self.trim(&key, actions);
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
        let ahead = self.waiting_for(&key);
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
            again: false,
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
        let free = |key: &K| self.count(key, Phase::Warm) > self.waiting_for(key);
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
                entry.holder = Some((waiting.ticket, waiting.source));
            }
            if let Some(state) = self.keys.get_mut(&waiting.key) {
                state.last_used = now;
            }
            self.calm_until = now + CALM;
            if !waiting.again {
                self.last_source = Some(waiting.source);
            }
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
        let mut best: Option<(Turn, usize, SlotId)> = None;
        for (index, waiting) in self.queue.iter().enumerate() {
            let order = self.turn(waiting);
            if best.as_ref().is_some_and(|(current, ..)| *current <= order) {
                continue;
            }
            if let Some(slot) = oldest_warm(&waiting.key) {
                best = Some((order, index, slot));
            }
        }
        best.map(|(_, index, slot)| (index, slot))
    }

    /// Turns go round by source: those after the last one served come first. Whose turn has come already is before all.
    fn turn(&self, waiting: &Waiting<K>) -> Turn {
        let round = match self.last_source {
            _ if waiting.again => 0,
            Some(last) if waiting.source <= last => 2,
            _ => 1,
        };
        (round, waiting.source)
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
        let Some(entry) = self.slots.get(&slot) else {
            return;
        };
        let (Phase::Leased, Some((holder, source))) = (entry.phase, entry.holder) else {
            return;
        };
        if holder != ticket {
            return;
        }
        let (key, retired) = (entry.key.clone(), entry.unwanted);
        if let Some(state) = self.keys.get_mut(&key) {
            state.died_idle += 1;
        }
        self.remove(slot, actions);
        let refusal = match (self.draining, retired) {
            (true, _) => Refusal::Draining,
            (false, true) => Refusal::Retired,
            (false, false) => {
                self.queue.push_front(Waiting {
                    ticket,
                    key,
                    source,
                    again: true,
                });
                return;
            }
        };
        actions.push(Action::Refuse { ticket, refusal });
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
            entry.removing_since = self.now;
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

    /// Those of a key that are warm or will be.
    fn coming(&self, key: &K) -> usize {
        let fit = |slot: &&Slot<K>| match slot.phase {
            Phase::Starting => slot.key == *key && !slot.unwanted,
            Phase::Warm => slot.key == *key,
            Phase::Leased | Phase::Removing => false,
        };
        self.slots.values().filter(fit).count()
    }

    /// How many wait for a key.
    fn waiting_for(&self, key: &K) -> usize {
        let wait = |waiting: &&Waiting<K>| waiting.key == *key;
        self.queue.iter().filter(wait).count()
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
