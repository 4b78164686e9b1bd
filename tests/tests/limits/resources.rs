//! What the kernel holds: memory, processors, tasks, descriptors, folders in memory.

use std::fs;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use saferun_protocol::{LimitHit, Outcome, StdinMode};
use saferun_tests::{Daemon, skipped};

use super::{attested, ends, passes, table::Cell};

/// Whether the machine has this much memory to spare, and some for the others; says what is left out if not.
fn spare(cell: &Cell, bytes: u64) -> bool {
    let about = fs::read_to_string("/proc/meminfo").expect("what the machine has");
    let line = about.lines().find(|line| line.starts_with("MemAvailable:"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1));
    let kib: u64 = kib.and_then(|kib| kib.parse().ok()).expect("a number");
    let enough = kib * 1024 > bytes + (1 << 30);
    if !enough {
        skipped(&format!("{cell}: the machine has {} MiB left", kib >> 10));
    }
    enough
}

pub(crate) fn memory(daemon: &Daemon, cell: &Cell) {
    let memory = cell.of(&cell.limits().memory).get();
    if !spare(cell, memory) {
        return;
    }
    // The size comes as input: written out, the scanner would see it coming.
    let take = |bytes: u64| {
        let mut request = cell.request("held = b'x' * int(input())\nprint(len(held))");
        request.stdin = StdinMode::Given;
        request.stdin_base64 = Some(STANDARD.encode(bytes.to_string()));
        request
    };
    let result = passes(daemon, cell, take(memory - (24 << 20)));
    let seen = attested(&result, "memory_limit");
    assert!(seen.contains(&memory.to_string()), "{cell}: {seen:?}");
    let result = ends(daemon, cell, Outcome::Oom, take(memory + (1 << 20)));
    let hit = &result.limits_hit;
    assert!(hit.contains(&LimitHit::Memory), "{cell}: {result:#?}");
}

/// In gVisor it is the whole sandbox that the kernel ends, and the outcome is the same.
#[test]
fn memory_in_gvisor() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    if !daemon.tiers().contains(&"runsc") {
        skipped("the engine offers no gVisor");
        return;
    }
    let mut request = super::request("default", "held = b'x' * (270 << 20)");
    request.runtime = Some("runsc".to_owned());
    let result = ends(&daemon, &"runsc", Outcome::Oom, request);
    assert_eq!(result.sandbox.runtime, "runsc");
}

/// A share of as many processors as the machine has cannot be exceeded there: then the kernel's word is all there is.
pub(crate) fn cpus(daemon: &Daemon, cell: &Cell) {
    let share = cell.of(&cell.limits().cpus).get();
    let here = std::thread::available_parallelism().expect("a count").get();
    let burners = usize::try_from(share.div_ceil(1000)).expect("a count") + 1;
    let program = format!(
        "import time, multiprocessing\n\
        def burn():\n end = time.monotonic() + 1.5\n while time.monotonic() < end: pass\n\
        others = [multiprocessing.Process(target=burn) for _ in range({})]\n\
        for other in others: other.start()\nburn()\nfor other in others: other.join()\n",
        burners.min(here + 1) - 1
    );
    let result = passes(daemon, cell, cell.request(program));
    let seen = attested(&result, "cpu_millis");
    assert!(seen.contains(&share.to_string()), "{cell}: {seen:?}");
    let used = result.usage.cpu_ms.expect("CPU time") / result.usage.wall_ms;
    let limit = f64::from(share) / 1000.0;
    assert!(used <= limit * 1.15 + 0.05, "{cell}: {used}");
    if usize::try_from(share).expect("a count") >= here * 1000 {
        skipped(&format!(
            "{cell}: {share} thousandths of a processor were read back from the kernel and nothing used more; that the \
             limit bites cannot be seen with {here} processors, and is shown by the smaller shares"
        ));
    }
}

pub(crate) fn pids(daemon: &Daemon, cell: &Cell) {
    let pids = cell.of(&cell.limits().pids);
    let start = |threads: u32| {
        cell.request(format!(
            "import threading\nend = threading.Event()\nthreads = []\ntry:\n for _ in range({threads}):\n  \
             one = threading.Thread(target=end.wait)\n  one.start()\n  threads.append(one)\nfinally:\n end.set()\n"
        ))
    };
    // The supervisor and the interpreter's first thread are two of them.
    let result = passes(daemon, cell, start(pids - 2));
    let seen = attested(&result, "pids_limit");
    assert!(seen.contains(&pids.to_string()), "{cell}: {seen:?}");
    let result = ends(daemon, cell, Outcome::PidsExhausted, start(pids - 1));
    let hit = &result.limits_hit;
    assert!(hit.contains(&LimitHit::Pids), "{cell}: {result:#?}");
}

pub(crate) fn open_files(daemon: &Daemon, cell: &Cell) {
    let files = cell.of(&cell.limits().open_files);
    let open = |count: u32| {
        cell.request(format!(
            "held = [open('/dev/null') for _ in range({count})]"
        ))
    };
    // Standard input, output and error are three of them.
    let result = passes(daemon, cell, open(files - 3));
    let seen = attested(&result, "open_files");
    assert!(
        seen.contains(&format!("{files} {files}")),
        "{cell}: {seen:?}"
    );
    let result = ends(daemon, cell, Outcome::Completed, open(files - 2));
    assert_eq!(result.exit_code, Some(1), "{cell}");
    assert!(
        result.stderr.contains("Too many open files"),
        "{cell}: {}",
        result.stderr
    );
}

pub(crate) fn tmpfs(daemon: &Daemon, cell: &Cell) {
    let size = cell.of(&cell.limits().tmpfs).get();
    if !spare(cell, size) {
        return;
    }
    let write = |bytes: u64| {
        cell.request(format!(
            "piece = b'x' * 4096\nwith open('/tmp/f', 'wb', buffering=0) as out:\n \
             for _ in range({}):\n  assert out.write(piece) == 4096\n",
            bytes / 4096
        ))
    };
    // The folder's own entry takes a page.
    let result = passes(daemon, cell, write(size - (64 << 10)));
    let seen = &attested(&result, "writable_mounts")[0];
    assert!(
        seen.contains(&format!("/tmp size={size} ")),
        "{cell}: {seen}"
    );
    let result = ends(daemon, cell, Outcome::DiskFull, write(size + 4096));
    let hit = &result.limits_hit;
    assert!(hit.contains(&LimitHit::Disk), "{cell}: {result:#?}");
}
