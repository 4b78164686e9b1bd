//! Promise: what a program takes more of than it may is named, ends nothing else, and leaves the host alone.

use std::fs;

use saferun_protocol::{ApiClient, ClientKind, LimitHit, Outcome, RunRequest, RunResult};
use saferun_tests::{Daemon, text};

fn limited(daemon: &Daemon, source: &str, memory_mib: u64) -> RunResult {
    let mut request = RunRequest::new(source);
    request.limits.memory_bytes = Some(memory_mib << 20);
    request.limits.time_ms = Some(60_000);
    daemon.run_request(request)
}

#[test]
fn r2_memory_runs_out_wherever_it_was_put_and_never_falsely() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let mmap = "import mmap\nheld = mmap.mmap(-1, 400 << 20)\nfor at in range(0, len(held), 4096): held[at] = 1\n";
    let tmpfs = "with open('/tmp/big', 'wb', buffering=0) as f:\n    for _ in range(200): f.write(b'x' * (1 << 20))\n";
    let threads = "import threading\nheld = []\ndef take():\n    for _ in range(50): held.append(bytearray(b'x' * (1 << 20)))\n\
        all = [threading.Thread(target=take) for _ in range(8)]\nfor t in all: t.start()\nfor t in all: t.join()\n";
    for source in [mmap, tmpfs, threads] {
        let result = limited(&daemon, source, 100);
        assert_eq!(result.status, Outcome::Oom, "{source}: {result:?}");
        assert!(result.limits_hit.contains(&LimitHit::Memory));
        assert!(result.message.contains("--memory"), "{}", result.message);
    }
    // Reserved and never touched is not used; a failure of its own is its own.
    let reserved = "import mmap\nheld = mmap.mmap(-1, 4 << 30)\nprint('fine')";
    let own = "raise MemoryError('of my own')";
    let near = "held = b'x' * (60 << 20)\nprint('fine')";
    for (source, code) in [(reserved, 0), (own, 1), (near, 0)] {
        let result = limited(&daemon, source, 100);
        assert_eq!(
            (result.status, result.exit_code),
            (Outcome::Completed, Some(code)),
            "{source}: {result:?}"
        );
        assert!(result.limits_hit.is_empty(), "{source}: {result:?}");
    }
}

#[test]
fn r3_no_run_gets_any_swap() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let source = "held = b'x' * (80 << 20)\nprint([l for l in open('/proc/self/status') if l.startswith('VmSwap')][0].split()[1])\n";
    let result = limited(&daemon, source, 100);
    assert_eq!(result.stdout, "0\n", "{result:?}");
    let seen: Vec<_> = result
        .sandbox
        .attestation
        .iter()
        .filter(|field| field.name == "swap_limit")
        .map(|field| field.value.as_str())
        .collect();
    // Memory and swap together are the memory's limit (cgroup 1), or swap alone is none (2).
    let memory = (100_u64 << 20).to_string();
    assert!(
        !seen.is_empty() && seen.iter().all(|value| *value == "0" || *value == memory),
        "{seen:?}"
    );
    assert!(result.usage.peak_memory_bytes.expect("a peak") <= 100 << 20);
    let beyond = limited(&daemon, "held = b'x' * (110 << 20)", 100);
    assert_eq!(beyond.status, Outcome::Oom, "{beyond:?}");
}

#[test]
fn r4_neighbours_and_the_host_are_unharmed_by_four_greedy_runs() {
    let Some(daemon) = Daemon::start_with(&[("SAFERUN_LIMITS_CONCURRENCY", "8")]) else {
        return;
    };
    let greedy = [
        "import os\nwhile True:\n    try: os.fork()\n    except OSError: pass\n",
        "import os\nheld = []\nwhile True:\n    held.append(os.fork() and bytearray(b'x' * (1 << 20)))\n",
        "import os\nwhile True: os.write(1, b'x' * 65536)\n",
        "n = 0\nwhile True:\n    try:\n        with open(f'/tmp/{n}', 'wb') as f: f.write(b'x' * 65536)\n        n += 1\n    except OSError: n = 0\n",
    ];
    let source = "import hashlib, os\nh = b''\nfor _ in range(20000): h = hashlib.sha256(h).digest()\n\
        open('/tmp/mine', 'wb').write(bytes(1 << 20))\nprint(h.hex()[:8], os.path.getsize('/tmp/mine'), os.fork() and os.wait()[1])\n";
    let alone = daemon.run(source);
    assert_eq!(alone.exit_code, Some(0), "{alone:?}");
    let clients: Vec<_> = greedy.iter().map(|_| daemon.connect()).collect();
    let running = daemon.block_on(async {
        let mut runs = tokio::task::JoinSet::new();
        for (client, source) in clients.into_iter().zip(greedy) {
            let mut request = RunRequest::new(source);
            request.limits.time_ms = Some(6_000);
            request.client = ClientKind::Terminal;
            request.person_present = true;
            request.override_reason = Some("a test of greedy programs".to_owned());
            runs.spawn(async move { client.run(request).await.expect("a run") });
        }
        runs
    });
    daemon.wait_until("most of them run", |daemon| daemon.status().running >= 3);
    for _ in 0..3 {
        let neighbour = daemon.run(source);
        assert_eq!(neighbour.stdout, alone.stdout, "{neighbour:?}");
        let host = std::process::Command::new("/usr/bin/python3")
            .args([
                "-c",
                "import os, subprocess; print(subprocess.run(['true']).returncode)",
            ])
            .output()
            .expect("python3 on the host");
        assert_eq!(text(&host.stdout), "0\n");
    }
    let ends = daemon.block_on(running.join_all());
    for end in ends {
        assert!(
            matches!(
                end.status,
                Outcome::Timeout | Outcome::Oom | Outcome::PidsExhausted | Outcome::OutputCapped
            ),
            "{end:?}"
        );
    }
}

#[test]
fn r5_inodes_a_sparse_file_and_shared_memory_are_bounded_like_bytes() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let inodes = "n = 0\nwhile True:\n    open(f'/tmp/{n}', 'w').close()\n    n += 1\n";
    let shm = "with open('/dev/shm/big', 'wb', buffering=0) as f:\n    for _ in range(64): assert f.write(b'x' * (1 << 20)) == 1 << 20\n";
    for source in [inodes, shm] {
        let result = limited(&daemon, source, 256);
        assert_eq!(result.status, Outcome::DiskFull, "{source}: {result:?}");
        assert!(result.limits_hit.contains(&LimitHit::Disk));
    }
    // A hole costs nothing, here or on the host, and cannot be filled.
    let sparse = "import os\nwith open('/tmp/hole', 'wb') as f:\n    os.ftruncate(f.fileno(), 1 << 40)\n\
        print(os.stat('/tmp/hole').st_blocks)\n";
    let result = limited(&daemon, sparse, 256);
    assert_eq!(
        (result.status, result.stdout.as_str()),
        (Outcome::Completed, "0\n"),
        "{result:?}"
    );
    let filled = "import os\nwith open('/tmp/hole', 'r+b' if os.path.exists('/tmp/hole') else 'w+b') as f:\n    os.ftruncate(f.fileno(), 1 << 40)\n\
        \n    os.posix_fallocate(f.fileno(), 0, 1 << 40)\n";
    let result = limited(&daemon, filled, 256);
    assert_ne!(result.exit_code, Some(0), "{result:?}");
    assert!(
        matches!(
            result.status,
            Outcome::Completed | Outcome::DiskFull | Outcome::Oom
        ),
        "{result:?}"
    );
}

#[test]
fn r7_used_up_descriptors_are_the_programs_own_trouble() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let open_for_me = || {
        fs::read_dir(format!("/proc/{}/fd", daemon.pid()))
            .expect("descriptors")
            .count()
    };
    let before = open_for_me();
    let all = "import os\nheld = []\ntry:\n    while True: held.append(os.dup(1))\nexcept OSError as e:\n    print(e.errno)\n\
        try:\n    open('/etc/hostname')\nexcept OSError as e:\n    print(e.errno)\n\
        for fd in held: os.close(fd)\nprint(open('/etc/hostname').read() is not None)\n";
    let result = daemon.run(all);
    assert_eq!(
        (result.status, result.stdout.as_str()),
        (Outcome::Completed, "24\n24\nTrue\n"),
        "{result:?}"
    );
    // Many processes with all of theirs, and sockets too; the supervisor reports all the same.
    let many = "import os, socket\nfor _ in range(20):\n    if os.fork() == 0:\n        held = []\n        try:\n            while True: held.append(socket.socketpair())\n        except OSError: os._exit(0)\n\
        ends = [os.wait()[1] for _ in range(20)]\nprint(ends)\nheld = []\nwhile True: held.append(os.dup(1))\n";
    let result = daemon.run(many);
    assert_eq!(
        (result.status, result.exit_code),
        (Outcome::Completed, Some(1)),
        "{result:?}"
    );
    assert_eq!(result.stdout, format!("{:?}\n", [0; 20]));
    assert!(
        result.stderr.contains("Too many open files"),
        "{}",
        result.stderr
    );
    assert_eq!(daemon.run("print('fine')").stdout, "fine\n");
    daemon.wait_until("the daemon gave its own back", |_| {
        open_for_me() <= before + 12
    });
}
