//! Promise: a container serves one run; nothing of a run is visible to the next, and nothing of it is
//! taken from the person at the keyboard.

#![expect(
    clippy::needless_raw_string_hashes,
    reason = "the programs are pasted in whole"
)]

use std::{collections::HashSet, fs};

use saferun_protocol::{ApiClient, Cleanup, Outcome, RunRequest, RunResult, Witness};
use saferun_tests::{Daemon, docker, long, text};

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
        // The supervisor looked, too, and that is told of each run.
        let attested = |result: &RunResult| {
            let mut fields = result.sandbox.attestation.iter();
            let field = fields.find(|field| field.name == "left_behind");
            field.map(|field| (field.value.clone(), field.witness))
        };
        let nothing = Some(("none".to_owned(), Witness::Inside));
        assert_eq!(attested(&left), nothing);
        assert!(containers.insert(left.sandbox.container));
        assert!(containers.insert(searched.sandbox.container));
    }
    let checked = daemon.status().canary_checks;
    assert!(checked >= containers.len() as u64, "only {checked}");
}

/// Imports every module of the standard library, and says which failed and why.
const LIBRARY: &str = r#"
import importlib, sys
for name in sorted(sys.stdlib_module_names - {"antigravity", "this", "idlelib"}):
    try:
        importlib.import_module(name)
    except BaseException as error:
        print(name, type(error).__name__, error)
print("imported", len(sys.modules) > 200)
"#;

#[test]
fn i10_the_standard_library_imports_as_it_does_without_hardening() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let image = daemon.image();
    let plain = docker(
        daemon.engine(),
        &[
            "run",
            "--rm",
            "--entrypoint",
            "/usr/bin/python3",
            &image,
            "-c",
            LIBRARY,
        ],
    );
    let plain = text(&plain.stdout);
    assert!(plain.ends_with("imported True\n"), "{plain}");
    for runtime in daemon.status().engine.runtimes {
        if !["runc", "runsc"].contains(&runtime.as_str()) {
            continue;
        }
        let mut request = RunRequest::new(LIBRARY);
        request.runtime = Some(runtime.clone());
        let result = daemon.run_request(request);
        assert_eq!(result.sandbox.runtime, runtime);
        assert_eq!(result.stdout, plain, "{runtime}");
    }
}

#[test]
fn p7_runs_that_come_when_a_container_stands_by_get_it() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let hits = |daemon: &Daemon| -> (u64, u64) {
        let pools = daemon.status().pools;
        let sum = |of: fn(&saferun_protocol::PoolStatus) -> u64| pools.iter().map(of).sum();
        (sum(|pool| pool.hits), sum(|pool| pool.misses))
    };
    daemon.wait_for_warm(2);
    let mut request = RunRequest::new("print(1)");
    request.policy = Some("default".to_owned());
    let before = hits(&daemon);
    for _ in 0..8 {
        daemon.wait_for_warm(1);
        let result = daemon.run_request(request.clone());
        assert!(result.sandbox.warm, "{result:?}");
    }
    let after = hits(&daemon);
    assert_eq!((after.0 - before.0, after.1 - before.1), (8, 0));
}

#[test]
fn each_run_has_a_receipt_of_its_cleaning_up() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    // One that leaves orphans behind, one that is ended by a limit.
    let orphans = "import os, time\nif os.fork() == 0:\n    os.setsid()\n    time.sleep(600)\n";
    let mut endless = RunRequest::new("while True: pass");
    endless.limits.time_ms = Some(500);
    for request in [RunRequest::new(orphans), endless] {
        let result = daemon.run_request(request);
        daemon.wait_until("the receipt", |daemon| {
            let client = daemon.connect();
            let record = daemon
                .block_on(client.record(result.id.clone()))
                .expect("a record");
            record.cleanup == Some(Cleanup::Verified)
        });
        assert!(!daemon.containers().contains(&result.sandbox.container));
    }
    // What never had a container needs no receipt.
    let mut refused = RunRequest::new("import os\nos.system('rm -rf /')\n");
    refused.policy = Some("secure-sandbox".to_owned());
    let refused = daemon.run_request(refused);
    assert_eq!(refused.status, Outcome::Blocked, "{refused:?}");
    let client = daemon.connect();
    let record = daemon
        .block_on(client.record(refused.id))
        .expect("a record");
    assert_eq!(record.cleanup, None);
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
                let request = RunRequest::new(source);
                (
                    index,
                    ApiClient::run(&client, request).await.expect("a run"),
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

#[test]
fn p2_p8_live_containers_never_exceed_the_bound_by_the_engines_word() {
    let most = 3;
    let bound = most.to_string();
    let Some(daemon) = Daemon::start_with(&[
        ("SAFERUN_MAX_CONTAINERS", bound.as_str()),
        ("SAFERUN_POOL_SIZE", "8"),
    ]) else {
        return;
    };
    // More are to be kept warm than there may be, and more ask than that; two classes take turns.
    daemon.wait_for_warm(most);
    let count = if long() { 48 } else { 12 };
    let clients: Vec<_> = (0..count).map(|_| daemon.connect()).collect();
    let mut runs: Vec<_> = (0_u64..)
        .zip(clients)
        .map(|(index, client)| {
            let mut request = RunRequest::new(format!("print({index})"));
            request.policy = Some("permissive".to_owned());
            // The second class has more than the first, so that none of the first serves it.
            let memory = if index % 2 == 0 { 64 } else { 600 };
            request.limits.memory_bytes = Some(memory << 20);
            daemon.spawn(async move { ApiClient::run(&client, request).await })
        })
        .collect();
    let mut seen = 0;
    while runs.iter().any(|run| !run.is_finished()) {
        let live = daemon.containers().len();
        assert!(live <= most as usize, "{live} live: {:?}", daemon.status());
        seen = seen.max(live);
    }
    assert!(seen > 0, "no container was seen");
    for (index, run) in runs.iter_mut().enumerate() {
        let result = daemon.block_on(run).expect("the task").expect("a run");
        assert_eq!(result.stdout, format!("{index}\n"), "{result:?}");
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
        let mut request = RunRequest::new(GREEDY);
        request.policy = Some("permissive".to_owned());
        ApiClient::run(&client, request).await.expect("a run")
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
