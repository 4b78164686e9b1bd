//! Runs the real supervisor as PID 1 of a PID namespace, without an engine, and speaks frames to it.
//!
//! Needs root or unprivileged user namespaces, util-linux's `unshare` and /usr/bin/python3. Where
//! one is missing, [`Sandbox::start`] says so and the test passes without having run.

#![allow(dead_code, reason = "each test binary uses its part of it")]

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{Duration, Instant};

use saferun_frames::{
    Change, Decoder, EndReport, Fault, FileHead, PROTOCOL_VERSION, Ready, RunSpec, ToDaemon,
    ToSupervisor, TraceEvent,
};
use tempfile::TempDir;

/// How long a test waits for a frame or an end before it fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A supervisor and both ends of its stream.
pub(crate) struct Sandbox {
    child: Child,
    input: Option<ChildStdin>,
    frames: Receiver<ToDaemon>,
    credit: u32,
    _workspace: TempDir,
}

/// Everything that a run gave back.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
    pub(crate) stdout_tail: Vec<u8>,
    pub(crate) stderr_tail: Vec<u8>,
    pub(crate) end: Option<EndReport>,
    pub(crate) fault: Option<Fault>,
    pub(crate) changes: Vec<(Change, Vec<u8>)>,
    pub(crate) trace: Vec<TraceEvent>,
}

impl Outcome {
    pub(crate) fn end(&self) -> &EndReport {
        self.end
            .as_ref()
            .unwrap_or_else(|| panic!("no end report: {self:?}"))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }
}

/// The hold of the source tree.
pub(crate) fn hold() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("hold")
}

pub(crate) fn spec() -> RunSpec {
    RunSpec {
        protocol: PROTOCOL_VERSION,
        token: 7,
        file_name: "main.py".into(),
        args: Vec::new(),
        env: Vec::new(),
        source_len: 0,
        stdin: false,
        time_limit_ms: 20_000,
        output_head: 1 << 20,
        output_tail: 1 << 10,
        account: saferun_frames::Account::default(),
    }
}

fn unshare() -> Option<Command> {
    let works = |flags: &[&str]| {
        let mut probe = Command::new("unshare");
        probe
            .args(flags)
            .arg("true")
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        probe.status().is_ok_and(|status| status.success())
    };
    for flags in [
        &["--pid", "--fork", "--mount-proc", "--kill-child"][..],
        &[
            "--user",
            "--map-root-user",
            "--pid",
            "--fork",
            "--mount-proc",
            "--kill-child",
        ],
    ] {
        if works(flags) {
            let mut command = Command::new("unshare");
            command.args(flags);
            return Some(command);
        }
    }
    None
}

impl Sandbox {
    /// A booted supervisor with the hold and interpreter of this machine; `None` if it cannot be.
    pub(crate) fn start() -> Option<(Self, Ready)> {
        Self::start_with(&hold(), Path::new("/usr/bin/python3"))
    }

    pub(crate) fn start_with(hold: &Path, python: &Path) -> Option<(Self, Ready)> {
        let Some(mut command) = unshare().filter(|_| Path::new("/usr/bin/python3").exists()) else {
            // Past the harness, which keeps back what a passing test prints.
            let _ = writeln!(
                std::io::stderr(),
                "SKIPPED: needs PID namespaces and /usr/bin/python3"
            );
            return None;
        };
        let workspace = tempfile::tempdir().expect("a folder");
        let [inside, out] = ["workspace", "out"].map(|name| workspace.path().join(name));
        for folder in [&inside, &out] {
            std::fs::create_dir(folder).expect("a folder");
        }
        command
            .arg(env!("CARGO_BIN_EXE_saferun-init"))
            .args(["--home", "/nonexistent", "--workspace"])
            .arg(&inside)
            .arg("--out")
            .arg(&out)
            .arg("--hold")
            .arg(hold)
            .arg("--python")
            .arg(python)
            .env("LANG", "C.UTF-8")
            .env("HOME", "/nonexistent")
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut child = command.spawn().expect("unshare starts");
        let input = child.stdin.take();
        let output = child.stdout.take().expect("a pipe");
        // Without room: what the test does not take is not read, as by a stalled daemon.
        let (sender, frames) = sync_channel(0);
        std::thread::spawn(move || {
            let mut output = output;
            let mut decoder = Decoder::new();
            let mut buffer = vec![0; 16 * 1024];
            while let Ok(count @ 1..) = output.read(&mut buffer) {
                decoder.push(&buffer[..count]);
                while let Some(message) = ToDaemon::next(&mut decoder).expect("sound frames") {
                    if sender.send(message).is_err() {
                        return;
                    }
                }
            }
        });
        let mut this = Self {
            child,
            input,
            frames,
            credit: 0,
            _workspace: workspace,
        };
        match this.next() {
            ToDaemon::Ready(ready) => Some((this, *ready)),
            other => panic!("not ready but {other:?}"),
        }
    }

    pub(crate) fn send(&mut self, message: &ToSupervisor) {
        let input = self.input.as_mut().expect("the stream is open");
        // A supervisor that has gone shows in the frames that come back.
        let _ = input.write_all(&message.encode());
    }

    /// Sends a whole run.
    pub(crate) fn begin(&mut self, spec: RunSpec, source: &str) {
        self.begin_with(spec, source, &[]);
    }

    /// The same, with files beside the script.
    pub(crate) fn begin_with(&mut self, spec: RunSpec, source: &str, files: &[(&str, &str)]) {
        self.send(&ToSupervisor::Run(RunSpec {
            source_len: source.len() as u64,
            ..spec
        }));
        for piece in source.as_bytes().chunks(1000) {
            self.send(&ToSupervisor::Source(piece.to_vec()));
        }
        for (path, content) in files {
            self.send(&ToSupervisor::File(FileHead {
                path: (*path).to_owned(),
                executable: false,
                size: content.len() as u64,
            }));
            self.send(&ToSupervisor::FileData(content.as_bytes().to_vec()));
        }
        self.send(&ToSupervisor::Start);
    }

    /// The next frame.
    pub(crate) fn next(&mut self) -> ToDaemon {
        self.frames.recv_timeout(PATIENCE).expect("a frame in time")
    }

    /// Collects frames to the last one.
    pub(crate) fn finish(&mut self) -> Outcome {
        self.finish_feeding(&[])
    }

    /// The same, while `input` goes in as credit comes.
    pub(crate) fn finish_feeding(&mut self, input: &[u8]) -> Outcome {
        let mut outcome = Outcome::default();
        let mut left = input;
        loop {
            match self.next() {
                ToDaemon::Stdout(bytes) => outcome.stdout.extend(bytes),
                ToDaemon::Stderr(bytes) => outcome.stderr.extend(bytes),
                ToDaemon::StdoutTail(bytes) => outcome.stdout_tail.extend(bytes),
                ToDaemon::StderrTail(bytes) => outcome.stderr_tail.extend(bytes),
                ToDaemon::StdinCredit(credit) => {
                    self.credit += credit;
                    let (now, later) = left.split_at(left.len().min(self.credit as usize));
                    self.credit -= u32::try_from(now.len()).expect("within the credit");
                    if !now.is_empty() {
                        self.send(&ToSupervisor::Stdin(now.to_vec()));
                        if later.is_empty() {
                            self.send(&ToSupervisor::StdinEnd);
                        }
                    }
                    left = later;
                }
                ToDaemon::End(end) => {
                    outcome.end = Some(*end);
                    return outcome;
                }
                ToDaemon::Fault(fault) => {
                    outcome.fault = Some(fault);
                    return outcome;
                }
                ToDaemon::Collecting => {}
                ToDaemon::Change(change) => outcome.changes.push((*change, Vec::new())),
                ToDaemon::Content(bytes) => {
                    let (_, content) = outcome.changes.last_mut().expect("a change before it");
                    content.extend(bytes);
                }
                ToDaemon::Trace(events) => outcome.trace.extend(events),
                ToDaemon::Ready(_) => panic!("ready twice"),
            }
        }
    }

    /// Runs one program from start to end.
    pub(crate) fn run(&mut self, spec: RunSpec, source: &str) -> Outcome {
        self.begin(spec, source);
        self.finish()
    }

    /// Closes our side, as a daemon does that dies, and waits for the supervisor's end.
    pub(crate) fn hang_up(&mut self) -> Duration {
        let since = Instant::now();
        self.input = None;
        while self.child.try_wait().expect("a child").is_none() {
            assert!(
                since.elapsed() < PATIENCE,
                "the supervisor outlives its daemon"
            );
            pause();
        }
        since.elapsed()
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        // `--kill-child` takes the namespace along with it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test polls for a condition with a deadline"
)]
fn pause() {
    std::thread::sleep(Duration::from_millis(5));
}
