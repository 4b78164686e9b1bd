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

fn run(pool: &mut Pool<u8>, at: u64, key: u8) {
    let lease = Event::Lease {
        ticket: Ticket(at),
        key,
        source: 0,
    };
    settle(pool, seconds(at), lease);
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
    let lease = Event::Lease {
        ticket: Ticket(7),
        key: 2,
        source: 0,
    };
    let actions = pool.step(seconds(1), lease);
    let gives_way =
        |actions: &[Action<u8>]| actions.iter().any(|a| matches!(a, Action::Remove { .. }));
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
    let lease = |ticket, key, source| Event::Lease {
        ticket: Ticket(ticket),
        key,
        source,
    };
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
    let started = actions.iter().find_map(|action| match action {
        Action::Launch { key, .. } => Some(*key),
        _ => None,
    });
    assert_eq!(started, Some(2), "{actions:?}");
}
