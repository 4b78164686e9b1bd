//! Promise: whatever the engine does, each call is answered within its deadline, `status` answers meanwhile,
//! and what was begun is cleaned up once the engine is well again.

use std::{
    fs,
    io::Write as _,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use saferun_protocol::{ApiClient, Code, Outcome, RunRequest, RunResult, connect};
use saferun_tests::{
    ANSWERED, Daemon, Fault, FaultyEngine, PrivateEngine, ask, attempt, docker, engine, long,
    over_a_faulty_engine as daemon, permissive as request, skipped, text,
};
use tokio::task::JoinHandle;

/// What a `status` took at most, on a connection of its own, in the build that is shipped (docs/rpc.md).
const AT_ONCE: Duration = Duration::from_millis(100);
/// The same in any other build.
const SOON: Duration = Duration::from_secs(2);
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
        // Streams are not attached by an answer of this kind: its first line ends the call.
        let lasts = fault.lasts() && (fault == Fault::Hang || !what.contains(ATTACH));
        self.enough.store(true, Ordering::SeqCst);
        let answers = daemon.block_on(self.task).expect("status is answered");
        let figures = format!("status, {what}, {fault:?}: {answers:?}");
        let _ = writeln!(std::io::stderr(), "{figures}");
        assert!(answers.all > 0, "{what} {fault:?}");
        assert!(
            answers.while_held > 0 || !lasts,
            "{what} {fault:?}: no status was answered while the call hung: {answers:?}"
        );
        // The long tests are made with the build that is shipped.
        let most = if long() { AT_ONCE } else { SOON };
        assert!(
            answers.slowest <= most + answers.machine_late,
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
const CALLS: [&[&str]; 9] = [
    &["GET", "/version"],
    &["GET", "/images/json"],
    &["POST", "/containers/create"],
    &["POST", ATTACH],
    &["POST", "/start"],
    &["GET", "/json?"],
    &["POST", WAIT],
    &["POST", KILL],
    &["DELETE", "/containers/"],
];
const ATTACH: &str = "/attach";
/// How the daemon learns that a container has ended by itself once its streams were cut; only if not, it asks for a kill.
const WAIT: &str = "/wait";
const KILL: &str = "/kill";

/// Those that are tried at one of the calls: three, in turn, so that each is tried at several; all among the long tests.
fn faults_at(place: usize) -> Vec<Fault> {
    const FAULTS: usize = 3;
    let tried = Fault::tried();
    let most = if long() { tried.len() } else { FAULTS };
    tried
        .iter()
        .copied()
        .cycle()
        .skip(place * FAULTS)
        .take(most)
        .collect()
}

#[test]
fn d1_d5_each_fault_at_each_call_is_answered_in_time_and_leaves_nothing() {
    for (place, call) in CALLS.into_iter().enumerate() {
        // A daemon for each: what stands by for the sizes of all would fill the machine's share of memory, and a run
        // would wait for a removal that this engine refuses.
        let Some((faulty, daemon)) = daemon("0") else {
            return;
        };
        // Each with a size of its own, so that no container of an earlier one serves it.
        let mut sizes = (257_u64..).map(|size| size << 20);
        for fault in faults_at(place) {
            let mut met = faulty.met();
            if call.contains(&KILL) {
                faulty.on(&["POST", WAIT], Fault::Status(500));
                met += 1;
            }
            faulty.on(call, fault);
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
    for (memory, fault) in (100_u64..).map(|size| size << 20).zip(Fault::tried()) {
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
