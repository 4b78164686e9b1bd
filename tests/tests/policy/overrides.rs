//! Who may let a stopped run go ahead.

use std::fs;

use saferun_protocol::{ClientKind, Outcome, PolicyText};
use saferun_tests::{Daemon, text};

use super::{attempt, cli, write};

#[test]
fn an_override_needs_a_terminal_or_the_users_own_word() {
    let Some(daemon) = Daemon::start() else {
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
