//! The outer witness: what the kernel's files and the engine itself say of a container.

use std::{collections::BTreeMap, fs};

use bollard::models::ContainerInspectResponse;

use super::cgroup::Cgroup;
use crate::engine::OuterFacts;

/// What is kept of a container once its process is known.
#[derive(Debug, Clone)]
pub(super) struct Located {
    pub(super) pid: u32,
    pub(super) cgroup: Cgroup,
}

/// Finds the container's PID 1 and cgroup on this host; `None` if the engine runs elsewhere, or the
/// pid that it names is not in the container's cgroup.
pub(super) fn locate(inspected: &ContainerInspectResponse, id: &str) -> Option<Located> {
    let pid = inspected
        .state
        .as_ref()?
        .pid
        .and_then(|pid| u32::try_from(pid).ok())?;
    if pid == 0 {
        return None;
    }
    let own = fs::read_to_string(format!("/proc/{pid}/cgroup")).ok()?;
    let mounts = fs::read_to_string("/proc/self/mountinfo").ok()?;
    Some(Located {
        pid,
        cgroup: Cgroup::locate(&own, &mounts, id)?,
    })
}

/// Puts both kinds of facts together.
pub(super) fn facts(inspected: &ContainerInspectResponse, located: Option<&Located>) -> OuterFacts {
    let mut facts = OuterFacts {
        declared: declared(inspected),
        ..OuterFacts::default()
    };
    if let Some(Located { pid, cgroup }) = located {
        facts.pid = Some(*pid);
        facts.uid_map = fs::read_to_string(format!("/proc/{pid}/uid_map")).ok();
        facts.proc_status = fs::read_to_string(format!("/proc/{pid}/status")).ok();
        let limits = cgroup.limits();
        facts.memory_limit = limits.memory;
        facts.swap_limit = limits.swap;
        facts.cpu_millis = limits.cpu_millis;
        facts.pids_limit = limits.pids;
    }
    facts
}

/// The engine's own account. A value that it does not give is left out, which the attestation
/// takes for a difference.
fn declared(inspected: &ContainerInspectResponse) -> Vec<(&'static str, String)> {
    let mut out = Vec::new();
    let mut say = |name: &'static str, value: Option<String>| {
        if let Some(value) = value {
            out.push((name, value));
        }
    };
    let config = inspected.config.as_ref();
    say("user", config.and_then(|config| config.user.clone()));
    say("image", inspected.image.clone());
    say("mounts", Some(mounts(inspected)));
    let Some(host) = inspected.host_config.as_ref() else {
        return out;
    };
    say("runtime", host.runtime.clone());
    say("network_mode", host.network_mode.clone());
    say("privileged", host.privileged.map(|yes| yes.to_string()));
    say(
        "read_only_root",
        host.readonly_rootfs.map(|yes| yes.to_string()),
    );
    say("ipc_mode", host.ipc_mode.clone());
    say("pid_mode", Some(host.pid_mode.clone().unwrap_or_default()));
    // Engines may answer with the long names.
    let added: Option<Vec<String>> = host.cap_add.as_ref().map(|names| {
        let short = |name: &String| name.strip_prefix("CAP_").unwrap_or(name).to_owned();
        names.iter().map(short).collect()
    });
    say("capabilities_added", Some(list(added.as_deref())));
    say("capabilities_dropped", Some(list(host.cap_drop.as_deref())));
    say("groups_added", Some(list(host.group_add.as_deref())));
    say(
        "devices",
        Some(host.devices.as_ref().map_or(0, Vec::len).to_string()),
    );
    say(
        "log_driver",
        host.log_config.as_ref().and_then(|log| log.typ.clone()),
    );
    say(
        "tmpfs",
        host.tmpfs.as_ref().map(|mounts| {
            let sorted: BTreeMap<_, _> = mounts.iter().collect();
            sorted
                .iter()
                .map(|(path, options)| format!("{path}:{options}"))
                .collect::<Vec<_>>()
                .join(" ")
        }),
    );
    say("shm_bytes", host.shm_size.map(|size| size.to_string()));
    let options = host.security_opt.as_deref().unwrap_or_default();
    say(
        "no_new_privileges",
        Some(
            options
                .iter()
                .any(|option| {
                    matches!(
                        option.as_str(),
                        "no-new-privileges" | "no-new-privileges:true" | "no-new-privileges=true"
                    )
                })
                .to_string(),
        ),
    );
    say(
        "seccomp_profile",
        options
            .iter()
            .find_map(|option| option.strip_prefix("seccomp="))
            .map(|profile| match profile {
                "unconfined" => "unconfined".to_owned(),
                profile if profile == super::seccomp::profile() => "saferun".to_owned(),
                _ => "foreign".to_owned(),
            }),
    );
    out
}

/// Binds, volumes and other mounts of the host's files; empty when there are none, as there must be.
fn mounts(inspected: &ContainerInspectResponse) -> String {
    let mut found: Vec<String> = Vec::new();
    if let Some(host) = inspected.host_config.as_ref() {
        found.extend(host.binds.clone().unwrap_or_default());
        found.extend(host.volumes_from.clone().unwrap_or_default());
        found.extend(
            host.mounts
                .iter()
                .flatten()
                .map(|mount| mount.target.clone().unwrap_or_default()),
        );
    }
    // The engine lists our tmpfs mounts here from API 1.47 on; those are expected.
    found.extend(inspected.mounts.iter().flatten().filter_map(|mount| {
        let tmpfs = mount
            .typ
            .as_ref()
            .is_some_and(|typ| typ.as_str() == "tmpfs");
        (!tmpfs).then(|| mount.destination.clone().unwrap_or_default())
    }));
    found.join(" ")
}

fn list(items: Option<&[String]>) -> String {
    let mut items: Vec<&str> = items
        .unwrap_or_default()
        .iter()
        .map(String::as_str)
        .collect();
    items.sort_unstable();
    items.join(" ")
}
