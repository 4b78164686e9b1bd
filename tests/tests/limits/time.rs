//! Limits of time. The long ones pass at once: the daemon goes by clocks that the test moves, the program by the
//! kernel's.

use std::time::Duration;

use saferun_protocol::{ApiClient, Client, Event, LimitHit, Outcome, RunRequest, RunResult};
use saferun_tests::{Clock, Daemon, Hands, skipped};

use super::{ends, passes, request, table::Cell};

/// A limit up to here is waited for.
const WAITED_FOR: Duration = Duration::from_secs(3);
/// What a program that is let through needs of its own, and some.
const MARGIN: Duration = Duration::from_secs(20);

/// A daemon whose clocks can be moved, with containers that stand by: what is under way at the engine while an hour
/// passes would have passed its deadline.
fn movable() -> Option<(Daemon, Clock)> {
    let clock = Clock::new(Hands::All)?;
    let daemon = Daemon::start_with(&clock.environment())?;
    daemon.wait_for_warm(2);
    Some((daemon, clock))
}

pub(crate) fn ends_a_run(cell: &Cell) {
    let time = cell.of(&cell.limits().time);
    if time <= WAITED_FOR {
        return waited_for(cell, time);
    }
    let Some((daemon, mut clock)) = movable() else {
        return;
    };
    let before = time.saturating_sub(MARGIN).max(time / 2);
    let program = "import time\nprint('began', flush=True)\ntime.sleep(1)";
    let result = passing(&daemon, &mut clock, cell.request(program), &[before]);
    assert_eq!(
        (result.status, result.exit_code),
        (Outcome::Completed, Some(0)),
        "{cell}: {result:#?}"
    );
    assert!(
        result.timing.run_ms >= millis(before),
        "{cell}: {result:#?}"
    );
    let program = "import time\nprint('began', flush=True)\ntime.sleep(60)";
    let beyond = [
        before,
        time.saturating_sub(before) + Duration::from_millis(1),
    ];
    let result = passing(&daemon, &mut clock, cell.request(program), &beyond);
    assert_eq!(result.status, Outcome::Timeout, "{cell}: {result:#?}");
    assert!(result.timing.run_ms >= millis(time), "{cell}: {result:#?}");
    let had = u128::from(result.limits.time_ms);
    assert_eq!(had, time.as_millis(), "{cell}");
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

fn waited_for(cell: &Cell, time: Duration) {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    daemon.wait_for_warm(1);
    let sleeps =
        |time: Duration| cell.request(format!("import time; time.sleep({})", time.as_secs_f64()));
    passes(&daemon, cell, sleeps(time / 2));
    let beyond = sleeps(time + Duration::from_secs(3));
    let result = ends(&daemon, cell, Outcome::Timeout, beyond);
    assert!(result.timing.run_ms >= millis(time), "{cell}: {result:#?}");
}

/// A run during which so much time passes for the daemon: each piece after the program began, and after a look that
/// it still runs.
fn passing(
    daemon: &Daemon,
    clock: &mut Clock,
    asked: RunRequest,
    pieces: &[Duration],
) -> RunResult {
    let (client, other) = (daemon.connect(), daemon.connect());
    daemon.block_on(async {
        let mut events = client.subscribe_run(asked).await.expect("it is accepted");
        let mut pieces = pieces.iter();
        loop {
            // A daemon at rest looks at its clock when somebody asks it something.
            let event = tokio::time::timeout(Duration::from_millis(50), events.next()).await;
            let running = other.status().await.expect("a status").running;
            match event {
                Ok(Some(event)) => match event.expect("an event") {
                    Event::Output { .. } => {
                        for piece in &mut pieces {
                            let running = other.ps().await.expect("the runs").len();
                            assert_eq!(running, 1, "it ended before its time");
                            clock.forward(*piece);
                        }
                    }
                    Event::Finished { result } => return *result,
                    _ => {}
                },
                Ok(None) => panic!("the stream ended without a result"),
                Err(_) => assert!(running <= 1, "another run"),
            }
        }
    })
}

/// One that waits gets the place that comes free in time; one that has waited for as long as the policy says is refused.
pub(crate) fn ends_a_wait(cell: &Cell) {
    let wait = cell.limits().queue_wait;
    let places = cell.limits().concurrency;
    let Some((daemon, mut clock)) = movable() else {
        return;
    };
    // What holds the places may run for longer than the wait.
    let long = saferun_policy::preset("permissive")
        .expect("a preset")
        .limits;
    let time = long.time.max;
    assert!(time > wait + MARGIN && places <= long.concurrency, "{cell}");
    let client = std::sync::Arc::new(daemon.connect());
    daemon.block_on(async {
        let mut holders = tokio::task::JoinSet::new();
        for number in 0..places {
            let mut asked = request(
                "permissive",
                format!("import time; time.sleep(120) # {number}"),
            );
            asked.limits.time_ms = Some(u64::try_from(time.as_millis()).expect("a day fits"));
            let client = std::sync::Arc::clone(&client);
            holders.spawn(async move { client.run(asked).await });
        }
        until(&client, (places, 0)).await;
        let waits = |program: &str| {
            let (client, asked) = (
                std::sync::Arc::clone(&client),
                request(cell.preset(), program),
            );
            tokio::spawn(async move { client.run(asked).await.expect("a result") })
        };
        let refused = waits("print('never')");
        until(&client, (places, 1)).await;
        clock.forward(wait.saturating_sub(MARGIN));
        until(&client, (places, 1)).await;
        clock.forward(MARGIN);
        until(&client, (places, 0)).await;
        let refused = refused.await.expect("a task");
        assert_eq!(
            (refused.status, refused.limits_hit.as_slice()),
            (Outcome::Blocked, [LimitHit::Queue].as_slice()),
            "{cell}: {refused:#?}"
        );
        assert_eq!(
            (refused.stdout.as_str(), refused.sandbox.container.as_str()),
            ("", "")
        );
        assert!(refused.timing.queued_ms >= millis(wait), "{refused:#?}");
        let waited = format!("waited {}", cell.figure);
        for says in [waited.as_str(), "limits.queue_wait", "saferunctl ps"] {
            assert!(refused.message.contains(says), "{}", refused.message);
        }
        let passed = waits("print('my turn')");
        until(&client, (places, 1)).await;
        clock.forward(wait.saturating_sub(MARGIN));
        let runs = client.ps().await.expect("a list");
        let first = runs.iter().find(|run| run.state == "running");
        client
            .kill(first.expect("one runs").id.clone())
            .await
            .expect("it is ended");
        let passed = passed.await.expect("a task");
        assert_eq!(passed.stdout, "my turn\n", "{cell}: {passed:#?}");
        for run in client.ps().await.expect("a list") {
            let _ = client.kill(run.id).await;
        }
        while let Some(ended) = holders.join_next().await {
            let result = ended.expect("a task").expect("a result");
            assert_eq!(result.status, Outcome::Cancelled, "{cell}: {result:#?}");
        }
    });
}

/// Waits until so many run and wait.
pub(crate) async fn until(client: &Client, wanted: (u32, u32)) {
    let mut seen = (0, 0);
    for _ in 0..1000 {
        let status = client.status().await.expect("a status");
        seen = (status.running, status.queued);
        if seen == wanted {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{seen:?} run and wait, not {wanted:?}");
}

/// Says so where there is no library for the clocks, once for all that needs it.
#[test]
fn the_clock_of_a_daemon_can_be_moved() {
    let Some((daemon, mut clock)) = movable() else {
        skipped("limits of time above 3 s");
        return;
    };
    let before = daemon.status().daemon.uptime_s;
    clock.forward(Duration::from_hours(1));
    let passed = daemon.status().daemon.uptime_s - before;
    assert!(passed >= 3600, "{passed} s passed");
}
