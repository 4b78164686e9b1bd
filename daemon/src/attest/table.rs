//! Who must see what, for each runtime, cgroup version, and engine near or far.

use super::field::{DECLARED, Field};
use crate::engine::is_gvisor;

/// What one witness owes for one setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    /// It must be seen, and be right.
    Required,
    /// This runtime need not show it; if it does, it must be right.
    IfSeen,
    /// What this witness sees says nothing about the setting.
    Hidden,
}

/// One row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Row {
    /// The setting.
    pub(super) field: Field,
    /// What the supervisor owes.
    pub(super) inside: Need,
    /// What the daemon owes.
    pub(super) outside: Need,
}

/// The table. The cgroup version changes what is expected of the swap limit, not who must see it.
pub(super) fn expectations(runtime: &str, local: bool) -> Vec<Row> {
    use Need::{Hidden, IfSeen, Required};
    let gvisor = is_gvisor(runtime);
    // Of an engine on another machine, the daemon sees no process and no cgroup.
    let near = if local { Required } else { Hidden };
    // Inside gVisor (2022-12): no `NoNewPrivs` line, `Seccomp` 0, no cgroup files.
    // Outside there is the sentry: its seccomp filter and its limits count, its uid (65534) and its
    // capabilities (in a user namespace of its own) say nothing about the program.
    let linux = if gvisor { Hidden } else { Required };
    let both = |gvisor_value, value| if gvisor { gvisor_value } else { value };
    let near_linux = both(Hidden, near);

    let row = |field, inside, outside| Row {
        field,
        inside,
        outside,
    };
    let mut rows = vec![
        row(Field::Uid, Required, near_linux),
        row(Field::Gid, Required, near_linux),
        row(Field::ExtraGroups, Required, near_linux),
        row(Field::Capabilities, Required, near_linux),
        row(Field::NoNewPrivs, both(IfSeen, Required), near),
        row(Field::Seccomp, linux, near),
        row(Field::RootReadOnly, Required, Hidden),
        row(Field::WritableMounts, Required, Hidden),
        row(Field::Interfaces, Required, Hidden),
        row(Field::MemoryLimit, linux, near),
        row(Field::SwapLimit, linux, near),
        row(Field::CpuMillis, linux, near),
        row(Field::PidsLimit, linux, near),
        row(Field::OpenFiles, Required, Hidden),
        row(Field::CoreSize, Required, Hidden),
        row(Field::Dumpable, Required, Hidden),
        row(Field::Kernel, Required, Hidden),
        row(Field::Covered, both(Required, Hidden), Hidden),
        row(Field::LeftBehind, Required, Hidden),
    ];
    rows.extend(DECLARED.map(|name| row(Field::Declared(name), Hidden, Required)));
    rows
}
