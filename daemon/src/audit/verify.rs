//! Checks the whole record: the chain, the bodies, the head file, and the seal where its key is given.

use std::collections::HashMap;

use rusqlite::Connection;
use saferun_protocol::{Integrity, VerifyReport};

use super::{
    Audit, AuditError,
    chain::{self, Event, Hash, Walk, hex},
    entry::{AnyHead, Kind},
    head::{Head, HeadFile},
    store::{connect, unpack},
};

/// Problems that are told.
const TOLD: usize = 100;
/// Longest text of one, in characters.
const LONGEST: usize = 300;

impl Audit {
    /// Verifies everything. Blocks; reads in a transaction of its own, so that runs go on meanwhile.
    pub(crate) fn verify(&self, key: Option<&str>) -> Result<VerifyReport, AuditError> {
        let key = key.map(parse_key).transpose()?;
        let file = HeadFile::open_to_read(&self.path.with_extension("head")).ok();
        // Before the transaction: what is appended meanwhile makes the database longer than this, which is sound.
        let told = file.and_then(|file| file.read());
        let sqlite = |error: rusqlite::Error| AuditError::at(&self.path, &error);
        let connection = connect(&self.path, true).map_err(sqlite)?;
        check(&connection, told, key).map_err(sqlite)
    }
}

/// The key of a seal, as `history seal` showed it.
pub(super) fn parse_key(text: &str) -> Result<Hash, AuditError> {
    chain::unhex(text).ok_or_else(|| AuditError::Unusable {
        path: "the key".to_owned(),
        reason: "it must be 64 hexadecimal digits, as `saferunctl history seal` showed it"
            .to_owned(),
    })
}

/// Checks an open record against what the file beside it told.
pub(super) fn check(
    connection: &Connection,
    told: Option<Head>,
    key: Option<Hash>,
) -> rusqlite::Result<VerifyReport> {
    connection.execute_batch("BEGIN")?;
    let mut check = Check {
        walk: Walk::new(key),
        problems: Vec::new(),
        told,
        key_compared: false,
        dropped_to: 0,
        sealed_from: None,
    };
    check.run(connection, key)?;
    let (seq, link) = check.walk.head();
    match told {
        None if seq > 0 => {
            check.tell("the file with the last link is missing or unreadable".to_owned());
        }
        Some(told) if told.seq > seq => check.tell(format!(
            "the record ends at event {seq}, but event {} had been written",
            told.seq
        )),
        Some(_) if key.is_some() && check.sealed_from.is_some() && !check.key_compared => check
            .tell(
                "the file with the last link is of before the seal: the end may have been cut off"
                    .to_owned(),
            ),
        _ => {}
    }
    let verdict = match (check.problems.is_empty(), key, check.sealed_from) {
        (false, ..) => Integrity::Broken,
        (true, Some(_), Some(_)) => Integrity::Untampered,
        (true, ..) => Integrity::Consistent,
    };
    check.problems.truncate(TOLD);
    Ok(VerifyReport {
        verdict,
        events: seq,
        head: hex(&link),
        sealed_from: check.sealed_from,
        problems: check.problems,
    })
}

struct Check {
    walk: Walk,
    problems: Vec<String>,
    /// What the file beside the record says was the last event: the record may go on after it, where the daemon was
    /// killed or is at work, but must have gone through it.
    told: Option<Head>,
    /// Whether the key kept beside the record was compared. Who has only that one can say of no earlier event that it
    /// was the last, so a place before the seal must not do.
    key_compared: bool,
    /// Bodies up to this event may be gone.
    dropped_to: u64,
    sealed_from: Option<u64>,
}

impl Check {
    fn tell(&mut self, mut problem: String) {
        if self.problems.len() <= TOLD {
            // Names in a copy may be of any length.
            if let Some((end, _)) = problem.char_indices().nth(LONGEST) {
                problem.truncate(end);
            }
            self.problems.push(problem);
        }
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

    fn run(&mut self, connection: &Connection, key: Option<Hash>) -> rusqlite::Result<()> {
        let seal: Option<u64> = connection.query_row(
            "SELECT max(seq) + 1 FROM events WHERE kind=?1",
            [Kind::Seal.number()],
            |row| row.get(0),
        )?;
        self.sealed_from = seal;
        if key.is_some() && seal.is_none() {
            self.tell("no seal was ever begun, or its event was removed".to_owned());
        }
        let dropped: Option<u64> = connection.query_row(
            "SELECT max(CAST(json_extract(head, '$.what') AS INTEGER)) FROM events WHERE kind=?1",
            [Kind::Retention.number()],
            |row| row.get(0),
        )?;
        self.dropped_to = dropped.unwrap_or(0);
        let mut bodies =
            connection.prepare("SELECT name, deflated, data FROM bodies WHERE seq=?1")?;
        let mut events = connection.prepare(
            "SELECT seq, kind, at_ms, uid, run, head, hash, tag FROM events ORDER BY seq",
        )?;
        let mut rows = events.query([])?;
        let mut known = 0_u64;
        while let Some(row) = rows.next()? {
            let (run, head): (String, String) = (row.get(4)?, row.get(5)?);
            let event = Event {
                seq: row.get(0)?,
                kind: row.get(1)?,
                at_ms: row.get(2)?,
                uid: row.get(3)?,
                run: &run,
                head: &head,
            };
            let (hash, tag): (Vec<u8>, Option<Vec<u8>>) = (row.get(6)?, row.get(7)?);
            if seal == Some(event.seq) {
                self.walk.begin_seal();
            }
            if let Some(problem) = self.walk.take(&event, &hash, tag.as_deref()) {
                self.tell(problem);
            }
            self.compare_with_told();
            let Ok(any) = serde_json::from_str::<AnyHead>(&head) else {
                self.tell(format!("event {} cannot be read", event.seq));
                continue;
            };
            if event.kind == Kind::Fault.number() {
                self.tell(format!("event {}: {}", event.seq, any.what));
            }
            let found = bodies
                .query_map([event.seq], |row| {
                    let data = unpack(row.get(1)?, row.get(2)?);
                    Ok((
                        row.get::<_, String>(0)?,
                        data.map(|data| hex(&chain::digest(&data))),
                    ))
                })?
                .collect::<Result<HashMap<_, _>, _>>()?;
            known += found.len() as u64;
            for (name, wanted) in &any.bodies {
                match found.get(name) {
                    Some(Ok(hash)) if hash == wanted => {}
                    Some(_) => self.tell(format!("the {name} of event {} was changed", event.seq)),
                    None if event.seq <= self.dropped_to => {}
                    None => self.tell(format!("the {name} of event {} is missing", event.seq)),
                }
            }
            for name in found.keys().filter(|name| !any.bodies.contains_key(*name)) {
                self.tell(format!("a body `{name}` was added to event {}", event.seq));
            }
        }
        let all: u64 = connection.query_row("SELECT count(*) FROM bodies", [], |row| row.get(0))?;
        if all != known {
            self.tell(format!(
                "{} bodies belong to no event",
                all.saturating_sub(known)
            ));
        }
        Ok(())
    }
}
