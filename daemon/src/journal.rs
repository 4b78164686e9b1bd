//! The journal: which containers this installation has, on disk before the engine hears of them, so
//! that a daemon killed at any moment can be cleaned up after. One connection, on a thread of its own.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::Duration,
};

use rusqlite::{Connection, OptionalExtension, params};
use saferun_protocol::Cleanup;
use tokio::{
    sync::{mpsc, oneshot},
    time::timeout,
};

use crate::engine::Leftover;

/// Changes to the tables raise this; an older daemon refuses a newer journal.
const SCHEMA: i64 = 1;
/// Receipts that are kept, the newest; 60 bytes each.
const MAX_RECEIPTS: i64 = 100_000;
/// How long the journal's thread may be busy before a caller is told so. One change takes well under a millisecond;
/// a file that another program holds locked is waited for 5 s, and several callers may wait one after the other.
const PATIENCE: Duration = Duration::from_secs(15);

/// The journal cannot be read or written.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum JournalError {
    /// SQLite says no.
    #[error("the journal {path} cannot be used: {reason}")]
    Sqlite {
        /// The file.
        path: String,
        /// What SQLite said.
        reason: String,
    },
    /// Written by a later version.
    #[error(
        "the journal {path} was written by a later SafeRun (schema {found}, known {SCHEMA}): use that version"
    )]
    Newer {
        /// The file.
        path: String,
        /// Its schema.
        found: i64,
    },
    /// Its thread is gone.
    #[error("the journal is closed")]
    Closed,
    /// The disk, or another program that holds the file.
    #[error("the journal was not written within {} s: look at the disk of the state folder", PATIENCE.as_secs())]
    Slow,
}

enum Command {
    Record {
        name: String,
        reply: oneshot::Sender<Result<(), JournalError>>,
    },
    SetId {
        name: String,
        id: String,
        reply: oneshot::Sender<Result<(), JournalError>>,
    },
    Lend {
        name: String,
        run: String,
        reply: oneshot::Sender<Result<(), JournalError>>,
    },
    Forget {
        name: String,
        seen: Cleanup,
        reply: oneshot::Sender<Result<(), JournalError>>,
    },
    Receipt {
        run: String,
        reply: oneshot::Sender<Result<Option<Cleanup>, JournalError>>,
    },
    Leftovers {
        reply: oneshot::Sender<Result<Vec<Leftover>, JournalError>>,
    },
}

/// A handle to the journal's thread.
#[derive(Debug, Clone)]
pub(crate) struct Journal {
    commands: mpsc::Sender<Command>,
    instance: String,
    /// Containers whose removal has failed so far.
    stuck: Arc<AtomicU32>,
    patience: Duration,
}

impl Journal {
    /// Opens or makes the file and starts the thread.
    pub(crate) fn open(path: &Path) -> Result<Self, JournalError> {
        let (connection, instance) = prepare(path)?;
        let (commands, mut inbox) = mpsc::channel(64);
        let file = path.display().to_string();
        let serve = move || {
            while let Some(command) = inbox.blocking_recv() {
                answer(&connection, &file, command);
            }
        };
        thread::Builder::new()
            .name("journal".to_owned())
            .spawn(serve)
            .map_err(|error| JournalError::Sqlite {
                path: path.display().to_string(),
                reason: error.to_string(),
            })?;
        Ok(Self {
            commands,
            instance,
            stuck: Arc::default(),
            patience: PATIENCE,
        })
    }

    /// The random id of this installation's state.
    pub(crate) fn instance(&self) -> &str {
        &self.instance
    }

    /// Writes down a container before it is created.
    pub(crate) async fn record(&self, name: &str) -> Result<(), JournalError> {
        let name = name.to_owned();
        self.ask(|reply| Command::Record { name, reply }).await
    }

    /// Adds the engine's id.
    pub(crate) async fn set_id(&self, name: &str, id: &str) -> Result<(), JournalError> {
        let (name, id) = (name.to_owned(), id.to_owned());
        self.ask(|reply| Command::SetId { name, id, reply }).await
    }

    /// This run is the one that the container serves. Returns when the journal has it in its queue, so that it is
    /// written before the container can be forgotten; the run need not wait for the disk. Killed in between, the
    /// daemon has no receipt for the run, which then counts as [`Cleanup::Unverified`]; so does one that did not get into
    /// the queue within the journal's patience.
    pub(crate) async fn lend(&self, name: &str, run: &str) -> Lent {
        let (name, run) = (name.to_owned(), run.to_owned());
        let (reply, answer) = oneshot::channel();
        let sent = self.commands.send(Command::Lend { name, run, reply });
        let queued = match timeout(self.patience, sent).await {
            Ok(Ok(())) => Ok(answer),
            Ok(Err(_)) => Err(JournalError::Closed),
            Err(_) => Err(JournalError::Slow),
        };
        Lent {
            queued,
            patience: self.patience,
        }
    }

    /// The container is gone for certain, by what was `seen`: the receipt of the run that it served.
    pub(crate) async fn forget(&self, name: &str, seen: Cleanup) -> Result<(), JournalError> {
        let name = name.to_owned();
        self.ask(|reply| Command::Forget { name, seen, reply })
            .await
    }

    /// What is known of the cleaning up after a run; `None` if no container is known to have served it.
    pub(crate) async fn receipt(&self, run: &str) -> Result<Option<Cleanup>, JournalError> {
        let run = run.to_owned();
        self.ask(|reply| Command::Receipt { run, reply }).await
    }

    /// A removal has failed for the first time; it is tried again until [`Journal::unstuck`].
    pub(crate) fn is_stuck(&self) {
        self.stuck.fetch_add(1, Ordering::Relaxed);
    }

    /// It has succeeded after all.
    pub(crate) fn unstuck(&self) {
        self.stuck.fetch_sub(1, Ordering::Relaxed);
    }

    /// Containers that could not be removed so far.
    pub(crate) fn stuck(&self) -> u32 {
        self.stuck.load(Ordering::Relaxed)
    }

    /// All that is written down.
    pub(crate) async fn leftovers(&self) -> Result<Vec<Leftover>, JournalError> {
        self.ask(|reply| Command::Leftovers { reply }).await
    }

    async fn ask<T>(
        &self,
        command: impl FnOnce(oneshot::Sender<Result<T, JournalError>>) -> Command,
    ) -> Result<T, JournalError> {
        let (reply, answer) = oneshot::channel();
        let asked = async {
            let sent = self.commands.send(command(reply)).await;
            sent.map_err(|_| JournalError::Closed)?;
            answer.await.map_err(|_| JournalError::Closed)?
        };
        timeout(self.patience, asked)
            .await
            .unwrap_or(Err(JournalError::Slow))
    }
}

/// A note of [`Journal::lend`] on its way to the disk.
#[must_use = "whether it was written is known later"]
pub(crate) struct Lent {
    queued: Result<oneshot::Receiver<Result<(), JournalError>>, JournalError>,
    patience: Duration,
}

impl Lent {
    /// Waits until it is written, no longer than the journal's patience.
    pub(crate) async fn written(self) -> Result<(), JournalError> {
        match timeout(self.patience, self.queued?).await {
            Ok(answer) => answer.map_err(|_| JournalError::Closed)?,
            Err(_) => Err(JournalError::Slow),
        }
    }
}

fn prepare(path: &Path) -> Result<(Connection, String), JournalError> {
    let name = path.display().to_string();
    let fail = |error: rusqlite::Error| JournalError::Sqlite {
        path: name.clone(),
        reason: error.to_string(),
    };
    let connection = Connection::open(path).map_err(fail)?;
    connection
        .busy_timeout(Duration::from_secs(5))
        .map_err(fail)?;
    connection
        .pragma_update(None, "journal_mode", "WAL")
        .map_err(fail)?;
    connection
        .pragma_update(None, "synchronous", "NORMAL")
        .map_err(fail)?;
    let found: i64 = connection
        .query_row("PRAGMA user_version", [], |row| row.get(0))
        .map_err(fail)?;
    if found > SCHEMA {
        return Err(JournalError::Newer { path: name, found });
    }
    connection
        .execute_batch(
            "BEGIN IMMEDIATE;
             CREATE TABLE IF NOT EXISTS containers (name TEXT PRIMARY KEY, id TEXT) STRICT;
             CREATE TABLE IF NOT EXISTS lent (name TEXT PRIMARY KEY, run TEXT NOT NULL) STRICT;
             CREATE TABLE IF NOT EXISTS receipts (run TEXT PRIMARY KEY, seen TEXT NOT NULL) STRICT;
             CREATE TABLE IF NOT EXISTS installation (instance TEXT NOT NULL) STRICT;
             PRAGMA user_version = 1;
             COMMIT;",
        )
        .map_err(fail)?;
    let known: Option<String> = connection
        .query_row("SELECT instance FROM installation", [], |row| row.get(0))
        .optional()
        .map_err(fail)?;
    let instance = if let Some(instance) = known {
        instance
    } else {
        let fresh = uuid::Uuid::now_v7().simple().to_string();
        connection
            .execute(
                "INSERT INTO installation (instance) VALUES (?1)",
                params![fresh],
            )
            .map_err(fail)?;
        fresh
    };
    Ok((connection, instance))
}

fn answer(connection: &Connection, path: &str, command: Command) {
    let fail = |error: rusqlite::Error| JournalError::Sqlite {
        path: path.to_owned(),
        reason: error.to_string(),
    };
    // A reply that nobody waits for any more is no fault: the write stands all the same.
    match command {
        Command::Record { name, reply } => {
            let done = connection.execute(
                "INSERT OR REPLACE INTO containers (name) VALUES (?1)",
                params![name],
            );
            let _ = reply.send(done.map(drop).map_err(fail));
        }
        Command::SetId { name, id, reply } => {
            let done = connection.execute(
                "UPDATE containers SET id = ?2 WHERE name = ?1",
                params![name, id],
            );
            let _ = reply.send(done.map(drop).map_err(fail));
        }
        Command::Lend { name, run, reply } => {
            let done = connection.execute(
                "INSERT OR REPLACE INTO lent (name, run) VALUES (?1, ?2)",
                params![name, run],
            );
            let _ = reply.send(done.map(drop).map_err(fail));
        }
        Command::Forget { name, seen, reply } => {
            let _ = reply.send(forget(connection, &name, seen).map_err(fail));
        }
        Command::Receipt { run, reply } => {
            let _ = reply.send(receipt(connection, &run).map_err(fail));
        }
        Command::Leftovers { reply } => {
            let _ = reply.send(leftovers(connection).map_err(fail));
        }
    }
}

fn forget(connection: &Connection, name: &str, seen: Cleanup) -> rusqlite::Result<()> {
    let whole = connection.unchecked_transaction()?;
    whole.execute(
        "INSERT OR REPLACE INTO receipts (run, seen) SELECT run, ?2 FROM lent WHERE name = ?1",
        params![name, seen.name()],
    )?;
    whole.execute("DELETE FROM lent WHERE name = ?1", params![name])?;
    whole.execute("DELETE FROM containers WHERE name = ?1", params![name])?;
    whole.execute(
        "DELETE FROM receipts WHERE rowid <= (SELECT max(rowid) FROM receipts) - ?1",
        params![MAX_RECEIPTS],
    )?;
    whole.commit()
}

fn receipt(connection: &Connection, run: &str) -> rusqlite::Result<Option<Cleanup>> {
    // A container that is still there goes before the receipt of an earlier one.
    let seen: Option<String> = connection
        .query_row(
            "SELECT '' FROM lent WHERE run = ?1 UNION ALL SELECT seen FROM receipts WHERE run = ?1 LIMIT 1",
            params![run],
            |row| row.get(0),
        )
        .optional()?;
    Ok(seen.map(|seen| Cleanup::from_name(&seen).unwrap_or(Cleanup::Unverified)))
}

fn leftovers(connection: &Connection) -> rusqlite::Result<Vec<Leftover>> {
    let mut statement = connection.prepare("SELECT name, id FROM containers ORDER BY name")?;
    let rows = statement.query_map([], |row| {
        Ok(Leftover {
            name: row.get(0)?,
            id: row.get(1)?,
        })
    })?;
    rows.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_was_recorded_survives_a_reopening() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("journal.sqlite");
        let journal = Journal::open(&file).unwrap();
        let instance = journal.instance().to_owned();
        journal.record("a").await.unwrap();
        journal.record("b").await.unwrap();
        journal.set_id("b", "id-of-b").await.unwrap();
        journal.forget("a", Cleanup::Verified).await.unwrap();
        drop(journal);
        let journal = Journal::open(&file).unwrap();
        assert_eq!(journal.instance(), instance);
        let left = journal.leftovers().await.unwrap();
        assert_eq!(
            left,
            [Leftover {
                name: "b".into(),
                id: Some("id-of-b".into())
            }]
        );
    }

    #[tokio::test]
    async fn a_run_has_a_receipt_once_its_container_is_gone_and_none_before() {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::open(&folder.path().join("journal.sqlite")).unwrap();
        journal.record("a").await.unwrap();
        journal.lend("a", "run-1").await.written().await.unwrap();
        let receipt = async |run: &str| journal.receipt(run).await.unwrap();
        assert_eq!(receipt("run-1").await, Some(Cleanup::Unverified));
        journal.forget("a", Cleanup::Verified).await.unwrap();
        assert_eq!(receipt("run-1").await, Some(Cleanup::Verified));
        assert_eq!(receipt("another").await, None);
        assert_eq!(journal.leftovers().await.unwrap(), []);
    }

    #[tokio::test]
    async fn a_journal_that_does_not_get_on_holds_no_run_up_for_good() {
        let (commands, mut inbox) = mpsc::channel(1);
        let journal = Journal {
            commands,
            instance: String::new(),
            stuck: Arc::default(),
            patience: Duration::from_millis(5),
        };
        // The first is in the queue and is not written, the second does not get in.
        let first = journal.lend("a", "run-1").await;
        let second = journal.lend("b", "run-2").await;
        for lent in [first, second] {
            assert!(matches!(lent.written().await, Err(JournalError::Slow)));
        }
        inbox.close();
        let closed = journal.lend("c", "run-3").await;
        assert!(matches!(closed.written().await, Err(JournalError::Closed)));
    }

    #[test]
    fn a_newer_journal_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("journal.sqlite");
        drop(Journal::open(&file).unwrap());
        Connection::open(&file)
            .unwrap()
            .pragma_update(None, "user_version", 99)
            .unwrap();
        assert!(matches!(
            Journal::open(&file),
            Err(JournalError::Newer { found: 99, .. })
        ));
    }

    #[test]
    fn garbage_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("journal.sqlite");
        std::fs::write(&file, "not a database, whatever its name says".repeat(100)).unwrap();
        assert!(matches!(
            Journal::open(&file),
            Err(JournalError::Sqlite { .. })
        ));
    }
}
