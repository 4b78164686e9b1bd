//! The kernel's watches of one root, a folder at a time: `notify` is told of each folder by itself,
//! because it knows neither what is ignored nor what a limit means to us.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::Arc,
};

use notify::{Config, ErrorKind, INotifyWatcher, RecursiveMode, Watcher as _};

use super::inbox::Inbox;

/// Why the kernel does not tell of changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Limit {
    /// `fs.inotify.max_user_watches` is reached.
    Watches,
    /// `fs.inotify.max_user_instances` is reached.
    Instances,
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
            Self::Other(_) => "changes are looked for at intervals meanwhile",
        }
    }
}

/// The watches of one root.
pub(super) struct Watcher {
    inner: INotifyWatcher,
    folders: BTreeSet<PathBuf>,
}

impl Watcher {
    /// A watcher whose events go to this inbox.
    pub(super) fn new(inbox: &Arc<Inbox>) -> Result<Self, Limit> {
        let inbox = Arc::clone(inbox);
        let inner = INotifyWatcher::new(
            move |event| inbox.event(event),
            Config::default().with_follow_symlinks(false),
        )
        .map_err(|error| limit(&error))?;
        Ok(Self {
            inner,
            folders: BTreeSet::new(),
        })
    }

    /// Watches a folder. One that is watched already is watched anew, because its watch may be that of
    /// an older folder of the same name.
    pub(super) fn add(&mut self, folder: &Path) -> Result<(), Limit> {
        if self.folders.remove(folder) {
            // Fails if the kernel has dropped it already.
            let _ = self.inner.unwatch(folder);
        }
        match self.inner.watch(folder, RecursiveMode::NonRecursive) {
            Ok(()) => {
                self.folders.insert(folder.to_owned());
                Ok(())
            }
            Err(error) if matches!(error.kind, ErrorKind::PathNotFound) => Ok(()),
            Err(error) => Err(limit(&error)),
        }
    }

    /// Whether a folder is watched.
    pub(super) fn has(&self, folder: &Path) -> bool {
        self.folders.contains(folder)
    }

    /// Leaves a folder and all under it.
    pub(super) fn remove(&mut self, folder: &Path) {
        let under: Vec<PathBuf> = self
            .folders
            .range(folder.to_owned()..)
            .take_while(|path| path.starts_with(folder))
            .cloned()
            .collect();
        for path in under {
            self.folders.remove(&path);
            let _ = self.inner.unwatch(&path);
        }
    }
}

fn limit(error: &notify::Error) -> Limit {
    match &error.kind {
        ErrorKind::MaxFilesWatch => Limit::Watches,
        // EMFILE: the limit of instances, or of this process's descriptors.
        ErrorKind::Io(io) if io.raw_os_error() == Some(libc::EMFILE) => Limit::Instances,
        _ => Limit::Other(error.to_string()),
    }
}
