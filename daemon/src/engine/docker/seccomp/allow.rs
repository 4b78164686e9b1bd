//! System calls that a program in the sandbox may make, grouped by what needs them.
//!
//! Derived from what `CPython`, its standard library, scientific packages and the supervisor call;
//! everything that is not here is refused. What is refused on purpose stands in `refuse.rs`.

/// Calls with one purpose.
pub(super) struct Group {
    /// Who needs them.
    pub(super) purpose: &'static str,
    /// Names as the kernel has them.
    pub(super) calls: &'static [&'static str],
}

/// Every call that is allowed whatever its arguments.
pub(super) const ALLOW: &[Group] = &[
    Group {
        purpose: "read and write what is open",
        calls: &[
            "read", "write", "readv", "writev", "pread64", "pwrite64", "preadv", "pwritev",
            "preadv2", "pwritev2", "lseek", "close", "close_range", "dup", "dup2", "dup3", "fcntl",
            "flock", "fsync", "fdatasync", "syncfs", "sync_file_range", "fallocate",
            "ftruncate", "truncate", "fadvise64", "readahead", "sendfile", "copy_file_range",
            "splice", "tee", "pipe", "pipe2",
        ],
    },
    Group {
        purpose: "open, look at and change files; the read-only root and the mounts decide where",
        calls: &[
            "open", "openat", "openat2", "creat", "access", "faccessat", "faccessat2", "stat",
            "lstat", "fstat", "newfstatat", "statx", "statfs", "fstatfs", "getdents", "getdents64",
            "readlink", "readlinkat", "getcwd", "chdir", "fchdir", "mkdir", "mkdirat", "rmdir",
            "rename", "renameat", "renameat2", "link", "linkat", "symlink", "symlinkat", "unlink",
            "unlinkat", "mknod", "mknodat", "umask", "chmod", "fchmod", "fchmodat", "fchmodat2",
            "chown", "fchown", "lchown", "fchownat", "utime", "utimes", "futimesat", "utimensat",
            "getxattr", "lgetxattr", "fgetxattr", "getxattrat", "listxattr", "llistxattr",
            "flistxattr", "listxattrat", "setxattr", "lsetxattr", "fsetxattr", "setxattrat",
            "removexattr", "lremovexattr", "fremovexattr", "removexattrat", "inotify_init",
            "inotify_init1", "inotify_add_watch", "inotify_rm_watch",
        ],
    },
    Group {
        purpose: "wait for many things at once: asyncio, selectors",
        calls: &[
            "poll", "ppoll", "select", "pselect6", "epoll_create", "epoll_create1", "epoll_ctl",
            "epoll_wait", "epoll_pwait", "epoll_pwait2", "eventfd", "eventfd2", "signalfd",
            "signalfd4", "timerfd_create", "timerfd_settime", "timerfd_gettime",
        ],
    },
    Group {
        purpose: "memory",
        calls: &[
            "brk", "mmap", "munmap", "mremap", "mprotect", "madvise", "msync", "mlock", "mlock2",
            "munlock", "mlockall", "munlockall", "membarrier", "mseal", "pkey_alloc", "pkey_free",
            "pkey_mprotect", "map_shadow_stack",
        ],
    },
    Group {
        purpose: "processes and threads; `clone` stands among the rules with arguments",
        calls: &[
            "fork", "vfork", "execve", "execveat", "exit", "exit_group", "wait4", "waitid",
            "getpid", "getppid", "gettid", "getpgid", "getpgrp", "getsid", "setpgid", "setsid",
            "set_tid_address", "set_robust_list", "get_robust_list", "rseq", "futex", "futex_waitv",
            "futex_wake", "futex_wait", "futex_requeue", "arch_prctl", "prctl", "getrlimit",
            "setrlimit", "getrusage", "times", "getpriority", "setpriority",
            "sched_yield", "sched_getaffinity", "sched_setaffinity", "sched_getparam",
            "sched_setparam", "sched_getscheduler", "sched_setscheduler", "sched_get_priority_min",
            "sched_get_priority_max", "sched_rr_get_interval", "sched_getattr", "sched_setattr",
            "getcpu", "ioprio_get", "ioprio_set",
        ],
    },
    Group {
        purpose: "signals, timers and clocks; setting the time needs a capability that is not there",
        calls: &[
            "kill", "tkill", "tgkill", "rt_sigaction", "rt_sigprocmask", "rt_sigpending",
            "rt_sigqueueinfo", "rt_tgsigqueueinfo", "rt_sigreturn", "rt_sigsuspend",
            "rt_sigtimedwait", "sigaltstack", "pause", "alarm", "getitimer", "setitimer",
            "timer_create", "timer_settime", "timer_gettime", "timer_getoverrun", "timer_delete",
            "nanosleep", "clock_nanosleep", "clock_gettime", "clock_getres", "gettimeofday", "time",
            "restart_syscall",
        ],
    },
    Group {
        purpose: "sockets once made; `socket` and `socketpair` stand among the rules with arguments",
        calls: &[
            "bind", "connect", "listen", "accept", "accept4", "getsockname", "getpeername",
            "getsockopt", "setsockopt", "shutdown", "sendto", "recvfrom", "sendmsg", "recvmsg",
            "sendmmsg", "recvmmsg",
        ],
    },
    Group {
        purpose: "who and where am I; the set calls can only give up what one has",
        calls: &[
            "getuid", "geteuid", "getgid", "getegid", "getresuid", "getresgid", "getgroups",
            "setuid", "setgid", "setreuid", "setregid", "setresuid", "setresgid", "setgroups",
            "setfsuid", "setfsgid", "capget", "capset", "uname", "sysinfo", "getrandom",
        ],
    },
    Group {
        purpose: "closing the sandbox further from inside: the supervisor's filters, Landlock",
        calls: &[
            "seccomp", "landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self",
        ],
    },
];
