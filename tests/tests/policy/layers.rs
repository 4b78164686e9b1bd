//! Layers over the user's file: projects, named files, the environment, the command line.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use saferun_tests::{Daemon, text};

use super::{cli, project, write};

#[test]
fn i5_a_projects_policy_tightens_and_never_widens() {
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
    // Which paths it leaves is its own business, with or without a person: that only tightens.
    let paths =
        "version: 1\npaths: {default: block, allow: [/tmp/**]}\nlevels: {BLOCKED: refuse}\n";
    fs::write(&file, paths).expect("a file");
    let run = |code: &str| cli(&daemon, &["run", "--policy", path, "-c", code]);
    let (code, _, stderr) = run("open('/tmp/x', 'a')");
    assert_eq!(code, Some(0), "{stderr}");
    let (code, _, stderr) = run("open('/tmp/../etc/passwd')");
    assert_eq!(code, Some(126), "{stderr}");
    assert!(stderr.contains("read as `/etc/passwd`"), "{stderr}");
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
        explained.contains("imports `os`, which the policy blocks"),
        "{explained}"
    );
    let (checked, _) = here(&["policy", "check"]);
    assert!(checked.contains("config/policy.yaml is sound"), "{checked}");
}
