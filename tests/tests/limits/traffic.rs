//! How many run at the same time, and how many wait.

use std::{sync::Arc, time::Duration};

use saferun_policy::ClientKind as Kind;
use saferun_protocol::{ApiClient, Client, ClientKind, Code, Outcome};
use saferun_tests::Daemon;
use tokio::task::JoinSet;

use super::{refusal, request, table::Cell, time::until};

type Runs = JoinSet<Result<saferun_protocol::RunResult, jsonrpsee::core::ClientError>>;

/// Starts so many programs that end when they are ended.
fn sleepers(client: &Arc<Client>, runs: &mut Runs, preset: &str, kind: ClientKind, count: u32) {
    let first = runs.len();
    for number in 0..count {
        let mut asked = request(
            preset,
            format!("import time; time.sleep(120) # {first} {number}"),
        );
        asked.client = kind;
        // The most that this preset grants, so that the test's own length does not matter.
        let most = saferun_policy::preset(preset)
            .expect("a preset")
            .limits
            .time
            .max;
        asked.limits.time_ms = Some(u64::try_from(most.as_millis()).expect("a day fits"));
        let client = Arc::clone(client);
        runs.spawn(async move { client.run(asked).await });
    }
}

/// Ends all that run or wait.
async fn end(client: &Client, mut runs: Runs, what: &Cell) {
    for run in client.ps().await.expect("a list") {
        let _ = client.kill(run.id).await;
    }
    while let Some(ended) = runs.join_next().await {
        let result = ended.expect("a task").expect("a result");
        let ended = [Outcome::Cancelled, Outcome::Timeout].contains(&result.status);
        assert!(ended, "{what}: {result:#?}");
    }
}

/// As many as there are places run, as many as the queue holds wait, and one more is refused.
pub(crate) fn places(cell: &Cell) {
    let limits = cell.limits();
    let (places, queue) = (limits.concurrency, limits.queue);
    let counts = limits.rate.per_client.iter().map(|rate| rate.count);
    assert!(
        counts.min().is_none_or(|count| count > places + queue),
        "{cell}: the rate lets fewer in than wait"
    );
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let _ = daemon.image();
    let client = Arc::new(daemon.connect());
    daemon.block_on(async {
        let mut runs = JoinSet::new();
        sleepers(
            &client,
            &mut runs,
            cell.preset(),
            ClientKind::Terminal,
            places + queue,
        );
        until(&client, (places, queue)).await;
        let refused = client
            .run(request(cell.preset(), "print('one too many')"))
            .await;
        let (code, message) = refusal(refused.expect_err("one too many"));
        assert_eq!(code, Code::Busy, "{cell}: {message}");
        assert!(message.contains("limits.queue"), "{cell}: {message}");
        end(&client, runs, cell).await;
    });
}

/// Programs take no more places than the share leaves; a person gets the rest.
pub(crate) fn share_of_people(cell: &Cell) {
    let limits = cell.limits();
    let share = limits.places_for(Kind::Agent);
    let places = limits.concurrency;
    // The daemon's own policy: one that an agent names itself could not widen the share of agents.
    let Some(daemon) = Daemon::start_with(&[("SAFERUN_POLICY", cell.preset())]) else {
        return;
    };
    daemon.wait_for_warm(2);
    let client = Arc::new(daemon.connect());
    daemon.block_on(async {
        let mut runs = JoinSet::new();
        sleepers(
            &client,
            &mut runs,
            cell.preset(),
            ClientKind::Agent,
            share + 1,
        );
        until(&client, (share, 1)).await;
        // Longer than it takes to begin a run: the one that waits goes on waiting.
        tokio::time::sleep(Duration::from_millis(300)).await;
        until(&client, (share, 1)).await;
        let person = places - share;
        sleepers(
            &client,
            &mut runs,
            cell.preset(),
            ClientKind::Terminal,
            person,
        );
        until(&client, (places, 1)).await;
        end(&client, runs, cell).await;
    });
}
