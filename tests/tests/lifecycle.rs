//! Promise: a daemon that stops, is replaced, finds something foreign in its place or has no room left does
//! so in order: clients are served by the next one, and nothing of anybody else's is touched.

use std::{
    fs,
    io::{BufRead, BufReader},
    os::unix::fs::symlink,
    path::Path,
    process::{Command, Output, Stdio},
};

use saferun_protocol::{ApiClient, Outcome, RunRequest};
use saferun_tests::{Daemon, SmallDisk, bin, docker, engine, text};

/// `saferunctl` that starts daemons of its own in this folder.
fn cli(folder: &Path, engine: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(bin("saferunctl"));
    command
        .args(arguments)
        .env("SAFERUN_SOCKET", folder.join("saferund.sock"))
        .env("SAFERUN_STATE_DIR", folder.join("state"))
        .env("SAFERUN_CONFIG_DIR", folder.join("config"))
        .env("SAFERUN_SYSTEM_CONFIG_DIR", folder.join("etc"))
        .env("SAFERUN_DAEMON", bin("saferund"))
        .env("SAFERUN_ENGINE", engine)
        .env("SAFERUN_POOL_SIZE", "1")
        .stdin(Stdio::null());
    command
}

fn done(mut command: Command) -> Output {
    command.output().expect("saferunctl starts")
}

#[test]
fn a_client_that_comes_while_the_daemon_drains_is_served_by_the_next() {
    let Some(engine) = engine() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let cli = |arguments: &[&str]| cli(folder.path(), &engine, arguments);
    let started = done(cli(&["daemon", "start"]));
    assert!(started.status.success(), "{started:?}");
    let daemon = || -> (i32, String) {
        let output = done(cli(&["status", "--json"]));
        let status: serde_json::Value = serde_json::from_slice(&output.stdout).expect("a status");
        let pid = status["daemon"]["pid"].as_i64().expect("a pid");
        let instance = status["daemon"]["instance"].as_str().expect("an instance");
        (i32::try_from(pid).expect("a pid"), instance.to_owned())
    };
    for round in 0..3 {
        let (pid, _) = daemon();
        let code = "import time\nprint('on', flush=True)\ntime.sleep(600)";
        let mut running = cli(&["run", "-c", code])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("a run");
        let mut said = String::new();
        BufReader::new(running.stdout.take().expect("its output"))
            .read_line(&mut said)
            .expect("its word");
        assert_eq!(said, "on\n");
        let target = nix::unistd::Pid::from_raw(pid);
        nix::sys::signal::kill(target, nix::sys::signal::Signal::SIGTERM).expect("a signal");
        // At once, and several: one of them starts the next daemon, and none gets an error.
        let next: Vec<_> = (0..3)
            .map(|_| {
                let mut command = cli(&["run", "-c", "print('next')"]);
                command.stdout(Stdio::piped()).stderr(Stdio::piped());
                command.spawn().expect("a run")
            })
            .collect();
        for child in next {
            let output = child.wait_with_output().expect("an end");
            assert_eq!(text(&output.stdout), "next\n", "round {round}: {output:?}");
            assert!(output.status.success(), "round {round}: {output:?}");
        }
        // The run under way was called off, and says so.
        let ended = running.wait_with_output().expect("an end");
        assert_eq!(ended.status.code(), Some(130), "round {round}: {ended:?}");
        assert_ne!(daemon().0, pid, "round {round}");
    }
    let (_, instance) = daemon();
    let stopped = done(cli(&["daemon", "stop"]));
    assert!(stopped.status.success(), "{stopped:?}");
    let filter = format!("label=org.saferun.instance={instance}");
    let left = docker(&engine, &["ps", "-a", "-q", "--filter", &filter]);
    assert_eq!(text(&left.stdout), "", "containers were left behind");
    assert!(!folder.path().join("saferund.sock").exists());
}

#[test]
fn c6_what_is_foreign_at_the_sockets_path_is_left_alone() {
    let Some(engine) = engine() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let target = folder.path().join("precious");
    fs::write(&target, "precious").expect("a file");
    let file = folder.path().join("file.sock");
    fs::write(&file, "a file").expect("a file");
    let link = folder.path().join("link.sock");
    symlink(&target, &link).expect("a link");
    let dangling = folder.path().join("dangling.sock");
    symlink(folder.path().join("nowhere"), &dangling).expect("a link");
    let inside = folder.path().join("folder.sock");
    fs::create_dir(&inside).expect("a folder");
    for socket in [&file, &link, &dangling, &inside] {
        let output = Command::new(bin("saferund"))
            .env("SAFERUN_SOCKET", socket)
            .env("SAFERUN_STATE_DIR", folder.path().join("state"))
            .env("SAFERUN_CONFIG_DIR", folder.path().join("config"))
            .env("SAFERUN_ENGINE", &engine)
            .stdin(Stdio::null())
            .output()
            .expect("saferund");
        assert!(!output.status.success(), "{}", socket.display());
        let said = text(&output.stderr);
        assert!(said.contains(&socket.display().to_string()), "{said}");
    }
    assert_eq!(
        fs::read_to_string(&target).expect("it is there"),
        "precious"
    );
    assert_eq!(fs::read_to_string(&file).expect("it is there"), "a file");
    assert!(link.is_symlink() && dangling.is_symlink() && inside.is_dir());
    assert!(!folder.path().join("nowhere").exists());
}

#[test]
fn a_full_disk_is_told_of_and_once_there_is_room_all_goes_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let state = folder.path().join("state");
    // Room for the end of a run and twice the 8 MiB of output that this preset keeps.
    let Some(disk) = SmallDisk::at(&state, 32) else {
        return;
    };
    let Some(daemon) = Daemon::start_with(&[("SAFERUN_STATE_DIR", &state.display().to_string())])
    else {
        return;
    };
    assert_eq!(daemon.run("print(1)").stdout, "1\n");
    let filler = disk.fill();
    // Each is answered; what is said to have run although it is not recorded says that, too.
    for _ in 0..3 {
        let client = daemon.connect();
        let mut request = RunRequest::new("print('on a full disk')");
        request.policy = Some("permissive".to_owned());
        let result = daemon
            .block_on(client.run(request))
            .expect("an account, whatever it says");
        assert!(result.unrecorded.is_some(), "{result:?}");
    }
    let status = daemon.status();
    assert!(!status.ready && !status.problems.is_empty(), "{status:?}");
    fs::remove_file(&filler).expect("room");
    daemon.wait_until("a run is recorded again", |daemon| {
        let result = daemon.run("print('room')");
        result.status == Outcome::Completed && result.unrecorded.is_none()
    });
    daemon.wait_until("all is well", |daemon| daemon.status().ready);
}

#[test]
fn p5_an_image_that_is_replaced_serves_the_runs_that_it_has_and_no_other() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    daemon.wait_for_warm(1);
    let old = daemon.image();
    let client = daemon.connect();
    let mut request = RunRequest::new("import time\ntime.sleep(8)\nprint('to the end')");
    request.policy = Some("permissive".to_owned());
    let running = daemon.spawn(async move { client.run(request).await });
    daemon.wait_until("it runs", |daemon| daemon.status().running == 1);
    // As after a build: the same inputs, a newer image.
    let container = text(&docker(daemon.engine(), &["create", &old]).stdout);
    let made = docker(
        daemon.engine(),
        &["commit", container.trim(), "saferun-test/upgrade:latest"],
    );
    assert!(made.status.success(), "{}", text(&made.stderr));
    let new = text(&made.stdout).trim().to_owned();
    daemon.wait_until("the new image is current", |daemon| {
        let client = daemon.connect();
        let _ = daemon.block_on(client.image_list());
        daemon.image() == new
    });
    let next = daemon.run("print('in the new one')");
    let first = daemon
        .block_on(running)
        .expect("the task")
        .expect("an account");
    let _ = docker(daemon.engine(), &["rm", "-f", container.trim()]);
    let _ = docker(
        daemon.engine(),
        &["rmi", "-f", "saferun-test/upgrade:latest"],
    );
    assert_eq!(
        (next.stdout.as_str(), &next.sandbox.image),
        ("in the new one\n", &new)
    );
    assert_eq!(
        (first.stdout.as_str(), &first.sandbox.image),
        ("to the end\n", &old)
    );
}
