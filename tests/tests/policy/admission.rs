//! Rates that survive the daemon, places, and the queue.

use saferun_protocol::{ClientKind, Code, Outcome, PolicySetting};
use saferun_tests::Daemon;

use super::{attempt, write};

#[test]
fn rates_hold_over_a_killed_daemon_and_say_when_to_come_again() {
    let Some(mut daemon) = Daemon::start() else {
        return;
    };
    write(
        &daemon,
        "version: 1\nlimits: {rate: {per_client: 4/10m, per_code: 2/10m, reserved_for_people: 25%}}\n",
    );
    daemon.wait_until("the rate holds", |daemon| {
        daemon.status().policy.generation > 1
    });
    let _ = daemon.image();
    let run = |daemon: &Daemon, client, code: &str| {
        attempt(daemon, code, |request| request.client = client)
    };
    assert!(run(&daemon, ClientKind::Agent, "print(1)").is_ok());
    assert!(run(&daemon, ClientKind::Terminal, "print(1)").is_ok());
    daemon.kill();
    daemon.restart();
    let _ = daemon.image();
    let (code, message, retry) =
        run(&daemon, ClientKind::Terminal, "print(1)").expect_err("the same code");
    assert_eq!(code, Code::RateLimited, "{message}");
    assert!(
        (500_000..=600_000).contains(&retry.expect("when")),
        "{message}"
    );
    assert!(run(&daemon, ClientKind::Watch, "print(2)").is_ok());
    assert!(run(&daemon, ClientKind::Terminal, "print(3)").is_ok());
    let (_, message, _) = run(&daemon, ClientKind::Editor, "print(4)").expect_err("all four");
    assert!(message.contains("4 runs in 10m"), "{message}");
    // Another policy's narrower or missing rate is no way round it, nor is a run of nothing.
    let loose = |client| {
        attempt(&daemon, "print(5)", |request| {
            request.client = client;
            request.policy_layers.settings = vec![
                PolicySetting::new("limits.rate.per_client", "none"),
                PolicySetting::new("limits.rate.per_code", "none"),
            ];
        })
    };
    let (code, message, _) = loose(ClientKind::Other).expect_err("a script's word");
    assert_eq!(code, Code::RateLimited, "{message}");
    let by_a_person = loose(ClientKind::Terminal);
    assert!(by_a_person.is_ok(), "a person's own word: {by_a_person:?}");
    assert!(run(&daemon, ClientKind::Terminal, "print(6)").is_err());
}

#[test]
fn places_are_bounded_and_turns_are_fair() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    write(
        &daemon,
        "version: 1\nlimits: {concurrency: 2, queue: 1, rate: {reserved_for_people: 50%}}\n",
    );
    daemon.wait_until("the limits hold", |daemon| {
        daemon.status().policy.generation > 1
    });
    daemon.wait_for_warm(2);
    let sleeps = "import time; time.sleep(2); print('done')";
    std::thread::scope(|scope| {
        let daemon = &daemon;
        let first = scope
            .spawn(move || attempt(daemon, sleeps, |request| request.client = ClientKind::Agent));
        daemon.wait_until("one runs", |daemon| daemon.status().running == 1);
        let second = scope
            .spawn(move || attempt(daemon, sleeps, |request| request.client = ClientKind::Agent));
        daemon.wait_until("one waits", |daemon| daemon.status().queued == 1);
        let (code, message, _) = attempt(daemon, "print(1)", |request| {
            request.client = ClientKind::Agent;
        })
        .expect_err("no more");
        assert_eq!(code, Code::Busy, "{message}");
        assert!(message.contains("limits.queue"), "{message}");
        let person = attempt(daemon, "print(1)", |request| {
            request.client = ClientKind::Terminal;
        });
        assert_eq!(
            person.expect("the share of people").status,
            Outcome::Completed
        );
        for run in [first, second] {
            let result = run.join().expect("a thread").expect("a result");
            assert_eq!(result.stdout, "done\n");
        }
    });
    // The wait is reported apart, and never charged to the run.
    assert_eq!(daemon.status().queued, 0);
}
