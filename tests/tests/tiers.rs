//! Promise: a run is in the tier that its risk and the policy ask for, by the word of the kernel that it meets; and the
//! self-check of a user's machine tries each promise there.

use saferun_protocol::{ApiClient, Outcome, PolicySetting, Risk, RunRequest, RunResult, Witness};
use saferun_tests::{Daemon, PrivateEngine, engine, skipped, text};
use serde_json::Value;

/// Tells whose kernel it meets: gVisor's has a file that Linux never had.
const LOOK: &str =
    "import os\nprint('gvisor' if os.path.exists('/proc/sentry-meminfo') else 'linux')\n";
/// The same, and runs text that nobody knows before.
const RISKY: &str = "import os, sys\neval(sys.argv[1])\nprint('gvisor' if os.path.exists('/proc/sentry-meminfo') else 'linux')\n";

/// Under the policy as it comes, with these settings over it.
fn asked(source: &str, settings: &[(&str, &str)]) -> RunRequest {
    let mut request = RunRequest::new(source);
    request.policy = Some("default".to_owned());
    request.args = vec!["1".to_owned()];
    let settings = settings.iter();
    request.policy_layers.settings = settings
        .map(|(name, value)| PolicySetting::new(*name, *value))
        .collect();
    request
}

/// Where it ran, by what it saw itself and by the record.
fn ran_in(result: &RunResult, runtime: &str, kernel: &str) {
    assert_eq!(result.status, Outcome::Completed, "{result:?}");
    assert_eq!(result.sandbox.runtime, runtime, "{result:?}");
    assert_eq!(result.stdout, format!("{kernel}\n"), "{result:?}");
    let mut fields = result.sandbox.attestation.iter();
    let seen = fields.find(|field| field.name == "kernel");
    let seen = seen.map(|field| (field.value.as_str(), field.witness));
    assert_eq!(seen, Some((kernel, Witness::Inside)));
}

#[test]
fn a_high_risk_goes_to_gvisor_and_a_low_one_does_not() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    if !daemon.tiers().contains(&"runsc") {
        return skipped("the engine offers no gVisor");
    }
    let low = daemon.run_request(asked(LOOK, &[]));
    assert!(low.risk < Risk::High, "{low:?}");
    ran_in(&low, "runc", "linux");
    let high = daemon.run_request(asked(RISKY, &[]));
    assert_eq!(high.risk, Risk::High, "{high:?}");
    ran_in(&high, "runsc", "gvisor");
    // Who demands it gets it, and who asks for less does not.
    let mut less = asked(RISKY, &[("levels.HIGH", "isolate")]);
    less.runtime = Some("runc".to_owned());
    ran_in(&daemon.run_request(less), "runsc", "gvisor");
    let all = asked(LOOK, &[("runtime", "runsc")]);
    ran_in(&daemon.run_request(all), "runsc", "gvisor");
}

#[test]
fn i6_what_must_be_isolated_does_not_run_where_there_is_no_gvisor() {
    let Some(whole) = engine() else { return };
    let Some(engine) = PrivateEngine::with_runtimes(&[]) else {
        return;
    };
    engine.take_image(&whole, "saferun/python:latest");
    let address = engine.address();
    let daemon = Daemon::start_with(&[
        ("SAFERUN_ENGINE", address.as_str()),
        ("SAFERUN_POOL_SIZE", "0"),
    ]);
    let daemon = daemon.expect("an engine is there");
    assert_eq!(daemon.tiers(), ["runc"]);
    let blocked = daemon.run_request(asked(RISKY, &[("levels.HIGH", "isolate")]));
    assert_eq!(blocked.status, Outcome::Blocked, "{blocked:?}");
    assert!(blocked.message.contains("gVisor"), "{}", blocked.message);
    let client = daemon.connect();
    let all = asked(LOOK, &[("runtime", "runsc")]);
    match daemon.block_on(client.run(all)) {
        Ok(result) => assert_eq!(result.status, Outcome::Blocked, "{result:?}"),
        Err(error) => assert!(error.to_string().contains("runsc"), "{error}"),
    }
    // Only where the policy says that it may, and then the result does not claim otherwise.
    ran_in(&daemon.run_request(asked(RISKY, &[])), "runc", "linux");
}

#[test]
fn the_self_check_tries_each_promise_in_each_tier_and_tells_all_of_them() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    for tier in daemon.tiers() {
        let command = ["self-check", "--json", "--runtime", tier];
        let output = daemon.cli(&command).output().expect("it starts");
        let said = text(&output.stdout);
        assert!(
            output.status.success(),
            "{tier}: {said}{}",
            text(&output.stderr)
        );
        let report: Value = serde_json::from_str(&said).expect("JSON");
        assert_eq!(report["ok"], true, "{tier}: {said}");
        let probes = report["probes"].as_array().expect("probes");
        assert!(probes.len() >= 23, "{tier}: {said}");
        for probe in probes {
            let name = probe["name"].as_str().expect("a name");
            // What gVisor's own kernel allows, and of the host nothing comes of it.
            let own = [
                "no_namespaces",
                "no_kernel_interfaces",
                "supervisor_unkillable",
            ];
            let spared = tier == "runsc" && own.contains(&name);
            assert!(
                probe["passed"] == true || (spared && probe["skipped"] == true),
                "{tier}: {probe}"
            );
            assert_eq!(probe["problem"], Value::Null, "{tier}: {probe}");
        }
    }
    // What a person sees: a line for each, and the sum.
    let output = daemon.cli(&["self-check"]).output().expect("it starts");
    let said = text(&output.stdout);
    let passed = said.lines().filter(|line| line.starts_with("PASS  "));
    let passed = passed.count();
    assert_eq!(said.lines().count(), passed + 1, "{said}");
    assert!(
        said.ends_with(&format!("all {passed} probes passed: the sandbox holds\n")),
        "{said}"
    );
    daemon.wait_until("no run of it is left", |daemon| {
        daemon.status().running + daemon.status().queued == 0
    });
}
