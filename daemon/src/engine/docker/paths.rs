//! Files of `/proc` and `/sys` that a program in the sandbox has no business with.
//!
//! An unprivileged process can read most of these on any Linux. They tell about the host: its
//! hardware, load, modules, other people's timers. Not masked: what `os.cpu_count`, `psutil`,
//! BLAS libraries and the cgroup readers of language runtimes need.

/// Hidden: a file reads as empty, a folder too. Those that a kernel lacks are skipped.
pub(super) const MASKED: [&str; 43] = [
    // The kernel's memory, symbols and log: addresses help an exploit.
    "/proc/kcore",
    "/proc/kallsyms",
    "/proc/kmsg",
    "/proc/iomem",
    "/proc/ioports",
    "/proc/modules",
    "/proc/config.gz",
    "/proc/vmallocinfo",
    "/proc/slabinfo",
    "/proc/pagetypeinfo",
    "/proc/buddyinfo",
    "/proc/zoneinfo",
    "/proc/kpagecount",
    "/proc/kpageflags",
    "/proc/kpagecgroup",
    // Keyrings are not namespaced by uid alone.
    "/proc/keys",
    "/proc/key-users",
    // What else runs on the host, by its timers, interrupts and locks.
    "/proc/timer_list",
    "/proc/timer_stats",
    "/proc/sched_debug",
    "/proc/schedstat",
    "/proc/latency_stats",
    "/proc/interrupts",
    "/proc/softirqs",
    "/proc/locks",
    "/proc/pressure",
    // Disks, buses, power and firmware of the host.
    "/proc/diskstats",
    "/proc/partitions",
    "/proc/swaps",
    "/proc/mdstat",
    "/proc/acpi",
    "/proc/asound",
    "/proc/scsi",
    "/proc/cmdline",
    "/sys/firmware",
    "/sys/kernel",
    "/sys/module",
    "/sys/power",
    "/sys/block",
    "/sys/bus",
    "/sys/devices/virtual/dmi",
    // Energy counters are a side channel (CVE-2020-8694, "PLATYPUS").
    "/sys/devices/virtual/powercap",
    "/sys/fs/bpf",
];

/// Readable but never writable, whatever the program's uid.
pub(super) const READ_ONLY: [&str; 5] = [
    "/proc/bus",
    "/proc/fs",
    "/proc/irq",
    "/proc/sys",
    "/proc/sysrq-trigger",
];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn the_engines_own_defaults_are_all_covered() {
        for path in [
            "/proc/asound",
            "/proc/acpi",
            "/proc/kcore",
            "/proc/keys",
            "/proc/latency_stats",
            "/proc/timer_list",
            "/proc/timer_stats",
            "/proc/sched_debug",
            "/proc/scsi",
            "/sys/firmware",
            "/sys/devices/virtual/powercap",
            "/proc/interrupts",
        ] {
            assert!(MASKED.contains(&path), "{path}");
        }
    }

    #[test]
    fn no_path_stands_twice() {
        let all: HashSet<_> = MASKED.iter().chain(&READ_ONLY).collect();
        assert_eq!(all.len(), MASKED.len() + READ_ONLY.len());
    }
}
