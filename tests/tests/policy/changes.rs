//! The user's file changes while the daemon runs: what is sound holds at once, a mistake changes nothing, no run is
//! under two policies.

use std::{fs, os::unix::fs::PermissionsExt, process::Command};

use saferun_protocol::{ClientKind, Code, Outcome};
use saferun_tests::{Daemon, text};

use super::{attempt, write};

#[test]
fn the_users_file_holds_from_the_moment_it_is_written() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    assert_eq!(daemon.status().policy.name, "default");
    let before = daemon.status().policy.hash;
    write(
        &daemon,
        "version: 1\nimports: {block: [json]}\nlevels: {BLOCKED: refuse}\n",
    );
    daemon.wait_until("the change", |daemon| daemon.status().policy.hash != before);
    let refused = attempt(&daemon, "import json", |_| {}).expect("an answer");
    assert_eq!(refused.status, Outcome::Blocked);
    assert!(refused.message.contains("json"), "{}", refused.message);
    assert_eq!(refused.policy_hash, daemon.status().policy.hash);

    let sound = daemon.status().policy.hash;
    write(&daemon, "version: 1\nimports: {blok: [json]}\n");
    daemon.wait_until("the mistake is told", |daemon| {
        !daemon.status().policy.problems.is_empty()
    });
    let status = daemon.status();
    assert_eq!(status.policy.hash, sound, "the policy from before holds");
    assert!(
        status.policy.problems[0].contains("policy.yaml:2"),
        "{:?}",
        status.policy.problems
    );
    assert!(
        status.ready
            || !status
                .problems
                .iter()
                .any(|problem| problem.contains("policy"))
    );
    let still = attempt(&daemon, "import json", |_| {}).expect("an answer");
    assert_eq!(still.status, Outcome::Blocked);
    let shown = daemon.cli(&["status"]).output().expect("saferunctl");
    assert!(
        text(&shown.stdout).contains("the policy from before this mistake holds"),
        "{}",
        text(&shown.stdout)
    );
}

#[test]
fn nothing_runs_under_a_policy_that_was_never_sound() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).expect("its mode");
    let path = folder.path().join("policy.yaml");
    fs::write(&path, "version: 1\nlevels: {HIGH: sometimes}\n").expect("a file");
    let shown = folder.path().to_str().expect("a path");
    let Some(daemon) = Daemon::start_with(&[("SAFERUN_CONFIG_DIR", shown)]) else {
        return;
    };
    let status = daemon.status();
    assert!(status.policy.blocked && !status.ready);
    let (code, message, _) = attempt(&daemon, "print(1)", |_| {}).expect_err("no policy, no run");
    assert_eq!(code, Code::PolicyInvalid);
    assert!(message.contains("policy.yaml:2"), "{message}");
    // A link to a sound file is no sound file.
    let real = folder.path().join("real.yaml");
    fs::write(&real, "version: 1\n").expect("a file");
    fs::remove_file(&path).expect("gone");
    std::os::unix::fs::symlink(&real, &path).expect("a link");
    daemon.wait_until("the link is seen", |daemon| {
        daemon
            .status()
            .policy
            .problems
            .iter()
            .any(|problem| problem.contains("symbolic link"))
    });
    fs::remove_file(&path).expect("gone");
    daemon.wait_until("no file is no mistake", |daemon| {
        !daemon.status().policy.blocked
    });
    let _ = daemon.image();
    assert_eq!(
        attempt(&daemon, "print(1)", |_| {}).expect("runs").status,
        Outcome::Completed
    );
}

#[test]
fn a_run_keeps_the_policy_that_it_began_under_and_the_pool_follows_the_new_one() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    daemon.wait_for_warm(2);
    std::thread::scope(|scope| {
        let run = scope.spawn(|| {
            attempt(
                &daemon,
                "import time; time.sleep(3); print('whole')",
                |_| {},
            )
        });
        daemon.wait_until("it runs", |daemon| daemon.status().running == 1);
        write(
            &daemon,
            "version: 1\nlimits: {time: 1s, memory: 192MiB, pids: 40}\nimports: {block: [time]}\n",
        );
        daemon.wait_until("the new class is warm", |daemon| {
            let pools = daemon.status().pools;
            pools
                .iter()
                .any(|pool| pool.key.contains("memory=192MiB") && pool.warm == 2)
                && pools
                    .iter()
                    .filter(|pool| !pool.key.contains("memory=192MiB"))
                    .all(|pool| pool.warm == 0)
        });
        let result = run.join().expect("a thread").expect("a result");
        assert_eq!(
            (result.status, result.stdout.as_str()),
            (Outcome::Completed, "whole\n")
        );
    });
    let result = attempt(&daemon, "print(1)", |_| {}).expect("runs");
    assert!(result.sandbox.warm, "the new class serves at once");
    assert_eq!(result.limits.memory_bytes, 192 << 20);
}

/// Runs race with changes of the policy: each is whole under one state of it, its name, its hash and its limits alike.
#[test]
fn no_run_is_under_two_policies_at_once() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let _ = daemon.image();
    let states = [(64_u32, 1_u64 << 20), (48, 2 << 20), (40, 3 << 20)];
    let yaml = |(pids, output): (u32, u64)| {
        format!("version: 1\nlimits: {{pids: {pids}, output: {output}B, concurrency: 8}}\n")
    };
    write(&daemon, &yaml(states[0]));
    daemon.wait_until("the first", |daemon| daemon.status().policy.generation > 1);
    let done = std::sync::atomic::AtomicBool::new(false);
    let seen = std::thread::scope(|scope| {
        let (daemon, done) = (&daemon, &done);
        scope.spawn(move || {
            let mut turn = 0;
            while !done.load(std::sync::atomic::Ordering::Relaxed) {
                turn += 1;
                // Every fifth change is a mistake, which must change nothing.
                if turn % 5 == 0 {
                    write(daemon, "version: 1\nlimits: {pids: many}\n");
                } else {
                    write(daemon, &yaml(states[turn % states.len()]));
                }
                for _ in 0..8 {
                    saferun_tests::pause();
                }
            }
        });
        let runners: Vec<_> = (0..3)
            .map(|runner| {
                scope.spawn(move || {
                    let runs = if saferun_tests::long() { 200 } else { 15 };
                    (0..runs)
                        .map(|run| {
                            let code = format!("print({runner}, {run})");
                            let result = attempt(daemon, &code, |request| {
                                request.client = ClientKind::Terminal;
                            });
                            let result = result.expect("it runs");
                            assert_eq!(result.stdout, format!("{runner} {run}\n"), "{result:#?}");
                            let pids = result.sandbox.attestation.iter();
                            let pids: Vec<_> = pids
                                .filter(|field| field.name == "pids_limit")
                                .map(|field| field.value.clone())
                                .collect();
                            let asked = result.limits.pids.to_string();
                            assert!(
                                pids.iter().all(|value| *value == asked),
                                "{pids:?}: {asked}"
                            );
                            (
                                result.policy_hash,
                                result.limits.pids,
                                result.limits.output_bytes,
                            )
                        })
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        let seen: Vec<_> = runners
            .into_iter()
            .flat_map(|runner| runner.join().expect("a runner"))
            .collect();
        done.store(true, std::sync::atomic::Ordering::Relaxed);
        seen
    });
    for (hash, pids, output) in &seen {
        assert!(states.contains(&(*pids, *output)), "{pids} with {output}");
        let same = seen.iter().filter(|(other, ..)| other == hash);
        assert!(same.into_iter().all(|(_, other, _)| other == pids));
    }
    let hashes: std::collections::BTreeSet<_> = seen.iter().map(|(hash, ..)| hash).collect();
    assert!(hashes.len() > 1, "the policy never changed under the runs");
}

/// Without inotify the files are read again every few seconds, and a change holds all the same.
#[test]
fn changes_are_seen_where_the_kernel_tells_of_none() {
    // A namespace of its own, in which no watch can be made; the machine's limit is left alone.
    let inside = "echo 0 > /proc/sys/user/max_inotify_instances && exec \"$0\"";
    let namespace = ["unshare", "--user", "--map-root-user", "sh", "-c"];
    let able = Command::new(namespace[0])
        .args(&namespace[1..])
        .args([inside, "true"])
        .status();
    if !able.is_ok_and(|status| status.success()) {
        eprintln!("SKIPPED: this user may make no user namespace");
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let program = folder.path().join("saferund-without-inotify");
    let daemon = saferun_tests::bin("saferund");
    let script = format!(
        "#!/bin/sh\nexec {} '{inside}' '{}'\n",
        namespace.join(" "),
        daemon.display()
    );
    fs::write(&program, script).expect("a script");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o700)).expect("its mode");
    let Some(daemon) = Daemon::start_program(program, &[]) else {
        return;
    };
    daemon.wait_until("the daemon listens", Daemon::listens);
    let log = || fs::read_to_string(daemon.folder().join("log")).expect("the log");
    assert!(
        log().contains("policy files cannot be watched"),
        "{}",
        log()
    );
    write(
        &daemon,
        "version: 1\nimports: {block: [json]}\nlevels: {BLOCKED: refuse}\n",
    );
    daemon.wait_until("the change is read", |daemon| {
        daemon.status().policy.generation > 1
    });
    let refused = attempt(&daemon, "import json", |_| {}).expect("an answer");
    assert_eq!(refused.status, Outcome::Blocked);
    write(&daemon, "version: 1\nimports: {blok: [json]}\n");
    daemon.wait_until("the mistake is told", |daemon| {
        !daemon.status().policy.problems.is_empty()
    });
}
