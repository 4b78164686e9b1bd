//! Places for runs at the same time, and the queue for them. A plain struct: no clock, no tokio.
//!
//! The limits are those of each run's own policy. Runs are counted by user; programs without a person leave the
//! share free that the policy keeps for people. Turns go round by source, so that nobody waits behind another's pile.

use std::collections::{BTreeMap, VecDeque};

/// One run that wants a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Ticket(u64);

/// What a run wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Want {
    /// Whose run it is.
    pub(crate) uid: u32,
    /// Whose turn it takes: the user with the kind of client.
    pub(crate) source: u64,
    /// Whether a person waits for it.
    pub(crate) person: bool,
    /// Runs at the same time, of all kinds of clients.
    pub(crate) concurrency: u32,
    /// Runs at the same time of clients without a person.
    pub(crate) shared: u32,
    /// Runs of this user that may wait.
    pub(crate) queue: u32,
}

/// The answer to a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// It may begin.
    Granted,
    /// It waits for its turn.
    Waits,
    /// So many wait already; it has no place in the queue.
    Full { waiting: usize },
}

/// All runs that have a place or wait for one.
#[derive(Debug, Default)]
pub(super) struct Places {
    running: BTreeMap<Ticket, Want>,
    waiting: VecDeque<(Ticket, Want)>,
    last_source: Option<u64>,
    next: u64,
}

impl Places {
    /// A run comes. Its ticket is of no use if the answer is `Full`.
    pub(super) fn ask(&mut self, want: Want) -> (Ticket, Answer) {
        let ticket = Ticket(self.next);
        self.next += 1;
        if self.fits(&want) {
            self.start(ticket, want);
            return (ticket, Answer::Granted);
        }
        let waiting = self
            .waiting
            .iter()
            .filter(|(_, other)| other.uid == want.uid)
            .count();
        if waiting >= usize::try_from(want.queue).unwrap_or(usize::MAX) {
            return (ticket, Answer::Full { waiting });
        }
        self.waiting.push_back((ticket, want));
        (ticket, Answer::Waits)
    }

    /// A run ends or no longer wants its place; returns those that may begin now.
    pub(super) fn leave(&mut self, ticket: Ticket) -> Vec<Ticket> {
        if self.running.remove(&ticket).is_none() {
            self.waiting.retain(|(other, _)| *other != ticket);
            return Vec::new();
        }
        let mut granted = Vec::new();
        while let Some(index) = self.next_turn() {
            let Some((ticket, want)) = self.waiting.remove(index) else {
                break;
            };
            self.start(ticket, want);
            granted.push(ticket);
        }
        granted
    }

    fn start(&mut self, ticket: Ticket, want: Want) {
        self.last_source = Some(want.source);
        self.running.insert(ticket, want);
    }

    fn fits(&self, want: &Want) -> bool {
        let own = || self.running.values().filter(|other| other.uid == want.uid);
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        count(own().count()) < want.concurrency
            && (want.person || count(own().filter(|other| !other.person).count()) < want.shared)
    }

    /// The first that fits, in the order of turns: sources after the one served last come first.
    fn next_turn(&self) -> Option<usize> {
        let turn = |source: u64| (self.last_source.is_some_and(|last| source <= last), source);
        self.waiting
            .iter()
            .enumerate()
            .filter(|(_, (_, want))| self.fits(want))
            .min_by_key(|(index, (_, want))| (turn(want.source), *index))
            .map(|(index, _)| index)
    }

    /// Runs that have a place.
    #[cfg(test)]
    fn running(&self) -> usize {
        self.running.len()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn want(uid: u32, person: bool, concurrency: u32, shared: u32, queue: u32) -> Want {
        let source = u64::from(uid) << 8 | u64::from(!person);
        Want {
            uid,
            source,
            person,
            concurrency,
            shared,
            queue,
        }
    }

    #[test]
    fn two_at_once_then_the_queue_then_no() {
        let mut places = Places::default();
        let run = want(1, true, 2, 2, 1);
        let (first, answer) = places.ask(run);
        assert_eq!(answer, Answer::Granted);
        assert_eq!(places.ask(run).1, Answer::Granted);
        let (third, answer) = places.ask(run);
        assert_eq!(answer, Answer::Waits);
        assert_eq!(places.ask(run).1, Answer::Full { waiting: 1 });
        assert_eq!(
            places.ask(want(2, true, 2, 2, 0)).1,
            Answer::Granted,
            "another user"
        );
        assert_eq!(places.leave(first), [third]);
        assert_eq!(places.leave(first), [], "twice is once");
    }

    #[test]
    fn with_no_queue_nobody_waits() {
        let mut places = Places::default();
        let run = want(1, true, 1, 1, 0);
        let (first, _) = places.ask(run);
        assert_eq!(places.ask(run).1, Answer::Full { waiting: 0 });
        places.leave(first);
        assert_eq!(places.ask(run).1, Answer::Granted);
    }

    #[test]
    fn programs_leave_the_share_of_people_free() {
        let mut places = Places::default();
        let (agent, person) = (want(1, false, 4, 3, 9), want(1, true, 4, 3, 9));
        let agents: Vec<_> = (0..4).map(|_| places.ask(agent)).collect();
        assert_eq!(agents[2].1, Answer::Granted);
        assert_eq!(agents[3].1, Answer::Waits);
        let (mine, answer) = places.ask(person);
        assert_eq!(answer, Answer::Granted);
        assert_eq!(
            places.leave(mine),
            [],
            "the share stays free for the next person"
        );
        assert_eq!(places.leave(agents[0].0), [agents[3].0]);
    }

    #[test]
    fn turns_go_round_by_source() {
        let mut places = Places::default();
        let of = |source: u64| Want {
            source,
            ..want(1, true, 1, 1, 9)
        };
        let (first, _) = places.ask(of(1));
        let pile: Vec<Ticket> = (0..3).map(|_| places.ask(of(1)).0).collect();
        let (other, _) = places.ask(of(2));
        assert_eq!(places.leave(first), [other]);
        assert_eq!(places.leave(other), [pile[0]]);
        assert_eq!(
            places.leave(pile[2]),
            [],
            "one that waited goes without a trace"
        );
        assert_eq!(places.leave(pile[0]), [pile[1]]);
        assert_eq!(places.leave(pile[1]), []);
        assert_eq!(places.running(), 0);
    }

    proptest! {
        /// Whatever comes: no user has more runs than any of its running policies allowed at their start, nobody
        /// waits who fits, and every ticket ends.
        #[test]
        fn the_laws_hold(steps in proptest::collection::vec((0_u32..3, any::<bool>(), 1_u32..4, 0_u32..4, any::<bool>()), 1..120)) {
            let mut places = Places::default();
            let mut live: Vec<Ticket> = Vec::new();
            for (uid, person, concurrency, queue, leave) in steps {
                if leave && !live.is_empty() {
                    let ticket = live.remove(0);
                    places.leave(ticket);
                } else {
                    let (ticket, answer) = places.ask(want(uid, person, concurrency, concurrency.min(2), queue));
                    if !matches!(answer, Answer::Full { .. }) {
                        live.push(ticket);
                    }
                }
                for (_, waiting) in &places.waiting {
                    prop_assert!(!places.fits(waiting));
                }
                for uid in 0..3 {
                    let own: Vec<&Want> = places.running.values().filter(|run| run.uid == uid).collect();
                    let most = own.iter().map(|run| run.concurrency).max().unwrap_or(0);
                    prop_assert!(own.len() <= most as usize);
                }
            }
            for ticket in live {
                places.leave(ticket);
            }
            prop_assert!(places.running.is_empty() && places.waiting.is_empty());
        }
    }
}
