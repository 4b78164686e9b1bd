//! How programs write files: in place, by renaming, with a backup; git; a script that writes many.

use std::{
    collections::BTreeSet,
    fs,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use saferun_protocol::WatchEvent;
use saferun_tests::{git, text};

use crate::{BAD, CLEAN, OTHER, Watch, daemon};

#[test]
fn each_style_of_saving_is_seen_and_none_is_taken_for_the_end_of_the_file() {
    let (daemon, root) = daemon();
    let file = root.join("a.py");
    fs::write(&file, BAD).unwrap();
    let mut watch = Watch::new(&daemon, &root);
    let first = watch.rules(&file).join(" ");
    assert!(!first.is_empty());
    // In place, in two writes with the file open all along.
    let mut open = fs::File::create(&file).unwrap();
    open.write_all(b"eval(").unwrap();
    open.write_all(b"input())\n").unwrap();
    drop(open);
    watch.until("saved in place", |watch| {
        watch.has(&file) && watch.rules(&file).join(" ") != first
    });
    // Written beside and renamed.
    fs::write(root.join("a.py.tmp"), BAD).unwrap();
    fs::rename(root.join("a.py.tmp"), &file).unwrap();
    watch.until("saved by renaming", |watch| {
        watch.rules(&file).join(" ") == first
    });
    // The old one becomes the backup, a new one is written.
    fs::rename(&file, root.join("a.py~")).unwrap();
    fs::write(&file, OTHER).unwrap();
    watch.until("saved with a backup", |watch| {
        watch.has(&file) && watch.rules(&file).join(" ") != first
    });
    // Still open: looked at when it rests.
    let mut open = fs::File::create(&file).unwrap();
    open.write_all(BAD.as_bytes()).unwrap();
    open.flush().unwrap();
    watch.until("told before it is closed", |watch| {
        watch.rules(&file).join(" ") == first
    });
    drop(open);
    assert_eq!(watch.files.keys().collect::<Vec<_>>(), [&file]);
    fs::write(&file, CLEAN).unwrap();
    watch.until("clean", |watch| !watch.has(&file));
    fs::write(&file, BAD).unwrap();
    watch.until("found again", |watch| watch.has(&file));
    fs::remove_file(&file).unwrap();
    watch.until("removed", |watch| !watch.has(&file));
    // Twice, and not at any of the saves before.
    assert_eq!(watch.told[&file].1, 2);
}

/// What `saferunctl scan` finds, by path.
fn scanned(root: &Path) -> BTreeSet<PathBuf> {
    let output = Command::new(saferun_tests::bin("saferunctl"))
        .args(["scan", "--format", "json"])
        .arg(root)
        .output()
        .expect("saferunctl starts");
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let files = json["files"].as_array().expect("files");
    let found = files.iter().filter(|file| {
        file["findings"]
            .as_array()
            .is_some_and(|all| !all.is_empty())
    });
    found
        .map(|file| PathBuf::from(file["path"].as_str().expect("a path")))
        .collect()
}

#[test]
fn a_checkout_of_another_branch_is_followed() {
    let (daemon, root) = daemon();
    git(&root, &["init", "-q", "-b", "main"]);
    fs::create_dir(root.join("pkg")).unwrap();
    for number in 0..40 {
        fs::write(root.join(format!("pkg/m{number}.py")), BAD).unwrap();
    }
    git(&root, &["add", "."]);
    git(&root, &["commit", "-q", "-m", "one"]);
    git(&root, &["checkout", "-q", "-b", "other"]);
    git(&root, &["rm", "-q", "-r", "pkg"]);
    fs::create_dir_all(root.join("new/deep")).unwrap();
    for number in 0..40 {
        fs::write(root.join(format!("new/deep/n{number}.py")), OTHER).unwrap();
    }
    git(&root, &["add", "."]);
    git(&root, &["commit", "-q", "-m", "two"]);
    let mut watch = Watch::new(&daemon, &root);
    for branch in ["main", "other", "main"] {
        git(&root, &["checkout", "-q", branch]);
        let expected = scanned(&root);
        assert_eq!(expected.len(), 40);
        watch.until(branch, |watch| {
            watch.files.keys().cloned().collect::<BTreeSet<_>>() == expected
        });
    }
}

/// A script writes 200 files in folders that it makes, some dangerous. The command and another subscriber show what a
/// scan finds: nothing is missed, and nothing is shown twice.
#[test]
fn two_hundred_files_of_a_script_are_shown_once_by_every_subscriber() {
    let (daemon, root) = daemon();
    let mut watch = Watch::new(&daemon, &root);
    let mut command = daemon
        .cli(&["watch", "--json", root.to_str().unwrap()])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(command.stdout.take().unwrap()).lines();
    let mut next = move || -> WatchEvent {
        let line = lines.next().expect("the command goes on").unwrap();
        serde_json::from_str(&line).unwrap()
    };
    while !matches!(next(), WatchEvent::Ready(_)) {}
    let script = "import os, sys\nroot = sys.argv[1]\nfor n in range(200):\n    d = f'{root}/pkg{n % 7}/sub{n % 3}'\n    \
                  os.makedirs(d, exist_ok=True)\n    body = 'import os\\nos.system(input())\\n' if n % 4 == 0 else f'x = {n}\\n'\n    \
                  open(f'{d}/m{n}.py', 'w').write(f'# {n}\\n' + body)\n";
    let written = Command::new("python3")
        .args(["-c", script])
        .arg(&root)
        .output()
        .unwrap();
    assert!(written.status.success(), "{}", text(&written.stderr));
    let expected = scanned(&root);
    assert_eq!(expected.len(), 50);
    watch.until("all are told", |watch| watch.files.len() == 50);
    watch.settle(&root, "last.py");
    assert_eq!(
        watch.files.keys().cloned().collect::<BTreeSet<_>>(),
        expected
    );
    let mut shown: Vec<PathBuf> = Vec::new();
    // The last file was removed above: its end is the last word.
    loop {
        match next() {
            WatchEvent::File(file) => shown.push(file.file.to_path().unwrap()),
            WatchEvent::Cleared { file, .. } => {
                assert!(file.path.ends_with("last.py"), "{file:?}");
                break;
            }
            _ => {}
        }
    }
    command.kill().unwrap();
    command.wait().unwrap();
    shown.retain(|path| !path.ends_with("last.py"));
    assert_eq!(shown.len(), 50, "nothing twice");
    assert_eq!(shown.into_iter().collect::<BTreeSet<_>>(), expected);
    assert!(
        expected.iter().all(|path| watch.told[path] == (1, 0)),
        "{:?}",
        watch.told
    );
}
