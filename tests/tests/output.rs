//! Promise: whatever a program writes, and however it is read, nothing is lost unsaid, nobody else waits for it, and
//! the daemon stays small.

use std::{
    fs,
    process::Stdio,
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use jsonrpsee::core::client::Subscription;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use saferun_protocol::{
    ApiClient, Event, LimitHit, Outcome, OutputChunk, RunRequest, RunResult, StdinMode, Stream,
};
use saferun_tests::{Daemon, pause, text};

const GIB: u64 = 1 << 30;
/// What the daemon may grow by, in KiB.
const GROWTH_KIB: u64 = 64 << 10;
/// As many runs at once as these tests need.
const MANY: &[(&str, &str)] = &[
    ("SAFERUN_LIMITS_CONCURRENCY", "16"),
    ("SAFERUN_LIMITS_TIME_DEFAULT", "5m"),
    ("SAFERUN_LIMITS_TIME_MAX", "10m"),
];

/// Writes so many bytes to a stream, in lines or without a newline, and says on the other how many it wrote.
fn flood(stream: u8, lines: bool, bytes: u64) -> String {
    let piece = if lines {
        "b'a line of 16 b.\\n' * 65536"
    } else {
        "b'x' * 1048576"
    };
    format!(
        "import os\npiece = {piece}\nwritten = 0\nwhile written < {bytes}:\n    written += os.write({stream}, piece)\n\
         os.write({stream}, b'the end')\nos.write({}, str(written).encode())\n",
        3 - stream
    )
}

/// A figure of `/proc/PID/status`, in KiB.
fn kib(daemon: &Daemon, name: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", daemon.pid())).expect("a status");
    let line = status.lines().find(|line| line.starts_with(name));
    let figure = line.and_then(|line| line.split_whitespace().nth(1));
    figure
        .and_then(|figure| figure.parse().ok())
        .expect("a figure")
}

/// The highest memory use from now on is what counts.
fn forget_the_peak(daemon: &Daemon) {
    fs::write(format!("/proc/{}/clear_refs", daemon.pid()), "5").expect("the peak is reset");
}

#[test]
fn o1_ten_floods_of_1_gib_at_once_are_capped_and_the_daemon_stays_small() {
    let Some(daemon) = Daemon::start_with(MANY) else {
        return;
    };
    daemon.wait_for_warm(2);
    assert_eq!(daemon.run("print(1)").stdout, "1\n");
    let idle = kib(&daemon, "VmRSS:");
    forget_the_peak(&daemon);
    let clients: Vec<_> = (0..10).map(|_| daemon.connect()).collect();
    let results = daemon.block_on(async {
        let mut runs = tokio::task::JoinSet::new();
        for (number, client) in clients.into_iter().enumerate() {
            let stream = if number % 2 == 0 { 1 } else { 2 };
            let request = RunRequest::new(flood(stream, number % 4 < 2, GIB));
            runs.spawn(async move { (stream, client.run(request).await.expect("a run")) });
        }
        runs.join_all().await
    });
    let peak = kib(&daemon, "VmHWM:");
    assert_eq!(results.len(), 10);
    for (stream, result) in results {
        assert_eq!(
            (result.status, result.exit_code),
            (Outcome::Completed, Some(0)),
            "{result:?}"
        );
        let (flooded, other, truncated) = if stream == 1 {
            (&result.stdout, &result.stderr, result.stdout_truncated)
        } else {
            (&result.stderr, &result.stdout, result.stderr_truncated)
        };
        let written: u64 = other.parse().expect("a number");
        assert!(written >= GIB, "{written}");
        assert!(truncated && flooded.ends_with("the end"));
        assert!(flooded.starts_with("xxx") || flooded.starts_with("a line of 16 b.\n"));
        // Each byte was kept or counted.
        let (head, tail) = flooded
            .split_once("\n[... output left out ...]\n")
            .expect("a gap");
        let kept = (head.len() + tail.len()) as u64;
        assert_eq!(kept, result.limits.output_bytes);
        assert_eq!(result.dropped_bytes, written + 7 - kept);
        assert!(result.limits_hit.contains(&LimitHit::Output));
    }
    assert!(
        peak.saturating_sub(idle) <= GROWTH_KIB,
        "the daemon grew from {idle} KiB to {peak} KiB"
    );
}

#[test]
fn o2_both_streams_take_more_than_a_pipe_holds_without_deadlock_or_false_timeout() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let in_turns = "import os\nfor _ in range(64):\n    os.write(1, b'o' * 65536)\n    os.write(2, b'e' * 65536)\n";
    let one_after_the_other = "import os\nfor fd, byte in ((2, b'e'), (1, b'o')):\n    for _ in range(64): os.write(fd, byte * 65536)\n";
    let from_threads = "import os, threading\ndef write(fd, byte):\n    for _ in range(64): os.write(fd, byte * 65536)\n\
        threads = [threading.Thread(target=write, args=a) for a in ((1, b'o'), (2, b'e'))]\n\
        for t in threads: t.start()\nfor t in threads: t.join()\n";
    for source in [in_turns, one_after_the_other, from_threads] {
        let result = daemon.run(source);
        assert_eq!(
            (result.status, result.exit_code),
            (Outcome::Completed, Some(0)),
            "{source}: {}",
            result.message
        );
        assert!(result.stdout == "o".repeat(4 << 20), "{source}");
        assert!(result.stderr == "e".repeat(4 << 20), "{source}");
    }
}

/// All events of a run to its end.
async fn read_all(events: &mut Subscription<Event>) -> (Vec<(Stream, OutputChunk)>, RunResult) {
    let mut chunks = Vec::new();
    while let Some(event) = events.next().await {
        match event.expect("an event") {
            Event::Output { stream, chunk } => chunks.push((stream, chunk)),
            Event::Finished { result } => return (chunks, *result),
            _ => {}
        }
    }
    panic!("no end was told");
}

#[test]
fn o3_text_cut_at_every_byte_on_both_streams_stays_text() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let text = "aé€😀\u{301}ü";
    let source = format!(
        "import os, time\nout = '{text}'.encode() * 3\nerr = out[::1]\n\
         for o, e in zip(out, err):\n    os.write(1, bytes([o])); os.write(2, bytes([e])); time.sleep(0.003)\n"
    );
    let whole = daemon.run(&source);
    assert_eq!(
        (whole.stdout.as_str(), whole.stderr.as_str()),
        (&*text.repeat(3), &*text.repeat(3))
    );
    assert_eq!((whole.stdout_base64, whole.stderr_base64), (None, None));
    let client = daemon.connect();
    let chunks = daemon.block_on(async {
        let mut events = client
            .subscribe_run(RunRequest::new(source))
            .await
            .expect("a run");
        read_all(&mut events).await.0
    });
    assert!(chunks.len() > 4, "they came in pieces: {chunks:?}");
    for wanted in [Stream::Stdout, Stream::Stderr] {
        let parts = chunks.iter().filter(|(stream, _)| *stream == wanted);
        let all: String = parts
            .map(|(_, chunk)| match chunk {
                OutputChunk::Text { text } => text.as_str(),
                other => panic!("not text: {other:?}"),
            })
            .collect();
        assert_eq!(all, text.repeat(3));
    }
}

/// Starts what follows it on a terminal of its own, and passes on what that shows.
const ON_A_TERMINAL: &str = "import pty, sys\npty.spawn(sys.argv[1:])\n";

#[test]
fn o4_what_is_no_text_or_would_deceive_is_kept_whole_and_shown_harmless() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let raw: &[u8] = b"\xff\xfe\x00 \xed\xa0\x80 \x1b]0;title\x07 \x1b[2J\x1b[1;1H \xc2\x9b31m \xe2\x80\xae evil \xe2\x80\x8b \rover\x1b]52;c;aGk=\x07 end\n";
    let script = daemon.folder().join("odd.py");
    let list: Vec<String> = raw.iter().map(u8::to_string).collect();
    let source = format!("import os\nos.write(1, bytes([{}]))\n", list.join(","));
    fs::write(&script, &source).expect("a script");
    let result = daemon.run(&source);
    let base64 = result.stdout_base64.expect("bytes");
    assert_eq!(STANDARD.decode(base64).expect("base64"), raw);
    let path = script.display().to_string();
    let piped = daemon
        .cli(&["run", "-q", "--raw", &path])
        .output()
        .expect("saferunctl");
    assert_eq!(piped.stdout, raw, "--raw passes the bytes on");
    let shown = daemon
        .wrapped_cli(&["python3", "-c", ON_A_TERMINAL], &["run", "-q", &path])
        .output()
        .expect("saferunctl on a terminal");
    let seen = text(&shown.stdout);
    assert!(seen.contains("end") && seen.contains("evil"), "{seen:?}");
    for bad in [
        "\x1b]",
        "\x1b[2J",
        "\x1b[1;1H",
        "\u{9b}",
        "\u{202e}",
        "\u{200b}",
        "\x07",
        "\0",
    ] {
        assert!(
            !seen.contains(bad),
            "{bad:?} reached the terminal: {seen:?}"
        );
    }
    assert!(
        seen.contains("\\u{202e}") && seen.contains("\\x1b"),
        "shown as text: {seen:?}"
    );
}

#[test]
fn o5_a_reader_that_stops_reading_harms_nobody_and_its_run_ends() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    daemon.wait_for_warm(2);
    let idle = kib(&daemon, "VmRSS:");
    forget_the_peak(&daemon);
    let source = "import os\nwhile True: os.write(1, b'x' * 65536)";
    let mut deaf = daemon
        .cli(&[
            "run",
            "-q",
            "--policy",
            "permissive",
            "--set",
            "limits.output.default=200MiB",
            "--timeout",
            "5s",
            "-c",
            source,
        ])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("saferunctl");
    daemon.wait_until("it runs", |daemon| daemon.status().running == 1);
    let pid = Pid::from_raw(i32::try_from(deaf.id()).expect("a pid"));
    kill(pid, Signal::SIGSTOP).expect("stopped");
    for _ in 0..5 {
        assert_eq!(daemon.run("print('unharmed')").stdout, "unharmed\n");
    }
    daemon.wait_until("its run ends all the same", |daemon| {
        daemon.status().running == 0
    });
    let peak = kib(&daemon, "VmHWM:");
    assert!(
        peak.saturating_sub(idle) <= GROWTH_KIB,
        "the daemon grew from {idle} KiB to {peak} KiB"
    );
    kill(pid, Signal::SIGKILL).expect("killed");
    let _ = deaf.wait();
}

#[test]
fn o6_at_the_cap_and_one_below_nothing_is_missing_and_one_above_is_counted() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let cap = 5000;
    for stream in [1, 2] {
        for (bytes, dropped) in [(cap - 1, 0), (cap, 0), (cap + 1, 1)] {
            let mut request =
                RunRequest::new(format!("import os\nos.write({stream}, b'x' * {bytes})"));
            request.limits.output_bytes = Some(cap);
            let result = daemon.run_request(request);
            let (output, truncated) = if stream == 1 {
                (&result.stdout, result.stdout_truncated)
            } else {
                (&result.stderr, result.stderr_truncated)
            };
            assert_eq!(
                result.dropped_bytes,
                dropped,
                "{bytes} on {stream}: {}",
                output.len()
            );
            assert_eq!(truncated, dropped > 0);
            let kept = output.bytes().filter(|byte| *byte == b'x').count() as u64;
            assert_eq!(kept, bytes - dropped);
            assert_eq!(output.contains("[... output left out ...]"), dropped > 0);
        }
    }
}

#[test]
fn o8_half_a_line_comes_at_once_and_many_lines_are_not_cut_apart() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let client = daemon.connect();
    let mut request = RunRequest::new(
        "import sys\nprint('half a line', end='', flush=True)\nsys.stdin.readline()\nprint('\\n'.join(map(str, range(100))))",
    );
    request.stdin = StdinMode::Stream;
    daemon.block_on(async {
        let mut events = client.subscribe_run(request).await.expect("a run");
        let mut run = String::new();
        // The program waits for an answer: what comes before it was not held back for a newline.
        loop {
            match events.next().await.expect("an event").expect("an event") {
                Event::Accepted { id, .. } => run = id,
                Event::Output { chunk, .. } => {
                    let half = OutputChunk::Text {
                        text: "half a line".to_owned(),
                    };
                    assert_eq!(chunk, half);
                    break;
                }
                _ => {}
            }
        }
        client
            .stdin(run, STANDARD.encode("go on\n"), true)
            .await
            .expect("stdin");
        let (chunks, result) = read_all(&mut events).await;
        assert_eq!(result.status, Outcome::Completed);
        assert_eq!(chunks.len(), 1, "one write, one piece: {chunks:?}");
    });
}

/// Neither does a reader that falls behind for a while lose a byte, nor one that gets them one by one.
#[test]
fn o5_a_slow_reader_gets_everything_also_in_small_pieces() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let large = "import os\nfor _ in range(96): os.write(1, b'x' * 65536)";
    let small = "import os\nfor _ in range(200000): os.write(1, b'x')";
    for (source, wanted) in [(large, 96 << 16), (small, 200_000)] {
        let mut slow = daemon
            .cli(&["run", "-q", "--policy", "permissive", "-c", source])
            .stdout(Stdio::piped())
            .spawn()
            .expect("saferunctl");
        // Longer than it takes to fill all that is between the program and this pipe.
        let until = Instant::now() + Duration::from_secs(1);
        while Instant::now() < until {
            pause();
        }
        let output = slow.stdout.take().map(std::io::read_to_string);
        let output = output.expect("a pipe").expect("text");
        assert!(slow.wait().expect("its end").success(), "{source}");
        assert_eq!(output.len(), wanted, "{source}");
    }
}
