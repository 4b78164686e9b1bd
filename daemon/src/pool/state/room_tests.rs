//! Which class keeps its place when more classes are asked for than containers may live.

use super::*;

const MAX_LIVE: usize = 4;

fn pool() -> Pool<u8> {
    let bounds = Bounds {
        max_live: MAX_LIVE,
        max_starting: 2,
        max_leased: 2,
        max_waiting: 8,
        idle_after: Duration::from_hours(1),
    };
    Pool::new(bounds, 16)
}

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// Does what the pool asks for until it asks for nothing more; runs end as soon as they have begun.
fn settle(pool: &mut Pool<u8>, now: Duration, event: Event<u8>) {
    let mut events = vec![event, Event::Tick];
    let mut steps = 0;
    while let Some(event) = events.pop() {
        steps += 1;
        assert!(steps < 200, "two classes chase each other out of the pool");
        for action in pool.step(now, event) {
            match action {
                Action::Launch { slot, .. } => events.push(Event::Launched { slot }),
                Action::Grant { slot, .. } => events.push(Event::Released { slot }),
                Action::Remove { slot } => events.push(Event::Removed { slot }),
                Action::Refuse { refusal, .. } => panic!("{refusal:?}"),
                Action::WakeAt(_) => {}
            }
        }
    }
}

fn lease(ticket: u64, key: u8, source: Source) -> Event<u8> {
    Event::Lease {
        ticket: Ticket(ticket),
        key,
        source,
    }
}

fn launched(actions: &[Action<u8>]) -> Option<(SlotId, u8)> {
    actions.iter().find_map(|action| match action {
        Action::Launch { slot, key, .. } => Some((*slot, *key)),
        _ => None,
    })
}

fn gives_way(actions: &[Action<u8>]) -> bool {
    let removes = |action: &Action<u8>| matches!(action, Action::Remove { .. });
    actions.iter().any(removes)
}

fn run(pool: &mut Pool<u8>, at: u64, key: u8) {
    settle(pool, seconds(at), lease(at, key, 0));
    // The calm after a run is over.
    settle(pool, seconds(at) + CALM, Event::Tick);
}

fn warm(pool: &Pool<u8>) -> Vec<u8> {
    let keys = pool.keys().map(|(key, _)| *key);
    keys.filter(|key| pool.count(key, Phase::Warm) > 0)
        .collect()
}

#[test]
fn classes_asked_for_once_do_not_push_out_what_is_pinned() {
    let mut pool = pool();
    settle(&mut pool, seconds(0), Event::Pin { key: 9, target: 1 });
    for key in 1..=6 {
        run(&mut pool, u64::from(key), key);
    }
    assert_eq!(warm(&pool), [4, 5, 6, 9]);
}

#[test]
fn the_class_used_last_comes_back_and_the_one_used_first_gives_way() {
    let mut pool = pool();
    for key in 1..=4 {
        run(&mut pool, u64::from(key), key);
    }
    run(&mut pool, 10, 8);
    assert_eq!(warm(&pool), [2, 3, 4, 8]);
    run(&mut pool, 11, 2);
    run(&mut pool, 12, 1);
    assert_eq!(warm(&pool), [1, 2, 4, 8]);
}

#[test]
fn a_pin_that_comes_late_takes_the_places_of_classes_that_nobody_pinned() {
    let mut pool = pool();
    for key in 1..=4 {
        run(&mut pool, u64::from(key), key);
    }
    settle(&mut pool, seconds(20), Event::Pin { key: 9, target: 3 });
    assert_eq!(pool.count(&9, Phase::Warm), 3);
    assert_eq!(warm(&pool), [4, 9]);
}

#[test]
fn two_pins_that_do_not_fit_together_do_not_chase_each_other() {
    let mut pool = pool();
    settle(&mut pool, seconds(0), Event::Pin { key: 1, target: 3 });
    settle(&mut pool, seconds(1), Event::Pin { key: 2, target: 3 });
    assert_eq!(pool.count(&1, Phase::Warm), 3);
    assert_eq!(pool.count(&2, Phase::Warm), 1);
    run(&mut pool, 5, 2);
    assert_eq!(pool.count(&1, Phase::Warm), 3);
    assert_eq!(pool.count(&2, Phase::Warm), 1);
}

#[test]
fn a_request_gets_a_place_even_where_all_is_pinned() {
    let mut pool = pool();
    settle(
        &mut pool,
        seconds(0),
        Event::Pin {
            key: 1,
            target: MAX_LIVE,
        },
    );
    run(&mut pool, 5, 2);
    assert_eq!(pool.count(&1, Phase::Warm), MAX_LIVE);
    assert_eq!(pool.keys().find(|(key, _)| **key == 2).unwrap().1.misses, 1);
}

#[test]
fn d3_a_removal_that_hangs_keeps_nobody_from_the_room_that_others_could_make() {
    let mut pool = pool();
    settle(&mut pool, seconds(0), Event::Pin { key: 1, target: 4 });
    let dead = *pool.slots.keys().next().expect("one that is warm");
    // It dies and will not go.
    pool.step(seconds(1), Event::DiedIdle { slot: dead });
    let actions = pool.step(seconds(1), lease(7, 2, 0));
    assert!(!gives_way(&actions), "its place may be free in a moment");
    let woken = actions.iter().find_map(|action| match action {
        Action::WakeAt(at) => Some(*at),
        _ => None,
    });
    assert!(woken.is_some_and(|at| at <= seconds(1) + STUCK));
    let actions = pool.step(seconds(1) + STUCK, Event::Tick);
    assert!(gives_way(&actions), "it waits for one that hangs");
}

#[test]
fn a_place_that_was_cleared_for_one_goes_to_nobody_who_came_later() {
    let mut pool = pool();
    settle(&mut pool, seconds(0), Event::Pin { key: 1, target: 4 });
    // Two places, both taken; the others wait.
    for ticket in 0..2 {
        pool.step(seconds(1), lease(ticket, 1, 0));
    }
    let actions = pool.step(seconds(1), lease(2, 2, 1));
    let Some(Action::Remove { slot }) = actions.first() else {
        panic!("nothing gives way: {actions:?}")
    };
    for ticket in 3..7 {
        pool.step(seconds(1), lease(ticket, 1, 0));
    }
    let actions = pool.step(seconds(1), Event::Removed { slot: *slot });
    let started = launched(&actions).map(|(_, key)| key);
    assert_eq!(started, Some(2), "{actions:?}");
}

#[test]
fn starts_are_made_in_the_order_of_turns_and_not_of_the_queue() {
    let bounds = Bounds {
        max_live: 8,
        max_starting: 1,
        max_leased: 1,
        max_waiting: 8,
        idle_after: Duration::from_hours(1),
    };
    let mut pool = Pool::new(bounds, 16);
    // Source 1 was served last, and while its run lasts nobody else is served.
    let (slot, _) = launched(&pool.step(seconds(0), lease(0, 9, 1))).expect("a start");
    let actions = pool.step(seconds(0), Event::Launched { slot });
    let (mut starting, _) = launched(&actions).expect("one in its place");
    let asked = [(1, 0), (2, 0), (3, 0), (4, 1), (5, 1), (6, 2)];
    for (ticket, (key, source)) in (1..).zip(asked) {
        let actions = pool.step(seconds(0), lease(ticket, key, source));
        assert_eq!(launched(&actions), None, "more than one start at once");
    }
    let mut order = Vec::new();
    for _ in asked {
        let actions = pool.step(seconds(0), Event::Launched { slot: starting });
        let (slot, key) = launched(&actions).expect("a start for each who waits");
        order.push(key);
        starting = slot;
    }
    assert_eq!(order, [6, 1, 4, 2, 5, 3]);
}

#[test]
fn no_room_is_made_by_what_is_due_to_one_whose_turn_is_before() {
    // Who wait for the two that are warm, who waits for a place, and whether one of the two makes room.
    let cases: [(&[Source], Source, bool); 4] = [
        (&[1, 2], 3, false),
        (&[2, 3], 1, true),
        (&[1, 3], 2, true),
        (&[1], 3, true),
    ];
    for (beside, source, makes_room) in cases {
        let mut pool = pool();
        settle(&mut pool, seconds(0), Event::Pin { key: 1, target: 2 });
        settle(&mut pool, seconds(0), Event::Pin { key: 2, target: 2 });
        // As many runs as there may be, of a source whose turn comes after all others.
        for ticket in 0..2 {
            pool.step(seconds(1), lease(ticket, 1, 0));
        }
        for (ticket, other) in (2..).zip(beside) {
            let actions = pool.step(seconds(1), lease(ticket, 2, *other));
            assert!(!gives_way(&actions), "it has what it waits for");
        }
        let actions = pool.step(seconds(1), lease(7, 3, source));
        let what = format!("{source} beside {beside:?}: {actions:?}");
        assert_eq!(gives_way(&actions), makes_room, "{what}");
    }
}

#[test]
fn what_is_pinned_only_takes_nothing_from_those_who_wait() {
    let mut pool = pool();
    settle(&mut pool, seconds(0), Event::Pin { key: 1, target: 2 });
    settle(&mut pool, seconds(0), Event::Pin { key: 2, target: 2 });
    // As many runs as there may be, so that key 1 lacks what is pinned, and two wait for what is warm of key 2.
    for (ticket, key) in [(0, 1), (1, 1), (2, 2), (3, 2)] {
        pool.step(seconds(1), lease(ticket, key, 0));
    }
    let actions = pool.step(seconds(1), Event::Pin { key: 2, target: 0 });
    assert!(!gives_way(&actions), "{actions:?}");
    let ticket = Ticket(3);
    let actions = pool.step(seconds(1), Event::Cancel { ticket });
    assert!(gives_way(&actions), "nobody needs it: {actions:?}");
}
