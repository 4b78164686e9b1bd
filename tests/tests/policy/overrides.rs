//! Who may let a stopped run go ahead.

use std::fs;

use saferun_protocol::{
    ApiClient, ClientKind, Outcome, PolicySetting, PolicyText, RunRecord, RunResult,
};
use saferun_tests::{Daemon, text};

use super::{attempt, cli, write};

const WIPES: &str = "import os\nos.system('rm -rf /')\nprint('ran')";
const REASON: &str = "I have read it, and the sandbox is empty";

/// How a layer of a request is filled.
type Says = fn(&mut saferun_protocol::PolicyLayers, &str);

/// A person at a terminal who gives a reason, under a preset.
fn with_reason(daemon: &Daemon, preset: &str, client: ClientKind) -> (RunResult, RunRecord) {
    let result = attempt(daemon, WIPES, |request| {
        request.policy = Some(preset.to_owned());
        request.client = client;
        request.person_present = true;
        request.override_reason = Some(REASON.to_owned());
    });
    let result = result.expect("an answer");
    let id = result.id.clone();
    let connection = daemon.connect();
    let record = daemon.block_on(connection.record(id)).expect("a record");
    (result, record)
}

#[test]
fn an_override_is_recorded_with_its_reason() {
    let Some(daemon) = Daemon::start_as_installed() else {
        return;
    };
    let _ = daemon.image();
    let (ran, record) = with_reason(&daemon, "default", ClientKind::Terminal);
    assert!(ran.overridden && ran.stdout.contains("ran"), "{ran:#?}");
    assert_eq!(record.override_reason.as_deref(), Some(REASON));
    assert!(
        record
            .result
            .as_ref()
            .is_some_and(|result| result.overridden)
    );
    assert!(
        record
            .decision
            .iter()
            .any(|clause| clause.starts_with("levels.BLOCKED")),
        "{:?}",
        record.decision
    );
    let (exit, stdout, stderr) = cli(&daemon, &["show", &ran.id]);
    assert_eq!(exit, Some(0), "{stderr}");
    assert!(stdout.contains(REASON), "{stdout}");
}

#[test]
fn agent_forbids_an_override_to_everybody_and_records_the_attempt() {
    let Some(daemon) = Daemon::start_as_installed() else {
        return;
    };
    let _ = daemon.image();
    // HIGH would need one under this preset, BLOCKED is refused outright; a person is refused like a tool.
    let high = "import os\nos.system(input())";
    for client in [ClientKind::Agent, ClientKind::Terminal, ClientKind::Editor] {
        let (refused, record) = with_reason(&daemon, "agent", client);
        assert_eq!(
            (refused.status, refused.stdout.as_str()),
            (Outcome::Blocked, ""),
            "{refused:#?}"
        );
        assert!(
            !refused.overridden && refused.sandbox.container.is_empty(),
            "{refused:#?}"
        );
        assert_eq!(
            record.override_reason.as_deref(),
            Some(REASON),
            "the attempt is recorded"
        );
        assert!(record.result.is_some_and(|result| !result.overridden));
        let refused = attempt(&daemon, high, |request| {
            request.policy = Some("agent".to_owned());
            request.client = client;
            request.person_present = true;
            request.override_reason = Some(REASON.to_owned());
            // Nor does a word on the command line let it: only the user's own file speaks of people who are not there.
            request.policy_layers.project = vec![PolicyText::new(
                "p",
                "version: 1\noverride: {allowed: true}\n",
            )];
        });
        let refused = refused.expect("an answer");
        assert_eq!(refused.status, Outcome::Blocked, "{refused:#?}");
        assert!(
            refused.message.contains("does not allow"),
            "{}",
            refused.message
        );
    }
}

#[test]
fn nobody_but_the_users_own_file_lets_a_program_override_unattended() {
    let Some(daemon) = Daemon::start_as_installed() else {
        return;
    };
    let _ = daemon.image();
    let word = "version: 1\noverride: {unattended: true}\n";
    let elsewhere: [(&str, Says); 3] = [
        ("a project", |layers, word| {
            layers.project = vec![PolicyText::new("p", word)];
        }),
        ("a file of the command line", |layers, word| {
            layers.file = Some(PolicyText::new("f", word));
        }),
        ("a setting", |layers, _| {
            layers.settings = vec![PolicySetting::new("override.unattended", "true")];
        }),
    ];
    for (what, says) in elsewhere {
        let answer = attempt(&daemon, WIPES, |request| {
            request.client = ClientKind::Terminal;
            request.override_reason = Some(REASON.to_owned());
            says(&mut request.policy_layers, word);
        });
        match answer {
            Err((code, message, _)) => {
                assert_eq!(
                    code,
                    saferun_protocol::Code::PolicyInvalid,
                    "{what}: {message}"
                );
                assert!(message.contains("override.unattended"), "{what}: {message}");
            }
            Ok(result) => panic!("{what}: {result:#?}"),
        }
    }
}

#[test]
fn an_override_needs_a_terminal_or_the_users_own_word() {
    let Some(daemon) = Daemon::start_as_installed() else {
        return;
    };
    let _ = daemon.image();
    let code = "import os\nos.system('rm -rf /')\nprint('ran')";
    let args = ["run", "--override", "I have read it", "-c", code];
    let (exit, stdout, stderr) = cli(&daemon, &args);
    assert_eq!((exit, stdout.as_str()), (Some(126), ""), "{stderr}");
    assert!(stderr.contains("needs a person"), "{stderr}");
    // `script` gives it a terminal of its own.
    let saferunctl = saferun_tests::bin("saferunctl");
    let file = daemon.folder().join("x.py");
    fs::write(&file, code).expect("a script");
    let line = format!(
        "{} run --override 'I have read it' {}",
        saferunctl.display(),
        file.display()
    );
    let mut command = daemon.cli(&[]);
    let environment: Vec<_> = command
        .get_envs()
        .filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())))
        .collect();
    command = std::process::Command::new("script");
    let output = command
        .args(["-qec", &line, "/dev/null"])
        .envs(environment)
        .stdin(std::process::Stdio::null())
        .output()
        .expect("script starts");
    assert!(
        text(&output.stdout).contains("ran"),
        "{}",
        text(&output.stdout)
    );
    write(&daemon, "version: 1\noverride: {unattended: true}\n");
    daemon.wait_until("the word holds", |daemon| {
        daemon.status().policy.generation > 1
    });
    let (exit, stdout, stderr) = cli(&daemon, &args);
    assert_eq!(exit, Some(0), "{stderr}");
    assert!(stdout.contains("ran"));
    let agent = attempt(&daemon, code, |request| {
        request.client = ClientKind::Agent;
        request.override_reason = Some("a tool".to_owned());
    });
    let agent = agent.expect("an answer");
    assert_eq!(agent.status, Outcome::Blocked);
    assert!(
        agent.message.contains("`agent` may not override"),
        "{}",
        agent.message
    );
    let wire = attempt(&daemon, code, |request| {
        request.override_reason = Some("a tool".to_owned());
        request.policy_layers.project = vec![PolicyText::new(
            "p",
            "version: 1\noverride: {allowed: false}\n",
        )];
    });
    assert_eq!(
        wire.expect("an answer").status,
        Outcome::Blocked,
        "a project may forbid it"
    );
}

#[test]
fn a_script_without_a_person_loosens_nothing_that_its_owner_decides() {
    let Some(daemon) = Daemon::start_as_installed() else {
        return;
    };
    let _ = daemon.image();
    write(&daemon, "version: 1\npreset: agent\n");
    let generation = |daemon: &Daemon| daemon.status().policy.generation;
    daemon.wait_until("the owner's policy holds", |daemon| generation(daemon) > 1);
    let file = daemon.folder().join("loose.yaml");
    fs::write(
        &file,
        "version: 1\nlevels: {BLOCKED: run, HIGH: run}\nrules: {shell-command: off}\n",
    )
    .expect("a file");
    let file = file.to_str().expect("a path");
    let run = ["run", "-c", WIPES];
    let loose: [&[&str]; 4] = [
        &["--policy", "permissive"],
        &["--policy", file],
        &["--set", "levels.BLOCKED=run"],
        &["--set", "override.allowed=true", "--override", REASON],
    ];
    for words in loose {
        let (exit, stdout, stderr) = cli(&daemon, &[&run[..1], words, &run[1..]].concat());
        assert_eq!(
            (exit, stdout.as_str()),
            (Some(126), ""),
            "{words:?}: {stderr}"
        );
        assert!(stderr.contains("only tightens"), "{words:?}: {stderr}");
    }
    for (name, value) in [
        ("SAFERUN_LEVELS_BLOCKED", "run"),
        ("SAFERUN_POLICY", "permissive"),
    ] {
        let output = daemon.cli(&run).env(name, value).output();
        let output = output.expect("saferunctl");
        assert_eq!(output.status.code(), Some(126), "{name}: {output:?}");
        assert!(output.stdout.is_empty(), "{name}: {output:?}");
    }
    // A limit it chooses, up to the maximum; and it tightens what it likes.
    let code = "import resource\nprint(resource.getrlimit(resource.RLIMIT_NOFILE)[1])";
    let (exit, stdout, stderr) = cli(
        &daemon,
        &["run", "--set", "limits.open_files=512", "-c", code],
    );
    assert_eq!((exit, stdout.as_str()), (Some(0), "512\n"), "{stderr}");
    let (exit, _, stderr) = cli(
        &daemon,
        &["run", "--set", "imports.block=csv", "-c", "import csv"],
    );
    assert_eq!(exit, Some(126), "{stderr}");
    // The owner's own word lets scripts choose.
    write(&daemon, "version: 1\noverride: {unattended: true}\n");
    daemon.wait_until("the word holds", |daemon| generation(daemon) > 2);
    let (exit, stdout, stderr) = cli(
        &daemon,
        &["run", "--set", "levels.BLOCKED=run", "-c", WIPES],
    );
    assert_eq!(exit, Some(0), "{stderr}");
    assert!(stdout.contains("ran"), "{stdout}");
}
