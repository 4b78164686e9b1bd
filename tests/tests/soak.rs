//! Promise: over a long time nothing grows: descriptors, threads, memory, what is on disk, containers.
//! `scripts/soak.sh MINUTES` runs it for as long as one likes.

use std::{
    fmt::Write as _,
    fs,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use saferun_protocol::{ApiClient, Outcome, RunRequest, connect};
use saferun_tests::{Daemon, long, text};

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
#[derive(Debug, Clone, Copy)]
struct Size {
    descriptors: usize,
    threads: u64,
    memory_kb: u64,
    /// Bytes in use of the record's database: heads of entries stay, bodies go by the policy's retention.
    record: u64,
    /// The same of the journal and the rates.
    journal: u64,
    /// Everything else in the state folder: the databases' logs, which are brought into them at 4 MiB, and locks.
    other_files: u64,
    containers: usize,
}

/// Names of the sizes, and each as a number.
type Measure = (&'static str, fn(&Size) -> f64);

#[expect(clippy::cast_precision_loss, reason = "sizes far below 2^52")]
const MEASURES: [Measure; 7] = [
    ("descriptors", |size| size.descriptors as f64),
    ("threads", |size| size.threads as f64),
    ("KiB of memory", |size| size.memory_kb as f64),
    ("bytes of record", |size| size.record as f64),
    ("bytes of journal", |size| size.journal as f64),
    ("bytes of other files", |size| size.other_files as f64),
    ("containers", |size| size.containers as f64),
];

/// The slope of the line of least squares through these points: growth of the second for each of the first.
fn slope(points: &[(f64, f64)]) -> f64 {
    let count = f64::from(u32::try_from(points.len()).unwrap_or(u32::MAX)).max(1.0);
    let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / count;
    let (x, y) = (mean(|point| point.0), mean(|point| point.1));
    let (mut above, mut below) = (0.0, 0.0);
    for point in points {
        above += (point.0 - x) * (point.1 - y);
        below += (point.0 - x) * (point.0 - x);
    }
    if below > 0.0 { above / below } else { 0.0 }
}

#[test]
fn a_slope_is_growth_for_each_run() {
    assert!((slope(&[(0.0, 1.0), (10.0, 21.0), (20.0, 41.0)]) - 2.0).abs() < 1e-9);
    assert!(slope(&[(0.0, 5.0), (8.0, 5.0), (16.0, 5.0)]).abs() < 1e-9);
    assert!(slope(&[(3.0, 5.0)]).abs() < 1e-9);
}

/// Bytes of a database's pages that hold anything, what is only in its log included: the file's own length says when
/// the log was last brought into it, not what there is.
fn in_use(database: &Path) -> u64 {
    const COUNT: &str = "import sqlite3, sys\n\
        say = sqlite3.connect(f'file:{sys.argv[1]}?mode=ro', uri=True).execute\n\
        pages, free, size = [say('PRAGMA ' + name).fetchone()[0] for name in ('page_count', 'freelist_count', 'page_size')]\n\
        print((pages - free) * size)\n";
    let counted = Command::new("/usr/bin/python3")
        .args(["-c", COUNT])
        .arg(database)
        .output()
        .expect("python3 on the host");
    let said = text(&counted.stdout);
    let bytes = said.trim().parse();
    bytes.unwrap_or_else(|_| panic!("{}: {}", database.display(), text(&counted.stderr)))
}

fn size(daemon: &Daemon) -> Size {
    let status = fs::read_to_string(format!("/proc/{}/status", daemon.pid())).expect("its status");
    let number = |name: &str| -> u64 {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let word = line.and_then(|line| line.split_whitespace().next());
        word.and_then(|word| word.parse().ok()).expect(name)
    };
    let state = daemon.folder().join("state");
    let files = fs::read_dir(state).expect("the state").flatten();
    let (mut record, mut journal, mut other_files) = (0, 0, 0);
    for file in files {
        match file.file_name().to_string_lossy().as_ref() {
            "audit.sqlite" => record += in_use(&file.path()),
            "journal.sqlite" | "rates.sqlite" => journal += in_use(&file.path()),
            _ => other_files += file.metadata().map_or(0, |meta| meta.len()),
        }
    }
    Size {
        descriptors: fs::read_dir(format!("/proc/{}/fd", daemon.pid()))
            .expect("its descriptors")
            .count(),
        threads: number("Threads:"),
        memory_kb: number("VmRSS:"),
        record,
        journal,
        other_files,
        containers: daemon.containers().len(),
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
    let mut samples = vec![before];
    let began = Instant::now();
    let mut rounds = 0;
    while rounds < 4 || began.elapsed() < Duration::from_secs(60 * minutes) {
        round(&daemon);
        settle(&daemon);
        samples.push(size(&daemon));
        rounds += 1;
    }
    let after = size(&daemon);
    let runs = rounds * SORTS.len() as u64;
    let note = format!("{runs} runs: {before:?} -> {after:?}{}", trends(&samples));
    let _ = std::io::Write::write_all(&mut std::io::stderr(), format!("{note}\n").as_bytes());
    // The number that stand by differs by a few, each with its connection and watcher.
    assert!(after.descriptors <= before.descriptors + 8, "{note}");
    assert!(after.threads <= before.threads + 16, "{note}");
    assert!(after.memory_kb <= before.memory_kb + 64 * 1024, "{note}");
    assert!(after.containers <= before.containers + 4, "{note}");
    assert!(
        after.record <= before.record + runs * u64::from(RECORD) + SLACK,
        "{note}"
    );
    assert!(
        after.journal <= before.journal + runs * u64::from(JOURNAL) + SLACK,
        "{note}"
    );
    assert!(after.other_files <= LOGS, "{note}");
    assert_eq!(
        daemon.status().running + daemon.status().queued,
        0,
        "{note}"
    );
    flat(&samples, &note);
}

/// What one of these runs may leave in the record, on the average of its sorts; over 1,168 of them it was 9,475 bytes.
const RECORD: u32 = 12 << 10;
/// What it may leave in the journal and the rates: its receipt, with its place in the index. There it was 95 bytes.
const JOURNAL: u32 = 160;
/// Tables grow by pages.
const SLACK: u64 = 64 << 10;
/// Three logs of 4 MiB each, and what comes into one while it is brought into its database.
const LOGS: u64 = 24 << 20;

/// Growth of each size with the runs, over the second half of the samples: what fills caches is over by then.
fn growth(samples: &[Size], measure: fn(&Size) -> f64) -> f64 {
    let each = f64::from(u32::try_from(SORTS.len()).unwrap_or(u32::MAX));
    let half = samples.iter().skip(samples.len() / 2);
    let points: Vec<(f64, f64)> = half
        .zip(0_u32..)
        .map(|(size, index)| (f64::from(index) * each, measure(size)))
        .collect();
    slope(&points)
}

fn trends(samples: &[Size]) -> String {
    MEASURES
        .iter()
        .fold(String::new(), |mut text, (name, measure)| {
            let _ = write!(
                text,
                "\n  {name}: {:+.3} for 1000 runs",
                growth(samples, *measure) * 1000.0
            );
            text
        })
}

/// Enough rounds for a slope to be more than noise.
const ENOUGH: usize = 100;

/// Over a long soak no size may have a slope: what a leak of one in 50 runs would show.
fn flat(samples: &[Size], note: &str) {
    if samples.len() < ENOUGH {
        return;
    }
    for (name, most) in [
        ("descriptors", 0.02),
        ("threads", 0.02),
        ("containers", 0.02),
        ("KiB of memory", 2.0),
        ("bytes of record", f64::from(RECORD)),
        ("bytes of journal", f64::from(JOURNAL)),
    ] {
        let measure = MEASURES.iter().find(|(known, _)| *known == name);
        let measure = measure.expect("a measure of this name").1;
        let grows = growth(samples, measure);
        assert!(grows <= most, "{name} grow by {grows} for each run: {note}");
    }
}
