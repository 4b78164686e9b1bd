//! Promise: who has nothing to do sleeps. A daemon that keeps containers warm is not woken by any timer of its own, nor
//! are the supervisors and interpreters in them; and other containers' mounts wake nobody who watches no folder.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    time::{Duration, Instant},
};

use saferun_tests::{Daemon, docker, long};

/// How long nobody asks for anything; ten minutes with `SAFERUN_TEST_LONG=1`.
const STILL: Duration = Duration::from_secs(20);
const LONG: Duration = Duration::from_secs(600);
/// Wake-ups of all of it that are no poll: one of retention, one of the pool's.
const FEW: u64 = 4;
/// Of ten minutes, in which retention has its turn once more or twice.
const FEW_OF_LONG: u64 = 12;

/// Between two looks at which threads there are: the daemon keeps one that has nothing to do for ten times as long, so
/// that none is born and gone again unseen. To look at a process wakes nobody in it.
const LOOK: Duration = Duration::from_secs(1);

/// How often each thread of a process gave up the processor by itself, by process, thread and the thread's name.
fn sleeps(pid: u32) -> BTreeMap<String, u64> {
    let mut sleeps = BTreeMap::new();
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).into_iter();
    for task in tasks.flatten().flatten() {
        let Ok(status) = fs::read_to_string(task.path().join("status")) else {
            continue;
        };
        let count = status
            .lines()
            .find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
        let count = count.and_then(|count| count.trim().parse().ok());
        let id = task.file_name().to_string_lossy().into_owned();
        let name = fs::read_to_string(task.path().join("comm")).unwrap_or_default();
        // One that ends just now has no counts any more.
        if let Some(count) = count {
            sleeps.insert(format!("{pid}/{id} {}", name.trim()), count);
        }
    }
    sleeps
}

/// The processes inside a container, as the kernel of this machine knows them.
fn inside(daemon: &Daemon) -> Vec<u32> {
    let mut pids = Vec::new();
    for container in daemon.containers() {
        let top = docker(daemon.engine(), &["top", &container, "-o", "pid"]);
        let text = String::from_utf8_lossy(&top.stdout).into_owned();
        pids.extend(
            text.lines()
                .filter_map(|line| line.trim().parse::<u32>().ok()),
        );
    }
    pids
}

#[test]
fn nobody_is_woken_while_nothing_is_asked() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let (still, few) = if long() {
        (LONG, FEW_OF_LONG)
    } else {
        (STILL, FEW)
    };
    daemon.wait_for_warm(2);
    let image = daemon.image();
    let pids = inside(&daemon);
    assert!(
        pids.len() >= 4,
        "two supervisors and two interpreters: {pids:?}"
    );
    let all = || -> BTreeMap<String, u64> {
        let own = u32::try_from(daemon.pid()).expect("a pid");
        let each = pids.iter().copied().chain([own]).map(sleeps);
        each.flatten().collect()
    };
    // The answer to the last question of this test's own is under way yet.
    daemon.block_on(async { tokio::time::sleep(Duration::from_secs(2)).await });
    let before = all();
    // A container of somebody else's changes the mounts of this machine.
    let run = [
        "run",
        "--rm",
        "--network=none",
        "--entrypoint",
        "/usr/bin/python3",
        &image,
        "-c",
        "",
    ];
    let other = docker(daemon.engine(), &run);
    assert!(other.status.success(), "{other:?}");
    let (began, mut last) = (Instant::now(), before.clone());
    while began.elapsed() < still {
        daemon.block_on(async { tokio::time::sleep(LOOK).await });
        last.extend(all());
    }
    let now = all();
    let (mut times, mut figures) = (0, String::new());
    for (task, count) in &last {
        // One that was born meanwhile had not slept before.
        let woken = count - before.get(task).unwrap_or(&0);
        times += woken;
        let born = if before.contains_key(task) {
            ""
        } else {
            ", born meanwhile"
        };
        let gone = if now.contains_key(task) { "" } else { ", gone" };
        _ = writeln!(figures, "  {task}: {woken}{born}{gone}");
    }
    eprintln!(
        "woken in {} s, by process, thread and its name:\n{figures}{times} in all",
        still.as_secs()
    );
    assert!(
        pids.iter()
            .all(|pid| now.keys().any(|task| task.starts_with(&format!("{pid}/"))))
    );
    assert!(times <= few, "woken {times} times in {still:?}:\n{figures}");
}
