//! What the engine can do, from its own account and from where it runs.

use bollard::{
    Docker,
    models::{SystemInfo, SystemInfoCgroupVersionEnum},
};

use tokio::net::UnixStream;

use super::{
    deadlines::{ASK, within},
    errors::harmless,
};
use crate::engine::{Capabilities, EngineError, Support};

/// What is wrong with an engine that maps the users of all containers to others of the host (tried with Docker 20.10):
/// its own range ends below the sandboxes' uids, and with a wider one the runtime binds the host's device files into
/// each container, writable mounts that the attestation refuses one by one.
const REMAPPED: &str = "it remaps users (userns-remap), under which its containers have writable mounts of the host's devices; \
                        use an engine without it, or an ordinary user's engine";

/// Whether the engine remaps users, by its own word.
fn remaps(info: &SystemInfo) -> bool {
    let options = info.security_options.iter().flatten();
    options
        .flat_map(|option| option.split(','))
        .any(|part| part == "name=userns")
}

/// Asks the engine. Two calls at once; also the check that it lives.
pub(super) async fn ask(docker: &Docker, address: &str) -> Result<Capabilities, EngineError> {
    let calls = async { tokio::try_join!(docker.version(), docker.info()) };
    let (version, info) = within("say what it can do", ASK, address, calls).await?;
    if remaps(&info) {
        return Err(EngineError::Refused {
            action: "hold a sandbox",
            reason: REMAPPED.to_owned(),
        });
    }
    let rootless = is_rootless(&info, address).await;
    let podman = version
        .components
        .iter()
        .flatten()
        .any(|component| component.name.to_lowercase().contains("podman"));
    let name = if podman { "podman" } else { "docker" };
    let number = version
        .version
        .or(info.server_version.clone())
        .unwrap_or_default();
    let mut seen = Capabilities {
        version: harmless(&format!("{name} {number}")),
        ..read(&info, address, rootless)
    };
    if podman {
        // It names every runtime that it has heard of, and runs all with the one that its service was started with.
        seen.runtimes = vec!["runc".to_owned()];
    }
    Ok(seen)
}

/// Whether the engine is Podman.
pub(super) fn is_podman(seen: &Capabilities) -> bool {
    seen.version.starts_with("podman ")
}

/// Whether the engine runs as an ordinary user: by its own word, or by who listens at its socket (Podman 4.3 does not
/// say it where Docker does).
async fn is_rootless(info: &SystemInfo, address: &str) -> bool {
    let options = info.security_options.iter().flatten();
    if options
        .into_iter()
        .any(|option| option.contains("rootless"))
    {
        return true;
    }
    let Some(path) = address.strip_prefix("unix://") else {
        return false;
    };
    let listener = UnixStream::connect(path)
        .await
        .and_then(|stream| stream.peer_cred());
    listener.is_ok_and(|peer| peer.uid() != 0)
}

fn read(info: &SystemInfo, address: &str, rootless: bool) -> Capabilities {
    // `io.containerd.runc.v2` and the like are the engine's other names for what it has anyway.
    let mut runtimes: Vec<String> = info
        .runtimes
        .iter()
        .flat_map(|runtimes| runtimes.keys())
        .filter(|name| !name.contains('.') && !name.is_empty())
        .map(|name| harmless(name))
        .collect();
    runtimes.sort_unstable();
    // An ordinary user's engine gets a cgroup to itself in version 2 only, whatever it says of the kernel.
    let grouped = !rootless || info.cgroup_version == Some(SystemInfoCgroupVersionEnum::_2);
    let both = |a: Option<bool>, b: Option<bool>| {
        if grouped && a == Some(true) && b == Some(true) {
            Support::Enforced
        } else {
            Support::None
        }
    };
    Capabilities {
        version: String::new(),
        runtimes,
        cgroup_version: match info.cgroup_version {
            Some(SystemInfoCgroupVersionEnum::_1) => Some(1),
            Some(SystemInfoCgroupVersionEnum::_2) => Some(2),
            _ => None,
        },
        local: is_local(info, address),
        memory: both(info.memory_limit, info.swap_limit),
        cpu: both(info.cpu_cfs_period, info.cpu_cfs_quota),
        pids: both(info.pids_limit, Some(true)),
    }
}

/// Whether the engine's process numbers are ours. A Unix socket alone does not say so: Docker
/// Desktop's leads into a virtual machine. If this guess is wrong, the attestation finds the outer
/// witness missing and refuses.
fn is_local(info: &SystemInfo, address: &str) -> bool {
    let Ok(us) = nix::sys::utsname::uname() else {
        return false;
    };
    address.starts_with("unix://")
        && info.kernel_version.as_deref().map(std::ffi::OsStr::new) == Some(us.release())
        && info.name.as_deref().map(std::ffi::OsStr::new) == Some(us.nodename())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn here() -> SystemInfo {
        let us = nix::sys::utsname::uname().unwrap();
        SystemInfo {
            name: us.nodename().to_str().map(str::to_owned),
            kernel_version: us.release().to_str().map(str::to_owned),
            memory_limit: Some(true),
            ..SystemInfo::default()
        }
    }

    #[test]
    fn an_engine_is_local_only_with_our_kernel_and_name_behind_a_unix_socket() {
        assert!(read(&here(), "unix:///run/docker.sock", false).local);
        assert!(!read(&here(), "tcp://127.0.0.1:2375", false).local);
        let desktop = SystemInfo {
            kernel_version: Some("6.1-linuxkit".to_owned()),
            ..here()
        };
        assert!(!read(&desktop, "unix:///run/docker.sock", false).local);
        let nested = SystemInfo {
            name: Some("dind".to_owned()),
            ..here()
        };
        assert!(!read(&nested, "unix:///run/docker.sock", false).local);
    }

    #[test]
    fn i6_an_engine_that_remaps_users_is_told_from_others_by_its_own_word() {
        let with = |options: &[&str]| SystemInfo {
            security_options: Some(options.iter().map(|&text| text.to_owned()).collect()),
            ..here()
        };
        assert!(remaps(&with(&[
            "name=seccomp,profile=default",
            "name=userns"
        ])));
        assert!(!remaps(&with(&[
            "name=seccomp,profile=default",
            "name=cgroupns"
        ])));
        assert!(!remaps(&here()));
        assert!(!REMAPPED.contains('\n'));
    }

    #[test]
    fn a_users_own_engine_holds_no_limit_without_cgroups_version_2() {
        let yes = Some(true);
        let mut info = SystemInfo {
            memory_limit: yes,
            swap_limit: yes,
            cpu_cfs_period: yes,
            cpu_cfs_quota: yes,
            pids_limit: yes,
            cgroup_version: Some(SystemInfoCgroupVersionEnum::_1),
            ..here()
        };
        let seen = read(&info, "unix:///s", true);
        assert_eq!(
            (seen.memory, seen.cpu, seen.pids),
            (Support::None, Support::None, Support::None)
        );
        info.cgroup_version = Some(SystemInfoCgroupVersionEnum::_2);
        assert_eq!(read(&info, "unix:///s", true).memory, Support::Enforced);
    }

    #[test]
    fn a_limit_that_the_engine_does_not_name_is_not_there() {
        let seen = read(&here(), "unix:///s", false);
        assert_eq!(
            seen.memory,
            Support::None,
            "memory without swap is no limit"
        );
        assert_eq!(seen.pids, Support::None);
        assert_eq!(seen.cgroup_version, None);
    }
}
