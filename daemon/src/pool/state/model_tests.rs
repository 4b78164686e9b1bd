//! Throws any order of events at the pool's state machine, in a model of the world outside that checks the invariants
//! after each step; then lets that world go on, well or broken, and looks whether all who wait get their answer.

mod world;

use proptest::prelude::*;

use super::{tests::bounds, *};
use world::{KEYS, PATIENCE, World};

/// Whatever happened before: how the world goes on.
#[derive(Debug, Clone, Copy)]
enum End {
    /// Every start succeeds.
    Well,
    /// So it does, but some removals hang for ever.
    Hanging,
    /// No start succeeds.
    Gone,
    /// The daemon stops.
    Drained,
}

fn ends() -> impl Strategy<Value = End> {
    prop::sample::select(vec![End::Well, End::Hanging, End::Gone, End::Drained])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2048))]

    #[test]
    fn p1_p2_p4_the_invariants_hold_in_any_order_of_events_and_all_are_answered(
        steps in prop::collection::vec((0_u8..18, any::<u8>(), 0_u64..2_000), 1..120),
        end in ends(),
        from in 0_usize..8,
    ) {
        let mut world = World::new();
        for (kind, number, pause) in steps {
            world.now += Duration::from_millis(pause);
            world.throw(kind, number);
        }
        match end {
            End::Well => {
                world.settle(from, true);
                world.stands_by();
            }
            End::Hanging => {
                world.hang(from);
                world.hang(from + 1);
                world.settle(from, true);
                world.stands_by();
            }
            End::Gone => world.settle(from, false),
            End::Drained => {
                world.step(Event::Drain);
                world.settle(from, true);
                prop_assert_eq!(world.pool.live(), 0);
            }
        }
        prop_assert!(world.askers.is_empty(), "{:?}", world.askers);
    }

    /// One source asks for one class as fast as it can, so that more wait for it than there are places at all times.
    #[test]
    fn whoever_asks_for_another_class_than_the_crowd_does_not_wait_for_it(
        before in 0_usize..24,
        hangs in any::<bool>(),
        (other, from) in (1_u8..KEYS, 0_usize..8),
    ) {
        let mut world = World::new();
        world.step(Event::Pin { key: 0, target: 2 });
        let crowd = |world: &mut World| {
            while world.waiting().count() < bounds().max_waiting - 1 {
                world.ask(0, 0);
            }
        };
        for round in 0..before {
            crowd(&mut world);
            world.go_on(from + round, true);
        }
        crowd(&mut world);
        if hangs {
            world.hang(from);
        }
        let alone = world.ask(other, 1);
        let before = world.grants;
        let served = |world: &World| world.askers.get(&alone).is_none_or(|asker| asker.slot.is_some());
        for round in 0..PATIENCE {
            if served(&world) {
                break;
            }
            world.now += STUCK / 4;
            world.go_on(from + round, true);
            crowd(&mut world);
        }
        prop_assert!(served(&world), "it waits for ever");
        let meanwhile = world.grants - before;
        prop_assert!(meanwhile <= 10 * bounds().max_live, "{meanwhile} others came first");
    }
}
