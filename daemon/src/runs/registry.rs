//! Which runs wait or are under way, and how to reach them. The lock is held for look-ups only.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use saferun_protocol::{ClientKind, RunInfo};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::transcript::Transcript;

/// Who asks: the peer's uid as the kernel says, and what the client says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Caller {
    /// From `SO_PEERCRED`.
    pub(crate) uid: u32,
    /// Declared.
    pub(crate) client: ClientKind,
}

/// A piece of standard input on its way to the program.
#[derive(Debug)]
pub(crate) struct StdinPiece {
    pub(crate) bytes: Vec<u8>,
    pub(crate) end: bool,
}

/// How a run under way is reached.
#[derive(Debug, Clone)]
pub(crate) struct RunHandle {
    pub(crate) caller: Caller,
    pub(crate) file_name: String,
    pub(crate) cancel: CancellationToken,
    pub(crate) stdin: mpsc::Sender<StdinPiece>,
    pub(crate) began: Instant,
    pub(crate) running: bool,
    pub(crate) transcript: Arc<Transcript>,
}

/// All runs that wait or are under way.
#[derive(Debug, Clone, Default)]
pub(crate) struct Registry {
    runs: Arc<Mutex<HashMap<String, RunHandle>>>,
}

/// Takes the run out of the registry when it ends, however it ends.
#[derive(Debug)]
pub(crate) struct Entry {
    registry: Registry,
    id: String,
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.registry.with(|runs| runs.remove(&self.id));
    }
}

impl Entry {
    /// The run has its container now.
    pub(crate) fn running(&self) {
        self.registry.with(|runs| {
            if let Some(run) = runs.get_mut(&self.id) {
                run.running = true;
            }
        });
    }
}

impl Registry {
    // A panic while the lock was held cannot leave the map half changed: each use is one operation.
    fn with<T>(&self, use_it: impl FnOnce(&mut HashMap<String, RunHandle>) -> T) -> T {
        use_it(&mut self.runs.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Adds a run.
    pub(crate) fn add(&self, id: &str, handle: RunHandle) -> Entry {
        self.with(|runs| runs.insert(id.to_owned(), handle));
        Entry {
            registry: self.clone(),
            id: id.to_owned(),
        }
    }

    /// A run of this uid; another's run is as unknown as none.
    pub(crate) fn find(&self, id: &str, uid: u32) -> Option<RunHandle> {
        self.with(|runs| runs.get(id).filter(|run| run.caller.uid == uid).cloned())
    }

    /// Ends all.
    pub(crate) fn cancel_all(&self) {
        self.with(|runs| runs.values().for_each(|run| run.cancel.cancel()));
    }

    /// How many run and how many wait.
    pub(crate) fn counts(&self) -> (u32, u32) {
        self.with(|runs| {
            let running = runs.values().filter(|run| run.running).count();
            let waiting = runs.len() - running;
            (
                u32::try_from(running).unwrap_or(u32::MAX),
                u32::try_from(waiting).unwrap_or(u32::MAX),
            )
        })
    }

    /// Those of one uid, oldest first.
    pub(crate) fn list(&self, uid: u32) -> Vec<RunInfo> {
        let mut list: Vec<_> = self.with(|runs| {
            runs.iter()
                .filter(|(_, run)| run.caller.uid == uid)
                .map(|(id, run)| {
                    let state = if run.running { "running" } else { "queued" };
                    let age = u64::try_from(run.began.elapsed().as_millis()).unwrap_or(u64::MAX);
                    RunInfo::new(
                        id.clone(),
                        run.file_name.clone(),
                        run.caller.client,
                        state.to_owned(),
                        age,
                    )
                })
                .collect()
        });
        list.sort_by(|left, right| left.id.cmp(&right.id));
        list
    }
}
