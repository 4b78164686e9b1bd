//! How many runs come in a while: so many are admitted and the next is refused, until the window has passed.

use std::{collections::HashSet, time::Duration};

use saferun_policy::Rate;
use saferun_protocol::{ApiClient, ClientKind, Code};
use saferun_tests::{Clock, Daemon, Hands};

use super::{request, table::Cell};

/// Number of the error for too many subscriptions on one connection.
const SUBSCRIPTIONS: i32 = -32006;
/// More than any preset's rate: so many are let in where there is none.
const MANY: u32 = 130;

/// A daemon for one rate alone, under its preset: what ran under another would count, and a preset that an agent names
/// itself could not widen the share of agents. Without moved clocks the window's end is not seen.
fn daemon(preset: &str) -> Option<(Daemon, Option<Clock>)> {
    let clock = Clock::new(Hands::All);
    let mut settings = clock.as_ref().map(Clock::environment).unwrap_or_default();
    settings.push(("SAFERUN_POLICY", preset));
    let daemon = Daemon::start_with(&settings)?;
    drop(settings);
    let _ = daemon.image();
    Some((daemon, clock))
}

pub(crate) fn per_client(cell: &Cell) {
    // Each run is of other code, so that only this rate counts.
    holds(cell, &cell.limits().rate.per_client, |number| number);
}

pub(crate) fn per_code(cell: &Cell) {
    holds(cell, &cell.limits().rate.per_code, |_| 0);
}

fn holds(cell: &Cell, rates: &[Rate], code: fn(u32) -> u32) {
    let Some((daemon, clock)) = daemon(cell.preset()) else {
        return;
    };
    let admitted = || admitted(&daemon, cell.preset(), ClientKind::Terminal, code, MANY);
    let [rate] = rates else {
        assert!(
            rates.is_empty(),
            "{cell}: several rates need a case of their own"
        );
        let other = cell.limits().rate;
        let most = [other.per_client, other.per_code].concat();
        assert!(
            most.is_empty(),
            "{cell}: another rate of the preset counts too"
        );
        assert_eq!(admitted(), MANY, "{cell}");
        return;
    };
    assert_eq!(admitted(), rate.count, "{cell}");
    // A refused run is not counted, and the counters are those of the window.
    assert_eq!(admitted(), 0, "{cell}");
    let Some(mut clock) = clock else {
        return;
    };
    clock.forward(rate.window.saturating_sub(Duration::from_secs(1)) / 2);
    assert_eq!(admitted(), 0, "{cell}: half of the window");
    clock.forward(rate.window);
    assert_eq!(admitted(), rate.count, "{cell}: the window has passed");
}

/// Of each rate people have a share to themselves.
#[test]
fn agents_leave_the_share_of_people() {
    let mut tried = HashSet::new();
    for (preset, agents) in [("strict", 45), ("agent", 60), ("secure-sandbox", 10)] {
        let Some((daemon, _clock)) = daemon(preset) else {
            return;
        };
        let limits = saferun_policy::preset(preset).expect("a preset").limits;
        let all = limits.rate.per_client[0].count;
        let seen = admitted(&daemon, preset, ClientKind::Agent, |number| number, MANY);
        assert_eq!(seen, agents, "{preset}");
        let rest = admitted(
            &daemon,
            preset,
            ClientKind::Editor,
            |number| number + 1000,
            MANY,
        );
        assert_eq!(seen + rest, all, "{preset}");
        tried.insert(limits.rate.reserved_for_people);
    }
    assert_eq!(tried, HashSet::from([0, 25, 50]));
}

/// How many runs of programs with these numbers are admitted, of so many, before a rate refuses one. Runs are counted
/// as they are admitted, so these are ended at once, and a minute is long enough for all of them.
fn admitted(
    daemon: &Daemon,
    policy: &str,
    client: ClientKind,
    number: impl Fn(u32) -> u32,
    most: u32,
) -> u32 {
    let connection = daemon.connect();
    daemon.block_on(async {
        let mut count = 0;
        while count < most {
            let mut asked = request(policy, format!("# {}", number(count)));
            asked.client = client;
            match connection.subscribe_run(asked).await {
                // Whoever goes away ends the run.
                Ok(events) => drop(events),
                Err(jsonrpsee::core::ClientError::Call(refused)) => {
                    match Code::from_number(refused.code()) {
                        Some(Code::RateLimited) => return count,
                        // Those before are not gone yet: the queue is full, or the connection's subscriptions.
                        code if code == Some(Code::Busy) || refused.code() == SUBSCRIPTIONS => {
                            tokio::time::sleep(Duration::from_millis(10)).await;
                            continue;
                        }
                        code => panic!("{code:?}: {refused:?}"),
                    }
                }
                Err(other) => panic!("{other}"),
            }
            count += 1;
        }
        count
    })
}
