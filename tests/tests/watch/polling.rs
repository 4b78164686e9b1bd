//! Where the kernel does not tell of changes: they are looked for, and what is told is the same.

use std::{
    fs::{self, File, FileTimes, Permissions},
    os::unix::fs::PermissionsExt,
    process::{Command, Stdio},
};

use saferun_protocol::RootState;
use saferun_tests::{Daemon, bin};

use crate::{BAD, CLEAN, OTHER, Watch, folder, skipped};

/// A daemon in a user namespace of its own, in which so few folders may be watched that it keeps to its own.
fn daemon_with_few_watches() -> Option<Daemon> {
    let script = "echo 20 > /proc/sys/user/max_inotify_watches && exec \"$0\"";
    let within = ["--user", "--map-root-user", "sh", "-c"];
    let possible = Command::new("unshare")
        .args(within)
        .args([script, "true"])
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if !possible {
        skipped("no user namespace in which fewer folders may be watched");
        return None;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let program = folder.path().join("saferund");
    let daemon = bin("saferund");
    let line = format!(
        "#!/bin/sh\nexec unshare {} '{script}' '{}'\n",
        within.join(" "),
        daemon.display()
    );
    fs::write(&program, line).expect("a script");
    fs::set_permissions(&program, Permissions::from_mode(0o755)).expect("its mode");
    Some(Daemon::start_program_without_engine(program))
}

#[test]
fn where_the_kernel_tells_nothing_changes_are_looked_for_and_told_once() {
    let Some(daemon) = daemon_with_few_watches() else {
        return;
    };
    let root = folder(&daemon, "watched");
    let deep = root.join("d39/deep");
    for number in 0..40 {
        fs::create_dir(root.join(format!("d{number}"))).unwrap();
    }
    fs::create_dir(&deep).unwrap();
    let still = root.join("d0/still.py");
    fs::write(&still, BAD).unwrap();
    let mut watch = Watch::new(&daemon, &root);
    let state = watch.root.clone().unwrap();
    assert_eq!(state.state, RootState::Polling);
    let reason = state.reason.unwrap_or_default();
    assert!(reason.contains("max_user_watches"), "{reason}");

    let file = deep.join("a.py");
    fs::write(&file, BAD).unwrap();
    watch.until("a new file", |watch| watch.has(&file));
    let before = watch.rules(&file).join(" ");
    // As long as before, and as old: only the time of the change itself tells.
    let old = fs::metadata(&file).unwrap().modified().unwrap();
    let other = format!("{OTHER}#{}", "x".repeat(BAD.len() - OTHER.len() - 1));
    fs::write(&file, &other).unwrap();
    let times = FileTimes::new().set_modified(old);
    File::options()
        .write(true)
        .open(&file)
        .unwrap()
        .set_times(times)
        .unwrap();
    watch.until("other content", |watch| {
        watch.rules(&file).join(" ") != before
    });
    fs::write(deep.join("draft"), BAD).unwrap();
    fs::rename(deep.join("draft"), &file).unwrap();
    watch.until("renamed over it", |watch| {
        watch.rules(&file).join(" ") == before
    });
    let made = root.join("new/folder/b.py");
    fs::create_dir_all(made.parent().unwrap()).unwrap();
    fs::write(&made, OTHER).unwrap();
    watch.until("in a new folder", |watch| watch.has(&made));
    fs::rename(root.join("new"), root.join("moved")).unwrap();
    let moved = root.join("moved/folder/b.py");
    watch.until("moved with it", |watch| {
        watch.has(&moved) && !watch.has(&made)
    });
    fs::write(&file, CLEAN).unwrap();
    fs::remove_dir_all(root.join("moved")).unwrap();
    watch.until("clean, and gone", |watch| watch.names() == ["still.py"]);
    assert_eq!(watch.told[&still], (1, 0), "told once");
    fs::remove_dir_all(&root).unwrap();
    watch.until("the root is gone", |watch| watch.files.is_empty());
    fs::create_dir_all(&deep).unwrap();
    fs::write(&file, BAD).unwrap();
    watch.until("and back", |watch| watch.has(&file));
}
