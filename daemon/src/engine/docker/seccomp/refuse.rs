//! System calls that are refused on purpose, with the reason and where it comes from.
//!
//! Nothing here needs to be in the profile, which refuses what it does not name. The list is there
//! for readers and for the test that none of it is allowed; only [`Refusal::errno`] reaches the
//! engine.

/// "Operation not permitted": the default.
pub(super) const EPERM: u32 = 1;
/// "Function not implemented": programs then take the way they take on an older kernel.
pub(super) const ENOSYS: u32 = 38;

/// Calls that are refused for one reason.
pub(super) struct Refusal {
    /// Why.
    pub(super) reason: &'static str,
    /// What the caller sees.
    pub(super) errno: u32,
    /// Names as the kernel has them.
    pub(super) calls: &'static [&'static str],
}

/// Every refusal that was thought about.
pub(super) const REFUSE: &[Refusal] = &[
    Refusal {
        reason: "its flags are behind a pointer, out of the filter's sight; C libraries fall back \
                 to clone",
        errno: ENOSYS,
        calls: &["clone3"],
    },
    Refusal {
        reason: "io_uring does work that no filter or trace sees, and was behind 60 % of the \
                 submissions to Google's kernel bounty (kCTF VRP, 2023)",
        errno: ENOSYS,
        calls: &["io_uring_setup", "io_uring_enter", "io_uring_register"],
    },
    Refusal {
        reason: "namespaces give back capabilities, and with them most of the kernel's attack \
                 surface (CVE-2022-0185, CVE-2022-0492, CVE-2023-32233)",
        errno: EPERM,
        calls: &["unshare", "setns"],
    },
    Refusal {
        reason: "changing what is mounted where (CVE-2022-0185 in fsconfig)",
        errno: EPERM,
        calls: &[
            "mount", "umount2", "pivot_root", "chroot", "fsopen", "fsconfig", "fsmount", "fspick",
            "move_mount", "open_tree", "open_tree_attr", "mount_setattr", "statmount", "listmount",
        ],
    },
    Refusal {
        reason: "reading or driving other processes: the supervisor has the same uid \
                 (CVE-2019-13272)",
        errno: EPERM,
        calls: &[
            "ptrace", "process_vm_readv", "process_vm_writev", "process_madvise",
            "process_mrelease", "kcmp", "pidfd_getfd",
        ],
    },
    Refusal {
        reason: "handles of processes: nothing in the standard library needs them, asyncio and \
                 subprocess fall back",
        errno: ENOSYS,
        calls: &["pidfd_open", "pidfd_send_signal"],
    },
    Refusal {
        reason: "programs for the kernel to run, and its counters (CVE-2021-3490, CVE-2023-2163)",
        errno: EPERM,
        calls: &["bpf", "perf_event_open", "lookup_dcookie"],
    },
    Refusal {
        reason: "stops the kernel in the middle of a copy: the tool of many race exploits",
        errno: EPERM,
        calls: &["userfaultfd"],
    },
    Refusal {
        reason: "keyrings are not bound to a container (CVE-2016-0728)",
        errno: EPERM,
        calls: &["add_key", "request_key", "keyctl"],
    },
    Refusal {
        reason: "user pages in a pipe (CVE-2008-0600, CVE-2020-29374)",
        errno: EPERM,
        calls: &["vmsplice"],
    },
    Refusal {
        reason: "segments and ports of an earlier time (CVE-2017-17053)",
        errno: ENOSYS,
        calls: &["modify_ldt", "iopl", "ioperm", "uselib", "remap_file_pages", "vm86", "vm86old"],
    },
    Refusal {
        reason: "a file without a path could be executed although every writable mount is noexec; \
                 callers fall back to a file in /tmp or /dev/shm",
        errno: ENOSYS,
        calls: &["memfd_create", "memfd_secret"],
    },
    Refusal {
        reason: "System V and POSIX queues, semaphores and segments are counted for each uid and \
                 outlive a process; multiprocessing uses /dev/shm (the exploit of CVE-2021-22555 \
                 filled the heap with msgsnd)",
        errno: ENOSYS,
        calls: &[
            "msgget", "msgsnd", "msgrcv", "msgctl", "semget", "semop", "semctl", "semtimedop",
            "shmget", "shmat", "shmdt", "shmctl", "mq_open", "mq_unlink", "mq_timedsend",
            "mq_timedreceive", "mq_notify", "mq_getsetattr",
        ],
    },
    Refusal {
        reason: "asynchronous disk access of an earlier time, of no use on a tmpfs",
        errno: ENOSYS,
        calls: &["io_setup", "io_destroy", "io_submit", "io_cancel", "io_getevents", "io_pgetevents"],
    },
    Refusal {
        reason: "files by number instead of by path (the \"shocker\" escape of 2014)",
        errno: EPERM,
        calls: &["open_by_handle_at", "name_to_handle_at"],
    },
    Refusal {
        reason: "tells which of the host's file pages are in memory (CVE-2019-5489); layers of an image \
                 are shared by all sandboxes",
        errno: EPERM,
        calls: &["mincore", "cachestat"],
    },
    Refusal {
        reason: "writes out what waits for any disk of the host, which in a loop slows everybody; \
                 callers cannot see a failure",
        errno: EPERM,
        calls: &["sync"],
    },
    Refusal {
        reason: "placing memory on nodes of the host; libraries go on without",
        errno: EPERM,
        calls: &[
            "mbind", "set_mempolicy", "get_mempolicy", "set_mempolicy_home_node", "migrate_pages",
            "move_pages",
        ],
    },
    Refusal {
        reason: "administration of the host: clock, name, swap, quota, modules, log, reboot",
        errno: EPERM,
        calls: &[
            "settimeofday", "clock_settime", "adjtimex", "clock_adjtime", "sethostname",
            "setdomainname", "swapon", "swapoff", "quotactl", "quotactl_fd", "acct", "reboot",
            "kexec_load", "kexec_file_load", "init_module", "finit_module", "delete_module",
            "syslog", "vhangup", "nfsservctl", "fanotify_init", "fanotify_mark", "lsm_get_self_attr",
            "lsm_set_self_attr", "lsm_list_modules",
        ],
    },
];
