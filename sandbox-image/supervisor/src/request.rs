//! Receiving a run: checks each field before use and writes the script into the workspace.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use saferun_frames::{PROTOCOL_VERSION, RunSpec, ToSupervisor};

use crate::outer::Outer;
use crate::places::Places;
use crate::stop::Stop;

/// Longest file name, in bytes: the held interpreter's placeholder has room for it.
pub(crate) const MAX_FILE_NAME: usize = 200;

/// Most bytes kept from the end of each output stream. They count against the container's memory.
const MAX_TAIL: u64 = 16 * 1024 * 1024;

/// What came instead of, or as, a run.
#[derive(Debug)]
pub(crate) enum Received {
    /// The script is in the workspace; begin.
    Start(RunSpec),
    /// The daemon gave up before it began.
    Terminated,
}

/// Waits for a whole run. Blocks: nothing else is going on, and no timer runs yet.
pub(crate) fn receive(outer: &mut Outer, places: &Places) -> Result<Received, Stop> {
    let mut loading: Option<Loading> = None;
    loop {
        while let Some(message) = outer.next()? {
            match (message, &mut loading) {
                (ToSupervisor::Run(spec), None) => {
                    loading = Some(Loading::begin(spec, &places.workspace)?);
                }
                (ToSupervisor::Source(bytes), Some(loading)) => loading.append(&bytes)?,
                (ToSupervisor::Start, Some(_)) => {
                    if let Some(loading) = loading.take() {
                        return Ok(Received::Start(loading.finish()?));
                    }
                }
                (ToSupervisor::Terminate, _) => return Ok(Received::Terminated),
                _ => {
                    return Err(Stop::protocol(
                        "a frame out of order before the start of a run",
                    ));
                }
            }
        }
        if outer.is_gone() {
            return Err(Stop::Gone);
        }
        // An interrupted wait only means that the loop looks again.
        let _ = poll(
            &mut [PollFd::new(outer.input(), PollFlags::POLLIN)],
            PollTimeout::NONE,
        );
        outer.receive();
    }
}

/// A run whose source is still coming.
struct Loading {
    spec: RunSpec,
    file: File,
    written: u64,
}

impl Loading {
    fn begin(spec: RunSpec, workspace: &Path) -> Result<Self, Stop> {
        check(&spec)?;
        let path = workspace.join(&spec.file_name);
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o644)
            .custom_flags(libc::O_NOFOLLOW)
            .open(&path)
            .map_err(|error| Stop::hand_over(format!("cannot create the script: {error}")))?;
        Ok(Self {
            spec,
            file,
            written: 0,
        })
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        self.written += bytes.len() as u64;
        if self.written > self.spec.source_len {
            return Err(Stop::protocol("more source than announced"));
        }
        self.file
            .write_all(bytes)
            .map_err(|error| Stop::hand_over(format!("cannot write the script: {error}")))
    }

    fn finish(self) -> Result<RunSpec, Stop> {
        if self.written < self.spec.source_len {
            return Err(Stop::protocol("less source than announced"));
        }
        Ok(self.spec)
    }
}

/// Refuses what could not reach the program as it was meant.
fn check(spec: &RunSpec) -> Result<(), Stop> {
    if spec.protocol != PROTOCOL_VERSION {
        return Err(Stop::protocol(format!(
            "protocol {} was asked for, this supervisor speaks {PROTOCOL_VERSION}",
            spec.protocol
        )));
    }
    let name = spec.file_name.as_str();
    if name.is_empty() || name.len() > MAX_FILE_NAME || name.contains(['/', '\0']) {
        return Err(Stop::hand_over(
            "the file name is not one path component of 1 to 200 bytes",
        ));
    }
    if matches!(name, "." | "..") {
        return Err(Stop::hand_over("the file name is a folder"));
    }
    if spec.args.iter().any(|arg| arg.contains('\0')) {
        return Err(Stop::hand_over("an argument contains NUL"));
    }
    if spec
        .env
        .iter()
        .any(|(name, value)| name.is_empty() || name.contains(['=', '\0']) || value.contains('\0'))
    {
        return Err(Stop::hand_over(
            "an environment variable cannot be expressed",
        ));
    }
    if spec.output_tail > MAX_TAIL {
        return Err(Stop::protocol(format!(
            "an output tail above {MAX_TAIL} bytes"
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(crate) fn spec(name: &str) -> RunSpec {
        RunSpec {
            protocol: PROTOCOL_VERSION,
            token: 7,
            file_name: name.into(),
            args: Vec::new(),
            env: Vec::new(),
            source_len: 0,
            stdin: false,
            time_limit_ms: 0,
            output_head: 0,
            output_tail: 0,
        }
    }

    #[test]
    fn file_names_are_one_component() {
        for good in ["a.py", "ü b.py", "-x.py", "...", &"n".repeat(200)] {
            assert!(check(&spec(good)).is_ok(), "{good}");
        }
        for bad in ["", ".", "..", "a/b", "/etc/x", "a\0b", &"n".repeat(201)] {
            assert!(check(&spec(bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_cannot_be_an_argument_or_variable_is_refused() {
        let with_arg = RunSpec {
            args: vec!["a\0".into()],
            ..spec("a.py")
        };
        assert!(check(&with_arg).is_err());
        for (name, value) in [("", "x"), ("A=B", "x"), ("A", "x\0")] {
            let with_env = RunSpec {
                env: vec![(name.into(), value.into())],
                ..spec("a.py")
            };
            assert!(check(&with_env).is_err(), "{name}");
        }
    }

    #[test]
    fn another_protocol_is_refused() {
        let other = RunSpec {
            protocol: PROTOCOL_VERSION + 1,
            ..spec("a.py")
        };
        assert!(matches!(check(&other), Err(Stop::Fault(_))));
    }

    #[test]
    fn the_source_must_be_as_long_as_announced() {
        let folder = std::env::temp_dir().join(format!("saferun-request-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        let of = |source_len| RunSpec {
            source_len,
            ..spec("a.py")
        };
        let mut short = Loading::begin(of(4), &folder).expect("a file");
        short.append(b"abc").expect("room");
        assert!(short.finish().is_err());
        let mut exact = Loading::begin(of(3), &folder).expect("a file");
        exact.append(b"abc").expect("room");
        assert!(exact.append(b"d").is_err());
        std::fs::remove_dir_all(&folder).expect("the folder");
    }
}
