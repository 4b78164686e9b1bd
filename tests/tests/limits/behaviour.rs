//! Folders, output and the loopback as the policy says, and a lent container that is tightened.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use saferun_protocol::{LimitHit, Outcome, StdinMode};
use saferun_tests::Daemon;

use super::{attested, ends, passes, request};

#[test]
fn folders_output_and_loopback_are_as_the_policy_says() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let _ = daemon.image();
    let program = "import pathlib\nfor folder in ['/tmp', '/workspace', '/out', '/home/sandbox', '/etc', '.']:\n try:\n  \
        pathlib.Path(folder, 'x').write_text('x'); print(folder, 'yes')\n except OSError as e: print(folder, 'no')\n";
    for (name, writable) in [
        (
            "default",
            "/tmp yes\n/workspace yes\n/out yes\n/home/sandbox yes\n/etc no\n. yes\n",
        ),
        (
            "secure-sandbox",
            "/tmp yes\n/workspace no\n/out yes\n/home/sandbox yes\n/etc no\n. yes\n",
        ),
        (
            "tutorial-hardened",
            "/tmp yes\n/workspace no\n/out no\n/home/sandbox no\n/etc no\n. yes\n",
        ),
    ] {
        assert_eq!(
            passes(&daemon, &name, request(name, program)).stdout,
            writable,
            "{name}"
        );
    }
    let mut silent = request("default", "print('secret')");
    silent.policy_layers.project = vec![saferun_protocol::PolicyText::new(
        "p",
        "version: 1\nreturns: {output: false}\n",
    )];
    let result = passes(&daemon, &"returns.output", silent);
    assert_eq!((result.stdout.as_str(), result.stderr.as_str()), ("", ""));
    let mut talks = request(
        "default",
        "import socket, threading\nserver = socket.create_server(('127.0.0.1', 0))\n\
         client = socket.create_connection(server.getsockname())\nclient.send(b'x')\nprint(server.accept()[0].recv(1))\n",
    );
    talks.override_reason = Some("a test of the loopback".to_owned());
    talks.person_present = true;
    talks.policy_layers.settings =
        vec![saferun_protocol::PolicySetting::new("network", "loopback")];
    assert_eq!(passes(&daemon, &"network", talks).stdout, "b'x'\n");
}

/// Tighter limits than those of any warm container: one is lent, tightened before the code comes, and read back.
#[test]
fn a_warm_container_is_tightened_and_holds_the_tighter_limits() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    daemon.wait_for_warm(2);
    let tight = |source: &str, bytes: &str| {
        let mut request = request("default", source);
        request.limits.memory_bytes = Some(100 << 20);
        request.limits.cpu_millis = Some(500);
        request.limits.pids = Some(24);
        request.stdin = StdinMode::Given;
        request.stdin_base64 = Some(STANDARD.encode(bytes));
        request
    };
    let take = "held = b'x' * int(input())\nprint(len(held))";
    let result = passes(&daemon, &"inside", tight(take, "70000000"));
    assert!(result.sandbox.warm, "it was lent: {result:#?}");
    for (name, value) in [
        ("memory_limit", (100_u64 << 20).to_string()),
        ("swap_limit", (100_u64 << 20).to_string()),
        ("cpu_millis", "500".to_owned()),
        ("pids_limit", "24".to_owned()),
    ] {
        let seen = attested(&result, name);
        // On cgroup version 2 the limit on swap alone is 0.
        let swap = name == "swap_limit" && seen == ["0"];
        assert!(seen == [value] || swap, "{name}: {seen:?}");
    }
    daemon.wait_for_warm(2);
    let result = ends(&daemon, &"above", Outcome::Oom, tight(take, "110000000"));
    assert!(result.limits_hit.contains(&LimitHit::Memory), "{result:#?}");
    let pools = daemon.status().pools;
    let own = pools.iter().any(|pool| pool.key.contains("memory=100MiB"));
    assert!(
        own,
        "asked for twice, it gets a class of its own: {pools:#?}"
    );
}
