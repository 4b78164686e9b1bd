//! Unpacking Debian packages with mmdebstrap: no registry, no engine, and no shell of ours.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::{Pid, geteuid};

use crate::error::BuildError;
use crate::inputs::{COMPILE, FOR_WHEELS, Inputs, packages};

/// How often the cancel flag is looked at.
const TICK: Duration = Duration::from_millis(100);

/// How long mmdebstrap may take to remove its temporary folder after a cancel.
const CLEAN_UP: Duration = Duration::from_secs(10);

/// Lines of its output that go into an error.
const TAIL: usize = 20;

/// Unpacks the packages into the tar file `target`, with the tar files of `added` on top of them and compiled as they are,
/// saying each line that mmdebstrap says.
pub(crate) fn unpack(
    inputs: &Inputs,
    added: &[&Path],
    target: &Path,
    say: &mut dyn FnMut(String),
    cancel: &AtomicBool,
) -> Result<(), BuildError> {
    let sources = match &inputs.sources {
        Some(sources) => sources.clone(),
        None => host_sources(Path::new("/etc/apt")),
    };
    if sources.is_empty() {
        return Err(BuildError::NoSources);
    }
    let mut child = command(target, &sources, added, inputs.variant.has_wheels())
        .spawn()
        .map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => BuildError::NoMmdebstrap,
            _ => BuildError::Io {
                doing: "cannot start",
                path: "mmdebstrap".into(),
                source: error,
            },
        })?;
    let lines = read_lines(&mut child);
    let (status, tail) = watch(&mut child, &lines, say, cancel, "mmdebstrap")?;
    if status.success() {
        return Ok(());
    }
    Err(BuildError::Mmdebstrap {
        status: describe(status),
        tail,
    })
}

/// Passes the lines of a tool on until it ends; stops it when the flag is set. Gives its status and
/// its last lines.
pub(crate) fn watch(
    child: &mut Child,
    lines: &Receiver<String>,
    say: &mut dyn FnMut(String),
    cancel: &AtomicBool,
    tool: &'static str,
) -> Result<(ExitStatus, String), BuildError> {
    let mut tail = Vec::new();
    loop {
        match lines.recv_timeout(TICK) {
            Ok(line) => {
                if tail.len() == TAIL {
                    tail.remove(0);
                }
                tail.push(line.clone());
                say(line);
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
        if cancel.load(Ordering::Relaxed) {
            stop(child);
            return Err(BuildError::Cancelled);
        }
    }
    let status = child
        .wait()
        .map_err(BuildError::io("cannot wait for", tool))?;
    Ok((status, tail.join("\n")))
}

fn command(target: &Path, sources: &[PathBuf], added: &[&Path], wheels: bool) -> Command {
    let more = FOR_WHEELS.into_iter().filter(|_| wheels);
    let tar_in = |tar: &&Path| format!("--extract-hook=tar-in \"{}\" /", tar.display());
    let include: Vec<&str> = packages().chain(more).collect();
    let mut command = Command::new("mmdebstrap");
    command
        .arg(if geteuid().is_root() { "--mode=root" } else { "--mode=unshare" })
        .args(["--variant=extract", "--format=tar"])
        .arg(format!("--include={}", include.join(",")))
        // First: what they bring is compiled, too.
        .args(added.iter().map(tar_in))
        .arg(format!("--extract-hook={COMPILE}"))
        // The suite stands in the sources.
        .arg("")
        .arg(target)
        .args(sources)
        .env("LC_ALL", "C")
        .env("SOURCE_DATE_EPOCH", crate::rootfs::MTIME.to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        // A group of its own, so that a cancel reaches apt and tar below it too.
        .process_group(0);
    command
}

/// The host's own sources; those of third parties are left out.
fn host_sources(apt: &Path) -> Vec<PathBuf> {
    let candidates = [
        "sources.list",
        "sources.list.d/debian.sources",
        "sources.list.d/ubuntu.sources",
    ];
    let names_a_source = |path: &PathBuf| {
        fs::read_to_string(path).is_ok_and(|text| {
            text.lines()
                .map(str::trim)
                .any(|line| line.starts_with("deb ") || line.starts_with("URIs:"))
        })
    };
    candidates
        .iter()
        .map(|name| apt.join(name))
        .filter(names_a_source)
        .collect()
}

pub(crate) fn read_lines(child: &mut Child) -> Receiver<String> {
    let (sender, receiver) = sync_channel(64);
    if let Some(stderr) = child.stderr.take() {
        std::thread::spawn(move || {
            let mut reader = BufReader::new(stderr);
            let mut line = Vec::new();
            while matches!(reader.read_until(b'\n', &mut line), Ok(count) if count > 0) {
                let text = String::from_utf8_lossy(&line).trim_end().to_owned();
                line.clear();
                if sender.send(text).is_err() {
                    return;
                }
            }
        });
    }
    receiver
}

/// Lets mmdebstrap remove its folder, and kills it if it takes too long.
fn stop(child: &mut Child) {
    let Ok(pid) = i32::try_from(child.id()) else {
        return;
    };
    let group = Pid::from_raw(pid);
    // ESRCH means that it ended by itself.
    let _ = killpg(group, Signal::SIGTERM);
    let deadline = Instant::now() + CLEAN_UP;
    while Instant::now() < deadline {
        if !matches!(child.try_wait(), Ok(None)) {
            return;
        }
        pause();
    }
    let _ = killpg(group, Signal::SIGKILL);
    let _ = child.wait();
}

#[expect(
    clippy::disallowed_methods,
    reason = "a build runs on a thread of its own"
)]
fn pause() {
    std::thread::sleep(TICK);
}

pub(crate) fn describe(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => "no status".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_with_sources_of_the_distribution_count() {
        let apt = tempfile::tempdir().expect("a folder");
        let parts = apt.path().join("sources.list.d");
        fs::create_dir(&parts).expect("a folder");
        fs::write(
            apt.path().join("sources.list"),
            "# moved to sources.list.d\n",
        )
        .expect("a file");
        fs::write(parts.join("debian.sources"), "Types: deb\nURIs: http://x\n").expect("a file");
        fs::write(parts.join("other.list"), "deb http://y z main\n").expect("a file");
        assert_eq!(host_sources(apt.path()), [parts.join("debian.sources")]);
    }

    #[test]
    fn the_command_is_a_list_of_arguments() {
        let command = command(
            Path::new("/w/a b.tar"),
            &["/etc/apt/x y.sources".into()],
            &[Path::new("/w/a b.hold")],
            false,
        );
        let args: Vec<_> = command
            .get_args()
            .map(|arg| arg.to_string_lossy().into_owned())
            .collect();
        assert!(args.contains(&"/w/a b.tar".to_owned()));
        let place = |begins: &str| args.iter().position(|arg| arg.starts_with(begins));
        let added = place("--extract-hook=tar-in \"/w/a b.hold\" /");
        assert!(
            added.is_some() && added < place("--extract-hook=#"),
            "{args:?}"
        );
        assert_eq!(
            args.last().map(String::as_str),
            Some("/etc/apt/x y.sources")
        );
        assert!(args.iter().any(|arg| arg.starts_with("--include=python3,")));
    }

    #[test]
    fn an_absent_source_list_is_an_error_with_advice() {
        let inputs = Inputs::new(Vec::new()).with_sources(Vec::new());
        let error = unpack(
            &inputs,
            &[],
            Path::new("/x.tar"),
            &mut |_| {},
            &AtomicBool::new(false),
        );
        assert!(matches!(error, Err(BuildError::NoSources)));
    }
}
