//! Folders that come and go under the watch: removed, made again, moved, unmounted; events that are lost.

use std::{
    fs,
    path::PathBuf,
    process::Command,
    time::{Duration, Instant},
};

use saferun_protocol::RootState;

use crate::{BAD, OTHER, Watch, daemon, is_root, skipped};

#[test]
fn a_root_that_is_removed_and_made_again_is_taken_up_again() {
    let (daemon, root) = daemon();
    let deep = root.join("a/b");
    fs::create_dir_all(&deep).unwrap();
    fs::write(deep.join("x.py"), BAD).unwrap();
    let mut watch = Watch::new(&daemon, &root);
    assert_eq!(watch.names(), ["x.py"]);
    for _ in 0..3 {
        fs::remove_dir_all(&root).unwrap();
        watch.until("all is gone", |watch| watch.files.is_empty());
        watch.until("and said so", |watch| watch.noticed("gone"));
        fs::create_dir_all(&deep).unwrap();
        fs::write(deep.join("y.py"), BAD).unwrap();
        watch.until("found again", |watch| watch.has(&deep.join("y.py")));
        watch.until("watching", |watch| {
            watch
                .root
                .as_ref()
                .is_some_and(|root| root.state == RootState::Watching)
        });
        fs::write(deep.join("z.py"), OTHER).unwrap();
        watch.until("a new file", |watch| watch.has(&deep.join("z.py")));
        watch.notices.clear();
    }
}

#[test]
fn folders_that_are_made_moved_and_removed_are_followed() {
    let (daemon, root) = daemon();
    let outside = crate::folder(&daemon, "outside");
    fs::create_dir_all(outside.join("tree/deep")).unwrap();
    fs::write(outside.join("tree/deep/x.py"), BAD).unwrap();
    let mut watch = Watch::new(&daemon, &root);
    fs::rename(outside.join("tree"), root.join("tree")).unwrap();
    watch.until("moved in", |watch| watch.has(&root.join("tree/deep/x.py")));
    fs::rename(root.join("tree"), root.join("other")).unwrap();
    let moved = root.join("other/deep/x.py");
    watch.until("moved within", |watch| watch.files.keys().eq([&moved]));
    fs::write(root.join("other/deep/y.py"), OTHER).unwrap();
    watch.until("watched at its new place", |watch| {
        watch.has(&root.join("other/deep/y.py"))
    });
    fs::rename(root.join("other"), outside.join("other")).unwrap();
    watch.until("moved out", |watch| watch.files.is_empty());
    fs::write(outside.join("other/deep/z.py"), BAD).unwrap();
    watch.settle(&root, "last.py");
    assert!(!watch.told.contains_key(&outside.join("other/deep/z.py")));
}

/// A small file system, for `mount`.
const TMPFS: [&str; 5] = ["-t", "tmpfs", "-o", "size=1m", "tmpfs"];

/// A file system that is there as long as this lives.
pub(crate) struct Mount(PathBuf);

impl Mount {
    pub(crate) fn new(at: PathBuf, arguments: &[&str]) -> Self {
        let done = Command::new("mount").args(arguments).arg(&at).status();
        assert!(
            done.is_ok_and(|status| status.success()),
            "the file system is mounted"
        );
        Self(at)
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        // Plainly, not lazily: a watch that held it busy would fail the test. A scan under way may, till it ends.
        let deadline = Instant::now() + Duration::from_secs(60);
        while !Command::new("umount")
            .arg(&self.0)
            .status()
            .is_ok_and(|status| status.success())
        {
            assert!(
                Instant::now() < deadline,
                "the watch keeps no file system busy"
            );
            saferun_tests::pause();
        }
    }
}

#[test]
fn a_root_on_a_mount_that_vanishes_is_left_and_taken_up_again() {
    if !is_root() {
        return skipped("only root may mount a file system");
    }
    let (daemon, root) = daemon();
    fs::write(root.join("beneath.py"), OTHER).unwrap();
    let mount = Mount::new(root.clone(), &TMPFS);
    fs::write(root.join("on.py"), BAD).unwrap();
    let mut watch = Watch::new(&daemon, &root);
    assert_eq!(watch.names(), ["on.py"]);
    drop(mount);
    watch.until("what was beneath is found", |watch| {
        watch.names() == ["beneath.py"]
    });
    let _mount = Mount::new(root.clone(), &TMPFS);
    fs::write(root.join("second.py"), BAD).unwrap();
    watch.until("the second mount is found", |watch| {
        watch.names() == ["second.py"]
    });
}

const QUEUE: &str = "/proc/sys/fs/inotify/max_queued_events";

/// A lower limit of the kernel's, put back when dropped.
struct Lowered(String);

impl Lowered {
    fn new() -> Option<Self> {
        let before = fs::read_to_string(QUEUE).ok()?;
        fs::write(QUEUE, "2").ok()?;
        Some(Self(before))
    }
}

impl Drop for Lowered {
    fn drop(&mut self) {
        fs::write(QUEUE, self.0.trim()).expect("the limit is put back");
    }
}

#[test]
fn an_overflow_of_the_kernels_queue_is_told_and_nothing_is_missed() {
    let (daemon, root) = daemon();
    // It counts for the instances that are made meanwhile.
    let Some(lowered) = Lowered::new() else {
        return skipped("only root may lower the kernel's limit of queued events");
    };
    let mut watch = Watch::new(&daemon, &root);
    drop(lowered);
    for number in 0..2_000 {
        let body = if number % 10 == 0 { BAD } else { "x = 1\n" };
        fs::write(root.join(format!("f{number}.py")), body).unwrap();
    }
    watch.until("it is told", |watch| watch.noticed("overflowed"));
    watch.until("all are found", |watch| watch.files.len() == 200);
}
