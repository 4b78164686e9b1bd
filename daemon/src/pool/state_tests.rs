//! The pool's state machine, played event by event: named races. Any order of events is `state/model_tests.rs`.

use super::*;

pub(super) type TestPool = Pool<u8>;

pub(super) fn bounds() -> Bounds {
    Bounds {
        max_live: 6,
        max_starting: 3,
        max_leased: 4,
        max_waiting: 5,
        idle_after: Duration::from_secs(60),
    }
}

pub(super) const UIDS: u32 = 16;

pub(super) fn pool() -> TestPool {
    Pool::new(bounds(), UIDS)
}

pub(super) const T0: Duration = Duration::ZERO;

fn launches(actions: &[Action<u8>]) -> Vec<SlotId> {
    let slot = |action: &Action<u8>| match action {
        Action::Launch { slot, .. } => Some(*slot),
        _ => None,
    };
    actions.iter().filter_map(slot).collect()
}

fn warm(pool: &mut TestPool, key: u8, count: usize) -> Vec<SlotId> {
    let mut started = launches(&pool.step(T0, Event::Pin { key, target: count }));
    let mut all = Vec::new();
    while let Some(slot) = started.pop() {
        all.push(slot);
        started.extend(launches(&pool.step(T0, Event::Launched { slot })));
    }
    assert_eq!(pool.count(&key, Phase::Warm), count);
    all
}

fn lease(ticket: u64, key: u8) -> Event<u8> {
    Event::Lease {
        ticket: Ticket(ticket),
        key,
        source: 0,
    }
}

#[test]
fn a_warm_container_is_handed_out_at_once_and_replaced_when_the_run_is_over() {
    let mut pool = pool();
    warm(&mut pool, 1, 2);
    let actions = pool.step(T0, lease(7, 1));
    let Action::Grant {
        ticket: Ticket(7),
        slot,
    } = actions[0]
    else {
        panic!("no grant")
    };
    assert_eq!(launches(&actions), [], "a start slows the run");
    assert_eq!(launches(&pool.step(T0, Event::Released { slot })), []);
    assert_eq!(launches(&pool.step(CALM, Event::Tick)).len(), 1);
    assert_eq!(pool.keys().next().unwrap().1.hits, 1);
}

#[test]
fn a_pool_that_runs_low_is_refilled_at_once() {
    let mut pool = pool();
    warm(&mut pool, 1, 2);
    pool.step(T0, lease(1, 1));
    assert_eq!(launches(&pool.step(T0, lease(2, 1))).len(), 2);
}

#[test]
fn p3_nothing_is_granted_before_it_was_launched() {
    let mut pool = pool();
    let actions = pool.step(T0, lease(1, 1));
    assert!(
        !actions
            .iter()
            .any(|action| matches!(action, Action::Grant { .. }))
    );
    let slot = launches(&actions)[0];
    let actions = pool.step(T0, Event::Launched { slot });
    assert_eq!(
        actions[0],
        Action::Grant {
            ticket: Ticket(1),
            slot
        }
    );
    assert_eq!(pool.keys().next().unwrap().1.misses, 1);
}

#[test]
fn p4_another_key_is_never_given_a_container_of_this_one() {
    let mut pool = pool();
    warm(&mut pool, 1, 2);
    let actions = pool.step(T0, lease(1, 2));
    assert!(
        !actions
            .iter()
            .any(|action| matches!(action, Action::Grant { .. }))
    );
    assert!(matches!(actions[0], Action::Launch { key: 2, .. }));
}

#[test]
fn p8_zero_keeps_nothing_warm_until_the_first_run() {
    let mut pool = pool();
    assert_eq!(
        launches(&pool.step(T0, Event::Pin { key: 1, target: 0 })),
        []
    );
    assert_eq!(pool.live(), 0);
    assert!(!launches(&pool.step(T0, lease(1, 1))).is_empty());
}

#[test]
fn p5_a_retired_key_gives_up_its_containers_and_its_queue() {
    let mut pool = pool();
    let slots = warm(&mut pool, 1, 2);
    let actions = pool.step(T0, Event::Retire { key: 1 });
    let removed: Vec<_> = actions
        .iter()
        .filter(|action| matches!(action, Action::Remove { .. }))
        .collect();
    assert_eq!(removed.len(), slots.len());
    assert_eq!(pool.count(&1, Phase::Warm), 0);
}

#[test]
fn c5_one_that_died_idle_is_replaced_and_counted() {
    let mut pool = pool();
    let slot = warm(&mut pool, 1, 1)[0];
    let actions = pool.step(T0, Event::DiedIdle { slot });
    assert_eq!(actions[0], Action::Remove { slot });
    assert_eq!(launches(&actions).len(), 1);
    assert_eq!(pool.keys().next().unwrap().1.died_idle, 1);
}

#[test]
fn a_grant_that_failed_puts_the_ticket_back_in_front() {
    let mut pool = pool();
    warm(&mut pool, 1, 2);
    let actions = pool.step(T0, lease(7, 1));
    let Action::Grant { slot, .. } = actions[0] else {
        panic!("no grant")
    };
    let actions = pool.step(
        T0,
        Event::GrantFailed {
            slot,
            ticket: Ticket(7),
        },
    );
    assert_eq!(actions[0], Action::Remove { slot });
    assert!(
        actions.iter().any(
            |a| matches!(a, Action::Grant { ticket: Ticket(7), slot: other } if *other != slot)
        )
    );
}

#[test]
fn a_ticket_put_back_is_of_its_own_source_and_before_those_who_came_later() {
    let mut pool = pool();
    let slots = warm(&mut pool, 1, 2);
    let ask = |ticket, source| Event::Lease {
        ticket: Ticket(ticket),
        key: 1,
        source,
    };
    let mut granted = BTreeMap::new();
    for (ticket, source) in [(1, 5), (2, 7)] {
        for action in pool.step(T0, ask(ticket, source)) {
            if let Action::Grant { ticket, slot } = action {
                granted.insert(ticket, slot);
            }
        }
    }
    assert_eq!(granted.len(), slots.len());
    // Others wait when the first one's turns out to be dead.
    pool.step(T0, ask(3, 8));
    let failed = Event::GrantFailed {
        slot: granted[&Ticket(1)],
        ticket: Ticket(1),
    };
    pool.step(T0, failed);
    let back = &pool.queue[0];
    assert_eq!((back.ticket, back.source), (Ticket(1), 5));
    let starting = pool.slots.iter().find(|(_, s)| s.phase == Phase::Starting);
    let slot = *starting.expect("a start").0;
    let actions = pool.step(T0, Event::Launched { slot });
    let ticket = Ticket(1);
    assert!(
        actions.contains(&Action::Grant { ticket, slot }),
        "{actions:?}"
    );
    // What somebody else has cannot be given back by this one.
    let ticket = Ticket(1);
    let slot = granted[&Ticket(2)];
    pool.step(T0, Event::GrantFailed { slot, ticket });
    assert_eq!(pool.phase(slot), Some(Phase::Leased));
}

#[test]
fn p5_who_gets_a_dead_one_of_a_retired_key_is_refused_and_starts_no_other() {
    let mut pool = pool();
    warm(&mut pool, 1, 1);
    let actions = pool.step(T0, lease(7, 1));
    let Action::Grant { slot, ticket } = actions[0] else {
        panic!("no grant")
    };
    pool.step(T0, Event::Retire { key: 1 });
    let actions = pool.step(T0, Event::GrantFailed { slot, ticket });
    let refusal = Refusal::Retired;
    assert!(
        actions.contains(&Action::Refuse { ticket, refusal }),
        "{actions:?}"
    );
    assert_eq!(launches(&actions), []);
}

#[test]
fn a_ticket_put_back_waits_for_no_pause_between_starts() {
    let mut pool = pool();
    warm(&mut pool, 1, 1);
    let actions = pool.step(T0, lease(7, 1));
    let Action::Grant { slot, ticket } = actions[0] else {
        panic!("no grant")
    };
    // The one that is to stand by in its place cannot be started.
    let failed = Event::LaunchFailed {
        slot: launches(&actions)[0],
        reason: "no".to_owned(),
        permanent: false,
    };
    assert_eq!(launches(&pool.step(T0, failed)), []);
    let actions = pool.step(T0, Event::GrantFailed { slot, ticket });
    assert!(!launches(&actions).is_empty(), "{actions:?}");
}

#[test]
fn what_nobody_needs_any_more_while_it_starts_holds_up_nobody() {
    let mut pool = pool();
    let starting = launches(&pool.step(T0, lease(1, 1)));
    assert_eq!(starting.len(), 2);
    pool.step(T0, Event::Retire { key: 1 });
    let actions = pool.step(T0, lease(2, 1));
    assert_eq!(launches(&actions).len(), 1, "as many as may start at once");
}

#[test]
fn a_key_keeps_no_more_than_is_asked_for_when_the_target_falls_or_nobody_comes() {
    let mut pool = pool();
    let slots = warm(&mut pool, 1, 4);
    pool.step(T0, Event::Pin { key: 1, target: 1 });
    assert_eq!(pool.count(&1, Phase::Warm), 1);
    for slot in slots {
        pool.step(T0, Event::Removed { slot });
    }
    // Three wait and give up: what was started for them stands by, until nobody came for long.
    let mut starting = Vec::new();
    for ticket in 0..4 {
        starting.extend(launches(&pool.step(T0, lease(ticket, 1))));
    }
    for ticket in 1..4 {
        let ticket = Ticket(ticket);
        pool.step(T0, Event::Cancel { ticket });
    }
    for slot in starting {
        pool.step(T0, Event::Launched { slot });
    }
    assert_eq!(pool.count(&1, Phase::Warm), 3);
    pool.step(Duration::from_secs(61), Event::Tick);
    assert_eq!(pool.count(&1, Phase::Warm), 1);
}

#[test]
fn starts_that_fail_are_retried_with_growing_pauses_and_told() {
    let mut pool = pool();
    let mut starting = launches(&pool.step(T0, lease(1, 1)));
    let fail = |slot| Event::LaunchFailed {
        slot,
        reason: "no".to_owned(),
        permanent: false,
    };
    // The first failure is tried again at once, the second is told to whoever waits.
    let mut refused = Vec::new();
    while let Some(slot) = starting.pop() {
        for action in pool.step(T0, fail(slot)) {
            match action {
                Action::Refuse { ticket, refusal } => refused.push((ticket, refusal)),
                Action::Launch { slot, .. } => starting.push(slot),
                _ => {}
            }
        }
    }
    assert_eq!(
        refused,
        [(
            Ticket(1),
            Refusal::LaunchFailed {
                reason: "no".to_owned()
            }
        )]
    );
    let later = pool.step(LAST_BACKOFF, Event::Tick);
    assert!(
        !launches(&later).is_empty(),
        "it never tries again: {later:?}"
    );
}

#[test]
fn a_permanent_failure_is_told_at_once() {
    let mut pool = pool();
    let slot = launches(&pool.step(T0, lease(1, 1)))[0];
    let reason = "no image".to_owned();
    let actions = pool.step(
        T0,
        Event::LaunchFailed {
            slot,
            reason,
            permanent: true,
        },
    );
    assert!(actions.iter().any(|action| matches!(
        action,
        Action::Refuse {
            ticket: Ticket(1),
            ..
        }
    )));
}

#[test]
fn the_queue_is_bounded_and_says_so() {
    let mut pool = pool();
    for ticket in 0..5 {
        pool.step(T0, lease(ticket, 1));
    }
    let actions = pool.step(T0, lease(99, 1));
    let refusal = Refusal::QueueFull { waiting: 5 };
    assert!(actions.contains(&Action::Refuse {
        ticket: Ticket(99),
        refusal
    }));
}

#[test]
fn turns_go_round_between_sources() {
    let mut pool = pool();
    let first = launches(&pool.step(T0, lease(0, 1)));
    for ticket in 1..3 {
        pool.step(
            T0,
            Event::Lease {
                ticket: Ticket(ticket),
                key: 1,
                source: 0,
            },
        );
    }
    pool.step(
        T0,
        Event::Lease {
            ticket: Ticket(50),
            key: 1,
            source: 9,
        },
    );
    let mut order = Vec::new();
    let mut starting = first;
    let mut seen = BTreeSet::new();
    for id in 1..40 {
        starting.push(SlotId(id));
    }
    for slot in starting {
        if !seen.insert(slot) {
            continue;
        }
        for action in pool.step(T0, Event::Launched { slot }) {
            if let Action::Grant { ticket, slot } = action {
                order.push(ticket.0);
                pool.step(T0, Event::Released { slot });
                pool.step(T0, Event::Removed { slot });
            }
        }
    }
    assert_eq!(
        order[..2],
        [0, 50],
        "one source held the other up: {order:?}"
    );
}

#[test]
fn an_unused_key_gives_up_its_containers() {
    let mut pool = pool();
    let slot = launches(&pool.step(T0, lease(1, 1)))[0];
    pool.step(T0, Event::Launched { slot });
    pool.step(T0, Event::Released { slot });
    let later = Duration::from_secs(61);
    pool.step(later, Event::Tick);
    assert_eq!(pool.count(&1, Phase::Warm), 0);
}

#[test]
fn a_wider_class_is_lent_and_who_comes_again_gets_a_class_of_its_own() {
    let mut pool = pool();
    warm(&mut pool, 5, 1);
    warm(&mut pool, 9, 1);
    let spare = |wanted: u8| move |other: &u8| other.checked_sub(wanted);
    assert_eq!(pool.nearest(T0, &3, spare(3)), Some(5), "the nearest one");
    assert_eq!(pool.nearest(T0, &5, spare(5)), None, "its own is warm");
    assert_eq!(
        pool.nearest(T0, &10, spare(10)),
        None,
        "none is wide enough"
    );
    let actions = pool.step(T0, lease(1, 5));
    assert!(matches!(actions[0], Action::Grant { .. }));
    assert_eq!(
        pool.nearest(T0, &3, spare(3)),
        Some(9),
        "the lent one is away"
    );
    let started = launches(&pool.step(CALM, Event::Tick));
    assert!(
        started.iter().any(|slot| pool.slots[slot].key == 3),
        "asked for twice, it gets one of its own"
    );
}

#[test]
fn a_key_that_is_kept_no_longer_gives_its_containers_up_but_those_waited_for() {
    let mut pool = pool();
    let slots = warm(&mut pool, 1, 2);
    let actions = pool.step(T0, Event::Pin { key: 1, target: 0 });
    for slot in slots {
        assert!(actions.contains(&Action::Remove { slot }));
        pool.step(T0, Event::Removed { slot });
    }
    let slot = launches(&pool.step(T0, lease(1, 2)))[0];
    pool.step(T0, Event::Pin { key: 2, target: 0 });
    let actions = pool.step(T0, Event::Launched { slot });
    let grant = Action::Grant {
        ticket: Ticket(1),
        slot,
    };
    assert!(
        actions.contains(&grant),
        "whoever waits for it gets it: {actions:?}"
    );
}

#[test]
fn classes_that_nobody_asks_for_any_more_are_forgotten() {
    let mut pool = pool();
    warm(&mut pool, 200, 1);
    for key in 0..100 {
        pool.nearest(T0, &key, |other| other.checked_sub(key));
    }
    assert!(pool.keys().count() > 100);
    pool.step(Duration::from_secs(61), Event::Tick);
    let left: Vec<u8> = pool.keys().map(|(key, _)| *key).collect();
    assert_eq!(left, [200]);
}

#[test]
fn a_drained_pool_grants_nothing_and_ends_empty() {
    let mut pool = pool();
    let slots = warm(&mut pool, 1, 2);
    pool.step(T0, Event::Drain);
    let actions = pool.step(T0, lease(1, 1));
    assert_eq!(
        actions,
        [Action::Refuse {
            ticket: Ticket(1),
            refusal: Refusal::Draining
        }]
    );
    for slot in slots {
        pool.step(T0, Event::Removed { slot });
    }
    assert_eq!(pool.live(), 0);
}
