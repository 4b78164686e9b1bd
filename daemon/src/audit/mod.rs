//! The record of all runs: two appended events for each, hash-chained, sealed on request. One thread owns the
//! connection that writes (`writer`, `store`); readers have their own (`read`, `verify`). Knows no RPC and no engine.

mod alerts;
mod chain;
mod check;
mod entry;
mod form;
mod head;
mod held;
mod herald;
mod late;
#[cfg(feature = "measure")]
pub mod measure;
mod offline;
mod order;
mod read;
mod record;
mod redact;
mod room;
mod store;
mod verify;
mod words;
mod writer;

#[cfg(test)]
mod tests;

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use saferun_protocol::{HostPath, RecordHead, Sealed};
use tokio::sync::{mpsc, oneshot, watch};

pub(crate) use alerts::Alerts;
use entry::{Kind, SystemHead};
pub(crate) use held::Held;
pub use offline::{CopyCheck, RecordError, verify_copy};
pub(crate) use order::Piece;
pub(crate) use record::{Facts, Recorded, now_ms};
pub(crate) use redact::Secrets;
pub(crate) use room::Promise;
use writer::{Command, Waiting};

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
    /// What is left is less than the end of a run may take.
    #[error(
        "the disk of the audit record {path} is too full: {left} KiB are left, and what this run and those under way record may take {needed} KiB; make room on it"
    )]
    NoRoom {
        /// The file.
        path: String,
        /// What is left, in KiB.
        left: u64,
        /// What may be needed, in KiB.
        needed: u64,
    },
    /// Another file, or none, stands at its path.
    #[error(
        "the audit record {path} was moved away, deleted or replaced while SafeRun had it open: put it back, or the next run goes into what stands there then"
    )]
    Replaced {
        /// The file.
        path: String,
    },
    /// An end without its start.
    #[error(
        "the start of this run is not in the audit record {path}, which is another than when it began: its end is not recorded"
    )]
    Elsewhere {
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
    /// What its end may take, of a start; in bytes.
    end_room: u64,
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
            end_room: 0,
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

    /// What the end of this start may take.
    const fn with_end_room(mut self, bytes: u64) -> Self {
        self.end_room = bytes;
        self
    }
}

/// A handle to the record. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Audit {
    commands: mpsc::Sender<Command>,
    path: Arc<PathBuf>,
    problem: Arc<Mutex<Option<AuditError>>>,
    /// Ends that wait to be written.
    late: watch::Sender<usize>,
}

impl Audit {
    /// Opens or makes the record. One that cannot be used is a problem of each run, by its policy, not of the start.
    ///
    /// `journal`: where the system journal listens, which is told of the last link now and then.
    pub(crate) fn open(path: PathBuf, journal: Option<PathBuf>) -> std::io::Result<Self> {
        let problem = Arc::new(Mutex::new(None));
        let late = watch::Sender::new(0);
        let commands = writer::start(path.clone(), journal, Arc::clone(&problem), late.clone())?;
        Ok(Self {
            commands,
            path: Arc::new(path),
            problem,
            late,
        })
    }

    /// Appends an event; returns once it is committed. Of a start, what comes back keeps room for its end.
    pub(crate) async fn append(&self, event: NewEvent) -> Result<Promise, AuditError> {
        let (reply, answer) = oneshot::channel();
        let event = Box::new(event);
        self.ask(Command::Append(Waiting { event, reply }), answer)
            .await
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

    /// How many ends of runs could not be written yet, and wait until they can.
    pub(crate) fn late(&self) -> usize {
        *self.late.borrow()
    }

    /// Returns once an end waits; until then nobody is woken.
    pub(crate) async fn end_waits(&self) {
        // The sender is held here: it cannot go away.
        let _ = self.late.subscribe().wait_for(|count| *count > 0).await;
    }

    /// Tries to write the ends that wait, if any do. Returns at once.
    pub(crate) fn catch_up(&self) {
        if self.late() > 0 {
            // A writer that has much to do tries by itself.
            let _ = self.commands.try_send(Command::CatchUp);
        }
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
