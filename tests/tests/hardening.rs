//! Promise: each hardening setting holds on the live engine, seen from inside by a program that looks,
//! and from outside by the engine's own word and the kernel's.

use saferun_protocol::{Outcome, Witness};
use saferun_tests::{Daemon, docker, text};
use serde_json::Value;

const LOOK: &str = include_str!("../programs/look.py");

#[test]
fn what_a_program_sees_from_inside() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let result = daemon.run(LOOK);
    assert_eq!(result.status, Outcome::Completed, "{result:?}");
    let seen: Value = serde_json::from_str(&result.stdout).expect("what it saw");

    let uids = seen["uid"].as_array().expect("uids");
    assert!(
        uids.iter().all(
            |uid| *uid == uids[0] && (890_000..890_256).contains(&uid.as_u64().expect("a uid"))
        )
    );
    assert_eq!(seen["gid"], seen["uid"]);
    let groups = seen["groups"].as_array().expect("groups");
    assert!(groups.iter().all(|group| *group == uids[0]), "{groups:?}");
    for (name, mask) in seen["caps"].as_object().expect("capabilities") {
        assert_eq!(mask, "0000000000000000", "{name}");
    }
    assert_eq!(seen["nnp"], "1");
    assert_eq!(seen["seccomp"], "2");
    assert_eq!(seen["user"], "sandbox");
    assert_eq!(seen["docker"], false);
    assert_eq!(seen["setuid"], serde_json::json!([]));
    assert_eq!(seen["tools"], serde_json::json!([]));
    assert_eq!(seen["core"], serde_json::json!([0, 0]));

    for path in ["/", "/usr", "/etc", "/opt"] {
        assert_eq!(seen["writable"][path], false, "{path} is writable");
    }
    for path in ["/tmp", "/workspace", "/out", "/home/sandbox"] {
        assert_eq!(seen["writable"][path], true, "{path} is not writable");
        assert_eq!(
            seen["executable"][path], false,
            "{path} lets programs start"
        );
        let mount = seen["mounts"]
            .as_array()
            .expect("mounts")
            .iter()
            .find(|mount| mount["at"] == path);
        let mount = mount.unwrap_or_else(|| panic!("{path} is no mount"));
        assert_eq!(mount["type"], "tmpfs");
        let options = mount["options"].as_str().expect("options");
        for wanted in ["nosuid", "nodev", "noexec"] {
            assert!(
                options.split(',').any(|option| option == wanted),
                "{path}: {options}"
            );
        }
        assert!(
            mount["super"].as_str().expect("options").contains("size="),
            "{path} has no size"
        );
    }
    let net = seen["net"].as_str().expect("interfaces");
    let interfaces: Vec<&str> = net
        .lines()
        .skip(2)
        .filter_map(|line| line.split(':').next())
        .map(str::trim)
        .collect();
    assert_eq!(interfaces, ["lo"]);
    let host_mounts: Vec<_> = seen["mounts"]
        .as_array()
        .expect("mounts")
        .iter()
        .filter(|mount| {
            mount["type"]
                .as_str()
                .is_some_and(|kind| kind.starts_with("ext") || kind == "xfs" || kind == "btrfs")
        })
        .filter(|mount| {
            !["/etc/resolv.conf", "/etc/hostname", "/etc/hosts"]
                .iter()
                .any(|own| mount["at"] == *own)
        })
        .collect();
    assert!(
        host_mounts.is_empty(),
        "host folders are mounted: {host_mounts:?}"
    );
}

#[test]
fn what_the_engine_and_the_kernel_say_from_outside() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    daemon.wait_for_warm(1);
    for container in daemon.containers() {
        let output = docker(daemon.engine(), &["inspect", &container]);
        let inspected: Value = serde_json::from_slice(&output.stdout).expect("inspect");
        let container = &inspected[0];
        let host = &container["HostConfig"];
        assert_eq!(host["NetworkMode"], "none");
        assert_eq!(container["Config"]["NetworkDisabled"], true);
        assert_eq!(host["ReadonlyRootfs"], true);
        assert_eq!(host["Privileged"], false);
        assert_eq!(host["CapDrop"], serde_json::json!(["ALL"]));
        assert!(host["CapAdd"].is_null());
        assert!(host["Binds"].is_null());
        assert_eq!(container["Mounts"].as_array().map(Vec::len), Some(0));
        assert!(host["Devices"].as_array().is_none_or(Vec::is_empty));
        assert_eq!(host["Memory"], host["MemorySwap"]);
        assert!(host["Memory"].as_u64().is_some_and(|memory| memory > 0));
        assert!(host["PidsLimit"].as_u64().is_some_and(|pids| pids > 0));
        assert!(
            host["NanoCpus"].as_u64().unwrap_or(0) > 0
                || host["CpuQuota"].as_u64().unwrap_or(0) > 0
        );
        assert_eq!(host["IpcMode"], "private");
        assert_eq!(host["PidMode"], "");
        assert_eq!(host["LogConfig"]["Type"], "none");
        let options = host["SecurityOpt"].as_array().expect("security options");
        assert!(options.iter().any(|option| {
            option
                .as_str()
                .is_some_and(|o| o.starts_with("no-new-privileges"))
        }));
        assert!(
            options
                .iter()
                .any(|option| option.as_str().is_some_and(|o| o.starts_with("seccomp=")))
        );
        assert!(!text(&output.stdout).contains("seccomp=unconfined"));

        let pid = container["State"]["Pid"].as_u64().expect("a pid");
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("its status");
        let field = |name: &str| {
            let line = status
                .lines()
                .find_map(|line| line.strip_prefix(&format!("{name}:")));
            line.unwrap_or_else(|| panic!("no {name}"))
                .trim()
                .to_owned()
        };
        for set in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
            assert_eq!(field(set), "0000000000000000");
        }
        assert_eq!(field("NoNewPrivs"), "1");
        assert_eq!(field("Seccomp"), "2");
        assert!(
            field("Uid")
                .split_whitespace()
                .all(|uid| uid.starts_with("890"))
        );
    }
}

#[test]
fn two_live_containers_never_have_the_same_uid() {
    let Some(daemon) = Daemon::start_with(&[("SAFERUN_POOL_SIZE", "4")]) else {
        return;
    };
    daemon.wait_for_warm(4);
    let mut users: Vec<String> = daemon
        .containers()
        .iter()
        .map(|id| text(&docker(daemon.engine(), &["inspect", "-f", "{{.Config.User}}", id]).stdout))
        .collect();
    let all = users.len();
    users.sort();
    users.dedup();
    assert_eq!(users.len(), all, "{users:?}");
}

#[test]
fn the_image_is_small_and_holds_no_package_manager() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let image = daemon.image();
    let size = text(
        &docker(
            daemon.engine(),
            &["image", "inspect", "-f", "{{.Size}}", &image],
        )
        .stdout,
    );
    let bytes: u64 = size.trim().parse().expect("a size");
    eprintln!("the image has {} MB", bytes / 1_000_000);
    assert!(bytes < 200_000_000);
}

#[test]
fn each_run_carries_what_both_witnesses_saw() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let result = daemon.run("print(1)");
    let attestation = &result.sandbox.attestation;
    assert!(
        attestation
            .iter()
            .any(|field| field.witness == Witness::Inside),
        "{attestation:?}"
    );
    assert!(
        attestation
            .iter()
            .any(|field| field.witness == Witness::Outside),
        "{attestation:?}"
    );
    let said = attestation
        .iter()
        .find(|field| field.name.contains("no_new_privs"))
        .expect("the field");
    assert_ne!(said.witness, Witness::NotObservable);
}
