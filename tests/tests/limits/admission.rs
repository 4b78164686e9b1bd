//! How many run, wait, and come in a while.

use std::{sync::Mutex, time::Duration};

use saferun_policy::preset;
use saferun_protocol::{ApiClient, ClientKind, Code, LimitHit, Outcome, PolicySetting};
use saferun_tests::Daemon;

use super::{Answer, ask, figures, passes, request};

#[test]
fn concurrency_and_queue() {
    for (name, (concurrency, queue)) in figures(|limits| (limits.concurrency, limits.queue)) {
        // A daemon of its own: what ran under another preset would count in the rate of this one.
        let Some(daemon) = Daemon::start() else {
            return;
        };
        let _ = daemon.image();
        // Where the rate lets fewer in than would fill the queue, only those come.
        let rates = preset(name).expect("a preset").limits.rate.per_client;
        let rate = rates
            .iter()
            .map(|rate| rate.count)
            .min()
            .unwrap_or(u32::MAX);
        let comes = (concurrency + queue).min(rate);
        let client = daemon.connect();
        daemon.block_on(async {
            let tasks = Mutex::new(tokio::task::JoinSet::new());
            let client = std::sync::Arc::new(client);
            for number in 0..comes {
                let (client, request) = (
                    std::sync::Arc::clone(&client),
                    request(name, format!("import time; time.sleep(8) # {number}")),
                );
                tasks
                    .lock()
                    .expect("a lock")
                    .spawn(async move { client.run(request).await });
            }
            let mut seen = client.status().await.expect("a status");
            for _ in 0..600 {
                if (seen.running, seen.queued) == (concurrency, comes - concurrency) {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
                seen = client.status().await.expect("a status");
            }
            assert_eq!(
                (seen.running, seen.queued),
                (concurrency, comes - concurrency),
                "{name}"
            );
            let refused = client.run(request(name, "print('one too many')")).await;
            let Err(jsonrpsee::core::ClientError::Call(object)) = refused else {
                panic!("{name}: {refused:?}")
            };
            assert_eq!(
                Code::from_number(object.code()),
                Some(if rate > comes {
                    Code::Busy
                } else {
                    Code::RateLimited
                }),
                "{name}: {object:?}"
            );
            for run in client.ps().await.expect("a list") {
                let _ = client.kill(run.id).await;
            }
            let mut tasks = tasks.into_inner().expect("a lock");
            while let Some(ended) = tasks.join_next().await {
                let result = ended.expect("a task").expect("a result");
                // A short time limit may have come before the cancellation.
                let ended = [Outcome::Cancelled, Outcome::Timeout].contains(&result.status);
                assert!(ended, "{name}: {result:#?}");
            }
        });
        daemon.wait_until("all ended", |daemon| {
            daemon.status().running + daemon.status().queued == 0
        });
    }
}

/// One that waits gets the place that comes free in time; one that has waited for as long as the policy says is refused.
#[test]
fn queue_wait() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let _ = daemon.image();
    let alone = |wait: &str, program: &str| {
        let mut asked = request("default", program);
        asked.policy_layers.settings = vec![
            PolicySetting::new("limits.concurrency", "1"),
            PolicySetting::new("limits.queue_wait", wait),
        ];
        asked
    };
    let client = daemon.connect();
    daemon.block_on(async {
        let client = std::sync::Arc::new(client);
        let other = std::sync::Arc::clone(&client);
        let long = alone("10m", "import time; time.sleep(25)");
        let holds = tokio::spawn(async move { other.run(long).await });
        while client.status().await.expect("a status").running == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let refused = client.run(alone("1s", "print('never')")).await;
        let refused = refused.expect("a result");
        assert_eq!(
            (refused.status, refused.limits_hit.as_slice()),
            (Outcome::Blocked, [LimitHit::Queue].as_slice()),
            "{refused:#?}"
        );
        assert_eq!(
            (refused.stdout.as_str(), refused.sandbox.container.as_str()),
            ("", "")
        );
        assert!(refused.timing.queued_ms >= 1000.0, "{refused:#?}");
        for says in ["waited 1s", "limits.queue_wait", "saferunctl ps"] {
            assert!(refused.message.contains(says), "{}", refused.message);
        }
        let seen = client.status().await.expect("a status");
        assert_eq!((seen.running, seen.queued), (1, 0), "it has left the queue");
        let other = std::sync::Arc::clone(&client);
        let waits = tokio::spawn(async move { other.run(alone("10m", "print('my turn')")).await });
        while client.status().await.expect("a status").queued == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let run = client.ps().await.expect("a list");
        let first = run
            .iter()
            .find(|run| run.state == "running")
            .expect("one runs");
        client.kill(first.id.clone()).await.expect("it is ended");
        let passed = waits.await.expect("a task").expect("a result");
        assert_eq!(passed.stdout, "my turn\n", "{passed:#?}");
        holds.await.expect("a task").expect("a result");
    });
}

#[test]
fn rates() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let _ = daemon.image();
    let refused = |answer: Answer| {
        let (code, message) = answer.expect_err("one too many");
        assert_eq!(code, Code::RateLimited, "{message}");
        message
    };
    // Ten in a minute, whatever they run.
    for number in 0..10 {
        let program = format!("print({number})");
        passes(
            &daemon,
            "secure-sandbox",
            request("secure-sandbox", program),
        );
    }
    let message = refused(ask(&daemon, request("secure-sandbox", "print('at once')")));
    assert!(message.contains("10 runs in 1m"), "{message}");
    // Ten of the same code in an hour; other code goes on.
    let same = || request("tutorial-hardened", "print('the same')");
    for _ in 0..10 {
        passes(&daemon, "tutorial-hardened", same());
    }
    let message = refused(ask(&daemon, same()));
    assert!(
        message.contains("the same code ran 10 times in 1h"),
        "{message}"
    );
    passes(
        &daemon,
        "tutorial-hardened",
        request("tutorial-hardened", "print('other')"),
    );
}

/// Runs are counted as they are admitted, so these end at once, and a minute is long enough on any machine.
#[test]
fn rates_of_strict_and_agent() {
    // What counts for a preset would count for the other as well: each has a daemon of its own.
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let strict = preset("strict").expect("a preset").limits;
    let share = strict.rate.per_client[0].count * 3 / 4;
    assert_eq!(
        admitted(&daemon, "strict", ClientKind::Agent, |number| number),
        share
    );
    let rest = admitted(&daemon, "strict", ClientKind::Terminal, |number| {
        number + 1000
    });
    assert_eq!(share + rest, 60, "a quarter is kept for people");

    let Some(daemon) = Daemon::start() else {
        return;
    };
    assert_eq!(
        admitted(&daemon, "agent", ClientKind::Terminal, |_| 0),
        20,
        "of the same code"
    );
    let others = admitted(&daemon, "agent", ClientKind::Agent, |number| number + 1);
    assert_eq!(others, 60, "half is kept for people");
    let people = admitted(&daemon, "agent", ClientKind::Editor, |number| number + 1000);
    assert_eq!(20 + others + people, 120);
}

/// Number of the error for too many subscriptions on one connection.
const SUBSCRIPTIONS: i32 = -32006;

/// How many runs of programs with these numbers are admitted before a rate refuses one.
fn admitted(daemon: &Daemon, policy: &str, client: ClientKind, number: impl Fn(u32) -> u32) -> u32 {
    let _ = daemon.image();
    let connection = daemon.connect();
    daemon.block_on(async {
        let mut count = 0;
        loop {
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
            assert!(count <= 1000, "no rate refuses");
        }
    })
}
