//! Promise: the time limit is the run's own, one end is told, and who goes away takes the run along unless
//! it said not to; where the time went is told whole.

use std::time::Duration;

use jsonrpsee::core::ClientError;
use saferun_protocol::{ApiClient, Code, Event, Outcome, RunRequest};
use saferun_tests::{Daemon, Moments, text};
use serde_json::Value;

fn limited(source: &str, time_ms: u64) -> RunRequest {
    let mut request = RunRequest::new(source);
    request.limits.time_ms = Some(time_ms);
    request
}

#[test]
fn t4_waiting_for_a_container_is_not_charged_to_the_run() {
    // One container at a time, and none is kept: the second run waits for the end of the first, and for a cold start.
    let Some(daemon) =
        Daemon::start_with(&[("SAFERUN_MAX_CONTAINERS", "1"), ("SAFERUN_POOL_SIZE", "0")])
    else {
        return;
    };
    let (first, second) = (daemon.connect(), daemon.connect());
    let (first, second) = daemon.block_on(async {
        let long = tokio::spawn(async move {
            first
                .run(limited("import time\ntime.sleep(4)", 60_000))
                .await
        });
        while second.status().await.expect("a status").running == 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let waited = second.run(limited("print('in time')", 2_000)).await;
        (
            long.await.expect("a task").expect("a run"),
            waited.expect("a run"),
        )
    });
    assert_eq!(first.status, Outcome::Completed, "{first:?}");
    assert_eq!(
        (second.status, second.stdout.as_str()),
        (Outcome::Completed, "in time\n"),
        "{second:?}"
    );
    // It waited longer than it was allowed to run, and the account says so apart.
    assert!(second.timing.queued_ms > 2_000.0, "{:?}", second.timing);
    assert!(second.usage.wall_ms < second.timing.queued_ms, "{second:?}");
}

#[test]
fn t5_a_dropped_subscription_ends_its_run_and_a_detached_one_goes_on() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let ended = |detach: bool| {
        let client = daemon.connect();
        let id = daemon.block_on(async {
            let mut request =
                RunRequest::new("import time\nprint('on', flush=True)\ntime.sleep(3)");
            request.detach = detach;
            let mut events = client.subscribe_run(request).await.expect("a run");
            let mut run = String::new();
            loop {
                match events.next().await.expect("an event").expect("an event") {
                    Event::Accepted { id, .. } => run = id,
                    Event::Output { .. } => break run,
                    _ => {}
                }
            }
        });
        drop(client);
        daemon.wait_until("the run is over", |daemon| {
            matches!(daemon.recorded().get(&id), Some(Some(_)))
        });
        daemon.recorded()[&id]
    };
    assert_eq!(ended(false), Some(Outcome::Cancelled));
    assert_eq!(ended(true), Some(Outcome::Completed));
    let left = daemon
        .cli(&["run", "--detach", "-c", "print('detached')"])
        .output()
        .expect("saferunctl");
    let id = text(&left.stdout).trim().to_owned();
    daemon.wait_until("the detached run is recorded", |daemon| {
        daemon.recorded().get(&id) == Some(&Some(Outcome::Completed))
    });
    let client = daemon.connect();
    let record = daemon.block_on(client.record(id)).expect("a record");
    assert_eq!(record.result.expect("its result").stdout, "detached\n");
}

/// Runs end by themselves and are cancelled by another client at about the same moment.
#[test]
fn t6_a_cancel_that_races_the_end_gives_one_end_and_the_record_has_the_same() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let mut moments = Moments::new();
    let (client, other) = (daemon.connect(), daemon.connect());
    let mut told = Vec::new();
    for _ in 0..16 {
        daemon.wait_for_warm(1);
        let pause = Duration::from_millis(moments.next(60));
        let end = daemon.block_on(async {
            let request = RunRequest::new("import time\ntime.sleep(0.03)");
            let mut events = client.subscribe_run(request).await.expect("a run");
            let mut kill = None;
            let end = loop {
                match events.next().await.expect("an event").expect("an event") {
                    Event::Accepted { id, .. } => kill = Some(id),
                    Event::Started => {
                        tokio::time::sleep(pause).await;
                        // Over already is as good an answer.
                        let _ = other.kill(kill.take().expect("an id")).await;
                    }
                    Event::Finished { result } => break (result.id, result.status),
                    _ => {}
                }
            };
            // What was sent before this answer has come: no second end among it.
            let list = client.ps().await.expect("a list");
            assert!(list.is_empty(), "{list:?}");
            let more = tokio::time::timeout(Duration::from_millis(5), events.next()).await;
            assert!(!matches!(more, Ok(Some(_))), "after the end: {more:?}");
            end
        });
        assert!(
            matches!(end.1, Outcome::Completed | Outcome::Cancelled),
            "{end:?}"
        );
        told.push(end);
    }
    let recorded = daemon.recorded();
    for (id, outcome) in told {
        assert_eq!(recorded.get(&id), Some(&Some(outcome)));
    }
}

#[test]
fn t7_no_limit_is_the_policys_and_0_and_huge_ones_are_refused_by_name() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let ask = |time_ms: Option<u64>| {
        let mut request = RunRequest::new("print(1)");
        request.limits.time_ms = time_ms;
        let client = daemon.connect();
        daemon.block_on(client.run(request))
    };
    let absent = ask(None).expect("a run");
    assert_eq!(absent.limits.time_ms, 30_000, "the default's");
    let most = ask(Some(600_000)).expect("the largest that the policy allows");
    assert_eq!(
        (most.status, most.limits.time_ms),
        (Outcome::Completed, 600_000)
    );
    for refused in [0, 600_001, u64::MAX] {
        let Err(ClientError::Call(error)) = ask(Some(refused)) else {
            panic!("{refused} ms were accepted");
        };
        let wanted = if refused == 0 {
            Code::InvalidRequest
        } else {
            Code::LimitAboveMaximum
        };
        assert_eq!(Code::from_number(error.code()), Some(wanted), "{error:?}");
        assert!(error.message().contains("time"), "{error:?}");
    }
    let short = daemon.run_request(limited("while True: pass", 50));
    assert_eq!(short.status, Outcome::Timeout, "{short:?}");
}

#[test]
fn timing_tells_every_stage_from_main_to_the_end_in_order_and_their_sum() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let mut timed = daemon.cli(&["run", "-q", "--timing", "-c", "print('hi')"]);
    let output = timed.output().expect("saferunctl runs");
    assert_eq!(text(&output.stdout), "hi\n");
    let table = text(&output.stderr);
    let rows: Vec<(f64, &str)> = table
        .lines()
        .filter_map(|line| {
            let (time, name) = line.trim_start().split_once("  ")?;
            Some((time.parse().ok()?, name))
        })
        .collect();
    let (all, stages) = rows.split_last().expect("a table");
    assert!(all.1.starts_with("all of it; "), "{table}");
    let names: Vec<&str> = stages.iter().map(|stage| stage.1).collect();
    let wanted = [
        "command line",
        "script and files",
        "policy and request",
        "connection",
        "request to the daemon",
        "scan and policy",
        "record of the start",
        "container",
        "hand-over",
        "program",
        "engine there and back, supervisor before it",
        "record of the end",
        "result back",
        "output",
    ];
    // Others may stand between them.
    let mut rest = names.iter();
    for name in wanted {
        assert!(
            rest.any(|stage| *stage == name),
            "{name} is not there, or too early: {table}"
        );
    }
    let sum: f64 = stages.iter().map(|stage| stage.0).sum();
    // Each row is rounded to a microsecond.
    assert!((sum - all.0).abs() < 0.02, "{table}");
    let mut plain = daemon.cli(&["run", "--json", "-c", "print('hi')"]);
    let plain = plain.output().expect("saferunctl runs");
    let plain: Value = serde_json::from_slice(&plain.stdout).expect("one object");
    assert!(
        plain["timing"].get("stages").is_none(),
        "nobody asked: {plain}"
    );
}
