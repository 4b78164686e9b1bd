//! Each limit of each preset bites: a program at the limit passes, one just above fails with the right outcome.
//! Figures come from the presets themselves; presets that share a figure share the programs.

use std::{collections::BTreeMap, sync::Mutex, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use saferun_policy::{Limits, preset, preset_names};
use saferun_protocol::{
    ApiClient, ClientKind, Code, LimitHit, Outcome, RunRequest, RunResult, StdinMode,
};
use saferun_tests::{Daemon, long};

type Answer = Result<RunResult, (Code, String)>;

fn request(policy: &str, source: impl Into<String>) -> RunRequest {
    let mut request = RunRequest::new(source);
    request.policy = Some(policy.to_owned());
    request.client = ClientKind::Terminal;
    request
}

fn ask(daemon: &Daemon, request: RunRequest) -> Answer {
    let client = daemon.connect();
    daemon
        .block_on(client.run(request))
        .map_err(|error| match error {
            jsonrpsee::core::ClientError::Call(object) => (
                Code::from_number(object.code()).expect("a code of ours"),
                object.message().to_owned(),
            ),
            other => panic!("{other}"),
        })
}

/// One preset for each distinct figure of a limit, among those whose rules let the programs of this test run.
fn figures<T: Ord>(figure: impl Fn(&Limits) -> T) -> Vec<(&'static str, T)> {
    let mut found: BTreeMap<T, &'static str> = BTreeMap::new();
    for name in preset_names().iter().copied() {
        let limits = preset(name).expect("a preset").limits;
        // `safe-executor` lets no program import anything: its figures are those of others (asserted below).
        if name != "safe-executor" {
            found.entry(figure(&limits)).or_insert(name);
        }
    }
    let executor = preset("safe-executor").expect("a preset").limits;
    assert!(
        found.contains_key(&figure(&executor)),
        "no other preset has the figure of safe-executor"
    );
    found
        .into_iter()
        .map(|(figure, name)| (name, figure))
        .collect()
}

fn passes(daemon: &Daemon, what: &str, request: RunRequest) -> RunResult {
    let result = ask(daemon, request).unwrap_or_else(|error| panic!("{what}: {error:?}"));
    assert_eq!(
        (result.status, result.exit_code),
        (Outcome::Completed, Some(0)),
        "{what}: {result:#?}"
    );
    result
}

fn ends(daemon: &Daemon, what: &str, outcome: Outcome, request: RunRequest) -> RunResult {
    let result = ask(daemon, request).unwrap_or_else(|error| panic!("{what}: {error:?}"));
    assert_eq!(result.status, outcome, "{what}: {result:#?}");
    result
}

fn attested(result: &RunResult, name: &str) -> Vec<String> {
    let fields = result
        .sandbox
        .attestation
        .iter()
        .filter(|field| field.name == name);
    fields.map(|field| field.value.clone()).collect()
}

#[test]
fn time() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let _ = daemon.image();
    let daemon = &daemon;
    std::thread::scope(|scope| {
        for (name, time) in figures(|limits| limits.time.default) {
            // Five minutes twice are for the long run; that the figure reaches the run is seen here all the same.
            if time > Duration::from_secs(60) && !long() {
                let result = passes(daemon, name, request(name, "pass"));
                assert_eq!(
                    u128::from(result.limits.time_ms),
                    time.as_millis(),
                    "{name}"
                );
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
        eprintln!("SKIPPED: the engine offers no gVisor");
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

#[test]
fn concurrency_and_queue() {
    for (name, (concurrency, queue)) in figures(|limits| (limits.concurrency, limits.queue)) {
        // A daemon of its own: what ran under another preset would count in the rate of this one.
        let Some(daemon) = Daemon::start() else {
            return;
        };
        let _ = daemon.image();
        // Where the rate lets fewer in than would fill the queue, only those come.
        let rates = preset(name).expect("a preset").limits.rate.per_client;
        let rate = rates
            .iter()
            .map(|rate| rate.count)
            .min()
            .unwrap_or(u32::MAX);
        let comes = (concurrency + queue).min(rate);
        let client = daemon.connect();
        daemon.block_on(async {
            let tasks = Mutex::new(tokio::task::JoinSet::new());
            let client = std::sync::Arc::new(client);
            for number in 0..comes {
                let (client, request) = (
                    std::sync::Arc::clone(&client),
                    request(name, format!("import time; time.sleep(8) # {number}")),
                );
                tasks
                    .lock()
                    .expect("a lock")
                    .spawn(async move { client.run(request).await });
            }
            let mut seen = client.status().await.expect("a status");
            for _ in 0..600 {
                if (seen.running, seen.queued) == (concurrency, comes - concurrency) {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
                seen = client.status().await.expect("a status");
            }
            assert_eq!(
                (seen.running, seen.queued),
                (concurrency, comes - concurrency),
                "{name}"
            );
            let refused = client.run(request(name, "print('one too many')")).await;
            let Err(jsonrpsee::core::ClientError::Call(object)) = refused else {
                panic!("{name}: {refused:?}")
            };
            assert_eq!(
                Code::from_number(object.code()),
                Some(if rate > comes {
                    Code::Busy
                } else {
                    Code::RateLimited
                }),
                "{name}: {object:?}"
            );
            for run in client.ps().await.expect("a list") {
                let _ = client.kill(run.id).await;
            }
            let mut tasks = tasks.into_inner().expect("a lock");
            while let Some(ended) = tasks.join_next().await {
                let result = ended.expect("a task").expect("a result");
                // A short time limit may have come before the cancellation.
                let ended = [Outcome::Cancelled, Outcome::Timeout].contains(&result.status);
                assert!(ended, "{name}: {result:#?}");
            }
        });
        daemon.wait_until("all ended", |daemon| {
            daemon.status().running + daemon.status().queued == 0
        });
    }
}

#[test]
fn rates() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let _ = daemon.image();
    let refused = |answer: Answer| {
        let (code, message) = answer.expect_err("one too many");
        assert_eq!(code, Code::RateLimited, "{message}");
        message
    };
    // Ten in a minute, whatever they run.
    for number in 0..10 {
        let program = format!("print({number})");
        passes(
            &daemon,
            "secure-sandbox",
            request("secure-sandbox", program),
        );
    }
    let message = refused(ask(&daemon, request("secure-sandbox", "print('at once')")));
    assert!(message.contains("10 runs in 1m"), "{message}");
    // Ten of the same code in an hour; other code goes on.
    let same = || request("tutorial-hardened", "print('the same')");
    for _ in 0..10 {
        passes(&daemon, "tutorial-hardened", same());
    }
    let message = refused(ask(&daemon, same()));
    assert!(
        message.contains("the same code ran 10 times in 1h"),
        "{message}"
    );
    passes(
        &daemon,
        "tutorial-hardened",
        request("tutorial-hardened", "print('other')"),
    );
}

#[test]
fn folders_output_and_loopback_are_as_the_policy_says() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let _ = daemon.image();
    let program = "import pathlib\nfor folder in ['/tmp', '/workspace', '/out', '/home/sandbox', '/etc', '.']:\n try:\n  \
        pathlib.Path(folder, 'x').write_text('x'); print(folder, 'yes')\n except OSError as e: print(folder, 'no')\n";
    for (name, writable) in [
        (
            "default",
            "/tmp yes\n/workspace yes\n/out yes\n/home/sandbox yes\n/etc no\n. yes\n",
        ),
        (
            "secure-sandbox",
            "/tmp yes\n/workspace no\n/out yes\n/home/sandbox yes\n/etc no\n. yes\n",
        ),
        (
            "tutorial-hardened",
            "/tmp yes\n/workspace no\n/out no\n/home/sandbox no\n/etc no\n. yes\n",
        ),
    ] {
        assert_eq!(
            passes(&daemon, name, request(name, program)).stdout,
            writable,
            "{name}"
        );
    }
    let mut silent = request("default", "print('secret')");
    silent.policy_layers.project = vec![saferun_protocol::PolicyText::new(
        "p",
        "version: 1\nreturns: {output: false}\n",
    )];
    let result = passes(&daemon, "returns.output", silent);
    assert_eq!((result.stdout.as_str(), result.stderr.as_str()), ("", ""));
    let mut talks = request(
        "default",
        "import socket, threading\nserver = socket.create_server(('127.0.0.1', 0))\n\
         client = socket.create_connection(server.getsockname())\nclient.send(b'x')\nprint(server.accept()[0].recv(1))\n",
    );
    talks.override_reason = Some("a test of the loopback".to_owned());
    talks.person_present = true;
    talks.policy_layers.settings =
        vec![saferun_protocol::PolicySetting::new("network", "loopback")];
    assert_eq!(passes(&daemon, "network", talks).stdout, "b'x'\n");
}

/// Tighter limits than those of any warm container: one is lent, tightened before the code comes, and read back.
#[test]
fn a_warm_container_is_tightened_and_holds_the_tighter_limits() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    daemon.wait_for_warm(2);
    let tight = |source: &str, bytes: &str| {
        let mut request = request("default", source);
        request.limits.memory_bytes = Some(100 << 20);
        request.limits.cpu_millis = Some(500);
        request.limits.pids = Some(24);
        request.stdin = StdinMode::Given;
        request.stdin_base64 = Some(STANDARD.encode(bytes));
        request
    };
    let take = "held = b'x' * int(input())\nprint(len(held))";
    let result = passes(&daemon, "inside", tight(take, "70000000"));
    assert!(result.sandbox.warm, "it was lent: {result:#?}");
    for (name, value) in [
        ("memory_limit", (100_u64 << 20).to_string()),
        ("swap_limit", (100_u64 << 20).to_string()),
        ("cpu_millis", "500".to_owned()),
        ("pids_limit", "24".to_owned()),
    ] {
        let seen = attested(&result, name);
        // On cgroup version 2 the limit on swap alone is 0.
        let swap = name == "swap_limit" && seen == ["0"];
        assert!(seen == [value] || swap, "{name}: {seen:?}");
    }
    daemon.wait_for_warm(2);
    let result = ends(&daemon, "above", Outcome::Oom, tight(take, "110000000"));
    assert!(result.limits_hit.contains(&LimitHit::Memory), "{result:#?}");
    let pools = daemon.status().pools;
    let own = pools.iter().any(|pool| pool.key.contains("memory=100MiB"));
    assert!(
        own,
        "asked for twice, it gets a class of its own: {pools:#?}"
    );
}
