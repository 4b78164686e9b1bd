//! Throws any order of events at the pool's state machine and checks the invariants after each step.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::{
    tests::{T0, TestPool, bounds, pool},
    *,
};

/// What the world outside would know: kept beside the pool and compared after each step.
#[derive(Default)]
struct Model {
    open: BTreeSet<Ticket>,
    leased: BTreeMap<SlotId, Ticket>,
    launched: BTreeSet<SlotId>,
    uids: BTreeMap<SlotId, u32>,
    removed: BTreeSet<SlotId>,
}

impl Model {
    fn take(&mut self, pool: &TestPool, actions: &[Action<u8>]) {
        for action in actions {
            match action {
                Action::Launch {
                    slot, uid_offset, ..
                } => {
                    let used: BTreeSet<_> = self.uids.values().collect();
                    assert!(!used.contains(uid_offset), "uid {uid_offset} twice");
                    assert!(
                        self.uids.insert(*slot, *uid_offset).is_none(),
                        "{slot:?} launched twice"
                    );
                }
                Action::Grant { ticket, slot } => {
                    assert!(self.open.remove(ticket), "{ticket:?} answered twice");
                    assert!(
                        self.launched.contains(slot),
                        "{slot:?} granted before it was ready"
                    );
                    assert!(
                        !self.removed.contains(slot),
                        "{slot:?} granted after its removal"
                    );
                    assert!(
                        self.leased.insert(*slot, *ticket).is_none(),
                        "{slot:?} leased twice"
                    );
                }
                Action::Refuse { ticket, .. } => {
                    assert!(self.open.remove(ticket), "{ticket:?} answered twice");
                }
                Action::Remove { slot } => {
                    assert!(self.removed.insert(*slot), "{slot:?} removed twice");
                }
                Action::WakeAt(_) => {}
            }
        }
        assert!(pool.live() <= bounds().max_live, "too many live");
        assert!(
            pool.all(Phase::Starting) <= bounds().max_starting,
            "too many starting"
        );
        assert!(pool.leased() <= bounds().max_leased, "too many leased");
        // A grant that failed puts its ticket back, above the bound for new ones.
        let bound = bounds().max_waiting + bounds().max_leased;
        assert!(pool.waiting() <= bound, "the queue has no bound");
        assert_eq!(pool.waiting(), self.open.len(), "a ticket was lost");
    }
}

fn pick<T: Copy>(from: impl IntoIterator<Item = T>, at: usize) -> Option<T> {
    let all: Vec<T> = from.into_iter().collect();
    (!all.is_empty()).then(|| all[at % all.len()])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn p1_p2_the_invariants_hold_in_any_order_of_events(
        steps in prop::collection::vec((0_u8..12, any::<u8>(), 0_u64..2_000), 1..120),
    ) {
        let mut pool = pool();
        let mut model = Model::default();
        let mut now = T0;
        for (index, (kind, number, pause)) in steps.into_iter().enumerate() {
            now += Duration::from_millis(pause);
            let at = usize::from(number);
            let in_phase = |pool: &TestPool, phase| {
                let ids: Vec<_> = pool.slots.iter().filter(|(_, s)| s.phase == phase).map(|(id, _)| *id).collect();
                pick(ids, at)
            };
            let event = match kind {
                0..=3 => {
                    let ticket = Ticket(index as u64);
                    model.open.insert(ticket);
                    Event::Lease { ticket, key: number % 3, source: u64::from(number % 4) }
                }
                4 => match pick(model.open.iter().copied(), at) {
                    Some(ticket) => { model.open.remove(&ticket); Event::Cancel { ticket } }
                    None => Event::Tick,
                },
                5 | 6 => match in_phase(&pool, Phase::Starting) {
                    Some(slot) => { model.launched.insert(slot); Event::Launched { slot } }
                    None => Event::Tick,
                },
                7 => match in_phase(&pool, Phase::Starting) {
                    Some(slot) => {
                        model.uids.remove(&slot);
                        Event::LaunchFailed { slot, reason: "no".into(), permanent: number > 200 }
                    }
                    None => Event::Tick,
                },
                8 => match in_phase(&pool, Phase::Warm) {
                    Some(slot) => Event::DiedIdle { slot },
                    None => Event::Tick,
                },
                9 => match pick(model.leased.keys().copied(), at) {
                    Some(slot) => {
                        let ticket = model.leased.remove(&slot).unwrap();
                        if number % 2 == 0 {
                            Event::Released { slot }
                        } else {
                            model.open.insert(ticket);
                            Event::GrantFailed { slot, ticket }
                        }
                    }
                    None => Event::Tick,
                },
                10 => match in_phase(&pool, Phase::Removing) {
                    Some(slot) => { model.uids.remove(&slot); Event::Removed { slot } }
                    None => Event::Tick,
                },
                _ => match number {
                    0..=100 => Event::Pin { key: number % 3, target: usize::from(number % 4) },
                    101..=150 => Event::Retire { key: number % 3 },
                    151..=153 => Event::Drain,
                    _ => Event::Tick,
                },
            };
            let actions = pool.step(now, event);
            model.take(&pool, &actions);
        }
        // Whatever happened: a drain ends with nothing, once everything was removed.
        let actions = pool.step(now, Event::Drain);
        model.take(&pool, &actions);
        prop_assert!(model.open.is_empty());
        let slots: Vec<_> = pool.slots.keys().copied().collect();
        for slot in slots {
            pool.step(now, Event::Launched { slot });
            pool.step(now, Event::Released { slot });
            pool.step(now, Event::Removed { slot });
        }
        prop_assert_eq!(pool.live(), 0);
    }
}
