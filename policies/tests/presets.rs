//! The shipped presets: complete, free of mistakes, and with the published limits of the tools they stand for.

use std::time::Duration;

use saferun_policy::{
    Bytes, ClientKind, DecisionRequest, Folder, LayerKind, LimitError, LoadOptions, MilliCpus,
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
        let found = check(&source, &LoadOptions::default());
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
    let loaded = load(&[], &LoadOptions::default()).unwrap();
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

/// What a request may and may not ask of a preset: the value at the limit passes, one more is refused by name.
#[test]
fn limits_of_the_earlier_tools() {
    let ask = |name: &str, asked: RequestedLimits| preset(name).unwrap().effective_limits(&asked);
    let none = RequestedLimits::default;
    let at = ask("tutorial-hardened", none()).unwrap();
    assert_eq!(
        (at.memory, at.cpus, at.pids),
        (Bytes::mib(256), MilliCpus(500), 50)
    );
    assert_eq!(
        (at.time, at.tmpfs, at.source),
        (Duration::from_secs(10), Bytes::mib(50), Bytes(100_000))
    );
    let at = ask("secure-sandbox", none()).unwrap();
    assert_eq!(
        (at.memory, at.cpus, at.pids),
        (Bytes::mib(100), MilliCpus(1000), 64)
    );
    assert_eq!(
        (at.time, at.source, at.output),
        (Duration::from_secs(3), Bytes(64_000), Bytes(100_000))
    );
    let at = ask("safe-executor", none()).unwrap();
    assert_eq!(
        (at.memory, at.cpus, at.pids),
        (Bytes::mib(128), MilliCpus(500), 64)
    );
    assert_eq!(ask("saferun-classic", none()).unwrap().pids, 64);

    for (name, limit, asked) in [
        (
            "tutorial-hardened",
            "memory",
            RequestedLimits {
                memory: Some(Bytes(Bytes::mib(256).0 + 1)),
                ..none()
            },
        ),
        (
            "tutorial-hardened",
            "cpus",
            RequestedLimits {
                cpus: Some(MilliCpus(501)),
                ..none()
            },
        ),
        (
            "tutorial-hardened",
            "pids",
            RequestedLimits {
                pids: Some(51),
                ..none()
            },
        ),
        (
            "tutorial-hardened",
            "time",
            RequestedLimits {
                time: Some(Duration::from_millis(10_001)),
                ..none()
            },
        ),
        (
            "tutorial-hardened",
            "tmpfs",
            RequestedLimits {
                tmpfs: Some(Bytes::mib(51)),
                ..none()
            },
        ),
        (
            "tutorial-hardened",
            "source",
            RequestedLimits {
                source: Some(Bytes(100_001)),
                ..none()
            },
        ),
        (
            "secure-sandbox",
            "time",
            RequestedLimits {
                time: Some(Duration::from_millis(3001)),
                ..none()
            },
        ),
        (
            "secure-sandbox",
            "output",
            RequestedLimits {
                output: Some(Bytes(100_001)),
                ..none()
            },
        ),
        (
            "secure-sandbox",
            "source",
            RequestedLimits {
                source: Some(Bytes(64_001)),
                ..none()
            },
        ),
        (
            "safe-executor",
            "memory",
            RequestedLimits {
                memory: Some(Bytes::mib(129)),
                ..none()
            },
        ),
        (
            "saferun-classic",
            "pids",
            RequestedLimits {
                pids: Some(65),
                ..none()
            },
        ),
        (
            "default",
            "time",
            RequestedLimits {
                time: Some(Duration::from_secs(601)),
                ..none()
            },
        ),
    ] {
        match ask(name, asked) {
            Err(LimitError::AboveMax { limit: named, .. }) => assert_eq!(named, limit, "{name}"),
            other => panic!("{name} {limit}: {other:?}"),
        }
    }
    let zero = RequestedLimits {
        pids: Some(0),
        ..none()
    };
    assert!(matches!(
        ask("default", zero),
        Err(LimitError::BelowMin { limit: "pids", .. })
    ));
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
    use Verdict::{Allow, NeedsOverride, Refuse};
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
        load(
            &[Source::yaml(LayerKind::User, name, text)],
            &LoadOptions::default(),
        )
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
