//! Promise: standard input reaches the program as it was sent, ends when it ends, and never piles up.

use std::{fs, process::Stdio};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use saferun_protocol::{ApiClient, Event, Outcome, OutputChunk, RunRequest, StdinMode, Stream};
use saferun_tests::{Daemon, text};

fn given(source: &str, bytes: &[u8]) -> RunRequest {
    let mut request = RunRequest::new(source);
    request.stdin = StdinMode::Given;
    request.stdin_base64 = Some(STANDARD.encode(bytes));
    request
}

#[test]
fn s1_the_end_of_the_input_reaches_a_program_that_goes_on() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let none = daemon.run("try:\n    input()\nexcept EOFError:\n    print('no input')\n");
    assert_eq!(none.stdout, "no input\n", "{none:?}");
    let empty = daemon.run_request(given("import sys\nprint(repr(sys.stdin.read()))", b""));
    assert_eq!(empty.stdout, "''\n", "{empty:?}");
    // Half-close: the input has ended, the output goes on.
    let client = daemon.connect();
    let mut request = RunRequest::new(
        "import sys\nprint(sys.stdin.readline(), end='', flush=True)\nprint('then', repr(sys.stdin.read()), flush=True)\n\
         for n in range(3): print(n, flush=True)\n",
    );
    request.stdin = StdinMode::Stream;
    let output = daemon.block_on(async {
        let mut events = client.subscribe_run(request).await.expect("a run");
        let (mut run, mut output) = (String::new(), String::new());
        while let Some(event) = events.next().await {
            match event.expect("an event") {
                Event::Accepted { id, .. } => {
                    let first = STANDARD.encode("first\n");
                    run.clone_from(&id);
                    client.stdin(id, first, false).await.expect("stdin");
                }
                Event::Output {
                    stream: Stream::Stdout,
                    chunk: OutputChunk::Text { text },
                } => {
                    // The first line came back while the input was open: now it ends.
                    if output.is_empty() {
                        let rest = STANDARD.encode("rest");
                        client.stdin(run.clone(), rest, true).await.expect("stdin");
                    }
                    output.push_str(&text);
                }
                Event::Finished { result } => {
                    assert_eq!(result.status, Outcome::Completed, "{result:?}");
                    break;
                }
                _ => {}
            }
        }
        output
    });
    assert_eq!(output, "first\nthen 'rest'\n0\n1\n2\n");
}

#[test]
fn s2_input_without_end_waits_for_its_reader_and_ends_with_it() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    daemon.wait_for_warm(1);
    let growth = |source: &str| {
        let status = format!("/proc/{}/status", daemon.pid());
        let peak = || {
            let status = fs::read_to_string(&status).expect("a status");
            let line = status.lines().find(|line| line.starts_with("VmHWM:"));
            let figure = line.and_then(|line| line.split_whitespace().nth(1));
            figure.and_then(|kib| kib.parse::<u64>().ok()).expect("KiB")
        };
        fs::write(format!("/proc/{}/clear_refs", daemon.pid()), "5").expect("the peak is reset");
        let before = peak();
        let mut command = daemon.cli(&["run", "-q", "-c", source]);
        command.stdin(Stdio::from(fs::File::open("/dev/zero").expect("zeros")));
        let output = command.output().expect("saferunctl");
        assert!(output.status.success(), "{}", text(&output.stderr));
        assert!(
            peak() - before < 32 << 10,
            "{source}: {before} KiB to {} KiB",
            peak()
        );
        text(&output.stdout)
    };
    // Never read, read slowly, and ended while more is coming.
    assert_eq!(
        growth("import time\ntime.sleep(1)\nprint('unread')"),
        "unread\n"
    );
    assert_eq!(
        growth(
            "import os, time\nfor _ in range(20):\n    os.read(0, 1000); time.sleep(0.02)\nprint('slow')"
        ),
        "slow\n"
    );
    assert_eq!(
        growth(
            "import os\nn = 0\nwhile n < 50_000_000: n += len(os.read(0, 1 << 20))\nprint('early')"
        ),
        "early\n"
    );
}

#[test]
fn s3_all_bytes_pass_unchanged_in_and_out() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let bytes: Vec<u8> = (0..=255).cycle().take(300_001).collect();
    let source = "import sys\nsys.stdout.buffer.write(sys.stdin.buffer.read())";
    for runtime in daemon.tiers() {
        let mut request = given(source, &bytes);
        request.runtime = Some(runtime.to_owned());
        let result = daemon.run_request(request);
        let back = STANDARD.decode(result.stdout_base64.expect("bytes"));
        assert!(back.expect("base64") == bytes, "{runtime}");
    }
    let file = daemon.folder().join("bytes");
    fs::write(&file, &bytes).expect("a file");
    let mut command = daemon.cli(&["run", "-q", "--raw", "-c", source]);
    command.stdin(Stdio::from(fs::File::open(&file).expect("the file")));
    assert!(
        command.output().expect("saferunctl").stdout == bytes,
        "through a pipe"
    );
}
