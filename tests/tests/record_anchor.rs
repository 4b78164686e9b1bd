//! Promise: a record that was put back to an older state, database and head file together, is found by what others keep:
//! the real system journal, and a line that somebody kept.

use std::{
    fs,
    os::unix::net::UnixDatagram,
    path::{Path, PathBuf},
    process::Output,
    time::{Duration, Instant},
};

use saferun_tests::{Daemon, SystemJournal, pause, text};

/// Tells the journal that a record was begun at this path, as anybody can.
fn forge_a_beginning(socket: &str, record: &Path) {
    let line = format!(
        "MESSAGE=audit record: a new one begins\nSYSLOG_IDENTIFIER=saferund\nSAFERUN_AUDIT_BEGUN=1\nSAFERUN_AUDIT_FILE={}\n",
        record.display()
    );
    let from = UnixDatagram::unbound().expect("a socket");
    from.send_to(line.as_bytes(), socket).expect("it is told");
}

fn said(daemon: &Daemon, args: &[&str], code: i32) -> String {
    let output: Output = daemon.cli(args).output().expect("saferunctl");
    let all = text(&output.stdout) + &text(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{args:?}: {all}");
    all
}

fn stop(daemon: &mut Daemon) {
    let output = daemon
        .cli(&["daemon", "stop"])
        .output()
        .expect("saferunctl");
    assert!(output.status.success(), "{output:?}");
    daemon.kill();
}

/// The files of the record, as they are while no daemon runs.
fn files(state: &Path) -> Vec<(PathBuf, Option<Vec<u8>>)> {
    [
        "audit.sqlite",
        "audit.sqlite-wal",
        "audit.sqlite-shm",
        "audit.head",
    ]
    .iter()
    .map(|name| (state.join(name), fs::read(state.join(name)).ok()))
    .collect()
}

fn put_back(files: &[(PathBuf, Option<Vec<u8>>)]) {
    for (path, bytes) in files {
        match bytes {
            Some(bytes) => fs::write(path, bytes).expect("a file"),
            None => drop(fs::remove_file(path)),
        }
    }
}

#[test]
fn a_record_that_was_put_back_is_found_by_the_system_journal_and_by_a_kept_line() {
    let Some(journal) = SystemJournal::start() else {
        return;
    };
    let socket = journal.socket().display().to_string();
    let Some(mut daemon) = Daemon::start_with(&[("SAFERUN_SYSTEM_JOURNAL", &socket)]) else {
        return;
    };
    let directory = format!("--journal-directory={}", journal.files().display());
    let state = daemon.folder().join("state");
    let _ = daemon.run("print(1)");
    let begun = Instant::now();
    stop(&mut daemon);
    let older = files(&state);
    daemon.restart();
    let _ = daemon.run("print(2)");
    let line = said(&daemon, &["history", "head"], 0);
    let kept = daemon.folder().join("heads");
    fs::write(&kept, &line).expect("a file");
    let kept = kept.display().to_string();
    let sound = said(
        &daemon,
        &["history", "verify", &directory, "--at-file", &kept],
        0,
    );
    assert!(
        sound.contains("consistent") && sound.contains("the last of event 4"),
        "{sound}"
    );
    assert!(
        sound.contains("links of this record") && sound.contains("was begun"),
        "{sound}"
    );
    stop(&mut daemon);

    put_back(&older);
    daemon.restart();
    // In itself it is sound, and says so.
    let blind = said(&daemon, &["history", "verify", "--no-journal"], 0);
    assert!(
        blind.contains("consistent") && blind.contains("2 events"),
        "{blind}"
    );
    for args in [
        vec!["history", "verify", &directory],
        vec!["history", "verify", "--no-journal", "--at-file", &kept],
        vec!["history", "verify", "--no-journal", "--at", line.trim()],
    ] {
        let found = said(&daemon, &args, 1);
        assert!(
            found.contains("broken") && found.contains("older state"),
            "{found}"
        );
    }
    // Nor does it help to go on until there are as many again.
    let _ = daemon.run("print('other')");
    let found = said(&daemon, &["history", "verify", &directory], 1);
    assert!(found.contains("made anew"), "{found}");

    // The same of a copy, without a daemon.
    stop(&mut daemon);
    let copy = state.join("audit.sqlite").display().to_string();
    let of = format!("--journal-of={copy}");
    let found = said(
        &daemon,
        &["history", "verify", "--database", &copy, &directory, &of],
        1,
    );
    assert!(found.contains("made anew"), "{found}");
    let blind = said(&daemon, &["history", "verify", "--database", &copy], 0);
    assert!(blind.contains("consistent"), "{blind}");
    let alone = ["history", "verify", "--database", &copy, &directory];
    let refused = said(&daemon, &alone, 2);
    assert!(refused.contains("--journal-of"), "{refused}");

    // A line that says that a record begins only now hides no link from before: this one is older than the line, by more
    // than the journal may be late.
    while begun.elapsed() < Duration::from_secs(6) {
        pause();
    }
    daemon.restart();
    forge_a_beginning(&socket, &state.join("audit.sqlite"));
    daemon.wait_until("the journal has the line", |daemon| {
        let found = said(daemon, &["history", "verify", &directory], 1);
        assert!(found.contains("made anew"), "{found}");
        found.contains("written to hide earlier ones")
    });
    // Nor does a record that begins later answer for the one before it.
    stop(&mut daemon);
    for (path, _) in files(&state) {
        let _ = fs::remove_file(path);
    }
    daemon.restart();
    let _ = daemon.run("print('a new one')");
    let new = said(&daemon, &["history", "verify", &directory], 0);
    assert!(
        new.contains("consistent") && new.contains("was begun"),
        "{new}"
    );
}
