//! Promise: a wall clock that somebody sets, forward or back, at rest or in the middle of a run, ends no run, opens no
//! rate, loses no record and leaves the chain whole.

use std::{fs, os::unix::fs::PermissionsExt, time::Duration};

use saferun_protocol::{ApiClient, Code, HistoryQuery, Integrity, Outcome, RunRequest};
use saferun_tests::{Clock, Daemon, Hands};

const POLICY: &str = "version: 1\nlimits: {rate: {per_code: 1/10m}}\n";

#[test]
fn a_clock_that_jumps_ends_no_run_opens_no_rate_and_loses_no_record() {
    let Some(clock) = Clock::new(Hands::Wall) else {
        return;
    };
    let Some(daemon) = Daemon::start_with(&clock.environment()) else {
        return;
    };
    let config = daemon.folder().join("config");
    fs::create_dir_all(&config).expect("a folder");
    fs::set_permissions(&config, fs::Permissions::from_mode(0o700)).expect("its mode");
    let policy = config.join("policy.yaml");
    fs::write(&policy, POLICY).expect("a policy");
    fs::set_permissions(&policy, fs::Permissions::from_mode(0o600)).expect("its mode");
    daemon.wait_until("the rate holds", |daemon| {
        daemon.status().policy.generation > 1
    });
    let _ = daemon.image();
    let client = daemon.connect();
    let run = |source: &str| daemon.block_on(client.run(RunRequest::new(source)));
    let before = run("print('once')").expect("the first");

    let mut dates = Vec::new();
    for (number, offset) in ["+9d", "-9d", "+0"].iter().enumerate() {
        // In the middle of a run that would last two seconds.
        let source = format!("import time\ntime.sleep(2)\nprint({number})");
        let other = daemon.connect();
        let under_way = daemon.spawn(async move { other.run(RunRequest::new(source)).await });
        daemon.wait_until("it runs", |daemon| {
            let client = daemon.connect();
            !daemon
                .block_on(client.ps())
                .expect("the runs under way")
                .is_empty()
        });
        clock.set(offset);
        let result = daemon
            .block_on(under_way)
            .expect("no panic")
            .expect("it is accepted");
        assert_eq!(result.status, Outcome::Completed, "{offset}: {result:?}");
        assert_eq!(result.stdout, format!("{number}\n"));

        // The limit of a run is of its own time.
        let mut request = RunRequest::new(format!("import time\ntime.sleep(50 + {number})"));
        request.limits.time_ms = Some(300);
        let result = daemon.block_on(client.run(request)).expect("accepted");
        assert_eq!(result.status, Outcome::Timeout, "{offset}");

        // What was counted stays counted.
        let refusal = run("print('once')").expect_err("the same code again");
        let jsonrpsee::core::ClientError::Call(refusal) = refusal else {
            panic!("{refusal}")
        };
        assert_eq!(
            Code::from_number(refusal.code()),
            Some(Code::RateLimited),
            "{offset}"
        );
        let page = daemon
            .block_on(client.history(HistoryQuery::default()))
            .expect("a page");
        dates.push(page.runs[0].at_ms);
        let report = daemon
            .block_on(client.verify_history(None, None))
            .expect("a report");
        assert_eq!(
            report.verdict,
            Integrity::Consistent,
            "{offset}: {report:?}"
        );
    }
    // The clock that the daemon saw did jump: without that nothing was tested.
    let week = i64::try_from(Duration::from_hours(7 * 24).as_millis()).expect("a week");
    assert!(dates[0] - dates[1] > 2 * week, "{dates:?}");
    assert!(dates[2] - dates[1] > week, "{dates:?}");
    // The list goes by order and not by date: the newest comes first, and nothing of before is lost.
    let page = daemon
        .block_on(client.history(HistoryQuery::default()))
        .expect("a page");
    assert!(page.runs.iter().any(|run| run.id == before.id));
    let whole = daemon
        .block_on(client.record(before.id))
        .expect("the first record");
    assert_eq!(whole.source.as_deref(), Some("print('once')"));
}
