//! Promise: who has nothing to do sleeps. A daemon that keeps containers warm is not woken by any timer of its own, nor
//! are the supervisors and interpreters in them; and other containers' mounts wake nobody who watches no folder.

use std::{collections::BTreeMap, fs, time::Duration};

use saferun_tests::{Daemon, docker, long};

/// How long nobody asks for anything; ten minutes with `SAFERUN_TEST_LONG=1`.
const STILL: Duration = Duration::from_secs(20);
const LONG: Duration = Duration::from_secs(600);
/// Wake-ups of all of it that are no poll: one of retention, one of the pool's.
const FEW: u64 = 4;
/// Of ten minutes, in which retention has its turn once more or twice.
const FEW_OF_LONG: u64 = 12;

/// How often each thread of a process gave up the processor by itself.
fn sleeps(pid: u32) -> BTreeMap<String, u64> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).expect("its threads");
    let mut sleeps = BTreeMap::new();
    for task in tasks.flatten() {
        let Ok(status) = fs::read_to_string(task.path().join("status")) else {
            continue;
        };
        let count = status
            .lines()
            .find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
        let count = count.and_then(|count| count.trim().parse().ok());
        let name = task.file_name().to_string_lossy().into_owned();
        sleeps.insert(format!("{pid}/{name}"), count.expect("a count"));
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
    daemon.block_on(async { tokio::time::sleep(still).await });
    let after = all();
    let woken: BTreeMap<&String, u64> = after
        .iter()
        .filter_map(|(task, now)| Some((task, now - before.get(task)?)))
        .filter(|(_, times)| *times > 0)
        .collect();
    let times: u64 = woken.values().sum();
    assert!(times <= few, "woken {times} times: {woken:?}");
}
