//! Promise: over a long time nothing grows: descriptors, threads, memory, what is on disk, containers.
//! `scripts/soak.sh MINUTES` runs it for as long as one likes.

use std::{
    fs,
    time::{Duration, Instant},
};

use saferun_protocol::{ApiClient, Outcome, RunRequest, connect};
use saferun_tests::{Daemon, long};

/// The sorts of runs, each with the ends that it may have.
const SORTS: [(&str, &str, &[Outcome]); 8] = [
    ("good", "print(sum(range(1000)))", &[Outcome::Completed]),
    (
        "raises",
        "raise ValueError('x' * 1000)",
        &[Outcome::Completed],
    ),
    ("dies", "import os\nos.abort()", &[Outcome::Signaled]),
    (
        "floods",
        "import os\nfor _ in range(40): os.write(1, b'x' * (1 << 20))",
        &[Outcome::Completed],
    ),
    (
        "hoards",
        "held = []\nwhile True: held.append(bytearray(4 << 20))",
        &[Outcome::Oom],
    ),
    ("lasts", "while True: pass", &[Outcome::Timeout]),
    (
        "is called off",
        "import time\ntime.sleep(600)",
        &[Outcome::Cancelled],
    ),
    (
        "orphans",
        "import os, time\nfor _ in range(4):\n    if os.fork() == 0:\n        os.setsid()\n        time.sleep(600)\n",
        &[Outcome::Completed],
    ),
];

/// What must not grow.
#[derive(Debug)]
struct Size {
    descriptors: usize,
    threads: u64,
    memory_kb: u64,
    disk: u64,
}

fn size(daemon: &Daemon) -> Size {
    let status = fs::read_to_string(format!("/proc/{}/status", daemon.pid())).expect("its status");
    let number = |name: &str| -> u64 {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let word = line.and_then(|line| line.split_whitespace().next());
        word.and_then(|word| word.parse().ok()).expect(name)
    };
    let files = fs::read_dir(daemon.folder().join("state"))
        .expect("the state")
        .flatten();
    Size {
        descriptors: fs::read_dir(format!("/proc/{}/fd", daemon.pid()))
            .expect("its descriptors")
            .count(),
        threads: number("Threads:"),
        memory_kb: number("VmRSS:"),
        disk: files
            .filter_map(|file| file.metadata().ok())
            .map(|meta| meta.len())
            .sum(),
    }
}

/// One run of each sort, all at once.
fn round(daemon: &Daemon) {
    let socket = daemon.socket();
    daemon.block_on(async {
        let mut runs = tokio::task::JoinSet::new();
        for (sort, source, ends) in SORTS {
            let socket = socket.clone();
            runs.spawn(async move {
                let client = connect(&socket).await.expect("a connection");
                let mut request = RunRequest::new(source);
                request.policy = Some("permissive".to_owned());
                request.limits.memory_bytes = Some(64 << 20);
                request.limits.time_ms = Some(if sort == "lasts" { 300 } else { 60_000 });
                request.file_name = Some(format!("{}.py", sort.replace(' ', "_")));
                let result = if sort == "is called off" {
                    let called_off = async {
                        let watcher = connect(&socket).await.expect("a connection");
                        loop {
                            let mut all = watcher.ps().await.expect("runs").into_iter();
                            if let Some(run) = all.find(|run| run.file_name == "is_called_off.py") {
                                watcher.kill(run.id).await.expect("a kill");
                                return;
                            }
                            tokio::time::sleep(Duration::from_millis(20)).await;
                        }
                    };
                    tokio::join!(client.run(request), called_off).0
                } else {
                    client.run(request).await
                };
                let result = result.unwrap_or_else(|error| panic!("{sort}: {error}"));
                assert!(ends.contains(&result.status), "{sort}: {result:?}");
            });
        }
        while let Some(run) = runs.join_next().await {
            run.expect("a run");
        }
    });
}

fn settle(daemon: &Daemon) {
    daemon.wait_until("all is still", |daemon| {
        let pools = daemon.status().pools;
        let busy: u32 = pools
            .iter()
            .map(|pool| pool.starting + pool.leased + pool.removing)
            .sum();
        let warm: u32 = pools.iter().map(|pool| pool.warm).sum();
        busy == 0 && daemon.containers().len() == warm as usize
    });
}

#[test]
fn d8_nothing_grows_over_many_mixed_runs() {
    let Some(daemon) = Daemon::start_with(&[
        ("SAFERUN_LIMITS_RATE_PER_CLIENT", "none"),
        ("SAFERUN_LIMITS_RATE_PER_CODE", "none"),
        ("SAFERUN_LIMITS_CONCURRENCY", "8"),
    ]) else {
        return;
    };
    let minutes = std::env::var("SAFERUN_SOAK_MINUTES").ok();
    let minutes = minutes.and_then(|minutes| minutes.parse::<u64>().ok());
    let minutes = minutes.unwrap_or(if long() { 10 } else { 0 });
    // Caches, pools of threads and the allocator find their size first.
    for _ in 0..2 {
        round(&daemon);
    }
    settle(&daemon);
    let before = size(&daemon);
    let began = Instant::now();
    let mut rounds = 0;
    while rounds < 4 || began.elapsed() < Duration::from_secs(60 * minutes) {
        round(&daemon);
        rounds += 1;
    }
    settle(&daemon);
    let after = size(&daemon);
    let runs = rounds * SORTS.len() as u64;
    let note = format!("{runs} runs: {before:?} -> {after:?}");
    let _ = std::io::Write::write_all(&mut std::io::stderr(), format!("{note}\n").as_bytes());
    // The number that stand by differs by a few, each with its connection and watcher.
    assert!(after.descriptors <= before.descriptors + 8, "{note}");
    assert!(after.threads <= before.threads + 16, "{note}");
    assert!(after.memory_kb <= before.memory_kb + 64 * 1024, "{note}");
    // A record keeps at most a part of the output of each run.
    assert!(after.disk <= before.disk + runs * 2 * 1024 * 1024, "{note}");
    assert_eq!(
        daemon.status().running + daemon.status().queued,
        0,
        "{note}"
    );
}
