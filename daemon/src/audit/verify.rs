//! Verifies the record: what is asked, and the verdict. The walk over all events is in `check`.

use std::time::{Duration, Instant};

use rusqlite::Connection;
use saferun_protocol::{Anchor, Integrity, MAX_ANCHORS, VerifyReport};

use super::{
    Audit, AuditError,
    chain::{self, Hash, hex},
    check::{Check, Stop},
    form,
    head::{Head, HeadFile},
    store::connect,
};

/// How long a verification may take, unless somebody says otherwise: a record of a million runs takes one.
pub(super) const WITHIN: Duration = Duration::from_secs(600);

/// What a record is held against, besides itself and the file beside it.
#[derive(Debug, Default)]
pub(super) struct Against {
    /// The key of the seal.
    pub(super) key: Option<Hash>,
    /// Links that were kept elsewhere, with the number of their event; sorted.
    pub(super) anchors: Vec<(u64, Hash)>,
}

impl Against {
    /// Reads what came from outside.
    pub(super) fn parse(key: Option<&str>, anchors: &[Anchor]) -> Result<Self, AuditError> {
        let wrong = |what: &str, reason: &str| AuditError::Unusable {
            path: what.to_owned(),
            reason: reason.to_owned(),
        };
        let key = key
            .map(|text| {
                chain::unhex(text).ok_or_else(|| {
                    wrong(
                        "the key",
                        "it must be 64 hexadecimal digits, as `saferunctl history seal` showed it",
                    )
                })
            })
            .transpose()?;
        if anchors.len() > MAX_ANCHORS {
            return Err(wrong(
                "the links to compare with",
                "they are too many; the newest are enough",
            ));
        }
        let mut parsed = anchors
            .iter()
            .map(|anchor| Some((anchor.seq, chain::unhex(&anchor.link)?)))
            .collect::<Option<Vec<_>>>()
            .ok_or_else(|| {
                wrong(
                    "a link to compare with",
                    "it must be 64 hexadecimal digits, as `saferunctl history head` shows it",
                )
            })?;
        parsed.sort_unstable();
        parsed.dedup();
        Ok(Self {
            key,
            anchors: parsed,
        })
    }
}

/// Is told now and then how many events of how many were looked at.
pub(super) type Progress<'run> = &'run mut dyn FnMut(u64, u64);

impl Audit {
    /// Verifies everything. Blocks; reads in a transaction of its own, so that runs go on meanwhile.
    pub(crate) fn verify(
        &self,
        key: Option<&str>,
        anchors: &[Anchor],
    ) -> Result<VerifyReport, AuditError> {
        let against = Against::parse(key, anchors)?;
        let file = HeadFile::open_to_read(&self.path.with_extension("head")).ok();
        // Before the transaction: what is appended meanwhile makes the database longer than this, which is sound.
        let told = file.and_then(|file| file.read());
        let sqlite = |error: rusqlite::Error| AuditError::at(&self.path, &error);
        let connection = connect(&self.path, true).map_err(sqlite)?;
        let found = form::version(&connection).map_err(sqlite)?;
        if found != form::SCHEMA {
            // The daemon brought it up to date when it opened it.
            return Err(AuditError::Damaged {
                path: self.path.display().to_string(),
                reason: format!("its version is {found}, and was {}", form::SCHEMA),
            });
        }
        let until = Instant::now() + WITHIN;
        check(&connection, told, against, until, &mut |_, _| ()).map_err(|stop| match stop {
            Stop::Sqlite(error) => sqlite(error),
            Stop::Late => AuditError::Late { within: WITHIN },
        })
    }
}

/// Checks an open record against what the file beside it told and what was given.
pub(super) fn check(
    connection: &Connection,
    told: Option<Head>,
    against: Against,
    until: Instant,
    progress: Progress<'_>,
) -> Result<VerifyReport, Stop> {
    connection.execute_batch("BEGIN").map_err(Stop::Sqlite)?;
    let keyed = against.key.is_some();
    let mut check = Check::new(told, against, until);
    check.run(connection, progress)?;
    let found = check.end(told);
    let verdict = match (found.problems.is_empty(), keyed, found.sealed_from) {
        (false, ..) => Integrity::Broken,
        (true, true, Some(_)) => Integrity::Untampered,
        (true, ..) => Integrity::Consistent,
    };
    let (seq, link) = found.head;
    let mut report = VerifyReport::new(verdict, seq, hex(&link));
    report.first_ms = found.first_ms;
    report.sealed_from = found.sealed_from;
    report.anchored_to = found.anchored_to;
    report.dropped = found.dropped;
    report.problems = found.problems;
    Ok(report)
}
