//! The record of all runs: two appended events for each, hash-chained, sealed on request. One thread owns the
//! connection that writes (`store`); readers have their own (`read`, `verify`). Knows no RPC and no engine.

mod alerts;
mod chain;
mod check;
mod entry;
mod form;
mod head;
mod held;
mod herald;
#[cfg(feature = "measure")]
pub mod measure;
mod offline;
mod order;
mod read;
mod record;
mod redact;
mod store;
mod verify;
mod words;

#[cfg(test)]
mod tests;

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};

use saferun_protocol::{HostPath, RecordHead, Sealed};
use tokio::sync::{mpsc, oneshot};

use crate::clock::Clock;
pub(crate) use alerts::Alerts;
use entry::{Kind, SystemHead};
pub(crate) use held::Held;
use herald::Herald;
pub use offline::{CopyCheck, RecordError, verify_copy};
pub(crate) use order::Piece;
pub(crate) use record::{Facts, Recorded, now_ms};
pub(crate) use redact::Secrets;
use store::Store;

/// Commands that wait for the writer.
const QUEUE: usize = 256;
/// Appends that share a commit.
const BATCH: usize = 64;
/// How long a run waits for its event to be written.
const PATIENCE: Duration = Duration::from_secs(5);

/// The record cannot be read or written.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum AuditError {
    /// No room.
    #[error("the disk of the audit record {path} is full: make room on it")]
    Full {
        /// The file.
        path: String,
    },
    /// Another program holds it.
    #[error(
        "another program holds the audit record {path} locked: end it (`fuser {path}` names it)"
    )]
    Locked {
        /// The file.
        path: String,
    },
    /// Its bytes are no sound database.
    #[error(
        "the audit record {path} is damaged ({reason}): keep it for whoever looks into it, and move it away with the files beside it to begin a new one"
    )]
    Damaged {
        /// The file.
        path: String,
        /// What SQLite said.
        reason: String,
    },
    /// Not readable, not writable.
    #[error("the audit record {path} cannot be used: {reason}")]
    Unusable {
        /// The file.
        path: String,
        /// What SQLite or the system said.
        reason: String,
    },
    /// Written by a later version.
    #[error(
        "the audit record {path} was written by a later SafeRun (schema {found}, known {}): use that version",
        form::SCHEMA
    )]
    Newer {
        /// The file.
        path: String,
        /// Its schema.
        found: i64,
    },
    /// A verification took too long.
    #[error(
        "the verification was not over within {} s; of a copy, `saferunctl history verify --database FILE --within TIME` may take longer",
        within.as_secs()
    )]
    Late {
        /// How long it was given.
        within: Duration,
    },
    /// The writer did not answer.
    #[error("the audit record was not written within {} s", PATIENCE.as_secs())]
    Slow,
}

impl AuditError {
    fn at(path: &Path, error: &rusqlite::Error) -> Self {
        use rusqlite::ErrorCode;
        let (path, reason) = (path.display().to_string(), error.to_string());
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full { path },
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Locked { path },
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                Self::Damaged { path, reason }
            }
            _ => Self::Unusable { path, reason },
        }
    }
}

/// An event to be appended.
#[derive(Debug, Clone)]
pub(crate) struct NewEvent {
    kind: Kind,
    run: String,
    uid: u32,
    at_ms: i64,
    head: String,
    bodies: Vec<(&'static str, Vec<u8>)>,
    durable: bool,
}

impl NewEvent {
    fn new(
        kind: Kind,
        run: String,
        uid: u32,
        at_ms: i64,
        head: &impl serde::Serialize,
        bodies: Vec<(&'static str, Vec<u8>)>,
    ) -> Self {
        Self {
            kind,
            run,
            uid,
            at_ms,
            // Our own types, with text for keys: this does not fail.
            head: serde_json::to_string(head).unwrap_or_default(),
            bodies,
            durable: false,
        }
    }

    fn system(kind: Kind, at_ms: i64, what: &str) -> Self {
        let uid = nix::unistd::geteuid().as_raw();
        let head = SystemHead {
            what: what.to_owned(),
        };
        Self::new(kind, String::new(), uid, at_ms, &head, Vec::new())
    }

    /// Whether it must survive a loss of power.
    pub(crate) const fn durable(mut self, durable: bool) -> Self {
        self.durable = durable;
        self
    }
}

enum Command {
    Append {
        event: Box<NewEvent>,
        reply: oneshot::Sender<Result<(), AuditError>>,
    },
    Seal {
        reply: oneshot::Sender<Result<Sealed, AuditError>>,
    },
    Retain {
        age: Duration,
        bytes: u64,
    },
    Head {
        reply: oneshot::Sender<Result<(u64, chain::Hash), AuditError>>,
    },
}

/// A handle to the record. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Audit {
    commands: mpsc::Sender<Command>,
    path: Arc<PathBuf>,
    problem: Arc<Mutex<Option<AuditError>>>,
}

impl Audit {
    /// Opens or makes the record. One that cannot be used is a problem of each run, by its policy, not of the start.
    ///
    /// `journal`: where the system journal listens, which is told of the last link now and then.
    pub(crate) fn open(path: PathBuf, journal: Option<PathBuf>) -> std::io::Result<Self> {
        let problem = Arc::new(Mutex::new(None));
        let (commands, inbox) = mpsc::channel(QUEUE);
        let mut writer = Writer {
            store: None,
            path: path.clone(),
            journal,
            problem: Arc::clone(&problem),
            clock: Clock::start(),
        };
        // Before the first run is accepted, so that no run of this daemon is taken for an interrupted one.
        let _ = writer.store();
        thread::Builder::new()
            .name("audit".to_owned())
            .spawn(move || writer.serve(inbox))?;
        Ok(Self {
            commands,
            path: Arc::new(path),
            problem,
        })
    }

    /// Appends an event; returns once it is committed.
    pub(crate) async fn append(&self, event: NewEvent) -> Result<(), AuditError> {
        let (reply, answer) = oneshot::channel();
        let event = Box::new(event);
        self.ask(Command::Append { event, reply }, answer).await
    }

    /// Begins a new seal.
    pub(crate) async fn seal(&self) -> Result<Sealed, AuditError> {
        let (reply, answer) = oneshot::channel();
        self.ask(Command::Seal { reply }, answer).await
    }

    /// Where the chain stands, for whoever keeps it elsewhere; the system journal is told as well.
    pub(crate) async fn head(&self) -> Result<RecordHead, AuditError> {
        let (reply, answer) = oneshot::channel();
        let (seq, link) = self.ask(Command::Head { reply }, answer).await?;
        let uid = nix::unistd::geteuid().as_raw();
        let file = HostPath::from(self.path.as_path());
        Ok(RecordHead::new(seq, chain::hex(&link), file, uid))
    }

    /// Drops bodies that are too old or too many. Returns at once.
    pub(crate) fn retain(&self, age: Duration, bytes: u64) {
        // The next round comes soon.
        let _ = self.commands.try_send(Command::Retain { age, bytes });
    }

    /// Why the last write failed, if it did.
    pub(crate) fn problem(&self) -> Option<AuditError> {
        self.problem
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    async fn ask<T>(
        &self,
        command: Command,
        answer: oneshot::Receiver<Result<T, AuditError>>,
    ) -> Result<T, AuditError> {
        let asked = async {
            self.commands.send(command).await.ok()?;
            answer.await.ok()
        };
        match tokio::time::timeout(PATIENCE, asked).await {
            Ok(Some(result)) => result,
            _ => Err(AuditError::Slow),
        }
    }
}

struct Writer {
    store: Option<Store>,
    path: PathBuf,
    journal: Option<PathBuf>,
    problem: Arc<Mutex<Option<AuditError>>>,
    clock: Clock,
}

impl Writer {
    fn serve(mut self, mut inbox: mpsc::Receiver<Command>) {
        let mut held = None;
        while let Some(command) = held.take().or_else(|| inbox.blocking_recv()) {
            match command {
                Command::Append { event, reply } => {
                    let (mut events, mut replies) = (Vec::new(), Vec::new());
                    let mut take =
                        |event: Box<NewEvent>, reply: oneshot::Sender<Result<(), AuditError>>| {
                            // Whoever waited too long for a start was told that it is not recorded, and did not run or
                            // runs unrecorded: one that came now would stand there as a run under way.
                            if event.kind != Kind::Start || !reply.is_closed() {
                                events.push(*event);
                                replies.push(reply);
                            }
                        };
                    take(event, reply);
                    for _ in 1..BATCH {
                        match inbox.try_recv() {
                            Ok(Command::Append { event, reply }) => take(event, reply),
                            Ok(other) => {
                                held = Some(other);
                                break;
                            }
                            Err(_) => break,
                        }
                    }
                    let result = self.with(|store| store.append(&events));
                    if result.is_ok() {
                        self.note(None);
                    }
                    for reply in replies {
                        let _ = reply.send(result.clone());
                    }
                    if let Err(error) = self.with(Store::checkpoint) {
                        tracing::warn!(%error, "the write-ahead log of the record stays as it is");
                    }
                }
                Command::Seal { reply } => {
                    let _ = reply.send(self.seal());
                }
                Command::Head { reply } => {
                    let _ = reply.send(self.with(|store| {
                        store.tell_now();
                        Ok((store.head.seq, store.head.link))
                    }));
                }
                Command::Retain { age, bytes } => {
                    // By the wall clock, a jump forward would make everything old at once.
                    let now = i64::try_from(self.clock.now()).unwrap_or(i64::MAX);
                    let age = i64::try_from(age.as_millis()).unwrap_or(i64::MAX);
                    match self.with(|store| store.retain(now.saturating_sub(age), bytes, now)) {
                        Ok(0) => {}
                        Ok(count) => tracing::info!(count, "dropped bodies of old records"),
                        Err(error) => tracing::warn!(%error, "old records could not be dropped"),
                    }
                }
            }
        }
    }

    fn seal(&mut self) -> Result<Sealed, AuditError> {
        let mut key = [0; 32];
        let random = std::fs::File::open("/dev/urandom")
            .and_then(|mut file| std::io::Read::read_exact(&mut file, &mut key));
        random.map_err(|error| AuditError::Unusable {
            path: "/dev/urandom".to_owned(),
            reason: error.to_string(),
        })?;
        let from = self.with(|store| store.seal(key, now_ms()))?;
        self.note(None);
        Ok(Sealed {
            key: chain::hex(&key),
            from,
        })
    }

    /// The store; opened again if it could not be before.
    fn store(&mut self) -> Result<&mut Store, AuditError> {
        if self.store.is_none() {
            let herald = Herald::new(self.journal.clone(), &self.path);
            match Store::open(&self.path, now_ms(), herald) {
                Ok(store) => self.store = Some(store),
                Err(error) => {
                    self.note(Some(error.clone()));
                    return Err(error);
                }
            }
        }
        self.store.as_mut().ok_or(AuditError::Slow)
    }

    /// Does something with the store. What goes wrong is noted; only an event that was written says that all is well
    /// again, for little else needs room.
    fn with<T>(
        &mut self,
        work: impl FnOnce(&mut Store) -> rusqlite::Result<T>,
    ) -> Result<T, AuditError> {
        let store = self.store()?;
        let result = work(store).map_err(|error| store.error(&error));
        if let Err(error) = &result {
            self.note(Some(error.clone()));
        }
        result
    }

    fn note(&self, error: Option<AuditError>) {
        if let Some(error) = &error {
            tracing::error!(%error, "audit");
        }
        *self.problem.lock().unwrap_or_else(PoisonError::into_inner) = error;
    }
}
