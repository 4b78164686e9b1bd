//! Promise: a daemon that is killed at any moment leaves nothing behind once it is started again.

use saferun_protocol::{ApiClient, RunRequest};
use saferun_tests::{Daemon, docker, text};

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
fn c3_labels_alone_make_nothing_ours() {
    let Some(mut daemon) = Daemon::start() else {
        return;
    };
    daemon.wait_for_warm(2);
    let (old, instance) = (daemon.containers(), daemon.instance());
    daemon.kill();
    // The journal is lost, and with it the word on what is ours: the labels still say so, and count for nothing.
    let state = daemon.folder().join("state");
    std::fs::rename(&state, daemon.folder().join("lost")).expect("it is moved");
    daemon.restart();
    assert_ne!(daemon.instance(), instance);
    daemon.wait_for_warm(2);
    assert_eq!(daemon.run("print(1)").stdout, "1\n");
    for container in &old {
        let there = docker(daemon.engine(), &["inspect", "-f", "{{.Id}}", container]);
        assert_eq!(
            text(&there.stdout).trim(),
            container,
            "{container} was touched"
        );
    }
    for container in &old {
        let _ = docker(daemon.engine(), &["rm", "-f", container]);
    }
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
