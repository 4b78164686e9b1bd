//! Promise: whatever the engine does, each call is answered within its deadline, `status` answers meanwhile,
//! and what was begun is cleaned up once the engine is well again.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use jsonrpsee::core::client::Subscription;
use saferun_protocol::{
    ApiClient, Code, Event, HistoryQuery, Integrity, Outcome, RunRequest, RunResult, connect,
};
use saferun_tests::{
    Daemon, Fault, FaultyEngine, HeldRecord, PrivateEngine, StreamFault, docker, engine, long,
    skipped, text,
};
use tokio::task::JoinHandle;

/// No call may take longer, whatever the engine does. The daemon's own deadlines are far below.
const ANSWERED: Duration = Duration::from_secs(150);

/// A daemon whose engine can be told to fail, and that keeps `warm` containers.
fn daemon(warm: &str) -> Option<(FaultyEngine, Daemon)> {
    let faulty = FaultyEngine::before(&engine()?);
    faulty.up();
    let address = faulty.address();
    let daemon = Daemon::start_with(&[
        ("SAFERUN_ENGINE", address.as_str()),
        ("SAFERUN_POOL_SIZE", warm),
    ])?;
    daemon.wait_until("the engine is seen", |daemon| {
        daemon.status().engine.reachable
    });
    Some((faulty, daemon))
}

fn request(source: &str) -> RunRequest {
    let mut request = RunRequest::new(source);
    request.policy = Some("permissive".to_owned());
    request
}

/// A run that must come to an end, good or bad.
fn attempt(daemon: &Daemon, source: &str) -> Result<RunResult, String> {
    ask(daemon, request(source))
}

fn ask(daemon: &Daemon, request: RunRequest) -> Result<RunResult, String> {
    let client = daemon.connect();
    let answer =
        daemon.block_on(async { tokio::time::timeout(ANSWERED, client.run(request)).await });
    answer
        .expect("the run is answered within its deadlines")
        .map_err(|error| error.to_string())
}

/// What a `status` took at most, on a connection of its own, in the build that is shipped (docs/rpc.md).
const AT_ONCE: Duration = Duration::from_millis(100);
/// Between two questions.
const OFTEN: Duration = Duration::from_millis(20);

/// Asks `status` again and again while something else goes on.
struct StatusAsked {
    enough: Arc<AtomicBool>,
    task: JoinHandle<Answers>,
}

/// How `status` was answered.
#[derive(Debug, Default)]
struct Answers {
    all: usize,
    /// From the question to the answer one and the same call to the engine hung.
    while_held: usize,
    slowest: Duration,
    /// The most by which the machine was late to go on with a pause of this test's own: others had the processors.
    machine_late: Duration,
}

impl StatusAsked {
    fn of(daemon: &Daemon, faulty: &FaultyEngine) -> Self {
        let enough = Arc::new(AtomicBool::new(false));
        let (told, held, socket) = (Arc::clone(&enough), faulty.holding(), daemon.socket());
        let task = daemon.spawn(async move {
            let client = connect(&socket).await.expect("a connection");
            let mut answers = Answers::default();
            while !told.load(Ordering::SeqCst) {
                let (before, asked) = (held(), Instant::now());
                client.status().await.expect("a status");
                answers.slowest = answers.slowest.max(asked.elapsed());
                answers.while_held += usize::from(before.is_some() && held() == before);
                answers.all += 1;
                let rests = Instant::now();
                tokio::time::sleep(OFTEN).await;
                let late = rests.elapsed().saturating_sub(OFTEN);
                answers.machine_late = answers.machine_late.max(late);
            }
            answers
        });
        Self { enough, task }
    }

    /// Looks at what came of it. A fault that lasts must have held a call while `status` was answered.
    fn check(self, daemon: &Daemon, fault: Fault, what: &str) {
        self.enough.store(true, Ordering::SeqCst);
        let answers = daemon.block_on(self.task).expect("status is answered");
        let figures = format!("status, {what}, {fault:?}: {answers:?}");
        let _ = writeln!(std::io::stderr(), "{figures}");
        assert!(answers.all > 0, "{what} {fault:?}");
        assert!(
            answers.while_held > 0 || !fault.lasts(),
            "{what} {fault:?}: no status was answered while the call hung: {answers:?}"
        );
        // The long tests are made with the build that is shipped; else nothing is timed.
        assert!(
            answers.slowest <= AT_ONCE + answers.machine_late || !long(),
            "{what} {fault:?}: {answers:?}"
        );
    }
}

fn did_not_run(answer: &Result<RunResult, String>) -> bool {
    match answer {
        Ok(result) => {
            matches!(
                result.status,
                Outcome::SetupFailed | Outcome::EngineError | Outcome::Cancelled
            ) && result.exit_code.is_none()
        }
        Err(_) => true,
    }
}

/// Descriptors that the daemon has open.
fn descriptors(daemon: &Daemon) -> usize {
    fs::read_dir(format!("/proc/{}/fd", daemon.pid()))
        .expect("its descriptors")
        .count()
}

/// The engine's own word: what there is of this daemon stands by, and nothing else is left.
fn nothing_forgotten(daemon: &Daemon, what: &str) {
    daemon.wait_until(what, |daemon| {
        let pools = daemon.status().pools;
        let known: u32 = pools.iter().map(|pool| pool.warm).sum();
        let busy: u32 = pools
            .iter()
            .map(|pool| pool.starting + pool.leased + pool.removing)
            .sum();
        busy == 0 && daemon.containers().len() == known as usize
    });
}

#[test]
fn d1_d4_each_fault_is_answered_in_time_and_status_answers_meanwhile() {
    let Some((faulty, daemon)) = daemon("0") else {
        return;
    };
    assert_eq!(attempt(&daemon, "print(1)").expect("a run").stdout, "1\n");
    nothing_forgotten(&daemon, "the first run's container is removed");
    let before = descriptors(&daemon);
    for fault in Fault::ALL {
        // All calls: questions, and what a run needs.
        faulty.on(&["HTTP"], fault);
        let statuses = StatusAsked::of(&daemon, &faulty);
        let client = daemon.connect();
        let asked = async { tokio::time::timeout(ANSWERED, client.image_list()).await };
        daemon
            .block_on(asked)
            .unwrap_or_else(|_| panic!("{fault:?}: no answer to image_list"))
            .unwrap_or_else(|error| panic!("{fault:?}: {error}"));
        if fault == Fault::Slow {
            // Late is not broken.
            let result = attempt(&daemon, "print('late')").expect("a run");
            assert_eq!(result.stdout, "late\n", "{result:?}");
        } else {
            let status = daemon.status();
            assert!(!status.ready, "{fault:?}: {status:?}");
            let said = status.engine.problem.unwrap_or_default();
            assert!(
                !said.is_empty() && !said.chars().any(char::is_control),
                "{fault:?}: {said:?}"
            );
            let answer = attempt(&daemon, "print('must not run')");
            assert!(did_not_run(&answer), "{fault:?}: {answer:?}");
        }
        statuses.check(&daemon, fault, "every call");
        faulty.well();
        daemon.wait_until("nothing hangs any more", |_| faulty.held() == 0);
        let result = attempt(&daemon, "print('well')").expect("a run");
        assert_eq!(result.stdout, "well\n", "{fault:?}: {result:?}");
    }
    nothing_forgotten(&daemon, "nothing is left of all that");
    daemon.wait_until("descriptors are given back", |daemon| {
        descriptors(daemon) <= before + 4
    });
}

#[test]
fn d5_a_start_that_fails_after_create_leaves_nothing() {
    let Some((faulty, daemon)) = daemon("0") else {
        return;
    };
    for (memory, (words, fault)) in (257_u64..).zip([
        (["POST", "/start"], Fault::Status(500)),
        (["POST", "/start"], Fault::Reset),
        (["POST", "/attach"], Fault::Garbage),
        (["GET", "/json"], Fault::WrongShape),
    ]) {
        faulty.on(&words, fault);
        let met = faulty.met();
        // More than any container that stands by has.
        let mut asked = request("print('must not run')");
        asked.limits.memory_bytes = Some(memory << 22);
        let answer = ask(&daemon, asked);
        assert!(did_not_run(&answer), "{words:?} {fault:?}: {answer:?}");
        assert!(faulty.met() > met, "{words:?} was never asked");
        faulty.well();
        nothing_forgotten(
            &daemon,
            "the container that could not be started is removed",
        );
    }
    assert_eq!(attempt(&daemon, "print(2)").expect("a run").stdout, "2\n");
}

/// Every call that the daemon makes of the engine for a run, by words of its first line.
const CALLS: [&[&str]; 8] = [
    &["GET", "/version"],
    &["GET", "/images/json"],
    &["POST", "/containers/create"],
    &["POST", "/attach"],
    &["POST", "/start"],
    &["GET", "/json?"],
    &["POST", "/kill"],
    &["DELETE", "/containers/"],
];

/// Those that hang are given up after seconds each: with `SAFERUN_TEST_LONG=1`.
fn faults() -> Vec<Fault> {
    let mut all = Fault::ALL.to_vec();
    all.retain(|fault| long() || !fault.lasts());
    all
}

#[test]
fn d1_d5_each_fault_at_each_call_is_answered_in_time_and_leaves_nothing() {
    for call in CALLS {
        // A daemon for each: what stands by for the sizes of all would fill the machine's share of memory, and a run
        // would wait for a removal that this engine refuses.
        let Some((faulty, daemon)) = daemon("0") else {
            return;
        };
        // Each with a size of its own, so that no container of an earlier one serves it.
        let mut sizes = (257_u64..).map(|size| size << 20);
        for fault in faults() {
            faulty.on(call, fault);
            let met = faulty.met();
            let statuses = StatusAsked::of(&daemon, &faulty);
            // A run goes by what is known of the engine; this asks.
            let client = daemon.connect();
            let known = async move { tokio::time::timeout(ANSWERED, client.image_list()).await };
            let known = daemon.block_on(known);
            assert!(known.is_ok(), "{call:?} {fault:?}: no answer");
            let mut asked = request("print('out')");
            asked.limits.memory_bytes = sizes.next();
            let client = daemon.connect();
            let run = daemon
                .spawn(async move { tokio::time::timeout(ANSWERED, client.run(asked)).await });
            let answer = daemon.block_on(run).expect("the task");
            let answer = answer.unwrap_or_else(|_| panic!("{call:?} {fault:?}: no answer"));
            // Either nothing ran, and says so, or the fault came too late to matter: never half of it.
            if let Ok(result) = &answer {
                let ran = result.status == Outcome::Completed && result.stdout == "out\n";
                let answer = Ok(result.clone());
                assert!(
                    ran || did_not_run(&answer),
                    "{call:?} {fault:?}: {result:?}"
                );
            }
            // What ends a container comes after the run.
            let made = format!("{call:?} {fault:?}: the call is made");
            daemon.wait_until(&made, |_| faulty.met() > met);
            statuses.check(&daemon, fault, &call.join(" "));
            faulty.well();
            nothing_forgotten(&daemon, "nothing of it is left");
        }
        daemon.wait_until("the engine is well again", |daemon| daemon.status().ready);
        assert_eq!(attempt(&daemon, "print(2)").expect("a run").stdout, "2\n");
    }
}

#[test]
fn d1_limits_that_cannot_be_changed_or_read_back_run_nothing_under_wider_ones() {
    let Some((faulty, daemon)) = daemon("1") else {
        return;
    };
    // A size of its own for each, so that none stands by for it: it is tightened from a wider one.
    for (memory, fault) in (100_u64..).map(|size| size << 20).zip(faults()) {
        daemon.wait_for_warm(1);
        faulty.on(&["POST", "/update"], fault);
        let met = faulty.met();
        // Under the policy that the container stands by for.
        let mut asked = RunRequest::new("print('out')");
        asked.limits.memory_bytes = Some(memory);
        let answer = ask(&daemon, asked);
        assert!(faulty.met() > met, "{fault:?}: limits were not changed");
        if let Ok(result) = &answer
            && result.status == Outcome::Completed
        {
            // In a container of its own, then, made with just these.
            let limit = result
                .sandbox
                .attestation
                .iter()
                .find(|field| field.name == "memory_limit");
            let limit = limit.expect("it is attested").value.clone();
            assert_eq!(limit, memory.to_string(), "{fault:?}: {result:?}");
        } else {
            assert!(did_not_run(&answer), "{fault:?}: {answer:?}");
        }
        faulty.well();
        nothing_forgotten(&daemon, "what could not be tightened is removed");
    }
}

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

/// What a loaded machine may add to any answer; the bound itself is the daemon's deadline.
const MARGIN: Duration = Duration::from_secs(10);

/// Waits for this as long as the method's row says. What it answers is looked at elsewhere.
async fn on_time<T>(method: &str, what: &str, more: Duration, asked: impl Future<Output = T>) -> T {
    let bounds = bounds();
    let found = bounds.iter().find(|(name, _)| name == method);
    let (_, bound) = found.unwrap_or_else(|| panic!("docs/rpc.md has no bound of {method}"));
    tokio::time::timeout(*bound + more + MARGIN, asked)
        .await
        .unwrap_or_else(|_| panic!("{method}: no answer within {bound:?}, {what}"))
}

#[test]
fn d1_each_method_is_answered_within_its_own_bound_whatever_the_engine_does() {
    let Some((faulty, daemon)) = daemon("1") else {
        return;
    };
    let ended = attempt(&daemon, "print('ended')").expect("a run").id;
    let mut tried = faults();
    if !tried.contains(&Fault::Hang) {
        tried.push(Fault::Hang);
    }
    for fault in tried {
        daemon.wait_for_warm(1);
        let what = format!("{fault:?}");
        daemon.block_on(async {
            let client = connect(&daemon.socket()).await.expect("a connection");
            let sleeps = request("import time\nprint('on', flush=True)\ntime.sleep(600)");
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
    let Some((faulty, mut daemon)) = daemon("1") else {
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
    let Some((faulty, daemon)) = daemon("1") else {
        return;
    };
    for fault in [StreamFault::Stall, StreamFault::Garbage] {
        daemon.wait_for_warm(1);
        let mut asked = request("import time\nprint('on', flush=True)\ntime.sleep(600)");
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

#[test]
fn d6_without_an_image_the_command_that_builds_it_is_named() {
    let Some((faulty, daemon)) = daemon("0") else {
        return;
    };
    faulty.on(&["GET", "/images/json"], Fault::EmptyList);
    let client = daemon.connect();
    daemon.block_on(client.image_list()).expect("a list");
    let error = daemon
        .block_on(client.run(request("print(1)")))
        .expect_err("no image, no run");
    let jsonrpsee::core::ClientError::Call(error) = error else {
        panic!("{error}")
    };
    assert_eq!(error.code(), Code::ImageMissing.number());
    let said = format!("{} {:?}", error.message(), error.data());
    assert!(said.contains("saferunctl image build python"), "{said}");
}

#[test]
fn c4_d3_p10_a_removal_that_fails_is_tried_again_is_seen_and_holds_up_nobody() {
    let Some((faulty, daemon)) = daemon("2") else {
        return;
    };
    daemon.wait_for_warm(2);
    // This one will not go: the engine hangs on its kill and refuses its removal.
    let first = attempt(&daemon, "print('first')").expect("a run");
    assert_eq!(first.stdout, "first\n");
    let stuck = first.sandbox.container.clone();
    assert!(!stuck.is_empty());
    faulty.on(&["DELETE", &stuck], Fault::Status(500));
    faulty.on(&["POST", &stuck, "/kill"], Fault::Hang);
    // It may have been removed already: then another takes its part.
    let stuck = if daemon.containers().contains(&stuck) {
        stuck
    } else {
        faulty.on(&["DELETE"], Fault::Status(500));
        faulty.on(&["POST", "/kill"], Fault::Hang);
        attempt(&daemon, "print('second')")
            .expect("a run")
            .sandbox
            .container
    };
    daemon.wait_until("the removal fails", |_| faulty.met() > 1);
    let removing = |daemon: &Daemon| {
        let pools = daemon.status().pools;
        pools.iter().map(|pool| pool.removing).sum::<u32>()
    };
    assert!(removing(&daemon) >= 1, "{:?}", daemon.status().pools);
    // Nothing waits for it: runs find containers of their own while the call hangs.
    for round in 0..3 {
        let result = attempt(&daemon, "print('beside it')").expect("a run");
        assert_eq!(result.stdout, "beside it\n", "round {round}: {result:?}");
        assert_ne!(result.sandbox.container, stuck);
    }
    assert!(daemon.containers().contains(&stuck), "it went by itself");
    faulty.well();
    daemon.wait_until("it is removed after all", |daemon| {
        !daemon.containers().contains(&stuck) && removing(daemon) == 0
    });
}

#[test]
fn d2_an_engine_that_goes_away_in_mid_run_ends_the_run_and_is_found_again() {
    let Some((faulty, daemon)) = daemon("1") else {
        return;
    };
    daemon.wait_for_warm(1);
    let client = daemon.connect();
    let result = daemon.block_on(async {
        let run = tokio::spawn(async move {
            client
                .run(request(
                    "import time\nprint('on', flush=True)\ntime.sleep(600)",
                ))
                .await
        });
        let watcher = connect(&daemon.socket()).await.expect("a connection");
        let running = async || watcher.status().await.expect("a status").running;
        while running().await == 0 {
            tokio::task::yield_now().await;
        }
        faulty.down();
        tokio::time::timeout(ANSWERED, run).await
    });
    let result = result
        .expect("it ends")
        .expect("the task")
        .expect("an account");
    assert_eq!(result.status, Outcome::EngineError, "{result:?}");
    assert_eq!(result.exit_code, None);
    // Without an engine a run is refused, and the daemon goes on.
    let answer = attempt(&daemon, "print('nobody there')");
    assert!(did_not_run(&answer), "{answer:?}");
    assert!(!daemon.status().ready);
    faulty.up();
    daemon.wait_until("the engine is found again", |daemon| daemon.status().ready);
    daemon.wait_for_warm(1);
    assert_eq!(
        attempt(&daemon, "print('back')").expect("a run").stdout,
        "back\n"
    );
    // What was running when it went is gone too.
    daemon.wait_until("what was running is removed", |daemon| {
        !daemon.containers().contains(&result.sandbox.container)
    });
}

#[test]
fn an_engine_that_comes_later_than_the_daemon_is_found() {
    let Some(engine) = engine() else { return };
    let faulty = FaultyEngine::before(&engine);
    let address = faulty.address();
    let Some(daemon) = Daemon::start_with(&[("SAFERUN_ENGINE", address.as_str())]) else {
        return;
    };
    assert!(!daemon.status().engine.reachable);
    let answer = attempt(&daemon, "print('nobody there')");
    assert!(did_not_run(&answer), "{answer:?}");
    faulty.up();
    daemon.wait_until("the engine is found", |daemon| daemon.status().ready);
    assert_eq!(
        attempt(&daemon, "print('here')").expect("a run").stdout,
        "here\n"
    );
}

#[test]
fn i6_a_tier_that_the_engine_does_not_have_is_refused_by_name() {
    let Some((_faulty, daemon)) = daemon("0") else {
        return;
    };
    let mut asked = request("print(1)");
    asked.runtime = Some("runsc-elsewhere".to_owned());
    let client = daemon.connect();
    let error = daemon
        .block_on(client.run(asked))
        .expect_err("no such tier, no run")
        .to_string();
    assert!(error.contains("runsc-elsewhere"), "{error}");
    assert_eq!(daemon.containers(), Vec::<String>::new());
}

/// The engine offers `runsc`, and starts `runc` when it is asked for it: whoever chose gVisor would get the host's
/// kernel.
#[test]
fn i6_a_tier_that_is_another_than_its_name_says_runs_nothing() {
    let Some(whole) = engine() else { return };
    let Some(runc) = program("runc") else {
        skipped("there is no runc to pass off as gVisor");
        return;
    };
    let Some(engine) = PrivateEngine::with_runtimes(&[("runsc", &runc)]) else {
        return;
    };
    engine.take_image(&whole, "saferun/python:latest");
    let address = engine.address();
    let settings = [
        ("SAFERUN_ENGINE", address.as_str()),
        ("SAFERUN_POOL_SIZE", "0"),
    ];
    let daemon = Daemon::start_with(&settings).expect("an engine is there");
    daemon.wait_until("the image is known", |daemon| daemon.status().ready);
    // The engine itself is sound: the tier that says what it is runs.
    assert_eq!(attempt(&daemon, "print(1)").expect("a run").stdout, "1\n");
    let mut asked = request("print('on the kernel of the host')");
    asked.runtime = Some("runsc".to_owned());
    let answer = ask(&daemon, asked);
    assert!(did_not_run(&answer), "{answer:?}");
    let said = match answer {
        Ok(result) => result.message,
        Err(error) => error,
    };
    assert!(said.contains("is not what its name says"), "{said}");
    drop(daemon);
    let left = docker(&address, &["ps", "-a", "-q"]);
    assert!(left.status.success(), "{left:?}");
    assert_eq!(text(&left.stdout), "", "containers were left behind");
}

/// Where the shell would find this program.
fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
}
