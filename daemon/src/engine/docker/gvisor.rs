//! What is different when the runtime is gVisor.
//!
//! How `runsc` must be registered with the engine: with `runtimeArgs: ["--network=none"]`, and
//! *without* `--ignore-cgroups`, under which neither the memory nor the tasks limit holds. The
//! attestation reads the limits from the container's cgroup and refuses the tier otherwise.
//!
//! The limit on tasks is coarse there: it counts host threads of the sentry, and a program that
//! exceeds it ends the whole sandbox at once, without an end frame.

use crate::engine::Template;

/// Host tasks of an idle sandbox: 40 were seen with a Python interpreter in it, 38 with `sleep`.
/// The rest is room for the Go runtime of the sentry, which adds threads under load.
const IDLE_HOST_TASKS: u64 = 64;

/// Host tasks for each process of the program. Seen with 48 of them (runsc of 2022-12, its ptrace
/// platform): 5.3 each after `fork`, 8.1 after `fork` and `exec`. Threads of one process cost next
/// to nothing (48 of them: 5 more), so this limit does not bound threads; memory does.
const HOST_TASKS_PER_TASK: u64 = 10;

/// What the supervisor needs at its start in gVisor, and gives up before it says that it is ready: to mount over its
/// own `/proc/1`, to become the sandbox's user, and to empty its bounding set. They hold in gVisor's kernel, which keeps
/// them from the host whatever they are; the sentry's own rights do not change with them.
const START_CAPABILITIES: [&str; 4] = ["SETGID", "SETPCAP", "SETUID", "SYS_ADMIN"];

/// Capabilities that a container of this runtime starts with, sorted, without `CAP_`.
pub(crate) fn start_capabilities(runtime: &str) -> &'static [&'static str] {
    if is_gvisor(runtime) {
        &START_CAPABILITIES
    } else {
        &[]
    }
}

/// The user that a container of this runtime starts as, as `uid:gid`. It runs the program as `uid` either way.
pub(crate) fn start_user(runtime: &str, uid: u32) -> String {
    let start = if is_gvisor(runtime) { 0 } else { uid };
    format!("{start}:{start}")
}

/// Whether a runtime is gVisor.
pub(crate) fn is_gvisor(runtime: &str) -> bool {
    runtime == "runsc" || runtime.starts_with("runsc-")
}

/// The limit on tasks that the engine is given. In gVisor the engine counts the sentry's host
/// threads, not the program's tasks.
pub(crate) fn host_tasks(template: &Template) -> u64 {
    let tasks = u64::from(template.pids);
    if is_gvisor(&template.runtime) {
        IDLE_HOST_TASKS + tasks * HOST_TASKS_PER_TASK
    } else {
        tasks
    }
}
