//! After the run, when nothing of it is alive: what is not as it was. Walks with bounds on entries, depth, bytes and
//! time, follows no link, and tells what it did not look at.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::Path;
use std::time::{Duration, Instant};

use nix::dir::Dir;
use nix::sys::stat::{FileStat, SFlag};
use saferun_frames::{
    Account, Budget, Change, ChangeKind, Collected, Entry, EntryType, LeftBehind, MAX_CHANGES,
    MAX_DATA, MAX_NOTES, Place, ToDaemon, check_path,
};
use sha2::{Digest, Sha256};

use crate::beneath::{self, Folder};
use crate::outer::{HIGH_WATER, Outer};

/// Most entries of one place that are looked at.
const MAX_ENTRIES: usize = 20_000;

/// Most bytes that are read for hashes, in all places together.
const MAX_READ: u64 = 1 << 30;

/// Longest time for all of it.
const PATIENCE: Duration = Duration::from_secs(5);

/// Longest sentence about what was not looked at, in characters.
const MAX_NOTE: usize = 400;

/// Entries of one place by their paths.
pub(crate) type Entries = BTreeMap<String, Entry>;

/// A place as it was before the run.
pub(crate) struct Before<'a> {
    pub(crate) place: Place,
    pub(crate) path: &'a Path,
    pub(crate) entries: Entries,
}

/// Tells what is not as it was.
pub(crate) fn collect(account: Account, befores: Vec<Before<'_>>, outer: &mut Outer) -> Collected {
    let mut collector = Collector::until(Instant::now() + PATIENCE);
    let none = Budget {
        bytes: 0,
        entries: 0,
    };
    let mut changes = account.changes.unwrap_or(none);
    let mut artifacts = account.artifacts.unwrap_or(none);
    for before in befores {
        let (wanted, budget) = match before.place {
            Place::Out => (account.artifacts.is_some(), &mut artifacts),
            Place::Workspace | Place::Home => (account.changes.is_some(), &mut changes),
        };
        if wanted {
            collector.place(before, budget, outer);
        }
    }
    Collected {
        complete: collector.complete,
        notes: collector.notes,
        left_behind: collector.left_behind,
    }
}

/// What a place holds now, without telling anything: for the state before a run.
pub(crate) fn snapshot(path: &Path, place: Place) -> Entries {
    let mut collector = Collector::until(Instant::now() + PATIENCE);
    match Folder::open(path) {
        Ok(folder) => collector.walk(&folder, place),
        Err(_) => Entries::new(),
    }
}

/// The hash of a content as it stands in an [`Entry`].
pub(crate) fn hex(hash: Sha256) -> String {
    use std::fmt::Write as _;
    hash.finalize()
        .iter()
        .fold(String::with_capacity(64), |mut text, byte| {
            // Writing to a String does not fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}

struct Collector {
    deadline: Instant,
    unread: u64,
    told: usize,
    notes: Vec<String>,
    /// The place that is looked at.
    at: Place,
    complete: bool,
    left_behind: LeftBehind,
    buffer: Box<[u8]>,
}

impl Collector {
    fn until(deadline: Instant) -> Self {
        Self {
            deadline,
            unread: MAX_READ,
            told: 0,
            notes: Vec::new(),
            at: Place::Workspace,
            complete: true,
            left_behind: LeftBehind::default(),
            buffer: vec![0; MAX_DATA].into_boxed_slice(),
        }
    }

    fn place(&mut self, before: Before<'_>, budget: &mut Budget, outer: &mut Outer) {
        let place = before.place;
        self.at = place;
        let folder = match Folder::open(before.path) {
            Ok(folder) => folder,
            // A policy may leave a place out of the container.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return,
            Err(error) => {
                return self.note(format!("{} cannot be read: {error}", before.path.display()));
            }
        };
        let after = self.walk(&folder, place);
        let mut before = before.entries;
        for (path, entry) in after {
            let old = before.remove(&path);
            if old.as_ref() == Some(&entry) || (old.is_some() && entry.kind == EntryType::Folder) {
                continue;
            }
            let kind = match old {
                Some(_) => ChangeKind::Modified,
                None => ChangeKind::Created,
            };
            self.tell(
                &folder,
                Change {
                    place,
                    path,
                    kind,
                    before: old,
                    after: Some(entry),
                    content: None,
                },
                budget,
                outer,
            );
        }
        // What could not be looked at is not known to be gone.
        if !self.complete {
            return;
        }
        for (path, old) in before {
            let change = Change {
                place,
                path,
                kind: ChangeKind::Deleted,
                before: Some(old),
                after: None,
                content: None,
            };
            self.tell(&folder, change, budget, outer);
        }
    }

    fn tell(
        &mut self,
        folder: &Folder,
        mut change: Change,
        budget: &mut Budget,
        outer: &mut Outer,
    ) {
        let is_file = |entry: &&Entry| entry.kind == EntryType::File;
        let file = change.after.as_ref().filter(is_file);
        let artifact = file.filter(|_| change.place == Place::Out);
        let artifact = artifact.map(|file| (change.path.clone(), file.size));
        if let Some((path, size)) = artifact
            .as_ref()
            .filter(|_| budget.entries == 0 || self.told >= MAX_CHANGES)
        {
            return self.left_behind.add(path, *size);
        }
        if self.told >= MAX_CHANGES {
            return self.note(format!(
                "more than {MAX_CHANGES} changes: the rest is left out"
            ));
        }
        self.told += 1;
        if file.is_some() {
            budget.entries = budget.entries.saturating_sub(1);
        }
        let mut content = None;
        if let Some(after) = change.after.as_ref().filter(|after| after.sha256.is_some()) {
            if after.size > budget.bytes {
                // One in `/out` is counted below.
                if artifact.is_none() {
                    self.notes_only(format!(
                        "the content of {:?} is left out: more than may be handed back",
                        change.path
                    ));
                }
            } else if let Ok(file) = reopen(folder, &change.path) {
                budget.bytes -= after.size;
                change.content = Some(after.size);
                content = Some((file, after.size));
            }
        }
        if let Some((path, size)) = artifact.filter(|_| content.is_none()) {
            self.left_behind.add(&path, size);
        }
        outer.send(&ToDaemon::Change(Box::new(change)));
        if let Some((file, size)) = content {
            self.send_content(file, size, outer);
        }
    }

    fn send_content(&mut self, mut file: impl Read, size: u64, outer: &mut Outer) {
        let mut left = size;
        while left > 0 && !outer.is_gone() {
            let room = self
                .buffer
                .len()
                .min(usize::try_from(left).unwrap_or(usize::MAX));
            match file.read(&mut self.buffer[..room]) {
                // Nothing is alive that could have shortened it; the daemon sees that bytes are missing.
                Ok(0) | Err(_) => return,
                Ok(count) => {
                    left -= count as u64;
                    outer.send(&ToDaemon::Content(self.buffer[..count].to_vec()));
                    outer.drain_below(HIGH_WATER, PATIENCE);
                }
            }
        }
    }

    fn walk(&mut self, root: &Folder, place: Place) -> Entries {
        self.at = place;
        let mut entries = Entries::new();
        let mut folders = vec![String::new()];
        while let Some(path) = folders.pop() {
            if let Err(error) = self.list(root, &path, place, &mut entries, &mut folders) {
                self.note(format!("the folder {path:?} cannot be read: {error}"));
            }
            if entries.len() >= MAX_ENTRIES || Instant::now() >= self.deadline {
                self.note(format!(
                    "{place:?} holds more than could be looked at: {MAX_ENTRIES} entries and {} s at most",
                    PATIENCE.as_secs()
                ));
                break;
            }
        }
        entries
    }

    fn list(
        &mut self,
        root: &Folder,
        above: &str,
        place: Place,
        entries: &mut Entries,
        folders: &mut Vec<String>,
    ) -> io::Result<()> {
        let folder = root.folder(above)?;
        let mut listing = Dir::from_fd(folder.try_clone()?)?;
        for item in listing.iter() {
            let item = item?;
            let name = item.file_name().to_bytes();
            if matches!(name, b"." | b"..") {
                continue;
            }
            if entries.len() >= MAX_ENTRIES {
                return Ok(());
            }
            let Ok(text) = std::str::from_utf8(name) else {
                self.note(format!(
                    "a name in {above:?} is not UTF-8: {:?}",
                    String::from_utf8_lossy(name)
                ));
                continue;
            };
            let path = if above.is_empty() {
                text.to_owned()
            } else {
                format!("{above}/{text}")
            };
            if let Err(error) = check_path(&path) {
                self.note(format!("something below {above:?} is left out: {error}"));
                continue;
            }
            let stat = beneath::look(&folder, name)?;
            let entry = self.entry(&folder, name, &stat);
            // Caches of libraries are no effect of the program's.
            if entry.kind == EntryType::Folder && !(place == Place::Home && path == ".cache") {
                folders.push(path.clone());
            }
            entries.insert(path, entry);
        }
        Ok(())
    }

    fn entry(&mut self, folder: impl std::os::fd::AsFd, name: &[u8], stat: &FileStat) -> Entry {
        let kind = kind_of(stat);
        let size = match kind {
            EntryType::File => u64::try_from(stat.st_size).unwrap_or(0),
            _ => 0,
        };
        let sha256 = (kind == EntryType::File)
            .then(|| self.hash(&folder, name, size))
            .flatten();
        let target = (kind == EntryType::Symlink)
            .then(|| nix::fcntl::readlinkat(&folder, name).ok())
            .flatten()
            .map(|target| {
                let text = target.to_string_lossy();
                text.chars().take(saferun_frames::MAX_PATH / 4).collect()
            });
        Entry {
            kind,
            mode: stat.st_mode & 0o7777,
            size,
            sha256,
            target,
        }
    }

    fn hash(&mut self, folder: impl std::os::fd::AsFd, name: &[u8], size: u64) -> Option<String> {
        if size > self.unread {
            self.note(format!(
                "{:?} is too large to be read",
                String::from_utf8_lossy(name)
            ));
            return None;
        }
        let mut file = beneath::read(folder, name).ok()?;
        let mut hash = Sha256::new();
        loop {
            match file.read(&mut self.buffer) {
                Ok(0) => return Some(hex(hash)),
                Ok(count) => {
                    hash.update(&self.buffer[..count]);
                    self.unread = self.unread.saturating_sub(count as u64);
                    if self.unread == 0 || Instant::now() >= self.deadline {
                        self.note("not every file could be read in the time for it".to_owned());
                        return None;
                    }
                }
                Err(_) => return None,
            }
        }
    }

    /// Says that something is missing.
    fn note(&mut self, text: String) {
        match self.at {
            Place::Out => self.left_behind.perhaps_more = true,
            Place::Workspace | Place::Home => self.complete = false,
        }
        self.notes_only(text);
    }

    fn notes_only(&mut self, mut text: String) {
        // Names are the program's: sixteen of the longest, escaped twice, would not fit into one frame.
        if let Some((end, _)) = text.char_indices().nth(MAX_NOTE) {
            text.truncate(end);
        }
        if self.notes.len() < MAX_NOTES && !self.notes.contains(&text) {
            self.notes.push(text);
        }
    }
}

fn reopen(folder: &Folder, path: &str) -> io::Result<std::fs::File> {
    let (above, name) = path.rsplit_once('/').unwrap_or(("", path));
    beneath::read(folder.folder(above)?, name.as_bytes())
}

fn kind_of(stat: &FileStat) -> EntryType {
    match SFlag::from_bits_truncate(stat.st_mode & SFlag::S_IFMT.bits()) {
        SFlag::S_IFREG => EntryType::File,
        SFlag::S_IFDIR => EntryType::Folder,
        SFlag::S_IFLNK => EntryType::Symlink,
        SFlag::S_IFIFO => EntryType::Fifo,
        SFlag::S_IFSOCK => EntryType::Socket,
        _ => EntryType::Device,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_time_does_not_suffice_for_is_said() {
        let dir = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(dir.path().join("sub")).expect("a folder");
        std::fs::write(dir.path().join("sub/file"), "x").expect("a file");
        let folder = Folder::open(dir.path()).expect("the folder");
        let mut collector = Collector::until(Instant::now());
        let entries = collector.walk(&folder, Place::Out);
        assert!(entries.contains_key("sub") && !entries.contains_key("sub/file"));
        // What is missing of one place says nothing of the others.
        assert!(collector.complete && collector.left_behind.perhaps_more);
        let entries = collector.walk(&folder, Place::Home);
        assert!(!collector.complete && !entries.contains_key("sub/file"));
        assert!(
            collector.notes[0].contains("5 s at most"),
            "{:?}",
            collector.notes
        );
    }
}
