//! Says that a policy file may have changed. Watches the folders, because a file that is saved by a rename is another
//! file, and the nearest folder that exists where a folder does not. Asks the kernel for changes alone: what others open
//! and read in these folders must not wake the daemon. Reads no file.

use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use nix::{
    errno::Errno,
    libc,
    sys::inotify::{AddWatchFlags, InitFlags, Inotify, InotifyEvent, WatchDescriptor},
};

use crate::inotify::Events;

/// A folder is another one now, or none.
const REPLACED: AddWatchFlags = AddWatchFlags::IN_DELETE_SELF.union(AddWatchFlags::IN_MOVE_SELF);

/// A folder on the way to a file came, or may be entered now.
const CAME: AddWatchFlags = AddWatchFlags::IN_CREATE
    .union(AddWatchFlags::IN_MOVED_TO)
    .union(AddWatchFlags::IN_ATTRIB)
    .union(REPLACED);

/// A file, or its folder, is not what it was.
const CHANGED: AddWatchFlags = CAME
    .union(AddWatchFlags::IN_MODIFY)
    .union(AddWatchFlags::IN_CLOSE_WRITE)
    .union(AddWatchFlags::IN_MOVED_FROM)
    .union(AddWatchFlags::IN_DELETE);

/// What speaks of everything below a folder, whatever name it bears.
const WHOLE: AddWatchFlags = REPLACED
    .union(AddWatchFlags::IN_IGNORED)
    .union(AddWatchFlags::IN_UNMOUNT)
    .union(AddWatchFlags::IN_Q_OVERFLOW);

/// A second mask for one folder does not take the place of the first.
const ADDED: AddWatchFlags = AddWatchFlags::from_bits_retain(libc::IN_MASK_ADD);

/// Watches some files.
pub(super) struct Watcher {
    files: Vec<PathBuf>,
    inner: Option<Watches>,
    /// Trouble is said once, not at each try.
    told: bool,
    /// What the kernel delivered since the start.
    #[cfg(test)]
    delivered: usize,
}

/// The kernel's watches as they were set last.
struct Watches {
    events: Events,
    /// The names in each folder that lead to a file.
    names: BTreeMap<WatchDescriptor, Vec<OsString>>,
}

impl Watcher {
    /// A watch over these files, whether they exist or not. Deaf until it is armed.
    pub(super) const fn new(files: Vec<PathBuf>) -> Self {
        Self {
            files,
            inner: None,
            told: false,
            #[cfg(test)]
            delivered: 0,
        }
    }

    /// Watches the folders that matter now: folders come and go. What happened before is forgotten, so the files
    /// are to be read after this.
    pub(super) fn arm(&mut self) {
        self.inner = match Watches::over(&self.files) {
            Ok(watches) => Some(watches),
            Err(error) => {
                if !self.told {
                    tracing::warn!(%error, "policy files cannot be watched; they are read every few seconds");
                }
                self.told = true;
                None
            }
        };
    }

    /// Waits for a change; false if none can be heard of, at once.
    pub(super) async fn changed(&mut self) -> bool {
        let Some(watches) = &mut self.inner else {
            return false;
        };
        loop {
            let Ok(events) = watches.next().await else {
                return false;
            };
            #[cfg(test)]
            {
                self.delivered += events.len();
            }
            if events.iter().any(|event| watches.speaks_of_a_file(event)) {
                return true;
            }
        }
    }
}

impl Watches {
    fn over(files: &[PathBuf]) -> io::Result<Self> {
        let inotify = Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK)?;
        let mut names: BTreeMap<WatchDescriptor, Vec<OsString>> = BTreeMap::new();
        for file in files {
            for (folder, name, mask) in folders(file) {
                // Two paths may be one folder: what is asked for the one must not undo what is asked for the other.
                let mask = mask | AddWatchFlags::IN_ONLYDIR | ADDED;
                match inotify.add_watch(folder, mask) {
                    Ok(watch) => names.entry(watch).or_default().push(name.to_owned()),
                    // It went in this moment, or may not be read: what is above it tells of a change.
                    Err(Errno::ENOENT | Errno::ENOTDIR | Errno::EACCES) => {}
                    Err(error) => return Err(error.into()),
                }
            }
        }
        let events = Events::of(Arc::new(inotify))?;
        Ok(Self { events, names })
    }

    async fn next(&self) -> io::Result<Vec<InotifyEvent>> {
        self.events.next().await
    }

    /// An event without a name speaks of the folder itself.
    fn speaks_of_a_file(&self, event: &InotifyEvent) -> bool {
        let Some(name) = &event.name else { return true };
        let wanted = self.names.get(&event.wd);
        event.mask.intersects(WHOLE) || wanted.is_some_and(|wanted| wanted.contains(name))
    }
}

/// The folders above a file that exist, the name in each that leads to the file, and what is to be heard of it:
/// changes in the file's own folder, the coming of the next folder in the nearest one where that is missing, and of all
/// above only whether they are replaced.
fn folders(file: &Path) -> Vec<(&Path, &OsStr, AddWatchFlags)> {
    let mut found = Vec::new();
    let mut below = file;
    for folder in file.ancestors().skip(1) {
        if folder.is_dir() {
            let mask = match (found.is_empty(), below == file) {
                (true, true) => CHANGED,
                (true, false) => CAME,
                // A link to a folder is replaced without a word to the folder.
                (false, _) if below.is_symlink() => CHANGED,
                (false, _) => REPLACED,
            };
            found.push((folder, below.file_name().unwrap_or_default(), mask));
        }
        below = folder;
    }
    found
}

#[cfg(test)]
mod tests {
    use std::{fs, time::Duration};

    use super::*;

    async fn hears(watcher: &mut Watcher, what: &str) {
        let heard = tokio::time::timeout(Duration::from_secs(20), watcher.changed()).await;
        assert_eq!(heard, Ok(true), "{what}");
    }

    #[test]
    fn each_folder_is_asked_for_no_more_than_it_has_to_tell() {
        let top = tempfile::tempdir().unwrap();
        let file = top.path().join("a/b/policy.yaml");
        let found = folders(&file);
        assert_eq!(found[0], (top.path(), OsStr::new("a"), CAME));
        assert!(found[1..].iter().all(|(_, _, mask)| *mask == REPLACED));
        let (b, a) = (top.path().join("a/b"), top.path().join("a"));
        fs::create_dir_all(&b).unwrap();
        let found = folders(&file);
        assert_eq!(found[0], (b.as_path(), OsStr::new("policy.yaml"), CHANGED));
        assert_eq!(found[1], (a.as_path(), OsStr::new("b"), REPLACED));
        assert!(found[2..].iter().all(|(_, _, mask)| *mask == REPLACED));
    }

    #[tokio::test]
    async fn others_who_open_and_read_wake_nobody() {
        let top = tempfile::tempdir().unwrap();
        let (here, there) = (top.path().join("here"), top.path().join("there"));
        fs::create_dir_all(&here).unwrap();
        fs::create_dir_all(&there).unwrap();
        for folder in [&here, &there] {
            fs::write(folder.join("neighbour"), "words").unwrap();
        }
        // Of the one file the folder exists, of the other it does not: its parent is full of others' files.
        let file = here.join("policy.yaml");
        let mut watcher = Watcher::new(vec![file.clone(), there.join("saferun/policy.yaml")]);
        watcher.arm();
        for _ in 0..1000 {
            for folder in [&here, &there] {
                assert_eq!(fs::read(folder.join("neighbour")).unwrap(), b"words");
                assert!(fs::read_dir(folder).unwrap().count() > 0);
            }
            // Nor do they who write, where only the folder is waited for.
            fs::write(there.join("neighbour"), "words").unwrap();
        }
        fs::write(&file, "version: 1\n").unwrap();
        hears(&mut watcher, "it is written").await;
        // Made, written, closed.
        assert!(
            (1..=3).contains(&watcher.delivered),
            "{}",
            watcher.delivered
        );
    }

    #[tokio::test]
    async fn every_way_in_which_a_file_changes_is_heard() {
        let top = tempfile::tempdir().unwrap();
        let home = top.path().join("home");
        let folder = home.join("saferun");
        let file = folder.join("policy.yaml");
        fs::create_dir(&home).unwrap();
        let mut watcher = Watcher::new(vec![file.clone()]);
        let writes = |path: &Path| fs::write(path, "version: 1\n").unwrap();
        let moves = |from: &Path, to: &Path| fs::rename(from, to).unwrap();
        let elsewhere = top.path().join("elsewhere");
        let link = |to: &Path| std::os::unix::fs::symlink(to, &folder).unwrap();
        let steps: [(&str, &dyn Fn()); 11] = [
            ("its folder comes", &|| fs::create_dir(&folder).unwrap()),
            ("it comes", &|| writes(&file)),
            ("it is written in place", &|| writes(&file)),
            ("it is saved by a rename", &|| {
                writes(&folder.join(".new"));
                moves(&folder.join(".new"), &file);
            }),
            ("it goes", &|| fs::remove_file(&file).unwrap()),
            ("its folder goes away", &|| moves(&folder, &elsewhere)),
            ("a link to its folder comes", &|| link(&elsewhere)),
            ("the link goes", &|| fs::remove_file(&folder).unwrap()),
            ("its folder comes back", &|| moves(&elsewhere, &folder)),
            ("the folder above goes away", &|| moves(&home, &elsewhere)),
            ("the folder above comes back", &|| moves(&elsewhere, &home)),
        ];
        for (what, step) in steps {
            watcher.arm();
            step();
            hears(&mut watcher, what).await;
        }
    }

    #[tokio::test]
    async fn a_neighbour_that_changes_is_not_a_change() {
        let top = tempfile::tempdir().unwrap();
        let watches = Watches::over(&[top.path().join("policy.yaml")]).unwrap();
        let speaks = async || {
            let events = watches.next().await.unwrap();
            events.iter().any(|event| watches.speaks_of_a_file(event))
        };
        fs::write(top.path().join("policy.yaml.swp"), "x").unwrap();
        assert!(!speaks().await);
        fs::write(top.path().join("policy.yaml"), "x").unwrap();
        assert!(speaks().await);
    }
}
