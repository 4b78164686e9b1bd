//! Reads a container's limits and counters from the host's cgroup files, versions 1 and 2.
//!
//! Kernel files only: reading them never waits for a disk, so plain `std::fs` is right here.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Limits as the kernel holds them; `None` if the file is not there. "No limit" is `u64::MAX`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Limits {
    pub(super) memory: Option<u64>,
    pub(super) swap: Option<u64>,
    pub(super) cpu_millis: Option<u64>,
    pub(super) pids: Option<u64>,
}

/// The folders of one container's cgroup on the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cgroup {
    /// A folder for each controller.
    V1 {
        memory: PathBuf,
        cpu: PathBuf,
        pids: PathBuf,
    },
    /// One folder for all.
    V2(PathBuf),
}

impl Cgroup {
    /// Finds the folders from the text of `/proc/PID/cgroup` and of our own `mountinfo`; `None` if
    /// the cgroup is not this container's, or not mounted here.
    pub(super) fn locate(cgroup: &str, mountinfo: &str, container: &str) -> Option<Self> {
        let find = |controller: &str| {
            let path = cgroup.lines().find_map(|line| {
                let mut parts = line.splitn(3, ':');
                let (_, controllers, path) = (parts.next()?, parts.next()?, parts.next()?);
                let found = if controller.is_empty() {
                    controllers.is_empty()
                } else {
                    controllers.split(',').any(|name| name == controller)
                };
                found.then_some(path)
            })?;
            // A process that left its container's cgroup, or a pid that was given away since.
            if !path.contains(container) {
                return None;
            }
            mounted(mountinfo, controller, path)
        };
        if let Some(memory) = find("memory") {
            return Some(Self::V1 {
                memory,
                cpu: find("cpu")?,
                pids: find("pids")?,
            });
        }
        find("").map(Self::V2)
    }

    /// The limits that hold now.
    pub(super) fn limits(&self) -> Limits {
        match self {
            Self::V1 {
                memory, cpu, pids, ..
            } => Limits {
                memory: number(&memory.join("memory.limit_in_bytes")),
                swap: number(&memory.join("memory.memsw.limit_in_bytes")),
                cpu_millis: text(&cpu.join("cpu.cfs_quota_us")).and_then(|quota| {
                    quota_millis(quota.trim(), &text(&cpu.join("cpu.cfs_period_us"))?)
                }),
                pids: number(&pids.join("pids.max")),
            },
            Self::V2(folder) => Limits {
                memory: number(&folder.join("memory.max")),
                swap: number(&folder.join("memory.swap.max")),
                cpu_millis: text(&folder.join("cpu.max")).and_then(|line| {
                    let (quota, period) = line.trim().split_once(' ')?;
                    quota_millis(quota, period)
                }),
                pids: number(&folder.join("pids.max")),
            },
        }
    }

    /// Whether a process is in it. A cgroup that is gone has none.
    pub(super) fn has_processes(&self) -> bool {
        let folder = match self {
            Self::V1 { pids, .. } => pids,
            Self::V2(folder) => folder,
        };
        text(&folder.join("cgroup.procs")).is_some_and(|processes| !processes.trim().is_empty())
    }

    /// Processes killed for want of memory so far.
    pub(super) fn oom_kills(&self) -> Option<u64> {
        match self {
            Self::V1 { memory, .. } => field(&memory.join("memory.oom_control"), "oom_kill"),
            Self::V2(folder) => field(&folder.join("memory.events"), "oom_kill"),
        }
    }

    /// Tasks refused so far.
    pub(super) fn pids_denied(&self) -> Option<u64> {
        match self {
            Self::V1 { pids, .. } => field(&pids.join("pids.events"), "max"),
            Self::V2(folder) => field(&folder.join("pids.events"), "max"),
        }
    }
}

/// Where a cgroup path lies under the mount of its controller (`""` for version 2).
fn mounted(mountinfo: &str, controller: &str, path: &str) -> Option<PathBuf> {
    mountinfo.lines().find_map(|line| {
        let (place, kind) = line.split_once(" - ")?;
        let mut place = place.split(' ').skip(3);
        let (root, point) = (place.next()?, place.next()?);
        let mut kind = kind.split(' ');
        let (fstype, _, options) = (kind.next()?, kind.next()?, kind.next()?);
        let matches = if controller.is_empty() {
            fstype == "cgroup2"
        } else {
            fstype == "cgroup" && options.split(',').any(|option| option == controller)
        };
        if !matches {
            return None;
        }
        let below = Path::new(path).strip_prefix(root).ok()?;
        // A path that climbs out of our own cgroup namespace cannot be read from here.
        let climbs = below
            .components()
            .any(|part| part == std::path::Component::ParentDir);
        (!climbs).then(|| Path::new(point).join(below))
    })
}

fn text(path: &Path) -> Option<String> {
    fs::read_to_string(path).ok()
}

fn number(path: &Path) -> Option<u64> {
    limit(text(path)?.trim())
}

fn limit(text: &str) -> Option<u64> {
    if text == "max" {
        Some(u64::MAX)
    } else {
        text.parse().ok()
    }
}

fn field(path: &Path, name: &str) -> Option<u64> {
    text(path)?
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok())
}

fn quota_millis(quota: &str, period: &str) -> Option<u64> {
    if quota == "max" || quota == "-1" {
        return Some(u64::MAX);
    }
    let (quota, period) = (
        quota.parse::<u64>().ok()?,
        period.trim().parse::<u64>().ok()?,
    );
    quota.checked_mul(1000)?.checked_div(period)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HYBRID: &str = "\
30 1 0:26 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755
31 30 0:27 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu,cpuacct
32 30 0:28 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
33 30 0:29 / /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids
34 30 0:30 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw";

    #[test]
    fn version_1_is_found_controller_by_controller() {
        let own =
            "7:pids:/docker/abc\n5:memory:/docker/abc\n3:cpu,cpuacct:/docker/abc\n0::/docker/abc";
        let found = Cgroup::locate(own, HYBRID, "abc").unwrap();
        assert_eq!(
            found,
            Cgroup::V1 {
                memory: "/sys/fs/cgroup/memory/docker/abc".into(),
                cpu: "/sys/fs/cgroup/cpu/docker/abc".into(),
                pids: "/sys/fs/cgroup/pids/docker/abc".into(),
            }
        );
    }

    #[test]
    fn version_2_is_found_below_the_root_of_its_mount() {
        let mounts = "30 1 0:26 /user.slice /sys/fs/cgroup rw - cgroup2 cgroup2 rw";
        let found = Cgroup::locate("0::/user.slice/docker-abc.scope", mounts, "abc").unwrap();
        assert_eq!(found, Cgroup::V2("/sys/fs/cgroup/docker-abc.scope".into()));
        assert_eq!(
            Cgroup::locate("0::/system.slice/docker-abc.scope", mounts, "abc"),
            None
        );
    }

    #[test]
    fn a_cgroup_of_somebody_else_is_not_read() {
        assert_eq!(Cgroup::locate("0::/docker/abd", HYBRID, "abc"), None);
        assert_eq!(
            Cgroup::locate("5:memory:/docker/abd\n0::/docker/abc", HYBRID, "abc"),
            {
                // The memory controller is elsewhere; the empty unified folder of a hybrid host says
                // nothing about limits, and its files are absent.
                Some(Cgroup::V2("/sys/fs/cgroup/unified/docker/abc".into()))
            }
        );
        assert_eq!(Cgroup::locate("0::/../abc", HYBRID, "abc"), None);
    }

    #[test]
    fn no_limit_is_a_number_too_large_for_any_expectation() {
        assert_eq!(limit("max"), Some(u64::MAX));
        assert_eq!(quota_millis("-1", "100000"), Some(u64::MAX));
        assert_eq!(quota_millis("max", "100000"), Some(u64::MAX));
        assert_eq!(quota_millis("150000", "100000\n"), Some(1500));
        assert_eq!(quota_millis("150000", "0"), None);
        assert_eq!(limit(""), None);
    }
}
