//! The probes: what each promises, the program that tries to break the promise, what must come of it.

use saferun_protocol::{Outcome, RunResult};

/// What must come of a probe.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Expect {
    /// The program says that the promise held.
    Held,
    /// A limit ends the program.
    Ended(Outcome),
    /// Output is left out, and the program ends well all the same.
    Dropped,
}

/// Limits that a probe asks for, where the policy's own would make it slow.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Tight {
    /// Time in milliseconds.
    pub(crate) time_ms: Option<u64>,
    /// Memory in bytes.
    pub(crate) memory_bytes: Option<u64>,
    /// Tasks.
    pub(crate) pids: Option<u32>,
}

/// A probe.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Probe {
    /// Name of its file.
    pub(crate) name: &'static str,
    /// What SafeRun promises.
    pub(crate) promise: &'static str,
    /// The program.
    pub(crate) code: &'static str,
    /// What must come of it.
    pub(crate) expect: Expect,
    /// Limits it asks for.
    pub(crate) tight: Tight,
}

macro_rules! probe {
    ($name:literal, $promise:literal) => {
        probe!(
            $name,
            $promise,
            Expect::Held,
            Tight {
                time_ms: None,
                memory_bytes: None,
                pids: None
            }
        )
    };
    ($name:literal, $promise:literal, $expect:expr, $tight:expr) => {
        Probe {
            name: $name,
            promise: $promise,
            code: include_str!(concat!("probes/", $name, ".py")),
            expect: $expect,
            tight: $tight,
        }
    };
}

const ALL_DEFAULT: Tight = Tight {
    time_ms: None,
    memory_bytes: None,
    pids: None,
};

/// All probes, in the order in which they run. `find_canary` follows `leave_canary`.
pub(crate) const PROBES: [Probe; 23] = [
    probe!("no_network", "the network cannot be reached"),
    probe!("no_dns", "no name can be looked up"),
    probe!(
        "no_host_files",
        "files of this machine cannot be seen, nor can the engine's socket"
    ),
    probe!("read_only_root", "the system's files cannot be changed"),
    probe!("no_exec_from_tmp", "what was written cannot be executed"),
    probe!("no_setuid", "no program in the image gives more rights"),
    probe!(
        "unprivileged",
        "the user id is the sandbox's and cannot become root"
    ),
    probe!("no_capabilities", "there are no capabilities"),
    probe!(
        "no_new_privileges",
        "executing a program gives no new rights"
    ),
    probe!("no_mount", "nothing can be mounted"),
    probe!("no_namespaces", "no namespaces can be made"),
    probe!("no_ptrace", "the supervisor cannot be traced"),
    probe!("no_keyring", "the kernel's keyring does not answer"),
    probe!(
        "no_kernel_interfaces",
        "risky system calls and devices are closed"
    ),
    probe!(
        "supervisor_unreadable",
        "the supervisor's memory and files cannot be read"
    ),
    probe!(
        "supervisor_unkillable",
        "the supervisor cannot be killed or stopped"
    ),
    probe!(
        "tasks_capped",
        "processes are capped",
        Expect::Held,
        Tight {
            pids: Some(32),
            ..ALL_DEFAULT
        }
    ),
    probe!(
        "memory_capped",
        "memory is capped",
        Expect::Ended(Outcome::Oom),
        Tight {
            memory_bytes: Some(128 << 20),
            ..ALL_DEFAULT
        }
    ),
    probe!(
        "time_capped",
        "time is capped",
        Expect::Ended(Outcome::Timeout),
        Tight {
            time_ms: Some(500),
            ..ALL_DEFAULT
        }
    ),
    probe!("disk_capped", "disk space is capped"),
    probe!(
        "output_capped",
        "output is capped and the program goes on",
        Expect::Dropped,
        ALL_DEFAULT
    ),
    probe!("leave_canary", "there are folders to write to"),
    probe!("find_canary", "the next run finds nothing of it"),
];

/// Promises that hold under Linux alone. In gVisor a program meets a kernel of the sandbox's own, which allows some of
/// this, and lets a program end its own sandbox. Nothing of the host is reached by it.
pub(crate) const OF_LINUX_ALONE: [&str; 3] = [
    "no_namespaces",
    "no_kernel_interfaces",
    "supervisor_unkillable",
];

impl Probe {
    /// What must come of it in this runtime. gVisor ends the whole sandbox where Linux refuses one process more.
    pub(crate) fn expected_in(&self, runtime: &str) -> Expect {
        match self.name {
            "tasks_capped" if runtime == "runsc" => Expect::Ended(Outcome::PidsExhausted),
            _ => self.expect,
        }
    }
}

/// What is wrong with the result, if anything is.
pub(crate) fn judge(expect: Expect, result: &RunResult) -> Result<(), String> {
    let ended = || match result.status {
        Outcome::Completed => format!("exit code {:?}, says {}", result.exit_code, excerpt(result)),
        status => format!("{status:?}: {}", result.message),
    };
    let as_it_should = match expect {
        // A limit that was touched on the way may be what ended it; the program's word counts.
        Expect::Held => {
            let ended = matches!(
                result.status,
                Outcome::Completed | Outcome::PidsExhausted | Outcome::DiskFull
            );
            ended && result.stdout.trim() == "held"
        }
        Expect::Ended(outcome) => result.status == outcome,
        Expect::Dropped => {
            result.status == Outcome::Completed
                && result.exit_code == Some(0)
                && result.dropped_bytes > 0
        }
    };
    if as_it_should { Ok(()) } else { Err(ended()) }
}

fn excerpt(result: &RunResult) -> String {
    let text = if result.stdout.trim().is_empty() {
        &result.stderr
    } else {
        &result.stdout
    };
    let last = text.trim().lines().last().unwrap_or("nothing");
    last.chars().take(120).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(status: Outcome, stdout: &str) -> RunResult {
        let mut result = RunResult::new(String::new(), status, String::new());
        result.stdout = stdout.to_owned();
        result.exit_code = Some(0);
        result
    }

    #[test]
    fn silence_is_no_success() {
        assert!(judge(Expect::Held, &result(Outcome::Completed, "held\n")).is_ok());
        for bad in ["", "not held", "held\nheld"] {
            assert!(
                judge(Expect::Held, &result(Outcome::Completed, bad)).is_err(),
                "{bad}"
            );
        }
        assert!(judge(Expect::Held, &result(Outcome::SetupFailed, "held")).is_err());
        assert!(judge(Expect::Ended(Outcome::Oom), &result(Outcome::Completed, "")).is_err());
        assert!(judge(Expect::Dropped, &result(Outcome::Completed, "x")).is_err());
    }

    #[test]
    fn names_are_distinct() {
        let mut names: Vec<_> = PROBES.iter().map(|probe| probe.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), PROBES.len());
    }
}
