//! The settings that are attested, and their names.

/// A setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Field {
    /// Real, effective, saved and file-system uid.
    Uid,
    /// The same for the group.
    Gid,
    /// Groups besides the primary one.
    ExtraGroups,
    /// Inheritable, permitted, effective, bounding and ambient capabilities.
    Capabilities,
    /// No program can gain privileges by being executed. In gVisor: of the sentry.
    NoNewPrivs,
    /// Mode 2, a filter. In gVisor: of the sentry.
    Seccomp,
    /// The root file system cannot be written.
    RootReadOnly,
    /// Every place that can be written, with its size, mode and flags.
    WritableMounts,
    /// Network interfaces.
    Interfaces,
    /// Bytes of memory.
    MemoryLimit,
    /// Bytes of memory and swap (cgroup v1), or of swap (v2).
    SwapLimit,
    /// Thousandths of a CPU.
    CpuMillis,
    /// Tasks; in gVisor, host tasks of the sentry.
    PidsLimit,
    /// Soft and hard limit on open files.
    OpenFiles,
    /// Soft and hard limit on core files.
    CoreSize,
    /// The supervisor's memory and descriptors are closed to its own uid.
    Dumpable,
    /// Whose kernel the program meets: it tells a runtime that is not what its name says.
    Kernel,
    /// The supervisor's files in `/proc` are out of reach by a mount, where being undumpable is not enough.
    Covered,
    /// What a run could have left, from before the supervisor did anything.
    LeftBehind,
    /// Something that the engine says it applied, by its name in [`DECLARED`].
    Declared(&'static str),
}

/// What the engine must declare. A witness of the engine, not of the kernel: it finds a container
/// that was made otherwise, not an engine that lies.
pub(super) const DECLARED: [&str; 16] = [
    "capabilities_added",
    "devices",
    "groups_added",
    "image",
    "ipc_mode",
    "log_driver",
    "mounts",
    "network_mode",
    "no_new_privileges",
    "pid_mode",
    "privileged",
    "read_only_root",
    "runtime",
    "seccomp_profile",
    "shm_bytes",
    "user",
];

impl Field {
    /// Its name in results and errors.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Uid => "uid",
            Self::Gid => "gid",
            Self::ExtraGroups => "extra_groups",
            Self::Capabilities => "capabilities",
            Self::NoNewPrivs => "no_new_privs",
            Self::Seccomp => "seccomp",
            Self::RootReadOnly => "root_read_only",
            Self::WritableMounts => "writable_mounts",
            Self::Interfaces => "interfaces",
            Self::MemoryLimit => "memory_limit",
            Self::SwapLimit => "swap_limit",
            Self::CpuMillis => "cpu_millis",
            Self::PidsLimit => "pids_limit",
            Self::OpenFiles => "open_files",
            Self::CoreSize => "core_size",
            Self::Dumpable => "dumpable",
            Self::Kernel => "kernel",
            Self::Covered => "supervisor_covered",
            Self::LeftBehind => "left_behind",
            Self::Declared(name) => name,
        }
    }
}
