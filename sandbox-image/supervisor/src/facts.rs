//! The inner witness: what the kernel says of this process and its surroundings. Parsing is pure.

use nix::sys::prctl;
use nix::sys::resource::{Resource, getrlimit};
use saferun_frames::Facts;

use crate::cgroup::Cgroup;
use crate::mounts::{self, Mount};
use crate::seclude::{self, OwnProc};

/// Reads everything that can be seen.
pub(crate) fn read(own: &OwnProc, mounts: &[Mount], cgroup: &Cgroup) -> Facts {
    let status = own.text("status");
    let limits = cgroup.limits();
    Facts {
        uid: ids(&status, "Uid:"),
        gid: ids(&status, "Gid:"),
        groups: groups(&status),
        capabilities: capabilities(&status),
        no_new_privs: field(&status, "NoNewPrivs:").map(|value| value == "1"),
        seccomp: field(&status, "Seccomp:").and_then(|value| value.parse().ok()),
        root_read_only: mounts::root_read_only(mounts),
        writable_mounts: (!mounts.is_empty()).then(|| {
            mounts
                .iter()
                .filter(|mount| mount.is_writable())
                .map(Mount::describe)
                .collect()
        }),
        interfaces: Some(interfaces(&own.text("net/dev"))).filter(|names| !names.is_empty()),
        memory_limit: limits.memory,
        swap_limit: limits.swap,
        cpu_millis: limits.cpu_millis,
        pids_limit: limits.pids,
        open_files: getrlimit(Resource::RLIMIT_NOFILE)
            .ok()
            .map(<[u64; 2]>::from),
        core_size: getrlimit(Resource::RLIMIT_CORE).ok().map(<[u64; 2]>::from),
        dumpable: prctl::get_dumpable().ok(),
        kernel: Some(
            if seclude::in_gvisor() {
                "gvisor"
            } else {
                "linux"
            }
            .to_owned(),
        ),
        covered: Some(mounts.iter().any(|mount| mount.point == "/proc/1")),
        // Looked at before anything else.
        left_behind: None,
    }
}

fn field<'a>(status: &'a str, name: &str) -> Option<&'a str> {
    status
        .lines()
        .find_map(|line| line.strip_prefix(name))
        .map(str::trim)
}

fn ids(status: &str, name: &str) -> Option<[u32; 4]> {
    let ids: Vec<u32> = field(status, name)?
        .split_whitespace()
        .map(str::parse)
        .collect::<Result<_, _>>()
        .ok()?;
    ids.try_into().ok()
}

fn groups(status: &str) -> Option<Vec<u32>> {
    field(status, "Groups:")?
        .split_whitespace()
        .map(|id| id.parse().ok())
        .collect()
}

/// The sets that this kernel shows, in this order: gVisor (2022-12) leaves out the last.
fn capabilities(status: &str) -> Option<Vec<String>> {
    let shown: Vec<String> = ["CapInh:", "CapPrm:", "CapEff:", "CapBnd:", "CapAmb:"]
        .into_iter()
        .map_while(|name| field(status, name).map(str::to_owned))
        .collect();
    (!shown.is_empty()).then_some(shown)
}

fn interfaces(dev: &str) -> Vec<String> {
    let name = |line: &str| line.split_once(':').map(|(name, _)| name.trim().to_owned());
    dev.lines().filter_map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATUS: &str = "\
Name:\tsaferun-init
Uid:\t890007\t890007\t890007\t890007
Gid:\t890007\t890007\t890007\t890007
Groups:\t
CapInh:\t0000000000000000
CapPrm:\t0000000000000000
CapEff:\t0000000000000000
CapBnd:\t00000000a80425fb
CapAmb:\t0000000000000000
NoNewPrivs:\t1
Seccomp:\t2
Seccomp_filters:\t1
";

    #[test]
    fn a_hardened_process_is_read_as_such() {
        assert_eq!(ids(STATUS, "Uid:"), Some([890_007; 4]));
        assert_eq!(groups(STATUS), Some(Vec::new()));
        assert_eq!(
            capabilities(STATUS).expect("all five")[3],
            "00000000a80425fb"
        );
        assert_eq!(field(STATUS, "NoNewPrivs:"), Some("1"));
        assert_eq!(field(STATUS, "Seccomp:"), Some("2"));
    }

    #[test]
    fn a_sandboxed_kernel_without_these_lines_says_nothing() {
        let status = "Name:\tx\nSeccomp:\t0\n";
        assert_eq!(capabilities(status), None);
        assert_eq!(ids(status, "Uid:"), None);
        assert_eq!(field(status, "NoNewPrivs:"), None);
    }

    #[test]
    fn interfaces_are_named() {
        let dev = "Inter-|   Receive\n face |bytes\n    lo: 0 0\n  eth0:12 3\n";
        assert_eq!(interfaces(dev), ["lo", "eth0"]);
    }
}
