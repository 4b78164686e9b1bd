//! Promise: what was run can be listed, read, exported, repeated and checked from the command line, and what a run
//! chose to print or to be called cannot fool whoever reads it.

use std::{fs, process::Output};

use saferun_protocol::{ApiClient, Event, Outcome, OutputChunk, RunRequest};
use saferun_tests::{Daemon, text};
use serde_json::Value;

fn done(daemon: &Daemon, args: &[&str]) -> Output {
    daemon.cli(args).output().expect("saferunctl starts")
}

#[track_caller]
fn said(daemon: &Daemon, args: &[&str], code: i32) -> String {
    let output = done(daemon, args);
    assert_eq!(output.status.code(), Some(code), "{args:?}: {output:?}");
    text(&output.stdout)
}

#[track_caller]
fn json(daemon: &Daemon, args: &[&str], code: i32) -> Value {
    serde_json::from_str(&said(daemon, args, code)).expect("JSON")
}

/// One daemon for all: each case leaves its runs to the next.
#[test]
fn the_record_from_the_command_line() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let first = history(&daemon);
    show_and_export(&daemon, &first);
    logs(&daemon);
    places(&daemon);
    rerun(&daemon);
    withheld(&daemon);
    integrity(&daemon);
}

fn history(daemon: &Daemon) -> String {
    let mut request = RunRequest::new("import os\nprint('one')\nos.system('echo \\x1b[31mtwo')\n");
    request.file_name = Some("first\u{202e}.py".to_owned());
    let first = daemon.run_request(request);
    assert_eq!(first.status, Outcome::Completed);
    let mut request = RunRequest::new("raise SystemExit(3)");
    request.file_name = Some("second.py".to_owned());
    let second = daemon.run_request(request);

    let page = said(daemon, &["history"], 0);
    let lines: Vec<&str> = page.lines().collect();
    assert!(
        lines[1].contains("exit 3") && lines[1].contains("second.py"),
        "{page}"
    );
    assert!(lines[2].contains("first\\u{202e}.py"), "{page}");
    assert!(!page.contains('\u{202e}'));

    let ids = |args: &[&str]| {
        let page = json(daemon, &[&["history", "--json"], args].concat(), 0);
        let runs = page["runs"].as_array().expect("runs").clone();
        runs.iter()
            .map(|run| run["id"].as_str().expect("an id").to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(ids(&["--file", "second"]), [second.id.as_str()]);
    assert_eq!(ids(&["--text", "shell-command"]), [first.id.as_str()]);
    assert_eq!(ids(&["--risk", "MEDIUM"]), [first.id.as_str()]);
    assert_eq!(ids(&["--outcome", "timeout"]), [""; 0]);
    assert_eq!(ids(&["--since", "1h"]).len(), 2);
    assert_eq!(ids(&["--until", "1h"]), [""; 0]);
    let page = json(daemon, &["history", "--json", "-n", "1"], 0);
    let before = page["next"].as_u64().expect("there is more").to_string();
    assert_eq!(ids(&["--before", &before]), [first.id.as_str()]);
    assert!(
        text(&done(daemon, &["history", "-n", "1"]).stderr).contains(&format!("--before {before}"))
    );
    first.id
}

fn show_and_export(daemon: &Daemon, first: &str) {
    let shown = said(daemon, &["show", first], 0);
    for part in [
        "exit code 0",
        "shell-command",
        "^^^^",
        "one\n",
        "\\x1b[31mtwo",
        "sha256",
        "chain",
    ] {
        assert!(shown.contains(part), "{part:?} is missing: {shown}");
    }
    assert!(!shown.contains(['\u{1b}', '\u{202e}']));
    // The start of an id is enough where it is the only one, and `last` is the newest.
    assert_eq!(said(daemon, &["show", &first[..35]], 0), shown);
    assert!(said(daemon, &["show", "last"], 0).contains("second.py"));
    let both = done(daemon, &["show", "0"]);
    assert_eq!(both.status.code(), Some(2));
    assert!(text(&both.stderr).contains("several runs"), "{both:?}");
    assert_eq!(done(daemon, &["show", "ffff"]).status.code(), Some(2));

    let report = json(daemon, &["export", first], 0);
    let schema = json(daemon, &["export", "--schema"], 0);
    for field in schema["required"].as_array().expect("fields") {
        assert!(
            report.get(field.as_str().expect("a name")).is_some(),
            "{field}"
        );
    }
    assert_eq!(report["record"]["result"]["id"], first);
    assert!(report["explained"]["rules"][0]["why"].is_string());

    let path = daemon.folder().join("report.html");
    said(
        daemon,
        &[
            "export",
            first,
            "--html",
            "--out",
            &path.display().to_string(),
        ],
        0,
    );
    let page = fs::read_to_string(&path).expect("a report");
    assert!(page.contains("default-src 'none'") && !page.contains("<script"));
    assert!(page.contains("The program ran to its end"), "{page}");
    assert!(!page.contains(['\u{1b}', '\u{202e}']));
}

/// Who was cut off in the middle of two streams goes on from the same byte once the run is only in the record.
fn places(daemon: &Daemon) {
    let script = "import sys, time\nfor n in range(5):\n    for stream in (sys.stdout, sys.stderr):\n        print(n, file=stream, flush=True)\n        time.sleep(0.02)\n";
    let run = daemon.run(script);
    assert_eq!((run.stdout.len(), run.stderr.len()), (10, 10));
    let client = daemon.connect();
    for from in 0..20 {
        let mut events = daemon
            .block_on(client.subscribe_logs(run.id.clone(), from, true))
            .expect("its output");
        let mut rest = String::new();
        while let Some(event) = daemon.block_on(events.next()) {
            match event.expect("an event") {
                Event::Output {
                    chunk: OutputChunk::Text { text },
                    ..
                } => rest.push_str(&text),
                Event::Finished { .. } => break,
                other => panic!("{other:?}"),
            }
        }
        let from = usize::try_from(from).expect("small");
        assert_eq!(rest, "0\n0\n1\n1\n2\n2\n3\n3\n4\n4\n"[from..], "{from}");
    }
    // What was taken out of the output has moved all places behind it.
    let mut request = RunRequest::new("import os\nprint(os.environ['TOKEN'])\n");
    request.policy = Some("permissive".to_owned());
    request.env = vec![("TOKEN".to_owned(), "s3cr3t-and-long-enough".to_owned())];
    request.secret_env = vec!["TOKEN".to_owned()];
    let run = daemon.run_request(request);
    let refused = daemon.block_on(client.subscribe_logs(run.id, 3, false));
    assert!(format!("{refused:?}").contains("cannot tell which byte that was"));
}

fn logs(daemon: &Daemon) {
    let script = "import sys, time\nfor n in range(200): print('line', n, flush=True)\nsys.stdin.read()\nprint('end')\n";
    let mut request = RunRequest::new(script);
    request.policy = Some("permissive".to_owned());
    request.detach = true;
    request.stdin = saferun_protocol::StdinMode::Stream;
    let client = daemon.connect();
    let mut events = daemon
        .block_on(client.subscribe_run(request))
        .expect("accepted");
    let id = match daemon.block_on(events.next()) {
        Some(Ok(Event::Accepted { id, .. })) => id,
        other => panic!("{other:?}"),
    };
    let mut follower = daemon
        .cli(&["logs", "-f", &id])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("logs start");
    // The end of its input is the end of the run.
    let mut out = follower.stdout.take().expect("a pipe");
    let mut seen = String::new();
    while !seen.contains("line 199\n") {
        let mut buffer = [0; 4096];
        let count = std::io::Read::read(&mut out, &mut buffer).expect("output");
        assert!(count > 0, "{seen}");
        seen.push_str(&text(&buffer[..count]));
    }
    daemon
        .block_on(client.stdin(id.clone(), String::new(), true))
        .expect("its input ends");
    std::io::Read::read_to_string(&mut out, &mut seen).expect("the rest");
    assert!(follower.wait().expect("an end").success());
    let whole: String = (0..200)
        .map(|n| format!("line {n}\n"))
        .chain(["end\n".to_owned()])
        .collect();
    assert_eq!(seen, whole);
    daemon.wait_until("the run is over", |daemon| daemon.status().running == 0);
    assert_eq!(said(daemon, &["logs", &id], 0), whole);
    assert_eq!(
        said(daemon, &["logs", "last", "--from", "7"], 0),
        whole[7..]
    );
}

fn rerun(daemon: &Daemon) {
    let same = daemon.run("print(6 * 7)");
    assert!(said(daemon, &["rerun", &same.id], 0).contains("nothing differs"));
    let other = daemon.run("import uuid\nprint(uuid.uuid4())");
    let told = json(daemon, &["rerun", "--json", &other.id], 1);
    assert_eq!(
        told["differences"][0]["what"],
        "standard output, from line 1 on,"
    );

    let code = "password = 'correct-horse-9'\nprint(len(password))\n";
    let secret = daemon.run(code);
    let refused = done(daemon, &["rerun", &secret.id]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(
        text(&refused.stderr).contains("--source FILE"),
        "{refused:?}"
    );
    let path = daemon.folder().join("secret.py");
    fs::write(&path, code).expect("the source");
    let path = path.display().to_string();
    said(daemon, &["rerun", &secret.id, "--source", &path], 0);
    fs::write(&path, "print(15)").expect("another source");
    said(daemon, &["rerun", &secret.id, "--source", &path], 2);
}

/// A policy that keeps output from the caller does not keep it out of the record, and the record does not tell it.
fn withheld(daemon: &Daemon) {
    let mut request = RunRequest::new("print('for the record')");
    request.policy_layers.settings = vec![saferun_protocol::PolicySetting::new(
        "returns.output",
        "false",
    )];
    let result = daemon.run_request(request);
    assert_eq!(result.stdout, "");
    let record = json(daemon, &["show", "--json", &result.id], 0);
    assert_eq!(record["output_kept"], true);
    assert_eq!(record["output_withheld"], true);
    assert_eq!(record["result"]["stdout"], "");
    assert_eq!(said(daemon, &["logs", &result.id], 0), "");
}

/// A copy is verified where no daemon runs, and one byte of the code of one run is enough to break it.
fn copy(daemon: &Daemon, key: &str) {
    let place = tempfile::tempdir().expect("a folder");
    for name in ["audit.sqlite", "audit.sqlite-wal", "audit.head"] {
        let from = daemon.folder().join("state").join(name);
        if from.exists() {
            fs::copy(from, place.path().join(name)).expect("a copy");
        }
    }
    let file = place.path().join("audit.sqlite");
    let verify = |key: &[&str]| {
        let mut command = daemon.cli(&["history", "verify", "--database"]);
        let output = command
            .arg(&file)
            .args(key)
            .env("SAFERUN_SOCKET", place.path().join("nobody"))
            .env("SAFERUN_NO_START", "1")
            .output()
            .expect("saferunctl starts");
        (
            output.status.code(),
            text(&output.stdout),
            text(&output.stderr),
        )
    };
    let (code, whole, _) = verify(&["--key", key]);
    assert!(
        code == Some(0) && whole.starts_with("untampered"),
        "{whole}"
    );
    let (code, whole, _) = verify(&[]);
    assert!(
        code == Some(0) && whole.starts_with("consistent"),
        "{whole}"
    );
    let mut changed = 0;
    for name in ["audit.sqlite", "audit.sqlite-wal"] {
        let path = place.path().join(name);
        let mut bytes = fs::read(&path).unwrap_or_default();
        let code = b"print('sealed')";
        for at in 0..bytes.len().saturating_sub(code.len()) {
            if bytes[at..].starts_with(code) {
                bytes[at + 7] ^= 1;
                changed += 1;
            }
        }
        fs::write(&path, bytes).expect("written back");
    }
    assert!(changed > 0, "the code is not where it was thought to be");
    let (code, whole, _) = verify(&["--key", key]);
    assert!(code == Some(1) && whole.starts_with("broken"), "{whole}");
    fs::remove_file(place.path().join("audit.head")).expect("it is there");
    let (code, _, error) = verify(&[]);
    assert!(
        code == Some(125) && error.contains("copy audit.head as well"),
        "{error}"
    );
}

fn integrity(daemon: &Daemon) {
    assert!(said(daemon, &["history", "verify"], 0).starts_with("consistent"));
    let key = said(daemon, &["history", "seal"], 0);
    let path = daemon.folder().join("key");
    fs::write(&path, &key).expect("a key");
    let path = path.display().to_string();
    let _ = daemon.run("print('sealed')");
    assert!(said(daemon, &["history", "verify", "--key", &path], 0).starts_with("untampered"));
    assert!(said(daemon, &["history", "verify"], 0).starts_with("consistent"));
    copy(daemon, &path);
    fs::write(&path, "ab".repeat(32)).expect("another key");
    assert!(said(daemon, &["history", "verify", "--key", &path], 1).starts_with("broken"));
}
