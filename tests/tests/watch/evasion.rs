//! What a tree may do to hide a change: other names of a file, rights that come and go, folders that are swapped.

use std::{
    fs::{self, Permissions},
    io::{BufRead, BufReader, Write},
    os::unix::fs::{PermissionsExt, chown, symlink},
    process::Stdio,
};

use saferun_protocol::{ApiClient, HostPath, RootState, WatchEvent, WatchRequest};
use saferun_tests::{AS_NOBODY, Daemon, NOBODY};

use crate::{BAD, CLEAN, OTHER, Watch, daemon, folder, folders::Mount, is_root, skipped};

#[test]
fn a_file_that_is_written_by_its_name_elsewhere_is_seen() {
    let (daemon, root) = daemon();
    let outside = folder(&daemon, "outside").join("x.py");
    let (a, b) = (root.join("a.py"), root.join("b.py"));
    fs::write(&outside, CLEAN).unwrap();
    for name in [&a, &b] {
        fs::hard_link(&outside, name).unwrap();
    }
    let mut watch = Watch::new(&daemon, &root);
    assert!(watch.files.is_empty());
    fs::write(&outside, BAD).unwrap();
    watch.until("by both names", |watch| watch.has(&a) && watch.has(&b));
    fs::remove_file(&a).unwrap();
    watch.until("one is gone", |watch| watch.names() == ["b.py"]);
    fs::write(&outside, CLEAN).unwrap();
    watch.until("and the other clean", |watch| watch.files.is_empty());
    // A link that is made while the folder is watched.
    fs::hard_link(&outside, root.join("c.py")).unwrap();
    watch.settle(&root, "last.py");
    fs::write(&outside, OTHER).unwrap();
    watch.until("by the new name too", |watch| watch.has(&root.join("c.py")));
}

#[test]
fn a_root_whose_parent_is_swapped_or_that_becomes_a_link_is_left_and_taken_up_again() {
    let (daemon, top) = daemon();
    let (parent, aside) = (top.join("parent"), top.join("aside"));
    let root = parent.join("deep/root");
    fs::create_dir_all(&root).unwrap();
    fs::write(root.join("old.py"), BAD).unwrap();
    let mut watch = Watch::new(&daemon, &root);
    assert_eq!(watch.names(), ["old.py"]);
    // Nothing in the folder itself changes.
    let new = top.join("new/deep/root");
    fs::create_dir_all(&new).unwrap();
    fs::write(new.join("new.py"), BAD).unwrap();
    fs::rename(&parent, &aside).unwrap();
    fs::rename(top.join("new"), &parent).unwrap();
    watch.until("the new one is found", |watch| watch.names() == ["new.py"]);
    fs::write(root.join("later.py"), OTHER).unwrap();
    watch.until("and followed", |watch| watch.has(&root.join("later.py")));
    // A link where the root was leads nowhere, whatever it leads to.
    fs::rename(&root, top.join("moved")).unwrap();
    symlink(aside.join("deep/root"), &root).unwrap();
    watch.until("it is gone", |watch| {
        watch.files.is_empty()
            && watch
                .root
                .as_ref()
                .is_some_and(|root| root.state == RootState::Gone)
    });
    fs::remove_file(&root).unwrap();
    fs::rename(top.join("moved"), &root).unwrap();
    watch.until("and back", |watch| watch.names() == ["later.py", "new.py"]);
    assert!(!watch.told.keys().any(|path| path.starts_with(&aside)));
}

/// As another user, because nothing is denied to root.
#[test]
fn what_is_written_into_a_folder_while_nobody_may_look_is_found_afterwards() {
    if !is_root() {
        return skipped("only root may start a daemon as another user");
    }
    let daemon = Daemon::start_without_engine(Some(NOBODY));
    let root = folder(&daemon, "watched");
    let shut = root.join("shut");
    fs::create_dir_all(shut.join("deep")).unwrap();
    let file = shut.join("deep/a.py");
    fs::write(&file, BAD).unwrap();
    let mut command = daemon
        .wrapped_cli(
            // What is not told by then fails the test.
            &[&AS_NOBODY[..], &["timeout", "300"]].concat(),
            &["watch", "--json", root.to_str().unwrap()],
        )
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(command.stdout.take().unwrap()).lines();
    let mut until = |wanted: &dyn Fn(&WatchEvent) -> bool| loop {
        let line = lines.next().expect("it is told within 60 s").unwrap();
        if wanted(&serde_json::from_str(&line).unwrap()) {
            return;
        }
    };
    let told = |path: &std::path::Path| {
        let path = HostPath::from(path);
        move |event: &WatchEvent| matches!(event, WatchEvent::File(found) if found.file == path)
    };
    let cleared = |path: &std::path::Path| {
        let path = HostPath::from(path);
        move |event: &WatchEvent| matches!(event, WatchEvent::Cleared { file, .. } if *file == path)
    };
    until(&|event| matches!(event, WatchEvent::Ready(_)));
    // Who had it open goes on; it is looked at in vain.
    for folder in [&shut, &root] {
        let mut open = fs::File::options().append(true).open(&file).unwrap();
        fs::set_permissions(folder, Permissions::from_mode(0o000)).unwrap();
        open.write_all(b"# more\n").unwrap();
        drop(open);
        until(&cleared(&file));
        fs::set_permissions(folder, Permissions::from_mode(0o755)).unwrap();
        until(&told(&file));
    }
    chown(&root, Some(NOBODY), None).unwrap();
    command.kill().unwrap();
    command.wait().unwrap();
}

#[test]
fn loops_and_roots_within_roots_are_told_once() {
    let (daemon, root) = daemon();
    fs::create_dir_all(root.join("a/b")).unwrap();
    symlink(&root, root.join("a/b/top")).unwrap();
    symlink("loop", root.join("loop")).unwrap();
    symlink("a", root.join("again")).unwrap();
    let file = root.join("a/b/x.py");
    fs::write(&file, BAD).unwrap();
    let roots = [root.clone(), root.join("a"), root.join("again/b")];
    let roots = roots.iter().map(|root| HostPath::from(&**root)).collect();
    let mut watch = Watch::with(&daemon, WatchRequest::new(roots));
    assert_eq!(watch.told.get(&file), Some(&(1, 0)));
    watch.settle(&root, "last.py");
    assert_eq!(watch.told.get(&file), Some(&(1, 0)));
    let listed = || daemon.block_on(daemon.connect().watch_list()).unwrap();
    assert_eq!(listed().len(), 1, "one within another counts once");
    fs::write(root.join("clean.py"), CLEAN).unwrap();
    daemon.wait_until("the list counts what landed", |_| {
        let root = &listed()[0];
        (root.files, root.with_findings) == (2, 1)
    });
}

#[test]
fn what_the_kernel_makes_up_is_no_folder_to_watch() {
    let (daemon, root) = daemon();
    let client = daemon.connect();
    for path in ["/proc", "/proc/self/task", "/sys", "/"] {
        let request = WatchRequest::new(vec![HostPath::from(std::path::Path::new(path))]);
        let refused = daemon.block_on(client.subscribe_watch(request));
        let why = refused
            .err()
            .map(|error| error.to_string())
            .unwrap_or_default();
        assert!(why.contains("cannot watch"), "{path}: {why}");
    }
    if !is_root() {
        return skipped("only root may mount a file system");
    }
    let inner = root.join("inner");
    fs::create_dir(&inner).unwrap();
    let mounted = Mount::new(inner, &["-t", "proc", "proc"]);
    fs::write(root.join("a.py"), BAD).unwrap();
    let mut watch = Watch::new(&daemon, &root);
    let state = watch.root.clone().unwrap();
    watch.settle(&root, "b.py");
    drop(mounted);
    assert_eq!(
        (state.skipped, state.folders),
        (vec!["inner".to_owned()], 1)
    );
    assert_eq!(watch.names(), ["a.py"]);
}

#[test]
fn a_burst_in_one_folder_a_file_that_grows_and_one_renamed_over_another_are_told_as_they_are() {
    let (daemon, root) = daemon();
    let mut watch = Watch::new(&daemon, &root);
    let growing = root.join("growing.py");
    let mut open = fs::File::create(&growing).unwrap();
    let many = root.join("many");
    fs::create_dir(&many).unwrap();
    for number in 0..20_000 {
        let body = if number % 1_000 == 0 { BAD } else { "" };
        fs::write(many.join(format!("f{number}.py")), body).unwrap();
        if number % 100 == 0 {
            open.write_all(format!("{}\n", "#".repeat(9_999)).as_bytes())
                .unwrap();
        }
    }
    open.write_all(OTHER.as_bytes()).unwrap();
    watch.until("all are told", |watch| watch.files.len() == 21);
    // Ended by nobody, until it is too long: then that is told, and the watch goes on.
    let line = format!("{}\n", "#".repeat(1024 * 1024 - 1));
    for _ in 0..32 {
        open.write_all(line.as_bytes()).unwrap();
    }
    watch.until("it is too long", |watch| {
        let problem = watch
            .files
            .get(&growing)
            .and_then(|file| file.problem.as_deref());
        problem == Some("larger than 32 MiB")
    });
    for round in 0..200 {
        let body = if round % 2 == 0 { CLEAN } else { BAD };
        fs::write(root.join("draft"), body).unwrap();
        fs::rename(root.join("draft"), root.join("swapped.py")).unwrap();
    }
    watch.until("the last one counts", |watch| {
        watch.has(&root.join("swapped.py"))
    });
    watch.settle(&root, "last.py");
    assert!(watch.has(&root.join("swapped.py")));
}
