//! Promise: `saferunctl` passes the program's own output and exit code on, names each other end, and
//! answers bad input with one clear error.

use std::{
    fs,
    io::Write,
    os::unix::net::UnixListener,
    process::{Command, Output, Stdio},
    time::{Duration, Instant},
};

use saferun_tests::{Daemon, bin, pause, text};
use serde_json::Value;

fn done(mut command: Command) -> Output {
    command.output().expect("saferunctl starts")
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap_or_else(|| panic!("{output:?}"))
}

/// Exit code and that there is something helpful on standard error.
fn complains(command: Command, wanted: i32, about: &str) {
    let output = done(command);
    let said = text(&output.stderr);
    assert_eq!(code(&output), wanted, "{said}");
    assert!(
        said.contains(about),
        "it does not speak of {about:?}: {said}"
    );
    assert!(text(&output.stdout).is_empty());
    assert!(said.lines().count() <= 8, "too much: {said}");
}

#[test]
fn output_and_exit_code_are_the_programs_own() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let script = daemon.folder().join("own.py");
    fs::write(&script, "import sys\nsys.stdout.buffer.write(b'\\xff\\x00out')\nprint('err', file=sys.stderr)\nsys.exit(int(sys.argv[1]))\n").expect("a script");
    let path = script.display().to_string();
    for wanted in [0, 1, 3, 77, 255] {
        let output = done(daemon.cli(&["run", "-q", &path, "--", &wanted.to_string()]));
        assert_eq!(code(&output), wanted);
        assert_eq!(output.stdout, b"\xff\x00out");
        assert_eq!(text(&output.stderr), "err\n");
    }
}

#[test]
fn each_end_has_its_exit_code_and_a_sentence() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let cases = [
        (
            vec![
                "run",
                "--policy",
                "permissive",
                "--timeout",
                "500ms",
                "-c",
                "while True: pass",
            ],
            124,
            "time limit",
        ),
        (
            vec![
                "run",
                "--policy",
                "permissive",
                "-c",
                "import os; os.kill(os.getpid(), 15)",
            ],
            143,
            "SIGTERM",
        ),
        (
            vec![
                "run",
                "--policy",
                "permissive",
                "-c",
                "x = []\nwhile True: x.append(bytearray(1 << 23))",
            ],
            137,
            "memory",
        ),
        (
            vec![
                "run",
                "--policy",
                "permissive",
                "-c",
                "open('/tmp/x','wb').write(bytes(1 << 30))",
            ],
            122,
            "scratch space",
        ),
        (
            vec![
                "run",
                "--policy",
                "strict",
                "-c",
                "import os\nos.system('rm -rf ~')",
            ],
            126,
            "refused",
        ),
    ];
    for (args, wanted, about) in cases {
        let output = done(daemon.cli(&args));
        assert_eq!(code(&output), wanted, "{args:?}: {}", text(&output.stderr));
        assert!(
            text(&output.stderr).contains(about),
            "{args:?}: {}",
            text(&output.stderr)
        );
    }
}

#[test]
fn a_script_comes_from_a_file_the_command_line_or_standard_input() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    assert_eq!(
        text(&done(daemon.cli(&["run", "-q", "-c", "print(6*7)"])).stdout),
        "42\n"
    );
    let mut command = daemon.cli(&["run", "-q", "-"]);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    child
        .stdin
        .take()
        .expect("stdin")
        .write_all(b"print('from stdin')")
        .expect("written");
    assert_eq!(
        text(&child.wait_with_output().expect("it ends").stdout),
        "from stdin\n"
    );
}

#[test]
fn s2_standard_input_reaches_the_program_whole() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let data: Vec<u8> = (0..3_000_000_u32)
        .map(|number| (number % 251).to_le_bytes()[0])
        .collect();
    let file = daemon.folder().join("data");
    fs::write(&file, &data).expect("data");
    let source = "import sys, hashlib\nprint(hashlib.sha256(sys.stdin.buffer.read()).hexdigest())";
    let given = done(daemon.cli(&[
        "run",
        "-q",
        "-c",
        source,
        "--stdin",
        &file.display().to_string(),
    ]));
    let mut command = daemon.cli(&["run", "-q", "-c", source]);
    command.stdin(fs::File::open(&file).expect("data"));
    let piped = done(command);
    let host = Command::new("sha256sum")
        .arg(&file)
        .output()
        .expect("sha256sum");
    let wanted = text(&host.stdout)
        .split_whitespace()
        .next()
        .expect("a sum")
        .to_owned();
    assert_eq!(text(&given.stdout).trim(), wanted);
    assert_eq!(text(&piped.stdout).trim(), wanted);
}

#[test]
fn json_is_one_object_with_what_the_design_promises() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let output = done(daemon.cli(&["run", "--json", "-c", "print('hi')"]));
    let result: Value = serde_json::from_slice(&output.stdout).expect("one object");
    for name in [
        "id",
        "status",
        "exit_code",
        "signal",
        "stdout",
        "stderr",
        "stdout_truncated",
        "stderr_truncated",
        "dropped_bytes",
        "risk",
        "findings",
        "policy",
        "overridden",
        "limits",
        "usage",
        "timing",
        "sandbox",
        "language",
    ] {
        assert!(result.get(name).is_some(), "{name} is missing");
    }
    assert_eq!(
        (result["status"].as_str(), result["stdout"].as_str()),
        (Some("completed"), Some("hi\n"))
    );
    assert_eq!(result["sandbox"]["runtime"], "runc");
    for part in ["queued_ms", "start_ms", "run_ms"] {
        assert!(
            result["timing"][part]
                .as_f64()
                .is_some_and(|time| time > 0.0),
            "{part} is nothing"
        );
    }
    assert!(
        result["sandbox"]["attestation"]
            .as_array()
            .is_some_and(|fields| fields.len() > 10)
    );
}

#[test]
fn ctrl_c_ends_the_run_and_its_tree() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    // Whoever started the tests may ignore SIGINT (a shell does for what it starts in the background),
    // and `saferunctl` honours that: here it must not be inherited.
    let mut command = daemon.wrapped_cli(
        &["env", "--default-signal=INT"],
        &[
            "run",
            "-c",
            "import os, time\nfor _ in range(3): os.fork()\nprint('up', flush=True)\ntime.sleep(600)",
            "--policy",
            "permissive",
        ],
    );
    let child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    daemon.wait_until("the run is under way", |daemon| {
        daemon.status().running == 1
    });
    let pid = nix::unistd::Pid::from_raw(i32::try_from(child.id()).expect("a pid"));
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGINT).expect("the signal");
    let began = Instant::now();
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(code(&output), 130, "{}", text(&output.stderr));
    assert!(began.elapsed() < Duration::from_secs(10));
    daemon.wait_until("no run is left", |daemon| daemon.status().running == 0);
}

#[test]
fn t5_a_client_that_is_killed_takes_its_run_with_it() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let mut command = daemon.cli(&[
        "run",
        "-c",
        "import time\ntime.sleep(600)",
        "--timeout",
        "5m",
    ]);
    let mut child = command.spawn().expect("it starts");
    daemon.wait_until("the run is under way", |daemon| {
        daemon.status().running == 1
    });
    child.kill().expect("killed");
    let _ = child.wait();
    daemon.wait_until("no run is left", |daemon| daemon.status().running == 0);
}

#[test]
fn t5_an_http_call_that_is_cut_takes_its_run_with_it() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"saferun.run","params":{"request":{"source":"import time\ntime.sleep(600)"}}}"#;
    let mut child = curl(&daemon, body).spawn().expect("curl starts");
    daemon.wait_until("the run is under way", |daemon| {
        daemon.status().running == 1
    });
    child.kill().expect("killed");
    let _ = child.wait();
    daemon.wait_until("no run is left", |daemon| daemon.status().running == 0);
}

fn curl(daemon: &Daemon, body: &str) -> Command {
    let mut command = Command::new("curl");
    command.args(["-s", "--unix-socket"]).arg(daemon.socket());
    command.args([
        "http://localhost/",
        "-H",
        "Content-Type: application/json",
        "-d",
        body,
    ]);
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    command
}

#[test]
fn curl_can_ask_for_the_status_and_run() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let status = done(curl(
        &daemon,
        r#"{"jsonrpc":"2.0","id":1,"method":"saferun.status"}"#,
    ));
    let status: Value = serde_json::from_slice(&status.stdout).expect("JSON");
    assert_eq!(status["result"]["engine"]["reachable"], true, "{status}");
    let run = done(curl(
        &daemon,
        r#"{"jsonrpc":"2.0","id":1,"method":"saferun.run","params":{"request":{"source":"print(1+1)"}}}"#,
    ));
    let run: Value = serde_json::from_slice(&run.stdout).expect("JSON");
    assert_eq!(run["result"]["stdout"], "2\n", "{run}");
    let wrong = done(curl(
        &daemon,
        r#"{"jsonrpc":"2.0","id":1,"method":"saferun.run","params":{"request":{"sauce":"x"}}}"#,
    ));
    assert!(
        text(&wrong.stdout).contains("error"),
        "{}",
        text(&wrong.stdout)
    );
}

#[test]
fn bad_input_gets_one_clear_error() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    complains(
        daemon.cli(&["run", "/no/such/file.py"]),
        2,
        "/no/such/file.py",
    );
    let folder = daemon.folder().display().to_string();
    complains(daemon.cli(&["run", &folder]), 2, &folder);
    let binary = daemon.folder().join("binary");
    fs::write(&binary, b"\x7fELF\0\0\0\0").expect("a file");
    complains(
        daemon.cli(&["run", &binary.display().to_string()]),
        2,
        "binary",
    );
    let large = daemon.folder().join("large.py");
    fs::write(&large, "#".repeat(5 << 20)).expect("a file");
    complains(
        daemon.cli(&["run", &large.display().to_string()]),
        2,
        "bytes",
    );
    complains(
        daemon.cli(&["run", "--no-such-option", "x.py"]),
        2,
        "--no-such-option",
    );
    complains(
        daemon.cli(&["run", "--timeout", "soon", "-c", "1"]),
        2,
        "soon",
    );
    complains(
        daemon.cli(&["run", "--policy", "nonsense", "-c", "1"]),
        2,
        "nonsense",
    );
    complains(
        daemon.cli(&["run", "--memory", "100GiB", "-c", "1"]),
        2,
        "memory",
    );
    let mut elsewhere = daemon.cli(&["apply"]);
    elsewhere.env("SAFERUN_STATE_DIR", "state");
    complains(elsewhere, 125, "SAFERUN_STATE_DIR is `state`");
}

#[test]
fn what_stands_at_the_sockets_path_is_looked_at_first() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let at = |name: &str| daemon.folder().join(name);
    fs::write(at("file"), "").expect("a file");
    std::os::unix::fs::symlink(daemon.socket(), at("link")).expect("a link");
    for name in ["file", "link"] {
        let mut command = daemon.cli(&["run", "-c", "1"]);
        command.env("SAFERUN_SOCKET", at(name));
        complains(command, 125, name);
    }
    let mut relative = daemon.cli(&["run", "-c", "1"]);
    relative.env("SAFERUN_SOCKET", "relative.sock");
    complains(relative, 125, "absolute");
    let open = at("open");
    fs::create_dir(&open).expect("a folder");
    let _listener = UnixListener::bind(open.join("s.sock")).expect("a socket");
    let foreign = Command::new("chown")
        .arg("890100")
        .arg(open.join("s.sock"))
        .status()
        .expect("chown");
    assert!(foreign.success());
    let mut somebodys = daemon.cli(&["run", "-c", "1"]);
    somebodys.env("SAFERUN_SOCKET", open.join("s.sock"));
    complains(somebodys, 125, "890100");
}

#[test]
fn a_client_starts_the_daemon_without_any_runtime_folder() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let folder = daemon.folder().join("fresh");
    fs::create_dir(&folder).expect("a folder");
    let fresh = |args: &[&str]| {
        let mut command = daemon.cli(args);
        command
            .env_remove("SAFERUN_NO_START")
            .env_remove("XDG_RUNTIME_DIR")
            .env("SAFERUN_SOCKET", folder.join("s.sock"))
            .env("SAFERUN_STATE_DIR", folder.join("state"))
            .env("SAFERUN_ENGINE", daemon.engine());
        command
    };
    let run = done(fresh(&["run", "-q", "-c", "print('started')"]));
    assert_eq!(text(&run.stdout), "started\n", "{}", text(&run.stderr));
    assert_eq!(code(&done(fresh(&["daemon", "stop"]))), 0);
    let deadline = Instant::now() + Duration::from_secs(30);
    while folder.join("s.sock").exists() {
        assert!(Instant::now() < deadline, "the daemon does not stop");
        pause();
    }
}

#[test]
fn an_engine_that_is_not_there_is_named() {
    let Some(daemon) = Daemon::start_with(&[("SAFERUN_ENGINE", "unix:///nonexistent.sock")]) else {
        return;
    };
    complains(daemon.cli(&["run", "-c", "1"]), 125, "/nonexistent.sock");
}

#[test]
fn an_engine_on_another_machine_is_refused_with_the_way_to_its_socket() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    for (address, tls, why) in [
        ("tcp://x.example:2376", true, "reached over TLS"),
        ("ssh://me@x.example", false, "reached over SSH"),
        ("tcp://x.example:2375", false, "without any protection"),
    ] {
        let asked = |args: &[&str]| {
            let mut command = Command::new(bin("saferunctl"));
            command.args(args).stdin(Stdio::null());
            for name in ["SAFERUN_ENGINE", "SAFERUN_NO_START", "DOCKER_TLS"] {
                command.env_remove(name);
            }
            command
                .env("DOCKER_HOST", address)
                .env("DOCKER_TLS_VERIFY", if tls { "1" } else { "" })
                .env("SAFERUN_SOCKET", at("s.sock"))
                .env("SAFERUN_STATE_DIR", at("state"))
                .env("SAFERUN_CONFIG_DIR", at("config"))
                .env("SAFERUN_SYSTEM_CONFIG_DIR", at("etc"));
            command
        };
        let sentence = format!("the engine at {address} is ");
        for about in [sentence.as_str(), why, "ssh -nNT -L"] {
            complains(asked(&["run", "-c", "1"]), 125, about);
        }
        // The doctor, whom that names, is not green there.
        let seen = done(asked(&["doctor"]));
        let said = text(&seen.stdout);
        assert_eq!(code(&seen), 1, "{said}");
        assert!(
            said.contains(address) && said.contains("ssh -nNT -L"),
            "{said}"
        );
    }
}
