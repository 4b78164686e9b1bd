//! The shipped presets: complete, free of mistakes, and with the published limits of the tools they stand for.

use std::time::Duration;

use saferun_policy::{
    Bytes, ClientKind, DecisionRequest, EffectiveLimits, Folder, LayerKind, LimitError, MilliCpus,
    Policy, Rate, RequestedLimits, Source, Verdict, check, load, preset, preset_names, preset_text,
};
use saferun_scanner::{Finding, Level, Position, Range, Report, Usage, UsageKind};

fn range(line: u32) -> Range {
    Range {
        start: Position { line, column: 1 },
        end: Position { line, column: 2 },
    }
}

fn finding(level: Level) -> Report {
    let finding = Finding {
        rule: "SR000".to_owned(),
        name: "some-rule".to_owned(),
        level,
        message: "does something".to_owned(),
        range: range(1),
        bytes: (0, 1),
        cwe: None,
        subject: String::new(),
        evidence: Vec::new(),
        cell: None,
    };
    Report {
        findings: vec![finding],
        ..Report::default()
    }
}

fn usage(kind: UsageKind, name: &str) -> Report {
    let usage = Usage {
        kind,
        name: name.to_owned(),
        range: range(1),
    };
    Report {
        usages: vec![usage],
        ..Report::default()
    }
}

fn verdict(policy: &Policy, report: &Report, gvisor_available: bool) -> Verdict {
    let request = DecisionRequest {
        gvisor_available,
        client: ClientKind::Terminal,
        person_present: true,
        ..DecisionRequest::default()
    };
    policy.decide(report, &request).verdict
}

#[test]
fn every_preset_is_free_of_mistakes() {
    for name in preset_names() {
        // As a user's file each preset has to stand by itself, too.
        let source = Source::yaml(LayerKind::User, *name, preset_text(name).unwrap());
        let mut found = check(&source);
        // A preset speaks of every key, of those too on which nothing acts yet.
        found.retain(|one| one.code != "not-in-force");
        assert!(
            found.is_empty(),
            "{name}: {}",
            saferun_policy::Diagnostics(found)
        );
    }
}

#[test]
fn default_sets_every_key() {
    let shown = preset("default").unwrap().show();
    let loaded = load(&[]).unwrap();
    assert_eq!(loaded.policy, preset("default").unwrap());
    for key in saferun_policy::documented_keys() {
        assert!(
            shown.iter().any(|line| line.key == key.0),
            "default.yaml does not set {}",
            key.0
        );
    }
}

#[test]
fn no_preset_is_best_effort_or_unattended() {
    for name in preset_names() {
        let policy = preset(name).unwrap();
        assert_eq!(
            policy.enforcement,
            saferun_policy::Enforcement::Strict,
            "{name}"
        );
        assert!(!policy.override_rules.unattended, "{name}");
        assert!(policy.alerts.command.is_empty(), "{name}");
    }
}

#[test]
fn levels_do_what_the_design_says() {
    use Level::{Blocked, High, Low, Medium};
    use Verdict::{Allow, AllowStricter, NeedsOverride, Refuse};
    for (name, gvisor, expected) in [
        ("default", false, [Allow, Allow, Allow, NeedsOverride]),
        (
            "default",
            true,
            [Allow, Allow, AllowStricter, NeedsOverride],
        ),
        ("strict", true, [Allow, Allow, NeedsOverride, Refuse]),
        ("permissive", true, [Allow, Allow, Allow, Allow]),
        ("agent", true, [Allow, Allow, Refuse, Refuse]),
        (
            "saferun-classic",
            false,
            [Allow, Allow, Allow, NeedsOverride],
        ),
        ("tutorial-hardened", false, [Allow, Allow, Allow, Refuse]),
        ("secure-sandbox", false, [Allow, Allow, Allow, Refuse]),
        ("safe-executor", false, [Allow, Allow, Allow, Refuse]),
    ] {
        let policy = preset(name).unwrap();
        for (level, expected) in [Low, Medium, High, Blocked].into_iter().zip(expected) {
            assert_eq!(
                verdict(&policy, &finding(level), gvisor),
                expected,
                "{name} at {level}"
            );
        }
    }
}

fn ask(name: &str, asked: &RequestedLimits) -> Result<EffectiveLimits, LimitError> {
    preset(name).expect("a preset").effective_limits(asked)
}

#[test]
fn limits_of_the_earlier_tools() {
    let none = RequestedLimits::default();
    let at = ask("tutorial-hardened", &none).unwrap();
    assert_eq!(
        (at.memory, at.cpus, at.pids),
        (Bytes::mib(256), MilliCpus(500), 50)
    );
    assert_eq!(
        (at.time, at.tmpfs),
        (Duration::from_secs(10), Bytes::mib(50))
    );
    assert_eq!(at.source, Bytes(100_000));
    let at = ask("secure-sandbox", &none).unwrap();
    assert_eq!(
        (at.memory, at.cpus, at.pids),
        (Bytes::mib(100), MilliCpus(1000), 64)
    );
    assert_eq!(
        (at.time, at.source),
        (Duration::from_secs(3), Bytes(64_000))
    );
    assert_eq!(at.output, Bytes(100_000));
    let at = ask("safe-executor", &none).unwrap();
    assert_eq!(
        (at.memory, at.cpus, at.pids),
        (Bytes::mib(128), MilliCpus(500), 64)
    );
    assert_eq!(ask("saferun-classic", &none).unwrap().pids, 64);
}

/// For each limit of each preset: the maximum itself is granted, one more is refused by name, and so is zero.
#[test]
fn each_limit_bites_at_its_maximum() {
    type Set = fn(&mut RequestedLimits, u64);
    type Get = fn(&Policy) -> u64;
    let limits: [(&str, Get, Set); 10] = [
        (
            "time",
            |p| millis(p.limits.time.max),
            |r, v| r.time = Some(Duration::from_millis(v)),
        ),
        (
            "memory",
            |p| p.limits.memory.max.0,
            |r, v| r.memory = Some(Bytes(v)),
        ),
        (
            "cpus",
            |p| p.limits.cpus.max.0.into(),
            |r, v| r.cpus = Some(MilliCpus(count(v))),
        ),
        (
            "pids",
            |p| p.limits.pids.max.into(),
            |r, v| r.pids = Some(count(v)),
        ),
        (
            "open_files",
            |p| p.limits.open_files.max.into(),
            |r, v| r.open_files = Some(count(v)),
        ),
        (
            "tmpfs",
            |p| p.limits.tmpfs.max.0,
            |r, v| r.tmpfs = Some(Bytes(v)),
        ),
        (
            "output",
            |p| p.limits.output.max.0,
            |r, v| r.output = Some(Bytes(v)),
        ),
        (
            "source",
            |p| p.limits.source.max.0,
            |r, v| r.source = Some(Bytes(v)),
        ),
        (
            "artifacts",
            |p| p.limits.artifacts.max.0,
            |r, v| r.artifacts = Some(Bytes(v)),
        ),
        (
            "artifact_count",
            |p| p.limits.artifact_count.max.into(),
            |r, v| r.artifact_count = Some(count(v)),
        ),
    ];
    for name in preset_names() {
        let policy = preset(name).unwrap();
        for (limit, max, set) in limits {
            let asked = |value| {
                let mut asked = RequestedLimits::default();
                set(&mut asked, value);
                asked
            };
            let max = max(&policy);
            assert!(ask(name, &asked(max)).is_ok(), "{name} {limit} at {max}");
            let above = ask(name, &asked(max + 1)).unwrap_err();
            assert!(
                matches!(above, LimitError::AboveMax { .. }),
                "{name} {limit}: {above}"
            );
            assert_eq!(above.limit(), limit, "{name}");
            if !limit.starts_with("artifact") {
                let zero = ask(name, &asked(0)).unwrap_err();
                assert!(
                    matches!(zero, LimitError::BelowMin { .. }),
                    "{name} {limit}: {zero}"
                );
            }
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).expect("a day fits")
}

fn count(value: u64) -> u32 {
    u32::try_from(value).expect("a count fits")
}

#[test]
fn rates_retention_and_folders_of_the_earlier_tools() {
    let tutorial = preset("tutorial-hardened").unwrap();
    let hour = Duration::from_secs(3600);
    assert_eq!(
        tutorial.limits.rate.per_code,
        [Rate {
            count: 10,
            window: hour
        }]
    );
    assert_eq!(tutorial.retention.age, 7 * 24 * hour);
    let secure = preset("secure-sandbox").unwrap();
    assert_eq!(
        secure.limits.rate.per_client,
        [Rate {
            count: 10,
            window: Duration::from_secs(60)
        }]
    );
    assert_eq!(secure.limits.concurrency, 2);
    assert!(!secure.writable.contains(&Folder::Workspace));
    assert_eq!(preset("safe-executor").unwrap().writable, [Folder::Tmp]);
    let classic = preset("saferun-classic").unwrap();
    assert_eq!(classic.retention.show, 20);
    assert!(classic.may_override(ClientKind::Terminal));
}

#[test]
fn names_that_the_earlier_tools_accept_and_refuse() {
    use UsageKind::{Attribute, Call, Import};
    use Verdict::{Allow, Refuse};
    for (name, kind, used, expected) in [
        ("secure-sandbox", Import, "os", Refuse),
        ("secure-sandbox", Import, "os.path", Refuse),
        ("secure-sandbox", Import, "sys", Refuse),
        ("secure-sandbox", Import, "subprocess", Refuse),
        ("secure-sandbox", Import, "socket", Refuse),
        ("secure-sandbox", Import, "ctypes.util", Refuse),
        ("secure-sandbox", Import, "importlib", Refuse),
        ("secure-sandbox", Import, "json", Allow),
        ("secure-sandbox", Import, "osgeo", Allow),
        ("secure-sandbox", Call, "builtins.eval", Refuse),
        ("secure-sandbox", Call, "builtins.exec", Refuse),
        ("secure-sandbox", Call, "builtins.compile", Refuse),
        ("secure-sandbox", Call, "re.compile", Allow),
        ("secure-sandbox", Call, "builtins.open", Allow),
        ("safe-executor", Import, "json", Refuse),
        ("safe-executor", Import, "math", Refuse),
        ("safe-executor", Call, "builtins.open", Refuse),
        ("safe-executor", Call, "builtins.exec", Refuse),
        ("safe-executor", Call, "builtins.print", Allow),
        ("safe-executor", Call, "os.system", Refuse),
        ("safe-executor", Attribute, "os.environ", Refuse),
        ("safe-executor", Attribute, "sys.argv", Refuse),
        ("safe-executor", Attribute, "shutil.rmtree", Refuse),
        ("safe-executor", Attribute, "ctypes.CDLL", Refuse),
        ("safe-executor", Attribute, "math.pi", Allow),
        ("tutorial-hardened", Import, "os", Allow),
        ("saferun-classic", Import, "subprocess", Allow),
    ] {
        let policy = preset(name).unwrap();
        assert_eq!(
            verdict(&policy, &usage(kind, used), false),
            expected,
            "{name}: {kind:?} {used}"
        );
    }
}

#[test]
fn an_override_needs_a_reason_and_a_person_who_may() {
    use Verdict::{Allow, NeedsOverride, Refuse};
    let policy = preset("default").unwrap();
    let report = finding(Level::Blocked);
    let ask = |reason: Option<&str>, person_present, client| {
        let override_reason = reason.map(str::to_owned);
        let request = DecisionRequest {
            override_reason,
            person_present,
            client,
            ..DecisionRequest::default()
        };
        policy.decide(&report, &request)
    };
    for (reason, person, client, expected) in [
        (None, true, ClientKind::Terminal, NeedsOverride),
        (Some("  "), true, ClientKind::Terminal, NeedsOverride),
        (Some("I know it"), true, ClientKind::Terminal, Allow),
        (Some("I know it"), true, ClientKind::Editor, Allow),
        (Some("I know it"), false, ClientKind::Terminal, Refuse),
        (Some("I know it"), true, ClientKind::Agent, Refuse),
        (None, false, ClientKind::Watch, Refuse),
    ] {
        let decision = ask(reason, person, client);
        assert_eq!(decision.verdict, expected, "{reason:?} {person} {client}");
        assert_eq!(decision.overridden, expected == Allow);
        assert!(!decision.reasons.is_empty());
    }
}

#[test]
fn the_hash_tells_policies_apart_and_ignores_where_they_stand() {
    let mut hashes: Vec<String> = preset_names()
        .iter()
        .map(|name| preset(name).unwrap().hash())
        .collect();
    let policy = |name: &str, text: &str| {
        load(&[Source::yaml(LayerKind::User, name, text)])
            .unwrap()
            .policy
    };
    let one = policy("/a.yaml", "version: 1\nimports: {block: [os, sys]}\n");
    let other = policy(
        "/b.yaml",
        "# words\nversion: 1\nimports:\n  block: [sys, os]\n",
    );
    assert_eq!(one.hash(), other.hash());
    hashes.push(one.hash());
    hashes.push(policy("/a.yaml", "version: 1\nimports: {block: [os]}\n").hash());
    hashes.push(policy("/a.yaml", "version: 1\ncalls: {block: [os]}\n").hash());
    let count = hashes.len();
    hashes.sort();
    hashes.dedup();
    assert_eq!(hashes.len(), count);
}
