//! Promise: each method is answered within the time that docs/rpc.md says, whatever the engine does.

use std::{fs, path::Path, time::Duration};

use jsonrpsee::core::client::Subscription;
use saferun_protocol::{ApiClient, Event, HistoryQuery, Integrity, Outcome, RunResult, connect};
use saferun_tests::{Fault, HeldRecord, StreamFault, attempt, over_a_faulty_engine, permissive};

/// The rows of docs/rpc.md that say within what time a method is answered.
fn bounds() -> Vec<(String, Duration)> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/rpc.md");
    let page = fs::read_to_string(page).expect("docs/rpc.md");
    let (_, table) = page
        .split_once("| method | answered within |")
        .expect("the table of bounds");
    let mut found = Vec::new();
    for row in table
        .lines()
        .skip(2)
        .take_while(|line| line.starts_with('|'))
    {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let Some((number, unit)) = cells[2].split_once(' ') else {
            assert_eq!(cells[2], "none", "{row}");
            continue;
        };
        let number = number.parse().expect("a number");
        let bound = match unit {
            "ms" => Duration::from_millis(number),
            "s" => Duration::from_secs(number),
            _ => panic!("no unit of time: {row}"),
        };
        let names = cells[1].split('`').skip(1).step_by(2);
        found.extend(names.map(|name| (name.replace("saferun.", ""), bound)));
    }
    found
}

#[test]
fn each_method_has_a_row_that_says_when_it_is_answered() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/rpc.md");
    let page = fs::read_to_string(page).expect("docs/rpc.md");
    let (methods, bounds) = page
        .split_once("| method | answered within |")
        .expect("the table of bounds");
    let mut methods: Vec<&str> = methods
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
        .collect();
    let rows = bounds
        .lines()
        .filter(|line| line.starts_with("| `saferun."));
    let mut bound: Vec<&str> = rows
        .flat_map(|row| row.split(" | ").next().unwrap_or_default().split('`'))
        .filter(|name| name.starts_with("saferun."))
        .collect();
    methods.sort_unstable();
    bound.sort_unstable();
    assert_eq!(methods, bound);
    let api = Path::new(env!("CARGO_MANIFEST_DIR")).join("../protocol/src/api.rs");
    let api = fs::read_to_string(api).expect("the methods");
    let named = api.split("(name = \"").skip(1);
    let mut named: Vec<String> = named
        .filter_map(|rest| Some(format!("saferun.{}", rest.split('"').next()?)))
        .collect();
    named.sort_unstable();
    assert_eq!(methods, named);
}

/// What a loaded machine may add to any answer, but at most twice the bound; the bound itself is the daemon's deadline.
const MARGIN: Duration = Duration::from_secs(10);

/// Waits for this as long as the method's row says. What it answers is looked at elsewhere.
async fn on_time<T>(method: &str, what: &str, more: Duration, asked: impl Future<Output = T>) -> T {
    let bounds = bounds();
    let found = bounds.iter().find(|(name, _)| name == method);
    let (_, bound) = found.unwrap_or_else(|| panic!("docs/rpc.md has no bound of {method}"));
    tokio::time::timeout(*bound + more + MARGIN.min(*bound * 2), asked)
        .await
        .unwrap_or_else(|_| panic!("{method}: no answer within {bound:?}, {what}"))
}

#[test]
fn d1_each_method_is_answered_within_its_own_bound_whatever_the_engine_does() {
    let Some((faulty, daemon)) = over_a_faulty_engine("1") else {
        return;
    };
    let ended = attempt(&daemon, "print('ended')").expect("a run").id;
    let mut tried = Fault::tried();
    if !tried.contains(&Fault::Hang) {
        tried.push(Fault::Hang);
    }
    for fault in tried {
        daemon.wait_for_warm(1);
        let what = format!("{fault:?}");
        daemon.block_on(async {
            let client = connect(&daemon.socket()).await.expect("a connection");
            let sleeps = permissive("import time\nprint('on', flush=True)\ntime.sleep(600)");
            let mut events = client.subscribe_run(sleeps).await.expect("a run");
            let mut id = None;
            loop {
                match events.next().await.expect("more events").expect("an event") {
                    Event::Accepted { id: its, .. } => id = Some(its),
                    Event::Output { .. } => break,
                    _ => {}
                }
            }
            let id = id.expect("its id");
            faulty.on(&["HTTP"], fault);
            let soon = Duration::ZERO;
            let runs = on_time("ps", &what, soon, client.ps())
                .await
                .expect("a list");
            assert!(runs.iter().any(|run| run.id == id), "{what}: {runs:?}");
            let listed = on_time("imageList", &what, soon, client.image_list()).await;
            listed.expect("a list");
            // Whether it can be said depends on the fault; that something is said does not.
            let _ = on_time("imagePrune", &what, soon, client.image_prune(true)).await;
            let page = on_time(
                "history",
                &what,
                soon,
                client.history(HistoryQuery::default()),
            )
            .await;
            assert!(!page.expect("a page").runs.is_empty());
            let record = on_time("record", &what, soon, client.record(ended.clone())).await;
            assert!(record.expect("a record").ended_ms.is_some());
            let report = client.verify_history(None, None);
            let report = on_time("verifyHistory", &what, soon, report).await;
            assert_eq!(report.expect("a report").verdict, Integrity::Consistent);
            let head = on_time("historyHead", &what, soon, client.history_head()).await;
            assert!(head.expect("a head").seq > 0);
            let logs = on_time("subscribeLogs", &what, soon, async {
                let mut logs = client.subscribe_logs(ended.clone(), 0, false).await?;
                Ok::<_, jsonrpsee::core::ClientError>(logs.next().await.is_some())
            });
            assert!(logs.await.expect("a log"), "{what}");
            on_time("kill", &what, soon, client.kill(id))
                .await
                .expect("killed");
            let last = on_time("subscribeRun", &what, soon, the_end(&mut events)).await;
            assert_eq!(last.status, Outcome::Cancelled, "{what}: {last:?}");
        });
        faulty.well();
        daemon.wait_until("the engine is well again", |daemon| daemon.status().ready);
    }
    faulty.on(&["HTTP"], Fault::Hang);
    let client = daemon.connect();
    let told = on_time("shutdown", "Hang", Duration::ZERO, client.shutdown());
    daemon.block_on(told).expect("told");
}

/// The last event of a run.
async fn the_end(events: &mut Subscription<Event>) -> Box<RunResult> {
    loop {
        let event = events.next().await.expect("an end");
        if let Event::Finished { result } = event.expect("an event") {
            return result;
        }
    }
}

/// A daemon's end is 20 s of draining, and what docs/rpc.md allows beyond it.
const ENDED: Duration = Duration::from_secs(25);

#[test]
fn d1_the_end_over_an_engine_and_a_record_that_hang_comes_in_time_and_the_next_daemon_clears_up() {
    let Some((faulty, mut daemon)) = over_a_faulty_engine("1") else {
        return;
    };
    daemon.wait_for_warm(1);
    let standing = daemon.containers();
    assert!(!standing.is_empty());
    faulty.on(&["HTTP"], Fault::Hang);
    let held = HeldRecord::at(&daemon.folder().join("state/audit.sqlite"));
    assert!(daemon.end_within(ENDED + MARGIN), "it did not end");
    held.let_go();
    faulty.well();
    daemon.restart();
    daemon.wait_until("what stood by is removed", |daemon| {
        let now = daemon.containers();
        standing.iter().all(|container| !now.contains(container))
    });
}

/// The attached stream goes wrong in mid-run, and the engine does not answer to the kill either.
#[test]
fn d1_a_stream_that_stalls_or_turns_to_noise_while_kills_hang_ends_its_run_in_time() {
    let Some((faulty, daemon)) = over_a_faulty_engine("1") else {
        return;
    };
    for fault in [StreamFault::Stall, StreamFault::Garbage] {
        daemon.wait_for_warm(1);
        let mut asked = permissive("import time\nprint('on', flush=True)\ntime.sleep(600)");
        asked.limits.time_ms = Some(3_000);
        let what = format!("{fault:?}");
        let result = daemon.block_on(async {
            let client = connect(&daemon.socket()).await.expect("a connection");
            let mut events = client.subscribe_run(asked).await.expect("a run");
            loop {
                let event = events.next().await.expect("more events");
                if let Event::Output { .. } = event.expect("an event") {
                    break;
                }
            }
            faulty.on(&["POST", "/kill"], Fault::Hang);
            faulty.on(&["DELETE", "/containers/"], Fault::Hang);
            faulty.on_streams(fault);
            let watcher = connect(&daemon.socket()).await.expect("a connection");
            watcher.status().await.expect("a status");
            let limit = Duration::from_secs(3);
            on_time("subscribeRun", &what, limit, the_end(&mut events)).await
        });
        // The daemon's own clock ends the one; the other is no account of anything.
        let ended = match fault {
            StreamFault::Stall => Outcome::Timeout,
            StreamFault::Garbage => Outcome::EngineError,
        };
        assert_eq!(result.status, ended, "{fault:?}: {result:?}");
        assert_eq!(result.exit_code, None, "{fault:?}: {result:?}");
        faulty.well();
        let container = result.sandbox.container;
        daemon.wait_until("its container is removed after all", |daemon| {
            !daemon.containers().contains(&container)
        });
        assert_eq!(attempt(&daemon, "print(2)").expect("a run").stdout, "2\n");
    }
}
