//! Starting the interpreter: held, before anyone asks, or fresh, for a run that needs it so.

use std::ffi::OsString;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal, kill};
use nix::unistd::Pid;
use saferun_frames::RunSpec;

use crate::places::Places;
use crate::reap;
use crate::sys::{self, Moved};

/// Name that the interpreter believes it was called by.
const ARGV0: &str = "python3";

/// Characters of the placeholder that stands for the script's name until there is one.
const PLACEHOLDER: usize = 230;

/// Longest wait for an interpreter to stand by.
const WARM_UP: Duration = Duration::from_secs(20);

/// Variables that an interpreter reads while it starts, besides those whose name begins with one
/// of [`EARLY_PREFIXES`]. A run that sets one gets a fresh interpreter.
const EARLY: [&str; 6] = ["PATH", "HOME", "LANG", "LANGUAGE", "TZ", "GLIBC_TUNABLES"];
/// The second row: what numeric and plotting libraries read when they are imported.
const EARLY_PREFIXES: [&str; 15] = [
    "PYTHON",
    "LC_",
    "LD_",
    "MALLOC_",
    "SAFERUN_", //
    "GOTO_",
    "KMP_",
    "MKL_",
    "MPL",
    "NPY_",
    "NUMEXPR_",
    "NUMPY_",
    "OMP_",
    "OPENBLAS_",
    "PANDAS_",
];

/// A started program and our ends of its standard streams.
#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) pid: i32,
    pub(crate) stdin: OwnedFd,
    pub(crate) stdout: OwnedFd,
    pub(crate) stderr: OwnedFd,
}

/// An interpreter that waits, within its own start, for the script that it was started with.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) process: Process,
    /// Takes the request.
    pub(crate) request: OwnedFd,
    /// Gives the interpreter's answers; its end without one is a refusal.
    pub(crate) status: OwnedFd,
}

/// Starts an interpreter and waits until it stands by; with its name and version.
pub(crate) fn hold(places: &Places) -> io::Result<(Held, String)> {
    if std::env::var_os("PYTHONPATH").is_some() {
        return Err(io::Error::other(
            "the image sets PYTHONPATH, which the hold needs",
        ));
    }
    let (request_end, request) = sys::pipe()?;
    let (status, status_end) = sys::message_pair()?;
    sys::set_inheritable(&request_end)?;
    sys::set_inheritable(&status_end)?;
    let script = places.workspace.join("x".repeat(PLACEHOLDER));
    let mut command = base(places);
    // Last, so that blanking them leaves only NUL bytes at the end of the initial environment.
    command.arg(script).env("PYTHONPATH", &places.hold).env(
        "SAFERUN_HOLD",
        format!("{},{}", request_end.as_raw_fd(), status_end.as_raw_fd()),
    );
    let process = start(&mut command)?;
    drop((request_end, status_end));
    sys::set_nonblocking(&request)?;
    let held = Held {
        process,
        request,
        status,
    };
    if let Some(version) = stands_by(&held.status) {
        Ok((held, format!("python {version}")))
    } else {
        discard(held.process.pid);
        Err(io::Error::other("the interpreter cannot be held"))
    }
}

/// Starts the interpreter for this run, as a shell in the workspace would.
pub(crate) fn fresh(places: &Places, spec: &RunSpec) -> io::Result<Process> {
    let mut command = base(places);
    command
        .arg(script_argument(&spec.file_name))
        .args(&spec.args);
    command.envs(spec.env.iter().map(|(name, value)| (name, value)));
    start(&mut command)
}

/// Name and version of the interpreter where none could be held.
pub(crate) fn version(places: &Places) -> io::Result<String> {
    let output = with_signals(|| {
        Command::new(&places.python)
            .arg("--version")
            .stdin(Stdio::null())
            .output()
    })?;
    let text = String::from_utf8_lossy(&output.stdout);
    match text.trim().strip_prefix("Python ") {
        Some(version) if output.status.success() => Ok(format!("python {version}")),
        _ => Err(io::Error::other(format!(
            "{} --version failed",
            places.python.display()
        ))),
    }
}

/// The script as an argument: a name that looks like an option gets the folder in front.
pub(crate) fn script_argument(file_name: &str) -> String {
    if file_name.starts_with('-') {
        format!("./{file_name}")
    } else {
        file_name.to_owned()
    }
}

/// Whether these variables must be there when the interpreter starts.
pub(crate) fn needs_fresh(env: &[(String, String)]) -> bool {
    env.iter().any(|(name, _)| {
        EARLY.contains(&name.as_str())
            || EARLY_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
    })
}

/// Kills one child and reaps what has ended.
pub(crate) fn discard(pid: i32) {
    if pid > 1 {
        let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
    }
    reap::kill_and_reap(reap::PATIENCE);
}

fn base(places: &Places) -> Command {
    let mut command = Command::new(&places.python);
    // The folder makes the child a fork. A spawn is cheaper, but leaves two of the C library's own signals ignored in it
    // (glibc's posix_spawn), which a bare interpreter has not.
    command
        .arg0(ARGV0)
        .current_dir(&places.workspace)
        .env_clear();
    let ours = |name: &OsString| {
        name.to_str()
            .is_some_and(|name| name.starts_with("SAFERUN_"))
    };
    command.envs(std::env::vars_os().filter(|(name, _)| !ours(name)));
    command.env("PWD", &places.workspace);
    // As an interactive shell would: signals to its group reach the program and its children only.
    command.process_group(0);
    command
}

fn start(command: &mut Command) -> io::Result<Process> {
    let (stdin_end, stdin) = sys::pipe()?;
    let (stdout, stdout_end) = sys::pipe()?;
    let (stderr, stderr_end) = sys::pipe()?;
    for ours in [&stdin, &stdout, &stderr] {
        sys::set_nonblocking(ours)?;
    }
    command
        .stdin(stdin_end)
        .stdout(stdout_end)
        .stderr(stderr_end);
    let child = with_signals(|| command.spawn());
    // The command keeps its ends of the pipes: without this the pipes would never end.
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    // Linux process ids stay below 2^22.
    let pid = i32::try_from(child?.id()).map_err(io::Error::other)?;
    Ok(Process {
        pid,
        stdin,
        stdout,
        stderr,
    })
}

/// Starts a child with no signal blocked: children inherit the mask.
fn with_signals<T>(start: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    let blocked = SigSet::thread_get_mask()?;
    SigSet::empty().thread_set_mask()?;
    let started = start();
    blocked.thread_set_mask()?;
    started
}

/// Waits for the line `R VERSION` of the hold.
fn stands_by(status: &OwnedFd) -> Option<String> {
    let deadline = Instant::now() + WARM_UP;
    let mut line = Vec::new();
    let mut buffer = [0; 64];
    while Instant::now() < deadline && line.len() < 256 {
        match sys::read_some(status, &mut buffer) {
            Moved::Bytes(count) => line.extend_from_slice(&buffer[..count]),
            Moved::Closed => return None,
            Moved::Blocked => {
                let left = deadline.saturating_duration_since(Instant::now());
                let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
                let _ = poll(
                    &mut [PollFd::new(status.as_fd(), PollFlags::POLLIN)],
                    timeout,
                );
            }
        }
        if let Some(line) = line.strip_suffix(b"\n") {
            let line = String::from_utf8_lossy(line);
            return line.strip_prefix("R ").map(str::to_owned);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_read_at_start_need_a_fresh_interpreter() {
        let one = |name: &str| needs_fresh(&[("A".into(), "1".into()), (name.into(), "1".into())]);
        for name in [
            "PYTHONHASHSEED",
            "LC_ALL",
            "LANG",
            "PATH",
            "LD_PRELOAD",
            "TZ",
            "HOME",
            "OMP_NUM_THREADS",
            "MPLBACKEND",
        ] {
            assert!(one(name), "{name}");
        }
        for name in [
            "MY_PYTHON",
            "TERM",
            "API_KEY",
            "python",
            "LANGS",
            "NO_COLOR",
        ] {
            assert!(!one(name), "{name}");
        }
        assert!(!needs_fresh(&[]));
    }

    #[test]
    fn a_name_that_looks_like_an_option_is_not_one() {
        assert_eq!(script_argument("-c"), "./-c");
        assert_eq!(script_argument("a.py"), "a.py");
    }
}
