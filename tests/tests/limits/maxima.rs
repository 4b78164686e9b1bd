//! The most that a request may ask for: the maximum itself is granted and read back from the kernel, one more is refused
//! by the limit's name, and it bites there. What would take minutes or more memory than a machine has is left to
//! `make test-long`.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use saferun_policy::{Limits, preset, preset_names};
use saferun_protocol::{
    ApiClient, Code, Event, LimitHit, Outcome, OutputChunk, RunRequest, RunResult, StdinMode,
};
use saferun_tests::{Daemon, long};

use super::{ask, attested, distinct, ends, figures, passes, request};

/// Asks for all of a preset's maxima at once.
fn at_most(name: &str, source: impl Into<String>) -> RunRequest {
    let limits = preset(name).expect("a preset").limits;
    let mut asked = request(name, source);
    asked.limits.time_ms = Some(millis(limits.time.max));
    asked.limits.memory_bytes = Some(limits.memory.max.get());
    asked.limits.cpu_millis = Some(limits.cpus.max.get().into());
    asked.limits.pids = Some(limits.pids.max);
    asked.limits.output_bytes = Some(limits.output.max.get());
    asked.limits.open_files = Some(limits.open_files.max);
    asked.limits.tmpfs_bytes = Some(limits.tmpfs.max.get());
    asked
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).expect("a day fits")
}

#[test]
fn each_maximum_is_granted_read_back_and_the_end_of_it() {
    type More = fn(&mut RunRequest);
    let more: [(&str, More); 7] = [
        ("time", |r| *r.limits.time_ms.as_mut().expect("set") += 1),
        ("memory", |r| {
            *r.limits.memory_bytes.as_mut().expect("set") += 1;
        }),
        ("cpus", |r| *r.limits.cpu_millis.as_mut().expect("set") += 1),
        ("pids", |r| *r.limits.pids.as_mut().expect("set") += 1),
        ("output", |r| {
            *r.limits.output_bytes.as_mut().expect("set") += 1;
        }),
        ("open_files", |r| {
            *r.limits.open_files.as_mut().expect("set") += 1;
        }),
        ("tmpfs", |r| {
            *r.limits.tmpfs_bytes.as_mut().expect("set") += 1;
        }),
    ];
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let _ = daemon.image();
    for name in preset_names().iter().copied() {
        let limits = preset(name).expect("a preset").limits;
        let result = passes(&daemon, name, at_most(name, "pass"));
        let held = &result.limits;
        assert_eq!(held.time_ms, millis(limits.time.max), "{name}");
        assert_eq!(held.output_bytes, limits.output.max.get(), "{name}");
        for (field, value) in [
            ("memory_limit", limits.memory.max.get().to_string()),
            ("cpu_millis", limits.cpus.max.get().to_string()),
            ("pids_limit", limits.pids.max.to_string()),
            ("open_files", format!("{0} {0}", limits.open_files.max)),
        ] {
            assert!(
                attested(&result, field).contains(&value),
                "{name}: {field} is not {value}: {:?}",
                attested(&result, field)
            );
        }
        let size = format!("/tmp size={} ", limits.tmpfs.max.get());
        assert!(
            attested(&result, "writable_mounts")[0].contains(&size),
            "{name}"
        );
        for (limit, add) in more {
            let mut asked = at_most(name, "pass");
            add(&mut asked);
            let (code, message) = ask(&daemon, asked).expect_err("one more");
            assert_eq!(code, Code::LimitAboveMaximum, "{name} {limit}: {message}");
            assert!(
                message.starts_with(limit) && message.contains("allows at most"),
                "{name} {limit}: {message}"
            );
        }
    }
}

/// Figures above which a bite is for the long run.
fn tried<T: Ord + Copy>(most: T, figure: impl Fn(&Limits) -> T) -> Vec<(&'static str, T)> {
    let mut found = figures(figure);
    found.retain(|(_, value)| *value <= most || long());
    found
}

#[test]
fn time() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let _ = daemon.image();
    for name in preset_names().iter().copied() {
        // A run that asks for less than it may have ends there, whatever the preset's figures are.
        let mut asked = at_most(name, "while True: pass");
        asked.limits.time_ms = Some(700);
        ends(&daemon, name, Outcome::Timeout, asked);
    }
    if !long() {
        return;
    }
    let daemon = &daemon;
    std::thread::scope(|scope| {
        for (name, time) in figures(|limits| limits.time.max) {
            scope.spawn(move || {
                let program = format!("import time; time.sleep({})", time.as_secs() + 5);
                let result = ends(daemon, name, Outcome::Timeout, at_most(name, program));
                assert!(
                    result.timing.run_ms >= time.as_secs_f64() * 1000.0 - 5.0,
                    "{result:#?}"
                );
            });
        }
    });
}

#[test]
fn memory() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let _ = daemon.image();
    let mut all = distinct(|limits| limits.memory.max);
    all.retain(|(_, memory)| *memory <= saferun_policy::Bytes::mib(512) || long());
    for (name, memory) in all {
        let take = |bytes: u64| {
            let mut asked = at_most(name, "held = b'x' * int(input())\nprint(len(held))");
            asked.limits.time_ms = None;
            asked.stdin = StdinMode::Given;
            asked.stdin_base64 = Some(STANDARD.encode(bytes.to_string()));
            asked
        };
        passes(&daemon, name, take(memory.get() - (24 << 20)));
        ends(&daemon, name, Outcome::Oom, take(memory.get() + (1 << 20)));
    }
}

#[test]
fn pids_and_open_files() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let _ = daemon.image();
    for (name, pids) in tried(512, |limits| limits.pids.max) {
        let start = |threads: u32| {
            let program = format!(
                "import threading\nend = threading.Event()\nthreads = []\ntry:\n for _ in range({threads}):\n  \
                 one = threading.Thread(target=end.wait)\n  one.start()\n  threads.append(one)\nfinally:\n end.set()\n"
            );
            at_most(name, program)
        };
        passes(&daemon, name, start(pids - 2));
        ends(&daemon, name, Outcome::PidsExhausted, start(pids - 1));
    }
    for (name, files) in tried(16_384, |limits| limits.open_files.max) {
        let open = |count: u32| {
            at_most(
                name,
                format!("held = [open('/dev/null') for _ in range({count})]"),
            )
        };
        passes(&daemon, name, open(files - 3));
        let result = ends(&daemon, name, Outcome::Completed, open(files - 2));
        assert_eq!(result.exit_code, Some(1), "{name}");
        assert!(result.stderr.contains("Too many open files"), "{name}");
    }
}

#[test]
fn tmpfs() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let _ = daemon.image();
    for (name, size) in tried(saferun_policy::Bytes::mib(256), |limits| limits.tmpfs.max) {
        let write = |bytes: u64| {
            let program = format!(
                "piece = b'x' * 4096\nwith open('/tmp/f', 'wb', buffering=0) as out:\n \
                 for _ in range({}):\n  assert out.write(piece) == 4096\n",
                bytes / 4096
            );
            at_most(name, program)
        };
        passes(&daemon, name, write(size.get() - (64 << 10)));
        ends(&daemon, name, Outcome::DiskFull, write(size.get() + 4096));
    }
}

#[test]
fn output() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let _ = daemon.image();
    for (name, size) in tried(saferun_policy::Bytes::mib(64), |limits| limits.output.max) {
        let write = |bytes: u64| {
            let (pieces, rest) = (bytes / 1000, bytes % 1000);
            let program = format!(
                "piece = 'x' * 1000\nfor _ in range({pieces}): print(piece, end='')\nprint('x' * {rest}, end='')"
            );
            streamed(&daemon, at_most(name, program))
        };
        let (result, told) = write(size.get());
        assert_eq!(
            (result.status, told, result.dropped_bytes),
            (Outcome::Completed, size.get(), 0),
            "{name}"
        );
        let (result, told) = write(size.get() + 1);
        assert!(
            result.limits_hit.contains(&LimitHit::Output),
            "{name}: {result:#?}"
        );
        assert_eq!(told + result.dropped_bytes, size.get() + 1, "{name}");
        assert!(told <= size.get(), "{name}");
    }
}

/// The result of a run whose output is counted as it comes.
fn streamed(daemon: &Daemon, asked: RunRequest) -> (RunResult, u64) {
    let client = daemon.connect();
    daemon.block_on(async {
        let mut events = client.subscribe_run(asked).await.expect("it is accepted");
        let mut told = 0;
        while let Some(event) = events.next().await {
            match event.expect("an event") {
                Event::Output {
                    chunk: OutputChunk::Text { text },
                    ..
                } => told += text.len() as u64,
                Event::Finished { result } => return (*result, told),
                _ => {}
            }
        }
        panic!("the stream ended without a result");
    })
}
