//! What one daemon did to a file, the next one knows.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
};

use saferun_tests::text;

use crate::{
    BAD, OTHER, Watch, daemon,
    responses::{follows, held, mode, respond},
};

#[test]
fn a_file_that_a_killed_daemon_put_in_quarantine_is_released_by_the_next_one() {
    let (mut daemon, root) = daemon();
    follows(&daemon, &respond("quarantine", "100/1m"));
    let file = root.join("a.py");
    let mut watch = Watch::new(&daemon, &root);
    fs::write(root.join("draft"), BAD).unwrap();
    fs::set_permissions(root.join("draft"), Permissions::from_mode(0o754)).unwrap();
    fs::rename(root.join("draft"), &file).unwrap();
    watch.until("it is held", |watch| held(watch, &file));
    drop(watch);
    daemon.kill();
    daemon.restart();
    assert_eq!(mode(&file), 0);
    let mut watch = Watch::new(&daemon, &root);
    assert!(watch.has(&file), "it is told of");
    let release = || {
        daemon
            .cli(&["watch", "release", file.to_str().unwrap()])
            .output()
            .unwrap()
    };
    let released = release();
    assert!(released.status.success(), "{}", text(&released.stderr));
    assert_eq!(mode(&file), 0o754);
    let again = release();
    assert!(text(&again.stderr).contains("not in quarantine"));
    watch.settle(&root, "last.py");
    assert_eq!(mode(&file), 0o754, "what was released is not taken again");
    fs::write(&file, OTHER).unwrap();
    watch.until("other content is", |watch| held(watch, &file));
    let verify = daemon.cli(&["history", "verify"]).output().unwrap();
    assert!(verify.status.success(), "{}", text(&verify.stderr));
}
