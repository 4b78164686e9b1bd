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
