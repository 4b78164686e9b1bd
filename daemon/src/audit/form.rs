//! The form of the database, one step for each version of it, and how an older record is brought up to date.
//!
//! A step runs in one transaction: a daemon that is killed in the midst of it finds the record as it was. A step may
//! add tables and fill them from the events; it never changes an event, which triggers refuse and the chain would tell.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use super::{AuditError, words};

/// What makes a version out of the one before.
struct Step {
    sql: &'static str,
    fill: fn(&Connection) -> rusqlite::Result<()>,
}

/// Version 1 comes of an empty file by the first, version 2 of version 1 by the second. A new one is added at the end;
/// one that was released is never changed.
const STEPS: [Step; 2] = [
    Step {
        sql: "
CREATE TABLE events(
    seq INTEGER PRIMARY KEY, run TEXT NOT NULL, uid INTEGER NOT NULL, kind INTEGER NOT NULL,
    at_ms INTEGER NOT NULL, head TEXT NOT NULL, hash BLOB NOT NULL, tag BLOB) STRICT;
CREATE UNIQUE INDEX events_run ON events(run, kind) WHERE run <> '';
CREATE INDEX events_uid ON events(uid, kind, seq);
CREATE TABLE bodies(
    seq INTEGER NOT NULL, name TEXT NOT NULL, deflated INTEGER NOT NULL, data BLOB NOT NULL) STRICT;
CREATE UNIQUE INDEX bodies_seq ON bodies(seq, name);
CREATE TRIGGER events_are_never_changed BEFORE UPDATE ON events
    BEGIN SELECT raise(ABORT, 'events are only appended'); END;
CREATE TRIGGER events_are_never_removed BEFORE DELETE ON events
    BEGIN SELECT raise(ABORT, 'events are only appended'); END;
",
        fill: |_| Ok(()),
    },
    // What a search by text reads, apart from the heads with their hashes: `start` is the run's first event.
    Step {
        sql: "
CREATE TABLE words(seq INTEGER PRIMARY KEY, start INTEGER NOT NULL, text TEXT NOT NULL) STRICT;
",
        fill: words::fill,
    },
];

/// The version that is written; an older daemon refuses a newer record.
#[expect(clippy::cast_possible_wrap, reason = "a handful")]
pub(super) const SCHEMA: i64 = STEPS.len() as i64;

/// Everything that makes a record of this version, as SQL. `None`: there is no such version.
pub(super) fn whole(version: i64) -> Option<String> {
    let count = usize::try_from(version).ok().filter(|count| *count > 0)?;
    let steps = STEPS.get(..count)?;
    Some(steps.iter().map(|step| step.sql).collect())
}

/// The version of a record.
pub(super) fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// Makes an empty file a record, or an older record one of today.
pub(super) fn migrate(connection: &mut Connection, path: &Path) -> Result<(), AuditError> {
    let sqlite = |error: rusqlite::Error| AuditError::at(path, &error);
    loop {
        let found = version(connection).map_err(sqlite)?;
        if found > SCHEMA {
            return Err(AuditError::Newer {
                path: path.display().to_string(),
                found,
            });
        }
        let next = usize::try_from(found).map_err(|_| AuditError::Damaged {
            path: path.display().to_string(),
            reason: format!("its version is {found}"),
        })?;
        let Some(step) = STEPS.get(next) else {
            return Ok(());
        };
        if found > 0 {
            tracing::info!(
                from = found,
                to = found + 1,
                "the audit record gets its next form; earlier daemons will refuse it"
            );
        }
        apply(connection, step, found).map_err(sqlite)?;
    }
}

fn apply(connection: &mut Connection, step: &Step, from: i64) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Somebody else may have come first.
    if version(&transaction)? != from {
        return Ok(());
    }
    transaction.execute_batch(step.sql)?;
    (step.fill)(&transaction)?;
    transaction.pragma_update(None, "user_version", from + 1)?;
    transaction.commit()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_that_is_none_is_refused_by_name_and_left_as_it_is() {
        for (version, named) in [(SCHEMA + 1, "later SafeRun"), (-3, "its version is -3")] {
            let mut connection = Connection::open_in_memory().unwrap();
            connection
                .pragma_update(None, "user_version", version)
                .unwrap();
            let error = migrate(&mut connection, Path::new("r")).unwrap_err();
            assert!(error.to_string().contains(named), "{error}");
            let tables: i64 = connection
                .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
                .unwrap();
            assert_eq!(tables, 0);
        }
    }

    #[test]
    fn a_step_that_fails_leaves_the_version_before_it() {
        let mut connection = Connection::open_in_memory().unwrap();
        apply(&mut connection, &STEPS[0], 0).unwrap();
        let broken = Step {
            sql: "CREATE TABLE added(x) STRICT;",
            fill: |_| Err(rusqlite::Error::InvalidQuery),
        };
        apply(&mut connection, &broken, 1).unwrap_err();
        let sound = Step {
            sql: "CREATE TABLE added(x INTEGER) STRICT;",
            fill: |connection| {
                connection
                    .execute("INSERT INTO none VALUES(1)", [])
                    .map(drop)
            },
        };
        apply(&mut connection, &sound, 1).unwrap_err();
        assert_eq!(version(&connection).unwrap(), 1);
        migrate(&mut connection, Path::new("r")).unwrap();
        assert_eq!(version(&connection).unwrap(), SCHEMA);
        let added: i64 = connection
            .query_row(
                "SELECT count(*) FROM sqlite_schema WHERE name='added'",
                [],
                |row| row.get(0),
            )
            .unwrap();
        assert_eq!(added, 0);
    }
}
