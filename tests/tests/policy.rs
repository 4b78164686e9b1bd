//! The policy as the daemon holds it: layers, changes while it runs, rates that survive it, places and the queue.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use saferun_protocol::{
    Advice, ApiClient, ClientKind, Code, Outcome, PolicySetting, PolicyText, RunRequest, RunResult,
};
use saferun_tests::{Daemon, text};

/// Puts the user's policy in place as an editor saves: by a rename.
fn write(daemon: &Daemon, yaml: &str) {
    let folder = daemon.folder().join("config");
    fs::create_dir_all(&folder).expect("a folder");
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).expect("its mode");
    let new = folder.join("new");
    fs::write(&new, yaml).expect("a file");
    fs::set_permissions(&new, fs::Permissions::from_mode(0o600)).expect("its mode");
    fs::rename(new, folder.join("policy.yaml")).expect("in place");
}

fn attempt(
    daemon: &Daemon,
    source: &str,
    change: impl FnOnce(&mut RunRequest),
) -> Result<RunResult, (Code, String, Option<u64>)> {
    let mut request = RunRequest::new(source);
    change(&mut request);
    let client = daemon.connect();
    daemon
        .block_on(client.run(request))
        .map_err(|error| match error {
            jsonrpsee::core::ClientError::Call(object) => {
                let data = object.data().map(|data| data.get().to_owned());
                let advice: Option<Advice> = data.and_then(|data| serde_json::from_str(&data).ok());
                (
                    Code::from_number(object.code()).expect("a code of ours"),
                    object.message().to_owned(),
                    advice.and_then(|advice| advice.retry_after_ms),
                )
            }
            other => panic!("{other}"),
        })
}

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

#[test]
fn rates_hold_over_a_killed_daemon_and_say_when_to_come_again() {
    let Some(mut daemon) = Daemon::start() else {
        return;
    };
    write(
        &daemon,
        "version: 1\nlimits: {rate: {per_client: 4/10m, per_code: 2/10m, reserved_for_people: 25%}}\n",
    );
    daemon.wait_until("the rate holds", |daemon| {
        daemon.status().policy.generation > 1
    });
    let _ = daemon.image();
    let run = |daemon: &Daemon, client, code: &str| {
        attempt(daemon, code, |request| request.client = client)
    };
    assert!(run(&daemon, ClientKind::Agent, "print(1)").is_ok());
    assert!(run(&daemon, ClientKind::Terminal, "print(1)").is_ok());
    daemon.kill();
    daemon.restart();
    let _ = daemon.image();
    let (code, message, retry) =
        run(&daemon, ClientKind::Terminal, "print(1)").expect_err("the same code");
    assert_eq!(code, Code::RateLimited, "{message}");
    assert!(
        (500_000..=600_000).contains(&retry.expect("when")),
        "{message}"
    );
    assert!(run(&daemon, ClientKind::Watch, "print(2)").is_ok());
    assert!(run(&daemon, ClientKind::Terminal, "print(3)").is_ok());
    let (_, message, _) = run(&daemon, ClientKind::Editor, "print(4)").expect_err("all four");
    assert!(message.contains("4 runs in 10m"), "{message}");
    // Another policy's narrower or missing rate is no way round it, nor is a run of nothing.
    let loose = attempt(&daemon, "print(5)", |request| {
        request.policy_layers.settings = vec![PolicySetting::new("limits.rate.per_client", "none")];
        request
            .policy_layers
            .settings
            .push(PolicySetting::new("limits.rate.per_code", "none"));
    });
    assert!(loose.is_ok(), "a person's own word: {loose:?}");
    assert!(run(&daemon, ClientKind::Terminal, "print(6)").is_err());
}

#[test]
fn places_are_bounded_and_turns_are_fair() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    write(
        &daemon,
        "version: 1\nlimits: {concurrency: 2, queue: 1, rate: {reserved_for_people: 50%}}\n",
    );
    daemon.wait_until("the limits hold", |daemon| {
        daemon.status().policy.generation > 1
    });
    daemon.wait_for_warm(2);
    let sleeps = "import time; time.sleep(2); print('done')";
    std::thread::scope(|scope| {
        let daemon = &daemon;
        let first = scope
            .spawn(move || attempt(daemon, sleeps, |request| request.client = ClientKind::Agent));
        daemon.wait_until("one runs", |daemon| daemon.status().running == 1);
        let second = scope
            .spawn(move || attempt(daemon, sleeps, |request| request.client = ClientKind::Agent));
        daemon.wait_until("one waits", |daemon| daemon.status().queued == 1);
        let (code, message, _) = attempt(daemon, "print(1)", |request| {
            request.client = ClientKind::Agent;
        })
        .expect_err("no more");
        assert_eq!(code, Code::Busy, "{message}");
        assert!(message.contains("limits.queue"), "{message}");
        let person = attempt(daemon, "print(1)", |request| {
            request.client = ClientKind::Terminal;
        });
        assert_eq!(
            person.expect("the share of people").status,
            Outcome::Completed
        );
        for run in [first, second] {
            let result = run.join().expect("a thread").expect("a result");
            assert_eq!(result.stdout, "done\n");
        }
    });
    // The wait is reported apart, and never charged to the run.
    assert_eq!(daemon.status().queued, 0);
}

fn project(daemon: &Daemon, name: &str, yaml: &str, script: &str) -> std::path::PathBuf {
    let folder = daemon.folder().join(name);
    fs::create_dir_all(folder.join("src")).expect("a folder");
    fs::write(folder.join(".saferun.yaml"), yaml).expect("a file");
    let path = folder.join("src/x.py");
    fs::write(&path, script).expect("a script");
    path
}

fn cli(daemon: &Daemon, args: &[&str]) -> (Option<i32>, String, String) {
    let output = daemon.cli(args).output().expect("saferunctl");
    (
        output.status.code(),
        text(&output.stdout),
        text(&output.stderr),
    )
}

#[test]
fn a_projects_policy_tightens_and_never_widens() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let _ = daemon.image();
    let shown = |path: &Path| path.to_str().expect("a path").to_owned();

    let tight = project(
        &daemon,
        "tight",
        "version: 1\nlimits: {time: {max: 1s}}\n",
        "while True: pass\n",
    );
    let (code, _, stderr) = cli(&daemon, &["run", &shown(&tight)]);
    assert_eq!(code, Some(124), "{stderr}");

    let hostile = "version: 1\npreset: permissive\nlevels: {BLOCKED: run}\noverride: {reason_required: false}\n\
                   limits: {time: {max: 1h}, memory: {max: 8GiB}}\n";
    let script = "import os\nos.system('rm -rf /')\n";
    let wide = project(&daemon, "wide", hostile, script);
    let (code, _, stderr) = cli(&daemon, &["run", &shown(&wide)]);
    assert_eq!(code, Some(126), "{stderr}");
    assert!(
        stderr.contains("would widen the policy and is ignored"),
        "{stderr}"
    );
    assert!(stderr.contains(".saferun.yaml:3"), "{stderr}");
    // A nearer file hides none further up.
    fs::write(tight.with_file_name(".saferun.yaml"), "version: 1\n").expect("a file");
    let (code, _, _) = cli(&daemon, &["run", &shown(&tight)]);
    assert_eq!(code, Some(124));

    for (name, yaml, says) in [
        (
            "command",
            "version: 1\nalerts: {command: [/bin/sh]}\n",
            "alerts.command",
        ),
        (
            "unattended",
            "version: 1\noverride: {unattended: true}\n",
            "override.unattended",
        ),
        (
            "effort",
            "version: 1\nenforcement: best_effort\n",
            "enforcement",
        ),
        (
            "climb",
            "version: 1\npaths: {allow: [../../etc]}\n",
            "outside the project",
        ),
        ("broken", "version: 1\nlimits: [", ".saferun.yaml"),
    ] {
        let path = project(&daemon, name, yaml, "print(1)\n");
        let (code, stdout, stderr) = cli(&daemon, &["run", &shown(&path)]);
        assert_eq!((code, stdout.as_str()), (Some(2), ""), "{name}: {stderr}");
        assert!(stderr.contains(says), "{name}: {stderr}");
    }
    let link = project(&daemon, "link", "version: 1\n", "print(1)\n");
    let file = daemon.folder().join("link/.saferun.yaml");
    fs::rename(&file, daemon.folder().join("elsewhere.yaml")).expect("moved");
    std::os::unix::fs::symlink(daemon.folder().join("elsewhere.yaml"), &file).expect("a link");
    let (code, _, stderr) = cli(&daemon, &["run", &shown(&link)]);
    assert_eq!(code, Some(2));
    assert!(stderr.contains("symbolic link"), "{stderr}");

    // Writable by others, or somebody else's: it still only tightens.
    let open = project(
        &daemon,
        "open",
        "version: 1\nlevels: {BLOCKED: run}\nlimits: {time: 1s}\n",
        script,
    );
    let file = daemon.folder().join("open/.saferun.yaml");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o666)).expect("its mode");
    let (code, _, _) = cli(&daemon, &["run", &shown(&open)]);
    assert_eq!(code, Some(126));
    if nix::unistd::geteuid().is_root() {
        std::os::unix::fs::chown(&file, Some(12_345), None).expect("given away");
        let (code, _, _) = cli(&daemon, &["run", &shown(&open)]);
        assert_eq!(code, Some(126));
    }
}

#[test]
fn a_named_file_and_settings_of_the_command_line_hold_for_that_run() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let _ = daemon.image();
    let file = daemon.folder().join("mine.yaml");
    fs::write(
        &file,
        "version: 1\nimports: {block: [csv]}\nlevels: {BLOCKED: refuse}\n",
    )
    .expect("a file");
    let path = file.to_str().expect("a path");
    let (code, _, stderr) = cli(&daemon, &["run", "--policy", path, "-c", "import csv"]);
    assert_eq!(code, Some(126), "{stderr}");
    assert!(stderr.contains("csv"), "{stderr}");
    let (code, stdout, _) = cli(&daemon, &["run", "-c", "import csv; print('fine')"]);
    assert_eq!((code, stdout.as_str()), (Some(0), "fine\n"));
    let (code, _, _) = cli(
        &daemon,
        &["run", "--set", "limits.time=1s", "-c", "while True: pass"],
    );
    assert_eq!(code, Some(124));
    let (code, _, stderr) = cli(&daemon, &["run", "--set", "limits.tme=1s", "-c", "1"]);
    assert_eq!(code, Some(2));
    assert!(stderr.contains("did you mean `time`"), "{stderr}");
    let variable = daemon
        .cli(&["run", "-c", "while True: pass"])
        .env("SAFERUN_LIMITS_TIME", "1s")
        .output();
    assert_eq!(variable.expect("saferunctl").status.code(), Some(124));
    let preset = daemon
        .cli(&["run", "-c", "import os"])
        .env("SAFERUN_POLICY", "secure-sandbox")
        .output();
    assert_eq!(preset.expect("saferunctl").status.code(), Some(126));
}

#[test]
fn an_override_needs_a_terminal_or_the_users_own_word() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let _ = daemon.image();
    let code = "import os\nos.system('rm -rf /')\nprint('ran')";
    let args = ["run", "--override", "I have read it", "-c", code];
    let (exit, stdout, stderr) = cli(&daemon, &args);
    assert_eq!((exit, stdout.as_str()), (Some(126), ""), "{stderr}");
    assert!(stderr.contains("needs a person"), "{stderr}");
    // `script` gives it a terminal of its own.
    let saferunctl = saferun_tests::bin("saferunctl");
    let file = daemon.folder().join("x.py");
    fs::write(&file, code).expect("a script");
    let line = format!(
        "{} run --override 'I have read it' {}",
        saferunctl.display(),
        file.display()
    );
    let mut command = daemon.cli(&[]);
    let environment: Vec<_> = command
        .get_envs()
        .filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())))
        .collect();
    command = std::process::Command::new("script");
    let output = command
        .args(["-qec", &line, "/dev/null"])
        .envs(environment)
        .stdin(std::process::Stdio::null())
        .output()
        .expect("script starts");
    assert!(
        text(&output.stdout).contains("ran"),
        "{}",
        text(&output.stdout)
    );
    write(&daemon, "version: 1\noverride: {unattended: true}\n");
    daemon.wait_until("the word holds", |daemon| {
        daemon.status().policy.generation > 1
    });
    let (exit, stdout, stderr) = cli(&daemon, &args);
    assert_eq!(exit, Some(0), "{stderr}");
    assert!(stdout.contains("ran"));
    let agent = attempt(&daemon, code, |request| {
        request.client = ClientKind::Agent;
        request.override_reason = Some("a tool".to_owned());
    });
    let agent = agent.expect("an answer");
    assert_eq!(agent.status, Outcome::Blocked);
    assert!(
        agent.message.contains("`agent` may not override"),
        "{}",
        agent.message
    );
    let wire = attempt(&daemon, code, |request| {
        request.override_reason = Some("a tool".to_owned());
        request.policy_layers.project = vec![PolicyText::new(
            "p",
            "version: 1\noverride: {allowed: false}\n",
        )];
    });
    assert_eq!(
        wire.expect("an answer").status,
        Outcome::Blocked,
        "a project may forbid it"
    );
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

#[test]
fn settings_of_one_command_do_not_stay_in_the_daemon_that_it_starts() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let fresh = |args: &[&str], name: &str, value: &str| {
        let mut command = daemon.cli(args);
        command
            .env_remove("SAFERUN_NO_START")
            .env("SAFERUN_SOCKET", daemon.folder().join("fresh.sock"))
            .env("SAFERUN_STATE_DIR", daemon.folder().join("fresh"))
            .env("SAFERUN_ENGINE", daemon.engine())
            .env(name, value);
        let output = command.output().expect("saferunctl");
        (text(&output.stdout), text(&output.stderr))
    };
    let (_, stderr) = fresh(
        &["run", "-c", "while True: pass"],
        "SAFERUN_LIMITS_TIME",
        "1s",
    );
    assert!(stderr.contains("time limit of 1 s"), "{stderr}");
    let (status, _) = fresh(&["status", "--json"], "SAFERUN_POLICY", "agent");
    assert!(status.contains(r#""preset default""#), "{status}");
    assert!(!status.contains("SAFERUN_"), "{status}");
    fresh(&["daemon", "stop"], "SAFERUN_POOL_SIZE", "1");
    // Whoever starts the daemon by name means it.
    fresh(&["daemon", "start"], "SAFERUN_POLICY", "strict");
    let (status, _) = fresh(&["status", "--json"], "SAFERUN_POOL_SIZE", "1");
    fresh(&["daemon", "stop"], "SAFERUN_POOL_SIZE", "1");
    assert!(status.contains("environment SAFERUN_POLICY"), "{status}");
}

#[test]
fn what_holds_is_shown_with_the_line_that_set_it() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    write(&daemon, "version: 1\nlimits: {time: {max: 40s}}\n");
    project(
        &daemon,
        "here",
        "version: 1\nlimits: {pids: 12, time: 1h}\n",
        "import os\n",
    );
    let here = |args: &[&str]| {
        let mut command = daemon.cli(args);
        command.current_dir(daemon.folder().join("here/src"));
        command.env("SAFERUN_LIMITS_QUEUE", "3");
        let output = command.output().expect("saferunctl");
        (text(&output.stdout), text(&output.stderr))
    };
    let (shown, warnings) = here(&["policy", "show", "--origin"]);
    let line = |key: &str| {
        let found = shown.lines().find(|line| line.starts_with(key));
        found.unwrap_or_default().to_owned()
    };
    assert!(
        line("limits.time.max").contains("config/policy.yaml:2"),
        "{shown}"
    );
    assert!(
        line("limits.pids.max").contains("here/.saferun.yaml:2"),
        "{shown}"
    );
    assert!(
        line("limits.queue").contains("environment SAFERUN_LIMITS_QUEUE"),
        "{shown}"
    );
    assert!(line("levels.HIGH").contains("preset default"), "{shown}");
    assert!(warnings.contains("would widen"), "{warnings}");
    let (explained, _) = here(&["policy", "explain", "x.py", "--policy", "secure-sandbox"]);
    assert!(
        explained.contains("imports `os`, which is blocked"),
        "{explained}"
    );
    let (checked, _) = here(&["policy", "check"]);
    assert!(checked.contains("config/policy.yaml is sound"), "{checked}");
}
