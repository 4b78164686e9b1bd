//! This container's cgroup files, version 1 or 2: where they are, and their figures.

use std::fs;
use std::path::{Path, PathBuf};

use crate::mounts::Mount;

/// Folders of the controllers, as far as they can be seen from inside.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Cgroup {
    unified: Option<PathBuf>,
    memory: Option<PathBuf>,
    cpu: Option<PathBuf>,
    cpuacct: Option<PathBuf>,
    pids: Option<PathBuf>,
}

/// Limits; `None` where nothing shows, `u64::MAX` for no limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Limits {
    pub(crate) memory: Option<u64>,
    pub(crate) swap: Option<u64>,
    pub(crate) cpu_millis: Option<u64>,
    pub(crate) pids: Option<u64>,
}

/// Counters at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counters {
    pub(crate) cpu_us: Option<u64>,
    pub(crate) throttled_us: Option<u64>,
    pub(crate) peak_memory: Option<u64>,
    pub(crate) oom_kills: Option<u64>,
    pub(crate) pids_denied: Option<u64>,
}

impl Cgroup {
    /// Finds the folders from the mounts and `/proc/self/cgroup`.
    pub(crate) fn locate(mounts: &[Mount], membership: &str) -> Self {
        let mut found = Self::default();
        for line in membership.lines() {
            let mut parts = line.splitn(3, ':').skip(1);
            let (Some(controllers), Some(path)) = (parts.next(), parts.next()) else {
                continue;
            };
            if controllers.is_empty() {
                let mount = mounts.iter().find(|mount| mount.kind == "cgroup2");
                found.unified = mount.and_then(|mount| folder(mount, path));
                continue;
            }
            for controller in controllers.split(',') {
                let has = |mount: &&Mount| {
                    mount.kind == "cgroup" && mount.options.split(',').any(|o| o == controller)
                };
                let place = mounts
                    .iter()
                    .find(has)
                    .and_then(|mount| folder(mount, path));
                match controller {
                    "memory" => found.memory = place,
                    "cpu" => found.cpu = place,
                    "cpuacct" => found.cpuacct = place,
                    "pids" => found.pids = place,
                    _ => {}
                }
            }
        }
        found
    }

    pub(crate) fn limits(&self) -> Limits {
        let v2 = self.unified.as_deref();
        Limits {
            memory: number(self.memory.as_deref(), "memory.limit_in_bytes")
                .or_else(|| number(v2, "memory.max")),
            swap: number(self.memory.as_deref(), "memory.memsw.limit_in_bytes")
                .or_else(|| number(v2, "memory.swap.max")),
            cpu_millis: text(self.cpu.as_deref(), "cpu.cfs_quota_us")
                .zip(text(self.cpu.as_deref(), "cpu.cfs_period_us"))
                .and_then(|(quota, period)| cpu_millis(&quota, &period))
                .or_else(|| {
                    let both = text(v2, "cpu.max")?;
                    let (quota, period) = both.split_once(' ')?;
                    cpu_millis(quota, period)
                }),
            pids: number(self.pids.as_deref(), "pids.max").or_else(|| number(v2, "pids.max")),
        }
    }

    pub(crate) fn counters(&self) -> Counters {
        let v2 = self.unified.as_deref();
        let of_v2 = text(v2, "cpu.stat").unwrap_or_default();
        Counters {
            cpu_us: number(self.cpuacct.as_deref(), "cpuacct.usage")
                .map(|nanos| nanos / 1000)
                .or_else(|| parse_keyed(&of_v2, "usage_usec")),
            throttled_us: keyed(self.cpu.as_deref(), "cpu.stat", "throttled_time")
                .map(|nanos| nanos / 1000)
                .or_else(|| parse_keyed(&of_v2, "throttled_usec")),
            peak_memory: number(self.memory.as_deref(), "memory.max_usage_in_bytes")
                .or_else(|| number(v2, "memory.peak")),
            oom_kills: keyed(self.memory.as_deref(), "memory.oom_control", "oom_kill")
                .or_else(|| keyed(v2, "memory.events", "oom_kill")),
            pids_denied: keyed(self.pids.as_deref(), "pids.events", "max")
                .or_else(|| keyed(v2, "pids.events", "max")),
        }
    }
}

/// The folder of cgroup `path` below `mount`, which may show only a part of the tree.
fn folder(mount: &Mount, path: &str) -> Option<PathBuf> {
    let root = mount.root.trim_end_matches('/');
    let below = match path.strip_prefix(root) {
        Some(below) if below.is_empty() || below.starts_with('/') => below,
        // Another view of the same tree (a cgroup namespace): the mount shows what concerns us.
        _ => "",
    };
    let folder = Path::new(&mount.point).join(below.trim_start_matches('/'));
    folder.is_absolute().then_some(folder)
}

fn text(folder: Option<&Path>, file: &str) -> Option<String> {
    let text = fs::read_to_string(folder?.join(file)).ok()?;
    Some(text.trim().to_owned())
}

fn number(folder: Option<&Path>, file: &str) -> Option<u64> {
    parse_number(&text(folder, file)?)
}

fn keyed(folder: Option<&Path>, file: &str, key: &str) -> Option<u64> {
    parse_keyed(&text(folder, file)?, key)
}

fn parse_number(text: &str) -> Option<u64> {
    if text == "max" {
        Some(u64::MAX)
    } else {
        text.parse().ok()
    }
}

fn parse_keyed(text: &str, key: &str) -> Option<u64> {
    let value = |line: &str| parse_number(line.strip_prefix(key)?.strip_prefix(' ')?.trim());
    text.lines().find_map(value)
}

fn cpu_millis(quota: &str, period: &str) -> Option<u64> {
    if matches!(quota, "max" | "-1") {
        return Some(u64::MAX);
    }
    let (quota, period): (u64, u64) = (quota.parse().ok()?, period.parse().ok()?);
    quota.checked_mul(1000)?.checked_div(period)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mounts;

    #[test]
    fn version_1_in_docker_shows_its_own_part_at_the_mount() {
        let mounts = mounts::parse(
            "1 0 0:30 /docker/ab /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n\
             2 0 0:31 /docker/ab /sys/fs/cgroup/cpu,cpuacct ro - cgroup cgroup rw,cpu,cpuacct\n\
             3 0 0:32 / /sys/fs/cgroup/pids ro - cgroup cgroup rw,pids\n",
        );
        let found = Cgroup::locate(
            &mounts,
            "9:memory:/docker/ab\n4:cpu,cpuacct:/docker/ab\n3:pids:/docker/ab\n0::/docker/ab\n",
        );
        assert_eq!(
            found.memory.as_deref(),
            Some(Path::new("/sys/fs/cgroup/memory/"))
        );
        assert_eq!(
            found.cpu.as_deref(),
            Some(Path::new("/sys/fs/cgroup/cpu,cpuacct/"))
        );
        assert_eq!(found.cpuacct, found.cpu);
        assert_eq!(
            found.pids.as_deref(),
            Some(Path::new("/sys/fs/cgroup/pids/docker/ab"))
        );
        assert_eq!(found.unified, None);
    }

    #[test]
    fn version_2_in_a_namespace_shows_its_root() {
        let mounts = mounts::parse("1 0 0:30 / /sys/fs/cgroup ro - cgroup2 cgroup rw\n");
        let found = Cgroup::locate(&mounts, "0::/\n");
        assert_eq!(found.unified.as_deref(), Some(Path::new("/sys/fs/cgroup/")));
    }

    #[test]
    fn nothing_visible_is_nothing_known() {
        let none = Cgroup::locate(&[], "");
        assert_eq!(none, Cgroup::default());
        assert_eq!(none.limits(), Limits::default());
        assert_eq!(none.counters(), Counters::default());
    }

    #[test]
    fn figures_parse() {
        assert_eq!(parse_number("max"), Some(u64::MAX));
        assert_eq!(parse_number("-1"), None);
        assert_eq!(parse_keyed("low 0\noom 3\noom_kill 2", "oom_kill"), Some(2));
        assert_eq!(
            parse_keyed("oom_kill_disable 0\noom_kill 1", "oom_kill"),
            Some(1)
        );
        assert_eq!(cpu_millis("150000", "100000"), Some(1500));
        assert_eq!(cpu_millis("max", "100000"), Some(u64::MAX));
        assert_eq!(cpu_millis("1", "0"), None);
    }
}
