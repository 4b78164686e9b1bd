//! Files go into the workspace, and what a run changed comes out: named, hashed, bounded, never through a link.

mod common;

use common::{Sandbox, spec};
use saferun_frames::{Account, Budget, ChangeKind, EntryType, FaultStage, Place, RunSpec};

use ChangeKind::{Created, Deleted, Modified};
use EntryType::{Fifo, File, Folder, Symlink};

fn account() -> Account {
    let budget = Some(Budget {
        bytes: 1 << 20,
        entries: 100,
    });
    Account {
        changes: budget,
        artifacts: budget,
        trace: false,
        lines: false,
    }
}

fn wanted() -> RunSpec {
    RunSpec {
        account: account(),
        ..spec()
    }
}

#[test]
fn a_run_sees_its_files_and_what_it_changed_comes_back() {
    let Some((mut sandbox, _)) = Sandbox::start() else {
        return;
    };
    let source = r#"
import os, sys, pkg.helper
print(pkg.helper.WORD, sys.argv[0], sys.path[0] == os.getcwd(), sorted(os.listdir()))
os.remove("gone.txt")
open("kept.txt", "r+").write("same")
open("data/old.txt", "a").write("+new")
os.makedirs("made/deep"); open("made/deep/file", "wb").write(b"\0\1")
os.symlink("/etc/passwd", "link"); os.mkfifo("pipe")
os.chmod("mode.txt", 0o600)
os.mkdir("locked"); open("locked/x", "w").write("hidden"); os.chmod("locked", 0)
"#;
    let files = [
        ("pkg/__init__.py", ""),
        ("pkg/helper.py", "WORD = 'brought'\n"),
        ("gone.txt", "bye"),
        ("kept.txt", "same"),
        ("mode.txt", "m"),
        ("data/old.txt", "old"),
    ];
    sandbox.begin_with(wanted(), source, &files);
    let outcome = sandbox.finish();
    assert_eq!(
        outcome.text(),
        "brought main.py True ['data', 'gone.txt', 'kept.txt', 'main.py', 'mode.txt', 'pkg']\n"
    );
    let end = outcome.end();
    let collected = end.collected.as_ref().expect("it was asked for");
    assert!(collected.complete, "{collected:?}");
    let found: Vec<(String, ChangeKind, Option<EntryType>, Vec<u8>)> = outcome
        .changes
        .iter()
        .map(|(change, content)| {
            assert_eq!(change.place, Place::Workspace);
            assert_eq!(change.content.unwrap_or(0), content.len() as u64);
            let kind = change.after.as_ref().map(|after| after.kind);
            (change.path.clone(), change.kind, kind, content.clone())
        })
        .collect();
    let row =
        |path: &str, kind, entry, content: &[u8]| (path.to_owned(), kind, entry, content.to_vec());
    assert_eq!(
        found,
        [
            row("data/old.txt", Modified, Some(File), b"old+new"),
            row("link", Created, Some(Symlink), b""),
            row("locked", Created, Some(Folder), b""),
            row("locked/x", Created, Some(File), b"hidden"),
            row("made", Created, Some(Folder), b""),
            row("made/deep", Created, Some(Folder), b""),
            row("made/deep/file", Created, Some(File), b"\0\x01"),
            row("mode.txt", Modified, Some(File), b"m"),
            row("pipe", Created, Some(Fifo), b""),
            row("gone.txt", Deleted, None, b""),
        ]
    );
    let link = &outcome.changes[1]
        .0
        .after
        .as_ref()
        .expect("an entry")
        .target;
    assert_eq!(link.as_deref(), Some("/etc/passwd"));
}

#[test]
fn a_script_in_a_folder_runs_as_python_would_run_it() {
    let Some((mut sandbox, _)) = Sandbox::start() else {
        return;
    };
    let spec = RunSpec {
        file_name: "tools/run.py".into(),
        ..spec()
    };
    let source = "import os, sys, side\nprint(side.X, sys.argv[0], os.path.relpath(sys.path[0]), os.path.relpath(__file__))";
    sandbox.begin_with(spec, source, &[("tools/side.py", "X = 1")]);
    assert_eq!(
        sandbox.finish().text(),
        "1 tools/run.py tools tools/run.py\n"
    );
}

#[test]
fn more_than_may_come_back_is_named_and_left_out() {
    let Some((mut sandbox, _)) = Sandbox::start() else {
        return;
    };
    let source = r#"
import os
open("big", "wb").truncate(1 << 36)
open("a-large", "wb").write(b"x" * (2 << 20))
open(b"\xff", "w").close()
os.makedirs("/".join(["d"] * 70))
for n in range(5000): open(f"f{n}", "w").close()
"#;
    let outcome = sandbox.run(wanted(), source);
    let collected = outcome.end().collected.as_ref().expect("it was asked for");
    assert!(!collected.complete);
    assert_eq!(outcome.changes.len(), saferun_frames::MAX_CHANGES);
    let notes = collected.notes.join("\n");
    for part in ["too large", "not UTF-8", "deeper", "4096 changes"] {
        assert!(notes.contains(part), "{part}: {notes}");
    }
    let large = outcome
        .changes
        .iter()
        .find(|(change, _)| change.path == "a-large");
    assert!(large.is_some_and(|(change, _)| change.content.is_none()));
}

#[test]
fn more_files_in_out_than_may_come_back_are_counted_and_said() {
    let Some((mut sandbox, _)) = Sandbox::start() else {
        return;
    };
    let source = r#"
import os
out = os.path.join(os.path.dirname(os.getcwd()), "out")
for n in range(150): open(f"{out}/{n:03}", "w").write("12")
os.mkdir(f"{out}/folder")
"#;
    let outcome = sandbox.run(wanted(), source);
    let collected = outcome.end().collected.as_ref().expect("it was asked for");
    let out = outcome
        .changes
        .iter()
        .filter(|(change, _)| change.place == Place::Out);
    assert_eq!(out.count(), 101, "{collected:?}");
    let left = &collected.left_behind;
    assert_eq!(
        (left.files, left.bytes, left.perhaps_more),
        (50, 100, false)
    );
    assert_eq!(left.names, ["100", "101", "102", "103", "104"]);
    // What is known of the workspace is no less for it.
    assert!(collected.complete && collected.notes.is_empty());
}

#[test]
fn a_file_outside_or_twice_is_refused() {
    for (path, stage) in [
        ("../x", FaultStage::HandOver),
        ("/etc/x", FaultStage::HandOver),
        ("main.py", FaultStage::HandOver),
        ("main.py/x", FaultStage::HandOver),
    ] {
        let Some((mut sandbox, _)) = Sandbox::start() else {
            return;
        };
        sandbox.begin_with(wanted(), "print('ran')", &[(path, "x")]);
        let outcome = sandbox.finish();
        assert_eq!(
            outcome.fault.map(|fault| fault.stage),
            Some(stage),
            "{path}"
        );
        assert!(outcome.stdout.is_empty());
    }
}
