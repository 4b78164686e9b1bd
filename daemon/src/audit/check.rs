//! The walk of a verification over all events: chain, seal, bodies, words, and links that were kept elsewhere. The file may
//! be hostile: nothing is held whole that is longer than what the daemon writes, and the walk has a deadline.

use std::{
    collections::{BTreeMap, HashMap},
    io::{self, Read},
    time::{Duration, Instant},
};

use flate2::read::DeflateDecoder;
use rusqlite::{Connection, MAIN_DB, OptionalExtension, Statement};
use saferun_protocol::DroppedBodies;
use sha2::{Digest, Sha256};

use super::{
    chain::{Event, Hash, Walk, hex},
    entry::{AnyHead, Kind},
    form,
    head::Head,
    store::MAX_BODY,
    verify::{Against, Progress},
    words,
};

/// Problems that are told.
const TOLD: usize = 100;
/// Longest text of one, in characters.
const LONGEST: usize = 300;
/// Longest head that is read, in bytes: the daemon's have at most some kilobytes.
const LONGEST_HEAD: u32 = 1 << 20;
/// Most of a body that is held at once, in bytes.
const PIECE: usize = 64 * 1024;
/// Longest body, in bytes as stored, that is read as a whole: to open one apart takes longer than to read it.
const SHORT: u32 = 1 << 20;
/// Most runs under way at once that are remembered: a daemon has far fewer.
const OPEN: usize = 10_000;
/// The first version of the record with words for searches; from it on a record without them was changed.
const WORDS_SINCE: i64 = 2;
/// The words of one event.
const SAID: &str = "SELECT text, start FROM words WHERE seq=?1 AND octet_length(text) <= 1048576";
/// Between two words about the progress.
const SPACING: Duration = Duration::from_millis(250);

/// Why there is no verdict.
#[derive(Debug)]
pub(super) enum Stop {
    /// The file cannot be read.
    Sqlite(rusqlite::Error),
    /// The time was over.
    Late,
}

impl From<rusqlite::Error> for Stop {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

/// What was found in the end.
pub(super) struct Found {
    pub(super) head: (u64, Hash),
    pub(super) first_ms: Option<i64>,
    pub(super) sealed_from: Option<u64>,
    pub(super) anchored_to: Option<u64>,
    pub(super) dropped: Option<DroppedBodies>,
    pub(super) problems: Vec<String>,
}

/// A verification under way.
pub(super) struct Check {
    walk: Walk,
    problems: Vec<String>,
    /// What the file beside the record says was the last event: the record may go on after it, where the daemon was
    /// killed or is at work, but must have gone through it.
    told: Option<Head>,
    keyed: bool,
    /// Whether the key kept beside the record was compared. Who has only that one can say of no earlier event that it
    /// was the last, so a place before the seal must not do.
    key_compared: bool,
    /// Links that were kept elsewhere and are still to come, the next one last.
    anchors: Vec<(u64, Hash)>,
    anchored_to: Option<u64>,
    /// Time of the first event.
    first_ms: Option<i64>,
    /// Which bodies may be gone, and how many are.
    dropped: Option<DroppedBodies>,
    sealed_from: Option<u64>,
    /// Runs whose end is still to come, with the number of their start.
    open: HashMap<String, u64>,
    until: Instant,
}

/// An event as the file has it; what is longer than any that the daemon writes is not read.
struct Row {
    seq: u64,
    kind: i64,
    at_ms: i64,
    uid: u32,
    run: Option<String>,
    head: Option<String>,
    hash: Option<Vec<u8>>,
    tag: Option<Vec<u8>>,
}

impl Check {
    pub(super) fn new(told: Option<Head>, against: Against, until: Instant) -> Self {
        let mut anchors = against.anchors;
        anchors.reverse();
        Self {
            keyed: against.key.is_some(),
            walk: Walk::new(against.key),
            problems: Vec::new(),
            told,
            key_compared: false,
            anchors,
            anchored_to: None,
            first_ms: None,
            dropped: None,
            sealed_from: None,
            open: HashMap::new(),
            until,
        }
    }

    fn tell(&mut self, mut problem: String) {
        if self.problems.len() < TOLD {
            // Names in a copy may be of any length.
            if let Some((end, _)) = problem.char_indices().nth(LONGEST) {
                problem.truncate(end);
            }
            self.problems.push(problem);
        }
    }

    /// Walks over all of it.
    pub(super) fn run(
        &mut self,
        connection: &Connection,
        progress: Progress<'_>,
    ) -> Result<(), Stop> {
        let seal: Option<u64> = connection.query_row(
            "SELECT max(seq) + 1 FROM events WHERE kind=?1",
            [Kind::Seal.number()],
            |row| row.get(0),
        )?;
        self.sealed_from = seal;
        if self.keyed && seal.is_none() {
            self.tell("no seal was ever begun, or its event was removed".to_owned());
        }
        self.dropped = dropped(connection)?;
        let all: u64 =
            connection.query_row("SELECT coalesce(max(seq), 0) FROM events", [], |row| {
                row.get(0)
            })?;
        let mut events = connection.prepare(&format!(
            "SELECT seq, kind, at_ms, uid, CASE WHEN octet_length(run) < 100 THEN run END,
             CASE WHEN octet_length(head) <= {LONGEST_HEAD} THEN head END,
             CASE WHEN octet_length(hash) <= 32 THEN hash END,
             CASE WHEN octet_length(tag) <= 32 THEN tag END FROM events ORDER BY seq"
        ))?;
        let mut bodies = Bodies::new(connection)?;
        let mut said = (form::version(connection)? >= WORDS_SINCE)
            .then(|| connection.prepare(SAID))
            .transpose()?;
        let (mut known, mut spoken) = (0_u64, 0_u64);
        let mut rows = events.query([])?;
        let mut told_at = Instant::now();
        while let Some(row) = rows.next()? {
            let row = Row {
                seq: row.get(0)?,
                kind: row.get(1)?,
                at_ms: row.get(2)?,
                uid: row.get(3)?,
                run: row.get(4)?,
                head: row.get(5)?,
                hash: row.get(6)?,
                tag: row.get(7)?,
            };
            if Instant::now() >= self.until {
                return Err(Stop::Late);
            }
            if told_at.elapsed() >= SPACING {
                told_at = Instant::now();
                progress(row.seq, all);
            }
            let Some(head) = self.event(&row) else {
                continue;
            };
            known += self.bodies(&mut bodies, row.seq, &head)?;
            if let Some(said) = &mut said {
                spoken += self.words(said, &row)?;
            }
        }
        self.strays(connection, known, said.is_some().then_some(spoken))?;
        Ok(())
    }

    /// The event itself: chain, seal, what is known of it elsewhere. Gives its head, if it can be read.
    fn event(&mut self, row: &Row) -> Option<AnyHead> {
        self.first_ms.get_or_insert(row.at_ms);
        if self.sealed_from == Some(row.seq) {
            self.walk.begin_seal();
        }
        let event = Event {
            seq: row.seq,
            kind: row.kind,
            at_ms: row.at_ms,
            uid: row.uid,
            run: row.run.as_deref().unwrap_or_default(),
            head: row.head.as_deref().unwrap_or_default(),
        };
        let hash = row.hash.as_deref().unwrap_or_default();
        if let Some(problem) = self.walk.take(&event, hash, row.tag.as_deref()) {
            self.tell(problem);
        }
        self.compare_with_told();
        self.compare_with_anchors();
        let head = serde_json::from_str::<AnyHead>(event.head).ok();
        match &head {
            None => self.tell(format!("event {} cannot be read", row.seq)),
            Some(head) if row.kind == Kind::Fault.number() => {
                self.tell(format!("event {}: {}", row.seq, head.what));
            }
            Some(_) => {}
        }
        head
    }

    /// At the event that was told to be the last: it is the same one, and the seal's key was the one that is kept.
    fn compare_with_told(&mut self) {
        let (seq, link) = self.walk.head();
        let Some(told) = self.told.filter(|told| told.seq == seq) else {
            return;
        };
        if told.link != link {
            self.tell(format!(
                "event {seq} is not the one that had been written: the record was made anew up to it"
            ));
        }
        if self.sealed_from.is_some_and(|from| seq + 1 >= from) {
            self.key_compared = true;
            let expected = self.walk.next_key();
            if expected.is_some() && told.seal.map(|(_, key)| key) != expected {
                self.tell("the seal's present key does not follow from this one: the end was cut off, or the key is of another seal".to_owned());
            }
        }
    }

    /// Links that were kept elsewhere for this event, or for one that was to stand before it.
    fn compare_with_anchors(&mut self) {
        let (seq, link) = self.walk.head();
        while let Some((wanted, kept)) = self.anchors.pop_if(|(wanted, _)| *wanted <= seq) {
            if wanted == seq && kept == link {
                self.anchored_to = Some(seq);
            } else {
                self.tell(format!(
                    "event {wanted} is not the one whose link was kept elsewhere: the record was made anew, at or before it"
                ));
            }
        }
    }

    /// Each body of the event against its hash. Says how many there are.
    fn bodies(&mut self, bodies: &mut Bodies<'_>, seq: u64, head: &AnyHead) -> Result<u64, Stop> {
        let found = bodies.of(seq, self.until)?;
        let mut gone = 0;
        for (name, wanted) in &head.bodies {
            match found.get(name) {
                Some(Some(hash)) if hash == wanted => {}
                Some(_) => self.tell(format!("the {name} of event {seq} was changed")),
                None if self.dropped.is_some_and(|dropped| seq <= dropped.up_to) => gone += 1,
                None => self.tell(format!("the {name} of event {seq} is missing")),
            }
        }
        if let Some(dropped) = self.dropped.as_mut().filter(|_| gone > 0) {
            dropped.bodies += gone;
            dropped.events += 1;
        }
        for name in found.keys().filter(|name| !head.bodies.contains_key(*name)) {
            self.tell(format!("a body `{name}` was added to event {seq}"));
        }
        Ok(found.len() as u64)
    }

    /// The words for searches against the head. Says how many rows there are.
    fn words(&mut self, said: &mut Statement<'_>, row: &Row) -> Result<u64, Stop> {
        let mut found = said.query([row.seq])?;
        let (text, start) = match found.next()? {
            Some(found) => {
                let text = found.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?;
                (Some(text), found.get(1)?)
            }
            None => (None, 0),
        };
        let wanted = words::of(row.kind, row.head.as_deref().unwrap_or_default());
        let run = row.run.as_deref().unwrap_or_default();
        let misplaced = text.is_some() && !self.starts_at(run, row, start);
        if misplaced || text != wanted.as_deref() {
            self.tell(format!(
                "the words of event {}, by which it is searched for, were changed",
                row.seq
            ));
        }
        Ok(u64::from(text.is_some()))
    }

    /// Whether the words of this event stand under the start of its run. An end comes soon after its start as a rule, so
    /// only the runs that are open are remembered, and no more than there can be.
    fn starts_at(&mut self, run: &str, row: &Row, start: u64) -> bool {
        if row.kind == Kind::Start.number() {
            if self.open.len() < OPEN {
                self.open.insert(run.to_owned(), row.seq);
            }
            return start == row.seq;
        }
        self.open.remove(run).is_none_or(|begun| begun == start)
    }

    /// Rows that belong to no event.
    fn strays(
        &mut self,
        connection: &Connection,
        bodies: u64,
        words: Option<u64>,
    ) -> Result<(), Stop> {
        for (table, known) in [("bodies", Some(bodies)), ("words", words)] {
            let Some(known) = known else { continue };
            let all: u64 =
                connection.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| {
                    row.get(0)
                })?;
            if all != known {
                self.tell(format!(
                    "{} {table} belong to no event",
                    all.saturating_sub(known)
                ));
            }
        }
        Ok(())
    }

    /// What can only be said at the end.
    pub(super) fn end(mut self, told: Option<Head>) -> Found {
        let (seq, _) = self.walk.head();
        match told {
            None if seq > 0 => {
                self.tell("the file with the last link is missing or unreadable".to_owned());
            }
            Some(told) if told.seq > seq => self.tell(format!(
                "the record ends at event {seq}, but event {} had been written",
                told.seq
            )),
            Some(_) if self.keyed && self.sealed_from.is_some() && !self.key_compared => self.tell(
                "the file with the last link is of before the seal: the end may have been cut off"
                    .to_owned(),
            ),
            _ => {}
        }
        if let Some((wanted, _)) = self.anchors.first().copied() {
            self.tell(format!(
                "the record ends at event {seq}, but the link of event {wanted} was kept elsewhere: it was put back to an older state, or its end was cut off or lost with the machine's power"
            ));
        }
        Found {
            head: self.walk.head(),
            first_ms: self.first_ms,
            sealed_from: self.sealed_from,
            anchored_to: self.anchored_to,
            dropped: self.dropped.filter(|dropped| dropped.bodies > 0),
            problems: self.problems,
        }
    }
}

/// Up to which event bodies may be gone, by the record's own word, and which event says so. None is counted yet.
fn dropped(connection: &Connection) -> rusqlite::Result<Option<DroppedBodies>> {
    connection
        .query_row(
            &format!(
                "SELECT seq, at_ms, CAST(json_extract(head, '$.what') AS INTEGER) AS up_to FROM events
                 WHERE kind=?1 AND octet_length(head) <= {LONGEST_HEAD} AND json_valid(head) AND up_to > 0
                 ORDER BY up_to DESC, seq LIMIT 1"
            ),
            [Kind::Retention.number()],
            |row| {
                Ok(DroppedBodies {
                    bodies: 0,
                    events: 0,
                    up_to: row.get(2)?,
                    said_by: row.get(0)?,
                    at_ms: row.get(1)?,
                })
            },
        )
        .optional()
}

/// Hashes bodies piece by piece.
pub(super) struct Bodies<'record> {
    connection: &'record Connection,
    rows: Statement<'record>,
    piece: Vec<u8>,
}

impl<'record> Bodies<'record> {
    pub(super) fn new(connection: &'record Connection) -> rusqlite::Result<Self> {
        Ok(Self {
            connection,
            rows: connection.prepare(&format!(
                "SELECT rowid, deflated, CASE WHEN octet_length(name) < 100 THEN name ELSE '(too long)' END,
                 CASE WHEN octet_length(data) <= {SHORT} THEN data END FROM bodies WHERE seq=?1",
            ))?,
            piece: vec![0; PIECE],
        })
    }

    /// Name and hash of each body of an event; no hash where it cannot be unpacked.
    pub(super) fn of(
        &mut self,
        seq: u64,
        until: Instant,
    ) -> Result<BTreeMap<String, Option<String>>, Stop> {
        let mut found = BTreeMap::new();
        let mut rows = self.rows.query([seq])?;
        while let Some(row) = rows.next()? {
            // An empty body never asks for the time, and an event may have any number of them.
            if Instant::now() >= until {
                return Err(Stop::Late);
            }
            let (rowid, deflated): (i64, bool) = (row.get(0)?, row.get(1)?);
            let hash = if let Some(data) = row
                .get_ref(3)?
                .as_blob_or_null()
                .map_err(rusqlite::Error::from)?
            {
                unpacked(data, deflated, &mut self.piece, until)
            } else {
                let blob = self
                    .connection
                    .blob_open(MAIN_DB, "bodies", "data", rowid, true)?;
                unpacked(blob, deflated, &mut self.piece, until)
            };
            let hash = match hash {
                Ok(hash) => Some(hash.ok_or(Stop::Late)?),
                Err(_) => None,
            };
            found.insert(row.get(2)?, hash);
        }
        Ok(found)
    }
}

/// Hash of a body as it was given.
fn unpacked(
    stored: impl Read,
    deflated: bool,
    piece: &mut [u8],
    until: Instant,
) -> io::Result<Option<String>> {
    if deflated {
        hash(DeflateDecoder::new(stored).take(MAX_BODY), piece, until)
    } else {
        hash(stored, piece, until)
    }
}

/// SHA-256 of all that comes; `None` where the time was over before.
fn hash(mut from: impl Read, piece: &mut [u8], until: Instant) -> io::Result<Option<String>> {
    let mut hash = Sha256::new();
    loop {
        let count = from.read(piece)?;
        if count == 0 {
            let hash: Hash = hash.finalize().into();
            return Ok(Some(hex(&hash)));
        }
        hash.update(&piece[..count]);
        if Instant::now() >= until {
            return Ok(None);
        }
    }
}
