//! How many run, wait, and come in a while.

use std::{sync::Mutex, time::Duration};

use saferun_policy::preset;
use saferun_protocol::{ApiClient, Code, Outcome};
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
