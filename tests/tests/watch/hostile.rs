//! What a tree may hold to trouble the watch: FIFOs, devices, huge files, links, odd names, what nobody may read.

use std::{
    ffi::OsStr,
    fs::{self, Permissions},
    io::{BufRead, BufReader},
    os::unix::{
        ffi::OsStrExt,
        fs::{PermissionsExt, chown, symlink},
    },
    path::Path,
    process::{Command, Stdio},
};

use nix::{
    sys::stat::{Mode, SFlag, makedev, mknod},
    unistd::mkfifo,
};
use saferun_protocol::WatchEvent;
use saferun_tests::{
    AS_NOBODY, Daemon, NOBODY,
    shown::{ON_TERMINALS, acts_on_a_terminal},
    text,
};

use crate::{BAD, Watch, daemon, is_root, skipped};

#[test]
fn odd_files_neither_stop_the_watch_nor_hide_from_it() {
    let (daemon, root) = daemon();
    let outside = crate::folder(&daemon, "outside");
    fs::write(outside.join("secret.py"), BAD).unwrap();
    fs::create_dir(root.join("node_modules")).unwrap();
    fs::write(root.join("node_modules/passed.py"), BAD).unwrap();
    for name in ["fifo.py", "device.py"] {
        fs::write(root.join(name), BAD).unwrap();
    }
    let mut watch = Watch::new(&daemon, &root);
    assert_eq!(watch.names(), ["device.py", "fifo.py"]);
    let state = watch.root.clone().unwrap();
    assert_eq!(state.skipped, ["node_modules"]);
    fs::remove_file(root.join("fifo.py")).unwrap();
    mkfifo(&root.join("fifo.py"), Mode::from_bits_truncate(0o600)).unwrap();
    watch.until("a FIFO is no file", |watch| {
        !watch.has(&root.join("fifo.py"))
    });
    if is_root() {
        fs::remove_file(root.join("device.py")).unwrap();
        // /dev/zero, which has no end.
        let zero = makedev(1, 5);
        mknod(
            &root.join("device.py"),
            SFlag::S_IFCHR,
            Mode::from_bits_truncate(0o600),
            zero,
        )
        .unwrap();
        watch.until("a device is no file", |watch| {
            !watch.has(&root.join("device.py"))
        });
    } else {
        skipped("only root may make a device");
    }
    symlink(&outside, root.join("way")).unwrap();
    symlink(outside.join("secret.py"), root.join("link.py")).unwrap();
    let sparse = root.join("sparse.py");
    fs::File::create(&sparse)
        .unwrap()
        .set_len(10 << 30)
        .unwrap();
    watch.until("a file of 10 GiB is told", |watch| watch.has(&sparse));
    assert_eq!(
        watch.files[&sparse].problem.as_deref(),
        Some("larger than 32 MiB")
    );
    fs::remove_file(&sparse).unwrap();
    let odd = root.join(OsStr::from_bytes(b"caf\xe9\n.py"));
    fs::write(&odd, BAD).unwrap();
    watch.until("a name that is no UTF-8", |watch| watch.has(&odd));
    fs::write(root.join("node_modules/later.py"), BAD).unwrap();
    watch.settle(&root, "last.py");
    let told: Vec<_> = watch
        .told
        .keys()
        .filter(|path| {
            path.starts_with(&outside)
                || path.starts_with(root.join("way"))
                || path.ends_with("link.py")
                || path.starts_with(root.join("node_modules"))
        })
        .collect();
    assert!(told.is_empty(), "{told:?}");
}

/// As another user, because nothing is denied to root.
#[test]
fn what_may_not_be_read_is_said_and_found_once_it_may() {
    if !is_root() {
        return skipped("only root may start a daemon as another user");
    }
    let daemon = Daemon::start_without_engine(Some(NOBODY));
    let root = crate::folder(&daemon, "watched");
    fs::set_permissions(&root, Permissions::from_mode(0o755)).unwrap();
    let file = root.join("a.py");
    fs::write(&file, BAD).unwrap();
    fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
    let closed = root.join("closed");
    fs::create_dir(&closed).unwrap();
    fs::write(closed.join("b.py"), BAD).unwrap();
    fs::set_permissions(&closed, Permissions::from_mode(0o700)).unwrap();
    let mut command: Command =
        daemon.wrapped_cli(&AS_NOBODY, &["watch", "--json", root.to_str().unwrap()]);
    let mut command = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(command.stdout.take().unwrap()).lines();
    let mut next_file = move || loop {
        let line = lines.next().expect("the command goes on").unwrap();
        if let WatchEvent::File(found) = serde_json::from_str(&line).unwrap() {
            return *found;
        }
    };
    let denied = next_file();
    assert_eq!(denied.file.to_path().as_ref(), Some(&file));
    assert!(
        denied
            .problem
            .as_deref()
            .is_some_and(|why| why.contains("permission denied")),
        "{denied:?}"
    );
    fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
    let mut is_found = |file: &Path| {
        let found = next_file();
        assert_eq!(found.file.to_path().as_deref(), Some(file));
        assert!(
            found.problem.is_none() && !found.findings.is_empty(),
            "{found:?}"
        );
    };
    // Nothing can be said of what is behind a closed folder: it comes after the file, as soon as it may be looked at.
    is_found(&file);
    fs::set_permissions(&closed, Permissions::from_mode(0o755)).unwrap();
    is_found(&closed.join("b.py"));
    chown(&file, Some(NOBODY), None).unwrap();
    command.kill().unwrap();
    command.wait().unwrap();
}

#[test]
fn no_name_of_a_file_acts_on_the_terminal_of_who_watches() {
    let (daemon, root) = daemon();
    let names = ON_TERMINALS
        .iter()
        .filter(|shown| !shown.text.contains('/'));
    let files: Vec<_> = names
        .map(|shown| root.join(format!("{}.py", shown.text)))
        .collect();
    assert!(files.len() > 15);
    for file in &files {
        fs::write(file, BAD).unwrap();
    }
    // A terminal large enough for all of them, until all stand there; the last line may not be whole.
    let on_a_terminal = "import os, pty, sys, fcntl, termios, struct, signal\n\
        pid, end = pty.fork()\n\
        if pid == 0:\n    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack('HHHH', 200, 250, 0, 0))\n    \
        os.execv(sys.argv[2], sys.argv[2:])\n\
        seen = b''\n\
        while seen.count(b'.py') < int(sys.argv[1]):\n    seen = seen.rsplit(b'\\x1b[J')[-1] + os.read(end, 65536)\n\
        os.kill(pid, signal.SIGKILL)\n\
        os.write(1, seen[:seen.rfind(b'\\n') + 1])\n";
    let count = files.len().to_string();
    for kind in [&["--json"][..], &[]] {
        let path = root.to_str().unwrap();
        let args = [&["watch", path][..], kind].concat();
        let seen = daemon
            .wrapped_cli(
                &["timeout", "60", "python3", "-c", on_a_terminal, &count],
                &args,
            )
            .output()
            .unwrap();
        let seen = text(&seen.stdout);
        assert!(seen.matches(".py").count() > 15, "{seen}");
        let table = seen
            .rsplit_once("\x1b[J")
            .map_or(&*seen, |(_, table)| table);
        assert_eq!(acts_on_a_terminal(table), Vec::<String>::new(), "{kind:?}");
    }
}
