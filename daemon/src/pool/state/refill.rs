//! How many containers of which key there are to be: what is started, what makes room, what goes in time.

use std::{cmp::Reverse, collections::BTreeMap, time::Duration};

use super::{Action, Phase, Pool, Refusal, STUCK, Slot, SlotId, Source};

/// What became of a key's wish for one more container.
enum Wish {
    Started,
    /// There are as many as there may be.
    NoPlace,
    /// No more starts at this time, of whatever key.
    NoStart,
}

/// A key of which a warm container may make room for another.
struct Other<'a, K> {
    key: &'a K,
    coming: usize,
    /// All that are coming are for those who wait.
    needed: bool,
    /// All that are warm are pinned.
    pinned: bool,
    last_used: Duration,
}

impl<K: Clone + Ord> Pool<K> {
    /// Starts what is wanted, as far as the bounds allow; those who wait come first.
    pub(super) fn fill(&mut self, actions: &mut Vec<Action<K>>) {
        if !self.draining && self.serve(actions) {
            self.keep_warm(actions);
        }
    }

    /// Sees to it that a container is on its way for each who waits, in the order of their turns: many who wait for one
    /// key must not take the places of those who wait for another. True if nobody lacks one.
    fn serve(&mut self, actions: &mut Vec<Action<K>>) -> bool {
        // Of each key, those for whom one is on its way.
        let mut served: BTreeMap<K, usize> = BTreeMap::new();
        let mut clearing = self.clearing();
        let (mut cleared, mut all) = (0, true);
        for key in self.in_turn() {
            let before = served.get(&key).copied().unwrap_or_default();
            if self.coming(&key) > before {
                served.insert(key, before + 1);
                continue;
            }
            match self.start(&key, actions) {
                Wish::Started => {
                    served.insert(key, before + 1);
                    continue;
                }
                Wish::NoStart => return false,
                Wish::NoPlace => all = false,
            }
            // A removal that is under way gives its place to one who waits.
            if clearing > 0 {
                clearing -= 1;
            } else if self.all(Phase::Starting) + cleared < self.bounds.max_starting {
                cleared += usize::from(self.make_room(&key, &served, actions));
            }
        }
        all
    }

    /// The keys of those who wait, in the order of their turns: the first of each source, then the second of each.
    fn in_turn(&self) -> Vec<K> {
        let mut places: BTreeMap<Source, usize> = BTreeMap::new();
        let mut order: Vec<_> = self
            .queue
            .iter()
            .map(|waiting| {
                let place = places.entry(waiting.source).or_default();
                *place += 1;
                ((!waiting.again, *place, self.turn(waiting)), &waiting.key)
            })
            .collect();
        // In the order of the queue where all else is equal.
        order.sort_by_key(|entry| entry.0);
        order.into_iter().map(|(_, key)| key.clone()).collect()
    }

    /// Removals that will be over in a moment.
    fn clearing(&self) -> usize {
        let soon = |slot: &&Slot<K>| {
            slot.phase == Phase::Removing && self.now < slot.removing_since + STUCK
        };
        self.slots.values().filter(soon).count()
    }

    fn start(&mut self, key: &K, actions: &mut Vec<Action<K>>) -> Wish {
        if self.all(Phase::Starting) >= self.bounds.max_starting {
            return Wish::NoStart;
        }
        if self.slots.len() >= self.bounds.max_live {
            return Wish::NoPlace;
        }
        let Some(uid_offset) = self.free_uids.pop_first() else {
            return Wish::NoStart;
        };
        let slot = SlotId(self.next_slot);
        self.next_slot += 1;
        let entry = Slot {
            key: key.clone(),
            phase: Phase::Starting,
            uid_offset,
            warm_since: 0,
            unwanted: false,
            holder: None,
            removing_since: Duration::ZERO,
        };
        self.slots.insert(slot, entry);
        actions.push(Action::Launch {
            slot,
            key: key.clone(),
            uid_offset,
        });
        Wish::Started
    }

    /// Starts what nobody waits for yet.
    fn keep_warm(&mut self, actions: &mut Vec<Action<K>>) {
        for key in self.by_need() {
            let waiting = self.waiting_for(&key);
            while let Some(state) = self.keys.get(&key) {
                let calm = self.now < self.calm_until
                    && self.count(&key, Phase::Warm) * 2 >= state.target()
                    && state.target() > 0;
                let ahead = if calm { 0 } else { state.target() };
                if self.coming(&key) >= waiting + ahead || self.now < state.retry_at {
                    break;
                }
                match self.start(&key, actions) {
                    Wish::Started => {}
                    Wish::NoStart => return,
                    Wish::NoPlace => {
                        self.make_room_to_stay(&key, actions);
                        break;
                    }
                }
            }
        }
    }

    /// The keys: those that most wait for first, as all that they have is spoken for, then those that lack what is pinned,
    /// then the ones used last.
    fn by_need(&self) -> Vec<K> {
        let mut keys: Vec<_> = self
            .keys
            .iter()
            .map(|(key, state)| {
                let waiting = Reverse(self.waiting_for(key));
                let complete = !self.lacks_pinned(key);
                let order = (waiting, complete, Reverse(state.last_used));
                (order, key.clone())
            })
            .collect();
        keys.sort();
        keys.into_iter().map(|(_, key)| key).collect()
    }

    /// Whether fewer of a key are there, or on their way, than are pinned.
    fn lacks_pinned(&self, key: &K) -> bool {
        let there = self.coming(key);
        self.keys.get(key).is_some_and(|state| there < state.pinned)
    }

    /// Makes room for one who waits: gives up the warm container of another key that was used least recently, but none
    /// for which somebody waits whose turn is before. Those that nobody waits for or pinned go first.
    fn make_room(
        &mut self,
        key: &K,
        served: &BTreeMap<K, usize>,
        actions: &mut Vec<Action<K>>,
    ) -> bool {
        let order = |other: &Other<'_, K>| {
            let due = served.get(other.key).copied().unwrap_or_default();
            (other.coming > due).then_some((other.needed, other.pinned, other.last_used))
        };
        self.give_up_another(key, order, actions)
    }

    /// Makes room for a key to stay warm: it takes the place of one that was used before it only, and that nobody
    /// pinned, so that classes asked for once do not hold the pool, and two classes never chase each other out.
    fn make_room_to_stay(&mut self, key: &K, actions: &mut Vec<Action<K>>) {
        if self.clearing() > 0 {
            return;
        }
        let Some(state) = self.keys.get(key) else {
            return;
        };
        let (lacks_pinned, last_used) = (self.lacks_pinned(key), state.last_used);
        let order = |other: &Other<'_, K>| {
            let before = lacks_pinned || other.last_used < last_used;
            (before && !other.pinned && !other.needed).then_some(other.last_used)
        };
        self.give_up_another(key, order, actions);
    }

    /// Gives up the warm container that is not of this key and comes first in this order; one for which it gives none
    /// stays. False if there is none.
    fn give_up_another<O: Ord>(
        &mut self,
        key: &K,
        order: impl Fn(&Other<'_, K>) -> Option<O>,
        actions: &mut Vec<Action<K>>,
    ) -> bool {
        let first = self
            .slots
            .iter()
            .filter(|(_, slot)| slot.phase == Phase::Warm && slot.key != *key)
            .filter_map(|(id, slot)| Some((order(&self.other(&slot.key)?)?, *id)))
            .min();
        if let Some((_, slot)) = first {
            self.remove(slot, actions);
        }
        first.is_some()
    }

    fn other<'a>(&self, key: &'a K) -> Option<Other<'a, K>> {
        let state = self.keys.get(key)?;
        let coming = self.coming(key);
        Some(Other {
            key,
            coming,
            needed: coming <= self.waiting_for(key),
            pinned: self.count(key, Phase::Warm) <= state.pinned,
            last_used: state.last_used,
        })
    }

    /// Gives up the containers of keys that nobody has asked for in a while, but for those that are pinned.
    pub(super) fn expire(&mut self, now: Duration, actions: &mut Vec<Action<K>>) {
        let idle_after = self.bounds.idle_after;
        let mut stale = Vec::new();
        for (key, state) in &mut self.keys {
            let waited_for = self.queue.iter().any(|waiting| waiting.key == *key);
            if state.wanted > 0 && !waited_for && now.saturating_sub(state.last_used) >= idle_after
            {
                state.wanted = 0;
                stale.push(key.clone());
            }
        }
        for key in stale {
            self.trim(&key, actions);
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
        // Whoever waits for a place does not wait for a removal that hangs.
        let stuck = self
            .slots
            .values()
            .filter(|slot| slot.phase == Phase::Removing && !self.queue.is_empty())
            .map(|slot| slot.removing_since + STUCK);
        let alarms = retries.chain(expiries).chain(calm).chain(stuck);
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
        for slot in self.slots.values_mut() {
            slot.unwanted |= slot.key == *key;
        }
        self.discard(key, actions);
    }

    /// Gives up what there is of a key beyond its target and those who wait: what is still starting first.
    pub(super) fn trim(&mut self, key: &K, actions: &mut Vec<Action<K>>) {
        let Some(state) = self.keys.get(key) else {
            return;
        };
        let keep = state.target().max(self.waiting_for(key));
        let surplus = self.coming(key).saturating_sub(keep);
        let mut spare: Vec<_> = self
            .slots
            .iter()
            .filter(|(_, slot)| slot.key == *key && !slot.unwanted)
            .filter(|(_, slot)| matches!(slot.phase, Phase::Starting | Phase::Warm))
            .map(|(id, slot)| (slot.phase == Phase::Warm, Reverse(*id)))
            .collect();
        spare.sort_unstable();
        for (_, Reverse(id)) in spare.into_iter().take(surplus) {
            self.let_go(id, actions);
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
            self.let_go(id, actions);
        }
    }

    fn let_go(&mut self, id: SlotId, actions: &mut Vec<Action<K>>) {
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
