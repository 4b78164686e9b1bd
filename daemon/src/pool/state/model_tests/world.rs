//! The pool and the world outside, which is told by the pool's actions alone, checks the invariants after each step, and
//! can go on by itself, well or broken.

use std::collections::{BTreeMap, BTreeSet};

use super::super::{
    tests::{T0, TestPool, UIDS, bounds, pool},
    *,
};

/// The classes of containers; one with more has all that one with less asks for.
pub(super) const KEYS: u8 = 4;
const SOURCES: u64 = 4;
/// More rounds than anything takes that comes to an end.
pub(super) const PATIENCE: usize = 200;

/// Where a container is, as the world outside knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Life {
    Starting,
    Warm,
    Leased,
    /// Dead, or its run has ended: nobody may have it any more.
    Over,
    Removing,
}

#[derive(Debug)]
struct Container {
    key: u8,
    uid: u32,
    life: Life,
    /// Its removal never ends.
    hangs: bool,
    /// Its class was out of date while it was there.
    retired: bool,
}

/// Somebody who asked and has not got the end of it yet.
#[derive(Debug)]
pub(super) struct Asker {
    key: u8,
    source: Source,
    pub(super) slot: Option<SlotId>,
    /// Its container was dead: it stands in front of all.
    again: bool,
    /// The sources that got one while it waited beside a free one of its own, since it began to.
    passed_by: BTreeSet<Source>,
}

/// The pool, and what the world outside knows: kept beside it, told by the actions alone, compared after each step.
pub(super) struct World {
    pub(super) pool: TestPool,
    pub(super) now: Duration,
    pub(super) askers: BTreeMap<Ticket, Asker>,
    containers: BTreeMap<SlotId, Container>,
    alarm: Option<Duration>,
    draining: bool,
    tickets: u64,
    pub(super) grants: usize,
}

impl World {
    pub(super) fn new() -> Self {
        Self {
            pool: pool(),
            now: T0,
            askers: BTreeMap::new(),
            containers: BTreeMap::new(),
            alarm: None,
            draining: false,
            tickets: 0,
            grants: 0,
        }
    }

    pub(super) fn step(&mut self, event: Event<u8>) {
        self.tell(&event);
        let why = event.clone();
        for action in self.pool.step(self.now, event) {
            self.act(&why, action);
        }
        self.check();
    }

    /// What the world knows before the pool hears of it.
    fn tell(&mut self, event: &Event<u8>) {
        let lives = |world: &mut Self, slot: &SlotId, life| {
            world.containers.get_mut(slot).expect("a container").life = life;
        };
        match event {
            Event::Lease {
                ticket,
                key,
                source,
            } => {
                let asker = Asker {
                    key: *key,
                    source: *source,
                    slot: None,
                    again: false,
                    passed_by: BTreeSet::new(),
                };
                self.askers.insert(*ticket, asker);
            }
            // Who has one already comes too late with it.
            Event::Cancel { ticket } => self
                .askers
                .retain(|other, asker| other != ticket || asker.slot.is_some()),
            Event::Launched { slot } => lives(self, slot, Life::Warm),
            Event::LaunchFailed { slot, .. } | Event::Removed { slot } => {
                _ = self.containers.remove(slot);
            }
            Event::DiedIdle { slot } => lives(self, slot, Life::Over),
            Event::Released { slot } => {
                lives(self, slot, Life::Over);
                self.askers.retain(|_, asker| asker.slot != Some(*slot));
            }
            Event::GrantFailed { slot, ticket } => {
                lives(self, slot, Life::Over);
                let asker = self.askers.get_mut(ticket).expect("an asker");
                (asker.slot, asker.again) = (None, true);
            }
            Event::Retire { key } => {
                for container in self.containers.values_mut() {
                    container.retired |= container.key == *key;
                }
            }
            Event::Drain => self.draining = true,
            Event::Pin { .. } | Event::Tick => {}
        }
    }

    fn act(&mut self, event: &Event<u8>, action: Action<u8>) {
        match action {
            Action::Launch {
                slot,
                key,
                uid_offset,
            } => {
                assert!(!self.draining, "started while the pool drains");
                let container = Container {
                    key,
                    uid: uid_offset,
                    life: Life::Starting,
                    hangs: false,
                    retired: false,
                };
                let before = self.containers.insert(slot, container);
                assert!(before.is_none(), "{slot:?} launched twice");
            }
            Action::Grant { ticket, slot } => self.granted(ticket, slot),
            Action::Refuse { ticket, refusal } => {
                let asker = self.askers.remove(&ticket);
                let asker = asker.unwrap_or_else(|| panic!("{ticket:?} answered twice"));
                assert_eq!(asker.slot, None, "{ticket:?} has one and is refused");
                self.has_reason(event, &asker, ticket, &refusal);
            }
            Action::Remove { slot } => {
                let container = self.containers.get_mut(&slot).expect("a container");
                let unused = matches!(container.life, Life::Warm | Life::Over);
                assert!(unused, "{slot:?} is removed as it is {container:?}");
                container.life = Life::Removing;
            }
            Action::WakeAt(at) => {
                assert!(at > self.now, "an alarm in the past");
                self.alarm = Some(self.alarm.map_or(at, |alarm| alarm.min(at)));
            }
        }
    }

    fn granted(&mut self, ticket: Ticket, slot: SlotId) {
        assert!(!self.draining, "granted while the pool drains");
        let asker = self.askers.get(&ticket);
        let asker = asker.unwrap_or_else(|| panic!("{ticket:?} answered twice"));
        assert_eq!(asker.slot, None, "{ticket:?} granted two");
        let (key, source, again) = (asker.key, asker.source, asker.again);
        let container = &self.containers[&slot];
        assert_eq!(container.life, Life::Warm, "{slot:?} is not ready");
        assert_eq!(container.key, key, "{ticket:?} got another class");
        let warm: BTreeSet<u8> = self.with(Life::Warm).map(|(_, other)| other.key).collect();
        for (other, asker) in &mut self.askers {
            let beside = *other != ticket && asker.slot.is_none() && warm.contains(&asker.key);
            if again {
                // Its turn had come before.
                continue;
            }
            assert!(!(beside && asker.again), "{ticket:?} came before {other:?}");
            if asker.source == source {
                let in_order = !beside || ticket < *other;
                assert!(in_order, "{ticket:?} pushed in before {other:?}");
                asker.passed_by.clear();
            } else if beside {
                let first = asker.passed_by.insert(source);
                assert!(first, "source {source} passed {other:?} by twice");
            } else {
                // Its turn may come and go while there is none for it.
                asker.passed_by.clear();
            }
        }
        let asker = self.askers.get_mut(&ticket).expect("an asker");
        (asker.slot, asker.again) = (Some(slot), false);
        self.containers.get_mut(&slot).expect("a container").life = Life::Leased;
        self.grants += 1;
    }

    /// A refusal says why, and that must be so.
    fn has_reason(&self, event: &Event<u8>, asker: &Asker, ticket: Ticket, refusal: &Refusal) {
        let holds = match (refusal, event) {
            (Refusal::QueueFull { .. }, Event::Lease { ticket: asks, .. }) => {
                *asks == ticket && self.waiting().count() >= bounds().max_waiting
            }
            (Refusal::LaunchFailed { .. }, Event::LaunchFailed { .. }) => true,
            (Refusal::Retired, Event::GrantFailed { slot, .. }) => self.containers[slot].retired,
            (Refusal::Retired, Event::Retire { key }) => *key == asker.key,
            (Refusal::Draining, _) => self.draining,
            _ => false,
        };
        assert!(holds, "{refusal:?} of {asker:?} at {event:?}");
    }

    fn with(&self, life: Life) -> impl Iterator<Item = (SlotId, &Container)> {
        let of_it = move |entry: &(&SlotId, &Container)| entry.1.life == life;
        let all = self.containers.iter().filter(of_it);
        all.map(|(slot, container)| (*slot, container))
    }

    pub(super) fn waiting(&self) -> impl Iterator<Item = (Ticket, &Asker)> {
        let waits = |entry: &(&Ticket, &Asker)| entry.1.slot.is_none();
        let all = self.askers.iter().filter(waits);
        all.map(|(ticket, asker)| (*ticket, asker))
    }

    /// The invariants of `state.rs`.
    fn check(&self) {
        let pool = &self.pool;
        let theirs: Vec<_> = pool
            .slots
            .iter()
            .map(|(id, slot)| (*id, slot.key, slot.uid_offset, slot.phase))
            .collect();
        let phase = |life| match life {
            Life::Starting => Phase::Starting,
            Life::Warm => Phase::Warm,
            Life::Leased => Phase::Leased,
            Life::Removing => Phase::Removing,
            Life::Over => panic!("a container that is over is not removed"),
        };
        let ours: Vec<_> = self
            .containers
            .iter()
            .map(|(id, known)| (*id, known.key, known.uid, phase(known.life)))
            .collect();
        assert_eq!(theirs, ours, "the pool does not know what there is");
        let used: BTreeSet<u32> = self.containers.values().map(|known| known.uid).collect();
        assert_eq!(used.len(), self.containers.len(), "a uid twice");
        assert!(used.is_disjoint(&pool.free_uids), "a uid used and free");
        let free = pool.free_uids.len();
        assert_eq!(used.len() + free, UIDS as usize, "a uid was lost");

        let bounds = bounds();
        assert!(pool.live() <= bounds.max_live, "too many live");
        let starting = self.with(Life::Starting).count();
        assert!(starting <= bounds.max_starting, "too many starting");
        let leased = self.with(Life::Leased).count();
        assert!(leased <= bounds.max_leased, "too many leased");

        let asked = |waiting: &Waiting<u8>| (waiting.ticket, waiting.key, waiting.source);
        let mut theirs: Vec<_> = pool.queue.iter().map(asked).collect();
        theirs.sort_unstable();
        let ours: Vec<_> = self
            .waiting()
            .map(|(ticket, asker)| (ticket, asker.key, asker.source))
            .collect();
        assert_eq!(theirs, ours, "who waits");
        // A grant that failed puts its ticket back, above the bound for new ones.
        let most = bounds.max_waiting + bounds.max_leased;
        assert!(ours.len() <= most, "the queue has no bound");
        for (ticket, key, _) in ours {
            let free = self.with(Life::Warm).any(|(_, known)| known.key == key);
            assert!(
                !free || leased == bounds.max_leased,
                "{ticket:?} waits beside a free one"
            );
        }
        if self.draining {
            assert_eq!(self.with(Life::Warm).count(), 0, "kept while it drains");
        }
        let retired = self.with(Life::Warm).find(|(_, known)| known.retired);
        assert!(retired.is_none(), "out of date and ready: {retired:?}");
    }

    pub(super) fn ask(&mut self, key: u8, source: Source) -> Ticket {
        let ticket = Ticket(self.tickets);
        self.tickets += 1;
        self.step(Event::Lease {
            ticket,
            key,
            source,
        });
        ticket
    }

    /// As the owner does: one of a wider class, if such a one is free and none of this.
    fn borrow(&mut self, key: u8, source: Source) {
        let spare = |other: &u8| other.checked_sub(key);
        let leased = self.with(Life::Leased).count();
        let may = !self.draining && leased < bounds().max_leased;
        let mut free: Vec<u8> = self.with(Life::Warm).map(|(_, known)| known.key).collect();
        free.retain(|other| *other >= key);
        let nearest = free.iter().min().copied().filter(|_| may);
        let lent = self.pool.nearest(self.now, &key, spare);
        assert_eq!(lent, nearest.filter(|other| *other != key), "of {free:?}");
        let ticket = self.ask(lent.unwrap_or(key), source);
        let granted = self
            .askers
            .get(&ticket)
            .is_some_and(|asker| asker.slot.is_some());
        assert!(granted || lent.is_none(), "what was lent is not there");
    }

    /// Lets each thing that is under way come to its end, once, in an order that begins at `from`.
    pub(super) fn go_on(&mut self, from: usize, starts: bool) -> bool {
        let mut ids: Vec<SlotId> = self.containers.keys().copied().collect();
        if !ids.is_empty() {
            let middle = from % ids.len();
            ids.rotate_left(middle);
        }
        let mut moved = false;
        for slot in ids {
            let Some(container) = self.containers.get(&slot) else {
                continue;
            };
            let event = match container.life {
                _ if container.hangs => continue,
                Life::Starting if starts => Event::Launched { slot },
                Life::Starting => launch_failed(slot, false),
                Life::Leased => Event::Released { slot },
                Life::Removing => Event::Removed { slot },
                Life::Warm | Life::Over => continue,
            };
            moved = true;
            self.step(event);
        }
        moved
    }

    /// Nothing new is asked. Time goes on only when nothing else does, and only to where the pool wanted to be woken.
    pub(super) fn settle(&mut self, from: usize, starts: bool) {
        for round in 0..PATIENCE {
            if self.go_on(from + round, starts) {
                continue;
            }
            if self.waiting().count() == 0 {
                return;
            }
            let alarm = self.alarm.take();
            let alarm = alarm.unwrap_or_else(|| panic!("nobody wakes {:?}", self.askers));
            self.now = self.now.max(alarm);
            self.step(Event::Tick);
        }
        panic!("it never ends: {:?}", self.askers);
    }

    /// All is quiet: what there is stands by for the next, as many as are to be kept as far as there is room.
    pub(super) fn stands_by(&mut self) {
        // The calm after the last grant, and what failed before, are over.
        self.now += LAST_BACKOFF;
        self.step(Event::Tick);
        self.settle(0, true);
        let hanging = self.containers.values().filter(|known| known.hangs).count();
        let idle = self.with(Life::Warm).count();
        assert_eq!(idle + hanging, self.containers.len(), "a slot is dead");
        if self.draining {
            assert_eq!(idle, 0, "kept by a pool that drains");
            return;
        }
        let room = bounds().max_live - hanging;
        let targets: usize = self.pool.keys().map(|(_, state)| state.target()).sum();
        let mut short = Vec::new();
        for (key, state) in self.pool.keys() {
            let warm = self.pool.count(key, Phase::Warm);
            short.extend((warm < state.target()).then_some(*key));
        }
        let as_wanted = short.is_empty() || targets > room || idle == room;
        assert!(as_wanted, "too few of {short:?}: {idle} of {room} warm");
    }

    /// Throws one event of this kind, on something that it can happen to.
    pub(super) fn throw(&mut self, kind: u8, number: u8) {
        let at = usize::from(number);
        let (key, source) = (number % KEYS, u64::from(number / KEYS) % SOURCES);
        let found = match kind {
            0..=3 => {
                self.ask(key, source);
                return;
            }
            4 => return self.borrow(key, source),
            5 => pick(self.askers.keys().copied(), at).map(|ticket| Event::Cancel { ticket }),
            6..=8 => self
                .pick(Life::Starting, at)
                .map(|slot| Event::Launched { slot }),
            9 => self
                .pick(Life::Starting, at)
                .map(|slot| launch_failed(slot, number > 200)),
            10 => self
                .pick(Life::Warm, at)
                .map(|slot| Event::DiedIdle { slot }),
            11 => self
                .pick(Life::Leased, at)
                .map(|slot| Event::Released { slot }),
            12 => self.pick(Life::Leased, at).map(|slot| {
                let mut askers = self.askers.iter();
                let holder = askers.find(|(_, asker)| asker.slot == Some(slot));
                let ticket = *holder.expect("who has it").0;
                Event::GrantFailed { slot, ticket }
            }),
            13 => self
                .pick(Life::Removing, at)
                .map(|slot| Event::Removed { slot }),
            // The engine goes away: all that is being started fails, and what is tried then, too.
            14 => {
                for slot in [self.pick(Life::Starting, at), self.pick(Life::Starting, 0)] {
                    if let Some(slot) = slot.filter(|slot| self.containers.contains_key(slot)) {
                        self.step(launch_failed(slot, false));
                    }
                }
                None
            }
            // The policy changes, or the image.
            15 => Some(Event::Pin {
                key,
                target: usize::from(number / KEYS) % 4,
            }),
            16 if number < 100 => Some(Event::Retire { key }),
            17 if number < 4 => Some(Event::Drain),
            _ => None,
        };
        self.step(found.unwrap_or(Event::Tick));
    }

    fn pick(&self, life: Life, at: usize) -> Option<SlotId> {
        pick(self.with(life).map(|(slot, _)| slot), at)
    }

    /// A removal that is under way never ends.
    pub(super) fn hang(&mut self, at: usize) {
        if let Some(slot) = self.pick(Life::Removing, at) {
            self.containers.get_mut(&slot).expect("a container").hangs = true;
        }
    }
}

fn pick<T: Copy>(from: impl IntoIterator<Item = T>, at: usize) -> Option<T> {
    let all: Vec<T> = from.into_iter().collect();
    (!all.is_empty()).then(|| all[at % all.len()])
}

fn launch_failed(slot: SlotId, permanent: bool) -> Event<u8> {
    Event::LaunchFailed {
        slot,
        reason: "no".to_owned(),
        permanent,
    }
}
