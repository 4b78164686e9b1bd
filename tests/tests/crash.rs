//! Promise: a daemon that is killed at any moment has lost no end that a client was told, and leaves no container, no
//! file and no open record once it is started again.

use std::time::Duration;

use saferun_protocol::{ApiClient, Outcome, RunRequest};
use saferun_tests::{Daemon, Moments, Witness, docker, long, text};
use saferund::Step;

const DIES: &str = env!("CARGO_BIN_EXE_saferund-that-dies");

/// So many are warm in the tests' daemons.
const WARM: u32 = 2;

/// The container that replaces that of the first run is the first which is not made at the start.
fn time_of(step: Step) -> u32 {
    match step {
        Step::ContainerJournaled
        | Step::ContainerCreated
        | Step::ContainerStarted
        | Step::ContainerAttested => WARM + 1,
        _ => 1,
    }
}

#[test]
fn c1_sigkill_at_each_named_step_leaves_nothing() {
    for step in Step::ALL {
        let Some(mut daemon) = Daemon::start_dying_at(DIES, step, time_of(step)) else {
            return;
        };
        daemon.wait_until("it listens", Daemon::listens);
        daemon.wait_for_warm(WARM);
        let mut witness = Witness::default();
        witness.keep_running(&daemon, "print('x' * 5000)");
        let aftermath = daemon.wait_for_death();
        let told = witness.dismiss(&daemon);
        daemon.revive();
        aftermath.check(&daemon, &step.name(), &told);
        let interrupted = daemon
            .recorded()
            .into_values()
            .filter(|outcome| *outcome == Some(Outcome::Interrupted));
        let open = matches!(
            step,
            Step::StartRecorded
                | Step::ContainerLeased
                | Step::ScriptHandedOver
                | Step::FirstFrame
                | Step::RunEnded
        );
        if open {
            assert_eq!(interrupted.count(), 1, "{step:?}");
        }
        assert_eq!(daemon.run("print('next')").stdout, "next\n", "{step:?}");
    }
}

/// 500 with `SAFERUN_TEST_LONG=1`; `SAFERUN_TEST_SEED` plays one again.
#[test]
fn c1_sigkill_at_random_moments_loses_no_end_that_a_client_was_told() {
    let Some(mut daemon) = Daemon::start() else {
        return;
    };
    let instance = daemon.instance();
    let mut moments = Moments::new();
    let mut witness = Witness::default();
    let mut ends = 0;
    for round in 0..if long() { 500 } else { 20 } {
        witness.keep_running(&daemon, "print('x' * 5000)");
        witness.keep_running(&daemon, "import time\ntime.sleep(0.2)");
        witness.keep_running(&daemon, "raise SystemExit(3)");
        let moment = Duration::from_millis(moments.next(1_000));
        daemon.block_on(async { tokio::time::sleep(moment).await });
        let aftermath = daemon.crash();
        let told = witness.dismiss(&daemon);
        ends = told.len();
        daemon.revive();
        aftermath.check(&daemon, &format!("round {round}"), &told);
        assert_eq!(daemon.instance(), instance);
    }
    assert!(
        ends > 0,
        "no client was ever told an end: nothing was tested"
    );
    assert_eq!(daemon.run("print('next')").stdout, "next\n");
    // And by the book: the engine must know of none of ours.
    let engine = daemon.engine().to_owned();
    drop(daemon);
    let filter = format!("label=org.saferun.instance={instance}");
    let left = docker(&engine, &["ps", "-a", "-q", "--filter", &filter]);
    assert_eq!(text(&left.stdout), "", "containers were left behind");
}

/// The step is real: the daemon is dead before the caller is told, and a caller that was told is in the record.
#[test]
fn the_end_is_on_disk_before_the_caller_is_told() {
    let Some(mut daemon) = Daemon::start_dying_at(DIES, Step::EndRecorded, 2) else {
        return;
    };
    daemon.wait_until("it listens", Daemon::listens);
    let first = daemon.run("print(1)");
    let client = daemon.connect();
    let second = daemon.block_on(client.run(RunRequest::new("print(2)")));
    assert!(second.is_err(), "{second:?}");
    let aftermath = daemon.wait_for_death();
    daemon.revive();
    let told = [(first.id, first.status)].into_iter().collect();
    aftermath.check(&daemon, "the second end", &told);
    let recorded = daemon.recorded();
    let completed = recorded
        .values()
        .filter(|end| **end == Some(Outcome::Completed));
    assert_eq!(completed.count(), 2, "{recorded:?}");
}
