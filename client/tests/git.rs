//! `scan --since`, `scan --staged` and the hook, with the real git and the real binary, in hostile repositories too.

use std::{
    ffi::OsStr,
    fs,
    os::unix::{ffi::OsStrExt, fs::PermissionsExt},
    path::Path,
    process::{Command, Output},
};

const BAD: &str = "import os\nos.system('rm -rf ' + input())\n";

fn git(folder: &Path, arguments: &[&str]) -> Output {
    Command::new("git")
        .args([
            "-c",
            "user.name=t",
            "-c",
            "user.email=t@localhost",
            "-c",
            "init.defaultBranch=main",
        ])
        .args(arguments)
        .current_dir(folder)
        .output()
        .expect("git starts")
}

fn done(folder: &Path, arguments: &[&str]) {
    let output = git(folder, arguments);
    assert!(output.status.success(), "git {arguments:?}: {output:?}");
}

/// A repository with one clean commit.
fn repository() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("it works");
    done(folder.path(), &["init", "-q"]);
    fs::write(folder.path().join("clean.py"), "x = 1\n").expect("it works");
    done(folder.path(), &["add", "."]);
    done(folder.path(), &["commit", "-q", "-m", "first"]);
    folder
}

fn scan(folder: &Path, arguments: &[&str]) -> (i32, serde_json::Value, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_saferunctl"))
        .args(["scan", "--format", "json"])
        .args(arguments)
        .current_dir(folder)
        .output()
        .expect("it works");
    let json = serde_json::from_slice(&output.stdout).unwrap_or_default();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code().expect("it works"), json, errors)
}

fn names(json: &serde_json::Value) -> Vec<String> {
    let files = json["files"].as_array().cloned().unwrap_or_default();
    let name = |file: &serde_json::Value| file["path"].as_str().expect("it works").to_owned();
    files.iter().map(name).collect()
}

#[test]
fn since_sees_committed_edited_and_unknown_files_and_not_those_of_the_other_branch() {
    let repository = repository();
    let folder = repository.path();
    done(folder, &["checkout", "-q", "-b", "topic"]);
    fs::write(folder.join("committed.py"), BAD).unwrap();
    done(folder, &["add", "."]);
    done(folder, &["commit", "-q", "-m", "second"]);
    done(folder, &["checkout", "-q", "main"]);
    fs::write(folder.join("theirs.py"), BAD).unwrap();
    done(folder, &["add", "."]);
    done(folder, &["commit", "-q", "-m", "theirs"]);
    done(folder, &["checkout", "-q", "topic"]);
    fs::write(folder.join("clean.py"), "x = 2\n").unwrap();
    let odd: &[&[u8]] = &[
        b"new\nline.py",
        b"-c.py",
        b"caf\xe9.py",
        b"$(touch pwned).py",
        b"deep.py",
    ];
    for name in odd {
        fs::write(folder.join(OsStr::from_bytes(name)), BAD).unwrap();
    }
    fs::write(folder.join(".gitignore"), "ignored.py\n").unwrap();
    fs::write(folder.join("ignored.py"), BAD).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", folder.join("link.py")).unwrap();
    let (code, json, errors) = scan(folder, &["--since", "main"]);
    assert_eq!(code, 1, "{errors}");
    let mut expected = vec![
        "$(touch pwned).py",
        "-c.py",
        "caf\u{fffd}.py",
        "clean.py",
        "committed.py",
        "deep.py",
        "new\nline.py",
    ];
    expected.sort_unstable();
    assert_eq!(names(&json), expected);
    assert!(!folder.join("pwned").exists());
    let (code, json, _) = scan(folder, &["--since", "main", "clean.py"]);
    assert_eq!((code, names(&json)), (0, vec!["clean.py".to_owned()]));
    for wrong in ["nowhere", "--help", "--output=x"] {
        let (code, _, errors) = scan(folder, &[&format!("--since={wrong}")]);
        assert_eq!(code, 2, "{errors}");
        assert!(errors.contains("git knows no revision"), "{errors}");
    }
}

#[test]
fn staged_is_what_the_index_holds_whatever_the_working_tree_holds() {
    let repository = repository();
    let folder = repository.path();
    assert_eq!(scan(folder, &["--staged"]).0, 0);
    fs::write(folder.join("a.py"), BAD).unwrap();
    done(folder, &["add", "a.py"]);
    fs::write(folder.join("a.py"), "x = 1\n").unwrap();
    fs::write(folder.join("b.py"), BAD).unwrap();
    let (code, json, errors) = scan(folder, &["--staged"]);
    assert_eq!(
        (code, names(&json)),
        (1, vec!["a.py".to_owned()]),
        "{errors}"
    );
    let fresh = tempfile::tempdir().unwrap();
    done(fresh.path(), &["init", "-q"]);
    fs::write(fresh.path().join("first.py"), BAD).unwrap();
    done(fresh.path(), &["add", "."]);
    let (code, json, errors) = scan(fresh.path(), &["--staged"]);
    assert_eq!(
        (code, names(&json)),
        (1, vec!["first.py".to_owned()]),
        "{errors}"
    );
}

#[test]
fn a_hostile_repository_starts_no_program() {
    let repository = repository();
    let folder = repository.path();
    let trap = folder.join(".git/trap");
    let mark = folder.join(".git/sprung");
    fs::write(
        &trap,
        format!("#!/bin/sh\necho \"$0 $*\" >> '{}'\ncat\n", mark.display()),
    )
    .unwrap();
    fs::set_permissions(&trap, fs::Permissions::from_mode(0o755)).unwrap();
    let trap = trap.display().to_string();
    for hook in [
        "post-index-change",
        "post-checkout",
        "fsmonitor-watchman",
        "reference-transaction",
    ] {
        fs::copy(&trap, folder.join(".git/hooks").join(hook)).unwrap();
    }
    fs::write(
        folder.join(".gitattributes"),
        "*.py filter=trap diff=trap\n",
    )
    .unwrap();
    fs::write(folder.join("bad.py"), BAD).unwrap();
    done(folder, &["add", "."]);
    // With the same length and a new time, git has to look at the content to know.
    fs::write(folder.join("clean.py"), "x = 9\n").unwrap();
    for (key, value) in [
        ("core.fsmonitor", trap.as_str()),
        ("core.pager", &trap),
        ("pager.diff-index", &trap),
        ("pager.ls-files", &trap),
        ("core.sshCommand", &trap),
        ("core.askPass", &trap),
        ("diff.external", &trap),
        ("diff.trap.textconv", &trap),
        ("diff.trap.command", &trap),
        ("filter.trap.clean", &trap),
        ("filter.trap.smudge", &trap),
        ("filter.trap.process", &trap),
        ("alias.diff-index", &format!("!{trap}")),
        ("alias.ls-files", &format!("!{trap}")),
        ("core.editor", &trap),
        ("gpg.program", &trap),
    ] {
        done(folder, &["config", key, value]);
    }
    let _ = fs::remove_file(&mark);
    // The traps do work: the everyday command falls into them.
    let _ = git(folder, &["diff"]);
    assert!(mark.exists(), "the trap is no trap");
    fs::remove_file(&mark).unwrap();
    for arguments in [&["--staged"][..], &["--since", "HEAD"]] {
        let (code, json, errors) = scan(folder, arguments);
        assert_eq!(code, 1, "{errors}");
        assert!(names(&json).contains(&"bad.py".to_owned()), "{json}");
        assert!(
            !mark.exists(),
            "{arguments:?}: {}",
            fs::read_to_string(&mark).unwrap()
        );
    }
}

#[test]
fn the_hook_refuses_the_commit_of_a_finding_and_lets_a_clean_one_pass() {
    let definition = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.pre-commit-hooks.yaml");
    let definition = fs::read_to_string(definition).unwrap();
    let entry = definition
        .lines()
        .find_map(|line| line.trim().strip_prefix("entry: saferunctl "))
        .expect("the entry");
    // Chosen by pre-commit, some files that are scanned would be left out.
    assert!(definition.contains("always_run: true") && !definition.contains("types"));
    let repository = repository();
    let folder = repository.path();
    let hook = folder.join(".git/hooks/pre-commit");
    let program = env!("CARGO_BIN_EXE_saferunctl");
    fs::write(&hook, format!("#!/bin/sh\nexec '{program}' {entry}\n")).unwrap();
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).unwrap();
    fs::write(folder.join("bad.py"), BAD).unwrap();
    done(folder, &["add", "."]);
    let refused = git(folder, &["commit", "-m", "bad"]);
    assert!(!refused.status.success(), "{refused:?}");
    fs::write(folder.join("bad.py"), "y = 1\n").unwrap();
    // Part of the working tree: git gives the hook an index of its own.
    done(folder, &["commit", "-q", "-m", "good", "bad.py"]);
    fs::write(folder.join("bad.py"), BAD).unwrap();
    let refused = git(folder, &["commit", "-m", "bad", "bad.py"]);
    assert!(!refused.status.success(), "{refused:?}");
}
