//! Promise: a daemon that is killed at any moment leaves nothing behind once it is started again.

#![expect(
    clippy::print_stderr,
    reason = "the seed must be seen to play a failure again"
)]
#![expect(
    clippy::async_yields_async,
    reason = "the run goes on while the daemon is killed"
)]

use std::{fs::File, io::Read, time::Duration};

use saferun_protocol::{ApiClient, RunRequest};
use saferun_tests::{Daemon, docker, long, text};

/// A small generator, so that a failure can be played again from its seed.
struct Moments(u64);

impl Moments {
    fn new() -> Self {
        let given = std::env::var("SAFERUN_TEST_SEED")
            .ok()
            .and_then(|seed| seed.parse().ok());
        let seed = given.unwrap_or_else(|| {
            let mut bytes = [0; 8];
            File::open("/dev/urandom")
                .and_then(|mut file| file.read_exact(&mut bytes))
                .expect("random");
            u64::from_le_bytes(bytes)
        });
        eprintln!("SAFERUN_TEST_SEED={seed}");
        Self(seed | 1)
    }

    fn next(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % below
    }
}

#[test]
fn c1_sigkill_at_any_moment_leaves_no_container_and_the_next_run_works() {
    let Some(mut daemon) = Daemon::start() else {
        return;
    };
    let instance = daemon.instance();
    let mut moments = Moments::new();
    for round in 0..if long() { 200 } else { 20 } {
        let client = daemon.connect();
        let run = daemon.block_on(async {
            let task = tokio::spawn(async move {
                let request = RunRequest::new("import time\ntime.sleep(0.2)\nprint('x')");
                let _ = client.run(request).await;
            });
            // Starts, runs and removals all fall within half a second of a request.
            tokio::time::sleep(Duration::from_millis(moments.next(500))).await;
            task
        });
        daemon.kill();
        run.abort();
        daemon.restart();
        let result = daemon.run("print('next')");
        assert_eq!(result.stdout, "next\n", "round {round}: {result:?}");
        assert_eq!(daemon.instance(), instance);
    }
    // Once more, and then by the book: the engine must know of none of ours.
    let engine = daemon.engine().to_owned();
    drop(daemon);
    let filter = format!("label=org.saferun.instance={instance}");
    let left = docker(&engine, &["ps", "-a", "-q", "--filter", &filter]);
    assert_eq!(text(&left.stdout), "", "containers were left behind");
}

#[test]
fn c2_containers_of_others_are_never_touched_however_alike() {
    let Some(mut daemon) = Daemon::start() else {
        return;
    };
    daemon.wait_for_warm(1);
    let (engine, image, instance) = (
        daemon.engine().to_owned(),
        daemon.image(),
        daemon.instance(),
    );
    let label = format!("org.saferun.instance={instance}");
    let name = "saferun-0190a0a0a0a07000800000000000abcd";
    let made = docker(
        &engine,
        &[
            "create",
            "--name",
            name,
            "--label",
            &label,
            "--network",
            "none",
            "--entrypoint",
            "/bin/sh",
            &image,
            "-c",
            "sleep 600",
        ],
    );
    assert!(made.status.success(), "{}", text(&made.stderr));
    daemon.kill();
    daemon.restart();
    daemon.wait_for_warm(1);
    let there = docker(&engine, &["inspect", "-f", "{{.Name}}", name]);
    let removed = docker(&engine, &["rm", "-f", name]);
    assert_eq!(
        text(&there.stdout).trim(),
        format!("/{name}"),
        "a look-alike was swept"
    );
    assert!(removed.status.success());
}

#[test]
fn c5_one_that_dies_while_idle_is_replaced_and_never_handed_out() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    daemon.wait_for_warm(2);
    for container in daemon.containers() {
        let _ = docker(daemon.engine(), &["kill", &container]);
    }
    for _ in 0..4 {
        let result = daemon.run("print('fine')");
        assert_eq!(result.stdout, "fine\n", "{result:?}");
    }
    let died: u64 = daemon
        .status()
        .pools
        .iter()
        .map(|pool| pool.died_idle)
        .sum();
    assert!(died >= 1, "nobody noticed");
}

#[test]
fn c6_a_second_daemon_over_the_same_state_is_refused() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let second = std::process::Command::new(saferun_tests::bin("saferund"))
        .env("SAFERUN_SOCKET", daemon.folder().join("other.sock"))
        .env("SAFERUN_STATE_DIR", daemon.folder().join("state"))
        .env("SAFERUN_ENGINE", daemon.engine())
        .output()
        .expect("saferund starts");
    assert!(!second.status.success());
    assert!(
        text(&second.stderr).contains("another saferund"),
        "{}",
        text(&second.stderr)
    );
    assert_eq!(daemon.run("print(1)").stdout, "1\n");
}

#[test]
fn a_daemon_that_is_told_to_stop_leaves_nothing() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    daemon.wait_for_warm(1);
    let (engine, instance, socket) = (
        daemon.engine().to_owned(),
        daemon.instance(),
        daemon.socket(),
    );
    drop(daemon);
    let filter = format!("label=org.saferun.instance={instance}");
    assert_eq!(
        text(&docker(&engine, &["ps", "-a", "-q", "--filter", &filter]).stdout),
        ""
    );
    assert!(!socket.exists());
}

#[test]
fn d1_status_answers_when_the_engine_does_not() {
    let Some(daemon) = Daemon::start_with(&[("SAFERUN_ENGINE", "unix:///nonexistent/docker.sock")])
    else {
        return;
    };
    let status = daemon.status();
    assert!(!status.ready);
    assert!(!status.engine.reachable);
    let client = daemon.connect();
    let error = daemon
        .block_on(client.run(RunRequest::new("print(1)")))
        .expect_err("no engine, no run");
    assert!(error.to_string().contains("engine"), "{error}");
}
