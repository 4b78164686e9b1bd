//! What a run gets unasked, at the limit and just above it.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use saferun_protocol::{Code, LimitHit, Outcome, StdinMode};
use saferun_tests::{Daemon, long};

use super::{ask, attested, ends, figures, passes, request};

#[test]
fn time() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let _ = daemon.image();
    let daemon = &daemon;
    std::thread::scope(|scope| {
        for (name, time) in figures(|limits| limits.time.default) {
            // Five minutes twice are for the long run. Here the figure reaches the run, and a shorter one of the same
            // preset ends it (`maxima::time`).
            if time > Duration::from_secs(60) && !long() {
                let result = passes(daemon, name, request(name, "pass"));
                let reached = u128::from(result.limits.time_ms);
                assert_eq!(reached, time.as_millis(), "{name}");
                continue;
            }
            scope.spawn(move || {
                let inside = time.as_secs_f64() * 0.8 - 0.5;
                passes(
                    daemon,
                    name,
                    request(name, format!("import time; time.sleep({inside})")),
                );
            });
            scope.spawn(move || {
                let beyond = time.as_secs_f64() + 3.0;
                let program = format!("import time; time.sleep({beyond})");
                let result = ends(daemon, name, Outcome::Timeout, request(name, program));
                assert!(
                    result.timing.run_ms >= time.as_secs_f64() * 1000.0 - 5.0,
                    "{name}: {result:#?}"
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
    for (name, memory) in figures(|limits| limits.memory.default) {
        let memory = memory.get();
        // The size comes as input: written out, the scanner would see it coming.
        let take = |bytes: u64| {
            let mut request = request(name, "held = b'x' * int(input())\nprint(len(held))");
            request.stdin = StdinMode::Given;
            request.stdin_base64 = Some(STANDARD.encode(bytes.to_string()));
            request
        };
        let result = passes(&daemon, name, take(memory - (24 << 20)));
        assert!(
            attested(&result, "memory_limit").contains(&memory.to_string()),
            "{name}"
        );
        let result = ends(&daemon, name, Outcome::Oom, take(memory + (1 << 20)));
        assert!(
            result.limits_hit.contains(&LimitHit::Memory),
            "{name}: {result:#?}"
        );
    }
}

/// In gVisor it is the whole sandbox that the kernel ends, and the outcome is the same.
#[test]
fn memory_in_gvisor() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let _ = daemon.image();
    if !daemon
        .status()
        .engine
        .runtimes
        .iter()
        .any(|name| name == "runsc")
    {
        saferun_tests::skipped("the engine offers no gVisor");
        return;
    }
    let mut request = request("default", "held = b'x' * (270 << 20)");
    request.runtime = Some("runsc".to_owned());
    let result = ends(&daemon, "runsc", Outcome::Oom, request);
    assert_eq!(result.sandbox.runtime, "runsc");
}

#[test]
fn cpus() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let _ = daemon.image();
    // Two processes that would use two processors.
    let program = "import time, multiprocessing\n\
        def burn():\n end = time.monotonic() + 1.5\n while time.monotonic() < end: pass\n\
        other = multiprocessing.Process(target=burn)\nother.start()\nburn()\nother.join()\n";
    for (name, cpus) in figures(|limits| limits.cpus.default) {
        let result = passes(&daemon, name, request(name, program));
        let share = result.usage.cpu_ms.expect("CPU time") / result.usage.wall_ms;
        let limit = f64::from(cpus.get()) / 1000.0;
        assert!(share <= limit * 1.15 + 0.05, "{name}: {share} of {limit}");
        assert!(
            attested(&result, "cpu_millis").contains(&cpus.get().to_string()),
            "{name}"
        );
    }
}

#[test]
fn pids() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let _ = daemon.image();
    for (name, pids) in figures(|limits| limits.pids.default) {
        let start = |threads: u32| {
            let program = format!(
                "import threading\nend = threading.Event()\nthreads = []\ntry:\n for _ in range({threads}):\n  \
                 one = threading.Thread(target=end.wait)\n  one.start()\n  threads.append(one)\nfinally:\n end.set()\n"
            );
            request(name, program)
        };
        // The supervisor and the interpreter's first thread are two of them.
        let result = passes(&daemon, name, start(pids - 2));
        assert!(
            attested(&result, "pids_limit").contains(&pids.to_string()),
            "{name}"
        );
        let result = ends(&daemon, name, Outcome::PidsExhausted, start(pids - 1));
        assert!(
            result.limits_hit.contains(&LimitHit::Pids),
            "{name}: {result:#?}"
        );
    }
}

#[test]
fn open_files() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let _ = daemon.image();
    for (name, files) in figures(|limits| limits.open_files.default) {
        let open = |count: u32| {
            request(
                name,
                format!("held = [open('/dev/null') for _ in range({count})]"),
            )
        };
        // Standard input, output and error are three of them.
        let result = passes(&daemon, name, open(files - 3));
        assert!(
            attested(&result, "open_files").contains(&format!("{files} {files}")),
            "{name}"
        );
        let result = ends(&daemon, name, Outcome::Completed, open(files - 2));
        assert_eq!(result.exit_code, Some(1));
        assert!(
            result.stderr.contains("Too many open files"),
            "{name}: {}",
            result.stderr
        );
    }
}

#[test]
fn tmpfs() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let _ = daemon.image();
    for (name, size) in figures(|limits| limits.tmpfs.default) {
        let size = size.get();
        let write = |bytes: u64| {
            let program = format!(
                "piece = b'x' * 4096\nwith open('/tmp/f', 'wb', buffering=0) as out:\n \
                 for _ in range({}):\n  assert out.write(piece) == 4096\n",
                bytes / 4096
            );
            request(name, program)
        };
        // The folder's own entry takes a page.
        let result = passes(&daemon, name, write(size - (64 << 10)));
        assert!(
            attested(&result, "writable_mounts")[0].contains(&format!("/tmp size={size} ")),
            "{name}"
        );
        let result = ends(&daemon, name, Outcome::DiskFull, write(size + 4096));
        assert!(
            result.limits_hit.contains(&LimitHit::Disk),
            "{name}: {result:#?}"
        );
    }
}

#[test]
fn output() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let _ = daemon.image();
    for (name, size) in figures(|limits| limits.output.default) {
        let write = |bytes: u64| request(name, format!("print('x' * {bytes}, end='')"));
        let result = passes(&daemon, name, write(size.get()));
        assert!(
            !result.stdout_truncated && result.stdout.len() as u64 == size.get(),
            "{name}"
        );
        let result = passes(&daemon, name, write(size.get() + 1));
        assert!(
            result.stdout_truncated && result.dropped_bytes > 0,
            "{name}"
        );
        assert!(result.limits_hit.contains(&LimitHit::Output), "{name}");
    }
}

#[test]
fn source() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let _ = daemon.image();
    for (name, size) in figures(|limits| limits.source.default) {
        let padded = |bytes: u64| {
            let filler = usize::try_from(bytes).expect("a size") - "print(1)\n#".len();
            request(name, format!("print(1)\n#{}", "x".repeat(filler)))
        };
        passes(&daemon, name, padded(size.get()));
        let (code, message) = ask(&daemon, padded(size.get() + 1)).expect_err("one byte too many");
        assert_eq!(code, Code::TooLarge, "{name}: {message}");
    }
}

/// Presets that hand back no files are left out.
#[test]
fn artifacts() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let _ = daemon.image();
    let asked = |name: &str, program: String| {
        let mut request = request(name, program);
        request.artifacts = true;
        request
    };
    let sizes = figures(|limits| limits.artifacts.default);
    for (name, size) in sizes {
        let write = |bytes: u64| asked(name, format!("open('/out/x', 'wb').write(b'x' * {bytes})"));
        let whole = |bytes: u64| {
            let artifacts = passes(&daemon, name, write(bytes)).artifacts;
            assert_eq!(artifacts.len(), 1, "{name}");
            assert_eq!(artifacts[0].size, bytes, "{name}");
            artifacts[0].content_base64.is_some()
        };
        assert!(whole(size.get()), "{name}: at the limit");
        assert!(!whole(size.get() + 1), "{name}: one byte more");
    }
    for (name, count) in figures(|limits| limits.artifact_count.default) {
        let write = |files: u32| {
            let program = format!("for n in range({files}): open(f'/out/{{n}}', 'w').write('x')");
            passes(&daemon, name, asked(name, program)).artifacts.len()
        };
        assert_eq!(write(count), count as usize, "{name}");
        assert_eq!(write(count + 1), count as usize, "{name}");
    }
    // Under `tutorial-hardened` nothing can be written there, and nothing would come back.
    let program = "open('/tmp/x', 'w').write('x')".to_owned();
    let none = passes(&daemon, "none", asked("tutorial-hardened", program));
    assert!(none.artifacts.is_empty(), "{none:#?}");
}
