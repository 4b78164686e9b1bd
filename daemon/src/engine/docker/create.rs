//! From a template to Docker's request body: every hardening setting in one place. Pure.
//!
//! Speed is no reason to leave one out: only `NetworkDisabled` was seen to change the time it takes
//! (DESIGN, section 2), and it is also the stricter setting.

use std::collections::HashMap;

use bollard::models::{
    ContainerCreateBody, ContainerUpdateBody, HealthConfig, HostConfig, HostConfigCgroupnsModeEnum,
    HostConfigLogConfig, ResourcesUlimits,
};

use super::{gvisor, paths, seccomp};
use crate::engine::{Identity, Template};

/// Label with the installation's random id.
pub(super) const LABEL_INSTANCE: &str = "org.saferun.instance";
/// Label that repeats the name, so that a container renamed by hand is no longer ours.
pub(super) const LABEL_NAME: &str = "org.saferun.name";
/// Label with the version of the daemon that created it.
pub(super) const LABEL_VERSION: &str = "org.saferun.version";

/// Folders that the program may write to; each is a tmpfs of the template's size.
pub(crate) const WRITABLE: [&str; 4] = ["/tmp", "/workspace", "/out", "/home/sandbox"];

/// Options of each of them, besides size, owner and mode.
pub(crate) const TMPFS_FLAGS: [&str; 3] = ["nosuid", "nodev", "noexec"];

/// Size of `/dev/shm`, in bytes. `multiprocessing` keeps its semaphores there, 4 KiB each, and
/// shared arrays; its pages count against the memory limit.
pub(crate) const SHM_BYTES: u64 = 16 * 1024 * 1024;

/// Period of the CPU quota in microseconds, the kernel's default. Given as quota and period, since
/// the engine refuses a number of CPUs above its host's.
const CPU_PERIOD_US: i64 = 100_000;

/// One inode for each of so many bytes of a tmpfs: small files for real programs, no millions of
/// empty ones (kernel memory).
const BYTES_PER_INODE: u64 = 4096;

/// When the host runs out of memory, the kernel takes a sandbox before the user's own programs.
const OOM_SCORE_ADJ: i64 = 500;

/// The request body for one container.
pub(super) fn body(
    template: &Template,
    identity: &Identity,
    cgroup_version: Option<u8>,
) -> ContainerCreateBody {
    let gvisor = gvisor::is_gvisor(&template.runtime);
    let unheld = template.unheld;
    ContainerCreateBody {
        image: Some(template.image.clone()),
        hostname: Some("sandbox".to_owned()),
        user: Some(gvisor::start_user(&template.runtime, identity.uid)),
        // Added to the image's own.
        env: gvisor.then(|| vec![format!("SAFERUN_BECOME={}", identity.uid)]),
        labels: Some(labels(identity)),
        attach_stdin: Some(true),
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        open_stdin: Some(true),
        stdin_once: Some(true),
        tty: Some(false),
        network_disabled: Some(true),
        // No `stop_timeout` beside it: a kill that meets a process which has just ended makes Docker wait so long for
        // the news of that end. With 0 it did not wait, forgot the container, and its shim stayed for ever (seen with
        // 20.10).
        stop_signal: Some("SIGKILL".to_owned()),
        healthcheck: Some(HealthConfig {
            test: Some(vec!["NONE".to_owned()]),
            ..HealthConfig::default()
        }),
        host_config: Some(HostConfig {
            runtime: Some(template.runtime.clone()),
            network_mode: Some("none".to_owned()),
            // Equal to the memory limit: no swap at all.
            memory: (!unheld.memory).then(|| signed(template.memory_bytes)),
            memory_swap: (!unheld.memory).then(|| signed(template.memory_bytes)),
            // Only cgroup v1 knows it; without it, tmpfs pages could be swapped out.
            memory_swappiness: (cgroup_version == Some(1) && !gvisor && !unheld.memory)
                .then_some(0),
            cpu_period: (!unheld.cpu).then_some(CPU_PERIOD_US),
            cpu_quota: (!unheld.cpu)
                .then(|| signed(template.cpu_millis).saturating_mul(CPU_PERIOD_US) / 1000),
            pids_limit: (!unheld.pids).then(|| signed(gvisor::host_tasks(template))),
            oom_kill_disable: Some(false),
            oom_score_adj: Some(OOM_SCORE_ADJ),
            ulimits: Some(ulimits(template)),
            readonly_rootfs: Some(true),
            tmpfs: Some(tmpfs(template, identity)),
            shm_size: Some(signed(SHM_BYTES)),
            ipc_mode: Some("private".to_owned()),
            cgroupns_mode: (!gvisor).then_some(HostConfigCgroupnsModeEnum::PRIVATE),
            privileged: Some(false),
            cap_drop: Some(vec!["ALL".to_owned()]),
            cap_add: gvisor.then(|| {
                let added = gvisor::start_capabilities(&template.runtime);
                added.iter().map(|&name| name.to_owned()).collect()
            }),
            security_opt: Some(vec![
                "no-new-privileges:true".to_owned(),
                format!("seccomp={}", seccomp::profile()),
            ]),
            masked_paths: Some(
                paths::MASKED
                    .iter()
                    .map(|path| (*path).to_owned())
                    .collect(),
            ),
            readonly_paths: Some(
                paths::READ_ONLY
                    .iter()
                    .map(|path| (*path).to_owned())
                    .collect(),
            ),
            // json-file was seen to write 119 MB in 2 s for a program that floods its output.
            log_config: Some(HostConfigLogConfig {
                typ: Some("none".to_owned()),
                config: None,
            }),
            init: Some(false),
            // Removal is ours, with a receipt; the engine's own would race with it.
            auto_remove: Some(false),
            publish_all_ports: Some(false),
            ..HostConfig::default()
        }),
        ..ContainerCreateBody::default()
    }
}

/// The request body that changes a running container's limits: the same settings as in [`body`].
pub(super) fn update(template: &Template) -> ContainerUpdateBody {
    ContainerUpdateBody {
        memory: Some(signed(template.memory_bytes)),
        memory_swap: Some(signed(template.memory_bytes)),
        cpu_period: Some(CPU_PERIOD_US),
        cpu_quota: Some(signed(template.cpu_millis).saturating_mul(CPU_PERIOD_US) / 1000),
        pids_limit: Some(signed(gvisor::host_tasks(template))),
        ..ContainerUpdateBody::default()
    }
}

fn labels(identity: &Identity) -> HashMap<String, String> {
    HashMap::from([
        (LABEL_INSTANCE.to_owned(), identity.instance.clone()),
        (LABEL_NAME.to_owned(), identity.name.clone()),
        (
            LABEL_VERSION.to_owned(),
            env!("CARGO_PKG_VERSION").to_owned(),
        ),
    ])
}

fn tmpfs(template: &Template, identity: &Identity) -> HashMap<String, String> {
    let inodes = (template.tmpfs_bytes / BYTES_PER_INODE).max(64);
    let options = format!(
        "rw,{},size={},nr_inodes={inodes},mode=0700,uid={uid},gid={uid}",
        TMPFS_FLAGS.join(","),
        template.tmpfs_bytes,
        uid = identity.uid,
    );
    template
        .writable
        .paths()
        .map(|path| (path.to_owned(), options.clone()))
        .collect()
}

fn ulimits(template: &Template) -> Vec<ResourcesUlimits> {
    let files = i64::from(template.open_files);
    [("nofile", files), ("core", 0), ("msgqueue", 0)]
        .into_iter()
        .map(|(name, limit)| ResourcesUlimits {
            name: Some(name.to_owned()),
            soft: Some(limit),
            hard: Some(limit),
        })
        .collect()
}

/// Docker's integers are signed; a size beyond `i64::MAX` means the same as `i64::MAX`.
fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example(runtime: &str) -> (Template, Identity) {
        let template = Template {
            runtime: runtime.to_owned(),
            image: "sha256:0".to_owned(),
            memory_bytes: 256 << 20,
            cpu_millis: 1500,
            pids: 64,
            tmpfs_bytes: 32 << 20,
            open_files: 256,
            writable: crate::engine::Folders::ALL,
            unheld: crate::engine::Unheld::default(),
        };
        let identity = Identity {
            name: "saferun-a".to_owned(),
            instance: "i".to_owned(),
            uid: 70_001,
        };
        (template, identity)
    }

    #[test]
    fn a_share_beyond_the_hosts_processors_is_a_quota_like_any_other() {
        let (mut template, identity) = example("runc");
        for (millis, quota) in [(500, 50_000), (1000, 100_000), (64_000, 6_400_000)] {
            template.cpu_millis = millis;
            let seen = serde_json::to_value(body(&template, &identity, Some(2))).unwrap();
            let host = &seen["HostConfig"];
            assert_eq!(host["CpuQuota"], quota);
            assert_eq!(host["CpuPeriod"], 100_000);
            assert!(
                host["NanoCpus"].is_null(),
                "an engine refuses more of those than it has"
            );
        }
    }

    #[test]
    fn every_hardening_setting_is_in_the_request() {
        let (template, identity) = example("runc");
        let body = body(&template, &identity, Some(1));
        let mut seen = serde_json::to_value(&body).unwrap();
        let host = seen["HostConfig"].take();
        assert_eq!(seen["User"], "70001:70001");
        assert_eq!(seen["NetworkDisabled"], true);
        assert_eq!(seen["Tty"], false);
        assert_eq!(seen["Healthcheck"]["Test"][0], "NONE");
        assert_eq!(seen["StopSignal"], "SIGKILL");
        assert!(
            seen["StopTimeout"].is_null(),
            "Docker would not wait for the news of an end"
        );
        let expected = serde_json::json!({
            "NetworkMode": "none", "Memory": 268_435_456, "MemorySwap": 268_435_456,
            "MemorySwappiness": 0, "CpuPeriod": 100_000, "CpuQuota": 150_000, "PidsLimit": 64,
            "OomKillDisable": false, "OomScoreAdj": 500, "ReadonlyRootfs": true,
            "ShmSize": 16_777_216, "IpcMode": "private", "CgroupnsMode": "private",
            "Privileged": false, "CapDrop": ["ALL"], "Init": false, "AutoRemove": false,
            "PublishAllPorts": false, "Runtime": "runc", "LogConfig": {"Type": "none"},
        });
        for (key, value) in expected.as_object().unwrap() {
            assert_eq!(&host[key], value, "{key}");
        }
        for path in WRITABLE {
            assert_eq!(
                host["Tmpfs"][path],
                "rw,nosuid,nodev,noexec,size=33554432,nr_inodes=8192,mode=0700,uid=70001,gid=70001"
            );
        }
        let ulimits = host["Ulimits"].as_array().unwrap();
        assert!(ulimits.contains(&serde_json::json!({"Name": "nofile", "Soft": 256, "Hard": 256})));
        assert!(ulimits.contains(&serde_json::json!({"Name": "core", "Soft": 0, "Hard": 0})));
        assert_eq!(host["SecurityOpt"][0], "no-new-privileges:true");
        assert!(
            host["SecurityOpt"][1]
                .as_str()
                .unwrap()
                .starts_with("seccomp={")
        );
    }

    #[test]
    fn nothing_of_the_host_is_let_in() {
        let (template, identity) = example("runc");
        let host = serde_json::to_value(body(&template, &identity, Some(2)).host_config).unwrap();
        for key in [
            "Binds",
            "Mounts",
            "VolumesFrom",
            "Devices",
            "DeviceCgroupRules",
            "DeviceRequests",
            "CapAdd",
            "GroupAdd",
            "Links",
            "PortBindings",
            "PidMode",
            "UTSMode",
            "UsernsMode",
            "Sysctls",
            "CgroupParent",
            "RestartPolicy",
        ] {
            assert!(host.get(key).is_none(), "{key} is set: {}", host[key]);
        }
        assert!(
            host.get("MemorySwappiness").is_none(),
            "cgroup v2 has no swappiness"
        );
    }

    #[test]
    fn gvisor_gets_more_host_tasks_than_the_program_may_have() {
        let (template, identity) = example("runsc");
        let host = body(&template, &identity, Some(1)).host_config.unwrap();
        assert!(host.pids_limit.unwrap() > i64::from(template.pids));
    }
}
