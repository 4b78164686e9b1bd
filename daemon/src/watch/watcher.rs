//! The kernel's watches of one root, a folder at a time, because the kernel knows neither what is ignored nor what a
//! limit means to us. Asks for changes alone: what others open and read wakes nobody.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use nix::{
    errno::Errno,
    libc,
    sys::inotify::{AddWatchFlags, InitFlags, Inotify, InotifyEvent, WatchDescriptor},
};
use tokio::{runtime::Handle, task::AbortHandle};

use super::{
    beneath::{self, Found},
    inbox::{Inbox, Touch},
    rules,
};
use crate::inotify::Events;

/// A file is whole.
const COMPLETE: AddWatchFlags = AddWatchFlags::IN_CLOSE_WRITE.union(AddWatchFlags::IN_MOVED_TO);

/// A name came or went, or the folder itself did.
const STRUCTURE: AddWatchFlags = AddWatchFlags::IN_CREATE
    .union(AddWatchFlags::IN_DELETE)
    .union(AddWatchFlags::IN_MOVED_FROM)
    .union(AddWatchFlags::IN_MOVED_TO)
    .union(AddWatchFlags::IN_DELETE_SELF)
    .union(AddWatchFlags::IN_MOVE_SELF);

/// Nothing of a file that has no name any more.
const NAMED: AddWatchFlags = AddWatchFlags::from_bits_retain(libc::IN_EXCL_UNLINK);

/// What is asked of the kernel for each folder. Never `IN_OPEN`, `IN_ACCESS` or `IN_CLOSE_NOWRITE`: a reader, ourselves
/// among them, would wake us.
const ASKED: AddWatchFlags = COMPLETE
    .union(STRUCTURE)
    .union(AddWatchFlags::IN_MODIFY)
    .union(AddWatchFlags::IN_ATTRIB)
    .union(AddWatchFlags::IN_ONLYDIR)
    .union(NAMED);

/// What is asked for a file with several names: who writes to it by a name elsewhere is told of to no folder of ours.
const ASKED_OF_LINKED: AddWatchFlags =
    AddWatchFlags::IN_CLOSE_WRITE.union(AddWatchFlags::IN_MODIFY);

/// What is asked for the folders above a root: that they are moved moves the root, of which nobody else tells.
const ASKED_ABOVE: AddWatchFlags = AddWatchFlags::IN_MOVE_SELF.union(AddWatchFlags::IN_ONLYDIR);

/// Most files with several names that are followed in one root.
const MAX_LINKED: usize = 16_384;

/// Why the kernel does not tell of changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Limit {
    /// `fs.inotify.max_user_watches` is reached.
    Watches,
    /// `fs.inotify.max_user_instances` is reached.
    Instances,
    /// Of what others do in this file system no kernel tells: why.
    Network(String),
    /// Something else.
    Other(String),
}

impl Limit {
    /// What happened, for a person.
    pub(super) fn reason(&self) -> String {
        match self {
            Self::Watches => {
                "the kernel's limit on watched folders (fs.inotify.max_user_watches) is reached"
                    .to_owned()
            }
            Self::Instances => {
                "the kernel's limit on watchers (fs.inotify.max_user_instances) is reached"
                    .to_owned()
            }
            Self::Network(reason) => reason.clone(),
            Self::Other(reason) => format!("the kernel does not tell of changes: {reason}"),
        }
    }

    /// What to do about it.
    pub(super) fn advice(&self) -> &'static str {
        match self {
            Self::Watches => {
                "changes are looked for at intervals meanwhile; raise it: sudo sysctl fs.inotify.max_user_watches=524288"
            }
            Self::Instances => {
                "changes are looked for at intervals meanwhile; raise it: sudo sysctl fs.inotify.max_user_instances=512"
            }
            Self::Network(_) | Self::Other(_) => "changes are looked for at intervals meanwhile",
        }
    }

    fn of(errno: Errno) -> Self {
        match errno {
            Errno::ENOSPC => Self::Watches,
            // The limit of instances, or of this process's descriptors.
            Errno::EMFILE => Self::Instances,
            _ => Self::Other(errno.desc().to_lowercase()),
        }
    }
}

/// The watches of one root.
pub(super) struct Watcher {
    inotify: Arc<Inotify>,
    watches: Arc<Mutex<Watches>>,
    reader: AbortHandle,
}

/// Which folder each watch is of, or which files.
#[derive(Debug, Default)]
struct Watches {
    names: HashMap<WatchDescriptor, PathBuf>,
    folders: BTreeMap<PathBuf, WatchDescriptor>,
    /// Names of one and the same file.
    linked: HashMap<WatchDescriptor, BTreeSet<PathBuf>>,
    files: BTreeMap<PathBuf, WatchDescriptor>,
}

impl Watcher {
    /// A watcher whose events go to this inbox.
    pub(super) fn new(inbox: &Arc<Inbox>, runtime: &Handle) -> Result<Self, Limit> {
        let inotify = Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK);
        let inotify = Arc::new(inotify.map_err(Limit::of)?);
        let watches = Arc::new(Mutex::default());
        let events = {
            let _within = runtime.enter();
            Events::of(Arc::clone(&inotify))
        };
        let events = events.map_err(|error| Limit::Other(error.to_string()))?;
        let reading = read(events, Arc::clone(&watches), Arc::clone(inbox));
        Ok(Self {
            inotify,
            watches,
            reader: runtime.spawn(reading).abort_handle(),
        })
    }

    /// Watches a folder, by its descriptor: whatever its name leads to by now, nothing else is watched. A name that
    /// belonged to another folder before belongs to this one from now on. Returns false where nobody can look into it.
    pub(super) fn add(&mut self, path: &Path, folder: &Found) -> Result<bool, Limit> {
        // With the lock, so that no event comes of a watch whose name is not known yet.
        let mut watches = lock(&self.watches);
        let magic = folder.magic();
        let watch = match self.inotify.add_watch(magic.as_str(), ASKED) {
            Ok(watch) => watch,
            // Or it went in this moment. The folder above tells when that changes.
            Err(Errno::EACCES | Errno::ENOENT | Errno::ENOTDIR) => return Ok(false),
            Err(errno) => return Err(Limit::of(errno)),
        };
        let older = watches.folders.insert(path.to_owned(), watch);
        if let Some(older) = older.filter(|older| *older != watch) {
            watches.names.remove(&older);
            // Fails if the kernel has dropped it already.
            let _ = self.inotify.rm_watch(older);
        }
        // A folder that moved keeps its watch, under its new name.
        if let Some(before) = watches.names.insert(watch, path.to_owned())
            && before != path
            && watches.folders.get(&before) == Some(&watch)
        {
            watches.folders.remove(&before);
        }
        Ok(true)
    }

    /// Watches the folders above a root for being moved away, with the root in them. Those that cannot be watched are not.
    pub(super) fn add_above(&mut self, root: &Path) {
        let mut watches = lock(&self.watches);
        for above in root.ancestors().skip(1) {
            if let Ok(folder) = beneath::root(above)
                && let Ok(watch) = self.inotify.add_watch(folder.magic().as_str(), ASKED_ABOVE)
            {
                watches.names.insert(watch, root.to_owned());
            }
        }
    }

    /// Watches a file that has other names. Returns false if it was watched by this name already.
    pub(super) fn add_file(&mut self, path: &Path, file: &Found) -> Result<bool, Limit> {
        let mut watches = lock(&self.watches);
        if watches.files.len() >= MAX_LINKED && !watches.files.contains_key(path) {
            return Err(Limit::Other(format!(
                "more than {MAX_LINKED} files have another name elsewhere"
            )));
        }
        let watch = match self
            .inotify
            .add_watch(file.magic().as_str(), ASKED_OF_LINKED)
        {
            Ok(watch) => watch,
            // Who may not read it, scans nothing of it either.
            Err(Errno::EACCES | Errno::ENOENT) => return Ok(false),
            Err(errno) => return Err(Limit::of(errno)),
        };
        if watches.files.get(path) == Some(&watch) {
            return Ok(false);
        }
        self.leave_file(&mut watches, path);
        watches.files.insert(path.to_owned(), watch);
        watches
            .linked
            .entry(watch)
            .or_default()
            .insert(path.to_owned());
        Ok(true)
    }

    /// Leaves a file that had other names.
    pub(super) fn remove_file(&mut self, path: &Path) {
        let mut watches = lock(&self.watches);
        self.leave_file(&mut watches, path);
    }

    fn leave_file(&self, watches: &mut Watches, path: &Path) {
        let Some(watch) = watches.files.remove(path) else {
            return;
        };
        let others = watches.linked.get_mut(&watch);
        let others = others.is_some_and(|names| names.remove(path) && !names.is_empty());
        if !others {
            watches.linked.remove(&watch);
            let _ = self.inotify.rm_watch(watch);
        }
    }

    /// Whether a folder is watched.
    pub(super) fn has(&self, folder: &Path) -> bool {
        lock(&self.watches).folders.contains_key(folder)
    }

    /// Leaves a folder and all under it.
    pub(super) fn remove(&mut self, folder: &Path) {
        let mut watches = lock(&self.watches);
        let under: Vec<PathBuf> = watches
            .folders
            .range(folder.to_owned()..)
            .take_while(|(path, _)| path.starts_with(folder))
            .map(|(path, _)| path.clone())
            .collect();
        for path in under {
            if let Some(watch) = watches.folders.remove(&path) {
                watches.names.remove(&watch);
                let _ = self.inotify.rm_watch(watch);
            }
        }
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

fn lock(watches: &Mutex<Watches>) -> MutexGuard<'_, Watches> {
    watches.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn read(events: Events, watches: Arc<Mutex<Watches>>, inbox: Arc<Inbox>) {
    loop {
        match events.next().await {
            Ok(events) => {
                let mut watches = lock(&watches);
                for event in events {
                    watches.hear(&event, &inbox);
                }
            }
            Err(error) => {
                tracing::debug!(%error, "inotify cannot be read");
                return inbox.lost("the kernel's events cannot be read");
            }
        }
    }
}

impl Watches {
    fn hear(&mut self, event: &InotifyEvent, inbox: &Inbox) {
        if event.mask.contains(AddWatchFlags::IN_Q_OVERFLOW) {
            return inbox.lost("the kernel's event queue overflowed");
        }
        if let Some(files) = self.linked.get(&event.wd) {
            let touch = Touch {
                complete: event.mask.intersects(COMPLETE),
                ..Touch::default()
            };
            for file in files.clone() {
                inbox.touch(file, touch);
            }
            if event.mask.contains(AddWatchFlags::IN_IGNORED) {
                self.linked.remove(&event.wd);
                self.files.retain(|_, watch| *watch != event.wd);
            }
            return;
        }
        let Some(folder) = self.names.get(&event.wd) else {
            return;
        };
        if event.mask.contains(AddWatchFlags::IN_IGNORED) {
            // The kernel dropped it.
            let folder = folder.clone();
            self.names.remove(&event.wd);
            if self.folders.get(&folder) == Some(&event.wd) {
                self.folders.remove(&folder);
            }
            return;
        }
        let path = match &event.name {
            Some(name) if !matters(event, Path::new(name)) => return,
            Some(name) => folder.join(name),
            None => folder.clone(),
        };
        let touch = Touch {
            complete: event.mask.intersects(COMPLETE),
            structure: event
                .mask
                .intersects(STRUCTURE.union(AddWatchFlags::IN_UNMOUNT)),
            again: false,
        };
        inbox.touch(path, touch);
    }
}

/// Whether what happened to a name can change what is said: what is neither scanned, nor a folder, nor says what is
/// ignored or that git's HEAD moved, is nobody's business here.
fn matters(event: &InotifyEvent, name: &Path) -> bool {
    event.mask.contains(AddWatchFlags::IN_ISDIR)
        || rules::is_scanned(name)
        || name.as_os_str() == "HEAD"
        || name.as_os_str() == "tables.list"
        || rules::says_what_is_ignored(name.as_os_str())
}

#[cfg(test)]
mod tests {
    use std::{fs, time::Duration};

    use super::*;
    use crate::watch::{beneath, inbox::Taken};

    /// A folder with its watcher.
    struct Watched {
        _top: tempfile::TempDir,
        path: PathBuf,
        inbox: Arc<Inbox>,
        watcher: Watcher,
    }

    fn watched() -> Watched {
        let top = tempfile::tempdir().unwrap();
        let path = top.path().canonicalize().unwrap();
        let inbox = Arc::new(Inbox::default());
        let watcher = Watcher::new(&inbox, &Handle::current()).unwrap();
        let mut held = Watched {
            _top: top,
            path: path.clone(),
            inbox,
            watcher,
        };
        held.add(&path);
        held
    }

    impl Watched {
        fn add(&mut self, path: &Path) {
            let found = beneath::root(path).unwrap();
            assert_eq!(self.watcher.add(path, &found), Ok(true));
        }

        /// What is told until a file of this name was written and closed.
        async fn until(&self, name: &str) -> Taken {
            let last = self.path.join(name);
            fs::write(&last, "").unwrap();
            let mut all = Taken::default();
            let deadline = std::time::Instant::now() + Duration::from_secs(20);
            while !all.touched.get(&last).is_some_and(|touch| touch.complete) {
                assert!(std::time::Instant::now() < deadline, "{all:?}");
                tokio::time::sleep(Duration::from_millis(2)).await;
                let taken = self.inbox.take(Some(std::time::Instant::now()));
                for (path, touch) in taken.touched {
                    let known = all.touched.entry(path).or_default();
                    known.complete |= touch.complete;
                    known.structure |= touch.structure;
                }
            }
            all.touched.remove(&last);
            all
        }
    }

    #[tokio::test]
    async fn who_opens_and_reads_or_writes_other_files_is_not_heard() {
        let watched = watched();
        let file = watched.path.join("a.py");
        fs::write(&file, "x = 1\n").unwrap();
        watched.until("first.py").await;
        for _ in 0..1_000 {
            assert_eq!(fs::read(&file).unwrap().len(), 6);
            assert!(fs::read_dir(&watched.path).unwrap().count() > 0);
        }
        fs::write(watched.path.join("a.log"), "words").unwrap();
        let heard = watched.until("last.py").await;
        assert!(heard.touched.is_empty(), "{heard:?}");
    }

    #[tokio::test]
    async fn writing_closing_moving_and_removing_are_told_apart() {
        let watched = watched();
        let (a, b) = (watched.path.join("a.py"), watched.path.join("b.py"));
        let open = fs::File::create(&a).unwrap();
        let heard = watched.until("1.py").await;
        assert!(heard.touched[&a].structure && !heard.touched[&a].complete);
        drop(open);
        let heard = watched.until("2.py").await;
        assert!(heard.touched[&a].complete && !heard.touched[&a].structure);
        fs::rename(&a, &b).unwrap();
        let heard = watched.until("3.py").await;
        assert!(heard.touched[&a].structure && !heard.touched[&a].complete);
        assert!(heard.touched[&b].structure && heard.touched[&b].complete);
        fs::remove_file(&b).unwrap();
        let heard = watched.until("4.py").await;
        assert!(heard.touched[&b].structure && !heard.touched[&b].complete);
        fs::write(watched.path.join(".gitignore"), "x").unwrap();
        let heard = watched.until("5.py").await;
        assert!(heard.touched.contains_key(&watched.path.join(".gitignore")));
    }

    #[tokio::test]
    async fn a_folder_that_moved_is_heard_by_its_new_name_and_one_that_is_left_is_not() {
        let mut watched = watched();
        let (old, new) = (watched.path.join("old"), watched.path.join("new"));
        fs::create_dir(&old).unwrap();
        watched.add(&old);
        fs::rename(&old, &new).unwrap();
        watched.add(&new);
        // In whichever order the two names are looked at.
        watched.watcher.remove(&old);
        fs::write(new.join("a.py"), "").unwrap();
        let heard = watched.until("1.py").await;
        assert!(heard.touched[&new.join("a.py")].complete, "{heard:?}");
        watched.watcher.remove(&new);
        assert!(!watched.watcher.has(&new));
        fs::write(new.join("b.py"), "").unwrap();
        let heard = watched.until("2.py").await;
        assert!(!heard.touched.contains_key(&new.join("b.py")), "{heard:?}");
    }

    #[tokio::test]
    async fn a_folder_that_is_removed_and_made_again_is_watched_again() {
        let mut watched = watched();
        let folder = watched.path.join("folder");
        for round in 0..3 {
            fs::create_dir(&folder).unwrap();
            watched.add(&folder);
            fs::write(folder.join("a.py"), "").unwrap();
            let heard = watched.until(&format!("{round}.py")).await;
            assert!(heard.touched[&folder.join("a.py")].complete, "{heard:?}");
            fs::remove_dir_all(&folder).unwrap();
            let heard = watched.until(&format!("{round}-gone.py")).await;
            assert!(heard.touched[&folder].structure, "{heard:?}");
            assert!(!watched.watcher.has(&folder), "the kernel dropped it");
        }
    }
}
