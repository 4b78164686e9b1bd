//! The database file: its form, appending to it, closing what a killed daemon left open. Owned by the writer thread.

use std::{
    cell::RefCell,
    fs,
    io::{self, Read},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    time::Duration,
};

use flate2::{Compress, Compression, FlushCompress, Status, read::DeflateDecoder};
use rusqlite::{Connection, OpenFlags, OptionalExtension, TransactionBehavior, params};

use super::{
    AuditError, NewEvent,
    chain::{self, Event, GENESIS, next_key, tag},
    entry::{EndHead, Kind},
    form,
    head::{Head, HeadFile},
    herald::Herald,
    words,
};

/// Bytes in the write-ahead log at which it is brought into the database; SQLite's own limit is 1000 pages.
const CHECKPOINT: u64 = 4 << 20;
/// How long a commit waits for another process that holds the database.
pub(super) const BUSY: Duration = Duration::from_secs(2);
/// Most pages that are given back at once: 40 MB.
const VACUUMED: u32 = 10_000;
/// Bodies below this are not worth compressing.
const SMALL: usize = 256;
/// No body can be larger: what a run may print is bounded far below.
pub(super) const MAX_BODY: u64 = 1 << 30;

/// The open record.
pub(super) struct Store {
    pub(super) connection: Connection,
    path: PathBuf,
    /// Device and inode of the open file.
    identity: (u64, u64),
    file: HeadFile,
    herald: Herald,
    pub(super) head: Head,
    durable: bool,
    /// Bytes that have come into the write-ahead log, about, since its last checkpoint.
    logged: u64,
}

impl Store {
    /// Opens or makes it, brings its form up to date.
    pub(super) fn open(path: &Path, now_ms: i64, herald: Herald) -> Result<Self, AuditError> {
        let sqlite = |error: rusqlite::Error| AuditError::at(path, &error);
        let mut connection = connect(path, false).map_err(sqlite)?;
        connection
            .execute_batch("PRAGMA auto_vacuum=INCREMENTAL; PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA wal_autocheckpoint=0;")
            .map_err(sqlite)?;
        form::migrate(&mut connection, path)?;
        let head_path = path.with_extension("head");
        let file = HeadFile::open(&head_path).map_err(|error| AuditError::Unusable {
            path: head_path.display().to_string(),
            reason: error.to_string(),
        })?;
        let identity = identity(path).map_err(|error| AuditError::Unusable {
            path: path.display().to_string(),
            reason: error.to_string(),
        })?;
        let mut store = Self {
            connection,
            path: path.to_owned(),
            identity,
            file,
            herald,
            head: Head::EMPTY,
            durable: false,
            // What an earlier daemon left there is not known.
            logged: CHECKPOINT,
        };
        store.find_head(now_ms).map_err(sqlite)?;
        Ok(store)
    }

    /// Where the chain stands, by the database and by the head file. Where they differ, it is written down.
    fn find_head(&mut self, now_ms: i64) -> rusqlite::Result<()> {
        let last: Option<(u64, Vec<u8>)> = self
            .connection
            .query_row(
                "SELECT seq, hash FROM events ORDER BY seq DESC LIMIT 1",
                [],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .optional()?;
        let (seq, link) = last.unwrap_or((0, GENESIS.to_vec()));
        let told = self.file.read();
        let mut head = Head {
            seq,
            link: link.try_into().unwrap_or(GENESIS),
            seal: told.and_then(|told| told.seal),
        };
        let fault = match told {
            None if seq > 0 => Some("the file with the last link was missing or unreadable; a seal, if there was one, ends here".to_owned()),
            Some(told) if told.seq > seq => Some(format!(
                "the record ended at event {seq}, but event {} had been written: the events between were removed, or lost with the machine's power",
                told.seq
            )),
            Some(told) => {
                // Killed between a commit and the writing of the head: catch up.
                if let Some((from, key)) = &mut head.seal {
                    for _ in told.seq.max(*from - 1)..seq {
                        *key = next_key(key);
                    }
                }
                let then: Option<Vec<u8>> = self
                    .connection
                    .query_row("SELECT hash FROM events WHERE seq=?1", [told.seq], |row| row.get(0))
                    .optional()?;
                (told.seq > 0 && then.as_deref() != Some(&told.link[..]))
                    .then(|| format!("event {} is not the one that had been written", told.seq))
            }
            None => None,
        };
        self.head = head;
        if told.is_none() && seq == 0 {
            // Before the first event: killed between its commit and this, a file that was never there would look removed.
            self.file
                .write(&head, true)
                .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
            self.herald.begun();
        }
        if let Some(fault) = fault {
            tracing::error!(%fault, "the audit record was changed from outside");
            self.append(&[NewEvent::system(Kind::Fault, now_ms, &fault)])?;
        }
        Ok(())
    }

    /// Closes runs that an earlier daemon left open. To be called before the first run of this one.
    pub(super) fn close_interrupted(&mut self, now_ms: i64) -> rusqlite::Result<()> {
        let open: Vec<(String, u32)> = self
            .connection
            .prepare(
                "SELECT run, uid FROM events s WHERE kind=?1 AND NOT EXISTS
                 (SELECT 1 FROM events e WHERE e.run=s.run AND e.run<>'' AND e.kind=?2)",
            )?
            .query_map([Kind::Start.number(), Kind::End.number()], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })?
            .collect::<Result<_, _>>()?;
        let ends: Vec<NewEvent> = open
            .into_iter()
            .map(|(run, uid)| EndHead::interrupted().event(run, uid, now_ms, Vec::new()))
            .collect();
        self.append(&ends)
    }

    /// Whether its path leads to another file now, or to none: SQLite goes on writing where nobody looks.
    pub(super) fn is_elsewhere(&self) -> bool {
        identity(&self.path).ok() != Some(self.identity)
    }

    /// Lets go of a file that is elsewhere, as a whole: what is in the log comes into it, so that the log is not taken
    /// for that of the file which stands in its place.
    pub(super) fn leave(self) {
        let whole = "PRAGMA wal_checkpoint(TRUNCATE);";
        if let Err(error) = self.connection.execute_batch(whole) {
            tracing::warn!(%error, "the last entries stay in the log of the record that was moved");
        }
    }

    /// Whether the start of this run is in it, and no end.
    pub(super) fn awaits(&self, run: &str) -> rusqlite::Result<bool> {
        let last: Option<i64> = self
            .connection
            .prepare_cached("SELECT max(kind) FROM events WHERE run=?1 AND run<>''")?
            .query_row([run], |row| row.get(0))?;
        Ok(last == Some(Kind::Start.number()))
    }

    /// Appends all or none, in this order.
    pub(super) fn append(&mut self, events: &[NewEvent]) -> rusqlite::Result<()> {
        if events.is_empty() {
            return Ok(());
        }
        let durable = events.iter().any(|event| event.durable);
        if durable != self.durable {
            self.connection.pragma_update(
                None,
                "synchronous",
                if durable { "FULL" } else { "NORMAL" },
            )?;
            self.durable = durable;
        }
        let mut head = self.head;
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        for event in events {
            insert(&transaction, &mut head, event)?;
        }
        transaction.commit()?;
        self.logged += events.iter().map(room).sum::<u64>();
        self.head = head;
        if let Err(error) = self.file.write(&head, durable) {
            tracing::warn!(%error, "the last link of the audit record could not be written beside it");
        }
        self.herald.tell(&head);
        Ok(())
    }

    /// Tells the system journal where the chain stands, however lately it was told.
    pub(super) fn tell_now(&mut self) {
        self.herald.tell_now(&self.head);
    }

    /// Brings the write-ahead log into the database when it has grown. To be called when nobody waits: it waits for the
    /// disk twice.
    pub(super) fn checkpoint(&mut self) -> rusqlite::Result<()> {
        if self.logged < CHECKPOINT {
            return Ok(());
        }
        self.logged = 0;
        self.connection
            .execute_batch("PRAGMA wal_checkpoint(PASSIVE);")
    }

    /// Begins a seal with the event after the one that says so.
    pub(super) fn seal(&mut self, key: chain::Hash, now_ms: i64) -> rusqlite::Result<u64> {
        let from = self.head.seq + 2;
        self.append(&[NewEvent::system(Kind::Seal, now_ms, &from.to_string())])?;
        self.head.seal = Some((from, key));
        self.file
            .write(&self.head, true)
            .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
        Ok(from)
    }

    /// Drops the oldest bodies until the rest is young and small enough; an event says up to where. What is young
    /// ends it, not what is old: an event whose time a wrong clock put into the past takes none before it along, and
    /// one from the future keeps none.
    pub(super) fn retain(
        &mut self,
        older_than_ms: i64,
        bytes: u64,
        now_ms: i64,
    ) -> rusqlite::Result<u64> {
        let by_age: u64 = self.connection.query_row(
            "SELECT coalesce(
                 (SELECT min(seq) - 1 FROM events WHERE at_ms >= ?1 AND at_ms <= ?2),
                 (SELECT max(seq) FROM events WHERE at_ms < ?1), 0)",
            [older_than_ms, now_ms],
            |row| row.get(0),
        )?;
        let by_size: u64 = self.connection.query_row(
            "SELECT coalesce(max(seq), 0) FROM
             (SELECT seq, sum(length(data)) OVER (ORDER BY seq DESC, name) AS room FROM bodies) WHERE room > ?1",
            [i64::try_from(bytes).unwrap_or(i64::MAX)],
            |row| row.get(0),
        )?;
        let up_to = by_age.max(by_size);
        let count: u64 = self.connection.query_row(
            "SELECT count(*) FROM bodies WHERE seq <= ?1",
            [up_to],
            |row| row.get(0),
        )?;
        if count == 0 {
            self.give_room_back()?;
            return Ok(0);
        }
        // The event comes first: killed between the two, bodies stay that may go, never the other way.
        self.append(&[NewEvent::system(
            Kind::Retention,
            now_ms,
            &up_to.to_string(),
        )])?;
        self.connection
            .execute("DELETE FROM bodies WHERE seq <= ?1", [up_to])?;
        self.give_room_back()?;
        Ok(count)
    }

    /// Gives free pages back to the file system, so many at a time that no run waits long; the rest goes next time.
    fn give_room_back(&self) -> rusqlite::Result<()> {
        let free: u64 = self
            .connection
            .pragma_query_value(None, "freelist_count", |row| row.get(0))?;
        if free == 0 {
            return Ok(());
        }
        // A row comes for each page, and the page goes when the row is asked for.
        let mut vacuum = self
            .connection
            .prepare(&format!("PRAGMA incremental_vacuum({VACUUMED})"))?;
        let mut rows = vacuum.query([])?;
        while rows.next()?.is_some() {}
        drop(rows);
        drop(vacuum);
        self.connection
            .execute_batch("PRAGMA wal_checkpoint(PASSIVE);")
    }

    /// The error for a failure of SQLite here.
    pub(super) fn error(&self, error: &rusqlite::Error) -> AuditError {
        AuditError::at(&self.path, error)
    }
}

fn identity(path: &Path) -> io::Result<(u64, u64)> {
    let about = fs::metadata(path)?;
    Ok((about.dev(), about.ino()))
}

/// What an event takes in the write-ahead log at most: the pages of five trees, and its texts unpacked.
pub(super) fn room(event: &NewEvent) -> u64 {
    let bodies = event.bodies.iter().map(|(_, bytes)| bytes.len() as u64);
    9 * 4096 + event.head.len() as u64 + bodies.sum::<u64>()
}

fn insert(connection: &Connection, head: &mut Head, event: &NewEvent) -> rusqlite::Result<()> {
    let row = Event {
        seq: head.seq + 1,
        kind: event.kind.number(),
        at_ms: event.at_ms,
        uid: event.uid,
        run: &event.run,
        head: &event.head,
    };
    let link = chain::link(&head.link, &row);
    let mut sealed = None;
    if let Some((from, key)) = &mut head.seal
        && row.seq >= *from
    {
        sealed = Some(tag(key, &link));
        *key = next_key(key);
    }
    connection
        .prepare_cached("INSERT INTO events VALUES(?1,?2,?3,?4,?5,?6,?7,?8)")?
        .execute(params![
            row.seq, row.run, row.uid, row.kind, row.at_ms, row.head, link, sealed
        ])?;
    for (name, bytes) in &event.bodies {
        let packed = (bytes.len() >= SMALL).then(|| deflate(bytes));
        connection
            .prepare_cached("INSERT INTO bodies VALUES(?1,?2,?3,?4)")?
            .execute(params![
                row.seq,
                name,
                packed.is_some(),
                packed.as_ref().unwrap_or(bytes)
            ])?;
    }
    words::add(connection, row.seq, row.kind, row.run, row.head)?;
    head.seq = row.seq;
    head.link = link;
    Ok(())
}

thread_local! {
    /// Its tables take 300 KB: made anew for each body they would cost more than the packing.
    static PACKER: RefCell<Compress> = RefCell::new(Compress::new(Compression::fast(), false));
}

pub(super) fn deflate(bytes: &[u8]) -> Vec<u8> {
    PACKER.with_borrow_mut(|packer| {
        packer.reset();
        let mut packed = Vec::with_capacity(bytes.len() / 2 + 64);
        loop {
            // It reads what its caller has, so what it has taken always fits a usize.
            let taken = usize::try_from(packer.total_in()).unwrap_or(bytes.len());
            match packer.compress_vec(&bytes[taken..], &mut packed, FlushCompress::Finish) {
                Ok(Status::StreamEnd) => return packed,
                Ok(_) => packed.reserve(bytes.len() / 8 + 1024),
                // No error is left to it: it has room, and compressing refuses no input.
                Err(_) => return Vec::new(),
            }
        }
    })
}

/// A body as it was given.
pub(super) fn unpack(deflated: bool, data: Vec<u8>) -> io::Result<Vec<u8>> {
    if !deflated {
        return Ok(data);
    }
    let mut bytes = Vec::new();
    DeflateDecoder::new(&data[..])
        .take(MAX_BODY)
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// A connection for writing, or one for a reader.
pub(super) fn connect(path: &Path, read_only: bool) -> rusqlite::Result<Connection> {
    let flags = if read_only {
        OpenFlags::SQLITE_OPEN_READ_ONLY
    } else {
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE
    };
    let connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(BUSY)?;
    Ok(connection)
}
