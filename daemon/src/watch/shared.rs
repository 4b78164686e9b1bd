//! What others than its thread see of a root, and what is owed about its files.

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
};

use saferun_protocol::{HostPath, WatchEvent, WatchRoot};
use tokio::sync::watch;

use super::{
    board::{Board, Subject},
    inbox::Inbox,
    root::Context,
    survey::MAX_FILES,
};

/// Files that landed, about which not all was done.
#[derive(Debug, Default)]
struct Owed {
    files: HashSet<PathBuf>,
    /// That there are too many was said.
    told: bool,
}

impl Owed {
    /// One more, where there is room. Returns false the first time that there is none.
    fn add(&mut self, file: &Path) -> bool {
        if self.files.len() < MAX_FILES {
            self.files.insert(file.to_owned());
            return true;
        }
        self.files.contains(file) || std::mem::replace(&mut self.told, true)
    }
}

/// What others see of a root.
pub(super) struct Shared {
    pub(super) path: PathBuf,
    pub(super) inbox: Arc<Inbox>,
    pub(super) bell: watch::Sender<u64>,
    pub(super) subscribers: AtomicU32,
    board: Mutex<Board>,
    context: Mutex<Arc<Context>>,
    status: Mutex<WatchRoot>,
    /// These are answered when they are written next.
    owed: Mutex<Owed>,
}

impl Shared {
    pub(super) fn new(path: PathBuf, context: Arc<Context>) -> Arc<Self> {
        let status = WatchRoot::new(HostPath::from(path.as_path()));
        Arc::new(Self {
            path,
            inbox: Arc::default(),
            bell: watch::channel(0).0,
            subscribers: AtomicU32::new(0),
            board: Mutex::default(),
            context: Mutex::new(context),
            status: Mutex::new(status),
            owed: Mutex::default(),
        })
    }

    fn owed(&self) -> MutexGuard<'_, Owed> {
        self.owed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Not all was done about a file that landed: the next time that it is looked at it lands again.
    pub(super) fn owe(&self, relative: &Path) {
        if !self.owed().add(relative) {
            self.notice(
                "about too many findings not all was done: some of them are not answered when they are written next",
                "look at them yourself; `watch.rate` in the policy says how often something is done",
            );
        }
    }

    /// Whether something is owed about a file; from now on it is not.
    pub(super) fn takes_owed(&self, relative: &Path) -> bool {
        self.owed().files.remove(relative)
    }

    pub(super) fn board(&self) -> MutexGuard<'_, Board> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The state of the policy that it is watched under.
    pub(super) fn context(&self) -> Arc<Context> {
        let context = self.context.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&context)
    }

    /// From now on under this state of the policy.
    pub(super) fn adopt(&self, context: Arc<Context>) {
        *self.context.lock().unwrap_or_else(PoisonError::into_inner) = context;
        self.inbox.policy_changed();
    }

    /// What its thread keeps up to date.
    pub(super) fn kept_status(&self) -> MutexGuard<'_, WatchRoot> {
        self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How the root is doing.
    pub(super) fn status(&self) -> WatchRoot {
        let mut status = self.kept_status().clone();
        status.subscribers = self.subscribers.load(Ordering::Relaxed);
        status
    }

    pub(super) fn put(&self, subject: Subject, item: WatchEvent) {
        let sequence = self.board().put(subject, item);
        self.bell.send_replace(sequence);
    }

    pub(super) fn notice(&self, message: impl Into<String>, advice: impl Into<String>) {
        let item = WatchEvent::Notice {
            root: HostPath::from(self.path.as_path()),
            message: message.into(),
            advice: advice.into(),
        };
        let sequence = self.board().notice(item);
        self.bell.send_replace(sequence);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_owed_is_bounded_and_that_it_is_full_is_told_once() {
        let mut owed = Owed::default();
        let name = |number: usize| PathBuf::from(number.to_string());
        for number in 0..MAX_FILES {
            assert!(owed.add(&name(number)));
        }
        assert!(owed.add(&name(0)), "it is there already");
        assert!(!owed.add(&name(MAX_FILES)));
        assert!(owed.add(&name(MAX_FILES)), "that was told");
        assert_eq!(owed.files.len(), MAX_FILES);
        owed.files.remove(&name(0));
        assert!(owed.add(&name(MAX_FILES)));
        assert!(owed.files.contains(&name(MAX_FILES)));
    }
}
