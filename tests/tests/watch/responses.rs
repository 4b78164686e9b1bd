//! What the watch does by itself on a finding, and that it does nothing where the user's policy does not say so; and that
//! a policy that changes reaches the roots that are watched already.

use std::{
    fs::{self, OpenOptions, Permissions},
    io::{BufRead, BufReader, Write},
    os::unix::fs::{PermissionsExt, chown},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use saferun_protocol::{Generated, Outcome, WatchEvent};
use saferun_tests::{AS_NOBODY, Daemon, NOBODY, have_policy, pause, text};

use crate::{BAD, CLEAN, OTHER, Watch, daemon, folder, is_root, provenance::hook, skipped};

/// The user's policy, in place by a rename.
fn policy(daemon: &Daemon, yaml: &str, owner: Option<u32>) {
    let yaml = format!("version: 1\n{yaml}");
    have_policy(&daemon.folder().join("config"), &yaml, owner);
}

/// Waits until the daemon is under another policy than before.
pub(crate) fn follows(daemon: &Daemon, yaml: &str) {
    let before = daemon.status().policy.hash;
    policy(daemon, yaml, None);
    daemon.wait_until("the policy is read", |daemon| {
        daemon.status().policy.hash != before
    });
}

pub(crate) fn respond(response: &str, rate: &str) -> String {
    let levels =
        ["LOW", "MEDIUM", "HIGH", "BLOCKED"].map(|level| format!("{level}: [show, {response}]"));
    format!(
        "watch: {{rate: {rate}, on_finding: {{{}}}}}\n",
        levels.join(", ")
    )
}

pub(crate) fn mode(path: &Path) -> u32 {
    fs::metadata(path)
        .expect("it is there")
        .permissions()
        .mode()
        & 0o7777
}

pub(crate) fn held(watch: &Watch<'_>, path: &Path) -> bool {
    watch.files.get(path).is_some_and(|file| file.quarantined)
}

#[test]
fn a_file_that_lands_is_put_in_quarantine_and_released_with_its_old_mode() {
    let (daemon, root) = daemon();
    follows(&daemon, &respond("quarantine", "100/1m"));
    let old = root.join("old.py");
    fs::write(&old, BAD).unwrap();
    let mut watch = Watch::new(&daemon, &root);
    let file = root.join("new.py");
    fs::write(root.join("draft"), BAD).unwrap();
    fs::set_permissions(root.join("draft"), Permissions::from_mode(0o754)).unwrap();
    fs::rename(root.join("draft"), &file).unwrap();
    watch.until("it is told as held", |watch| held(watch, &file));
    assert_eq!(mode(&file), 0);
    assert!(!watch.rules(&file).is_empty());
    // What was there before is shown, and left as it is, also when it can be read again after a while.
    assert_ne!(mode(&old), 0);
    fs::set_permissions(&old, Permissions::from_mode(0o600)).unwrap();
    let moved = root.with_extension("moved");
    fs::rename(&root, &moved).unwrap();
    watch.until("the root is gone", |watch| watch.files.is_empty());
    fs::rename(&moved, &root).unwrap();
    watch.until("it is back", |watch| watch.files.contains_key(&old));
    let later = root.join("later.py");
    fs::write(&later, OTHER).unwrap();
    watch.until("what lands now is held", |watch| held(watch, &later));
    assert_eq!(mode(&old), 0o600, "nobody wrote it");
    assert!(watch.has(&old) && !held(&watch, &old));

    let release = |path: &Path| {
        daemon
            .cli(&["watch", "release", path.to_str().unwrap()])
            .output()
            .unwrap()
    };
    let output = release(&file);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(mode(&file), 0o754);
    watch.until("it is told as free", |watch| !held(watch, &file));
    let again = release(&file);
    assert!(!again.status.success());
    assert!(
        text(&again.stderr).contains("not in quarantine"),
        "{}",
        text(&again.stderr)
    );

    // The same content is not taken again; another is, and not released once it changed.
    fs::write(&file, OTHER).unwrap();
    watch.until("other content is held", |watch| held(watch, &file));
    fs::remove_file(&file).unwrap();
    fs::write(&file, CLEAN).unwrap();
    fs::set_permissions(&file, Permissions::from_mode(0o0)).unwrap();
    let changed = release(&file);
    assert!(!changed.status.success());
    assert!(
        text(&changed.stderr).contains("content changed"),
        "{}",
        text(&changed.stderr)
    );
    assert_eq!(mode(&file), 0);
    let verify = daemon.cli(&["history", "verify"]).output().unwrap();
    assert!(verify.status.success(), "{}", text(&verify.stderr));
}

/// To its owner without root's rights, a file of mode 0000 cannot be read: its findings stay all the same.
#[test]
fn a_file_in_quarantine_keeps_its_findings_for_who_cannot_read_it() {
    if !is_root() {
        return skipped("only root may start a daemon as another user");
    }
    let daemon = Daemon::start_without_engine(Some(NOBODY));
    let root = folder(&daemon, "watched");
    chown(&root, Some(NOBODY), Some(NOBODY)).unwrap();
    let hash = || {
        let status = daemon
            .wrapped_cli(&AS_NOBODY, &["status", "--json"])
            .output();
        let status: serde_json::Value = serde_json::from_slice(&status.unwrap().stdout).unwrap();
        status["policy"]["hash"].as_str().map(str::to_owned)
    };
    let before = hash();
    assert!(before.is_some());
    policy(&daemon, &respond("quarantine", "100/1m"), Some(NOBODY));
    daemon.wait_until("the policy is read", |_| hash() != before);
    let mut command = daemon
        .wrapped_cli(&AS_NOBODY, &["watch", "--json", root.to_str().unwrap()])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(command.stdout.take().unwrap()).lines();
    let mut event = move || -> WatchEvent {
        let line = lines.next().expect("the command goes on").unwrap();
        serde_json::from_str(&line).unwrap()
    };
    while !matches!(event(), WatchEvent::Ready(_)) {}
    // Another user's file is not touched, though it has the same findings.
    fs::write(root.join("foreign.py"), BAD).unwrap();
    let file = root.join("own.py");
    write_as_nobody(&file);
    let found = loop {
        if let WatchEvent::File(found) = event()
            && found.quarantined
        {
            break found;
        }
    };
    assert_eq!(found.file.to_path().as_ref(), Some(&file));
    assert!(
        !found.findings.is_empty() && found.problem.is_none(),
        "{found:?}"
    );
    assert_eq!(mode(&file), 0);
    assert_ne!(mode(&root.join("foreign.py")), 0);

    // Who had it open wrote on: it is not released, and the watch goes on to know it as in quarantine.
    let release = || {
        daemon
            .wrapped_cli(&AS_NOBODY, &["watch", "release", file.to_str().unwrap()])
            .output()
            .unwrap()
    };
    let mut open = OpenOptions::new().append(true).open(&file).unwrap();
    open.write_all(b"# more\n").unwrap();
    let refused = release();
    assert!(
        text(&refused.stderr).contains("content changed"),
        "{}",
        text(&refused.stderr)
    );
    assert_eq!(mode(&file), 0);
    // Longer than what was seen of it waits for its rest.
    let rested = Instant::now() + Duration::from_secs(1);
    while Instant::now() < rested {
        pause();
    }
    let later = root.join("later.py");
    write_as_nobody(&later);
    let mut last = found;
    loop {
        let WatchEvent::File(found) = event() else {
            continue;
        };
        let path = found.file.to_path();
        if path.as_ref() == Some(&later) && found.quarantined {
            break;
        }
        if path.as_ref() == Some(&file) {
            last = found;
        }
    }
    assert!(last.quarantined && last.problem.is_none(), "{last:?}");
    open.set_len(BAD.len() as u64).unwrap();
    let release = release();
    assert!(release.status.success(), "{}", text(&release.stderr));
    assert_ne!(mode(&file), 0);
    command.kill().unwrap();
    command.wait().unwrap();
}

fn write_as_nobody(file: &Path) {
    let [program, options @ ..] = AS_NOBODY;
    let written = Command::new(program)
        .args(options)
        .args(["sh", "-c", "printf %s \"$1\" > \"$2\"", "sh", BAD])
        .arg(file)
        .status();
    assert!(written.is_ok_and(|status| status.success()));
}

#[test]
fn where_only_a_models_files_count_a_persons_keep_their_rights() {
    let (daemon, root) = daemon();
    let by_marker = "watch: {generated: {markers: [by-a-model]}, ";
    follows(&daemon, &format!("{by_marker}rate: 100/1m}}\n"));
    let mut watch = Watch::new(&daemon, &root);
    let marked = format!("# by-a-model\n{BAD}");
    let probe = root.join("probe.py");
    fs::write(&probe, &marked).unwrap();
    watch.until("the marker is known", |watch| {
        let probe = watch.files.get(&probe);
        probe.is_some_and(|file| file.generated.is_some())
    });
    let only = respond("quarantine", "100/1m")
        .replace("watch: {", &format!("{by_marker}only_generated: true, "));
    follows(&daemon, &only);
    let (person, model, agent) = (
        root.join("person.py"),
        root.join("model.py"),
        root.join("agent.py"),
    );
    fs::write(&person, BAD).unwrap();
    fs::write(&agent, BAD).unwrap();
    watch.until("both are told", |watch| {
        watch.has(&person) && watch.has(&agent)
    });
    fs::write(&model, &marked).unwrap();
    watch.until("the model's is held", |watch| held(watch, &model));
    assert_eq!(mode(&model), 0);
    assert_ne!(mode(&agent), 0);
    // An agent says what it wrote once it has written it.
    hook(
        &daemon,
        &serde_json::json!({"hook_event_name": "PostToolUse", "tool_name": "Write",
            "tool_input": {"file_path": agent, "content": BAD}}),
    );
    watch.until("the agent's is held", |watch| held(watch, &agent));
    assert_eq!(mode(&agent), 0);
    assert_ne!(mode(&person), 0);
    assert!(!held(&watch, &person));
    assert_ne!(mode(&probe), 0, "it landed under another policy");
}

#[test]
fn what_the_rate_left_out_or_could_not_be_done_is_answered_when_it_is_written_next() {
    let (daemon, root) = daemon();
    follows(&daemon, &respond("quarantine", "1/1h"));
    let mut watch = Watch::new(&daemon, &root);
    let (decoy, evil, away, linked) = (
        root.join("decoy.py"),
        root.join("evil.py"),
        root.join("away.py"),
        root.join("linked.py"),
    );
    fs::write(&decoy, OTHER).unwrap();
    watch.until("the decoy is held", |watch| held(watch, &decoy));
    fs::write(&evil, BAD).unwrap();
    watch.until("one is left out", |watch| {
        watch.has(&evil) && watch.noticed("is left out")
    });
    assert_ne!(mode(&evil), 0);
    fs::write(&away, BAD).unwrap();
    watch.until("another is, too", |watch| watch.has(&away));
    fs::remove_file(&away).unwrap();
    // Nothing about them is on its way any more when the rate has room.
    watch.settle(&root, "before.py");
    follows(&daemon, &respond("quarantine", "100/1h"));
    // Not by itself.
    watch.settle(&root, "between.py");
    assert_ne!(mode(&evil), 0);
    fs::write(&evil, BAD).unwrap();
    watch.until("it is held", |watch| held(watch, &evil));
    // Nor is it forgotten while the file is away.
    watch.until("what went is forgotten", |watch| !watch.has(&away));
    fs::write(&away, BAD).unwrap();
    watch.until("what came back is held", |watch| held(watch, &away));

    let (draft, other) = (root.join("draft"), root.join("other"));
    fs::write(&draft, BAD).unwrap();
    fs::hard_link(&draft, &other).unwrap();
    fs::rename(&draft, &linked).unwrap();
    watch.until("it cannot be held", |watch| {
        watch.noticed("has another name")
    });
    assert_ne!(mode(&linked), 0);
    fs::remove_file(&other).unwrap();
    // The kernel may have told of that: then it is held already, and its owner may not write it.
    let _ = fs::write(&linked, BAD);
    watch.until("it is held, too", |watch| held(watch, &linked));
    // Once it is answered it is not taken again.
    let output = daemon
        .cli(&["watch", "release", linked.to_str().unwrap()])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    fs::write(&linked, BAD).unwrap();
    watch.settle(&root, "last.py");
    assert_ne!(mode(&linked), 0);
}

#[test]
fn without_the_users_word_no_file_is_changed_whatever_a_project_says() {
    let (daemon, root) = daemon();
    let yaml = format!("version: 1\n{}", respond("quarantine", "100/1m"));
    for name in [".saferun.yaml", ".saferun/policy.yaml"] {
        fs::create_dir_all(root.join(name).parent().unwrap()).unwrap();
        fs::write(root.join(name), &yaml).unwrap();
    }
    let mut watch = Watch::new(&daemon, &root);
    let file = root.join("a.py");
    fs::write(&file, BAD).unwrap();
    watch.until("it is found", |watch| watch.has(&file));
    watch.settle(&root, "b.py");
    assert_ne!(mode(&file), 0);
    assert!(!held(&watch, &file) && watch.files[&file].run.is_none());
}

#[test]
fn a_rate_bounds_what_is_done_and_says_so_once() {
    let (daemon, root) = daemon();
    follows(&daemon, &respond("quarantine", "2/1h"));
    let mut watch = Watch::new(&daemon, &root);
    let files: Vec<PathBuf> = (0..8).map(|one| root.join(format!("{one}.py"))).collect();
    for file in &files {
        fs::write(file, BAD).unwrap();
    }
    watch.until("two are held and the rest is told", |watch| {
        files.iter().filter(|file| held(watch, file)).count() == 2
            && files.iter().all(|file| watch.has(file))
            && watch.noticed("is left out")
    });
    watch.settle(&root, "last.py");
    let changed = files.iter().filter(|file| mode(file) == 0).count();
    assert_eq!(changed, 2);
    let said = watch
        .notices
        .iter()
        .filter(|notice| notice.contains("is left out"));
    assert_eq!(said.count(), 1, "{:?}", watch.notices);
}

#[test]
fn a_policy_that_changes_reaches_the_roots_that_are_watched() {
    let (daemon, root) = daemon();
    fs::create_dir(root.join("gen")).unwrap();
    let (made, passed, marked) = (
        root.join("gen/a.py"),
        root.join("skip.py"),
        root.join("m.py"),
    );
    for file in [&made, &passed] {
        fs::write(file, BAD).unwrap();
    }
    fs::write(&marked, format!("# by-a-model\n{BAD}")).unwrap();
    let mut watch = Watch::new(&daemon, &root);
    assert_eq!(watch.names(), ["a.py", "m.py", "skip.py"]);
    assert!(watch.files.values().all(|file| file.generated.is_none()));
    policy(
        &daemon,
        "watch: {ignore: [skip.py], generated: {paths: [gen/**], markers: [by-a-model]}}\n",
        None,
    );
    watch.until("the rules hold", |watch| {
        let by = |path: &Path| {
            watch
                .files
                .get(path)
                .and_then(|file| file.generated.clone())
        };
        !watch.has(&passed)
            && matches!(by(&made), Some(Generated::Path { .. }))
            && matches!(by(&marked), Some(Generated::Marker { .. }))
    });
    assert_ne!(mode(&made), 0);
    follows(&daemon, &respond("quarantine", "100/1m"));
    watch.until("the file is looked at again", |watch| watch.has(&passed));
    let later = root.join("later.py");
    fs::write(&later, OTHER).unwrap();
    watch.until("it is held", |watch| held(watch, &later));
}

/// A session bus of the test's own, and what is said on it.
struct Bus {
    children: Vec<Child>,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Bus {
    fn start(address: &str) -> Self {
        let bus = Command::new("dbus-daemon")
            .args(["--session", "--nofork", "--nopidfile", "--address", address])
            .stderr(Stdio::null())
            .spawn()
            .expect("dbus-daemon");
        let path = address.trim_start_matches("unix:path=");
        while std::os::unix::net::UnixStream::connect(path).is_err() {
            pause();
        }
        let mut monitor = Command::new("dbus-monitor")
            .args(["--address", address])
            .stdout(Stdio::piped())
            .spawn()
            .expect("dbus-monitor");
        let lines = BufReader::new(monitor.stdout.take().expect("a pipe")).lines();
        let mut started = Self {
            children: vec![monitor, bus],
            lines,
        };
        // Its first word comes when it listens.
        started.until("NameAcquired");
        started
    }

    fn until(&mut self, words: &str) -> String {
        let found = self.lines.by_ref().map(|line| line.expect("a line"));
        let mut found = found.skip_while(|line| !line.contains(words));
        found.next().expect("the monitor goes on")
    }
}

impl Drop for Bus {
    fn drop(&mut self) {
        for child in &mut self.children {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

#[test]
fn the_desktop_is_asked_over_the_session_bus_and_its_absence_is_told_once() {
    let there = ["dbus-daemon", "dbus-monitor", "gdbus"].iter().all(|name| {
        Command::new("sh")
            .args(["-c", "command -v \"$1\"", "sh", name])
            .stdout(Stdio::null())
            .status()
            .expect("a shell")
            .success()
    });
    if !there {
        return skipped("there is no D-Bus here");
    }
    let socket = tempfile::tempdir().unwrap();
    let address = format!("unix:path={}", socket.path().join("bus").display());
    let mut bus = Bus::start(&address);
    let daemon = Daemon::start_without_engine_in(&[("DBUS_SESSION_BUS_ADDRESS", &address)], None);
    let root = folder(&daemon, "watched");
    follows(&daemon, &respond("notify", "100/1m"));
    let mut watch = Watch::new(&daemon, &root);
    fs::write(root.join("it's.py"), BAD).unwrap();
    bus.until("member=AddNotification");
    bus.until("it's.py");
    bus.until("member=Notify");
    bus.until("it's.py");
    // Nobody on this bus shows anything.
    watch.until("that is told", |watch| {
        watch.noticed("the desktop cannot be told")
    });
    fs::write(root.join("another.py"), BAD).unwrap();
    bus.until("another.py");
    watch.settle(&root, "last.py");
    let told = watch.notices.iter().filter(|one| one.contains("desktop"));
    assert_eq!(told.count(), 1, "{:?}", watch.notices);
}

#[test]
fn a_file_that_lands_is_run_in_the_sandbox_and_the_result_attached() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let root = folder(&daemon, "watched");
    follows(&daemon, &respond("run", "100/1m"));
    let mut watch = Watch::new(&daemon, &root);
    let (file, refused) = (root.join("a.py"), root.join("b.py"));
    // A shell is found, and runs under the default policy; exit code 7 is the program's own.
    fs::write(&file, "import os, sys\nos.system('true')\nsys.exit(7)\n").unwrap();
    let run =
        |watch: &Watch<'_>, path: &Path| watch.files.get(path).and_then(|file| file.run.clone());
    watch.until("the result is attached", |watch| {
        run(watch, &file).is_some()
    });
    let ended = run(&watch, &file).unwrap();
    assert_eq!(
        (ended.status, ended.exit_code),
        (Some(Outcome::Completed), Some(7)),
        "{ended:?}"
    );
    let history = daemon.cli(&["history", "--json"]).output().unwrap();
    assert!(
        text(&history.stdout).contains(&ended.id),
        "{}",
        text(&history.stdout)
    );
    assert!(
        text(&history.stdout).contains("watch"),
        "{}",
        text(&history.stdout)
    );
    // The policy stops it as it stops everybody.
    fs::write(
        &refused,
        "import os\nos.system('rm -rf / --no-preserve-root')\n",
    )
    .unwrap();
    watch.until("the refusal is attached", |watch| {
        run(watch, &refused).is_some()
    });
    let stopped = run(&watch, &refused).unwrap();
    assert_eq!(stopped.status, Some(Outcome::Blocked), "{stopped:?}");
}
