//! Every setting is flipped and every setting is taken away, for each kind of engine; each time
//! the attestation must refuse and name the setting.

use serde_json::{Value, json};

use super::*;
use cases::{Case, kinds, runc, runsc};

mod cases;
mod outside;

/// Names of the inner facts, and what the attestation calls them.
const INNER: [(&str, &str); 19] = [
    ("uid", "uid"),
    ("gid", "gid"),
    ("groups", "extra_groups"),
    ("capabilities", "capabilities"),
    ("no_new_privs", "no_new_privs"),
    ("seccomp", "seccomp"),
    ("root_read_only", "root_read_only"),
    ("writable_mounts", "writable_mounts"),
    ("interfaces", "interfaces"),
    ("memory_limit", "memory_limit"),
    ("swap_limit", "swap_limit"),
    ("cpu_millis", "cpu_millis"),
    ("pids_limit", "pids_limit"),
    ("open_files", "open_files"),
    ("core_size", "core_size"),
    ("dumpable", "dumpable"),
    ("kernel", "kernel"),
    ("covered", "supervisor_covered"),
    ("left_behind", "left_behind"),
];

/// What gVisor does not show from inside.
const BLIND_IN_GVISOR: [&str; 6] = [
    "no_new_privs",
    "seccomp",
    "memory_limit",
    "swap_limit",
    "cpu_millis",
    "pids_limit",
];

fn with_inner(case: &mut Case, key: &str, value: Value) {
    let mut facts = serde_json::to_value(&case.inner).unwrap();
    facts[key] = value;
    case.inner = serde_json::from_value(facts).unwrap();
}

/// The other value, of the same type.
fn flipped(value: &Value) -> Value {
    match value {
        Value::Bool(yes) => json!(!yes),
        Value::Number(number) => json!(number.as_u64().unwrap() + 4096),
        Value::String(text) => json!(format!("1{text}")),
        Value::Array(items) => {
            let mut items = items.clone();
            match items.last_mut() {
                Some(last) => *last = flipped(last),
                None => items.push(json!("/tmp/canary")),
            }
            Value::Array(items)
        }
        other => panic!("no idea how to flip {other}"),
    }
}

#[test]
fn what_is_as_it_must_be_is_accepted_with_every_field_in_the_record() {
    for (kind, make) in kinds() {
        let fields = make()
            .attest()
            .unwrap_or_else(|error| panic!("{kind}: {error}"));
        for (_, name) in INNER {
            assert!(
                fields.iter().any(|field| field.name == name),
                "{kind}: {name}"
            );
        }
    }
}

#[test]
fn each_runtime_meets_each_version_of_cgroups_and_each_kind_of_engine() {
    let all: Vec<String> = kinds().into_iter().map(|(kind, _)| kind).collect();
    assert_eq!(
        all,
        [
            "runc, v1, Docker, local",
            "runc, v1, Docker, remote",
            "runc, v1, Podman, local",
            "runc, v2, Docker, local",
            "runc, v2, Docker, remote",
            "runc, v2, Podman, local",
            "runc, v2, OfAUser, local",
            "runsc, v1, Docker, local",
            "runsc, v1, Docker, remote",
            "runsc, v2, Docker, local",
            "runsc, v2, Docker, remote",
            "runsc, v2, OfAUser, local",
        ]
    );
}

#[test]
fn the_list_of_inner_facts_is_complete() {
    let facts = serde_json::to_value(Facts::default()).unwrap();
    for key in facts.as_object().unwrap().keys() {
        assert!(
            INNER.iter().any(|(name, _)| name == key),
            "nobody attests `{key}`"
        );
    }
}

#[test]
fn i6_each_inner_fact_that_is_wrong_or_missing_refuses() {
    for (kind, make) in kinds() {
        for (key, field) in INNER {
            let good = serde_json::to_value(make().inner).unwrap()[key].clone();
            // Linux keeps an undumpable process's files from others without a mount.
            let blind = if kind.starts_with("runsc") {
                BLIND_IN_GVISOR.contains(&key)
            } else {
                key == "covered"
            };
            if blind {
                continue;
            }
            let mut case = make();
            with_inner(&mut case, key, Value::Null);
            case.refuses(field, &format!("nothing seen inside ({kind})"));
            let mut case = make();
            with_inner(&mut case, key, flipped(&good));
            case.refuses(field, &format!("another value inside ({kind})"));
        }
    }
}

#[test]
fn what_gvisor_need_not_show_must_be_right_when_it_does() {
    let mut case = runsc(1, true);
    case.inner.no_new_privs = Some(false);
    case.refuses("no_new_privs", "false inside");
    let mut case = runsc(1, true);
    case.inner.capabilities = runc(1, true).inner.capabilities;
    case.attest().unwrap();
    case.inner.capabilities.as_mut().unwrap()[4] = "0000000000000400".to_owned();
    case.refuses("capabilities", "an ambient capability inside");
    case.inner.capabilities.as_mut().unwrap()[2] = "0000000000000400".to_owned();
    case.refuses("capabilities", "CAP_NET_BIND_SERVICE inside");
}

#[test]
fn each_capability_set_and_each_uid_counts() {
    for index in 0..5 {
        let mut case = runc(1, true);
        case.inner.capabilities.as_mut().unwrap()[index] = "0000000000000001".to_owned();
        case.refuses("capabilities", "one set");
        let mut case = runc(1, true);
        case.inner.capabilities.as_mut().unwrap()[index].clear();
        case.refuses("capabilities", "an empty mask");
    }
    for index in 0..4 {
        let mut case = runc(1, true);
        case.inner.uid.as_mut().unwrap()[index] = 0;
        case.refuses("uid", "root");
    }
}

#[test]
fn each_property_of_each_writable_mount_counts() {
    let changes = [
        ("nosuid,", ""),
        ("nodev,", ""),
        ("noexec,", ""),
        ("32768k", "65536k"),
        ("size=32768k,", ""),
        ("mode=700", "mode=777"),
        ("tmpfs", "ext4"),
        ("/out", "/outer"),
        ("16384k", "65536k"),
    ];
    for index in 2..7 {
        for (from, to) in changes {
            let mut case = runc(1, true);
            let mount = &mut case.inner.writable_mounts.as_mut().unwrap()[index];
            if !mount.contains(from) {
                continue;
            }
            *mount = mount.replacen(from, to, 1);
            case.refuses("writable_mounts", &format!("{from} made {to:?} in {index}"));
        }
        let mut case = runc(1, true);
        case.inner.writable_mounts.as_mut().unwrap().remove(index);
        case.refuses("writable_mounts", "one missing");
    }
    for extra in [
        "/run tmpfs rw,nosuid,rw,mode=755",
        "/host ext4 rw,relatime,rw",
        "/dev tmpfs rw,rw,mode=777",
        "/dev tmpfs rw,rw,mode=755,uid=870003",
        "/dev",
    ] {
        let mut case = runc(1, true);
        case.inner
            .writable_mounts
            .as_mut()
            .unwrap()
            .push(extra.to_owned());
        case.refuses("writable_mounts", extra);
    }
}

#[test]
fn a_network_is_not_missed_among_the_tunnels() {
    let mut case = runc(1, true);
    case.inner.interfaces = Some(vec!["eth0".to_owned(), "lo".to_owned()]);
    case.refuses("interfaces", "eth0");
}

#[test]
fn p9_a_container_in_which_anything_stands_before_its_first_run_is_not_used() {
    for (kind, make) in kinds() {
        for left in ["/tmp/canary", "/home/sandbox/.profile", "process 7", ""] {
            let mut case = make();
            case.inner.left_behind = Some(vec![left.to_owned()]);
            case.refuses("left_behind", &format!("{left:?} ({kind})"));
        }
    }
}

#[test]
fn an_engine_that_does_not_say_its_cgroup_version_is_not_believed() {
    let mut case = runc(2, true);
    case.capabilities.cgroup_version = None;
    case.refuses("swap_limit", "no version");
}

#[test]
fn an_error_names_the_setting_and_prints_nothing_that_deceives() {
    let mut case = runc(1, true);
    case.inner.interfaces = Some(vec!["a\u{1b}[2J\u{202e}\u{200b}".to_owned()]);
    let text = case.attest().unwrap_err().to_string();
    assert_eq!(
        text,
        "the sandbox is not as it must be: interfaces should be `lo`, but the supervisor inside saw `a[2J`"
    );
}

#[test]
fn changed_limits_are_read_back_from_outside_each_by_itself() {
    let case = runc(1, true);
    let whole = case.attest().unwrap();
    let tight = Template {
        memory_bytes: 128 << 20,
        cpu_millis: 500,
        pids: 32,
        ..case.template.clone()
    };
    let again = |outer: &OuterFacts| {
        let mut fields = whole.clone();
        attest_limits(
            &mut fields,
            &tight,
            &case.identity,
            &case.capabilities,
            outer,
        )
        .map(|()| fields)
    };
    let held = OuterFacts {
        memory_limit: Some(128 << 20),
        swap_limit: Some(128 << 20),
        cpu_millis: Some(500),
        pids_limit: Some(32),
        ..case.outer.clone()
    };
    let fields = again(&held).unwrap();
    let pids: Vec<_> = fields
        .iter()
        .filter(|field| field.name == "pids_limit")
        .collect();
    assert_eq!((pids.len(), pids[0].value.as_str()), (1, "32"));
    assert!(fields.iter().any(|field| field.name == "seccomp"));
    let refused = |name: &str, change: fn(&mut OuterFacts)| {
        let mut outer = held.clone();
        change(&mut outer);
        assert_eq!(again(&outer).unwrap_err().field, name);
    };
    refused("memory_limit", |outer| outer.memory_limit = Some(256 << 20));
    refused("memory_limit", |outer| outer.memory_limit = None);
    refused("swap_limit", |outer| outer.swap_limit = Some(256 << 20));
    refused("cpu_millis", |outer| outer.cpu_millis = Some(1500));
    refused("pids_limit", |outer| outer.pids_limit = Some(64));
    refused("pids_limit", |outer| outer.pids_limit = None);
}

#[test]
fn a_limit_is_let_go_only_by_the_users_word_and_then_it_says_so() {
    let mut case = runc(2, true);
    case.inner.pids_limit = None;
    case.outer.pids_limit = Some(u64::MAX);
    case.refuses("pids_limit", "no controller");
    case.template.unheld.pids = true;
    let fields = case.attest().unwrap();
    let pids = fields
        .iter()
        .find(|field| field.name == "pids_limit")
        .unwrap();
    assert!(pids.value.starts_with("not held"), "{pids:?}");
    case.outer.memory_limit = Some(u64::MAX);
    case.refuses("memory_limit", "the others hold as firmly");
}

#[test]
fn a_folder_that_may_not_be_written_must_not_be_there() {
    let mut case = runc(1, true);
    case.template.writable.0[1] = false;
    case.refuses("writable_mounts", "a workspace too many");
    let mounts = case.inner.writable_mounts.as_mut().unwrap();
    mounts.retain(|mount| !mount.starts_with("/workspace "));
    case.attest().unwrap();
}
