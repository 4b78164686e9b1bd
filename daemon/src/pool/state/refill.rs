//! How many containers of which key there are to be: what is started, what makes room, what goes in time.

use std::{cmp::Reverse, time::Duration};

use super::{Action, Phase, Pool, Refusal, Slot, SlotId};

impl<K: Clone + Ord> Pool<K> {
    /// Starts what is wanted, as far as the bounds allow; those who wait come first.
    pub(super) fn fill(&mut self, now: Duration, actions: &mut Vec<Action<K>>) {
        if self.draining {
            return;
        }
        for (waiting, key) in self.by_need() {
            while let Some(state) = self.keys.get(&key) {
                let coming = self.count(&key, Phase::Starting) + self.count(&key, Phase::Warm);
                let calm = now < self.calm_until
                    && self.count(&key, Phase::Warm) * 2 >= state.target()
                    && state.target() > 0;
                let ahead = if calm { 0 } else { state.target() };
                if coming >= waiting + ahead || now < state.retry_at {
                    break;
                }
                let starting = self.all(Phase::Starting);
                if starting >= self.bounds.max_starting {
                    return;
                }
                if self.slots.len() >= self.bounds.max_live {
                    self.make_room(&key, waiting > coming, actions);
                    break;
                }
                let Some(uid_offset) = self.free_uids.pop_first() else {
                    return;
                };
                let slot = SlotId(self.next_slot);
                self.next_slot += 1;
                let entry = Slot {
                    key: key.clone(),
                    phase: Phase::Starting,
                    uid_offset,
                    warm_since: 0,
                    unwanted: false,
                };
                self.slots.insert(slot, entry);
                actions.push(Action::Launch {
                    slot,
                    key: key.clone(),
                    uid_offset,
                });
            }
        }
    }

    /// The keys with how many wait for each: those that somebody waits for first, then those that lack what is
    /// pinned, then the ones used last. A place that was cleared for one key must not go back to the key it came from.
    fn by_need(&self) -> Vec<(usize, K)> {
        let mut keys: Vec<_> = self
            .keys
            .iter()
            .map(|(key, state)| {
                let waiting = self
                    .queue
                    .iter()
                    .filter(|waiting| waiting.key == *key)
                    .count();
                let complete = !self.lacks_pinned(key);
                let order = (Reverse(waiting), complete, Reverse(state.last_used));
                (order, waiting, key.clone())
            })
            .collect();
        keys.sort_by(|left, right| (&left.0, &left.2).cmp(&(&right.0, &right.2)));
        keys.into_iter()
            .map(|(_, waiting, key)| (waiting, key))
            .collect()
    }

    /// Whether fewer of a key are there, or on their way, than are pinned.
    fn lacks_pinned(&self, key: &K) -> bool {
        let there = self.count(key, Phase::Starting) + self.count(key, Phase::Warm);
        self.keys.get(key).is_some_and(|state| there < state.pinned)
    }

    /// Makes room for a key by giving up the warm container of another that was used least recently, and first one
    /// that nobody pinned. For a request any may go; to stay warm, a key takes the place of one that was used before
    /// it only, so that classes asked for once do not hold the pool, and two classes never chase each other out.
    fn make_room(&mut self, key: &K, somebody_waits: bool, actions: &mut Vec<Action<K>>) {
        if self.all(Phase::Removing) > 0 {
            return;
        }
        let Some(state) = self.keys.get(key) else {
            return;
        };
        let (lacks_pinned, last_used) = (self.lacks_pinned(key), state.last_used);
        let victim = self
            .slots
            .iter()
            .filter(|(_, slot)| slot.phase == Phase::Warm && slot.key != *key)
            .filter_map(|(id, slot)| {
                let other = self.keys.get(&slot.key)?;
                let pinned = self.count(&slot.key, Phase::Warm) <= other.pinned;
                let gives_way =
                    somebody_waits || (!pinned && (lacks_pinned || other.last_used < last_used));
                gives_way.then_some(((pinned, other.last_used), *id))
            })
            .min();
        if let Some((_, slot)) = victim {
            self.remove(slot, actions);
        }
    }

    /// Gives up the containers of keys that nobody has asked for in a while.
    pub(super) fn expire(&mut self, now: Duration, actions: &mut Vec<Action<K>>) {
        let idle_after = self.bounds.idle_after;
        let mut stale = Vec::new();
        for (key, state) in &mut self.keys {
            let waited_for = self.queue.iter().any(|waiting| waiting.key == *key);
            if state.wanted > 0 && !waited_for && now.saturating_sub(state.last_used) >= idle_after
            {
                state.wanted = 0;
                if state.pinned == 0 {
                    stale.push(key.clone());
                }
            }
        }
        for key in stale {
            self.discard(&key, actions);
        }
        // A client may ask for any number of classes: those of which nothing is left are forgotten in time.
        let (slots, queue) = (&self.slots, &self.queue);
        self.keys.retain(|key, state| {
            state.target() > 0
                || now.saturating_sub(state.last_used) < idle_after
                || slots.values().any(|slot| slot.key == *key)
                || queue.iter().any(|waiting| waiting.key == *key)
        });
    }

    pub(super) fn set_alarm(&self, now: Duration, actions: &mut Vec<Action<K>>) {
        let retries = self
            .keys
            .values()
            .filter(|state| state.retry_at > now)
            .map(|state| state.retry_at);
        let expiries = self
            .keys
            .values()
            .filter(|state| state.wanted > 0)
            .map(|state| state.last_used + self.bounds.idle_after);
        let calm = std::iter::once(self.calm_until);
        let alarms = retries.chain(expiries).chain(calm);
        if let Some(at) = alarms.filter(|at| *at > now).min() {
            actions.push(Action::WakeAt(at));
        }
    }

    pub(super) fn retire(&mut self, key: &K, actions: &mut Vec<Action<K>>) {
        self.refuse_waiting(key, &Refusal::Retired, actions);
        if let Some(state) = self.keys.get_mut(key) {
            state.pinned = 0;
            state.wanted = 0;
        }
        self.discard(key, actions);
    }

    /// Nobody keeps this key warm any more: its containers go, but those that somebody waits for.
    pub(super) fn unpin(&mut self, key: &K, actions: &mut Vec<Action<K>>) {
        if let Some(state) = self.keys.get_mut(key) {
            state.wanted = 0;
        }
        if !self.queue.iter().any(|waiting| waiting.key == *key) {
            self.discard(key, actions);
        }
    }

    /// Removes the warm containers of a key and lets those being started go when they are up.
    pub(super) fn discard(&mut self, key: &K, actions: &mut Vec<Action<K>>) {
        let ids: Vec<_> = self
            .slots
            .iter()
            .filter(|(_, slot)| slot.key == *key)
            .map(|(id, _)| *id)
            .collect();
        for id in ids {
            match self.phase(id) {
                Some(Phase::Warm) => self.remove(id, actions),
                Some(Phase::Starting) => {
                    if let Some(slot) = self.slots.get_mut(&id) {
                        slot.unwanted = true;
                    }
                }
                _ => {}
            }
        }
    }
}
