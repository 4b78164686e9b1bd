//! What is different when the runtime is gVisor.
//!
//! How `runsc` must be registered with the engine: with `runtimeArgs: ["--network=none"]`, and
//! *without* `--ignore-cgroups`, under which neither the memory nor the tasks limit holds. The
//! attestation reads the limits from the container's cgroup and refuses the tier otherwise.

use crate::engine::Template;

/// Host tasks of an idle sandbox of gVisor (38 were seen for a `sleep`), with room for the
/// runtime's own growth.
const IDLE_HOST_TASKS: u64 = 64;

/// Host tasks for each task of the program. With a limit of 320, 20 forks passed and 60 failed;
/// with 1000, 60 passed: the sentry keeps several host threads and a stub process for each.
const HOST_TASKS_PER_TASK: u64 = 12;

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
