//! What is about to be done to a folder, on disk before the first step: enough to complete it or to undo it. It appears
//! whole or not at all, is private to the user, and says in one word how far things are.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use nix::fcntl::{Flock, FlockArg};
use serde::{Deserialize, Serialize};

use super::{
    moment::reach,
    plan::{Prepared, Step},
};
use crate::run::signals;

/// Finished journals that are kept, for `--undo`.
const KEPT: usize = 20;
/// Ending of a journal that is not whole yet.
const PARTIAL: &str = ".part";

/// How far things are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Stage {
    /// Steps may have been done, or not.
    Begun,
    /// All steps are done.
    Applied,
    /// All is as it was before.
    Undone,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    root: PathBuf,
    steps: Vec<Step>,
}

/// One journal.
#[derive(Debug)]
pub(super) struct Journal {
    /// Its name, which sorts by time.
    pub(super) id: String,
    /// The folder that it is about.
    pub(super) root: PathBuf,
    /// The steps, in order.
    pub(super) steps: Vec<Step>,
    /// How far things are.
    pub(super) stage: Stage,
    dir: PathBuf,
}

/// Which side of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Before,
    After,
}

/// All journals of a user. While it lives, no other `saferunctl` applies anything.
#[derive(Debug)]
pub(super) struct Journals {
    base: PathBuf,
    _lock: Flock<File>,
}

impl Journals {
    /// Opens, and makes if needed, the folder of the journals below the folder of the state.
    pub(super) fn open(state: &Path) -> io::Result<Self> {
        let base = state.join("apply");
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&base)?;
        let meta = fs::symlink_metadata(&base)?;
        let private = meta.is_dir() && meta.mode().trailing_zeros() >= 6;
        if !private || meta.uid() != nix::unistd::geteuid().as_raw() {
            return Err(io::Error::other(format!(
                "{} must be a folder of your own with mode 0700",
                base.display()
            )));
        }
        let lock = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .custom_flags(nix::libc::O_NOFOLLOW)
            .open(base.join("lock"))?;
        let lock = Flock::lock(lock, FlockArg::LockExclusiveNonblock).map_err(|_| {
            io::Error::other(
                "another saferunctl applies changes just now; try again when it is done",
            )
        })?;
        Ok(Self { base, _lock: lock })
    }

    /// All of them, oldest first. What never became whole touched nothing and is removed.
    pub(super) fn all(&self) -> io::Result<Vec<Journal>> {
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.base)? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            let dir = self.base.join(&name);
            if name.ends_with(PARTIAL) {
                fs::remove_dir_all(&dir)?;
            } else if name != "lock" {
                let shown = dir.display().to_string();
                found.push(Journal::read(dir, name).map_err(|error| {
                    io::Error::other(format!(
                        "the journal {shown} cannot be read ({error}): move it away to go on without it"
                    ))
                })?);
            }
        }
        found.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(found)
    }

    /// Writes a new one; when it returns, it is on the disk. A signal ends it with [`io::ErrorKind::Interrupted`].
    pub(super) fn create(&self, root: &Path, prepared: Vec<Prepared>) -> io::Result<Journal> {
        let now = jiff::Timestamp::now().as_millisecond();
        let id = format!("{now:013}-{}", std::process::id());
        let partial = self.base.join(format!("{id}{PARTIAL}"));
        DirBuilder::new().mode(0o700).create(&partial)?;
        reach();
        let mut steps = Vec::new();
        for (number, one) in prepared.into_iter().enumerate() {
            if signals::asked() {
                fs::remove_dir_all(&partial)?;
                return Err(io::ErrorKind::Interrupted.into());
            }
            write(&partial.join(content_name(number, Side::Before)), &one.old)?;
            write(&partial.join(content_name(number, Side::After)), &one.new)?;
            steps.push(one.step);
            reach();
        }
        let root = root.to_owned();
        let written = Written { root, steps };
        write(&partial.join("steps.json"), &serde_json::to_vec(&written)?)?;
        write(
            &partial.join("stage.json"),
            &serde_json::to_vec(&Stage::Begun)?,
        )?;
        sync(&partial)?;
        reach();
        let dir = self.base.join(&id);
        fs::rename(&partial, &dir)?;
        sync(&self.base)?;
        reach();
        Ok(Journal {
            id,
            root: written.root,
            steps: written.steps,
            stage: Stage::Begun,
            dir,
        })
    }

    /// Removes the oldest of those that are finished.
    pub(super) fn prune(&self) -> io::Result<()> {
        let mut finished = self.all()?;
        finished.retain(|journal| journal.stage != Stage::Begun);
        let surplus = finished.len().saturating_sub(KEPT);
        for journal in &finished[..surplus] {
            // Killed in the middle, half a journal must not look like one.
            let gone = self.base.join(format!("{}{PARTIAL}", journal.id));
            fs::rename(&journal.dir, &gone)?;
            sync(&self.base)?;
            fs::remove_dir_all(&gone)?;
        }
        Ok(())
    }
}

impl Journal {
    fn read(dir: PathBuf, id: String) -> io::Result<Self> {
        let written: Written = serde_json::from_slice(&fs::read(dir.join("steps.json"))?)?;
        let stage = serde_json::from_slice(&fs::read(dir.join("stage.json"))?)?;
        Ok(Self {
            id,
            root: written.root,
            steps: written.steps,
            stage,
            dir,
        })
    }

    /// Content of a file on one side of a step.
    pub(super) fn content(&self, number: usize, side: Side) -> io::Result<Vec<u8>> {
        let mut content = Vec::new();
        File::open(self.dir.join(content_name(number, side)))?.read_to_end(&mut content)?;
        Ok(content)
    }

    /// Says how far things are; when it returns, it is on the disk.
    pub(super) fn mark(&mut self, stage: Stage) -> io::Result<()> {
        let new = self.dir.join("stage.new");
        // One that a crash left is in the way.
        let _ = fs::remove_file(&new);
        write(&new, &serde_json::to_vec(&stage)?)?;
        reach();
        fs::rename(&new, self.dir.join("stage.json"))?;
        sync(&self.dir)?;
        self.stage = stage;
        reach();
        Ok(())
    }
}

fn content_name(number: usize, side: Side) -> String {
    match side {
        Side::Before => format!("{number}.before"),
        Side::After => format!("{number}.after"),
    }
}

fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(content)?;
    file.sync_all()
}

fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}
