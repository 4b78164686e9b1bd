//! Promise: each end of a run has its own name, evidence for it, and a sentence that says what to do; in both tiers. Who
//! else may ends a run; trouble is told once.

use std::{fs, os::unix::fs::PermissionsExt};

use saferun_protocol::{
    ApiClient, Event, EvidenceWitness, LimitHit, Outcome, RunRequest, RunResult, StoppedBy,
};
use saferun_tests::{Daemon, HeldRecord, docker, long, text};

/// A program, the limits that it gets, and how it ends: in runc, in gVisor.
struct Case {
    name: &'static str,
    source: &'static str,
    memory_mib: u64,
    pids: u32,
    time_ms: u64,
    ends: [(Outcome, Option<LimitHit>); 2],
    advice: &'static str,
}

const fn case(name: &'static str, source: &'static str, end: (Outcome, Option<LimitHit>)) -> Case {
    Case {
        name,
        source,
        memory_mib: 256,
        pids: 64,
        time_ms: 60_000,
        ends: [end, end],
        advice: "",
    }
}

fn cases() -> Vec<Case> {
    use Outcome::{Completed, DiskFull, Oom, PidsExhausted, Signaled, Timeout};
    vec![
        Case {
            advice: "standard error",
            ..case("exit code", "raise SystemExit(3)", (Completed, None))
        },
        Case {
            advice: "SafeRun did not send it",
            ..case(
                "crash",
                "import os\nos.kill(os.getpid(), 11)",
                (Signaled, None),
            )
        },
        Case {
            time_ms: 1_000,
            advice: "--timeout",
            ..case(
                "endless",
                "while True: pass",
                (Timeout, Some(LimitHit::Time)),
            )
        },
        Case {
            advice: "--memory",
            ..case(
                "memory",
                "held = []\nwhile True: held.append(bytearray(b'x' * (8 << 20)))",
                (Oom, Some(LimitHit::Memory)),
            )
        },
        Case {
            // gVisor's own kernel needs memory for each process.
            memory_mib: 1024,
            pids: 16,
            advice: "--pids",
            ..case(
                "tasks",
                "import os, time\nwhile True:\n    if os.fork() == 0: time.sleep(100)\n",
                (PidsExhausted, Some(LimitHit::Pids)),
            )
        },
        Case {
            // In gVisor the sandbox as a whole ends there.
            memory_mib: 1024,
            pids: 16,
            ends: [
                (Completed, Some(LimitHit::Pids)),
                (PidsExhausted, Some(LimitHit::Pids)),
            ],
            advice: "--pids",
            ..case(
                "tasks, survived",
                "import os, sys, time\nchildren = []\nwhile True:\n    try: child = os.fork()\n    except OSError: break\n    if child == 0: time.sleep(100)\n    children.append(child)\nfor child in children: os.kill(child, 9)\nsys.exit(3)",
                (Completed, Some(LimitHit::Pids)),
            )
        },
        Case {
            memory_mib: 512,
            advice: "limits.tmpfs",
            ..case(
                "disk",
                "with open('/tmp/x', 'wb', buffering=0) as f:\n    while True: assert f.write(b'x' * (1 << 20)) == 1 << 20\n",
                (DiskFull, Some(LimitHit::Disk)),
            )
        },
        Case {
            // PID 1 is out of reach in runc; in gVisor its end is that of the sandbox.
            ends: [(Completed, None), (Signaled, None)],
            ..case(
                "PID 1",
                "import os\nfor _ in range(50): os.kill(1, 9)\nimport time; time.sleep(1)",
                (Completed, None),
            )
        },
    ]
}

fn sentence(result: &RunResult, advice: &str, what: &str) {
    assert!(
        result.message.contains(advice),
        "{what}: {}",
        result.message
    );
    assert!(
        result.message.len() > 20 && !result.message.ends_with('.'),
        "{what}: {}",
        result.message
    );
}

#[test]
fn each_outcome_has_evidence_and_advice_in_both_tiers() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    for (tier, runtime) in daemon.tiers().into_iter().enumerate() {
        for case in cases() {
            let what = format!("{} in {runtime}", case.name);
            let mut request = RunRequest::new(case.source);
            request.runtime = Some(runtime.to_owned());
            request.limits.memory_bytes = Some(case.memory_mib << 20);
            request.limits.pids = Some(case.pids);
            request.limits.time_ms = Some(case.time_ms);
            let result = daemon.run_request(request);
            let (outcome, hit) = case.ends[tier];
            assert_eq!(result.status, outcome, "{what}: {result:#?}");
            assert_eq!(result.sandbox.runtime, runtime, "{what}");
            if let Some(hit) = hit {
                assert!(result.limits_hit.contains(&hit), "{what}: {result:#?}");
            }
            match outcome {
                Outcome::Completed => assert!(result.exit_code.is_some(), "{what}"),
                Outcome::Signaled => assert!(result.signal.is_some(), "{what}"),
                _ => {}
            }
            assert!(
                result.usage.wall_ms > 0.0 && result.timing.run_ms > 0.0,
                "{what}: {result:#?}"
            );
            sentence(&result, case.advice, &what);
            evidence(&daemon, &result, &what);
        }
    }
}

/// The figures that this outcome must rest on; the record says the same.
fn evidence(daemon: &Daemon, result: &RunResult, what: &str) {
    let seen = result.evidence.as_ref().expect(what);
    let told = format!("{what}: {seen:#?}");
    // gVisor shows no cgroup files inside, and a sandbox that ended as a whole gives no account.
    let from_inside = seen.witness == EvidenceWitness::Supervisor;
    if result.sandbox.runtime == "runc" {
        assert!(from_inside, "{told}");
        assert!(seen.memory_peak_bytes > Some(1 << 20), "{told}");
        assert!(
            seen.cpu_us > Some(0) && seen.cpu_throttled_us.is_some(),
            "{told}"
        );
        assert_eq!(
            seen.oom_kills > Some(0),
            result.limits_hit.contains(&LimitHit::Memory),
            "{told}"
        );
        assert_eq!(
            seen.pids_denied > Some(0),
            result.limits_hit.contains(&LimitHit::Pids),
            "{told}"
        );
    }
    match result.status {
        Outcome::Completed => assert_eq!(seen.exit_code, result.exit_code, "{told}"),
        Outcome::Signaled if from_inside => assert_eq!(seen.signal, result.signal, "{told}"),
        Outcome::Signaled => assert_eq!(seen.container_exit_status, Some(137), "{told}"),
        Outcome::Timeout => assert_eq!(seen.stopped_by, Some(StoppedBy::TimeLimit), "{told}"),
        Outcome::Oom => assert!(seen.oom_kills > Some(0), "{told}"),
        Outcome::DiskFull => assert_eq!(seen.full_folders, ["/tmp"], "{told}"),
        Outcome::PidsExhausted => assert!(
            seen.pids_denied > Some(0) || seen.container_exit_status == Some(2),
            "{told}"
        ),
        _ => {}
    }
    if result.status != Outcome::Timeout {
        assert_eq!(seen.stopped_by, None, "{told}");
    }
    let client = daemon.connect();
    let record = daemon
        .block_on(client.record(result.id.clone()))
        .expect(what);
    let recorded = record.result.expect(what);
    assert_eq!(recorded.evidence, result.evidence, "{what}");
    assert_eq!(recorded.timing, result.timing, "{what}");
}

#[test]
fn more_than_4_gib_of_output_ends_a_program() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    for runtime in daemon.tiers() {
        // gVisor takes a multiple of the time for it.
        if runtime != "runc" && !long() {
            continue;
        }
        let mut request = RunRequest::new(
            "import os\npiece = b'x' * (1 << 20)\nwhile True: os.write(1, piece)\n",
        );
        request.runtime = Some(runtime.to_owned());
        let result = daemon.run_request(request);
        assert_eq!(
            result.status,
            Outcome::OutputCapped,
            "{runtime}: {result:?}"
        );
        let written = result.dropped_bytes + result.stdout.len() as u64;
        assert!(written >= 4 << 30, "{written}");
        assert!(result.limits_hit.contains(&LimitHit::Output));
        sentence(&result, "print less", runtime);
        let seen = result.evidence.expect("evidence");
        assert_eq!(seen.stopped_by, Some(StoppedBy::OutputLimit), "{seen:?}");
        assert_eq!(
            seen.stdout.map(|bytes| bytes.dropped),
            Some(result.dropped_bytes)
        );
    }
}

#[test]
fn what_did_not_run_or_was_ended_from_outside_says_so() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    // The policy.
    let client = daemon.connect();
    let mut request = RunRequest::new("import os\nwhile True: os.fork()\n");
    request.policy = Some("strict".to_owned());
    let blocked = daemon.block_on(client.run(request)).expect("an account");
    assert_eq!(blocked.status, Outcome::Blocked, "{blocked:#?}");
    assert!(!blocked.findings.is_empty() && blocked.sandbox.container.is_empty());
    sentence(&blocked, "strict", "blocked");
    // A record that somebody else holds: what cannot be recorded does not run.
    let held = HeldRecord::at(&daemon.folder().join("state/audit.sqlite"));
    let failed = daemon.run("print(1)");
    held.let_go();
    assert_eq!(failed.status, Outcome::SetupFailed, "{failed:#?}");
    assert_eq!((failed.stdout.as_str(), failed.exit_code), ("", None));
    sentence(&failed, "could not be recorded", "setup_failed");
    let instance = daemon.instance();
    // The container is taken away; another client ends the run.
    for (cut, wanted) in [(true, Outcome::EngineError), (false, Outcome::Cancelled)] {
        let ended = daemon.block_on(async {
            let request = RunRequest::new("import time\nprint('on', flush=True)\ntime.sleep(60)");
            let mut events = client.subscribe_run(request).await.expect("a run");
            let mut run = String::new();
            loop {
                match events.next().await.expect("an event").expect("an event") {
                    Event::Accepted { id, .. } => run = id,
                    Event::Output { .. } if cut => {
                        let filter = format!("label=org.saferun.instance={instance}");
                        let list = docker(daemon.engine(), &["ps", "-q", "--filter", &filter]);
                        for id in text(&list.stdout).lines() {
                            let _ = docker(daemon.engine(), &["rm", "-f", id]);
                        }
                    }
                    Event::Output { .. } => {
                        let list = daemon.cli(&["ps"]).output().expect("saferunctl");
                        assert!(text(&list.stdout).contains(&run), "{}", text(&list.stdout));
                        let killed = daemon.cli(&["kill", &run]).status().expect("saferunctl");
                        assert!(killed.success());
                    }
                    Event::Finished { result } => break *result,
                    _ => {}
                }
            }
        });
        assert_eq!(ended.status, wanted, "{ended:#?}");
        let advice = if cut {
            "saferunctl doctor"
        } else {
            "start it again"
        };
        sentence(&ended, advice, "ended from outside");
        let seen = ended.evidence.expect("evidence");
        let by = (!cut).then_some(StoppedBy::Cancel);
        assert_eq!(
            (seen.stopped_by, seen.lost.is_some()),
            (by, cut),
            "{seen:?}"
        );
    }
    assert_eq!(daemon.run("print('next')").stdout, "next\n");
}

#[test]
fn refused_and_failed_runs_raise_one_alert_each() {
    // The policy is read at the start: the folder comes first.
    let folder = tempfile::Builder::new()
        .prefix("saferun-alert-")
        .tempdir()
        .expect("a folder");
    let (hook, told) = (folder.path().join("hook"), folder.path().join("told"));
    let script = format!(
        "#!/bin/sh\necho \"$1 $SAFERUN_ALERT $SAFERUN_ALERT_RATE\" >> {}\n",
        told.display()
    );
    fs::write(&hook, script).expect("a hook");
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o700)).expect("a mode");
    let policy = format!(
        "version: 1\nalerts:\n  refused: 2/10m\n  failed: 3/10m\n  quiet: 1h\n  command: [{}, saferun]\n",
        hook.display()
    );
    fs::write(folder.path().join("policy.yaml"), policy).expect("a policy");
    let config = folder.path().display().to_string();
    let Some(daemon) = Daemon::start_with(&[("SAFERUN_CONFIG_DIR", &config)]) else {
        return;
    };
    let client = daemon.connect();
    let run = |source: &str, policy: Option<&str>| {
        let mut request = RunRequest::new(source);
        request.policy = policy.map(str::to_owned);
        daemon.block_on(client.run(request)).expect("an account")
    };
    for number in 0..6 {
        let refused = run("import os\nwhile True: os.fork()\n", Some("strict"));
        assert_eq!(refused.status, Outcome::Blocked, "{refused:?}");
        let failed = run(&format!("raise SystemExit({})", 1 + number), None);
        assert_eq!(failed.exit_code, Some(1 + number), "{failed:?}");
        assert_eq!(run("pass", None).exit_code, Some(0));
    }
    let lines = || {
        let mut lines: Vec<_> = fs::read_to_string(&told)
            .unwrap_or_default()
            .lines()
            .map(str::to_owned)
            .collect();
        lines.sort();
        lines
    };
    daemon.wait_until("both alerts", |_| lines().len() >= 2);
    // More of the same, and still one of each.
    for _ in 0..3 {
        let _ = run("raise SystemExit(9)", None);
    }
    assert_eq!(lines(), ["saferun failed 3/10m", "saferun refused 2/10m"]);
}
