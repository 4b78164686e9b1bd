//! Promise: a person sees what a run would have changed before it happens, which of it was predicted, and puts into the
//! real folder what they choose.

use std::{fs, path::PathBuf, process::Output};

use saferun_protocol::{Observation, RunResult};
use saferun_tests::{Daemon, TRACED, snapshot, text};

/// A project with something to change, and something that is not sent.
fn project(daemon: &Daemon, name: &str) -> PathBuf {
    let root = daemon.folder().join(name);
    fs::create_dir_all(root.join("pkg")).expect("folders");
    for (path, content) in [
        ("pkg/__init__.py", ""),
        ("notes.txt", "one\ntwo\nthree\n"),
        ("old.txt", "old\n"),
        (".gitignore", "*.log\n"),
        ("run.log", "ignored"),
    ] {
        fs::write(root.join(path), content).expect("a file");
    }
    root
}

fn output(daemon: &Daemon, args: &[&str]) -> Output {
    // Journals of what is applied are the test's own, not those of whoever runs it.
    let mut command = daemon.cli(args);
    command.env("SAFERUN_STATE_DIR", daemon.folder().join("journals"));
    command.output().expect("saferunctl runs")
}

#[test]
fn what_was_refused_says_so_and_nothing_of_applying() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let root = project(&daemon, "refused");
    fs::write(
        root.join("plant.py"),
        "open('.git/hooks/pre-commit', 'w')\n",
    )
    .expect("a file");
    fs::write(root.join("main.py"), "open('notes.txt', 'w').write('')\n").expect("the script");
    let shown = root.display().to_string();
    let before = snapshot(&root);
    let run = output(
        &daemon,
        &["run", "--workspace", &shown, "main.py", "--apply"],
    );
    let stderr = text(&run.stderr);
    assert_eq!(run.status.code(), Some(126), "{stderr}");
    assert!(stderr.contains("in plant.py: "), "{stderr}");
    assert!(!stderr.contains("apply"), "{stderr}");
    assert_eq!(snapshot(&root), before);
}

#[test]
fn what_is_chosen_is_applied_to_the_real_folder_and_can_be_undone() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let _ = daemon.image();
    let root = project(&daemon, "applied");
    let script = "import os\n\
        open('notes.txt', 'a').write('four\\n')\n\
        os.remove('old.txt')\n\
        os.makedirs('made')\n\
        open('made/new.py', 'w').write('x = 1\\n')\n\
        os.chmod('made/new.py', 0o6777)\n\
        open('run.log', 'w').write('in the way')\n";
    fs::write(root.join("main.py"), script).expect("the script");
    let before = snapshot(&root);
    let shown = root.display().to_string();
    let run = |more: &[&str]| {
        let line = [
            "run",
            "--workspace",
            &shown,
            "main.py",
            "--policy",
            "permissive",
        ];
        output(&daemon, &[&line[..], more].concat())
    };
    // A file that git ignores was not sent, and is not written over.
    let refused = run(&["--apply"]);
    let stderr = text(&refused.stderr);
    assert_eq!(refused.status.code(), Some(125), "{stderr}");
    assert!(stderr.contains("nothing was applied: run.log"), "{stderr}");
    assert_eq!(snapshot(&root), before);
    let applied = run(&["--apply=*.txt", "--apply=made"]);
    let stderr = text(&applied.stderr);
    assert!(applied.status.success(), "{stderr}");
    let notes = fs::read_to_string(root.join("notes.txt")).expect("a file");
    assert_eq!(notes, "one\ntwo\nthree\nfour\n");
    assert!(!root.join("old.txt").exists());
    let mode = fs::metadata(root.join("made/new.py")).expect("a file");
    let mode = std::os::unix::fs::PermissionsExt::mode(&mode.permissions());
    assert_eq!(mode & 0o7100, 0o100, "executable and not setuid: {mode:o}");
    assert_eq!(
        fs::read_to_string(root.join("run.log")).expect("a file"),
        "ignored"
    );
    let undone = output(&daemon, &["apply", "--undo"]);
    assert!(undone.status.success(), "{}", text(&undone.stderr));
    assert_eq!(snapshot(&root), before);
    assert!(!root.join("made").exists());
    // What failed is not applied.
    fs::write(
        root.join("main.py"),
        format!("{script}raise SystemExit(3)\n"),
    )
    .expect("the script");
    let before = snapshot(&root);
    let failed = run(&["--apply=*.txt"]);
    assert_eq!(failed.status.code(), Some(3));
    assert!(text(&failed.stderr).contains("exit code 3: nothing was applied"));
    assert_eq!(snapshot(&root), before);
}

#[test]
fn findings_are_marked_by_what_was_seen_and_surprises_come_first() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let _ = daemon.image();
    let root = project(&daemon, "foretold");
    let script = "import os, shutil, socket, sys\n\
        if len(sys.argv) > 1:\n    shutil.rmtree('pkg')\n\
        try: socket.create_connection(('192.0.2.9', 443), timeout=2)\n\
        except OSError: pass\n\
        open('notes.txt', 'a').write('x')\n\
        hidden = {'a': lambda path: [one for one in [path]]}\n\
        import pathlib\n\
        act = vars(pathlib.Path)[''.join(reversed('knilnu'))]\n\
        act(pathlib.Path('old.txt'))\n";
    fs::write(root.join("main.py"), script).expect("the script");
    let shown = root.display().to_string();
    let line = ["run", "--workspace", &shown, "main.py"];
    let line = [&line[..], &TRACED].concat();
    let run = output(&daemon, &[&line[..], &["--json"]].concat());
    let result: RunResult = serde_json::from_slice(&run.stdout).expect("an account");
    let observed = |rule: &str| {
        let mut found = result
            .findings
            .iter()
            .filter(|finding| finding.rule == rule);
        found.next().and_then(|finding| finding.observed)
    };
    assert_eq!(
        observed("SR303"),
        Some(Observation::NotReached),
        "{:?}",
        result.findings
    );
    assert_eq!(
        observed("SR602"),
        Some(Observation::Refused),
        "{:?}",
        result.trace
    );
    assert_eq!(
        observed("SR305"),
        Some(Observation::Observed),
        "{:?}",
        result.trace
    );
    let run = output(&daemon, &line);
    let stderr = text(&run.stderr);
    assert!(run.status.success(), "{stderr}");
    for part in [
        "  main.py:4: reach 192.0.2.9:443",
        "LOW deletes-tree at line 3: not reached",
        "LOW writes-file at line 6: observed",
        "saferunctl: what it would have changed\n  modified notes.txt",
        "  deleted old.txt",
    ] {
        assert!(stderr.contains(part), "{part}: {stderr}");
    }
    // A delete that the scanner did not see through comes first.
    assert!(
        stderr.contains("saferunctl: what no finding predicted\n  main.py:10: take away"),
        "{stderr}"
    );
}

/// Each finding whose act was done is borne out, though another line did the same to the same thing before it.
#[test]
fn what_two_lines_do_to_the_same_thing_is_told_of_both() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let _ = daemon.image();
    let root = project(&daemon, "twice");
    let script = "import socket\n\
        open('a.txt', 'w').write('1')\n\
        try: socket.create_connection(('192.0.2.9', 443), timeout=2)\n\
        except OSError: pass\n\
        open('a.txt', 'w').write('2')\n\
        try: socket.create_connection(('192.0.2.9', 443), timeout=2)\n\
        except OSError: pass\n";
    fs::write(root.join("main.py"), script).expect("the script");
    let shown = root.display().to_string();
    let line = ["run", "--workspace", &shown, "main.py", "--json"];
    let run = output(&daemon, &[&line[..], &TRACED].concat());
    let result: RunResult = serde_json::from_slice(&run.stdout).expect("an account");
    let observed: Vec<_> = result
        .findings
        .iter()
        .filter(|finding| ["SR305", "SR602"].contains(&finding.rule.as_str()))
        .map(|finding| (finding.range.start.line, finding.observed))
        .collect();
    let (done, refused) = (Some(Observation::Observed), Some(Observation::Refused));
    assert_eq!(
        observed,
        [(2, done), (3, refused), (5, done), (6, refused)],
        "{:?}",
        result.trace
    );
}

#[test]
fn a_suggested_policy_lets_the_same_run_pass_and_little_more() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let _ = daemon.image();
    let root = project(&daemon, "suggested");
    let script = "import json, pkg\nheld = bytearray(60 << 20)\nprint(json.dumps(len(held)))\n";
    fs::write(root.join("main.py"), script).expect("the script");
    let file = daemon.folder().join("suggested.yaml");
    let (shown, policy) = (root.display().to_string(), file.display().to_string());
    let run = |more: &[&str]| {
        let line = ["run", "--workspace", &shown, "main.py", "--runtime", "runc"];
        output(&daemon, &[&line[..], more].concat())
    };
    let first = run(&["--suggest-policy", &policy]);
    assert!(first.status.success(), "{}", text(&first.stderr));
    let suggested = fs::read_to_string(&file).expect("a policy");
    let checked = output(&daemon, &["policy", "check", &policy]);
    assert!(
        checked.status.success(),
        "{suggested}{}",
        text(&checked.stderr)
    );
    let again = run(&["--policy", &policy]);
    assert!(again.status.success(), "{suggested}{}", text(&again.stderr));
    assert_eq!(text(&again.stdout), text(&first.stdout));
    // Under less memory than it suggests the same run fails, and so does one that imports something else.
    let tighter = run(&["--policy", &policy, "--memory", "40MiB"]);
    assert_eq!(
        tighter.status.code(),
        Some(137),
        "{suggested}{}",
        text(&tighter.stderr)
    );
    fs::write(root.join("main.py"), format!("import socket\n{script}")).expect("the script");
    let other = run(&["--policy", &policy]);
    assert_eq!(
        other.status.code(),
        Some(126),
        "{suggested}{}",
        text(&other.stderr)
    );
    // It is never written over.
    assert_eq!(run(&["--suggest-policy", &policy]).status.code(), Some(125));
    assert_eq!(fs::read_to_string(&file).expect("a policy"), suggested);
}

/// A script that needs each clause of the policy that is suggested for it: two modules, time, memory, output, its own
/// size, an artifact. Its bytes are no UTF-8.
fn demanding() -> Vec<u8> {
    let mut script = b"# coding: latin-1\n# \xe9\nimport time, json\n".to_vec();
    script.extend(b"# a comment that makes the script larger\n".repeat(600));
    script.extend(
        b"held = bytearray(60 << 20)\ntime.sleep(1.2)\nprint('x' * 40_000)\n\
          open('/out/a.json', 'w').write(json.dumps('\xe9'))\n",
    );
    script
}

#[test]
fn each_clause_of_a_suggested_policy_is_needed() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let _ = daemon.image();
    let script = daemon.folder().join("demanding");
    fs::write(&script, demanding()).expect("the script");
    let out = daemon.folder().join("out");
    let file = daemon.folder().join("tight.yaml");
    let shown = |path: &PathBuf| path.display().to_string();
    let (script, out, policy) = (shown(&script), shown(&out), shown(&file));
    let run = |more: &[&str]| {
        let line = [
            "run",
            &script,
            "--json",
            "--out",
            &out,
            "--force",
            "--runtime",
            "runc",
        ];
        let run = output(&daemon, &[&line[..], more].concat());
        let result = serde_json::from_slice::<RunResult>(&run.stdout).ok();
        (run.status.code(), result, text(&run.stderr))
    };
    let (code, _, stderr) = run(&["--suggest-policy", &policy]);
    assert_eq!(code, Some(0), "{stderr}");
    let suggested = fs::read_to_string(&file).expect("a policy");
    let (code, result, stderr) = run(&["--policy", &policy]);
    assert_eq!(code, Some(0), "{suggested}{stderr}");
    let result = result.expect("an account");
    assert_eq!((result.dropped_bytes, result.artifacts.len()), (0, 1));
    // Each row makes one clause tighter, and says what becomes of the run.
    let line = |name: &str| {
        let mut lines = suggested.lines();
        let found = lines.find(|line| line.trim_start().starts_with(name));
        found
            .unwrap_or_else(|| panic!("{name}: {suggested}"))
            .to_owned()
    };
    let imports = line("allow: [");
    for (from, to, expected) in [
        (imports.clone(), imports.replace("\"json\"", "\"csv\""), 126),
        (imports.clone(), imports.replace("\"time\"", "\"csv\""), 126),
        (line("LOW:"), "  LOW: refuse".to_owned(), 126),
        (
            line("memory:"),
            "  memory: {default: 64MiB, max: 64MiB}".to_owned(),
            137,
        ),
        (
            line("time:"),
            "  time: {default: 1s, max: 1s}".to_owned(),
            124,
        ),
        (
            line("source:"),
            "  source: {default: 16KiB, max: 16KiB}".to_owned(),
            2,
        ),
    ] {
        assert!(
            suggested.contains(&from) && from != to,
            "{from}: {suggested}"
        );
        let tighter = daemon.folder().join("tighter.yaml");
        fs::write(&tighter, suggested.replace(&from, &to)).expect("a policy");
        let (code, _, stderr) = run(&["--policy", &shown(&tighter)]);
        assert_eq!(code, Some(expected), "{to}: {stderr}");
    }
    for (from, to) in [
        (line("output: {"), "  output: {default: 16KiB, max: 16KiB}"),
        (line("artifacts: true"), "  artifacts: false"),
    ] {
        let tighter = daemon.folder().join("tighter.yaml");
        fs::write(&tighter, suggested.replace(&from, to)).expect("a policy");
        let (_, result, stderr) = run(&["--policy", &shown(&tighter)]);
        let result = result.unwrap_or_else(|| panic!("{to}: {stderr}"));
        assert!(
            result.dropped_bytes > 0 || result.artifacts.is_empty(),
            "{to}: {stderr}"
        );
    }
}

#[test]
fn code_from_the_command_line_runs_in_a_project() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let _ = daemon.image();
    let root = project(&daemon, "commanded");
    fs::write(root.join("pkg/value.py"), "x = 7\n").expect("a file");
    // The project's own policy counts, though the code does not stand in it.
    fs::write(
        root.join(".saferun.yaml"),
        "version: 1\nlimits: {time: 7s}\n",
    )
    .expect("a policy");
    let shown = root.display().to_string();
    let code = "import pkg.value as v, os; os.remove('old.txt'); print(v.x, __file__)";
    let line = [
        "run",
        "--workspace",
        &shown,
        "-c",
        code,
        "--apply",
        "--json",
    ];
    let run = output(&daemon, &line);
    let result: RunResult = serde_json::from_slice(&run.stdout).expect("an account");
    assert_eq!(result.stdout, "7 /workspace/main.py\n", "{}", result.stderr);
    assert_eq!(result.limits.time_ms, 7_000);
    assert!(!root.join("old.txt").exists() && !root.join("main.py").exists());
}

#[test]
fn an_interrupt_while_changes_are_applied_ends_it_before_or_after() {
    use nix::{
        sys::signal::{Signal, kill},
        unistd::Pid,
    };

    let Some(daemon) = Daemon::start() else {
        return;
    };
    let _ = daemon.image();
    let root = project(&daemon, "stopped");
    for number in 0..400 {
        fs::write(root.join(format!("f{number:03}")), "old").expect("a file");
    }
    let script = "for n in range(400): open(f'f{n:03}', 'w').write('new')\n";
    fs::write(root.join("main.py"), script).expect("the script");
    let before = snapshot(&root);
    let shown = root.display().to_string();
    let state = daemon.folder().join("journals");
    // A shell that started the tests in the background has it ignored, and `saferunctl` honours that.
    let mut command = daemon.wrapped_cli(
        &["env", "--default-signal=INT"],
        &["run", "--workspace", &shown, "main.py", "--apply"],
    );
    let child = command
        .env("SAFERUN_STATE_DIR", &state)
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("saferunctl runs");
    let pid = Pid::from_raw(i32::try_from(child.id()).expect("a pid"));
    // A journal that is whole: the steps have begun, or are about to.
    daemon.wait_until("the steps begin", |_| {
        let Ok(entries) = fs::read_dir(state.join("apply")) else {
            return false;
        };
        let mut names = entries.map(|entry| entry.expect("an entry").file_name());
        names.any(|name| name != "lock" && !name.to_string_lossy().ends_with(".part"))
    });
    // A person who presses it twice changes nothing.
    for _ in 0..2 {
        let _ = kill(pid, Signal::SIGINT);
    }
    let ended = child.wait_with_output().expect("it ends");
    let stderr = text(&ended.stderr);
    if stderr.contains("saferunctl: applied 400") {
        assert!(root.join("f399").exists(), "{stderr}");
        for number in 0..400 {
            let now = fs::read_to_string(root.join(format!("f{number:03}"))).expect("a file");
            assert_eq!(now, "new", "{stderr}");
        }
    } else {
        assert!(
            stderr.contains("interrupted: everything is as it was"),
            "{stderr}"
        );
        assert_eq!(ended.status.code(), Some(130), "{stderr}");
        assert_eq!(snapshot(&root), before);
    }
    let left = output(&daemon, &["apply"]);
    assert!(
        !text(&left.stdout).contains("interrupted"),
        "{}",
        text(&left.stdout)
    );
}
