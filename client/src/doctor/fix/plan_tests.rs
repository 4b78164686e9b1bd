//! Tests of the plan: from what is there to what is done.

use super::*;

/// A Debian machine with systemd and nothing of ours, seen by an ordinary user who may use `sudo`.
fn bare() -> Facts {
    Facts {
        packages: Packages::Apt,
        root: false,
        sudo: true,
        user: Some("ada".to_owned()),
        in_group: false,
        systemd: true,
        silence: Some(ErrorKind::NotFound),
        usual: true,
        engine_program: false,
        engine_pid: None,
        start_script: false,
        runsc: None,
        registered: false,
        settings: Ok(None),
        build_tools: vec!["mmdebstrap", "uidmap"],
        image: None,
    }
}

/// The same machine when all is well.
fn whole() -> Facts {
    Facts {
        in_group: true,
        silence: None,
        engine_program: true,
        engine_pid: Some(7),
        start_script: true,
        runsc: Some(RUNSC.into()),
        registered: true,
        build_tools: Vec::new(),
        image: Some(true),
        ..bare()
    }
}

/// One word or command for each step.
fn short(facts: &Facts) -> Vec<String> {
    let name = |step: &Step| match step {
        Step::Run { argv, root, .. } => {
            assert!(root);
            let skip = if argv[0] == "env" { 2 } else { 0 };
            argv[skip..].join(" ")
        }
        Step::Settings { .. } => "write settings".to_owned(),
        Step::Await => "wait".to_owned(),
        Step::Image => "image".to_owned(),
        Step::Tell(_, how) => format!("you: {how}"),
    };
    plan(facts).iter().map(name).collect()
}

const APT: &str = "apt-get -q -y -o DPkg::Lock::Timeout=120 -o DPkg::Options::=--force-confold --no-install-recommends install";

#[test]
fn nothing_is_done_where_nothing_is_missing() {
    assert!(plan(&whole()).is_empty());
}

#[test]
fn a_bare_debian_gets_everything_and_the_user_logs_in_again() {
    assert_eq!(
        short(&bare()),
        [
            "apt-get -q update",
            &format!("{APT} docker.io mmdebstrap uidmap"),
            &format!("{APT} runsc"),
            "usermod -a -G docker ada",
            "systemctl enable --now docker",
            "write settings",
            "systemctl reload docker",
            "you: log in again as ada, then: saferunctl image build",
        ]
    );
}

#[test]
fn root_needs_no_group_and_builds_at_once() {
    let root = Facts {
        root: true,
        user: None,
        in_group: true,
        build_tools: vec!["mmdebstrap"],
        ..bare()
    };
    let steps = short(&root);
    assert_eq!(steps[1], format!("{APT} docker.io mmdebstrap"));
    assert!(!steps.iter().any(|step| step.starts_with("usermod")));
    assert_eq!(steps.last().unwrap(), "image");
}

#[test]
fn without_systemd_the_start_script_starts_the_engine_and_the_image_follows() {
    let facts = Facts {
        systemd: false,
        root: true,
        user: None,
        in_group: true,
        build_tools: vec!["mmdebstrap"],
        ..bare()
    };
    assert_eq!(
        short(&facts),
        [
            "apt-get -q update",
            &format!("{APT} docker.io mmdebstrap"),
            &format!("{APT} runsc"),
            "service docker start",
            "wait",
            "write settings",
            "start-stop-daemon --stop --signal HUP --pidfile /var/run/docker.pid --name dockerd",
            "image",
        ]
    );
    let stopped = Facts {
        systemd: false,
        silence: Some(ErrorKind::ConnectionRefused),
        registered: false,
        image: None,
        ..whole()
    };
    let steps = short(&stopped);
    assert_eq!(steps[..2], ["service docker start", "wait"]);
    assert_eq!(steps.last().unwrap(), "image");
    let no_sudo = Facts {
        sudo: false,
        ..stopped
    };
    assert!(short(&no_sudo).contains(&"you: as root: service docker start".to_owned()));
}

#[test]
fn an_engine_without_any_start_script_is_started_by_the_user() {
    let facts = Facts {
        systemd: false,
        silence: Some(ErrorKind::NotFound),
        engine_pid: None,
        start_script: false,
        image: None,
        ..whole()
    };
    assert_eq!(
        short(&facts),
        [
            "you: sudo dockerd",
            "you: saferunctl image build, once the engine runs"
        ]
    );
}

#[test]
fn other_distributions_get_commands_and_nothing_is_run() {
    for packages in [
        Packages::Known("sudo dnf install moby-engine"),
        Packages::Unknown,
    ] {
        let facts = Facts {
            packages,
            sudo: false,
            ..bare()
        };
        let steps = plan(&facts);
        assert!(
            steps.iter().all(|step| matches!(step, Step::Tell(..))),
            "{steps:?}"
        );
        assert!(steps.len() >= 4, "{steps:?}");
    }
}

#[test]
fn who_cannot_become_root_is_told_what_root_would_do() {
    let facts = Facts {
        sudo: false,
        ..bare()
    };
    let steps = short(&facts);
    assert!(
        steps.iter().all(|step| step.starts_with("you: ")),
        "{steps:?}"
    );
    assert!(steps.contains(&"you: as root: usermod -a -G docker ada".to_owned()));
    assert!(steps.contains(&"you: as root: systemctl enable --now docker".to_owned()));
}

#[test]
fn a_user_without_the_right_joins_the_group_once() {
    let facts = Facts {
        silence: Some(ErrorKind::PermissionDenied),
        in_group: false,
        registered: false,
        image: None,
        ..whole()
    };
    assert_eq!(short(&facts)[0], "usermod -a -G docker ada");
    let again = Facts {
        in_group: true,
        registered: true,
        ..facts
    };
    assert_eq!(
        short(&again),
        [
            "you: log out and in again: the group docker counts from the next login on",
            "you: log in again as ada, then: saferunctl image build"
        ]
    );
}

#[test]
fn an_engine_that_runs_is_never_restarted() {
    let facts = Facts {
        registered: false,
        ..whole()
    };
    assert_eq!(short(&facts), ["write settings", "systemctl reload docker"]);
    let plain = Facts {
        systemd: false,
        ..facts
    };
    assert_eq!(short(&plain), ["write settings", "kill -HUP 7"]);
}

#[test]
fn an_engine_of_the_users_own_is_left_alone() {
    let facts = Facts {
        usual: false,
        registered: false,
        runsc: None,
        in_group: false,
        silence: Some(ErrorKind::ConnectionRefused),
        image: None,
        ..whole()
    };
    let steps = short(&facts);
    assert!(
        steps.iter().all(|step| step.starts_with("you: ")),
        "{steps:?}"
    );
}

#[test]
fn settings_of_the_engine_are_extended_never_replaced() {
    let old = r#"{"data-root": "/big", "runtimes": {"crun": {"path": "/usr/bin/crun"}}}"#;
    let new = with_gvisor(Some(old), Path::new("/opt/runsc")).unwrap();
    let new: serde_json::Value = serde_json::from_str(&new).unwrap();
    assert_eq!(new["data-root"], "/big");
    assert_eq!(new["runtimes"]["crun"]["path"], "/usr/bin/crun");
    assert_eq!(new["runtimes"]["runsc"]["path"], "/opt/runsc");
    assert!(with_gvisor(Some(" \n"), Path::new(RUNSC)).is_some());
    let own =
        r#"{"runtimes": {"runsc": {"path": "/opt/runsc", "runtimeArgs": ["--platform=kvm"]}}}"#;
    let facts = Facts {
        registered: false,
        settings: Ok(Some(own.to_owned())),
        ..whole()
    };
    let steps = short(&facts);
    assert!(
        steps.iter().all(|step| step.starts_with("you: ")),
        "an entry of one's own stays: {steps:?}"
    );
    for odd in ["[]", "{\"runtimes\": 3}", "{,}"] {
        assert_eq!(with_gvisor(Some(odd), Path::new(RUNSC)), None, "{odd}");
        let facts = Facts {
            registered: false,
            settings: Ok(Some(odd.to_owned())),
            ..whole()
        };
        assert!(matches!(&plan(&facts)[..], [Step::Tell(..)]));
    }
}
