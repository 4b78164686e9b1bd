//! Promise: a container serves one run; nothing of a run is visible to the next, and nothing of it is
//! taken from the person at the keyboard.

#![expect(
    clippy::needless_raw_string_hashes,
    reason = "the programs are pasted in whole"
)]

use std::{collections::HashSet, fs};

use saferun_protocol::Outcome;
use saferun_tests::{Daemon, long};

const LEAVE: &str = r#"
import os
for folder in ("/tmp", "/workspace", "/out", os.environ["HOME"], "/dev/shm"):
    try:
        with open(folder + "/canary", "w") as f: f.write("canary")
    except OSError: pass
os.environ["CANARY"] = "1"
if os.fork() == 0:
    os.setsid()
    import time; time.sleep(300)
print("left")
"#;

const SEARCH: &str = r#"
import os
found = []
for folder in ("/tmp", "/workspace", "/out", os.environ["HOME"], "/dev/shm"):
    if os.path.exists(folder + "/canary"): found.append(folder)
if "CANARY" in os.environ: found.append("environment")
pids = [p for p in os.listdir("/proc") if p.isdigit()]
if len(pids) > 2: found.append("processes " + ",".join(pids))
print(found)
"#;

#[test]
fn p9_nothing_survives_from_run_to_run_and_no_container_serves_twice() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let mut containers = HashSet::new();
    for _ in 0..if long() { 100 } else { 6 } {
        let left = daemon.run(LEAVE);
        assert_eq!(left.stdout, "left\n", "{left:?}");
        let searched = daemon.run(SEARCH);
        assert_eq!(searched.stdout, "[]\n", "{searched:?}");
        assert!(containers.insert(left.sandbox.container));
        assert!(containers.insert(searched.sandbox.container));
    }
}

#[test]
fn p1_many_at_once_each_have_their_own() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let count = if long() { 64 } else { 16 };
    let clients: Vec<_> = (0..count).map(|_| daemon.connect()).collect();
    let results = daemon.block_on(async {
        let mut runs = tokio::task::JoinSet::new();
        for (index, client) in clients.into_iter().enumerate() {
            runs.spawn(async move {
                let source = format!("import time; time.sleep(0.05); print({index})");
                let request = saferun_protocol::RunRequest::new(source);
                (
                    index,
                    saferun_protocol::ApiClient::run(&client, request)
                        .await
                        .expect("a run"),
                )
            });
        }
        runs.join_all().await
    });
    let mut containers = HashSet::new();
    for (index, result) in results {
        assert_eq!(result.stdout, format!("{index}\n"), "{result:?}");
        assert!(
            containers.insert(result.sandbox.container),
            "a container served twice"
        );
    }
}

/// What the kernel counts for each uid over all containers, taken by a program as far as it can.
const GREEDY: &str = r#"
import ctypes, os, signal, time
libc = ctypes.CDLL(None, use_errno=True)
watches = 0
while watches < 4096 and libc.inotify_init1(0) >= 0: watches += 1
pipes = 0
import fcntl
try:
    while pipes < 4096:
        r, w = os.pipe()
        try: fcntl.fcntl(w, 1031, 1 << 20)
        except OSError: pass
        pipes += 1
except OSError: pass
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGRTMIN])
queued = 0
while queued < 200000 and libc.sigqueue(os.getpid(), int(signal.SIGRTMIN), 0) == 0: queued += 1
print(watches, pipes, queued, flush=True)
time.sleep(3)
"#;

#[test]
fn a_greedy_program_takes_nothing_of_the_host_users() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let client = daemon.connect();
    let greedy = async move {
        let mut request = saferun_protocol::RunRequest::new(GREEDY);
        request.policy = Some("permissive".to_owned());
        saferun_protocol::ApiClient::run(&client, request)
            .await
            .expect("a run")
    };
    let result = daemon.block_on(async {
        let running = tokio::spawn(greedy);
        tokio::time::sleep(std::time::Duration::from_millis(1_500)).await;
        // The host user, in the middle of it: instances, pipes of full size, queued signals.
        let output = tokio::process::Command::new("/usr/bin/python3")
            .args(["-c", HOST_USER])
            .output()
            .await
            .expect("python3 on the host");
        assert_eq!(
            String::from_utf8_lossy(&output.stdout),
            "fine\n",
            "{output:?}"
        );
        running.await.expect("the run")
    });
    assert!(
        matches!(result.status, Outcome::Completed | Outcome::Oom),
        "{result:?}"
    );
    // The uid is nobody's: no account of this machine has it.
    let accounts = fs::read_to_string("/etc/passwd").expect("accounts");
    assert!(!accounts.lines().any(|line| {
        line.split(':')
            .nth(2)
            .is_some_and(|uid| uid.starts_with("8900"))
    }));
}

const HOST_USER: &str = r#"
import ctypes, os, signal, fcntl
libc = ctypes.CDLL(None, use_errno=True)
assert libc.inotify_init1(0) >= 0
r, w = os.pipe()
assert fcntl.fcntl(w, 1032) >= 65536
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGRTMIN])
for _ in range(16):
    assert libc.sigqueue(os.getpid(), int(signal.SIGRTMIN), 0) == 0
print("fine")
"#;
