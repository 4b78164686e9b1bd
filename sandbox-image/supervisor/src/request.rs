//! Receiving a run: checks each field before use and writes the script and its files into the workspace.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::stat::Mode;
use saferun_frames::{
    Entry, EntryType, FileHead, MAX_FILES, PROTOCOL_VERSION, RunSpec, ToSupervisor, check_path,
};
use sha2::{Digest, Sha256};

use crate::beneath::Folder;
use crate::collect::{Entries, hex};
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
    /// The script and its files are in the workspace; begin.
    Start(Loaded),
    /// The daemon gave up before it began.
    Terminated,
}

/// A run that came whole.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) spec: RunSpec,
    /// What the workspace holds, if its changes are to be told.
    pub(crate) entries: Entries,
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
                (ToSupervisor::Source(bytes), Some(loading)) => loading.source(&bytes)?,
                (ToSupervisor::File(head), Some(loading)) => loading.file(head)?,
                (ToSupervisor::FileData(bytes), Some(loading)) => loading.file_data(&bytes)?,
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

/// A run whose script and files are still coming.
struct Loading {
    spec: RunSpec,
    folder: Folder,
    current: Coming,
    /// Whether the script has come whole.
    has_script: bool,
    files: usize,
    entries: Entries,
}

/// A file under way.
struct Coming {
    path: String,
    file: File,
    mode: Mode,
    announced: u64,
    written: u64,
    hash: Option<Sha256>,
}

impl Loading {
    fn begin(spec: RunSpec, workspace: &Path) -> Result<Self, Stop> {
        check(&spec)?;
        let folder = Folder::open(workspace)
            .map_err(|error| Stop::hand_over(format!("cannot open the workspace: {error}")))?;
        let mut entries = Entries::new();
        let (path, size) = (spec.file_name.clone(), spec.source_len);
        let current = Coming::begin(&folder, path, size, false, &spec, &mut entries)?;
        Ok(Self {
            spec,
            folder,
            current,
            has_script: false,
            files: 0,
            entries,
        })
    }

    fn source(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        if self.has_script {
            return Err(Stop::protocol("source after the first file"));
        }
        self.current.append(bytes)
    }

    fn file(&mut self, head: FileHead) -> Result<(), Stop> {
        self.files += 1;
        if self.files > MAX_FILES {
            return Err(Stop::protocol(format!("more than {MAX_FILES} files")));
        }
        check_path(&head.path).map_err(|error| Stop::hand_over(error.to_string()))?;
        self.has_script = true;
        let next = Coming::begin(
            &self.folder,
            head.path,
            head.size,
            head.executable,
            &self.spec,
            &mut self.entries,
        )?;
        std::mem::replace(&mut self.current, next).finish(&mut self.entries)
    }

    fn file_data(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        if !self.has_script {
            return Err(Stop::protocol("a file's content before its name"));
        }
        self.current.append(bytes)
    }

    fn finish(mut self) -> Result<Loaded, Stop> {
        self.current.finish(&mut self.entries)?;
        Ok(Loaded {
            spec: self.spec,
            entries: self.entries,
        })
    }
}

impl Coming {
    fn begin(
        folder: &Folder,
        path: String,
        announced: u64,
        executable: bool,
        spec: &RunSpec,
        entries: &mut Entries,
    ) -> Result<Self, Stop> {
        let mode = Mode::from_bits_truncate(if executable { 0o755 } else { 0o644 });
        let mut new_folder = |above: &str| {
            let entry = Entry {
                kind: EntryType::Folder,
                mode: 0o755,
                size: 0,
                sha256: None,
                target: None,
            };
            entries.insert(above.to_owned(), entry);
        };
        let file = folder
            .create(&path, mode, &mut new_folder)
            .map_err(|error| Stop::hand_over(format!("cannot create {path:?}: {error}")))?;
        Ok(Self {
            path,
            file,
            mode,
            announced,
            written: 0,
            hash: spec.account.changes.map(|_| Sha256::new()),
        })
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        self.written += bytes.len() as u64;
        if self.written > self.announced {
            return Err(Stop::protocol("more of a file than announced"));
        }
        if let Some(hash) = &mut self.hash {
            hash.update(bytes);
        }
        self.file
            .write_all(bytes)
            .map_err(|error| Stop::hand_over(format!("cannot write {:?}: {error}", self.path)))
    }

    fn finish(self, entries: &mut Entries) -> Result<(), Stop> {
        if self.written < self.announced {
            return Err(Stop::protocol("less of a file than announced"));
        }
        if let Some(hash) = self.hash {
            let entry = Entry {
                kind: EntryType::File,
                mode: self.mode.bits(),
                size: self.written,
                sha256: Some(hex(hash)),
                target: None,
            };
            entries.insert(self.path, entry);
        }
        Ok(())
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
    if name.len() > MAX_FILE_NAME {
        return Err(Stop::hand_over(
            "the script's path is longer than 200 bytes",
        ));
    }
    check_path(name).map_err(|error| Stop::hand_over(format!("the script: {error}")))?;
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
            account: saferun_frames::Account::default(),
        }
    }

    #[test]
    fn file_names_stay_below_the_workspace() {
        for good in ["a.py", "ü b.py", "-x.py", "...", "a/b.py", &"n".repeat(200)] {
            assert!(check(&spec(good)).is_ok(), "{good}");
        }
        for bad in ["", ".", "..", "a/../b", "/etc/x", "a\0b", &"n".repeat(201)] {
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
        short.source(b"abc").expect("room");
        assert!(short.finish().is_err());
        std::fs::remove_file(folder.join("a.py")).expect("the file");
        let mut exact = Loading::begin(of(3), &folder).expect("a file");
        exact.source(b"abc").expect("room");
        assert!(exact.source(b"d").is_err());
        std::fs::remove_dir_all(&folder).expect("the folder");
    }
}
