//! The thread that owns the connection which writes: takes commands in turn, puts appends that come together into one
//! commit, and looks before each whether the record still stands at its path and has room.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};

use saferun_protocol::Sealed;
use tokio::sync::{mpsc, oneshot, watch};

use super::{
    AuditError, NewEvent, chain,
    entry::Kind,
    herald::Herald,
    late::Late,
    now_ms,
    room::{self, Promise, Promises},
    store::{self, Store},
};
use crate::clock::Clock;

/// Commands that wait for the writer.
const QUEUE: usize = 256;
/// Appends that share a commit.
const BATCH: usize = 64;

/// What the writer is asked.
pub(super) enum Command {
    Append(Waiting),
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
    /// Write the ends that wait.
    CatchUp,
}

/// An event and who waits for it.
pub(super) struct Waiting {
    pub(super) event: Box<NewEvent>,
    pub(super) reply: oneshot::Sender<Result<Promise, AuditError>>,
}

impl Waiting {
    fn is_start(&self) -> bool {
        self.event.kind == Kind::Start
    }
}

struct Writer {
    store: Option<Store>,
    path: PathBuf,
    journal: Option<PathBuf>,
    problem: Arc<Mutex<Option<AuditError>>>,
    promises: Promises,
    late: Late,
    /// Whether the record was found to be elsewhere, and no run was told yet.
    untold: bool,
    /// Whether runs of an earlier daemon were closed: from then on an open one is of this daemon.
    closed: bool,
    clock: Clock,
}

/// Opens the record, if it can be, and starts the thread.
///
/// # Errors
/// There is no thread to be had.
pub(super) fn start(
    path: PathBuf,
    journal: Option<PathBuf>,
    problem: Arc<Mutex<Option<AuditError>>>,
    late: watch::Sender<usize>,
) -> std::io::Result<mpsc::Sender<Command>> {
    let (commands, inbox) = mpsc::channel(QUEUE);
    let mut writer = Writer {
        store: None,
        path,
        journal,
        problem,
        promises: Promises::default(),
        late: Late::new(late),
        untold: false,
        closed: false,
        clock: Clock::start(),
    };
    // Before the first run is accepted, so that no run of this daemon is taken for an interrupted one.
    let _ = writer.store();
    thread::Builder::new()
        .name("audit".to_owned())
        .spawn(move || writer.serve(inbox))?;
    Ok(commands)
}

impl Writer {
    fn serve(mut self, mut inbox: mpsc::Receiver<Command>) {
        let mut held = None;
        while let Some(command) = held.take().or_else(|| inbox.blocking_recv()) {
            match command {
                Command::Append(first) => {
                    let mut batch = vec![first];
                    while batch.len() < BATCH && held.is_none() {
                        match inbox.try_recv() {
                            Ok(Command::Append(next)) => batch.push(next),
                            Ok(other) => held = Some(other),
                            Err(_) => break,
                        }
                    }
                    self.append(batch);
                }
                Command::Seal { reply } => {
                    let _ = reply.send(self.seal());
                }
                Command::CatchUp => self.catch_up(),
                Command::Head { reply } => {
                    self.catch_up();
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

    /// Appends what can be, and answers everybody.
    fn append(&mut self, mut batch: Vec<Waiting>) {
        // Whoever waited too long for a start was told that it is not recorded, and did not run or runs unrecorded: one
        // that came now would stand there as a run under way.
        batch.retain(|waiting| !waiting.is_start() || !waiting.reply.is_closed());
        if let Err(error) = self.usable() {
            for Waiting { event, reply } in batch {
                self.late.keep(*event);
                let _ = reply.send(Err(error.clone()));
            }
            return;
        }
        let (mut events, mut replies, mut refused) = (Vec::new(), Vec::new(), Vec::new());
        let (mut starts, mut problem, mut coming) = (false, None, 0_u64);
        let mut written = false;
        for waiting in batch {
            let bytes = store::room(&waiting.event);
            match self.admit(&waiting.event, coming.saturating_add(bytes)) {
                Ok(promise) => {
                    coming = coming.saturating_add(bytes);
                    starts |= waiting.is_start();
                    events.push(*waiting.event);
                    replies.push((waiting.reply, promise));
                }
                Err(error) => {
                    if waiting.is_start() {
                        problem = Some(error.clone());
                    }
                    refused.push((waiting, error));
                }
            }
        }
        if !events.is_empty() {
            let result = self.with(|store| store.append(&events));
            written = result.is_ok();
            // An end that was written says nothing of the room for a start.
            if result.is_ok() && (starts || !self.lacks_room()) {
                self.note(None);
            }
            if result.is_err() {
                for event in events {
                    self.late.keep(event);
                }
            }
            for (reply, promise) in replies {
                let _ = reply.send(result.clone().map(|()| promise));
            }
        }
        if problem.is_some() {
            self.note(problem);
        }
        for (Waiting { event, reply }, error) in refused {
            if !matches!(error, AuditError::Elsewhere { .. }) {
                self.late.keep(*event);
            }
            let _ = reply.send(Err(error));
        }
        if written {
            self.catch_up();
        }
        // Not through `with`: a record that was taken away meanwhile is told to the next run.
        if let Some(Err(error)) = self.store.as_mut().map(Store::checkpoint) {
            tracing::warn!(%error, "the write-ahead log of the record stays as it is");
        }
    }

    /// Writes the ends that could not be written when they came, oldest first, until one cannot be now either. Who waits
    /// for the writer is not kept by it: a record that is locked is left for the next time.
    fn catch_up(&mut self) {
        if self.late.is_empty() || self.store().is_err() {
            return;
        }
        if let Some(store) = &self.store {
            let _ = store.connection.busy_timeout(Duration::ZERO);
        }
        let mut caught = 0_u64;
        while let (Some(store), Some(event)) = (self.store.as_mut(), self.late.first()) {
            let written = store.awaits(&event.run).and_then(|awaited| {
                if awaited {
                    store.append(std::slice::from_ref(event))?;
                } else {
                    // Another record than the one that it began in, or an end that was written after all.
                    tracing::warn!(run = %event.run, "its end has no place in the record");
                }
                Ok(())
            });
            if let Err(error) = written {
                tracing::warn!(error = %store.error(&error), "ends of runs still wait to be recorded");
                break;
            }
            caught += 1;
            self.late.done();
        }
        if let Some(store) = &self.store {
            let _ = store.connection.busy_timeout(store::BUSY);
        }
        if caught > 0 && self.late.is_empty() && !self.lacks_room() {
            self.note(None);
        }
    }

    /// Whether there is a record to append to: whoever comes first after it was taken away is told.
    fn usable(&mut self) -> Result<(), AuditError> {
        let opened = self.store().map(drop);
        if std::mem::take(&mut self.untold) {
            return Err(AuditError::Replaced {
                path: self.path.display().to_string(),
            });
        }
        opened
    }

    /// Whether an event may be appended: a start where its end has room beside the bytes that come now, an end where its
    /// start is.
    fn admit(&mut self, event: &NewEvent, coming: u64) -> Result<Promise, AuditError> {
        match event.kind {
            Kind::Start => {
                let left = room::left(&self.path).map_err(|error| AuditError::Unusable {
                    path: self.path.display().to_string(),
                    reason: format!("the room on its disk is not known: {error}"),
                })?;
                // Ends that wait gave their promise back.
                let coming = coming.saturating_add(self.late.bytes());
                let given = self.promises.give(event.end_room, coming, left);
                given.map_err(|needed| AuditError::NoRoom {
                    path: self.path.display().to_string(),
                    left: left / 1024,
                    needed: needed.div_ceil(1024),
                })
            }
            Kind::End if !self.with(|store| store.awaits(&event.run))? => {
                Err(AuditError::Elsewhere {
                    path: self.path.display().to_string(),
                })
            }
            _ => Ok(Promise::default()),
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
        if !self.lacks_room() {
            self.note(None);
        }
        Ok(Sealed {
            key: chain::hex(&key),
            from,
        })
    }

    /// The store; opened again if it could not be before. One whose file is elsewhere is let go, and whoever asks now is
    /// told: what it wrote would be read by nobody.
    fn store(&mut self) -> Result<&mut Store, AuditError> {
        if let Some(store) = self.store.take_if(|store| store.is_elsewhere()) {
            store.leave();
            let error = AuditError::Replaced {
                path: self.path.display().to_string(),
            };
            self.note(Some(error.clone()));
            self.untold = true;
            return Err(error);
        }
        if self.store.is_none() {
            match self.open() {
                Ok(store) => self.store = Some(store),
                Err(error) => {
                    self.note(Some(error.clone()));
                    return Err(error);
                }
            }
            self.closed = true;
        }
        self.store.as_mut().ok_or(AuditError::Slow)
    }

    fn open(&self) -> Result<Store, AuditError> {
        let herald = Herald::new(self.journal.clone(), &self.path);
        let mut store = Store::open(&self.path, now_ms(), herald)?;
        if !self.closed {
            let closed = store.close_interrupted(now_ms());
            closed.map_err(|error| store.error(&error))?;
        }
        Ok(store)
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

    fn lacks_room(&self) -> bool {
        let problem = self.problem.lock();
        let problem = problem.unwrap_or_else(PoisonError::into_inner);
        matches!(*problem, Some(AuditError::NoRoom { .. }))
    }

    fn note(&self, error: Option<AuditError>) {
        if let Some(error) = &error {
            tracing::error!(%error, "audit");
        }
        *self.problem.lock().unwrap_or_else(PoisonError::into_inner) = error;
    }
}
